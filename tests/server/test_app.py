"""The server's own end, as a whole process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opensessions.start import connect
from tests.processes.conftest import until
from tests.support.world import ROOT


@pytest.mark.parametrize("fails", [False, True], ids=["stopped", "failed"])
def test_a_thread_that_never_ends_does_not_keep_the_server(short: Path, fails: bool) -> None:
    """Python waits for the threads of `asyncio.to_thread` at its end, for ever."""
    script = f"""
import asyncio, threading
from opensessions import paths
from opensessions.server import app, guard

app.HARD_STOP = 1
begin = app.Muxes.start

def start(self, group, on_last_gone):
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    if {fails}:
        raise SystemError("a fault")
    begin(self, group, on_last_gone)

app.Muxes.start = start
runtime = paths.ensure_runtime(paths.runtime_dir())
app.run(runtime, guard.Guard.acquire(runtime))
"""
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(short), "OPENSESSIONS_RUNTIME_DIR": str(short / "run"),
        "OPENSESSIONS_STATE_DIR": str(short / "state"), "OPENSESSIONS_CONFIG": str(short / "none"),
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-P", "-c", script], env=environment, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        if not fails:
            until(lambda: connect(str(short / "run"))).close()
            server.terminate()
        assert server.wait(20) == -signal.SIGALRM
    finally:
        server.kill()
        server.wait()
