"""The questions that decide about one receipt, in the order in which they are asked. Each settles it, or leaves it to
the next with None. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from opensessions.model import Inventory
from opensessions.processes.census import Census
from opensessions.processes.homes import fate, named
from opensessions.processes.identity import Liveness, ProcId
from opensessions.processes.protect import contained, held, shields
from opensessions.processes.receipt import Receipt
from opensessions.processes.verdict import MOST, YOUNG, Decision, Details, MuxFacts, Rules, Verdict

NOTHING = Details()


class World(Struct, frozen=True):
    """Where the receipts' processes are, or may be: what is needed to know which details will be."""

    census: Census
    muxes: Mapping[str, MuxFacts]
    inventories: Mapping[str, Inventory]
    panes: Mapping[int, str]
    """What runs in live panes."""
    silent: frozenset[int]
    """What runs below multiplexers that receipts name, that live, and that were not read."""


class Law(Struct, frozen=True):
    """What else counts."""

    instances: Mapping[str, Liveness]
    own: str
    details: Mapping[int, Details]
    protected: Mapping[int, str]
    uid: int
    rules: Rules


def world(census: Census, muxes: Mapping[str, MuxFacts], receipts: Iterable[Receipt]) -> World:
    """What the multiplexers' answers, and their silence, mean in this census."""
    inventories = {key: facts.inventory for key, facts in muxes.items() if facts.inventory is not None}
    answering = {inventory.server_pid for inventory in inventories.values()}
    servers = {receipt.place.server for receipt in receipts if receipt.place is not None}
    silent = [each.pid for each in servers if each.pid not in answering and census.fate(each) != "dead"]
    return World(
        census,
        muxes,
        inventories,
        held(census, inventories.values()),
        frozenset(pid for server in silent for pid in contained(census, server)),
    )


def gone(receipt: Receipt, census: Census) -> Verdict | None:
    """Is there still this very process?"""
    process = receipt.process
    life = census.fate(process)
    if life == "alive":
        return None
    if life == "dead":
        return Verdict(receipt, "forget", "It has exited.")
    if process.boot != census.boot or process.namespace != census.namespace:
        return Verdict(receipt, "unknown", "Its receipt is from another PID namespace.")
    return Verdict(receipt, "unknown", "Whether it lives cannot be told.")


def at_home(receipt: Receipt, world: World) -> Verdict | None:
    """Is its pane, or another one that it is in by now, anything but dead?"""
    if receipt.process.pid in world.panes:
        return Verdict(receipt, "alive", f"It runs in the live pane {world.panes[receipt.process.pid]}.")
    if receipt.process.pid in world.silent:
        return Verdict(receipt, "unknown", "It runs below a multiplexer that was not read.")
    if receipt.place is None:
        return Verdict(receipt, "alive", "It was started outside of every multiplexer.")
    said, why = _fate(receipt, world)
    if said == "dead":
        return (
            None if world.census.complete else Verdict(receipt, "unknown", "Not every process can be seen.")
        )
    answers: dict[str, Decision] = {"alive": "alive", "respawned": "suspect"}
    return Verdict(receipt, answers.get(said, "unknown"), why)


def foreign(receipt: Receipt, law: Law) -> Verdict | None:
    """Is it another user's, or another server's?"""
    if receipt.uid != law.uid:
        return Verdict(receipt, "refuse", "Its receipt is another user's.")
    if receipt.instance in ("", law.own):
        return None
    life = law.instances.get(receipt.instance, "unknown")
    if life == "alive":
        return Verdict(receipt, "unknown", "Another server of opensessions looks after it.")
    if life != "dead":
        return Verdict(receipt, "unknown", "Whether the server that looked after it lives cannot be told.")
    return None


def exempt(receipt: Receipt, census: Census, rules: Rules) -> Verdict | None:
    """Is it to be kept, by what was said at its start or in the configuration? Does somebody sit before it? Is it old
    enough?"""
    stat = census.stats[receipt.process.pid]
    if stat.terminal:
        # Its pane's was hung up with the pane. It was started in a window that was opened from the pane.
        return Verdict(receipt, "alive", "It has a terminal that is not its pane's.")
    if receipt.keep:
        return Verdict(receipt, "keep", "OPENSESSIONS_KEEP was set when it was started.")
    if name := kept(rules, receipt.agent, receipt.comm, receipt.exe, stat.comm):
        return Verdict(receipt, "keep", f"reap.keep names {name}.")
    age = census.at - receipt.process.start
    if age < 0:
        return Verdict(receipt, "unknown", "By the clock it has not begun yet.")
    if age < YOUNG:
        return Verdict(receipt, "wait", "It has only just begun.")
    return None


