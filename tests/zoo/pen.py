"""A PID namespace with a first process of ours: what runs in it cannot reach anybody outside, ends with it, and sees
its own pids only. A storm of processes is let loose nowhere else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INIT = Path(__file__).with_name("init.py")
WAYS = (
    ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"),
    ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"),
)
LIFETIME = 100.0
"""Seconds, at most, that a namespace lives."""


@cache
def way() -> tuple[tuple[str, ...], str]:
    """The words before a program that give it a namespace; () and the reason where there is none."""
    reason = ""
    for words in WAYS:
        try:
            done = subprocess.run([*words, "true"], capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = str(error)
            continue
        if done.returncode == 0:
            return words, ""
        reason = done.stderr.strip()
    return (), reason


class Pen:
    """A scenario (see `inside`) that runs in a namespace of its own."""

    def __init__(self, scenario: str, folder: Path, lifetime: float = LIFETIME, **arguments: object) -> None:
        """Skips the test where there are no namespaces."""
        words, reason = way()
        if not words:
            pytest.skip(f"no PID namespace can be made here: {reason}")
        self._scenario = scenario
        self._lifetime = lifetime
        self._process = subprocess.Popen(
            [
                *words, sys.executable, "-I", "-S", str(INIT), str(lifetime),
                sys.executable, "-m", "tests.zoo.inside", str(os.stat("/proc/self/ns/pid").st_ino), scenario,
                str(folder), json.dumps(arguments),
            ],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Of what made the namespace; it is outside."""
        return self._process.pid

    def result(self) -> Any:
        """What the scenario answers when it has ended; it fails the test where it failed."""
        try:
            out, err = self._process.communicate(timeout=self._lifetime + 10)
        finally:
            self.close()
        assert self._process.returncode == 0, f"{self._scenario} ({self._process.returncode}): {err}{out}"
        return json.loads(out)

    def close(self) -> None:
        """End it with all that it holds."""
        self._process.kill()
        self._process.communicate()


def run(scenario: str, folder: Path, lifetime: float = LIFETIME, **arguments: object) -> Any:
    """What a scenario answers."""
    return Pen(scenario, folder, lifetime, **arguments).result()
