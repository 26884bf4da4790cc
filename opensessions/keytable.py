"""What can be done in the sidebar and by which keys: one table, of which the key map, the help screen, the hints in the
footer and the checks of `keys:` in config.yaml are made. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace


class Binding(Struct, frozen=True):
    """Keys, the name of what they do, and words for people: `help` on the help screen, `hint` in the footer.

    `shown` replaces the keys' names on the help screen, as long as the user has not chosen others.
    """

    keys: tuple[str, ...]
    action: str
    help: str
    hint: str = ""
    shown: str = ""


BINDINGS = (
    Binding(("enter",), "go", "go there", hint="go"),
    Binding(tuple("123456789"), "index", "go to row", shown="1-9"),
    Binding((")",), "next", "next session"),
    Binding(("(",), "previous", "previous one"),
    Binding(("a",), "attention", "who needs me"),
    Binding(("b",), "back", "go back"),
    Binding(("j", "down", "ctrl-n", "ctrl-j"), "down", "down"),
    Binding(("k", "up", "ctrl-p", "ctrl-k"), "up", "up"),
    Binding(("g", "home"), "first", "first row"),
    Binding(("G", "end"), "last", "last row"),
    Binding(("page-down", "ctrl-f"), "page-down", "page down"),
    Binding(("page-up", "ctrl-b"), "page-up", "page up"),
    Binding(("l", "right"), "expand", "unfold"),
    Binding(("h", "left"), "collapse", "fold"),
    Binding(("space",), "toggle-group", "fold, unfold"),
    Binding(("/",), "filter", "filter", hint="filter"),
    Binding(("tab",), "mode", "which rows", hint="mode"),
    Binding(("shift-tab",), "mode-back", "and back"),
    Binding(("J", "shift-down"), "move-down", "row down"),
    Binding(("K", "shift-up"), "move-up", "row up"),
    Binding(("x",), "hide", "hide, unhide", hint="hide"),
    Binding(("X",), "reveal", "list hidden"),
    Binding(("c",), "dismiss", "dismiss"),
    Binding(("u",), "undo", "undo"),
    Binding(("y",), "approve", "approve"),
    Binding(("n",), "deny", "deny"),
    Binding(("N",), "new-session", "new session"),
    Binding(("$", "f2"), "rename", "rename"),
    Binding(("d",), "kill-agent", "kill agent"),
    Binding(("D",), "kill-session", "kill session"),
    Binding(("z",), "hibernate", "hibernate"),
    Binding(("R",), "reap", "reap orphans"),
    Binding(("i",), "detail", "detail", hint="info"),
    Binding(("+", "="), "taller", "more detail"),
    Binding(("-",), "lower", "less detail"),
    Binding(("]",), "detail-down", "detail down"),
    Binding(("[",), "detail-up", "detail up"),
    Binding((">",), "wider", "wider"),
    Binding(("<",), "narrower", "narrower"),
    Binding(("r", "ctrl-l"), "refresh", "read again"),
    Binding(("T",), "theme", "themes"),
    Binding(("escape", "ctrl-c"), "leave", "clear, leave"),
    Binding(("q",), "close", "close", hint="close"),
    Binding(("?",), "help", "this help", hint="help"),
)
HINTS = ("help", "filter", "detail", "go", "mode", "hide", "close")
"""Actions whose hint the footer shows, as many as fit, the most useful first."""

ALWAYS = ("leave", "help")
"""Actions that always keep a key: whoever opens the sidebar must find the way out, and the other keys."""

NAMES = tuple(binding.action for binding in BINDINGS)


# --- keys by name -----------------------------------------------------------------------------------------------

MOVING = frozenset(
    ("up", "down", "left", "right", "home", "end", "insert", "delete", "page-up", "page-down",
     *(f"f{number}" for number in range(1, 13)))
)  # fmt: skip
"""Keys that terminals send with any of Shift, Alt and Ctrl."""
PLAIN: Mapping[str, frozenset[str]] = {
    "enter": frozenset({"", "alt-"}), "escape": frozenset({""}), "tab": frozenset({"", "shift-", "alt-"}),
    "backspace": frozenset({"", "alt-"}), "space": frozenset({"", "alt-", "ctrl-", "alt-ctrl-"}),
}  # fmt: skip
"""Other keys, and what may stand before them."""
OTHERWISE: Mapping[str, str] = {
    "esc": "escape", "return": "enter", "cr": "enter", "bspace": "backspace", "del": "delete", "dc": "delete",
    "ins": "insert", "ic": "insert", "pgup": "page-up", "pageup": "page-up", "ppage": "page-up",
    "pgdn": "page-down", "pagedown": "page-down", "npage": "page-down",
}  # fmt: skip
"""Names that others, tmux among them, give to these keys."""
MODIFIERS: Mapping[str, str] = {
    "shift-": "shift", "s-": "shift", "alt-": "alt", "meta-": "alt", "m-": "alt", "ctrl-": "ctrl", "c-": "ctrl",
    "control-": "ctrl", "^": "ctrl",
}  # fmt: skip
SAME: Mapping[str, str] = {"h": "backspace", "i": "tab", "m": "enter", "[": "escape"}
"""What a terminal sends for these letters with Ctrl."""
CONTROLS = frozenset("abcdefghijklmnopqrstuvwxyz\\]^_") - SAME.keys()
SHIFT_TAB = frozenset(("btab", "backtab"))


def arriving(written: str) -> str:
    """The key as it arrives, by the name that the sidebar gives it. ValueError, with the end of a sentence, where no
    terminal sends such a key: "ctrl-i", for instance, "arrives as tab"."""
    if written == " ":
        return "space"
    if len(written) == 1 and written.isprintable():
        return written
    held, rest = _held(written)
    word = rest.lower()
    if word in SHIFT_TAB and not held:
        return "shift-tab"
    base = OTHERWISE.get(word, word) if len(rest) > 1 else rest
    before = "".join(f"{name}-" for name in ("shift", "alt", "ctrl") if name in held)
    if base in MOVING or before in PLAIN.get(base, ()):
        return before + base
    if len(base) == 1 and base.isprintable() and base != " ":
        return _character(base, held)
    if base in PLAIN:
        raise ValueError(f"no terminal tells {before}{base} from {base}")
    near = get_close_matches(word, (*MOVING, *PLAIN), 1)
    raise ValueError("is no key" + (f"; the nearest is {near[0]}" if near else ""))


def _held(written: str) -> tuple[frozenset[str], str]:
    """What is held down, and the rest: `C-M-x` is `x` with Ctrl and Alt."""
    held: set[str] = set()
    rest = written
    while True:
        found = next((each for each in MODIFIERS if rest.lower().startswith(each) and rest[len(each) :]), "")
        if not found:
            return frozenset(held), rest
        held.add(MODIFIERS[found])
        rest = rest[len(found) :]


def _character(char: str, held: frozenset[str]) -> str:
    alt = "alt-" if "alt" in held else ""
    if "ctrl" in held:
        low = char.lower()
        if low in SAME and not alt:
            raise ValueError(f"arrives as {SAME[low]}, so write that")
        if "shift" in held or low not in CONTROLS:
            raise ValueError("no terminal sends that key by itself")
        return f"{alt}ctrl-{low}"
    if "shift" in held:
        if not (char.isascii() and char.isalpha()):
            raise ValueError("arrives as the character that Shift makes of it, so write that")
        char = char.upper()
    return alt + char


# --- the user's keys --------------------------------------------------------------------------------------------


class Fault(Struct, frozen=True):
    """Something about the keys of an action that is not as the user wrote it."""

    action: str
    message: str


def nearest(action: str) -> str:
    """The known action that was most likely meant."""
    word = action.strip().lower().replace("_", "-").replace(" ", "-")
    within = [each for each in NAMES if word and word in each]
    return within[0] if within else get_close_matches(word, NAMES, 1, 0)[0]


def resolved(own: Mapping[str, Sequence[str]]) -> tuple[tuple[Binding, ...], tuple[Fault, ...]]:
    """The table with the user's keys in it, and what could not be as they are written. `own`: known action -> keys by
    the sidebar's names, in the file's order; an action that is not named keeps its keys.

    A key belongs to one action: the user's wins over a default, of two of the user's the first.
    """
    faults: list[Fault] = []
    chosen: dict[str, tuple[str, ...]] = {}
    holder: dict[str, str] = {}
    for action, keys in own.items():
        mine = []
        for key in dict.fromkeys(keys):
            if key in holder:
                first = holder[key]
                faults.append(
                    Fault(action, f"{key} is a key of {first} as well, which stands first and keeps it.")
                )
                continue
            holder[key] = action
            mine.append(key)
        chosen[action] = tuple(mine)
    for binding in BINDINGS:
        if binding.action not in own:
            left = tuple(key for key in binding.keys if key not in holder)
            chosen[binding.action] = left
            for key in (each for each in binding.keys if each in holder):
                faults.append(Fault(holder[key], _taken(key, binding.action, left)))
    faults += _kept_open(chosen, holder)
    return tuple(_with(binding, chosen[binding.action]) for binding in BINDINGS), tuple(faults)


def _taken(key: str, action: str, left: Sequence[str]) -> str:
    keeps = f"which keeps {', '.join(left)}" if left else "which has no key now"
    return f"{key} is a key of {action} as well, {keeps}; write `{action}: KEY`, or `{action}: []`, too."


def _kept_open(chosen: dict[str, tuple[str, ...]], holder: Mapping[str, str]) -> list[Fault]:
    """See ALWAYS. Changes `chosen`."""
    faults = []
    for action in (each for each in ALWAYS if not chosen[each]):
        key = next(binding.keys[0] for binding in BINDINGS if binding.action == action)
        told = f"{action} must have a key, or nobody finds the way out; it keeps {key}."
        faults.append(Fault(holder.get(key, action), told))
        for other, keys in chosen.items():
            chosen[other] = tuple(each for each in keys if each != key)
        chosen[action] = (key,)
    return faults


def _with(binding: Binding, keys: tuple[str, ...]) -> Binding:
    return binding if keys == binding.keys else replace(binding, keys=keys, shown="")
