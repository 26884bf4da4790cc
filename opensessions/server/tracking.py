"""Follows the agents that were found: hears what their titles, files, hooks and screens say, and tells the bus what
they do. The judging is `agents.track`'s; here is the clockwork around it.

Files are read in threads, whenever one of them changes. Titles and hooks do not wait for that.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec.structs import replace

from opensessions.agents.adapter import Heard, Ignored, Look
from opensessions.agents.detect import Found
from opensessions.agents.fuse import Verdict
from opensessions.agents.signal import WORKING, Signal, Source
from opensessions.agents.track import Track, forget, hear, judge
from opensessions.events import AgentsSeen
from opensessions.files.watch import Watch
from opensessions.model import Agent
from opensessions.processes.source import ProcessSource
from opensessions.server.bus import Bus
from opensessions.server.looking import Looker, Rival
from opensessions.server.supervise import guarded
from opensessions.server.titles import Titles
from opensessions.server.tracked import Tracked
from opensessions.state import State

log = logging.getLogger(__name__)

GAP = 0.02
"""Seconds between two batches of reading, so that a burst of writes makes one."""
SLOW, SLOWEST = 5.0, 320.0
"""Seconds. A reader that wants to look again after so long waits for what may never come: each time that nothing has
changed it waits twice as long."""
SOONEST = 0.05
"""Seconds until a reader looks again because it wished to, at least."""
OVERDUE = 1.0
"""Seconds until it does if it wished to look again before now."""
THREADS = 4
"""That read files: as many readers may hang without any harm to the others."""
ORDER = 10_000
"""What a tick of the processes' clock is worth in the order of hooks."""
PATHS = 16
"""That are watched for one agent."""
PATIENCE = 1.0
"""Seconds after which an agent is shown though its files were not read yet: a disk may hang."""
READ: tuple[Source, ...] = ("registry", "transcript", "database")
"""What readers say."""


