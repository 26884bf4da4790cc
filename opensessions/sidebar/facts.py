"""What the detail tells of a session and of its agents, as lines without a width of their own. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from opensessions.model import Agent, AgentState, Entry, Metadata, Progress, Row, Tone
from opensessions.sidebar.flow import LONGEST, Fact, flow
from opensessions.sidebar.frame import Glyphs, Span, say
from opensessions.sidebar.text import fit, fit_end, width

STATES: Mapping[str, str] = {
    "waiting": "waits", "error": "failed", "tool-running": "runs a tool", "running": "works",
    "interrupted": "interrupted", "done": "done", "stale": "unclear", "hibernated": "hibernates", "idle": "idle",
}  # fmt: skip
TONES: Mapping[Tone, tuple[AgentState | None, str]] = {
    "neutral": (None, "agent"), "info": (None, "message"), "success": ("done", "done"),
    "warn": ("waiting", "interrupted"), "error": ("error", "error"),
}  # fmt: skip
"""The state whose sign a line of that tone bears, and its role."""

WAITS, TITLE, PROMPT, COMMAND, STATUS, NONE = 2, 2, 3, 3, 2, 6
"""Most lines of each; NONE of what is said where there is no agent."""
LOGGED = 3
"""Lines of a log, the newest ones."""
DIRTY = "*"


class Takes(Struct, frozen=True):
    """What an agent takes with all that is below it. None: not known."""

    cpu: int | None = None
    """Percent of one core."""
    memory: int | None = None
    """MiB."""


def about(
    row: Row, agents: Sequence[Agent], part: bool, dir: str, takes: Mapping[str, Takes], now: float,
    resumes: Mapping[str, str], cells: int, look: Glyphs, home: str,
) -> list[tuple[Fact, str]]:  # fmt: skip
    """Everything that is known, each line at most `cells` wide and with the pane of the agent that it is about, "" for
    none. `part`: a pane or a window is meant, not all of the session."""
    facts = [(fact, "") for fact in _place(row, dir, cells, look, home)]
    for agent in agents:
        resume = resumes.get(agent.id, "")
        pane = "" if _gone(agent) else agent.pane
        facts += [(fact, pane) for fact in _agent(agent, takes.get(agent.id), now, resume, cells, look)]
    if not agents:
        facts += [(fact, "") for fact in flow(NO_AGENT, cells, NONE, "hint", look)]
    if not part:
        facts += [(fact, "") for fact in _said(row.metadata, cells, look)]
    return facts


NO_AGENT = "No agent runs here. Start one in a pane: it shows up by itself."


# --- the place ----------------------------------------------------------------------------------------------


def _place(row: Row, dir: str, cells: int, look: Glyphs, home: str) -> list[Fact]:
    facts: list[Fact] = []
    if dir:
        path = "~" + dir[len(home) :] if home and (dir == home or dir.startswith(home + "/")) else dir
        facts.append([Span(fit_end(say(path[-LONGEST:], look), cells, look.ellipsis), "name")])
    left = cells
    if row.branch:
        dirty = DIRTY if row.dirty else ""
        branch = fit(say(row.branch[:LONGEST], look), cells - len(dirty), look.ellipsis)
        facts.append([Span(branch, "detail"), Span(dirty, "agent")])
        left = cells - width(branch) - len(dirty)
    if row.worktree:
        tree = "tree " + say(row.worktree[:LONGEST], look)
        if facts and 3 + width(tree) <= left:
            facts[-1].append(Span(f" {look.dot} {tree}", "detail"))
            left -= 3 + width(tree)
        else:
            facts.append([Span(fit(tree, cells, look.ellipsis), "detail")])
            left = cells - width(facts[-1][0].text)
    ports = _ports(row.ports, cells, look)
    if len(ports) == 1 and facts and (needed := sum(width(span.text) for span in ports[0]) + 2) <= left:
        facts[-1] += [Span(" " * (left - needed + 2), "page"), *ports[0]]
        return facts
    return [*facts, *ports]


def _ports(ports: Sequence[int], cells: int, look: Glyphs) -> list[Fact]:
    """Each a link; two lines of them, then how many more."""
    facts: list[Fact] = [[]] if ports else []
    left = cells
    for place, port in enumerate(ports):
        text = f":{port}"
        more = f" +{len(ports) - place}"
        gap = 1 if facts[-1] else 0
        if gap + len(text) + (len(more) if len(facts) == 2 and place + 1 < len(ports) else 0) > left:
            if len(facts) == 2:
                facts[-1].append(Span(more[:left], "detail"))
                break
            facts.append([])
            left, gap = cells, 0
        facts[-1] += [Span(" " * gap, "page"), Span(text, "link", port)]
        left -= gap + len(text)
    return facts


# --- agents -------------------------------------------------------------------------------------------------


def _agent(
    agent: Agent, takes: Takes | None, now: float, resume: str, cells: int, look: Glyphs
) -> list[Fact]:
    gone = _gone(agent)
    style = "gone" if gone else agent.state
    words = ("ended, was " if gone else "") + STATES[agent.state]
    age = " " + ago(now - agent.since) if agent.since else ""
    room = max(1, cells - 2)
    name = fit(say(agent.agent, look), room - width(age), look.ellipsis)
    told = flow(words, room, 1, style, look)
    inner: list[Fact] = []
    facts: list[Fact] = [[Span(look.states[agent.state][0] + " ", style), Span(name, "name-strong")]]
    left = room - width(name) - width(age)
    if len(told) == 1 and 1 + width(told[0][0].text) <= left:
        facts[0].append(Span(f" {told[0][0].text}", style))
        left -= 1 + width(told[0][0].text)
    else:
        inner += told
    facts[0].append(Span(" " * left + age, "detail"))
    if agent.waiting_for:
        inner += flow(agent.waiting_for, room, WAITS, "waiting", look)
    if agent.title:
        inner += flow(agent.title, room, TITLE, "name", look)
    if agent.prompt and agent.prompt != agent.title:
        inner += flow(f"> {agent.prompt}", room, PROMPT, "agent", look)
    if agent.background:
        inner.append([Span(fit(f"{agent.background} in background", room, look.ellipsis), "agent")])
    if agent.liveness != "exited":
        inner.append([Span(fit(_takes(takes, look), room, look.ellipsis), "detail")])
    if resume:
        inner += flow(f"resumes by: {resume}", room, COMMAND, "message", look)
    return [*facts, *([Span("  ", "page"), *fact] for fact in inner)]


def _gone(agent: Agent) -> bool:
    """Has it ended, and not in order to be resumed? Then its pane may be gone as well."""
    return agent.liveness == "exited" and agent.state != "hibernated"


def _takes(takes: Takes | None, look: Glyphs) -> str:
    """The line is there before they are known, so that nothing moves when they come."""
    if takes is None:
        return f"mem {look.ellipsis}"
    size = "?" if takes.memory is None else memory(takes.memory)
    return f"mem {size}" + ("" if takes.cpu is None else f", cpu {takes.cpu}%")


def memory(mebibytes: int) -> str:
    """`312M`, `1.4G`."""
    if mebibytes < 1:
        return "<1M"
    return f"{mebibytes}M" if mebibytes < 1000 else f"{mebibytes / 1024:.1f}G"


def ago(seconds: float) -> str:
    """In the largest unit of which there is one; it changes at most once a minute."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // (24 * 60)}d"


