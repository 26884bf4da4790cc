"""What is worth telling the user, in which words, to whom, and how often. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from opensessions.fields import clean
from opensessions.model import Agent, AgentState, Entry, Inventory, Row

WINDOW = 10.0
"""Seconds in which nothing is told twice, and no more than MOST in all."""
MOST = 5
HELD = 200
"""Notices that wait for a summary; a longer list says nothing more."""

NAME, TITLE, PROMPT, DETAIL = 100, 200, 500, 100
"""Longest texts, in characters."""

WORDS: Mapping[AgentState, tuple[str, str]] = {
    "waiting": ("waits for you", "wait for you"),
    "error": ("has failed", "have failed"),
    "done": ("has finished", "have finished"),
}
"""The states that are told: of one agent, and of several."""


class Notice(Struct, frozen=True):
    """Something to tell. Every text in it is free of control characters."""

    title: str
    detail: str
    mux: str
    session: str
    """The session's id."""
    key: str
    """Two notices with one key say the same."""
    pane: str = ""
    agent: str = ""
    """The agent's id; "" where a script speaks."""
    state: str = ""
    facts: Mapping[str, str] = {}
    """For the user's own command, by names in capitals."""

    @property
    def text(self) -> str:
        """It in one line."""
        return f"{self.title}: {self.detail}" if self.detail else self.title


# --- what -------------------------------------------------------------------------------------------------


def known(rows: Iterable[Row]) -> dict[str, tuple[Row, Agent]]:
    """The agents in these rows by their ids; one in a window that is linked twice counts once, in the first row."""
    found: dict[str, tuple[Row, Agent]] = {}
    for row in rows:
        for agent in row.agents:
            found.setdefault(agent.id, (row, agent))
    return found


def news(
    before: Mapping[str, Agent], now: Mapping[str, tuple[Row, Agent]], begun: float
) -> list[tuple[Row, Agent]]:
    """The agents that nobody looks at and that wait, have failed or have finished since `before`.

    Nothing that was so already when this server began to look, `begun` seconds since the epoch, is news.
    """
    return [(row, agent) for row, agent in now.values() if _new(before.get(agent.id), agent, begun)]


def _new(old: Agent | None, agent: Agent, begun: float) -> bool:
    if not agent.unseen or agent.state not in WORDS or old is None or 0 < agent.since < begun:
        return False
    if old.since == agent.since and old.state in ("idle", agent.state):
        return False  # the user has taken a dismissal back
    return not old.unseen or old.state != agent.state or agent.since > old.since


def still(notice: Notice, now: Mapping[str, tuple[Row, Agent]]) -> bool:
    """Is it so yet, and unseen? What a script said always is."""
    if not notice.agent:
        return True
    found = now.get(notice.agent)
    return found is not None and found[1].unseen and found[1].state == notice.state


# --- in which words ---------------------------------------------------------------------------------------


def of_agent(mux: str, row: Row, agent: Agent, directory: str = "") -> Notice:
    """What the state of an agent says that works in `directory`."""
    name, session = clean(agent.agent, NAME), clean(row.name, NAME)
    title, prompt = clean(agent.title or "", TITLE), clean(agent.prompt or "", PROMPT)
    waiting_for = clean(agent.waiting_for or "", TITLE)
    detail = (waiting_for if agent.state == "waiting" else "") or title or prompt
    facts = {
        "AGENT": name, "STATE": agent.state, "SESSION": session, "MUX": mux, "PANE": agent.pane,
        "DIRECTORY": clean(directory or row.dir, 4096), "TITLE": title, "PROMPT": prompt, "WAITING_FOR": waiting_for,
    }  # fmt: skip
    return Notice(
        title=f"{name} in {session} {WORDS[agent.state][0]}",
        detail=clean(detail, DETAIL),
        mux=mux,
        session=row.id,
        key=f"{mux} {agent.id} {agent.state}",
        pane=agent.pane,
        agent=agent.id,
        state=agent.state,
        facts=facts,
    )


def of_message(mux: str, row: Row, pane: str, entry: Entry) -> Notice:
    """What a script says."""
    session = clean(row.name, NAME)
    facts = {
        "STATE": "message", "SESSION": session, "MUX": mux, "PANE": pane, "DIRECTORY": clean(row.dir, 4096),
        "TONE": entry.tone, "SOURCE": entry.source or "",
    }  # fmt: skip
    return Notice(
        title=f"{entry.source} in {session}" if entry.source else session,
        detail=entry.message,
        mux=mux,
        session=row.id,
        key=f"{mux} {row.id} {entry.source} {entry.message}",
        pane=pane,
        facts=facts,
    )


