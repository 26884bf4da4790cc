"""Text on its way into tmux: what makes it inert, and how commands are joined into calls. Pure.

tmux reads an argument up to three times: as an element of its command line (a closing `;` ends a command), as a
format where the command expands one, and as a word where a string is parsed as commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

Words = Sequence[str]
"""One tmux command as words: name, flags, arguments."""

CALL_LIMIT = 12_000
"""Bytes of arguments in one call. tmux refuses a message over 16 KiB with "command too long"."""

_BARRED = dict.fromkeys((*range(32), 127, *range(0x80, 0xA0), 0x2028, 0x2029)) | dict.fromkeys(
    (*range(0xD800, 0xDC80), *range(0xDD00, 0xE000)), "?"
)
"""Control characters go; a surrogate that stands for no byte cannot be encoded."""

_HASHES = re.compile("#+")
_BARE = re.compile(r"[A-Za-z0-9@_./:-]+")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "~": "\\~", "\n": "\\n", "\r": "\\r"})


def plain(text: str) -> str:
    """`text` without control characters. For values that tmux keeps as they are."""
    return text.translate(_BARRED)


def drawn(text: str) -> str:
    """For an option that a status line shows: every `#` doubled, so that it is neither format nor style."""
    return plain(text).replace("#", "##")


def inert(text: str) -> str:
    """For an argument that tmux expands as a format: it arrives as `plain(text)`.

    Every run of `#` is doubled, except one before `[`: tmux leaves such a run as it is (3.3a and 3.5a).
    """
    text = plain(text)
    return _HASHES.sub(lambda run: run[0] if text[run.end() : run.end() + 1] == "[" else run[0] * 2, text)


def timed(text: str) -> str:
    """For a message on a client's screen (`display-message`): a format that is also a time, and then drawn."""
    return drawn(text).replace("%", "%%")


def word(text: str) -> str:
    """`text` as one word of a string that tmux parses as commands.

    In double quotes: in single ones a `#` after a newline would begin a comment (3.3a and 3.5a).
    """
    if _BARE.fullmatch(text):
        return text
    return f'"{text.translate(_ESCAPES)}"'


def command(words: Words) -> str:
    """A command as a string that tmux parses, for hooks, `if-shell` and `run-shell -C`."""
    return " ".join(word(part) for part in words)


def commands(*many: Words) -> str:
    """Several commands as one such string."""
    return " ; ".join(command(words) for words in many)


def argument(text: str) -> bytes:
    """One element of tmux's command line. A closing `;` would end the command; `\\;` does not."""
    if text.endswith(";"):
        text = text[:-1] + "\\;"
    return text.encode("utf-8", "surrogateescape")


def batches(many: Iterable[Words], limit: int = CALL_LIMIT) -> Iterator[list[bytes]]:
    """The commands joined by `;` into as few calls as fit in `limit` bytes each, in order.

    A single command that is longer gets a call of its own; tmux will refuse it.
    """
    call: list[bytes] = []
    size = 0
    for words in many:
        parts = [argument(part) for part in words]
        length = sum(map(len, parts)) + len(parts) + 2
        if call and size + length > limit:
            yield call
            call, size = [], 0
        if call:
            call.append(b";")
        call += parts
        size += length
    if call:
        yield call
