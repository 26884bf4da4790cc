"""The sessionizer on a real tmux: folders, repositories, sessions and typed paths, chosen in a popup."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_sidebar import PREFIX
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World


@pytest.fixture
def client(world: World, mux: Tmux) -> Terminal:
    """A client in `main`, some folders and a repository with a linked working tree below `src`."""
    src = world.home / "src"
    for name in ("v1.2:x", "notes/deep", ".hidden"):
        (src / name).mkdir(parents=True)
    git(src, "init", "-q", "-b", "trunk", "engine")
    git(src / "engine", "commit", "-q", "--allow-empty", "-m", "first")
    git(src / "engine", "worktree", "add", "-q", "-b", "fix", str(world.home / "trees" / "fixed"))
    world.config.write_text("sessionizer: {roots: [~/src], depth: 2}\n")
    mux.load()
    return mux.attach()


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=u", "-c", "user.email=u@example.org", *words], check=True
    )


def opened(client: Terminal) -> None:
    client.type(PREFIX + b"c")
    client.wait(lambda: "new session" in client.text and "engine" in client.text, "the folders")
    client.wait(lambda: "searching" not in client.text, "the end of the search")


def gone(client: Terminal) -> None:
    client.wait(lambda: "┌" not in client.text, "the popup's end")


def folder_of(mux: Tmux, client: Terminal) -> str:
    return mux.ask("#{session_path}", f"={mux.session_of(client)}:")


def test_a_chosen_folder_becomes_a_session(world: World, mux: Tmux, client: Terminal) -> None:
    other = mux.attach()
    other.type(b"x")
    opened(client)
    client.wait(lambda: "v1.2:x" in client.text, "the last row")
    rows = [line.strip("│ ") for line in client.text.splitlines()]
    words = ("main", "engine", "fixed", "deep", "notes", "v1.2:x")
    order = [word for row in rows for word in words if row.lstrip("▌█› ").startswith(f"{word} ")]
    assert order == ["main", "engine", "fixed", "notes", "deep", "v1.2:x"]
    assert "trunk" in client.text
    assert ".hidden" not in client.text
    client.type(b"v12")
    client.wait(lambda: "engine" not in client.text, "only what was meant")
    client.type(b"\r")
    world.until(lambda: mux.session_of(client) == "v1_2_x", "the new session")
    gone(client)
    assert folder_of(mux, client) == str(world.home / "src/v1.2:x")
    assert mux.session_of(other) == "main"
    client.type(b"pwd\r")
    client.see("v1.2:x")


def test_a_linked_working_tree_outside_of_the_roots(world: World, mux: Tmux, client: Terminal) -> None:
    opened(client)
    client.type(b"fixed\r")
    world.until(lambda: mux.session_of(client) == "fixed", "the new session")
    assert folder_of(mux, client) == str(world.home / "trees/fixed")


def test_a_session_that_there_is_is_shown_again(world: World, mux: Tmux, client: Terminal) -> None:
    src = world.home / "src"
    backend = mux.new("backend", "-c", str(src / "engine"))
    mux("send-keys", "-t", backend, "cd /", "Enter")
    world.until(lambda: mux.ask("#{pane_current_path}", backend) == "/", "another directory")
    opened(client)
    client.wait(lambda: "backend" in client.text)
    client.type(b"engine\r")
    world.until(lambda: mux.session_of(client) == "backend", "the session that began there")
    gone(client)
    assert sorted(mux.lines("list-sessions", "-F", "#{session_name}")) == ["backend", "main"]


def test_a_directory_that_is_none(world: World, mux: Tmux, client: Terminal) -> None:
    """tmux takes anything for a session's directory."""
    mux.new("odd", "-c", "/tmp//\nW $0 1//\n")
    world.until(lambda: "odd" in [name for _, name in mux.rows()], "a complete reading")
    opened(client)
    client.see("odd")


def test_a_name_that_is_taken_gets_a_number(world: World, mux: Tmux, client: Terminal) -> None:
    mux.new("notes", "-c", "/")
    opened(client)
    client.type(b"src/notes\r")
    world.until(lambda: mux.session_of(client) == "notes-2", "the new session")
    assert folder_of(mux, client) == str(world.home / "src/notes")


