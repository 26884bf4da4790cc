"""The panes' trees as `opensessions ps` and its stream tell them. Pure.

The structs here are the JSON of the reference: a key that is renamed breaks what others have built on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from opensessions.fields import clean
from opensessions.processes.belonging import Member
from opensessions.processes.identity import ProcId
from opensessions.processes.trackers import Change, ProcessAdded, ProcessExited
from opensessions.processes.usage import Use, total
from opensessions.server.tree_choice import Shown
from opensessions.state import State

COMMAND = 200
"""Characters of a command line that are shown."""


class AgentRow(Struct, frozen=True):
    """An agent of a pane."""

    id: str
    agent: str
    pid: int


class ProcessRow(Struct, frozen=True):
    """A process of a pane. `start` in hundredths of a second since the boot; `agent` the id of the one that it is, or
    works for; `cpu` in percent of a core; `memory` in bytes."""

    pid: int
    ppid: int
    start: int
    comm: str
    command: str
    agent: str | None
    via: tuple[str, ...]
    cpu: float | None
    memory: int | None


class PaneRow(Struct, frozen=True):
    """A tracker. `cpu` and `memory` of all its processes."""

    pane: str
    session: str
    session_name: str
    generation: str
    pid: int
    confidence: str
    stale: bool
    agents: tuple[AgentRow, ...]
    processes: tuple[ProcessRow, ...]
    cpu: float | None
    memory: int | None


class MuxRows(Struct, frozen=True):
    """A multiplexer with those of its panes that were asked for."""

    key: str
    socket: str
    panes: tuple[PaneRow, ...]


class Answer(Struct, frozen=True, kw_only=True):
    """All of it."""

    event: str | UnsetType = UNSET
    """"trees" as the first line of the stream."""
    muxes: tuple[MuxRows, ...]
    orphans: Sequence[Mapping[str, Any]] = ()


# --- the answer -------------------------------------------------------------------------------------------


def answer(
    state: State, shown: Collection[Shown], uses: Mapping[int, tuple[int, Use]],
    argv: Mapping[int, Sequence[str]], orphans: Sequence[Mapping[str, Any]],
) -> Answer:  # fmt: skip
    """All that `ps` tells. `uses` by pid with the start of the process that it is of; `argv` the command lines."""
    muxes: dict[str, list[PaneRow]] = {key: [] for key in sorted(state.muxes)}
    for each in shown:
        muxes.setdefault(each.tree.mux, []).append(_pane(each, uses, argv))
    sockets = {key: mux.socket for key, mux in state.muxes.items()}
    rows = tuple(MuxRows(key, sockets.get(key, ""), tuple(panes)) for key, panes in muxes.items())
    return Answer(muxes=rows, orphans=orphans)


def _pane(each: Shown, uses: Mapping[int, tuple[int, Use]], argv: Mapping[int, Sequence[str]]) -> PaneRow:
    tree = each.tree
    rows, taken = [], []
    for member, owner in each.members():
        start, use = uses.get(member.process.pid, (0, Use()))
        use = use if start == member.process.start else Use()
        taken.append(use)
        rows.append(process_row(member, argv.get(member.process.pid, ()), owner, use))
    together = total(taken)
    return PaneRow(
        pane=tree.pane,
        session=each.sessions[0][0],
        session_name=each.sessions[0][1],
        generation=name(tree.generation),
        pid=tree.generation.pid,
        confidence=tree.confidence,
        stale=tree.stale,
        agents=tuple(
            AgentRow(agent.id, agent.agent, agent.pid) for agent in each.agents if each.only in ("", agent.id)
        ),
        processes=tuple(rows),
        cpu=rounded(together.cpu),
        memory=together.memory,
    )


def process_row(member: Member, argv: Sequence[str], owner: str, use: Use) -> ProcessRow:
    """One process."""
    return ProcessRow(
        pid=member.process.pid,
        ppid=member.ppid,
        start=member.process.start,
        comm=clean(member.comm, COMMAND),
        command=command(argv, member.comm),
        agent=owner or None,
        via=tuple(sorted(member.via)),
        cpu=rounded(use.cpu),
        memory=use.memory,
    )


def change_row(change: Change, argv: Mapping[int, Sequence[str]], owner: str = "") -> dict[str, object]:
    """One line of the stream. `owner`: the agent that an added process is or works for."""
    told: dict[str, object] = {
        "event": "confidence-changed",
        "mux": change.mux,
        "pane": change.pane,
        "generation": name(change.generation),
    }
    if isinstance(change, ProcessAdded):
        words = argv.get(change.member.process.pid, ())
        return told | {
            "event": "process-added",
            "process": process_row(change.member, words, owner, Use()),
        }
    if isinstance(change, ProcessExited):
        process = change.process
        return told | {
            "event": "process-exited", "pid": process.pid, "start": process.start, "left": change.left,
        }  # fmt: skip
    return told | {"before": change.before, "after": change.after}


def name(process: ProcId) -> str:
    """`pid.start`."""
    return f"{process.pid}.{process.start}"


def rounded(cpu: float | None) -> float | None:
    """To a tenth of a percent: more is not known."""
    return None if cpu is None else round(cpu, 1)


def command(argv: Sequence[str], comm: str) -> str:
    """A command line for people: one line, cut, with nothing in it that a terminal would obey. A process without one
    is called by the kernel's name of it."""
    return clean(" ".join(" ".join(argv).split()), COMMAND) or f"[{clean(comm, COMMAND)}]"
