"""Every act of the sidebar by its key, and by the mouse, on a real tmux."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.test_agents import WAITING, WORKING, agents, becomes, begin, say
from tests.e2e.test_sidebar import PREFIX, shows, sidebar_of, text_of
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

RESTS = "proj"

ASKS = r"""#!/bin/bash
printf '\033]2;%s\033\\' '[ ! ] Action Required | proj'
printf '\n  Would you like to run the following command?\n\n  $ make clean\n\n'
printf '› 1. Yes, proceed (y)\n  2. No, and tell Codex what to do differently (esc)\n\n'
printf '  Press enter to confirm or esc to cancel\n'
read -rsn1 key
printf '%q\n' "$key" >> "$HOME/pressed"
printf '\033[2J\033[H\033]2;%s\033\\' proj
while read -rsn1 key; do printf '%q\n' "$key" >> "$HOME/pressed"; done
"""


@pytest.fixture
def client(mux: Tmux) -> Terminal:
    """A client in `main`; sessions api, web and docs; the plugin loaded."""
    for name in ("api", "web", "docs"):
        mux.new(name)
    mux("set-option", "-g", "mouse", "on")
    mux("set-option", "-g", "display-time", "10000")  # its own 750 ms pass unseen while the machine is busy
    mux.load()
    return mux.attach()


@pytest.fixture
def program(world: World) -> str:
    """An agent that shows as its state what it is told."""
    from tests.e2e.test_agents import AGENT

    return installed(world, AGENT)


def installed(world: World, text: str) -> str:
    file = world.home / "bin" / "codex"
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


def focus(world: World, mux: Tmux, client: Terminal, *words: str) -> None:
    """Open the sidebar, and wait until it takes keys."""
    client.type(PREFIX + b"s")
    shows(world, mux, *(words or ("docs",)))
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    world.until(lambda: "help" in footer(mux), "the hints: it knows that it has the focus")


def names(mux: Tmux) -> list[str]:
    return [name for _, name in mux.rows()]


def footer(mux: Tmux, target: str = "main") -> str:
    return (text_of(mux, target).rstrip("\n").splitlines() or [""])[-1].strip()


def asked(world: World, mux: Tmux, words: str) -> None:
    """Wait for a question, and until it has been there for long enough to be read."""
    world.until(lambda: words in footer(mux), f"{words!r} in the footer")
    since = time.monotonic()
    world.until(lambda: time.monotonic() > since + 0.5, "time to read")


DOUBLE = 0.4
"""Seconds after which a click is no part of a double click: tmux 3.3a swallows the press of another button in 0.3 s."""


def click(client: Terminal, text: str, button: int = 0, offset: int = 0) -> None:
    """Click where this text stands in the sidebar of the client's window, at the window's left. The pause before it
    counts from what the last click did, which is seen by now: tmux may have read that click late."""
    end = time.monotonic() + DOUBLE
    client.wait(lambda: time.monotonic() > end, "the end of a double click")

    def place() -> tuple[int, int] | None:
        lines = [line[:26] for line in client.screen.display]
        return next(((line.index(text), y) for y, line in enumerate(lines) if text in line), None)

    client.wait(place, f"{text!r} in the sidebar")
    found = place()
    assert found
    code = f"\x1b[<{button};{found[0] + offset + 1};{found[1] + 1}"
    client.type(f"{code}M{code}m".encode())


def on_screen(world: World, client: Terminal, *words: str) -> None:
    """Wait until the client's terminal shows it in the sidebar."""
    world.until(
        lambda: all(any(word in line[:26] for line in client.screen.display) for word in words),
        f"{words} on the client's screen",
    )


# --- rows -------------------------------------------------------------------------------------------------------


def test_what_was_done_to_rows_is_undone_in_order(world: World, mux: Tmux, client: Terminal) -> None:
    focus(world, mux, client)
    assert names(mux) == ["main", "api", "web", "docs"]
    client.type(b"GKx")
    world.until(lambda: names(mux) == ["main", "api", "web"], "docs moved up, and hidden")
    client.type(b"X")
    shows(world, mux, "docs")
    client.type(b"u")
    world.until(lambda: footer(mux) == "docs is back in the list", "what was undone")
    assert names(mux) == ["main", "api", "docs", "web"]
    client.type(b"u")
    world.until(lambda: footer(mux) == "docs is where it was", "what was undone")
    assert names(mux) == ["main", "api", "web", "docs"]
    client.type(b"u")
    world.until(lambda: "There is nothing to undo." in client.text, "why nothing happens")
    assert "is where it was" not in footer(mux)


