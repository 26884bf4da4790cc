"""Commands carried out in a real tmux."""

from __future__ import annotations

import asyncio
import re

import pytest

from opensessions.errors import Refused
from opensessions.provider import (
    CreateSession,
    FocusSidebar,
    KillPane,
    KillSession,
    LeaveSidebar,
    PressKey,
    ReadScreen,
    RenameSession,
    ShowMessage,
    SidebarWish,
    SwitchClient,
    TypeLine,
)
from opensessions_tmux.commands import create
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World
from tests.tmux.conftest import Follower

HOSTILE = "it's; #{pid} #(touch /evil) %H a|b 🙂 é;"


def shown(mux: Tmux, terminal: Terminal) -> str:
    """What a client shows: session, window and pane."""
    lines = mux.lines("list-clients", "-F", "#{client_tty} #{session_id} #{window_id} #{pane_id}")
    return next(line.partition(" ")[2] for line in lines if line.startswith(f"{terminal.tty} "))


# --- switching ----------------------------------------------------------------------------------------------


async def test_the_named_client_is_switched_and_no_other(follower: Follower) -> None:
    mux = follower.mux
    target = mux.new("target")
    first, second = await follower.attach(), await follower.attach()
    second.type(b"x")
    await follower.provider.do(SwitchClient(first.tty, target))
    assert mux.session_of(first) == "target"
    assert mux.session_of(second) == "main"


async def test_a_session_called_like_an_id_or_a_prefix_of_another(follower: Follower) -> None:
    mux = follower.mux
    target, _ = mux.new("api"), mux.new("api-v2")
    mux("rename-window", "-t", "main:", "api")
    terminal = await follower.attach()
    await follower.provider.do(SwitchClient(terminal.tty, target))
    assert mux.session_of(terminal) == "api"


async def test_a_pane_in_a_window_that_is_linked_into_many_sessions(follower: Follower) -> None:
    mux = follower.mux
    other = mux.new("other")
    mux("link-window", "-d", "-s", "main:0", "-t", f"{other}:5")
    pane = mux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", "main:0")
    terminal = await follower.attach("main")
    await follower.provider.do(SwitchClient(terminal.tty, other, pane))
    assert shown(mux, terminal) == f"{other} @0 {pane}"
    with pytest.raises(Refused, match="has no pane %99"):
        await follower.provider.do(SwitchClient(terminal.tty, other, "%99"))


async def test_a_session_or_client_that_is_gone_is_said_in_tmuxs_words(follower: Follower) -> None:
    terminal = await follower.attach()
    with pytest.raises(Refused, match=r"can't find session: \$99"):
        await follower.provider.do(SwitchClient(terminal.tty, "$99"))
    with pytest.raises(Refused, match="can't find client: /dev/pts/nowhere"):
        await follower.provider.do(SwitchClient("/dev/pts/nowhere", "$0"))


async def test_a_control_client_receives_no_switch(world: World, follower: Follower) -> None:
    mux = follower.mux
    target = mux.new("target")
    control = await asyncio.create_subprocess_exec(
        world.binary, "-S", mux.socket, "-C", "attach-session", "-t", "main",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=world.env,
    )  # fmt: skip
    try:
        await follower.until(lambda: follower.last.clients, "the control client")
        with pytest.raises(Refused, match="control-mode client"):
            await follower.provider.do(SwitchClient(follower.last.clients[0].name, target))
    finally:
        await control.communicate(b"detach\n")


async def test_a_switch_from_a_sidebar_leads_to_the_sidebar(follower: Follower) -> None:
    mux = follower.mux
    target = mux.new("target")
    terminal = await follower.attach()
    await follower.show()
    await follower.provider.do(SwitchClient(terminal.tty, target, keep_sidebar=True))
    session, window, pane = shown(mux, terminal).split(" ")
    assert session == target
    assert pane == follower.sidebars()[window]
    await follower.quiet()
    assert len(follower.sidebars()) == 2
    await follower.provider.do(SwitchClient(terminal.tty, "$0", keep_sidebar=True))
    assert shown(mux, terminal).split(" ")[2] == follower.sidebars()["@0"]
    await follower.provider.do(SwitchClient(terminal.tty, target))
    assert shown(mux, terminal).split(" ")[2] == pane, "the destination's active pane is left alone"


