"""How well a colour can be read on a ground (WCAG 2), and what makes one readable. Colours are `#rrggbb`. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

STEP = 0.02
"""How much of white or black is mixed in at a time until a colour can be read."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green, blue (0-255)."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (level / 255 for level in rgb(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio, 1 to 21: 4.5 is asked for text, 3 for what only accompanies it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def is_dark(colour: str) -> bool:
    """Is white text the better one on this ground?"""
    return contrast(colour, "#ffffff") > contrast(colour, "#000000")


def mix(one: str, other: str, part: float) -> str:
    """`one` with so much (0-1) of `other` in it."""
    levels = (round(a + (b - a) * part) for a, b in zip(rgb(one), rgb(other), strict=True))
    return "#{:02x}{:02x}{:02x}".format(*levels)


def same(colour: str) -> str:
    """A terminal that shows every colour as it is."""
    return colour


@lru_cache(4096)
def legible(colour: str, ground: str, least: float, shown: Callable[[str], str] = same) -> str:
    """`colour`, lightened on a dark ground and darkened on a light one as little as it takes to have `least` contrast
    with it as a terminal shows both; white or black where nothing less is enough."""
    behind = shown(ground)
    end = "#ffffff" if is_dark(behind) else "#000000"
    steps = round(1 / STEP)
    tried = (mix(colour, end, step / steps) for step in range(steps))
    return next((each for each in tried if contrast(shown(each), behind) >= least), end)


def apart(ground: str, base: str, least: float) -> str:
    """`ground`, moved away from `base` as little as it takes to be told apart from it."""
    end = "#ffffff" if is_dark(base) else "#000000"
    steps = round(1 / STEP)
    tried = (mix(ground, end, step / steps) for step in range(steps + 1))
    return next((each for each in tried if contrast(each, base) >= least), end)
