"""How soon the next reading may come."""

from __future__ import annotations

import pytest

from opensessions_tmux.pace import GAP, SAVED, Pace


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_cheap_readings_come_every_30_ms() -> None:
    pace = Pace(Clock())
    assert pace.pause() == GAP
    pace.read(1000)
    pace.measured(0.001, 1000)
    assert pace.pause() == pytest.approx(GAP - 0.001)


def test_a_storm_of_dear_readings_takes_a_tenth_of_the_time() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.read(100_000)
    pace.measured(0.040, 100_000)
    busy = 0.0
    while clock.now < 100:
        clock.now += pace.pause() + pace.cost
        busy += pace.cost
        pace.read(100_000)
    assert busy <= 0.1 * clock.now + SAVED + 0.040
    assert pace.pause() > 0.3


def test_after_a_rest_even_a_dear_reading_comes_at_once() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(20):
        pace.read(100_000)
        pace.measured(0.040, 100_000)
    assert pace.pause() == pytest.approx(0.36)
    clock.now += 60
    pace.read(100_000)
    assert pace.pause() <= 0


def test_other_work_of_tmux_does_not_silence_us() -> None:
    """In a storm of events a measurement holds far more than the reading."""
    clock = Clock()
    pace = Pace(clock)
    pace.read(10_000)
    pace.measured(0.004, 10_000)
    for _ in range(10):
        clock.now += pace.pause()
        pace.read(10_000)
        pace.measured(0.240, 10_000)
    assert pace.pause() <= 9 * 0.004 * 1.1**10
    pace.measured(0.004, 10_000)
    assert pace.pause() <= 0.036


def test_a_measurement_of_nothing_is_harmless() -> None:
    pace = Pace(Clock())
    pace.measured(-0.001, 0)
    pace.read(1000)
    assert pace.pause() == GAP
