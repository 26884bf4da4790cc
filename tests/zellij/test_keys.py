"""The keys, pressed by a client of the real zellij: which session it shows, and that nothing else is touched."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from opensessions.installation import plugin_folder
from opensessions_zellij.floating import hides
from opensessions_zellij.places import metadata_file
from tests.support.terminal import Terminal
from tests.support.world import World
from tests.support.zellij import Zellij, press


@pytest.fixture
def keys(zworld: World, zellij: Zellij) -> Zellij:
    """A zellij with our keys, the sessions `alpha` and `beta`, and a server that serves it."""
    zworld.cli("zellij", "install")
    zellij.new("alpha")
    zellij.new("beta")
    zellij.up("alpha")
    zworld.until(lambda: len(zellij.rows()) == 2, "both rows")
    return zellij


@pytest.fixture
def client(keys: Zellij) -> Terminal:
    return keys.attach("alpha")


def shows(zellij: Zellij, session: str) -> None:
    """Wait until the only client is in that session."""
    (terminal,) = zellij.world.terminals
    zellij.arrives(terminal, session)


def still(zellij: Zellij, session: str) -> None:
    """No pane of a key is left, and nothing else was touched."""
    zellij.world.until(lambda: [pane["id"] for pane in zellij.panes(session)] == [0], "the first pane alone")
    zellij.world.until(
        lambda: list(zellij.clients(session).values()) == ["terminal_0"], "the focus where it was"
    )


def test_index_keys_and_neighbours(keys: Zellij, client: Terminal) -> None:
    for key, session in (
        ("2", "beta"),
        ("1", "alpha"),
        ("n", "beta"),
        ("n", "alpha"),
        ("p", "beta"),
        ("p", "alpha"),
    ):
        press(keys, client, key)
        shows(keys, session)
    still(keys, "alpha")
    assert [pane["id"] for pane in keys.panes("beta")] == [0]


def test_the_client_that_pressed_is_the_one_that_goes(keys: Zellij, client: Terminal) -> None:
    other = keys.attach("alpha")
    keys.world.until(lambda: len(keys.clients("alpha")) == 2, "both clients")
    press(keys, client, "2")
    keys.world.until(lambda: "(beta)" in client.text, "the one that pressed")
    assert "(alpha)" in other.text
    press(keys, other, "2")
    keys.world.until(lambda: "(beta)" in other.text, "the other one, when it presses")


def test_names_are_never_more_than_names(keys: Zellij, client: Terminal) -> None:
    odd = "it's; #{x} $(touch pwned) -f"
    keys.action("beta", "rename-session", odd)
    keys.world.until(lambda: [name for _, name in keys.rows()] == ["alpha", odd], "the renamed row")
    press(keys, client, "2")
    shows(keys, odd)
    press(keys, client, "n")
    shows(keys, "alpha")
    keys.action("alpha", "rename-session", "omega")
    keys.world.until(lambda: [name for _, name in keys.rows()] == ["omega", odd], "the other renamed row")
    press(keys, client, "n")
    shows(keys, odd)
    assert sorted(keys.sessions()) == [odd, "omega"]
    assert not list(keys.world.home.rglob("pwned"))


@pytest.mark.parametrize("key", ["9", "1", "b", "Escape"])
def test_keys_that_lead_nowhere_do_nothing(keys: Zellij, client: Terminal, key: str) -> None:
    """A row that there is none of, the current one, a letter without a meaning, leaving."""
    press(keys, client, "\x1b" if key == "Escape" else key)
    client.see("LOCK")
    still(keys, "alpha")
    client.type(b"echo s''een\r")
    client.see("seen")


def test_a_row_whose_session_has_just_ended_is_said(keys: Zellij, client: Terminal) -> None:
    """zellij itself would make a new session of that name."""
    server = int(keys.world.status()["pid"])
    os.kill(server, signal.SIGSTOP)
    try:
        keys.run("kill-session", "beta")
        press(keys, client, "2")
        client.see("The session beta has ended just now.")
    finally:
        os.kill(server, signal.SIGCONT)
    client.type(b"\r")
    still(keys, "alpha")
    assert keys.sessions() == ["alpha"]


def test_the_focus_of_floating_panes_comes_back(keys: Zellij, client: Terminal) -> None:
    for _ in range(2):
        keys.action("alpha", "new-pane", "--floating")
    keys.action("alpha", "focus-pane-id", "terminal_1")
    keys.world.until(
        lambda: [*keys.clients("alpha").values()] == ["terminal_1"], "the first floating pane in focus"
    )
    press(keys, client, "9")
    keys.world.until(lambda: len(keys.panes("alpha")) == 3, "the key's pane gone")
    keys.world.until(lambda: [*keys.clients("alpha").values()] == ["terminal_1"], "the same focus")


@pytest.mark.parametrize("key", ["9", "?"])
def test_hidden_floating_panes_stay_hidden(keys: Zellij, client: Terminal, key: str) -> None:
    """As the page says, they may stay where zellij notes the key's own pane before the key reads what it has noted:
    about one time in thirty."""
    keys.action("alpha", "new-pane", "--floating")
    note = Path(metadata_file(str(keys.world.home / ".cache/zellij"), keys.folder, "alpha"))

    def hidden() -> bool:
        def said() -> str:
            asked = keys.run("--session", "alpha", "action", "are-floating-panes-visible", check=False)
            return (asked.stdout + asked.stderr).strip()

        answer: str = keys.world.until(lambda: (now := said()) in ("true", "false") and now, "an answer")
        return answer == "false"

    for _ in range(5):
        if not hidden():
            keys.action("alpha", "hide-floating-panes")
        keys.world.until(lambda: note.exists() and hides(note.read_text(), "none"), "zellij's note of it")
        press(keys, client, key)
        client.see("LOCK")  # the mode after the key: its pane has opened
        if key == "?":
            client.see("the next session")
            client.type(b"\r")
        keys.world.until(lambda: len(keys.panes("alpha")) == 2, "the key's panes gone")
        if hidden():
            break
    assert hidden()
    keys.world.until(lambda: list(keys.clients("alpha").values()) == ["terminal_0"], "the focus where it was")


def test_a_fullscreen_pane_stays_one(keys: Zellij, client: Terminal) -> None:
    keys.action("alpha", "new-pane", "--direction", "right")
    keys.action("alpha", "toggle-fullscreen")
    press(keys, client, "9")
    keys.world.until(lambda: len(keys.panes("alpha")) == 2, "the key's pane gone")
    keys.world.until(
        lambda: [pane["is_fullscreen"] for pane in keys.panes("alpha")] == [False, True], "fullscreen"
    )


def test_the_sidebar_in_every_tab(keys: Zellij, client: Terminal) -> None:
    keys.action("alpha", "new-tab")
    press(keys, client, "t")
    keys.world.until(lambda: len(keys.sidebars("alpha")) == 2, "a sidebar in both tabs")
    assert not any(pane in keys.clients("alpha").values() for pane in _names(keys, "alpha")), (
        "it took the focus"
    )
    press(keys, client, "t")
    keys.world.until(lambda: not keys.sidebars("alpha"), "none in any")


def test_the_sidebar_gets_the_focus(keys: Zellij, client: Terminal) -> None:
    press(keys, client, "s")
    keys.world.until(
        lambda: set(keys.clients("alpha").values()) == {*_names(keys, "alpha")} != set(),
        "the focus in the sidebar",
    )
    client.see("beta")
    client.type(b"j")
    client.type(b"\r")
    shows(keys, "beta")


def _names(zellij: Zellij, session: str) -> list[str]:
    return [f"terminal_{pane['id']}" for pane in zellij.sidebars(session).values()]


def test_the_list_in_a_floating_pane(keys: Zellij, client: Terminal) -> None:
    press(keys, client, "g")
    client.see("tab mode")
    client.type(b"q")
    still(keys, "alpha")
    press(keys, client, "g")
    client.see("tab mode")
    client.type(b"2")
    shows(keys, "beta")
    keys.world.until(lambda: [pane["id"] for pane in keys.panes("alpha")] == [0], "the floating pane gone")


def test_a_session_in_a_folder_that_is_chosen(keys: Zellij, client: Terminal) -> None:
    (keys.world.home / "project").mkdir()
    press(keys, client, "c")
    client.see("new session")
    client.type(b"~/project")
    client.see("~/project")
    client.type(b"\r")
    keys.world.until(lambda: "(project)" in client.text and "$ " in client.text, "the session")
    assert sorted(keys.sessions()) == ["alpha", "beta", "project"]
    keys.world.until(lambda: [pane["id"] for pane in keys.panes("alpha")] == [0], "the floating pane gone")


def test_without_a_server_a_key_starts_one(keys: Zellij, client: Terminal) -> None:
    keys.world.cli("down")
    assert not keys.rows()
    press(keys, client, "2")
    shows(keys, "beta")
    assert keys.world.status()["running"]
    press(keys, client, "1")
    shows(keys, "alpha")


def test_after_a_crash_a_key_switches_and_starts_a_server(keys: Zellij, client: Terminal) -> None:
    pid = int(keys.world.status()["pid"])
    os.kill(pid, signal.SIGKILL)
    assert keys.rows(), "the rows are still there"
    press(keys, client, "2")
    shows(keys, "beta")
    keys.world.until(lambda: keys.world.status().get("pid", pid) != pid, "another server")


def test_files_that_are_gone_are_named(keys: Zellij, client: Terminal) -> None:
    text = keys.config.read_text().replace(f"{plugin_folder()}/scripts", "/gone/scripts")
    keys.config.write_text(text)
    other = keys.attach("gamma")  # a session that begins with this configuration
    press(keys, other, "1")
    other.see("can't open file")


def test_a_refusal_of_the_server_is_shown(keys: Zellij, client: Terminal) -> None:
    press(keys, client, "a")
    client.see("No agent needs you")
    client.type(b"\r")
    still(keys, "alpha")


def test_what_zellij_notes_of_floating_panes() -> None:
    def noted(active: str, visible: str, count: int, *panes: int) -> str:
        tab = f"        active {active}\n        are_floating_panes_visible {visible}\n"
        tab += f"        selectable_floating_panes_count {count}\n"
        body = "".join(f"    pane {{\n        id {pane}\n        is_plugin false\n    }}\n" for pane in panes)
        return f'name "x"\ntabs {{\n    tab {{\n{tab}    }}\n}}\npanes {{\n{body}}}\n'

    assert hides(noted("true", "false", 1, 0, 1), "7")
    assert not hides(noted("true", "true", 1, 0, 1), "7"), "they are shown"
    assert not hides(noted("true", "false", 0, 0), "7"), "there are none"
    assert not hides(noted("false", "false", 1, 0, 1), "7"), "another tab's"
    assert not hides(noted("true", "false", 1, 0, 1, 7), "7"), "written after the key"
    assert not hides("", "7")
