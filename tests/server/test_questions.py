"""A question in a connected sidebar: when it counts as read, when it lapses, and what a yes sets going."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.attend import Nap
from opensessions.config import Config
from opensessions.events import (
    AgentHibernated,
    AgentsSeen,
    InventoryRead,
    MuxJoined,
    OrphansCounted,
    SavedArrangement,
)
from opensessions.model import Agent, Client, Inventory, Link, Pane, Session, Window
from opensessions.provider import Command, ShowMessage
from opensessions.server import moments
from opensessions.server.appearance import Appearance
from opensessions.server.bus import Bus
from opensessions.server.detail import Details
from opensessions.server.previews import Previews
from opensessions.server.sidebar import Sidebar
from opensessions.server.sidebars import Sidebars
from opensessions.server.store import DetailWish, Store
from opensessions.sidebar.view import ViewOptions

MUX = "tmux-" + "0" * 16


class Room:
    """One sidebar, pane %9 in the session `api`, in which the agent in %1 runs too."""

    def __init__(self, folder: Path) -> None:
        self.bus = Bus("i")
        self.told: list[Command] = []
        self.asked: list[dict[str, str]] = []
        self.answers: dict[str, Any] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        provider = SimpleNamespace(do=self._do, refresh=lambda: None)
        muxes = SimpleNamespace(
            muxes={MUX: None}, key_of=lambda socket: MUX, get=lambda key: SimpleNamespace(provider=provider)
        )
        self.details = Details(
            self.bus,
            Previews(self.bus, muxes),
            Store(str(folder)),
            DetailWish(),
            self._spawn,  # type: ignore[arg-type]
        )
        self.all = Sidebars(
            self.bus,
            muxes,
            Appearance(Config(), str(folder)),
            self.details,
            ViewOptions(),
            self._spawn,  # type: ignore[arg-type]
        )
        self.all.deeds.act = self._act
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        self.look()
        self.bus.dispatch(AgentsSeen(MUX, {"%1": (Agent("a", "codex", "%1", 7),)}))
        transport = SimpleNamespace(write=lambda data: None)
        hello = {"socket": "/s", "pane": "%9", "cols": "26", "rows": "12"}
        self.sidebar: Sidebar = self.all.attach(hello, transport)  # type: ignore[arg-type]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _do(self, command: Command) -> str:
        self.told.append(command)
        return ""

    async def _act(self, arguments: dict[str, str]) -> Any:
        self.asked.append(arguments)
        return self.answers.get(arguments["verb"], {"token": "t", "failed": ""})

    def look(self, focused: bool = True, name: str = "api") -> None:
        panes = (Pane("%1", "@1", 5, not focused), Pane("%9", "@1", 6, focused, mark="0" * 32))
        session = Session("$1", name, 3, links=(Link("@1", 0, True),))
        client = Client("/dev/pts/1", "$1")
        self.bus.dispatch(
            InventoryRead(
                MUX, Inventory(1, 1, "3.3a", (session,), {"@1": Window("@1", panes=panes)}, (client,))
            )
        )

    def type(self, keys: str) -> None:
        self.all.typed(self.sidebar, keys.encode())

    async def done(self) -> list[dict[str, str]]:
        """What was set going, once all of it has been."""
        while self.tasks:
            await asyncio.wait(self.tasks)
        return self.asked

    @property
    def footer(self) -> str:
        assert self.sidebar.frame
        return self.sidebar.frame.text().split("\n")[-1].strip()


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(moments, "READ", 0.0)
    return Room(tmp_path)


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.005)


async def test_a_yes_ends_what_was_asked_about(room: Room) -> None:
    room.type("D")
    assert room.footer == "kill api? y/n"
    room.type("y")
    asked = {"verb": "session-kill", "mux": MUX, "target": "$1", "created": "3"}
    assert await room.done() == [asked, {**asked, "token": "t"}]
    assert "kill" not in room.footer
    room.asked.clear()
    room.type("d")
    room.type("\r")
    assert [each["target"] for each in await room.done()] == ["a", "a"]


@pytest.mark.parametrize("keys", ["Dy", "D\r", "dy", "zy", "redo\r", "DnDy"])
async def test_what_is_typed_in_one_go_is_no_yes(room: Room, keys: str) -> None:
    room.type(keys)
    assert await room.done() == []


async def test_a_question_must_have_been_read(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "READ", 1000.0)
    room.type("D")
    room.type("y")
    assert await room.done() == []
    assert "kill" not in room.footer


async def test_the_same_question_again_must_be_read_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.type("D")
    monkeypatch.setattr(moments, "READ", 0.2)
    now = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > now + 0.3)
    room.type("nDy")
    assert await room.done() == []


async def test_it_lapses_by_itself(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "LAPSE", 0.05)
    room.type("D")
    assert room.footer == "kill api? y/n"
    await until(lambda: "kill" not in room.footer)
    room.type("y")
    assert await room.done() == []
    monkeypatch.setattr(moments, "LAPSE", 1000.0)
    room.type("D")
    assert room.sidebar.lapse
    room.all.detach(room.sidebar)
    assert room.sidebar.lapse.cancelled()


async def test_a_border_whose_release_nobody_tells_is_let_go(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.details.size(MUX, 5, keep=False)
    room.details.show(MUX, True)
    monkeypatch.setattr(moments, "LAPSE", 0.05)
    room.type("\x1b[<0;3;7M")
    assert room.sidebar.ui.gripped == 7
    await until(lambda: not room.sidebar.ui.gripped)
    room.type("\x1b[<0;3;2m")
    assert room.details.wish(MUX).height == 5
    room.details.close()


async def test_it_lapses_with_the_focus_and_with_any_change(room: Room) -> None:
    room.type("D")
    room.look(focused=False)
    room.look()
    room.type("y")
    assert await room.done() == []
    room.type("D")
    room.look(name="other")
    assert "kill" not in room.footer
    room.type("y")
    assert await room.done() == []


async def test_a_terminal_that_was_shown_nothing_cannot_agree(room: Room) -> None:
    room.sidebar.draining = True
    room.type("D")
    room.type("y")
    assert await room.done() == []


async def test_what_is_still_there_is_told(room: Room) -> None:
    room.answers["session-kill"] = {"token": "t", "failed": "Still there: 7."}
    room.type("D")
    room.type("y")
    await room.done()
    assert room.told == [ShowMessage("/dev/pts/1", "Still there: 7.")]


async def test_orphans_are_counted_and_reaped(room: Room) -> None:
    room.type("R")
    assert room.sidebar.ui.question is None
    room.bus.dispatch(OrphansCounted(2))
    assert "2 orphans" in room.footer
    for answer, told in (
        ([{"decision": "reap", "why": "", "outcomes": [{"pid": 7, "result": "killed", "why": ""}]}], ""),
        (
            [{"decision": "reap", "why": "", "outcomes": [{"pid": 7, "result": "survived", "why": "Held."}]}],
            "7. Held.",
        ),
        ([{"decision": "unknown", "why": "tmux is silent.", "outcomes": []}], "tmux is silent."),
        ([{"decision": "alive", "why": "Its pane lives.", "outcomes": []}], ""),
        ([], ""),
    ):
        room.told.clear()
        room.answers["reap"] = {"candidates": answer}
        room.answers["orphans"] = {"orphans": [{"nonce": "a"}, {"nonce": "b"}]}
        room.type("R")
        assert room.footer == "reap 2 orphans? y/n"
        room.type("y")
        assert (await room.done())[-1] == {"verb": "reap", "observed": "1", "only": "a,b"}
        said = [each.text for each in room.told if isinstance(each, ShowMessage)]
        assert len(said) == bool(told)
        assert all(text.endswith(told) for text in said)


async def test_what_was_not_typed_is_told(room: Room) -> None:
    room.answers["agent-resume"] = {"typed": False, "why": "No shell waits.", "command": "codex resume t"}
    asleep = replace(Agent("a", "codex", "%1", 7), state="hibernated", liveness="exited")
    room.bus.dispatch(AgentsSeen(MUX, {}))
    room.bus.dispatch(AgentHibernated(MUX, Nap(asleep, ("codex", "resume", "t"), "/", "1.1")))
    assert room.footer == "z codex resume t"
    room.type("z")
    assert room.footer == "resume codex in api? y/n"
    room.type("y")
    await room.done()
    (told,) = room.told
    assert isinstance(told, ShowMessage)
    assert told.text == "No shell waits. Type it yourself: codex resume t"
