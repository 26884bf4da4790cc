"""`keys:` in config.yaml: the user's own keys in the sidebar, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from yaml import Node, ScalarNode, SequenceNode

from opensessions import keytable

EXPECTED = "a key, or a list of keys such as [d, delete], or [] for none"


class Walker(Protocol):
    """What goes through the file and collects what is wrong."""

    def entries(self, node: Node, name: str, line: int, expected: str) -> Iterator[tuple[str, Node, int]]:
        """(key, value, line) of the mapping in a node of this name; anything else is reported."""
        ...

    def report(self, line: int, key: str, message: str) -> None:
        """A fault in this line, in the key with this full name."""
        ...


def own_keys(
    walker: Walker, name: str, node: Node, line: int, expected: str, show: Callable[[Node], str]
) -> dict[str, tuple[str, ...]]:
    """Known action -> its keys as the sidebar calls them: those in the file, in its order, and those that lost a key to
    them. Each fault is reported, conflicts between keys among them."""
    chosen: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    for action, value, at in walker.entries(node, name, line, expected):
        full = f"{name}.{action}"
        if action not in keytable.NAMES:
            near = keytable.nearest(action)
            walker.report(at, full, f"is no action; the nearest is {name}.{near}. It is ignored.")
            continue
        written = _written(value)
        if written is None:
            walker.report(at, full, f"expected {EXPECTED}, not {show(value)}; the default counts.")
            continue
        keys = []
        for item in written:
            try:
                keys.append(keytable.arriving(item.value))
            except ValueError as error:
                at_item = item.start_mark.line + 1
                walker.report(at_item, full, f"{show(item)} {error}; it is ignored.")
        if keys or not written:
            chosen[action], lines[action] = tuple(dict.fromkeys(keys)), at
    bindings, faults = keytable.resolved(chosen)
    for fault in faults:
        walker.report(lines[fault.action], f"{name}.{fault.action}", fault.message)
    now = {each.action: each.keys for each in bindings}
    before = {each.action: each.keys for each in keytable.BINDINGS}
    return {
        action: now[action] for action in (*chosen, *now) if action in chosen or now[action] != before[action]
    }


def _written(node: Node) -> list[ScalarNode] | None:
    """Each key; None where it is neither a key nor a list of some. The text counts as it is written: `[y]` means the
    letter, `[1]` the digit, whatever YAML makes of them."""
    items = node.value if isinstance(node, SequenceNode) else [node]
    keys = [item for item in items if isinstance(item, ScalarNode) and item.value]
    return keys if len(keys) == len(items) else None
