"""Whatever stands in its files, a look gives something, and raises nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.agents.adapter import Heard
from opensessions.agents.claude import KIND as CLAUDE
from opensessions.agents.qwen import KIND as QWEN
from opensessions.agents.signal import Signal
from tests.agents.claude_world import ID, World, answer, call, prompt
from tests.agents.test_claude_transcript import ODD

FIELDS = [
    "pid", "sessionId", "cwd", "startedAt", "procStart", "kind", "status",
    "waitingFor", "statusUpdatedAt", "name", "nameSource",
]  # fmt: skip
STATUS = st.sampled_from(
    ["busy", "idle", "waiting", "shell", "dialog open", "interactive", ID, "777000", 4242, "user"]
)
ENTRY = st.dictionaries(st.sampled_from(FIELDS), STATUS | ODD, max_size=11)
LINE = (
    st.binary(max_size=100)
    | st.builds(lambda value: json.dumps(value).encode(), ODD)
    | st.sampled_from(
        [json.dumps(each).encode() for each in (prompt("x", 0), answer("y", 1), call("a", "Bash", 2))]
    )
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.none() | ENTRY | st.binary(max_size=80), st.lists(LINE, max_size=4)), max_size=4)
)
def test_a_look_never_raises(rounds: list[tuple[object, list[bytes]]]) -> None:
    home = Path(tempfile.mkdtemp(prefix="claude-odd-"))
    try:
        world = World(home)
        world.register("idle", 0)
        for place, (entry, lines) in enumerate(rounds):
            if isinstance(entry, bytes):
                world.registry.write_bytes(entry)
            elif isinstance(entry, dict):
                world.register(None, place)
                whole = json.loads(world.registry.read_text()) | entry
                world.registry.write_text(json.dumps(whole))
            world.transcript.parent.mkdir(parents=True, exist_ok=True)
            with world.transcript.open("ab") as file:
                file.write(b"\n".join(lines))
            world.read(float(place))
            assert all(signal.states for signal in world.signals().values())
            assert world.look is not None
            assert len(world.look.watch) <= 16
    finally:
        shutil.rmtree(home)


EVENTS = [
    "SessionStart", "SessionEnd", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "Notification",
    "PermissionRequest", "PermissionDenied", "Stop", "StopFailure", "PreCompact", "PostCompact", "Other",
]  # fmt: skip
PAYLOAD = st.dictionaries(
    st.sampled_from(["session_id", "source", "prompt", "tool_name", "notification_type", "background_tasks", "trigger",
                     "is_interrupt", "agent_id"]), ODD, max_size=6)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(EVENTS), PAYLOAD)
def test_a_hook_of_any_shape_is_heard(event: str, payload: dict[str, object]) -> None:
    for ear in (CLAUDE.hears, QWEN.hears):
        assert ear is not None
        said = ear(Heard(event, payload))
        assert not isinstance(said, Signal) or (said.states and said.event and said.source == "hook")
