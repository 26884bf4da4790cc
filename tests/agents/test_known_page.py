"""docs/how-to/add-an-agent.md: its examples work as it says."""

from __future__ import annotations

import inspect
import json
import re
import types
from pathlib import Path

import pytest

from opensessions import config
from opensessions.agents.adapter import Facts, Heard
from opensessions.agents.detect import recognise
from opensessions.agents.kind import RESTING, WAITING, WORKING, Kind, ScreenRule
from opensessions.agents.known import _tables, kinds
from opensessions.agents.signal import Signal
from opensessions.agents.track import Track, hear, judge
from opensessions.model import Process
from tests.agents import test_every_kind as suite
from tests.agents.replay import HOME, Shelf

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/add-an-agent.md").read_text()


def block(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture
def otter() -> Kind:
    module = types.ModuleType("otter")
    exec(compile(block("python"), "otter.py", "exec"), module.__dict__)
    kind = module.KIND
    assert isinstance(kind, Kind)
    return kind


def test_the_lines_for_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(block("yaml"))
    loaded = config.load(str(tmp_path / "config.yaml"))
    assert loaded.problems == ()
    kind = kinds(loaded.config.agents).by_name["otter"]
    for title, states in (
        ("? which one", WAITING), ("* proj", WORKING), ("deep thinking", WORKING), ("otter: proj", RESTING),
        ("x", None),
    ):  # fmt: skip
        signal = kind.title(title)
        assert (signal and signal.states) == states
    signal = kind.screen(["Allow this?", "(Y/N)"])
    assert signal is not None
    assert signal.states == WAITING
    assert ScreenRule(WAITING, ()).lines == 12, "as the page says"


def test_after_running_what_looks_idle_is_shown_as_done(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(block("yaml"))
    kind = kinds(config.load(str(tmp_path / "config.yaml")).config.agents).by_name["otter"]
    track, seen = Track(), []
    for now, title in enumerate(("otter: ~", "* go", "otter: ~"), start=100):
        signal = kind.title(title)
        assert signal is not None
        track = judge(hear(track, [signal], now), kind, now, now)
        seen.append(track.verdict.state)
    assert seen == ["idle", "running", "done"]


def test_the_file_is_recognised_and_read(otter: Kind) -> None:
    path = "/usr/lib/node_modules/@example/otter/cli.js"
    match = recognise(
        Process(pid=5, ppid=1, start=9, comm="node", exe="node", argv=("node", path)), _tables([otter])
    )
    assert match is not None
    assert match.kind is otter
    shelf = Shelf()
    facts = Facts(pid=42, start=1, started=0.0, cwd="/proj", env={"HOME": HOME})
    assert otter.reader is not None
    assert otter.reader().look(facts, shelf).signals == ()
    shelf.put(f"{HOME}/.otter/42.json", json.dumps({"state": "asks", "session": "s"}).encode(), 1.0)
    signal = otter.reader().look(facts, shelf).signals[0]
    assert (signal.states, signal.about.thread) == (WAITING, "s")


def test_its_hook_is_heard(otter: Kind) -> None:
    assert otter.hears is not None
    for payload, state in (({"how": "well"}, "done"), ({}, "error")):
        said = otter.hears(Heard("end", payload))
        assert isinstance(said, Signal)
        assert said.states == {state}
    assert otter.hears(Heard("else", {})) is None


def test_it_passes_the_suite_that_every_kind_must_pass(otter: Kind, tmp_path: Path) -> None:
    tried = 0
    for name, check in vars(suite).items():
        if not name.startswith("test_") or name == "test_its_page_says_which_versions_were_seen":
            continue
        wanted = set(inspect.signature(check).parameters)
        if wanted == {"kind"} and "is_recognised" not in name:
            check(otter)
        elif wanted == {"kind", "tmp_path"}:
            folder = tmp_path / str(tried)
            folder.mkdir()
            check(otter, folder)
        else:
            continue
        tried += 1
    assert tried > 10


def test_what_the_page_names_is_there() -> None:
    for path in re.findall(r"`((?:opensessions|tests)/[a-z_/]+\.py)`", PAGE):
        assert (ROOT / path).is_file(), path
    for path in re.findall(r"\]\((\.\./[^)#]+)", PAGE):
        assert (ROOT / "docs/how-to" / path).is_file(), path
