"""What speaks against putting an agent to sleep that only its processes tell. Asks the system; blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opensessions.context.ports import this_system as listeners
from opensessions.model import Agent, Process
from opensessions.processes.census import Census
from opensessions.processes.identity import ProcId
from opensessions.processes.source import ProcessSource
from opensessions.server.resting import outlives

KEEP = "OPENSESSIONS_KEEP"


def hindrance(
    source: ProcessSource, agent: Agent, pane: int, tree: Sequence[ProcId], table: Census, asked: bool
) -> str:
    """Why it must not be put to sleep, in a sentence; "" where nothing speaks against it. `pane`: the pid of its pane's
    own process. `tree`: it and what it has started. `asked`: by the user, at this moment."""
    who, pids = f"{agent.agent} in {agent.pane}", [each.pid for each in tree]
    if not outlives(pane, agent.pid, table, lambda pid: source.program(pid)[0]):
        return f"No shell waits in {agent.pane} for {agent.agent} to end: the pane would close with it."
    if ports := served([each for each in tree if each.pid != agent.pid]):
        return f"{who} has work in the background: something that it has started listens on port {ports[0]}."
    if not asked and any(source.variables(pid, (KEEP,)).get(KEEP, "") not in ("", "0") for pid in pids):
        return f"{who} is to be kept: {KEEP} is set."
    return ""


def served(processes: Iterable[ProcId]) -> tuple[int, ...]:
    """The ports that these listen on."""
    known = {each.pid: Process(each.pid, 0, each.start, "", "", ()) for each in processes}
    found = listeners().look(known) if known else {}
    return tuple(sorted({port for ports in found.values() for port in ports}))
