"""Which hooks ring, and what they leave alone."""

from __future__ import annotations

import pytest

from opensessions.errors import MuxError
from opensessions_tmux import hooks
from opensessions_tmux.hooks import SHOW, SLOT
from opensessions_tmux.options import RINGS, TITLE
from opensessions_tmux.quote import argument
from tests.support.world import Tmux, World
from tests.tmux.conftest import Follower

STARTER = ["/bin/sh", "-c", "exit 0"]


def listing(mux: Tmux) -> str:
    return "\n".join(mux(*words) for words in SHOW) + "\n"


def install(mux: Tmux, starter: list[str] = STARTER) -> None:
    for words in hooks.install(listing(mux), hooks.wanted(starter)):
        mux._run([argument(part).decode() for part in words])


def rings(mux: Tmux) -> int:
    return int(mux.ask(f"#{{{RINGS}}}") or 0)


def test_what_is_missing_and_what_is_ours() -> None:
    shown = (
        "session-created[7340] wait-for -S x\nsession-closed[0] display-message x\nalert-bell\npane-died\n"
    )
    wanted = dict.fromkeys(("session-created", "session-closed", "pane-died", "client-dark-theme"), "x")
    assert hooks.ours(shown) == {"session-created"}
    assert set(hooks.missing(shown, wanted)) == {"session-closed", "pane-died"}
    assert hooks.unknown(shown, wanted) == {"client-dark-theme"}
    assert hooks.remove(shown) == [("set-hook", "-gu", "session-created[7340]")]
    assert [words[2] for words in hooks.install(shown, wanted)] == [
        "session-created[7340]", "session-closed[7340]", "pane-died[7340]",
    ]  # fmt: skip


def test_a_users_hooks_stay_as_they_are(mux: Tmux) -> None:
    mux("set-hook", "-g", "session-created", 'display-message "mine; #{x}"')
    mux("set-hook", "-g", "pane-exited[3]", "display-message other")
    before = listing(mux)
    install(mux)
    install(mux)
    assert hooks.missing(listing(mux), hooks.wanted(STARTER)) == {}
    ours = [line for line in listing(mux).splitlines() if f"[{SLOT}]" in line]
    assert len(ours) == len(hooks.ours(listing(mux)))
    for words in hooks.remove(listing(mux)):
        mux(*words)
    assert listing(mux) == before


def test_an_unindexed_hook_wipes_our_slot_and_that_is_seen(mux: Tmux) -> None:
    install(mux)
    mux("set-hook", "-g", "session-created", "display-message mine")
    mux("set-hook", "-gu", "pane-exited")
    assert set(hooks.missing(listing(mux), hooks.wanted(STARTER))) == {"session-created", "pane-exited"}


def test_window_hooks_are_listed_apart(mux: Tmux) -> None:
    install(mux)
    assert "pane-exited[7340]" not in mux("show-hooks", "-g")
    assert "pane-exited[7340]" in mux("show-hooks", "-gw")


@pytest.mark.parametrize(
    "act",
    [
        ("new-session", "-d"),
        ("kill-session", "-t", "second"),
        ("rename-session", "-t", "second", "third"),
        ("new-window", "-d", "-t", "main:"),
        ("kill-window", "-t", "main:spare"),
        ("rename-window", "-t", "main:spare", "other"),
        ("select-window", "-t", "main:spare"),
        ("split-window", "-d", "-t", "main:"),
        ("select-pane", "-t", "main:0.0"),
        ("resize-pane", "-t", "main:0.0", "-x", "20"),
        ("kill-pane", "-t", "main:0.0"),
        ("swap-pane", "-d", "-s", "main:0.0", "-t", "main:0.1"),
        ("respawn-pane", "-k", "-t", "main:0.0", "true"),
        ("resize-pane", "-Z", "-t", "main:0.0"),
        ("select-layout", "-t", "main:0", "even-vertical"),
        ("link-window", "-d", "-s", "main:spare", "-t", "second:"),
        ("unlink-window", "-k", "-t", "main:spare"),
        ("break-pane", "-d", "-s", "main:0.0"),
    ],
    ids=lambda act: " ".join(act[:2]),
)
def test_what_changes_the_inventory_rings(world: World, mux: Tmux, act: tuple[str, ...]) -> None:
    mux("new-session", "-d", "-s", "second", "-x", "80", "-y", "30")
    mux("new-window", "-d", "-t", "main:", "-n", "spare")
    mux("split-window", "-h", "-t", "main:0")
    install(mux)
    before = rings(mux)
    mux(*act)
    world.until(lambda: rings(mux) > before, f"a ring after {act}")


def test_panes_that_exit_die_or_are_killed_ring(world: World, mux: Tmux) -> None:
    """Each of the three rings another hook."""
    install(mux)
    for options, how in (("off", "exit"), ("on", "exit"), ("off", "kill")):
        mux("set-option", "-g", "remain-on-exit", options)
        pane = mux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", "main:", "read line")
        before = rings(mux)
        if how == "kill":
            mux("kill-pane", "-t", pane)
        else:
            mux("send-keys", "-t", pane, "Enter")
        world.until(lambda before=before: rings(mux) > before, f"a ring: {options} {how}")


