"""Records of every shape, and what they leave of a turn."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.agents.claude.records import read
from opensessions.agents.claude.transcript import Transcript, enough
from tests.agents.claude_world import EPOCH, answer, call, failure, interrupt, over, prompt, result, stamp


def told(*records: dict[str, Any]) -> Transcript:
    return Transcript(json.dumps(each).encode() for each in records)


def linked(record: dict[str, Any], uuid: str, parent: str | None) -> dict[str, Any]:
    return {**record, "uuid": uuid, "parentUuid": parent}


@pytest.mark.parametrize(
    ("records", "standing"),
    [
        ([], "new"),
        ([prompt("x", 0)], "asked"),
        ([prompt("x", 0), answer("y", 1)], "done"),
        ([prompt("x", 0), answer("y", 1, "max_tokens")], "done"),
        ([prompt("x", 0), answer("y", 1, "refusal")], "done"),
        ([prompt("x", 0), answer("y", 1, "pause_turn")], "asked"),
        ([prompt("x", 0), answer("y", 1, "tool_use")], "asked"),
        ([prompt("x", 0), answer("y", 1, None)], "loose"),
        ([prompt("x", 0), answer("", 1, None)], "asked"),
        ([prompt("x", 0), answer("y", 1, None, isAbortedMidStream=True)], "asked"),
        ([prompt("x", 0), answer("y", 1, None), over(2)], "done"),
        ([prompt("x", 0), call("a", "Bash", 1)], "called"),
        ([prompt("x", 0), call("a", "Bash", 1), result("a", 2)], "asked"),
        ([prompt("x", 0), call("a", "Bash", 1, "m"), call("b", "Read", 1, "m"), result("b", 2)], "called"),
        ([prompt("x", 0), call("a", "Bash", 1, "m"), result("a", 2), call("b", "Read", 2, "m")], "called"),
        ([prompt("x", 0), call("a", "Bash", 1), interrupt(2, True)], "interrupted"),
        ([prompt("x", 0), interrupt(1), over(2)], "interrupted"),
        ([prompt("x", 0), failure(1), over(2)], "error"),
        ([prompt("x", 0), failure(1), prompt("again", 2)], "asked"),
        ([answer("y", 1), prompt("hidden", 2, isMeta=True)], "done"),
        ([answer("y", 1), prompt("<command-name>/cost</command-name>", 2)], "done"),
        ([answer("y", 1), prompt("<local-command-stdout>x", 2)], "done"),
        ([answer("y", 1), prompt("<bash-input>ls</bash-input>", 2)], "done"),
        ([answer("y", 1), prompt("<task-notification>\n<task-id>a</task-id>", 2)], "asked"),
        ([answer("y", 1), prompt("go on from the summary", 2, isCompactSummary=True)], "done"),
        ([answer("y", 1), {"type": "system", "subtype": "compact_boundary", "timestamp": stamp(2)}], "done"),
        ([prompt("x", 0), {"type": "system", "subtype": "api_error", "timestamp": stamp(2)}], "asked"),
        ([answer("y", 1), {"type": "mode"}, {"type": "last-prompt", "lastPrompt": "x"}], "done"),
        ([answer("y", 1), prompt("sub-agent's", 2, isSidechain=True)], "done"),
        ([prompt("x", 0), call("a", "Task", 1), answer("sub", 2, isSidechain=True)], "called"),
        # The first write of a conversation may have the answer first: the prompt is older and begins the chain.
        ([linked(failure(2), "c", "b"), linked(over(3), "d", "c"), linked(prompt("x", 0), "a", None),
          linked({"type": "attachment"}, "b", "a")], "error"),
        ([linked(answer("y", 2), "c", "b"), linked(over(3), "d", "c"), linked(prompt("x", 0), "a", None)], "done"),
        ([linked(answer("y", 2), "c", "b"), linked(over(3), "d", "c"), linked(prompt("x", 0), "a", None),
          linked({"type": "attachment"}, "b", "a"), linked(prompt("again", 4), "e", "d")], "asked"),
        # A clock that was set back makes no prompt an old one: it follows what stands before it.
        ([linked(answer("y", 9), "c", "unread"), linked(prompt("again", 4), "e", "c")], "asked"),
        ([linked(prompt("x", 5), "a", None), linked(answer("y", 9), "b", "a"), linked(prompt("z", 4), "c", None)],
         "asked"),
        ([{"type": "user", "message": "as a text"}], "asked"),
        ([{"type": "assistant", "message": "as a text"}], "loose"),
        ([{"type": "user", "message": {"content": ["wow", 7, None]}}], "asked"),
        ([{"type": "user", "message": {"content": [{"type": "image"}]}}], "asked"),
        ([{"type": "user", "message": {"content": []}}], "new"),
        ([{"type": "user", "message": 7}, {"type": 3}, {"type": "assistant"}], "asked"),
        ([call("a", "Bash", 1), {"type": "user", "message": {"content": [{"type": "tool_result"}]}}], "asked"),
    ],
)  # fmt: skip
def test_how_it_stands(records: list[dict[str, Any]], standing: str) -> None:
    assert told(*records).standing == standing


def test_what_may_be_after_each() -> None:
    assert told(prompt("x", 0)).states == {"running", "interrupted"}
    assert told(prompt("x", 0), call("a", "Bash", 1)).states == {"tool-running", "waiting", "interrupted"}
    assert told(prompt("x", 0), call("a", "AskUserQuestion", 1)).states == {"waiting", "interrupted"}
    both = told(prompt("x", 0), call("a", "AskUserQuestion", 1, "m"), call("b", "Bash", 1, "m"))
    assert "tool-running" in both.states


def test_the_time_is_that_of_what_decides() -> None:
    assert told(prompt("x", 3), {"type": "mode", "timestamp": stamp(9)}).at == EPOCH + 3
    assert told({**prompt("x", 3), "timestamp": "yesterday"}).at is None


def test_titles_in_their_order() -> None:
    records: list[dict[str, Any]] = [prompt("first", 0)]
    for type, field in [("summary", "summary"), ("ai-title", "aiTitle"), ("custom-title", "customTitle")]:
        records.append({"type": type, field: f"a {type}"})
        assert told(*records).title == f"a {type}"
    assert told(prompt("first", 0), {"type": "ai-title", "aiTitle": 7}).title == "first"


def test_the_last_prompt() -> None:
    assert told(prompt("one", 0), answer("y", 1), prompt("two", 2)).prompt == "two"
    assert told({"type": "last-prompt", "lastPrompt": "three"}).prompt == "three"
    assert told(prompt("one", 0), prompt("<command-name>/cost", 1)).prompt == "one"


def test_background_tasks_begin_and_end() -> None:
    begun = [call("a", "Bash", 1), result("a", 2, toolUseResult={"backgroundTaskId": "b1"})]
    assert told(*begun).background == 1
    assert (
        told(*begun, prompt("<task-notification><task-id>b1</task-id><status>running</status>", 3)).background
        == 1
    )
    assert told(*begun, prompt("<task-notification><task-id>b1</task-id>", 3)).background == 0
    inner = {"type": "queued_command", "prompt": "<task-notification><task-id>b1</task-id>"}
    queued = {"type": "attachment", "attachment": inner}
    assert told(*begun, queued).background == 0
    assert told(prompt("x", 0)).background is None


def test_a_text_cut_within_a_surrogate_pair_is_read() -> None:
    line = json.dumps(prompt("x", 0)).encode().replace(b'"x"', b'"cut \\ud83d"')
    assert Transcript([line]).standing == "asked"


@pytest.mark.parametrize(
    "line",
    [b"", b"42", b"null", b"[1]", b'"text"', b"{", b"{}", b"\x00\x00", b'{"type":"user\x00"}', b"\xff\xfe",
     b"[" * 5000, b'{"type":' * 5000],
)  # fmt: skip
def test_lines_that_are_no_records_are_left_out(line: bytes) -> None:
    kept = Transcript([json.dumps(prompt("x", 0)).encode(), line])
    assert kept.standing == "asked"
    read(line)


def test_enough_is_read_when_the_turn_is_known() -> None:
    def lines(*records: dict[str, Any]) -> list[bytes]:
        return [json.dumps(each).encode() for each in records]

    assert not enough(lines({"type": "mode"}))
    assert not enough(lines(result("b", 2)))
    assert not enough(lines(call("b", "Read", 1, "m"), result("b", 2)))
    assert enough(lines(prompt("x", 0), call("b", "Read", 1)))
    assert enough(lines(answer("y", 1)))
    assert enough(lines(call("a", "Read", 1), result("a", 2), call("b", "Read", 3)))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["user", "assistant", "tool_use", "tool_result", "text", "end_turn"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["type", "message", "content", "id", "name", "role", "text", "tool_use_id", "stop_reason", "timestamp",
             "subtype", "isMeta", "isSidechain", "toolUseResult", "agentId", "status", "prompt", "attachment",
             "pendingBackgroundAgentCount", "backgroundTaskId", "aiTitle", "customTitle", "summary", "lastPrompt"]
        ), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(st.lists(ODD, max_size=8))
def test_no_shape_breaks_it(records: list[object]) -> None:
    kept = Transcript()
    for each in records:
        kept.add([json.dumps(each).encode()])
        assert kept.states
        assert kept.title is None or isinstance(kept.title, str)
        assert kept.background is None or kept.background >= 0
        assert len(kept.open) <= 200


@settings(deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_no_bytes_break_it(lines: list[bytes]) -> None:
    assert Transcript(lines).states
    enough(lines)
