"""Runs of the real Claude Code, replayed: what would have been shown, against what was true."""

from __future__ import annotations

import gzip
import heapq
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.agents.adapter import Facts, Heard, Ignored, Look
from opensessions.agents.claude import KIND
from opensessions.agents.track import Track, forget, hear, judge
from opensessions.files.disk import Disk
from tests.real import truth

RECORDINGS = Path(__file__).parents[1] / "recordings"
RUNS = sorted(RECORDINGS.glob("claude-*/*.jsonl.gz"))
HOME = "/home/user"
LATER = 0.02
"""Seconds from a change of a file to the look at it."""


class Replay:
    """One agent of a recording, its files on a real disk, the time taken from the recording."""

    def __init__(self, home: Path, begun: float, hooks: bool) -> None:
        self.home, self.begun, self.hooks = home, begun, hooks
        self.disk = Disk()
        assert KIND.reader is not None
        self.reader = KIND.reader()
        self.track = Track()
        self.facts: Facts | None = None
        self.look = Look()
        self.first = True
        self.shown: list[truth.Shown] = []
        self.due: list[tuple[float, int]] = []
        """Moments at which to look again (1), or only to judge again (0)."""

    def step(self, now: float, looking: bool) -> None:
        if self.facts is None:
            return
        if looking:
            look = self.reader.look(self.facts, self.disk)
            said = {signal.source for signal in look.signals}
            track = forget(self.track, [each for each in ("registry", "transcript") if each not in said])
            self.track = hear(track, look.signals, now, first=self.first)
            self.first = False
            self.due = [each for each in self.due if not each[1]]
            if look.again is not None:
                heapq.heappush(self.due, (now + look.again, 1))
        self.track = judge(self.track, KIND, now, self.begun + now)
        again = self.track.verdict.again
        if again is not None:
            heapq.heappush(self.due, (again + 0.001, 0))
        self.shown.append(truth.Shown(now, self.track.verdict.state, self.track.verdict.source))

    def until(self, now: float) -> None:
        while self.due and self.due[0][0] <= now:
            at, looking = heapq.heappop(self.due)
            self.step(at, bool(looking))

    def heard(self, now: float, event: str, payload: dict[str, Any]) -> None:
        assert KIND.hears is not None
        said = KIND.hears(Heard(event, payload))
        if isinstance(said, Ignored):
            self.track = forget(self.track, ["hook"])
        elif said is not None:
            self.track = hear(self.track, [said], now)
        self.step(now, False)
        heapq.heappush(self.due, (now + LATER, 1))

    def written(self, now: float, path: str, details: dict[str, Any]) -> None:
        place = self.home / path.removeprefix(HOME).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if "gone" in details:
            place.unlink(missing_ok=True)
        elif "add" in details:
            with place.open("a", encoding="utf-8", errors="surrogatepass") as file:
                file.write(details["add"])
        else:
            place.write_text(details["set"], encoding="utf-8", errors="surrogatepass")
        heapq.heappush(self.due, (now + LATER, 1))


def steps(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8", errors="surrogatepass") as lines:
        for line in lines:
            yield json.loads(line)


def replay(
    path: Path, home: Path, name: str, hooks: bool
) -> tuple[list[truth.Span], list[truth.Shown], float]:
    """Everything that was true of the instance `name`, and everything that is shown of it."""
    run = steps(path)
    header = next(run)
    pane = header["panes"][name]
    agent = Replay(home, header["begun"], hooks)
    spans: list[truth.Span] = []
    claudes: dict[int, int] = {}
    below: set[int] = set()
    now = 0.0
    for now, what, details in run:
        agent.until(now)
        if what == "file":
            agent.written(now, details["path"], details)
        elif what == "began":
            if details["ppid"] == pane["shell"] and details["comm"] in ("claude", "node"):
                claudes[details["pid"]] = details["start"]
                agent.facts = Facts(
                    pid=details["pid"], start=details["start"], started=agent.begun + now, argv=tuple(details["argv"]),
                    cwd=details["cwd"].replace(HOME, str(home)) and details["cwd"], env={"HOME": str(home)},
                )  # fmt: skip
            elif agent.facts is not None and details["ppid"] in {agent.facts.pid, *below}:
                below.add(details["pid"])
                agent.facts = replace(agent.facts, below=tuple(sorted(below))[:3])
        elif what == "ended" and agent.facts is not None and details["pid"] == agent.facts.pid:
            agent.facts = None
        elif what == "heard" and hooks and agent.facts is not None and details["pane"] == pane["pane"]:
            agent.heard(now, details["event"], details["payload"])
        elif what == "truth" and details["of"] == name:
            spans.append(
                truth.Span(
                    details["state"], now, details["earliest"], details["why"], frozenset(details["alike"])
                )
            )
    agent.until(now + 1.0)
    return spans, agent.shown, now


@pytest.mark.parametrize("hooks", [True, False], ids=["hooks", "no-hooks"])
@pytest.mark.parametrize("path", RUNS, ids=lambda path: f"{path.parent.name}-{path.name.partition('.')[0]}")
def test_nothing_false_is_shown(path: Path, hooks: bool, tmp_path: Path) -> None:
    names = next(steps(path))["panes"]
    for name in names:
        home = tmp_path / name
        home.mkdir()
        spans, shown, end = replay(path, home, name, hooks)
        found = truth.judge([each for each in spans if each.state != "gone"], shown, end)
        assert not found.false, (name, found.false, truth.changes(shown), spans)
        assert found.clean, (name, found.verdicts, truth.changes(shown))