def test_clients_ring(world: World, mux: Tmux) -> None:
    install(mux)
    other = mux.new("other")
    before = rings(mux)
    terminal = mux.attach()
    world.until(lambda: rings(mux) > before, "attached")
    for act in (
        lambda: terminal.resize(90, 20),
        lambda: mux("switch-client", "-c", terminal.tty, "-t", other),
        lambda: mux("detach-client", "-t", terminal.tty),
    ):
        before = rings(mux)
        act()
        world.until(lambda before=before: rings(mux) > before, "a client's change")


def test_a_client_that_attaches_starts_the_program(world: World, mux: Tmux) -> None:
    """With every argument as it was given, and in silence."""
    told = world.home / "told it's #{pid} $HOME; %H"
    install(mux, ["/bin/sh", "-c", 'echo noise; echo "$1" > "$0"', str(told), "it's #(id) $x;"])
    terminal = mux.attach()
    world.until(lambda: told.exists() and told.read_text(), "the program")
    assert told.read_text() == "it's #(id) $x;\n"
    assert "noise" not in terminal.text


def test_a_turning_spinner_rings_once(world: World, mux: Tmux) -> None:
    install(mux)
    pane = mux.ask("#{pane_id}", "main:")

    def title(text: str) -> int:
        """How often a change of the title rings."""
        before = rings(mux)
        mux("select-pane", "-t", pane, "-T", text.replace("#", "##"))
        world.until(lambda: mux.ask("#{pane_title}", pane) == text, "the title")
        return rings(mux) - before

    evil = world.home / "evil"
    frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏⣾◐◓✦"
    assert title("some directory") <= 1
    assert title("another one") == 0
    assert [title(f"{frame} project") for frame in frames] == [1] + [0] * (len(frames) - 1)
    assert title("[ ! ] Action Required | project") == 1
    assert title("[ . ] Action Required | project") == 0
    assert title("✋  Action Required (dir)") == 0
    assert title("✳ Qwen - dir") == 1
    assert title(f"#(touch {evil})") == 1
    assert title(f"⠋ #(touch {evil}) }},#{{x}}") == 1
    assert mux.ask(f"#{{{TITLE}}}", pane) == "w"
    assert not evil.exists()


def test_a_hook_of_the_users_session_hides_ours(mux: Tmux) -> None:
    """Why readings are also asked for when somebody acts, and once a minute."""
    install(mux)
    mux("set-hook", "-t", "main", "session-renamed", "display-message mine")
    before = rings(mux)
    mux("rename-session", "-t", "main", "other")
    assert rings(mux) == before


async def test_a_provider_installs_every_hook_and_sweeps(world: World, follower: Follower) -> None:
    mux = follower.mux
    await follower.until(lambda: hooks.missing(listing(mux), follower.provider._hooks) == {}, "the hooks")
    mux("set-hook", "-g", "session-created", "display-message mine")
    mux("set-hook", "-gu", "pane-exited")
    await follower.provider.sweep()
    assert hooks.missing(listing(mux), follower.provider._hooks) == {}
    assert "session-created[0] display-message mine" in mux("show-hooks", "-g")


async def test_an_attached_client_starts_what_serves_this_tmux(world: World, follower: Follower) -> None:
    follower.mux.attach()
    started = world.home / "started"
    await follower.until(lambda: started.exists() and started.read_text(), "the start script")
    assert started.read_text().splitlines()[0] == repr(
        [
            f"runtime={world.runtime}", f"socket={follower.mux.socket}",
            f"python={follower.provider._context.python}", f"tmux={world.binary}",
        ]
    )  # fmt: skip


async def test_a_wiped_hook_is_missed_by_rings_but_not_by_sweeps(follower: Follower) -> None:
    """With every hook off, a sweep reaches the same result."""
    mux = follower.mux
    for words in hooks.remove(listing(mux)):
        mux(*words)
    await follower.quiet()
    count = len(follower.readings)
    mux.new("silent")
    await follower.provider.sweep()
    await follower.until(lambda: len(follower.readings) > count, "a reading")
    assert "silent" in {session.name for session in follower.last.sessions}


async def test_one_hook_that_tmux_refuses_costs_no_other(mux: Tmux, scripts: str) -> None:
    following = Follower(mux, scripts)
    wanted = following.provider._hooks
    wanted["session-renamed"] = "no-such-command"
    try:
        await following.until(lambda: len(following.readings) >= 2, "the first readings")
        assert set(hooks.missing(listing(mux), wanted)) == {"session-renamed"}
        await following.provider.sweep()
        mux.new("heard")
        await following.until(
            lambda: "heard" in {one.name for one in following.last.sessions}, "the others ring"
        )
    finally:
        await following.close()


async def test_a_sweep_of_a_tmux_that_does_not_answer(mux: Tmux, scripts: str) -> None:
    provider = Follower.open(mux, scripts, "f" * 32)
    mux.kill()
    with pytest.raises(MuxError, match="does not list its hooks"):
        await provider.sweep()