def summary(notices: Collection[Notice]) -> Notice:
    """Many in one."""
    parts = []
    for state, (one, many) in WORDS.items():
        count = sum(notice.state == state for notice in notices)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    messages = sum(not notice.agent for notice in notices)
    if messages:
        parts.append(f"{messages} {'message' if messages == 1 else 'messages'}")
    facts = {"STATE": "summary", "COUNT": str(len(notices))}
    return Notice(f"{len(notices)} more", ", ".join(parts), "", "", "", facts=facts)


# --- to whom ----------------------------------------------------------------------------------------------


def in_view(inventory: Inventory, pane: str) -> frozenset[str]:
    """The names of the viewers that have this pane on their screens."""
    found = inventory.pane(pane)
    window = inventory.windows.get(found.window) if found else None
    if found is None or window is None or (window.zoomed and not found.active):
        return frozenset()
    return frozenset(name for name, shown in inventory.shown().items() if shown == window.id)


def watched(inventory: Inventory, pane: str) -> bool:
    """Does somebody have it on a screen, and that terminal the focus as far as it tells?"""
    names = in_view(inventory, pane)
    return any(client.focused for client in inventory.viewers() if client.name in names)


# --- how often --------------------------------------------------------------------------------------------


class Pace(Struct, frozen=True):
    """What was told lately, and what waits for a summary. Times are a monotonic clock's."""

    told: tuple[tuple[float, frozenset[str]], ...] = ()
    """When, and the keys that it told."""
    held: tuple[Notice, ...] = ()

    def due(self) -> float:
        """When there is room again."""
        return self.told[0][0] + WINDOW if self.told else 0.0


def admit(pace: Pace, notice: Notice, now: float) -> tuple[Pace, bool]:
    """The pace after one more, and whether it is told now. One that was told a moment ago is dropped, one too many is
    held."""
    told = _recent(pace, now)
    if any(notice.key in keys for _, keys in told) or any(notice.key == held.key for held in pace.held):
        return Pace(told, pace.held), False
    if pace.held or len(told) >= MOST:
        return Pace(told, (*pace.held, notice)[-HELD:]), False
    return Pace((*told, (now, frozenset({notice.key})))), True


def release(
    pace: Pace, now: float, agents: Mapping[str, Mapping[str, tuple[Row, Agent]]]
) -> tuple[Pace, Notice | None]:
    """The pace without what was held, and what is to be told of that: nothing where none of it is so any more.
    `agents`: for each multiplexer what `known` tells."""
    told = _recent(pace, now)
    held = [notice for notice in pace.held if still(notice, agents.get(notice.mux, {}))]
    if not held:
        return Pace(told), None
    keys = frozenset(notice.key for notice in held)
    return Pace((*told, (now, keys))), held[0] if len(held) == 1 else summary(held)


def _recent(pace: Pace, now: float) -> tuple[tuple[float, frozenset[str]], ...]:
    return tuple(each for each in pace.told if each[0] + WINDOW > now)


# --- what programs are told -------------------------------------------------------------------------------

Desktop = Literal["notify-send", "osascript"]

SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)


def desktop(program: Desktop, path: str, notice: Notice) -> list[str]:
    """The arguments that show it on the desktop. Texts are arguments of their own, never part of a script."""
    if program == "osascript":
        lines = [word for line in SCRIPT for word in ("-e", line)]
        return [path, *lines, "--", notice.title, notice.detail]
    # The body is markup to most desktops.
    return [path, "--app-name=opensessions", "--", notice.title, _escaped(notice.detail)]


def _escaped(text: str) -> str:
    """As text between tags. The module `html` would bring the names of 2,231 characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def command(argv: Iterable[str], notice: Notice) -> list[str]:
    """The user's own command: an argument that is `{text}` and nothing else becomes the notice in one line. Within an
    argument it does not, since that may be a script."""
    text = notice.text
    return [(f" {text}" if text.startswith("-") else text) if word == "{text}" else word for word in argv]


def environment(notice: Notice) -> dict[str, str]:
    """The facts as environment variables."""
    return {f"OPENSESSIONS_{name}": value for name, value in {**notice.facts, "TEXT": notice.text}.items()}
