"""plugin.tmux as tmux runs it: from tmux.conf, with little on PATH, whatever shell its user has."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opensessions import installation
from tests.install.looks import look
from tests.support.world import Tmux, World

ROOT = Path(installation.root())


def checkout(world: World, bootstrap: str = "", name: str = "it's a checkout") -> Path:
    """A copy of what plugin.tmux needs; `bootstrap` takes the place of scripts/bootstrap."""
    folder = world.home / name
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copy(ROOT / "plugin.tmux", folder)
    if bootstrap:
        (folder / "scripts" / "bootstrap").write_text(bootstrap)
    return folder


def run(mux: Tmux, folder: Path, *arguments: str) -> None:
    """What `run-shell` in tmux.conf does."""
    words = [str(folder / "plugin.tmux"), *arguments]
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    mux("run-shell", f"sh {quoted}".replace("#", "##"))


def settled(mux: Tmux) -> Callable[[], bool]:
    """Is the loader through, and its server there?"""

    def look() -> bool:
        keys, notice = mux("list-keys", "-T", "prefix", "o"), mux("show-options", "-gqv", NOTICE)
        return (
            "-T opensessions" in keys
            and not notice
            and bool(mux("show-options", "-gqv", "@opensessions-pid"))
        )

    return look


NOTICE = "@opensessions-notice"


@pytest.mark.parametrize("how", ["option", "argument"])
def test_a_python_that_is_given_is_used(world: World, mux: Tmux, how: str) -> None:
    folder = checkout(world, "echo 'bootstrap was run' >&2; exit 1")
    if how == "option":
        mux("set-option", "-g", "@opensessions-python", sys.executable)
    run(mux, folder, *([sys.executable] if how == "argument" else []))
    world.until(settled(mux))
    assert mux("show-options", "-gqv", "@opensessions-path-python").strip("'") == sys.executable


def test_loading_again_changes_nothing(world: World, mux: Tmux) -> None:
    folder = checkout(world)
    run(mux, folder, sys.executable)
    world.until(settled(mux))
    first = look(mux)["list-keys"]
    mux("unbind-key", "-T", "opensessions", "p")
    run(mux, folder, sys.executable)
    world.until(lambda: mux("list-keys", "-T", "opensessions", "p", check=False))
    world.until(settled(mux))
    assert look(mux)["list-keys"] == first


def test_keys_say_that_it_is_being_installed(world: World, mux: Tmux) -> None:
    mux("set-option", "-g", "@opensessions-focus-key", "M-s")
    mux("bind-key", "-N", "theirs; #{x}", "o", "display-message", "theirs")
    terminal = mux.attach()
    theirs = look(mux)
    gate = world.home / "gate"
    os.mkfifo(gate)
    folder = checkout(world, f'[ "$1" = --ready ] && exit 1\nread go <{gate}\necho {sys.executable}')
    run(mux, folder)
    world.until(lambda: "notice" in mux("list-keys", "-T", "root", "M-s", check=False))
    for keys in (b"\x02o", b"\x1bs"):
        terminal.type(keys)
        terminal.see("opensessions: installing… (log: ")
        mux("refresh-client", "-t", terminal.tty)
        terminal.type(b" ")
        terminal.wait(lambda: "installing" not in terminal.text)
    gate.write_text("go\n")
    world.until(settled(mux))
    assert "theirs" in mux("list-keys", "-T", "opensessions", "o")
    world.cli("uninstall", env=mux.inside())
    assert look(mux) == theirs


def test_a_failure_is_one_message_with_the_way_out(world: World, mux: Tmux) -> None:
    folder = checkout(
        world,
        "[ \"$1\" = --ready ] || { echo noise; echo 'Python is missing; install it.'; exit 1; } >&2; exit 1",
    )
    terminal = mux.attach()
    run(mux, folder)
    terminal.see("opensessions: Python is missing; install it. (log: ")
    terminal.type(b"q")
    terminal.wait(lambda: "missing" not in terminal.text)
    terminal.type(b"\x02o")
    terminal.see("opensessions: Python is missing; install it. (log: ")


def test_a_failure_before_anybody_looks_is_told_to_the_first_client(world: World, mux: Tmux) -> None:
    hooks = mux("show-hooks", "-g")
    folder = checkout(world, "[ \"$1\" = --ready ] || echo 'Python is missing; install it.' >&2; exit 1")
    run(mux, folder)
    world.until(lambda: "7340" in mux("show-hooks", "-g"))
    terminal = mux.attach()
    terminal.see("opensessions: Python is missing; install it. (log: ")
    world.until(lambda: mux("show-hooks", "-g") == hooks)


def test_a_python_without_us_is_named(world: World, mux: Tmux) -> None:
    bare = str(Path(sys.executable).resolve())
    mux("set-option", "-g", "@opensessions-python", bare)
    terminal = mux.attach()
    terminal.screen.resize(columns=300)
    terminal.resize(300, 30)
    run(mux, checkout(world))
    terminal.see(f"opensessions: {bare} cannot load it: ")


def test_it_lets_tmux_start_at_once(world: World) -> None:
    """Though its bootstrap waits for something that comes only after tmux has started."""
    gate = world.home / "gate"
    os.mkfifo(gate)
    folder = checkout(world, f"read go <{gate}; exit 1", name="slow")
    mux = world.mux(conf=f"run-shell 'sh {folder}/plugin.tmux'\nset -g @after yes")
    assert mux("show-options", "-gqv", "@after") == "yes"
    with open(os.open(gate, os.O_RDWR), "wb", buffering=0) as opened:
        opened.write(b"go\n" * 9)
        world.until(lambda: not world.loading(), "the loader's end")


def test_from_a_configuration_with_little_on_path(world: World) -> None:
    folder = checkout(world)
    world.env["PATH"] = "/nowhere"
    mux = world.mux(conf=f"""run-shell "/bin/sh \\"{folder}/plugin.tmux\\" {sys.executable}\"""")
    world.until(settled(mux))
    assert mux("show-options", "-gqv", "@opensessions-path-tmux") == os.path.realpath(world.binary)


