"""Frame -> the bytes that make a terminal show it. Pure.

The terminal is expected not to wrap at the right edge (the pump turns that off). A line is written from its
first cell to its last over what stood there, so nothing flickers. Terminals disagree about the width of some
emoji and combined characters: after such text the column is set anew, and its line is cleared first.
"""

from __future__ import annotations

from functools import lru_cache

from opensessions.sidebar.text import clean, graphemes
from opensessions.sidebar.theme import Depth, Theme, sequence
from opensessions.sidebar.view import Frame, Line

RESET = "\x1b[0m"
CLEAR = "\x1b[2J"
CLEAR_LINE = "\x1b[2K"


def paint(old: Frame | None, new: Frame, theme: Theme, depth: Depth) -> bytes:
    """What turns a terminal that shows `old` into one that shows `new`; b"" where nothing differs.

    `old` is None where it is not known what the terminal shows, and after a change of theme or depth: then,
    and when the size differs, everything is cleared and drawn.
    """
    if old is None or old.width != new.width or len(old.lines) != len(new.lines):
        parts = [sequence(theme, depth, "page") + CLEAR]
        changed = list(enumerate(new.lines, 1))
    else:
        parts = []
        changed = [
            (number, line)
            for number, (before, line) in enumerate(zip(old.lines, new.lines, strict=True), 1)
            if line is not before and line != before
        ]
    parts += [f"\x1b[{number}H{_line(line, theme, depth)}" for number, line in changed]
    return "".join(parts).encode()


@lru_cache(1024)
def _line(line: Line, theme: Theme, depth: Depth) -> str:
    """One line, the cursor being in its first column."""
    parts = []
    column = 1
    doubtful = False
    for span in line:
        text = clean(span.text)
        parts.append(sequence(theme, depth, span.style))
        if text.isascii():
            parts.append(text)
            column += len(text)
            continue
        for grapheme, cells in graphemes(text):
            parts.append(grapheme)
            column += cells
            if _doubtful(grapheme):
                doubtful = True
                parts.append(f"\x1b[{column}G")
    start = sequence(theme, depth, "page") + CLEAR_LINE if doubtful else ""
    return start + "".join(parts) + RESET


def _doubtful(grapheme: str) -> bool:
    """May a terminal think otherwise about this width than we do? (tmux 3.3a: U+2764 U+FE0F one cell, a thumb
    with a skin tone four; 3.5a: a family four; both two after wcwidth.)"""
    return len(grapheme) > 1 or ord(grapheme) > 0xFFFF
