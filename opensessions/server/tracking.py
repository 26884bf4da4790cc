"""Follows the agents that were found: hears what their titles, files, hooks and screens say, and tells the bus what
they do. The judging is `agents.track`'s; here is the clockwork around it.

Files are read in one thread, one batch at a time, whenever one of them changes. Titles and hooks do not wait for that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from opensessions.agents.adapter import Facts, Heard, Ignored, Look, Reader
from opensessions.agents.detect import Found
from opensessions.agents.fuse import Verdict
from opensessions.agents.signal import Signal, Source
from opensessions.agents.track import Track, forget, hear, judge
from opensessions.events import AgentsSeen
from opensessions.files.watch import Watch
from opensessions.model import Agent
from opensessions.processes.source import ProcessSource
from opensessions.reduce import State
from opensessions.server.bus import Bus
from opensessions.server.looking import Looker, Rival, Subject
from opensessions.server.supervise import guarded
from opensessions.server.titles import Titles

log = logging.getLogger(__name__)

GAP = 0.02
"""Seconds between two batches of reading, so that a burst of writes makes one."""
PATIENCE = 1.0
"""Seconds after which an agent is shown though its files were not read yet: a disk may hang."""
READ: tuple[Source, ...] = ("registry", "transcript", "database")
"""What readers say."""


class Tracked:
    """One living agent."""

    def __init__(self, mux: str, found: Found, since: float) -> None:
        self.mux = mux
        self.found = found
        self.id = found.id
        """Its first one: it stays when the launcher dies and the program below goes on."""
        self.reader: Reader | None = found.kind.reader() if found.kind.reader else None
        self.facts: Facts | None = None
        self.track = Track()
        self.look = Look()
        self.looked = False
        """Its files were read once, or need not be."""
        self.since = since
        """When we found it, on the loop's clock."""
        self.alone = True
        """Its pane has no other agent, so the title and the screen are its own."""
        self.again: asyncio.TimerHandle | None = None

    def agent(self) -> Agent:
        """As everybody else knows it."""
        verdict, about = self.track.verdict, self.track.verdict.about
        return Agent(
            id=self.id,
            agent=self.found.kind.name,
            pane=self.found.pane,
            pid=self.found.pid,
            state=verdict.state,
            background=about.background or 0,
            thread=about.thread,
            title=about.title,
            prompt=about.prompt,
            waiting_for=about.waiting_for,
            since=self.track.since,
            source=verdict.source,
            confidence=verdict.confidence,
        )


