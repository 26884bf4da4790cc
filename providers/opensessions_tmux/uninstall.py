"""Takes opensessions out of a running tmux: keys, hooks, options, sidebars, server. Run by scripts/uninstall and
`opensessions uninstall`. Standard library only, and no server needed: it must work where nothing else does.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator

from opensessions import paths, start
from opensessions.errors import MuxError, OpenSessionsError, Refused, ServerNotRunning
from opensessions_tmux import bindings, hooks, kept
from opensessions_tmux.admin import Admin
from opensessions_tmux.binary import caller_socket, of_server
from opensessions_tmux.layout import restored
from opensessions_tmux.options import LAYOUT, MARK, NAMING, RINGS
from opensessions_tmux.quote import Words

PATIENCE = 10.0
"""Seconds that the server has for leaving; it ends itself after 5."""

TURNS = 3
"""How often a server that comes back meanwhile is stopped again."""

PREFIX = "@opensessions-"
SCOPES = {
    "session": (("list-sessions", "-F", "#{session_id}"), ()),
    "window": (("list-windows", "-a", "-F", "#{window_id}"), ("-w",)),
    "pane": (("list-panes", "-a", "-F", "#{pane_id}"), ("-p",)),
}
"""How the targets of a scope are listed, and the flag that its options take."""


def main(sockets: Iterable[str] = ()) -> int:
    """Uninstall from the tmux servers at `sockets`, else from the one that we are in and every other that the
    running server serves. One line for each."""
    try:
        servers = {os.path.realpath(path): Admin(of_server(0), path) for path in sockets} or _here()
        told = next((text for tmux in servers.values() if (text := _runtime(tmux))), "")
        problems = _remove_all(servers, paths.runtime_dir(told))
    except OpenSessionsError as error:
        print(f"opensessions: {error}", file=sys.stderr)
        return 1
    for problem in problems:
        print(f"opensessions: {problem}", file=sys.stderr)
    for tmux in servers.values():
        print(f"Removed from the tmux server at {tmux.socket}.")
    if servers:
        print("To keep it out, remove its line from tmux.conf.")
    else:
        print("No server runs, and this is no tmux session: there is nothing to remove here.")
    return int(bool(problems))


def _remove_all(servers: dict[str, Admin], runtime: str) -> list[str]:
    """Stop the server and remove everything, from `servers` (by real path of the socket) and from those that the
    server served, which are added. After a crash a sidebar may just be starting the next server: then once more."""
    problems: dict[str, None] = {}
    for _ in range(TURNS):
        for socket in _stop(runtime):
            servers.setdefault(os.path.realpath(socket), Admin(of_server(0), socket))
        for tmux in servers.values():
            _forget(runtime, tmux.socket)
            try:
                problems |= dict.fromkeys(remove(tmux, owner()))
            except MuxError as error:
                problems[str(error)] = None
        if not _held(paths.pid_file(runtime)):
            break
    return list(problems)


def _forget(runtime: str, socket: str) -> None:
    """Without this a server started later, by another tmux, would serve this one again."""
    try:
        os.unlink(f"{paths.mux_dir(runtime, paths.tmux_key(socket))}/registration")
    except OSError:
        pass


def _here() -> dict[str, Admin]:
    socket, pid = caller_socket()
    binary = of_server(pid)
    if socket and not binary:
        raise Refused("The tmux program was not found; put its folder on PATH and try again.")
    return {os.path.realpath(socket): Admin(binary, socket)} if socket else {}


def _runtime(tmux: Admin) -> str:
    return tmux.ask("show-options", "-gqv", "@opensessions-runtime")


# --- the server ---------------------------------------------------------------------------------------------


def _stop(runtime: str) -> list[str]:
    """Stop the server, if one runs, and wait until it has gone; the sockets of the tmux servers that it served.
    One that is just starting or leaving is waited for."""
    pid_file = paths.pid_file(runtime)
    deadline = time.monotonic() + PATIENCE
    while (line := start.connect(runtime, PATIENCE)) is None:
        if not _held(pid_file):
            return []
        _pause(deadline)
    try:
        muxes = json.loads(start.ask(line, "status"))["muxes"]
        start.ask(line, "stop")
    finally:
        line.close()
    while _held(pid_file):
        _pause(deadline)
    return [mux["socket"] for mux in muxes if mux["provider"] == "tmux"]


def _pause(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise ServerNotRunning("The server does not leave; see its log, and end it by the pid in server.pid.")
    time.sleep(0.02)


def _held(pid_file: str) -> bool:
    """Does a server hold the lock?"""
    try:
        handle = os.open(pid_file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


# --- one tmux server ----------------------------------------------------------------------------------------


def owner() -> str:
    """The owner id of this installation; "" where it has none, and then no pane is ours."""
    try:
        with open(f"{paths.state_dir()}/owner", encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def remove(tmux: Admin, owner: str) -> list[str]:
    """Take everything of ours out of this tmux server. Answers sentences about what could not be put back.

    The sidebars go first: alone for a second, they would start a server. Then whatever else would.
    """
    if not tmux.ask("display-message", "-p", "#{pid}"):
        raise MuxError(f"No tmux server answers at {tmux.socket}.")
    if owner:
        _close_sidebars(tmux, owner)
    names = re.findall(rf"^({kept.OPTION}\S+)", tmux.ask("show-options", "-g"), re.MULTILINE)
    problems = [problem for name in names if (problem := kept.put_back(tmux, name))]
    tmux.ask("unbind-key", "-aq", "-T", bindings.TABLE)
    tmux.batch(hooks.remove(tmux.ask_all(hooks.SHOW)))
    _unset_options(tmux)
    return problems


def _close_sidebars(tmux: Admin, owner: str) -> None:
    """Close our sidebars, and give each window the layout that it had. A sidebar that is alone in its window gives
    its place to a shell: closing it would take the window away, and with it perhaps the session and its clients."""
    for window, zoomed, layout, kept_layout, panes in _windows(tmux):
        left = dict(panes)
        commands: list[Words] = []
        for pane in [pane for pane, mark in panes if mark == owner]:
            if len(left) == 1:
                shell = tmux.ask("show-options", "-gv", "default-shell") or "/bin/sh"
                commands.append(("respawn-pane", "-k", "-t", pane, shell))
                continue
            del left[pane]
            commands.append(("kill-pane", "-t", pane))
            before, _, after = kept_layout.partition(" ")
            order = [int(other[1:]) for other in left]
            if old := restored(before, after, layout, int(pane[1:]), order):
                commands.append(("select-layout", "-t", window, old))
            if zoomed:  # killing un-zooms the window
                commands.append(("resize-pane", "-Z", "-t", window))
        _try(tmux, commands)


def _windows(tmux: Admin) -> Iterator[tuple[str, bool, str, str, list[tuple[str, str]]]]:
    """Every window once: id, is it zoomed, its layout, what LAYOUT keeps, its panes as (id, mark)."""
    form = f"#{{window_id}}|#{{window_zoomed_flag}}|#{{window_layout}}|#{{{LAYOUT}}}|#{{P:#{{pane_id}}=#{{{MARK}}} }}"
    for line in dict.fromkeys(tmux.ask("list-windows", "-a", "-F", form).splitlines()):
        window, zoomed, layout, kept_layout, listed = (line.split("|") + [""] * 5)[:5]
        panes = [(pane, mark) for pane, _, mark in (each.partition("=") for each in listed.split())]
        yield window, zoomed == "1", layout, kept_layout, panes


def _unset_options(tmux: Admin) -> None:
    """Every `@opensessions-` option except what the user set, in every scope; and our variable."""
    tmux.ask("set-environment", "-gu", RINGS)
    for scope in ("-g", "-gw", "-s"):
        names = _names(tmux.ask("show-options", scope))
        tmux.batch(("set-option", f"{scope}u", name) for name in names if name not in bindings.USER_OPTIONS)
    for listing, flags in SCOPES.values():
        for target in dict.fromkeys(tmux.ask(*listing).splitlines()):
            _try(tmux, _unsetting(tmux, target, flags))


def _unsetting(tmux: Admin, target: str, flags: tuple[str, ...]) -> Iterator[Words]:
    """Commands that unset our options of one target, and what one of them stands for."""
    for name in _names(tmux.ask("show-options", *flags, "-t", target)):
        if name == NAMING and MARK in tmux.ask(
            "show-options", "-wqv", "-t", target, "automatic-rename-format"
        ):
            yield ("set-option", "-wu", "-t", target, "automatic-rename-format")
        yield ("set-option", *flags, "-u", "-t", target, name)


def _names(listing: str) -> list[str]:
    return re.findall(rf"^({PREFIX}\S+)", listing, re.MULTILINE)


def _try(tmux: Admin, commands: Iterable[Words]) -> None:
    """A target may go while we work; then there is nothing left to do with it."""
    try:
        tmux.batch(commands)
    except Refused:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
