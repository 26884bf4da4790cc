"""Recordings of the real OpenCode, replayed with every mixture of sources and delays: no state may appear that the
truth did not have, and none twice."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensessions.agents.adapter import Heard, Ignored
from opensessions.agents.opencode import KIND, PLACES
from opensessions.agents.opencode.reader import Reader
from opensessions.agents.track import Track, forget, hear, judge
from tests.agents.opencode_samples import Clocked, Store, as_told, facts, timeline

TRUTH = {
    "approved": "idle running waiting tool-running running done",
    "aborted": "idle running interrupted running waiting tool-running interrupted",
    "retried": "idle running interrupted",
    "denied": "idle running waiting interrupted running done",
    "asked": "idle running waiting running done",
    "subagent": "idle running tool-running running done",
    "parallel": "idle running done running interrupted running waiting tool-running running done",
}
DELAYS = (0.0, 0.04, 0.2)
EVERY = tuple(itertools.product(DELAYS, repeat=3))
MIXTURES = {
    # The screen is looked at now and then, of the rest we are told: it is never ahead of them.
    "hook database screen": tuple(each for each in EVERY if max(each[:2]) <= each[2] < 0.2),
    "hook database": tuple(each for each in EVERY if not each[2]),
    "database screen": tuple(each for each in EVERY if not each[0] and each[1] < each[2]),
    "hook": ((0.0, 0.0, 0.0),),
    "screen": ((0.0, 0.0, 0.0),),
}
BEHIND = {"denied": "the screen shows work for a moment after a denial, and a newer word counts"}
SILENT = {
    "hook database screen": BEHIND,
    "database screen": BEHIND,
    "hook": {"retried": "an abort between two tries is told as an end", "subagent": "tools are not told"},
    "screen": dict.fromkeys(("aborted", "retried", "denied", "parallel"), "how a turn ended is not shown"),
}
"""What such a mixture does not tell."""
LONG = 30.0
"""Seconds of silence at the end, in which nothing may change."""


class Replay:
    """Plays one recording. `delays`: of the hook, the database and the screen, in seconds."""

    def __init__(self, home: Path, name: str, sources: str, delays: tuple[float, float, float]) -> None:
        self.events = timeline(name)
        begin = self.events[0]["at"]
        self.files = Clocked(begin)
        self.store = Store(home)
        self.facts = facts(home, started=begin)
        self.reader = Reader(PLACES)
        self.sources = sources.split()
        self.track = Track()
        self.seen: list[tuple[float, str]] = []
        self._steps: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._plan(*delays)

    def _plan(self, hook: float, database: float, screen: float) -> None:
        if "hook" in self.sources:
            for at, event, payload in as_told(each for each in self.events if "event" in each):
                self._at(at + hook, self._heard(event, payload))
        for each in self.events:
            if "row" in each and "database" in self.sources:
                self._at(each["at"], self._written(each))
                self._at(each["at"] + database, self._look)
            if "screen" in each and "screen" in self.sources:
                self._at(each["at"] + screen, self._shown(each["screen"]))

    def _at(self, moment: float, step: Callable[[], None]) -> None:
        heapq.heappush(self._steps, (moment, next(self._count), step))

    def _heard(self, event: str, payload: dict[str, Any]) -> Callable[[], None]:
        def step() -> None:
            assert KIND.hears
            signal = KIND.hears(Heard(event, payload))
            assert not isinstance(signal, Ignored)
            if signal:
                self.track = hear(self.track, [signal], self.files.now)

        return step

    def _written(self, each: dict[str, Any]) -> Callable[[], None]:
        return lambda: self.store.put(each["table"], each["row"])

    def _look(self) -> None:
        look = self.reader.look(self.facts, self.files)
        self.track = hear(self.track, look.signals, self.files.now)
        told = {signal.source for signal in look.signals}
        self.track = forget(self.track, {"database", "transcript"} - told)
        if look.again is not None:
            self._at(self.files.now + look.again + 0.01, self._look)

    def _shown(self, lines: list[str]) -> Callable[[], None]:
        def step() -> None:
            signal = KIND.screen(lines)
            if signal:
                self.track = hear(self.track, [signal], self.files.now)
            else:
                self.track = forget(self.track, {"screen"})

        return step

    def run(self) -> str:
        """The states in their order, as one text."""
        end = max(at for at, _, _ in self._steps) + LONG
        while self._steps and self._steps[0][0] <= end:
            at, _, step = heapq.heappop(self._steps)
            self._judge_until(at)
            self.files.now = at
            step()
            self._judge(at)
        self._judge_until(end)
        self.store.close()
        return " ".join(state for _, state in self.seen)

    def _judge_until(self, end: float) -> None:
        while (again := self.track.verdict.again) is not None and self.files.now < again < end:
            self.files.now = again + 1e-6
            self._judge(self.files.now)

    def _judge(self, now: float) -> None:
        self.track = judge(self.track, KIND, now, now)
        state = self.track.verdict.state
        if not self.seen or self.seen[-1][1] != state:
            self.seen.append((now, state))


def states(text: str) -> list[str]:
    return text.removeprefix("idle ").split()


CASES = [
    (name, sources)
    for name, sources in itertools.product(TRUTH, MIXTURES)
    if name not in SILENT.get(sources, ())
]


@pytest.mark.parametrize(("name", "sources"), CASES)
def test_what_is_seen_is_the_truth(tmp_path: Path, name: str, sources: str) -> None:
    wrong = {}
    for number, delays in enumerate(MIXTURES[sources]):
        seen = states(Replay(tmp_path / str(number), name, sources, delays).run())
        true = states(TRUTH[name])
        if sources == "screen":  # it does not tell a tool from a thought
            true = [
                key for key, _ in itertools.groupby("running" if s == "tool-running" else s for s in true)
            ]
        if seen != true:
            wrong[delays] = seen
    assert not wrong
