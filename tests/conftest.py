"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.world import Tmux, World, tmux_versions

# What the caller's own terminal and desktop say must never reach a test.
for name in ("TMUX", "TMUX_PANE", "ZELLIJ", "ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID"):
    os.environ.pop(name, None)

# How long an example takes says how busy the machine is, and nothing about what is tested. Examples are the same each
# time; HYPOTHESIS_PROFILE=wide looks for others, to be kept as tests of their own.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("wide", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

VERSIONS = tmux_versions()


@pytest.fixture(params=VERSIONS.values(), ids=VERSIONS.keys())
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A home with nothing running in it, on each tmux that is there."""
    private = World(request.param)
    try:
        yield private
    finally:
        private.close()


@pytest.fixture
def mux(world: World) -> Tmux:
    """A tmux server with the session `main`; the plugin is not loaded."""
    return world.mux()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for sockets (104 bytes at most)."""
    folder = Path(tempfile.mkdtemp(prefix="os-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB that can be filled. Skips where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
