"""Ending a tree of processes: politely first, and only what may be ended at that very moment.

Every member is pinned before it is judged for the last time, so a signal can reach nothing but the process that was
judged. The root is asked first (SIGTERM, and SIGCONT, since a stopped process acts on nothing else), as it knows best
how to end what it started. What is left after it gets the same, and whatever stays after the wait gets SIGKILL: the
root first, which could start others anew.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

from opensessions.processes.audit import Audit
from opensessions.processes.identity import ProcId
from opensessions.processes.members import Members, Outcome, Recheck, Result, Stop

__all__ = ["Outcome", "Recheck", "Result", "end"]

TAIL = 1.0
"""Seconds, at least, that the members get between their SIGTERM and SIGKILL, as long as the wait is not shorter."""
CONFIRM = 2.0
"""Seconds in which a process is gone after SIGKILL, unless the kernel holds it."""
ROUNDS = 3
"""Of SIGKILL, for trees that start processes meanwhile. Before the last one everything is stopped."""
FREEZES = 4
"""Looks in which a stopped tree must turn out to be all stopped."""


def _unwatched(step: str) -> None:
    pass


async def end(
    tree: Sequence[ProcId],
    recheck: Recheck,
    wait: float,
    audit: Audit,
    why: str,
    on_step: Callable[[str], None] = _unwatched,
) -> tuple[Outcome, ...]:
    """End the processes of `tree`, the root first in it. What became of each, in no particular order.

    `wait`: seconds from the root's SIGTERM to SIGKILL. Returns as soon as all are gone, at the latest 10 s after that,
    besides what `recheck` takes, which is called before each round of signals: what it does not name any more is left
    alone. `why` goes to the audit log. `on_step` is told of each step that was made.

    Refused, with nothing signalled, where the audit log cannot be written. A tree that holds what may never be ended
    (see `Pin`) is refused whole, as an outcome. When cancelled, nothing stays stopped.
    """
    if not tree:
        return ()
    members = Members(tree, recheck, audit.about(ending=os.urandom(8).hex()), why, on_step)
    finished = False
    try:
        try:
            members.pin()
            await members.look(strict=True)
            await _ask(members, wait)
            await _force(members)
        except Stop as stop:
            members.refuse(str(stop))
        else:
            members.conclude(
                f"It is there {CONFIRM:g} s after SIGKILL; the kernel holds it, as while it waits for a device.",
                f"Its tree started processes faster than {ROUNDS} rounds of SIGKILL ended them.",
            )
        finished = True
    finally:
        members.close("" if finished else "It was interrupted; nothing more was done.")
    return members.outcomes()


async def _ask(members: Members, wait: float) -> None:
    """SIGTERM to the root; when it has exited, or the wait is over, to what is left."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    root = [key for key in members.targets() if key == members.root]
    if root:
        members.signal(root, signal.SIGTERM, signal.SIGCONT)
        await members.wait(root, wait)
        members.step("root waited for")
        await members.look()
        if members.root in members.targets():
            members.signal(root, signal.SIGKILL)
            await members.wait(root, CONFIRM)
    rest = [key for key in members.targets() if key != members.root]
    if rest:
        members.signal(rest, signal.SIGTERM, signal.SIGCONT)
        await members.wait(rest, max(began + wait - loop.time(), min(wait, TAIL)))
        members.step("rest waited for")


async def _force(members: Members) -> None:
    """SIGKILL to whatever is there, until a look finds nothing more."""
    for number in range(1, ROUNDS + 1):
        await members.look()
        if not members.targets():
            return
        if number == ROUNDS and not members.killed.issuperset(members.targets()):
            await _freeze(members)
        targets = members.targets()
        members.signal(targets, signal.SIGKILL)
        await members.wait(targets, CONFIRM)
        members.step(f"round {number}")
    await members.look()


async def _freeze(members: Members) -> None:
    """Stop everything, so that nothing is started between a look and the signals."""
    for _ in range(FREEZES):
        running = members.running()
        if not running:
            return
        members.signal(running, signal.SIGSTOP)
        await members.look()
