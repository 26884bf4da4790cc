"""zellij's answers as an inventory, and answers that are not whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opensessions.model import Inventory
from opensessions_zellij import binary, places
from opensessions_zellij.births import Socket
from opensessions_zellij.reading import Held, Incomplete, Root, held, inventory, living_and_dead, names, split

CLIENTS = "CLIENT_ID ZELLIJ_PANE_ID RUNNING_COMMAND\n"


def cell(id: int, **more: Any) -> dict[str, Any]:
    """A pane as 0.45.1 prints it."""
    return {
        "id": id, "is_plugin": False, "is_focused": id == 0, "is_fullscreen": False, "is_floating": False,
        "is_suppressed": False, "title": f"Pane #{id}", "exited": False, "exit_status": None, "is_held": False,
        "pane_x": 0, "pane_y": 1, "pane_rows": 28, "pane_columns": 120, "terminal_command": None, "plugin_url": None,
        "index_in_pane_group": {}, "tab_id": 0, "tab_position": 0, "tab_name": "Tab #1", "pane_cwd": "/", **more,
    }  # fmt: skip


def read(*cells: dict[str, Any], clients: str = "") -> Held:
    return held(json.dumps(cells), CLIENTS + clients)


def whole(what: Held, before: Inventory | None = None, owner: str = "me") -> Inventory:
    root = Root("work", 7, Socket(1, 7), 99)
    return inventory("0.45.1", [(root, what)], {"work/terminal_0": 5}, owner, before)


# --- sessions -------------------------------------------------------------------------------------------------


def test_names_of_living_sessions() -> None:
    listing = (
        "plain [Created 2m 42s ago] \n"
        "odd name; $x #{y}|'é [Created 1day 3h 1s ago] (current)\n"
        "gone [Created 46s ago] (EXITED - attach to resurrect)\n"
        "a [Created 1s ago] b [Created 0s ago] \n"
    )
    assert names(listing) == ("plain", "odd name; $x #{y}|'é", "a [Created 1s ago] b")
    assert living_and_dead(listing)[1] == {"gone"}
    assert names("") == ()


@pytest.mark.parametrize("listing", ["plain\n", "plain [Created", "Error occurred: PermissionDenied\n"])
def test_a_list_that_is_not_understood_is_incomplete(listing: str) -> None:
    with pytest.raises(Incomplete):
        names(listing)


# --- one session ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("panes", "clients"),
    [
        ("", CLIENTS),
        ("[", CLIENTS),
        ('[{"id": 1}]', CLIENTS),
        ("{}", CLIENTS),
        ("[]", ""),
        ("[]", "1 terminal_0 sh\n"),
        ("[]", f"{CLIENTS}1         terminal_0     N/A\n"),
        ("[]", f"{CLIENTS}one\n"),
    ],
)
def test_half_an_answer_is_none(panes: str, clients: str) -> None:
    with pytest.raises(Incomplete):
        held(panes, clients)


def test_what_is_new_in_an_answer_is_no_fault() -> None:
    assert read(cell(0, something={"new": 1})).cells[0].id == 0


def test_each_client_has_a_pane() -> None:
    what = read(
        cell(0), cell(1), clients="1         terminal_0     N/A\n12        terminal_1     sh -c 'a b'\n"
    )
    assert what.lookers == {1: "terminal_0", 12: "terminal_1"}


# --- inventories ------------------------------------------------------------------------------------------------


def test_an_inventory() -> None:
    bar = cell(1, is_plugin=True, pane_y=0, pane_rows=1)
    what = read(cell(0, title="ed", pane_cwd="/src"), bar, clients="3 terminal_0 sh\n")
    found = whole(what)
    (session,) = found.sessions
    assert (session.id, session.name, session.created) == ("work", "work", 7)
    (window,) = found.windows.values()
    assert (window.id, window.name, window.width, window.height) == ("work/tab_0", "Tab #1", 120, 29)
    (pane,) = window.panes
    assert (pane.id, pane.pid, pane.title, pane.path, pane.active) == (
        "work/terminal_0",
        5,
        "ed",
        "/src",
        True,
    )
    assert found.clients[0].name == "work/3"
    assert found.servers == (99,)
    assert split(pane.id) == ("work", "terminal_0")


def test_a_floating_pane_lies_above() -> None:
    cells = (
        cell(0),
        cell(1, is_focused=True, is_floating=True),
        cell(2, is_focused=True, is_suppressed=True),
    )
    (window,) = whole(read(*cells)).windows.values()
    assert window.active_pane is not None
    assert window.active_pane.id == "work/terminal_1"


def test_a_plugin_with_the_focus_leaves_no_pane_active() -> None:
    plugin = cell(4, is_plugin=True, is_focused=True, is_floating=True)
    (window,) = whole(read(cell(0), plugin, clients="1 plugin_4 zellij:strider\n")).windows.values()
    assert window.active_pane is None


def test_two_clients_in_two_tabs() -> None:
    what = read(
        cell(0),
        cell(1, tab_id=5, tab_position=1, is_focused=True),
        clients="1 terminal_0 sh\n2 terminal_1 sh\n",
    )
    found = whole(what)
    assert found.seen_windows() == {"work/tab_0", "work/tab_5"}
    assert found.watched_panes() == {"work/terminal_0", "work/terminal_1"}
    session = found.sessions[0]
    assert [(link.window, link.index, link.current) for link in session.links] == [
        ("work/tab_0", 1, False),
        ("work/tab_5", 2, True),
    ]


def test_the_current_tab_is_remembered_while_nobody_looks() -> None:
    cells = (cell(0), cell(1, tab_id=5, tab_position=1, is_focused=True))
    before = whole(read(*cells, clients="1 terminal_1 sh\n"))
    assert whole(read(*cells), before).sessions[0].current_window == "work/tab_5"
    assert whole(read(*cells)).sessions[0].current_window == "work/tab_0"
    assert whole(read(cells[0]), before).sessions[0].current_window == "work/tab_0"


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        ("python -I -S /x/sidebar.py owner=me", True),
        ("python owner=me extra=1", True),
        ("python owner=meme", False),
        ("echo not-owner=me", False),
        (None, False),
    ],
)
def test_a_sidebar_is_told_by_the_owner_in_its_command(command: str | None, ours: bool) -> None:
    (window,) = whole(read(cell(0, terminal_command=command, title="opensessions"))).windows.values()
    assert window.panes[0].mark == ("me" if ours else "")


def test_without_an_owner_nothing_is_ours() -> None:
    (window,) = whole(read(cell(0, terminal_command="x owner=")), owner="").windows.values()
    assert window.panes[0].mark == ""


@pytest.mark.parametrize("how", ["exited", "is_held"])
def test_a_program_that_has_ended_is_dead(how: str) -> None:
    (window,) = whole(read(cell(0, **{how: True}))).windows.values()
    assert window.panes[0].dead


# --- versions and places ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.44.0", "0.45.1", "0.50", "1.0.0-rc1"])
def test_new_enough(version: str) -> None:
    binary.check_version(binary.version(f"zellij {version}\n"))


def test_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places.sys, "platform", "linux")
    monkeypatch.setattr(places.os, "geteuid", lambda: 7)
    assert places.socket_folder({"ZELLIJ_SOCKET_DIR": "/z", "XDG_RUNTIME_DIR": "/run"}) == "/z"
    assert places.socket_folder({"XDG_RUNTIME_DIR": "/run"}) == "/run/zellij"
    assert places.socket_folder({"XDG_RUNTIME_DIR": "relative"}) == "/tmp/zellij-7"
    assert places.socket_folder({"TMPDIR": "/t/"}) == "/t/zellij-7"
    assert places.cache_folder({"HOME": "/h"}) == "/h/.cache/zellij"
    assert places.cache_folder({"HOME": "/h", "XDG_CACHE_HOME": "/c"}) == "/c/zellij"
    monkeypatch.setattr(places.sys, "platform", "darwin")
    assert places.socket_folder({"XDG_RUNTIME_DIR": "/run", "TMPDIR": "/t"}) == "/t/zellij-7"
    assert places.cache_folder({"HOME": "/h"}).startswith("/h/Library/Caches/")
