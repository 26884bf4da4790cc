"""What a value in config.yaml may be: each rule reads a plain YAML value, says what it expected, and writes it back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct


def _list_or_same(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class Rule(Struct, frozen=True):
    """`read` turns a plain YAML value into ours or raises ValueError, whose text, if it has one, is a hint to the
    user. `expected` completes the sentence "expected …". `write` is the inverse of `read`."""

    expected: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = _list_or_same


class Key(Struct, frozen=True):
    """What the annotation of a key carries beside its type."""

    rule: Rule
    comment: str


# --- durations ------------------------------------------------------------------------------------------------

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST = 366 * UNITS["d"]
DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")


def duration(value: Any) -> float:
    """The seconds of `5m`, `1.5s` or `500ms`; 0 stands for off. ValueError for all else, a number without unit too."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value == 0:
            return 0.0
        raise ValueError(f"a number needs a unit: {value}s, {value}m …")
    found = DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return float(found[1]) * UNITS[found[2]]


def duration_text(seconds: float) -> str | int:
    """The inverse of `duration`, in the largest unit that needs no fraction."""
    if not seconds:
        return 0
    for unit in ("d", "h", "m", "s"):
        if seconds % UNITS[unit] == 0:
            return f"{int(seconds // UNITS[unit])}{unit}"
    return f"{seconds * 1000:.6f}".rstrip("0").rstrip(".") + "ms"


def time_span(least: float, off: bool = False) -> Rule:
    """A duration of at least `least` seconds, or 0 where `off`."""

    def read(value: Any) -> float:
        seconds = duration(value)
        if not (least <= seconds <= LONGEST or (off and not seconds)):
            raise ValueError
        return seconds

    expected = f"a duration of {duration_text(least)} or more such as 5m, 60s or 1500ms"
    return Rule(expected + (", or 0 for off" if off else ""), read, duration_text)


# --- numbers and words ----------------------------------------------------------------------------------------


def whole(least: int, most: int) -> Rule:
    """A whole number within bounds, both included."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError
        return value

    return Rule(f"a whole number from {least} to {most}", read)


def one_of(*words: str) -> Rule:
    """One of these words."""

    def read(value: Any) -> Any:
        if value not in words:
            raise ValueError
        return value

    return Rule(f"{', '.join(words[:-1])} or {words[-1]}", read)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write it without quotes" if value in ("true", "false") else "")
    return value


def word(value: Any) -> str:
    """A text of one line with something in it."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError
    return value


def _maybe_word(value: Any) -> str | None:
    return None if value is None else word(value)


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(word(item) for item in value)


def _argv(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if value == []:
        raise ValueError
    if isinstance(value, str):
        raise ValueError("there is no shell, so each argument is an item of its own")
    return _words(value)


def _loopback(value: Any) -> str:
    from ipaddress import AddressValueError, IPv4Address

    if value in ("localhost", "::1"):
        return "::1" if value == "::1" else "127.0.0.1"
    try:
        if isinstance(value, str) and IPv4Address(value).is_loopback:
            return value
    except AddressValueError:
        pass
    raise ValueError("the API is never opened to the network")


def executables(value: Any) -> tuple[str, ...]:
    """Base names of executables or scripts: one text, or a list that holds at least one."""
    names = _words([value] if isinstance(value, str) else value)
    if not names or any("/" in name for name in names):
        raise ValueError
    return names


def _agent(agent: Any) -> dict[str, Any]:
    """An agent of the user's own as it is written; keys that say nothing are left out."""
    written = {
        "process": list(agent.process),
        "title": {
            state: [item if isinstance(item, str) else {"contains": item.contains} for item in items]
            for state, items in agent.title.items()
        },
        "screen": {state: [list(texts) for texts in items] for state, items in agent.screen.items()},
    }
    return {key: value for key, value in written.items() if value}


SHIPPED = (
    "aider", "amp", "claude-code", "codex", "copilot", "crush", "cursor", "droid", "gemini", "goose", "kilo",
    "opencode", "pi", "qwen",
)  # fmt: skip
"""The agents that are known without a configuration; `agents.known` holds them."""

FLAG = Rule("true or false", _flag)
WORD = Rule("a name", word)
MAYBE_WORD = Rule("a name or null", _maybe_word)
WORDS = Rule("a list of texts such as [a, b]", _words)
ARGV = Rule("null or a list of a program and its arguments such as [notify-send, done]", _argv)
LOOPBACK = Rule("a loopback address such as 127.0.0.1", _loopback)
EXECUTABLES = Rule("a list of names of executables or scripts, without folders", executables)

# These are mappings with names of the user's choice; the reader walks them entry by entry.
AGENTS = Rule(
    "names, each with `process: [executable, …]` below it",
    lambda value: value,
    lambda agents: {name: _agent(agent) for name, agent in agents.items()},
)
THEMES = Rule(
    "names, each with `extends: THEME` and colours below it",
    lambda value: value,
    lambda themes: {name: {"extends": theme.extends, **theme.colours} for name, theme in themes.items()},
)
KEYS = Rule(
    "names of actions, each with a key or a list of keys",
    lambda value: value,
    lambda keys: {action: list(each) for action, each in keys.items()},
)