@pytest.mark.parametrize("shell", ["fish", "tcsh", "zsh", "bash"])
def test_with_another_default_shell(world: World, shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    world.env["SHELL"] = path
    mux = world.mux(conf=f"set -g default-shell {path}\nrun-shell '{ROOT}/plugin.tmux {sys.executable}'")
    mux.new("two")
    mux.new("three")
    world.until(lambda: mux("show-options", "-gqv", "@opensessions-slot-3"))
    terminal = mux.attach()
    terminal.type(b"\x02ot")
    terminal.see("sessions 3")
    terminal.type(b"\x02o3")
    terminal.wait(lambda: mux.session_of(terminal) == "three")
    terminal.type(b"\x02on")
    terminal.wait(lambda: mux.session_of(terminal) == "main")
    terminal.type(b"\x02os")
    terminal.wait(lambda: mux.ask("#{@opensessions-sidebar}", terminal.tty))


@pytest.mark.parametrize(("position", "border", "end"), [("left", 27, 37), ("right", 74, 64)])
def test_a_drag_of_the_sidebars_border_is_the_users_wish(
    world: World, position: str, border: int, end: int
) -> None:
    world.config.write_text(f"sidebar: {{position: {position}}}\n")
    mux = world.mux(conf=f"set -g mouse on\nrun-shell '{ROOT}/plugin.tmux {sys.executable}'")
    mux("new-window", "-d", "cat")
    world.until(settled(mux))
    terminal = mux.attach()
    terminal.type(b"\x02ot")
    world.until(lambda: [width for _, width in mux.sidebars().values()] == [26, 26], "both sidebars")
    step = 1 if end > border else -1
    moves = "".join(f"\x1b[<32;{column};5M" for column in range(border + step, end + step, step))
    for event in (f"\x1b[<0;{border};5M", moves, f"\x1b[<0;{end};5m"):
        terminal.type(event.encode())
    world.until(lambda: [width for _, width in mux.sidebars().values()] == [36, 36], "both at the new width")


def test_outside_of_tmux_it_says_where_it_belongs(world: World) -> None:
    import subprocess

    done = subprocess.run(
        ["sh", str(ROOT / "plugin.tmux")], env=world.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "tmux.conf" in done.stderr