# --- what scripts say ---------------------------------------------------------------------------------------


def _said(metadata: Metadata, cells: int, look: Glyphs) -> list[Fact]:
    facts: list[Fact] = []
    if metadata.status:
        facts += _toned(metadata.status.text, metadata.status.tone, cells, STATUS, look)
    if metadata.progress:
        facts.append([Span(_progress(metadata.progress, cells, look), "agent")])
    for entry in metadata.log[-LOGGED:]:
        facts += _logged(entry, cells, look)
    return facts


def _toned(text: str, tone: Tone, cells: int, most: int, look: Glyphs) -> list[Fact]:
    state, style = TONES[tone]
    sign = look.states[state][0] if state else look.dot
    lines = flow(text, max(1, cells - 2), most, style, look)
    return [[Span((sign if not place else " ") + " ", style), *line] for place, line in enumerate(lines)]


def _logged(entry: Entry, cells: int, look: Glyphs) -> list[Fact]:
    text = f"{entry.source}: {entry.message}" if entry.source else entry.message
    return _toned(text, entry.tone, cells, 1, look)


def _progress(progress: Progress, cells: int, look: Glyphs) -> str:
    """`40% label`, `4/10 label`."""
    parts = []
    if progress.percent is not None:
        parts.append(f"{round(progress.percent * 100)}%")
    if progress.current is not None:
        parts.append(f"{progress.current:g}" + ("" if progress.total is None else f"/{progress.total:g}"))
    if progress.label:
        parts.append(say(progress.label[:LONGEST], look))
    return fit(" ".join(parts), cells, look.ellipsis)
