"""Who is never signalled, whoever asks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from opensessions import model
from opensessions.processes.identity import ProcId
from opensessions.processes.plan import Details
from opensessions.processes.protect import contained, held, protected, shields
from tests.processes.machine import UID, Machine, Pane, Server


class Place(Machine):
    """A tmux that answers, with one pane in which an agent runs."""

    def __init__(self) -> None:
        super().__init__()
        self.tmux: Server = self.mux()
        self.live: Pane = self.pane(self.tmux)
        self.agent = self.start(self.live.shell.pid, "claude")
        self.alone = self.start(1, "emacs", leads="session")

    def why(self, pid: int) -> str:
        """ "" for what may be signalled."""
        found = [each for server in self.servers if (each := self.inventory(server)) is not None]
        return protected(self.census(), found, [], self.me, UID).get(pid, "")

    def shields(self, *pids: int, details: dict[int, Details] | None = None) -> str:
        known = self.details() if details is None else details
        return shields([self.name(pid) for pid in pids], self.census(), known, {}, UID)


def test_whoever_is_nobodys_is_not_protected() -> None:
    place = Place()
    assert place.why(place.alone) == ""
    assert place.why(place.start(place.alone, "vim")) == ""


def test_init_and_the_kernel_are() -> None:
    place = Place()
    assert place.why(1) == "is the system's first process"
    assert place.why(2) == "is a thread of the kernel"


def test_we_what_we_descend_from_and_what_we_have_started_are() -> None:
    place = Place()
    shell = place.start(1, "bash", leads="session")
    place.procs[place.me].ppid = place.start(shell, "python")
    helper = place.start(place.start(place.me, "sh"), "git")
    for pid in (place.me, place.procs[place.me].ppid, shell, helper):
        assert place.why(pid), pid


def test_other_servers_of_ours_and_theirs_are() -> None:
    place = Place()
    parent = place.start(1, "bash")
    server = place.start(parent, "opensessions")
    helper = place.start(server, "git")
    assert not place.why(helper)
    found = protected(place.census(), [], [server], place.me, UID)
    assert {parent, server, helper} <= found.keys()


@pytest.mark.parametrize(
    "comm",
    ["tmux: server", "tmux: client", "tmux", "tmux-3.5a", "tmuxnext", "zellij", "screen", "SCREEN", "screen-4.9",
     "dtach", "abduco", "sshd", "sshd-session", "login", "systemd", "systemd-logind", "mosh-server"],
)  # fmt: skip
def test_multiplexers_and_logins_are_by_name_and_so_is_what_they_descend_from(comm: str) -> None:
    place = Place()
    parent = place.start(1, "sh", leads="session")
    named = place.start(parent, comm)
    assert place.why(named)
    assert place.why(parent)


@pytest.mark.parametrize("comm", ["screenshot", "loginctl", "node", "claude", "initdb", "Xtmux", ""])
def test_other_names_are_not(comm: str) -> None:
    place = Place()
    assert place.why(place.start(1, comm, leads="session")) == ""


def test_a_multiplexers_server_and_clients_are_whatever_they_are_called() -> None:
    place = Place()
    terminal = place.start(1, "kitty", leads="session")
    client = place.client(place.tmux, parent=terminal)
    place.procs[client].comm = place.procs[place.tmux.process.pid].comm = "tm"
    assert "server" in place.why(place.tmux.process.pid)
    assert "client" in place.why(client)
    assert "ancestor" in place.why(terminal)


def test_a_live_pane_and_everything_in_it_is() -> None:
    place = Place()
    shell = place.live.shell.pid
    assert place.why(shell) == "runs in the live pane %0"
    assert place.why(place.agent) == "runs in the live pane %0"


def test_what_left_a_live_pane_but_not_its_session_is() -> None:
    place = Place()
    left = place.start(place.agent, "node", leads="")
    below = place.start(left, "sleep", leads="session")
    place.procs[left].ppid = 1
    assert place.why(left)
    assert place.why(below)


def test_what_a_daemon_of_a_live_pane_leads_is() -> None:
    place = Place()
    daemon = place.start(place.agent, "vite", leads="session")
    left = place.start(daemon, "esbuild", leads="")
    place.procs[left].ppid = 1
    assert place.why(left)


def test_a_pane_whose_process_has_ended_protects_by_its_session_still() -> None:
    """The inventory is younger than the census, or older: either way the pane lives for all that is known."""
    place = Place()
    left = place.start(place.agent, "node", leads="")
    place.exit(place.agent)
    del place.procs[place.live.shell.pid]
    assert place.why(left)


def test_a_dead_pane_protects_nobody() -> None:
    place = Place()
    place.live.state = "dead"
    assert place.why(place.agent) == ""


def test_what_was_hung_up_and_stayed_a_child_of_tmux_is_not_protected() -> None:
    place = Place()
    pane = place.pane(place.tmux, "claude", IGNORES_HUP="1")
    place.close(pane)
    assert place.why(pane.shell.pid) == ""


def test_everything_in_a_multiplexer_that_was_not_read_is() -> None:
    place = Place()
    place.tmux.answers = False
    left = place.start(place.agent, "node", leads="")
    place.procs[left].ppid = 1
    for pid in (place.tmux.process.pid, place.live.shell.pid, place.agent, left):
        assert "not read" in place.why(pid) or pid == place.tmux.process.pid
        assert place.why(pid)
    assert place.why(place.alone) == ""


@pytest.mark.parametrize("comm", ["screen", "dtach", "zellij"])
def test_everything_in_other_multiplexers_is(comm: str) -> None:
    place = Place()
    host = place.start(1, comm, leads="session")
    inside = place.start(place.start(host, "bash", leads="session"), "claude")
    assert place.why(inside)


def test_what_a_login_has_started_is_not_by_that_alone() -> None:
    """On many systems everything without a parent becomes a child of the user's systemd."""
    place = Place()
    manager = place.start(1, "systemd", leads="session")
    assert place.why(place.start(manager, "claude")) == ""


