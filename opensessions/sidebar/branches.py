"""Lines of the tree around the rows: the heading of a group, a window, a pane. Pure.

States stand in the same column as those of the rows; texts are indented.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from opensessions.model import URGENCY, AgentState
from opensessions.sidebar.frame import ASCII, UNICODE, Glyphs, Line, Span, exactly, say
from opensessions.sidebar.rows import Drop, grounded, icon, marked
from opensessions.sidebar.text import fit, width
from opensessions.sidebar.tree import PanePart

LEAST = 4
"""Cells of a text beside a name that are worth being shown."""


class HeadLook(Struct, frozen=True, gc=False):
    """Everything that a heading's line depends on, but the spinner."""

    name: str
    collapsed: bool
    count: int
    states: tuple[AgentState, ...]
    unseen: bool
    current: bool
    """The session on the client's screen is folded away in it."""
    ground: str
    quiet: bool
    thumb: bool
    digits: int
    width: int
    ascii: bool
    drop: Drop

    @property
    def state(self) -> AgentState | None:
        """The most urgent of the states."""
        return next((state for state in URGENCY if state in self.states), None)


@lru_cache(256)
def headed(head: HeadLook, frame: int) -> Line:
    """`▾ repository   3`; while it is collapsed with the most urgent state of what is in it."""
    look = ASCII if head.ascii else UNICODE
    on = grounded(head.ground, head.drop)
    state = (head.state or "") if head.collapsed else ""
    glyph = look.shut if head.collapsed else look.opened
    room = head.width - head.digits - 5
    tail = f" {head.count}"
    unseen = " " + look.unseen if head.unseen and room > 8 else ""
    name = fit(say(head.name, look) or "?", room - width(tail) - width(unseen), look.ellipsis)
    gap = " " * max(0, room - width(name) - width(unseen) - width(tail))
    style = "name-quiet" if head.quiet else "name-strong" if head.ground == "cursor" else "group"
    return exactly(
        [
            marked(look, on, head.ground, head.current, head.drop),
            Span(glyph.rjust(head.digits) + " ", on + "index"),
            icon(state, frame, look, on, False),
            Span(" " + name, on + style),
            Span(unseen, on + "unseen"),
            Span(gap + tail, on + "count"),
            Span(look.thumb if head.thumb else " ", on + "scroll"),
        ],
        head.width,
        on,
    )


class WindowLook(Struct, frozen=True, gc=False):
    """Everything that a window's line depends on. `pane`: its only one."""

    index: int
    name: str
    current: bool
    pane: PanePart | None
    shown: bool
    """It is on the client's screen."""
    ground: str
    quiet: bool
    thumb: bool
    digits: int
    depth: int
    width: int
    frame: int
    ascii: bool
    drop: Drop


@lru_cache(256)
def window_line(window: WindowLook) -> Line:
    """`1 editor vim`: with its only pane's program or agent."""
    look = ASCII if window.ascii else UNICODE
    on = grounded(window.ground, window.drop)
    pane = window.pane
    here = " " + look.here if window.current else ""
    room = window.width - window.digits - 5 - window.depth - 1
    left = room - width(here)
    style = (
        "name-quiet"
        if window.quiet
        else "name-strong"
        if window.current or window.ground == "cursor"
        else "name"
    )
    spans = _texts(f"{window.index} {say(window.name, look)}", style, pane, window.name, left, look, on)
    used = sum(width(span.text) for span in spans)
    return exactly(
        [
            marked(look, on, window.ground, window.shown, window.drop),
            Span(" " * (window.digits + 1), on + "index"),
            _state(pane, window.frame, look, on),
            Span(" " * (2 + window.depth), on + "name"),
            *spans,
            Span(" " * max(0, left - used) + here, on + "mark-away"),
            Span(look.thumb if window.thumb else " ", on + "scroll"),
        ],
        window.width,
        on,
    )


class PaneLook(Struct, frozen=True, gc=False):
    """Everything that a pane's line depends on."""

    pane: PanePart
    ground: str
    quiet: bool
    thumb: bool
    digits: int
    depth: int
    width: int
    frame: int
    ascii: bool
    drop: Drop


@lru_cache(256)
def pane_line(pane: PaneLook) -> Line:
    """The program, or the agent and what it is about."""
    look = ASCII if pane.ascii else UNICODE
    on = grounded(pane.ground, pane.drop)
    room = pane.width - pane.digits - 5 - pane.depth - 3
    style = "name-quiet" if pane.quiet else "name-strong" if pane.ground == "cursor" else "name"
    part = pane.pane
    spans = _texts(say(part.name, look), style, None, "", room, look, on)
    spans += _title(part, room - sum(width(span.text) for span in spans), look, on)
    return exactly(
        [
            marked(look, on, pane.ground, False, pane.drop),
            Span(" " * (pane.digits + 1), on + "index"),
            _state(part, pane.frame, look, on),
            Span(" " * (4 + pane.depth), on + "name"),
            *spans,
            Span(" " * max(0, room - sum(width(span.text) for span in spans)), on + "name"),
            Span(look.thumb if pane.thumb else " ", on + "scroll"),
        ],
        pane.width,
        on,
    )


def _state(pane: PanePart | None, frame: int, look: Glyphs, on: str) -> Span:
    return icon((pane.state or "") if pane else "", frame, look, on, bool(pane and pane.gone))


def _texts(
    text: str, style: str, pane: PanePart | None, said: str, room: int, look: Glyphs, on: str
) -> list[Span]:
    """The text, and what runs in the pane if that says more than `said`."""
    spans = [Span(fit(text, room, look.ellipsis), on + style)]
    left = room - width(spans[0].text)
    if pane and pane.name != said and left > LEAST:
        name = " " + fit(say(pane.name, look), left - 1, look.ellipsis)
        spans.append(Span(name, on + "agent"))
        left -= width(name)
    return [*spans, *_title(pane, left, look, on)] if pane else spans


def _title(pane: PanePart, left: int, look: Glyphs, on: str) -> list[Span]:
    spans: list[Span] = []
    if pane.unseen and left > 1:
        spans.append(Span(" " + look.unseen, on + "unseen"))
        left -= 2
    if pane.title and left > LEAST:
        spans.append(Span(" " + fit(say(pane.title, look), left - 1, look.ellipsis), on + "detail"))
    return spans
