"""The user's files: read with a bound, replaced at once with their mode and links kept; and receipts of what we did."""

from __future__ import annotations

import hashlib
import os

import msgspec
from msgspec import Struct

from opensessions import paths
from opensessions.errors import Refused

LIMIT = 4 << 20
"""Bytes; no settings file is larger."""


def read(path: str) -> str | None:
    """The file's text; None where there is none. Refused where it is no readable text file of a sane size."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}); nothing was changed.") from error
    try:
        if os.fstat(handle).st_mode & 0o170000 != 0o100000:
            raise Refused(f"{path} is not a regular file; nothing was changed.")
        with open(handle, "rb", closefd=False) as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}); nothing was changed.") from error
    finally:
        os.close(handle)
    if len(data) > LIMIT:
        raise Refused(f"{path} is larger than {LIMIT >> 20} MiB; nothing was changed.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(f"{path}, line {line}: this is not UTF-8; the file was left alone.") from error


def replace(path: str, old: str | None, new: str) -> list[str]:
    """Put `new` where `old` stood, and answer the folders that were made for it, the outermost first.

    A link stays a link, and what it leads to is replaced; the mode stays. Refused, with nothing changed, where the
    file is no longer `old`, or may not be written.
    """
    real = os.path.realpath(path)
    made: list[str] = []
    try:
        made = _make_folders(os.path.dirname(real))
        mode = 0o600 if old is None else os.stat(real).st_mode & 0o7777
        temporary = f"{real}.opensessions-{os.getpid()}-{os.urandom(4).hex()}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(handle, "wb") as file:
                file.write(new.encode("utf-8"))
                file.flush()
                os.fchmod(handle, mode)
                os.fsync(handle)
            if read(real) != old:
                raise Refused(f"{path} was changed by something else just now; run this again.")
            os.rename(temporary, real)
        except (OSError, Refused):
            os.unlink(temporary)
            raise
    except (OSError, Refused) as error:
        remove_folders(made)
        if isinstance(error, Refused):
            raise
        raise Refused(f"{path} cannot be written ({error.strerror}); nothing was changed.") from error
    return made


def remove(path: str) -> None:
    """Remove a file that is ours, or what a link of that name leads to. Refused where that may not be."""
    try:
        os.unlink(os.path.realpath(path))
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refused(f"{path} cannot be removed ({error.strerror}).") from error


def remove_folders(made: list[str]) -> None:
    """Remove folders that were made for a file, the innermost first, as far as they are empty."""
    for folder in reversed(made):
        try:
            os.rmdir(folder)
        except OSError:  # in use by now
            return


def _make_folders(folder: str) -> list[str]:
    missing = []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    missing.reverse()
    for each in missing:
        os.mkdir(each, 0o700)
    return missing


class Receipt(Struct, frozen=True):
    """What was done to one file, so that it can be undone to the byte. It holds nothing of the user's text."""

    file: str
    before: str
    """SHA-256 of the text before; empty where there was no file."""
    after: str
    spans: tuple[tuple[int, int], ...] = ()
    """What was inserted, as (start, length)."""
    empty: tuple[str, ...] = ()
    """What was there and empty: see `entries.empty`."""
    made: tuple[str, ...] = ()
    """Folders that did not exist before."""


def digest(text: str | None) -> str:
    """SHA-256 in hex; empty for no file."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8")).hexdigest()


def receipt(agent: str, file: str) -> Receipt | None:
    """What we noted of this file; None where there is no note, or none that can be understood."""
    try:
        with open(_note(agent, file), "rb") as note:
            found = msgspec.json.decode(note.read(1 << 20), type=Receipt)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None  # exact undoing is lost, not the recognition of our entries
    return found if found.file == file else None


def note(agent: str, receipt: Receipt) -> None:
    """Keep a receipt. UnsafePath or Refused where the state directory cannot hold it."""
    path = _note(agent, receipt.file)
    paths.ensure_private(paths.state_dir())
    paths.ensure_private(os.path.dirname(path))
    replace(path, read(path), msgspec.json.encode(receipt).decode())


def forget(agent: str, file: str) -> None:
    """Drop the receipt, if there is one."""
    path = _note(agent, file)
    remove(path)
    remove_folders([os.path.dirname(path)])


def _note(agent: str, file: str) -> str:
    return f"{paths.state_dir()}/hooks/{agent}-{digest(file)[:8]}.json"
