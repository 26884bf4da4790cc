"""Text as a terminal shows it: harmless, measured in cells, cut between graphemes."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, combining, normalize

from wcwidth import iter_graphemes, wcswidth

JOINER = "\u200d"
"""Zero-width joiner: kept inside a grapheme (it glues emoji together), dropped elsewhere."""

LONGEST_GRAPHEME = 8
"""Code points; longer ones (stacks of accents that run over the lines above) lose their tail."""


def clean(text: str) -> str:
    """`text` without anything that a terminal obeys or that reorders its neighbours.

    Control characters, line ends, lone surrogates and bare combining marks become `?`, format characters
    (bidirectional overrides, zero-width characters) vanish, every kind of space is a plain one. What is left
    takes at least one cell a grapheme.
    """
    return text if text.isascii() and text.isprintable() else _clean(text)


@lru_cache(1024)
def _clean(text: str) -> str:
    return "".join(
        piece
        for grapheme in iter_graphemes("".join(map(_harmless, text)))
        if (piece := _visible(grapheme[:LONGEST_GRAPHEME].rstrip(JOINER)))
    )


def _harmless(char: str) -> str:
    match category(char):
        case "Cc" | "Cs" | "Zl" | "Zp":
            return "?"
        case "Cf":
            return char if char == JOINER else ""
        case "Zs":
            return " "
        case "Cn":
            # Newer than this Python's Unicode tables, or nothing at all; wcwidth knows the newer emoji.
            return char if wcswidth(char) == 2 else "?"
    return char


def _visible(grapheme: str) -> str:
    if wcswidth(grapheme) > 0:
        return grapheme
    return "?" if grapheme.strip(JOINER) else ""


@lru_cache(1024)
def plain(text: str) -> str:
    """`clean(text)` in 7-bit characters: accents are dropped, anything else is `?`."""
    text = clean(text)
    if text.isascii():
        return text
    bare = "".join(char for char in normalize("NFKD", text) if not combining(char))
    return "".join(grapheme if grapheme.isascii() else "?" for grapheme in iter_graphemes(bare))


def graphemes(text: str) -> list[tuple[str, int]]:
    """(grapheme, cells) for each user-perceived character of a clean text."""
    return [(grapheme, max(0, wcswidth(grapheme))) for grapheme in iter_graphemes(text)]


def width(text: str) -> int:
    """Cells that a clean text takes."""
    return len(text) if text.isascii() else _width(text)


@lru_cache(1024)
def _width(text: str) -> int:
    return sum(cells for _, cells in graphemes(text))


def fit(text: str, cells: int, ellipsis: str = "…") -> str:
    """A clean text in at most `cells` cells; what was cut shows as `ellipsis`. No grapheme is split."""
    if width(text) <= cells:
        return text
    return _cut(text, cells, ellipsis) if cells > 0 else ""


@lru_cache(1024)
def _cut(text: str, cells: int, ellipsis: str) -> str:
    room = cells - width(ellipsis)
    if room < 0:
        return ""
    kept = []
    for grapheme, taken in graphemes(text):
        room -= taken
        if room < 0:
            break
        kept.append(grapheme)
    return "".join(kept).rstrip(" ") + ellipsis


def fit_end(text: str, cells: int, ellipsis: str = "…") -> str:
    """Like `fit`, but the end of the text stays: for paths and for what is being typed."""
    if width(text) <= cells:
        return text
    room = cells - width(ellipsis)
    if room < 0:
        return ""
    kept: list[str] = []
    for grapheme, taken in reversed(graphemes(text)):
        room -= taken
        if room < 0:
            break
        kept.append(grapheme)
    return ellipsis + "".join(reversed(kept))


def pad(text: str, cells: int, ellipsis: str = "…") -> str:
    """A clean text in exactly `cells` cells: cut, or filled with spaces."""
    short = fit(text, cells, ellipsis)
    return short + " " * (cells - width(short))


def wrap(text: str, cells: int) -> list[str]:
    """A clean text as lines of at most `cells` cells, broken between words; a longer word is cut."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(lines[-1]) + 1 + width(word) <= cells:
            lines[-1] += " " + word
        else:
            lines.append(fit(word, cells, ""))
    return lines
