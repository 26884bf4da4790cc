"""Gemini CLI: recordings of the real one (0.61.0), and every order in which its signals may arrive."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opensessions.agents.adapter import FORGET, Facts, Heard
from opensessions.agents.gemini import KIND, hears
from opensessions.agents.gemini.chat import TOOL, GeminiChat
from opensessions.agents.signal import BUSY, RESTING, WORKING, Signal, only
from tests.agents.replay import DATA, HOME, Play, Shelf, in_order, play, recording

CHATS = f"{HOME}/.gemini/tmp/proj/chats"

TRUTH = {
    "approved": "idle running waiting tool-running running done",
    "denied": "idle running waiting interrupted running done",
    "error": "idle running error running error",
    "hang-and-two-tools": "idle running done running interrupted running waiting tool-running running done",
    "interrupted": "idle running interrupted running waiting tool-running interrupted",
    "question": "idle running waiting tool-running running done",
}
"""What the real one went through, once each; a question that is answered passes for a tool where no hook tells."""


LATE = {"title": 0.1, "line": 0.1, "hook": 0.05}
"""Seconds by which each kind of news may come later than in the recording."""


def at_home(play: Play) -> None:
    know_project(play.shelf, play.clock())


def know_project(shelf: Shelf, now: float, cwd: str = "/proj") -> None:
    shelf.put(f"{HOME}/.gemini/projects.json", json.dumps({"projects": {cwd: "proj"}}).encode(), now)
    shelf.put(f"{HOME}/.gemini/tmp/proj/.project_root", cwd.encode(), now)


# --- recordings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "without"),
    [
        *((name, without) for name in TRUTH for without in ((), ("hook",))),
        # Where an approval that was given ends in Esc, only the title tells that the tool ran.
        *((name, ("title",)) for name in TRUTH if name != "interrupted"),
    ],
)
def test_a_recording_shows_the_truth_and_nothing_else(name: str, without: tuple[str, ...]) -> None:
    played = play(KIND, recording(f"gemini-0.61.0/{name}"), without=without, prepare=at_home)
    truth = TRUTH[name].split()
    if name == "question" and "hook" not in without:
        truth.remove("tool-running")
    assert played.states == truth


@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("without", [("line",), ("hook", "line")], ids=["no file", "title only"])
def test_without_the_file_it_works_waits_and_rests_but_how_it_ended_is_not_told(
    name: str, without: tuple[str, ...]
) -> None:
    played = play(KIND, recording(f"gemini-0.61.0/{name}"), without=without, prepare=at_home)
    blurred = [
        {"interrupted": "done", "error": "done", "tool-running": "running"}.get(state, state)
        for state in TRUTH[name].split()
    ]
    assert played.states == [a for a, b in zip(blurred, [None, *blurred], strict=False) if a != b]


@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("hooks", [True, False])
def test_whatever_comes_late_no_false_state_appears_and_none_twice(name: str, hooks: bool) -> None:
    """A state that was over before its news came may be left out, nothing else."""
    for seed in range(40):
        dice = random.Random(seed)
        delays = {what: dice.choice([0.0, dice.uniform(0, most), most]) for what, most in LATE.items()}
        played = play(
            KIND,
            recording(f"gemini-0.61.0/{name}"),
            without=() if hooks else ("hook",),
            late=lambda what, number, delays=delays: delays[what],  # type: ignore[misc]
            prepare=at_home,
        )
        assert in_order(played.states, TRUTH[name].split()), (delays, played.states)
        assert played.states[-1] == TRUTH[name].split()[-1]


# --- the title --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "states"),
    [
        ("◇  Ready (proj)                    ", RESTING),
        ("✦  Working… (proj)", WORKING),
        ("✦  Looking for the cause (proj)", WORKING),
        ("⏲  Working… (proj)", WORKING),
        ("✋  Action Required (proj)", only("waiting")),
        ("Gemini CLI (proj)", None),
        ("", None),
        ("vm: ~/proj", None),
        ("✋ hello", None),
    ],
)
def test_the_title(title: str, states: object) -> None:
    signal = KIND.title(title)
    assert (signal and signal.states) == states


# --- hooks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "payload", "states"),
    [
        ("SessionStart", {"source": "startup"}, only("idle")),
        ("SessionStart", {"source": "clear"}, only("idle")),
        ("SessionStart", {"source": "resume"}, RESTING),
        ("BeforeAgent", {"prompt": "hello"}, only("running")),
        ("BeforeTool", {"tool_name": "run_shell_command"}, BUSY),
        ("Notification", {"notification_type": "ToolPermission"}, only("waiting")),
        ("AfterTool", {"tool_name": "run_shell_command"}, WORKING | (RESTING - {"idle"})),
        ("AfterTool", {"tool_name": "ask_user"}, (RESTING - {"idle"}) | {"running"}),
        ("AfterAgent", {"prompt_response": "fine"}, RESTING - {"idle"}),
    ],
)
def test_a_hook(event: str, payload: dict[str, str], states: object) -> None:
    signal = hears(Heard(event, {"session_id": "abc", **payload}))
    assert isinstance(signal, Signal)
    assert (signal.states, signal.event, signal.about.thread) == (states, True, "abc")


def test_a_hook_says_what_is_asked_for() -> None:
    asked = {"notification_type": "ToolPermission", "details": {"type": "ask_user", "title": "Ask User"}}
    signal = hears(Heard("Notification", asked))
    assert isinstance(signal, Signal)
    assert signal.about.waiting_for == "question"


def test_hooks_that_tell_nothing() -> None:
    assert hears(Heard("SessionEnd", {"reason": "exit"})) is FORGET
    assert hears(Heard("BeforeModel", {})) is None
    assert hears(Heard("Notification", {"notification_type": "Other"})) is None


# --- screens ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("done", RESTING),
        ("tooldone", RESTING),
        ("interrupted", only("interrupted")),
        ("running", WORKING),
        ("toolrunning", WORKING),
        ("waiting", only("waiting")),
        ("quit", None),
    ],
)
def test_a_screen(name: str, states: object) -> None:
    lines = (DATA / "gemini-0.61.0/screens" / f"{name}.txt").read_text().splitlines()
    signal = KIND.screen(lines)
    assert (signal and signal.states) == states


def test_an_old_notice_further_up_on_the_screen_counts_no_more() -> None:
    lines = (DATA / "gemini-0.61.0/screens/interrupted.txt").read_text().splitlines()
    place = next(number for number, line in enumerate(lines) if "Request cancelled" in line)
    lines[place + 1 : place + 1] = [" > hello again", "✦ hello"]
    signal = KIND.screen(lines)
    assert signal is not None
    assert signal.states == RESTING


# --- the file ---------------------------------------------------------------------------------------------------

STARTED = 1_000_000.0


def facts(**other: object) -> Facts:
    return Facts(pid=42, start=4711, started=STARTED, cwd="/proj", env={"HOME": HOME}, **other)  # type: ignore[arg-type]


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(STARTED + seconds, UTC).isoformat(timespec="milliseconds")


def session(thread: str, began: float, *records: dict[str, object]) -> bytes:
    head = {"sessionId": thread, "projectHash": "x", "startTime": stamp(began), "kind": "main"}
    return b"".join(json.dumps(each).encode() + b"\n" for each in (head, *records))


def said(type: str, content: object, at: float, **other: object) -> dict[str, object]:
    return {"id": f"{type}{at}", "type": type, "content": content, "timestamp": stamp(at), **other}


CANCELLED = said("info", "Request cancelled.", 9)


def seen(shelf: Shelf, **other: object) -> Signal | None:
    return next(iter(GeminiChat().look(facts(**other), shelf).signals), None)


@pytest.mark.parametrize(
    ("records", "states"),
    [
        ([], only("idle")),
        ([said("user", [{"text": "hi"}], 5)], {"running", "waiting"}),
        ([said("user", "hi", 5), said("gemini", "hello", 6)], BUSY | {"done"}),
        ([said("user", "hi", 5), said("gemini", "", 6)], BUSY),
        ([said("user", "hi", 5), said("gemini", "", 6), CANCELLED], only("interrupted")),
        (
            [said("user", "hi", 5), CANCELLED, said("user", "hi", 9), said("gemini", "x", 9)],
            only("interrupted"),
        ),
        ([said("user", "hi", 5), CANCELLED, said("user", "ho", 12)], {"running", "waiting"}),
        ([said("user", "hi", 5), said("error", "[API Error: 400]", 9)], only("error")),
        ([said("user", "hi", 5), said("error", "MCP server x went away", 9)], {"running", "waiting", "error"}),
        ([said("error", "Unknown command: /foo", 9)], only("idle")),
        ([said("user", "/help", 5)], only("idle")),
        ([said("user", "<session_context>\nThis is", 5)], only("idle")),
        ([said("user", "hi", 5), said("gemini", "yes", 6), {"$rewindTo": "user5"}], RESTING),
    ],
)  # fmt: skip
def test_what_the_file_says(records: list[dict[str, object]], states: object) -> None:
    shelf = Shelf()
    know_project(shelf, STARTED)
    shelf.put(f"{CHATS}/session-a.jsonl", session("a", 2, *records), STARTED + 10)
    signal = seen(shelf)
    assert signal is not None
    assert signal.states == states
    assert signal.about.thread == "a"


def test_a_tool_call_counts_as_one_when_its_approval_would_have_been_asked_for() -> None:
    shelf, now = Shelf(), 0.0
    know_project(shelf, STARTED)
    path = f"{CHATS}/session-a.jsonl"
    shelf.put(path, session("a", 2, said("user", "hi", 5), said("gemini", "", 6)), STARTED + 10)
    reader = GeminiChat(lambda: now)
    look = reader.look(facts(), shelf)
    assert (look.signals[0].states, look.again) == (BUSY, TOOL)
    now = TOOL + 0.01
    look = reader.look(facts(), shelf)
    assert (look.signals[0].states, look.again) == ({"tool-running", "waiting"}, None)
    shelf.append(
        path,
        json.dumps(said("gemini", "", 6, toolCalls=[{"id": "t", "status": "success"}])).encode() + b"\n",
        STARTED + 11,
    )
    assert reader.look(facts(), shelf).signals[0].states == {"running", "waiting"}


def test_a_clock_that_is_set_back_puts_nothing_off() -> None:
    shelf, now = Shelf(), 1000.0
    know_project(shelf, STARTED)
    shelf.put(
        f"{CHATS}/session-a.jsonl", session("a", 2, said("user", "hi", 5), said("gemini", "", 6)), STARTED
    )
    reader = GeminiChat(lambda: now)
    assert reader.look(facts(), shelf).again == TOOL
    now = 0.0
    look = reader.look(facts(), shelf)
    assert (look.signals[0].states, look.again) == ({"tool-running", "waiting"}, None)


def test_an_approval_that_is_asked_for_late_is_never_taken_for_a_tool_that_runs() -> None:
    """On a busy machine: the file names a call, the hook says so, and the title shows the question 1.8 s later."""
    shown = Play(KIND, STARTED, "/proj", f"{CHATS.removeprefix(HOME + '/')}/session-a.jsonl")
    know_project(shown.shelf, STARTED)
    shown.title("✦  Working… (proj)")
    for record in session("a", 0, said("user", "hi", 1), said("gemini", "", 2)).splitlines():
        shown.line(json.loads(record))
    shown.look()
    shown.hook("BeforeTool", {"session_id": "a", "tool_name": "run_shell_command"})
    shown.until(1001.8)
    shown.now = 1001.8
    shown.title("✋  Action Required (proj)")
    shown.until(1010.0)
    shown.now = 1010.0
    shown.title("✦  Working… (proj)")
    assert shown.states == ["idle", "running", "waiting", "tool-running"]


def test_an_end_that_the_title_tells_late_is_one_end() -> None:
    """On a busy machine the title still shows work 1.6 s after the file has told of the error."""
    shown = Play(KIND, STARTED, "/proj", f"{CHATS.removeprefix(HOME + '/')}/session-a.jsonl")
    know_project(shown.shelf, STARTED)
    shown.title("✦  Working… (proj)")
    for record in session("a", 0, said("user", "hi", 1), said("error", "[API Error: 400]", 2)).splitlines():
        shown.line(json.loads(record))
    shown.now = 1000.5
    shown.look()
    shown.until(1002.1)
    shown.now = 1002.1
    shown.title("◇  Ready (proj)")
    shown.until(1010.0)
    assert shown.states == ["idle", "running", "error"]


def test_what_gemini_adds_to_a_prompt_is_not_shown() -> None:
    shelf = Shelf()
    know_project(shelf, STARTED)
    added = said("user", [{"text": "System: a loop"}], 5, displayContent=[{"text": "count to ten"}])
    shelf.put(f"{CHATS}/session-a.jsonl", session("a", 2, added), STARTED + 6)
    signal = seen(shelf)
    assert signal is not None
    assert signal.about.prompt == "count to ten"


def test_the_older_file_of_one_object() -> None:
    shelf = Shelf()
    know_project(shelf, STARTED)
    whole = {
        "sessionId": "a",
        "startTime": stamp(1),
        "messages": [said("user", "hi", 5), said("gemini", "yes", 6)],
    }
    shelf.put(f"{CHATS}/session-a.json", json.dumps(whole).encode(), STARTED + 10)
    signal = seen(shelf)
    assert signal is not None
    assert signal.states == BUSY | {"done"}
    assert signal.about.prompt == "hi"


def test_the_folder_named_by_the_hash_of_the_directory() -> None:
    from hashlib import sha256

    shelf = Shelf()
    chats = f"{HOME}/.gemini/tmp/{sha256(b'/proj').hexdigest()}/chats"
    shelf.put(f"{chats}/session-a.jsonl", session("a", 2), STARTED + 10)
    assert seen(shelf) is not None


def test_a_slug_that_another_directory_owns_is_not_taken() -> None:
    shelf = Shelf()
    know_project(shelf, STARTED)
    shelf.put(f"{HOME}/.gemini/tmp/proj/.project_root", b"/another", STARTED)
    shelf.put(f"{CHATS}/session-a.jsonl", session("a", 2), STARTED + 10)
    assert seen(shelf) is None


@pytest.mark.parametrize("slug", ["../../etc", ".", "", 5, None, "a/b"])
def test_a_slug_that_leads_elsewhere_is_not_followed(slug: object) -> None:
    shelf = Shelf()
    shelf.put(f"{HOME}/.gemini/projects.json", json.dumps({"projects": {"/proj": slug}}).encode(), STARTED)
    assert GeminiChat().look(facts(), shelf).signals == ()


def test_where_its_home_is_elsewhere() -> None:
    shelf = Shelf()
    shelf.put("/g/.gemini/projects.json", b'{"projects":{"/proj":"proj"}}', STARTED)
    shelf.put("/g/.gemini/tmp/proj/chats/session-a.jsonl", session("a", 2), STARTED + 10)
    there = Facts(pid=42, start=1, started=STARTED, cwd="/proj", env={"HOME": HOME, "GEMINI_CLI_HOME": "/g"})
    assert GeminiChat().look(there, shelf).signals
    assert not GeminiChat().look(facts(), shelf).signals


# --- whose file -------------------------------------------------------------------------------------------------


def two(first: float, second: float) -> Shelf:
    shelf = Shelf()
    know_project(shelf, STARTED)
    shelf.put(f"{CHATS}/session-a.jsonl", session("a", 2, said("user", "mine", 5)), STARTED + first)
    shelf.put(f"{CHATS}/session-b.jsonl", session("b", 300, said("user", "yours", 305)), STARTED + second)
    return shelf


def test_a_file_that_was_last_written_before_it_started_is_not_its_own() -> None:
    shelf = Shelf()
    know_project(shelf, STARTED)
    shelf.put(f"{CHATS}/session-a.jsonl", session("a", -500), STARTED - 100)
    assert seen(shelf) is None


def test_a_session_that_it_goes_on_with_is_its_own_when_nobody_else_is_there() -> None:
    shelf = Shelf()
    know_project(shelf, STARTED)
    shelf.put(f"{CHATS}/session-a.jsonl", session("a", -500, said("user", "hi", 5)), STARTED + 6)
    signal = seen(shelf)
    assert signal is not None
    assert signal.about.thread == "a"
    assert seen(shelf, rivals=1) is None


def test_with_a_rival_only_the_file_that_began_with_it_counts_and_only_while_it_is_the_newest() -> None:
    signal = seen(two(400, 350), rivals=1)
    assert signal is not None
    assert signal.about.prompt == "mine"
    assert seen(two(350, 400), rivals=1) is None


def test_a_file_that_another_agent_holds_is_not_taken() -> None:
    signal = seen(two(350, 400), rivals=1, taken=frozenset({"b"}))
    assert signal is not None
    assert signal.about.prompt == "mine"
    signal = seen(two(350, 400), taken=frozenset({"a"}))
    assert signal is not None
    assert signal.about.prompt == "yours"


def test_what_a_rival_wrote_is_not_taken_over_when_it_is_gone() -> None:
    shelf, reader = two(350, 400), GeminiChat()
    assert reader.look(facts(rivals=1), shelf).signals == ()
    signal = reader.look(facts(), shelf).signals
    assert not signal or signal[0].about.prompt == "mine"


def test_after_clear_the_new_session_counts() -> None:
    shelf, reader = Shelf(), GeminiChat()
    know_project(shelf, STARTED)
    shelf.put(f"{CHATS}/session-a.jsonl", session("a", 2, said("user", "mine", 5)), STARTED + 5)
    assert reader.look(facts(), shelf).signals[0].about.thread == "a"
    shelf.put(f"{CHATS}/session-b.jsonl", session("b", 300), STARTED + 300)
    signal = reader.look(facts(), shelf).signals[0]
    assert (signal.about.thread, signal.states) == ("b", only("idle"))


def test_a_subagents_session_is_nobodys() -> None:
    shelf = Shelf()
    know_project(shelf, STARTED)
    data = session("a", 2).replace(b'"main"', b'"subagent"')
    shelf.put(f"{CHATS}/session-a.jsonl", data, STARTED + 10)
    assert seen(shelf) is None


def test_half_a_line_is_left_for_later() -> None:
    shelf, reader = Shelf(), GeminiChat()
    know_project(shelf, STARTED)
    path = f"{CHATS}/session-a.jsonl"
    whole = session("a", 2, said("user", "hi", 5), said("info", "Request cancelled.", 9))
    shelf.put(path, whole[:-20], STARTED + 10)
    assert reader.look(facts(), shelf).signals[0].states == {"running", "waiting"}
    shelf.put(path, whole, STARTED + 11)
    assert reader.look(facts(), shelf).signals[0].states == {"interrupted"}


def test_every_recording_is_played() -> None:
    assert sorted(path.stem for path in Path(DATA / "gemini-0.61.0").glob("*.jsonl")) == sorted(TRUTH)
