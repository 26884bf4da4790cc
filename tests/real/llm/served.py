"""Runs the model's server for a test, and hears what happens to the requests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder

ROOT = Path(__file__).resolve().parents[3]


class Heard(Struct, frozen=True):
    """Something that happened to a request. `at` in seconds since the epoch."""

    at: float
    what: str
    number: int
    tag: str
    keyword: str
    side: bool
    calls: int
    results: int = 0
    status: int = 0
    dialect: str = ""


def isolation() -> tuple[list[str], list[str]]:
    """Words that start a program in a new network namespace, and those (ending in a pid) that enter it. ([], []) where
    this system or this user may not: then only the agents' settings keep them off the network."""
    if shutil.which("unshare") and shutil.which("nsenter"):
        for new, enter in (
            (["unshare", "--net"], ["nsenter", "--net", "--target"]),
            (
                ["unshare", "--net", "--user", "--map-root-user"],
                ["nsenter", "--net", "--user", "--preserve-credentials", "--target"],
            ),
        ):
            if subprocess.run([*new, "true"], capture_output=True, check=False).returncode == 0:
                return new, enter
    return [], []


class Model:
    """The server, from start to `close`. `heard` grows while it runs."""

    def __init__(self, gate: Path) -> None:
        new, enter = isolation()
        self._process = subprocess.Popen(
            [*new, sys.executable, "-P", "-m", "tests.real.llm.serve", str(gate)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._orders = self._process.stdin
        self._said = self._process.stdout
        self.port: int = json.loads(self._said.readline())["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.enter: Sequence[str] = [*enter, str(self._process.pid), "--"] if enter else []
        """Words before a command that put it where the server is."""
        self.heard: list[Heard] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        decoder: Decoder[Any] = Decoder(Heard)
        for line in self._said:
            self.heard.append(decoder.decode(line))

    def release(self, tag: str) -> None:
        """End the streams of an agent."""
        self._orders.write(f"release {tag}\n")
        self._orders.flush()

    def close(self) -> None:
        """End the server."""
        self._orders.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(5)
        self._said.close()
