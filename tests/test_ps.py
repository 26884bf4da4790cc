"""`opensessions ps` as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from opensessions.cli.ps import empty, footer, size, table, told


def process(pid: int, ppid: int, command: str, agent: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "pid": pid,
        "ppid": ppid,
        "command": command,
        "agent": agent,
        "cpu": 1.25,
        "memory": 5 << 20,
        **more,
    }


def pane(**more: Any) -> dict[str, Any]:
    processes = [
        process(10, 1, "bash"),
        process(11, 10, "make", cpu=None, memory=None),
        process(12, 10, "claude", "a"),
        process(13, 12, "node", "a"),
        process(14, 13, "git", "a"),
    ]
    told = {
        "pane": "%7", "session_name": "api\x1b", "confidence": "best-effort", "stale": False, "processes": processes,
        "agents": [{"id": "a", "agent": "claude-code", "pid": 12}], "cpu": 5.0, "memory": 20 << 20,
    }  # fmt: skip
    return told | more


def whole(*panes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"muxes": [{"key": "m", "socket": "/s", "panes": list(panes)}], "orphans": []} | more


def test_the_table() -> None:
    assert "\n".join(table(whole(pane()))) == (
        "     PID     CPU       MEM  CONFIDENCE   COMMAND\n"
        "            5.0%    20 MiB  best-effort  %7 in api?\n"
        "      10    1.2%     5 MiB                 bash\n"
        "      11       -         -                   make\n"
        "            3.8%    15 MiB                 claude-code, 3 processes\n"
        "      12    1.2%     5 MiB                   claude\n"
        "      13    1.2%     5 MiB                     node\n"
        "      14    1.2%     5 MiB                       git"
    )


def test_what_is_not_fresh_is_marked() -> None:
    stale = pane(confidence="unknown", stale=True, processes=[], agents=[], cpu=None, memory=None)
    assert (
        table(whole(stale))[1]
        == "               -         -  unknown      %7 in api?  (as it was known last)"
    )


def test_where_there_is_nothing_a_sentence_says_what_to_do() -> None:
    assert table(whole()) == []
    assert "ps --all" in empty(whole(), False)
    assert "ps --all" not in empty(whole(), True)
    assert "opensessions up" in empty({"muxes": [], "orphans": []}, False)
    assert told({"event": "trees", **whole()}) == [empty(whole(), False)]


def test_orphans_are_counted() -> None:
    assert footer(whole()) == []
    assert footer(whole(orphans=[{}])) == ["1 agent has lost its pane; see: opensessions reap --dry-run"]
    assert footer(whole(orphans=[{}, {}]))[0].startswith("2 agents have lost their panes")


@pytest.mark.parametrize(
    ("bytes", "text"),
    [(None, "-"), (0, "0 KiB"), (640 << 10, "640 KiB"), (12 << 20, "12 MiB"), (3 << 29, "1.5 GiB")],
)
def test_sizes(bytes: int | None, text: str) -> None:
    assert size(bytes) == text


def test_lines_of_the_stream() -> None:
    where = {"mux": "m", "pane": "%7", "generation": "1.2"}
    assert told({"event": "process-added", **where, "process": process(14, 13, "git")}) == ["+ %7 14 git"]
    gone = {"event": "process-exited", **where, "pid": 14, "start": 3}
    assert told(gone | {"left": False}) == ["- %7 14"]
    assert told(gone | {"left": True}) == ["- %7 14 (it lives on elsewhere)"]
    changed = {"event": "confidence-changed", **where, "before": "high", "after": "unknown"}
    assert told(changed) == ["! %7 confidence: unknown (was high)"]
    assert told({"event": "of a later version"}) == []