def test_a_zombie_protects_nobody_by_its_name() -> None:
    place = Place()
    agent = place.start(1, "claude", leads="session")
    place.exit(place.start(agent, "tmux: client"), zombie=True)
    assert place.why(agent) == ""


def test_a_multiplexer_that_is_a_zombie_holds_nobody_any_more() -> None:
    """What tmux ran by itself is in its session."""
    place = Place()
    job = place.start(place.tmux.process.pid, "claude", leads="")
    place.tmux.alive = False
    assert "not read" in place.why(job)
    place.exit(place.tmux.process.pid, zombie=True)
    assert place.why(job) == ""


def test_parents_in_a_circle_end() -> None:
    place = Place()
    shell, agent = place.live.shell.pid, place.agent
    place.procs[shell].ppid = agent
    assert place.why(agent)
    assert contained(place.census(), shell) == {shell, agent}


def test_a_pane_whose_process_is_not_told_holds_nobody() -> None:
    place = Place()
    place.procs[place.alone].session = 0
    place.live.shell = replace(place.live.shell, pid=0)
    inventory = place.inventory(place.tmux)
    assert inventory
    assert held(place.census(), [inventory]) == {}


# --- a tree as a whole ---------------------------------------------------------------------------------------


def test_an_unprotected_tree_of_ours_has_no_shield() -> None:
    place = Place()
    assert place.shields(place.alone, place.agent) == ""


def test_one_protected_member_shields_all() -> None:
    place = Place()
    tree = [place.name(place.alone), place.name(place.agent)]
    found = shields(tree, place.census(), place.details(), {place.agent: "is dear to us"}, UID)
    assert found == f"claude ({place.agent}) is dear to us."


@pytest.mark.parametrize("known", [None, Details(), Details(None, "claude", {})])
def test_an_owner_who_is_not_known_shields(known: Details | None) -> None:
    place = Place()
    details = place.details()
    del details[place.agent]
    if known:
        details[place.agent] = known
    assert "cannot be told" in place.shields(place.alone, place.agent, details=details)


@pytest.mark.parametrize("uids", [(0, 0, 0), (UID, 0, UID), (0, UID, UID), (UID, UID, 0)])
def test_another_owner_shields(uids: tuple[int, int, int]) -> None:
    place = Place()
    place.procs[place.agent].uids = uids
    assert "another user" in place.shields(place.agent)


def test_an_executable_shields_whatever_its_process_is_called() -> None:
    place = Place()
    place.procs[place.agent].exe = "tmux"
    assert place.shields(place.agent)


def test_who_is_not_there_any_more_or_another_shields() -> None:
    place = Place()
    census, details = place.census(), place.details()
    for process in (
        replace(place.name(place.agent), start=5),
        ProcId(4000, 5, census.boot, census.namespace),
        replace(place.name(place.agent), boot=""),
        replace(place.name(place.agent), namespace=1),
    ):
        assert "not what was to be ended" in shields([process], census, details, {}, UID)


@pytest.mark.parametrize("pid", [1, 2])
def test_init_and_the_kernel_shield_even_if_nobody_says_that_they_are_protected(pid: int) -> None:
    place = Place()
    place.procs[pid].uids = (UID, UID, UID)
    place.procs[pid].start, place.procs[pid].exe = 1, "odd"
    assert place.shields(pid)


def test_who_has_just_exited_shields_nobody() -> None:
    place = Place()
    assert place.shields(place.agent, details={place.agent: Details(gone=True)}) == ""


def test_the_servers_of_sessions_are_protected_and_what_is_below_counts_as_read() -> None:
    place = Place()
    server = place.start(1, "zellij", leads="session")
    shell = place.start(server, "sh", leads="session")
    stray = place.start(server, "left-over", leads="session")
    pane = model.Pane("work/terminal_0", "work/tab_0", shell, active=True)
    window = model.Window("work/tab_0", panes=(pane,))
    unread = protected(place.census(), [], [], place.me, UID)
    assert {server, shell, stray} <= unread.keys()
    inventory = model.Inventory(0, 0, "0.45.1", windows={window.id: window}, servers=(server,))
    found = protected(place.census(), [inventory], [], place.me, UID)
    assert found[server] == "is a multiplexer's server"
    assert found[shell] == "runs in the live pane work/terminal_0"
    assert stray not in found
