"""Real processes that are nobody's children, since what descends from who sweeps is never ended, and their receipts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from opensessions.processes.identity import ProcId, liveness, pinned
from opensessions.processes.receipt import Place, Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import this_system
from tests.processes.conftest import until

MUX = "tmux-0123456789abcdef"
INSTANCE = "6f1c1f3e-0000-4000-8000-00000000000a"
SERVER = os.getppid() if os.getppid() > 1 else os.getpid()
"""Stands for the multiplexer's server: it lives. In a container the tests may have been started by the first process of
all, or from outside, and no receipt names such a one."""
CALM = "sleep 600"
STUBBORN = "(trap '' TERM; exec sleep 600) & wait"
"""Ends on SIGTERM; its child does not."""


class Machine:
    """Processes that are nobody's, and their receipts."""

    def __init__(self, state: Path) -> None:
        state.chmod(0o700)
        self.state = str(state)
        self.receipts = Receipts(self.state)
        self.started: list[ProcId] = []

    def start(self, script: str = CALM) -> ProcId:
        """A process that runs this script; its parent is gone, and it is old enough to be judged."""
        done = subprocess.run(
            ["bash", "-c", 'setsid bash -c "$1" >/dev/null 2>&1 & echo $!', "-", script],
            stdout=subprocess.PIPE, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        found = pinned(int(done.stdout))
        assert found
        self.started.append(found)
        until(
            lambda: (stat := this_system().stat(found.pid)) and stat.session == found.pid, "its own session"
        )
        return found

    def child(self, root: ProcId) -> ProcId:
        """The child of a process, as soon as it is a `sleep`: what it is to ignore, it ignores then."""

        def find() -> ProcId | None:
            for pid in below(root.pid):
                stat = this_system().stat(pid)
                if stat and stat.comm == "sleep":
                    return pinned(pid)
            return None

        found: ProcId = until(find, "its child")
        self.started.append(found)
        return found

    def orphan(self, script: str = CALM, pane: str = "%7", **more: Any) -> Receipt:
        """A managed agent in a pane that there is not, or whatever else is said."""
        process, server = self.start(script), pinned(SERVER)
        assert server
        receipt = Receipt(
            process=process, origin="managed", agent="claude-code", agent_id="", uid=os.getuid(),
            group=process.pid, session=process.pid, comm="bash", exe="/bin/bash", argv_hash="",
            place=Place("tmux", MUX, "/nowhere", server, "$1", pane, process), instance=INSTANCE,
            nonce=os.urandom(16).hex(), created=time.time(),
        )  # fmt: skip
        receipt = replace(receipt, **more)
        self.receipts.write(receipt)
        until(lambda: this_system().now() - process.start > 110)
        return receipt

    def close(self) -> None:
        for process in self.started:
            if liveness(process) != "alive":
                continue  # its pid may be somebody else's by now
            for pid in (*below(process.pid), process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def below(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [each for child in map(int, text.split()) for each in (*below(child), child)]
