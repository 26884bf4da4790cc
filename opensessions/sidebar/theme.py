"""How a style becomes an escape sequence. A theme is one dict of named colours (`themes` holds them); what each part of
the sidebar wears is written once: ROLES.

A style is a space-separated list of roles: `"cursor waiting"` is the role `waiting` on the ground of
`cursor`. Every style stands on the role `page`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from opensessions.sidebar.contrast import legible, rgb, same

Depth = Literal[16, 256, "rgb"]
"""How many colours a terminal shows."""

ROLES: Mapping[str, str] = {
    "page": "text on page",
    "cursor": "on raised",
    "cursor-away": "on lifted",
    "mark": "bold accent",
    "mark-away": "faint",
    "title": "bold accent",
    "count": "muted",
    "mode": "bold info",
    "index": "faint",
    "name": "text",
    "name-current": "bold accent",
    "name-strong": "bold text",
    "name-quiet": "muted",
    "unseen": "bold notice",
    "detail": "faint",
    "link": "underline info",
    "agent": "muted",
    "group": "bold muted",
    "bar": "accent",
    "drop": "underline",
    "scroll": "faint",
    "hint": "faint",
    "key": "bold muted",
    "input": "bold text",
    "message": "info",
    "warning": "bold bad",
    "empty": "muted",
    "waiting": "bold notice",
    "error": "bold bad",
    "tool-running": "busy",
    "running": "busy",
    "interrupted": "notice",
    "done": "good",
    "stale": "faint",
    "hibernated": "faint",
    "idle": "faint",
    "gone": "faint",
}
"""Role -> attributes (`bold dim italic underline reverse`), colour, and `on` ground."""

SLIGHT = frozenset(("mark-away", "index", "detail", "scroll", "hint"))
"""Roles that only accompany names and states, and need less contrast."""

COLOURS = ("page", "lifted", "raised", "text", "muted", "faint",
           "accent", "info", "notice", "bad", "good", "busy")  # fmt: skip
"""What a theme names: three grounds (the page, two steps above it), three weights of text, six meanings."""

ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7"}

NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""The eight colours of every terminal; `bright-red` and so on are the other eight."""


class Theme(Struct, frozen=True, eq=False):
    """Named colours: `#rrggbb`, a name of NAMES, `bright-` and such a name, `default`, or attributes.

    `roles` replaces single entries of ROLES, for themes that lack grounds.
    """

    name: str
    colours: Mapping[str, str]
    roles: Mapping[str, str] = {}
    least: float = 4.5
    """Contrast that text has on each ground, at least: an exact colour that has less is lightened or darkened there."""
    slight: float = 3.0
    """The same for the roles in SLIGHT."""


ANSI = Theme("ansi", {
    "page": "default", "lifted": "default", "raised": "default",
    "text": "default", "muted": "default", "faint": "dim default",
    "accent": "magenta", "info": "blue", "notice": "yellow",
    "bad": "red", "good": "green", "busy": "cyan",
}, roles={"cursor": "reverse", "cursor-away": ""})  # fmt: skip
"""Only what the terminal's own palette offers, on its own background: right on dark and on light ones."""

MONOCHROME = Theme("monochrome", {
    "page": "default", "lifted": "default", "raised": "default",
    "text": "default", "muted": "default", "faint": "dim default",
    "accent": "default", "info": "default", "notice": "default",
    "bad": "default", "good": "default", "busy": "default",
}, roles={"cursor": "reverse", "cursor-away": ""})  # fmt: skip


def depth_of(term: str, colorterm: str) -> Depth:
    """The colours of a terminal, from its `$TERM` and `$COLORTERM`."""
    if colorterm.lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return "rgb"
    return 256 if "256" in term else 16


@lru_cache(1024)
def sequence(theme: Theme, depth: Depth, style: str) -> str:
    """The escape sequence that puts `style` on, whatever was on before. An unknown role changes nothing.

    With 16 colours a theme of exact colours looks like ANSI: the nearest of sixteen colours that somebody
    chose for their own palette is a guess, and the grounds would all become black.
    """
    if depth == 16 and any(colour.startswith("#") for colour in theme.colours.values()):
        theme = ANSI
    attributes: dict[str, None] = {}
    front = back = "default"
    least = theme.least
    for role in ("page", *style.split()):
        ground = False
        for part in _parts(theme, role):
            if part == "on":
                ground = True
            elif part in ATTRIBUTES:
                attributes[ATTRIBUTES[part]] = None
            elif ground:
                back = part
            else:
                front, least = part, theme.slight if role in SLIGHT else theme.least
    if ATTRIBUTES["reverse"] in attributes:  # a reversed row in several colours would be a patchwork
        front = back = "default"
    if front.startswith("#") and back.startswith("#"):
        front = legible(front, back, least, in_256 if depth == 256 else same)
    codes = ["0", *attributes, *_colour(front, 30, depth), *_colour(back, 40, depth)]
    return f"\x1b[{';'.join(codes)}m"


def _parts(theme: Theme, role: str) -> Iterator[str]:
    for word in theme.roles.get(role, ROLES.get(role, "")).split():
        yield from theme.colours.get(word, word).split()


def _colour(colour: str, base: int, depth: Depth) -> tuple[str, ...]:
    """SGR parameters; `base` is 30 for the text and 40 for the ground."""
    if colour == "default":
        return ()
    if not colour.startswith("#"):
        bright = colour.startswith("bright-")
        return (str(base + 60 * bright + NAMES.index(colour.removeprefix("bright-"))),)
    if depth == 256:
        return (str(base + 8), "5", str(to_256(rgb(colour))))
    return (str(base + 8), "2", *map(str, rgb(colour)))


STEPS = (0, 95, 135, 175, 215, 255)
"""The levels of xterm's colour cube (16-231); 232-255 are greys 8, 18, … 238."""


def to_256(colour: tuple[int, int, int]) -> int:
    """The nearest of xterm's 256 colours; the first sixteen are the user's own and never chosen."""
    cube = [min(range(6), key=lambda step: abs(STEPS[step] - level)) for level in colour]
    grey = max(0, min(23, round((sum(colour) / 3 - 8) / 10)))
    by_cube = _distance(colour, (STEPS[cube[0]], STEPS[cube[1]], STEPS[cube[2]]))
    by_grey = _distance(colour, (8 + 10 * grey,) * 3)
    return 232 + grey if by_grey < by_cube else 16 + 36 * cube[0] + 6 * cube[1] + cube[2]


def in_256(colour: str) -> str:
    """The colour that a terminal of 256 shows for this one."""
    number = to_256(rgb(colour))
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    red, green, blue = (STEPS[(number - 16) // size % 6] for size in (36, 6, 1))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
