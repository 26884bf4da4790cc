"""A recording, read: what was seen when, and what was true. See `recorder` for the format."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.real.truth import Span

FOLDER = Path(__file__).resolve().parents[1] / "recordings"


class Event(Struct, frozen=True):
    """`at` in seconds since the recording began."""

    at: float
    what: str
    details: Mapping[str, Any]


class Recording(Struct, frozen=True):
    """A whole one. `panes`: an instance's name -> (pane id, pid of its shell)."""

    driver: str
    agent: str
    """As opensessions calls it."""
    version: str
    scenario: str
    home: str
    begun: float
    end: float
    hooks: bool
    panes: Mapping[str, tuple[str, int]]
    events: Sequence[Event]

    def truth(self, name: str) -> list[Span]:
        """What was true of an instance; times in seconds since the recording began."""
        return [
            Span(
                each.details["state"], each.at, each.details["earliest"], each.details["why"],
                frozenset(each.details["alike"]), each.details.get("optional", False),
            )
            for each in self.events
            if each.what == "truth" and each.details["of"] == name
        ]  # fmt: skip


def read(path: Path) -> Recording:
    """The recording in this file."""
    first, *rest = gzip.decompress(path.read_bytes()).decode().splitlines()
    head = json.loads(first)
    events = [Event(*json.loads(line)) for line in rest]
    return Recording(
        driver=head.get("driver") or path.parent.name.rpartition("-")[0],
        agent=head["agent"],
        version=head["version"],
        scenario=head["scenario"],
        home=head["home"],
        begun=head["begun"],
        end=head.get("end", events[-1].at + 1.0),
        hooks=head["hooks"],
        panes={name: (each["pane"], each["shell"]) for name, each in head["panes"].items()},
        events=events,
    )


def recordings() -> list[Path]:
    """Every recording."""
    return sorted(FOLDER.glob("*/*.jsonl.gz"))
