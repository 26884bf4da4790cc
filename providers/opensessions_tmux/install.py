"""The loader: binds the keys, installs the hooks, starts the server. Run by plugin.tmux in the background as
`python -m opensessions_tmux.install`, inside the tmux that it is for.

Safe to run again and again, and twice at once. On failure one sentence on stderr, and status 1.
"""

from __future__ import annotations

import os
import re
import shlex
import sys

from opensessions import installation, paths
from opensessions.errors import OpenSessionsError, Refused
from opensessions_tmux import bindings, hooks, kept, quote
from opensessions_tmux.admin import Admin
from opensessions_tmux.binary import caller_socket, of_server
from opensessions_tmux.bindings import Wishes

OLDEST = (3, 2)
"""The oldest tmux that has all that we use."""

END = "//opensessions//"
"""Ends the value of an option in a reply."""


def main() -> int:
    """Load, then become `opensessions up`."""
    try:
        tmux = here()
        problems = load(tmux)
        for problem in problems:
            print(f"opensessions: {problem}", file=sys.stderr)
        if problems:
            tmux.call("display-message", "-d", "8000", quote.timed(f"opensessions: {problems[0]}"))
    except OpenSessionsError as error:
        print(f"opensessions: {error}", file=sys.stderr)
        return 1
    return os.execve(
        sys.executable, [sys.executable, "-P", "-m", "opensessions", "up"], _environment(tmux.binary)
    )


def here() -> Admin:
    """The tmux that this process was started in. Refused outside of one."""
    socket, pid = caller_socket()
    if not socket:
        raise Refused(
            "This is run by tmux: put the line that `opensessions plugin-path` prints into tmux.conf."
        )
    binary = of_server(pid)
    if not binary:
        raise Refused(
            "The tmux program was not found; put its folder on PATH (in tmux: set-environment -g PATH …)."
        )
    return Admin(binary, socket)


def load(tmux: Admin) -> list[str]:
    """Set the paths, bind the keys, install the hooks. Answers sentences about keys that tmux does not know."""
    check_version(tmux.ask("display-message", "-p", "#{version}"))
    wishes = read_wishes(tmux)
    keys = bindings.user_keys(wishes)
    wanted = {kept.option(key.table, key.key) for key in [*keys, bindings.drag_key()]}
    for name in kept_names(tmux):
        if name not in wanted:
            kept.put_back(tmux, name)
    tmux.batch(("set-option", "-g", name, shlex.quote(path)) for name, path in own_paths(tmux).items())
    problems = [problem for key in keys if (problem := _bind(tmux, key))]
    bind_table(tmux)
    _bind_former(tmux, wishes.prefix)
    _bind_drag(tmux)
    tmux.batch(hooks.install(tmux.ask_all(hooks.SHOW), hooks.wanted(starter(tmux))))
    tmux.batch([("set-option", "-gu", "@opensessions-notice")])
    return problems


def bind_table(tmux: Admin) -> None:
    """Our key table as it should be, without keys of an earlier version. In one call, so that no press falls
    into a gap; and first a binding, since `unbind-key -a` fails where there is no table, quiet or not (3.3a)."""
    binds = [key.bind() for key in bindings.table_keys()]
    tmux.batch([binds[-1], ("unbind-key", "-a", "-T", bindings.TABLE), *binds])


def own_paths(tmux: Admin) -> dict[str, str]:
    """What our bindings find in options."""
    return {
        bindings.INTERPRETER: installation.interpreter(),
        bindings.PYTHON: sys.executable,
        bindings.SCRIPTS: f"{installation.plugin_folder()}/scripts",
        bindings.TMUX: tmux.binary,
        bindings.KEY: paths.tmux_key(tmux.socket),
    }


def starter(tmux: Admin) -> list[str]:
    """The program that a client's attachment starts: it starts the server if none runs."""
    scripts = f"{installation.plugin_folder()}/scripts"
    runtime = paths.runtime_dir(tmux.ask("show-options", "-gqv", "@opensessions-runtime"))
    given = {"runtime": runtime, "socket": tmux.socket, "python": sys.executable, "tmux": tmux.binary}
    words = [f"{name}={value}" for name, value in given.items()]
    return [installation.interpreter(), "-I", "-S", f"{scripts}/start.py", *words]


def check_version(version: str) -> None:
    """Refused where tmux is too old. A version that names no number (a build of the main branch) passes."""
    number = re.match(r"(?:next-)?(\d+)\.(\d+)", version)
    if number and (int(number[1]), int(number[2])) < OLDEST:
        raise Refused(f"tmux {version} is too old: opensessions needs {OLDEST[0]}.{OLDEST[1]} or later.")


def read_wishes(tmux: Admin) -> Wishes:
    """The user's options about keys, read in one call."""
    names = ("prefix-key", "focus-key", "toggle-key", "attention-key", "popup-key", "index-keys")
    questions = [("show-options", "-gqv", f"@opensessions-{name}") for name in names]
    replies = tmux.ask_all([part for one in questions for part in (one, ("display-message", "-p", END))])
    found = [part.strip() for part in replies.split(END)] + [""] * len(names)
    prefix, focus, toggle, attention, popup, index = found[: len(names)]
    return Wishes(prefix or "o", focus, toggle, attention, popup, tuple(index.split()))


def kept_names(tmux: Admin) -> list[str]:
    """The options that keep bindings."""
    return re.findall(rf"^({kept.OPTION}\S+)", tmux.ask("show-options", "-g"), re.MULTILINE)


def _bind(tmux: Admin, key: bindings.Key) -> str:
    """Bind a key of the user's choice; a sentence where tmux does not know it."""
    kept.keep(tmux, key.table, key.key)
    try:
        tmux.call(*key.bind())
    except Refused:
        tmux.call("set-option", "-gu", kept.option(key.table, key.key))
        return f"tmux knows no key {key.key!r}; correct it in your tmux.conf (see: man tmux, KEY BINDINGS)."
    return ""


def _bind_former(tmux: Admin, prefix_key: str) -> None:
    """`o` in our table does what the prefix key's own key did before; where it did nothing, `o` does nothing."""
    before = kept.kept(tmux, kept.option("prefix", prefix_key))
    if before.text:
        note = before.note or f"What the key {prefix_key} did before"
        try:
            tmux.source(kept.rebind(before, bindings.TABLE, key="o", note=note))
        except Refused as error:
            print(f"opensessions: {error}", file=sys.stderr)


def _bind_drag(tmux: Admin) -> None:
    """The end of a border's drag, unless the user has a binding of his own."""
    key = bindings.drag_key()
    now = kept.read(tmux, key.table, key.key)
    if not now.text or kept.ours(now.text):
        kept.keep(tmux, key.table, key.key)
        tmux.call(*key.bind())


def _environment(binary: str) -> dict[str, str]:
    """Ours, with the tmux that runs here as the first on PATH."""
    folder, name = os.path.split(binary)
    search = os.environ.get("PATH", os.defpath)
    if name == "tmux" and folder not in search.split(os.pathsep):
        search = f"{folder}{os.pathsep}{search}"
    return dict(os.environ, PATH=search)


if __name__ == "__main__":
    sys.exit(main())
