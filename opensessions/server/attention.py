"""The verbs that are about agents: who wants the user, going there and back, why an agent has its state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from opensessions.attend import Call, calls, following
from opensessions.errors import Refused
from opensessions.events import AgentDismissed
from opensessions.model import Agent, Client
from opensessions.provider import SwitchClient
from opensessions.server.bus import Bus
from opensessions.server.explain import explain
from opensessions.server.muxes import Muxes
from opensessions.server.tracking import Tracker
from opensessions.server.verbs import Arguments, Verbs, needed

BACK = 20
"""Places that are remembered for each client."""

Who = tuple[str, str, int]
"""A client: its multiplexer, name and process. A name is a terminal's, and the next client's on it as well."""


class Attention:
    """`attention`, `attention-back`, `agent-focus`, `agent-dismiss`, `explain`."""

    def __init__(self, bus: Bus, muxes: Muxes, verbs: Verbs, tracker: Tracker) -> None:
        self._bus = bus
        self._muxes = muxes
        self._verbs = verbs
        self._tracker = tracker
        self._back: dict[Who, list[tuple[str, str]]] = {}
        """Client -> (session, pane) where it was before each jump."""
        verbs.add("attention", self._attention)
        verbs.add("attention-back", self._return)
        verbs.add("agent-focus", self._focus)
        verbs.add("agent-dismiss", self._dismiss)
        verbs.add("explain", self._explain)

    async def _attention(self, arguments: Arguments) -> object:
        """To the pane that wants the user most; pressed again there, to the next one."""
        key, client = self._asked(arguments)
        wanting = calls((mux, agent) for mux, agent in self._agents() if mux == key)
        call = following(wanting, self._here(key, client))
        if call is None:
            raise Refused("No other agent needs you." if wanting else "No agent needs you.")
        await self._jump(call, client)
        return {"pane": call.pane, "agent": call.agent, "left": max(0, len(wanting) - 1)}

    async def _jump(self, call: Call, client: str) -> None:
        who, place = self._who(call.mux, client), self._place(call.mux, client)
        session = self._session(call.mux, call.pane, place[0] if place else "")
        if not session:
            raise Refused("That agent's pane is gone.")
        await self._muxes.get(call.mux).provider.do(SwitchClient(client, session, pane=call.pane))
        there = {self._who(call.mux, one.name) for one in self._viewers(call.mux)}
        self._back = {one: back for one, back in self._back.items() if one[0] != call.mux or one in there}
        if who and place and place != (session, call.pane):
            self._back[who] = [*self._back.get(who, []), place][-BACK:]

    async def _return(self, arguments: Arguments) -> object:
        """To where the client was before the last jump. Places that are gone are passed over, and the one where it
        is."""
        key, client = self._asked(arguments)
        who, here = self._who(key, client), self._place(key, client)
        stack = self._back.get(who, []) if who else []
        while stack:
            session, pane = stack.pop()
            inventory = self._bus.state.muxes[key].inventory
            if (session, pane) == here or inventory is None or inventory.session(session) is None:
                continue
            there = pane if pane in inventory.panes_of(session) else ""
            await self._muxes.get(key).provider.do(SwitchClient(client, session, pane=there))
            return {"session": session, "pane": there or None}
        raise Refused("There is no place to go back to.")

    async def _focus(self, arguments: Arguments) -> object:
        mux, agent = self.meant(arguments)
        await self._jump(Call(mux, agent.pane, agent.id), self._verbs.client(mux, arguments))
        return {"pane": agent.pane, "agent": agent.id}

    async def _dismiss(self, arguments: Arguments) -> object:
        mux, agent = self.meant(arguments)
        self._bus.dispatch(AgentDismissed(mux, agent.id))
        return {"agent": agent.id}

    async def _explain(self, arguments: Arguments) -> object:
        mux, agent = self.meant(arguments)
        nap = self._bus.state.muxes[mux].asleep.get(agent.id)
        now = asyncio.get_running_loop().time()
        return explain(agent, mux, self._tracker.get(agent.id), now, nap.resume if nap else ())

    def _asked(self, arguments: Arguments) -> tuple[str, str]:
        """The multiplexer and the client. Refused where there are none."""
        key = self._verbs.pick(arguments)
        self._muxes.get(key)
        return key, self._verbs.client(key, arguments)

    # --- what is meant --------------------------------------------------------------------------------------

    def _agents(self) -> list[tuple[str, Agent]]:
        return [
            (key, agent)
            for key, mux in self._bus.state.muxes.items()
            for group in mux.agents.values()
            for agent in group
        ]

    def meant(self, arguments: Arguments) -> tuple[str, Agent]:
        """The agent that `target` means: its id, its pane's id, or a session's id or name if that has one agent only;
        where several multiplexers have one, that in `mux`. Living ones come first. Refused where it means none or
        several."""
        target = needed(arguments, "target")
        gone = [(key, past.agent) for key, mux in self._bus.state.muxes.items() for past in mux.gone.values()]
        asleep = [
            (key, nap.agent) for key, mux in self._bus.state.muxes.items() for nap in mux.asleep.values()
        ]
        there = {agent.id for _, agent in self._agents()}
        everybody = [*self._agents(), *(each for each in asleep if each[1].id not in there), *gone]
        for found in (
            [each for each in everybody if each[1].id == target],
            [each for each in everybody if each[1].pane == target],
            [each for each in everybody if target in self._names(each[0], each[1])],
        ):
            near = [each for each in found if each[0] == arguments.get("mux")] or found
            living = [each for each in near if each[1].liveness == "alive"] or near
            if len(living) == 1:
                return living[0]
            if living:
                panes = {agent.pane for _, agent in living}
                told = ", ".join(
                    f"{agent.pane if len(panes) == len(living) else agent.id} ({agent.agent})"
                    for _, agent in living
                )
                raise Refused(f"{target[:100]} has several agents: {told}; name one of these.")
        raise Refused(f"There is no agent in {target[:100]!a}; `opensessions list` shows where agents are.")

    def _names(self, key: str, agent: Agent) -> tuple[str, ...]:
        view = self._bus.view(key)
        rows = [row for row in view.sessions if agent in row.agents] if view else []
        return tuple(name for row in rows for name in (row.id, row.name, f"={row.name}"))

    def _session(self, key: str, pane: str, near: str) -> str:
        """A session that holds the pane: `near` if it does, since a window may be in several; "" where none does."""
        inventory = self._bus.state.muxes[key].inventory
        sessions = inventory.sessions if inventory else ()
        holding = [each.id for each in sessions if inventory and pane in inventory.panes_of(each.id)]
        return near if near in holding else next(iter(holding), "")

    def _viewers(self, key: str) -> Sequence[Client]:
        inventory = self._bus.state.muxes[key].inventory
        return inventory.viewers() if inventory else ()

    def _who(self, key: str, client: str) -> Who | None:
        return next(((key, client, one.pid) for one in self._viewers(key) if one.name == client), None)

    def _place(self, key: str, client: str) -> tuple[str, str] | None:
        """(session, pane) that the client looks at."""
        inventory = self._bus.state.muxes[key].inventory
        found = next((one for one in self._viewers(key) if one.name == client), None)
        session = inventory.session(found.session) if inventory and found else None
        window = inventory.windows.get(session.current_window) if inventory and session else None
        pane = window.active_pane if window else None
        return (session.id, pane.id) if session and pane else None

    def _here(self, key: str, client: str) -> tuple[str, str] | None:
        place = self._place(key, client)
        return (key, place[1]) if place else None