def test_a_typed_path_and_a_new_folder(world: World, mux: Tmux, client: Terminal) -> None:
    opened(client)
    # A key that comes before the disk has said what a path leads to means nothing.
    client.type(b"~/s")
    client.see("src  ~")
    client.type(b"\t")
    client.see("> ~/src/")
    client.wait(lambda: "notes" in client.text and "new folder" not in client.text, "what is in it")
    client.type(b"no")
    client.see("new folder")
    client.type(b"\t")
    client.see("> ~/src/notes/")
    client.wait(lambda: "deep" in client.text and "new folder" not in client.text, "what is in it")
    client.type(b"fresh #{pid}/x")
    client.see("new folder")
    client.type(b"\r")
    world.until(lambda: mux.session_of(client) == "x", "the new session")
    gone(client)
    assert folder_of(mux, client) == str(world.home / "src/notes/fresh #{pid}/x")


def test_what_cannot_be_done_is_said_and_the_screen_stays(world: World, mux: Tmux, client: Terminal) -> None:
    (world.home / "file").write_text("")
    opened(client)
    client.type(b"~/file/x")
    client.see("new folder")
    client.type(b"\r")
    client.see("cannot be made")
    client.type(b"\x15~/file")
    client.see("That is no folder.")
    client.type(b"\r\x1b")
    gone(client)
    assert mux.session_of(client) == "main"
    client.type(b"echo a$((1+1))c\r")
    client.see("a2c")


def test_a_click_and_control_characters(world: World, mux: Tmux, client: Terminal) -> None:
    mux("set-option", "-g", "mouse", "on")
    (world.home / "src" / "e\x1b[31mvil\n").mkdir()
    opened(client)
    client.see("e?[31mvil?")
    line = next(n for n, text in enumerate(client.screen.display) if "e?[31mvil?" in text)
    column = client.screen.display[line].index("vil")
    client.type(b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % ((column + 1, line + 1) * 2))
    world.until(lambda: mux.session_of(client) == "e?[31mvil?", "the clicked folder's session")


def test_what_zoxide_knows(world: World, mux: Tmux, client: Terminal) -> None:
    (world.home / "far" / "away").mkdir(parents=True)
    program = world.home / "bin" / "zoxide"
    program.write_text(f"#!/bin/sh\n[ \"$1 $2\" = 'query --list' ] && echo '{world.home}/far/away'\n")
    program.chmod(0o755)
    opened(client)
    client.see("zoxide")
    client.type(b"away\r")
    world.until(lambda: mux.session_of(client) == "away", "the new session")


def test_its_own_directory_is_the_panes(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(b"cd src/notes\r")
    world.until(lambda: mux.ask("#{pane_current_path}", "main").endswith("notes"), "another directory")
    opened(client)
    client.type(b"./deep")
    client.wait(lambda: re.search(r"deep .*\bfolder\b", client.text), "the typed folder")
    client.type(b"\r")
    world.until(lambda: mux.session_of(client) == "deep", "the new session")


def test_in_a_pane_of_its_own(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(b"opensessions session new\r")
    client.wait(lambda: "new session" in client.text and "fixed" in client.text, "the folders")
    client.type(b"\x1b")
    client.see("Nothing was chosen.")
    client.wait(lambda: client.text.count("$ ") == 2, "the next prompt")
    client.type(b"echo status $?\r")
    client.see("status 1")


def test_without_a_terminal(world: World, mux: Tmux, client: Terminal) -> None:
    inside = mux.inside()
    folder = world.home / "src" / "v1.2:x"
    made = json.loads(world.cli("session", "new", "--dir", str(folder), "--json", env=inside).stdout)
    assert made["directory"] == str(folder)
    assert mux.ask("#{session_name} #{session_path}", f"{made['session']}:") == f"v1_2_x {folder}"
    second = world.cli("session", "new", "--dir", str(folder), env=inside).stdout.strip()
    world.until(lambda: mux.ask("#{session_name}", f"{second}:") == "v1_2_x-2", "a name of its own")
    third = world.cli(
        "session", "new", "--dir", str(folder), "--name", "mine", "--client", client.tty, env=inside
    )
    assert mux.session_of(client) == "mine"
    assert mux.ask("#{session_id}", "=mine:") == third.stdout.strip()
    refused = world.cli("session", "new", "--dir", str(folder / "none"), check=False, env=inside)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_the_script_of_the_checkout(world: World, mux: Tmux, client: Terminal) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "sessionizer"
    done = subprocess.run(
        ["sh", str(script), "--dir", str(world.home / "src/notes")],
        env={**world.env, **mux.inside()}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert mux.ask("#{session_name}", f"{done.stdout.strip()}:") == "notes"
