"""What git says of real repositories, hostile ones among them: nothing of theirs may run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from opensessions.context import runner
from opensessions.context.git import AT_ONCE, Git
from opensessions.context.worktrees import Repository, locate
from tests.context.repositories import Repo
from tests.processes.conftest import until


def found(folder: Path) -> Repository:
    repository = locate(str(folder))
    assert repository is not None
    return repository


def dirty(git: Git, folder: Path) -> bool | None:
    return git.dirty(found(folder)).dirty


# --- what is dirty ------------------------------------------------------------------------------------------------


def test_a_commit_makes_a_tree_clean(git: Git, repo: Repo) -> None:
    assert dirty(git, repo.root) is False
    (repo.root / "deep" / "er" / "file").write_text("changed\n")
    assert dirty(git, repo.root / "deep") is True
    repo.git("add", "-A")
    assert dirty(git, repo.root) is True
    repo.commit()
    assert dirty(git, repo.root) is False


def test_what_is_untracked_counts_and_what_is_ignored_does_not(
    git: Git, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.root / ".git" / "info" / "exclude").write_text("*.private\n")
    (repo.root / "a.private").write_text("")
    folder = tmp_path / "home" / ".config" / "git"
    folder.mkdir(parents=True)
    (folder / "ignore").write_text("*.mine\n")
    (repo.root / "b.mine").write_text("")
    (tmp_path / "home" / "global").write_text("*.own\n")
    (tmp_path / "home" / ".gitconfig").write_text("[core]\n\texcludesFile = ~/global\n")
    (repo.root / "c.own").write_text("")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert dirty(git, repo.root) is True  # a list of one's own replaces the usual one
    (tmp_path / "home" / "global").write_text("*.own\n*.mine\n")
    assert dirty(git, repo.root) is False
    (repo.root / "d").write_text("")
    assert dirty(git, repo.root) is True
    repo.git("config", "status.showUntrackedFiles", "no")
    assert dirty(git, repo.root) is False


def test_every_kind_of_working_tree_is_read(git: Git, repo: Repo, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    repo.git("worktree", "add", "-q", "-b", "side", str(beside))
    outer = Repo(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo.root), "inner")
    outer.commit()
    separate = Repo(tmp_path / "separate", "--separate-git-dir", str(tmp_path / "elsewhere"))
    sha256 = Repo(tmp_path / "sha256", "--object-format=sha256")
    shared = Repo(tmp_path / "shared")
    shared.git("update-index", "--split-index")
    packed = Repo(tmp_path / "packed")
    packed.git("gc", "-q")
    packed.git("pack-refs", "--all")
    detached = Repo(tmp_path / "detached")
    detached.git("checkout", "-q", "--detach")
    trees = [
        beside,
        outer.root / "inner",
        outer.root,
        separate.root,
        sha256.root,
        shared.root,
        packed.root,
        detached.root,
    ]
    assert [dirty(git, tree) for tree in trees] == [False] * len(trees)
    for tree in trees:
        (tree / "file").write_text("changed\n")
    (outer.root / "file").write_text("one\n")
    assert dirty(git, outer.root) is False  # what is changed in a submodule is the submodule's
    trees.remove(outer.root)
    assert [dirty(git, tree) for tree in trees] == [True] * len(trees)
    assert dirty(git, repo.root) is False


def test_a_tree_without_a_commit_is_dirty_once_it_holds_anything(
    git: Git, repo: Repo, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    repo.git("init", "-q", str(new))
    assert dirty(git, new) is False
    (new / "file").write_text("")
    assert dirty(git, new) is True


def test_files_compare_as_the_user_wishes(git: Git, repo: Repo, tmp_path: Path) -> None:
    (repo.root / "file").chmod(0o755)
    assert dirty(git, repo.root) is True
    repo.git("config", "core.fileMode", "false")
    assert dirty(git, repo.root) is False
    (repo.root / "file").unlink()
    repo.git("-c", "core.autocrlf=true", "checkout", "-q", "file")
    assert (repo.root / "file").read_bytes() == b"one\r\n"
    os.utime(repo.root / "file", (1, 1))
    assert dirty(git, repo.root) is True
    (tmp_path / "home" / ".gitconfig").write_text("[core]\n\tautocrlf = true\n")
    assert dirty(git, repo.root) is False


def test_nothing_is_written(git: Git, repo: Repo, tmp_path: Path) -> None:
    os.utime(repo.root / "file", (1, 1))  # git would refresh its index
    (repo.root / ".git" / "index.lock").write_text("")  # another git is at work
    before = {path: path.lstat().st_mtime_ns for path in (repo.root / ".git").rglob("*")}
    assert dirty(git, repo.root) is False
    assert {path: path.lstat().st_mtime_ns for path in (repo.root / ".git").rglob("*")} == before
    assert list((tmp_path / "run" / "git").iterdir()) == []


# --- what is not known --------------------------------------------------------------------------------------------


def test_a_bare_repository_has_no_tree(git: Git, repo: Repo) -> None:
    repo.git("config", "core.bare", "true")
    assert dirty(git, repo.root) is None


def test_a_tree_elsewhere_is_not_looked_for(git: Git, repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "core.worktree", str(tmp_path))
    assert dirty(git, repo.root) is None
    repo.git("config", "core.worktree", "..")
    assert dirty(git, repo.root) is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")
@pytest.mark.parametrize("what", ["", ".git"])
def test_what_belongs_to_somebody_else_is_not_asked(git: Git, repo: Repo, what: str) -> None:
    os.chown(repo.root / what, 65534, 65534)
    assert dirty(git, repo.root) is None


@pytest.mark.parametrize("name", ["index", "config", "objects", "packed-refs"])
def test_a_damaged_repository_is_not_known(git: Git, repo: Repo, name: str) -> None:
    path = repo.root / ".git" / name
    if path.is_dir():
        for folder in path.iterdir():
            for file in folder.iterdir():
                file.unlink()
    else:
        path.write_bytes(b"\0nonsense\n[[")
    assert dirty(git, repo.root) is None


def test_a_reftable_is_not_known_to_an_old_git(git: Git, repo: Repo) -> None:
    """Or is what it says, to a new one."""
    made = repo.git(
        "init", "-q", "--ref-format=reftable", "-b", "tabled", str(repo.root / "new"), check=False
    )
    if (repo.root / "new").exists():
        assert git.branch(found(repo.root / "new")) == "tabled", made
    (repo.root / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.refStorage", "reftable")
    assert git.branch(found(repo.root)) is None
    assert dirty(git, repo.root) is None


def test_without_git_nothing_is_known(
    git: Git, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert dirty(git, repo.root) is None
    monkeypatch.setenv("PATH", "")
    assert dirty(git, repo.root) is None


# --- what must not run --------------------------------------------------------------------------------------------


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that must not run; it leaves `sprung` beside it."""
    path = tmp_path / "trap"
    path.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{tmp_path}/sprung'\n")
    path.chmod(0o755)
    return path


