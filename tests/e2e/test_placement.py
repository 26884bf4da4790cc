"""Where sidebars stand: each rule, and the tests that show it on a real tmux.

The rules are promises to people who keep a sidebar open; `RULES` names for each the tests that hold it, here and
elsewhere, and a test that each of them exists.
"""

from __future__ import annotations

import ast
import json
import os
import signal
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path

import psutil
import pytest

from tests.e2e.test_sidebar import PREFIX, shows, sidebar_of, text_of
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

HERE, SIDEBAR, CONTRACT = "e2e/test_placement.py::", "e2e/test_sidebar.py::", "e2e/test_contract_sidebar.py::"
PANES, PLAN, POPUP = "tmux/test_sidebars.py::", "tmux/test_placement.py::", "e2e/test_popup.py::"

RULES: dict[str, tuple[str, ...]] = {
    "the columns of a pane that dies go to its neighbour, not to the sidebar": (
        f"{PANES}test_the_columns_of_a_pane_that_died_go_to_its_neighbour",
        f"{HERE}test_nothing_that_a_user_does_moves_it",
    ),
    "one width, and only the user's own act changes it": (
        f"{PANES}test_widths_made_by_others_are_repaired",
        f"{PANES}test_a_wished_width_reaches_every_window",
        f"{HERE}test_a_width_by_key_and_by_drag_is_remembered",
        f"{SIDEBAR}test_the_width_is_kept",
    ),
    "a repair is idempotent, settles, gives up, and skips zoomed windows": (
        f"{PLAN}test_a_wrong_width_is_repaired_once",
        f"{PLAN}test_somebody_who_resizes_for_ever_wins",
        f"{PLAN}test_what_did_not_help_is_tried_ever_more_seldom_and_then_left",
        f"{PANES}test_what_a_zoom_or_a_user_undid_in_that_moment_is_repaired_again",
        f"{PANES}test_a_width_that_cannot_be_had_is_given_up",
        f"{PANES}test_a_zoomed_window_is_not_unzoomed_by_a_repair",
        f"{PANES}test_a_drag_of_the_border_is_not_disturbed_and_adopted",
    ),
    "`window-size` stays what it was": (
        f"{HERE}test_nothing_that_a_user_does_moves_it",
        f"{HERE}test_two_clients_of_different_sizes_in_two_sessions",
        f"{CONTRACT}test_two_clients_of_different_sizes_on_one_session",
    ),
    "it comes as a full column; the active pane stays active, a zoomed window zoomed; no shell is needed": (
        f"{PANES}test_the_sidebar_comes_without_taking_the_focus",
        f"{PANES}test_a_zoomed_window_stays_zoomed_and_another_is_not_zoomed",
        f"{PANES}test_the_program_gets_its_arguments_and_no_shell",
        f"{CONTRACT}test_a_zoomed_window_stays_zoomed_and_gets_its_layout_back",
    ),
    "it stands left or right": (f"{PANES}test_on_the_right", f"{HERE}test_nothing_that_a_user_does_moves_it"),
    "a sidebar that is left alone takes nobody's session by surprise": (
        f"{PANES}test_a_lone_sidebar_goes_and_its_viewers_are_elsewhere_first",
        f"{PANES}test_a_lone_sidebar_in_one_of_several_windows_goes_with_it",
        f"{PANES}test_the_only_session_is_not_killed",
        f"{PANES}test_two_lone_sidebars_do_not_take_the_session_with_them",
        f"{CONTRACT}test_the_last_pane_beside_a_sidebar_ends",
        f"{HERE}test_a_shell_comes_to_a_lone_sidebar_where_that_is_configured",
    ),
    "only the owner's mark makes a pane a sidebar": (
        f"{PANES}test_panes_that_only_look_like_ours_are_not_touched",
        f"{PANES}test_two_servers_on_one_tmux_leave_each_other_alone",
        f"{HERE}test_a_pane_that_was_a_sidebar_in_another_life_is_a_pane",
    ),
    "only keys that a person types into it act": (
        f"{SIDEBAR}test_keys_that_a_program_sends_do_nothing",
        f"{CONTRACT}test_an_adversary_may_not_type_into_it",
        f"{HERE}test_a_paste_into_it_does_nothing",
    ),
    "no reply of a terminal shows in the user's pane": (
        f"{HERE}test_no_reply_of_a_terminal_reaches_a_users_pane",
    ),
    "shown or hidden survives restarts of the server and loads of the plugin": (
        f"{SIDEBAR}test_down_closes_every_sidebar_and_up_brings_them_back",
        f"{SIDEBAR}test_it_comes_back_after_the_server_was_killed",
        f"{HERE}test_hidden_stays_hidden",
        f"{HERE}test_shown_stays_shown_when_the_plugin_is_loaded_again",
    ),
    "every window of a session that somebody looks at has one, others none; one that is shared has one": (
        f"{SIDEBAR}test_every_window_of_a_viewed_session_has_one_and_other_sessions_none",
        f"{PANES}test_only_sessions_with_a_viewer_have_them",
        f"{PANES}test_groups_and_linked_windows_have_one_each",
        "e2e/test_contract_tmux.py::test_grouped_sessions_and_linked_windows_have_one_sidebar_each",
        f"{HERE}test_windows_that_are_moved_linked_and_swapped",
    ),
    "a dead server leaves no dead sidebar": (
        "test_pump.py::test_it_outlives_its_server_by_its_patience_at_most",
        f"{CONTRACT}test_a_killed_sidebar_or_pump_is_followed_by_one_other",
        f"{CONTRACT}test_remain_on_exit_leaves_no_dead_pane",
    ),
    "`q` closes the sidebars and stops nothing; in another pane it is a letter": (
        f"{HERE}test_q_closes_the_sidebars_and_is_a_letter_elsewhere",
    ),
    "a switch from the sidebar leads to the sidebar, any other to the pane that was active there": (
        f"{SIDEBAR}test_enter_switches_and_keeps_the_focus_in_the_other_sidebar",
        f"{HERE}test_a_switch_by_a_binding_leaves_the_active_pane_alone",
    ),
    "its cursor goes home when somebody arrives": (f"{HERE}test_the_cursor_is_home_when_somebody_arrives",),
    "the focus is given back": (f"{HERE}test_escape_gives_the_focus_back_to_where_it_was",),
    "what nobody sees is not painted": (f"{HERE}test_a_sidebar_out_of_sight_is_sent_nothing",),
    "a window without the room has none": (
        f"{PANES}test_a_narrow_window_has_none",
        f"{CONTRACT}test_narrow_and_low_windows",
    ),
    "even panes leave it as it is": (
        f"{POPUP}test_even_panes_leave_the_sidebar_as_it_is",
        f"{POPUP}test_even_panes_without_a_sidebar",
        f"{POPUP}test_even_panes_from_a_zoomed_one",
    ),
    "a popup closes when a row is chosen": (
        f"{POPUP}test_choosing_a_row_switches_the_client_and_closes_it",
        f"{POPUP}test_two_clients_have_a_popup_each",
    ),
    "it is no part of a window's name": (
        f"{PANES}test_a_focused_sidebar_does_not_rename_its_window",
        f"{PANES}test_a_users_own_format_of_a_window_stays",
    ),
    "when it goes all is as before": (
        f"{PANES}test_the_layout_is_as_before",
        f"{PANES}test_withdrawal_leaves_tmux_as_it_was",
        f"{SIDEBAR}test_toggle_never_steals_the_focus_and_leaves_no_trace",
        "install/test_leaves_nothing.py::test_uninstalling_leaves_tmux_as_it_was",
    ),
}


