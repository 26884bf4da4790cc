"""Pictures: lines of styled text, the characters they are drawn with, and how a line is made to measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from opensessions.sidebar.text import clean, fit, plain, width


class Span(NamedTuple):
    """Text in one style. `style` names roles of the theme, the ground first."""

    text: str
    style: str
    port: int = 0
    """The TCP port of this machine that the text links to; 0: it is no link."""


Line = tuple[Span, ...]


class Wants(Struct, frozen=True):
    """What a picture would tell if it were known, and what changes without any event: worth finding out as long as
    somebody looks at it."""

    pane: str = ""
    """The pane whose last lines it shows; "" for none."""
    agents: tuple[str, ...] = ()
    """The ids of agents of which it tells what they take."""
    ages: bool = False
    """It tells how long ago something was."""


class Frame(Struct, frozen=True):
    """A picture. Every line is exactly `width` cells wide; the text is clean."""

    width: int
    lines: tuple[Line, ...]
    hits: tuple[str, ...]
    """For each line the key of the entry that it belongs to, or ""."""
    moving: bool = False
    """A spinner is on the screen: paint again at the next tick (at most four a second)."""
    wants: Wants = Wants()

    def text(self) -> str:
        """The characters alone, for people and tests."""
        return "\n".join("".join(span.text for span in line) for line in self.lines)


class Glyphs(NamedTuple):
    """The characters that are drawn with. `states`: one for each frame of an animation, or one."""

    states: Mapping[str, str]
    current: str
    """Before the current row; `cursor` before the cursor's; `both` where they meet under the focus."""
    cursor: str
    both: str
    unseen: str
    times: str
    ellipsis: str
    thumb: str
    typing: str
    enter: str
    rule: str = "─"
    """Of lines that part something; `dots` of those that part less."""
    dots: str = "╌"
    opened: str = "▾"
    """Before what is unfolded; `shut` before what is folded away."""
    shut: str = "▸"
    here: str = "◂"
    """After a session's current window."""
    below: str = "↓"
    """Before the line below which what is dragged would land; `above` where that is above it."""
    above: str = "↑"
    full: str = "▰"
    """A part of a progress bar that is done; `left` one that is not."""
    left: str = "▱"
    dot: str = "·"
    """Between or before small things."""


UNICODE = Glyphs(
    states={
        "waiting": "!", "error": "✗", "tool-running": "▖▘▝▗", "running": "⠋⠙⠴⠦", "interrupted": "‖",
        "done": "✓", "stale": "?", "hibernated": "z", "idle": "○", "": " ",
    },
    current="▌", cursor="›", both="█", unseen="•", times="×", ellipsis="…", thumb="▐", typing="▏", enter="↵",
)  # fmt: skip
ASCII = Glyphs(
    states={
        "waiting": "!", "error": "x", "tool-running": "=", "running": "|/-\\", "interrupted": "#",
        "done": "v", "stale": "?", "hibernated": "z", "idle": "o", "": " ",
    },
    current="*", cursor=">", both="@", unseen="+", times="x", ellipsis="~", thumb="|", typing="_",
    enter="enter", rule="-", dots=".", dot="-", opened="v", shut=">", here="<", below="v", above="^",
    full="#", left="-",
)  # fmt: skip


def say(text: str, look: Glyphs) -> str:
    """Anybody's text, made fit to be shown."""
    return plain(text) if look is ASCII else clean(text)


def blank(cells: int) -> Line:
    """A line without text."""
    return exactly([], cells)


def exactly(spans: Iterable[Span], cells: int, on: str = "") -> Line:
    """The spans cut or filled to `cells`, without empty ones; neighbours that look and link alike become one."""
    line: list[Span] = []
    left = cells
    for text, style, port in spans:
        text = fit(text, left, "")
        left -= width(text)
        _append(line, Span(text, style, port))
    _append(line, Span(" " * left, on.strip() or "page"))
    return tuple(line)


def _append(line: list[Span], span: Span) -> None:
    if line and line[-1][1:] == span[1:]:
        line[-1] = Span(line[-1].text + span.text, *span[1:])
    elif span.text:
        line.append(span)


def sides(left: Sequence[Span], right: Sequence[Span], cells: int) -> Line:
    """`left` at the left, `right` at the right, if both fit with a space between; else `left` alone."""
    used = sum(width(span.text) for span in left)
    wanted = sum(width(span.text) for span in right)
    gap = cells - used - wanted
    return exactly((*left, Span(" " * gap, "page"), *right) if gap > 0 else left, cells)
