"""What a sweep for orphans costs: reading the process table, what is read of the few that matter, and the judgement."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.result import Result, median
from opensessions.model import Inventory, Pane, Session, Window
from opensessions.processes.census import Census, count, take
from opensessions.processes.details import examine
from opensessions.processes.identity import ProcId, read
from opensessions.processes.plan import MuxFacts, Plan, Rules, judge, of_interest
from opensessions.processes.protect import protected
from opensessions.processes.receipt import Place, Receipt
from opensessions.processes.source import Stat, this_system
from opensessions.processes.verdict import ORPHANS, YOUNG

PROCESSES = 3000
AGENTS = 20
"""Orphans, each with four children and a receipt."""
PANES = 100
"""Of a multiplexer that lives."""
INTERVAL = 60.0
"""Seconds between two sweeps, unless it is configured otherwise."""
TREE = "sleep 300 & sleep 300 & sleep 300 & sleep 300 & wait"
INSTANCE = "00000000-0000-4000-8000-000000000000"


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """All 3,000 processes are real; with `--quick` 300 are, and the others are made up once these were read. What the
    multiplexers need to answer is not in it."""
    real = 300 if quick else PROCESSES
    with crowd(real) as agents:
        receipts = [receipt(agent, number) for number, agent in enumerate(agents)]
        source = this_system()
        listed = len(take(source).stats)
        reading, judging = [], []
        for _ in range(5 if quick else 10):
            began = time.process_time()
            census = take(source)
            reading.append((time.process_time() - began) * max(1.0, PROCESSES / listed))
            whole = filled(census)
            began = time.process_time()
            plan = sweep(whole, receipts)
            judging.append(time.process_time() - began)
            orphans = sum(verdict.decision in ORPHANS for verdict in plan.verdicts)
            assert orphans == AGENTS, [verdict.why for verdict in plan.verdicts]
    told = f"({listed} of them real)"
    yield Result(f"reading {PROCESSES} processes", median(reading) * 1e3, None, "ms of CPU", told)
    yield Result(
        f"judging {AGENTS} orphans among {PROCESSES} processes",
        median(judging) * 1e3,
        None,
        "ms of CPU",
        told,
    )
    cost = (median(reading) + median(judging)) / INTERVAL * 100
    yield Result(f"a sweep over {PROCESSES} processes every {INTERVAL:g} s", cost, 0.15, "% of a core", told)


def sweep(census: Census, receipts: Sequence[Receipt]) -> Plan:
    """As the server does it, the examination of what matters included."""
    agents = {receipt.process.pid for receipt in receipts}
    panes = [pid for pid, stat in census.stats.items() if stat.comm == "sleep" and stat.ppid not in agents]
    window = Window("@1", panes=tuple(Pane(f"%{pid}", "@1", pid) for pid in panes[:PANES]))
    live = Inventory(1, 1, "", (Session("$1", "main"),), {"@1": window})
    muxes = {"tmux-live": MuxFacts("tmux-live", "alive", live), "tmux-dead": MuxFacts("tmux-dead", "dead")}
    details = examine(this_system(), of_interest(receipts, muxes, census), census)
    guarded = protected(census, [live], [], os.getpid(), os.getuid())
    return judge(
        receipts, muxes, {}, INSTANCE, census, details, guarded, os.getuid(), Rules(observed=True), {}, True
    )


def filled(census: Census) -> Census:
    """With made-up children of init up to PROCESSES."""
    last = max(census.stats)
    more = range(last + 1, last + 1 + max(0, PROCESSES - len(census.stats)))
    return count([*census.stats.values(), *(Stat(pid, 1, pid, 100, "made-up") for pid in more)], census.at)


def receipt(agent: ProcId, number: int) -> Receipt:
    """Of an agent whose multiplexer is dead."""
    with subprocess.Popen(["sleep", "300"]) as process:
        server = read(process.pid)
        process.kill()
    assert server
    return Receipt(
        process=agent, origin="managed", agent="codex", agent_id="", uid=os.getuid(), group=0, session=0, comm="sh",
        exe="/bin/sh", argv_hash="", place=Place("tmux", "tmux-dead", "/nowhere", server, "$1", "%1", server),
        instance=INSTANCE, nonce=f"{number:032x}", created=0.0,
    )  # fmt: skip


@contextmanager
def crowd(real: int) -> Iterator[list[ProcId]]:
    """So many sleeping processes of init's, AGENTS among them with four children each. They are in one process group,
    which ends with this."""
    script = (
        f"for i in $(seq {AGENTS}); do sh -c '{TREE}' & echo $!; done\n"
        f"for i in $(seq {max(0, real - 5 * AGENTS)}); do sleep 300 & done\n"
    )
    leader = subprocess.Popen(
        ["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    try:
        assert leader.stdout
        pids = [int(leader.stdout.readline()) for _ in range(AGENTS)]
        leader.wait()
        leader.stdout.close()
        source, youngest = this_system(), take(this_system())
        while source.now() - youngest.at <= YOUNG or len(take(source).groups.get(leader.pid, ())) < min(
            real, 5 * AGENTS
        ):
            time.sleep(0.05)
        yield [agent for pid in pids if (agent := read(pid))]
    finally:
        os.killpg(leader.pid, signal.SIGKILL)
        while take(this_system()).groups.get(leader.pid):
            time.sleep(0.05)
