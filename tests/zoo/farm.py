"""Agents in the panes of real tmux servers, with receipts, and the reaper that is to tell them apart."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from opensessions import config, paths
from opensessions.processes.audit import Audit
from opensessions.processes.identity import ProcId
from opensessions.processes.plan import Rules
from opensessions.processes.receipt import Origin, Place, Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import this_system
from opensessions.provider import Context
from opensessions.server import looks
from opensessions.server.bus import Bus
from opensessions.server.reaper import Answer, Clock, Reaper
from opensessions.server.sweep import Sweep
from opensessions.server.unfinished import Finisher
from tests.zoo.cage import Animal, Cage, known, until

APART = 0.05
"""Seconds between the two looks that must agree."""
WAIT = 0.1
"""Seconds between SIGTERM and SIGKILL."""
PATIENCE = 20.0
"""Seconds in which a multiplexer must answer. One that is late on a busy machine would save an orphan."""
HUNG = 1.0
"""The same for one that is stopped: each look takes so long."""
_reading = looks._reading


class Mux:
    """A tmux server of its own socket."""

    def __init__(self, farm: Farm, name: str, *habits: str) -> None:
        """`habits`: of what runs in its first pane; without any it writes down what signals it gets."""
        self._farm = farm
        self.socket = str(farm.cage.folder / name)
        self.key = paths.tmux_key(self.socket)
        report, words = farm.cage.words(*(habits or [f"canary={farm.diary}"]))
        self("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", f"exec {shlex.join(words)}")
        self.first = farm.cage.admit(report)
        """What runs in its first pane, which stays."""
        self.server = known(int(self("display-message", "-p", "#{pid}")))

    def __call__(self, *words: str, check: bool = True) -> str:
        """One tmux command; what it prints."""
        done = subprocess.run(
            [self._farm.tmux, "-S", self.socket, *words],
            env=self._farm.env, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()


class Seat:
    """An agent that was started in a pane and has not reported yet."""

    def __init__(self, mux: Mux, pane: str, shell: ProcId, report: str, family: int) -> None:
        self.mux, self.pane, self.shell, self.report, self.family = mux, pane, shell, report, family

    def close(self) -> None:
        """Close its pane."""
        self.mux("kill-pane", "-t", self.pane)


class Farm:
    """A state directory, multiplexers, and agents in them."""

    def __init__(self, folder: Path, tmux: str = "") -> None:
        """`tmux`: the program; "" for the one on PATH. From now on it is what this process finds first."""
        self.cage = Cage(folder)
        self.state = str(folder / "state")
        self.diary = str(folder / "diary")
        """Where innocents write down that they were signalled."""
        Path(self.diary).touch()
        found = tmux or shutil.which("tmux")
        assert found
        self.tmux = str(folder / "bin" / "tmux")
        os.mkdir(folder / "bin")
        os.symlink(os.path.realpath(found), self.tmux)
        os.environ["PATH"] = f"{folder}/bin:{os.environ['PATH']}"
        self.env = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "SHELL": "/bin/sh", "TERM": "xterm", "LANG": "C.UTF-8",
        }  # fmt: skip
        paths.ensure_private(self.state)
        self.receipts = Receipts(self.state)
        self.stopped: set[str] = set()
        """The sockets of those that do not answer."""
        self._be_patient()

    def sit(
        self,
        mux: Mux,
        *habits: str,
        family: int = 0,
        by: str = "exec {}",
        env: Sequence[str] = (),
    ) -> Seat:
        """Start an animal in a new pane of its own window, by a shell's line."""
        report, words = self.cage.words(*habits)
        variables = [word for each in env for word in ("-e", each)]
        said = mux(
            "new-window", "-d", "-P", "-F", "#{pane_id} #{pane_pid}", *variables, by.format(shlex.join(words))
        )
        pane, pid = said.split()
        return Seat(mux, pane, known(int(pid)), report, family)

    def seated(self, seat: Seat) -> Animal:
        """Wait until it is ready."""
        return self.cage.admit(seat.report, seat.family)

    def receipt(
        self,
        process: ProcId,
        seat: Seat | None,
        origin: Origin = "managed",
        instance: str = "",
        keep: bool = False,
        server: ProcId | None = None,
    ) -> Receipt:
        """Write the receipt of a process that sits there, or outside of every multiplexer."""
        stat = this_system().stat(process.pid)
        place = None
        if seat is not None:
            mux = seat.mux
            place = Place("tmux", mux.key, mux.socket, server or mux.server, "$0", seat.pane, seat.shell)
        made = Receipt(
            process, origin, "zebra", "", os.getuid(), stat.group if stat and stat.group > 1 else 0,
            stat.session if stat else 0, stat.comm if stat else "", "", "", place, instance, uuid.uuid4().hex,
            time.time(), keep=keep,
        )  # fmt: skip
        self.receipts.write(made)
        return made

    async def reap(self, only: str = "") -> Answer:
        """One sweep with two looks, as `opensessions reap` makes it. `only`: the nonce of the one that may be ended."""
        audit, sweep = self._sweep()
        settings = config.Reap(term_wait=WAIT)
        clock = Clock(settings.grace)
        reaper = Reaper(Bus(""), sweep, Receipts(self.state), audit, self.state, settings, clock)
        return await reaper.reap({"only": only} if only else {}, APART)

    async def finish(self) -> None:
        """What a server does after its start: it ends what another one had begun to end when it was killed."""
        await Finisher(self._sweep()[1], over=0).finish(self.receipts.read(), Rules(), WAIT)

    def _be_patient(self) -> None:
        """From now on this process waits as long as it must for multiplexers that are not stopped."""

        async def reading(provider: Any) -> Any:
            looks.PATIENCE = HUNG if provider.socket in self.stopped else PATIENCE
            tmux = provider._bell._tmux
            tmux.run = partial(type(tmux).run, tmux, within=PATIENCE)
            return await _reading(provider)

        looks._reading = reading

    def _sweep(self) -> tuple[Audit, Sweep]:
        context = Context("", str(self.cage.folder), sys.executable, sys.executable, "")
        audit = Audit(f"{self.state}/reap.log")
        return audit, Sweep(self.state, "", looks.Looks(context), this_system(), audit)


def grown(processes: Sequence[ProcId]) -> None:
    """Wait until all of them are old enough to be judged (a second)."""
    youngest = max(process.start for process in processes)
    until(lambda: this_system().now() >= youngest + 101, "a second")
