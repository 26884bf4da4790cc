"""Which session file is this process's, for agents that name neither their pid nor hold the file open. Pure.

Wrong is worse than silent: an agent that was told another one's state is what people complain about. So a file counts
only where nobody else can have written it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
    """Remembers which file is the agent's, and which ones others wrote while they lived in the same directory."""

    def __init__(self) -> None:
        self._held = ""
        """The path of its file."""
        self._lost: set[str] = set()
        """Paths of files that were taken for its own, and that another agent has proved to be its own."""
        self._foreign: dict[str, float] = {}
        """Path -> when it was last written while a rival lived."""
        self._rivals = False
        """Had it any when it was last asked?"""

    def choose(self, candidates: Sequence[Candidate], facts: Facts) -> Candidate | None:
        """The file of the agent with these `facts` among the files of its directory; None where it cannot be
        told. While others live there it changes only by what the agent's hooks say: it is kept, or let go for good."""
        if facts.thread:
            told = next((each for each in candidates if each.thread == facts.thread), None)
            self._note(candidates, told, facts)
            return told
        recent = [each for each in candidates if each.modified >= facts.started - EARLY]
        own = [each for each in recent if each.thread not in facts.taken]
        if self._held and all(each.path != self._held for each in own):
            self._lost.add(self._held)
            self._held = ""
        if facts.rivals:
            found = next((each for each in own if each.path == self._held), None) or self._proven(
                own, {each.thread for each in recent} | facts.taken, facts
            )
        else:
            if self._rivals:
                self._note(recent, next((each for each in own if each.path == self._held), None), facts)
            own = [each for each in own if each.modified > self._foreign.get(each.path, each.modified - 1)]
            found = max(own, key=lambda each: each.modified, default=None)
        self._note(recent, found, facts)
        return found

    def _proven(self, own: Sequence[Candidate], threads: Collection[str], facts: Facts) -> Candidate | None:
        """The only one that was begun when the agent began, if it is the newest, and if there are enough for its rivals
        to have theirs. Some agents write nothing before their first answer: the only file there is may be anybody's."""
        newest = max(own, key=lambda each: each.modified, default=None)
        born = [each for each in own if _born_with(each, facts)]
        if len(born) != 1 or born[0] is not newest or len(threads) <= facts.rivals:
            return None
        return None if born[0].path in self._lost else born[0]

    def _note(self, candidates: Sequence[Candidate], found: Candidate | None, facts: Facts) -> None:
        """`found` is its own, and the others, as they are now, are not if a rival lives, or has lived just now: what it
        wrote last may be seen after its end."""
        self._held = found.path if found else ""
        if facts.rivals or self._rivals:
            self._foreign |= {each.path: each.modified for each in candidates}
        self._foreign.pop(self._held, None)
        self._rivals = facts.rivals > 0


def _born_with(candidate: Candidate, facts: Facts) -> bool:
    began = candidate.began
    return began is not None and -EARLY <= began - facts.started <= BIRTH
