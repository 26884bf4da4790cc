"""docs/tutorial/zellij.md, done step by step by somebody at a terminal of the real zellij, as it is written."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.e2e.test_agents import AGENT, WAITING
from tests.support.terminal import Terminal
from tests.support.world import World
from tests.support.zellij import Zellij, press

PAGE = (Path(__file__).parents[2] / "docs/tutorial/zellij.md").read_text()


def step(number: int) -> str:
    """The text of one step."""
    return PAGE[PAGE.index(f"\n{number}. ") :].partition(f"\n{number + 1}. ")[0].partition("\nNext:")[0]


def commands(number: int) -> list[str]:
    """The commands that a step tells to type."""
    return re.findall(r"^ +(\S.*)$", step(number).partition("```sh\n")[2].partition("```")[0], re.MULTILINE)


def pressed(zellij: Zellij, terminal: Terminal, number: int, key: str) -> None:
    """Press a key that the step tells to press."""
    assert f"`{key}`" in step(number), f"step {number} tells nothing of {key}"
    press(zellij, terminal, key)


def test_the_steps(zworld: World, zellij: Zellij) -> None:
    (zworld.home / "bin" / "codex").write_text(AGENT)
    (zworld.home / "bin" / "codex").chmod(0o755)
    before = zellij.config.read_text()

    (install,) = commands(1)
    said = zworld.cli(*install.split()[1:]).stdout
    assert "`Ctrl o`, then `o`" in step(1)
    assert "Ctrl o, then o, then" in said

    first, second = commands(2)
    terminal = Terminal(first.split(), zworld.env, 120, 30)
    zworld.terminals.append(terminal)
    terminal.see("$ ")  # before that nobody may ask zellij anything: see opensessions_zellij.births
    began = time.time()
    zworld.until(lambda: int(time.time()) > int(began) + 1, "another second: zellij orders by those")
    terminal.type(second.encode() + b"; echo do''ne\r")
    terminal.see("done")
    assert sorted(zellij.sessions()) == ["notes", "work"]

    pressed(zellij, terminal, 3, "s")
    zworld.until(
        lambda: [pane["pane_x"] for pane in zellij.sidebars("work").values()] == [0],
        "the sidebar on the left",
    )
    (sidebar,) = zellij.sidebars("work").values()
    zworld.until(lambda: list(zellij.clients("work").values()) == [f"terminal_{sidebar['id']}"], "its focus")
    zworld.until(lambda: "1   work" in terminal.text and "2   notes" in terminal.text, "a row for each")
    terminal.see("? help")  # it reads keys

    assert "`j` and `k`" in step(4)
    terminal.type(b"j")
    zworld.until(lambda: re.search(r"› 2 +notes", terminal.text), "the cursor on notes")
    terminal.type(b"\r")
    zellij.arrives(terminal, "notes")
    zworld.until(lambda: zellij.sidebars("notes"), "the sidebar there")

    for key, session in (("1", "work"), ("n", "notes"), ("p", "work")):
        pressed(zellij, terminal, 5, key)
        zellij.arrives(terminal, session)

    pressed(zellij, terminal, 6, "g")
    terminal.see("tab mode")  # its last line, for which a sidebar is too narrow: it reads keys
    zworld.until(lambda: len(zellij.panes("work")) == 3, "the shell, the sidebar, the floating rows")
    assert "`q` closes it" in step(6)
    terminal.type(b"q")
    zworld.until(lambda: len(zellij.panes("work")) == 2, "closed")

    zellij.action("work", "focus-pane-id", "terminal_0", check=False)  # it may have it
    assert "`codex`" in step(7)
    terminal.type(b"codex\r")
    zworld.until(lambda: "codex" in row(zworld, "work"), "the agent's row")
    pressed(zellij, terminal, 5, "n")
    zellij.arrives(terminal, "notes")
    zellij.action("work", "write-chars", "--pane-id", "terminal_0", "--", f"{WAITING}")
    zellij.action("work", "send-keys", "--pane-id", "terminal_0", "Enter")
    zworld.until(lambda: "waiting" in row(zworld, "work"), "it waits")
    pressed(zellij, terminal, 7, "a")
    zworld.until(lambda: list(zellij.clients("work").values()) == ["terminal_0"], "the agent's pane")

    pressed(zellij, terminal, 8, "t")
    zworld.until(lambda: not zellij.sidebars("work"), "no sidebar")
    pressed(zellij, terminal, 8, "t")
    zworld.until(lambda: zellij.sidebars("work"), "the sidebar again")
    pressed(zellij, terminal, 8, "?")
    terminal.see("the next session")
    terminal.type(b"\r")
    zworld.until(lambda: "the next session" not in terminal.text, "the list closed")

    layout, switch = commands(9)
    zworld.cli(*layout.split()[1:])
    zellij.action("work", *switch.split()[2:])
    zworld.until(lambda: "(more)" in terminal.text and "$" in terminal.text, "the new session")
    zworld.until(lambda: zellij.sidebars("more"), "its sidebar")
    (sidebar,) = zellij.sidebars("more").values()
    assert (sidebar["pane_x"], sidebar["pane_columns"]) == (0, 26), "exactly as wide as wished"
    zworld.until(lambda: "more" in terminal.text and "sessions 3" in terminal.text, "it shows")

    assert "`opensessions zellij uninstall`" in step(10)
    zworld.cli("zellij", "uninstall")
    assert zellij.config.read_text() == before


def row(world: World, session: str) -> str:
    """What the list has of a session."""
    return next((line for line in world.cli("list").stdout.splitlines() if session in line), "")
