"""Plays a recording of a real agent to its adapter, with a clock that is set by hand.

A recording is a file of JSON objects, one a line. The first one says when the agent `started` (seconds since the
epoch), its `cwd` and the `file` that it writes below its home. Each other one says `at` how many seconds after that
there was a `title`, a `hook` with its `payload`, a `line` in the file or a `screen`, or what the agent `should` be
doing from then on, as its model's requests, its processes and the keys that were typed prove.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from opensessions.agents.adapter import Entry, Facts, Heard, Ignored, Part, Reader
from opensessions.agents.kind import Kind
from opensessions.agents.signal import Signal
from opensessions.agents.track import Track, forget, hear, judge

HOME = "/home/somebody"
READ = ("registry", "transcript", "database")
DATA = Path(__file__).parent / "data"


class Shelf:
    """Files in memory. See `Files`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.modified: dict[str, float] = {}

    def put(self, path: str, data: bytes, now: float) -> None:
        self.files[path] = data
        self.modified[path] = now

    def append(self, path: str, data: bytes, now: float) -> None:
        self.put(path, self.files.get(path, b"") + data, now)

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        found = {}
        for path, data in self.files.items():
            if path.startswith(f"{folder}/"):
                name, _, below = path.removeprefix(f"{folder}/").partition("/")
                found[name] = Entry(name, len(data), self.modified[path], bool(below))
        return sorted(found.values(), key=lambda entry: -entry.modified)[:limit]

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        data = self.files.get(path)
        return data if data is not None and len(data) <= limit else None

    def part(self, path: str, start: int, length: int) -> Part | None:
        data = self.files.get(path)
        if data is None:
            return None
        begin = max(0, len(data) + start) if start < 0 else start
        return Part(data[begin : begin + length], begin, len(data), hash(path) & 0xFFFF)

    def open_by(self, pid: int) -> Sequence[str]:
        return ()

    def stat_start(self, pid: int) -> int | None:
        return 4711 if pid == 42 else None

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        return None


def in_order(some: Iterable[str], of: Iterable[str]) -> bool:
    """Is it what is left of `of` when some are taken out?"""
    rest = iter(of)
    return all(each in rest for each in some)


def recording(name: str) -> list[dict[str, Any]]:
    """The recording at this place below the folder `data`."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]


class Play:
    """One agent, from its first title to the end of a recording. `states` are the states that it was shown in."""

    def __init__(self, kind: Kind, started: float, cwd: str, file: str, **facts: Any) -> None:
        self.kind = kind
        self.now = 1000.0
        self.states: list[str] = []
        self.shelf = Shelf()
        self.track = Track()
        self.facts = Facts(pid=42, start=4711, started=started, cwd=cwd, env={"HOME": HOME}, **facts)
        self.file = f"{HOME}/{file}"
        self.reader: Reader | None = kind.reader() if kind.reader else None
        if self.reader is not None and hasattr(self.reader, "_clock"):
            self.reader._clock = lambda: self.now
        self._again: float | None = None
        self.judge()

    def clock(self) -> float:
        return self.facts.started + self.now - 1000.0

    def title(self, title: str) -> None:
        signal = self.kind.title(title)
        old = self.track.claims.get("title")
        if signal is None:
            self.track = forget(self.track, ["title"])
        elif old is None or old.signal.states != signal.states:
            self.track = hear(self.track, [signal], self.now)
        self.judge()

    def screen(self, lines: Sequence[str]) -> None:
        signal = self.kind.screen(lines)
        self.track = hear(self.track, [signal], self.now) if signal else forget(self.track, ["screen"])
        self.judge()

    def hook(self, event: str, payload: Mapping[str, Any]) -> None:
        said = self.kind.hears(Heard(event, payload)) if self.kind.hears else None
        if isinstance(said, Signal):
            self.track = hear(self.track, [said], self.now)
        elif isinstance(said, Ignored):
            self.track = forget(self.track, ["hook"])
        self.judge()

    def line(self, value: object) -> None:
        self.shelf.append(self.file, json.dumps(value).encode() + b"\n", self.clock())

    def look(self) -> None:
        self._again = None
        if self.reader is not None:
            look = self.reader.look(self.facts, self.shelf)
            said = {signal.source for signal in look.signals}
            self.track = hear(forget(self.track, [s for s in READ if s not in said]), look.signals, self.now)
            self._again = None if look.again is None else self.now + look.again
        self.judge()

    def judge(self) -> None:
        self.track = judge(self.track, self.kind, self.now, self.clock())
        state = self.track.verdict.state
        if not self.states or self.states[-1] != state:
            self.states.append(state)

    def until(self, moment: float) -> None:
        """Let the clock go on, and do what was put off until then."""
        while True:
            due = [
                each for each in (self.track.verdict.again, self._again) if each is not None and each < moment
            ]
            if not due:
                break
            self.now = max(self.now, min(due) + 0.001)
            if self._again is not None and self._again <= self.now:
                self.look()
            else:
                self.judge()
        self.now = max(self.now, moment)


def play(
    kind: Kind,
    events: Iterable[Mapping[str, Any]],
    *,
    without: Iterable[str] = (),
    late: Callable[[str, int], float] = lambda what, number: 0.0,
    prepare: Callable[[Play], None] = lambda play: None,
) -> Play:
    """Play a recording. Left out is what is in `without` (title, hook, line, screen); of the rest everything comes so
    many seconds later as `late` says of a kind of event and its number. Of each kind the order stays."""
    head, *rest = events
    played = Play(kind, head["started"], head["cwd"], head["file"])
    prepare(played)
    number = count()
    queue: list[tuple[float, int, str, Mapping[str, Any]]] = []
    last: dict[str, float] = {}
    for event in rest:
        what = next(each for each in ("title", "hook", "line", "screen", "should") if each in event)
        if what in without or what == "should":
            continue
        order = next(number)
        moment = max(last.get(what, 0.0), event["at"] + late(what, order))
        last[what] = moment
        heapq.heappush(queue, (moment, order, what, event))
    while queue:
        moment, _, what, event = heapq.heappop(queue)
        played.until(1000.0 + moment)
        if what == "hook":
            played.hook(event["hook"], event["payload"])
        elif what == "line":
            played.line(event["line"])
            together = queue and queue[0][2] == "line" and queue[0][0] == moment
            if not together:
                played.look()
        elif what == "title":
            played.title(event["title"])
        else:
            played.screen(event["screen"])
    played.until(played.now + 30.0)
    return played
