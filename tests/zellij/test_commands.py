"""What the provider does in a real zellij."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from opensessions.errors import Refused
from opensessions.provider import (
    Announce,
    Command,
    CreateSession,
    DesktopNotice,
    EvenHorizontal,
    KillPane,
    KillSession,
    PressKey,
    ReadScreen,
    RenameSession,
    ShowMessage,
    SwitchClient,
    TypeLine,
)
from opensessions_zellij.places import session_socket
from tests.support.terminal import Terminal
from tests.support.world import is_alive
from tests.support.zellij import Zellij
from tests.zellij.conftest import Follower


async def refused(follower: Follower, command: Command) -> str:
    """The sentence with which it is refused."""
    with pytest.raises(Refused) as raised:
        await follower.provider.do(command)
    return str(raised.value)


async def attached(follower: Follower, session: str = "main") -> Terminal:
    """A client that has typed in the session; the provider knows it."""
    terminal = follower.zellij.attach(session)
    await follower.until(lambda: shows(follower, session), "the client")
    return terminal


def client(follower: Follower, session: str = "main") -> str:
    """The client that looks at the session; its number is any."""
    return next(one.name for one in follower.last.viewers() if one.session == session)


def shows(follower: Follower, session: str) -> bool:
    return any(one.session == session for one in follower.last.viewers())


# --- making and naming ----------------------------------------------------------------------------------------


async def test_a_session_is_made_in_its_folder(zellij: Zellij, follower: Follower) -> None:
    folder = zellij.world.home / "it's a folder"
    folder.mkdir()
    assert await follower.provider.do(CreateSession("made", str(folder))) == "made"
    await follower.until(lambda: follower.last.session("made"), "the session")
    pane = await follower.until(
        lambda: (p := follower.last.pane("made/terminal_0")) and p.path and p, "its pane"
    )
    assert pane.path == str(folder)
    assert not follower.last.viewers()


@pytest.mark.parametrize("name", ["", "  ", ".", "..", "a/b", "-x", "tab\there", "x" * 120])
async def test_names_that_no_session_can_have(follower: Follower, name: str) -> None:
    assert await refused(follower, RenameSession("main", name))
    if name:
        assert await refused(follower, CreateSession(name))
    assert follower.zellij.sessions() == ["main"]


async def test_a_session_without_a_name_gets_one(follower: Follower) -> None:
    first = await follower.provider.do(CreateSession(""))
    second = await follower.provider.do(CreateSession(""))
    assert sorted(follower.zellij.sessions()) == sorted({"main", first, second})


async def test_a_taken_name_is_refused_and_nothing_is_lost(zellij: Zellij, follower: Follower) -> None:
    zellij.new("other")
    assert "already" in await refused(follower, CreateSession("other"))
    assert "already" in await refused(follower, RenameSession("main", "other"))
    assert sorted(zellij.sessions()) == ["main", "other"]
    assert zellij.panes("other")


async def test_a_dead_session_is_not_brought_back_instead_of_a_new_one(
    zellij: Zellij, follower: Follower
) -> None:
    zellij.new("mortal")
    zellij.action("mortal", "save-session")
    zellij.run("kill-session", "mortal")
    zellij.world.until(lambda: zellij.dead() == ["mortal"], "a session that could be brought back")
    assert "has ended" in await refused(follower, CreateSession("mortal"))
    assert "has ended" in await refused(follower, RenameSession("main", "mortal"))
    assert zellij.sessions() == ["main"]


async def test_a_rename(zellij: Zellij, follower: Follower) -> None:
    assert await follower.provider.do(RenameSession("main", "it's; #{x} new")) == "it's; #{x} new"
    await follower.until(lambda: follower.last.session("it's; #{x} new"), "the new name")
    assert zellij.sessions() == ["it's; #{x} new"]
    assert "no zellij session" in await refused(follower, RenameSession("main", "third"))


# --- switching ------------------------------------------------------------------------------------------------


async def test_a_client_is_switched_to_another_session(zellij: Zellij, follower: Follower) -> None:
    zellij.new("other")
    await attached(follower)
    await follower.provider.do(SwitchClient(client(follower), "other"))
    await follower.until(
        lambda: shows(follower, "other") and not shows(follower, "main"), "the other session"
    )
    assert follower.last.watched_panes() == {"other/terminal_0"}


async def test_a_client_is_switched_to_a_pane_in_another_tab(zellij: Zellij, follower: Follower) -> None:
    terminal = await attached(follower, "other")
    zellij.action("other", "new-tab")
    await follower.until(lambda: follower.last.pane("other/terminal_1"), "the second tab")
    zellij.world.terminals.remove(terminal)
    terminal.close()
    await attached(follower)
    for pane in ("other/terminal_0", "other/terminal_1"):
        looker = follower.last.viewers()[0].name
        await follower.provider.do(SwitchClient(looker, "other", pane))
        await follower.until(lambda pane=pane: follower.last.watched_panes() == {pane}, pane)
        here = zellij.world.terminals[-1]
        zellij.type_in(here)


async def test_a_client_goes_to_another_pane_of_its_own_session(zellij: Zellij, follower: Follower) -> None:
    await attached(follower)
    zellij.action("main", "new-tab")
    await follower.until(lambda: follower.last.watched_panes() == {"main/terminal_1"}, "the second tab")
    await follower.provider.do(SwitchClient(client(follower), "main", "main/terminal_0"))
    await follower.until(lambda: follower.last.watched_panes() == {"main/terminal_0"}, "the first pane")


async def test_a_switch_that_cannot_be_makes_no_session(zellij: Zellij, follower: Follower) -> None:
    zellij.new("other")
    await attached(follower)
    assert "no zellij session" in await refused(follower, SwitchClient(client(follower), "nowhere"))
    assert "no zellij pane" in await refused(
        follower, SwitchClient(client(follower), "other", "other/terminal_7")
    )
    assert "has no pane" in await refused(
        follower, SwitchClient(client(follower), "other", "main/terminal_0")
    )
    assert "No zellij client" in await refused(follower, SwitchClient("main/99", "other"))
    assert sorted(zellij.sessions()) == ["main", "other"]
    assert zellij.clients("main")


async def test_a_client_that_has_not_typed_is_said_to_stay(zellij: Zellij, follower: Follower) -> None:
    zellij.new("other")
    terminal = zellij.attach("main", typed=False)
    await follower.until(lambda: shows(follower, "main"), "the client")
    assert "typed" in await refused(follower, SwitchClient(client(follower), "other"))
    assert zellij.clients("main")
    zellij.type_in(terminal)
    await follower.provider.do(SwitchClient(client(follower), "other"))
    await follower.until(lambda: shows(follower, "other"), "the other session")


@pytest.mark.parametrize("others", [0, 1])
async def test_who_comes_is_led_to_the_pane_whatever_number_he_gets(
    zellij: Zellij, follower: Follower, others: int
) -> None:
    """zellij keeps the focus by the client's number, and gives who comes the lowest that is free."""
    zellij.action("main", "new-pane")
    zellij.action("main", "focus-pane-id", "terminal_0")
    await follower.close()
    await follower.provider.way_in("main", "main/terminal_1")
    with socket.socket(socket.AF_UNIX) as line:
        if others:  # somebody else asks something just now
            line.connect(session_socket(zellij.folder, "main"))
        zellij.attach("main", typed=False)
        assert list(zellij.clients("main").values()) == ["terminal_1"]


