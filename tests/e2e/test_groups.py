"""Sessions in the working trees of one repository stand together, on a real tmux."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.context.repositories import Repo
from tests.e2e.test_sidebar import PREFIX, shows, sidebar_of, text_of
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World


@pytest.fixture
def client(world: World, mux: Tmux) -> Terminal:
    """A client in `main`; `api` and `fix` in two working trees of the repository `shop`, `web` between them and `docs`
    after them; the sidebar has the focus."""
    repo = Repo(world.home / "shop")
    repo.git("worktree", "add", "-q", "-b", "fix", str(world.home / "fix"))
    mux.new("api", "-c", str(repo.root))
    mux.new("web")
    mux.new("fix", "-c", str(world.home / "fix"))
    mux.new("docs")
    mux.load()
    client = mux.attach()
    client.type(PREFIX + b"s")
    shows(world, mux, "▾", "shop", "docs")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    return client


def names(mux: Tmux) -> list[str]:
    """The ordering file, which must agree with the published slots."""
    return [name for _, name in mux.rows()]


def slots(mux: Tmux) -> list[str]:
    return [id for number in range(1, 10) if (id := mux.option(f"slot-{number}"))]


def ordered(world: World, mux: Tmux, *expected: str) -> None:
    world.until(lambda: names(mux) == list(expected), f"the order {expected}")
    world.until(lambda: slots(mux) == [id for id, _ in mux.rows()], "the slots")


def groups(world: World) -> list[dict[str, Any]]:
    (mux,) = json.loads(world.cli("list", "--json").stdout)["muxes"]
    found: list[dict[str, Any]] = mux.get("groups", [])
    return found


def cursor_on(world: World, mux: Tmux, word: str) -> Callable[[], None]:
    def found() -> bool:
        return any(word in line and line[0] in "›█" for line in text_of(mux).splitlines() if line)

    return lambda: world.until(found, f"the cursor on {word}")


def test_working_trees_stand_together_and_a_collapsed_group_has_no_index(
    world: World, mux: Tmux, client: Terminal
) -> None:
    ordered(world, mux, "main", "api", "fix", "web", "docs")
    (group,) = groups(world)
    ids = {name: id for id, name in mux.rows()}
    assert group == {
        "id": f"{world.home}/shop/.git", "name": "shop", "collapsed": False, "sessions": [ids["api"], ids["fix"]],
    }  # fmt: skip
    client.type(b"j")
    cursor_on(world, mux, "shop")()
    client.type(b"h")
    ordered(world, mux, "main", "web", "docs")
    shows(world, mux, "▸", "shop")
    world.until(lambda: "fix" not in text_of(mux), "no row of the folded group")
    client.type(b"3")
    world.until(lambda: mux.session_of(client) == "docs", "the third row")


def test_a_collapsed_group_stays_so_over_a_restart_and_opens_again(
    world: World, mux: Tmux, client: Terminal
) -> None:
    client.type(b"j ")
    ordered(world, mux, "main", "web", "docs")
    world.cli("down", env=mux.inside())
    world.cli("up", env=mux.inside())
    ordered(world, mux, "main", "web", "docs")
    shows(world, mux, "▸", "shop")
    world.until(lambda: mux.ask("#{pane_id}", "main") != sidebar_of(mux), "the focus beside the sidebar")
    client.type(PREFIX + b"s")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    client.type(b"j\r")
    ordered(world, mux, "main", "api", "fix", "web", "docs")


def test_rows_move_within_their_group_and_take_it_along_at_its_edge(
    world: World, mux: Tmux, client: Terminal
) -> None:
    client.type(b"jj")
    cursor_on(world, mux, "api")()
    client.type(b"J")
    ordered(world, mux, "main", "fix", "api", "web", "docs")
    client.type(b"J")
    ordered(world, mux, "main", "web", "fix", "api", "docs")
    client.type(b"hK")
    ordered(world, mux, "main", "fix", "api", "web", "docs")


def test_a_drag_moves_a_row_and_letting_go_outside_moves_nothing(
    world: World, mux: Tmux, client: Terminal
) -> None:
    mux("set-option", "-g", "mouse", "on")

    def listed() -> list[str]:
        """The sessions on the client's screen, from top to bottom."""
        words = [text[5:26].split()[:1] for text in client.screen.display if text[2:3].isdigit()]
        return [name for found in words for name in found]

    def line(word: str) -> int:
        """The screen's line of a session, counted from 1."""
        world.until(lambda: listed() == names(mux), "the order on the screen")
        return next(n for n, text in enumerate(client.screen.display, 1) if f" {word} " in text[:26])

    def drag(word: str, to: int, column: int = 5) -> None:
        start = line(word)
        client.type(b"\x1b[<0;5;%dM" % start)
        cursor_on(world, mux, word)()
        client.type(b"\x1b[<32;5;%dM" % ((start + to) // 2))
        client.type(b"\x1b[<32;%d;%dM" % (column, to))

    drag("docs", line("web"))
    world.until(lambda: any(text[:1] == "↓" for text in text_of(mux).splitlines()), "the mark")
    client.type(b"\x1b[<0;5;%dm" % line("web"))
    ordered(world, mux, "main", "api", "fix", "docs", "web")
    drag("web", 28)
    world.until(lambda: not any(text[:1] in ("↓", "↑") for text in text_of(mux).splitlines()), "no mark")
    client.type(b"\x1b[<0;5;28m")
    client.type(b"g")
    cursor_on(world, mux, "main")()
    drag("web", line("docs"))
    world.until(
        lambda: any(text[:1] == "↑" for text in text_of(mux).splitlines()) or "↓" in text_of(mux), "the mark"
    )
    client.type(b"\x1b[<32;60;9M")  # tmux gives this to the other pane
    world.until(lambda: not any(text[:1] in ("↓", "↑") for text in text_of(mux).splitlines()), "no mark")
    client.type(b"\x1b[<0;60;9m")
    mux("rename-session", "-t", "=docs", "paper")
    ordered(world, mux, "main", "api", "fix", "paper", "web")
    assert mux.session_of(client) == "main"


def test_groups_can_be_switched_off(world: World, mux: Tmux) -> None:
    world.config.write_text("sidebar: {groups: false}\n")
    repo = Repo(world.home / "shop")
    repo.git("worktree", "add", "-q", "-b", "fix", str(world.home / "fix"))
    mux.new("api", "-c", str(repo.root))
    mux.new("web")
    mux.new("fix", "-c", str(world.home / "fix"))
    mux.load()
    client = mux.attach()
    world.cli("sidebar", "show", env=mux.inside())
    world.until(lambda: "fix*" in client.text or " fix " in client.text, "the branch")
    assert names(mux) == ["main", "api", "web", "fix"]
    assert groups(world) == []
