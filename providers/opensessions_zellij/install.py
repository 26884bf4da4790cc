"""Put our keys into zellij's configuration and take them out. Blocks; asks the installed zellij where there is one."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from msgspec import Struct

from opensessions import installation
from opensessions.errors import OpenSessionsError, Refused
from opensessions.hooks import files
from opensessions_zellij import binary, kdl, keymap, merge
from opensessions_zellij.keys import MODE, MODES, SCRIPT, Entry, Wishes

CANDIDATES = (Entry("session", "o"), Entry("session", "g"), Entry("session", "e"), Entry("tmux", "g"))
"""Keys into our table, in the order in which they are tried. The first is free in zellij's default keys, the second in
its preset "unlock first"."""
PATIENCE = 5.0
"""Seconds for the installed zellij to look at a configuration."""
DEFINED = "[CONFIG FILE]: Well defined"


class Change(Struct, frozen=True):
    """What becomes of one file. Nothing is done where `new` is `old`; None is no file."""

    file: str
    old: str | None
    new: str | None

    @property
    def diff(self) -> str:
        """A unified diff, empty where nothing changes."""
        before, after = ((text or "").splitlines(keepends=True) for text in (self.old, self.new))
        names = ["/dev/null" if text is None else self.file for text in (self.old, self.new)]
        lines = difflib.unified_diff(before, after, names[0], names[1])
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        )

    def carry_out(self) -> None:
        """Refused where that cannot be; then the file is as it was."""
        if self.new is None:
            if self.old is not None:
                files.remove(self.file)
        elif self.new != self.old:
            files.replace(self.file, self.old, self.new)


# --- where ----------------------------------------------------------------------------------------------------


def config_file(environment: Mapping[str, str] | None = None) -> str:
    """The configuration that a zellij with this environment reads, as it finds it (0.45.1, `home.rs`)."""
    said = os.environ if environment is None else environment
    if said.get("ZELLIJ_CONFIG_FILE"):
        return said["ZELLIJ_CONFIG_FILE"]
    if said.get("ZELLIJ_CONFIG_DIR"):
        return f"{said['ZELLIJ_CONFIG_DIR']}/config.kdl"
    folders = config_folders(said)
    return f"{next(filter(os.path.isdir, folders), folders[0])}/config.kdl"


def config_folders(said: Mapping[str, str]) -> tuple[str, ...]:
    """The folders of which it takes the first that exists. It makes the first itself when it starts, so where another
    one is in use it will not be for long."""
    home = said.get("HOME") or os.path.expanduser("~")
    if sys.platform == "darwin":
        other = f"{home}/Library/Application Support/org.Zellij-Contributors.Zellij"
    else:
        base = said.get("XDG_CONFIG_HOME", "")
        other = f"{base if base.startswith('/') else f'{home}/.config'}/zellij"
    return f"{home}/.config/zellij", other


def known_files() -> list[str]:
    """Every configuration that may hold something of ours."""
    found = [config_file(), *(f"{folder}/config.kdl" for folder in config_folders(os.environ))]
    return [path for path in dict.fromkeys(found) if os.path.exists(path)]


# --- what -----------------------------------------------------------------------------------------------------


def entry(text: str) -> Entry:
    """`MODE:KEY`, or a KEY for every mode but `locked`. Refused where it is none."""
    mode, colon, key = text.partition(":")
    if not colon or not key:
        mode, key = "", text
    if not key.strip() or (mode and mode not in MODES):
        raise Refused(f"{text!r} is no key; say for example session:o, tmux:g or 'Alt s'.")
    return Entry(mode, " ".join(key.split()))


def install(file: str, wanted: Entry | None, python: str = sys.executable) -> Change:
    """What is to be done so that our keys stand there once. Refused where the file
    cannot be understood, or the key is not free."""
    old = files.read(file)
    bare = _taken(file, old) if old is not None else None
    document = _read(file, bare or "")
    keys = keymap.over(defaults(), document)
    chosen = wanted or _free(keys)
    if taken := _held(keys, chosen):
        raise Refused(f"{chosen} is bound already ({taken}); choose another key with --key.")
    found = keymap.first(document)
    if found and any(block.children for block in found.all(MODE)):
        line = 1 + (bare or "").count("\n", 0, found.start)
        raise Refused(
            f"{file}, line {line}: your keys use zellij's mode {MODE!r}, which ours need; nothing was changed."
        )
    script = f"{installation.plugin_folder()}/scripts/{SCRIPT}"
    try:
        new = merge.put(bare, Wishes(python, script, chosen, base_mode(document)))
    except merge.NoPlace as error:
        raise Refused(f"{file}, line {error.line}: {error}; nothing was changed.") from error
    if complaint := complains(new):
        if bare and (own := complains(bare)):
            raise Refused(f"zellij does not understand {file} as it is ({own}); mend it and try again.")
        raise Refused(f"zellij would not understand {file} with our keys ({complaint}); nothing was changed.")
    return Change(file, old, new)


def uninstall(file: str) -> Change:
    """What is to be done so that nothing of ours stands there, and all else as it was."""
    old = files.read(file)
    return Change(file, old, _taken(file, old) if old is not None else None)


def state(file: str, python: str = sys.executable) -> tuple[str, Entry | None]:
    """ "missing", "installed", or "outdated" where other lines of ours stand there; and the key that leads to them."""
    text = files.read(file)
    if text is None or _taken(file, text) == text:
        return "missing", None
    document = _read(file, text)
    leading = [place for place, node in keymap.over({}, document).items() if keymap.leads_to(node, MODE)]
    shared = len(leading) > 1
    found = Entry("" if shared else leading[0][0], leading[0][1]) if leading else None
    script = f"{installation.plugin_folder()}/scripts/{SCRIPT}"
    wishes = Wishes(python, script, found or Entry(), base_mode(document))
    return ("installed" if merge.put(text, wishes) == text else "outdated"), found


def pressed(file: str) -> str:
    """The keys that lead from the mode in which the user begins to ours, for people. Refused where the file cannot be
    understood."""
    document = _read(file, files.read(file) or "")
    keys = keymap.way(keymap.over(defaults(), document), base_mode(document), MODE)
    return ", then ".join(keys) if keys else "no key leads to them: install them with --key"


def missing(file: str) -> str:
    """A program or script that our keys run and that is not there; "" where all are."""
    document = _read(file, files.read(file) or "")
    for (mode, _), node in keymap.over({}, document).items():
        for run in node.all("Run") if mode == MODE else ():
            words = [word for word in run.arguments if isinstance(word, str)]
            for path in [word for word in words if word.startswith("/") and not os.path.exists(word)]:
                return path
    return ""


def base_mode(document: tuple[kdl.Node, ...]) -> str:
    """The mode in which the user begins."""
    said = next(
        (node.arguments[0] for node in document if node.name == "default_mode" and node.arguments), None
    )
    return said.lower() if isinstance(said, str) and said.lower() in MODES else "normal"


def _free(keys: keymap.Keymap) -> Entry:
    for candidate in CANDIDATES:
        if not _held(keys, candidate):
            return candidate
    raise Refused(
        "The keys that we would take are bound already; choose one with --key, for example 'Alt s'."
    )


def _held(keys: keymap.Keymap, wanted: Entry) -> str:
    """What a key does already, in a few words; "" where it is free."""
    modes = [wanted.mode] if wanted.mode else [mode for mode in MODES if mode != "locked"]
    for mode in modes:
        node = keys.get((mode, keymap.normal(wanted.key)))
        if node is not None:
            return f"{mode}: " + ", ".join(action.name for action in node.children or ()) or "nothing"
    return ""


# --- what zellij itself says ----------------------------------------------------------------------------------


def defaults() -> keymap.Keymap:
    """The keys of the installed zellij without any configuration; none where it is missing or says nothing."""
    said = _ask("setup", "--dump-config")
    try:
        return keymap.over({}, kdl.read(said))
    except kdl.Malformed:
        return {}


def complains(text: str) -> str:
    """Why the installed zellij would not read this configuration; "" where it would, and where there is none."""
    if not binary.find() or DEFINED in (said := _checked(text)):
        return ""
    lines = [line.strip(" ·│×╭╰─┤") for line in said.splitlines()]
    return next((line for line in lines if line), "it does not say why")


def _checked(text: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".kdl", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        return _ask("--config", file.name, "setup", "--check")


def _ask(*words: str) -> str:
    """What zellij prints; "" where it cannot be asked."""
    program = binary.find()
    if not program:
        return ""
    try:
        said = subprocess.run(
            [program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.decode("utf-8", "replace")


def _taken(file: str, text: str) -> str | None:
    try:
        return merge.take(text)
    except kdl.Malformed as error:
        raise _refused(file, error) from error


def _read(file: str, text: str) -> tuple[kdl.Node, ...]:
    try:
        return kdl.read(text)
    except kdl.Malformed as error:
        raise _refused(file, error) from error


def _refused(file: str, error: kdl.Malformed) -> OpenSessionsError:
    return Refused(f"{file}, line {error.line}: {error}; the file was left alone, mend it and try again.")
