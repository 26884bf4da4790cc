"""Dark or light: how a terminal is asked, and what it says by itself when that changes. Pure.

Mode 2031 subscribes and `CSI ? 996 n` asks: both are answered by `CSI ? 997 ; 1 n` (dark) or `2 n` (light), by tmux
from 3.6 on. Others answer OSC 11 alone, with the background's colour: tmux 3.5 with that of its terminal, 3.3 not at
all.
"""

from __future__ import annotations

import re
from typing import Literal

from opensessions.sidebar.contrast import is_dark

Scheme = Literal["dark", "light"]

ASK = b"\x1b[?2031h\x1b[?996n\x1b]11;?\x1b\\"
"""Subscribes and asks. A terminal that knows none of these ignores them."""
REPORT = re.compile(
    rb"\x1b\[\?997;([12])n|\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})[/0-9a-fA-F]*(?:\x07|\x1b\\)"
)
LONGEST = 48
"""Bytes of a report, at most."""


class Reports:
    """Listens to what one terminal sends; takes nothing out of it."""

    __slots__ = ("_rest", "_told")

    def __init__(self) -> None:
        self._rest = b""
        self._told = False
        """It has said dark or light in so many words: then its background's colour says nothing more."""

    def hear(self, data: bytes) -> Scheme | None:
        """The last thing that is said in these bytes, which may end in the middle of a report."""
        text = self._rest + data
        said: Scheme | None = None
        end = 0
        for found in REPORT.finditer(text):
            end = found.end()
            if found[1]:
                self._told = True
                said = "dark" if found[1] == b"1" else "light"
            elif not self._told:
                said = "dark" if is_dark(_colour(*found.group(2, 3, 4))) else "light"
        self._rest = text[end:][-LONGEST:]
        return said


def only_reports(data: bytes) -> bool:
    """Is there nothing else in it, no key and no click?"""
    return not REPORT.sub(b"", data)


def _colour(*levels: bytes) -> str:
    """`#rrggbb` of hexadecimal numbers of one to four digits each, as X11 writes them."""
    return "#" + "".join(f"{int(level, 16) * 255 // (16 ** len(level) - 1):02x}" for level in levels)
