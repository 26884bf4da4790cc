"""Sidebars in a real tmux: rules of coming, going, width, focus and names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psutil
import pytest

from opensessions.errors import Refused
from opensessions.provider import FocusSidebar, SidebarWish
from opensessions_tmux.options import DRAGGING
from opensessions_tmux.placement import Action
from opensessions_tmux.quote import Words
from opensessions_tmux.sidebars import branch
from opensessions_tmux.transport import Reply
from tests.support.world import Tmux, World
from tests.tmux.conftest import OWNER, Follower


def layout(mux: Tmux, window: str) -> str:
    return mux.ask("#{window_layout}", window)


def active(mux: Tmux, window: str) -> str:
    return mux.ask("#{pane_id}", window)


async def running(follower: Follower, pane: str) -> list[str]:
    """The command line of a pane's process. It is tmux's own until the program has taken its place."""
    process = psutil.Process(int(follower.mux.ask("#{pane_pid}", pane)))
    interpreter = follower.provider._context.interpreter
    argv: list[str] = await follower.until(
        lambda: (words := process.cmdline())[:1] == [interpreter] and words, "the program"
    )
    return argv


def columns(mux: Tmux, window: str, *widths: int) -> list[str]:
    """Panes side by side with these widths; their ids."""
    for width in widths[1:]:
        mux("split-window", "-h", "-t", window, "-l", str(width))
    panes = mux.lines("list-panes", "-t", window, "-F", "#{pane_id}")
    for pane, width in zip(panes, widths[:-1], strict=False):
        mux("resize-pane", "-t", pane, "-x", str(width))
    return panes


# --- coming -------------------------------------------------------------------------------------------------


async def test_the_sidebar_comes_without_taking_the_focus(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach()
    mux("split-window", "-h", "-t", "main:")
    mux("split-window", "-v", "-t", "main:")
    before = active(mux, "main:")
    await follower.show(width=30)
    assert active(mux, "main:") == before
    window, pane = next(iter(follower.sidebars().items()))
    rows = mux.lines(
        "list-panes",
        "-t",
        window,
        "-F",
        "#{pane_id} #{pane_left} #{pane_width} #{pane_height} #{window_height}",
    )
    whole = rows[0].split(" ")
    assert whole[:3] == [pane, "0", "30"]
    assert whole[3] == whole[4]
    assert (
        mux.ask("#{@opensessions-sidebar} #{remain-on-exit} #{synchronize-panes}", pane) == f"{OWNER} off 0"
    )
    assert mux.ask("#{pane_last}", pane) == "0"


async def test_on_the_right(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach(cols=151)
    mux("split-window", "-h", "-t", "main:")
    await follower.show(width=30, position="right")
    assert follower.widths("main:")[-1] == 30
    assert (
        follower.sidebars()[mux.ask("#{window_id}", "main:")]
        == mux.lines("list-panes", "-t", "main:", "-F", "#{pane_id}")[-1]
    )


async def test_the_program_gets_its_arguments_and_no_shell(follower: Follower) -> None:
    mux = follower.mux
    mux("set-option", "-g", "default-shell", "/bin/false")
    await follower.attach()
    await follower.show()
    argv = await running(follower, next(iter(follower.sidebars().values())))
    context = follower.provider._context
    assert argv[:7] == [
        context.interpreter, "-I", "-S", f"{context.scripts}/sidebar.py", f"runtime={context.runtime}",
        f"socket={mux.socket}", f"python={context.python}",
    ]  # fmt: skip
    assert argv[7].startswith("spawn=")


async def test_hostile_places(world: World, scripts: str) -> None:
    """Socket, folders and arguments with everything that tmux or a shell could mistake."""
    mux = world.mux("a = b's #{pid} #(id) $HOME \"é;")
    folder = world.home / "it's #{x} \"$y; ~ é"
    folder.mkdir()
    (folder / "sidebar.py").write_text("import time\ntime.sleep(1000)\n")
    following = Follower(mux, str(folder))
    try:
        await following.until(lambda: following.readings, "a reading")
        await following.attach()
        await following.show()
        argv = await running(following, next(iter(following.sidebars().values())))
        assert argv[3] == f"{folder}/sidebar.py"
        assert argv[5] == f"socket={mux.socket}"
    finally:
        await following.close()


async def test_only_sessions_with_a_viewer_have_them(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach()
    await follower.show()
    other = mux.new("other")
    await follower.quiet()
    assert len(follower.sidebars()) == 1, "a detached session must not grow a sidebar"
    mux("switch-client", "-c", terminal.tty, "-t", other)
    await follower.until(lambda: len(follower.sidebars()) == 2, "a sidebar where the client arrived")
    window = mux("new-window", "-d", "-P", "-F", "#{window_id}", "-t", f"{other}:")
    await follower.until(lambda: window in follower.sidebars(), "a sidebar in a new window")
    mux("new-window", "-d", "-t", "main:")
    await follower.quiet()
    assert len(follower.sidebars()) == 3


async def test_groups_and_linked_windows_have_one_each(follower: Follower) -> None:
    mux = follower.mux
    mux("new-session", "-d", "-s", "twin", "-t", "main")
    other = mux.new("other")
    mux("link-window", "-d", "-s", "main:0", "-t", f"{other}:5")
    await follower.attach("main")
    await follower.attach("twin")
    await follower.attach("other")
    await follower.show()
    await follower.quiet()
    assert len(follower.sidebars()) == 2


async def test_a_zoomed_window_stays_zoomed_and_another_is_not_zoomed(follower: Follower) -> None:
    mux = follower.mux
    mux("split-window", "-h", "-t", "main:")
    mux("resize-pane", "-Z", "-t", "main:")
    plain = mux("new-window", "-d", "-P", "-F", "#{window_id}", "-t", "main:")
    mux("split-window", "-h", "-d", "-t", plain)
    before = active(mux, "main:0")
    await follower.attach()
    await follower.show()
    await follower.quiet()
    assert mux.ask("#{window_zoomed_flag} #{pane_id}", "main:0") == f"1 {before}"
    assert mux.ask("#{window_zoomed_flag}", plain) == "0"
    mux("resize-pane", "-Z", "-t", before)
    await follower.until(lambda: follower.widths("main:0")[0] == 26, "its width once it shows")
    assert active(mux, "main:0") == before


async def test_a_narrow_window_has_none(follower: Follower) -> None:
    terminal = await follower.attach(cols=40)
    await follower.provider.sidebars(SidebarWish(visible=True))
    await follower.quiet()
    assert follower.sidebars() == {}
    terminal.resize(120, 40)
    await follower.until(lambda: len(follower.sidebars()) == 1, "a sidebar once there is room")


async def test_where_tmux_has_no_space_nothing_is_left(follower: Follower) -> None:
    """Panes of a single column cannot become narrower, though the window is wide."""
    mux = follower.mux
    await follower.attach(cols=70)
    other = columns(mux, "main:", 64, 5)[1]
    mux("split-window", "-v", "-t", other)
    for _ in range(2):
        mux("split-window", "-h", "-l", "1", "-t", other)
    before = layout(mux, "main:")
    await follower.provider.sidebars(SidebarWish(visible=True, width=26))
    await follower.quiet()
    with pytest.raises(Refused, match="no space"):
        await follower.provider.do(FocusSidebar(follower.last.viewers()[0].name))
    assert (layout(mux, "main:"), mux("show-options", "-w", "-t", "main:")) == (before, "")
    mux("kill-pane", "-a", "-t", other)
    await follower.until(lambda: follower.widths("main:")[0] == 26, "a sidebar once there is space")


async def test_panes_that_only_look_like_ours_are_not_touched(follower: Follower) -> None:
    """After a restoring plugin a pane may bear our title; another installation's bears another id."""
    mux = follower.mux
    titled = mux("split-window", "-h", "-d", "-P", "-F", "#{pane_id}", "-t", "main:", "sleep 1000")
    mux("select-pane", "-t", titled, "-T", "opensessions sidebar")
    foreign = mux("split-window", "-h", "-d", "-P", "-F", "#{pane_id}", "-t", "main:", "sleep 1000")
    mux("set-option", "-p", "-t", foreign, "@opensessions-sidebar", "f" * 32)
    await follower.attach()
    await follower.provider.sidebars(SidebarWish(visible=True))
    await follower.until(
        lambda: OWNER in mux("list-panes", "-t", "main:", "-F", "#{@opensessions-sidebar}"), "ours"
    )
    await follower.provider.sidebars(SidebarWish())
    await follower.until(
        lambda: OWNER not in mux("list-panes", "-t", "main:", "-F", "#{@opensessions-sidebar}"), "gone"
    )
    assert {titled, foreign} <= set(mux.lines("list-panes", "-t", "main:", "-F", "#{pane_id}"))


