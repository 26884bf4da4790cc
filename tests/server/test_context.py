"""The clockwork around directories and ports: who looks, what has changed, and that nothing runs without a reason."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from opensessions.context.git import Answer, Git
from opensessions.context.worktrees import Repository
from opensessions.events import AgentsSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import (
    Agent,
    AgentState,
    Client,
    Context,
    Inventory,
    Link,
    Pane,
    Process,
    Row,
    Session,
    Window,
)
from opensessions.server import context as module
from opensessions.server.bus import Bus
from opensessions.server.context import ContextWatch
from opensessions.server.kept import LONGEST, PAUSE, SHARE, Tree
from opensessions.server.ports import PortWatch, by_session
from tests.context.repositories import Repo

MUX = "m"


class Counting(Git):
    """The real one; `asked` tells what it was asked about."""

    def __init__(self, folder: str, home: str) -> None:
        super().__init__(folder, home)
        self.asked: list[str] = []
        self.says: Callable[[Repository], Answer] = super().dirty

    def dirty(self, repository: Repository) -> Answer:
        self.asked.append(repository.root)
        return self.says(repository)


def inventory(dirs: Mapping[str, Path | str], client: str = "", started: int = 1) -> Inventory:
    """Sessions `$1`, `$2` …, one pane each (`%1`, pid 101), in these folders; `client` is the session that is shown."""
    numbers = {id: id[1:] for id in dirs}
    return Inventory(
        1, started, "3.3a",
        tuple(Session(id, f"s{n}", links=(Link(f"@{n}", 0, True),)) for id, n in numbers.items()),
        {f"@{n}": Window(f"@{n}", panes=(Pane(f"%{n}", f"@{n}", 100 + int(n), active=True, path=str(dirs[id])),))
         for id, n in numbers.items()},
        (Client("/dev/pts/1", client),) if client else (),
    )  # fmt: skip


class Room:
    """One multiplexer whose sessions the test moves about."""

    def __init__(self, folder: Path) -> None:
        (folder / "run").mkdir(mode=0o700)
        (folder / "home").mkdir()
        self.bus = Bus("i")
        self.git = Counting(str(folder / "run" / "git"), str(folder / "home"))
        self.processes: dict[int, Process] = {}
        self.watch = ContextWatch(self.bus, self.git, lambda: self.processes)
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))

    def read(self, dirs: Mapping[str, Path | str], client: str = "$1", started: int = 1) -> None:
        self.bus.dispatch(InventoryRead(MUX, inventory(dirs, client, started)))

    def agent(self, pane: str, state: AgentState) -> None:
        agent = Agent(f"{pane}.1", "x", pane, 1, state)
        self.bus.dispatch(AgentsSeen(MUX, {pane: (agent,)}, 1.0))

    def run(self, *processes: tuple[int, int]) -> None:
        """From now on these (pid, parent) run."""
        self.processes = {pid: Process(pid, parent, 0) for pid, parent in processes}
        self.watch.stirred()

    def row(self, id: str = "$1") -> Row:
        view = self.bus.view(MUX)
        found = view.row(id) if view else None
        assert found is not None
        return found

    def shows(self, branch: str | None, dirty: bool | None, id: str = "$1") -> Callable[[], bool]:
        return lambda: (self.row(id).branch, self.row(id).dirty) == (branch, dirty)

    def watched(self) -> set[str]:
        return set(self.watch._watch._wanted) if self.watch._watch else set()


async def until(what: Callable[[], object], patience: float = 20.0) -> None:
    deadline = time.monotonic() + patience
    while not what():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def rests(room: Room) -> bool:
    """Is nothing under way, and nothing wanted before something happens?"""
    watch, now = room.watch, asyncio.get_running_loop().time()
    return not (
        watch._woken.is_set()
        or watch._gits
        or any(place.busy for place in watch._places.values())
        or any(tree.busy or (tree.due is not None and tree.due <= now) for tree in watch._trees.values())
    )


async def rounds(room: Room, count: int = 4) -> None:
    """So long that anything that is to happen at once has happened, and what was read of that is there."""
    await asyncio.sleep(count * module.GAP)
    calm = 0
    async with asyncio.timeout(20):
        while calm < 3:
            calm = calm + 1 if rests(room) else 0
            await asyncio.sleep(0.005)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses, and all the time that git may need on a busy machine."""
    monkeypatch.setattr("opensessions.context.runner.TIME", 60.0)
    monkeypatch.setattr(module, "SOON", 0.0)
    monkeypatch.setattr(module, "LATER", 0.0)
    monkeypatch.setattr("opensessions.server.kept.SHARE", 0.0)


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    at_once(monkeypatch)
    made = Room(tmp_path)
    task = asyncio.create_task(made.watch.run())
    try:
        yield made
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# --- what is shown ------------------------------------------------------------------------------------------------


