"""A repository, and who asks about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opensessions.context import runner
from opensessions.context.git import Git
from tests.context.repositories import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A clean one on `main`."""
    return Repo(tmp_path / "repo")


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Git]:
    """Asks as the server does, for a user without any configuration; with all the time that a busy machine may need."""
    monkeypatch.setattr(runner, "TIME", 60.0)
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "home").mkdir()
    asking = Git(str(tmp_path / "run" / "git"), str(tmp_path / "home"))
    try:
        yield asking
    finally:
        asking.close()
