"""Where a process is at home: what became of the pane that its receipt names, and which pane its environment names.
Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from opensessions.model import Inventory
from opensessions.processes.census import Census
from opensessions.processes.identity import Liveness
from opensessions.processes.receipt import Place

Fate = Literal["alive", "dead", "respawned", "unknown"]
Answer = Literal["none", "live", "unknown"]


def fate(place: Place, server: Liveness, inventory: Inventory | None, census: Census) -> tuple[Fate, str]:
    """What became of this generation of the pane, and why that is known.

    `server` and `inventory`: what is known of the multiplexer at that socket now, which may be a successor of the one
    that had the pane. So the census decides which of them this speaks of.
    """
    life = census.fate(place.server)
    if life == "dead":
        if server == "dead" or inventory is not None:
            return "dead", f"The {place.kind} server that had its pane {place.pane} is gone."
        return (
            "unknown",
            f"The {place.kind} server that had its pane {place.pane} is gone, but its successor is silent.",
        )
    if life == "unknown":
        return (
            "unknown",
            f"Whether the {place.kind} server that had its pane {place.pane} lives cannot be told.",
        )
    if inventory is None:
        return "unknown", f"Its {place.kind} server lives and does not answer."
    if inventory.server_pid != place.server.pid:
        return "unknown", f"Its {place.kind} server lives, but another one answers at its socket."
    pane = inventory.pane(place.pane)
    if pane is None:
        return "dead", f"Its pane {place.pane} is closed."
    if pane.dead:
        return "dead", f"The program of its pane {place.pane} has ended."
    if pane.pid <= 0:
        return "unknown", f"Which process its pane {place.pane} has cannot be told."
    shell = census.fate(place.shell) if pane.pid == place.shell.pid else "dead"
    if shell == "unknown":
        return "unknown", f"Whether its pane {place.pane} has the same process cannot be told."
    if shell == "dead":
        return "respawned", f"Its pane {place.pane} was given another process."
    return "alive", f"Its pane {place.pane} lives."


def named(
    variables: Mapping[str, str], place: Place, inventories: Mapping[str, Inventory], census: Census
) -> tuple[Answer, str]:
    """Does its environment name a pane that lives? "unknown" where it names one that nobody could ask for.

    `place`: of the receipt that it would be ended for. `inventories`: by the multiplexers' keys.
    """
    answers = _tmux(variables, place, inventories.values(), census), _zellij(variables, inventories, census)
    return next((each for each in answers if each[0] != "none"), answers[0])


def _tmux(
    variables: Mapping[str, str], place: Place, inventories: Collection[Inventory], census: Census
) -> tuple[Answer, str]:
    """TMUX is `<socket>,<pid of the server>,<session>`; a nested server is started with it empty and with the outer
    pane's TMUX_PANE."""
    where, pane = variables.get("TMUX", ""), variables.get("TMUX_PANE", "")
    if not where:
        return ("unknown", f"names the pane {pane} of nobody knows which tmux") if pane else ("none", "")
    pid = where.split(",")[-2] if where.count(",") >= 2 else ""
    if not (pid.isascii() and pid.isdigit() and 0 < len(pid) < 10):
        return "unknown", "names a tmux in a way that is not understood"
    answering = [inventory for inventory in inventories if inventory.server_pid == int(pid)]
    if any(_has(inventory, pane) for inventory in answering):
        return "live", f"names the live pane {pane}"
    replaced = int(pid) == place.server.pid and census.fate(place.server) == "dead"
    if answering or replaced or int(pid) not in census.stats:
        return "none", ""
    return "unknown", f"names the tmux server {pid}, which was not read"


def _zellij(
    variables: Mapping[str, str], inventories: Mapping[str, Inventory], census: Census
) -> tuple[Answer, str]:
    """It names its session, not its server, and panes by their numbers."""
    name, pane = variables.get("ZELLIJ_SESSION_NAME", ""), variables.get("ZELLIJ_PANE_ID", "")
    if not name and not pane:
        return "none", ""
    answered = False
    for key, inventory in inventories.items():
        for session in inventory.sessions if key.startswith("zellij") else ():
            if name in (session.id, session.name):
                answered = True
                if any(_has(inventory, each) for each in (pane, f"terminal_{pane}")):
                    return "live", f"names the live pane {pane} of {name}"
    if answered or not any(stat.comm.startswith("zellij") for stat in census.stats.values()):
        return "none", ""
    return "unknown", f"names the zellij session {name or '?'}, which was not read"


def _has(inventory: Inventory, pane: str) -> bool:
    found = inventory.pane(pane)
    return found is not None and not found.dead
