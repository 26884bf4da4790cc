"""The model that answers as told: no agent needed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.real.gate import Gate
from tests.real.llm import served
from tests.real.llm.behaviour import FREE, HELD, QUESTION, REFUSAL, SILENCE, STREAM, TOOL, last_keyword
from tests.real.llm.served import Model

COMMAND = {"type": "object", "properties": {"command": {"type": "string"}}}
Ask = Callable[[str, bool], tuple[str, dict[str, Any]]]


def messages(text: str, tools: bool) -> tuple[str, dict[str, Any]]:
    said = [{"role": "user", "content": [{"type": "text", "text": text}]}]
    return "/v1/messages", {
        "messages": said,
        "tools": [{"name": "Bash", "input_schema": COMMAND}] if tools else [],
    }


def responses(text: str, tools: bool) -> tuple[str, dict[str, Any]]:
    said = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}]
    parameters = {"properties": {"cmd": {"type": "string"}, "sandbox_permissions": {"type": "string"}}}
    tool = {"type": "function", "name": "exec_command", "parameters": parameters}
    return "/v1/responses", {"input": said, "tools": [tool] if tools else []}


def chat(text: str, tools: bool) -> tuple[str, dict[str, Any]]:
    tool = {"type": "function", "function": {"name": "bash", "parameters": COMMAND}}
    return "/v1/chat/completions", {
        "messages": [{"role": "user", "content": text}],
        "tools": [tool] if tools else [],
    }


def gemini(text: str, tools: bool) -> tuple[str, dict[str, Any]]:
    declared = [{"functionDeclarations": [{"name": "run_shell_command", "parametersJsonSchema": COMMAND}]}]
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}], "tools": declared if tools else []}
    return "/v1beta/models/some:streamGenerateContent?alt=sse", body


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """In this network namespace, so that the test can talk to it."""
    monkeypatch.setattr(served, "isolation", lambda: ([], []))
    running = Model(tmp_path / "gate")
    try:
        yield running
    finally:
        running.close()


def post(model: Model, ask: Ask, text: str, tools: bool = True) -> HTTPResponse:
    path, body = ask(text, tools)
    line = HTTPConnection("127.0.0.1", model.port, timeout=20)
    line.request("POST", path, json.dumps({"model": "some", "stream": True, **body}))
    return line.getresponse()


def told(model: Model, what: str, tag: str) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if any(each.what == what and each.tag == tag for each in model.heard):
            return True
        time.sleep(0.01)
    return False


DIALECTS = pytest.mark.parametrize("ask", [messages, responses, chat, gemini])


@DIALECTS
def test_a_plain_prompt_is_answered_in_a_few_words(model: Model, ask: Ask) -> None:
    answer = post(model, ask, "hello id:a1").read().decode()
    assert "words" in answer
    assert told(model, "ended", "a1")
    assert [each.what for each in model.heard] == ["arrived", "first", "ended"]
    assert {(each.tag, each.side, each.calls) for each in model.heard} == {("a1", False, 0)}


@DIALECTS
def test_a_tool_is_called_and_waits_at_the_gate_of_the_asking_agent(
    model: Model, ask: Ask, tmp_path: Path
) -> None:
    answer = post(model, ask, f"{TOOL} id:b1").read().decode()
    assert f"{tmp_path}/gate b1" in answer
    assert told(model, "ended", "b1")
    assert model.heard[-1].calls == 1


def test_only_a_tool_that_is_not_free_asks_for_a_permission(model: Model) -> None:
    assert "require_escalated" in post(model, responses, f"{TOOL} id:a1").read().decode()
    assert "require_escalated" not in post(model, responses, f"{FREE} id:a1").read().decode()


@DIALECTS
def test_a_stream_goes_on_until_it_is_released(model: Model, ask: Ask) -> None:
    answer = post(model, ask, f"{STREAM} id:a1")
    first = answer.read(40)
    assert told(model, "first", "a1")
    assert not any(each.what == "ended" for each in model.heard)
    model.release("a1")
    rest = answer.read()
    assert first
    assert b"word" in rest
    assert told(model, "ended", "a1")


@DIALECTS
@pytest.mark.parametrize(("words", "last"), [("hello", b"last"), (TOOL, b"/gate a1")])
def test_a_turn_that_is_held_ends_when_it_is_released(
    model: Model, ask: Ask, words: str, last: bytes
) -> None:
    answer = post(model, ask, f"{words} {HELD} id:a1")
    assert told(model, "first", "a1")
    assert not any(each.what == "ended" for each in model.heard)
    model.release("a1")
    assert last in answer.read()
    assert told(model, "ended", "a1")


@DIALECTS
def test_an_agent_that_hangs_up_is_noticed(model: Model, ask: Ask) -> None:
    path, body = ask(f"{SILENCE} id:a1", True)
    line = HTTPConnection("127.0.0.1", model.port, timeout=20)
    line.request("POST", path, json.dumps(body))
    assert told(model, "arrived", "a1")
    line.close()
    assert told(model, "aborted", "a1")


@DIALECTS
def test_a_refusal_has_its_status(model: Model, ask: Ask) -> None:
    answer = post(model, ask, f"{REFUSAL} id:a1")
    assert answer.status == 400
    assert "refused" in answer.read().decode()


@DIALECTS
def test_a_request_without_tools_is_no_turn(model: Model, ask: Ask) -> None:
    post(model, ask, f"{TOOL} id:a1", tools=False).read()
    assert told(model, "ended", "a1")
    assert all(each.side for each in model.heard)


@DIALECTS
def test_the_last_turn_counts_though_an_unanswered_one_stands_before_it(model: Model, ask: Ask) -> None:
    answer = post(
        model, ask, f"{REFUSAL} 1 id:a1\nhello 2 id:a1\n<system-reminder>{QUESTION}</system-reminder>"
    )
    assert answer.status == 200
    answer.read()


def test_of_two_keywords_the_later_and_longer_counts() -> None:
    assert last_keyword(f"{FREE} now") == FREE
    assert last_keyword(f"{STREAM} then {TOOL}") == TOOL
    assert last_keyword("nothing") == ""


def test_a_gate_tells_when_a_tool_waits_and_goes(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    try:
        reader = subprocess.Popen(["cat", tmp_path / "gate"])
        deadline = time.monotonic() + 20
        while gate.entered is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert gate.entered is not None
        assert gate.left is None
        gate.open()
        assert reader.wait(20) == 0
        assert gate.left is not None
        assert gate.left >= gate.entered
    finally:
        gate.end()