def arm_filter(repo: Repo, trap: Path) -> None:
    (repo.root / ".gitattributes").write_text("* filter=evil diff=evil merge=evil ident\n")
    repo.commit()
    for name in ("clean", "smudge", "process"):
        repo.git("config", f"filter.evil.{name}", str(trap))
    repo.git("config", "filter.evil.required", "true")
    for name in ("textconv", "command"):
        repo.git("config", f"diff.evil.{name}", str(trap))


def arm_strange_filter(repo: Repo, trap: Path) -> None:
    (repo.root / ".git" / "info" / "attributes").write_text("* filter=x=y\n")
    with (repo.root / ".git" / "config").open("a") as file:
        file.write(f'[filter "x=y"]\n\tclean = {trap}\n\tprocess = {trap}\n')


def arm_include(repo: Repo, trap: Path) -> None:
    more = repo.root / ".git" / "more"
    more.write_text(f'[core]\n\tfsmonitor = {trap}\n[filter "x"]\n\tclean = {trap}\n')
    repo.git("config", "include.path", "more")
    (repo.root / ".gitattributes").write_text("* filter=x\n")


def arm_monitor(repo: Repo, trap: Path) -> None:
    repo.git("config", "core.fsmonitor", str(trap))
    repo.git("config", "core.fsmonitorHookVersion", "2")


