"""The themes: what the sidebar makes of a palette, shipped or the user's own, so that everything on it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from opensessions.sidebar.contrast import apart, is_dark, mix
from opensessions.sidebar.palettes import PALETTES
from opensessions.sidebar.theme import ANSI, MONOCHROME, Theme

GROUNDS = 1.18
"""Least contrast between the page and the cursor's row."""

FROM_PALETTE = {
    "page": "background", "raised": "surface", "text": "text", "muted": "subtext", "faint": "overlay",
    "accent": "accent", "info": "blue", "notice": "yellow", "bad": "red", "good": "green", "busy": "cyan",
}  # fmt: skip
"""What a theme names -> what a palette calls it."""


STRICT = {"high-contrast-dark": (7.0, 4.5), "high-contrast-light": (7.0, 4.5)}
"""Palette -> least contrast of text and of slight text, where they are not the usual ones."""


def made(name: str, palette: Mapping[str, str], base: str) -> Theme:
    """The theme of a palette, which is the shipped one called `base` or extends it. The cursor's ground is moved away
    from the page where it would not be told from it; `theme.sequence` sees to it that every text can be read."""
    colours = {ours: palette[theirs] for ours, theirs in FROM_PALETTE.items()}
    page, raised = colours["page"], colours["raised"]
    if not page.startswith("#"):
        return Theme(name, {**colours, "lifted": "default", "raised": "default"}, roles=ANSI.roles)
    colours["raised"] = apart(raised if raised.startswith("#") else page, page, GROUNDS)
    colours["lifted"] = mix(page, colours["raised"], 0.45)
    least, slight = STRICT.get(base, (4.5, 3.0))
    return Theme(name, colours, least=least, slight=slight)


SHIPPED: Mapping[str, Theme] = {
    **{name: made(name, palette, name) for name, palette in PALETTES.items()},
    ANSI.name: ANSI,
    MONOCHROME.name: MONOCHROME,
}
"""By the name that the configuration uses."""

DEFAULT = SHIPPED["catppuccin-mocha"]


class OwnPalette(Protocol):
    """What the user's configuration says of a theme."""

    @property
    def extends(self) -> str:
        """The shipped theme of which the other colours are."""
        ...

    @property
    def colours(self) -> Mapping[str, str]:
        """Some of `palettes.COLUMNS` -> `#rrggbb`, or a colour of the terminal's own."""
        ...


def own(name: str, theme: OwnPalette) -> Theme:
    """A theme of the user's."""
    shipped = PALETTES.get(theme.extends)
    if shipped is None:
        worn = SHIPPED[theme.extends].colours
        shipped = {theirs: worn[ours] for ours, theirs in FROM_PALETTE.items()}
    return made(name, {**shipped, **theme.colours}, theme.extends)


def collection(users: Mapping[str, OwnPalette]) -> Mapping[str, Theme]:
    """All themes by name: the shipped ones in their order, then the user's. One of the user's that has the name of a
    shipped one stands in its place."""
    return {**SHIPPED, **{name: own(name, theme) for name, theme in users.items()}}


def dark(theme: Theme) -> bool | None:
    """Is its page dark? None where it stands on the terminal's own background."""
    page = theme.colours["page"]
    return is_dark(page) if page.startswith("#") else None
