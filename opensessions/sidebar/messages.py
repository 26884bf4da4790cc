"""What a sidebar says to its user, such as why nothing happened: in its footer, and where that is too short, in the
lines above it too. Pure.
"""

from __future__ import annotations

from functools import lru_cache

from opensessions.sidebar.frame import ASCII, UNICODE, Line, Span, exactly, say
from opensessions.sidebar.permission import folded
from opensessions.sidebar.text import fit

MOST = 8
"""Lines."""


@lru_cache(8)
def message_lines(message: str, room: int, cells: int, ascii: bool) -> tuple[Line, ...]:
    """The lines, the last of them for the footer; what does not fit ends in an ellipsis. None of a word is lost: it may
    be a command to be typed."""
    look = ASCII if ascii else UNICODE
    room = max(1, min(room, MOST))
    text = say(message, look)
    if cells < 4:
        return (exactly([Span(fit(text, cells, ""), "message")], cells),)
    lines = folded(text, cells - 2)
    if len(lines) > room:
        lines = [*lines[: room - 1], fit(lines[room - 1] + " " * cells, cells - 2, look.ellipsis)]
    return tuple(exactly([Span(" " + line, "message")], cells) for line in lines)
