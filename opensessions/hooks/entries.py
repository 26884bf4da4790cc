"""Our hooks among the user's in the JSON of an agent's settings. Pure: text in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from opensessions.hooks import edit, jsonc
from opensessions.hooks.command import ours
from opensessions.hooks.jsonc import Document, Malformed, Node

Entries = Mapping[str, Mapping[str, Any]]
"""Event -> what is put into that event's list."""


class Layout(Struct, frozen=True):
    """Where in the file the events stand, and what else the file must hold."""

    under: str = "hooks"
    """The key that holds the events; empty where the file itself does."""
    beside: tuple[tuple[str, Any], ...] = ()
    """Members that the agent demands and that are added where they are missing."""


class Put(Struct, frozen=True):
    """A text with our entries in it."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """What was inserted, as (start, length): without these parts the text is what it was, to the byte."""


def put(text: str, entries: Entries, layout: Layout) -> Put:
    """The text with our entries at the end of each event's list. Malformed where there is no place for them."""
    document = jsonc.read(text)
    if document.root is None:
        root = dict(layout.beside)
        events = {event: [entry] for event, entry in entries.items()}
        root |= {layout.under: events} if layout.under else events
        new = edit.whole(root, edit.style(text))
        begin = len(text)
        lead = "\n" if begin in document.comments else ""
        return Put(text + lead + new, ((begin, len(lead) + len(new)),))
    root_node = _object(document, document.root, "the file")
    beside = [(key, value) for key, value in layout.beside if root_node.member(key) is None]
    holder = root_node.member(layout.under) if layout.under else root_node
    edits = []
    if holder is None:
        new_events = {event: [entry] for event, entry in entries.items()}
        edits += edit.insertions(document, root_node, [*beside, (layout.under, new_events)])
    else:
        _object(document, holder, repr(layout.under))
        missing: list[tuple[str | None, Any]] = []
        for event, entry in entries.items():
            listed = holder.member(event)
            if listed is None:
                missing.append((event, [entry]))
            elif not isinstance(listed.value, list):
                raise Malformed(f"{event!r} is no list", _line(document, listed))
            else:
                edits += edit.insertions(document, listed, [(None, entry)])
        if layout.under and beside:
            edits += edit.insertions(document, root_node, beside)
        elif beside:
            missing += beside
        if missing:
            edits += edit.insertions(document, holder, missing)
    return Put(*edit.inserted(text, edits))


def take(text: str, layout: Layout, kept: frozenset[str] = frozenset()) -> str:
    """The text without any entry of ours. Lists and objects that are empty then go too, but not those named in
    `kept` (see `empty`): they were empty before us. Malformed where the text is not JSON."""
    document = jsonc.read(text)
    return edit.without(text, _apart(_parts(document, layout, kept)))


def found(document: Document, layout: Layout) -> Iterator[tuple[str, Any]]:
    """Each entry of ours as (event, entry), in the form that `put` was given: a group with our hook alone."""
    for event, listed in _lists(document, layout):
        for member in listed.members:
            entry = member.node.value
            if not isinstance(entry, dict):
                continue
            if _is_ours(entry):
                yield event, entry
            elif isinstance(entry.get("hooks"), list):
                for hook in entry["hooks"]:
                    if _is_ours(hook):
                        yield event, {**entry, "hooks": [hook]}


def empty(text: str, layout: Layout) -> frozenset[str]:
    """What of the events' lists, and the object that holds them (""), is there and empty."""
    document = jsonc.read(text)
    holder = _holder(document, layout)
    if holder is None:
        return frozenset()
    names = {each.key or "" for each in holder.members if each.node.value == []}
    return frozenset(names | ({""} if holder.value == {} else set()))


def _is_ours(hook: object) -> bool:
    return isinstance(hook, dict) and (ours(hook.get("command")) or ours(hook.get("bash")))


def _holder(document: Document, layout: Layout) -> Node | None:
    root = document.root
    if root is None or not isinstance(root.value, dict):
        return None
    holder = root.member(layout.under) if layout.under else root
    return holder if holder is not None and isinstance(holder.value, dict) else None


def _lists(document: Document, layout: Layout) -> Iterator[tuple[str, Node]]:
    holder = _holder(document, layout)
    for member in holder.members if holder else ():
        if isinstance(member.node.value, list):
            yield member.key or "", member.node


def _parts(document: Document, layout: Layout, kept: frozenset[str]) -> Iterator[tuple[int, int]]:
    holder = _holder(document, layout)
    if holder is None or document.root is None:
        return
    gone: list[int] = []
    for number, member in enumerate(holder.members):
        if not isinstance(member.node.value, list):
            continue
        whole: list[int] = []
        for index, group in enumerate(member.node.members):
            hooks = group.node.member("hooks") if isinstance(group.node.value, dict) else None
            listed = hooks.members if hooks is not None and isinstance(hooks.value, list) else ()
            mine = [place for place, hook in enumerate(listed) if _is_ours(hook.node.value)]
            if _is_ours(group.node.value) or (mine and len(mine) == len(listed)):
                whole.append(index)
            elif mine and hooks is not None:
                yield from edit.deletions(document, hooks, mine)
        if whole and len(whole) == len(member.node.members) and member.key not in kept:
            gone.append(number)
        elif whole:
            yield from edit.deletions(document, member.node, whole)
    if gone and layout.under and len(gone) == len(holder.members) and "" not in kept:
        root = document.root
        number = next(at for at, each in enumerate(root.members) if each.node is holder)
        yield from edit.deletions(document, root, [number])
    elif gone:
        yield from edit.deletions(document, holder, gone)


def _apart(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, without overlaps."""
    done = 0
    result = []
    for start, length in sorted(parts):
        end = start + length
        start = max(start, done)
        if end > start:
            result.append((start, end - start))
            done = end
    return result


def _object(document: Document, node: Node, what: str) -> Node:
    if not isinstance(node.value, dict):
        raise Malformed(f"{what} is no object", _line(document, node))
    return node


def _line(document: Document, node: Node) -> int:
    return document.text.count("\n", 0, node.start) + 1
