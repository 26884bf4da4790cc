"""Which session file is this process's, for agents that name neither their pid nor hold the file open. Pure.

Wrong is worse than silent: an agent that was told another one's state is what people complain about. So a file counts
only where nobody else can have written it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from opensessions.agents.adapter import Facts

EARLY = 1.0
"""Seconds by which a file may seem older than the process that wrote it: two clocks are compared."""
BIRTH = 60.0
"""Seconds after its start within which a process begins its first session. Measured: Gemini CLI 2, Pi 1; more under
load."""


class Candidate(Struct, frozen=True):
    """A session file. Times in seconds since the epoch."""

    path: str
    thread: str
    modified: float
    began: float | None = None
    """When the session in it began, as it says itself."""


class Whose:
    """Remembers which files others wrote while they lived in the same directory."""

    def __init__(self) -> None:
        self._foreign: dict[str, float] = {}
        """Path -> when it was last written while a rival lived."""

    def choose(self, candidates: Sequence[Candidate], facts: Facts) -> Candidate | None:
        """The file of the agent with these `facts` among the files of its directory; None where it cannot be
        told."""
        if facts.thread:
            return next((each for each in candidates if each.thread == facts.thread), None)
        own = [
            each
            for each in candidates
            if each.thread not in facts.taken and each.modified >= facts.started - EARLY
        ]
        newest = max(own, key=lambda each: each.modified, default=None)
        born = [each for each in own if _born_with(each, facts)]
        if facts.rivals:
            certain = born[0] if len(born) == 1 and born[0] is newest else None
            for each in own:
                if each is not certain:
                    self._foreign[each.path] = each.modified
            return certain
        own = [each for each in own if each.modified > self._foreign.get(each.path, each.modified - 1)]
        return max(own, key=lambda each: each.modified, default=None)


def _born_with(candidate: Candidate, facts: Facts) -> bool:
    began = candidate.began
    return began is not None and -EARLY <= began - facts.started <= BIRTH
