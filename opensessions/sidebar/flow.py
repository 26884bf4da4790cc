"""Text in lines: broken between words, and where a word is longer than a line. Pure."""

from __future__ import annotations

from functools import lru_cache

from opensessions.sidebar.frame import ASCII, UNICODE, Glyphs, Span, say
from opensessions.sidebar.text import fit, graphemes, width

LONGEST = 400
"""Characters of any text that are looked at."""

Fact = list[Span]
"""One line, before it is made to measure."""


def flow(text: str, cells: int, most: int, style: str, look: Glyphs) -> list[Fact]:
    """Anybody's text in at most `most` lines; what does not fit shows as an ellipsis. No line where there is nothing
    to be seen."""
    return [[Span(line, style)] for line in _flowed(text[: LONGEST + 1], cells, most, look is ASCII)]


@lru_cache(256)
def _flowed(text: str, cells: int, most: int, ascii: bool) -> tuple[str, ...]:
    look = ASCII if ascii else UNICODE
    lines: list[str] = []
    for word in say(text, look).split():
        if lines and width(lines[-1]) + 1 + width(word) <= cells:
            lines[-1] += " " + word
        else:
            lines += _broken(word, cells)
        if len(lines) > most:
            break
    if len(lines) > most:
        cut = f"{lines[most - 1]} {lines[most]}"
        lines[most - 1 :] = [fit(cut + look.ellipsis, cells, look.ellipsis)]
    return tuple(lines)


def _broken(word: str, cells: int) -> list[str]:
    """The word in pieces of at most `cells` cells. A grapheme that is wider is left out."""
    if 0 < width(word) <= cells:
        return [word]
    pieces = [""]
    left = cells
    for grapheme, taken in graphemes(word):
        if taken > cells:
            continue
        if taken > left:
            pieces.append("")
            left = cells
        pieces[-1] += grapheme
        left -= taken
    return [piece for piece in pieces if piece]
