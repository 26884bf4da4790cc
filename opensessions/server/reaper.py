"""Ends agents whose pane is gone, once a minute and on demand.

A sweep costs nothing while every receipt's pane is in the last reading. Else it looks at everything (`server.sweep`),
and what two complete sweeps agree on, `reap.grace` apart, is ended. Only one server of a user sweeps at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from opensessions import config
from opensessions.errors import OpenSessionsError
from opensessions.events import OrphansCounted
from opensessions.processes import plan
from opensessions.processes.audit import Audit
from opensessions.processes.exits import Exits
from opensessions.processes.identity import ProcId, liveness
from opensessions.processes.killer import Outcome
from opensessions.processes.plan import Decision, MuxFacts, Plan, Rules, Sight, Verdict
from opensessions.processes.receipt import Receipt
from opensessions.processes.receipts import Receipts
from opensessions.server.alone import Busy, alone
from opensessions.server.awake import Clock
from opensessions.server.bus import Bus
from opensessions.server.supervise import through
from opensessions.server.sweep import Sweep
from opensessions.server.unfinished import Finisher

log = logging.getLogger(__name__)

ORPHANS: frozenset[Decision] = frozenset({"reap", "wait", "report", "suspect"})
"""What users call an orphan."""
APART = 1.0
"""Seconds between the two looks that must agree where the user asks for a sweep."""
Answer = dict[str, Any]


def rules_of(settings: config.Reap, observed: bool = False) -> Rules:
    """What the user configured, as the judgement knows it; `observed`: for once, what he started himself as well."""
    return Rules(settings.grace, settings.observed or observed, frozenset(settings.keep))


class Reaper:
    """Sweeps for one server."""

    def __init__(
        self, bus: Bus, sweep: Sweep, receipts: Receipts, audit: Audit, state: str, settings: config.Reap,
        clock: Clock,
    ) -> None:  # fmt: skip
        """`receipts`: an object that no other thread uses."""
        self._bus = bus
        self._sweep = sweep
        self._receipts = receipts
        self._audit = audit
        self._state = state
        self._settings = settings
        self._turn = asyncio.Lock()
        self.clock = clock
        self._known: tuple[object, tuple[Receipt, ...]] = (object(), ())
        """The receipts with the stamp that their folder had before they were read."""
        self._seen: Mapping[ProcId, Sight] = {}
        self._verdicts: tuple[Verdict, ...] = ()
        self._told: dict[str, Decision] = {}
        """By nonce, what the audit log was last told."""
        self._fault = ""
        self._finisher = Finisher(sweep)

    @property
    def pending(self) -> int:
        """How many orphans the next sweeps will end."""
        return sum(verdict.decision == "wait" for verdict in self._verdicts)

    def orphans(self) -> list[Answer]:
        """Those of the last sweep, as JSON can hold them."""
        return [described(verdict) for verdict in self._verdicts if verdict.decision in ORPHANS]

    async def quiet(self, seconds: float) -> bool:
        """Wait until no managed agent runs any more that has outlived its multiplexer, at most so long. Is that so?"""
        stirred = asyncio.Event()
        exits = Exits(lambda pid: stirred.set())
        try:
            async with asyncio.timeout(seconds):
                while running := await self._running():
                    exits.watch(running)
                    await stirred.wait()
                    stirred.clear()
        except TimeoutError:
            return False
        finally:
            exits.close()
        return True

    async def _running(self) -> dict[int, int]:
        """The managed agents that have outlived their multiplexer and may be ended: pid -> start; none where the
        receipts cannot be read."""
        try:
            receipts = await asyncio.to_thread(Receipts(self._state).read)
        except (OSError, OpenSessionsError):
            return {}
        return {
            receipt.process.pid: receipt.process.start
            for receipt in receipts
            if receipt.origin == "managed" and not receipt.keep and receipt.place is not None
            and liveness(receipt.place.server) == "dead" and liveness(receipt.process) == "alive"
        }  # fmt: skip

    # --- the rhythm -----------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """One sweep. Never raises for what the world is like: the log says it, once."""
        async with self._turn:
            try:
                await self._swept(self.clock.ready())
                self._fault = ""
            except Busy as error:
                log.info("this sweep is left out: %s", error)
            except (OSError, OpenSessionsError) as error:
                if str(error) != self._fault:
                    self._fault = str(error)
                    log.error("orphans are not ended: %s", error)

    async def _swept(self, ready: bool) -> None:
        receipts = await self._read()
        if ready and self._finisher.pending:
            with alone(self._state):
                await self._finisher.finish(receipts, rules_of(self._settings), self._settings.term_wait)
        if not self._to_be_judged(receipts) or not self._to_be_judged(
            await asyncio.to_thread(self._sweep.own, receipts)
        ):
            self._seen = {}
            self._conclude(())
            return
        with alone(self._state):
            facts = await self._sweep.look(receipts)
            ready = self.clock.ready() and ready  # the machine may have slept while it was looked
            made = self._sweep.judge(receipts, facts, rules_of(self._settings), self._seen, ready)
            self._seen = made.seen
            await self._carry_out(receipts, made, rules_of(self._settings))

    async def _read(self) -> tuple[Receipt, ...]:
        """The receipts. While their folder does not change no thread is woken."""
        stamp = self._receipts.stamp()
        if stamp != self._known[0]:
            self._known = stamp, await asyncio.to_thread(self._receipts.read)
        return self._known[1]

    def _to_be_judged(self, receipts: Sequence[Receipt]) -> bool:
        muxes = {
            key: MuxFacts(key, "alive" if mux.reachable else "unknown", mux.inventory)
            for key, mux in self._bus.state.muxes.items()
        }
        return bool(receipts) and plan.to_be_judged(receipts, muxes)

    async def _carry_out(
        self, receipts: Sequence[Receipt], made: Plan, rules: Rules, only: Collection[str] | None = None
    ) -> dict[str, tuple[Outcome, ...]]:
        """Do what the plan says; what became of each tree, by its receipt's nonce. `only`: the nonces of those that may
        be ended. Refused where the audit log cannot be written: then nothing (more) is ended."""
        outcomes: dict[str, tuple[Outcome, ...]] = {}
        try:
            await asyncio.to_thread(self._tell, made.verdicts)
            for verdict in made.verdicts:
                receipt = verdict.receipt
                if verdict.decision == "reap" and (only is None or receipt.nonce in only):
                    log.info("ending %s: %s", named(receipt), verdict.why)
                    outcomes[receipt.nonce] = await self._sweep.end(
                        verdict, receipts, rules, made.seen, self._settings.term_wait
                    )
            await asyncio.to_thread(self._forget, made.verdicts)
        finally:
            self._conclude(
                verdict for verdict in made.verdicts if not _ended(outcomes.get(verdict.receipt.nonce))
            )
        return outcomes

    def _conclude(self, verdicts: Iterable[Verdict]) -> None:
        self._verdicts = tuple(verdicts)
        self._bus.dispatch(OrphansCounted(sum(each.decision in ORPHANS for each in self._verdicts)))

    def _tell(self, verdicts: Sequence[Verdict]) -> None:
        """Write into the audit log what is judged otherwise than before."""
        for verdict in verdicts:
            receipt = verdict.receipt
            if verdict.decision not in ("alive", "forget", self._told.get(receipt.nonce)):
                process = receipt.process
                self._audit.note(
                    "sweep", pid=process.pid, start=process.start, agent=receipt.agent, origin=receipt.origin,
                    pane=receipt.place.pane if receipt.place else "", decision=verdict.decision, why=verdict.why,
                )  # fmt: skip
        self._told = {each.receipt.nonce: each.decision for each in verdicts}

    def _forget(self, verdicts: Sequence[Verdict]) -> None:
        """Drop the receipts of processes that are proven gone."""
        for verdict in verdicts:
            if verdict.decision in ("forget", "reap") and liveness(verdict.receipt.process) == "dead":
                self._receipts.drop(verdict.receipt)

    # --- on demand ------------------------------------------------------------------------------------------

    async def reap(self, arguments: Mapping[str, str], apart: float = APART) -> Answer:
        """One sweep now: two looks, `apart` seconds from each other, must agree. `observed=1`: what the user started
        himself as well. `only`: the nonces of the receipts that may be acted on, with commas between them (default:
        all). Refused where the audit log cannot be written, Busy where another server sweeps. It is done to its end,
        though who has asked for it goes away."""
        return await through(self._reap(arguments, apart))

    async def _reap(self, arguments: Mapping[str, str], apart: float) -> Answer:
        only = arguments["only"].split(",") if "only" in arguments else None
        async with self._turn:
            with alone(self._state):
                receipts, made, rules = await self._planned(arguments, apart)
                outcomes = await self._carry_out(receipts, made, rules, only)
        return {"candidates": [described(each, outcomes.get(each.receipt.nonce)) for each in made.verdicts]}

    async def plan(self, arguments: Mapping[str, str], apart: float = APART) -> Answer:
        """What `reap` would do now, with nothing done."""
        async with self._turn:
            _, made, _ = await self._planned(arguments, apart)
        return {"candidates": [described(each) for each in made.verdicts]}

    async def listed(self, arguments: Mapping[str, str]) -> Answer:
        """Those of the last sweep; nothing is looked at. `fault`: why that could not be made, else ""."""
        return {"orphans": self.orphans(), "fault": self._fault}

    async def _planned(
        self, arguments: Mapping[str, str], apart: float
    ) -> tuple[tuple[Receipt, ...], Plan, Rules]:
        receipts = await self._read()
        rules = replace(rules_of(self._settings, arguments.get("observed") == "1"), grace=apart)
        return receipts, await agreed(self._sweep, receipts, rules, apart), rules


async def agreed(sweep: Sweep, receipts: Sequence[Receipt], rules: Rules, apart: float) -> Plan:
    """The plan on which two looks agree, `apart` seconds from each other. There is a third one where the first came too
    soon after an agent's start."""
    made = sweep.judge(receipts, await sweep.look(receipts), rules, {}, True)
    for _ in range(2):
        if any(verdict.decision == "wait" for verdict in made.verdicts):
            await asyncio.sleep(max(apart, APART) + 0.02)  # processes' times are counted in hundredths
            made = sweep.judge(receipts, await sweep.look(receipts), rules, made.seen, True)
    return made


def _ended(outcomes: Sequence[Outcome] | None) -> bool:
    return bool(outcomes) and all(
        each.result in ("exited_on_term", "killed", "gone_before") for each in outcomes or ()
    )


def named(receipt: Receipt) -> str:
    """For people."""
    return f"{receipt.agent or receipt.comm} (pid {receipt.process.pid})"


def described(verdict: Verdict, outcomes: Sequence[Outcome] | None = None) -> Answer:
    """A verdict as JSON can hold it, with what became of its processes."""
    receipt = verdict.receipt
    place = receipt.place
    return {
        "nonce": receipt.nonce,
        "agent": receipt.agent,
        "comm": receipt.comm,
        "pid": receipt.process.pid,
        "origin": receipt.origin,
        "mux": place.key if place else None,
        "pane": place.pane if place else None,
        "decision": verdict.decision,
        "why": verdict.why,
        "tree": [each.pid for each in verdict.tree],
        "outcomes": [
            {"pid": each.process.pid, "result": each.result, "why": each.why} for each in outcomes or ()
        ],
    }
