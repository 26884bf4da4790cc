"""One measured promise."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Result:
    """`value` against `bound`, both in `unit`. A bound of None is only told, not promised."""

    what: str
    value: float
    bound: float | None
    unit: str
    note: str = ""

    @property
    def kept(self) -> bool:
        """Is the promise kept?"""
        return self.bound is None or self.value <= self.bound

    def line(self) -> str:
        """For people."""
        if self.bound is None:
            return f"  --  {self.what:<62} {self.value:9.3f} {self.unit}  {self.note}".rstrip()
        mark = "ok" if self.kept else "BROKEN"
        ratio = self.value / self.bound
        amount = f"{self.value:9.3f} of {self.bound:g} {self.unit}"
        return f"{ratio:5.2f}  {self.what:<62} {amount}  {mark}  {self.note}".rstrip()

    def asdict(self) -> dict[str, object]:
        """For programs."""
        return asdict(self) | {"kept": self.kept}


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    return sorted(values)[max(0, int(len(values) * 0.95 + 0.5) - 1)]