def test_undo_on_the_command_line(world: World, mux: Tmux, client: Terminal) -> None:
    world.cli("session", "hide", "api", env=mux.inside())
    world.cli("session", "move", "docs", "up", env=mux.inside())
    world.until(lambda: names(mux) == ["main", "docs", "web"], "both")
    assert world.cli("undo", env=mux.inside()).stdout == "docs is where it was\n"
    assert world.cli("undo", env=mux.inside()).stdout == "api is back in the list\n"
    world.until(lambda: names(mux) == ["main", "api", "web", "docs"], "as it was")
    done = world.cli("undo", env=mux.inside(), check=False)
    assert (done.returncode, done.stderr) == (1, "opensessions: There is nothing to undo.\n")
    world.cli("session", "hide", "api", env=mux.inside())
    world.cli("down")
    mux.up()
    assert world.cli("undo", env=mux.inside(), check=False).returncode == 1
    world.until(lambda: names(mux) == ["main", "web", "docs"], "the order as it was left")


def test_next_and_previous_go_round(world: World, mux: Tmux, client: Terminal) -> None:
    focus(world, mux, client)
    client.type(b")")
    world.until(lambda: mux.session_of(client) == "api", "the next one")
    world.until(lambda: mux.ask("#{pane_id}", "api") == sidebar_of(mux, "api"), "the focus in its sidebar")
    client.type(b"(")
    world.until(lambda: mux.session_of(client) == "main", "the previous one")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in its sidebar")
    client.type(b"(")
    world.until(lambda: mux.session_of(client) == "docs", "the last one")


def test_a_session_is_renamed_in_the_footer(world: World, mux: Tmux, client: Terminal) -> None:
    focus(world, mux, client)
    client.type(b"j$")
    world.until(lambda: footer(mux).startswith("name api"), "its name to edit")
    client.type(b"\x15back end\x17\x7f.end")
    world.until(lambda: footer(mux).startswith("name back.end"), "what was typed")
    client.type(b"\r")
    world.until(lambda: footer(mux) == "its name is back_end", "the name that it got")
    world.until(lambda: names(mux) == ["main", "back_end", "web", "docs"], "its name in the order")
    client.type(b"$zzz")
    world.until(lambda: "zzz" in footer(mux), "what was typed")
    client.type(b"\x1b")
    world.until(lambda: "zzz" not in footer(mux), "no line")
    assert "zzz" not in " ".join(mux.lines("list-sessions", "-F", "#{session_name}"))


def test_a_new_session_is_chosen_in_a_popup(world: World, mux: Tmux, client: Terminal) -> None:
    (world.home / "project" / ".git").mkdir(parents=True)
    odd = world.home / "a #(touch trap) #{pid}; $x 'b"
    odd.mkdir()
    mux("send-keys", "-t", "main", 'cd "$HOME/a #(touch trap) #{pid}; \\$x \'b"', "Enter")
    world.until(lambda: mux.ask("#{pane_current_path}", "main") == str(odd), "another folder")
    focus(world, mux, client)
    client.type(b"N")
    world.until(lambda: "esc close" in client.text and "project  ~" in client.text, "the list of folders")
    client.type(b"project\r")
    world.until(lambda: mux.session_of(client) == "project", "the new session")
    world.until(lambda: "┘" not in client.text, "the end of the popup's frame")
    mux("switch-client", "-c", client.tty, "-t", "=main:")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    world.until(lambda: "help" in footer(mux), "it knows that it has the focus")
    client.type(b"N")
    world.until(lambda: "esc close" in client.text and "project  ~" in client.text, "the list of folders")
    client.type(b"./below")
    world.until(lambda: "new folder" in client.text, "a folder that is to be made")
    client.type(b"\r")
    world.until(lambda: mux.session_of(client) == "below", "a session below the pane's folder")
    assert mux.ask("#{session_path}", "=below:") == str(odd / "below")
    assert not list(world.home.rglob("trap"))


def test_the_width_by_key(world: World, mux: Tmux, client: Terminal) -> None:
    focus(world, mux, client)
    pane = sidebar_of(mux)
    client.type(b">")
    world.until(lambda: mux.sidebars()[pane][1] == 28, "two cells more")
    client.type(b"<<")
    world.until(lambda: mux.sidebars()[pane][1] == 24, "two steps less")


