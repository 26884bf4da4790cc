"""What the world outside reads without asking: the ordering file's rows and the multiplexer's options. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from opensessions.model import URGENCY, Agent, AgentState, MuxView
from opensessions.provider import Publication
from opensessions.sidebar.view import ASCII, UNICODE
from opensessions.snapshot import urgent
from opensessions.state import Mux

SLOTS = 9

ICONS = {state: UNICODE.states[state][0] for state in URGENCY}
ASCII_ICONS = {state: ASCII.states[state][0] for state in URGENCY}
"""The sidebar's own signs, standing still."""


def ordering(view: MuxView) -> list[tuple[str, str]]:
    """The ordering file's rows."""
    return [(row.id, row.name) for row in view.visible()]


def publication(mux: Mux, view: MuxView, server: dict[str, str], ascii: bool) -> Publication:
    """Every option of contract §3 that has a value now. `server` holds the names that never change."""
    icons = ASCII_ICONS if ascii else ICONS
    values: dict[tuple[str, str], str] = {("", f"opensessions-{name}"): text for name, text in server.items()}
    for row in view.visible()[:SLOTS]:
        values["", f"opensessions-slot-{row.index}"] = row.id
    agents = [agent for group in mux.agents.values() for agent in group]
    values["", "opensessions-status"] = status(agents, icons)
    waiting = [agent for agent in agents if agent.state == "waiting"]
    if waiting:
        values["", "opensessions-attention"] = min(waiting, key=lambda agent: agent.since).pane
    for row in view.sessions:
        if row.state:
            values[row.id, "opensessions-session-state"] = row.state
            values[row.id, "opensessions-session-icon"] = icons[row.state]
    for window in mux.inventory.windows.values() if mux.inventory and mux.agents else ():
        group = tuple(agent for pane in window.panes for agent in mux.agents.get(pane.id, ()))
        state = urgent(group)
        if state:
            values[window.id, "opensessions-window-state"] = state
            values[window.id, "opensessions-window-icon"] = icons[state]
    for pane, found in mux.agents.items():
        state = urgent(found)
        if state:
            values[pane, "opensessions-pane-state"] = state
            values[pane, "opensessions-pane-agent"] = next(
                agent.agent for agent in found if agent.state == state
            )
    return Publication(values)


def status(agents: Iterable[Agent], icons: dict[AgentState, str]) -> str:
    """The agents in one short text, most urgent first: `◆ 1 ● 2 ○ 3`; "" where there are none."""
    counts: dict[AgentState, int] = {}
    for agent in agents:
        counts[agent.state] = counts.get(agent.state, 0) + 1
    return " ".join(f"{icons[state]} {counts[state]}" for state in URGENCY if state in counts)