def arm_builtin_monitor(repo: Repo, trap: Path) -> None:
    repo.git("config", "core.fsmonitor", "true")
    repo.git("config", "core.useBuiltinFSMonitor", "true")


def arm_hooks(repo: Repo, trap: Path) -> None:
    folder = repo.root / ".git" / "hooks"
    folder.mkdir(exist_ok=True)
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "query-watchman"):
        (folder / name).symlink_to(trap)
    repo.git("config", "core.hooksPath", str(folder))


def arm_programs(repo: Repo, trap: Path) -> None:
    for name in (
        "alias.status", "alias.config", "core.pager", "pager.status", "core.editor", "core.askpass", "core.sshCommand",
        "core.gitProxy", "core.alternateRefsCommand", "credential.helper", "diff.external", "gpg.program",
        "uploadpack.packObjectsHook", "interactive.diffFilter", "trace2.eventTarget", "core.attributesFile",
    ):  # fmt: skip
        repo.git("config", name, f"!{trap}" if name.startswith(("alias", "credential")) else str(trap))
    repo.git("config", "pager.config", str(trap))


def arm_submodule(repo: Repo, trap: Path) -> None:
    inner = Repo(repo.root / "inner")
    arm_monitor(inner, trap)
    (repo.root / ".gitmodules").write_text(
        f'[submodule "inner"]\n\tpath = inner\n\turl = ./inner\n\tupdate = !{trap}\n'
    )
    repo.git("add", "inner", ".gitmodules")
    repo.git("config", "submodule.recurse", "true")
    repo.git("config", "submodule.inner.update", f"!{trap}")
    repo.git("config", "submodule.inner.active", "true")