async def test_branch_and_dirty_follow_the_repository(room: Room, repo: Repo) -> None:
    room.read({"$1": repo.root})
    await until(room.shows("main", False))
    repo.git("checkout", "-q", "-b", "side")
    await until(room.shows("side", False))
    (repo.root / "file").write_text("changed\n")
    await until(room.shows("side", True))
    repo.commit()
    await until(room.shows("side", False))
    assert room.row().worktree is None


async def test_a_change_deep_inside_is_seen_in_the_folder_that_the_session_is_in(
    room: Room, repo: Repo
) -> None:
    room.read({"$1": repo.root / "deep" / "er"})
    await until(room.shows("main", False))
    (repo.root / "deep" / "er" / "file").write_text("changed\n")
    await until(room.shows("main", True))


async def test_working_trees_of_one_repository_form_a_group(room: Room, repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "beside"))
    room.read({"$1": repo.root, "$2": tmp_path / "beside", "$3": tmp_path})
    await until(room.shows("side", False, "$2"))
    await until(room.shows("main", False))
    assert [room.row(id).worktree for id in ("$1", "$2", "$3")] == [None, "beside", None]
    contexts = room.bus.state.muxes[MUX].contexts
    assert contexts["$1"].group == contexts["$2"].group == f"{repo.root}/.git"
    assert contexts["$3"] == Context()


async def test_sessions_in_one_tree_share_its_readings(room: Room, repo: Repo) -> None:
    room.read({"$1": repo.root, "$2": repo.root / "deep", "$3": repo.root})
    for id in ("$1", "$2", "$3"):
        await until(room.shows("main", False, id))
    assert room.git.asked == [str(repo.root)]


async def test_a_session_that_goes_elsewhere_shows_what_is_there(
    room: Room, repo: Repo, tmp_path: Path
) -> None:
    room.read({"$1": repo.root})
    await until(room.shows("main", False))
    room.read({"$1": tmp_path})
    await until(room.shows(None, None))
    assert not any(path.startswith(str(repo.root)) for path in room.watched())
    room.read({"$1": repo.root}, started=2)  # another server stands in its place
    assert room.row().branch is None
    await until(room.shows("main", False))


