"""Which processes must never be signalled, whoever asks, and why. Pure.

What is protected is asked before each round of signals, not once: a pane may have been opened meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from opensessions.model import Inventory
from opensessions.processes.census import Census
from opensessions.processes.identity import ProcId, same

if TYPE_CHECKING:
    from opensessions.processes.plan import Details

HOSTS = ("tmux", "zellij", "screen", "dtach", "abduco")
"""Programs that others live in. What is in one that was not read may be in a live pane."""
DOORS = ("sshd", "mosh-server", "login", "systemd", "init", "launchd")
"""Programs that carry the user's logins."""


def protected(
    census: Census, inventories: Collection[Inventory], servers: Collection[int], me: int, uid: int
) -> Mapping[int, str]:
    """Every process that may not be signalled -> why, completing "it …".

    `inventories`: of all multiplexers that answered. `servers`: the pids of all opensessions servers that live. `me`:
    our own pid. A census tells no owners: `shields` asks the details for them, so `uid` (ours) changes nothing here.

    It errs towards protecting: names are compared by their beginning, and whoever calls itself tmux is let live.
    """
    found: dict[int, str] = {}
    for pid, stat in census.stats.items():
        if pid <= 1:
            found[pid] = "is the system's first process"
        elif stat.kernel:
            found[pid] = "is a thread of the kernel"
    _spare(found, census, {me: "is this program itself"}, "is a part of this program")
    _spare(
        found,
        census,
        dict.fromkeys(servers, "is a server of opensessions"),
        "belongs to a server of opensessions",
    )
    _spare(found, census, _known(census, inventories))
    for pid, pane in held(census, inventories).items():
        found.setdefault(pid, f"runs in the live pane {pane}")
    for host in _unread(census, inventories):
        for pid in contained(census, host):
            found.setdefault(pid, f"runs below {_named(census, host)}, which was not read")
    return found


def shields(
    tree: Collection[ProcId],
    census: Census,
    details: Mapping[int, Details],
    protected: Mapping[int, str],
    uid: int,
) -> str:
    """Why nothing of this tree may be signalled, in a sentence; "" where nothing speaks against it.

    One member is enough: who is left without its parents, or its children, is harmed as well. A member without details
    is somebody else's until shown otherwise; one that has exited since the census can be harmed no more. Environments
    are not looked at: whose pane is meant to die knows why.
    """
    for process in tree:
        if (pid := process.pid) in protected:
            return f"{_named(census, pid)} {protected[pid]}."
        stat, now = census.stats.get(pid), census.identity(pid)
        if pid <= 1 or stat is None or now is None or stat.kernel or same(process, now) != "same":
            return f"{_named(census, pid)} is not what was to be ended."
        known = details.get(pid)
        if known is not None and known.gone:
            continue
        if known is None or known.uids is None:
            return f"Whose {_named(census, pid)} is cannot be told."
        if set(known.uids) != {uid}:
            return f"{_named(census, pid)} belongs to another user."
        if _is_one_of(known.exe, HOSTS + DOORS):
            return f"{_named(census, pid)} is {known.exe}."
    return ""


def held(census: Census, inventories: Iterable[Inventory]) -> dict[int, str]:
    """What runs in live panes: pid -> the id of the pane that contains it."""
    found: dict[int, str] = {}
    for inventory in inventories:
        for window in inventory.windows.values():
            for pane in window.panes:
                if not pane.dead and pane.pid > 0:
                    for pid in contained(census, pane.pid):
                        found.setdefault(pid, pane.id)
    return found


def contained(census: Census, root: int) -> set[int]:
    """It, everything below it, everything in a session that one of them leads, and what is below that in turn. The root
    counts as a session's leader even if it is gone."""
    found = {root}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        stat = census.stats.get(pid)
        members = census.sessions.get(pid, ()) if stat is None or stat.session == pid else ()
        fresh = {*census.children.get(pid, ()), *members} - found
        found |= fresh
        waiting += fresh
    return found


def _known(census: Census, inventories: Iterable[Inventory]) -> dict[int, str]:
    """The multiplexers, their clients and the doors, by what the multiplexers say of themselves and by name."""
    found: dict[int, str] = {}
    for inventory in inventories:
        found |= dict.fromkeys((inventory.server_pid, *inventory.servers), "is a multiplexer's server")
        found |= {client.pid: "is a multiplexer's client" for client in inventory.clients}
    for pid, stat in census.stats.items():
        if not stat.exited and _is_one_of(stat.comm, HOSTS + DOORS):
            found.setdefault(pid, "bears the name of a multiplexer or a login")
    return found


def _spare(found: dict[int, str], census: Census, pids: Mapping[int, str], below: str = "") -> None:
    """Protect these, whatever they descend from and, where `below` says why, whatever descends from them."""
    for pid, why in pids.items():
        if pid > 0:
            found.setdefault(pid, why)
    for pid in pids:
        for ancestor in census.above(pid):
            found.setdefault(ancestor, f"is an ancestor of {_named(census, pid)}")
        for descendant in census.below(pid) if below and pid > 1 else ():
            found.setdefault(descendant, below)


def _unread(census: Census, inventories: Iterable[Inventory]) -> list[int]:
    """The pids of multiplexers that none of these inventories is of."""
    read = {
        pid
        for each in inventories
        for pid in (each.server_pid, *each.servers, *(client.pid for client in each.clients))
    }
    return [
        pid
        for pid, stat in census.stats.items()
        if pid > 1 and pid not in read and not stat.exited and _is_one_of(stat.comm, HOSTS)
    ]


def _is_one_of(name: str, names: Iterable[str]) -> bool:
    """`tmux: server`, `tmux-3.5a` and `SCREEN` are, `screenshot` is not; whatever begins with tmux is."""
    low = name.lower()
    return low.startswith("tmux") or any(
        low.startswith(each) and not low[len(each) :][:1].isalpha() for each in names
    )


def _named(census: Census, pid: int) -> str:
    """As people are told of it."""
    stat = census.stats.get(pid)
    return f"{stat.comm} ({pid})" if stat else f"The process {pid}"
