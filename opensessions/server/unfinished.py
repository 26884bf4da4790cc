"""Finishes what a server had begun to end when it was killed itself: the root may be gone, and its receipt with it,
while others of its tree are left, stopped even.

The audit log holds who they were; the intent to end them was written before the first signal.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

from opensessions.errors import Refused
from opensessions.processes import audit
from opensessions.processes.audit import Unfinished
from opensessions.processes.identity import ProcId, liveness
from opensessions.processes.killer import end
from opensessions.processes.pins import Pin
from opensessions.processes.plan import Rules
from opensessions.processes.receipt import Receipt
from opensessions.processes.remains import remaining
from opensessions.server.sweep import Sweep

log = logging.getLogger(__name__)

OVER = 120.0
"""Seconds after which nobody is at it any more."""


class Finisher:
    """Does so once for each ending."""

    def __init__(self, sweep: Sweep, over: float = OVER) -> None:
        self._sweep = sweep
        self._over = over
        self.pending = True
        """There may be some."""

    async def finish(self, receipts: Sequence[Receipt], rules: Rules, wait: float) -> None:
        """Finish them, while `pending`. Refused where the audit log cannot be written."""
        entries = await asyncio.to_thread(audit.read, self._sweep.audit.path)
        begun = audit.unfinished(entries)
        young = [each for each in begun if abs(time.time() - _at(each)) < self._over]
        for each in begun:
            if each not in young and any(liveness(process) == "alive" for process in each.tree):
                await self._finish(each, receipts, rules, wait)
                _let_go(each, entries)
        self.pending = bool(young)

    async def _finish(
        self, begun: Unfinished, receipts: Sequence[Receipt], rules: Rules, wait: float
    ) -> None:
        if any(
            process.pid == begun.entry.get("pid") and liveness(process) != "dead" for process in begun.tree
        ):
            return  # the root: it is judged by its receipt
        tree = begun.tree

        async def allowed() -> tuple[ProcId, ...] | str:
            nonlocal tree
            facts = await self._sweep.look(receipts)
            tree = remaining(tree, facts.census)
            judged = self._sweep.judge(receipts, facts, rules, {}, False)
            return await self._sweep.objection(tree, None, judged, facts, rules) or tree

        why = "Its tree was being ended when the server was killed."
        log.info("finishing: %s (pids %s)", why, ", ".join(str(process.pid) for process in tree))
        await end(tree, allowed, wait, self._sweep.audit, why)


def _let_go(begun: Unfinished, entries: Sequence[Mapping[str, Any]]) -> None:
    """Nothing stays stopped that the killed server has stopped, whether or not it may be ended."""
    stopped = {
        (each.get("pid"), each.get("start"))
        for each in entries
        if each.get("ending") == begun.entry["ending"] and each.get("signal") == "SIGSTOP"
    }
    for process in begun.tree:
        if (process.pid, process.start) in stopped:
            with suppress(Refused):
                if pin := Pin.open(process):
                    with closing(pin):
                        pin.signal(signal.SIGCONT)


def _at(begun: Unfinished) -> float:
    at = begun.entry.get("at")
    return at if isinstance(at, float) else 0.0