class Tracker:
    """All of them."""

    def __init__(self, bus: Bus, source: ProcessSource) -> None:
        self._bus = bus
        self._looker = Looker(source)
        self._watch: Watch | None = None
        self._agents: dict[str, Tracked] = {}
        """By id."""
        self._dirty: dict[str, None] = {}
        """Ids whose files are to be read, who has waited longest first: who writes all the time must not keep the
        others from it."""
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
        """Read files as they change, until cancelled. A reader that hangs holds a thread; the others read on."""
        self._watch = Watch(self._want)
        threads = ThreadPoolExecutor(THREADS, "reading")
        self._dirty |= dict.fromkeys(self._agents)
        self._woken.set()
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                self._read(threads)
                await asyncio.sleep(GAP)
                if self._waiting():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(PATIENCE):
                            await self._woken.wait()
                    self._woken.set()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            self._watch.close()
            self._watch = None
            for tracked in self._agents.values():
                tracked.quiet()

    # --- who lives ------------------------------------------------------------------------------------------

    def update(self, mux: str, found: Mapping[str, Sequence[Found]]) -> None:
        """These are the agents of the multiplexer now, by pane."""
        here = {tracked.found.id: tracked for tracked in self._agents.values() if tracked.mux == mux}
        below = {
            (tracked.found.pane, tracked.found.kind.name, pid): tracked
            for tracked in here.values()
            for pid in tracked.found.below
        }
        kept: set[str] = set()
        news: set[str] = set()
        """Kinds of which one has come or gone: whose a conversation is may look different now."""
        for pane, group in found.items():
            pids = {each.pid for each in group}
            for each in group:
                tracked = here.get(each.id)
                heir = below.get((pane, each.kind.name, each.pid))
                if tracked is None and heir and heir.found.pid not in pids and heir.id not in kept:
                    tracked = heir  # its launcher has died
                if tracked is not None and tracked.found.kind is not each.kind:
                    self._end(tracked)  # the process runs another program now
                    tracked = None
                if tracked is None:
                    tracked = self._begin(mux, each)
                    news.add(each.kind.name)
                elif tracked.found != each:
                    tracked.found = each
                    self._want(tracked.id)
                tracked.alone = len(group) == 1
                kept.add(tracked.id)
        for tracked in [each for each in self._agents.values() if each.mux == mux and each.id not in kept]:
            self._end(tracked)
            news.add(tracked.found.kind.name)
        self._want_all(news)
        self._changed.add(mux)
        self._settle_soon()

    def drop(self, mux: str) -> None:
        """The multiplexer is gone."""
        gone = [tracked for tracked in self._agents.values() if tracked.mux == mux]
        for tracked in gone:
            self._end(tracked)
        self._want_all({tracked.found.kind.name for tracked in gone})
        self._titles.drop(mux)

    def _begin(self, mux: str, found: Found) -> Tracked:
        tracked = self._agents[found.id] = Tracked(mux, found)
        known = self._bus.state.muxes.get(mux)
        kept = known.remembered.get(tracked.id) if known else None
        if kept is not None:
            tracked.track = Track(verdict=Verdict(kept.state), since=kept.since, turn=kept.state != "idle")
        if tracked.reader is None:
            tracked.looked = True
        else:
            tracked.judging = asyncio.get_running_loop().call_later(PATIENCE, self._show, tracked)
        self._want(tracked.id)
        self._touched.add(tracked.id)
        return tracked

    def _show(self, tracked: Tracked) -> None:
        tracked.looked = True
        self._changed.add(tracked.mux)
        self._touch(tracked.id)

    def _end(self, tracked: Tracked) -> None:
        del self._agents[tracked.id]
        self._dirty.pop(tracked.id, None)
        self._touched.discard(tracked.id)
        tracked.quiet()
        if self._watch:
            self._watch.wish(tracked.id, ())

    # --- files ----------------------------------------------------------------------------------------------

    def _want(self, id: str) -> None:
        self._dirty.setdefault(id)
        self._woken.set()

    def _want_all(self, kinds: Collection[str]) -> None:
        for tracked in self._agents.values():
            if tracked.found.kind.name in kinds:
                self._want(tracked.id)

    def _read(self, threads: ThreadPoolExecutor) -> None:
        """Let the readers of those that are dirty look, each in a thread, one of each kind at a time: whose file it is
        depends on what the others hold, and two who look at once would both let go of it, or both take it. A reader
        that takes longer than PATIENCE keeps nobody waiting."""
        loop = asyncio.get_running_loop()
        looking = {
            one.found.kind.name
            for one in self._agents.values()
            if one.reading is not None and loop.time() - one.reading < PATIENCE
        }
        batch = []
        for id in [each for each in self._dirty if each in self._agents]:
            tracked = self._agents[id]
            tracked.cwd = self._looker.folder(tracked.found.pid) or tracked.cwd
            if tracked.reading is None and (tracked.reader is None or tracked.found.kind.name not in looking):
                batch.append(tracked)
                looking.add(tracked.found.kind.name)
        for tracked in batch:
            self._dirty.pop(tracked.id, None)
        kin: dict[str, list[Rival]] = {}
        for tracked in self._agents.values():
            rival = Rival(tracked.id, tracked.wants or tracked.track.thread, tracked.cwd)
            kin.setdefault(tracked.found.kind.name, []).append(rival)
        for tracked in batch:
            found, reader = tracked.found, tracked.reader
            tracked.facts = self._looker.facts(
                tracked.id, found, tracked.facts, tracked.cwd, kin[found.kind.name], tracked.told_thread
            )
            if reader is None:
                continue
            tracked.reading = loop.time()
            what = f"{found.kind.name} in {found.pane}"
            work = loop.run_in_executor(threads, self._looker.look, what, reader, tracked.facts)
            work.add_done_callback(partial(self._was_read, tracked))

    def _waiting(self) -> bool:
        """Does somebody wait for another one's reader, which may hang?"""
        return any(id in self._agents and self._agents[id].reading is None for id in self._dirty)

    def _was_read(self, tracked: Tracked, work: asyncio.Future[Look | None]) -> None:
        tracked.reading = None
        if self._dirty:
            self._woken.set()
        if work.cancelled() or self._agents.get(tracked.id) is not tracked:
            return
        look = work.result() or Look(watch=tracked.look.watch)
        guarded(f"taking in what {tracked.found.kind.name} wrote", self._take, tracked, look)

    def _take(self, tracked: Tracked, look: Look) -> None:
        """What a look gave."""
        loop = asyncio.get_running_loop()
        thread = tracked.thread
        signals = () if self._disputed(tracked, look) else look.signals
        said = {signal.source for signal in signals}
        track = forget(tracked.track, [source for source in READ if source not in said])
        tracked.track = hear(track, signals, loop.time(), first=not tracked.read)
        tracked.calm = tracked.calm + 1 if look == tracked.look else 0
        unwatched = not set(look.watch[:PATHS]) <= set(tracked.look.watch[:PATHS])
        tracked.look, tracked.read = look, True
        if not tracked.looked:
            self._show(tracked)
        self._touch(tracked.id)
        if self._watch:
            self._watch.wish(tracked.id, look.watch[:PATHS])
            if unwatched:  # what was written between the look and now, nobody has told us
                self._want(tracked.id)
        if tracked.reread:
            tracked.reread.cancel()
        tracked.reread = None
        if look.again is not None and math.isfinite(look.again):
            wait = max(SOONEST, look.again) if look.again > 0 else OVERDUE
            if wait >= SLOW:
                wait = min(SLOWEST, wait * 2**tracked.calm)
            tracked.reread = loop.call_later(wait, self._want, tracked.id)
        if tracked.thread != thread:
            self._want_all({tracked.found.kind.name})

    def _disputed(self, tracked: Tracked, look: Look) -> bool:
        """Does the look claim a conversation that another one holds? One thread belongs to one agent. The holder is
        asked again, knowing that somebody else wants it: who only guessed lets go, who has proof keeps it."""
        wanted = next((signal.about.thread for signal in look.signals if signal.about.thread), None)
        holder = next(
            (
                one
                for one in self._agents.values()
                if wanted and one is not tracked and one.found.kind is tracked.found.kind
                and one.thread == wanted
            ),
            None,
        )  # fmt: skip
        if holder is not None and tracked.wants != wanted:
            self._want(holder.id)
        tracked.wants = wanted if holder is not None else None
        return holder is not None

    # --- titles, hooks, screens -----------------------------------------------------------------------------

    def _on_change(self, new: State, old: State) -> None:
        for key, mux in new.muxes.items():
            before = old.muxes.get(key)
            fresh = mux.inventory is not None and (before is None or mux.inventory is not before.inventory)
            if not fresh or mux.inventory is None:
                continue
            if before is not None and before.inventory is not None and before.generation != mux.generation:
                self.drop(key)  # another server stands in its place, and its panes have the same names
            if self._titles.note(key, mux.inventory, self._looker.now()):
                self._settle_soon()
        for key in old.muxes.keys() - new.muxes.keys():
            self.drop(key)

    def _hear_titles(self) -> None:
        now = asyncio.get_running_loop().time()
        for tracked in self._agents.values():
            if not self._titles.has(tracked.mux, tracked.found.pane):
                continue
            title, as_found = self._titles.of(tracked.mux, tracked.found.pane, tracked.started)
            signal = tracked.found.kind.title(title, tracked.worked) if tracked.alone and title else None
            old = tracked.track.claims.get("title")
            works = signal is not None and signal.states == WORKING
            fresh = works and not as_found and (old is None or old.signal.states != WORKING)
            if fresh and self._may_be_a_flash(tracked, now):
                continue
            if not fresh:
                tracked.flashes = None
            tracked.worked = tracked.worked or works
            if signal is None:
                track = forget(tracked.track, ["title"])
            elif old is not None and old.signal.states == signal.states:
                continue  # a spinner turns
            else:
                # What may have been a flash is older than our belief in it.
                began = now if tracked.flashes is None else tracked.flashes
                track = hear(tracked.track, [signal], began, first=as_found and old is None)
            if track is not tracked.track:
                tracked.track = track
                self._touched.add(tracked.id)

    def _may_be_a_flash(self, tracked: Tracked, now: float) -> bool:
        """Does its title show it at work for too short a time to be believed?"""
        flash = tracked.found.kind.title_flash
        if tracked.flashes is None:
            tracked.flashes = now
            if flash:
                asyncio.get_running_loop().call_later(flash + 0.001, self._settle_soon)
        return now - tracked.flashes < flash

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

    def in_order(self, tracked: Tracked, order: int) -> bool:
        """Has this hook not been overtaken by a later one of the agent? `order`: ten thousandths of the ticks in which
        processes start, 0 where it is not known. What has not happened yet is no order."""
        if not order or order > (self._looker.now() + 1) * 100 * ORDER:
            return True
        newest, tracked.order = tracked.order, max(tracked.order, order)
        return order >= newest

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
                guarded(f"judging {id}", self._judge, tracked, now, clock)
        self._touched.clear()
        self.stirred.set()
        changed, self._changed = self._changed, set()
        for mux in changed:
            if mux in self._bus.state.muxes:
                self._bus.dispatch(AgentsSeen(mux, self._shown(mux), now))

    def _judge(self, tracked: Tracked, now: float, clock: float) -> None:
        before = tracked.track
        tracked.track = judge(before, tracked.found.kind, now, clock)
        if tracked.track.verdict != before.verdict or tracked.track.since != before.since:
            self._changed.add(tracked.mux)
        if tracked.judging:
            tracked.judging.cancel()
        again = tracked.track.verdict.again
        loop = asyncio.get_running_loop()
        tracked.judging = None if again is None else loop.call_at(again + 0.001, self._touch, tracked.id)

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
            for name in ("root", "session_id", "sessionId", "sessionID", "thread-id", "thread_id"):
                value = holder.get(name)
                if isinstance(value, str) and value:
                    return value[:200]
    return None
