"""Kinds of agents that the user's configuration adds, or extends."""

from __future__ import annotations

from pathlib import Path

import pytest

from opensessions import config
from opensessions.agents.kind import RESTING, WAITING, WORKING, Kind
from opensessions.agents.known import KINDS, kinds
from opensessions.agents.signal import BUSY
from opensessions.config import Contains, UserAgent, show

OWN = """\
agents:
  mine:
    process: [Mine, mine-beta.py]
    title:
      waiting: ["? "]
      running: ["* ", contains: thinking]
      idle: "mine: "
    screen:
      waiting: [["Do you want", "(Y/N)"], press a key]
      running: [[ctrl-c to stop]]
      idle: no
  codex:
    screen: {waiting: [[my own question]]}
    title: {waiting: ["!!"]}
"""


def read(tmp_path: Path, text: str) -> config.Loaded:
    (tmp_path / "config.yaml").write_text(text)
    return config.load(str(tmp_path / "config.yaml"))


def own(tmp_path: Path, name: str) -> Kind:
    loaded = read(tmp_path, OWN)
    assert loaded.problems == ()
    return kinds(loaded.config.agents).by_name[name]


def test_what_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, OWN).config.agents["mine"] == UserAgent(
        process=("Mine", "mine-beta.py"),
        title={"waiting": ("? ",), "running": ("* ", Contains("thinking")), "idle": ("mine: ",)},
        screen={
            "waiting": (("Do you want", "(Y/N)"), ("press a key",)),
            "running": (("ctrl-c to stop",),),
            "idle": (("no",),),
        },
    )


def test_what_is_shown_reads_back_to_the_same(tmp_path: Path) -> None:
    loaded = read(tmp_path, OWN)
    assert read(tmp_path, show(loaded.config)) == loaded


@pytest.mark.parametrize(
    ("title", "states"),
    [
        ("? thinking", WAITING),
        ("* go", WORKING),
        ("deep thinking", WORKING),
        ("mine: ~", RESTING),
        ("thin", None),
        ("a ? b", None),
    ],
)
def test_the_title_of_ones_own_agent(tmp_path: Path, title: str, states: object) -> None:
    signal = own(tmp_path, "mine").title(title)
    assert (signal and signal.states) == states


@pytest.mark.parametrize(
    ("lines", "states"),
    [
        (["Do you want this?", "(y/n)"], WAITING),
        (["do you want this?"], None),
        (["PRESS A KEY"], WAITING),
        (["working", "Ctrl-C to stop"], WORKING),
    ],
)
def test_the_screen_of_ones_own_agent(tmp_path: Path, lines: list[str], states: object) -> None:
    signal = own(tmp_path, "mine").screen(lines)
    assert (signal and signal.states) == states


def test_ones_own_agent_is_recognised_by_its_names_and_looked_at_always(tmp_path: Path) -> None:
    kind = own(tmp_path, "mine")
    assert {"mine", "mine-beta"} <= kind.executables
    assert kind.screen_for == BUSY | RESTING


def test_a_known_agent_is_extended_and_the_users_rules_come_first(tmp_path: Path) -> None:
    known = next(kind for kind in KINDS if kind.name == "codex")
    kind = own(tmp_path, "codex")
    assert kind.executables == known.executables
    assert (kind.hears, kind.reader) == (known.hears, known.reader)
    assert kind.titles[1:] == known.titles
    signal = kind.screen(["My own question"])
    assert signal is not None
    assert signal.states == WAITING


def test_an_agent_without_rules_is_as_before(tmp_path: Path) -> None:
    kind = kinds({"mine": UserAgent(("mine",))}).by_name["mine"]
    assert (kind.titles, kind.screens, kind.screen_for) == ((), (), frozenset())


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("process: [x]\n    titel: {waiting: [a]}", "agents.mine.titel", "the nearest is agents.mine.title."),
        ("process: [x]\n    title: {wating: [a]}", "agents.mine.title.wating", "the nearest is agents.mine.title.wait"),
        ("process: [x]\n    title: {done: [a]}", "agents.mine.title.done", "no state that can be told so"),
        ("process: [x]\n    title: [a]", "agents.mine.title", "expected waiting, running, idle"),
        ("process: [x]\n    title: {waiting: []}", "agents.mine.title.waiting", "a list of beginnings"),
        ("process: [x]\n    title: {waiting: [[a]]}", "agents.mine.title.waiting", "a list of beginnings"),
        ("process: [x]\n    title: {waiting: [holds: a]}", "agents.mine.title.waiting", "`contains: TEXT`"),
        ("process: [x]\n    title: {waiting: ['']}", "agents.mine.title.waiting", "a list of beginnings"),
        ("process: [x]\n    screen: {waiting: [[]]}", "agents.mine.screen.waiting", "a list of texts"),
        ("process: [x]\n    screen: {waiting: [[a, [b]]]}", "agents.mine.screen.waiting", "a list of texts"),
        ("process: [x]\n    screen: {waiting: {a: b}}", "agents.mine.screen.waiting", "not keys"),
        ("title: {waiting: [a]}", "agents.mine", "needs `process"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line(tmp_path: Path, text: str, key: str, words: str) -> None:
    loaded = read(tmp_path, f"agents:\n  mine:\n    {text}\nascii: true\n")
    assert len(loaded.problems) == 1, [str(problem) for problem in loaded.problems]
    problem = loaded.problems[0]
    assert (problem.key, problem.line) == (key, 4 if "\n" in text else 3 if key != "agents.mine" else 2)
    assert words in problem.message
    assert loaded.config.ascii
    assert ("mine" in loaded.config.agents) == ("process" in text), "what can be used is used"


@pytest.mark.timeout(20)
def test_aliases_of_themselves_end(tmp_path: Path) -> None:
    loaded = read(
        tmp_path,
        "agents: {mine: {process: [x], screen: &a {waiting: [*a]}, title: &b {idle: *b}}}",
    )
    assert loaded.problems
    assert loaded.config.agents["mine"].process == ("x",)
