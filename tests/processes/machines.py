"""Random machines: multiplexers that answer or not, panes that were closed, kept or respawned, agents that survived
them, receipts that are right and receipts that are not, and everybody else who lives there."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from opensessions.processes.census import count
from opensessions.processes.identity import Liveness, ProcId
from opensessions.processes.plan import Details, Rules, Sight
from opensessions.processes.receipt import Receipt
from tests.processes.machine import OWN, UID, Facts, Machine, Pane, Proc, Server

COMMS = ("claude", "node", "bash", "vim", "x) (y", "sleep", "MainThread", "codex", "")
FAKES = ("tmux: server", "tmux: client", "screen", "sshd", "tmuxinator")
OTHER = "0f0e0d0c-0000-4000-8000-00000000000b"
INSTANCES = (OWN, OWN, OWN, OWN, OWN, OTHER, OTHER, OWN[:-1], OWN + "0", "")
LIVES: tuple[Liveness, ...] = ("alive", "dead", "unknown")


def grown(random: Random, clean: bool = False) -> Machine:
    """A machine. `clean`: nobody hides, fakes or keeps anything, and every receipt is right, ours and managed."""
    return _Grower(random, clean).machine


class _Grower:
    def __init__(self, random: Random, clean: bool) -> None:
        self.random = random
        self.clean = clean
        self.machine = Machine()
        self.heir = 1
        if self._chance(0.3):
            self.heir = self.machine.start(1, "systemd", leads="session", innocent="login")
        self.agents: list[tuple[int, Pane]] = []
        for number in range(random.randint(1, 3)):
            # Two of them may have had the same socket, one after the other.
            self._server(f"tmux-{random.randint(0, number) if self._odd(0.3) else number}")
        self._innocents()
        self._events()
        self._receipts()
        if not clean:
            self._faults()

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _odd(self, share: float) -> bool:
        return not self.clean and self._chance(share)

    # --- who is there ---------------------------------------------------------------------------------------

    def _server(self, key: str, parent: int = 1) -> Server:
        machine = self.machine
        server = machine.mux(key, "tm" if self._odd(0.1) else "tmux: server", parent)
        if self._odd(0.07):
            server.registered = False
        if self._odd(0.07):
            server.answers = False
        machine.procs[server.process.pid].ppid = self.heir
        for _ in range(self.random.randint(1, 4)):
            self._pane(server)
        if self._chance(0.7):
            login = machine.start(1, "sshd", uids=(0, 0, 0), innocent="login")
            shell = machine.start(login, "bash", leads="session", uids=(UID, UID, UID), innocent="login")
            machine.client(server, shell)
        return server

    def _pane(self, server: Server) -> None:
        machine, random = self.machine, self.random
        if self._chance(0.2):
            pane = machine.pane(server, "claude", IGNORES_HUP="1")
            self.agents.append((pane.shell.pid, pane))
        else:
            pane = machine.pane(server)
        for _ in range(random.randint(0, 2)):
            age = random.choice((50, 99, 100, 5000)) if self._odd(0.1) else 10_000
            agent = machine.start(
                pane.shell.pid, random.choice(COMMS), leads=random.choice(("group", "")), age=age
            )
            if self._odd(0.03) and not machine.procs[pane.shell.pid].env.get("IGNORES_HUP"):
                machine.procs[agent].terminal, machine.procs[agent].innocent = 34816, "in a window"
            self.agents.append((agent, pane))
            self._below(agent, 0)
        if self._odd(0.15):
            self._server(f"tmux-nested-{server.process.pid}", machine.start(pane.shell.pid, "bash"))

    def _below(self, parent: int, depth: int) -> None:
        machine, random = self.machine, self.random
        for _ in range(random.randint(0, 3 - depth)):
            env = {"OPENSESSIONS_KEEP": random.choice(("1", "0", ""))} if self._odd(0.04) else {}
            uids = (UID, 0, 0) if self._odd(0.02) else None
            comm = random.choice(FAKES) if self._odd(0.02) else random.choice(COMMS)
            leads = random.choice(("session", "group", "group", ""))
            age = random.choice((50, 5000, 20000)) if self._odd(0.1) else 10_000
            pid = machine.start(parent, comm, leads=leads, uids=uids, age=age, **env)
            if self._odd(0.02):
                machine.procs[pid].wiped = True
            if self._odd(0.01):
                machine.procs[pid].session = 0
            self._below(pid, depth + 1)
            if self._chance(0.1):
                machine.procs[pid].ppid = self.heir
            if self._odd(0.03):
                self.agents.append((pid, machine.procs[pid].pane))  # type: ignore[arg-type]

    def _innocents(self) -> None:
        machine = self.machine
        for _ in range(self.random.randint(0, 3)):
            machine.start(machine.start(1, "bash", leads="session"), self.random.choice(COMMS))
        machine.start(machine.me, "git")

    # --- what happens ---------------------------------------------------------------------------------------

    def _events(self) -> None:
        for server in list(self.machine.servers):
            for pane in list(server.panes):
                what = self.random.random()
                if what < 0.35:
                    self._end(pane, "closed")
                elif what < 0.5:
                    self._end(pane, "dead")
                elif what < 0.55:
                    self._end(pane, "respawned")
                    self.machine.pane(server, id=pane.id)
        for server in list(self.machine.servers):
            if self._chance(0.15):
                for pane in [each for each in server.panes if each.state == "alive"]:
                    self._end(pane, "closed")
                server.alive = False
                if server.process.pid in self.machine.procs:
                    self.machine.exit(server.process.pid, self.heir)
                if self._odd(0.3):
                    self.machine.start(1, "emacs", leads="session", pid=server.process.pid, age=200)

    def _end(self, pane: Pane, state: str) -> None:
        pane.state = state
        shell = self.machine.procs.get(pane.shell.pid)
        if shell is None:
            return
        if shell.env.get("IGNORES_HUP") and state == "closed":
            return
        self.machine.exit(shell.pid, self.heir, zombie=self._chance(0.1))
        # Whoever does not ignore the hang-up goes as well: here and there somebody.
        for proc in [
            each for each in self.machine.procs.values() if each.session == shell.pid and not each.innocent
        ]:
            if self._chance(0.2) and not proc.exited:
                self.machine.exit(proc.pid, self.heir, zombie=self._chance(0.2))

    # --- what was written -----------------------------------------------------------------------------------

    def _receipts(self) -> None:
        for agent, pane in self.agents:
            if agent not in self.machine.procs or self._chance(0.1):
                continue
            self.machine.receipt(
                agent,
                pane,
                origin="observed" if self._odd(0.2) else "managed",
                instance=OWN if self.clean else self.random.choice(INSTANCES),
                keep=self._odd(0.05),
            )
        self.machine.instances = {OTHER: self.random.choice(LIVES)}
        if not self.clean:
            self._wrong_receipts()

    def _wrong_receipts(self) -> None:
        """Of somebody who must never be ended, in a pane that is closed; of somebody who is not there any more."""
        machine, random = self.machine, self.random
        panes = [pane for server in machine.servers for pane in server.panes if pane.state != "alive"]
        innocents = [pid for pid in machine.procs if wrong_to_signal(machine, pid)]
        for pid in random.sample(innocents, min(len(innocents), 4)) if panes else ():
            machine.receipt(pid, random.choice(panes))
        machine.receipts = [self._spoilt(each) if self._chance(0.1) else each for each in machine.receipts]
        if machine.receipts and self._chance(0.2):
            machine.receipts.append(random.choice(machine.receipts))
        random.shuffle(machine.receipts)

    def _spoilt(self, receipt: Receipt) -> Receipt:
        process: ProcId = receipt.process
        changes = self.random.choice(
            ({"start": process.start - 1}, {"boot": "old"}, {"namespace": 1}, {"pid": 3999}, {"boot": ""})
        )
        if self._chance(0.2):
            return replace(receipt, uid=UID + 1)
        return replace(receipt, process=replace(process, **changes))

    def _faults(self) -> None:
        self.machine.complete = not self._chance(0.05)
        if self._chance(0.2):
            keep = frozenset(self.random.sample(("claude", "node", "vim", "codex"), 1))
            self.machine.rules = Rules(observed=self._chance(0.5), keep=keep)
        if self._chance(0.05):
            procs = list(self.machine.procs.values())
            one, other = self.random.choice(procs), self.random.choice(procs)
            if one.pid > 2 and other.pid > 2 and one.pid in other.lineage:
                one.ppid = other.pid  # no table of one moment has this


def wrong_to_signal(machine: Machine, pid: int) -> str:
    """Why nobody would ever forgive it; "" if it may be."""
    proc: Proc = machine.procs[pid]
    if proc.innocent:
        return proc.innocent
    if set(proc.uids) != {UID}:
        return "another user's"
    if proc.env.get("OPENSESSIONS_KEEP") == "1":
        return "kept"
    if proc.pane is not None and proc.pane.state == "alive":
        return "in a live pane"
    return ""


# --- knowing less -------------------------------------------------------------------------------------------------


def _silence(facts: Facts, random: Random) -> Facts:
    key = random.choice(sorted(facts.muxes))
    return facts.with_mux(key, inventory=None)


def _doubt(facts: Facts, random: Random) -> Facts:
    return facts.with_mux(random.choice(sorted(facts.muxes)), server="unknown")


def _leave_out(facts: Facts, random: Random) -> Facts:
    gone = random.choice(sorted(facts.muxes))
    return facts.but(muxes={key: known for key, known in facts.muxes.items() if key != gone})


def _doubt_instances(facts: Facts, random: Random) -> Facts:
    return facts.but(instances=random.choice(({}, dict.fromkeys(facts.instances, "unknown"))))


def _forget_details(facts: Facts, random: Random) -> Facts:
    pid = random.choice(sorted(facts.details))
    known = facts.details[pid]
    less = (None, Details(), replace(known, uids=None), replace(known, variables=None))
    return facts.with_details(pid, random.choice(less))


def _hide(facts: Facts, random: Random) -> Facts:
    return facts.but(census=replace(facts.census, complete=False))


def _lose_session(facts: Facts, random: Random) -> Facts:
    """A census in which one process's session is not known."""
    chosen = random.choice(sorted(facts.census.stats))
    stats = [replace(stat, session=0) if stat.pid == chosen else stat for stat in facts.census.stats.values()]
    known = facts.census
    return facts.but(census=count(stats, known.at, known.complete, known.boot, known.namespace))


