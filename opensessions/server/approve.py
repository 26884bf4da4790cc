"""Answering an agent's permission prompt for the user, from a sidebar.

It protects against accidents: a key that arrives in the wrong pane, a prompt that has become another one. It is no wall
against programs of the same user. Everything is looked at anew twice: before the user is asked, and before the key is
pressed.
"""

from __future__ import annotations

import logging

from msgspec import Struct

from opensessions.agents.prompts import PROMPTS, Asked, asked
from opensessions.errors import Refused
from opensessions.model import Agent, Inventory, Row
from opensessions.provider import PressKey, ReadScreen
from opensessions.server.bus import Bus
from opensessions.server.muxes import Muxes
from opensessions.sidebar.confirm import Question, about_prompt

log = logging.getLogger(__name__)


class Seat(Struct, frozen=True):
    """From where something is wanted: the sidebar in this pane, and the process that speaks for it (0: not known). In a
    popup `pane` is ""."""

    mux: str
    pane: str
    pid: int = 0


class Approval:
    """For all sidebars. `owner` marks the panes that are our sidebars. `config`: the path of the file in which it is
    turned on, for sentences."""

    def __init__(self, bus: Bus, muxes: Muxes, owner: str, on: bool, config: str) -> None:
        self._bus = bus
        self._muxes = muxes
        self._owner = owner
        self._on = on
        self._config = config

    async def question(self, seat: Seat, agent: str, allow: bool) -> Question:
        """What to ask the user. Refused where the agent cannot be answered from there, now."""
        row, _, prompt = await self._look(seat, agent)
        return about_prompt(agent, allow, row, prompt.about, prompt.text)

    async def reply(self, seat: Seat, agent: str, allow: bool, text: str) -> str:
        """Press the key that answers the prompt `text`; what was done, in words. Refused, and nothing pressed, where
        anything is otherwise by now."""
        row, there, prompt = await self._look(seat, agent)
        if prompt.text != text:
            raise Refused(f"{there.agent} in {row.name} asks something else by now; look again.")
        key = prompt.prompt.allow if allow else prompt.prompt.deny
        await self._muxes.get(seat.mux).provider.do(PressKey(there.pane, key))
        done = "approved" if allow else "denied"
        log.info(
            "%s in %s of %s was %s from the sidebar %s", there.agent, there.pane, seat.mux, done, seat.pane
        )
        return f"{there.agent} {done}"

    async def _look(self, seat: Seat, id: str) -> tuple[Row, Agent, Asked]:
        if not self._on:
            raise Refused(
                f"To answer agents from here, write `approve: {{from_sidebar: true}}` in {self._config}."
            )
        if not seat.pane:
            raise Refused("An agent is answered from a sidebar, not from a popup.")
        provider = self._muxes.get(seat.mux).provider
        check_seat(seat, await provider.look(), self._owner)
        row, agent = self._waiting(seat.mux, id)
        if agent.agent not in PROMPTS:
            raise Refused(f"{agent.agent} cannot be answered from here: go to its pane.")
        prompt = asked(agent.agent, await provider.do(ReadScreen(agent.pane)))
        if prompt is None:
            raise Refused(
                f"What {agent.agent} in {row.name} asks cannot be answered from here: go to its pane."
            )
        self._waiting(seat.mux, id)  # it may have been answered meanwhile
        return row, agent, prompt

    def _waiting(self, mux: str, id: str) -> tuple[Row, Agent]:
        """The agent, and its session. Refused where it does not wait, or its pane is not its own."""
        view, known = self._bus.view(mux), self._bus.state.muxes.get(mux)
        for row in view.sessions if view and known else ():
            for agent in row.agents:
                if agent.id != id:
                    continue
                if agent.state != "waiting" or agent.liveness != "alive":
                    raise Refused(f"{agent.agent} in {row.name} does not wait for you any more.")
                if known and len(known.agents.get(agent.pane, ())) != 1:
                    raise Refused(f"{agent.pane} has several agents: go there to answer one of them.")
                return row, agent
        raise Refused("That agent is gone.")


def check_seat(seat: Seat, inventory: Inventory, owner: str) -> None:
    """Refused unless it is the process of our own sidebar, in the active pane of a window that a client shows."""
    pane = inventory.pane(seat.pane)
    if pane is None or pane.dead or not owner or pane.mark != owner:
        raise Refused("An agent is answered from a sidebar of this tmux only.")
    if not seat.pid or pane.pid != seat.pid:
        raise Refused("This sidebar was not opened by the server, so no agent is answered from it.")
    if not pane.active or pane.window not in inventory.seen_windows():
        raise Refused("An agent is answered only from a sidebar that you look at, with the focus in it.")
