"""Which files are a Claude Code's own, and what is made of versions and setups that tell less."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from opensessions.agents.claude.places import encoded, told
from opensessions.agents.claude.reader import ClaudeReader
from opensessions.agents.signal import RESTING
from opensessions.files.disk import Disk
from tests.agents.claude_world import (
    CWD,
    EPOCH,
    ID,
    World,
    answer,
    call,
    interrupt,
    over,
    prompt,
    result,
    stamp,
)

OTHER = "aaaaaaaa-2222-4333-8444-555555555555"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def stale(path: Path, at: float) -> None:
    os.utime(path, (EPOCH + at, EPOCH + at))


# --- the registry ------------------------------------------------------------------------------------------------


def test_an_entry_of_an_earlier_process_with_the_same_pid_counts_for_nothing(world: World) -> None:
    world.register("busy", 0, procStart="12345")
    world.read(0)
    assert world.signals() == {}


def test_an_entry_whose_process_start_is_not_told_is_taken_if_it_began_with_the_process(world: World) -> None:
    world.register("busy", 0, procStart=None)
    assert world.read(0) == "running"
    world.register("waiting", 1, procStart="Sat Nov 21 04:00:00 2026")
    assert world.read(1) == "waiting"


def test_an_entry_without_a_start_that_began_long_before_is_another_ones(world: World) -> None:
    world.register("busy", 0, procStart=None, startedAt=int((EPOCH - 3600) * 1000))
    world.read(0)
    assert "registry" not in world.signals()


def test_an_entry_of_the_program_below_a_launcher(tmp_path: Path) -> None:
    world = World(tmp_path)
    own = os.getpid()
    start = Disk().stat_start(own)
    world.registry.parent.mkdir(parents=True)
    entry = {"pid": own, "sessionId": ID, "procStart": str(start), "kind": "interactive", "status": "waiting"}
    (world.registry.parent / f"{own}.json").write_text(json.dumps(entry))
    world.moved(below=(own,))
    assert world.read(0) == "waiting"
    (world.registry.parent / f"{own}.json").write_text(json.dumps({**entry, "procStart": "1"}))
    world.reader = ClaudeReader()
    world.read(1)
    assert "registry" not in world.signals()


@pytest.mark.parametrize("kind", ["bg", "daemon", "daemon-worker", 7])
def test_jobs_in_the_background_are_not_the_panes(world: World, kind: object) -> None:
    world.register("busy", 0, kind=kind)
    world.write(prompt("x", 0))
    world.read(0)
    assert world.signals() == {}


def test_a_torn_entry_changes_nothing(world: World) -> None:
    world.register("waiting", 0, waitingFor="permission prompt")
    world.read(0)
    world.registry.write_text('{"pid": 4242, "sessi')
    assert world.read(1) == "waiting"
    assert world.look is not None
    assert world.look.again is not None
    world.register("busy", 2)
    assert world.read(2) == "running"


def test_a_first_entry_without_a_status(world: World) -> None:
    world.register(None, 0)
    assert world.read(0) == "idle"
    assert set(world.signals()) == {"transcript"}
    assert world.verdict.about.thread == ID


def test_a_status_that_nobody_knows_says_nothing(world: World) -> None:
    world.register("meditating", 0)
    world.write(prompt("x", -1), answer("y", 0))
    assert world.read(0) == "done"
    assert set(world.signals()) == {"transcript"}


def test_a_background_shell_is_counted(world: World) -> None:
    world.register("busy", 0)
    world.write(prompt("x", -1))
    world.read(0)
    started = result("t1", 1, toolUseResult={"stdout": "", "backgroundTaskId": "b1"})
    world.write(call("t1", "Bash", 1), started, answer("y", 2), over(2))
    world.register("shell", 2)
    assert world.read(2) == "done"
    assert world.verdict.about.background == 1
    world.write(prompt("<task-notification>\n<task-id>b1</task-id>\n<status>completed</status>", 9))
    world.register("busy", 9)
    assert world.read(9) == "running"
    assert world.verdict.about.prompt == "x"
    world.write(answer("z", 10), over(10))
    world.register("idle", 10)
    assert world.read(10) == "done"
    assert world.verdict.about.background == 0


def test_an_agent_in_the_background_keeps_it_busy(world: World) -> None:
    world.register("busy", 0)
    world.write(prompt("x", -1))
    world.read(0)
    started = result("t1", 1, toolUseResult={"isAsync": True, "status": "async_launched", "agentId": "a1"})
    world.write(call("t1", "Task", 1), started, answer("y", 2), over(2, pendingBackgroundAgentCount=1))
    assert world.read(3) == "running"
    assert world.wait(60) == "running"
    assert world.verdict.about.background == 1
    assert "done" not in world.shown


def test_a_menu_that_the_user_opens_is_no_wait(world: World) -> None:
    world.register("idle", 0)
    world.write(prompt("x", -2), answer("y", -1))
    world.read(0)
    world.register("waiting", 5, waitingFor="dialog open")
    assert world.read(5) == "done"


def test_a_dialog_within_a_turn_is_a_wait(world: World) -> None:
    world.register("busy", 0)
    world.write(prompt("x", 0))
    world.read(0)
    world.register("waiting", 5, waitingFor="dialog open")
    assert world.read(5) == "waiting"
    assert world.verdict.about.waiting_for == "dialog open"


# --- the transcript's place --------------------------------------------------------------------------------------


def test_names_of_folders() -> None:
    assert encoded("/home/user/my.proj_é x") == "-home-user-my-proj---x"
    assert encoded("/a/😀") == "-a---"
    assert encoded("/é😀" + "b" * 250) == "----" + "b" * 196 + "-748i2r"
    assert encoded("/" + "a" * 300) == "-" + "a" * 199 + "-vtkmfl"


def test_a_long_name_keeps_its_beginning_and_differs_by_its_end() -> None:
    one, two = encoded("/" + "a" * 300 + "1"), encoded("/" + "a" * 300 + "2")
    assert one != two
    assert one[:200] == two[:200]


def test_a_transcript_that_lies_elsewhere_is_found_by_its_id(world: World) -> None:
    world.register("idle", 0)
    world.write(prompt("x", -2), answer("y", -1))
    world.transcript.parent.rename(world.transcript.parent.with_name("elsewhere"))
    assert world.read(0) == "done"


def test_other_folders_by_environment(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.moved(
        env={
            "HOME": "/nowhere",
            "CLAUDE_CONFIG_DIR": str(tmp_path / "c"),
            "CLAUDE_CODE_PROJECT_DIR_NAME": "p",
        }
    )
    (tmp_path / "c/sessions").mkdir(parents=True)
    (tmp_path / "c/projects/p").mkdir(parents=True)
    world.register("idle", 0)
    world.registry.rename(tmp_path / f"c/sessions/{world.facts.pid}.json")
    (tmp_path / f"c/projects/p/{ID}.jsonl").write_text(json.dumps(interrupt(0)) + "\n")
    assert world.read(0) == "interrupted"


@pytest.mark.parametrize("thread", ["../../etc/passwd", "a/b", "", "x" * 200, 7, None, "a\x00b"])
def test_an_id_that_is_no_name_is_not_used(world: World, thread: object) -> None:
    world.register("busy", 0, sessionId=thread)
    world.read(0)
    assert world.signals() == {}


def test_a_conversation_in_which_nothing_was_asked_is_idle(world: World) -> None:
    world.register("idle", 0)
    world.write({"type": "mode", "mode": "normal"}, prompt("Caveat", 0, isMeta=True))
    assert world.read(0) == "idle"


def test_a_resumed_conversation_is_idle_until_it_works(world: World) -> None:
    world.write(prompt("x", -500), call("t1", "Bash", -400))
    world.register("idle", 0)
    assert world.read(0) == "idle"
    world.register("busy", 1)
    world.write(prompt("go on", 1))
    assert world.read(1) == "running"
    world.write(answer("y", 2))
    world.register("idle", 2)
    assert world.read(2) == "done"
    assert world.shown == ["idle", "running", "done"]


def test_a_resumed_conversation_before_its_first_prompt_is_written(world: World) -> None:
    world.write(prompt("x", -500), answer("y", -400))
    world.register("idle", 0)
    world.read(0)
    world.hook("UserPromptSubmit", 5.0, prompt="more")
    world.register("busy", 5.05)
    assert world.read(5.1) == "running"
    assert world.wait(9) == "running"
    assert world.shown == ["idle", "running"]


def test_after_a_restart_of_ours_everything_is_as_it_was(world: World) -> None:
    world.register("waiting", 0, waitingFor="permission prompt")
    world.write(prompt("x", -1), call("t1", "Bash", 0))
    assert world.read(5) == "waiting"
    assert world.track.since == pytest.approx(EPOCH, abs=0.2)


# --- versions without a registry ---------------------------------------------------------------------------------


def test_without_a_registry_the_newest_of_the_directory_counts(world: World) -> None:
    world.write(prompt("x", 0), answer("y", 1))
    world.thread = OTHER
    world.write(prompt("later", 5))
    stale(world.transcript, 5)
    stale(world.transcript.with_name(f"{ID}.jsonl"), 1)
    assert world.read(6) == "running"
    assert world.verdict.about.thread == OTHER


def test_without_a_registry_what_is_older_than_the_process_is_not_its_own(world: World) -> None:
    world.write(prompt("x", -100))
    stale(world.transcript, -100)
    world.read(0)
    assert world.signals() == {}


def test_without_a_registry_another_ones_thread_is_left_alone(world: World) -> None:
    world.write(prompt("x", 0))
    world.moved(taken=frozenset({ID}))
    world.read(0)
    assert world.signals() == {}


def test_without_a_registry_rivals_make_it_unknown(world: World) -> None:
    world.write(prompt("x", 0))
    world.moved(rivals=1)
    world.read(0)
    assert world.signals() == {}


def test_without_a_registry_what_was_known_while_it_was_alone_stays(world: World) -> None:
    world.write(prompt("x", 0))
    assert world.read(0) == "running"
    world.moved(rivals=1)
    world.thread = OTHER
    world.write(prompt("the rival's", 3))
    world.thread = ID
    world.write(answer("y", 4))
    assert world.read(4) == "done"
    assert world.verdict.about.thread == ID


def test_without_a_registry_a_headless_run_in_the_directory_is_not_it(world: World) -> None:
    world.write(prompt("x", 0), answer("y", 1))
    stale(world.transcript, 1)
    world.thread = OTHER
    world.write(prompt("tool's own", 5, entrypoint="sdk-cli"))
    stale(world.transcript, 5)
    world.read(6)
    assert world.verdict.about.thread == ID


def test_without_a_registry_sub_agents_files_are_not_it(world: World) -> None:
    world.thread = "agent-1234"
    world.write(prompt("x", 0))
    world.read(0)
    assert world.signals() == {}


def test_an_id_on_the_command_line() -> None:
    assert told(["claude", "--session-id", ID]) == ID
    assert told(["claude", f"--session-id={ID}"]) == ID
    assert told(["claude", "--session-id"]) is None
    assert told(["claude", "--session-id", "../x"]) is None
    assert told(["claude", "--resume", ID]) is None


def test_an_id_on_the_command_line_settles_rivalry(world: World) -> None:
    world.write(prompt("x", 0))
    world.moved(rivals=1, argv=("claude", "--session-id", ID))
    assert world.read(0) == "running"


def test_without_a_registry_text_may_be_the_last_or_not(world: World) -> None:
    world.write(prompt("x", 0), answer("y", 1, None))
    assert world.read(1) == "running"
    assert world.signals()["transcript"].states == {"running", "done"}
    assert world.hook("Stop", 2) == "done"


def test_without_a_registry_a_text_that_nothing_follows_was_the_last(world: World) -> None:
    world.write(prompt("x", 0), answer("y", 1, None))
    assert world.read(1) == "running"
    assert world.wait(9) == "running"
    assert world.wait(20) == "done"
    assert world.look is not None
    assert world.look.again is None


def test_without_a_registry_the_screen_tells_a_wait(world: World) -> None:
    world.write(prompt("x", 0), call("t1", "Bash", 1))
    world.read(1)
    asked = ["Do you want to proceed?", "❯ 1. Yes", "  2. No", "Esc to cancel · Tab to amend"]
    assert world.screen(asked, 2) == "waiting"
    assert world.screen(["❯", "────", "  ⏸ manual mode on · esc to interrupt"], 4) == "tool-running"


# --- watching ----------------------------------------------------------------------------------------------------


def test_only_its_own_files_are_watched(world: World) -> None:
    world.register("idle", 0)
    world.write(prompt("x", -1), answer("y", 0))
    world.read(0)
    assert world.look is not None
    assert set(world.look.watch) == {str(world.registry), str(world.transcript)}
    assert world.look.again is None


def test_until_there_is_an_entry_the_places_are_watched(world: World) -> None:
    world.read(0)
    assert world.look is not None
    folder = f"{world.home}/.claude/projects/-home-user-project"
    assert {str(world.registry), str(world.registry.parent), folder} <= set(world.look.watch)
    assert len(world.look.watch) <= 16


def test_a_huge_transcript_is_read_from_its_end(world: World) -> None:
    world.transcript.parent.mkdir(parents=True)
    with world.transcript.open("wb") as file:
        file.write(json.dumps({"type": "ai-title", "aiTitle": "From the beginning"}).encode() + b"\n")
        file.write(json.dumps(prompt("first", -100)).encode() + b"\n")
        file.truncate(500 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + json.dumps(prompt("last", -9)).encode() + b"\n")
        padding = {"type": "api-request-shape", "shape": "x" * 70_000, "timestamp": stamp(-9)}
        file.write((json.dumps(padding) + "\n").encode() * 12)
    world.register("busy", -9)
    assert world.read(0) == "running"
    assert world.verdict.about.prompt == "last"
    assert world.verdict.about.title == "From the beginning"


def test_a_transcript_that_is_cut_and_written_anew(world: World) -> None:
    world.register("idle", 0)
    world.write(prompt("x", -2), answer("y", -1))
    assert world.read(0) == "done"
    world.transcript.write_text(json.dumps(interrupt(1)) + "\n")
    assert world.read(1) == "interrupted"


def test_a_line_that_is_half_written_waits_for_its_end(world: World) -> None:
    world.register("idle", 0)
    world.write(prompt("x", -2))
    whole = json.dumps(answer("y", -1))
    with world.transcript.open("a") as file:
        file.write(whole[:50])
    world.read(0)
    with world.transcript.open("a") as file:
        file.write(whole[50:] + "\n")
    assert world.read(1) == "done"


def test_the_title_that_the_user_chose_counts_most(world: World) -> None:
    world.register("idle", 0, name="mine", nameSource="user")
    world.write(prompt("first words", -2), {"type": "ai-title", "aiTitle": "A guess"})
    world.read(0)
    assert world.verdict.about.title == "mine"
    world.write({"type": "custom-title", "customTitle": "Renamed"})
    world.read(1)
    assert world.verdict.about.title == "Renamed"


def test_a_derived_name_is_no_title(world: World) -> None:
    world.register("idle", 0)
    world.write(prompt("first words", -2))
    world.read(0)
    assert world.verdict.about.title == "first words"


def test_no_verdict_is_left_when_it_rests(world: World) -> None:
    world.register("idle", 0)
    world.read(0)
    assert world.signals()["registry"].states == RESTING
    assert world.facts.cwd == CWD