class Tracker:
    """All of them. `close` must be called in the loop in which it was made."""

    def __init__(self, bus: Bus, source: ProcessSource) -> None:
        self._bus = bus
        self._looker = Looker(source)
        self._watch: Watch | None = None
        self._agents: dict[str, Tracked] = {}
        """By id."""
        self._dirty: set[str] = set()
        """Ids whose files are to be read."""
        self._touched: set[str] = set()
        """Ids that are to be judged anew."""
        self._woken = asyncio.Event()
        self._settling: asyncio.Handle | None = None
        self._titles = Titles()
        self.stirred = asyncio.Event()
        """Set whenever an agent was judged."""
        self._changed: set[str] = set()
        """Muxes whose set of agents has changed."""
        bus.observe(self._on_change)

    async def run(self) -> None:
        """Read files as they change, until cancelled."""
        self._watch = Watch(self._file_changed)
        for tracked in self._agents.values():
            self._dirty.add(tracked.id)
        self._woken.set()
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                batch = [self._agents[id] for id in self._dirty if id in self._agents]
                self._dirty.clear()
                if batch:
                    await self._read(batch)
                await asyncio.sleep(GAP)
        finally:
            self._watch.close()
            self._watch = None
            for tracked in self._agents.values():
                self._quiet(tracked)

    # --- who lives ------------------------------------------------------------------------------------------

    def update(self, mux: str, found: Mapping[str, Sequence[Found]]) -> None:
        """These are the agents of the multiplexer now, by pane."""
        now = asyncio.get_running_loop().time()
        here = {tracked.found.id: tracked for tracked in self._agents.values() if tracked.mux == mux}
        below = {
            (tracked.found.pane, tracked.found.kind.name, pid): tracked
            for tracked in here.values()
            for pid in tracked.found.below
        }
        kept = set()
        for pane, group in found.items():
            for each in group:
                tracked = here.get(each.id)
                heir = below.get((pane, each.kind.name, each.pid))
                if tracked is None and heir is not None and heir.found.pid not in {one.pid for one in group}:
                    tracked = heir  # its launcher has died
                if tracked is None:
                    tracked = Tracked(mux, each, now)
                    self._agents[tracked.id] = tracked
                    self._begin(tracked)
                elif tracked.found != each:
                    tracked.found = each
                    self._want(tracked.id)
                tracked.alone = len(group) == 1
                kept.add(tracked.id)
        for id in [id for id, tracked in self._agents.items() if tracked.mux == mux and id not in kept]:
            self._end(self._agents.pop(id))
        self._changed.add(mux)
        self._settle_soon()

    def drop(self, mux: str) -> None:
        """The multiplexer is gone."""
        for id in [id for id, tracked in self._agents.items() if tracked.mux == mux]:
            self._end(self._agents.pop(id))
        self._titles.drop(mux)

    def _begin(self, tracked: Tracked) -> None:
        known = self._bus.state.muxes.get(tracked.mux)
        kept = known.remembered.get(tracked.id) if known else None
        if kept is not None:
            tracked.track = Track(verdict=Verdict(kept.state), since=kept.since, turn=kept.state != "idle")
        if tracked.reader is None:
            tracked.looked = True
        else:
            loop = asyncio.get_running_loop()
            tracked.again = loop.call_later(PATIENCE, self._show, tracked)
        self._want(tracked.id)
        for rival in self._agents.values():
            if rival is not tracked and rival.found.kind.name == tracked.found.kind.name:
                self._want(rival.id)
        self._touched.add(tracked.id)

    def _show(self, tracked: Tracked) -> None:
        tracked.looked = True
        self._changed.add(tracked.mux)
        self._settle_soon()

    def _end(self, tracked: Tracked) -> None:
        self._quiet(tracked)
        if self._watch:
            self._watch.wish(tracked.id, ())
        for rival in self._agents.values():
            if rival.found.kind.name == tracked.found.kind.name:
                self._want(rival.id)

    @staticmethod
    def _quiet(tracked: Tracked) -> None:
        if tracked.again:
            tracked.again.cancel()
            tracked.again = None

    # --- files ----------------------------------------------------------------------------------------------

    def _file_changed(self, id: str) -> None:
        self._want(id)

    def _want(self, id: str) -> None:
        self._dirty.add(id)
        self._woken.set()

    async def _read(self, batch: Sequence[Tracked]) -> None:
        """Let the agents' readers look, in a thread."""
        everybody = [
            Rival(one.id, one.found.kind.name, one.track.thread, one.facts.cwd if one.facts else "")
            for one in self._agents.values()
        ]
        subjects = [Subject(one.id, one.found, one.reader, one.facts, one.look) for one in batch]
        for subject, facts, look in await asyncio.to_thread(self._looker.look, subjects, everybody):
            tracked = self._agents.get(subject.id)
            if tracked is not None and tracked.reader is subject.reader:
                self._take(tracked, facts, look)
        self._settle()

    def _take(self, tracked: Tracked, facts: Facts, look: Look) -> None:
        """What a look gave."""
        loop = asyncio.get_running_loop()
        first = not tracked.looked or tracked.facts is None
        thread = tracked.track.thread
        tracked.facts, tracked.look = facts, look
        said = {signal.source for signal in look.signals}
        track = forget(tracked.track, [source for source in READ if source not in said])
        tracked.track = hear(track, look.signals, loop.time(), first=first)
        self._touched.add(tracked.id)
        if not tracked.looked:
            tracked.looked = True
            self._quiet(tracked)
            self._changed.add(tracked.mux)
        if self._watch:
            self._watch.wish(tracked.id, look.watch[:16])
        if look.again is not None:
            loop.call_later(max(0.05, look.again), self._again, tracked.id, tracked.look)
        if first or (tracked.track.claims and self._thread_of(tracked) != thread):
            for rival in self._agents.values():
                if rival is not tracked and rival.found.kind.name == tracked.found.kind.name:
                    self._want(rival.id)

    @staticmethod
    def _thread_of(tracked: Tracked) -> str | None:
        claims = tracked.track.claims.values()
        return next((claim.signal.about.thread for claim in claims if claim.signal.about.thread), None)

    def _again(self, id: str, look: Look) -> None:
        tracked = self._agents.get(id)
        if tracked is not None and tracked.look is look:
            self._want(id)

    # --- titles, hooks, screens -----------------------------------------------------------------------------

    def _on_change(self, new: State, old: State) -> None:
        for key, mux in new.muxes.items():
            before = old.muxes.get(key)
            fresh = mux.inventory is not None and (before is None or mux.inventory is not before.inventory)
            if fresh and mux.inventory and self._titles.note(key, mux.inventory, time.time()):
                self._settle_soon()
        for key in old.muxes.keys() - new.muxes.keys():
            self.drop(key)

    def _hear_titles(self) -> None:
        now = asyncio.get_running_loop().time()
        for tracked in self._agents.values():
            started = tracked.facts.started if tracked.facts else 0.0
            title, as_found = self._titles.of(tracked.mux, tracked.found.pane, started)
            signal = tracked.found.kind.title(title) if tracked.alone and title else None
            old = tracked.track.claims.get("title")
            if signal is None:
                track = forget(tracked.track, ["title"])
            elif old is not None and old.signal.states == signal.states:
                continue  # a spinner turns
            else:
                track = hear(tracked.track, [signal], now, first=as_found and old is None)
            if track is not tracked.track:
                tracked.track = track
                self._touched.add(tracked.id)

    def told(self, id: str, signals: Sequence[Signal], without: Iterable[Source] = ()) -> bool:
        """Somebody tells something of this agent. False where there is no such agent."""
        tracked = self._agents.get(id)
        if tracked is None:
            return False
        track = forget(tracked.track, without)
        if signals:
            track = hear(track, signals, asyncio.get_running_loop().time())
        if track is not tracked.track:
            tracked.track = track
            self._touched.add(id)
            self._settle_soon()
        return True

    def heard(self, tracked: Tracked, heard: Heard, thread: str | None) -> None:
        """An agent's hook told something."""
        ear = tracked.found.kind.hears
        said = guarded(f"what a hook of {tracked.found.kind.name} told", ear, heard) if ear else None
        if isinstance(said, Ignored):
            self.told(tracked.id, (), ["hook"])
        elif said is not None:
            about = said.about if said.about.thread else replace(said.about, thread=thread)
            self.told(tracked.id, [replace(said, about=about)])
        self._want(tracked.id)  # what it has written is there by now, or soon

    # --- judging --------------------------------------------------------------------------------------------

    def _settle_soon(self) -> None:
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        """Judge whatever was touched, and tell the bus if anybody is in another state."""
        if self._settling:
            self._settling.cancel()
            self._settling = None
        self._hear_titles()
        now, clock = asyncio.get_running_loop().time(), time.time()
        for id in self._touched:
            tracked = self._agents.get(id)
            if tracked is not None and tracked.looked:
                self._judge(tracked, now, clock)
        self._touched.clear()
        self.stirred.set()
        changed, self._changed = self._changed, set()
        for mux in changed:
            if mux in self._bus.state.muxes:
                self._bus.dispatch(AgentsSeen(mux, self._shown(mux), round(clock, 1)))

    def _judge(self, tracked: Tracked, now: float, clock: float) -> None:
        before = tracked.track
        tracked.track = judge(before, tracked.found.kind, now, clock)
        if tracked.track.verdict != before.verdict or tracked.track.since != before.since:
            self._changed.add(tracked.mux)
        self._quiet(tracked)
        again = tracked.track.verdict.again
        if again is not None:
            loop = asyncio.get_running_loop()
            tracked.again = loop.call_at(again + 0.001, self._touch, tracked.id)

    def _touch(self, id: str) -> None:
        self._touched.add(id)
        self._settle_soon()

    def _shown(self, mux: str) -> dict[str, tuple[Agent, ...]]:
        groups: dict[str, list[Agent]] = {}
        for tracked in sorted(self._agents.values(), key=lambda one: one.found.pid):
            if tracked.mux == mux and tracked.looked:
                groups.setdefault(tracked.found.pane, []).append(tracked.agent())
        return {pane: tuple(group) for pane, group in sorted(groups.items())}

    # --- questions ------------------------------------------------------------------------------------------

    def living(self) -> tuple[Tracked, ...]:
        """Every agent that lives."""
        return tuple(self._agents.values())

    def get(self, id: str) -> Tracked | None:
        """The one with this id."""
        return self._agents.get(id)


def thread_in(payload: Mapping[str, Any]) -> str | None:
    """The conversation that a hook's payload is about, under the names that agents give it."""
    for holder in (payload, payload.get("properties")):
        if isinstance(holder, Mapping):
            for name in ("session_id", "sessionId", "sessionID", "thread-id", "thread_id"):
                value = holder.get(name)
                if isinstance(value, str) and value:
                    return value[:200]
    return None