def test_which_rows_are_listed_by_key(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane = begin(mux, "agent", program)
    becomes(world, pane, "idle")
    focus(world, mux, client)
    client.type(b"\t")
    world.until(lambda: names(mux) == ["agent"], "those with agents")
    client.type(b"\t")
    world.until(lambda: names(mux) == [], "those at work")
    client.type(b"\x1b[Z")
    world.until(lambda: names(mux) == ["agent"], "back to those with agents")
    client.type(b"\x1b[Z")
    world.until(lambda: len(names(mux)) == 5, "all")
    client.type(b"3")
    world.until(lambda: mux.session_of(client) == "web", "the third row")


def test_everything_is_read_again_by_key(world: World, mux: Tmux, client: Terminal) -> None:
    focus(world, mux, client)
    for scope in ("-g", "-gw"):
        for line in mux.lines("show-hooks", scope):
            if "[7340]" in line:
                mux("set-hook", f"{scope}u", line.split(" ")[0])
    # A reading that was rung for before, or the round of every minute, may still show one of them.
    for number in range(5):
        mux.new(f"quiet{number}")
        world.cli("list")
        if f"quiet{number}" not in text_of(mux):
            break
    else:
        pytest.fail("nothing rings, and every new session is shown")
    client.type(b"r")
    shows(world, mux, f"quiet{number}")


# --- agents -----------------------------------------------------------------------------------------------------


def test_there_and_back_from_the_sidebar(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane = begin(mux, "agent", program)
    becomes(world, pane, "idle")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting")
    focus(world, mux, client)
    client.type(b"a")
    world.until(lambda: mux.session_of(client) == "agent", "who waits")
    world.until(lambda: mux.ask("#{pane_id}", "=agent:") == pane, "its pane")
    client.type(PREFIX + b"s")
    world.until(
        lambda: mux.ask("#{pane_id}", "agent") == sidebar_of(mux, "agent"), "the focus in its sidebar"
    )
    world.until(lambda: "help" in footer(mux, "agent"), "it knows that it has the focus")
    client.type(b"b")
    world.until(lambda: mux.session_of(client) == "main", "back")


def test_what_has_ended_is_dismissed_until_it_goes_on(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "agent", program)
    becomes(world, pane, "idle")
    say(mux, pane, WORKING)
    becomes(world, pane, "running")
    say(mux, pane, RESTS)
    ended = becomes(world, pane, "done", unseen=True)
    focus(world, mux, client, "agent")
    client.type(b"Gc")
    world.until(lambda: footer(mux) == "dismissed", "that it is done")
    becomes(world, pane, "idle", unseen=False, since=ended["since"])
    client.type(b"c")
    world.until(lambda: "nothing to dismiss" in client.text, "why nothing happens")
    world.cli("down")
    mux.up()
    becomes(world, pane, "idle", unseen=False)
    world.cli("agent", "dismiss", pane)
    say(mux, pane, WORKING)
    becomes(world, pane, "running")
    say(mux, pane, RESTS)
    becomes(world, pane, "done", unseen=True)
    world.cli("agent", "dismiss", pane)
    becomes(world, pane, "idle", unseen=False)
    assert world.cli("undo", env=mux.inside()).stdout == "codex is back\n"
    becomes(world, pane, "done", unseen=True)


def test_the_row_of_an_agent_that_has_exited_goes_and_comes_back(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "agent", program)
    becomes(world, pane, "idle")
    say(mux, pane, "quit")
    becomes(world, pane, "idle", liveness="exited")
    focus(world, mux, client, "agent")
    client.type(b"Gc")
    world.until(lambda: pane not in agents(world), "no row")
    client.type(b"u")
    world.until(lambda: footer(mux) == "codex is back", "what was undone")
    becomes(world, pane, "idle", liveness="exited")


# --- a permission -----------------------------------------------------------------------------------------------


@pytest.fixture
def asking(world: World, mux: Tmux, client: Terminal) -> str:
    """The pane of an agent that waits for a permission."""
    world.config.write_text("approve: {from_sidebar: true}\n")
    world.cli("down")
    mux.up()
    pane = begin(mux, "agent", installed(world, ASKS))
    becomes(world, pane, "waiting")
    return pane


def pressed(world: World) -> list[str]:
    file: Path = world.home / "pressed"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize(("key", "words", "sent", "said"), [
    (b"y", "approve codex", "y", "codex approved"), (b"n", "deny codex", r"$'\E'", "codex denied"),
])  # fmt: skip
def test_a_permission_is_given_or_denied_after_a_question(
    world: World, mux: Tmux, client: Terminal, asking: str, key: bytes, words: str, sent: str, said: str
) -> None:
    focus(world, mux, client, "agent")
    client.type(b"G" + key)
    asked(world, mux, words)
    assert "codex asks:" in text_of(mux)
    assert "$ make clean" in text_of(mux)
    client.type(b"n")
    world.until(lambda: words not in footer(mux), "no question")
    client.type(key)
    asked(world, mux, words)
    client.type(b"y")
    world.until(lambda: footer(mux) == said, "what was done")
    world.until(lambda: pressed(world), "the key")
    assert pressed(world) == [sent]
    becomes(world, asking, "idle")


def test_nothing_is_answered_unless_the_user_wants_it(world: World, mux: Tmux, client: Terminal) -> None:
    pane = begin(mux, "agent", installed(world, ASKS))
    becomes(world, pane, "waiting")
    focus(world, mux, client, "agent")
    client.type(b"Gy")
    world.until(
        lambda: "approve: {from_sidebar: true}" in client.text and str(world.config) in client.text,
        "how to turn it on, and where",
    )
    assert pressed(world) == []


def test_a_prompt_that_has_changed_is_not_answered(
    world: World, mux: Tmux, client: Terminal, asking: str
) -> None:
    focus(world, mux, client, "agent")
    client.type(b"Gy")
    asked(world, mux, "approve codex")
    mux("set-option", "-w", "-t", asking, "synchronize-panes", "on")
    client.type(b"y")
    world.until(lambda: "types into all panes" in client.text, "why nothing happens")
    mux("set-option", "-w", "-t", asking, "synchronize-panes", "off")
    client.type(b"y")
    asked(world, mux, "approve codex")
    # Somebody answers it in its own pane, and it asks for something else.
    tty = mux.ask("#{pane_tty}", asking)
    Path(tty).write_text("\x1b[2J\x1b[H  Would you like to run the following command?\r\n\r\n  $ rm -rf .\r\n\r\n"
                         "› 1. Yes, proceed (y)\r\n  2. No, and tell Codex what to do differently (esc)\r\n\r\n"
                         "  Press enter to confirm or esc to cancel\r\n")  # fmt: skip
    world.until(lambda: "rm -rf" in mux("capture-pane", "-p", "-t", asking), "the other prompt")
    client.type(b"y")
    world.until(lambda: "asks something else by now" in client.text, "why nothing happens")
    Path(tty).write_text("\x1b[2J\x1b[H  Which colour?\r\n")
    world.until(lambda: "colour" in mux("capture-pane", "-p", "-t", asking), "a question")
    client.type(b"y")
    world.until(lambda: "cannot be answered from here" in client.text, "why nothing is asked")
    assert pressed(world) == []


# --- by the mouse -----------------------------------------------------------------------------------------------


def test_the_right_button_opens_a_menu_of_everything(world: World, mux: Tmux, client: Terminal) -> None:
    focus(world, mux, client)
    on_screen(world, client, "web")
    click(client, "web", button=2)
    on_screen(world, client, "keys web", "hide, unhide")
    click(client, "hide, unhide")
    world.until(lambda: names(mux) == ["main", "api", "docs"], "web hidden")
    on_screen(world, client, "docs")
    click(client, "docs", button=2)
    on_screen(world, client, "keys docs")
    client.type(b"\x06")
    on_screen(world, client, "kill session")
    click(client, "kill session")
    asked(world, mux, "kill session docs? y/n")
    on_screen(world, client, "y/n")
    click(client, "y/n", offset=2)
    world.until(lambda: "y/n" not in footer(mux), "a no")
    click(client, "docs", button=2)
    on_screen(world, client, "keys docs")
    client.type(b"\x06")
    on_screen(world, client, "kill session")
    click(client, "kill session")
    asked(world, mux, "kill session docs? y/n")
    on_screen(world, client, "y/n")
    click(client, "y/n")
    world.until(lambda: names(mux) == ["main", "api"], "docs has ended")


def test_a_hint_in_the_footer_is_a_button(world: World, mux: Tmux, client: Terminal) -> None:
    focus(world, mux, client)
    on_screen(world, client, "help")
    click(client, "help")
    on_screen(world, client, "keys main")


# --- the user's keys --------------------------------------------------------------------------------------------


def test_keys_of_the_users_own_count_and_are_shown(world: World, mux: Tmux, client: Terminal) -> None:
    world.config.write_text("keys: {hide: [w, f5], kill-session: x, leave: f10, help: H}\n")
    checked = world.cli("config", "check", check=False)
    assert checked.returncode == 0, checked.stdout
    world.cli("down")
    mux.up()
    client.type(PREFIX + b"s")
    shows(world, mux, "docs")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    world.until(lambda: "H help" in footer(mux), "the hint with its key")
    client.type(b"Gw")
    world.until(lambda: names(mux) == ["main", "api", "web"], "hidden")
    client.type(b"\x1b[15~")
    world.until(lambda: names(mux) == ["main", "api"], "hidden by the other key")
    client.type(b"x")
    world.until(lambda: "kill" in footer(mux), "the question")
    client.type(b"nH")
    shows(world, mux, "f10 closes")
