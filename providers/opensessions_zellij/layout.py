"""A layout file for zellij with the sidebar in every tab. Pure but for the files at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from opensessions import installation
from opensessions.errors import Refused
from opensessions.hooks import files
from opensessions_zellij import install as keys
from opensessions_zellij.install import Change
from opensessions_zellij.kdl import quoted
from opensessions_zellij.keys import SCRIPT

NAME = "opensessions.kdl"
MARK = "// Made by `opensessions zellij layout`"


class Look(NamedTuple):
    """How the sidebar in the layout is."""

    owner: str
    """The owner id of this installation, by which the pane is known as ours."""
    width: int = 26
    position: str = "left"
    python: str = sys.executable


def text(look: Look) -> str:
    """The file's text. The swap layouts keep the sidebar where it is when panes come and go: zellij's own ones know of
    no sidebar."""
    return "\n".join([*_lines(look), ""])


def _lines(look: Look) -> Iterator[str]:
    yield f"{MARK}: zellij's default layout with a sidebar in every tab."
    yield "layout {"
    yield '    pane_template name="opensessions" {'
    yield f"        command {quoted(look.python)}"
    words = ("-I", "-S", f"{installation.plugin_folder()}/scripts/{SCRIPT}", "pane", f"owner={look.owner}")
    yield f"        args {' '.join(map(quoted, words))}"
    yield '        cwd "/"'
    yield "        close_on_exit true"
    yield "    }"
    yield '    tab_template name="with_sidebar" {'
    yield from _bars(look, "children")
    yield "    }"
    for tab in (
        "tab",
        "new_tab_template",
    ):  # `children` of a template that is used without panes stays empty (0.45.1)
        yield f"    {tab} {{"
        yield from _bars(look, "pane focus=true")
        yield "    }"
    for name, blocks in SWAPS.items():
        yield f'    swap_tiled_layout name="{name}" {{'
        for limit, inner in blocks:
            yield f"        with_sidebar {limit} {{"
            yield from (f"            {line}" for line in inner)
            yield "        }"
        yield "    }"
    yield from (f"    {line}" for line in FLOATING)
    yield "}"


def _bars(look: Look, inside: str) -> Iterator[str]:
    """Tab bar, sidebar and the rest side by side, status bar."""
    side = f'opensessions size={look.width} borderless=true name="opensessions"'
    yield '        pane size=1 borderless=true { plugin location="tab-bar"; }'
    yield '        pane split_direction="vertical" {'
    yield from (
        f"            {part}" for part in ((side, inside) if look.position == "left" else (inside, side))
    )
    yield "        }"
    yield '        pane size=1 borderless=true { plugin location="status-bar"; }'


FOUR = "pane { pane; pane; pane; pane; }"
BESIDE = 'pane split_direction="vertical" { pane; pane; pane; pane; }'
SWAPS = {
    "vertical": (
        ("max_panes=6", ('pane split_direction="vertical" { pane; pane { children; }; }',)),
        ("max_panes=9", ('pane split_direction="vertical" {', "    pane { children; }", f"    {FOUR}", "}")),
        (
            "max_panes=13",
            (
                'pane split_direction="vertical" {',
                "    pane { children; }",
                f"    {FOUR}",
                f"    {FOUR}",
                "}",
            ),
        ),
    ),
    "horizontal": (
        ("max_panes=5", ("pane { pane; pane; }",)),
        (
            "max_panes=9",
            ("pane {", '    pane split_direction="vertical" { children; }', f"    {BESIDE}", "}"),
        ),
        (
            "max_panes=13",
            (
                "pane {",
                '    pane split_direction="vertical" { children; }',
                f"    {BESIDE}",
                f"    {BESIDE}",
                "}",
            ),
        ),
    ),
    "stacked": (("min_panes=5", ("pane stacked=true { children; }",)),),
    "half-stacked": (
        ("min_panes=6", ('pane split_direction="vertical" { pane; pane stacked=true { children; }; }',)),
    ),
}
"""zellij's own (0.45.1), each for one pane more: the sidebar."""
FLOATING = (
    'swap_floating_layout name="staggered" { floating_panes; }',
    'swap_floating_layout name="enlarged" {',
    "    floating_panes max_panes=10 {",
    *(f'        pane {{ x "5%"; y {row}; width "90%"; height "90%"; }}' for row in range(1, 11)),
    "    }",
    "}",
)
"""A layout with swap layouts of its own has none of zellij's for floating panes: here are two of its three."""


def file(config: str = "") -> str:
    """Where zellij looks for a layout of our name, beside that configuration."""
    return f"{os.path.dirname(config or keys.config_file())}/layouts/{NAME}"


def install(look: Look, config: str = "") -> Change:
    """What is to be done so that the layout stands there. Refused where a file of that name is not ours."""
    path = file(config)
    old = files.read(path)
    if old is not None and not old.startswith(MARK):
        raise Refused(f"{path} is not ours; move it away, a layout of that name is needed there.")
    return Change(path, old, text(look))


def removals(config: str = "") -> Iterator[Change]:
    """What is to be done so that no layout of ours is left."""
    for path in [config] if config else [*keys.known_files(), keys.config_file()]:
        old = files.read(file(path))
        if old is not None and old.startswith(MARK):
            yield Change(file(path), old, None)
