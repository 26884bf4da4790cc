"""The windows and panes of a session, as they stand below its row. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from opensessions.model import Agent, AgentState, Inventory, Pane, Process, Row
from opensessions.snapshot import urgent


class PanePart(Struct, frozen=True):
    """A pane. Texts are as whoever wrote them left them."""

    id: str
    name: str
    """The agent in it, else the program."""
    title: str = ""
    """What the agent's conversation is about, else the pane's title; "" where that says no more than `name`."""
    state: AgentState | None = None
    unseen: bool = False
    gone: bool = False
    """Its agent has exited."""
    active: bool = False


class WindowPart(Struct, frozen=True):
    """A window with its panes; our own sidebars are left out."""

    id: str
    index: int
    name: str
    current: bool = False
    """The session's current window."""
    panes: tuple[PanePart, ...] = ()

    @property
    def pane(self) -> str:
        """The pane to which one goes: the active one, or the first beside a sidebar that is active; "" for none."""
        return next((pane.id for pane in self.panes if pane.active), self.panes[0].id if self.panes else "")


Tree = Mapping[str, tuple[WindowPart, ...]]
"""Session id -> its windows, in the order of their indexes."""


def tree(
    inventory: Inventory, row: Row, programs: Mapping[int, str], host: str = ""
) -> tuple[WindowPart, ...]:
    """The windows of a session. `programs`: what runs in a pane, by the pane's pid. `host`: the name of this machine,
    which is the title of a pane in which no program has set one."""
    session = inventory.session(row.id)
    found = []
    for link in sorted(session.links, key=lambda link: link.index) if session else ():
        window = inventory.windows.get(link.window)
        panes = [pane for pane in window.panes if not pane.mark] if window else []
        parts = tuple(_pane(pane, row, programs, host) for pane in panes)
        found.append(WindowPart(link.window, link.index, window.name if window else "", link.current, parts))
    return tuple(found)


def _pane(pane: Pane, row: Row, programs: Mapping[int, str], host: str) -> PanePart:
    agents = tuple(agent for agent in row.agents if agent.pane == pane.id)
    state = urgent(agents)
    agent = next((agent for agent in agents if agent.state == state), None)
    program = "" if pane.dead else programs.get(pane.pid, "")
    title = "" if pane.title == host else pane.title
    if agent is None:
        name = program or title or pane.id
        return PanePart(pane.id, name, "" if title == name else title, active=pane.active)
    return PanePart(
        pane.id, agent.agent, _about(agent), state, any(each.unseen for each in agents),
        agent.liveness == "exited", pane.active,
    )  # fmt: skip


def _about(agent: Agent) -> str:
    return (agent.waiting_for if agent.state == "waiting" else None) or agent.title or agent.prompt or ""


def programs(processes: Mapping[int, Process], pids: frozenset[int]) -> dict[int, str]:
    """What runs in each pane, by the pane's pid: the youngest child of its first process, else that one itself."""
    youngest: dict[int, Process] = {}
    for process in processes.values():
        if process.ppid in pids and process.pid not in pids:
            known = youngest.get(process.ppid)
            if known is None or (process.start, process.pid) > (known.start, known.pid):
                youngest[process.ppid] = process
    found = {}
    for pid in pids:
        running = youngest.get(pid) or processes.get(pid)
        if running is not None:
            found[pid] = running.comm
    return found