async def test_a_sidebar_that_was_killed_comes_back(follower: Follower) -> None:
    await follower.attach()
    await follower.show()
    (old,) = follower.sidebars().values()
    follower.mux("kill-pane", "-t", old)
    await follower.until(
        lambda: follower.sidebars() and old not in follower.sidebars().values(), "another one"
    )


async def test_a_program_that_always_ends_is_not_started_over_and_over(
    world: World, mux: Tmux, scripts: str
) -> None:
    count = world.home / "count"
    (world.home / "scripts" / "sidebar.py").write_text(f"open({str(count)!r}, 'a').write('x')\n")
    following = Follower(mux, scripts)
    try:
        await following.until(lambda: following.readings, "a reading")
        await following.attach()
        loop = asyncio.get_running_loop()
        started = loop.time()
        await following.provider.sidebars(SidebarWish(visible=True))
        await following.until(lambda: count.exists() and len(count.read_text()) >= 2, "a second start")
        assert loop.time() - started >= 0.9
        starts = len(count.read_text())
        took = loop.time() - started  # the third comes two seconds after the second, and so on
        assert starts <= 1 + sum(took >= due for due in (0.9, 2.9, 6.9, 14.9))
    finally:
        await following.close()


async def test_a_restarted_server_keeps_the_sidebars_that_are_there(follower: Follower, scripts: str) -> None:
    await follower.attach()
    await follower.show()
    before = follower.sidebars()
    await follower.close()
    following = Follower(follower.mux, scripts)
    try:
        await following.until(lambda: following.readings, "a reading")
        await following.show()
        await following.quiet()
        assert following.sidebars() == before
    finally:
        await following.close()


