"""Fixtures for the server's rooms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Processes that end with the test; the state directory is `tmp_path`."""
    made = Machine(tmp_path)
    try:
        yield made
    finally:
        made.close()
