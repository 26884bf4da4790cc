"""The line below a session's row: what scripts say of it. Pure.

Status and progress stand side by side as far as there is room; without them the log's last entry is shown, in a wide
sidebar beside them.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from opensessions.model import Entry, Progress, Status, Tone
from opensessions.sidebar.facts import TONES
from opensessions.sidebar.frame import ASCII, UNICODE, Glyphs, Line, Span, exactly, say
from opensessions.sidebar.rows import WIDE, Drop, grounded, marked
from opensessions.sidebar.text import fit, width

BAR, WIDE_BAR = 4, 10
"""Cells of a progress bar."""
LEAST = 6
"""Cells of a status that are worth more than a bar."""


class RemarkLook(Struct, frozen=True, gc=False):
    """Everything that the line depends on. `last`: the log's last entry."""

    status: Status | None
    progress: Progress | None
    last: Entry | None
    ground: str
    thumb: bool
    digits: int
    depth: int
    width: int
    ascii: bool
    drop: Drop


@lru_cache(256)
def remark_line(remark: RemarkLook) -> Line:
    """The line, indented like the names."""
    look = ASCII if remark.ascii else UNICODE
    on = grounded(remark.ground, remark.drop)
    room = max(0, remark.width - remark.digits - 5 - remark.depth)
    spans = _wide(remark, room, look) if remark.width >= WIDE else _narrow(remark, room, look)
    used = sum(width(span.text) for span in spans)
    # The cursor and the current session are marked in the row itself.
    before = marked(look, on, "", False, remark.drop)
    return exactly(
        [
            before,
            Span(" " * (remark.digits + 3 + remark.depth), on + "name"),
            *(Span(text, on + style) for text, style, _ in spans),
            Span(" " * max(0, room - used), on + "name"),
            Span(look.thumb if remark.thumb else " ", on + "scroll"),
        ],
        remark.width,
        on,
    )


def _narrow(remark: RemarkLook, room: int, look: Glyphs) -> list[Span]:
    if remark.status and remark.progress:
        far = progress(remark.progress, room - LEAST - 1, BAR, look, label=False)
        left = room - sum(width(span.text) for span in far) - 1
        status = toned(remark.status.text, remark.status.tone, left if far else room, look)
        gap = " " * max(1, left + 1 - sum(width(span.text) for span in status))
        return [*status, Span(gap, "name"), *far] if far else status
    if remark.status:
        return toned(remark.status.text, remark.status.tone, room, look)
    if remark.progress:
        return progress(remark.progress, room, BAR, look)
    return logged(remark.last, room, look) if remark.last else []


def _wide(remark: RemarkLook, room: int, look: Glyphs) -> list[Span]:
    spans: list[Span] = []
    left = room
    for part in ("status", "progress", "last"):
        gap = f"  {look.dot} " if spans else ""
        more: list[Span] = []
        cells = left - len(gap)
        if part == "status" and remark.status:
            more = toned(remark.status.text, remark.status.tone, cells, look)
        elif part == "progress" and remark.progress:
            more = progress(remark.progress, cells, WIDE_BAR, look)
        elif part == "last" and remark.last and cells > LEAST:
            more = logged(remark.last, cells, look)
        if more:
            spans += [Span(gap, "detail"), *more] if gap else more
            left = room - sum(width(span.text) for span in spans)
    return spans


def toned(text: str, tone: Tone, room: int, look: Glyphs) -> list[Span]:
    """A text, with a sign where its tone says more than that it is one."""
    state, style = TONES[tone]
    sign = look.states[state][0] + " " if state else ""
    return [Span(fit(sign + say(text, look), room, look.ellipsis), style)]


def logged(entry: Entry, room: int, look: Glyphs) -> list[Span]:
    """A log entry."""
    text = f"{entry.source}: {entry.message}" if entry.source else entry.message
    return toned(text, entry.tone, room, look)


def progress(far: Progress, room: int, bar: int, look: Glyphs, label: bool = True) -> list[Span]:
    """`▰▰▱▱ 40%` or `▰▱▱▱ 3/10`, then the label: as much of that as there is room for."""
    share = fraction(far)
    number = _number(far, share)
    spans: list[Span] = []
    left = room
    if share is not None and bar + (width(number) + 1 if number else 0) <= left:
        done = min(bar, int(share * bar + 0.5))
        spans += [Span(look.full * done, "bar"), Span(look.left * (bar - done), "detail")]
        left -= bar
    if number and width(number) + bool(spans) <= left:
        spans.append(Span((" " if spans else "") + number, "agent"))
        left -= width(spans[-1].text)
    if label and far.label and left > 1 + bool(spans):
        said = (" " if spans else "") + say(far.label, look)
        spans.append(Span(fit(said, left, look.ellipsis), "agent"))
    return [span for span in spans if span.text]


def fraction(far: Progress) -> float | None:
    """How much is done, from 0 to 1; None where that is not told."""
    if far.percent is not None:
        return min(1.0, max(0.0, float(far.percent)))
    if far.current is not None and far.total:
        return min(1.0, max(0.0, far.current / far.total))
    return None


def _number(far: Progress, share: float | None) -> str:
    if far.percent is None and far.current is not None:
        return f"{far.current:g}" + ("" if far.total is None else f"/{far.total:g}")
    return "" if share is None else f"{round(share * 100)}%"
