"""Which of the trees somebody asks for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from opensessions.errors import Refused
from opensessions.model import Agent, Inventory
from opensessions.processes.belonging import Member
from opensessions.processes.trackers import Tree
from opensessions.state import Mux, State

Started = tuple[int, int]
"""A process: its pid and its start."""


class Wanted(Struct, frozen=True):
    """What was asked for."""

    target: str = ""
    """As on the command line; "": everything."""
    mux: str = ""
    """The multiplexer that counts first where several have such a target."""
    every: bool = False
    """Panes without agents too, where there is no target."""


class Shown(Struct, frozen=True):
    """A tree that was asked for."""

    tree: Tree
    sessions: tuple[tuple[str, str], ...]
    """Ids and names of the sessions that hold its pane; a window may be in several."""
    agents: tuple[Agent, ...]
    """Those that live in it."""
    only: str = ""
    """The id of the agent whose processes alone were asked for."""

    def members(self) -> tuple[tuple[Member, str], ...]:
        """Its members that were asked for, each with the id of the agent that it is or works for, or ""."""
        owners = whose(self.tree.members, {agent.pid: agent.id for agent in self.agents})
        told = ((member, owners.get(member.process.pid, "")) for member in self.tree.members)
        return tuple(each for each in told if self.only in ("", each[1]))

    def holds(self, started: Collection[Started]) -> bool:
        """Is one of these among its processes?"""
        return any((each.process.pid, each.process.start) in started for each in self.tree.members)

    def part(self) -> Tree:
        """The tree with those members alone."""
        return (
            replace(self.tree, members=tuple(member for member, _ in self.members()))
            if self.only
            else self.tree
        )


def chosen(
    state: State, trees: Mapping[str, Mapping[str, Tree]], wanted: Wanted, managed: Collection[Started] = ()
) -> tuple[Shown, ...]:
    """The trees (by multiplexer and pane) that were asked for, in the order of sessions and windows. `managed`: what
    `opensessions run` has started, which counts as an agent whatever it is."""
    shown = [each for key in sorted(trees) for each in _shown(state.muxes.get(key), trees[key])]
    if not wanted.target:
        return tuple(each for each in shown if wanted.every or each.agents or each.holds(managed))
    found = _meant(shown, wanted.target)
    return tuple([each for each in found if each.tree.mux == wanted.mux] or found)


def refuse(wanted: Wanted) -> Refused:
    """What to say where the target means nothing."""
    return Refused(
        f"There is no pane, agent or session {wanted.target[:100]!a}; `opensessions ps --all` shows every pane."
    )


def _meant(shown: Sequence[Shown], target: str) -> list[Shown]:
    for each in shown:
        for agent in each.agents:
            if agent.id == target:
                return [replace(each, only=agent.id)]
    for fits in (
        lambda each: each.tree.pane == target,
        lambda each: any(target == id for id, _ in each.sessions),
        lambda each: any(target in (name, f"={name}") for _, name in each.sessions),
    ):
        if found := [each for each in shown if fits(each)]:
            return found
    return []


def _shown(mux: Mux | None, trees: Mapping[str, Tree]) -> list[Shown]:
    if mux is None or mux.inventory is None:
        return []
    return [
        Shown(trees[pane], tuple(sessions), mux.agents.get(pane, ()))
        for pane, sessions in _holders(mux.inventory).items()
        if pane in trees
    ]


def _holders(inventory: Inventory) -> dict[str, list[tuple[str, str]]]:
    """Pane -> the sessions that hold it, in the order of sessions and windows."""
    found: dict[str, list[tuple[str, str]]] = {}
    for session in inventory.sessions:
        for pane in inventory.panes_of(session.id):
            found.setdefault(pane, []).append((session.id, session.name))
    return found


def whose(members: Iterable[Member], agents: Mapping[int, str]) -> dict[int, str]:
    """Process -> the id of the agent that it is or that is above it. `members`: parents first."""
    found: dict[int, str] = {}
    for member in members:
        owner = agents.get(member.process.pid) or found.get(member.ppid)
        if owner:
            found[member.process.pid] = owner
    return found
