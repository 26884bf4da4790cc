"""Windows and panes below a session's row, on a real tmux: Enter and a click go to exactly the one that is meant."""

from __future__ import annotations

import pytest

from tests.e2e.test_agents import WAITING, begin, program, say
from tests.e2e.test_sidebar import PREFIX, shows, sidebar_of, text_of
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

__all__ = ["program"]


@pytest.fixture
def client(world: World, mux: Tmux) -> Terminal:
    """A client in `main`; `web` has the windows `edit` with two panes, `serve`, and `logs`, which is current."""
    mux.new("web", "-n", "edit")
    mux("split-window", "-d", "-h", "-t", "=web:edit", "cat")
    for name in ("serve", "logs"):
        mux("new-window", "-t", "=web:", "-n", name)
    mux.load()
    client = mux.attach()
    client.type(PREFIX + b"s")
    shows(world, mux, "web")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    return client


def panes(mux: Tmux, window: str) -> list[str]:
    """The window's panes but for a sidebar."""
    return mux.lines(
        "list-panes", "-t", f"=web:{window}", "-f", "#{==:#{@opensessions-sidebar},}", "-F", "#{pane_id}"
    )


def at(mux: Tmux, client: Terminal) -> tuple[str, str, str]:
    session = mux.session_of(client)
    window = mux.ask("#{window_name}", f"={session}:")
    return session, window, mux.ask("#{pane_id}", f"={session}:")


def cursor_line(mux: Tmux, target: str = "main") -> str:
    return next((line for line in text_of(mux, target).splitlines() if line[:1] in ("›", "█")), "")


def unfold(world: World, mux: Tmux, client: Terminal) -> None:
    """The cursor on `web`, and its windows below it."""
    client.type(b"jl")
    shows(world, mux, "edit", "serve", "logs", "cat")
    world.until(lambda: "web" in cursor_line(mux), "the cursor on web")


def test_a_session_unfolds_into_its_windows_and_panes(world: World, mux: Tmux, client: Terminal) -> None:
    rows = mux.rows()
    unfold(world, mux, client)
    expected = [["2", "web"], ["0", "edit"], ["sh"], ["cat"], ["1", "serve"], ["2", "logs"]]

    def unfolded() -> bool:
        lines = [line.strip(" ›▌█") for line in text_of(mux).splitlines()[2:9]]
        return [line.split()[:2] for line in lines[1:]] == expected and lines[-1].endswith("◂")

    world.until(unfolded, f"{expected}")
    client.type(b"jjj")
    world.until(lambda: "cat" in cursor_line(mux), "the cursor on the second pane")
    client.type(b"h")
    world.until(lambda: "edit" in cursor_line(mux), "the cursor on its window")
    client.type(b"h")
    world.until(lambda: "web" in cursor_line(mux), "the cursor on its session")
    client.type(b"h")
    world.until(lambda: "edit" not in text_of(mux), "the session folded")
    client.type(b" ")
    shows(world, mux, "edit")
    assert mux.rows() == rows, "no index changes"
    assert mux.session_of(client) == "main"


def test_enter_goes_to_the_pane(world: World, mux: Tmux, client: Terminal) -> None:
    unfold(world, mux, client)
    _, second = panes(mux, "edit")
    client.type(b"jjj")
    world.until(lambda: "cat" in cursor_line(mux), "the cursor on the pane")
    client.type(b"\r")
    world.until(lambda: at(mux, client) == ("web", "edit", second), "the pane")


def test_enter_goes_to_the_window(world: World, mux: Tmux, client: Terminal) -> None:
    unfold(world, mux, client)
    (pane,) = panes(mux, "serve")
    client.type(b"jjjj")
    world.until(lambda: "serve" in cursor_line(mux), "the cursor on the window")
    client.type(b"\r")
    world.until(lambda: at(mux, client) == ("web", "serve", pane), "the window")


@pytest.mark.parametrize("word", ["serve", "cat", "edit"])
def test_a_click_goes_to_the_window_or_pane(world: World, mux: Tmux, client: Terminal, word: str) -> None:
    mux("set-option", "-g", "mouse", "on")
    unfold(world, mux, client)
    expected = {
        "serve": ("web", "serve", panes(mux, "serve")[0]),
        "cat": ("web", "edit", panes(mux, "edit")[1]),
        "edit": ("web", "edit", panes(mux, "edit")[0]),
    }[word]
    world.until(lambda: any(word in line[:26] for line in client.screen.display), "it on the client's screen")
    line = next(n for n, text in enumerate(client.screen.display, 1) if word in text[:26])
    client.type(b"\x1b[<0;9;%dM\x1b[<0;9;%dm" % (line, line))
    world.until(lambda: at(mux, client) == expected, "what was clicked")


def test_what_comes_and_goes_is_followed(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    unfold(world, mux, client)
    mux("rename-window", "-t", "=web:serve", "server")
    mux("new-window", "-d", "-t", "=web:", "-n", "fresh")
    shows(world, mux, "server", "fresh")
    client.type(b"jjjj")
    world.until(lambda: "server" in cursor_line(mux), "the cursor on the window")
    mux("kill-window", "-t", "=web:edit")
    world.until(lambda: "edit" not in text_of(mux), "the end of the window")
    world.until(lambda: "server" in cursor_line(mux), "the cursor, which sticks to its window")
    pane = panes(mux, "server")[0]
    mux("send-keys", "-t", pane, program, "Enter")
    world.until(lambda: "codex" in cursor_line(mux), "the agent in the window")
    say(mux, pane, WAITING)
    world.until(lambda: "!" in cursor_line(mux), "its state")
    mux("kill-session", "-t", "=web")
    world.until(lambda: "fresh" not in text_of(mux), "the end of the session")
    world.until(lambda: "main" in cursor_line(mux), "the cursor on what is left")


def test_each_sidebar_unfolds_for_itself(world: World, mux: Tmux, client: Terminal) -> None:
    unfold(world, mux, client)
    mux.attach("web")
    shows(world, mux, "web", "main", target="web")
    assert "edit" not in text_of(mux, "web")
    assert "edit" in text_of(mux)


def test_the_lane_is_a_second_door(world: World, mux: Tmux, program: str) -> None:
    world.config.write_text("sidebar: {attention: true}\n")
    pane = begin(mux, "job", program)
    mux.load()
    client = mux.attach()
    client.type(PREFIX + b"s")
    shows(world, mux, "job")
    mux("set-option", "-g", "mouse", "on")

    def rows() -> list[tuple[int, str]]:
        """Each row's line, number and name."""
        found = enumerate(text_of(mux).splitlines())
        return [(at, f"{line[2]} {line[6:].partition(' ')[0]}") for at, line in found if line[2:3].isdigit()]

    before = world.until(
        lambda: (found := rows()) and [name for _, name in found] == ["1 main", "2 job"] and found
    )
    world.until(lambda: any("job" in line and "○" in line for line in text_of(mux).splitlines()), "the agent")
    say(mux, pane, WAITING)

    def lane() -> list[int]:
        return [n for n, text in enumerate(client.screen.display, 1) if text[:26].startswith(" ! job")]

    world.until(lane, "the session in the lane")
    assert rows() == before
    client.type(b"\x1b[<0;5;%dM\x1b[<0;5;%dm" % (lane()[0], lane()[0]))
    world.until(lambda: mux.session_of(client) == "job", "the session")
    world.until(lambda: mux.ask("#{pane_id}", "job") == pane, "the agent's pane")
