"""The verbs that are about agents: who wants the user, going there and back, why an agent has its state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from opensessions.attend import Call, calls, following
from opensessions.errors import Refused
from opensessions.events import AgentDismissed
from opensessions.model import Agent, Client
from opensessions.provider import SwitchClient
from opensessions.server.bus import Bus
from opensessions.server.crossing import Crossings, Place, Traveller
from opensessions.server.explain import explain
from opensessions.server.muxes import Muxes
from opensessions.server.tracking import Tracker
from opensessions.server.undo import Undo
from opensessions.server.verbs import Arguments, Verbs, needed

BACK = 20
"""Places that are remembered for each client."""

Verb = Callable[[Arguments], Coroutine[Any, Any, object]]
Who = tuple[str, str, int]
"""A client: its multiplexer, name and process. A name is a terminal's, and the next client's on it as well. A terminal
that has been brought from one multiplexer to another is the process of ours on it, without the other two."""


class Attention:
    """`attention`, `attention-back`, `agent-focus`, `agent-dismiss`, `explain`."""

    def __init__(
        self, bus: Bus, muxes: Muxes, verbs: Verbs, tracker: Tracker, undo: Undo | None = None,
        crossings: Crossings | None = None,
    ) -> None:  # fmt: skip
        """`crossings`: None where clients are to stay in their multiplexer."""
        self._bus = bus
        self._undo = undo or Undo(bus)
        self._muxes = muxes
        self._verbs = verbs
        self._tracker = tracker
        self._crossings = crossings
        self._back: dict[Who, list[Place]] = {}
        """Client -> where it was before each jump."""
        self._turn = asyncio.Lock()
        verbs.add("attention", self._in_turn(self._attention))
        verbs.add("attention-back", self._in_turn(self._return))
        verbs.add("agent-focus", self._focus)
        verbs.add("agent-dismiss", self._dismiss)
        verbs.add("explain", self._explain)

    def _in_turn(self, act: Verb) -> Verb:
        """One at a time: the way back of a jump is known when the client has arrived."""

        async def turn(arguments: Arguments) -> object:
            async with self._turn:
                return await act(arguments)

        return turn

    async def _attention(self, arguments: Arguments) -> object:
        """To the pane that wants the user most; pressed again there, to the next one."""
        key, client = self._asked(arguments)
        traveller = await self._traveller(key, client)
        wanting = calls((mux, agent) for mux, agent in self._agents() if self._counts(mux, key))
        here = self._here(key, client)
        call = following(wanting, here)
        if call and call.mux != key and self._crossings and not self._crossings.can_leave(key, traveller):
            # Whoever waits where it cannot be brought must not hide those who wait here.
            call = following([each for each in wanting if each.mux == key], here) or call
        if call is None:
            raise Refused("No other agent needs you." if wanting else "No agent needs you.")
        await self._jump(call, key, client, traveller)
        return {"pane": call.pane, "agent": call.agent, "left": max(0, len(wanting) - 1)}

    def _counts(self, mux: str, key: str) -> bool:
        """Is one who waits in `mux` anything to a client in `key`?"""
        return mux == key or (self._crossings is not None and self._bus.state.muxes[mux].reachable)

    async def _jump(self, call: Call, key: str, client: str, traveller: Traveller | None) -> None:
        """To the agent's pane, from the multiplexer `key`."""
        who, place = self._who(key, client, traveller), self._place(key, client)
        session = self._session(call.mux, call.pane, place.session if place and key == call.mux else "")
        if not session:
            raise Refused("That agent's pane is gone.")
        there = Place(call.mux, session, call.pane)
        self._forget(key, traveller)
        stack = self._back.get(who, []) if who else []
        if who and place and place != there:
            stack = [*stack, place][-BACK:]
        await self._go(key, client, there, who, stack)

    async def _go(self, key: str, client: str, to: Place, who: Who | None, stack: list[Place]) -> None:
        """Show a place on a client. The way back is remembered under the name that it has there."""
        if to.mux == key:
            named = await self._muxes.get(key).provider.do(SwitchClient(client, to.session, pane=to.pane))
            if named and who and who[0]:
                self._back.pop(who, None)
                who = (key, named, who[2])
        elif self._crossings is None:
            raise Refused("That is in another multiplexer.")
        else:
            await self._crossings.go(key, client, to)
            if who:
                self._back.pop(who, None)
                who = ("", "", who[2])
        if who:
            self._back[who] = stack

    async def _traveller(self, key: str, client: str) -> Traveller | None:
        return await self._crossings.traveller(key, client) if self._crossings else None

    def _forget(self, key: str, traveller: Traveller | None) -> None:
        """The ways back of clients that are gone."""
        there = {self._who(key, one.name) for one in self._viewers(key)}
        living = self._crossings.living() if self._crossings and any(not one[0] for one in self._back) else ()
        self._back = {
            one: back
            for one, back in self._back.items()
            if (one in there or one[0] != key if one[0] else one[2] in living)
        }

    async def _return(self, arguments: Arguments) -> object:
        """To where the client was before the last jump. Places that are gone are passed over, and the one where it
        is."""
        key, client = self._asked(arguments)
        who = self._who(key, client, await self._traveller(key, client))
        here = self._place(key, client)
        stack = self._back.get(who, []) if who else []
        while stack:
            place = stack.pop()
            known = self._bus.state.muxes.get(place.mux)
            inventory = known.inventory if known else None
            if place == here or inventory is None or inventory.session(place.session) is None:
                continue
            there = place.pane if place.pane in inventory.panes_of(place.session) else ""
            await self._go(key, client, Place(place.mux, place.session, there), who, stack)
            return {"session": place.session, "pane": there or None}
        raise Refused("There is no place to go back to.")

    async def _focus(self, arguments: Arguments) -> object:
        mux, agent = self.meant(arguments)
        near = arguments.get("mux", "")
        # Who asks in another multiplexer is brought there; without a client to bring, one that is there is meant.
        key = near if near in self._muxes.muxes and (arguments.get("client") or self._viewers(near)) else mux
        key = key if self._crossings else mux
        client = self._verbs.client(key, arguments)
        await self._jump(Call(mux, agent.pane, agent.id), key, client, await self._traveller(key, client))
        return {"pane": agent.pane, "agent": agent.id}

    async def _dismiss(self, arguments: Arguments) -> object:
        mux, agent = self.meant(arguments)
        self._undo.do(AgentDismissed(mux, agent.id))
        return {"agent": agent.id}

    async def _explain(self, arguments: Arguments) -> object:
        mux, agent = self.meant(arguments)
        nap = self._bus.state.muxes[mux].asleep.get(agent.id)
        now = asyncio.get_running_loop().time()
        dismissed = self._bus.state.muxes[mux].dismissed.get(agent.id)
        return explain(
            agent,
            mux,
            self._tracker.get(agent.id),
            now,
            nap.resume if nap else (),
            dismissed[0] if dismissed else None,
        )

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

    def _who(self, key: str, client: str, traveller: Traveller | None = None) -> Who | None:
        if traveller:
            return ("", "", traveller.pid)
        # One that has just arrived may not have been read yet.
        known = ((key, client, one.pid) for one in self._viewers(key) if one.name == client)
        return next(known, (key, client, 0))

    def _place(self, key: str, client: str) -> Place | None:
        """What the client looks at; without a pane where that is none of the listed ones."""
        inventory = self._bus.state.muxes[key].inventory
        found = next((one for one in self._viewers(key) if one.name == client), None)
        session = inventory.session(found.session) if inventory and found else None
        window = inventory.windows.get(session.current_window) if inventory and session else None
        pane = window.active_pane if window else None
        return Place(key, session.id, pane.id if pane else "") if session else None

    def _here(self, key: str, client: str) -> tuple[str, str] | None:
        place = self._place(key, client)
        return (key, place.pane) if place else None
