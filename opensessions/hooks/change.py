"""Install, uninstall and look: from an agent's place to the change of one file, and the change carried out."""

from __future__ import annotations

import difflib
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace as altered

from opensessions.errors import Refused
from opensessions.hooks import edit, entries, files, jsonc
from opensessions.hooks.agents import Own, Place, Settings
from opensessions.hooks.command import ours
from opensessions.hooks.files import Receipt

State = Literal["installed", "missing", "outdated", "unsupported"]


class Change(Struct, frozen=True):
    """What becomes of one file. Nothing is done where `new` is `old`."""

    agent: str
    file: str
    old: str | None
    """None where there is no file."""
    new: str | None
    """None where the file goes."""
    receipt: Receipt | None = None
    """To be noted; None where the note goes."""
    made: tuple[str, ...] = ()
    """Folders that go with the file."""

    @property
    def diff(self) -> str:
        """A unified diff, empty where nothing changes."""
        before = (self.old or "").splitlines(keepends=True)
        after = (self.new or "").splitlines(keepends=True)
        lines = difflib.unified_diff(
            before,
            after,
            "/dev/null" if self.old is None else self.file,
            "/dev/null" if self.new is None else self.file,
        )
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        )


def state(place: Place) -> tuple[State, str]:
    """What stands there now, and a word on it. Refused where the file cannot be understood."""
    text = files.read(place.file)
    if isinstance(place, Own):
        if text is None:
            return "missing", ""
        if not ours(text):
            return "missing", "a file of that name is not ours"
        return ("installed", "") if text == place.text else ("outdated", "install again to renew it")
    if text is None:
        return "missing", ""
    document = _document(place.file, text)
    found = list(entries.found(document, place.layout))
    root = document.root.value if document.root else None
    off = isinstance(root, dict) and root.get("disableAllHooks") is True
    if not found:
        return "missing", ""
    if sorted(found, key=str) != sorted(place.entries.items(), key=str):
        return "outdated", "install again to renew it"
    return "installed", "this file switches all hooks off (disableAllHooks)" if off else ""


def install(place: Place) -> Change:
    """What is to be done so that our hooks stand there, once and of this version."""
    text = files.read(place.file)
    noted = files.receipt(place.agent, place.file)
    if state(place)[0] == "installed":
        return Change(place.agent, place.file, text, text, noted)
    if isinstance(place, Own):
        if text is not None and not ours(text):
            raise Refused(f"{place.file} is not ours; move it away, a plugin of that name is needed there.")
        made = noted.made if noted else ()
        after = Receipt(place.file, "", files.digest(place.text), made=made)
        return Change(place.agent, place.file, text, place.text, after)
    base = _without(place, text, noted)
    done = _put(place, base or "")
    after = Receipt(
        place.file, files.digest(base), files.digest(done.text), done.spans,
        tuple(sorted(_empty(place, base or ""))), noted.made if noted else (),
    )  # fmt: skip
    return Change(place.agent, place.file, text, done.text, after)


def uninstall(place: Place) -> Change:
    """What is to be done so that nothing of ours stands there, and all else as it was."""
    text = files.read(place.file)
    noted = files.receipt(place.agent, place.file)
    made = noted.made if noted else ()
    if isinstance(place, Own):
        return Change(place.agent, place.file, text, None if ours(text) else text, made=made)
    return Change(place.agent, place.file, text, _without(place, text, noted), made=made)


def carry_out(change: Change) -> None:
    """Write the file and the note. Refused where that cannot be; then the file is as it was."""
    if change.new is None:
        if change.old is not None:
            if files.read(change.file) != change.old:
                raise Refused(f"{change.file} was changed by something else just now; run this again.")
            files.remove(change.file)
        files.remove_folders(list(change.made))
        files.forget(change.agent, change.file)
        return
    if change.receipt is None:
        if change.new != change.old:
            files.replace(change.file, change.old, change.new)
        files.forget(change.agent, change.file)
        return
    if change.new == change.old:
        return
    # The note first: one that no file matches does no harm, a file without its note cannot be undone to the byte.
    files.note(change.agent, change.receipt)
    made = files.replace(change.file, change.old, change.new)
    if made:
        noted = altered(change.receipt, made=(*made, *change.receipt.made))
        files.note(change.agent, noted)


def _without(place: Settings, text: str | None, noted: Receipt | None) -> str | None:
    """The text as it was before us: to the byte where nobody touched it since, else all but our entries."""
    if text is None:
        return None
    if noted is not None and noted.after == files.digest(text):
        before = edit.without(text, noted.spans)
        if not noted.before and not before:
            return None
        if noted.before == files.digest(before):
            return before
    _document(place.file, text)
    left = entries.take(text, place.layout, frozenset(noted.empty if noted else ()))
    if noted is not None and not noted.before and left != text:
        root = _document(place.file, left).root
        if root is not None and root.value in ({}, dict(place.layout.beside)):
            return None
    return left


def _put(place: Settings, text: str) -> entries.Put:
    try:
        return entries.put(text, place.entries, place.layout)
    except jsonc.Malformed as error:
        raise _refused(place.file, error) from error


def _empty(place: Settings, text: str) -> frozenset[str]:
    return entries.empty(text, place.layout)


def _document(file: str, text: str) -> jsonc.Document:
    try:
        return jsonc.read(text)
    except jsonc.Malformed as error:
        raise _refused(file, error) from error


def _refused(file: str, error: jsonc.Malformed) -> Refused:
    return Refused(f"{file}, line {error.line}: {error}; the file was left alone, mend it and try again.")
