"""Another answer to "may this process be signalled?": slow, and written from the rules alone, without any part of the
code that it checks but the values. Every question walks through the whole table."""

from __future__ import annotations

from collections.abc import Iterator

from opensessions.model import Inventory
from opensessions.model import Pane as PaneView
from opensessions.processes.identity import ProcId
from opensessions.processes.receipt import Receipt
from opensessions.processes.source import Stat
from tests.processes.machine import UID, Facts

NEVER = (
    "tmux",
    "zellij",
    "screen",
    "dtach",
    "abduco",
    "sshd",
    "mosh-server",
    "login",
    "systemd",
    "init",
    "launchd",
)
INSIDE = NEVER[:5]


class Oracle:
    """Of one sweep."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.table = list(facts.census.stats.values())
        self.inventories: list[Inventory] = [m.inventory for m in facts.muxes.values() if m.inventory]
        told = {i.server_pid for i in self.inventories} | {c.pid for i in self.inventories for c in i.clients}
        named = {each.pid for each in self.table if not each.exited and self._bears(each.comm, NEVER)}
        self._dear = told | named | {facts.me, *facts.servers}
        self._unread = [
            each.pid
            for each in self.table
            if not each.exited and each.pid not in told and self._bears(each.comm, INSIDE)
        ]
        self._reached: dict[int, set[int]] = {}
        """What `_within` found, by root."""
        self._ancestors: dict[int, set[int]] = {}
        self.never = {stat.pid for stat in self.table if self._never(stat)}
        self._grounds = {id(receipt): self._own_ground(receipt) for receipt in facts.receipts}
        self._spread()

    def may_be_signalled(self, pid: int) -> bool:
        """Is there a receipt that says so, and nothing that speaks against it?"""
        return any(
            self._grounds[id(receipt)] == "orphan" and self._ripe(receipt) and pid in self._tree(receipt)
            for receipt in self.facts.receipts
        )

    # --- families -------------------------------------------------------------------------------------------

    def _stat(self, pid: int) -> Stat | None:
        return self.facts.census.stats.get(pid)

    def _descends(self, pid: int, ancestor: int) -> bool:
        if pid not in self._ancestors:
            walked: list[int] = []
            above = pid
            while (stat := self._stat(above)) and stat.ppid not in walked:
                above = stat.ppid
                walked.append(above)
            self._ancestors[pid] = set(walked)
        return ancestor in self._ancestors[pid]

    def _within(self, pid: int, root: int) -> bool:
        """Is it reached from the root, by children and by the sessions that one of those leads?"""
        if root in self._reached:
            return pid in self._reached[root]
        reached = {root}
        while True:
            leaders = {each for each in reached if (stat := self._stat(each)) is None or stat.session == each}
            more = {
                stat.pid for stat in self.table if stat.ppid in reached or stat.session in leaders
            } - reached
            if not more:
                self._reached[root] = reached
                return pid in reached
            reached |= more

    def _panes(self, inventory: Inventory) -> Iterator[PaneView]:
        for window in inventory.windows.values():
            yield from window.panes

    def _in_live_pane(self, pid: int) -> bool:
        return any(
            self._within(pid, pane.pid)
            for inventory in self.inventories
            for pane in self._panes(inventory)
            if not pane.dead and pane.pid > 0
        )

    # --- whom nothing may touch -----------------------------------------------------------------------------

    def _bears(self, name: str, names: tuple[str, ...]) -> bool:
        name = name.lower()
        return name[:4] == "tmux" or any(
            name == each or (name.startswith(each) and not name[len(each)].isalpha()) for each in names
        )

    def _never(self, stat: Stat) -> bool:
        return (
            stat.pid <= 1
            or stat.kernel
            or stat.pid in self._dear
            or any(self._descends(each, stat.pid) for each in self._dear)
            or any(self._descends(stat.pid, each) for each in (self.facts.me, *self.facts.servers))
            or self._in_live_pane(stat.pid)
            or any(self._within(stat.pid, each) for each in self._unread)
        )

    # --- one receipt ----------------------------------------------------------------------------------------

    def _now(self, process: ProcId) -> str:
        census, stat = self.facts.census, self._stat(process.pid)
        if process.boot and process.boot != census.boot:
            return "dead"
        if not process.boot or process.namespace != census.namespace or not process.start:
            return "unknown"
        if stat:
            return "alive" if stat.start == process.start and not stat.exited else "dead"
        return "dead" if census.complete and process.start < census.at else "unknown"

    def _pane_is_dead(self, receipt: Receipt) -> bool:
        place = receipt.place
        facts = self.facts.muxes.get(place.key) if place else None
        if place is None or facts is None:
            return False
        server = self._now(place.server)
        if server == "dead":
            return facts.server == "dead" or facts.inventory is not None
        if server != "alive" or facts.inventory is None or facts.inventory.server_pid != place.server.pid:
            return False
        return all(pane.dead for pane in self._panes(facts.inventory) if pane.id == place.pane)

    def _tree(self, receipt: Receipt) -> set[int]:
        root = self._stat(receipt.process.pid)
        assert root
        tops = {root.pid}
        for stat in self.table:
            led = (stat.session == root.pid == root.session) or (stat.group == root.pid == root.group)
            if led and stat.start >= root.start:
                tops.add(stat.pid)
        return {
            stat.pid
            for stat in self.table
            if not stat.exited and (stat.pid in tops or any(self._descends(stat.pid, top) for top in tops))
        }

    def _silent(self, pid: int) -> bool:
        answering = {inventory.server_pid for inventory in self.inventories}
        servers = {receipt.place.server for receipt in self.facts.receipts if receipt.place}
        return any(
            server.pid not in answering and self._now(server) != "dead" and self._within(pid, server.pid)
            for server in servers
        )

    def _speaks_for_itself(self, pid: int, receipt: Receipt) -> bool:
        """All that is known of it, and all that it says, lets it be ended."""
        details, stat, place = self.facts.details.get(pid), self._stat(pid), receipt.place
        assert stat
        assert place
        if details is None or details.uids is None or details.variables is None or stat.session < 1:
            return False
        if any(uid != UID for uid in details.uids) or self._bears(details.exe, NEVER):
            return False
        said = details.variables
        if (
            said.get("OPENSESSIONS_KEEP", "") not in ("", "0")
            or {stat.comm, details.exe} & self.facts.rules.keep
        ):
            return False
        if "ZELLIJ_SESSION_NAME" in said or "ZELLIJ_PANE_ID" in said:
            return False  # no machine here has any
        if not said.get("TMUX"):
            return not said.get("TMUX_PANE")
        server = int(said["TMUX"].split(",")[-2])
        read = [inventory for inventory in self.inventories if inventory.server_pid == server]
        for inventory in read:
            if any(not pane.dead and pane.id == said.get("TMUX_PANE") for pane in self._panes(inventory)):
                return False
        replaced = place.server.pid == server and self._now(place.server) == "dead"
        return bool(read) or replaced or self._stat(server) is None

    def _own_ground(self, receipt: Receipt) -> str:
        """What the receipt alone amounts to: "gone", "orphan", "young", or "lives"."""
        facts, root = self.facts, receipt.process.pid
        life = self._now(receipt.process)
        if life == "dead":
            return "gone"
        if life != "alive" or receipt.uid != UID or self._in_live_pane(root) or self._silent(root):
            return "lives"
        if not self._pane_is_dead(receipt) or not facts.census.complete:
            return "lives"
        if receipt.instance not in ("", facts.own) and facts.instances.get(receipt.instance) != "dead":
            return "lives"
        stat = self._stat(root)
        assert stat
        if stat.terminal != 0:
            return "lives"
        names = {receipt.agent, receipt.comm, receipt.exe.split("/")[-1], stat.comm}
        if receipt.keep or names & facts.rules.keep or receipt.process.start > facts.census.at:
            return "lives"
        if facts.census.at - receipt.process.start < 100:
            return "young"
        tree = self._tree(receipt)
        fine = all(self._speaks_for_itself(pid, receipt) and not self._silent(pid) for pid in tree)
        return "orphan" if fine and len(tree) <= 512 and not tree & self.never else "lives"

    def _spread(self) -> None:
        """A tree that holds somebody who lives by his own receipt lives."""
        for _ in self.facts.receipts:
            living = {each.process.pid for each in self.facts.receipts if self._grounds[id(each)] == "lives"}
            for receipt in self.facts.receipts:
                if self._grounds[id(receipt)] == "orphan" and self._tree(receipt) & living:
                    self._grounds[id(receipt)] = "lives"

    def _ripe(self, receipt: Receipt) -> bool:
        facts = self.facts
        before = facts.seen.get(receipt.process)
        return (
            facts.ready
            and (receipt.origin == "managed" or facts.rules.observed)
            and before is not None
            and before.count >= 1
            and 0 <= before.first <= facts.census.at - facts.rules.grace * 100
        )
