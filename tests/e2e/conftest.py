"""A private world per test, on each tmux that is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import Tmux, World, tmux_versions

VERSIONS = tmux_versions()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(params=VERSIONS.values(), ids=VERSIONS.keys())
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A home with nothing running in it."""
    private = World(request.param)
    try:
        yield private
    finally:
        private.close()


@pytest.fixture
def mux(world: World) -> Tmux:
    """A tmux server with the session `main`; the plugin is not loaded."""
    return world.mux()