async def test_two_servers_on_one_tmux_leave_each_other_alone(follower: Follower, scripts: str) -> None:
    mux = follower.mux
    await follower.attach()
    await follower.show()
    second = Follower(mux, scripts, owner="f" * 32)
    try:
        await second.until(lambda: second.readings, "a reading")
        await second.provider.sidebars(SidebarWish(visible=True))
        marks = lambda: sorted(filter(None, mux.lines("list-panes", "-a", "-F", "#{@opensessions-sidebar}")))  # noqa: E731
        await follower.until(lambda: marks() == sorted([OWNER, "f" * 32]), "one sidebar of each")
        await second.provider.withdraw()
        await follower.until(lambda: marks() == [OWNER], "the other one gone")
        mux.new("heard")
        for one in (follower, second):
            await one.until(
                lambda one=one: any(s.name == "heard" for s in one.last.sessions), "both hear the ring"
            )
    finally:
        await second.close()


# --- width --------------------------------------------------------------------------------------------------


async def test_the_columns_of_a_pane_that_died_go_to_its_neighbour(follower: Follower) -> None:
    """sidebar(40) | p1(29) | p2(29): when p1 dies it must end 40 | 59."""
    mux = follower.mux
    await follower.attach(cols=100)
    await follower.show(width=40)
    first = active(mux, "main:")
    mux("split-window", "-h", "-t", first, "-l", "29", "sleep 1000")
    await follower.until(lambda: follower.widths("main:") == [40, 29, 29], "the start")
    mux("kill-pane", "-t", first)
    await follower.until(lambda: follower.widths("main:") == [40, 59], "the repair")


