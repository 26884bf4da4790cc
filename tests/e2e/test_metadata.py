"""What scripts say about sessions, by HTTP and from the command line, on a real tmux."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.e2e.test_contract_api import call
from tests.support.world import Tmux, World

NOTHING = {"status": None, "progress": None, "log": []}


def post(tmux: Tmux, path: str, /, **body: object) -> tuple[int, str]:
    """Status, and what the error says."""
    status, content = call(tmux, f"POST {path}", json.dumps(body).encode())
    return status, json.loads(content)["error"] if content else ""


def row(mux: Tmux, session: str) -> dict[str, Any]:
    _, state = call(mux, "GET /v1/state")
    muxes = json.loads(state)["muxes"]
    found = [row for view in muxes if view["key"] == mux.key for row in view["sessions"]]
    return next(row for row in found if row["name"] == session)


def said(mux: Tmux, session: str) -> Any:
    return row(mux, session)["metadata"]


def test_scripts_say_what_a_session_is_at(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.up()
    assert said(mux, "api") == NOTHING
    assert post(mux, "/set-status", session="api", text="deploying\x1b[2J", tone="info") == (204, "")
    assert post(mux, "/set-progress", session="api", current=3, total=10, label="tests") == (204, "")
    before = time.time() - 1
    for number in range(52):
        assert post(mux, "/log", session="api", message=f"line {number}", source="make") == (204, "")
    now = said(mux, "api")
    assert now["status"] == {"text": "deploying[2J", "tone": "info"}
    assert now["progress"] == {"current": 3, "total": 10, "percent": None, "label": "tests"}
    assert [entry["message"] for entry in now["log"]] == [f"line {number}" for number in range(2, 52)]
    assert {(entry["tone"], entry["source"]) for entry in now["log"]} == {("neutral", "make")}
    assert all(before < entry["at"] < time.time() + 1 for entry in now["log"])
    assert said(mux, "main") == NOTHING
    assert post(mux, "/clear-log", session="api") == (204, "")
    assert post(mux, "/set-status", session="api", text=None) == (204, "")
    assert post(mux, "/set-progress", session="api", clear=True) == (204, "")
    assert said(mux, "api") == NOTHING


def test_what_is_wrong_changes_nothing(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.up()
    before = call(mux, "GET /v1/state")
    for path, body, field in (
        ("/set-status", {}, "text"), ("/set-status", {"text": "x"}, "session"),
        ("/set-status", {"session": "api"}, "text"), ("/set-status", {"session": 5, "text": "x"}, "session"),
        ("/set-status", {"session": "", "text": "x"}, "session"),
        ("/set-status", {"session": "api", "text": 1}, "text"),
        ("/set-status", {"session": "api", "text": "x", "tone": "red"}, "tone"),
        ("/set-progress", {"session": "api"}, "current"),
        ("/set-progress", {"session": "api", "percent": 2}, "percent"),
        ("/set-progress", {"session": "api", "current": "1"}, "current"),
        ("/log", {"session": "api"}, "message"), ("/notify", {"session": "api", "message": 1}, "message"),
        ("/log", {"session": "api", "message": "x", "source": []}, "source"), ("/clear-log", {}, "session"),
        ("/set-status", {"session": "api", "text": "x", "mux": 1}, "mux"),
    ):  # fmt: skip
        status, error = post(mux, path, **body)
        assert (status, error.split(" ")[0]) == (400, field), (path, body, error)
    for path, body in (
        ("/set-status", {"session": "nowhere", "text": "x"}), ("/clear-log", {"session": "nowhere"}),
        ("/log", {"session": "api", "message": "x", "mux": "tmux-0000000000000000"}),
        ("/log", {"session": "$99", "message": "x"}), ("/log", {"paneId": "%99", "message": "x"}),
    ):  # fmt: skip
        status, error = post(mux, path, **body)
        assert (status, bool(error)) == (404, True), (path, body)
    assert call(mux, "GET /set-status")[0] == 405
    assert call(mux, "POST /log", b"{")[0] == 400
    assert call(mux, "POST /log", b" " * ((1 << 20) + 1))[0] == 413
    assert call(mux, "GET /v1/state") == before
    assert "Traceback" not in world.log()


def test_it_belongs_to_the_session_and_not_to_its_name(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.up()
    assert post(mux, "/set-status", session="api", text="mine") == (204, "")
    mux("rename-session", "-t", "=api:", "web")
    world.until(lambda: row(mux, "main") and mux.rows()[1][1] == "web", "the new name")
    assert said(mux, "web")["status"]["text"] == "mine"
    mux("kill-session", "-t", "=web:")
    world.until(lambda: len(mux.rows()) == 1, "the session's end")
    mux.new("web")
    assert post(mux, "/log", session="web", message="a session that was made this instant") == (204, "")
    assert said(mux, "web")["status"] is None


def test_a_session_is_looked_for_in_every_multiplexer_unless_one_is_named(world: World, mux: Tmux) -> None:
    other = world.mux("other.sock")
    other.new("only-here")
    mux.up()
    other.up()
    other.attach()
    world.until(lambda: row(other, "main")["attached"] == 1, "the client")
    assert post(mux, "/set-status", session="only-here", text="a") == (204, "")
    assert post(mux, "/set-status", session="main", text="in the one used last") == (204, "")
    assert post(mux, "/set-status", session="main", text="named", mux=mux.key) == (204, "")
    assert post(mux, "/set-status", session="only-here", text="x", mux=mux.key)[0] == 404
    assert said(other, "only-here")["status"]["text"] == "a"
    assert said(other, "main")["status"]["text"] == "in the one used last"
    assert said(mux, "main")["status"]["text"] == "named"


def test_the_command_line_says_the_same(world: World, mux: Tmux) -> None:
    mux.new("web")
    inside = mux.inside()
    world.cli("set-status", "deploying", "--tone", "info", env=inside)
    world.cli("set-progress", "3", "10", "--label", "tests", env=inside)
    world.cli("log", "it; began", "--tone", "warn", "--source", "make", env=inside)
    now = said(mux, "main")
    assert now["status"] == {"text": "deploying", "tone": "info"}
    assert now["progress"] == {"current": 3, "total": 10, "percent": None, "label": "tests"}
    assert [(entry["message"], entry["tone"], entry["source"]) for entry in now["log"]] == [
        ("it; began", "warn", "make")
    ]
    world.cli("set-progress", "--percent", "35%", "--session", "web", env=inside)
    world.cli("set-status", "there", "--session", mux.ask("#{pane_id}", "=web:"), env=inside)
    assert said(mux, "web")["progress"]["percent"] == 0.35
    assert said(mux, "web")["status"]["text"] == "there"
    world.cli("notify", "from afar", "--session", "=web", "--mux", mux.key)
    assert said(mux, "web")["log"][0]["message"] == "from afar"
    world.cli("set-status", "--clear", env=inside)
    world.cli("set-progress", "--clear", env=inside)
    world.cli("clear-log", env=inside)
    assert said(mux, "main") == NOTHING


def test_the_command_line_says_what_is_wrong(world: World, mux: Tmux) -> None:
    mux.up()
    outside = world.cli("log", "x", check=False)
    assert (outside.returncode, outside.stderr.count("\n")) == (1, 1)
    assert "--session" in outside.stderr
    for words, fault in (
        (("log", "x", "--session", "nowhere"), "'nowhere'"), (("set-progress", "many"), "current must"),
        (("set-progress",), "current is missing"), (("set-progress", "--percent", "101%"), "percent must"),
    ):  # fmt: skip
        done = world.cli(*words, env=mux.inside(), check=False)
        assert (done.returncode, fault in done.stderr) == (1, True), done.stderr
    for words in (("set-status",), ("set-status", "a", "--clear"), ("log", "x", "--tone", "red"), ("log",)):
        assert world.cli(*words, env=mux.inside(), check=False).returncode == 2


# --- events of agents -------------------------------------------------------------------------------------


def test_an_agents_event_needs_a_session(world: World, mux: Tmux, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    mux.new("api", "-c", str(folder))
    pane = mux.ask("#{pane_id}", "=api:")
    # It goes there a moment after it was made, and rings nothing then.
    world.until(lambda: mux.ask("#{pane_current_path}", pane) == str(folder), "its shell in the folder")
    mux.up()
    world.until(lambda: row(mux, "api")["dir"] == str(folder), "the folder")
    event = {"agent": "amp", "status": "working"}
    for where in (
        {"tmuxSession": "api"}, {"paneId": pane}, {"projectDir": str(folder)}, {"projectDir": f"{folder}/below/it/"},
        {"tmuxSession": "api", "ts": 1795230503600, "threadId": "t", "threadName": "n", "lastUserPrompt": "p"},
        {"paneId": pane, "projectDir": "/nowhere"}, {"tmuxSession": "api", "mux": mux.key},
    ):  # fmt: skip
        assert post(mux, "/api/agent-event", **event, **where) == (204, ""), where
    for where in (
        {"tmuxSession": "nowhere"}, {"paneId": "%99"}, {"projectDir": "/nowhere"},
        {"paneId": "%99", "tmuxSession": "api"},
        {"tmuxSession": "api", "mux": "tmux-0000000000000000"},
    ):  # fmt: skip
        assert post(mux, "/api/agent-event", **event, **where)[0] == 404, where
    for body, field in (
        ({}, "agent"), ({"agent": 1}, "agent"), ({"agent": ""}, "agent"), ({"agent": "amp"}, "status"),
        ({**event, "status": "flying"}, "status"), ({**event, "status": None}, "status"), (event, "tmuxSession"),
        ({**event, "tmuxSession": 1}, "tmuxSession"), ({**event, "paneId": 7}, "paneId"),
        ({**event, "projectDir": "here"}, "projectDir"), ({**event, "projectDir": "/\x00"}, "projectDir"),
        ({**event, "tmuxSession": "api", "ts": "now"}, "ts"), ({**event, "tmuxSession": "api", "ts": -1}, "ts"),
        ({**event, "tmuxSession": "api", "threadId": 1}, "threadId"),
        ({**event, "tmuxSession": "api", "threadName": []}, "threadName"),
        ({**event, "tmuxSession": "api", "lastUserPrompt": {}}, "lastUserPrompt"),
    ):  # fmt: skip
        status, error = post(mux, "/api/agent-event", **body)
        assert (status, error.split(" ")[0]) == (400, field), (body, error)
    assert call(mux, "GET /api/agent-event")[0] == 405
    assert "Traceback" not in world.log()
