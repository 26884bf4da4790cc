"""A tmux of its own for each test, in every version that is here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from opensessions_tmux import install
from opensessions_tmux.admin import Admin
from tests.support.world import Tmux, World, tmux_versions


@pytest.fixture(params=sorted(tmux_versions()))
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A home with a tmux of each version. The test itself lives in it too."""
    world = World(tmux_versions()[request.param])
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    try:
        yield world
    finally:
        settle(world)
        world.close()


def settle(world: World) -> None:
    """Wait for loaders that run in the background: one that is late would start a server after the test."""
    words = ("plugin.tmux", "bootstrap", "opensessions_tmux.install", "start.py", "opensessions up")
    late = [process for process in inside(world) if any(word in said(process) for word in words)]
    _, alive = psutil.wait_procs(late, timeout=10)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def said(process: psutil.Process) -> str:
    """Its command line; "" of one that has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is one, too
        return ""


def inside(world: World) -> Iterator[psutil.Process]:
    """The processes that were started in the world."""
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("OPENSESSIONS_RUNTIME_DIR") == world.runtime:
            yield process


@pytest.fixture
def mux(world: World) -> Tmux:
    """A tmux server with tmux's own configuration."""
    return world.mux()


@pytest.fixture
def admin(mux: Tmux, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """The same, as the installer speaks to it. Its hooks start no server: what is tested here needs none."""
    monkeypatch.setattr(install, "starter", lambda tmux: ["true"])
    return Admin(mux.world.binary, mux.socket)
