"""Which pane a process belongs to, by what evidence. Pure.

What runs inside a nested multiplexer belongs to its own panes, not to the outer one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

from opensessions.model import Inventory
from opensessions.processes.census import Census
from opensessions.processes.identity import ProcId, same
from opensessions.processes.protect import HOSTS

Via = Literal["cgroup", "tree", "session", "environment"]
"""What leads to a process, or to the one above it that brought it in. `cgroup`: it is in a control group made for an
agent of the pane. `tree`: it descends from the pane's process. `session`: the pane's process leads its session.
`environment`: its environment names the pane."""

SERVER = "tmux: server"
DETACHED = tuple(host for host in HOSTS if host != "tmux")
"""How the servers of multiplexers call themselves; the clients of the latter are called the same."""


class Member(Struct, frozen=True):
    """One process of a pane."""

    process: ProcId
    ppid: int
    comm: str
    via: frozenset[Via]


class Group(Struct, frozen=True):
    """A control group that was made for an agent, as it was read for this moment."""

    shell: ProcId
    """The process of the pane that the agent was started in."""
    pids: frozenset[int]
    """All of it and of the groups below it."""
    verified: bool = False
    """It was read to the end, may be written by us, and every process in it is this user's."""


def servers(census: Census) -> frozenset[int]:
    """The pids of multiplexers' servers, registered or not, by the names that they give themselves. Where a client is
    called the same, the server is told by leading its session."""
    return frozenset(
        pid
        for pid, stat in census.stats.items()
        if stat.comm.startswith(SERVER) or (stat.session == pid and stat.comm.lower().startswith(DETACHED))
    )


def pids_of(inventory: Inventory) -> frozenset[int]:
    """The pids of a multiplexer's server and of its panes."""
    panes = (pane for window in inventory.windows.values() for pane in window.panes)
    return frozenset(pane.pid for pane in panes if not pane.dead) | {inventory.server_pid, *inventory.servers}


def strays(inventory: Inventory, census: Census) -> tuple[int, ...]:
    """The pids whose environment may name a pane though neither tree nor session leads there, and the server's own.

    Who loses its parent goes to an ancestor, to init at last: so these are children of the multiplexer's server or of
    what is above it, not older than the server. Whose they are is not checked here.
    """
    server = census.stats.get(inventory.server_pid)
    if server is None:
        return ()
    panes = {pane.pid for window in inventory.windows.values() for pane in window.panes}
    heirs = {1, server.pid, *census.above(server.pid)}
    found = (
        pid
        for pid, stat in sorted(census.stats.items())
        if stat.ppid in heirs and stat.start >= server.start and pid not in panes and stat.session not in panes
        and pid not in heirs and not stat.kernel and not stat.exited
    )  # fmt: skip
    return (server.pid, *found)


class Belonging:
    """Finds who owns which process, the surest evidence first. None has two owners."""

    def __init__(
        self, inventory: Inventory, census: Census, roots: Mapping[str, int], elsewhere: frozenset[int],
        serves: frozenset[int],
    ) -> None:  # fmt: skip
        self._inventory = inventory
        self._census = census
        self._roots = roots
        self._by_pid = {pid: pane for pane, pid in roots.items()}
        self._serves = serves
        self._walls = pids_of(inventory) | elsewhere | serves
        """Where a pane ends: at other panes and at the servers of multiplexers, with all that is below those."""
        self._found: dict[int, tuple[str, set[Via]]] = {}

    def by_tree(self) -> None:
        """Whatever descends from a pane's process."""
        for pane, pid in self._roots.items():
            self._claim(pid, pane, "tree")

    def by_session(self) -> None:
        """What lost its parent and has stayed in the pane's session, and what is below that."""
        for pane, root in self._roots.items():
            for pid in self._census.sessions.get(root, ()):
                if pid in self._found:
                    if self._found[pid][0] == pane:
                        self._found[pid][1].add("session")
                elif pid not in self._walls and not self._walled(pid, root):
                    self._claim(pid, pane, "session")

    def by_environment(self, variables: Mapping[int, Mapping[str, str]]) -> None:
        """What has left the session too."""
        server = variables.get(self._inventory.server_pid)
        for pid, said in sorted(variables.items()):
            stat, pane = self._census.stats.get(pid), named(said, self._inventory, server)
            root = self._census.stats.get(self._roots.get(pane, 0))
            if stat is None or root is None or pid in self._found or pid in self._walls:
                continue
            # One that is older than the pane's process was in the pane's earlier generation.
            if stat.start >= root.start:
                self._claim(pid, pane, "environment")

    def by_group(self, groups: Collection[Group]) -> None:
        """What could hide all else, but not leave its control group."""
        for group in groups:
            pane = self._by_pid.get(group.shell.pid)
            if pane is None or not self._is(group.shell):
                continue
            for pid in sorted(group.pids & self._census.stats.keys()):
                if pid in self._found:
                    if self._found[pid][0] == pane:
                        self._found[pid][1].add("cgroup")
                elif pid not in self._walls and not self._walled(pid, group.shell.pid):
                    self._claim(pid, pane, "cgroup")

    def members(self) -> dict[str, tuple[Member, ...]]:
        """By pane, parents before their children."""
        found: dict[str, list[Member]] = {pane: [] for pane in self._roots}
        for pid, (pane, via) in self._found.items():
            stat, process = self._census.stats[pid], self._census.identity(pid)
            if process is not None:
                found[pane].append(Member(process, stat.ppid, stat.comm, frozenset(via)))
        return {pane: tuple(members) for pane, members in found.items()}

    def holds(self, group: Group, root: int, members: tuple[Member, ...]) -> bool:
        """Is the group the pane's own, and are these exactly its processes?"""
        stats = self._census.stats
        return (
            group.verified
            and group.shell.pid == root
            and self._is(group.shell)
            and root in group.pids
            and {member.process.pid for member in members}
            == {pid for pid in group.pids if not (pid in stats and stats[pid].exited)}
        )

    def _is(self, process: ProcId) -> bool:
        now = self._census.identity(process.pid)
        return now is not None and same(process, now) == "same"

    def _claim(self, top: int, pane: str, via: Via) -> None:
        """This one and all below it, up to the next wall."""
        waiting = [top]
        while waiting:
            pid = waiting.pop()
            if pid in self._found or (pid in self._walls and pid != top):
                continue
            if not self._census.stats[pid].exited:
                self._found[pid] = (pane, {via})
            if pid not in self._serves:
                waiting += reversed(self._census.children.get(pid, ()))

    def _walled(self, pid: int, root: int) -> bool:
        """Is there a server between it and what it shares with the pane, as above a nested one's jobs?"""
        shared = set(self._census.above(root))
        return any(above in self._walls and above not in shared for above in self._census.above(pid))


def named(variables: Mapping[str, str], inventory: Inventory, server: Mapping[str, str] | None) -> str:
    """The pane of this multiplexer that an environment names; "" where it names none of it. `server`: the environment
    of the server itself, None where it is not known.

    A server that was started in another one's pane keeps that pane's name, and hands it to the jobs that it runs
    outside of any pane, together with its own name (measured with tmux 3.3a and 3.5a): it proves nothing then.
    """
    told, pane = variables.get("TMUX", "").rsplit(",", 2)[1:2], variables.get("TMUX_PANE", "")
    if server is None or told != [str(inventory.server_pid)] or pane == server.get("TMUX_PANE"):
        return ""
    return pane
