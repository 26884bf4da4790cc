"""Listening sockets of real processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from opensessions.context import ports
from opensessions.context.ports import LinuxListeners, Listeners, PortableListeners
from opensessions.context.sockets import asked, listed, tables
from opensessions.model import Process
from opensessions.processes.source import this_system
from tests.processes.conftest import until

LISTENER = """
import os, socket, sys
held = [socket.socket(socket.AF_INET6 if word == "6" else socket.AF_INET) for word in sys.argv[1:]]
for each in held:
    each.bind(("::1" if each.family == socket.AF_INET6 else "127.0.0.1", 0))
    each.listen()
print(*(each.getsockname()[1] for each in held), flush=True)
for line in sys.stdin:
    if line == "close\\n":
        held.pop().close()
        print("closed", flush=True)
    if line == "fork\\n":
        if os.fork():
            os._exit(0)
        print(os.getpid(), flush=True)
"""
linux = pytest.mark.skipif(
    not os.path.exists("/proc/self/ns/net"), reason="the kernel shows no tables of sockets"
)


class Listener:
    """A process that listens on ports that the system chose."""

    def __init__(self, *kinds: str, before: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*before, sys.executable, "-c", LISTENER, *kinds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self.process.pid
        self.ports = frozenset(map(int, self.said().split()))

    def said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def tell(self, line: str) -> str:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.said()


@contextmanager
def listener(*kinds: str, before: tuple[str, ...] = ()) -> Iterator[Listener]:
    made = Listener(*kinds, before=before)
    try:
        yield made
    finally:
        for stream in (
            made.process.stdin,
            made.process.stdout,
        ):  # the end of its input ends it, and its child
            if stream:
                stream.close()
        made.process.wait(20)


def seen(*pids: int) -> dict[int, Process]:
    stats = [this_system().stat(pid) for pid in pids]
    return {stat.pid: Process(stat.pid, stat.ppid, stat.start, stat.comm) for stat in stats if stat}


@pytest.mark.parametrize("kind", [pytest.param(LinuxListeners, marks=linux), PortableListeners])
def test_what_a_process_listens_on_is_told(kind: type[Listeners], monkeypatch: pytest.MonkeyPatch) -> None:
    listeners = kind()
    with listener("4", "6", "4") as one, listener("4") as other, listener() as none:
        processes = seen(one.pid, other.pid, none.pid)
        found = listeners.look(processes)
        assert found == {one.pid: one.ports, other.pid: other.ports}
        assert listeners.look(processes) is found
        monkeypatch.setattr(ports, "SLOW", 0.0)
        monkeypatch.setattr(ports, "SHARE", 0.0)
        listeners = kind()
        assert listeners.look(processes) == found
        assert listeners.look(seen(other.pid)) == {other.pid: other.ports}
    assert listeners.look({}) == {}


@linux
def test_connections_and_other_sockets_are_no_ports() -> None:
    with listener("4") as one, socket.create_connection(("127.0.0.1", *one.ports)):
        mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        mine.bind(("127.0.0.1", 0))
        assert LinuxListeners().look(seen(one.pid, os.getpid())) == {one.pid: one.ports}
        mine.close()


def among(*listeners: Listener) -> LinuxListeners:
    """One to whom the kernel tells of these only: other tests open sockets at the same time."""
    own = {port for each in listeners for port in each.ports}
    return LinuxListeners(
        lambda user: {link: port for link, port in (asked(user) or {}).items() if port in own}
    )


@linux
def test_open_files_are_gone_through_only_when_a_socket_or_a_process_is_new() -> None:
    with listener("4") as one, listener("4") as other, listener() as none:
        listeners = among(one)
        processes = seen(one.pid, none.pid)
        for _ in range(5):
            assert listeners.look(processes) == {one.pid: one.ports}
        assert listeners.walks == 2
        more = {**processes, **seen(other.pid)}
        assert listeners.look(more) == {one.pid: one.ports}
        assert listeners.walks == 3
        listeners._ask_kernel = among(one, other)._ask_kernel
        assert listeners.look(more) == {one.pid: one.ports, other.pid: other.ports}
        assert listeners.walks == 6
        assert listeners.look(processes) == {one.pid: one.ports}
        assert listeners.walks == 6


@linux
def test_a_socket_that_is_seen_before_its_process_is_found_later() -> None:
    with listener("4") as one, listener() as none:
        listeners = among(one)
        known = seen(none.pid)
        assert listeners.look(known) == {}
        assert listeners.look({**known, **seen(one.pid)}) == {one.pid: one.ports}
        assert listeners.walks == 2


@linux
def test_a_port_that_is_closed_is_told_no_more() -> None:
    listeners = LinuxListeners()
    with listener("4", "4") as one:
        processes = seen(one.pid)
        assert len(listeners.look(processes)[one.pid]) == 2
        assert one.tell("close") == "closed\n"
        assert len(listeners.look(processes)[one.pid]) == 1
        one.tell("close")
        assert listeners.look(processes) == {}


@linux
def test_a_server_that_goes_into_the_background_keeps_its_port() -> None:
    listeners = LinuxListeners()
    with listener("4") as one:
        assert listeners.look(seen(one.pid)) == {one.pid: one.ports}
        child = int(one.tell("fork"))
        one.process.wait(20)
        assert listeners.look(seen(child)) == {child: one.ports}


@linux
def test_a_child_that_was_known_before_keeps_its_parents_port() -> None:
    listeners = LinuxListeners()
    with listener("4") as one:
        parent = seen(one.pid)
        assert listeners.look(parent) == {one.pid: one.ports}
        child = seen(int(one.tell("fork")))
        assert listeners.look({**parent, **child}) == dict.fromkeys({**parent, **child}, one.ports)
        one.process.wait(20)
        assert listeners.look(child) == dict.fromkeys(child, one.ports)


@linux
def test_a_network_of_its_own_is_looked_into() -> None:
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a network namespace cannot be made here")
    up = ("unshare", "-n", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh")
    with listener("4") as one:
        inside = Listener("4", before=up)
        try:
            assert inside.ports, "it could not listen"
            listeners = LinuxListeners()
            assert until(lambda: listeners.look(seen(one.pid, inside.pid))) == {
                one.pid: one.ports,
                inside.pid: inside.ports,
            }
        finally:
            for stream in (inside.process.stdin, inside.process.stdout):
                if stream:
                    stream.close()
            inside.process.wait(20)


def test_a_table_is_read_line_by_line() -> None:
    table = b"""  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100 0 0 10 0
   1: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0
   2: 0100007F:0BBA 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 13 1 0 100 0 0 10 0
   3: 0100007F:0BBB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 0 1 0 100 0 0 10 0
   4: 0100007F"""
    assert listed(table, 1000) == {"socket:[11]": 3000}
    assert listed(b"", 1000) == {}


@linux
def test_the_kernel_and_its_tables_say_the_same() -> None:
    with listener("4", "6") as one:
        for _ in range(3):  # others may open or close some meanwhile
            first, second, third = asked(os.geteuid()), tables(one.pid, os.geteuid()), asked(os.geteuid())
            if first == third:
                break
        assert second is not None
        assert one.ports <= set(second.values())
        assert first is None or first == second or first != third
    assert tables(1 << 30, 0) is None


@linux
def test_where_the_kernel_does_not_answer_its_tables_are_read_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "SLOW", 1000.0)
    listeners = LinuxListeners(lambda user: None)
    with listener("4") as one, listener("4") as other:
        processes = seen(one.pid, other.pid)
        assert listeners.look(processes) == {one.pid: one.ports, other.pid: other.ports}
        other.tell("close")
        assert listeners.look(processes) == {one.pid: one.ports, other.pid: other.ports}
        monkeypatch.setattr(ports, "SLOW", 0.0)
        assert listeners.look(processes) == {one.pid: one.ports}
