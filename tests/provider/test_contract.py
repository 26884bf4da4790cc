"""What every provider must do alike: tmux, zellij, and the fake that other tests may use. What one cannot do is a gap
that it declares; then it must say so."""

from __future__ import annotations

import asyncio
import inspect
import os

import pytest

from opensessions.errors import MuxError, Refused
from opensessions.provider import (
    Announce,
    Command,
    CreateSession,
    EvenHorizontal,
    FocusSidebar,
    GapName,
    HandOver,
    KillPane,
    KillSession,
    LeaveSidebar,
    Provider,
    Publication,
    ReadScreen,
    RenameSession,
    ShowMessage,
    SwitchClient,
    TypeLine,
)
from tests.provider.conftest import Stage
from tests.support.terminal import PATIENCE


async def refused(stage: Stage, command: Command) -> None:
    """It says no with a sentence, and goes on."""
    with pytest.raises(Refused) as raised:
        await stage.provider.do(command)
    assert str(raised.value).endswith(".")
    assert await stage.provider.probe(5.0)


def test_it_has_everything_that_the_core_calls(stage: Stage) -> None:
    wanted = [name for name in dir(Provider) if not name.startswith("_")]
    assert {name for name in wanted if not hasattr(stage.provider, name)} == set()
    for name in wanted:
        told = getattr(Provider, name)
        if inspect.isfunction(told):
            mine = inspect.signature(getattr(type(stage.provider), name))
            assert list(mine.parameters) == list(inspect.signature(told).parameters), name


# --- listing --------------------------------------------------------------------------------------------------


async def test_a_reading_holds_together(stage: Stage) -> None:
    stage.new("second")
    await stage.until(lambda: stage.known() == {"main", "second"}, "both sessions")
    stage.split("second")
    await stage.until(lambda: len(stage.panes("second")) == 2, "the second pane")
    inventory = await stage.provider.look()
    assert inventory.version
    for session in inventory.sessions:
        assert [link.current for link in session.links].count(True) == 1
        for link in session.links:
            window = inventory.windows[link.window]
            assert window.active_pane is not None
            for pane in window.panes:
                assert pane.window == window.id
                assert pane.pid > 0
    ids = [pane.id for window in inventory.windows.values() for pane in window.panes]
    assert len(set(ids)) == len(ids) == 3


async def test_sessions_come_and_go(stage: Stage) -> None:
    stage.new("passing")
    await stage.until(lambda: "passing" in stage.known(), "the session")
    stage.end("passing")
    await stage.until(lambda: "passing" not in stage.known(), "its end")


async def test_who_looks(stage: Stage) -> None:
    assert not stage.last.viewers()
    stage.look_at("main")
    await stage.until(lambda: stage.client("main"), "the client")
    assert stage.last.watched_panes() == {*stage.panes("main")}
    assert len(stage.last.seen_windows()) == 1


# --- making, naming, ending -----------------------------------------------------------------------------------


async def test_create(stage: Stage) -> None:
    id = await stage.provider.do(CreateSession("made", "/usr"))
    await stage.until(lambda: "made" in stage.known(), "the session in a reading")
    assert stage.id("made") == id
    assert "made" in stage.names()
    assert not stage.last.viewers()
    pane = await stage.until(
        lambda: (p := stage.last.pane(stage.panes("made")[0])) and p.path and p, "its folder"
    )
    assert pane.path == "/usr"
    await refused(stage, CreateSession("made"))


async def test_rename(stage: Stage) -> None:
    stage.new("taken")
    await stage.until(lambda: "taken" in stage.known(), "the other session")
    panes = len(stage.last.windows)
    assert await stage.provider.do(RenameSession(stage.id("main"), "it's a; #{name}")) == "it's a; #{name}"
    await stage.until(lambda: "it's a; #{name}" in stage.known(), "the new name")
    assert stage.names() == {"it's a; #{name}", "taken"}
    assert len(stage.last.windows) == panes
    await refused(stage, RenameSession(stage.id("it's a; #{name}"), "taken"))
    await refused(stage, RenameSession(stage.id("it's a; #{name}"), ""))
    assert stage.names() == {"it's a; #{name}", "taken"}


