"""Sidebars in a real zellij."""

from __future__ import annotations

import asyncio

import pytest

from opensessions.errors import Refused
from opensessions.provider import FocusSidebar, LeaveSidebar, SidebarWish, SwitchClient
from tests.support.terminal import Terminal
from tests.support.zellij import Zellij
from tests.zellij.conftest import OWNER, Follower


async def attached(follower: Follower, cols: int = 160) -> Terminal:
    terminal = follower.zellij.attach("main", cols)
    await follower.until(lambda: follower.last.viewers(), "the client")
    return terminal


def looker(follower: Follower) -> str:
    return follower.last.viewers()[0].name


async def quiet(follower: Follower) -> None:
    """Wait until the provider has nothing more to do: a reading that we asked for differs in nothing from the one
    before, nor from what zellij has."""
    while True:
        count = len(follower.readings)
        follower.provider.refresh()
        await follower.until(lambda count=count: len(follower.readings) > count, "a reading")
        if (
            follower.readings[count - 1 :] == [follower.last] * 2
            and follower.last == await follower.provider.look()
        ):
            return


@pytest.mark.parametrize("position", ["left", "right"])
async def test_a_sidebar_stands_at_its_edge_and_takes_no_focus(
    zellij: Zellij, follower: Follower, position: str
) -> None:
    await attached(follower)
    await follower.show(position=position, width=30)
    await quiet(follower)
    sidebar, other = (zellij.sidebars("main")[0], zellij.panes("main")[0])
    assert other["id"] == 0
    assert abs(sidebar["pane_columns"] - 30) <= 4, "as near as steps of 8 columns allow"
    if position == "left":
        assert sidebar["pane_x"] == 0
        assert other["pane_x"] == sidebar["pane_columns"]
    else:
        assert other["pane_x"] == 0
        assert sidebar["pane_x"] + sidebar["pane_columns"] == 160
    assert sidebar["pane_rows"] == other["pane_rows"]
    assert zellij.clients("main").popitem()[1] == "terminal_0"
    assert follower.last.watched_panes() == {"main/terminal_0"}


@pytest.mark.parametrize(
    ("position", "call"),
    [
        ("left", "new-pane"),
        ("right", "new-pane"),
        ("left", "move-pane"),
        ("left", "resize"),
        ("right", "resize"),
    ],
)
async def test_an_opening_of_which_zellij_throws_out_a_call_is_finished(
    zellij: Zellij, surroundings: None, position: str, call: str
) -> None:
    """Now and then it does so: the call has done nothing, or has not said what it did. Here the first that opens a
    pane says nothing, and the first of the others does nothing."""
    program, lost = zellij.world.home / "losing", zellij.world.home / "lost"
    program.write_text(
        f"#!/bin/sh\ncase \"$*\" in *'action {call} '*)\n  if mkdir {lost}; then\n"
        f'    [ {call} != new-pane ] || {zellij.program} "$@" >/dev/null\n    exit 0\n  fi\nesac\n'
        f'exec {zellij.program} "$@"\n'
    )
    program.chmod(0o755)
    zellij.new("main")
    losing = Follower(zellij, program=str(program))
    try:
        await losing.until(lambda: losing.readings, "the first reading")
        await attached(losing)
        await losing.show(position=position, width=30)

        def stands() -> bool:
            cell = zellij.sidebars("main")[0]
            edge = 0 if position == "left" else 160 - cell["pane_columns"]
            return cell["pane_x"] == edge and abs(cell["pane_columns"] - 30) <= 4

        await losing.until(stands, "it in its place")
        assert lost.exists()
        assert len(zellij.panes("main")) == 2
    finally:
        await losing.close()