def examined(receipt: Receipt, world: World, law: Law) -> Verdict:
    """Its pane is dead: may all that it has started be ended?"""
    census = world.census
    pids = tree_of(receipt.process.pid, census)
    if len(pids) > MOST:
        return Verdict(receipt, "refuse", f"It has started more than {MOST - 1} processes.")
    if law.details.get(receipt.process.pid, NOTHING).gone:
        return Verdict(receipt, "unknown", "It has exited just now.")
    tree = [pid for pid in pids if not law.details.get(pid, NOTHING).gone]
    names = tuple(_name(pid, receipt, census) for pid in tree)
    if reason := shields(names, census, law.details, law.protected, law.uid):
        owned = all(law.details.get(pid, NOTHING).uids is not None for pid in tree)
        return Verdict(receipt, "refuse" if owned else "unknown", reason)
    for pid in tree:
        if verdict := _looked_at(pid, receipt, world, law):
            return verdict
    observed = receipt.origin == "observed" and not law.rules.observed
    return Verdict(receipt, "report" if observed else "wait", _fate(receipt, world)[1], names)


def tree_of(root: int, census: Census) -> tuple[int, ...]:
    """It and what it has started: everything below it, and, if it leads a session or a process group, everything that
    is in there and what is below that, whoever the parent is by now. Parents before children; zombies are left out."""
    stat = census.stats[root]
    found = dict.fromkeys((root, *census.below(root)))
    led = [*census.sessions[root]] if stat.session == root else []
    led += census.groups[root] if stat.group == root else ()
    for pid in led:
        if census.stats[pid].start >= stat.start:
            found |= dict.fromkeys((pid, *census.below(pid)))
    return tuple(pid for pid in found if not census.stats[pid].exited)


def _looked_at(pid: int, receipt: Receipt, world: World, law: Law) -> Verdict | None:
    """Does what is known of one member speak against ending all of them?"""
    known = law.details.get(pid, NOTHING)
    comm = world.census.stats[pid].comm
    it = "It" if pid == receipt.process.pid else f"{comm} ({pid}), which it has started,"
    if pid in world.silent:
        return Verdict(receipt, "unknown", f"{comm} ({pid}) runs below a multiplexer that was not read.")
    if world.census.stats[pid].session <= 0:
        return Verdict(receipt, "unknown", f"Which session {comm} ({pid}) is in cannot be told.")
    if known.variables is None:
        return Verdict(receipt, "unknown", f"The environment of {comm} ({pid}) cannot be read.")
    if known.variables.get("OPENSESSIONS_KEEP", "") not in ("", "0"):
        return Verdict(receipt, "keep", f"{it} has OPENSESSIONS_KEEP set.")
    if name := kept(law.rules, comm, known.exe):
        return Verdict(receipt, "keep", f"{it} is {name}, which reap.keep names.")
    assert receipt.place is not None
    answer, why = named(known.variables, receipt.place, world.inventories, world.census)
    if answer == "unknown":
        return Verdict(receipt, "unknown", f"The environment of {comm} ({pid}) {why}.")
    if answer == "live":
        decision: Decision = "alive" if pid == receipt.process.pid else "refuse"
        return Verdict(receipt, decision, f"The environment of {comm} ({pid}) {why}.")
    return None


def _fate(receipt: Receipt, world: World) -> tuple[str, str]:
    assert receipt.place is not None
    key = receipt.place.key
    facts = world.muxes.get(key, MuxFacts(key, "unknown"))
    return fate(receipt.place, facts.server, facts.inventory, world.census)


def _name(pid: int, receipt: Receipt, census: Census) -> ProcId:
    """The receipt may know more of its process than a census does."""
    found = census.identity(pid)
    assert found is not None
    return receipt.process if pid == receipt.process.pid else found


def kept(rules: Rules, *names: str) -> str:
    """Which of these names the user wants to keep; "" for none. The kernel cuts a name after 15 bytes."""
    keep = rules.keep | {each.encode()[:15].decode(errors="ignore") for each in rules.keep}
    return next(
        (name for name in names for each in (name, name.rpartition("/")[2]) if each and each in keep), ""
    )
