"""The members of a tree while it is ended: each held by a pin, what may be signalled of them, what became of them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from opensessions.errors import OpenSessionsError, Refused
from opensessions.processes.audit import Audit, Field
from opensessions.processes.identity import ProcId, boot_id, namespace, same
from opensessions.processes.pins import Pin, gone, hold

Result = Literal["exited_on_term", "killed", "survived", "gone_before", "refused"]

Recheck = Callable[[], Awaitable[Collection[ProcId] | str]]
"""Looks at everything anew. Answers what of the tree may be signalled now, late arrivals included, or why nothing may.
Once the root has exited it answers what is left of its tree: see `remains.remaining`."""

LOOKS = 2
"""Rechecks in one look at the most: the second one judges the late arrivals of the first, which are pinned by then."""

Key = tuple[int, int]
"""Pid and start: they name a process among pinned ones, which are all of this boot and of our namespace."""


class Outcome(Struct, frozen=True):
    """What became of one process."""

    process: ProcId
    result: Result
    why: str = ""
    """In a sentence, for `refused` and `survived`."""


class Stop(Exception):
    """Nothing more may be signalled. The message says why."""


class Members:
    """Those of one tree, its root first. Every step is told of."""

    def __init__(
        self, tree: Sequence[ProcId], recheck: Recheck, audit: Audit, why: str, on_step: Callable[[str], None]
    ) -> None:
        self.root = key_of(tree[0])
        self.killed: set[Key] = set()
        self._tree = tuple(tree)
        self._recheck = recheck
        self._audit = audit
        self._why = why
        self.step = on_step
        self._pins: dict[Key, Pin] = {}
        self._named: set[Key] = set()
        """Whom the last recheck answered."""
        self._allowed: set[Key] = set()
        """Of them those that were pinned before it: it was they who were judged."""
        self._intended: set[Key] = set()
        """Those that stand in the audit log as about to be signalled."""
        self._fresh = False
        """Nothing was signalled since the last look."""
        self._asked = False
        """Some signal was sent."""
        self._stopped: set[Key] = set()
        self._outcomes: dict[Key, Outcome] = {}

    def pin(self) -> None:
        """Take hold of the tree. Stop where it holds what may never be ended."""
        self._hold(self._tree)
        for process in self._tree:
            if key_of(process) not in self._pins:
                self._settle(Outcome(process, "gone_before"))
        self.step("pinned")

    async def look(self, strict: bool = False) -> None:
        """Learn what may be signalled now, and take hold of late arrivals. Does nothing where nothing was signalled
        since the last look. Stop where nothing (more) may be done; with `strict` that is so if any member must be left
        alone, else only the root. Refused where the audit log cannot be written and `strict` is on."""
        if self._fresh:
            return
        for _ in range(LOOKS):
            if not await self._ask_again(strict):
                break
        if not self._intended.issuperset(self.targets()):
            await self._intend(strict)
        self._fresh = True

    async def _ask_again(self, strict: bool) -> bool:
        """One recheck. Did others arrive, which it has not judged?"""
        answer = await self._recheck()
        self.step("looked")
        if isinstance(answer, str):
            if self.alive():
                raise Stop(answer)
            answer = ()
        self._allowed = {
            key for each in answer if (key := key_of(each)) in self._pins and self._is(key, each)
        }
        barred = [key for key in self.alive() if key not in self._allowed]
        if barred and (strict or self.root in barred):
            raise Stop(f"Process {barred[0][0]} is not to be ended any more: something has changed.")
        fresh = {key_of(each) for each in answer} - self._pins.keys() - self._outcomes.keys()
        self._named = self._allowed | fresh
        self._hold([each for each in answer if key_of(each) in fresh])
        return not fresh.isdisjoint(self._pins)

    async def _intend(self, first: bool) -> None:
        """Write down what is about to be signalled. Refused the first time, Stop later, where that is impossible."""
        tree: list[dict[str, str | int]] = []
        for key in self.targets():
            pin = self._pins[key]
            if key not in self._intended:
                tree.append({"pid": key[0], "start": key[1], "inode": pin.process.inode, "comm": pin.comm})
        fields: dict[str, Field] = {"pid": self.root[0], "start": self.root[1], "why": self._why}
        where: dict[str, Field] = {"boot": boot_id(), "namespace": namespace(), "tree": tree}
        try:
            await asyncio.to_thread(self._audit.write, "intent", **fields, **where)
        except OpenSessionsError as error:
            if first:
                raise
            raise Stop(str(error)) from error
        self._intended |= self._allowed
        self.step("intent written")

    def signal(self, keys: Sequence[Key], *numbers: signal.Signals) -> None:
        """Send these to each, as far as it may be signalled. Stop where the system does not allow it."""
        self._fresh = False
        for key in keys:
            for number in numbers if key in self._allowed and key in self._intended else ():
                if number == signal.SIGSTOP:
                    self._stopped.add(key)
                try:
                    sent = self._pins[key].signal(number)
                except Refused as error:
                    raise Stop(str(error)) from error
                if sent:
                    self._asked = True
                    if number == signal.SIGKILL:
                        self.killed.add(key)
                    self._audit.note("signal", pid=key[0], start=key[1], signal=number.name)
                self.step(f"{number.name} {key[0]}")

    async def wait(self, keys: Sequence[Key], timeout: float) -> None:
        """Until these have exited, `timeout` seconds at most."""
        await gone([self._pins[key] for key in keys], timeout)

    def alive(self) -> list[Key]:
        """Those that run and are not settled, in the order of the tree."""
        return [key for key, pin in self._pins.items() if key not in self._outcomes and pin.alive()]

    def targets(self) -> list[Key]:
        """Those of them that may be signalled."""
        return [key for key in self.alive() if key in self._allowed]

    def running(self) -> list[Key]:
        """Those of them that were not stopped by us."""
        return [key for key in self.targets() if key not in self._stopped]

    # --- what became of them ----------------------------------------------------------------------------------

    def conclude(self, held: str, late: str) -> None:
        """Settle all, when all was done. `held`, `late`: why one survives that was killed, and one that was not."""
        self._exited()
        for key in self.alive():
            process = self._pins[key].process
            if key in self.killed:
                self._settle(Outcome(process, "survived", held))
            elif key in self._named:
                self._settle(Outcome(process, "survived", late))
            else:
                self._settle(Outcome(process, "refused", "It is not part of the tree any more."))

    def refuse(self, why: str) -> None:
        """Settle all: whatever still runs is left alone."""
        self._exited()
        self._audit.note("refused", pid=self.root[0], start=self.root[1], why=why)
        for process in self._tree:
            if key_of(process) not in self._pins and key_of(process) not in self._outcomes:
                self._settle(Outcome(process, "refused", why))
        for key in self.alive():
            self._settle(Outcome(self._pins[key].process, "refused", why))

    def outcomes(self) -> tuple[Outcome, ...]:
        """Those that are settled."""
        return tuple(self._outcomes.values())

    def close(self, interrupted: str) -> None:
        """Let go of all. Nothing stays stopped. `interrupted`: why they are not settled, else ""."""
        for key in sorted(self._stopped):
            # What was killed is beyond this; what may not be signalled any more was stopped by us all the same.
            with suppress(Refused):
                self._pins[key].signal(signal.SIGCONT)
        if interrupted:
            self._audit.note("refused", pid=self.root[0], start=self.root[1], why=interrupted)
        for pin in self._pins.values():
            pin.close()

    def _exited(self) -> None:
        by_itself: Result = "exited_on_term" if self._asked else "gone_before"
        for key, pin in self._pins.items():
            if key not in self._outcomes and not pin.alive():
                self._settle(Outcome(pin.process, "killed" if key in self.killed else by_itself))

    def _settle(self, outcome: Outcome) -> None:
        process = outcome.process
        self._outcomes[key_of(process)] = outcome
        why = {"why": outcome.why} if outcome.why else {}
        self._audit.note("outcome", pid=process.pid, start=process.start, result=outcome.result, **why)

    def _hold(self, processes: Sequence[ProcId]) -> None:
        try:
            pins = hold(processes, sum(pin.held for pin in self._pins.values()))
        except Refused as error:
            raise Stop(str(error)) from error
        self._pins.update((key_of(pin.process), pin) for pin in pins)

    def _is(self, key: Key, process: ProcId) -> bool:
        return same(self._pins[key].process, process) == "same"


def key_of(process: ProcId) -> Key:
    """Its name among pinned processes."""
    return process.pid, process.start
