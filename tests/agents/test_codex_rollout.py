"""What Codex's rollout says, on real files cut off at any line, and on broken ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.codex.rollout import (
    CALL_TYPES,
    ENDS,
    OUTPUT_TYPES,
    STARTS,
    Meta,
    Turn,
    follow,
    meta,
    moment,
)
from tests.agents.codex_samples import NOW, event, line, sample


def read(data: bytes) -> Turn:
    return follow(Turn(), data.splitlines())


@pytest.mark.parametrize(
    ("name", "lines", "phase", "calls", "prompt"),
    [
        ("alone", 14, "done", 0, "alpha hello"),
        ("alone", 19, "open", 0, "slow please"),
        ("alone", 22, "interrupted", 0, "slow please"),
        ("alone", 29, "open", 1, "tool please"),
        ("alone", 37, "done", 0, "tool please"),
        ("alone", 44, "open", 1, "approve please"),
        ("daemon-1", 2, "open", 0, None),
        ("daemon-1", 10, "open", 1, "RUNTOOL now id:a1"),
        ("daemon-1", 13, "open", 0, "RUNTOOL now id:a1"),
        ("daemon-1", 19, "done", 0, "RUNTOOL now id:a1"),
        ("daemon-1", 27, "interrupted", 0, "SLOW please id:a1"),
        ("daemon-1", 33, "error", 0, "BADREQ please id:a1"),
        ("daemon-1", 40, "open", 2, "C TWOTOOLS now id:a1"),
        ("daemon-1", 44, "open", 1, "C TWOTOOLS now id:a1"),
        ("daemon-1", 51, "done", 0, "C TWOTOOLS now id:a1"),
        ("daemon-2", 20, "open", 1, "RUNTOOL now id:b1"),
        ("daemon-2", 22, "open", 1, "RUNTOOL now id:b1"),  # refused: the end of the turn follows
        ("daemon-2", 25, "interrupted", 0, "RUNTOOL now id:b1"),
        ("daemon-2", 31, "open", 1, "ASKQ now id:b1"),
        ("daemon-2", 39, "done", 0, "ASKQ now id:b1"),
    ],
)
def test_real_rollouts(name: str, lines: int, phase: str, calls: int, prompt: str | None) -> None:
    turn = read(sample(name, lines))
    assert (turn.phase, len(turn.calls), turn.prompt) == (phase, calls, prompt)
    assert turn.under_way == (phase == "open")
    assert turn.whole
    assert turn.modern


def test_it_does_not_matter_how_the_lines_come() -> None:
    lines = sample("daemon-1").splitlines()
    turn = Turn()
    for each in lines:
        turn = follow(turn, [each])
    assert turn == follow(Turn(), lines)


def test_a_call_that_asks_is_told_from_one_that_does_not() -> None:
    assert read(sample("alone", 29)).ask == ""
    assert read(sample("alone", 44)).ask == "approval"
    assert read(sample("daemon-2", 31)).ask == "question"


def test_when_it_began() -> None:
    assert read(sample("daemon-1", 19)).at == moment("2026-11-21T12:23:07.432Z")


def test_a_command_that_goes_on_after_the_turn_is_counted_until_it_ends() -> None:
    turn = read(sample("alone", 36))
    assert turn.phase == "done"
    assert len(turn.background) == 1
    assert read(sample("alone", 37)).background == {}


def test_what_comes_after_the_end_of_a_turn_does_not_open_it() -> None:
    done = event("task_started", turn_id="1") + event("task_complete", turn_id="1")
    for late in (
        event("token_count"),
        event("item_completed", item={"type": "CommandExecution", "id": "x"}),
        event("thread_settings_applied"),
        line("response_item", {"type": "function_call", "name": "x", "call_id": "1"}),
        line("response_item", {"type": "message", "role": "user", "content": "x"}),
        line("compacted", {"message": "x"}),
    ):
        assert read(done + late).phase == "done"
        assert not read(done + late).under_way


def test_the_end_of_a_replaced_turn_does_not_end_the_one_that_replaced_it() -> None:
    both = event("task_started", turn_id="1") + event("task_started", turn_id="2")
    assert read(both + event("turn_aborted", turn_id="1", reason="replaced")).phase == "open"
    assert read(both + event("turn_aborted", turn_id="2", reason="interrupted")).phase == "interrupted"


@pytest.mark.parametrize(
    ("reason", "phase"),
    [
        ("interrupted", "interrupted"),
        ("review_ended", "done"),
        ("budget_limited", "error"),
        (None, "interrupted"),
    ],
)
def test_how_a_turn_was_broken_off(reason: str | None, phase: str) -> None:
    assert read(event("task_started") + event("turn_aborted", reason=reason)).phase == phase


def test_a_tail_within_one_long_turn_is_a_turn_under_way() -> None:
    tail = line("turn_context", {}) + line("response_item", {"type": "function_call_output", "call_id": "1"})
    assert read(tail).under_way
    whole = line("session_meta", {"id": "1"}) + line("turn_context", {})
    assert not read(whole).under_way


def test_versions_without_turn_events_are_read_by_their_items() -> None:
    def item(payload: dict[str, Any]) -> bytes:
        return json.dumps(
            {"timestamp": "2025-06-01T10:00:00Z", "type": "response_item", "payload": payload}
        ).encode()

    def bare(payload: dict[str, Any]) -> bytes:
        return json.dumps({"timestamp": "2025-05-01T10:00:00Z", **payload}).encode()

    for form in (item, bare):
        asked = form(
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "do it"}]}
        )
        call = form({"type": "function_call", "name": "shell", "call_id": "1", "arguments": "{}"})
        output = form({"type": "function_call_output", "call_id": "1", "output": "x"})
        answer = form(
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "y"}]}
        )
        lines = [asked, call, output, answer]
        seen = [(follow(Turn(), lines[:n]).phase, len(follow(Turn(), lines[:n]).calls)) for n in range(5)]
        assert seen == [("none", 0), ("open", 0), ("open", 1), ("open", 0), ("done", 0)]
        assert follow(Turn(), lines).prompt == "do it"


def test_what_no_user_wrote_is_no_prompt() -> None:
    for words in ("<environment_context>…", "<turn_aborted>", "# AGENTS.md instructions for /lab", "  "):
        made_up = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
        assert read(line("response_item", made_up)).prompt is None


def test_meta_tells_who_talks() -> None:
    def told(**payload: Any) -> Meta | None:
        return meta(line("session_meta", {"id": "1", "cwd": "/lab/proj", **payload}))

    assert meta(sample("alone")) == Meta("01a1fc16-a4cd-77e3-8972-fc4dd3e8b7c4", "/lab/proj")
    assert meta(sample("daemon-1")) == Meta("01a1fe0e-6c27-7000-9bc6-55b1f496bc54", "/lab/proj")
    assert told() == Meta("1", "/lab/proj")
    for elsewhere in (
        {"source": "exec", "originator": "codex_exec"},
        {"source": "vscode", "originator": "codex_vscode"},
    ):
        assert told(**elsewhere) == Meta("1", "/lab/proj", child=False, person=False)
    for other in (
        {"source": {"subagent": {"thread_spawn": {}}}, "originator": "codex-tui"},
        {"source": "vscode", "originator": "codex-tui", "thread_source": "subagent"},
        {"source": "cli", "originator": "codex-tui", "thread_source": "guardian_review"},
        {"source": "cli", "parent_thread_id": "2"},
    ):
        assert told(**other) == Meta("1", "/lab/proj", child=True, person=False)
    assert meta(b"") is None
    assert meta(b'{"type":"session_meta","payload":{"id":"1"}}') is None  # its end has not come
    assert meta(line("event_msg", {})) is None
    assert meta(b'{"type":"session_meta","payload":[]}\n') is None


def test_times() -> None:
    assert moment("2026-11-21T12:01:40Z") == NOW
    assert moment("2026-11-21T12:01:40") == NOW
    for broken in ("", "yesterday", None, 5, "0000-00-00T00:00:00Z", "9999-99-99"):
        assert moment(broken) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    sorted({*STARTS, *ENDS, *CALL_TYPES, *OUTPUT_TYPES, "item_completed", "user_message", "message"})
)
FIELDS = st.sampled_from(
    [
        *("role", "content", "item", "turn_id", "call_id", "id", "name", "arguments", "input", "output"),
        *("error", "reason", "message", "function", "source", "cwd"),
    ]
)
RECORDS = st.builds(
    lambda type, kind, payload, stamp: {
        "timestamp": stamp, "type": type, "payload": {**payload, "type": kind},
    },
    st.sampled_from(["session_meta", "event_msg", "response_item", "turn_context", "compacted"]) | VALUES,
    KINDS | VALUES,
    st.dictionaries(FIELDS, VALUES | st.builds(lambda kind: {"type": kind}, KINDS), max_size=5),
    st.just("2026-11-21T12:01:40Z") | VALUES,
)  # fmt: skip


@given(
    st.lists(RECORDS.map(lambda record: json.dumps(record).encode()) | st.binary(max_size=60), max_size=12)
)
def test_no_line_breaks_it(lines: list[bytes]) -> None:
    turn = follow(Turn(), lines)
    assert turn.phase in ("none", "open", "done", "error", "interrupted")
    for each in lines:
        meta(each + b"\n")


def test_deep_nesting_is_left_out() -> None:
    deep = b'{"type":"event_msg","payload":' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert follow(Turn(), [deep, b"[" * 5000, *event("task_started").splitlines()]).phase == "open"
