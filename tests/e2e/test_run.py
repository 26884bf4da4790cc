"""`opensessions run` in a pane of a real tmux: a receipt of that pane, for the process that the agent is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from opensessions.processes import cgroup
from opensessions.processes.identity import liveness, pinned, read, same
from opensessions.processes.receipt import Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import Stat, this_system
from tests.processes.test_cgroup import end_members
from tests.support.world import Tmux, World, is_alive

LOOP = "import signal, time\n{more}\nprint('working', flush=True)\nwhile True:\n    time.sleep(600)\n"


class Bench:
    """A world with an agent called `claude` that works until it is ended."""

    def __init__(self, world: World, mux: Tmux) -> None:
        self.world = world
        self.mux = mux
        self.pane = mux.lines("list-panes", "-a", "-F", "#{pane_id}")[0]
        self.agent()

    def agent(self, more: str = "", name: str = "claude") -> None:
        path = self.world.home / "bin" / name
        path.write_text(f"#!{sys.executable}\n{LOOP.format(more=more)}")
        path.chmod(0o755)

    def type(self, line: str, pane: str = "") -> None:
        self.mux("send-keys", "-t", pane or self.pane, line, "Enter")

    def screen(self, pane: str = "") -> str:
        return self.mux("capture-pane", "-p", "-t", pane or self.pane)

    def receipts(self) -> tuple[Receipt, ...]:
        return Receipts(self.world.state).read()

    def receipt(self) -> Receipt:
        """The only one, once the agent works."""
        (found,) = self.world.until(self.receipts, "a receipt")
        self.world.until(
            lambda: "claude" in " ".join(this_system().program(found.process.pid)[0][:2]), "the agent's start"
        )
        return found

    def sweep_up(self) -> None:
        """End what the receipts name and remove the groups that were made for them."""
        for receipt in self.receipts():
            if liveness(receipt.process) == "alive":
                with suppress(ProcessLookupError):
                    handle = os.pidfd_open(receipt.process.pid)
                    try:
                        if pinned(receipt.process.pid) == receipt.process:
                            signal.pidfd_send_signal(handle, signal.SIGKILL)
                    finally:
                        os.close(handle)
            self.world.until(lambda r=receipt: liveness(r.process) == "dead", "the agent's end")
            end_members(receipt.cgroup)
            if receipt.cgroup and os.path.isdir(receipt.cgroup):
                self.world.until(lambda r=receipt: cgroup.remove(r.cgroup), "the group's end")


@pytest.fixture
def bench(world: World, mux: Tmux) -> Iterator[Bench]:
    made = Bench(world, mux)
    try:
        yield made
    finally:
        made.sweep_up()


def test_the_receipt_names_the_agents_process_and_its_pane(bench: Bench) -> None:
    mux = bench.mux
    mux("split-window", "-d", "-t", "main")  # so that "the" pane is ambiguous
    other = mux("new-window", "-P", "-F", "#{pane_id}", "-t", "main:")
    bench.type("opensessions run -- claude --continue", other)
    receipt = bench.receipt()
    shell = int(mux.ask("#{pane_pid}", other))
    stat = this_system().stat(receipt.process.pid)
    assert stat
    assert receipt.process == pinned(receipt.process.pid)
    assert (stat.session, stat.group) == (shell, stat.pid) == (receipt.session, receipt.group)
    assert this_system().program(receipt.process.pid)[0][1:] == (
        f"{bench.world.home}/bin/claude",
        "--continue",
    )
    place = receipt.place
    assert place
    assert (place.kind, place.key, place.socket) == ("tmux", mux.key, os.path.realpath(mux.socket))
    assert (place.pane, place.session) == (other, mux.ask("#{session_id}", "main"))
    assert (place.server, place.shell) == (pinned(mux.pid), pinned(shell))
    assert (receipt.origin, receipt.agent, receipt.instance) == ("managed", "claude-code", "")
    assert "opensessions" not in bench.screen(other).partition("claude --continue")[2]  # it says nothing


def test_a_pane_that_was_made_for_it_has_it_as_its_own_process(bench: Bench) -> None:
    pane = bench.mux("new-window", "-P", "-F", "#{pane_id}", "-t", "main:", "exec opensessions run -- claude")
    receipt = bench.receipt()
    assert receipt.place
    assert receipt.place.pane == pane
    assert receipt.place.shell == receipt.process
    assert receipt.process.pid == int(bench.mux.ask("#{pane_pid}", pane))


def test_its_children_are_found_in_its_group(bench: Bench) -> None:
    """Whatever they do to get away from their parent."""
    bench.agent("import subprocess\nsubprocess.run(['setsid', '-f', 'sleep', '600'], check=True)")
    bench.type("opensessions run claude")
    receipt = bench.receipt()
    if not receipt.cgroup:
        assert not os.access(f"{cgroup.own()}/{cgroup.PROCS}", os.W_OK) or not cgroup.own()
        pytest.skip("no control group can be made here")

    def daemon() -> Stat | None:
        stats = map(this_system().stat, cgroup.members(receipt.cgroup) or ())
        return next((stat for stat in stats if stat and stat.comm == "sleep"), None)

    stat = bench.world.until(daemon, "the daemon")
    bench.world.until(
        lambda: cgroup.members(receipt.cgroup) == {receipt.process.pid, stat.pid},
        "nobody else, setsid neither",
    )
    assert stat.session == stat.pid != receipt.session
    assert stat.ppid != receipt.process.pid


def test_a_running_server_is_named(bench: Bench) -> None:
    bench.mux.up()
    bench.type("opensessions run -- claude")
    receipt = bench.receipt()
    assert receipt.instance == bench.world.status()["instance"] != ""


def test_an_agent_that_outlives_its_pane_is_still_known(bench: Bench) -> None:
    bench.agent("signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    pane = bench.mux("new-window", "-P", "-F", "#{pane_id}", "-t", "main:")
    bench.type("opensessions run -- claude", pane)
    receipt = bench.receipt()
    bench.world.until(lambda: "working" in bench.screen(pane), "its work")
    assert receipt.place
    shell = receipt.place.shell
    bench.mux("kill-pane", "-t", pane)
    bench.world.until(lambda: liveness(shell) == "dead", "the shell's end")
    assert liveness(receipt.process) == "alive"
    assert same(receipt.process, pinned(receipt.process.pid) or receipt.place.server) == "same"
    assert liveness(receipt.place.server) == "alive"
    assert bench.receipts() == (receipt,)


def test_a_new_shell_in_the_same_pane_is_another_generation(bench: Bench) -> None:
    bench.agent("signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    bench.type("opensessions run -- claude")
    first = bench.receipt()
    bench.world.until(lambda: "working" in bench.screen(), "its work")
    bench.mux("respawn-pane", "-k", "-t", bench.pane)
    bench.type("opensessions run -- claude")
    bench.world.until(lambda: len(bench.receipts()) == 2, "the second receipt")
    (second,) = set(bench.receipts()) - {first}
    assert first.place
    assert second.place
    assert first.place.pane == second.place.pane
    assert same(first.place.shell, second.place.shell) == "different"


def test_without_a_server_the_receipt_stays_until_somebody_has_proof(bench: Bench) -> None:
    bench.type("opensessions run -- claude")
    receipt = bench.receipt()
    bench.world.until(lambda: "working" in bench.screen(), "its work")
    bench.type("C-c")
    bench.world.until(lambda: liveness(receipt.process) == "dead", "the agent's end")
    assert bench.receipts() == (receipt,)
    assert not os.path.exists(bench.world.runtime)
    Receipts(bench.world.state).drop(receipt)
    assert bench.receipts() == ()
    if receipt.cgroup:
        bench.world.until(lambda: not os.path.exists(receipt.cgroup), "the group's end")


def test_a_stranger_with_the_panes_environment_is_not_in_it(bench: Bench) -> None:
    """As a terminal in an editor that was started from a pane, or a job of tmux's own."""
    done = bench.world.cli("run", "--", "true", env=bench.mux.inside())
    assert "no multiplexer's pane was found around this" in done.stderr
    told = Path(bench.world.home / "told")
    bench.mux("run-shell", f"TMUX_PANE={bench.pane} opensessions run -- true 2>'{told}'; true")
    assert "no multiplexer's pane was found around this" in bench.world.until(
        lambda: told.exists() and told.read_text(), "the job's end"
    )
    assert [receipt.place for receipt in bench.receipts()] == [None, None]


