"""Questions that a sidebar asks before it ends anything or answers for the user: what is asked, in which words, when a
question lapses. Pure.

A question is one line at the foot of the sidebar. It stands for exactly what it names: where that has changed, or where
the line cannot be read, there is no question any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from opensessions.model import Agent, MuxView, Row
from opensessions.sidebar.text import clean, fit, width

Act = Literal["kill-session", "kill-agent", "hibernate", "resume", "reap", "approve", "deny"]

MOST = 9
"""Agents to choose from: one for each digit."""
NAME = 10
"""Cells of an agent's name in a choice."""
ANSWERS = "? y/n"


class Question(Struct, frozen=True):
    """What is asked. `agents` are ids: those of the whole row for `kill-session`, else the one that is meant, or those
    of which the user is to choose one first."""

    act: Act
    session: str = ""
    created: int = 0
    name: str = ""
    """The session's name."""
    panes: int = 0
    agents: tuple[str, ...] = ()
    several: bool = False
    """The row has more agents, so the one that is meant is named by its pane."""
    orphans: int = 0
    about: str = ""
    """What a permission is asked for, as it stands on the agent's screen: anything."""
    text: str = ""
    """The whole of it: the answer counts for this alone."""

    @property
    def choice(self) -> bool:
        """Must one of the agents be chosen first?"""
        return self.act not in ("kill-session", "reap") and len(self.agents) > 1


def about_session(row: Row) -> Question:
    """Kill the session?"""
    return Question(
        "kill-session", row.id, row.created, row.name, row.panes, tuple(agent.id for agent in row.agents)
    )


def about_agent(act: Act, row: Row) -> Question | None:
    """Do this to the row's agent; to which one, if it has several? None where it has none to which it can be done."""
    found = tuple(agent.id for agent in _fit(act, row))
    if not found:
        return None
    return Question(act, row.id, row.created, row.name, row.panes, found, len(found) > 1)


def about_prompt(agent: str, allow: bool, row: Row, about: str, text: str) -> Question:
    """Allow, or deny, what an agent of the row asks for on its screen?"""
    several = len(row.agents) > 1
    act: Act = "approve" if allow else "deny"
    return Question(act, row.id, row.created, row.name, row.panes, (agent,), several, about=about, text=text)


def about_orphans(count: int) -> Question:
    """Reap what has lost its pane?"""
    return Question("reap", orphans=count)


def chosen(question: Question, number: int, mux: MuxView, cells: int) -> Question | None:
    """The question about one agent of those to choose from, counted from 1; None where the line does not show it."""
    shown = choices(question, mux, cells)
    if not 1 <= number <= len(shown):
        return None
    return Question(
        question.act, question.session, question.created, question.name, question.panes,
        (shown[number - 1].id,), True,
    )  # fmt: skip


def stands(question: Question, mux: MuxView, orphans: int, cells: int) -> bool:
    """Is everything still as it was asked, and can it be read in a line of so many cells?"""
    if question.act == "reap":
        return 0 < orphans == question.orphans and bool(words(question, mux, cells))
    row = mux.row(question.session)
    if row is None or (row.created, row.name) != (question.created, question.name):
        return False
    if question.act == "kill-session":
        same = tuple(agent.id for agent in row.agents) == question.agents and row.panes == question.panes
        return same and mux.reachable is not False and bool(words(question, mux, cells))
    there = {agent.id for agent in _fit(question.act, row)}
    if not there.issuperset(question.agents) or mux.reachable is False:
        return False
    if question.choice:
        return len(there) == len(question.agents) and bool(choices(question, mux, cells))
    return bool(words(question, mux, cells))


def choices(question: Question, mux: MuxView, cells: int) -> tuple[Agent, ...]:
    """The agents to choose from that a line of so many cells has room for."""
    shown: list[Agent] = []
    left = cells - 1
    for agent in _meant(question, mux)[:MOST]:
        left -= len("1 ") + width(label(agent)) + 1
        if left < 0:
            break
        shown.append(agent)
    return tuple(shown)


def label(agent: Agent) -> str:
    """An agent among several: its name and its pane."""
    return f"{fit(clean(agent.agent).partition('-')[0], NAME, '')} {clean(agent.pane)}"


def words(question: Question, mux: MuxView, cells: int) -> tuple[str, str, str] | None:
    """What is done, to whom, and the rest of the line, for a line of so many cells; the middle part may have to be cut
    to what is left between the others. None where there is no room to say it."""
    phrases = _phrases(question, _meant(question, mux))
    for before, subject, after in phrases:
        if width(before) + width(subject) + width(after) <= cells:
            return before, subject, after
    before, subject, after = phrases[-1]
    room = cells - width(before) - width(after)
    return (before, subject, after) if room >= min(LEAST, width(subject)) else None


def clicked(question: Question, mux: MuxView, cells: int, x: int) -> str:
    """The answer that stands in the column `x` of the line: "y", "n" or a digit; "" where none does."""
    if question.choice:
        at = 1
        for number, agent in enumerate(choices(question, mux, cells), 1):
            end = at + len("1 ") + width(label(agent))
            if at <= x < end:
                return str(number)
            at = end + 1
        return ""
    said = words(question, mux, cells)
    if said is None:
        return ""
    before, subject, after = said
    end = width(before) + min(width(subject), cells - width(before) - width(after)) + width(after)
    return {end - 3: "y", end - 1: "n"}.get(x, "")


LEAST = 3
"""Cells of a name, below which it says nothing."""


def _phrases(question: Question, agents: Sequence[Agent]) -> list[tuple[str, str, str]]:
    """The same question, first in many words, then in few."""
    name = clean(question.name)
    who = clean(agents[0].agent) if agents else ""
    if question.several and agents:
        who = label(agents[0])
    match question.act:
        case "kill-session":
            count = len(question.agents)
            more = f" and {count} agent{'s' if count > 1 else ''}" if count else ""
            return [(" kill session ", name, more + ANSWERS), (" kill ", name, ANSWERS)]
        case "kill-agent":
            return [(" kill ", who, f" in {name}{ANSWERS}"), (" kill ", who, ANSWERS)]
        case "hibernate":
            return [(" hibernate ", who, f" in {name}{ANSWERS}"), (" hibernate ", who, ANSWERS)]
        case "resume":
            return [(" resume ", who, f" in {name}{ANSWERS}"), (" resume ", who, ANSWERS)]
        case "approve" | "deny":
            return [(f" {question.act} ", who, f" in {name}{ANSWERS}"), (f" {question.act} ", who, ANSWERS)]
        case "reap":
            orphans = f"{question.orphans} orphan{'s' if question.orphans > 1 else ''}"
            return [(" reap ", orphans, ANSWERS)]


def _meant(question: Question, mux: MuxView) -> tuple[Agent, ...]:
    row = mux.row(question.session)
    agents = row.agents if row else ()
    return tuple(agent for agent in agents if agent.id in question.agents)


def _fit(act: Act, row: Row) -> tuple[Agent, ...]:
    """The agents of a row to which it can be done."""
    if act in ("approve", "deny"):
        return tuple(agent for agent in row.agents if agent.state == "waiting" and agent.liveness == "alive")
    if act == "resume":
        return tuple(agent for agent in row.agents if agent.state == "hibernated")
    return tuple(agent for agent in row.agents if agent.liveness != "exited")
