"""One sweep: look at everything, judge, and end what may be ended. A server does so once a minute, `reap` on demand,
`scripts/cleanup` without a server.

Looking is done in threads and in the multiplexers, judging is `processes.plan`'s, ending is `processes.killer`'s.
Before each round of signals everything is looked at and judged again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct

from opensessions.processes import census, killer, plan
from opensessions.processes.audit import Audit
from opensessions.processes.census import Census
from opensessions.processes.details import examine
from opensessions.processes.grounds import kept
from opensessions.processes.homes import named
from opensessions.processes.identity import Liveness, ProcId
from opensessions.processes.instances import instance_liveness, living
from opensessions.processes.killer import Outcome
from opensessions.processes.plan import Details, MuxFacts, Plan, Rules, Sight, Verdict
from opensessions.processes.protect import protected, shields
from opensessions.processes.receipt import Place, Receipt
from opensessions.processes.remains import remaining
from opensessions.processes.scan import Table
from opensessions.processes.source import ProcessSource
from opensessions.server.looks import Looks

log = logging.getLogger(__name__)

NOWHERE = Place("", "", "", ProcId(0, 0), "", "", ProcId(0, 0))
"""The place of what is not known to have had one."""


class Facts(Struct, frozen=True):
    """All that a judgement needs, as it was a moment ago."""

    census: Census
    muxes: Mapping[str, MuxFacts]
    instances: Mapping[str, Liveness]
    details: Mapping[int, Details]
    protected: Mapping[int, str]


class Sweep:
    """What looks, judges and ends; between two calls it remembers nothing."""

    def __init__(self, state: str, instance: str, looks: Looks, source: ProcessSource, audit: Audit) -> None:
        """`instance`: our own, "" where no server runs."""
        self._state = state
        self._instance = instance
        self._looks = looks
        self.source = source
        self.uid = os.getuid()
        self.audit = audit
        self.on_table: Callable[[Table], None] = lambda table: None
        """Called with every walk through the process table, so that nobody else has to make one."""

    def own(self, receipts: Sequence[Receipt]) -> list[Receipt]:
        """Without those that another server looks after. Blocks for 20 µs for each server."""
        found = {id: instance_liveness(self._state, id) for id in {receipt.instance for receipt in receipts}}
        return [
            each for each in receipts if each.instance == self._instance or found[each.instance] != "alive"
        ]

    async def look(self, receipts: Sequence[Receipt]) -> Facts:
        """Everything now. 11 µs for each process of the machine, in a thread, and as long as the slowest multiplexer
        needs, 3 s at most."""
        newest, taken = await asyncio.to_thread(self._take)
        self.on_table(Table(newest, taken.stats))
        muxes = await self._looks.take(receipts, taken)
        instances = {receipt.instance for receipt in receipts} - {self._instance}
        return await asyncio.to_thread(self._complete, taken, muxes, receipts, instances)

    def _take(self) -> tuple[int | None, Census]:
        return self.source.newest(), census.take(self.source)

    def _complete(
        self,
        taken: Census,
        muxes: Mapping[str, MuxFacts],
        receipts: Sequence[Receipt],
        instances: Collection[str],
    ) -> Facts:
        found = {id: instance_liveness(self._state, id) for id in instances}
        inventories = [facts.inventory for facts in muxes.values() if facts.inventory is not None]
        return Facts(
            taken,
            muxes,
            found,
            examine(self.source, plan.of_interest(receipts, muxes, taken), taken),
            protected(taken, inventories, living(self._state), os.getpid(), self.uid),
        )

    def judge(
        self,
        receipts: Sequence[Receipt],
        facts: Facts,
        rules: Rules,
        seen: Mapping[ProcId, Sight],
        ready: bool,
    ) -> Plan:
        """What is to be done with each."""
        return plan.judge(
            receipts, facts.muxes, facts.instances, self._instance, facts.census, facts.details, facts.protected,
            self.uid, rules, seen, ready,
        )  # fmt: skip

    async def end(
        self,
        verdict: Verdict,
        receipts: Sequence[Receipt],
        rules: Rules,
        seen: Mapping[ProcId, Sight],
        wait: float,
    ) -> tuple[Outcome, ...]:
        """End the tree of a verdict `reap`. `seen`: what the plan said that it is from. Never raises for a process that
        cannot be ended; Refused, before any signal, where the audit log cannot be written."""
        ending = _Ending(self, verdict, receipts, rules, seen)
        place = verdict.receipt.place
        audit = self.audit.about(
            agent=verdict.receipt.agent, origin=verdict.receipt.origin, mux=place.key if place else "",
            pane=place.pane if place else "",
        )  # fmt: skip
        return await killer.end(verdict.tree, ending.allowed, wait, audit, verdict.why)

    async def objection(
        self, tree: Sequence[ProcId], place: Place | None, judged: Plan, facts: Facts, rules: Rules
    ) -> str:
        """Why these may not be ended though all of them were in a tree that may be, or come from one; "" where nothing
        speaks against it. Whose root has ended has no receipt any more. `place`: the root's."""
        pids = {each.pid for each in tree}
        if len(pids) > plan.MOST:
            return f"There are more than {plan.MOST} processes."
        for verdict in judged.verdicts:
            pid = verdict.receipt.process.pid
            if pid in pids and verdict.decision not in (*plan.ORPHANS, "forget"):
                return f"Of the process {pid} in its tree: {verdict.why}"
        details = await asyncio.to_thread(examine, self.source, pids, facts.census)
        tree = [each for each in tree if not details[each.pid].gone]
        if reason := shields(tree, facts.census, details, facts.protected, self.uid):
            return reason
        inventories = {key: mux.inventory for key, mux in facts.muxes.items() if mux.inventory is not None}
        for pid in (each.pid for each in tree):
            known, stat = details[pid], facts.census.stats[pid]
            if name := kept(rules, stat.comm, known.exe):
                return f"The process {pid} in its tree is {name}, which reap.keep names."
            # One that has only just begun shows none.
            if known.variables is None and facts.census.at - stat.start >= plan.YOUNG:
                return f"The environment of the process {pid} in its tree cannot be read."
            variables = known.variables or {}
            if variables.get("OPENSESSIONS_KEEP", "") not in ("", "0"):
                return f"The process {pid} in its tree has OPENSESSIONS_KEEP set."
            answer, why = named(variables, place or NOWHERE, inventories, facts.census)
            if answer != "none":
                return f"The environment of the process {pid} in its tree {why}."
        return ""


