"""The detail's clockwork: what is found out for whom, that nothing is for nobody, and what is remembered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opensessions.config import Config
from opensessions.errors import MuxError
from opensessions.events import AgentsSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Agent, AgentState, Client, Inventory, Link, Pane, Session, Window
from opensessions.processes.source import this_system
from opensessions.processes.usage import Use
from opensessions.provider import Command
from opensessions.server import detail, previews, trees
from opensessions.server.appearance import Appearance
from opensessions.server.bus import Bus
from opensessions.server.detail import Details, rounded
from opensessions.server.previews import KEPT, WIDEST, Previews, last_lines
from opensessions.server.sidebar import Sidebar
from opensessions.server.sidebars import Sidebars
from opensessions.server.store import DetailWish, Store
from opensessions.server.trees import Trees
from opensessions.sidebar.facts import Takes
from opensessions.sidebar.frame import Wants
from opensessions.sidebar.view import ViewOptions

MUX = "tmux-" + "0" * 16
PATIENCE = 20.0


class Room:
    """A sidebar, pane %9 of the session `main`, at which a client looks; an agent, this process, in %1 of `api`."""

    def __init__(self, folder: Path, configured: DetailWish) -> None:
        self.bus = Bus("i")
        self.tasks: set[asyncio.Task[None]] = set()
        self.asked: list[tuple[str, ...]] = []
        self.shown: dict[str, tuple[str, ...]] = {"%1": ("hello", "there")}
        self.fault: MuxError | None = None
        provider = SimpleNamespace(do=self._do, refresh=lambda: None, screens=self._screens)
        muxes: Any = SimpleNamespace(
            muxes={MUX: None}, key_of=lambda socket: MUX, get=lambda key: SimpleNamespace(provider=provider)
        )
        self.store = Store(str(folder))
        self.previews = Previews(self.bus, muxes)
        self.details = Details(self.bus, self.previews, self.store, configured, self.spawn)
        found = SimpleNamespace(found=SimpleNamespace(pid=os.getpid(), below=()))
        tracker: Any = SimpleNamespace(get={"a": found}.get)
        self.trees = Trees(self.bus, this_system(), tracker, str(folder))
        self.wanted: list[frozenset[str]] = []
        want = self.trees.want
        self.trees.want = lambda agents: (self.wanted.append(frozenset(agents)), want(agents))[1]  # type: ignore[method-assign]
        self.details.measured_by(self.trees)
        self.all = Sidebars(
            self.bus, muxes, Appearance(Config(), str(folder)), self.details, ViewOptions(), self.spawn
        )
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        self.look()
        self.agent("idle")
        self.sidebar = self.attach("%9")

    def attach(self, pane: str) -> Sidebar:
        transport: Any = SimpleNamespace(write=lambda data: None)
        return self.all.attach({"socket": "/s", "pane": pane, "cols": "26", "rows": "40"}, transport)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _do(self, command: Command) -> str:
        return ""

    async def _screens(self, panes: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        self.asked.append(tuple(panes))
        if self.fault:
            raise self.fault
        return {pane: self.shown[pane] for pane in panes if pane in self.shown}

    def look(self, session: str = "$1") -> None:
        """The client shows this session."""
        windows = {
            "@1": Window("@1", panes=(Pane("%8", "@1", 5), Pane("%9", "@1", 6, True, mark="0" * 32))),
            "@2": Window("@2", panes=(Pane("%1", "@2", os.getpid(), True, path="/srv/api"),)),
        }
        sessions = (
            Session("$1", "main", links=(Link("@1", 0, True),)),
            Session("$2", "api", links=(Link("@2", 0, True),)),
        )
        clients = (Client("/dev/pts/1", session),) if session else ()
        self.bus.dispatch(InventoryRead(MUX, Inventory(1, 1, "3.3a", sessions, windows, clients)))

    def agent(self, state: AgentState) -> None:
        agent = Agent("a", "codex", "%1", os.getpid(), state, prompt="write a poem")
        self.bus.dispatch(AgentsSeen(MUX, {"%1": (agent,)}))

    def type(self, keys: str) -> None:
        self.all.typed(self.sidebar, keys.encode())

    @property
    def text(self) -> str:
        assert self.sidebar.frame
        return self.sidebar.frame.text()

    async def saved(self) -> DetailWish:
        """What a server that starts now would find, once everything was written."""
        while self.tasks:
            await asyncio.wait(self.tasks)
        return self.store.detail(MUX, DetailWish())


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not what():
            await asyncio.sleep(0.005)


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setattr(previews, "SETTLE", 0.0)
    monkeypatch.setattr(previews, "SHORTEST", 0.02)
    monkeypatch.setattr(trees, "RHYTHM", 0.05)
    monkeypatch.setattr(trees, "GAP", 0.02)
    made = Room(tmp_path, DetailWish())
    running = [asyncio.create_task(made.previews.run()), asyncio.create_task(made.trees.run())]
    yield made
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    made.details.close()
    made.sidebar.quiet()


# --- what is shown --------------------------------------------------------------------------------------------


async def test_what_is_known_is_there_at_once_and_the_rest_fills_in(room: Room) -> None:
    room.type("i")
    assert "─ main ──" in room.text
    room.type("j")
    assert "─ api ───" in room.text
    assert "write a poem" in room.text
    assert "mem …" in room.text
    before = room.text.split("\n")
    await until(lambda: "hello" in room.text and "there" in room.text)
    await until(
        lambda: "mem …" not in room.text and "M" in next(x for x in room.text.split("\n") if "mem" in x)
    )
    after = room.text.split("\n")
    same = [place for place, line in enumerate(before) if after[place] == line]
    assert len(before) == len(after)
    assert {
        "mem" in before[place] or not before[place].strip() for place in range(40) if place not in same
    } == {True}


async def test_a_preview_follows_the_screen(room: Room) -> None:
    room.type("ij")
    await until(lambda: "hello" in room.text)
    room.shown["%1"] = ("hello", "there", "world", "", "")
    await until(lambda: "world" in room.text)
    assert set(room.asked) == {("%1",)}


async def test_what_a_screen_showed_stays_while_nothing_is_said_of_it(room: Room) -> None:
    room.type("ij")
    await until(lambda: "hello" in room.text)
    room.shown.clear()
    asked = len(room.asked)
    await until(lambda: len(room.asked) >= asked + 2)
    assert room.previews.screens(MUX) == {"%1": ("hello", "there")}
    room.shown["%1"] = ("world",)
    await until(lambda: "world" in room.text)


async def test_a_change_of_state_is_a_reason_to_read_it(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "SHORTEST", 1000.0)
    monkeypatch.setattr(previews, "LONGEST", 1000.0)
    room.type("ij")
    await until(lambda: "hello" in room.text)
    room.shown["%1"] = ("approve?",)
    room.bus.dispatch(AgentsSeen(MUX, {"%1": (Agent("a", "codex", "%1", os.getpid(), "idle", title="t"),)}))
    assert room.previews._seen[MUX, "%1"].due > asyncio.get_running_loop().time() + 100
    room.agent("waiting")
    await until(lambda: "approve?" in room.text)
    assert len(room.asked) == 2


async def test_what_cannot_be_read_is_tried_again_later_and_the_old_stays(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.type("ij")
    await until(lambda: "hello" in room.text)
    monkeypatch.setattr(previews, "LONGEST", 0.05)
    room.fault = MuxError("no answer")
    count = len(room.asked)
    await until(lambda: len(room.asked) > count + 1)
    assert "hello" in room.text
    room.fault = None
    room.shown["%1"] = ("again",)
    await until(lambda: "again" in room.text)


async def test_an_empty_screen_is_said_to_be_one(room: Room) -> None:
    room.shown["%1"] = ()
    room.type("ij")
    await until(lambda: "its screen is empty" in room.text)


# --- nothing for nobody -----------------------------------------------------------------------------------------


def nothing(room: Room) -> bool:
    """Is nothing found out, and is nothing going to wake anybody?"""
    return not room.previews._seen and not room.trees._wanted and room.details._minute is None


async def test_without_a_detail_nothing_runs(room: Room) -> None:
    room.type("jkjk")
    room.agent("running")
    assert nothing(room)
    assert room.asked == room.wanted == []


async def test_closing_it_ends_everything(room: Room) -> None:
    room.type("ij")
    await until(lambda: "hello" in room.text)
    assert not nothing(room)
    room.type("i")
    assert nothing(room)
    assert "─ api" not in room.text


@pytest.mark.parametrize("elsewhere", ["$2", ""])
async def test_a_sidebar_that_nobody_sees_finds_nothing_out(room: Room, elsewhere: str) -> None:
    room.type("ij")
    await until(lambda: "hello" in room.text)
    room.look(elsewhere)
    assert nothing(room)
    assert room.wanted[-1] == frozenset()
    count = len(room.asked)
    room.agent("waiting")
    room.agent("running")
    assert nothing(room)
    room.look()
    room.type("j")
    assert not nothing(room)
    await until(lambda: len(room.asked) > count)


async def test_a_sidebar_that_leaves_takes_its_wishes_along(room: Room) -> None:
    room.type("ij")
    assert not nothing(room)
    room.all.detach(room.sidebar)
    assert nothing(room)


async def test_help_hides_it_and_stops_it(room: Room) -> None:
    room.type("ij")
    room.type("?")
    assert nothing(room)
    room.type("?")
    assert not nothing(room)


async def test_two_pictures_of_one_pane_are_read_once(room: Room) -> None:
    wants = Wants("%1", ("a",), True)
    room.details.follow([(MUX, wants), (MUX, wants)])
    assert list(room.previews._seen) == [(MUX, "%1")]
    room.details.follow([(MUX, wants)])
    assert room.wanted == [frozenset("a")]
    room.details.follow([])
    assert nothing(room)


async def test_what_stands_beside_the_sidebar_is_not_read(room: Room) -> None:
    room.type("i")
    assert room.sidebar.wants.pane == ""
    assert not room.previews._seen


async def test_ages_are_told_anew_each_minute_and_only_while_there_are_any(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detail, "MINUTE", 0.02)
    told: list[None] = []
    room.details.on_news = lambda: told.append(None)
    room.details.follow([(MUX, Wants(ages=True))])
    await until(lambda: len(told) > 2)
    room.details.follow([(MUX, Wants())])
    assert nothing(room)


# --- what is remembered -----------------------------------------------------------------------------------------


async def test_it_is_remembered_that_it_shows_and_how_high(room: Room) -> None:
    room.type("i")
    assert await room.saved() == DetailWish(True, 10)
    room.type("+++-")
    assert await room.saved() == DetailWish(True, 12)
    room.type("i")
    assert await room.saved() == DetailWish(False, 12)


async def test_a_drag_is_remembered_when_it_ends(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "SAVE_LATER", 1000.0)
    room.type("i")
    await room.saved()
    lines = room.text.split("\n")
    border = next(place for place, line in enumerate(lines) if line.startswith("─ "))
    room.type(f"\x1b[<0;4;{border + 1}M\x1b[<32;4;{border - 4}M")
    assert room.details.wish(MUX) == DetailWish(True, 15)
    assert (await room.saved()).height == 10
    assert room.text.split("\n")[border - 5].startswith("─ ")
    room.type(f"\x1b[<0;4;{border - 5}m")
    assert await room.saved() == DetailWish(True, 16)


async def test_a_drag_whose_end_nobody_tells_is_remembered_too(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detail, "SAVE_LATER", 0.05)
    room.type("i")
    lines = room.text.split("\n")
    border = next(place for place, line in enumerate(lines) if line.startswith("─ "))
    room.type(f"\x1b[<0;4;{border + 1}M\x1b[<32;4;{border - 1}M\x1b[<32;4;{border - 4}M")
    await until(lambda: room.store.detail(MUX, DetailWish()).height == 15)


async def test_every_sidebar_shows_it(room: Room) -> None:
    other = room.attach("%9")
    room.type("i")
    assert other.frame
    assert "─ main ──" in other.frame.text()
    other.quiet()


async def test_what_was_not_saved_yet_is_when_the_server_stops(tmp_path: Path) -> None:
    dropped: list[Coroutine[Any, Any, None]] = []
    store = Store(str(tmp_path))
    muxes: Any = SimpleNamespace(muxes={})
    bus = Bus("i")
    made = Details(bus, Previews(bus, muxes), store, DetailWish(), dropped.append)
    made.show(MUX, True)
    made.size(MUX, 1000, keep=True)
    assert store.detail(MUX, DetailWish()) == DetailWish()
    made.close()
    assert store.detail(MUX, DetailWish()) == DetailWish(True, 60)
    for work in dropped:
        work.close()


async def test_who_edits_the_configuration_later_wants_it_to_count(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.save_detail(MUX, DetailWish(True, 20), DetailWish(False, 10))
    assert store.detail(MUX, DetailWish(False, 10)) == DetailWish(True, 20)
    assert store.detail(MUX, DetailWish(False, 14)) == DetailWish(True, 14)
    assert store.detail(MUX, DetailWish(True, 10)) == DetailWish(True, 20)


async def test_a_state_directory_that_takes_nothing_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room = Room(tmp_path / "state", DetailWish())
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "mux").write_text("no folder")
    room.type("i")
    assert await room.saved() == DetailWish()
    assert "was not saved" in caplog.text
    assert "─ main ──" in room.text
    room.details.close()


# --- small things -----------------------------------------------------------------------------------------------


def test_pauses_grow_while_nothing_moves() -> None:
    seen = previews._Seen(0.0)
    assert seen.saw(("a",), 10.0)
    assert seen.due == 10.0 + previews.SHORTEST
    assert previews.SHORTEST >= 1
    pauses = []
    for _ in range(10):
        assert not seen.saw(("a",), 20.0)
        pauses.append(seen.pause)
    assert pauses == sorted(pauses)
    assert pauses[-1] == previews.LONGEST
    assert seen.saw(("b",), 30.0)
    assert seen.pause == previews.SHORTEST


def test_what_is_kept_of_a_screen_is_bounded() -> None:
    assert last_lines(["", "a  ", "", " ", "b", "", "  "]) == ("a", "", "b")
    assert last_lines([]) == last_lines(["", " "]) == ()
    assert last_lines(["a"]) == last_lines(["a", ""]) == ("a",)
    for end in ([], ["", ""]):
        kept = last_lines(["x" * 5000] * 500 + end)
        assert (len(kept), len(kept[0]), len(kept[-1])) == (KEPT, WIDEST, WIDEST)


def test_use_is_rounded_to_what_is_worth_repainting() -> None:
    def takes(cpu: float | None, mebibytes: float | None) -> Takes:
        return rounded(Use(cpu, None if mebibytes is None else int(mebibytes * (1 << 20))))

    assert takes(None, None) == Takes()
    assert takes(3.4, 57.9) == Takes(3, 57)
    assert takes(0.0, 314) == Takes(0, 310)
    assert takes(250.0, 1433) == Takes(250, 1450)


def test_a_file_that_cannot_be_understood_is_put_aside(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.save_detail(MUX, DetailWish(True, 20), DetailWish())
    file = tmp_path / "mux" / MUX / "detail.json"
    for content in ("{", '{"version":1,"value":{"shown":true,"height":0}}', '{"version":2}'):
        file.write_text(content)
        assert store.detail(MUX, DetailWish(False, 12)) == DetailWish(False, 12)
        assert not file.exists()
    assert len(list(file.parent.glob("detail.json.corrupt-*"))) == 3
