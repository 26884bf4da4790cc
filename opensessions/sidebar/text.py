"""Text as a terminal shows it: harmless, measured in cells, cut between graphemes."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, combining, normalize

from wcwidth import iter_graphemes, wcswidth, wcwidth

MOST_MARKS = 7
"""Accents on one letter; more of them run over the lines above."""

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that show nothing (fillers of Hangul, an empty Braille cell)."""

JOINER = "\u200d"
FLAGS = range(0x1F1E6, 0x1F200)
"""Regional indicators, A to Z: two of them are a flag."""
SKINS = frozenset(map(chr, range(0x1F3FB, 0x1F400)))

LARGE = frozenset((0x261D, 0x26F9, *range(0x270A, 0x270E), *range(0x3248, 0x3250)))
"""Two cells for some terminals, one for wcwidth (0.9.4; tmux 3.5a draws a pointing hand and a circled ten in two)."""
DISPUTED = LARGE | {*range(0x2630, 0x2638), *range(0x268A, 0x2690), *range(0x4DC0, 0x4E00)}
"""Of the first 65536 code points, those whose width terminals dispute: the trigrams were one cell until Unicode 16."""


def clean(text: str) -> str:
    """`text` without anything that a terminal obeys, that reorders its neighbours, or that terminals draw in different
    widths.

    Control characters, line ends, lone surrogates, bare combining marks and what this Python's Unicode does not know
    become `?`; format characters (bidirectional overrides, zero-width characters) vanish; every kind of space is a
    plain one. Of an emoji that is put together the first one stays, without its colour of skin; a flag is its two
    letters. What is left takes at least one cell a grapheme.
    """
    return text if text.isascii() and text.isprintable() else _clean(text)


@lru_cache(1024)
def _clean(text: str) -> str:
    harmless = normalize("NFC", "".join(map(_harmless, text)))
    return "".join(map(_visible, iter_graphemes(harmless)))


def _harmless(char: str) -> str:
    match category(char):
        case "Cc" | "Cs" | "Cn" | "Zl" | "Zp":
            return "?"
        case "Cf":
            return char if char == JOINER else ""
        case "Me":
            return ""  # a circle or a key cap around the character before it
        case "Zs":
            return " "
    if char in BLANK:
        return " "
    if ord(char) in FLAGS:
        return chr(ord("A") + ord(char) - FLAGS.start)
    # A variation selector makes a sign one or two cells wide, as the terminal thinks.
    return "" if "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" else char


def _visible(grapheme: str) -> str:
    """tmux draws a family in two cells (3.3a) or four (3.5a), a thumb with a colour of skin in four or two. The
    terminal around it thinks otherwise again, and then all that is to the right of it stands in the wrong place.
    """
    first, *joined = grapheme.split(JOINER)
    letters = "".join(
        part for part in joined if part and category(part[0])[0] in "LM"
    )  # as in Indian scripts
    single = ""
    marks = 0
    for char in first + letters:
        marks = marks + 1 if category(char) == "Mn" else 0
        if marks <= MOST_MARKS and char not in SKINS:
            single += char
    single = normalize("NFC", single)  # an accent may now be the letter's neighbour
    if single and category(single[0])[0] == "M":  # it would sit on whatever stands before the text
        single = "?" + "".join(char for char in single if category(char)[0] != "M")
    if wcswidth(single) > 0:
        return single
    return "?" if grapheme.strip(JOINER) else ""


def unpainted(text: str) -> str:
    """`text` as a name to give, not to show: without what a terminal obeys or what turns the direction, but with every
    emoji whole."""
    kinds = ((char, category(char)) for char in text)
    return "".join(
        char for char, kind in kinds if char == JOINER or kind not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )


@lru_cache(1024)
def plain(text: str) -> str:
    """`clean(text)` in 7-bit characters: accents are dropped, anything else is `?`."""
    text = clean(text)
    if text.isascii():
        return text
    bare = "".join(char for char in normalize("NFKD", text) if not combining(char))
    return "".join(grapheme if grapheme.isascii() else "?" for grapheme in iter_graphemes(bare))


def graphemes(text: str) -> list[tuple[str, int]]:
    """(grapheme, cells) for each user-perceived character of a clean text: the cells that it takes at most."""
    return [(grapheme, _cells(grapheme)) for grapheme in iter_graphemes(text)]


def _cells(grapheme: str) -> int:
    if len(grapheme) == 1:
        return 2 if ord(grapheme) in LARGE else max(0, wcwidth(grapheme))
    # Not every terminal knows which letters of Indian scripts become one.
    return max(wcswidth(grapheme), sum(max(0, wcwidth(char)) for char in grapheme))


def doubtful(grapheme: str) -> bool:
    """May a terminal think otherwise of this grapheme's width? Icons of fonts (private use) are wide for some."""
    code = ord(grapheme[0])
    return len(grapheme) > 1 or code > 0xFFFF or code in DISPUTED or 0xE000 <= code < 0xF900


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