def test_every_rule_has_tests_that_exist() -> None:
    root = Path(__file__).parents[1]
    found: dict[str, set[str]] = {}
    for name in {test.split("::")[0] for tests in RULES.values() for test in tests}:
        tree = ast.parse((root / name).read_text())
        found[name] = {
            node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    for rule, tests in RULES.items():
        assert tests
        for test in tests:
            file, function = test.split("::")
            assert function in found[file], f"{rule}: {test}"


# --- what the tests ask -----------------------------------------------------------------------------------------


def served(world: World, conf: str = "", config: str = "", cols: int = 120) -> tuple[Tmux, Terminal]:
    """A client in `main`; `api` and `web` beside it; sidebars shown."""
    world.config.write_text(config)
    mux = world.mux(conf=conf)
    for name in ("api", "web"):
        mux.new(name)
    mux.load()
    client = mux.attach(cols=cols)
    client.type(PREFIX + b"t")
    shows(world, mux, "main", "web")
    return mux, client


def focused(world: World, mux: Tmux, target: str = "main") -> None:
    """Wait until the sidebar is the active pane."""
    world.until(
        lambda: mux.ask("#{pane_id}", f"={target}:") == sidebar_of(mux, target), "the focus in the sidebar"
    )


def panes(mux: Tmux, window: str) -> list[tuple[int, int, int, bool, str]]:
    """(left, width, height, is a sidebar, id) of a window's panes, from left to right."""
    form = "#{pane_left} #{pane_width} #{pane_height} #{?@opensessions-sidebar,1,0} #{pane_id}"
    rows = (line.split(" ") for line in mux.lines("list-panes", "-t", window, "-F", form))
    return sorted(
        (int(left), int(width), int(height), mark == "1", id) for left, width, height, mark, id in rows
    )


def in_place(mux: Tmux, window: str, position: str = "left", width: int = 26) -> bool:
    """One sidebar, a whole column of its width at its edge."""
    listed = panes(mux, window)
    edge = listed[0 if position == "left" else -1]
    tall = int(mux.ask("#{window_height}", window))
    return [mark for *_, mark, _ in listed].count(True) == 1 and edge[1:4] == (width, tall, True)


# --- under the hands of a user ------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", ["left", "right"])
def test_nothing_that_a_user_does_moves_it(world: World, position: str) -> None:
    """Split, kill, swap, break, join, rotate, respawn, layouts, sizes: afterwards it stands where it stood, the focus
    is where it was, and no window has a size of its own."""
    mux, client = served(world, config=f"sidebar: {{position: {position}}}\n")
    window = mux.ask("#{window_id}", "=main:")
    user = mux.ask("#{pane_id}", "=main:")
    world.until(lambda: in_place(mux, window, position), "the sidebar in its place")

    def other() -> str:
        """A pane of the user's that is not active."""
        return next(id for *_, mark, id in panes(mux, window) if not mark and id != user)

    def bar() -> str:
        return next(id for *_, mark, id in panes(mux, window) if mark)

    acts: list[tuple[str, Callable[[], object]]] = [
        ("split it", lambda: mux("split-window", "-d", "-h", "-t", user)),
        ("split below", lambda: mux("split-window", "-d", "-v", "-t", user)),
        ("kill a pane", lambda: mux("kill-pane", "-t", other())),
        ("a pane ends", lambda: ended(mux, other())),
        ("split the sidebar", lambda: mux("split-window", "-d", "-v", "-t", bar())),
        ("swap with the sidebar", lambda: mux("swap-pane", "-s", bar(), "-t", user)),
        ("swap two", lambda: mux("swap-pane", "-s", other(), "-t", user)),
        ("rotate", lambda: mux("rotate-window", "-t", window, ";", "select-pane", "-t", user)),
        ("tiled", lambda: mux("select-layout", "-t", window, "tiled")),
        ("even-vertical", lambda: mux("select-layout", "-t", window, "even-vertical")),
        ("main-horizontal", lambda: mux("select-layout", "-t", window, "main-horizontal")),
        ("wider terminal", lambda: client.resize(160, 40)),
        ("narrower terminal", lambda: client.resize(80, 20)),
        ("resize the sidebar", lambda: mux("resize-pane", "-t", bar(), "-x", "50")),
        ("resize the user's pane", lambda: mux("resize-pane", "-t", user, "-x", "10")),
        ("break the sidebar off", lambda: mux("break-pane", "-d", "-s", bar())),
        ("join it back elsewhere", lambda: mux("join-pane", "-d", "-v", "-s", bar(), "-t", user)),
        ("kill the sidebar", lambda: mux("kill-pane", "-t", bar())),
        ("respawn the sidebar", lambda: mux("respawn-pane", "-k", "-t", bar(), "exec cat")),
        ("break a pane off", lambda: mux("join-pane", "-d", "-h", "-s", broken(mux, other()), "-t", user)),
    ]  # fmt: skip
    for name, act in acts:
        act()
        world.until(
            lambda: in_place(mux, window, position),
            f"the sidebar in its place after: {name}\n{panes(mux, window)}",
        )
        assert mux.ask("#{pane_id}", "=main:") == user, name
    every = set(
        mux.lines("list-panes", "-s", "-t", "=main:", "-F", "#{?@opensessions-sidebar,,#{window_id}}")
    )
    every.discard("")  # a window with nothing but a sidebar goes when it likes
    world.until(lambda: all(in_place(mux, one, position) for one in every), "all windows")
    assert all(mux("show-options", "-wqv", "-t", one, "window-size") == "" for one in every)
    assert mux("show-options", "-gwv", "window-size") == "latest"


def broken(mux: Tmux, pane: str) -> str:
    """A pane after it was broken off into a window of its own."""
    mux("break-pane", "-d", "-s", pane)
    return pane


def ended(mux: Tmux, pane: str) -> None:
    """The pane's program ends, and the pane with it."""
    mux("respawn-pane", "-k", "-t", pane, "true")
    mux.world.until(lambda: pane not in mux.lines("list-panes", "-a", "-F", "#{pane_id}"), "the pane's end")


def panes_of_user(mux: Tmux, window: str) -> list[str]:
    listed = mux.lines("list-panes", "-t", window, "-F", "#{?@opensessions-sidebar,,#{pane_id}}")
    return [pane for pane in listed if pane]


def test_windows_that_are_moved_linked_and_swapped(world: World) -> None:
    """A window keeps its one sidebar in whatever session it is seen; where nobody looks none grows."""
    mux, client = served(world)
    first = mux.ask("#{window_id}", "=main:")
    second = mux("new-window", "-d", "-P", "-F", "#{window_id}", "-t", "=main:")
    there = mux.ask("#{window_id}", "=api:")
    world.until(lambda: in_place(mux, second), "one in the new window")
    mux("swap-window", "-d", "-s", first, "-t", second)
    mux("move-window", "-s", second, "-t", "=main:9")
    mux("link-window", "-d", "-s", there, "-t", "=main:")
    world.until(lambda: all(in_place(mux, each) for each in (first, second, there)), "one in each")
    mux("move-window", "-d", "-s", second, "-t", "=web:7")
    mux("unlink-window", "-t", f"=main:{mux.ask('#{window_index}', there)}", check=False)
    mux("new-session", "-d", "-s", "group", "-t", "=main")
    mux("new-session", "-d", "-s", "alone")
    mux("switch-client", "-c", client.tty, "-t", "=group:")
    world.until(lambda: mux.session_of(client) == "group", "the client in the group")
    seen = mux.lines("list-windows", "-t", "=group:", "-F", "#{window_id}")
    world.until(lambda: all(in_place(mux, each) for each in seen), "one in each window of the group")
    assert not sidebar_of(mux, "alone")


def test_two_clients_of_different_sizes_in_two_sessions(world: World) -> None:
    mux, big = served(world, cols=160)
    small = mux.attach("api", cols=70, rows=14)
    mux("link-window", "-d", "-s", "=main:", "-t", "=api:")
    windows = [mux.ask("#{window_id}", "=main:"), mux.ask("#{window_id}", "=api:")]
    world.until(lambda: all(in_place(mux, each) for each in windows), "the sidebars in their places")
    for client, cols, rows in ((small, 60, 10), (big, 200, 50), (small, 150, 40), (big, 66, 12)):
        client.resize(cols, rows)
        world.until(
            lambda cols=cols, client=client: mux.ask("#{client_width}", mux.session_of(client)) or True
        )
        world.until(lambda: all(in_place(mux, each) for each in windows), "the sidebars in their places")
    assert mux("show-options", "-gwv", "window-size") == "latest"
    assert all(mux("show-options", "-wqv", "-t", each, "window-size") == "" for each in windows)


def test_a_size_that_the_user_fixed_stays_his(world: World) -> None:
    """`resize-window` makes a window's size manual: it is not for us to take that back."""
    mux, client = served(world)
    window = mux.ask("#{window_id}", "=main:")
    mux("resize-window", "-t", window, "-x", "90", "-y", "20")
    world.until(lambda: in_place(mux, window), "the sidebar in its place")
    client.resize(150, 40)
    mux("resize-window", "-t", window, "-x", "100", "-y", "22")
    world.until(lambda: in_place(mux, window), "the sidebar in its place")
    assert mux.ask("#{window_width} #{window_height}", window) == "100 22"
    assert mux("show-options", "-wv", "-t", window, "window-size") == "manual"


def test_a_width_by_key_and_by_drag_is_remembered(world: World) -> None:
    mux, client = served(world, conf="set -g mouse on")
    mux("new-window", "-d", "-t", "=main:")
    windows = mux.lines("list-windows", "-t", "=main:", "-F", "#{window_id}")

    def wide(width: int) -> None:
        world.until(lambda: all(in_place(mux, each, width=width) for each in windows), f"a width of {width}")

    wide(26)
    client.type(PREFIX + b"s")
    focused(world, mux)
    client.type(b">")
    bar = sidebar_of(mux)
    wider = world.until(lambda: (width := mux.sidebars()[bar][1]) > 26 and width, "a wider sidebar")
    wide(wider)
    client.type(b"\x1b[<0;%d;9M" % (wider + 1))
    client.type(b"\x1b[<32;35;9M")
    world.until(lambda: mux.sidebars()[bar][1] == 34, "the border under the mouse")
    client.type(b"\x1b[<0;35;9m")
    wide(34)
    world.cli("down", env=mux.inside())
    world.until(lambda: not mux.sidebars(), "no sidebar")
    world.cli("up", env=mux.inside())
    wide(34)


# --- alone ----------------------------------------------------------------------------------------------------------


def test_a_shell_comes_to_a_lone_sidebar_where_that_is_configured(world: World) -> None:
    mux, client = served(world, config="sidebar: {lone: shell}\n")
    window, bar = mux.ask("#{window_id}", "=main:"), sidebar_of(mux)
    before = panes_of_user(mux, window)
    client.type(b"exit\r")
    world.until(lambda: panes_of_user(mux, window) not in ([], before), "a shell beside it")
    world.until(lambda: in_place(mux, window), "the sidebar in its place")
    (shell,) = panes_of_user(mux, window)
    world.until(lambda: "$" in mux("capture-pane", "-p", "-t", shell), "its prompt")
    assert sidebar_of(mux) == bar
    assert mux.session_of(client) == "main"
    client.type(b"echo a$((1+1))c\r")
    client.see("a2c")


def test_a_pane_that_was_a_sidebar_in_another_life_is_a_pane(world: World) -> None:
    """As after tmux-resurrect: the title and even the option of somebody else's sidebar, with a shell in it."""
    mux, client = served(world)
    pane = mux("split-window", "-d", "-h", "-P", "-F", "#{pane_id}", "-t", "=main:", "exec cat")
    mux("select-pane", "-t", pane, "-T", mux.ask("#{pane_title}", sidebar_of(mux)) or "opensessions")
    mux("set-option", "-p", "-t", pane, "@opensessions-sidebar", "f" * 32)
    client.type(PREFIX + b"t")
    world.until(lambda: list(mux.sidebars()) == [pane], "no sidebar but the other's")
    client.type(PREFIX + b"t")
    world.until(lambda: len(mux.sidebars()) == 2, "our own again")
    assert pane in mux.sidebars()


# --- keys and focus -------------------------------------------------------------------------------------------------


def test_a_paste_into_it_does_nothing(world: World) -> None:
    """What was copied may begin with keys that end sessions, and hold line ends that say yes."""
    mux, client = served(world)
    client.type(PREFIX + b"s")
    focused(world, mux)
    mux("set-buffer", "jjDy\ryq\rx\n")
    mux("paste-buffer", "-p", "-t", sidebar_of(mux))
    mux("rename-session", "-t", "=web:", "later")
    shows(world, mux, "main", "api", "later")
    assert len(mux.sidebars()) == 1
    assert [name for _, name in mux.rows()] == ["main", "api", "later"]
    assert mux.session_of(client) == "main"
    client.type(b"j\r")
    world.until(lambda: mux.session_of(client) == "api", "a key that was typed")


def test_no_reply_of_a_terminal_reaches_a_users_pane(world: World) -> None:
    """Even where the sidebar asks its terminal for colours."""
    world.env["COLORTERM"] = "truecolor"
    mux, client = served(world, config="follow_system: true\n")
    mux("new-window", "-t", "=main:", "exec cat")
    shows(world, mux, "main")
    pane = mux.ask("#{pane_id}", "=main:")
    for _ in range(3):
        client.type(PREFIX + b"s")
        focused(world, mux)
        client.type(b"\x1b")
        world.until(lambda: mux.ask("#{pane_id}", "=main:") == pane, "the focus back")
        client.type(PREFIX + b"t")
        world.until(lambda: not mux.sidebars(), "no sidebar")
        client.type(PREFIX + b"t")
        shows(world, mux, "main")
    client.type(b"only this\r")
    world.until(lambda: "only this\nonly this" in mux("capture-pane", "-p", "-t", pane), "what was typed")
    assert mux("capture-pane", "-p", "-t", pane).strip() == "only this\nonly this"


def test_q_closes_the_sidebars_and_is_a_letter_elsewhere(world: World) -> None:
    mux, client = served(world)
    server = world.status()["pid"]
    client.type(b"echo q''uit\r")
    client.see("quit")
    assert sidebar_of(mux)
    client.type(PREFIX + b"s")
    focused(world, mux)
    client.type(b"q")
    world.until(lambda: not mux.sidebars(), "no sidebar")
    assert world.status()["pid"] == server


def test_a_switch_by_a_binding_leaves_the_active_pane_alone(world: World) -> None:
    mux, client = served(world)
    client.type(PREFIX + b"2")
    world.until(lambda: mux.session_of(client) == "api" and sidebar_of(mux, "api"), "a sidebar in api")
    active = mux.ask("#{pane_id}", "=api:")
    assert active != sidebar_of(mux, "api")
    client.type(PREFIX + b"s")
    focused(world, mux, "api")
    client.type(PREFIX + b"1")
    world.until(lambda: mux.session_of(client) == "main", "main")
    assert mux.ask("#{pane_id}", "=main:") != sidebar_of(mux), "the pane that was active in main"
    client.type(PREFIX + b"n")
    world.until(lambda: mux.session_of(client) == "api", "api")
    assert mux.ask("#{pane_id}", "=api:") == sidebar_of(mux, "api"), (
        "the sidebar was active in api, and still is"
    )


def test_escape_gives_the_focus_back_to_where_it_was(world: World) -> None:
    mux, client = served(world)
    mux("split-window", "-h", "-t", "=main:")
    mux("split-window", "-v", "-t", "=main:")
    before = mux.ask("#{pane_id}", "=main:")
    client.type(PREFIX + b"s")
    focused(world, mux)
    client.type(b"\x1b")
    world.until(lambda: mux.ask("#{pane_id}", "=main:") == before, "the pane of before")


def test_the_cursor_is_home_when_somebody_arrives(world: World) -> None:
    mux, client = served(world)

    def marked(target: str) -> str:
        return next((line for line in text_of(mux, target).splitlines() if line.startswith("█")), "")

    client.type(PREFIX + b"s")
    focused(world, mux)
    client.type(b"jj")
    world.until(
        lambda: any(line.startswith("›") and "web" in line for line in text_of(mux).splitlines()),
        "the cursor",
    )
    client.type(PREFIX + b"2")
    shows(world, mux, "main", "web", target="api")
    client.type(PREFIX + b"1")
    world.until(lambda: "main" in marked("main"), "the cursor on its own session")


# --- shown and hidden -------------------------------------------------------------------------------------------------


def test_hidden_stays_hidden(world: World) -> None:
    """Where the configuration shows them and the user has hidden them: over a stop, a kill and loads of the plugin."""
    world.config.write_text("sidebar: {visible: true}\n")
    mux = world.mux()
    mux.load()
    client = mux.attach()
    world.until(lambda: sidebar_of(mux), "the sidebar of the configuration")
    client.type(PREFIX + b"t")
    world.until(lambda: not mux.sidebars(), "no sidebar")
    mux.load()
    assert not mux.sidebars()
    world.cli("down", env=mux.inside())
    world.cli("up", env=mux.inside())
    os.kill(world.status()["pid"], signal.SIGKILL)
    mux.load()
    mux.new("other")
    world.until(lambda: len(mux.rows()) == 2, "two rows")
    client.type(PREFIX + b"2")
    world.until(lambda: mux.session_of(client) == "other", "the other session")
    assert json.loads(world.cli("status", "--json").stdout)["sidebars"] == 0
    assert not mux.sidebars()
    client.type(PREFIX + b"t")
    world.until(lambda: sidebar_of(mux, "other"), "the sidebar once it is wished again")


def test_shown_stays_shown_when_the_plugin_is_loaded_again(world: World) -> None:
    mux, client = served(world)
    bar, active = sidebar_of(mux), mux.ask("#{pane_id}", "=main:")
    mux.load()
    mux.load()
    mux.new("later")
    shows(world, mux, "later")
    assert list(mux.sidebars()) == [bar]
    assert mux.ask("#{pane_id}", "=main:") == active
    assert mux.session_of(client) == "main"


def test_a_sidebar_out_of_sight_is_sent_nothing(world: World) -> None:
    """Its process writes nothing at all while the one on the screen is painted again and again."""
    mux, _ = served(world)
    mux("new-window", "-d", "-t", "=main:")
    world.until(lambda: len(mux.sidebars()) == 2, "two sidebars")
    bar = sidebar_of(mux)
    hidden = next(pane for pane in mux.sidebars() if pane != bar)
    pump = psutil.Process(int(mux.ask("#{pane_pid}", hidden)))
    world.until(lambda: world.status()["sidebars"] == 2, "both connected")
    web = mux.ask("#{session_id}", "=web:")
    names = (f"web{number}" for number in count())

    def quiet() -> int | None:
        """What it has written until now, if it writes nothing while the other is painted five times: its first words
        may still be under way at first."""
        before = pump.io_counters().write_chars
        for name in islice(names, 5):
            mux("rename-session", "-t", web, name)
            shows(world, mux, name)
        return before if pump.io_counters().write_chars == before else None

    before = world.until(quiet, "a hidden sidebar that writes nothing")
    mux("rename-session", "-t", web, "last")
    mux("select-window", "-t", f"=main:{mux.ask('#{window_index}', hidden)}")
    world.until(lambda: "last" in mux("capture-pane", "-p", "-t", hidden), "the present once it is shown")
    assert pump.io_counters().write_chars > before