async def test_kill(stage: Stage) -> None:
    stage.new("refuge")
    stage.look_at("main")
    await stage.until(lambda: stage.known() == {"main", "refuge"} and stage.client("main"), "all of it")
    main = stage.id("main")
    await stage.provider.do(KillSession(main, stage.id("refuge")))
    await stage.until(
        lambda: stage.known() == {"refuge"} and stage.client("refuge"), "its client in the refuge"
    )
    assert stage.names() == {"refuge"}
    assert all(not terminal.ended for terminal in stage.terminals)
    await refused(stage, KillSession(main))


async def test_kill_a_pane(stage: Stage) -> None:
    first = stage.panes("main")
    stage.split("main")
    await stage.until(lambda: len(stage.panes("main")) == 2, "the pane")
    (second,) = set(stage.panes("main")) - set(first)
    await stage.provider.do(KillPane(second))
    await stage.until(lambda: stage.panes("main") == first, "its end")
    await refused(stage, KillPane(second))


# --- switching ------------------------------------------------------------------------------------------------


async def test_switch(stage: Stage) -> None:
    stage.new("other")
    stage.look_at("main")
    await stage.until(lambda: "other" in stage.known() and stage.client("main"), "all of it")
    await stage.provider.do(SwitchClient(stage.client("main"), stage.id("other")))
    await stage.until(lambda: stage.client("other") and not stage.client("main"), "the client there")


async def test_switch_to_a_pane(stage: Stage) -> None:
    stage.new("other")
    stage.split("other")
    stage.look_at("main")
    await stage.until(
        lambda: "other" in stage.known() and len(stage.panes("other")) == 2 and stage.client("main"),
        "all of it",
    )
    active = next(pane for pane in stage.panes("other") if stage.last.pane(pane).active)  # type: ignore[union-attr]
    (target,) = set(stage.panes("other")) - {active}
    await stage.provider.do(SwitchClient(stage.client("main"), stage.id("other"), target))
    await stage.until(lambda: stage.last.watched_panes() == {target}, "the other pane")


async def test_a_switch_to_what_is_gone(stage: Stage) -> None:
    stage.new("other")
    stage.look_at("main")
    await stage.until(lambda: "other" in stage.known() and stage.client("main"), "all of it")
    client, other = stage.client("main"), stage.id("other")
    (pane,) = stage.panes("other")
    await refused(stage, SwitchClient(client, stage.id("main"), pane))
    stage.end("other")
    await stage.until(lambda: "other" not in stage.known(), "its end")
    await refused(stage, SwitchClient(client, other))
    assert stage.names() == {"main"}


# --- from one to another --------------------------------------------------------------------------------------


async def test_the_way_in_is_a_program_and_what_is_gone_has_none(stage: Stage) -> None:
    stage.new("other")
    await stage.until(lambda: "other" in stage.known(), "the session")
    other, (pane,) = stage.id("other"), stage.panes("other")
    way = await stage.provider.way_in(other, pane)
    assert way.mux == stage.provider.key
    assert all(word and "\0" not in word for word in (*way.argv, *way.check))
    with pytest.raises(Refused):
        await stage.provider.way_in(stage.id("main"), pane)
    stage.end("other")
    await stage.until(lambda: "other" not in stage.known(), "its end")
    with pytest.raises(Refused):
        await stage.provider.way_in(other)


async def test_a_process_that_is_no_client_is_nobody(stage: Stage) -> None:
    stage.new("other")
    await stage.until(lambda: "other" in stage.known(), "the session")
    assert await stage.provider.client_of(os.getpid()) == ""
    if not any(gap.name == "crossing" for gap in stage.provider.gaps):
        await refused(stage, HandOver("nobody", ("true",)))


# --- sidebars -------------------------------------------------------------------------------------------------


async def test_sidebars_are_shown_where_somebody_looks_and_hidden(stage: Stage) -> None:
    stage.new("unseen")
    stage.look_at("main")
    await stage.until(lambda: "unseen" in stage.known() and stage.client("main"), "all of it")
    before = stage.panes("main")
    await stage.show()
    await stage.until(lambda: stage.sidebar("main"), "the sidebar")
    assert stage.last.watched_panes() == {*before}, "the focus stays"
    assert stage.panes("main") == before
    assert not stage.sidebar("unseen")
    await stage.show(False)
    await stage.until(lambda: not stage.sidebar("main"), "none")
    assert stage.panes("main") == before


