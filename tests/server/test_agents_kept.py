"""The file in which agents are kept over a restart, as somebody or another version left it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opensessions.attend import Nap, Remembered
from opensessions.model import Agent
from opensessions.server.store import Store

KEY = "tmux-0123456789abcdef"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[" * 900_000, b"\xff\x00", b'{"version":2,"value":{}}', b"x" * (3 << 20),
        b'{"version":1,"value":{"a":{"state":"flying","since":1,"unseen":true}}}',
        b'{"version":1,"value":{"a":{"state":"done","since":1e999,"unseen":true}}}',
        b'{"version":1,"value":{"a":{"state":"done","since":"1","unseen":1}}}', b'{"version":1,"value":[]}',
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_set_aside(tmp_path: Path, content: bytes) -> None:
    tmp_path.chmod(0o700)
    store = Store(str(tmp_path))
    agents = {"a": Remembered("waiting", 5.0, True)}
    store.save_agents(KEY, agents)
    file = tmp_path / "mux" / KEY / "agents.json"
    file.write_bytes(content)
    assert store.agents(KEY) == {}
    store.save_agents(KEY, agents)
    assert store.agents(KEY) == agents
    assert any(each.read_bytes() == content for each in file.parent.iterdir() if each != file)


def test_a_thousand_agents_are_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    store = Store(str(tmp_path))
    agents = {f"{KEY}:%{n}:{n}.{10**9}": Remembered("tool-running", 1795230503.6, False) for n in range(5000)}
    store.save_agents(KEY, agents)
    assert store.agents(KEY) == agents


def test_a_sleeper_is_kept_and_the_others_files_look_as_before(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    store = Store(str(tmp_path))
    agent = Agent("a", "codex", "%1", 7, state="hibernated", thread="t", title="日本")
    agents = {
        "a": Remembered("hibernated", 5.0, False, Nap(agent, ("codex", "resume", "t"), "/src", "1.2")),
        "b": Remembered("done", 6.0, True),
    }
    store.save_agents(KEY, agents)
    assert store.agents(KEY) == agents
    written = json.loads((tmp_path / "mux" / KEY / "agents.json").read_bytes())
    assert written["value"]["b"] == {"state": "done", "since": 6.0, "unseen": True}
