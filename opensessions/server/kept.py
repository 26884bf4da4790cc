"""What is remembered of the folders that sessions work in."""

from __future__ import annotations

from opensessions.context.git import Answer
from opensessions.context.worktrees import Repository
from opensessions.model import Context

SHARE = 50
"""A reading that takes long is followed by a pause of so many times as long."""
PAUSE, LONGEST = 5.0, 960.0
"""Seconds until git is asked again after it gave no answer, twice as long each time. Nothing needs to happen for that:
the machine may have been busy."""


class Place:
    """A folder that some session is in."""

    def __init__(self, dir: str) -> None:
        self.dir = dir
        self.repository: Repository | None = None
        self.known = False
        """It was looked for."""
        self.doubtful = True
        """It is to be looked for again."""
        self.busy = False


class Tree:
    """A working tree, with what was last read of it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.branch: str | None = None
        self.known = False
        """Its HEAD was read."""
        self.doubtful = True
        """Its HEAD is to be read again."""
        self.busy = False
        self.dirty: bool | None = None
        self.due: float | None = None
        """When git is to be asked, on the loop's clock; None: not before something happens."""
        self.asked = False
        """Git is being asked."""
        self._ended: float | None = None
        self._took = 0.0
        self._failures = 0

    def want(self, now: float, gap: float) -> None:
        """Have git asked soon, `gap` seconds after the last time or later."""
        wanted = max(now, self._soonest(gap))
        self.due = wanted if self.due is None else min(self.due, wanted)

    def answered(self, answer: Answer, now: float) -> None:
        """Git was asked."""
        self.dirty = answer.dirty
        self._ended, self._took = now, answer.took
        self._failures = self._failures + 1 if answer.dirty is None else 0
        if self.due is not None:
            self.due = max(self.due, self._soonest(0))
        elif self._failures:
            self.due = self._soonest(0)

    def _soonest(self, gap: float) -> float:
        if self._ended is None:
            return 0.0
        pause = min(LONGEST, PAUSE * 2 ** (self._failures - 1)) if self._failures else 0.0
        return self._ended + max(gap, SHARE * self._took, pause)

    def context(self) -> Context:
        """As everybody else knows it."""
        where = self.repository
        return Context(self.branch, self.dirty, where.worktree, where.common)
