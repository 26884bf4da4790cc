"""A machine in memory on which multiplexers, panes, agents and innocents live, and where the truth is known because it
was made here. What a sweep would see of it is `Facts`.

It follows Linux and tmux as they were measured: a pane's process leads a session and has TMUX and TMUX_PANE; what
ignores the hang-up of a closed pane stays the tmux server's child; a killed server's children become init's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from opensessions.model import Client, Inventory, Window
from opensessions.model import Pane as PaneView
from opensessions.processes.census import Census, count
from opensessions.processes.identity import Liveness, ProcId
from opensessions.processes.plan import (
    WANTED,
    Details,
    MuxFacts,
    Plan,
    Rules,
    Sight,
    Verdict,
    judge,
    of_interest,
)  # fmt: skip
from opensessions.processes.protect import protected
from opensessions.processes.receipt import Origin, Place, Receipt
from opensessions.processes.source import Stat

UID = 1000
BOOT, SPACE = "this-boot", 4026531836
OWN = "0f0e0d0c-0000-4000-8000-00000000000a"
LONG_AGO = 10_000
"""Hundredths of a second for which everything has been running, unless it is said otherwise."""


@dataclass
class Proc:
    """A process, and what is true of it."""

    pid: int
    ppid: int
    session: int
    group: int
    start: int
    comm: str
    exe: str
    env: dict[str, str]
    uids: tuple[int, int, int] = (UID, UID, UID)
    kernel: bool = False
    exited: bool = False
    terminal: int = 0
    wiped: bool = False
    """Nothing can be read of its environment."""
    pane: Pane | None = None
    """The pane that it was started in."""
    lineage: frozenset[int] = frozenset()
    """Everything that it descends from, whoever its parent is now; and itself."""
    innocent: str = ""
    """Why it must never be signalled, whatever anybody has written of it."""


@dataclass
class Pane:
    """A pane in one generation."""

    server: Server
    id: str
    shell: ProcId
    state: str = "alive"
    """alive, closed, dead (its program ended, it was kept), respawned (the id is another generation's)."""


@dataclass
class Server:
    """A multiplexer. `registered`: receipts and sweeps know of it."""

    key: str
    process: ProcId
    registered: bool = True
    answers: bool = True
    alive: bool = True
    panes: list[Pane] = field(default_factory=list)
    clients: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Facts:
    """What one sweep knows: the arguments of `judge`."""

    receipts: tuple[Receipt, ...]
    muxes: Mapping[str, MuxFacts]
    instances: Mapping[str, Liveness]
    census: Census
    details: Mapping[int, Details]
    me: int
    servers: tuple[int, ...] = ()
    rules: Rules = field(default_factory=Rules)
    seen: Mapping[ProcId, Sight] = field(default_factory=dict)
    ready: bool = True
    own: str = OWN

    def protected(self) -> Mapping[int, str]:
        found = [facts.inventory for facts in self.muxes.values() if facts.inventory is not None]
        return protected(self.census, found, self.servers, self.me, UID)

    def plan(self) -> Plan:
        return judge(
            self.receipts, self.muxes, self.instances, self.own, self.census, self.details, self.protected(), UID,
            self.rules, self.seen, self.ready,
        )  # fmt: skip

    def asked_for(self) -> frozenset[int]:
        return of_interest(self.receipts, self.muxes, self.census)

    def but(self, **changes: object) -> Facts:
        return replace(self, **changes)  # type: ignore[arg-type]

    def with_details(self, pid: int, details: Details | None) -> Facts:
        rest = {each: known for each, known in self.details.items() if each != pid}
        return self.but(details=rest if details is None else {**rest, pid: details})

    def with_mux(self, key: str, **changes: object) -> Facts:
        known = self.muxes[key]
        made = {"key": key, "server": known.server, "inventory": known.inventory, **changes}
        return self.but(muxes={**self.muxes, key: MuxFacts(**made)})  # type: ignore[arg-type]


class Machine:
    """Begins with init, a kernel thread and our own server."""

    def __init__(self) -> None:
        self.now = LONG_AGO * 10
        self.procs: dict[int, Proc] = {}
        self.servers: list[Server] = []
        self.receipts: list[Receipt] = []
        self.instances: dict[str, Liveness] = {}
        self.rules = Rules()
        self.complete = True
        self._next = 1
        self._panes: dict[int, int] = {}
        self._put(Proc(1, 0, 1, 1, 0, "systemd", "systemd", {}, (0, 0, 0), innocent="init"))
        self._put(Proc(2, 0, 0, 0, 0, "kthreadd", "", {}, (0, 0, 0), kernel=True, innocent="kernel"))
        self._next = 3
        self.me = self.start(1, "opensessions", leads="session", innocent="we")

    # --- processes ------------------------------------------------------------------------------------------

    def start(
        self, parent: int, comm: str, *, leads: str = "group", age: int = LONG_AGO, exe: str | None = None,
        uids: tuple[int, int, int] | None = None, innocent: str = "", pid: int | None = None, **env: str,
    ) -> int:  # fmt: skip
        """Fork and exec. `leads`: the "group" or the "session" of its own, or "" for its parent's."""
        above = self.procs[parent]
        pid = pid or self._number()
        self._put(
            Proc(
                pid, parent,
                session=pid if leads == "session" else above.session or pid,
                group=pid if leads else above.group or pid,
                start=self.now - age,
                comm=comm,
                exe=comm.partition(":")[0] if exe is None else exe,
                env={**above.env, **env},
                uids=uids or (above.uids if parent > 2 else (UID, UID, UID)),
                pane=above.pane,
                lineage=above.lineage | {pid},
                innocent=innocent or (above.innocent if above.innocent == "we" else ""),
            )
        )  # fmt: skip
        return pid

    def exit(self, pid: int, heir: int = 1, zombie: bool = False) -> None:
        """It ends; its children go to `heir`."""
        for each in self.procs.values():
            if each.ppid == pid:
                each.ppid = heir
        if zombie:
            self.procs[pid].exited = True
        else:
            del self.procs[pid]

    def name(self, pid: int) -> ProcId:
        return ProcId(pid, self.procs[pid].start, BOOT, SPACE)

    def _put(self, proc: Proc) -> None:
        proc.lineage |= {proc.pid}
        self.procs[proc.pid] = proc

    def _number(self) -> int:
        while self._next in self.procs:
            self._next += 1
        self._next += 1
        return self._next - 1

    # --- multiplexers ---------------------------------------------------------------------------------------

    def mux(self, key: str = "tmux-0", comm: str = "tmux: server", parent: int = 1, **env: str) -> Server:
        """A server: a daemon that has its founder's environment, without TMUX."""
        pid = self.start(parent, comm, leads="session", innocent="multiplexer", **env)
        proc = self.procs[pid]
        proc.env["TMUX"] = ""
        proc.ppid = 1
        proc.exe = "tmux"
        server = Server(key, self.name(pid))
        self.servers.append(server)
        return server

    def client(self, server: Server, parent: int = 1) -> int:
        pid = self.start(parent, "tmux: client", innocent="client")
        server.clients.append(pid)
        return pid

    def pane(self, server: Server, comm: str = "bash", id: str = "", **env: str) -> Pane:
        """A new pane with its shell. Ids start at %0 in each server."""
        number = self._panes.get(server.process.pid, 0)
        if not id:
            self._panes[server.process.pid] = number + 1
        pane = id or f"%{number}"
        pid = self.start(
            server.process.pid, comm, leads="session",
            TMUX=f"/tmp/a,b/{server.key},{server.process.pid},0", TMUX_PANE=pane, **env,
        )  # fmt: skip
        made = Pane(server, pane, self.name(pid))
        self.procs[pid].pane = made
        server.panes.append(made)
        return made

    def close(self, pane: Pane, state: str = "closed") -> None:
        """kill-pane: the shell ends; whatever ignores the hang-up goes on. A shell that does so itself stays the
        server's child, what the shell leaves goes to init."""
        pane.state = state
        shell = self.procs.get(pane.shell.pid)
        if shell is not None and not shell.env.get("IGNORES_HUP"):
            self.exit(shell.pid)

    def respawn(self, pane: Pane) -> Pane:
        """respawn-pane -k."""
        self.close(pane, "respawned")
        return self.pane(pane.server, id=pane.id)

    def crash(self, server: Server) -> None:
        """Its process is killed, its panes are hung up."""
        server.alive = False
        for pane in server.panes:
            if pane.state == "alive":
                self.close(pane)
        self.exit(server.process.pid)

    # --- receipts -------------------------------------------------------------------------------------------

    def receipt(
        self,
        pid: int,
        pane: Pane | None = None,
        origin: Origin = "managed",
        instance: str = OWN,
        **changes: object,
    ) -> Receipt:
        """Written for the process as it is now, in the pane that it is in unless another one is named."""
        proc = self.procs[pid]
        pane = pane or proc.pane
        place = None
        if pane is not None:
            place = Place("tmux", pane.server.key, f"/tmp/{pane.server.key}", pane.server.process, "$0", pane.id,
                          pane.shell)  # fmt: skip
        made = {
            "process": self.name(pid), "origin": origin, "agent": "claude-code", "agent_id": "", "uid": UID,
            "group": proc.group, "session": proc.session, "comm": proc.comm, "exe": f"/usr/bin/{proc.exe}",
            "argv_hash": "", "place": place, "instance": instance, "nonce": f"{len(self.receipts):032x}",
            "created": 1.0, **changes,
        }  # fmt: skip
        receipt = Receipt(**made)  # type: ignore[arg-type]
        self.receipts.append(receipt)
        return receipt

    # --- what a sweep sees ----------------------------------------------------------------------------------

    def census(self) -> Census:
        stats = [
            Stat(
                each.pid, each.ppid, each.session, each.start, each.comm, each.exited, each.group, each.kernel,
                each.terminal,
            )
            for each in self.procs.values()
        ]  # fmt: skip
        return count(stats, self.now, self.complete, BOOT, SPACE)

    def inventory(self, server: Server) -> Inventory | None:
        if not (server.alive and server.answers):
            return None
        views = [
            PaneView(pane.id, "@0", pane.shell.pid, dead=pane.state == "dead")
            for pane in server.panes
            if pane.state in ("alive", "dead")
        ]
        clients = tuple(Client(f"/dev/pts/{pid}", "$0", pid=pid) for pid in server.clients)
        windows = {"@0": Window("@0", panes=tuple(views))}
        return Inventory(server.process.pid, 1, "3.3a", windows=windows, clients=clients)

    def details(self) -> dict[int, Details]:
        return {
            each.pid: Details(
                each.uids,
                each.exe,
                None if each.wiped or each.exited else {k: v for k, v in each.env.items() if k in WANTED},
            )
            for each in self.procs.values()
        }

    def facts(self, seen: Mapping[ProcId, Sight] | None = None) -> Facts:
        """Everything, as well as it can be known. Of several servers at one socket the last is there."""
        muxes: dict[str, MuxFacts] = {}
        for server in self.servers:
            if not server.registered:
                continue
            before = muxes.get(server.key)
            life: Liveness = "alive" if server.alive else "dead"
            if before is not None and before.server != life:
                life = "unknown"
            muxes[server.key] = MuxFacts(server.key, life, self.inventory(server))
        return Facts(
            tuple(self.receipts), muxes, dict(self.instances), self.census(), self.details(), self.me,
            rules=self.rules, seen=seen or {},
        )  # fmt: skip

    def verdicts(self) -> tuple[Verdict, ...]:
        """Of a sweep that agrees with an earlier one."""
        return self.second().plan().verdicts

    def second(self) -> Facts:
        """What a sweep sees for which there was another one, 60 s ago, that saw the same."""
        self.now -= 6000
        first = self.facts().plan()
        self.now += 6000
        return self.facts(first.seen)

    def reaped(self) -> set[int]:
        """The pids that such a sweep ends."""
        return reaped(self.second().plan())


def reaped(plan: Plan) -> set[int]:
    """Everything that a plan ends."""
    return {process.pid for each in plan.verdicts if each.decision == "reap" for process in each.tree}


def decisions(verdicts: Sequence[Verdict]) -> list[str]:
    return [each.decision for each in verdicts]
