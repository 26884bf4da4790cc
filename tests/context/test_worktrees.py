"""Repositories and branches, as git's own files tell them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from opensessions.context.worktrees import Head, Repository, head, is_ours, locate, told
from tests.context.repositories import Repo


def found(folder: Path) -> Repository:
    repository = locate(str(folder))
    assert repository is not None
    return repository


def branch(folder: Path) -> str | None:
    return head(found(folder)).branch


def test_the_branch_is_told_from_anywhere_below(repo: Repo) -> None:
    deep = found(repo.root / "deep" / "er")
    assert deep == found(repo.root) == Repository(str(repo.root), f"{repo.root}/.git", f"{repo.root}/.git")
    assert (head(deep).branch, deep.worktree) == ("main", None)
    repo.git("checkout", "-q", "-b", "feature/log-in")
    assert branch(repo.root) == "feature/log-in"


def test_outside_of_any_repository_there_is_none(tmp_path: Path) -> None:
    assert locate(str(tmp_path)) is None
    assert locate(str(tmp_path / "gone")) is None
    assert locate("") is None
    assert locate("relative") is None
    assert locate("/nul\0byte") is None


def test_a_detached_head_is_the_beginning_of_its_commit(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach")
    assert branch(repo.root) == repo.git("rev-parse", "HEAD")[:7]


def test_a_branch_without_a_commit_is_told(tmp_path: Path, repo: Repo) -> None:
    repo.git("init", "-q", "-b", "fresh", str(tmp_path / "new"))
    assert branch(tmp_path / "new") == "fresh"


def test_a_linked_working_tree_has_its_own_branch_and_name(tmp_path: Path, repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "beside"))
    side = found(tmp_path / "beside")
    assert (head(side).branch, side.worktree) == ("side", "beside")
    assert side.common == found(repo.root).common
    assert (branch(repo.root), found(repo.root).worktree) == ("main", None)
    shutil.rmtree(repo.root)
    assert locate(str(tmp_path / "beside")) is None


def test_a_submodule_is_a_repository_of_its_own(tmp_path: Path, repo: Repo) -> None:
    outer = Repo(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo.root), "inner")
    inner = found(outer.root / "inner")
    assert (inner.root, inner.worktree) == (str(outer.root / "inner"), None)
    assert head(inner).branch == "main"


def test_a_head_that_is_a_link_is_a_branch(repo: Repo) -> None:
    (repo.root / ".git" / "HEAD").unlink()
    (repo.root / ".git" / "HEAD").symlink_to("refs/heads/main")
    assert branch(repo.root) == "main"


@pytest.mark.parametrize("what", ["pipe", "device", "folder", "large", "link", "nothing", "bytes"])
def test_a_head_that_is_none_is_no_branch(repo: Repo, tmp_path: Path, what: str) -> None:
    path = repo.root / ".git" / "HEAD"
    path.unlink()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "folder":
        path.mkdir()
    elif what == "large":
        path.write_bytes(b"ref: refs/heads/main" + b" " * 100_000)
    elif what == "link":
        (tmp_path / "secret").write_text("not yours\n")
        path.symlink_to(tmp_path / "secret")
    else:
        path.write_bytes(b"" if what == "nothing" else bytes(range(256)))
    assert head(found(repo.root)) == Head()


@pytest.mark.parametrize("what", ["pipe", "large", "loop", "elsewhere"])
def test_a_dot_git_that_is_none_is_no_repository(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / ".git"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    else:
        path.write_bytes(b"gitdir: " + (b"x" * 100_000 if what == "large" else b"/nowhere"))
    assert locate(str(folder)) is None


def test_names_are_harmless_when_they_are_shown() -> None:
    name = "a\x1b[2J\u202eb\x9b" + "c" * 500
    shown = told(b"ref: refs/heads/" + name.encode()).branch
    assert shown is not None
    assert shown.startswith("a[2Jbc")
    assert len(shown) == 200
    assert told(b"ref: refs/heads/\xff\xfe").branch == "��"
    assert told(b"ref: refs/bisect/bad\n").branch == "bisect/bad"
    assert told(b"ref: /etc/passwd").branch is None
    assert told(b"a" * 39).branch is None
    assert told(b"a" * 64).branch == "aaaaaaa"


def test_a_reftable_says_that_only_git_can_tell() -> None:
    assert told(b"ref: refs/heads/.invalid\n") == Head(elsewhere=True)


def test_a_repository_of_another_user_is_not_ours(repo: Repo) -> None:
    repository = found(repo.root)
    assert is_ours(repository, os.geteuid())
    assert not is_ours(repository, os.geteuid() + 1)
