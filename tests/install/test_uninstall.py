"""Uninstalling from a tmux that was in use: with the server, after its crash, and without the virtual environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opensessions import installation
from tests.install.looks import look
from tests.install.test_install import OWN
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

ROOT = Path(installation.root())


def used(world: World) -> tuple[Tmux, Terminal, dict[str, str]]:
    """A tmux with its user's own hooks and keys, and in it the plugin with sidebars in three windows; and what it
    looked like before."""
    mux = world.mux(conf=OWN)
    mux("split-window", "-dh", "-l", "29", "cat")
    mux("new-window", "-d", "cat")
    mux.new("other", "cat")
    terminal = mux.attach()
    before = look(mux)
    inside = mux.inside()
    world.cli("up", env=inside)
    subprocess.run(
        [sys.executable, "-P", "-m", "opensessions_tmux.install"],
        env=world.env | inside, check=True, capture_output=True,
    )  # fmt: skip
    world.cli("sidebar", "show", env=inside)
    world.until(lambda: len(mux.sidebars()) == 2, "a sidebar in both windows of the session")
    world.until(lambda: mux("show-options", "-gqv", "@opensessions-slot-2"), "the slots")
    return mux, terminal, before


def test_with_the_server(world: World) -> None:
    mux, _, before = used(world)
    world.cli("uninstall", env=mux.inside())
    assert not world.status()["running"]
    assert look(mux) == before


def test_after_a_crash_of_the_server(world: World) -> None:
    mux, _, before = used(world)
    pid = world.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    world.cli("uninstall", env=mux.inside())
    assert look(mux) == before
    world.cli("up")
    assert world.status()["muxes"] == [], "a tmux that was left is not served again"
    assert look(mux) == before


@pytest.mark.skipif(not os.access("/usr/bin/python3", os.X_OK), reason="no system Python")
def test_the_script_needs_no_virtual_environment(world: World) -> None:
    mux, _, before = used(world)
    world.cli("down", env=mux.inside())
    env = world.env | mux.inside() | {"PATH": "/usr/bin:/bin", "HOME": str(world.home)}
    folder = world.home / "a checkout"
    folder.mkdir()
    for name in ("opensessions", "providers", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    done = subprocess.run(
        ["/bin/sh", str(folder / "scripts" / "uninstall")],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert look(mux) == before


def test_outside_of_tmux_and_with_nothing_running(world: World) -> None:
    said = world.cli("uninstall").stdout
    assert "nothing to remove" in said


def test_our_hooks_leave_the_agents_settings(world: World) -> None:
    mux, _, before = used(world)
    settings = world.home / ".claude" / "settings.json"
    settings.parent.mkdir()
    mine = '{"model": "mine",   "hooks": {"Stop": []}}\n'
    settings.write_text(mine)
    world.cli("hooks", "install", "claude-code")
    assert settings.read_text() != mine
    said = world.cli("uninstall", env=mux.inside()).stdout
    assert f"Removed our hooks from {settings}." in said
    assert settings.read_text() == mine
    assert look(mux) == before
