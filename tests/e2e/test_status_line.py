"""The recipes of docs/how-to/status-line.md, drawn by a real tmux from what the server publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_agents import WAITING, WORKING, becomes, program, say
from tests.support.terminal import Terminal
from tests.support.world import ROOT, Tmux, World

__all__ = ["program"]  # a fixture

PAGE = ROOT / "docs" / "how-to" / "status-line.md"
BLOCK = re.compile(
    r"\n\n(?P<said>(?:[^\n]+\n)+)\n```(?P<kind>tmux|sh)\n(?P<code>.*?)```$", re.MULTILINE | re.DOTALL
)
RECIPES = {
    found["said"]: found["code"] for found in BLOCK.finditer(PAGE.read_text()) if found["kind"] == "tmux"
}

THEME = r"""
set -gq @thm_mauve '#cba6f7'
set -gF "@catppuccin_status_${MODULE_NAME}" "#[fg=#{@thm_mauve}]#{@catppuccin_${MODULE_NAME}_icon}"
set -ag "@catppuccin_status_${MODULE_NAME}" "#{E:@catppuccin_${MODULE_NAME}_text}"
"""
"""What version 2 of catppuccin's `status_module.conf` does with a module's icon, colour and text."""


def recipe(words: str) -> str:
    """The code below the sentence that holds these words."""
    (found,) = [code for said, code in RECIPES.items() if words in said]
    return found


class Stage:
    """A tmux with the sessions `main` and `#[fg=red]`; in the second window of `main` an agent that waits."""

    def __init__(self, world: World, mux: Tmux, client: Terminal, agent: str) -> None:
        self.world, self.mux, self.client, self.agent = world, mux, client, agent

    def source(self, code: str) -> None:
        """Let tmux read the lines as it reads its tmux.conf."""
        file = self.world.home / "recipe.conf"
        file.write_text(code)
        self.mux("source-file", str(file))

    def draws(self, *texts: str, line: int | None = None) -> None:
        """Wait until the client's screen (or that line of it) holds each of the texts."""

        def drawn() -> str:
            return self.client.text if line is None else self.client.screen.display[line]

        self.world.until(lambda: all(text in drawn() for text in texts), f"{texts} in {line}\n{drawn()}")

    def colour(self, text: str, further: int = 0) -> str:
        """That of a text in the last line, or of the character so much further on."""
        screen = self.client.screen
        at = screen.display[-1].find(text)
        return screen.buffer[screen.lines - 1][at + further].fg if at >= 0 else ""

    def gone(self, text: str) -> None:
        self.world.until(lambda: text not in self.client.text, f"no {text!r}")


@pytest.fixture
def stage(world: World, program: str) -> Iterator[Stage]:
    mux = world.mux(conf="set -gw automatic-rename off\nset -g status-interval 0\nset -g status-right ''")
    trap = world.home / "trap"
    mux.new(f"##[fg=red]##(touch {trap})")
    mux.up()
    world.until(lambda: mux.option("slot-2"), "the slots")
    client = mux.attach(cols=110)
    pane = mux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "=main:", "-n", "work")
    mux("send-keys", "-t", pane, program, "Enter")
    becomes(world, pane, "idle")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting")
    yield Stage(world, mux, client, pane)
    assert not trap.exists()


def test_every_recipe_is_drawn_by_a_test() -> None:
    """One that is new needs a test below, and none starts a process."""
    source = Path(__file__).read_text()
    used = set(re.findall(r'recipe\(\s*"([^"]+)"', source))
    assert all(any(words in said for words in used) for said in RECIPES), RECIPES.keys()
    assert not any("#(" in code for code in RECIPES.values())
    assert PAGE.read_text().count("```tmux") == len(RECIPES) >= 12


def test_all_agents_at_the_right(stage: Stage) -> None:
    stage.source(recipe("most urgent first"))
    stage.draws(" ! 1 ", line=-1)
    say(stage.mux, stage.agent, WORKING)
    stage.draws("⠋ 1 ", line=-1)
    stage.world.cli("down", env=stage.mux.inside())
    stage.gone("⠋ 1")


