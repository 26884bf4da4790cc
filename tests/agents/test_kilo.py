"""Kilo: OpenCode's database and events under Kilo's names."""

from __future__ import annotations

from pathlib import Path

from opensessions.agents.adapter import Heard
from opensessions.agents.kilo import KIND, PLACES
from opensessions.agents.opencode.reader import Reader
from opensessions.agents.signal import Signal
from tests.agents.opencode_samples import Clocked, Store, facts

LATE = 1795231500.0


def test_its_database_lies_under_its_own_name(tmp_path: Path) -> None:
    store = Store(tmp_path, "kilo")
    store.fill("interrupted")
    look = Reader(PLACES).look(facts(tmp_path), Clocked(LATE))
    assert [set(signal.states) for signal in look.signals] == [{"interrupted"}]
    assert str(store.path) in look.watch
    store.close()
    assert "/x/y.db" in Reader(PLACES).look(facts(tmp_path, env={"KILO_DB": "/x/y.db"}), Clocked(LATE)).watch


def test_a_shell_that_has_not_begun_is_no_hint(tmp_path: Path) -> None:
    store = Store(tmp_path, "kilo")
    store.fill("waiting")
    look = Reader(PLACES).look(facts(tmp_path), Clocked(LATE))
    assert [set(signal.states) for signal in look.signals] == [{"tool-running", "waiting"}]
    store.close()


def test_its_plugin_and_screen_are_understood() -> None:
    assert KIND.hears
    told = KIND.hears(Heard("permission.asked", {"properties": {"sessionID": "ses_1"}}))
    assert isinstance(told, Signal)
    assert told.states == {"waiting"}
    shown = KIND.screen(["  ┃   Allow once   Allow always   Reject", "  ┃"])
    assert shown
    assert shown.states == {"waiting"}
