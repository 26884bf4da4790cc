"""What the provider reads of a real zellij."""

from __future__ import annotations

import os

import psutil

from opensessions.events import InventoryRead
from tests.support.zellij import Zellij
from tests.zellij.conftest import Follower


async def test_sessions_tabs_and_panes(zellij: Zellij, follower: Follower) -> None:
    zellij.attach("main")  # zellij makes no tab while nobody looks
    zellij.action("main", "new-tab", "--name", "second")
    zellij.action("main", "new-pane", "--direction", "down")
    zellij.new("it's; $x #{y}|é")
    await follower.until(
        lambda: len(follower.last.sessions) == 2 and len(follower.last.panes_of("main")) == 3, "all of it"
    )
    main = follower.last.session("main")
    assert main is not None
    assert [link.index for link in main.links] == [1, 2]
    assert [follower.last.windows[link.window].name for link in main.links] == ["Tab #1", "second"]
    assert follower.last.session("it's; $x #{y}|é") is not None
    assert set(follower.last.panes_of("main")) == {f"main/terminal_{number}" for number in range(3)}


async def test_a_pane_is_told_with_its_process_and_folder(zellij: Zellij, follower: Follower) -> None:
    pane = follower.pane("main/terminal_0")
    assert os.readlink(f"/proc/{pane.pid}/exe").endswith(("sh", "busybox"))
    assert pane.path == str(zellij.world.home)
    assert psutil.Process(pane.pid).environ()["ZELLIJ_PANE_ID"] == "0"


async def test_the_servers_are_told(zellij: Zellij, follower: Follower) -> None:
    zellij.new("other")
    await follower.until(lambda: len(follower.last.servers) == 2, "two servers")
    for pid in follower.last.servers:
        assert "--server" in psutil.Process(pid).cmdline()


async def test_a_client_looks_at_a_tab_and_a_pane(zellij: Zellij, follower: Follower) -> None:
    zellij.attach("main")
    await follower.until(lambda: follower.last.watched_panes() == {"main/terminal_0"}, "the client")
    client = follower.last.clients[0]
    assert client.name.removeprefix("main/").isdecimal()
    assert client.session == "main"
    assert (client.width, client.height) == (120, 30)
    zellij.action("main", "new-tab")
    await follower.until(lambda: follower.last.watched_panes() == {"main/terminal_1"}, "the new tab")
    zellij.action("main", "go-to-tab", "1")
    await follower.until(lambda: follower.last.seen_windows() == {"main/tab_0"}, "the first tab again")


async def test_a_client_that_leaves_is_seen_no_more(zellij: Zellij, follower: Follower) -> None:
    terminal = zellij.attach("main")
    await follower.until(lambda: follower.last.viewers(), "the client")
    zellij.world.terminals.remove(terminal)
    terminal.close()
    await follower.until(lambda: not follower.last.viewers(), "nobody")


async def test_the_current_tab_stays_current_when_nobody_looks(zellij: Zellij, follower: Follower) -> None:
    terminal = zellij.attach("main")
    zellij.action("main", "new-tab")
    await follower.until(lambda: follower.last.seen_windows() == {"main/tab_1"}, "the second tab")
    zellij.world.terminals.remove(terminal)
    terminal.close()
    await follower.until(lambda: not follower.last.viewers(), "nobody")
    main = follower.last.session("main")
    assert main is not None
    assert main.current_window == "main/tab_1"


async def test_a_title_is_heard(zellij: Zellij, follower: Follower) -> None:
    zellij.action("main", "write-chars", "--pane-id", "terminal_0", "printf '\\033]2;%s\\007' working; cat")
    zellij.action("main", "send-keys", "--pane-id", "terminal_0", "Enter")
    await follower.until(lambda: follower.pane("main/terminal_0").title == "working", "the title")


async def test_a_rename_is_told_as_one(zellij: Zellij, follower: Follower) -> None:
    pid = follower.pane("main/terminal_0").pid
    zellij.action("main", "rename-session", "renamed")
    await follower.until(lambda: follower.last.session("renamed"), "the new name")
    told = [event.renamed for event in follower.events if isinstance(event, InventoryRead) and event.renamed]
    assert told == [{"main": "renamed"}]
    assert follower.pane("renamed/terminal_0").pid == pid


async def test_a_session_of_the_same_name_is_another_one(zellij: Zellij, follower: Follower) -> None:
    zellij.new("second")
    await follower.until(lambda: follower.last.session("second"), "the session")
    pid = follower.pane("second/terminal_0").pid
    zellij.run("delete-session", "--force", "second", check=False)
    zellij.world.until(lambda: "second" not in zellij.sessions(), "its end")
    zellij.new("second")
    await follower.until(
        lambda: (pane := follower.last.pane("second/terminal_0")) and pane.pid not in (0, pid), "the new one"
    )
    assert not any(event.renamed for event in follower.events if isinstance(event, InventoryRead))


async def test_a_dead_session_is_no_session(zellij: Zellij, follower: Follower) -> None:
    terminal = zellij.attach("mortal")
    # zellij writes what brings a session back after a minute; it is told to do so at once.
    zellij.action("mortal", "save-session")
    zellij.world.terminals.remove(terminal)
    terminal.close()
    await follower.until(lambda: follower.last.session("mortal"), "the session")
    zellij.run("kill-session", "mortal")
    zellij.world.until(zellij.dead, "the session among the dead")
    await follower.until(lambda: not follower.last.session("mortal"), "its end")
    assert (await follower.provider.look()).session("mortal") is None


async def test_a_program_that_ends_is_dead_and_another_one_is_found(
    zellij: Zellij, follower: Follower
) -> None:
    zellij.action("main", "new-pane", "--", "sh", "-c", "read -r _ </dev/tty || sleep 1000")
    await follower.until(lambda: follower.last.pane("main/terminal_1"), "the pane")
    pid = (
        await follower.until(lambda: (p := follower.last.pane("main/terminal_1")) and p.pid and p, "it")
    ).pid
    zellij.world.until(lambda: os.path.exists(f"/proc/{pid}"))
    zellij.action("main", "send-keys", "--pane-id", "terminal_1", "Enter")
    await follower.until(lambda: follower.pane("main/terminal_1").dead, "its end")
    assert follower.pane("main/terminal_1").pid == 0
    zellij.action("main", "send-keys", "--pane-id", "terminal_1", "Enter")  # run it again
    await follower.until(
        lambda: not (pane := follower.pane("main/terminal_1")).dead and pane.pid not in (0, pid),
        "the second run",
    )