async def test_focus_goes_to_the_sidebar_and_back(stage: Stage) -> None:
    stage.look_at("main")
    await stage.until(lambda: stage.client("main"), "the client")
    (pane,) = stage.panes("main")
    await stage.show()
    await stage.until(lambda: stage.sidebar("main"), "the sidebar")
    await stage.provider.do(FocusSidebar(stage.client("main")))
    await stage.until(lambda: stage.last.watched_panes() == {stage.sidebar("main")}, "the focus in it")
    await stage.provider.do(LeaveSidebar(stage.sidebar("main")))
    await stage.until(lambda: stage.last.watched_panes() == {pane}, "the focus back")


async def test_withdrawing_takes_them_away(stage: Stage) -> None:
    stage.look_at("main")
    await stage.until(lambda: stage.client("main"), "the client")
    await stage.show()
    await stage.until(lambda: stage.sidebar("main"), "the sidebar")
    await stage.stop()
    await stage.provider.withdraw()
    marks = [pane.mark for window in (await stage.provider.look()).windows.values() for pane in window.panes]
    assert not any(marks)


# --- screens and typing ---------------------------------------------------------------------------------------


async def test_what_is_typed_is_on_the_screen(stage: Stage) -> None:
    (pane,) = stage.panes("main")
    await stage.provider.do(TypeLine(pane, "echo 'a b' \"#{x}\" $((1+1))"))
    shown: dict[str, tuple[str, ...]] = {}
    async with asyncio.timeout(PATIENCE):
        while not any("#{x}" in line for line in shown.get(pane, ())):
            shown = dict(await stage.provider.screens([pane, "%9999", "main/terminal_9999"]))
            await asyncio.sleep(0.01)
    assert shown.keys() == {pane}
    assert any("#{x}" in line for line in shown[pane]), shown
    assert "#{x}" in await stage.provider.do(ReadScreen(pane))
    await refused(stage, TypeLine("%9999", "x"))
    await refused(stage, ReadScreen("%9999"))


# --- gaps -----------------------------------------------------------------------------------------------------

WHOLLY: dict[GapName, Command] = {
    "messages": ShowMessage("nobody", "text"),
    "even-horizontal": EvenHorizontal("nobody"),
    "crossing": HandOver("nobody", ("true",)),
}


async def test_gaps_are_said_and_not_silent(stage: Stage) -> None:
    gaps = {gap.name: gap.text for gap in stage.provider.gaps}
    assert len(gaps) == len(stage.provider.gaps)
    for name, text in gaps.items():
        assert text.endswith("."), name
        if name in WHOLLY:
            with pytest.raises(Refused) as raised:
                await stage.provider.do(WHOLLY[name])
            assert str(raised.value) == text
    if "messages" not in gaps:
        stage.look_at("main")
        await stage.until(lambda: stage.client("main"), "the client")
        await stage.provider.do(ShowMessage(stage.client("main"), "a #{message}"))
        await stage.provider.do(Announce((stage.client("main"),), "#[blink]a message"))


async def test_publishing_is_no_fault(stage: Stage) -> None:
    await stage.provider.publish(Publication({("", "opensessions-pid"): "1"}))
    await stage.provider.publish(Publication())


# --- faults ---------------------------------------------------------------------------------------------------


async def test_one_that_hangs_is_unreachable_and_nothing_is_forgotten(stage: Stage) -> None:
    stage.hang()
    try:
        stage.provider.refresh()
        await stage.until(lambda: stage.unreachable, "it said so", patience=40)
        assert not await stage.provider.probe(0.2)
        for asked in (stage.provider.look(), stage.provider.do(CreateSession("never"))):
            with pytest.raises(MuxError):
                await asked
        assert stage.known() == {"main"}
    finally:
        stage.go_on()
    count = len(stage.readings)
    stage.provider.refresh()
    await stage.until(lambda: len(stage.readings) > count, "a reading again", patience=40)
    assert "main" in stage.known()


async def test_one_that_dies_is_left(stage: Stage) -> None:
    stage.vanish()
    stage.provider.refresh()
    await stage.until(lambda: stage.left, "it said so", patience=40)
    assert stage.task is not None
    await stage.until(stage.task.done, "the end of the events")
    assert stage.names() == set() or stage.provider.kind == "fake"
