"""What a sidebar says to its user, such as why nothing happened: in its footer, and where that is too short, in the
lines above it too. Pure.
"""

from __future__ import annotations

from functools import lru_cache

from opensessions.sidebar.frame import ASCII, UNICODE, Line, Span, exactly, say
from opensessions.sidebar.permission import folded
from opensessions.sidebar.scene import Scene, Ui, shape
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


def above(ui: Ui, scene: Scene, ascii: bool) -> tuple[Line, ...]:
    """Those that cover what stands above the footer: none while something else is asked or listed there."""
    elsewhere = ui.question or ui.help or ui.picker or ui.renaming or ui.filtering
    if not scene.message or elsewhere or not shape(ui, scene).footer:
        return ()
    return message_lines(scene.message, scene.height - 2, scene.width, ascii)[:-1]