async def test_widths_made_by_others_are_repaired(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach(cols=160)
    mux("split-window", "-h", "-t", "main:")
    await follower.show()
    (pane,) = follower.sidebars().values()
    for act in (
        lambda: mux("resize-pane", "-t", pane, "-x", "60"),
        lambda: terminal.resize(110, 40),
        lambda: terminal.resize(200, 50),
        lambda: mux("select-layout", "-t", "main:", "even-horizontal"),
        lambda: mux("select-layout", "-t", "main:", "even-vertical"),
        lambda: mux("select-layout", "-t", "main:", "tiled"),
        lambda: mux("swap-pane", "-d", "-s", pane, "-t", active(mux, "main:")),
        lambda: mux("resize-pane", "-t", pane, "-x", "60"),
    ):
        act()
        before = active(mux, "main:")
        await follower.until(lambda: mux.ask("#{pane_left} #{pane_width}", pane) == "0 26", "the width")
        assert active(mux, "main:") == before
    assert follower.sidebars() == {mux.ask("#{window_id}", "main:"): pane}


async def test_an_active_sidebar_that_is_put_back_stays_active(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach()
    await follower.show()
    (pane,) = follower.sidebars().values()
    mux("select-pane", "-t", pane)
    mux("select-layout", "-t", "main:", "even-vertical")
    await follower.until(lambda: follower.widths("main:")[0] == 26, "the column")
    assert active(mux, "main:") == pane


async def test_a_zoomed_window_is_not_unzoomed_by_a_repair(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach(cols=160)
    await follower.show()
    mux("resize-pane", "-Z", "-t", active(mux, "main:"))
    terminal.resize(120, 40)
    await follower.quiet()
    assert mux.ask("#{window_zoomed_flag}", "main:") == "1"
    mux("resize-pane", "-Z", "-t", active(mux, "main:"))
    await follower.until(lambda: follower.widths("main:")[0] == 26, "the width once it shows")


async def test_what_a_zoom_or_a_user_undid_in_that_moment_is_repaired_again(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a reading and its repair the window is zoomed, and unzoomed before the next reading; or what was
    repaired is undone before it was read. Both leave the very layout in which a repair was tried."""
    mux = follower.mux
    await follower.attach(cols=70)
    await follower.show()
    (sidebar,) = follower.sidebars().values()
    other = active(mux, "main:")
    keeper, tried = follower.provider._keeper, []
    carry_out = keeper._carry_out

    async def disturbed(actions: Sequence[Action]) -> None:
        tried.append(len(tried))
        if len(tried) == 1:
            mux("resize-pane", "-Z", "-t", other)
        await carry_out(actions)
        if len(tried) == 1:
            mux("resize-pane", "-Z", "-t", other)
        if len(tried) == 2:
            mux("resize-pane", "-x", "68", "-t", other)

    await follower.quiet()
    monkeypatch.setattr(keeper, "_carry_out", disturbed)
    mux("resize-pane", "-x", "68", "-t", other)
    await follower.until(lambda: len(tried) >= 3 and mux.ask("#{pane_width}", sidebar) == "26", "the width")


async def test_a_width_that_cannot_be_had_is_given_up(follower: Follower) -> None:
    """A hook of the user's that always sets another width: both must come to rest."""
    mux = follower.mux
    await follower.attach()
    await follower.show()
    (pane,) = follower.sidebars().values()
    mux("set-hook", "-g", "after-resize-pane[1]", f"resize-pane -t {pane} -x 50")
    mux("resize-pane", "-t", pane, "-x", "50")
    await follower.quiet()
    await follower.quiet()
    assert follower.widths("main:")[0] == 50


async def test_a_wished_width_reaches_every_window(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach()
    mux("new-window", "-d", "-t", "main:")
    await follower.show(width=26)
    await follower.provider.sidebars(SidebarWish(visible=True, width=40))
    await follower.until(
        lambda: [follower.widths(w)[0] for w in follower.sidebars()] == [40, 40], "the new width"
    )


def border(column: int, row: int, code: int, kind: str) -> bytes:
    """An SGR mouse report; `column` from 0."""
    return f"\x1b[<{code};{column + 1};{row + 1}{kind}".encode()


async def test_a_drag_of_the_border_is_not_disturbed_and_adopted(follower: Follower) -> None:
    mux = follower.mux
    mux("set-option", "-g", "mouse", "on")
    mux("bind-key", "-n", "MouseDragEnd1Border", "set-option", "-g", "@ended", "1")
    terminal = await follower.attach(cols=120)
    await follower.show(width=26)
    (pane,) = follower.sidebars().values()
    await follower.quiet()
    terminal.type(border(26, 10, 0, "M"))
    for column in range(27, 37):
        terminal.type(border(column, 10, 32, "M"))
        await follower.until(lambda column=column: follower.widths("main:")[0] == column, f"column {column}")
    assert mux("show-options", "-gqv", DRAGGING) == "1"
    await follower.quiet()
    await asyncio.sleep(0.1)  # Longer than a repair would wait: it must not come.
    assert follower.widths("main:")[0] == 36
    terminal.type(border(36, 10, 0, "m"))
    await follower.until(lambda: mux("show-options", "-gqv", "@ended"), "the end of the drag")
    assert await follower.provider.adopt_width(pane) == 36
    assert mux("show-options", "-gqv", DRAGGING) == ""
    await follower.provider.sidebars(SidebarWish(visible=True, width=36))
    await follower.quiet()
    assert follower.widths("main:")[0] == 36


async def test_a_drag_of_another_border_is_no_wish(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach()
    mux("split-window", "-h", "-t", "main:")
    await follower.show()
    await follower.quiet()
    (pane,) = follower.sidebars().values()
    assert await follower.provider.adopt_width(pane) is None
    assert await follower.provider.adopt_width(active(mux, "main:")) is None
    assert await follower.provider.adopt_width("%999") is None
    assert await follower.provider.adopt_width("") is None


async def test_a_drag_that_is_read_before_its_first_move_goes_on(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach()
    await follower.show()
    await follower.quiet()
    mux("set-option", "-g", DRAGGING, "1")
    follower.provider.refresh()
    await follower.quiet()
    assert mux("show-options", "-gqv", DRAGGING) == "1"


async def test_a_drag_whose_end_is_never_told_is_over_after_a_while(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opensessions_tmux.keeper.DRAG", 0.2)
    mux = follower.mux
    await follower.attach()
    await follower.show()
    (pane,) = follower.sidebars().values()
    mux("set-option", "-g", DRAGGING, "1")
    mux("resize-pane", "-t", pane, "-x", "50")
    await follower.until(lambda: follower.widths("main:")[0] == 26, "the repair")
    assert mux("show-options", "-gqv", DRAGGING) == ""


async def test_a_drags_width_counts_though_a_reading_of_it_comes_before_its_end_is_told(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    mux = follower.mux
    await follower.attach()
    await follower.show()
    await follower.quiet()
    (pane,) = follower.sidebars().values()
    mux("set-option", "-g", DRAGGING, "1")
    mux("resize-pane", "-t", pane, "-x", "50")
    keeper = follower.provider._keeper
    run = keeper._tmux.run

    async def late(commands: Sequence[Words], *rest: Any, **more: Any) -> Reply:
        reply = await run(commands, *rest, **more)
        if ("set-option", "-gu", DRAGGING) in commands:
            read = keeper.reading
            follower.provider.refresh()
            await follower.until(lambda: keeper.reading is not read, "a reading")
        return reply

    monkeypatch.setattr(keeper._tmux, "run", late)
    assert await follower.provider.adopt_width(pane) == 50


# --- going --------------------------------------------------------------------------------------------------


async def test_the_layout_is_as_before(follower: Follower) -> None:
    """Without care 100|49|49 comes back as 113|42|43."""
    mux = follower.mux
    await follower.attach(cols=200)
    columns(mux, "main:", 100, 49, 49)
    mux("split-window", "-v", "-d", "-t", "main:")
    before, focus = layout(mux, "main:"), active(mux, "main:")
    await follower.show()
    assert follower.widths("main:")[0] == 26
    await follower.provider.sidebars(SidebarWish())
    await follower.until(lambda: not follower.sidebars(), "no sidebar")
    assert layout(mux, "main:") == before
    assert active(mux, "main:") == focus
    assert mux("show-options", "-w", "-t", "main:") == ""


async def test_the_layout_after_another_width_and_a_users_change(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach(cols=200)
    columns(mux, "main:", 100, 49, 49)
    await follower.show(width=26)
    panes = mux.lines("list-panes", "-t", "main:", "-F", "#{pane_id}")
    mux("resize-pane", "-t", panes[2], "-x", "20")
    await follower.provider.sidebars(SidebarWish(visible=True, width=35))
    await follower.until(lambda: follower.widths("main:")[0] == 35, "the other width")
    await follower.quiet()
    await follower.provider.sidebars(SidebarWish())
    await follower.until(lambda: not follower.sidebars(), "no sidebar")
    widths = follower.widths("main:")
    assert sum(widths) == 198
    assert 24 <= widths[1] <= 34, f"the pane that the user made narrow is: {widths}"


async def test_a_zoomed_window_stays_zoomed_when_it_goes(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach(cols=200)
    columns(mux, "main:", 100, 49, 49)
    before = layout(mux, "main:")
    mux("resize-pane", "-Z", "-t", "main:")
    focus = active(mux, "main:")
    await follower.show()
    await follower.provider.sidebars(SidebarWish())
    await follower.until(lambda: not follower.sidebars(), "no sidebar")
    assert mux.ask("#{window_zoomed_flag} #{pane_id}", "main:") == f"1 {focus}"
    assert layout(mux, "main:") == before


async def test_a_pane_that_came_meanwhile_is_left_where_it_is(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach(cols=200)
    columns(mux, "main:", 100, 99)
    await follower.show()
    mux("split-window", "-h", "-d", "-t", active(mux, "main:"))
    await follower.provider.sidebars(SidebarWish())
    await follower.until(lambda: not follower.sidebars(), "no sidebar")
    assert len(follower.widths("main:")) == 3


async def test_a_lone_sidebar_goes_and_its_viewers_are_elsewhere_first(follower: Follower) -> None:
    mux = follower.mux
    refuge = mux.new("refuge")
    lone = mux.new("lone")
    terminal = await follower.attach("lone")
    await follower.show()
    (pane,) = mux.lines(
        "list-panes", "-t", f"{lone}:", "-f", "#{?@opensessions-sidebar,0,1}", "-F", "#{pane_id}"
    )
    mux("kill-pane", "-t", pane)
    await follower.until(lambda: follower.last.session(lone) is None, "the session's end")
    assert [client.name for client in follower.last.viewers()] == [terminal.tty]
    assert follower.last.session(follower.last.viewers()[0].session) is not None
    assert follower.last.session(refuge) is not None


async def test_a_lone_sidebar_in_one_of_several_windows_goes_with_it(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach()
    window = mux("new-window", "-P", "-F", "#{window_id}", "-t", "main:")
    await follower.show()
    (pane,) = mux.lines("list-panes", "-t", window, "-f", "#{?@opensessions-sidebar,0,1}", "-F", "#{pane_id}")
    mux("kill-pane", "-t", pane)
    await follower.until(lambda: window not in follower.last.windows, "the window's end")
    assert mux.session_of(terminal) == "main"


async def test_the_only_session_is_not_killed(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach()
    await follower.show()
    mux("kill-pane", "-t", active(mux, "main:"))
    await follower.quiet()
    assert len(follower.sidebars()) == 1
    assert mux.session_of(terminal) == "main"
    await follower.provider.withdraw()
    assert mux.session_of(terminal) == "main"


async def test_a_shell_beside_a_lone_sidebar_where_that_is_wished(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach(cols=120)
    await follower.show(lone="shell")
    (pane,) = follower.sidebars().values()
    mux("kill-pane", "-t", active(mux, "main:"))
    await follower.until(lambda: follower.widths("main:") == [26, 93], "a shell and the width")
    await follower.quiet()
    assert follower.widths("main:") == [26, 93]
    assert active(mux, "main:") != pane
    assert follower.sidebars()[mux.ask("#{window_id}", "main:")] == pane


async def test_two_lone_sidebars_do_not_take_the_session_with_them(follower: Follower) -> None:
    mux = follower.mux
    mux.new("refuge")
    terminal = await follower.attach("main")
    mux("new-window", "-t", "main:")
    await follower.show()
    panes = mux.lines(
        "list-panes", "-s", "-t", "main", "-f", "#{?@opensessions-sidebar,0,1}", "-F", "#{pane_id}"
    )
    words = [word for pane in panes for word in ("kill-pane", "-t", pane, ";")]
    mux(*words[:-1])
    await follower.until(lambda: {s.name for s in follower.last.sessions} == {"refuge"}, "the session's end")
    assert mux.session_of(terminal) == "refuge"


async def test_withdrawal_leaves_tmux_as_it_was(follower: Follower) -> None:
    mux = follower.mux
    mux("set-option", "-gw", "automatic-rename", "off")
    await follower.attach(cols=200)
    columns(mux, "main:", 100, 49, 49)
    questions = (
        ("list-panes", "-a", "-F", "#{pane_id} #{pane_width} #{pane_active} #{pane_index} #{window_layout}"),
        ("show-options", "-w", "-t", "main:"), ("show-options", "-g"), ("show-options", "-gw"),
        ("show-options", "-t", "main"), ("list-windows", "-a", "-F", "#{window_name}"),
    )  # fmt: skip
    before = [mux(*words) for words in questions]
    await follower.show()
    await follower.provider.withdraw()
    assert [mux(*words) for words in questions] == before


async def test_withdrawal_for_a_successor_leaves_the_sidebars(follower: Follower) -> None:
    await follower.attach()
    await follower.show()
    before = follower.sidebars()
    await follower.provider.withdraw(close_sidebars=False)
    await follower.quiet()
    assert follower.sidebars() == before


# --- the window's name --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "kept"),
    [
        ("#{?pane_in_mode,[tmux],#{pane_current_command}}#{?pane_dead,[dead],}", None),
        ("a,b}c #{?1,x,y}#,", "a#,b#}c #{?1,x,y}#,"),
        ("#{?#{==:#{a},b},x,}", None),
        ("##,#},#,", "###,#}#,#,"),
    ],
)
def test_a_format_as_a_branch(format: str, kept: str | None) -> None:
    assert branch(format) == (kept or format)


@pytest.mark.parametrize("format", ["", "<#{pane_current_command}>, #{?pane_active,a,b}}"])
async def test_a_focused_sidebar_does_not_rename_its_window(follower: Follower, format: str) -> None:
    mux = follower.mux
    if format:
        mux("set-option", "-gw", "automatic-rename-format", format)
    expected = "<cat>, a}" if format else "cat"
    window = mux("new-window", "-P", "-F", "#{window_id}", "-t", "main:", "exec cat")
    other = active(mux, window)

    def name(pane: str) -> str:
        """tmux names a window anew when its active pane prints: a terminal's echo will do."""
        mux("send-keys", "-t", pane, "x")
        return mux.ask("#{window_name}", window)

    await follower.attach()
    await follower.until(lambda: name(other) == expected, "the automatic name")
    await follower.show()
    sidebar = follower.sidebars()[window]
    mux("select-pane", "-t", sidebar)
    with pytest.raises(AssertionError, match="in vain"):
        await follower.until(lambda: name(sidebar) != expected, "another name", patience=1.2)
    mux("select-pane", "-t", other)
    mux("respawn-pane", "-k", "-t", other, "exec sleep 1000")
    await follower.until(lambda: name(other) == expected.replace("cat", "sleep"), "names go on")
    await follower.provider.sidebars(SidebarWish())
    await follower.until(lambda: not follower.sidebars(), "no sidebar")
    await follower.until(
        lambda: mux("show-options", "-w", "-t", window) == "", "the window's options as before"
    )


async def test_a_users_own_format_of_a_window_stays(follower: Follower) -> None:
    mux = follower.mux
    await follower.attach()
    mux("set-option", "-w", "-t", "main:", "automatic-rename-format", "mine")
    before = mux("show-options", "-w", "-t", "main:")
    await follower.show()
    assert before in mux("show-options", "-w", "-t", "main:")
    await follower.provider.sidebars(SidebarWish())
    await follower.until(lambda: mux("show-options", "-w", "-t", "main:") == before, "the options as before")


async def test_a_name_is_freed_after_a_sidebar_that_ended_itself(follower: Follower) -> None:
    mux = follower.mux
    terminal = await follower.attach()
    await follower.show()
    (pane,) = follower.sidebars().values()
    mux("detach-client", "-t", terminal.tty)
    mux("kill-pane", "-t", pane)
    await follower.until(lambda: "rename" not in mux("show-options", "-w", "-t", "main:"), "the format's end")
