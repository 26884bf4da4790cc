"""Which agents run in which panes. Pure: processes and panes in, agents out.

Only processes below a pane belong to it, and those that its shell's session has kept after their parent died. A
nested multiplexer's server is neither, so what runs inside it belongs to its own panes, not to the outer one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from opensessions.agents.kind import Kind
from opensessions.agents.known import Kinds
from opensessions.agents.program import commands, executable, interpreted
from opensessions.model import Inventory, Process

BELOW = 100
"""Descendants of an agent that are looked at."""


class Match(Struct, frozen=True):
    """A process that belongs to a kind of agent."""

    kind: Kind
    helper: bool
    """It is a server or helper of the agent: nobody talks to it in a pane."""


def recognise(process: Process, kinds: Kinds) -> Match | None:
    """The kind of agent whose name this process's executable or script bears as a whole."""
    argv = process.argv
    name, file = executable(argv[0]) if argv else "", executable(process.exe)
    program = (interpreted(name, argv) or interpreted(file, argv)) if len(argv) > 1 else None
    arguments = program.arguments if program else argv[1:]
    for each in (name, file, executable(process.comm)):
        kind = kinds.by_executable.get(each)
        if kind and (each not in kind.needing or not kind.subcommands.isdisjoint(commands(arguments))):
            return _match(kind, arguments)
    if program is None:
        return None
    kind = (
        kinds.by_executable.get(program.script)
        or kinds.by_package.get(program.package)
        or kinds.by_module.get(program.module.partition(".")[0])
    )
    return _match(kind, arguments) if kind and program.script not in kind.needing else None


def _match(kind: Kind, arguments: Sequence[str]) -> Match:
    return Match(kind, bool(kind.excluded) and not kind.excluded.isdisjoint(commands(arguments)))


class Matches(Struct, frozen=True):
    """Processes, and which of them are agents."""

    processes: Mapping[int, Process] = {}
    found: Mapping[int, Match] = {}


NOTHING = Matches()


def recognise_all(processes: Mapping[int, Process], kinds: Kinds, before: Matches = NOTHING) -> Matches:
    """Recognise the processes, by pid. What is the same object as in `before` is not looked at again."""
    if processes is before.processes:
        return before
    found = {}
    for pid, process in processes.items():
        same = before.processes.get(pid) is process
        matched = before.found.get(pid) if same else recognise(process, kinds)
        if matched:
            found[pid] = matched
    return Matches(processes, found)


def shown_panes(inventory: Inventory) -> dict[str, int]:
    """The pid in each pane that can hold an agent: not a dead one's, whose pid is stale, and no sidebar's."""
    return {
        pane.id: pane.pid
        for window in inventory.windows.values()
        for pane in window.panes
        if not pane.dead and not pane.mark and pane.pid > 1
    }


def titles(inventory: Inventory) -> dict[str, str]:
    """The title of each pane."""
    return {pane.id: pane.title for window in inventory.windows.values() for pane in window.panes}


class Found(Struct, frozen=True):
    """An agent in a pane. `id` stays the same as long as it lives."""

    id: str
    kind: Kind
    pane: str
    pid: int
    start: int
    below: tuple[int, ...] = ()
    """Its descendants, nearest first."""


def detect(
    mux: str, panes: Mapping[str, int], matches: Matches, elsewhere: Collection[int] = ()
) -> dict[str, tuple[Found, ...]]:
    """The agents of the multiplexer `mux` by pane id, each pane's in the order of their pids; panes without any are
    left out.

    `panes` is pane id to pid, `matches` tells of at least every process below them, `elsewhere` are the pids of
    other multiplexers' panes. Of nested matches the topmost is the agent.
    """
    by_pid = {pid: pane for pane, pid in panes.items()}
    children = _children(matches) if matches.found else {}
    agents: dict[str, list[Found]] = {}
    for pid, matched in sorted(matches.found.items()):
        process = matches.processes[pid]
        pane = _pane(process, matches, by_pid, elsewhere)
        if pane and not matched.helper:
            id = f"{mux}:{pane}:{pid}.{process.start}"
            below = _below(pid, children)
            agents.setdefault(pane, []).append(Found(id, matched.kind, pane, pid, process.start, below))
    return {pane: tuple(each) for pane, each in sorted(agents.items())}


def _children(matches: Matches) -> dict[int, list[int]]:
    """By parent. A helper works for every pane, so it and what is below it are nobody's."""
    children: dict[int, list[int]] = {}
    for pid in sorted(matches.processes):
        found = matches.found.get(pid)
        if found is None or not found.helper:
            children.setdefault(matches.processes[pid].ppid, []).append(pid)
    return children


def _below(pid: int, children: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """Breadth first, at most BELOW."""
    found = [pid]
    for each in found:
        found += [child for child in children.get(each, ()) if child not in found][
            : max(0, BELOW + 1 - len(found))
        ]
    return tuple(found[1:])


def _pane(
    process: Process,
    matches: Matches,
    by_pid: Mapping[int, str],
    elsewhere: Collection[int],
) -> str:
    """The pane in which a match is the topmost one; "" where it is below another match or in no pane."""
    passed = {process.pid}
    while process.pid not in by_pid and process.pid not in elsewhere:
        parent = matches.processes.get(process.ppid)
        if parent is None or parent.pid in passed:
            return by_pid.get(process.session, "")
        if parent.pid in matches.found:
            return ""
        passed.add(parent.pid)
        process = parent
    return by_pid.get(process.pid, "")