def arm_promisor(repo: Repo, trap: Path) -> None:
    """What is missing would be fetched, by a program that the address names."""
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.partialClone", "origin")
    repo.git("config", "remote.origin.url", f"ext::{trap} %S")
    repo.git("config", "remote.origin.promisor", "true")
    repo.git("config", "remote.origin.uploadpack", str(trap))
    repo.git("config", "protocol.ext.allow", "always")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    (repo.root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()


ARMS: list[Callable[[Repo, Path], None]] = [
    arm_filter, arm_strange_filter, arm_include, arm_monitor, arm_builtin_monitor, arm_hooks, arm_programs,
    arm_submodule, arm_promisor,
]  # fmt: skip


@pytest.mark.parametrize("arm", ARMS)
def test_nothing_of_a_repository_runs(
    git: Git, repo: Repo, trap: Path, arm: Callable[[Repo, Path], None]
) -> None:
    arm(repo, trap)
    sprung = trap.with_name("sprung")
    sprung.unlink(missing_ok=True)  # arming may have run git
    os.utime(repo.root / "file", (1, 1))  # git has to compare its contents
    dirty(git, repo.root)
    (repo.root / "file").write_text("changed\n")
    expected = None if arm is arm_promisor else True
    assert dirty(git, repo.root) is expected
    assert not sprung.exists(), sprung.read_text()
    assert not list((repo.root / ".git").glob("fsmonitor--daemon*"))


@pytest.mark.parametrize("arm", [arm_filter, arm_strange_filter, arm_include, arm_monitor, arm_promisor])
def test_the_traps_work(repo: Repo, trap: Path, arm: Callable[[Repo, Path], None]) -> None:
    arm(repo, trap)
    trap.with_name("sprung").unlink(missing_ok=True)
    (repo.root / "file").write_text("changed\n")
    os.utime(repo.root / "file", (1, 1))
    repo.git("status", check=False)
    assert trap.with_name("sprung").exists()


def test_variables_that_steer_git_do_not_count(
    git: Git, repo: Repo, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere", "GIT_WORK_TREE": "/", "GIT_OBJECT_DIRECTORY": "/nowhere",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": str(trap),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={trap}'", "GIT_EXEC_PATH": str(tmp_path),
        "GIT_EXTERNAL_DIFF": str(trap), "GIT_TRACE": str(tmp_path / "trace"), "GIT_CONFIG_GLOBAL": "/nowhere",
        "GIT_NAMESPACE": "x", "GIT_ATTR_SOURCE": "HEAD", "GIT_CEILING_DIRECTORIES": "/", "LD_PRELOAD": "/nowhere",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert dirty(git, repo.root) is False
    (repo.root / "file").write_text("changed\n")
    assert dirty(git, repo.root) is True
    assert not trap.with_name("sprung").exists()
    assert not (tmp_path / "trace").exists()


def test_a_git_beside_the_files_is_not_taken_for_git(
    git: Git, repo: Repo, trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.root / "git").symlink_to(trap)
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("PATH", f".::{os.environ['PATH']}")
    assert dirty(git, repo.root) is True
    assert not trap.with_name("sprung").exists()


# --- how long it may take -----------------------------------------------------------------------------------------


@pytest.fixture
def slow_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that does not end; it writes a line with its pid, its niceness and its words for each time."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "git"
    log = tmp_path / "log"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *--list*) exit 0;; esac\necho "$$ $*" >> "{log}"\n'
        f'while [ ! -e "{tmp_path}/go" ]; do sleep 0.01; done\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return log


def is_gone(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}")


def test_a_git_that_takes_too_long_is_ended(
    git: Git, repo: Repo, slow_git: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, read = runner.Runner.run, runner._read

    def hurried(self: runner.Runner, words: Sequence[str], *rest: Any) -> bytes | None:
        """Reading the configuration has all the time."""
        monkeypatch.setattr(runner, "TIME", 60.0 if "--list" in words else 0.3)
        return run(self, words, *rest)

    def from_its_line_on(process: Any, enough: int, ends: float) -> tuple[bytes, bool]:
        """What the program takes to begin does not count."""
        began = time.monotonic()
        if "--list" not in process.args:
            until(lambda: slow_git.exists() and slow_git.read_text().endswith("\n"))
        return read(process, enough, ends + time.monotonic() - began)

    monkeypatch.setattr(runner.Runner, "run", hurried)
    monkeypatch.setattr(runner, "_read", from_its_line_on)
    answer = git.dirty(found(repo.root))
    assert answer.dirty is None
    assert answer.took >= 0.3
    (line,) = slow_git.read_text().splitlines()
    assert is_gone(int(line.split()[0]))
    assert "core.fsmonitor=false" in line
    assert "--no-optional-locks" in line


def test_few_run_at_a_time_and_nicely(git: Git, repo: Repo, slow_git: Path, tmp_path: Path) -> None:
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(git.dirty(found(repo.root)).dirty)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    most = 0
    try:
        until(lambda: slow_git.exists() and len(slow_git.read_text().splitlines()) >= AT_ONCE)
        pids = [int(line.split()[0]) for line in slow_git.read_text().splitlines()]
        most = len(pids)
        nicest = min(19, os.getpriority(os.PRIO_PROCESS, 0) + runner.NICE)
        until(lambda: all(os.getpriority(os.PRIO_PROCESS, pid) == nicest for pid in pids))
    finally:
        (tmp_path / "go").touch()
        for thread in threads:
            thread.join(20)
    assert most == AT_ONCE
    assert answers == [False] * 5


def test_closing_ends_what_runs(git: Git, repo: Repo, slow_git: Path) -> None:
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(git.dirty(found(repo.root)).dirty))
    thread.start()
    until(lambda: slow_git.exists() and slow_git.read_text().endswith("\n"))
    git.close()
    thread.join(20)
    assert answers == [None]
    assert is_gone(int(slow_git.read_text().split()[0]))
    assert git.dirty(found(repo.root)).dirty is None