def test_what_the_shell_would_say_it_says_in_the_pane(bench: Bench) -> None:
    bench.type("opensessions run -- nowhere; echo status=$?")
    bench.world.until(lambda: "status=127" in bench.screen(), "the status")
    assert "opensessions: nowhere was not found; is it on PATH?" in bench.screen()
    assert bench.receipts() == ()


def test_job_control_works_as_with_any_program(bench: Bench) -> None:
    bench.type("opensessions run -- claude")
    receipt = bench.receipt()
    bench.world.until(lambda: "working" in bench.screen(), "its work")
    bench.type("C-z")
    state = Path(f"/proc/{receipt.process.pid}/stat")
    bench.world.until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "it stops")
    bench.type("fg")
    bench.world.until(lambda: state.read_text().rpartition(")")[2].split()[0] != "T", "it goes on")
    assert liveness(receipt.process) == "alive"


def test_two_tmux_servers_are_two_places(bench: Bench) -> None:
    other = bench.world.mux("it's; #{x} other.sock")
    pane = other.lines("list-panes", "-a", "-F", "#{pane_id}")[0]
    assert pane == bench.pane  # ids begin anew in each server
    bench.type("opensessions run -- claude")
    other("send-keys", "-t", pane, "opensessions run -- claude", "Enter")
    bench.world.until(lambda: len(bench.receipts()) == 2, "both receipts")
    places = {receipt.place.key: receipt.place for receipt in bench.receipts() if receipt.place}
    assert {key: place.server for key, place in places.items()} == {
        bench.mux.key: pinned(bench.mux.pid),
        other.key: pinned(other.pid),
    }


def test_inside_a_nested_tmux_the_inner_one_counts(bench: Bench) -> None:
    inner = bench.world.home / "inner.sock"
    bench.type(f"TMUX= tmux -S {inner} -f /dev/null new-session 'exec opensessions run -- claude'")
    receipt = bench.receipt()
    try:
        assert receipt.place
        assert receipt.place.socket == os.path.realpath(inner)
        assert receipt.place.server.pid != bench.mux.pid
        assert receipt.place.shell == receipt.process
    finally:
        subprocess.run([bench.world.binary, "-S", str(inner), "kill-server"], check=True)


def test_status_of_a_caller_without_a_pane_is_as_before(bench: Bench) -> None:
    """The caller's further fields cost no verb anything."""
    bench.mux.up()
    env = {"TMUX": f"{bench.mux.socket},{bench.mux.pid},0"}
    assert json.loads(bench.world.cli("list", "--json", env=env).stdout)["muxes"]
    assert is_alive(bench.mux.pid)
    assert read(bench.mux.pid) == replace(pinned(bench.mux.pid) or read(1), inode=0)
