"""What the doctor says about processes: orphans, strays, receipts, and what the system lets us see."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from opensessions import paths, start
from opensessions.cli.reap import named
from opensessions.cli.talk import ask
from opensessions.errors import OpenSessionsError
from opensessions.processes import census, cgroup, strays
from opensessions.processes.source import this_system
from opensessions.setups import Check


def checks(runtime: str) -> Iterator[Check]:
    """All of them. None asks a multiplexer or signals anything."""
    yield from orphans(runtime)
    yield from left_behind()
    yield receipts(f"{paths.state_dir()}/receipts")
    yield system()


def orphans(runtime: str) -> Iterator[Check]:
    """Those of the server's last sweep. Without a server nobody looks, and nothing is said."""
    try:
        line = start.connect(runtime)
        if line is None:
            return
        answer = ask(line, "orphans")
    except OpenSessionsError:
        return  # the check of the server says it
    found, fault = answer["orphans"], answer.get("fault")
    if fault:
        yield Check(
            "orphans", False, f"the last sweep could not be made: {fault}", "Mend that; the next one tells"
        )
        return
    if not isinstance(found, list) or not found:
        yield Check("orphans", True, "no agent has lost its pane")
        return
    names = ", ".join(named(each) for each in found)
    suspects = [each for each in found if each["decision"] == "suspect"]
    more = " --observed" if any(each["decision"] == "report" for each in found) else ""
    mend = f"End them: opensessions reap{more}"
    if len(suspects) == len(found):
        mend = "Whether they are orphans cannot be proven; look at them: opensessions reap --dry-run"
    yield Check("orphans", False, f"without a pane: {names}", mend)


def left_behind() -> Iterator[Check]:
    """Servers and sidebars that belong to nobody any more."""
    for stray in strays.find(this_system()):
        yield Check(
            f"stray {stray.role}",
            False,
            f"pid {stray.pid}, started from {stray.path}: no server runs in {stray.runtime} that it belongs to",
            f"If you do not need it: kill {stray.pid}",
        )


def receipts(folder: str) -> Check:
    """Can they be read? Which could not be understood?"""
    try:
        paths.check_private(folder)
        aside = [name for name in os.listdir(folder) if ".corrupt-" in name]
    except FileNotFoundError:
        return Check("receipts", True, f"{folder} (none yet)")
    except (OSError, OpenSessionsError) as error:
        return Check(
            "receipts", False, f"cannot be read: {error}", "Until then no agent is ended as an orphan"
        )
    if not aside:
        return Check("receipts", True, folder)
    found = f"{len(aside)} could not be understood and were set aside: their agents are never ended"
    return Check("receipts", False, found, f"Look at them, then remove them: rm '{folder}'/*.corrupt-*")


def system() -> Check:
    """What the system offers; nothing of it is a fault."""
    said = [
        "signals by handle" if _handles() else "signals by pid, compared before each (no pidfd)",
        f"control groups in {cgroup.own()}" if os.access(cgroup.own(), os.W_OK) else "no control groups",
    ]
    if census.take(this_system()).complete:
        said.append("every process can be seen")
    else:
        said.append("not every process can be seen (hidepid), so orphans are never ended")
    return Check("processes", True, "; ".join(said))


def _handles() -> bool:
    """Can a process be held by a descriptor, so that a signal can reach no other?"""
    try:
        handle = os.pidfd_open(os.getpid())
    except (AttributeError, OSError):
        return False
    os.close(handle)
    return hasattr(signal, "pidfd_send_signal")
