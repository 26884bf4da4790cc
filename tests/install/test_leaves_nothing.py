"""What a tmux looks like after it was used with opensessions, and opensessions uninstalled: byte for byte as before."""

from __future__ import annotations

import difflib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opensessions import installation
from tests.install.looks import look
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

PREFIX = b"\x02o"
THEIRS = r"""
set -g mouse on
set -g base-index 1
set -g renumber-windows on
set -g @mine 'kept; #{x}'
set -g status-left '#{?@opensessions-attention,! ,}[#S] '
set -g status-right '#{@opensessions-status} %H'
set -gw window-status-format '#I:#W#{?@opensessions-window-icon, #{@opensessions-window-icon},}'
set -gw pane-border-status top
set -gw pane-border-format '#{pane_index} #{@opensessions-pane-agent}'
set -gw automatic-rename-format '<#{pane_current_command}>'
set -gw remain-on-exit off
set -g update-environment 'DISPLAY MINE'
set-environment -g MINE 'a b'
bind -N "my 'note' \"x\" ; #{y}" o if -F '#{a}' { display "it's \"q\" ; {x}" ; select-pane } { run-shell 'echo "a;b"' }
bind -r -N 'repeats' M-o display 'again'
bind -n -N 'mine' M-t display 'mine'
bind -n MouseDragEnd1Border display 'the end of my drag'
set -g @opensessions-toggle-key M-t
set -g @opensessions-popup-key M-p
set -g @opensessions-index-keys 'M-1 M-2'
set-hook -g client-attached 'set -g @attached 1'
set-hook -ga client-attached 'set -g @attached2 "a ; b"'
set-hook -g after-split-window[5] 'set -g @split 1'
set-hook -g pane-exited[3] 'set -g @exited 1'
set-hook -gw pane-title-changed 'set -g @titled 1'
"""

EVERY = (
    ("session", ("list-sessions", "-F", "#{session_id}"), (("show-options",), ("show-hooks",), ("show-environment",))),
    ("window", ("list-windows", "-a", "-F", "#{window_id}"), (("show-options", "-w"), ("show-hooks", "-w"))),
    ("pane", ("list-panes", "-a", "-F", "#{pane_id}"), (("show-options", "-p"), ("show-hooks", "-p"))),
)  # fmt: skip
"""What is listed for every target of a scope."""


def everything(mux: Tmux) -> dict[str, str]:
    """All that tmux tells of itself, by the command that tells it."""
    found = look(mux)
    found["windows"] = mux(
        "list-windows", "-a", "-F", "#{session_name} #{window_index} #{window_id} #{window_name} #F"
    )
    found["panes"] = mux(
        "list-panes", "-a", "-F", "#{pane_id} #{pane_index} #{pane_title} #{pane_left} #{pane_width}"
    )
    found["clients"] = mux("list-clients", "-F", "#{client_tty} #{client_session} #{client_key_table}")
    found["buffers"] = mux("list-buffers")
    for _, listing, commands in EVERY:
        for target in dict.fromkeys(mux.lines(*listing)):
            for command in commands:
                found[f"{' '.join(command)} {target}"] = mux(*command, "-t", target, check=False)  # it may go
    return found


def difference(before: dict[str, str], after: dict[str, str]) -> str:
    """The lines that differ, below the command that told them."""
    told = []
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name, "").split("\n"), after.get(name, "").split("\n")
        if old != new:
            told += [name, *(line for line in difflib.ndiff(old, new) if line[0] in "+-")]
    return "\n".join(told)