async def test_every_tab_has_one_and_new_tabs_too(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    zellij.action("main", "new-tab")
    await follower.until(lambda: len(follower.last.windows) == 2, "two tabs")
    await follower.show()
    assert zellij.sidebars("main").keys() == {0, 1}
    zellij.action("main", "new-tab")
    await follower.until(lambda: len(follower.last.windows) == 3 and follower.shown(), "the third tab's")
    await quiet(follower)
    assert zellij.sidebars("main").keys() == {0, 1, 2}
    assert len(zellij.panes("main")) == 6


async def test_sessions_that_nobody_looks_at_get_none(zellij: Zellij, follower: Follower) -> None:
    zellij.new("alone")
    await attached(follower)
    await follower.show()
    await quiet(follower)
    assert not zellij.sidebars("alone")


async def test_hiding_closes_them_all_and_nothing_else(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    zellij.action("main", "new-tab")
    await follower.until(lambda: len(follower.last.windows) == 2, "two tabs")
    await follower.show()
    await follower.provider.sidebars(SidebarWish(visible=False))
    await follower.until(lambda: not zellij.sidebars("main"), "no sidebar")
    await follower.until(lambda: len(follower.last.panes_of("main")) == 2, "the rest in a reading")
    widths = {pane["pane_columns"] for pane in zellij.panes("main")}
    assert widths == {160}


async def test_they_are_found_again_after_a_restart(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    await follower.show()
    before = zellij.sidebars("main")[0]["id"]
    await follower.close()
    again = Follower(zellij)
    try:
        await again.provider.sidebars(SidebarWish(visible=True))
        await again.until(lambda: again.readings, "a reading")
        assert again.pane(f"main/terminal_{before}").mark == OWNER
        await quiet(again)
        assert zellij.sidebars("main")[0]["id"] == before
        assert len(zellij.panes("main")) == 2
    finally:
        await again.close()


async def test_those_of_another_installation_are_left_alone(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    await follower.show()
    theirs = zellij.sidebars("main")[0]["id"]
    await follower.close()
    another = Follower(zellij, owner="fedcba9876543210" * 2)
    try:
        await another.until(lambda: another.readings, "a reading")
        assert another.pane(f"main/terminal_{theirs}").mark == ""
        await another.provider.withdraw()
        assert [pane["id"] for pane in zellij.panes("main")] == [0, theirs]
    finally:
        await another.close()


async def test_a_sidebar_that_ends_comes_back(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    await follower.show()
    old = zellij.sidebars("main")[0]["id"]
    zellij.action("main", "close-pane", "--pane-id", f"terminal_{old}")
    await follower.until(
        lambda: (found := zellij.sidebars("main")) and found[0]["id"] != old and follower.shown(),
        "another one",
    )


async def test_focus_goes_in_and_comes_back(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    zellij.action("main", "new-pane", "--direction", "down")
    await follower.until(lambda: follower.last.watched_panes() == {"main/terminal_1"}, "the lower pane")
    await follower.show()
    await follower.provider.do(FocusSidebar(looker(follower)))
    sidebar = f"main/terminal_{zellij.sidebars('main')[0]['id']}"
    await follower.until(lambda: follower.last.watched_panes() == {sidebar}, "the focus in the sidebar")
    await follower.provider.do(LeaveSidebar(sidebar))
    await follower.until(lambda: follower.last.watched_panes() == {"main/terminal_1"}, "the focus back")


async def test_a_switch_from_a_sidebar_leads_to_the_sidebar_there(zellij: Zellij, follower: Follower) -> None:
    terminal = zellij.attach("other", 160)
    await follower.until(lambda: follower.last.viewers(), "the client")
    await follower.show()
    there = zellij.sidebars("other")[0]["id"]
    zellij.world.terminals.remove(terminal)
    terminal.close()
    await attached(follower)
    await follower.until(
        lambda: [one.session for one in follower.last.viewers()] == ["main"], "the client here"
    )
    await follower.until(follower.shown, "the sidebar here")
    await follower.provider.do(SwitchClient(looker(follower), "other", keep_sidebar=True))
    await follower.until(lambda: follower.last.watched_panes() == {f"other/terminal_{there}"}, "its sidebar")


async def test_a_switch_from_a_sidebar_opens_one_there(zellij: Zellij, follower: Follower) -> None:
    zellij.new("other")
    await attached(follower)
    await follower.show(width=30)
    await follower.provider.do(SwitchClient(looker(follower), "other", keep_sidebar=True))
    await follower.until(
        lambda: [one.session for one in follower.last.viewers()] == ["other"], "the client there"
    )
    sidebar = zellij.sidebars("other")[0]
    assert follower.last.watched_panes() == {f"other/terminal_{sidebar['id']}"}
    await follower.until(lambda: abs(zellij.sidebars("other")[0]["pane_columns"] - 30) <= 4, "its width")


async def test_a_tab_without_room_gets_none(zellij: Zellij, follower: Follower) -> None:
    await attached(follower, cols=40)
    await follower.provider.sidebars(SidebarWish(visible=True))
    await quiet(follower)
    assert not zellij.sidebars("main")
    with pytest.raises(Refused, match="room"):
        await follower.provider.do(FocusSidebar(looker(follower)))


async def test_another_width_is_approached_once(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    await follower.show(width=24)
    await quiet(follower)
    await follower.provider.sidebars(SidebarWish(visible=True, width=48))
    await follower.until(lambda: abs(zellij.sidebars("main")[0]["pane_columns"] - 48) <= 4, "the new width")
    await quiet(follower)
    pane = f"terminal_{zellij.sidebars('main')[0]['id']}"
    zellij.action("main", "resize", "decrease", "right", "--pane-id", pane)  # the user's own act
    narrower = zellij.sidebars("main")[0]["pane_columns"]
    await quiet(follower)
    assert zellij.sidebars("main")[0]["pane_columns"] == narrower


async def test_a_lone_sidebar_goes_with_its_tab(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    zellij.action("main", "new-tab")
    await follower.until(lambda: len(follower.last.windows) == 2, "two tabs")
    await follower.show()
    zellij.action("main", "close-pane", "--pane-id", "terminal_1")
    await follower.until(lambda: len(follower.last.windows) == 1, "one tab")
    assert zellij.sessions() == ["main"]


async def test_the_last_lone_sidebar_ends_the_session_after_its_client_has_left(
    zellij: Zellij, follower: Follower
) -> None:
    zellij.new("refuge")
    terminal = await attached(follower)
    await follower.show()
    zellij.action("main", "close-pane", "--pane-id", "terminal_0")
    await follower.until(lambda: zellij.sessions() == ["refuge"], "the end of the session")
    await follower.until(lambda: zellij.clients("refuge"), "the client in the refuge")
    assert not terminal.ended
    assert zellij.dead() == []


async def test_a_lone_sidebar_of_the_only_session_stays(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    await follower.show()
    zellij.action("main", "close-pane", "--pane-id", "terminal_0")
    await follower.until(lambda: len(follower.last.panes_of("main")) == 1, "the sidebar alone")
    await quiet(follower)
    assert len(zellij.sidebars("main")) == 1


async def test_a_lone_sidebar_gets_a_shell_where_that_is_wished(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    await follower.show(lone="shell")
    zellij.action("main", "close-pane", "--pane-id", "terminal_0")
    await follower.until(lambda: len(zellij.panes("main")) == 2, "a shell")
    await follower.until(follower.shown, "it in a reading")


async def test_withdrawing_closes_them(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    await follower.show()
    await follower.provider.withdraw(close_sidebars=False)
    assert zellij.sidebars("main")
    follower.task.cancel()
    await asyncio.wait({follower.task})
    await follower.provider.withdraw()
    assert [pane["id"] for pane in zellij.panes("main")] == [0]
