"""Plays a recording to the real tracker, readers, ears and reducer, in milliseconds: what would have been shown?

`python -m tests.real.replay FILE …` prints it beside the truth.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from opensessions.agents.detect import NOTHING, detect, recognise, recognise_all
from opensessions.agents.known import kinds
from opensessions.events import InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Client, Inventory, Link, Pane, Session, Window
from opensessions.server import looking, tracking
from opensessions.server.bus import Bus
from opensessions.server.hearing import Hearing
from opensessions.server.screens import Screens
from opensessions.server.tracking import Tracker
from opensessions.state import State
from tests.real.agents import DRIVERS
from tests.real.recording import Event, Recording, read
from tests.real.truth import Judgement, Shown, changes, judge
from tests.real.virtual import Loop, MemoryFiles, MemoryProcesses, MemoryWatch

MUX, SOCKET = "tmux-recorded", "/run/tmux"
LINGER = 2.0
"""Seconds that are played after the last event."""


class Replay:
    """One playing of one recording."""

    def __init__(self, recording: Recording, loop: Loop, hooks: bool) -> None:
        self.recording, self.hooks, self._loop = recording, hooks, loop
        # Of all processes the one that was seen soonest after its start tells best when the clock of ticks began.
        self._zero = max(
            each.details["start"] - each.at * 100 for each in recording.events if each.what == "began"
        )
        self.shown: dict[str, list[Shown]] = {name: [] for name in recording.panes}
        self._names = {pane: name for name, (pane, _) in recording.panes.items()}
        self._titles = dict.fromkeys(recording.panes, "")
        self._screens: dict[str, list[str]] = {name: [] for name in recording.panes}
        self._kinds = kinds()
        self._matches = NOTHING
        self.processes = MemoryProcesses(lambda: int(self._zero + loop.time() * 100))
        self.bus = Bus("recorded")
        self._watch = MemoryWatch()
        self.files = MemoryFiles(self.clock, self._watch.changed)
        for each in recording.events:
            if each.what == "rows" and "schema" in each.details:
                self.files.schemas.setdefault(each.details["path"], []).append(each.details["schema"])
        with patch.object(looking, "Disk", lambda: self.files):
            self.tracker = Tracker(self.bus, self.processes)  # type: ignore[arg-type]
        self.hearing = Hearing(self.bus, self.tracker, self._is_helper)
        muxes = SimpleNamespace(muxes={MUX}, get=lambda key: SimpleNamespace(provider=self))
        self._looks = Screens(self.bus, muxes, self.tracker)  # type: ignore[arg-type]
        self.bus.observe(self._on_change)

    def clock(self) -> float:
        """The time of day."""
        return self.recording.begun + self._loop.time()

    async def play(self) -> None:
        """From the first event to some time after the last."""
        with (
            patch.object(tracking, "Watch", self._watch.listen),
            patch("time.time", self.clock),
            patch("time.monotonic", self._loop.time),
        ):
            await self._play()

    async def _play(self) -> None:
        self.bus.dispatch(MuxJoined(MUX, "tmux", SOCKET, SavedArrangement()))
        self._read()
        parts = [asyncio.ensure_future(self.tracker.run()), asyncio.ensure_future(self._looks.run())]
        try:
            for event in self.recording.events:
                await asyncio.sleep(max(0.0, event.at - self._loop.time()))
                await self._happen(event)
            await asyncio.sleep(LINGER)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            self.files.close()

    async def _happen(self, event: Event) -> None:
        details = event.details
        match event.what:
            case "file":
                self.files.apply(details["path"], details)
            case "rows":
                self.files.apply_rows(details["path"], details)
            case "open":
                self.files.open[details["pid"]] = details["paths"]
            case "written":
                self.files.written.setdefault(details["pid"], {})[details["path"]] = details["lines"]
            case "title":
                self._titles[details["pane"]] = details["text"]
                self._read()
            case "screen":
                rows = self._screens[details["pane"]]
                for place, text in details["rows"].items():
                    rows += [""] * (int(place) + 1 - len(rows))
                    rows[int(place)] = text
            case "began" | "changed":
                self.processes.began(details)
                self._detect()
            case "ended":
                self.processes.ended(details["pid"])
                self._detect()
            case "heard" if self.hooks:
                await self.hearing.hook(self._told(details))

    def _told(self, details: Mapping[str, Any]) -> dict[str, str]:
        pids = self.processes.above(details["ppid"])
        return {
            "agent": self.recording.agent, "event": details["event"], "payload": json.dumps(details["payload"]),
            "pane": details["pane"], "tmux": SOCKET, "pid": ",".join(map(str, pids[:6])), "cwd": details["cwd"],
        }  # fmt: skip

    def _is_helper(self, pid: int) -> bool:
        known = self.processes.alive.get(pid)
        found = recognise(known, self._kinds) if known else None
        return found is not None and found.helper

    def _detect(self) -> None:
        panes = dict(self.recording.panes.values())
        self.files.started = {each.pid: each.start for each in self.processes.alive.values()}
        tree = {
            each.pid: each
            for each in self.processes.alive.values()
            if self._belongs(each.pid, set(panes.values()))
        }
        self._matches = recognise_all(tree, self._kinds, self._matches)
        self.tracker.update(MUX, detect(MUX, panes, self._matches))

    def _belongs(self, pid: int, shells: set[int]) -> bool:
        known = self.processes.alive[pid]
        return known.session in shells or not shells.isdisjoint(self.processes.above(pid))

    def _read(self) -> None:
        """A reading of the multiplexer: a session for each instance, and one more that a client looks at."""
        places = {"main": ("%0", 2)} | dict(self.recording.panes)
        windows = {
            f"@{place}": Window(
                f"@{place}", name, 100, 30,
                panes=(Pane(pane, f"@{place}", pid, active=True, width=100, title=self._titles.get(name, "")),),
            )
            for place, (name, (pane, pid)) in enumerate(places.items())
        }  # fmt: skip
        sessions = tuple(
            Session(f"${place}", name, links=(Link(f"@{place}", 0, current=True),))
            for place, name in enumerate(places)
        )
        clients = (Client("/dev/pts/1", "$0", width=100, height=30),)
        self.bus.dispatch(InventoryRead(MUX, Inventory(1, 1, "3.3a", sessions, windows, clients)))

    async def screens(self, panes: list[str]) -> dict[str, tuple[str, ...]]:
        """See `Provider.screens`."""
        return {pane: tuple(self._screens[self._names[pane]]) for pane in panes}

    def _on_change(self, new: State, old: State) -> None:
        view = self.bus.view(MUX)
        agents = [agent for row in view.sessions for agent in row.agents] if view else []
        for pane, name in self._names.items():
            here = [each for each in agents if each.pane == pane and each.liveness != "exited"]
            state = "+".join(sorted(each.state for each in here)) or "gone"
            history = self.shown[name]
            if not history or history[-1].state != state:
                history.append(Shown(self._loop.time(), state, "+".join(each.source for each in here)))


def replay(recording: Recording, hooks: bool) -> dict[str, list[Shown]]:
    """What is shown of each instance; times in seconds since the recording began."""
    loop = Loop()
    try:
        playing = Replay(recording, loop, hooks)
        loop.run_until_complete(playing.play())
    finally:
        loop.close()
    return playing.shown


def verdicts(recording: Recording, hooks: bool) -> dict[str, Judgement]:
    """What is shown against what was true, by instance."""
    instead = DRIVERS[recording.driver].instead(recording.scenario, hooks)
    return {
        name: judge(recording.truth(name), shown, recording.end, instead)
        for name, shown in replay(recording, hooks).items()
    }


def main(paths: list[str]) -> None:
    """Print it."""
    for path in paths:
        recording = read(Path(path))
        for hooks in (False, True) if recording.hooks else (False,):
            print(f"== {path} hooks={hooks}")
            shown = replay(recording, hooks)
            for name, judgement in verdicts(recording, hooks).items():
                for each in judgement.verdicts:
                    late = "" if each.latency is None else f"{each.latency * 1000:5.0f} ms"
                    print(
                        f"  {name} {each.span.start:7.2f} {each.span.state:13}{each.outcome:7}{late:9} {each.span.why}"
                    )
                for wrong in judgement.false:
                    print(f"  {name} {wrong.at:7.2f} FALSE {wrong.state} ({wrong.source})")
                print(
                    f"  {name} shown:",
                    *(f"{each.at:.2f}:{each.state}({each.source})" for each in changes(shown[name])),
                )


if __name__ == "__main__":
    main(sys.argv[1:])
