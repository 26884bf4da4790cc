"""What stands in the list besides rows, on a real tmux: what scripts say, headings that are clicked, two sidebars."""

from __future__ import annotations

from tests.context.repositories import Repo
from tests.e2e.test_groups import ordered
from tests.e2e.test_sidebar import PREFIX, shows, text_of
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World


def lines(client: Terminal) -> list[str]:
    """The sidebar on the client's screen."""
    return [line[:26] for line in client.screen.display]


def click(world: World, client: Terminal, word: str) -> None:
    world.until(lambda: any(word in line for line in lines(client)), f"{word} on the screen")
    line = next(n for n, text in enumerate(lines(client), 1) if word in text)
    client.type(b"\x1b[<0;9;%dM\x1b[<0;9;%dm" % (line, line))


def test_what_scripts_say_has_a_line_below_the_row(world: World, mux: Tmux) -> None:
    mux("set-option", "-g", "mouse", "on")
    for name in ("api", "web"):
        mux.new(name)
    mux.load()
    client = mux.attach()
    client.type(PREFIX + b"t")
    shows(world, mux, "api", "web")
    env = mux.inside()
    world.cli("set-status", "--session", "api", "building #(touch trap)", env=env)
    world.cli("set-progress", "--session", "api", "3", "10", env=env)
    shows(world, mux, "buildi", "▰▱▱▱ 3/10")
    place = next(n for n, line in enumerate(text_of(mux).splitlines()) if " api" in line)
    assert "3/10" in text_of(mux).splitlines()[place + 1]
    assert " web" in text_of(mux).splitlines()[place + 2]
    click(world, client, "3/10")
    world.until(lambda: mux.session_of(client) == "api", "the session of the line")
    world.cli("set-status", "--session", "api", "--clear", env=env)
    world.cli("set-progress", "--session", "api", "--clear", env=env)
    world.until(lambda: "3/10" not in text_of(mux, "api"), "no line any more")
    assert not (world.home / "trap").exists()


def test_a_heading_that_is_clicked_folds_the_group_in_every_sidebar(world: World, mux: Tmux) -> None:
    mux("set-option", "-g", "mouse", "on")
    repo = Repo(world.home / "shop")
    repo.git("worktree", "add", "-q", "-b", "fix", str(world.home / "fix"))
    mux.new("api", "-c", str(repo.root))
    mux.new("fix", "-c", str(world.home / "fix"))
    mux.new("docs")
    mux.load()
    client, other = mux.attach(), mux.attach("docs")
    client.type(PREFIX + b"t")
    for target in ("main", "docs"):
        shows(world, mux, "▾", "shop", "api", "docs", target=target)
    click(world, client, "shop")
    ordered(world, mux, "main", "docs")
    for target in ("main", "docs"):
        shows(world, mux, "▸", target=target)
        world.until(lambda target=target: "api" not in text_of(mux, target), "a folded group")
    click(world, other, "shop")
    ordered(world, mux, "main", "api", "fix", "docs")
    assert (mux.session_of(client), mux.session_of(other)) == ("main", "docs")
