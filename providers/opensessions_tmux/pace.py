"""How soon after a reading the next one may come. Pure but for the clock, which is given."""

from __future__ import annotations

import time
from collections.abc import Callable

GAP = 0.03
"""Seconds between two readings, at least."""
SHARE = 10
"""In the long run reading takes at most one part in so many of tmux's time."""
SAVED = 0.3
"""Seconds of tmux's work that may be saved up while nothing happens: a person's act after a pause is seen at once
even where a reading is dear, and a storm of events is slowed down all the same."""


SLACK = 1.1
"""How much dearer than the one before a measurement may make a reading: tmux has other work in between, which is
measured with it. The cheapest of the last ones is near the truth."""


class Pace:
    """Keeps what readings cost tmux.

    How long tmux worked for a reading is seen only where the waiter did not have to wait; from the others only the
    size is known. So a measured cost per byte stands for them until the next measurement.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._per_byte: float | None = None
        self._credit = SAVED
        self._counted = clock()
        self.cost = 0.0
        """Estimated seconds of tmux's work for the last reading."""

    def measured(self, seconds: float, size: int) -> None:
        """The reading of `size` bytes that has just come cost tmux at most so much."""
        sample = max(0.0, seconds) / max(1, size)
        self._per_byte = sample if self._per_byte is None else min(sample, self._per_byte * SLACK)
        self._credit += self.cost
        self._spend(size)

    def read(self, size: int) -> None:
        """A reading of `size` bytes has come."""
        now = self._clock()
        self._credit = min(SAVED, self._credit + (now - self._counted) / SHARE)
        self._counted = now
        self._spend(size)

    def _spend(self, size: int) -> None:
        self.cost = (self._per_byte or 0.0) * size
        self._credit -= self.cost

    def pause(self) -> float:
        """Seconds from the end of the last reading to the earliest beginning of the next.

        Never longer than what keeps the share: a debt that grew while readings seemed dearer is not paid off.
        """
        return max(GAP - self.cost, min(-self._credit * SHARE, self.cost * (SHARE - 1)))
