"""Moving rows and groups to another place: by keys and by dragging. Pure.

What is moved past is a place: a row that has an index, or a collapsed group. The server does the moving, by the same
rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from opensessions import arrange
from opensessions.model import MuxView
from opensessions.sidebar.entries import Entry, group_key
from opensessions.sidebar.intents import Intent, Move, MoveGroup


class Landing(Struct, frozen=True):
    """Where something that is dragged would land: below or above the entry with this key."""

    key: str
    below: bool
    intent: Intent


def by_key(every: Sequence[Entry], place: int, step: int, mux: MuxView, filtered: bool) -> Intent | None:
    """One place up (-1) or down (1); in a filtered list past the next row in it. None where that changes nothing."""
    order = _Order(mux)
    here = every[place]
    if not filtered:
        return order.intent(here, step)
    rest = every[place + 1 :] if step > 0 else every[:place][::-1]
    start = order.start(_what(here), step)
    ends = (order.start(_what(entry), -step) for entry in rest)
    end = next((end for end in ends if end is not None), None)
    return None if start is None or end is None else order.intent(here, end - start)


def landing(every: Sequence[Entry], dragged: Entry, over: Entry, mux: MuxView) -> Landing | None:
    """What letting `dragged` go over another entry does; None where that is nothing."""
    order = _Order(mux)
    what = _what(dragged)
    starts = order.start(what, -1), order.start(what, 1)
    ends = order.start(_what(over), -1), order.start(_what(over), 1)
    if starts[0] is None or starts[1] is None or ends[0] is None or ends[1] is None:
        return None
    by = ends[1] - starts[1] if ends[1] > starts[1] else min(0, ends[0] - starts[0])
    intent = order.intent(dragged, by)
    return None if intent is None else _beside(every, order, order.after(what, by), what, over, by, intent)


def _what(entry: Entry) -> str:
    """A session's id, or a group's."""
    return entry.row.id if entry.row else entry.group.id if entry.group else ""


def _beside(
    every: Sequence[Entry], before: _Order, after: _Order, what: str, over: Entry, by: int, intent: Intent
) -> Landing:
    """Below what it follows then; at the top of everything above the first entry."""
    group = after.groups.get(what)
    if group is not None and before.members(group) == after.members(group):
        what, group = group, None  # it has taken its group along
    at = after.start(what, -1) or 0
    if not at:
        return Landing(every[0].key, False, intent)
    followed = after.places[at - 1]
    if group is not None and after.groups.get(followed) != group:
        return Landing(group_key(group), True, intent)
    keys = [entry.key for entry in every if _what(entry) == followed]
    return Landing(keys[-1], True, intent) if keys else Landing(over.key, by > 0, intent)


class _Order:
    """The order of a multiplexer's rows as the server moves them, as far as a sidebar knows it."""

    def __init__(self, mux: MuxView, order: Sequence[str] = ()) -> None:
        self._mux = mux
        self._order = tuple(order) or tuple(row.id for row in mux.sessions)
        self.groups: Mapping[str, str] = {id: group.id for id, group in mux.grouped().items()}
        self._collapsed = {group.id for group in mux.groups or () if group.collapsed}
        self._visible = {row.id for row in mux.visible()} | self.groups.keys()
        self.places = arrange.places(
            arrange.blocks(self._order, self.groups), self._visible, self.groups, self._collapsed
        )

    def start(self, what: str, step: int) -> int | None:
        """The place of a row, or that of a group's edge in the direction of `step`; None where it has none."""
        own = [at for at, place in enumerate(self.places) if what in (place, self.groups.get(place))]
        return None if not own else own[-1] if step > 0 else own[0]

    def members(self, group: str) -> list[str]:
        """The places of a group, in their order."""
        return [place for place in self.places if self.groups.get(place) == group]

    def after(self, what: str, by: int) -> _Order:
        """The order after a move."""
        moved = arrange.move(self._order, self._visible, what, by, self.groups, self._collapsed)
        return _Order(self._mux, moved)

    def intent(self, entry: Entry, by: int) -> Intent | None:
        """The wish for that move; None where it changes nothing."""
        what = _what(entry)
        if not what or self.after(what, by).places == self.places:
            return None
        return MoveGroup(what, by) if entry.kind == "group" else Move(what, by)
