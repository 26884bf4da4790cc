"""The line in which a session gets another name. Pure."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from opensessions.sidebar.editing import CANCELS, EDITS, shortened
from opensessions.sidebar.frame import Glyphs, Line, Span, exactly, say
from opensessions.sidebar.intents import Intent, Rename
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.text import fit_end, unpainted

LONGEST = 100
"""Characters."""


class Renaming(Struct, frozen=True):
    """What was typed so far."""

    session: str
    name: str


def pressed(renaming: Renaming, event: Input) -> tuple[Renaming | None, Intent | None]:
    """The line as it is then, None if it closes; and what is wanted. Enter gives the name, unless it is empty. A click
    elsewhere closes it, as Esc does."""
    match event:
        case Mouse(kind="press"):
            return None, None
        case Paste(text=text):
            return _typed(renaming, " ".join(text.split())), None
        case Key(name="enter"):
            name = renaming.name.strip()
            return None, Rename(renaming.session, name) if name else None
        case Key(name=key) if key in CANCELS:
            return None, None
        case Key(text=text) if text:
            return _typed(renaming, text), None
        case Key(name=key) if key in EDITS:
            return replace(renaming, name=shortened(renaming.name, key)), None
    return renaming, None


def _typed(renaming: Renaming, text: str) -> Renaming:
    return replace(renaming, name=unpainted(renaming.name + text)[:LONGEST])


def rename_line(renaming: Renaming, cells: int, look: Glyphs) -> Line:
    """The line in the footer."""
    label = " name " if cells >= 16 else " "
    typed = fit_end(say(renaming.name, look), cells - len(label) - 1, look.ellipsis)
    return exactly([Span(label, "key"), Span(typed, "input"), Span(look.typing, "key")], cells)