async def test_a_repository_that_comes_or_goes_is_noticed(room: Room, repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    room.read({"$1": folder})
    await until(lambda: f"{folder}/.git" in room.watched())
    repo.git("init", "-q", "-b", "fresh", str(folder))
    await until(room.shows("fresh", False))
    shutil.rmtree(folder / ".git")
    await until(room.shows(None, None))


# --- when it is read ----------------------------------------------------------------------------------------------


async def test_while_nobody_looks_nothing_runs(room: Room, repo: Repo) -> None:
    room.read({"$1": repo.root}, client="")
    room.agent("%1", "running")
    room.agent("%1", "done")
    room.run((101, 1))
    await rounds(room)
    assert (room.git.asked, room.watched(), room.row().branch) == ([], set(), None)
    room.read({"$1": repo.root})
    await until(room.shows("main", False))
    assert room.watched()
    room.read({"$1": repo.root}, client="")
    await until(lambda: not room.watched())
    await rounds(room)
    asked = len(room.git.asked)
    repo.git("checkout", "-q", "-b", "side")
    (repo.root / "file").write_text("changed\n")
    room.agent("%1", "running")
    room.agent("%1", "done")
    room.run((101, 1), (102, 101))
    await rounds(room)
    assert len(room.git.asked) == asked
    assert room.watch._timer is None
    assert room.shows("main", False)()  # as it was when somebody looked
    room.read({"$1": repo.root})
    await until(room.shows("side", True))


async def test_while_nothing_happens_nothing_runs(room: Room, repo: Repo) -> None:
    room.read({"$1": repo.root, "$2": repo.root.parent})
    room.run((101, 1), (102, 1))
    await until(room.shows("main", False))
    await rounds(room)
    asked = len(room.git.asked)
    ran: list[int] = []
    real = room.watch._round
    room.watch._round = lambda: (ran.append(1), real())[1]  # type: ignore[method-assign]
    await rounds(room, 20)
    assert (len(room.git.asked), ran, room.watch._timer) == (asked, [], None)


@pytest.mark.parametrize("why", ["turn", "tool", "command", "client"])
async def test_a_change_deep_inside_is_looked_for_when_something_has_happened(
    room: Room, repo: Repo, why: str
) -> None:
    room.read({"$1": repo.root, "$2": repo.root.parent}, client="$2")
    room.agent("%1", "tool-running")
    room.run((101, 1), (102, 1), (103, 101))
    await until(room.shows("main", False))
    await rounds(room)
    (repo.root / "deep" / "er" / "file").write_text("changed\n")
    await rounds(room)
    assert room.row().dirty is False
    if why == "turn":
        room.agent("%1", "done")
    elif why == "tool":
        room.agent("%1", "running")
    elif why == "command":
        room.run((101, 1), (102, 1))
    else:
        room.read({"$1": repo.root, "$2": repo.root.parent}, client="$1")
    await until(room.shows("main", True))


async def test_what_happens_in_another_session_is_no_reason(room: Room, repo: Repo) -> None:
    room.read({"$1": repo.root, "$2": repo.root.parent})
    room.run((101, 1), (102, 1))
    await until(room.shows("main", False))
    await rounds(room)
    asked = len(room.git.asked)
    room.agent("%2", "running")
    room.agent("%2", "done")
    room.run((101, 1), (102, 1), (103, 102))
    await rounds(room)
    assert len(room.git.asked) == asked


async def test_a_program_that_writes_all_the_time_wakes_nobody_all_the_time(
    room: Room, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SOON", 1000.0)
    room.read({"$1": repo.root})
    await until(room.shows("main", False))
    assert str(repo.root) in room.watched()
    rang: list[str] = []
    real = room.watch._rang
    room.watch._watch._on_change = lambda token: (rang.append(token), real(token))[1]  # type: ignore[union-attr]
    (repo.root / "log").write_text("0")
    await until(lambda: rang)
    for n in range(20):
        (repo.root / "log").write_text(str(n))
        await asyncio.sleep(0.005)
    assert str(repo.root) not in room.watched()
    assert len(room.git.asked) == 1
    assert len(rang) < 5


async def test_a_git_that_hangs_holds_nobody_up(room: Room, repo: Repo, tmp_path: Path) -> None:
    others = [Repo(tmp_path / f"other{n}") for n in range(2)]
    free = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(repository: Repository) -> Answer:
        if repository.root == str(repo.root):
            asyncio.run_coroutine_threadsafe(free.wait(), loop).result(20)
            return Answer(None, 2.0)
        return Git.dirty(room.git, repository)

    room.git.says = hang
    room.read({"$1": repo.root, "$2": others[0].root, "$3": others[1].root})
    try:
        for id in ("$2", "$3"):
            await until(room.shows("main", False, id))
        await until(room.shows("main", None))
    finally:
        free.set()
    await rounds(room)
    assert room.shows("main", None)()


async def test_it_goes_on_after_a_failure(
    tmp_path: Path, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    room = Room(tmp_path)
    room.read({"$1": repo.root})
    first = asyncio.create_task(room.watch.run())
    await until(room.shows("main", False))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    (repo.root / "file").write_text("changed\n")
    second = asyncio.create_task(room.watch.run())
    await until(room.shows("main", True))
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second


# --- one tree -----------------------------------------------------------------------------------------------------


def tree() -> Tree:
    return Tree(Repository("/r", "/r/.git", "/r/.git"))


def test_a_tree_that_takes_long_is_read_seldom() -> None:
    one = tree()
    one.want(10.0, 2.0)
    assert one.due == 10.0
    one.due = None
    one.answered(Answer(True, 0.01), 11.0)
    one.want(11.1, 2.0)
    assert one.due == 13.0
    one.due = None
    one.answered(Answer(False, 1.0), 20.0)
    one.want(20.1, 2.0)
    assert one.due == 20.0 + SHARE


def test_a_tree_that_gives_no_answer_is_asked_again_less_and_less_often() -> None:
    one = tree()
    gaps = []
    for _ in range(10):
        one.answered(Answer(None, 0.0), 100.0)
        assert one.due is not None
        gaps.append(one.due - 100.0)
        one.due = None
        one.want(100.0, 2.0)
        assert one.due == 100.0 + gaps[-1]
        one.due = None
    assert gaps[:3] == [PAUSE, 2 * PAUSE, 4 * PAUSE]
    assert gaps[-1] == LONGEST
    one.answered(Answer(False, 0.0), 200.0)
    assert one.due is None
    one.want(200.0, 2.0)
    assert one.due == 202.0


def test_what_is_wanted_while_git_is_asked_comes_after_it() -> None:
    one = tree()
    one.want(10.0, 2.0)
    one.due = None
    one.want(10.5, 2.0)
    one.answered(Answer(False, 1.0), 11.0)
    assert one.due == 11.0 + SHARE


# --- ports --------------------------------------------------------------------------------------------------------


class Listening:
    """Says what the test says; `looks` counts."""

    def __init__(self) -> None:
        self.looks = 0
        self.says: dict[int, frozenset[int]] = {}

    def look(self, processes: Mapping[int, Process]) -> Mapping[int, frozenset[int]]:
        self.looks += 1
        return self.says


async def test_ports_are_looked_for_while_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opensessions.server.ports.SHARE", 0.0)
    bus, listening = Bus("i"), Listening()
    processes = {pid: Process(pid, parent, 0) for pid, parent in ((101, 1), (105, 101), (102, 1), (9, 1))}
    watch = PortWatch(bus, listening, lambda: processes, rhythm=0.02)
    task = asyncio.create_task(watch.run())
    bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
    bus.dispatch(InventoryRead(MUX, inventory({"$1": "/", "$2": "/"})))
    await asyncio.sleep(0.2)
    assert listening.looks == 0
    listening.says = {105: frozenset({3000, 80}), 101: frozenset({8080}), 9: frozenset({22})}
    bus.dispatch(InventoryRead(MUX, inventory({"$1": "/", "$2": "/"}, "$2")))

    def ports() -> list[tuple[int, ...]]:
        view = bus.view(MUX)
        return [row.ports for row in view.sessions] if view else []

    await until(lambda: ports() == [(80, 3000, 8080), ()])
    looks = listening.looks
    await until(lambda: listening.looks > looks + 3)
    listening.says = {}
    await until(lambda: ports() == [(), ()])
    bus.dispatch(InventoryRead(MUX, inventory({"$1": "/", "$2": "/"})))
    await until(lambda: not watch._wanted.is_set())
    looks = listening.looks
    await asyncio.sleep(0.2)
    assert listening.looks == looks
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_window_in_two_sessions_brings_its_ports_into_both() -> None:
    held = inventory({"$1": "/", "$2": "/"})
    both = Inventory(
        1, 1, "3.3a",
        (held.sessions[0], Session("$2", "s2", links=(*held.sessions[1].links, Link("@1", 1)))), held.windows,
    )  # fmt: skip
    panes = {"%1": 101, "%2": 102}
    assert by_session(both, panes, {101: {80}, 102: {22}}) == {"$1": (80,), "$2": (22, 80)}
    assert by_session(both, panes, {}) == {}
