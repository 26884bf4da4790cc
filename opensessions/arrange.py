"""The order of rows: custom order, hidden rows, groups, and what a move does. Pure.

A group's rows stand together, where the first of them stands. Everything that is moved past is a *place*: a row, or a
group that is collapsed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from opensessions.model import Belonging


class Block(NamedTuple):
    """What moves as a whole: the rows of a group, or one row. `key` is the group's, or the row's id."""

    key: str
    ids: tuple[str, ...]


def merge(order: Sequence[str], live: Sequence[str]) -> tuple[str, ...]:
    """The ids of `live` in the order of `order`; new ones go last, in the order in which they came."""
    alive = set(live)
    kept = [id for id in order if id in alive]
    known = set(kept)
    return (*kept, *(id for id in live if id not in known))


def gathered(belongings: Mapping[str, Belonging], hidden: Collection[str]) -> dict[str, str]:
    """The group of each session that belongs to one: the path of its repository. Sessions of one repository are a group
    where two or more are not hidden and one of those is in a linked working tree."""
    if not any(belonging.linked for belonging in belongings.values()):
        return {}
    members: dict[str, list[Belonging]] = {}
    for id, belonging in belongings.items():
        if id not in hidden:
            members.setdefault(belonging.repository, []).append(belonging)
    groups = {
        id for id, found in members.items() if len(found) > 1 and any(belonging.linked for belonging in found)
    }
    return {id: there.repository for id, there in belongings.items() if there.repository in groups}


def repository_name(path: str) -> str:
    """What people call a repository: the folder that `.git` or `.bare` is in, or a bare one without its ending."""
    folder, _, name = path.rpartition("/")
    if name.startswith("."):
        name = folder.rpartition("/")[2]
    return name.removesuffix(".git") or path


def fill(order: Sequence[str], shown: Sequence[str]) -> tuple[str, ...]:
    """`order` with the places of the ids in `shown` taken by `shown` in its own order; the others stay put.

    [a, g1, g2, b, c] and [a, c, b] make [a, g1, g2, c, b].
    """
    visible = set(shown)
    following = iter(shown)
    return tuple(next(following) if each in visible else each for each in order)


def blocks(order: Sequence[str], groups: Mapping[str, str]) -> tuple[Block, ...]:
    """`order` in blocks. `groups`: the group of each id that is in one."""
    found: dict[str, list[str]] = {}
    for id in order:
        found.setdefault(groups.get(id, id), []).append(id)
    return tuple(Block(key, tuple(ids)) for key, ids in found.items())


def together(order: Sequence[str], groups: Mapping[str, str]) -> tuple[str, ...]:
    """`order` with the rows of each group together."""
    return tuple(id for block in blocks(order, groups) for id in block.ids) if groups else tuple(order)


def places(
    parts: Sequence[Block], visible: Collection[str], groups: Mapping[str, str], collapsed: Collection[str]
) -> list[str]:
    """The ids of the visible rows in order; a collapsed group that has some is one place, called by its key."""
    found: list[str] = []
    for block in parts:
        shown = [id for id in block.ids if id in visible]
        grouped = bool(shown) and shown[0] in groups
        found += [block.key] if grouped and block.key in collapsed else shown
    return found


def move(
    order: Sequence[str],
    visible: Collection[str],
    what: str,
    by: int,
    groups: Mapping[str, str] = {},
    collapsed: Collection[str] = (),
) -> tuple[str, ...]:
    """`order` with `what`, an id or a group's key, moved by `by` places, stopping at the ends.

    A row moves within its group and stops at the group's edge; from there it takes the group along. Who meets a group
    goes past all of it.
    """
    parts = blocks(order, groups)
    there = places(parts, visible, groups, collapsed)
    keys = [groups.get(place, place) for place in there]
    own = [at for at, key in enumerate(keys) if key == groups.get(what, what)]
    if not own or not by or (what in groups and what not in there):
        return together(order, groups)
    start = there.index(what) if what in groups else own[0] if by < 0 else own[-1]
    end = max(0, min(len(there) - 1, start + by))
    edge = own[0] if by < 0 else own[-1]
    if what in groups and start != edge:
        members = [there[at] for at in own]
        members.insert(max(own[0], min(own[-1], end)) - own[0], members.pop(start - own[0]))
        return fill(together(order, groups), members)
    return _move_block(parts, keys, groups.get(what, what), keys[end])


def _move_block(parts: Sequence[Block], keys: Sequence[str], mine: str, other: str) -> tuple[str, ...]:
    """The ids of `parts` once the block `mine` has taken the place of `other` among those that `keys` names."""
    shown = list(dict.fromkeys(keys))
    shown.insert(shown.index(other), shown.pop(shown.index(mine)))
    ids = {block.key: block.ids for block in parts}
    return tuple(id for key in fill([block.key for block in parts], shown) for id in ids[key])


def restore(
    rows: Sequence[tuple[str, str]], same_run: bool, live: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """Ids of `live` sessions in a saved order. `rows` and `live` are (id, name).

    In the same run of the multiplexer's server ids decide (a renamed session keeps its place), else names do,
    since tmux counts ids from $0 again.
    """
    if same_run:
        return merge([id for id, _ in rows], [id for id, _ in live])
    by_name = {name: id for id, name in live}
    return merge([by_name[name] for _, name in rows if name in by_name], [id for id, _ in live])
