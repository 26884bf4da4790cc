"""Ending what the user points at: an agent, a pane with all in it, a session with all that only it shows.

Each verb has two phases. Without a token it tells what would be ended, and does nothing. With the token of that preview
it does it, if everything that was shown is still the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opensessions.agents.track import clean
from opensessions.errors import Refused
from opensessions.model import Agent, Inventory, Session
from opensessions.processes.census import Census
from opensessions.processes.identity import ProcId
from opensessions.processes.killer import Outcome
from opensessions.processes.source import ProcessSource
from opensessions.processes.targets import own_panes, token, tree_of
from opensessions.provider import Command, KillPane, KillSession, SwitchClient
from opensessions.server.attention import Attention
from opensessions.server.bus import Bus
from opensessions.server.ender import Ender, Target, done
from opensessions.server.muxes import Muxes
from opensessions.server.supervise import through
from opensessions.server.tracking import Tracker
from opensessions.server.verbs import Arguments, Verbs, needed

CHANGED = "It is not what you confirmed any more; look again."


class Endings:
    """`agent-kill`, `pane-kill`, `session-kill`."""

    def __init__(
        self, bus: Bus, muxes: Muxes, verbs: Verbs, attention: Attention, tracker: Tracker, source: ProcessSource,
        ender: Ender,
    ) -> None:  # fmt: skip
        self._bus = bus
        self._muxes = muxes
        self._verbs = verbs
        self._attention = attention
        self._tracker = tracker
        self._source = source
        self._ender = ender
        verbs.add("agent-kill", self._kill_agent)
        verbs.add("pane-kill", self._kill_pane)
        verbs.add("session-kill", self._kill_session)

    # --- an agent -------------------------------------------------------------------------------------------

    async def _kill_agent(self, arguments: Arguments) -> object:
        mux, agent = self._attention.meant(arguments)
        target = await self.agent(mux, agent)
        if "token" not in arguments:
            return await self._preview(target)
        _compare(arguments, target)
        return await through(self._end_now(mux, agent, target))

    async def _end_now(self, mux: str, agent: Agent, target: Target) -> object:
        if target.told["closes"]:
            await self._make_way(mux, agent.pane)
        return done(await self.end_agent(target, f"The user asked to kill {target.title}."))

    async def agent(
        self, mux: str, agent: Agent, hindrance: Callable[[int, Target, Census], str] = lambda *_: ""
    ) -> Target:
        """The agent with its tree. Refused where it does not run, or its tree holds what must not be ended; MuxError
        where the multiplexer does not answer. `hindrance` is asked, in a thread, for a further reason why not: it gets
        the pid of the pane's own process."""
        tracked = self._tracker.get(agent.id)
        title = f"{agent.agent} in {agent.pane}"
        if tracked is None:
            raise Refused(f"{title} does not run any more.")
        panes = frozenset({agent.pane})
        look = await self._ender.look(mux, panes)
        root = look.census.identity(tracked.found.pid)
        if root is None or root.start != tracked.found.start:
            raise Refused(f"{title} has just exited.")
        tree = tree_of(root.pid, look.census)
        if reason := await self._ender.reason(tree, look):
            raise Refused(f"{title} cannot be ended: {reason}")
        pane = look.inventory.pane(agent.pane)
        told = {
            "pane": agent.pane,
            "agent": agent.agent,
            "id": agent.id,
            "state": agent.state,
            "closes": pane is not None and pane.pid == root.pid,
        }
        target = Target(
            mux, look.server, title, token("agent", mux, agent.id, root), panes, tree, look.census.at, told
        )
        if reason := await asyncio.to_thread(hindrance, pane.pid if pane else 0, target, look.census):
            raise Refused(reason)
        return target

    async def end_agent(
        self, target: Target, why: str, bar: Callable[[], str] = lambda: ""
    ) -> tuple[Outcome, ...]:
        """End it. Refused, before any signal, where that may not be. `bar` is asked last of all why it must not be."""
        with self._ender.at_work():
            outcomes = await self._ender.end(target, target.tree, why, bar=bar)
        self._muxes.get(target.mux).provider.refresh()
        return outcomes

    # --- a pane ---------------------------------------------------------------------------------------------

    async def _kill_pane(self, arguments: Arguments) -> object:
        target = await self._pane(arguments)
        if "token" not in arguments:
            return await self._preview(target)
        _compare(arguments, target)
        (pane,) = target.panes
        await self._make_way(target.mux, pane)
        return await through(self._close(target, KillPane(pane)))

    async def _pane(self, arguments: Arguments) -> Target:
        id, mux = needed(arguments, "target"), self._verbs.pick(arguments)
        look = await self._ender.look(mux, frozenset({id}))
        pane = look.inventory.pane(id)
        if pane is None:
            raise Refused(f"There is no pane {id[:100]!a}; a pane's id looks like %7.")
        if pane.mark:
            raise Refused(f"{id} is a sidebar; close it with: opensessions sidebar hide")
        tree = () if pane.dead else tree_of(pane.pid, look.census)
        facts = (look.inventory.server_pid, look.inventory.server_started, id, tree[:1])
        told = {"pane": id, "session": next(iter(_holders(look.inventory, id)), "")}
        mark = token("pane", mux, facts)
        return Target(mux, look.server, f"the pane {id}", mark, frozenset({id}), tree, look.census.at, told)

    # --- a session ------------------------------------------------------------------------------------------

    async def _kill_session(self, arguments: Arguments) -> object:
        target = await self._session(arguments)
        if "token" not in arguments:
            return await self._preview(target)
        _compare(arguments, target)
        id = target.told["session"]
        return await through(self._close(target, KillSession(id, self._refuge(target.mux, id))))

    async def _session(self, arguments: Arguments) -> Target:
        """`target` is an id, `=NAME` or a name; `created`, where it is given, that of the session that was shown."""
        mux = self._verbs.pick(arguments)
        look = await self._ender.look(mux, frozenset())
        session = named(needed(arguments, "target"), look.inventory.sessions)
        if arguments.get("created", str(session.created)) != str(session.created):
            raise Refused(CHANGED)
        panes = frozenset(own_panes(look.inventory, session.id))
        found = [pane for id in sorted(panes) if (pane := look.inventory.pane(id))]
        shells = [pane.pid for pane in found if not pane.dead and not pane.mark]
        tree = tuple(dict.fromkeys(each for pid in shells for each in tree_of(pid, look.census)))
        roots = [look.census.identity(pid) for pid in shells]
        server = (look.inventory.server_pid, look.inventory.server_started)
        told = {
            "session": session.id,
            "name": session.name,
            "panes": [pane.id for pane in found if not pane.mark],
            "clients": sum(1 for client in look.inventory.viewers() if client.session == session.id),
            "refuge": self._refuge(mux, session.id),
        }
        mark = token("session", mux, server, session.id, session.created, roots)
        return Target(
            mux, look.server, f"the session {session.name}", mark, panes, tree, look.census.at, told
        )

    def _refuge(self, mux: str, session: str) -> str:
        """Where its clients go: the row above, else below; "" where there is no other session."""
        view = self._bus.view(mux)
        every = view.sessions if view else ()
        place = next((at for at, row in enumerate(every) if row.id == session), 0)
        above, below = every[:place][::-1], every[place + 1 :]
        shown = [row for row in (*above, *below) if row.index is not None]
        return next((row.id for row in (*shown, *above, *below) if row.id != session), "")

    async def _make_way(self, mux: str, pane: str) -> None:
        """Move the clients away whose session ends with this pane."""
        provider = self._muxes.get(mux).provider
        inventory = await provider.look()
        for session in _left_empty(inventory, pane):
            if refuge := self._refuge(mux, session.id):
                for client in [one for one in inventory.viewers() if one.session == session.id]:
                    await provider.do(SwitchClient(client.name, refuge))

    # --- both ---------------------------------------------------------------------------------------------

    async def _close(self, target: Target, command: Command) -> object:
        """Let the multiplexer close the panes, then see to what was in them: who has asked for it may have been in one
        of them."""
        with self._ender.at_work():
            await self._muxes.get(target.mux).provider.do(command)
            return done(await self._ender.survivors(target, f"The user asked to kill {target.title}."))

    async def _preview(self, target: Target) -> object:
        processes = await asyncio.to_thread(self._commands, target.tree)
        return {
            "mux": target.mux,
            "title": target.title,
            "token": target.token,
            **target.told,
            "processes": processes,
        }

    def _commands(self, tree: Sequence[ProcId]) -> list[dict[str, object]]:
        told = []
        for each in tree:
            words, path = self._source.program(each.pid)
            stat = self._source.stat(each.pid)
            command = clean(" ".join(words)) or path.rpartition("/")[2] or (stat.comm if stat else "")
            told.append({"pid": each.pid, "command": command})
        return told


def _compare(arguments: Arguments, target: Target) -> None:
    if arguments["token"] != target.token:
        raise Refused(CHANGED)


def named(where: str, sessions: Sequence[Session]) -> Session:
    """The session with this id, `=NAME` or name. Refused where there is none."""
    for wanted in ("id", "=name", "name"):
        for each in sessions:
            if where == {"id": each.id, "=name": f"={each.name}", "name": each.name}[wanted]:
                return each
    raise Refused(f"There is no session {where[:100]!a}; `opensessions list` shows them.")


def _holders(inventory: Inventory, pane: str) -> list[str]:
    return [session.id for session in inventory.sessions if pane in inventory.panes_of(session.id)]


def _left_empty(inventory: Inventory, pane: str) -> list[Session]:
    """The sessions that end with this pane: it is all that they show."""
    return [session for session in inventory.sessions if inventory.panes_of(session.id) == (pane,)]
