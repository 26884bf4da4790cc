"""A line of a screen with its colours, as text and a style for each character. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()].|[\x0e\x0f]")
"""SGR; what else tmux prints with `capture-pane -e`: hyperlinks, and the change to line drawing."""

Style = tuple[tuple[str, str], ...]
"""What is not as by default: name and value, in order."""

ENDS = {"22": ("1", "2"), "23": ("3",), "24": ("4",), "25": ("5",), "27": ("7",), "28": ("8",), "29": ("9",)}
"""SGR parameters, and those that they end."""


class Cells(Struct, frozen=True):
    """A line. `styles` has one for each character of `text`."""

    text: str
    styles: tuple[Style, ...]


def styled(line: str) -> Cells:
    """The line, which begins in the default style."""
    text: list[str] = []
    styles: list[Style] = []
    state: dict[str, str] = {}
    at = 0
    for found in SEQUENCE.finditer(line):
        _put(line[at : found.start()], state, text, styles)
        at = found.end()
        if found[1] is not None:
            _change(state, found[1])
    _put(line[at:], state, text, styles)
    return Cells("".join(text), tuple(styles))


def _put(part: str, state: dict[str, str], text: list[str], styles: list[Style]) -> None:
    text.append(part)
    styles += [tuple(sorted(state.items()))] * len(part)


def _change(state: dict[str, str], parameters: str) -> None:
    for name, value in _settings(parameters):
        if name == "":
            state.clear()
        elif value:
            state[name] = value
        else:
            state.pop(name, None)


def _settings(parameters: str) -> Iterator[tuple[str, str]]:
    """(name, value) of each change; an empty value ends it, an empty name everything."""
    parts = iter(parameters.split(";"))
    for part in parts:
        first = part.partition(":")[0]
        if first in ("", "0"):
            yield "", ""
        elif first in ("38", "48", "58"):
            rest = [part]
            if ":" not in part:
                kind = next(parts, "")
                rest += [kind, *(next(parts, "") for _ in range({"5": 1, "2": 3}.get(kind, 0)))]
            yield {"38": "fg", "48": "bg", "58": "line"}[first], ":".join(rest)
        elif first in ENDS:
            yield from ((each, "") for each in ENDS[first])
        elif first in ("39", "49"):
            yield {"39": "fg", "49": "bg"}[first], ""
        elif first.isdigit() and (30 <= int(first) <= 37 or 90 <= int(first) <= 97):
            yield "fg", first
        elif first.isdigit() and (40 <= int(first) <= 47 or 100 <= int(first) <= 107):
            yield "bg", first
        else:
            yield first, part