# --- ending ---------------------------------------------------------------------------------------------------


async def test_a_killed_session_leaves_no_ghost(zellij: Zellij, follower: Follower) -> None:
    zellij.new("mortal")
    zellij.action("mortal", "save-session")
    await follower.until(lambda: follower.last.session("mortal"), "the session")
    server = next(pid for pid in follower.last.servers if pid not in follower.readings[0].servers)
    await follower.provider.do(KillSession("mortal"))
    assert zellij.sessions() == ["main"]
    assert zellij.dead() == []
    await follower.until(lambda: not follower.last.session("mortal"), "its end in a reading")
    zellij.world.until(lambda: not is_alive(server), "the end of its server")


async def test_a_killed_session_moves_its_client_first(zellij: Zellij, follower: Follower) -> None:
    zellij.new("refuge")
    terminal = await attached(follower)
    await follower.provider.do(KillSession("main", "refuge"))
    await follower.until(lambda: shows(follower, "refuge"), "the client in the refuge")
    assert not terminal.ended
    assert zellij.sessions() == ["refuge"]


async def test_a_session_whose_client_cannot_be_moved_is_not_killed(
    zellij: Zellij, follower: Follower
) -> None:
    zellij.new("refuge")
    zellij.attach("main", typed=False)
    await follower.until(lambda: shows(follower, "main"), "the client")
    assert "typed" in await refused(follower, KillSession("main", "refuge"))
    assert sorted(zellij.sessions()) == ["main", "refuge"]


