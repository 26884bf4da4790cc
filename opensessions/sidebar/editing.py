"""Keys that change a line that is being typed. Pure."""

from __future__ import annotations

from opensessions.sidebar.text import graphemes

EDITS = frozenset(("backspace", "ctrl-u", "ctrl-w"))
CANCELS = frozenset(("escape", "ctrl-c"))
"""They end it, whatever the key map says: every other key may be a letter of the line."""


def shortened(text: str, key: str) -> str:
    """The text after one of EDITS: without its last character, its last word, or empty."""
    if key == "backspace":
        return "".join(grapheme for grapheme, _ in graphemes(text)[:-1])
    if key == "ctrl-w":
        words = text.rstrip()
        return words[: words.rfind(" ") + 1]
    return ""