def test_a_mark_while_one_waits(stage: Stage) -> None:
    stage.source(recipe("A mark while an agent waits"))
    stage.draws(" an agent waits ", "[main] ", line=-1)
    say(stage.mux, stage.agent, WORKING)
    stage.gone("an agent waits")


def test_the_title_of_the_terminal(stage: Stage) -> None:
    stage.source(recipe("title of your terminal"))
    stage.world.until(lambda: stage.client.screen.title == "! main", "the title")
    say(stage.mux, stage.agent, WORKING)
    stage.world.until(lambda: stage.client.screen.title == "main", "the title")


def test_signs_behind_windows(stage: Stage) -> None:
    stage.source(recipe("behind each window"))
    stage.draws("1:work !", line=-1)
    stage.mux("select-window", "-t", "=main:1")
    stage.draws("1:work !", line=-1)
    stage.world.until(lambda: stage.colour("work !", 5) == "red", "a red sign")
    assert stage.colour("work !") != "red"


def test_a_sign_behind_the_session(stage: Stage) -> None:
    stage.source(recipe("behind the name of your session"))
    stage.draws("[main !] ", line=-1)


def test_all_sessions_in_a_line(stage: Stage) -> None:
    stage.source(recipe("in a line of their own"))
    stage.draws(" main ! ", line=-1)
    screen = stage.client.screen
    assert screen.buffer[screen.lines - 1][screen.display[-1].index("main")].bold


def test_the_agent_above_its_pane(stage: Stage) -> None:
    stage.source(recipe("above each pane"))
    stage.mux("select-window", "-t", "=main:1")
    stage.draws(" 0 codex: waiting ", line=0)


def test_signs_in_the_list_of_sessions(stage: Stage) -> None:
    stage.source(recipe("own list of sessions"))
    stage.client.type(b"\x02S")
    stage.draws("! 2 windows")


def test_a_module_of_catppuccin(stage: Stage) -> None:
    plugin = stage.world.home / ".config/tmux/plugins/catppuccin/tmux/utils/status_module.conf"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(THEME)
    stage.source("set -g @thm_mauve '#cba6f7'\n" + recipe("A module of its own"))
    stage.draws("!  ! 1", line=-1)
    say(stage.mux, stage.agent, WORKING)
    stage.draws("!  ⠋ 1", line=-1)


def test_marks_in_the_windows_of_catppuccin(stage: Stage) -> None:
    """The theme puts the text into its formats with `set -F`, which fills in the option and not what stands in it."""
    copied = (
        'set -gF window-status-format "##I#{@catppuccin_window_text}"\n'
        'set -gF window-status-current-format "##I#{@catppuccin_window_current_text}"\n'
    )
    stage.source(recipe("Marks in its windows") + copied)
    stage.draws("0 ", "1 work !", line=-1)
    stage.mux("select-window", "-t", "=main:1")
    stage.draws("1 work !", line=-1)


def test_a_segment_of_powerline(stage: Stage) -> None:
    stage.source(recipe("in powerline's looks"))
    stage.draws("\ue0b2 ! 1 ", line=-1)
    stage.world.cli("down", env=stage.mux.inside())
    stage.gone("\ue0b2")


def test_a_segment_of_tmux_powerline(stage: Stage) -> None:
    """What the theme's script prints is a format to tmux: a stand-in for the theme prints what the segment does."""
    (segment,) = [found["code"] for found in BLOCK.finditer(PAGE.read_text()) if found["kind"] == "sh"]
    script = stage.world.home / "powerline.sh"
    script.write_text(f"{segment}\nprintf '#[fg=colour231]#[bg=colour31] %s ' \"$(run_segment)\"\n")
    stage.source(f"set -g status-right '#(sh {script})'\n")
    stage.draws(" ! 1 ", line=-1)
    say(stage.mux, stage.agent, WORKING)
    stage.draws(" ⠋ 1 ", line=-1)


def test_a_state_as_a_colour(stage: Stage) -> None:
    stage.source(recipe("A state as a colour"))
    stage.draws("1:work !", line=-1)
    stage.world.until(lambda: stage.colour("1:work") == "brown", "yellow, which pyte calls brown")
