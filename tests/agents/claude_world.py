"""A home with a Claude Code in it: its files on a real disk, its process by numbers only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from opensessions.agents.adapter import Facts, Heard, Ignored, Look
from opensessions.agents.claude import KIND
from opensessions.agents.fuse import Verdict
from opensessions.agents.kind import Kind
from opensessions.agents.signal import Signal
from opensessions.agents.track import Track, forget, hear, judge
from opensessions.files.disk import Disk
from opensessions.model import AgentState

DATA = Path(__file__).parent / "data"
EPOCH = 1_700_000_000.0
"""What the clock shows when a scene's time is 0."""
PID, START = 4242, 777_000
CWD = "/home/user/project"
ID = "11111111-2222-4333-8444-555555555555"
READ = ("registry", "transcript")


def stamp(at: float) -> str:
    """As Claude Code writes times."""
    return datetime.fromtimestamp(EPOCH + at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def prompt(text: str, at: float, **more: Any) -> dict[str, Any]:
    return {"type": "user", "timestamp": stamp(at), "message": {"role": "user", "content": text}, **more}


def answer(text: str, at: float, reason: str | None = "end_turn", **more: Any) -> dict[str, Any]:
    blocks = [{"type": "text", "text": text}]
    message = {"id": f"msg_{at}", "role": "assistant", "model": "m", "content": blocks, "stop_reason": reason}
    return {"type": "assistant", "timestamp": stamp(at), "message": message, **more}


def call(id: str, name: str, at: float, message: str | None = None) -> dict[str, Any]:
    blocks = [{"type": "tool_use", "id": id, "name": name, "input": {}}]
    inner = {"id": message or f"msg_{at}", "role": "assistant", "model": "m", "content": blocks}
    return {"type": "assistant", "timestamp": stamp(at), "message": {**inner, "stop_reason": "tool_use"}}


def result(id: str, at: float, **more: Any) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": id, "content": "x"}]
    return {"type": "user", "timestamp": stamp(at), "message": {"role": "user", "content": blocks}, **more}


def interrupt(at: float, tool: bool = False) -> dict[str, Any]:
    text = "[Request interrupted by user for tool use]" if tool else "[Request interrupted by user]"
    blocks = [{"type": "text", "text": text}]
    return {"type": "user", "timestamp": stamp(at), "message": {"role": "user", "content": blocks}}


def over(at: float, **more: Any) -> dict[str, Any]:
    return {"type": "system", "subtype": "turn_duration", "timestamp": stamp(at), "durationMs": 1, **more}


def failure(at: float) -> dict[str, Any]:
    return {
        **answer("API Error: 500", at, "stop_sequence"),
        "isApiErrorMessage": True,
        "error": "server_error",
    }


class World:
    """One agent, and everything that is seen of it. Times in seconds since the scene began."""

    def __init__(self, home: Path, kind: Kind = KIND) -> None:
        self.home, self.kind = home, kind
        assert kind.reader is not None
        self.reader = kind.reader()
        self.disk = Disk()
        self.facts = Facts(
            pid=PID, start=START, started=EPOCH - 5, argv=(kind.name,), cwd=CWD, env={"HOME": str(home)}
        )
        self.thread = ID
        self.track = Track()
        self.look: Look | None = None
        self.again: float | None = None
        self.now = 0.0
        self.shown: list[AgentState] = []

    @property
    def registry(self) -> Path:
        return self.home / f".claude/sessions/{self.facts.pid}.json"

    @property
    def transcript(self) -> Path:
        return self.home / f".claude/projects/-home-user-project/{self.thread}.jsonl"

    def register(self, status: str | None, at: float, **more: Any) -> None:
        """Claude Code writes its status file."""
        entry: dict[str, Any] = {
            "pid": self.facts.pid, "sessionId": self.thread, "cwd": CWD, "startedAt": int((EPOCH - 4) * 1000),
            "procStart": str(self.facts.start), "version": "2.1.197", "kind": "interactive", "entrypoint": "cli",
            "name": "project-1a", "nameSource": "derived",
        }  # fmt: skip
        if status is not None:
            entry |= {"status": status, "statusUpdatedAt": int((EPOCH + at) * 1000)}
        self.registry.parent.mkdir(parents=True, exist_ok=True)
        self.registry.write_text(json.dumps(entry | more))

    def write(self, *records: Mapping[str, Any] | str) -> None:
        """Claude Code adds to its transcript."""
        self.transcript.parent.mkdir(parents=True, exist_ok=True)
        with self.transcript.open("a") as file:
            for record in records:
                file.write((record if isinstance(record, str) else json.dumps(record)) + "\n")

    # --- what is made of it --------------------------------------------------------------------------------

    def read(self, now: float | None = None) -> AgentState:
        """Look at the files."""
        self._pass(self.now if now is None else now)
        look = self.reader.look(self.facts, self.disk)
        said = {signal.source for signal in look.signals}
        track = forget(self.track, [source for source in READ if source not in said])
        self.track = hear(track, look.signals, self.now, first=self.look is None)
        self.look = look
        self.again = None if look.again is None else self.now + look.again
        return self._judge()

    def hook(self, event: str, now: float, **payload: Any) -> AgentState:
        """A hook tells something."""
        self._pass(now)
        assert self.kind.hears is not None
        said = self.kind.hears(Heard(event, {"session_id": self.thread, **payload}))
        if isinstance(said, Ignored):
            self.track = forget(self.track, ["hook"])
        elif said is not None:
            self.track = hear(self.track, [said], now)
        return self._judge()

    def title(self, title: str, now: float) -> AgentState:
        """The pane has this title now."""
        self._pass(now)
        signal = self.kind.title(title)
        self.track = hear(self.track, [signal], now) if signal else forget(self.track, ["title"])
        return self._judge()

    def screen(self, lines: Sequence[str], now: float) -> AgentState:
        """The pane shows this now."""
        self._pass(now)
        signal = self.kind.screen(lines)
        self.track = hear(self.track, [signal], now) if signal else forget(self.track, ["screen"])
        return self._judge()

    def wait(self, until: float) -> AgentState:
        """Nothing is seen until then but the passing of time."""
        self._pass(until)
        return self._judge()

    def signals(self) -> dict[str, Signal]:
        """The last look's, by source."""
        assert self.look is not None
        return {signal.source: signal for signal in self.look.signals}

    @property
    def verdict(self) -> Verdict:
        return self.track.verdict

    def _pass(self, until: float) -> None:
        while True:
            moments = [each for each in (self.again, self.track.verdict.again) if each is not None]
            at = min(moments, default=until)
            if at >= until:
                break
            self.now = max(self.now, at + 0.001)
            if self.again is not None and self.again <= at:
                self.again = None
                self.read(self.now)
            else:
                self._judge()
        self.now = until

    def _judge(self) -> AgentState:
        self.track = judge(self.track, self.kind, self.now, EPOCH + self.now)
        state = self.track.verdict.state
        if not self.shown or self.shown[-1] != state:
            self.shown.append(state)
        return state

    def moved(self, **facts: Any) -> None:
        """Other facts from now on."""
        self.facts = replace(self.facts, **facts)
