"""The help screen and the hints in the footer: both show the key map, and a click on them does what they name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opensessions.sidebar.frame import Glyphs, Line, Span, exactly, say
from opensessions.sidebar.keymap import HINTS, Binding, Keymap
from opensessions.sidebar.text import fit, pad, width

KEYS = 6
"""Cells of the help screen's first column, with the space after it."""
SHORT: Mapping[str, str] = {
    "escape": "esc", "page-up": "pgup", "page-down": "pgdn", "delete": "del", "insert": "ins", "backspace": "bsp",
}  # fmt: skip


def key_name(name: str, look: Glyphs) -> str:
    """A key as people see it, in few cells: `C-x` is x with Ctrl, `M-` Alt, `S-` Shift."""
    held = ""
    for word, letter in (("shift-", "S-"), ("alt-", "M-"), ("ctrl-", "C-")):
        if name.startswith(word):
            held, name = held + letter, name.removeprefix(word)
    return held + (look.enter if name == "enter" and not held else say(SHORT.get(name, name), look))


def help_lines(keymap: Keymap, top: int, room: int, cells: int, look: Glyphs, marked: range) -> list[Line]:
    """What each key does, from the line `top` on. `marked`: the lines that the scroll mark covers."""
    return [
        exactly(
            [
                Span(" " + pad(fit(_keys(each, look), KEYS - 1, look.ellipsis), KEYS), "key"),
                Span(pad(each.help, cells - KEYS - 2, look.ellipsis), "name"),
                Span(look.thumb if place in marked else " ", "scroll"),
            ],
            cells,
        )
        for place, each in enumerate(keymap.listed()[top : top + room])
    ]


def _keys(binding: Binding, look: Glyphs) -> str:
    return binding.shown or key_name(binding.keys[0], look)


def helped_action(keymap: Keymap, top: int, line: int) -> str:
    """The action on a line of the help screen, counted from its first; "" where there is none."""
    listed = keymap.listed()
    return listed[top + line].action if line >= 0 and top + line < len(listed) else ""


def hint_line(keymap: Keymap, cells: int, look: Glyphs) -> Line:
    """As many hints as fit, in the order of the key map."""
    spans = [Span(" ", "hint")]
    for _, key, words in _hints(keymap, cells, look):
        spans += [Span(key, "key"), Span(words, "hint")]
    return exactly(spans, cells)


def hinted_action(keymap: Keymap, cells: int, look: Glyphs, x: int) -> str:
    """The action whose hint is in the column `x`; "" where there is none."""
    at = 1
    for action, key, words in _hints(keymap, cells, look):
        end = at + width(key) + width(words)
        if at <= x < end - 2:
            return action
        at = end
    return ""


def _hints(keymap: Keymap, cells: int, look: Glyphs) -> Iterator[tuple[str, str, str]]:
    """(action, key, words) of each that fits; the most useful ones first got their room."""
    by_action = {each.action: each for each in keymap.listed()}
    chosen: set[str] = set()
    left = cells - 1
    for action in (each for each in HINTS if each in by_action):
        needed = width(key_name(by_action[action].keys[0], look)) + 1 + len(by_action[action].hint) + 2
        if needed <= left + 1:
            chosen.add(action)
            left -= needed
    for each in keymap.listed():
        if each.action in chosen:
            yield each.action, key_name(each.keys[0], look), f" {each.hint}  "
