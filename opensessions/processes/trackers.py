"""Which processes belong to which pane, by what evidence, and how sure that is. Pure.

A tracker is one pane in one generation: it lasts as long as the pane's own process, whatever runs below it and however
often our server starts anew. How sure it is follows from the evidence of one moment alone, never from the system.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from opensessions.model import Inventory, Pane
from opensessions.processes.belonging import Belonging, Group, Member
from opensessions.processes.census import Census
from opensessions.processes.identity import ProcId

Confidence = Literal["high", "best-effort", "none", "unknown"]
"""`high`: the list is exact, a verified control group of the pane's own holds all of it. `best-effort`: the pane's
process is known and the whole process table was read; who left its tree, its session and its environment is not found.
`none`: there is nothing to track. `unknown`: the multiplexer or the process table could not be read; the list is the
last one."""


class Tree(Struct, frozen=True):
    """One tracker: a pane's processes."""

    mux: str
    pane: str
    generation: ProcId
    """The pane's own process; its start is 0 where it was never seen."""
    confidence: Confidence
    members: tuple[Member, ...] = ()
    """Parents before their children."""
    stale: bool = False
    """The members are the last that were known."""

    @property
    def id(self) -> str:
        """Names the tracker, over restarts of our server as well."""
        return f"{self.mux}:{self.pane}:{self.generation.pid}.{self.generation.start}"


def trackers(
    mux: str, inventory: Inventory | None, census: Census, before: Mapping[str, Tree], *,
    elsewhere: Collection[int] = (), serves: Collection[int] = (), groups: Collection[Group] = (),
    variables: Mapping[int, Mapping[str, str]] | None = None,
) -> dict[str, Tree]:  # fmt: skip
    """The trackers of one multiplexer by pane id; sidebars have none.

    `inventory` is None where it did not answer. `before`: those of the last moment. `elsewhere`: the pids of other
    multiplexers' servers and panes. `serves`: what `servers` says. `variables`: the environment of those that `strays`
    named.
    """
    if inventory is None or not census.complete:
        kept = {pane: _stale(tree) for pane, tree in before.items()}
        return kept | {
            pane.id: _unproven(mux, pane, census, before.get(pane.id))
            for pane in _panes(inventory)
            if pane.id not in kept
        }
    roots = {pane.id: pane.pid for pane in _panes(inventory) if _proven(pane, inventory, census)}
    owned = Belonging(inventory, census, roots, frozenset(elsewhere), frozenset(serves))
    owned.by_tree()
    owned.by_session()
    owned.by_environment(variables or {})
    owned.by_group(groups)
    trees, held = {}, owned.members()
    for pane in _panes(inventory):
        if pane.id in roots:
            members = held[pane.id]
            generation = census.identity(pane.pid) or _unseen(pane.pid, census)
            # Where one server is one session, panes are told by what stands in an environment.
            exact = not inventory.servers and any(owned.holds(group, pane.pid, members) for group in groups)
            trees[pane.id] = Tree(mux, pane.id, generation, "high" if exact else "best-effort", members)
        else:
            trees[pane.id] = _unproven(mux, pane, census, before.get(pane.id))
    return trees


def _panes(inventory: Inventory | None) -> Iterable[Pane]:
    windows = inventory.windows.values() if inventory else ()
    return (pane for window in windows for pane in window.panes if not pane.mark)


def _proven(pane: Pane, inventory: Inventory, census: Census) -> bool:
    """Is the process that has the pane's pid now the pane's? The multiplexer's server starts each itself, at the head
    of a session, so another one that got the pid since is told from it."""
    stat = census.stats.get(pane.pid)
    if stat is None or pane.dead or pane.pid <= 1:
        return False
    return stat.ppid in (inventory.server_pid, *inventory.servers) and stat.session == pane.pid


def _unproven(mux: str, pane: Pane, census: Census, before: Tree | None) -> Tree:
    unseen = _unseen(pane.pid, census)
    if pane.dead or pane.pid <= 1:
        return Tree(mux, pane.id, unseen, "none")
    if before is not None and before.generation.pid == pane.pid:
        return _stale(before)
    return Tree(mux, pane.id, unseen, "unknown", stale=True)


def _stale(tree: Tree) -> Tree:
    return tree if tree.confidence == "none" else replace(tree, confidence="unknown", stale=True)


def _unseen(pid: int, census: Census) -> ProcId:
    return ProcId(pid, 0, census.boot, census.namespace)


# --- what has changed -------------------------------------------------------------------------------------


class ProcessAdded(Struct, frozen=True):
    """A process came into a pane."""

    mux: str
    pane: str
    generation: ProcId
    member: Member


class ProcessExited(Struct, frozen=True):
    """A process is in its pane no more. `left`: it lives on, outside of it."""

    mux: str
    pane: str
    generation: ProcId
    process: ProcId
    left: bool = False


class ConfidenceChanged(Struct, frozen=True):
    """A tracker came ("none" before), ended ("none" after), or is surer or less sure than before."""

    mux: str
    pane: str
    generation: ProcId
    before: Confidence
    after: Confidence


Change = ProcessAdded | ProcessExited | ConfidenceChanged


def difference(old: Iterable[Tree], new: Iterable[Tree], census: Census | None = None) -> tuple[Change, ...]:
    """What happened between two moments, pane by pane. `census`: of the later one, to tell who has exited from who has
    left; without it all have exited."""
    before, after = ({(tree.mux, tree.pane): tree for tree in trees} for trees in (old, new))
    changes: list[Change] = []
    for key in dict.fromkeys([*before, *after]):
        past, now = before.get(key), after.get(key)
        if past is now:
            continue
        gone = {member.process: member for member in past.members} if past else {}
        here = {member.process: member for member in now.members} if now else {}
        last, next = past or now, now or past
        assert last is not None
        assert next is not None
        changes += [
            ProcessExited(
                *key, last.generation, process, census is not None and census.fate(process) == "alive"
            )
            for process in gone
            if process not in here
        ]
        levels: tuple[Confidence, Confidence] = (
            past.confidence if past else "none", now.confidence if now else "none",
        )  # fmt: skip
        if levels[0] != levels[1]:
            changes.append(ConfidenceChanged(*key, next.generation, *levels))
        changes += [ProcessAdded(*key, next.generation, here[each]) for each in here if each not in gone]
    return tuple(changes)
