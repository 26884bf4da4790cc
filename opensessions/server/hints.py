"""In which sessions files may have changed: something was done there, or somebody has come to look."""

from __future__ import annotations

from collections.abc import Mapping

from opensessions.agents.detect import shown_panes
from opensessions.context.owners import owners
from opensessions.model import Inventory, Process, Row

WORKING = frozenset(("running", "tool-running"))

Key = tuple[str, str]
"""A session: its multiplexer's key, its id."""


class Hints:
    """What was so the last time."""

    def __init__(self) -> None:
        self._rows: Mapping[Key, Row] = {}
        self._shown: frozenset[Key] = frozenset()
        self._processes: Mapping[int, Process] = {}
        self._roots: dict[int, set[Key]] = {}
        """A pane's pid -> the sessions that hold it."""
        self._below: dict[int, set[int]] = {}
        """The processes of each pane, by the pane's pid."""

    def follow(
        self, inventories: Mapping[str, Inventory], rows: Mapping[Key, Row], processes: Mapping[int, Process]
    ) -> set[Key]:
        """The sessions in which, since the last time, an agent's turn or tool has ended or a command has begun or
        ended, and those that a client did not show then. The same `rows` and `processes` objects mean the same."""
        moved = rows is not self._rows
        stirred = moved or processes is not self._processes
        found: set[Key] = set()
        if moved:
            found |= {id for id, row in rows.items() if id in self._rows and _ended(self._rows[id], row)}
            self._rows, self._roots = rows, _roots(inventories)
            shown = self._shown
            self._shown = frozenset(
                (key, client.session) for key, each in inventories.items() for client in each.viewers()
            )
            found |= self._shown - shown
        if stirred:
            self._processes = processes
            below: dict[int, set[int]] = {}
            for pid, root in owners(processes, self._roots).items():
                below.setdefault(root, set()).add(pid)
            before, self._below = self._below, below
            changed = {root for root in below.keys() & before.keys() if below[root] != before[root]}
            found |= {id for root in changed for id in self._roots[root]}
        return found

    @property
    def shown(self) -> frozenset[Key]:
        """The sessions that a client shows."""
        return self._shown


def _roots(inventories: Mapping[str, Inventory]) -> dict[int, set[Key]]:
    roots: dict[int, set[Key]] = {}
    for key, inventory in inventories.items():
        panes = shown_panes(inventory)
        for session in inventory.sessions:
            windows = (inventory.windows.get(link.window) for link in session.links)
            for pane in (pane for window in windows if window for pane in window.panes):
                if pane.id in panes:
                    roots.setdefault(panes[pane.id], set()).add((key, session.id))
    return roots


def _ended(before: Row, now: Row) -> bool:
    """Has an agent's turn or tool ended?"""
    states = {agent.id: agent.state for agent in now.agents}
    return any(
        agent.state in WORKING and states.get(agent.id) not in (agent.state, "tool-running")
        for agent in before.agents
    )