def _wake(facts: Facts, random: Random) -> Facts:
    return facts.but(ready=False)


def _forget_sights(facts: Facts, random: Random) -> Facts:
    less: dict[ProcId, Sight] = {
        process: sight for process, sight in facts.seen.items() if random.random() < 0.5
    }
    return facts.but(seen=less)


def _blur_receipt(facts: Facts, random: Random) -> Facts:
    """What it cannot say any more of its process, its server or its pane's process."""
    number = random.randrange(len(facts.receipts))
    receipt = facts.receipts[number]
    less = random.choice(({"start": 0}, {"boot": ""}, {"namespace": 0}))
    which = random.choice(("process", "server", "shell"))
    if which == "process":
        receipt = replace(receipt, process=replace(receipt.process, **less))
    elif receipt.place is not None:
        place = replace(receipt.place, **{which: replace(getattr(receipt.place, which), **less)})
        receipt = replace(receipt, place=place)
    return facts.but(receipts=(*facts.receipts[:number], receipt, *facts.receipts[number + 1 :]))


FORGETTING: tuple[Callable[[Facts, Random], Facts], ...] = (
    _silence, _doubt, _leave_out, _doubt_instances, _forget_details, _hide, _lose_session, _wake, _forget_sights,
    _blur_receipt,
)  # fmt: skip


def less_known(facts: Facts, random: Random) -> Facts:
    """The same, with one fact replaced by not knowing it."""
    usable = [
        each
        for each in FORGETTING
        if (facts.muxes or each not in (_silence, _doubt, _leave_out))
        and (facts.receipts or each is not _blur_receipt)
    ]
    return random.choice(usable)(facts, random)
