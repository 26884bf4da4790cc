"""What a key does under a configuration: zellij's own rules, as `Keybinds::from_kdl` of 0.45.1 has them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opensessions_zellij.kdl import Node
from opensessions_zellij.keys import MODES

Keymap = Mapping[tuple[str, str], Node]
"""(mode, key in its normal form) -> the `bind` node."""


def normal(key: str) -> str:
    """One spelling for each key: modifiers sorted, names in lower case, `Shift a` for `A`."""
    *modifiers, bare = key.split() or [""]
    held = {word.lower() for word in modifiers}
    if len(bare) == 1 and bare.isascii() and bare.isupper():
        held.add("shift")
    return " ".join([*sorted(held), bare.lower()])


def over(base: Keymap, document: tuple[Node, ...]) -> Keymap:
    """`base`, changed by the first `keybinds` of a document: zellij reads no other."""
    found = first(document)
    if found is None:
        return base
    keymap = {} if found.property("clear-defaults") is True else dict(base)
    blocks = found.children or ()
    for block in blocks:
        for mode in _shared(block):
            _bind(keymap, mode, block)
    for block in blocks:
        if block.name in MODES:
            if block.property("clear-defaults") is True:
                keymap = {place: node for place, node in keymap.items() if place[0] != block.name}
            _bind(keymap, block.name, block)
    gone = {normal(key) for node in found.all("unbind") for key in _keys(node)}
    return {place: node for place, node in keymap.items() if place[1] not in gone}


def first(document: tuple[Node, ...]) -> Node | None:
    """The `keybinds` that counts."""
    return next((node for node in document if node.name == "keybinds"), None)


def leads_to(node: Node, mode: str) -> bool:
    """Does this binding switch to that mode?"""
    return any(
        str(action.arguments[0]).lower() == mode for action in node.all("SwitchToMode") if action.arguments
    )


def way(keymap: Keymap, start: str, goal: str) -> tuple[str, ...] | None:
    """The keys that lead from one mode to another, as few as can be; None where none do."""
    seen: dict[str, tuple[str, ...]] = {start: ()}
    queue = [start]
    for mode in queue:
        if mode == goal:
            return seen[mode]
        for (held, _), node in keymap.items():
            for action in node.all("SwitchToMode") if held == mode else ():
                there = str(action.arguments[0]).lower() if action.arguments else mode
                if there not in seen:
                    seen[there] = (*seen[mode], next(_keys(node)))
                    queue.append(there)
    return None


def _shared(block: Node) -> Iterator[str]:
    """The modes of a block for several ones."""
    named = {str(mode).lower() for mode in block.arguments}
    if block.name in ("shared", "shared_except"):
        yield from (mode for mode in MODES if mode not in named)
    elif block.name == "shared_among":
        yield from (mode for mode in MODES if mode in named)


def _bind(keymap: dict[tuple[str, str], Node], mode: str, block: Node) -> None:
    for node in block.all("bind"):
        for key in _keys(node):
            keymap[mode, normal(key)] = node
    for node in block.all("unbind"):
        for key in _keys(node):
            keymap.pop((mode, normal(key)), None)


def _keys(node: Node) -> Iterator[str]:
    return (key for key in node.arguments if isinstance(key, str))
