"""`agents:` in config.yaml: what recognises and reads an agent of the user's own, or a known one in another version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, Protocol

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from opensessions.config import Contains, Problem, UserAgent, rules

KEYS = ("process", "title", "screen")
STATES = ("waiting", "running", "idle")
Show = Callable[[Node], str]
"""A node for people."""
MOST = 50
"""Texts under one state."""

TITLE = "a list of beginnings of titles; `contains: TEXT` as an item is a text anywhere in it"
SCREEN = "a list of texts, or of lists of texts that are on the screen together"


class Walker(Protocol):
    """What goes through the file and collects what is wrong."""

    problems: list[Problem]

    def entries(self, node: Node, name: str, line: int, expected: str) -> Iterator[tuple[str, Node, int]]:
        """(key, value, line) of the mapping in a node of this name; anything else is reported."""
        ...

    def report(self, line: int, key: str, message: str) -> None:
        """A fault in this line, in the key with this full name."""
        ...


def own_agent(walker: Walker, name: str, full: str, node: Node, line: int, show: Show) -> UserAgent | None:
    """What is usable in the entry of the agent `name`; None where that is nothing. Each fault is reported."""
    chosen: dict[str, Any] = {}
    before = len(walker.problems)
    for key, value, at in walker.entries(node, full, line, "`process: [executable, …]`"):
        here = f"{full}.{key}"
        if key == "process":
            try:
                chosen[key] = rules.executables(_names(value))
            except ValueError:
                walker.report(at, here, f"expected {rules.EXECUTABLES.expected}, not {show(value)}.")
        elif key in KEYS:
            read, expected = (_title, TITLE) if key == "title" else (_screen, SCREEN)
            chosen[key] = dict(_states(walker, here, value, at, read, expected, show))
        else:
            walker.report(
                at, here, f"is no known key; the nearest is {full}.{_near(key, KEYS)}. It is ignored."
            )
    if chosen.get("process") or (name in rules.SHIPPED and any(chosen.values())):
        return UserAgent(**chosen)
    if len(walker.problems) == before:
        walker.report(line, full, "needs `process: [executable, …]` to be recognised by; it is ignored.")
    return None


def _states(
    walker: Walker, full: str, node: Node, line: int, read: Callable[[Node], Any], expected: str, show: Show
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The texts under each state."""
    for state, value, at in walker.entries(node, full, line, f"{', '.join(STATES)}, each with {expected}"):
        here = f"{full}.{state}"
        if state not in STATES:
            nearest = f"{full}.{_near(state, STATES)}"
            walker.report(
                at, here, f"is no state that can be told so; the nearest is {nearest}. It is ignored."
            )
            continue
        try:
            items = value.value if isinstance(value, SequenceNode) else [value]
            if not 0 < len(items) <= MOST:
                raise ValueError
            yield state, tuple(read(item) for item in items)
        except ValueError:
            walker.report(at, here, f"expected {expected}, not {show(value)}; it is ignored.")


def _names(node: Node) -> list[str]:
    return [_text(item) for item in (node.value if isinstance(node, SequenceNode) else [node])]


def _title(node: Node) -> str | Contains:
    if isinstance(node, MappingNode):
        if len(node.value) != 1 or node.value[0][0].value != "contains":
            raise ValueError
        return Contains(_text(node.value[0][1]))
    return _text(node)


def _screen(node: Node) -> tuple[str, ...]:
    items = node.value if isinstance(node, SequenceNode) else [node]
    if not items or len(items) > MOST:
        raise ValueError
    return tuple(_text(item) for item in items)


def _text(node: Node) -> str:
    """As written: `y` is a text here, and no flag."""
    if not isinstance(node, ScalarNode):
        raise ValueError
    return rules.word(node.value)


def _near(word: str, known: tuple[str, ...]) -> str:
    return get_close_matches(word, known, 1, 0)[0]