async def test_a_pane_is_closed(zellij: Zellij, follower: Follower) -> None:
    zellij.action("main", "new-pane", "--direction", "right")
    await follower.until(lambda: follower.last.pane("main/terminal_1"), "the pane")
    await follower.provider.do(KillPane("main/terminal_1"))
    await follower.until(lambda: not follower.last.pane("main/terminal_1"), "its end")
    assert "no zellij pane" in await refused(follower, KillPane("main/terminal_1"))
    assert [pane["id"] for pane in zellij.panes("main")] == [0]


# --- typing and reading -----------------------------------------------------------------------------------------


async def test_a_line_arrives_as_it_is(zellij: Zellij, follower: Follower) -> None:
    zellij.action("main", "write-chars", "--pane-id", "terminal_0", "left over")
    zellij.world.until(lambda: "left over" in zellij.screen("main"), "what is in the way")
    await follower.provider.do(TypeLine("main/terminal_0", "echo '-$HOME;' \"#{x}\" >typed"))
    file = zellij.world.home / "typed"
    await follower.until(lambda: file.exists() and file.read_text(), "the line's effect")
    assert file.read_text() == "-$HOME; #{x}\n"


async def test_one_key_is_pressed(zellij: Zellij, follower: Follower) -> None:
    await follower.provider.do(PressKey("main/terminal_0", "y"))
    await follower.until(lambda: "$ y" in zellij.screen("main"), "the letter")
    await follower.provider.do(PressKey("main/terminal_0", "enter"))
    await follower.until(lambda: "not found" in zellij.screen("main"), "its effect")
    assert "no key" in await refused(follower, PressKey("main/terminal_0", "F99"))


async def test_screens(zellij: Zellij, follower: Follower) -> None:
    zellij.action("main", "new-pane", "--", "sh", "-c", "printf '\\033[31mred\\033[m\\nsecond'; sleep 1000")
    await follower.until(lambda: follower.last.pane("main/terminal_1"), "the pane")
    await follower.until(lambda: "second" in zellij.screen("main", "terminal_1"), "its text")
    shown = await follower.provider.screens(["main/terminal_0", "main/terminal_1", "main/terminal_9"])
    assert shown.keys() == {"main/terminal_0", "main/terminal_1"}
    assert [line.rstrip() for line in shown["main/terminal_1"][:2]] == ["red", "second"]
    coloured = await follower.provider.do(ReadScreen("main/terminal_1"))
    assert "\x1b[" in coloured
    assert "red" in coloured
    assert "no zellij pane" in await refused(follower, ReadScreen("main/terminal_9"))


# --- gaps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "command"),
    [
        ("messages", lambda: ShowMessage("main/1", "hello")),
        ("messages", lambda: Announce(("main/1",), "hello")),
        ("even-horizontal", lambda: EvenHorizontal("main/1")),
    ],
)
async def test_what_zellij_cannot_do_is_said(
    follower: Follower, gap: str, command: Callable[[], Command]
) -> None:
    texts = {each.name: each.text for each in follower.provider.gaps}
    assert await refused(follower, command()) == texts[gap]  # type: ignore[index]


async def test_no_terminal_is_asked_for_a_notification(follower: Follower) -> None:
    assert await follower.provider.do(DesktopNotice("main/1", "main/terminal_0", "a", "b")) == ""
