"""How long the server and the machine have been awake: what is seen too soon after a start is not trusted."""

from __future__ import annotations

import time
from collections.abc import Callable

ASLEEP = 1.0
"""Seconds that the clock which counts sleep may gain on the one which does not, before the machine has slept."""
WITH_SLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""macOS's monotonic clock goes on while it sleeps, Linux's does not."""
WITHOUT_SLEEP = getattr(time, "CLOCK_UPTIME_RAW", time.CLOCK_MONOTONIC)


class Clock:
    """Tells when enough time has passed since the start, or since the machine woke up, to trust what is seen."""

    def __init__(self, grace: float, read: Callable[[int], float] = time.clock_gettime) -> None:
        self._grace = grace
        self._read = read
        self._slept = self._gap()
        self._ready = read(WITH_SLEEP) + grace

    def ready(self) -> bool:
        """Is it `grace` seconds ago? Must be asked at least once between two sleeps."""
        slept = self._gap()
        if slept - self._slept > ASLEEP:
            self._ready = self._read(WITH_SLEEP) + self._grace
        self._slept = slept
        return self.wait() <= 0

    def wait(self) -> float:
        """Seconds until it is."""
        return self._ready - self._read(WITH_SLEEP)

    def _gap(self) -> float:
        return self._read(WITH_SLEEP) - self._read(WITHOUT_SLEEP)
