"""Looking for folders: a real disk, real repositories, a stand-in for zoxide."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from opensessions.sessionizer import walk
from opensessions.sessionizer.names import asked
from opensessions.sessionizer.places import Found
from opensessions.sessionizer.walk import Root


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=u", "-c", "user.email=u@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def repository(folder: Path, branch: str = "main") -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", branch)
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def found(root: Path, depth: int = 2, also: tuple[str, ...] = ()) -> dict[str, Found]:
    listed = list(walk.walk([Root(str(root), depth)], also))
    paths = [os.path.relpath(each.path, root) for each in listed]
    assert len(set(paths)) == len(paths)
    return dict(zip(paths, listed, strict=True))


@pytest.mark.parametrize(("depth", "names"), [(1, {"a"}), (2, {"a", "a/b"}), (3, {"a", "a/b", "a/b/c"})])
def test_it_goes_as_deep_as_it_may(tmp_path: Path, depth: int, names: set[str]) -> None:
    (tmp_path / "a/b/c/d").mkdir(parents=True)
    (tmp_path / "a/.hidden/x").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    assert set(found(tmp_path, depth)) == names


def test_repositories_are_not_searched_and_have_working_trees(tmp_path: Path) -> None:
    engine = repository(tmp_path / "roots/engine", "trunk")
    (engine / "src").mkdir()
    git(engine, "worktree", "add", "-q", "-b", "fix", str(tmp_path / "elsewhere/fixed"))
    git(engine, "worktree", "add", "-q", "-b", "gone", str(tmp_path / "elsewhere/gone"))
    (tmp_path / "elsewhere/gone/.git").unlink()
    listed = found(tmp_path / "roots", 3)
    assert set(listed) == {"engine", "../elsewhere/fixed"}
    main, linked = listed["engine"], listed["../elsewhere/fixed"]
    assert (main.branch, main.linked, linked.branch, linked.linked) == ("trunk", False, "fix", True)
    assert main.group == linked.group == str(engine / ".git")


def test_a_root_that_is_a_repository_is_searched_all_the_same(tmp_path: Path) -> None:
    repository(tmp_path / "home")
    (tmp_path / "home/work").mkdir()
    assert set(found(tmp_path / "home", 1)) == {".", "work"}


def test_links_are_not_followed_and_nothing_comes_twice(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/round").symlink_to(tmp_path / "a")
    (tmp_path / "far").symlink_to("/usr")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    listed = list(
        walk.walk([Root(str(tmp_path), 5), Root(str(tmp_path / "a"), 5)], (str(tmp_path / "a/b"), "x"))
    )
    paths = sorted(os.path.relpath(each.path, tmp_path) for each in listed)
    assert paths == ["a", "a/b", "far"]


def test_what_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    assert list(walk.walk([Root(str(tmp_path / "nowhere"), 2)])) == []
    (tmp_path / os.fsdecode(b"bad\xff")).mkdir()
    assert set(found(tmp_path)) == {"bad\udcff"}


def test_a_repository_that_lies_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/.git").write_text("gitdir: /nowhere\n")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/.git").symlink_to(tmp_path / "fifo")
    engine = repository(tmp_path / "engine")
    (engine / ".git/worktrees/odd").mkdir(parents=True)
    os.mkfifo(engine / ".git/worktrees/odd/gitdir")
    (engine / ".git/worktrees/slash").mkdir()
    (engine / ".git/worktrees/slash/gitdir").write_text("/.git\n")
    assert {path: bool(each.group) for path, each in found(tmp_path).items()} == {
        "a": False, "b": False, "engine": True,
    }  # fmt: skip


def test_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}").mkdir()
    monkeypatch.setattr(walk, "MOST", 10)
    assert len(found(tmp_path)) == 10
    monkeypatch.setattr(walk, "MOST", 100)
    monkeypatch.setattr(walk, "SECONDS", 0.0)
    assert found(tmp_path) == {}


# --- zoxide ---------------------------------------------------------------------------------------------------


def zoxide(folder: Path, script: str) -> None:
    (folder / ".local/bin").mkdir(parents=True)
    program = folder / ".local/bin/zoxide"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_what_zoxide_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert walk.known(str(tmp_path)) == ()
    zoxide(tmp_path, "[ \"$*\" = 'query --list' ] && printf '/b\\n/a/\\nrelative\\n/\\377\\n'")
    assert walk.known(str(tmp_path)) == ("/b", "/a", "/\udcff")


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 60", "kill -9 $$"])
def test_a_zoxide_that_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(walk, "ZOXIDE_SECONDS", 0.2)
    zoxide(tmp_path, script)
    assert walk.known(str(tmp_path)) == ()


# --- a typed path ---------------------------------------------------------------------------------------------


def test_what_a_typed_path_leads_to(tmp_path: Path) -> None:
    for name in ("src", "Srv", ".secret", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "sfile").write_text("")

    def seen(query: str) -> tuple[str, tuple[str, ...]]:
        at = asked(query, str(tmp_path), "/")
        assert at
        told = walk.look(at)
        assert told.asked == at
        return told.kind, told.children

    assert seen("~/s") == ("nothing", ("Srv", "src"))
    assert seen("~/") == ("folder", ("Srv", "other", "src"))
    assert seen("~/.") == ("folder", (".secret",))
    assert seen("~/.s") == ("nothing", (".secret",))
    assert seen("~/src") == ("folder", ("src",))
    assert seen("~/sfile") == ("other", ())
    assert seen("~/sfile/x") == ("nothing", ())
    assert seen("~/" + "x" * 5000) == ("nothing", ())
