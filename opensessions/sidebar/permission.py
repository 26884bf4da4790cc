"""What an agent asks a permission for, shown above the question whether it is to get it. Pure."""

from __future__ import annotations

from opensessions.sidebar.confirm import Question
from opensessions.sidebar.frame import Glyphs, Line, Span, exactly, say
from opensessions.sidebar.text import fit, graphemes, width

MOST = 8
"""Lines, with the one that says who asks."""


def permission_lines(question: Question, who: str, room: int, cells: int, look: Glyphs) -> list[Line]:
    """The lines, as many as there is room for; what does not fit ends in an ellipsis. None if it asks for nothing."""
    if not question.about or room < 2 or cells < 4:
        return []
    room = min(room, MOST) - 1
    text = folded(say(question.about, look), cells - 2)
    if len(text) > room:
        text = [*text[: room - 1], fit(text[room - 1] + " " * cells, cells - 2, look.ellipsis)]
    title = fit(f" {say(who, look)} asks:", cells, look.ellipsis)
    return [
        exactly([Span(title, "title")], cells),
        *(exactly([Span(" " + line, "input")], cells) for line in text),
    ]


def folded(text: str, cells: int) -> list[str]:
    """A clean text as lines of at most `cells` cells, broken between words; a longer word is broken anywhere, so that
    nothing of it is lost."""
    lines: list[str] = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width(joined) <= cells:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for grapheme, taken in graphemes(word):
            if width(lines[-1]) + taken > cells:
                lines.append("")
            lines[-1] += grapheme
    return lines