class _Ending:
    """What may be signalled of one tree, round by round."""

    def __init__(
        self, sweep: Sweep, verdict: Verdict, receipts: Sequence[Receipt], rules: Rules, seen: Mapping[ProcId, Sight]
    ) -> None:  # fmt: skip
        self._sweep = sweep
        self._root = verdict.receipt
        self._tree = verdict.tree
        self._receipts = receipts
        self._rules = rules
        self._seen = seen

    async def allowed(self) -> tuple[ProcId, ...] | str:
        """The tree as it may be signalled now, or why it may not be any more."""
        facts = await self._sweep.look(self._receipts)
        judged = self._sweep.judge(self._receipts, facts, self._rules, self._seen, True)
        verdict = next(each for each in judged.verdicts if each.receipt.nonce == self._root.nonce)
        if verdict.decision not in ("reap", "forget"):
            return verdict.why
        tree = remaining(tuple(dict.fromkeys((*verdict.tree, *self._tree))), facts.census)
        # Once the root has ended, its descendants are nobody's: they are known by having been in the tree.
        strangers = {each.pid for each in tree} - {each.pid for each in verdict.tree}
        if strangers and (
            reason := await self._sweep.objection(tree, self._root.place, judged, facts, self._rules)
        ):
            return reason
        self._tree = tree
        return tree
