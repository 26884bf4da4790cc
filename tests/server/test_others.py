"""A sidebar that shows another multiplexer is painted when something of it changes that is shown, and else not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensessions.errors import MuxTimeout, Refused
from opensessions.events import AgentsSeen, InventoryRead, ModeChosen, MuxJoined, MuxLeft, SavedArrangement
from opensessions.model import Agent, Inventory, Link, Pane, Session, Window
from opensessions.provider import Gap, WayIn
from opensessions.server.bus import Bus
from opensessions.server.crossing import Crossings, Place
from opensessions.sidebar.others import Other
from tests.server.test_questions import MUX, Room

FAR = "tmux-" + "1" * 16


class Both(Room):
    """A sidebar of one, and another multiplexer with the sessions `far` and `off`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.sent: list[bytes] = []
        self.sidebar.transport = self
        self.bus.dispatch(MuxJoined(FAR, "tmux", "/tmp/tmux-1/work", SavedArrangement()))
        self.read()

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def read(self, *names: str, title: str = "") -> None:
        sessions = tuple(
            Session(f"${at}", name, 3, links=(Link(f"@{at}", 0, True),))
            for at, name in enumerate(names or ("far", "off"))
        )
        windows = {
            f"@{at}": Window(f"@{at}", panes=(Pane(f"%{at}", f"@{at}", 5, True, title=title),))
            for at in range(len(sessions))
        }
        self.bus.dispatch(InventoryRead(FAR, Inventory(2, 1, "3.3a", sessions, windows)))

    def news(self) -> int:
        """How often it was painted since the last time that this was asked."""
        count = len(self.sent)
        self.sent.clear()
        return count

    @property
    def text(self) -> str:
        assert self.sidebar.frame
        return self.sidebar.frame.text()


@pytest.fixture
async def both(tmp_path: Path) -> Iterator[Both]:  # type: ignore[misc]
    room = Both(tmp_path)
    yield room
    room.sidebar.quiet()


async def test_it_is_painted_for_what_it_shows_of_them_alone(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "work" in both.text
    both.news()
    painted: list[object] = []
    paint = both.all._painter.paint
    monkeypatch.setattr(both.all._painter, "paint", lambda sidebar: (painted.append(sidebar), paint(sidebar)))
    both.read(title="compiling")
    assert (both.news(), painted) == (0, []), "a title there is not even looked at"
    both.read("far", "off", "fresh")
    assert (both.news(), len(painted)) == (1, 1)
    assert "fresh" in both.text
    both.bus.dispatch(AgentsSeen(FAR, {"%0": (Agent("b", "codex", "%0", 8, "waiting"),)}))
    assert both.news() == 1
    assert "!" in both.text
    both.bus.dispatch(ModeChosen(FAR, "agents"))
    assert "off" not in both.text, "what is not listed there is not listed here"
    both.bus.dispatch(MuxLeft(FAR))
    assert "work" not in both.text


async def test_nobody_looks_nothing_is_painted(both: Both) -> None:
    both.sidebar.looker = ""
    both.news()
    both.read("far", "off", "fresh")
    assert both.news() == 0


async def test_the_same_is_the_same_object(both: Both) -> None:
    def shown() -> tuple[Other, ...]:
        return both.all._painter.others(MUX)

    before = shown()
    both.read(title="x")
    assert shown()[0] is before[0]
    assert both.all._painter.others(FAR)[0].key == MUX


# --- going there --------------------------------------------------------------------------------------------


class Side:
    """A provider that others can be brought to."""

    def __init__(
        self, gaps: tuple[Gap, ...] = (), error: Exception | None = None, *, lets_go: bool = False
    ) -> None:
        self.gaps = gaps
        self.error = error
        self.lets_go = lets_go
        self.done: list[Any] = []

    async def way_in(self, session: str, pane: str = "", *, sidebar: bool = False, said: str = "") -> WayIn:
        if self.error:
            raise self.error
        return WayIn("m", f"attach {session}", ("/bin/true",), ("/bin/true",), said=said)

    async def do(self, command: Any) -> str:
        self.done.append(command)
        if not self.lets_go:
            raise Refused("No client is attached any more.")
        return ""

    async def client_of(self, process: int) -> str:
        return ""

    def refresh(self) -> None:
        """Nothing to read."""


class Sides:
    def __init__(self, **sides: Side) -> None:
        self.sides = sides

    def get(self, key: str) -> Any:
        return type("Mux", (), {"provider": self.sides[key]})


def between(short: Path, near: Side, far: Side) -> Crossings:
    from opensessions.model import Client

    bus = Bus("i")
    runtime = short / "run"
    runtime.mkdir(mode=0o700)
    inventory = Inventory(0, 1, "x", (Session("$1", "a"),), {}, (Client("c", "$1", pid=0),))
    for key in ("near", "far"):
        bus.dispatch(MuxJoined(key, "tmux", f"/{key}", SavedArrangement()))
        bus.dispatch(InventoryRead(key, inventory))
    return Crossings(bus, Sides(near=near, far=far), str(runtime), ("python", "cross.py"))  # type: ignore[arg-type]


async def test_a_client_that_will_not_go_leaves_no_order_behind(short: Path) -> None:
    near = Side()
    with pytest.raises(Refused, match="any more"):
        await between(short, near, Side()).go("near", "c", Place("far", "$1"))
    assert near.done
    assert list((short / "run" / "cross").iterdir()) == []


async def test_one_that_cannot_be_handed_over_is_told_what_to_type(short: Path) -> None:
    near = Side(gaps=(Gap("crossing", "no"),))
    with pytest.raises(Refused, match=r"detach, then type attach \$1"):
        await between(short, near, Side()).go("near", "c", Place("far", "$1"))
    assert not near.done


async def test_a_silent_multiplexer_is_no_fault_of_the_users_own(short: Path) -> None:
    far = Side(error=MuxTimeout("It did not answer."))
    with pytest.raises(Refused, match="did not answer"):
        await between(short, Side(), far).go("near", "c", Place("far", "$1"))


async def test_a_second_press_takes_no_order_away(short: Path) -> None:
    crossings = between(short, Side(lets_go=True), Side())
    folder = short / "run" / "cross"
    await crossings.go("near", "c", Place("far", "$1"))
    (order,) = folder.iterdir()
    first = order.read_bytes()
    with pytest.raises(Refused, match="on its way"):
        await crossings.go("near", "c", Place("far", "$1"))
    assert [each.read_bytes() for each in folder.iterdir()] == [first]
    os.utime(order, (1000, 1000))
    await crossings.go("near", "c", Place("far", "$1"))
    assert [each.read_bytes() != first for each in folder.iterdir()] == [True]


async def test_a_sentence_holds_no_control_characters(short: Path) -> None:
    near = Side(gaps=(Gap("crossing", "no"),))
    with pytest.raises(Refused) as raised:
        await between(short, near, Side()).go("near", "c", Place("far", "a\x1b[31m\n"))
    assert str(raised.value).isprintable()
