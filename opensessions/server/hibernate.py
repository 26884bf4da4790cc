"""Puts agents to sleep that nobody has used for long, keeps their rows, and wakes them: `agent-hibernate`,
`agent-resume`, and `hibernate.after`.

One timer is set, for whatever is due next; nothing is looked at in between.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from opensessions.attend import Nap, asleep
from opensessions.errors import MuxError, OpenSessionsError, Refused
from opensessions.events import AgentDismissed, AgentHibernated
from opensessions.model import Agent
from opensessions.processes import census
from opensessions.processes.census import Census
from opensessions.processes.source import ProcessSource
from opensessions.provider import Announce, TypeLine
from opensessions.server.attention import Attention
from opensessions.server.bus import Bus
from opensessions.server.ender import Target, done
from opensessions.server.endings import Endings
from opensessions.server.hindrances import hindrance
from opensessions.server.muxes import Muxes
from opensessions.server.resting import command, interactive, line, prompt, unfit
from opensessions.server.supervise import through
from opensessions.server.tracking import Tracker
from opensessions.server.verbs import Arguments, Verbs
from opensessions.state import Mux, State

log = logging.getLogger(__name__)

LONGEST = 86_400.0
"""Seconds for which a timer is set; it is set again then."""


class Hibernation:
    """All multiplexers' agents that rest, and those that sleep."""

    def __init__(
        self, bus: Bus, muxes: Muxes, verbs: Verbs, attention: Attention, tracker: Tracker, endings: Endings,
        source: ProcessSource, after: float, spawn: Callable[[Coroutine[Any, Any, None]], Any],
    ) -> None:  # fmt: skip
        """`after`: seconds of rest before an agent is put to sleep; 0 for never."""
        self._bus = bus
        self._muxes = muxes
        self._attention = attention
        self._tracker = tracker
        self._endings = endings
        self._source = source
        self._after = after
        self._spawn = spawn
        self._left: dict[str, float] = {}
        """When the pane of each agent was last on a screen, in seconds since the epoch."""
        self._tried: dict[str, float] = {}
        """By the agent's id, the `since` of the rest in which it could not be put to sleep."""
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._working = False
        verbs.add("agent-hibernate", self._hibernate)
        verbs.add("agent-resume", self._resume)
        bus.observe(self._on_change)

    def close(self) -> None:
        """Set no timer any more."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
            self._timer = None

    # --- on request -----------------------------------------------------------------------------------------

    async def _hibernate(self, arguments: Arguments) -> object:
        mux, agent = self._attention.meant(arguments)
        if agent.state == "hibernated":
            raise Refused(f"{agent.agent} in {agent.pane} hibernates already.")
        why = f"The user asked to hibernate {agent.agent} in {agent.pane}."
        nap = await through(self._put_to_sleep(mux, agent, why))
        return {"pane": agent.pane, "agent": agent.agent, "resume": shlex.join(nap.resume)}

    async def _put_to_sleep(self, mux: str, agent: Agent, why: str, asked: bool = True) -> Nap:
        """End it and keep its row. Refused where it may not hibernate, or does not end: then its row is as before.
        `asked`: by the user, at this moment."""
        words = self._fit(mux, agent)

        def hindered(pane: int, target: Target, table: Census) -> str:
            return hindrance(self._source, agent, pane, target.tree, table, asked)

        target = await self._endings.agent(mux, agent, hindered)
        tracked = self._tracker.get(agent.id)
        folder = (tracked.cwd if tracked else "").encode("utf-8", "replace").decode()  # the file is UTF-8
        outcomes = await self._endings.end_agent(target, why, lambda: self._barred(mux, agent))
        if failed := str(done(outcomes)["failed"]):
            raise Refused(f"{agent.agent} in {agent.pane} does not hibernate: {failed}")
        known = self._bus.state.muxes.get(mux)
        nap = Nap(asleep(agent, time.time()), words, folder, known.generation if known else "")
        self._bus.dispatch(AgentHibernated(mux, nap))
        return nap

    def _fit(self, mux: str, agent: Agent) -> tuple[str, ...]:
        """How it will be resumed. Refused where it may not hibernate."""
        known, now = self._now(mux, agent.id)
        if known is None or now is None:
            raise Refused(f"{agent.agent} in {agent.pane} does not run any more.")
        words = self._command(now)
        reason = unfit(
            now, words, known.agents.get(now.pane, ()), known.inventory if known.reachable else None
        )
        if reason:
            raise Refused(reason)
        return words

    def _barred(self, mux: str, agent: Agent) -> str:
        try:
            self._fit(mux, agent)  # it may have begun to work meanwhile, or somebody have come to look
        except Refused as error:
            return str(error)
        return ""

    def _now(self, mux: str, id: str) -> tuple[Mux | None, Agent | None]:
        known = self._bus.state.muxes.get(mux)
        living = (agent for group in known.agents.values() for agent in group) if known else iter(())
        return known, next((agent for agent in living if agent.id == id), None)

    def _command(self, agent: Agent) -> tuple[str, ...]:
        tracked = self._tracker.get(agent.id)
        return command(tracked.found.kind.resume, agent.thread) if tracked else ()

    async def _resume(self, arguments: Arguments) -> object:
        """Type the command where a shell waits for one; else tell it, and why it was not typed."""
        mux, nap = self._sleeper(arguments)
        words = shlex.join(nap.resume)
        told = {"pane": nap.agent.pane, "command": words, "folder": nap.folder, "typed": True, "why": ""}
        try:
            provider = self._muxes.get(mux).provider
            inventory = await provider.look()
            pane = inventory.pane(nap.agent.pane)
            if pane is None or pane.dead:
                raise Refused(f"Nothing runs in {nap.agent.pane}.")
            text = await asyncio.to_thread(self._typed, nap, pane.pid)
            await provider.do(TypeLine(pane.id, text))
        except (MuxError, Refused) as error:
            return {**told, "typed": False, "why": str(error)}
        return told

    def _typed(self, nap: Nap, shell: int) -> str:
        """The line to type. Refused where nobody waits for it."""
        chain = prompt(shell, census.take(self._source))
        if not chain or not interactive(self._source.program(chain[-1])[0]):
            raise Refused(f"No shell waits at its prompt in {nap.agent.pane}.")
        text = line(nap.resume, nap.folder, self._source.folder(chain[-1]))
        if text is None:
            raise Refused("The command holds characters that not every shell reads alike.")
        return text

    def _sleeper(self, arguments: Arguments) -> tuple[str, Nap]:
        """The hibernated agent that `target` means: its id, its pane, or its session if that has no other one."""
        target = arguments.get("target", "")
        found = [
            (key, nap)
            for key, mux in self._bus.state.muxes.items()
            for nap in mux.asleep.values()
            if target in (nap.agent.id, nap.agent.pane) or target in self._names(key, nap.agent)
        ]
        near = [each for each in found if each[0] == arguments.get("mux")] or found
        if len(near) == 1:
            return near[0]
        if near:
            panes = ", ".join(nap.agent.pane for _, nap in near)
            raise Refused(
                f"{target[:100]} has several hibernated agents, in {panes}; name one of these panes."
            )
        raise Refused(f"No agent hibernates in {target[:100]!a}; `opensessions list` shows where they do.")

    def _names(self, key: str, agent: Agent) -> tuple[str, ...]:
        view = self._bus.view(key)
        rows = [row for row in view.sessions if agent in row.agents] if view else []
        return tuple(name for row in rows for name in (row.id, row.name, f"={row.name}"))

    # --- in time --------------------------------------------------------------------------------------------

    def _on_change(self, new: State, old: State) -> None:
        if not self._after and all(
            mux.asleep is (old.muxes[key].asleep if key in old.muxes else None)
            for key, mux in new.muxes.items()
        ):
            return
        if self._after:
            self._note_screens(new)
        self._set_timer()

    def _note_screens(self, state: State) -> None:
        """Who is on a screen now rests from now on at the earliest: the user may have begun to type."""
        now = time.time()
        living = {
            agent.id for mux in state.muxes.values() for group in mux.agents.values() for agent in group
        }
        self._left = {id: at for id, at in self._left.items() if id in living}
        self._tried = {id: since for id, since in self._tried.items() if id in living}
        for mux in state.muxes.values():
            seen = mux.inventory.seen_windows() if mux.inventory and mux.agents else frozenset()
            for window in seen:
                shown = mux.inventory.windows.get(window) if mux.inventory else None
                for pane in shown.panes if shown else ():
                    for agent in mux.agents.get(pane.id, ()):
                        self._left[agent.id] = now

    def _resting(self) -> Iterator[tuple[float, str, Agent]]:
        """Those that may be put to sleep, and when they are due."""
        for key, mux in self._bus.state.muxes.items() if self._after else ():
            inventory = mux.inventory if mux.reachable else None
            for group in mux.agents.values():
                for agent in group:
                    if self._tried.get(agent.id) == agent.since:
                        continue
                    if not unfit(agent, self._command(agent), group, inventory):
                        rests = max(agent.since, self._left.get(agent.id, 0.0))
                        yield rests + self._after, key, agent

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._closed or self._working:
            return
        moments = [at for at, _, _ in self._resting()]
        moments += [nap.due() for mux in self._bus.state.muxes.values() for nap in mux.asleep.values()]
        if moments:
            wait = min(max(0.0, min(moments) - time.time()), LONGEST)
            self._timer = asyncio.get_running_loop().call_later(wait + 0.05, self._due)

    def _due(self) -> None:
        self._timer = None
        self._working = True
        self._spawn(self._work())

    async def _work(self) -> None:
        """All that is due, one after the other."""
        try:
            now = time.time()
            for key, mux in tuple(self._bus.state.muxes.items()):
                for id, nap in tuple(mux.asleep.items()):
                    if nap.due() <= now:
                        self._bus.dispatch(AgentDismissed(key, id))
            for at, key, agent in sorted(self._resting(), key=lambda each: (each[0], each[1], each[2].id)):
                if at <= now:
                    await self._by_itself(key, agent)
        finally:
            self._working = False
            self._set_timer()

    async def _by_itself(self, key: str, agent: Agent) -> None:
        """Put one to sleep. Where that fails it is not tried again before its next rest, and the user is told."""
        try:
            await self._put_to_sleep(
                key, agent, f"{agent.agent} in {agent.pane} has rested for {self._after:g} s.", asked=False
            )
            log.info("%s in %s of %s hibernates", agent.agent, agent.pane, key)
        except OpenSessionsError as error:
            log.warning("%s", error)
            self._tried[agent.id] = agent.since
            await self._tell(key, str(error))

    async def _tell(self, key: str, text: str) -> None:
        known = self._bus.state.muxes.get(key)
        viewers = known.inventory.viewers() if known and known.inventory else ()
        if not viewers:
            return
        try:
            await self._muxes.get(key).provider.do(Announce(tuple(one.name for one in viewers), text))
        except OpenSessionsError as error:
            log.info("%s", error)