def begun(world: World, conf: str) -> tuple[Tmux, Terminal]:
    """A tmux with windows of several layouts, one of them zoomed, and a client."""
    mux = world.mux(conf=f"{conf}\nset -g default-command 'exec cat'")
    mux("split-window", "-dh", "-l", "29", "-t", "=main:", "exec cat")
    mux("split-window", "-dv", "-t", "=main:", "exec cat")
    mux("new-window", "-d", "-t", "=main:", "-n", "zoomed", "exec cat")
    mux("split-window", "-h", "-t", "=main:zoomed", "exec cat")
    mux("resize-pane", "-Z", "-t", "=main:zoomed")
    mux("new-window", "-d", "-t", "=main:", "exec cat")
    mux.new("other", "exec cat")
    mux("new-session", "-d", "-s", "group", "-t", "=other")
    client = mux.attach(cols=140)
    for session in ("other", "main"):  # a window is as large as who saw it last
        mux("switch-client", "-c", client.tty, "-t", f"={session}:")
        world.until(
            lambda session=session: mux.session_of(client) == session, "the client in another session"
        )
    world.until(lambda: named(mux), "the names that tmux gives")
    if conf:
        # Let the user's own hooks have run: our panes come and go as well.
        mux("split-window", "-d", "-t", "=main:", "true")
        world.until(lambda: mux("show-options", "-gqv", "@exited") == "1", "his hooks")
        mux("set-option", "-g", "@titled", "1")
    return mux, client


def named(mux: Tmux) -> bool:
    """Have windows the names of the programs in them? tmux looks when a pane prints something: a terminal's echo."""
    for pane in mux.lines("list-panes", "-a", "-f", "#{pane_active}", "-F", "#{pane_id}"):
        mux("send-keys", "-t", pane, "x")
    return all(
        "cat" in name or name == "zoomed" for name in mux.lines("list-windows", "-a", "-F", "#{window_name}")
    )


def settled(mux: Tmux) -> dict[str, str]:
    """Everything, once two looks agree: names and titles of new panes come a moment later."""
    last = everything(mux)
    mux.world.until(lambda: (now := everything(mux)) == last or last.update(now) or False, "a tmux at rest")
    return last


def is_as_before(mux: Tmux, before: dict[str, str]) -> None:
    """Wait until nothing differs: tmux gives windows their names half a second late."""
    told = ""

    def same() -> bool:
        nonlocal told
        told = difference(before, everything(mux))
        return not told

    try:
        mux.world.until(same, "a tmux as it was")
    except AssertionError as error:
        raise AssertionError(f"{told}\n{error}") from None


def installed(world: World, mux: Tmux) -> None:
    """Load the plugin's parts and wait until the server has published."""
    inside = mux.inside()
    world.cli("up", env=inside)
    subprocess.run(
        [sys.executable, "-P", "-m", "opensessions_tmux.install"],
        env=world.env | inside, check=True, capture_output=True,
    )  # fmt: skip
    world.until(lambda: mux.option("slot-3"), "the slots")


def sidebar(mux: Tmux, target: str) -> str:
    found = mux.lines("list-panes", "-t", target, "-f", "#{@opensessions-sidebar}", "-F", "#{pane_id}")
    return found[0] if found else ""


def used(world: World, mux: Tmux, client: Terminal) -> None:
    """Sidebars in every window, keys, a popup, switches, metadata: what might leave traces in tmux. In the end the
    client and every focus are where they were."""
    client.type(PREFIX + b"t")
    world.until(lambda: len(mux.sidebars()) == 3, "a sidebar in each window of the session")
    client.type(PREFIX + b"s")
    world.until(lambda: mux.ask("#{pane_id}", "=main:") == sidebar(mux, "=main:"), "the focus in the sidebar")
    client.type(b"jk?")
    world.until(lambda: "keys" in mux("capture-pane", "-p", "-t", sidebar(mux, "=main:")), "the help")
    client.type(b"\x1b")
    world.until(lambda: "sessions" in mux("capture-pane", "-p", "-t", sidebar(mux, "=main:")), "the rows")
    client.type(PREFIX + b"2")
    world.until(lambda: mux.session_of(client) != "main", "another session")
    client.type(PREFIX + b"1")
    world.until(lambda: mux.session_of(client) == "main", "the first session")
    world.cli("notify", "--session", "other", "look here", env=mux.inside())
    world.cli("set-status", "--session", "other", "building", env=mux.inside())
    client.type(PREFIX + b"g")
    client.wait(lambda: "┌" in client.text, "the popup")
    client.wait(lambda: "other" in client.text.partition("┌")[2], "its rows")
    client.type(b"q")
    client.wait(lambda: "┌" not in client.text, "the popup's end")
    mux("select-pane", "-l", "-t", "=main:")