async def test_a_switch_from_a_sidebar_leaves_a_zoomed_pane_alone(follower: Follower) -> None:
    mux = follower.mux
    target = mux.new("target")
    mux("split-window", "-t", target)
    mux("resize-pane", "-Z", "-t", target)
    before = mux.ask("#{pane_id}", target)
    terminal = await follower.attach()
    await follower.show()
    await follower.provider.do(SwitchClient(terminal.tty, target, keep_sidebar=True))
    await follower.quiet()
    assert shown(mux, terminal).split(" ")[2] == before
    assert mux.ask("#{window_zoomed_flag}", target) == "1"


async def test_a_switch_from_a_sidebar_where_none_are_wished(follower: Follower) -> None:
    mux = follower.mux
    target = mux.new("target")
    terminal = await follower.attach()
    await follower.provider.do(SwitchClient(terminal.tty, target, keep_sidebar=True))
    assert mux.session_of(terminal) == "target"
    assert follower.sidebars() == {}


# --- focus --------------------------------------------------------------------------------------------------


async def test_focus_goes_to_the_sidebar_and_back(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach()
    mux("split-window", "-t", "main:")
    before = mux.ask("#{pane_id}", "main:")
    await follower.show()
    await follower.provider.do(FocusSidebar(terminal.tty))
    (sidebar,) = follower.sidebars().values()
    assert mux.ask("#{pane_id}", "main:") == sidebar
    await follower.provider.do(LeaveSidebar(sidebar))
    assert mux.ask("#{pane_id}", "main:") == before


async def test_focus_right_after_the_wish(follower: Follower) -> None:
    """The last reading is from before the sidebar came; there must be one all the same."""
    terminal = await follower.attach()
    await follower.provider.sidebars(SidebarWish(visible=True))
    await follower.provider.do(FocusSidebar(terminal.tty))
    await follower.quiet()
    (sidebar,) = follower.sidebars().values()
    assert follower.mux.ask("#{pane_id}", "main:") == sidebar


async def test_focus_while_the_wish_is_carried_out(follower: Follower) -> None:
    """The sidebar comes between the reading that focus goes by and its own spawn."""
    terminal = await follower.attach()
    wish = asyncio.create_task(follower.provider.sidebars(SidebarWish(visible=True)))
    await asyncio.sleep(0)
    assert follower.provider._keeper._lock.locked(), "the wish is under way"
    await asyncio.gather(wish, follower.provider.do(FocusSidebar(terminal.tty)))
    await follower.quiet()
    (sidebar,) = follower.sidebars().values()
    assert follower.mux.ask("#{pane_id}", "main:") == sidebar


async def test_focus_spawns_what_is_missing(follower: Follower) -> None:
    """As after a kill that no reading has told of yet."""
    mux = follower.mux
    terminal = await follower.attach()
    await follower.show()
    mux("kill-pane", "-t", *follower.sidebars().values())
    await follower.provider.do(FocusSidebar(terminal.tty))
    assert mux.ask("#{pane_id}", "main:") == follower.sidebars()["@0"]
    assert "automatic-rename-format" in mux("show-options", "-w", "-t", "main:")


async def test_focus_ends_a_zoom_that_hides_the_sidebar(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach()
    await follower.show()
    mux("resize-pane", "-Z", "-t", "main:")
    await follower.provider.do(FocusSidebar(terminal.tty))
    assert mux.ask("#{window_zoomed_flag} #{pane_id}", "main:") == f"0 {follower.sidebars()['@0']}"


async def test_focus_without_room_or_client_is_refused(follower: Follower) -> None:
    terminal = await follower.attach(cols=40)
    with pytest.raises(Refused, match="has 40 columns; a sidebar needs 46"):
        await follower.provider.do(FocusSidebar(terminal.tty))
    with pytest.raises(Refused, match="No client /nowhere"):
        await follower.provider.do(FocusSidebar("/nowhere"))


async def test_leaving_where_no_pane_was_active_before(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach()
    await follower.show()
    (sidebar,) = follower.sidebars().values()
    await follower.provider.do(FocusSidebar(terminal.tty))
    mux("kill-pane", "-t", mux.lines("list-panes", "-t", "main:", "-F", "#{pane_id}")[1])
    with pytest.raises(Refused, match="no other pane"):
        await follower.provider.do(LeaveSidebar(sidebar))
    other = mux("split-window", "-d", "-h", "-P", "-F", "#{pane_id}", "-t", "main:")
    await follower.provider.do(LeaveSidebar(sidebar))
    assert mux.ask("#{pane_id}", "main:") == other


# --- sessions and messages ------------------------------------------------------------------------------------


async def test_create_rename_and_kill(world: World, follower: Follower) -> None:
    mux = follower.mux
    folder = world.home / "a #{pid} #(id) #[x] é"
    folder.mkdir()
    id = await follower.provider.do(CreateSession(HOSTILE, str(folder)))
    assert mux.ask("#{session_name}", f"{id}:") == HOSTILE
    assert mux.ask("#{session_path}", f"{id}:") == str(folder)
    name = await follower.provider.do(RenameSession(id, f"v1.2:{HOSTILE}"))
    assert name == f"v1_2_{HOSTILE}" == mux.ask("#{session_name}", f"{id}:")
    await follower.until(lambda: (found := follower.last.session(id)) and found.name == name, "the reading")
    await follower.provider.do(KillSession(id))
    await follower.until(lambda: follower.last.session(id) is None, "the end")


async def test_refusals_of_create_rename_and_kill(follower: Follower) -> None:
    with pytest.raises(Refused, match="duplicate session: main"):
        await follower.provider.do(CreateSession("main"))
    with pytest.raises(Refused, match=r"can't find session: \$99"):
        await follower.provider.do(RenameSession("$99", "x"))
    with pytest.raises(Refused, match=r"can't find session: \$99"):
        await follower.provider.do(KillSession("$99"))


async def test_a_new_session_inherits_tmuxs_environment_and_not_ours(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    mux = follower.mux
    mux("set-environment", "-g", "SSH_AUTH_SOCK", "/the/users")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/the/servers")
    monkeypatch.delenv("DISPLAY", raising=False)
    id = await follower.provider.do(CreateSession("fresh"))
    assert "-DISPLAY" not in mux("show-environment", "-t", id)
    assert "SSH_AUTH_SOCK" not in mux("show-environment", "-t", id)


def test_a_session_without_a_name_or_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/u")
    assert create(CreateSession("")) == (
        "new-session",
        "-d",
        "-E",
        "-P",
        "-F",
        "#{session_id}",
        "-c",
        "/home/u",
    )


async def test_clients_leave_before_their_session_is_killed(follower: Follower) -> None:
    mux = follower.mux
    refuge, victim = mux.new("refuge"), mux.new("victim")
    clients = [
        await follower.attach("victim"),
        await follower.attach("victim"),
        await follower.attach("main"),
    ]
    await follower.provider.do(KillSession(victim, refuge))
    assert [mux.session_of(client) for client in clients] == ["refuge", "refuge", "main"]
    await follower.until(lambda: follower.last.session(victim) is None, "the end")


async def test_a_refuge_that_is_gone_saves_the_session(follower: Follower) -> None:
    mux = follower.mux
    victim = mux.new("victim")
    terminal = await follower.attach("victim")
    with pytest.raises(Refused, match="was not killed"):
        await follower.provider.do(KillSession(victim, "$99"))
    assert mux.session_of(terminal) == "victim"


async def test_a_message_is_plain_text(follower: Follower) -> None:
    follower.mux("set-option", "-g", "display-time", "0")
    terminal = await follower.attach()
    text = "-x 100%d of #{pid} #(touch /evil) #[fg=red]; é"
    await follower.provider.do(ShowMessage(terminal.tty, text))
    await follower.until(lambda: text in terminal.text, "the message")


# --- panes ------------------------------------------------------------------------------------------------------


async def test_a_pane_is_closed_by_its_id(follower: Follower) -> None:
    mux = follower.mux
    pane = mux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", "main:")
    other = mux.ask("#{pane_id}", "main:")
    await follower.provider.do(KillPane(pane))
    assert mux.lines("list-panes", "-a", "-F", "#{pane_id}") == [other]
    await follower.until(lambda: follower.last.pane(pane) is None, "a reading without it")
    with pytest.raises(Refused, match="can't find pane"):
        await follower.provider.do(KillPane(pane))


def answered(follower: Follower, pane: str) -> str:
    return follower.mux("capture-pane", "-p", "-J", "-t", pane)


@pytest.mark.parametrize("manner", ["prompt", "half a line", "copy mode"])
async def test_a_line_arrives_as_it_is(follower: Follower, manner: str) -> None:
    """Nothing in it is a format, a key's name, a command's end or an option; what stood at the prompt is gone."""
    mux = follower.mux
    pane = mux.ask("#{pane_id}", "main:")
    await follower.until(lambda: "$" in answered(follower, pane), "the prompt")
    if manner == "half a line":
        mux("send-keys", "-t", pane, "-l", "rm -rf ")
    if manner == "copy mode":
        mux("copy-mode", "-t", pane)
    await follower.provider.do(
        TypeLine(pane, "printf '<%s>' '#{pid} #(touch evil) C-c Enter %H a|b é' -x ';'")
    )
    await follower.until(
        lambda: "<#{pid} #(touch evil) C-c Enter %H a|b é><-x><;>" in answered(follower, pane)
    )
    await follower.provider.do(TypeLine(pane, "-l;"))
    await follower.until(lambda: "-l: " in answered(follower, pane), "sh does not find it")
    assert "rm: " not in answered(follower, pane)


async def test_nothing_is_typed_where_it_would_go_elsewhere(follower: Follower) -> None:
    mux = follower.mux
    pane = mux.ask("#{pane_id}", "main:")
    other = mux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", pane)
    mux("set-option", "-w", "-t", pane, "synchronize-panes", "on")
    with pytest.raises(Refused, match="types into all panes"):
        await follower.provider.do(TypeLine(pane, "echo evil"))
    mux("set-option", "-w", "-t", pane, "synchronize-panes", "off")
    mux("select-pane", "-d", "-t", pane)
    with pytest.raises(Refused, match="takes no input"):
        await follower.provider.do(TypeLine(pane, "echo evil"))
    mux("set-option", "-w", "-t", other, "remain-on-exit", "on")
    await follower.until(lambda: "$" in answered(follower, other), "its prompt")
    mux("send-keys", "-t", other, "exit", "Enter")
    await follower.until(lambda: mux.ask("#{pane_dead}", other) == "1", "a dead pane")
    with pytest.raises(Refused, match="has ended"):
        await follower.provider.do(TypeLine(other, "echo evil"))
    for odd in ("%99", "main", "", "%1; kill-server", "-a"):
        with pytest.raises(Refused):
            await follower.provider.do(TypeLine(odd, "echo evil"))
    assert "evil" not in answered(follower, pane)


# --- one key ----------------------------------------------------------------------------------------------------

READS_KEYS = (
    "stty -icanon -echo -icrnl min 1; printf ready; "
    "while :; do c=$(dd bs=1 count=1 2>/dev/null | od -An -tx1); printf '<%s>' $c; done"
)


async def listening(follower: Follower) -> str:
    """A pane whose program shows the bytes that it reads."""
    pane = follower.mux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", "main:", READS_KEYS)
    await follower.until(lambda: "ready" in answered(follower, pane), "the program reads")
    return pane


async def test_a_key_is_one_key(follower: Follower) -> None:
    pane = await listening(follower)
    for key in ("y", "1", "enter", "escape", "n"):
        await follower.provider.do(PressKey(pane, key))
    await follower.until(lambda: "<79><31><0d><1b><6e>" in answered(follower, pane), "the keys")


async def test_no_key_is_pressed_where_it_would_go_elsewhere(follower: Follower) -> None:
    mux = follower.mux
    pane = await listening(follower)
    mux("copy-mode", "-t", pane)
    with pytest.raises(Refused, match="copy mode"):
        await follower.provider.do(PressKey(pane, "q"))
    assert mux.ask("#{pane_in_mode}", pane) == "1"
    mux("send-keys", "-t", pane, "-X", "cancel")
    mux("set-option", "-w", "-t", pane, "synchronize-panes", "on")
    with pytest.raises(Refused, match="types into all panes"):
        await follower.provider.do(PressKey(pane, "y"))
    mux("set-option", "-w", "-t", pane, "synchronize-panes", "off")
    mux("select-pane", "-d", "-t", pane)
    with pytest.raises(Refused, match="takes no input"):
        await follower.provider.do(PressKey(pane, "y"))
    mux("select-pane", "-e", "-t", pane)
    for odd in ("%99", "main", "", "%1; kill-server", "-a"):
        with pytest.raises(Refused):
            await follower.provider.do(PressKey(odd, "y"))
    for key in ("Y", "C-c", "ab", ";", "", "$", "-l", "#{pid}", "Enter"):
        with pytest.raises(ValueError, match="^" + re.escape(key) + "$"):
            await follower.provider.do(PressKey(pane, key))
    await follower.provider.do(PressKey(pane, "a"))
    await follower.until(lambda: "ready<61>" in answered(follower, pane), "only the last one")


async def test_a_screen_is_read_with_its_colours(follower: Follower) -> None:
    command = r"printf '\033[7mone\033[0m two'; exec cat"
    pane = follower.mux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", "main:", command)
    await follower.until(lambda: "one two" in answered(follower, pane), "the text")
    shown = await follower.provider.do(ReadScreen(pane))
    assert shown.startswith("\x1b[7mone\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown).startswith("one two")
    with pytest.raises(Refused, match="can't find pane"):
        await follower.provider.do(ReadScreen("%99"))
