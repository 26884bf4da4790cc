"""Themes in config.yaml: their names, and `themes:`, the palettes of the user's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Protocol

from yaml import Node, ScalarNode

from opensessions.config import UserTheme

SHIPPED = (
    "catppuccin-latte", "catppuccin-frappe", "catppuccin-macchiato", "catppuccin-mocha",
    "tokyo-night", "tokyo-night-storm", "tokyo-night-day", "gruvbox-dark", "gruvbox-light", "nord", "dracula",
    "rose-pine", "rose-pine-moon", "rose-pine-dawn", "everforest-dark", "everforest-light",
    "kanagawa-wave", "kanagawa-dragon", "kanagawa-lotus", "one-dark", "solarized-dark", "solarized-light",
    "github-dark", "github-light", "high-contrast-dark", "high-contrast-light", "ansi", "monochrome",
)  # fmt: skip
"""The themes that are known without a configuration; `sidebar.themes` holds them."""

FAMILIES: Mapping[str, str] = {
    "catppuccin": "catppuccin-mocha", "gruvbox": "gruvbox-dark", "everforest": "everforest-dark",
    "kanagawa": "kanagawa-wave", "solarized": "solarized-dark", "github": "github-dark",
    "high-contrast": "high-contrast-dark", "tokyo-night-night": "tokyo-night",
}  # fmt: skip
"""Other names -> the theme that they mean."""

COLOURS = ("background", "surface", "text", "subtext", "overlay",
           "accent", "blue", "yellow", "red", "green", "cyan")  # fmt: skip
"""What a palette names; the same as in `sidebar.palettes`."""

OWN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
HEX = re.compile(r"#?[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
COLOUR = "a colour such as '#1e1e2e' (in quotes), red, bright-red or default"
EXAMPLE = "{background: '#…', text: '#…', extends: THEME}"


class Walker(Protocol):
    """What goes through the file and collects what is wrong."""

    def entries(self, node: Node, name: str, line: int, expected: str) -> Iterator[tuple[str, Node, int]]:
        """(key, value, line) of the mapping in a node of this name; anything else is reported."""
        ...

    def report(self, line: int, key: str, message: str) -> None:
        """A fault in this line, in the key with this full name."""
        ...


def own_theme(
    walker: Walker, name: str, full: str, node: Node, line: int, show: Callable[[Node], str]
) -> UserTheme | None:
    """What is usable in the entry of the theme `name`; None where it cannot be chosen by that name. Each fault is
    reported, and the colour of the palette that it extends counts."""
    if not NAME.fullmatch(name):
        walker.report(
            line, full, "a theme's name is made of letters, digits, '-', '_' and '.'; it is ignored."
        )
        return None
    entries = tuple(walker.entries(node, full, line, EXAMPLE))
    wanted = next((_written(value) for key, value, _ in entries if key == "extends"), name)
    extends = meant(wanted) or meant(name) or "catppuccin-mocha"
    colours: dict[str, str] = {}
    for key, value, at in entries:
        here = f"{full}.{key}"
        if key == "extends":
            if not meant(wanted):
                walker.report(at, here, f"{unknown(wanted or show(value))}; {extends} counts.")
        elif key not in COLOURS:
            near = get_close_matches(key, ("extends", *COLOURS), 1, 0)[0]
            walker.report(at, here, f"is no known key; the nearest is {full}.{near}. It is ignored.")
        elif colour := read_colour(_written(value)):
            colours[key] = colour
        else:
            # A `#` without quotes begins a comment: then nothing is left.
            walker.report(at, here, f"expected {COLOUR}, not {show(value)}; that of {extends} counts.")
    return UserTheme(extends, colours)


def _written(node: Node) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def read_colour(written: str) -> str:
    """The colour as themes hold it; "" where it is none."""
    if HEX.fullmatch(written):
        digits = written.removeprefix("#").lower()
        return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))
    known = written == "default" or written.removeprefix("bright-") in OWN
    return written if known else ""


def meant(name: str) -> str:
    """The shipped theme that is called so, by its own or another name; "" where there is none."""
    return name if name in SHIPPED else FAMILIES.get(name, "")


def unknown(name: str, own: Iterable[str] = ()) -> str:
    """The sentence, without its end, for a name that no shipped theme has, nor one of the user's `own`."""
    known = (*SHIPPED, *FAMILIES, *own)
    part = name.strip().casefold()
    within = [each for each in known if part and part in each]  # `latte`, `mocha`
    near = within[0] if within else get_close_matches(part, known, 1, 0)[0]
    return f"there is no theme {name!r}; the nearest is {near}"
