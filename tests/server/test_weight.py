"""What the server does not load: its memory is promised."""

from __future__ import annotations

import subprocess
import sys

import pytest

from opensessions.openers import OURS, kinds, opener

HEAVY = (
    "ssl",
    "importlib.metadata",
    "html.entities",
    "psutil",
    "argparse",
    "http",
    "email",
    "xml",
    "unittest",
)
"""MiB each, or nearly."""


def test_it_loads_nothing_dear_that_it_can_do_without() -> None:
    program = f"""
import sys
sys.modules["ssl"] = None
import opensessions.server.app, opensessions_tmux
print(*(name for name in {HEAVY!r} if sys.modules.get(name)))
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == []


def test_our_providers_are_the_ones_that_are_installed() -> None:
    from importlib.metadata import entry_points

    declared = {entry.name: entry for entry in entry_points(group="opensessions.providers")}
    assert set(OURS) <= set(declared)
    for kind in OURS:
        assert opener(kind) is declared[kind].load()
    assert set(kinds()) == set(declared)


@pytest.mark.parametrize("kind", ["", "screen", "os"])
def test_others_are_unknown(kind: str) -> None:
    assert opener(kind) is None