def by_the_verb(world: World, mux: Tmux) -> None:
    world.cli("uninstall", env=mux.inside())


def by_the_script(world: World, mux: Tmux) -> None:
    script = Path(installation.root()) / "scripts" / "uninstall"
    subprocess.run(["/bin/sh", str(script)], env=world.env | mux.inside(), check=True, capture_output=True)


def after_a_crash(world: World, mux: Tmux) -> None:
    os.kill(world.status()["pid"], signal.SIGKILL)
    by_the_script(world, mux)


def after_a_stop(world: World, mux: Tmux) -> None:
    world.cli("down", env=mux.inside())
    by_the_verb(world, mux)


WAYS = [
    *(
        (leave, conf, "left")
        for leave in (by_the_verb, by_the_script, after_a_crash, after_a_stop)
        for conf in ("", THEIRS)
    ),
    *((by_the_verb, conf, "right") for conf in ("", THEIRS)),
]


@pytest.mark.parametrize(
    ("leave", "conf", "position"),
    WAYS,
    ids=[f"{leave.__name__}-{'theirs' if conf else 'plain'}-{position}" for leave, conf, position in WAYS],
)
def test_uninstalling_leaves_tmux_as_it_was(
    world: World, leave: Callable[[World, Tmux], None], conf: str, position: str
) -> None:
    world.config.write_text(f"sidebar: {{position: {position}}}\n")
    mux, client = begun(world, conf)
    before = settled(mux)
    installed(world, mux)
    used(world, mux, client)
    leave(world, mux)
    is_as_before(mux, before)


def test_with_the_focus_in_the_sidebar_and_a_client_that_looks(world: World) -> None:
    """The focus goes back to the pane that had it; the client stays where it is, and in no key table of ours."""
    mux, client = begun(world, THEIRS)
    before = settled(mux)
    installed(world, mux)
    client.type(PREFIX + b"s")
    world.until(lambda: mux.ask("#{pane_id}", "=main:") == sidebar(mux, "=main:"), "the focus in the sidebar")
    by_the_verb(world, mux)
    is_as_before(mux, before)


def test_what_the_user_changed_meanwhile_stays(world: World) -> None:
    """His panes are as wide as he made them, his windows as many, his hook and his key as he set them last."""
    mux, client = begun(world, THEIRS)
    installed(world, mux)
    client.type(PREFIX + b"t")
    world.until(lambda: len(mux.sidebars()) == 3, "three sidebars")
    window = mux.ask("#{window_id}", "=main:")
    narrow = mux.lines("list-panes", "-t", window, "-f", "#{?@opensessions-sidebar,0,1}", "-F", "#{pane_id}")[
        -1
    ]
    mux("resize-pane", "-t", narrow, "-x", "15")
    mux("new-window", "-d", "-t", "=main:", "exec cat")
    mux("bind-key", "-N", "newest", "o", "display-message", "newest")
    mux("set-hook", "-g", "window-linked[2]", "set -g @newest 1")
    world.until(lambda: len(mux.sidebars()) == 4, "a sidebar in the new window")
    by_the_verb(world, mux)
    assert not mux.sidebars()
    assert len(mux.lines("list-windows", "-t", "=main:")) == 4
    assert "newest" in mux("list-keys", "-N", "-T", "prefix", "o")
    assert "window-linked[2] set-option -g @newest 1" in mux("show-hooks", "-g")
    width = int(mux.ask("#{pane_width}", narrow))
    assert 15 <= width <= 29, "what the sidebar leaves behind is shared; the narrow one is narrow still"


def test_installed_and_uninstalled_three_times(world: World) -> None:
    mux, _ = begun(world, THEIRS)
    before = settled(mux)
    for _ in range(3):
        installed(world, mux)
        world.cli("sidebar", "show", env=mux.inside())
        world.until(lambda: len(mux.sidebars()) == 3, "three sidebars")
        by_the_verb(world, mux)
        is_as_before(mux, before)
