"""Frame -> the bytes that make a terminal show it. Pure.

The terminal is expected not to wrap at the right edge (the pump turns that off). A line is written from its
first cell to its last over what stood there, so nothing flickers. Terminals disagree about the width of some
emoji and combined characters: their cells are filled with spaces first, and after them the column is set anew.

Links are OSC 8, each opened and closed within its line. Where they lead is made from a port's number and from nothing
else. tmux hands them on from 3.4 on, to terminals of which it knows that they can (`terminal-features`: `hyperlinks`);
3.3a drops them, as any terminal does that does not know them.
"""

from __future__ import annotations

from functools import lru_cache

from opensessions.sidebar.text import clean, doubtful, graphemes
from opensessions.sidebar.theme import Depth, Theme, sequence
from opensessions.sidebar.view import Frame, Line

RESET = "\x1b[0m"
CLEAR = "\x1b[2J"
LINK = "\x1b]8;;%s\x1b\\"
"""Opens a link to an address; with an empty one, closes it."""


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
    for span in line:
        text = clean(span.text)
        parts.append(sequence(theme, depth, span.style))
        if span.port:
            parts.append(LINK % f"http://localhost:{span.port:d}")
        if text.isascii():
            parts.append(text)
            column += len(text)
        else:
            for grapheme, cells in graphemes(text):
                if doubtful(grapheme):
                    parts.append(f"{' ' * cells}\x1b[{column}G{grapheme}\x1b[{column + cells}G")
                else:
                    parts.append(grapheme)
                column += cells
        if span.port:
            parts.append(LINK % "")
    return "".join(parts) + RESET
