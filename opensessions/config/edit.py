"""Changes one key of config.yaml because its user says so. All else stays, comments too.

What comes out is read before it is written: if it does not mean what it should, nothing is written.
"""

from __future__ import annotations

import os

import yaml
from msgspec.structs import replace
from yaml import MappingNode, ScalarNode

from opensessions.config import Loaded
from opensessions.config.reader import Unreadable, compose, file_text, read, understand
from opensessions.errors import Refused


def save(path: str, key: str, value: str) -> None:
    """Set a key of the file's top level. A missing file is made; one that is a link is changed where it really is, and
    keeps its mode. Refused, with nothing changed, where that cannot be done for certain; the message names the line to
    write by hand. Blocks for a small file."""
    line = f"{key}: {scalar(value)}"
    place = os.path.realpath(path)
    try:
        try:
            old = file_text(path)
        except FileNotFoundError:
            old = ""
        new = changed(old, key, value)
    except Unreadable as fault:
        raise Refused(
            f"{path} cannot be changed, since {fault.sentence}; mend it and write there: {line}"
        ) from fault
    if not _means(read(path), understand(path, new), key, value):
        raise Refused(
            f"{path} is written in a way that cannot be changed safely; write there yourself: {line}"
        )
    try:
        _write(place, new.encode())
    except OSError as error:
        raise Refused(
            f"{place} cannot be written ({error.strerror}); write there yourself: {line}"
        ) from error


def changed(text: str, key: str, value: str) -> str:
    """The text with the value of this key in place of the one that counts, or with a line for it at the end."""
    # The marks of PyYAML's own loader count characters.
    root = compose(text, yaml.SafeLoader)
    indent = ""
    if isinstance(root, MappingNode) and root.value:
        indent = " " * root.value[0][0].start_mark.column
        for name, node in reversed(root.value):
            if isinstance(name, ScalarNode) and name.value == key:
                start, end = node.start_mark.index, node.end_mark.index
                space = "" if text[start - 1 : start].isspace() else " "
                return text[:start] + space + scalar(value) + text[end:]
    if text and not text.endswith("\n"):
        text += "\n"
    return f"{text}{indent}{key}: {scalar(value)}\n"


def scalar(text: str) -> str:
    """As YAML would write it: in quotes where it would be taken for something else."""
    return str(yaml.safe_dump(text, allow_unicode=True, width=1000)).removesuffix("...\n").strip()


def _means(old: Loaded, new: Loaded, key: str, value: str) -> bool:
    wanted = replace(old.config, **{key: value})
    return new.config == wanted and len(new.problems) <= len(old.problems)


def _write(path: str, data: bytes) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, 0o700, exist_ok=True)
    try:
        mode = os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mode = 0o600
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
