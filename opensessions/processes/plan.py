"""The reaper's judgement: which agents are orphans that may be ended, and why all others may not. Pure: a census,
multiplexers, receipts and what earlier sweeps saw go in, a Plan comes out.

It answers in three values. What cannot be proven is "unknown", and unknown never ends a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from opensessions.processes.census import Census
from opensessions.processes.grounds import (
    Law,
    World,
    at_home,
    examined,
    exempt,
    foreign,
    gone,
    tree_of,
    world,
)
from opensessions.processes.identity import Liveness, ProcId
from opensessions.processes.receipt import Receipt
from opensessions.processes.verdict import (
    MOST,
    ORPHANS,
    WANTED,
    YOUNG,
    Decision,
    Details,
    MuxFacts,
    Plan,
    Rules,
    Sight,
    Verdict,
)

__all__ = [
    "MOST", "ORPHANS", "WANTED", "YOUNG", "Decision", "Details", "MuxFacts", "Plan", "Rules", "Sight", "Verdict",
    "judge", "of_interest", "to_be_judged", "tree_of",
]  # fmt: skip


def judge(
    receipts: Sequence[Receipt], muxes: Mapping[str, MuxFacts], instances: Mapping[str, Liveness], own_instance: str,
    census: Census, details: Mapping[int, Details], protected: Mapping[int, str], uid: int, rules: Rules,
    seen: Mapping[ProcId, Sight], ready: bool,
) -> Plan:  # fmt: skip
    """What is to be done with each agent of which there is a receipt. The same facts always make the same plan, and to
    know less never ends more.

    `instances`: what is known of the servers that the receipts name; one that is not there is unknown. `details`: of
    the processes in `of_interest`. `protected`: as `protect.protected` says of this census. `seen`: of the last plan.
    `ready`: the grace since the server's start, and since the machine woke up, has passed; what was seen before that
    does not count.
    """
    here, law = world(census, muxes, receipts), Law(instances, own_instance, details, protected, uid, rules)
    verdicts = _agreed([_verdict(receipt, here, law) for receipt in receipts])
    sights = _sights(verdicts, seen, census.at) if ready else {}
    return Plan(tuple(_timed(each, sights, census.at, rules) for each in verdicts), sights)


def of_interest(receipts: Sequence[Receipt], muxes: Mapping[str, MuxFacts], census: Census) -> frozenset[int]:
    """The pids whose details `judge` will want: whole trees of receipts whose pane may be dead."""
    here = world(census, muxes, receipts)
    wanted: set[int] = set()
    for receipt in receipts:
        if gone(receipt, census) is None and at_home(receipt, here) is None:
            tree = tree_of(receipt.process.pid, census)
            wanted |= set(tree if len(tree) <= MOST else ())
    return frozenset(wanted)


def to_be_judged(receipts: Iterable[Receipt], muxes_now: Mapping[str, MuxFacts]) -> bool:
    """May any of these be an orphan? False if each pane is in the last inventory with the process that it had, as far
    as that can be told without a census; then a sweep has nothing to find. Microseconds for each receipt and pane.

    Agents outside of all multiplexers are nobody's orphans. That one has exited is no news for a sweep either.
    """
    living = {
        (key, facts.inventory.server_pid, pane.id, pane.pid)
        for key, facts in muxes_now.items()
        if facts.inventory is not None and facts.server == "alive"
        for window in facts.inventory.windows.values()
        for pane in window.panes
        if not pane.dead
    }
    places = [receipt.place for receipt in receipts if receipt.place is not None]
    return any((at.key, at.server.pid, at.pane, at.shell.pid) not in living for at in places)


def _verdict(receipt: Receipt, here: World, law: Law) -> Verdict:
    """Orphans are left at `report` or `wait`: only time makes `reap` of it."""
    return (
        gone(receipt, here.census)
        or at_home(receipt, here)
        or foreign(receipt, law)
        or exempt(receipt, here.census, law.rules)
        or examined(receipt, here, law)
    )


def _agreed(verdicts: list[Verdict]) -> list[Verdict]:
    """A tree may hold what another receipt speaks of, or two receipts may speak of one process: where one of them says
    that it must live, the tree that holds it lives as a whole."""
    while True:
        against = {
            verdict.receipt.process.pid: verdict
            for verdict in verdicts
            if verdict.decision not in (*ORPHANS, "forget")
        }
        changed = [_yielding(each, against) for each in verdicts]
        if changed == verdicts:
            return verdicts
        verdicts = changed


def _yielding(verdict: Verdict, against: Mapping[int, Verdict]) -> Verdict:
    for process in verdict.tree:
        if (other := against.get(process.pid)) is not None:
            decision: Decision = other.decision if other.decision in ("unknown", "keep") else "refuse"
            return Verdict(
                verdict.receipt, decision, f"Of the process {process.pid} in its tree: {other.why}"
            )
    return verdict


def _sights(verdicts: Iterable[Verdict], seen: Mapping[ProcId, Sight], at: int) -> dict[ProcId, Sight]:
    """Orphans were seen once more. One of which nothing could be told keeps what it had; all others begin anew if they
    ever come back."""
    sights = {}
    for verdict in verdicts:
        process = verdict.receipt.process
        before = seen.get(process)
        if verdict.tree:
            again = before is not None and before.first <= at
            sights[process] = Sight(before.first, before.count + 1) if before and again else Sight(at)
        elif verdict.decision == "unknown" and before is not None:
            sights.setdefault(process, before)
    return sights


def _timed(verdict: Verdict, sights: Mapping[ProcId, Sight], at: int, rules: Rules) -> Verdict:
    """Two complete sweeps must agree, the grace apart."""
    if verdict.decision != "wait" or not verdict.tree:
        return verdict
    sight = sights.get(verdict.receipt.process)
    if sight is None:
        return replace(
            verdict, why=f"{verdict.why} Too little time has passed since the start or since sleep."
        )
    left = rules.grace - (at - sight.first) / 100
    if sight.count >= 2 and left <= 0:
        return replace(verdict, decision="reap")
    return replace(verdict, why=f"{verdict.why} A sweep in {max(left, 0):.0f} s or later must say so again.")
