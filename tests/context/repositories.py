"""Real repositories, made by the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

WHO = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}  # fmt: skip


class Repo:
    """One working tree with one commit, which holds `file` and `deep/er/file`."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", *options)
        (root / "deep" / "er").mkdir(parents=True)
        (root / "file").write_text("one\n")
        (root / "deep" / "er" / "file").write_text("two\n")
        self.commit()

    def git(self, *words: str, check: bool = True) -> str:
        """Run git in it, with no configuration but its own."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.root, capture_output=True, text=True, check=False, timeout=60,
            env=WHO | {"PATH": os.environ["PATH"], "HOME": str(self.root), "GIT_CONFIG_NOSYSTEM": "1"},
        )  # fmt: skip
        assert not check or done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything; the commit's name."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "more")
        return self.git("rev-parse", "HEAD")
