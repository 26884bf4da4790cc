"""Who may be put to sleep, and what is typed to wake him."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import Agent, Client, Inventory, Link, Pane, Session, Window
from opensessions.processes.census import Census, count
from opensessions.processes.source import Stat
from opensessions.server.resting import (
    RESTS,
    SHELLS,
    command,
    interactive,
    line,
    outlives,
    prompt,
    unfit,
)  # fmt: skip

AGENT = Agent("m:%1:7.1", "codex", "%1", 7, state="done", thread="t", confidence="high")
RESUME = ("codex", "resume", "t")


def inventory(looking: str = "", pid: int = 5, dead: bool = False) -> Inventory:
    windows = {
        "@1": Window("@1", panes=(Pane("%1", "@1", pid, True, dead), Pane("%3", "@1", 55))),
        "@2": Window("@2", panes=(Pane("%2", "@2", 6, True),)),
    }
    session = Session("$1", "s", links=(Link("@1", 0, looking == "@1"), Link("@2", 1, looking == "@2")))
    return Inventory(1, 1, "3.3a", (session,), windows, (Client("/dev/pts/1", "$1"),) if looking else ())


def test_an_agent_that_rests_unseen_may_sleep() -> None:
    for state in RESTS:
        for confidence in ("high", "best-effort"):
            agent = replace(AGENT, state=state, confidence=confidence)
            assert unfit(agent, RESUME, (agent,), inventory()) == ""
            assert unfit(agent, RESUME, (agent,), inventory("@2")) == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "running"}, "is running"),
        ({"state": "tool-running"}, "is tool-running"),
        ({"state": "waiting"}, "is waiting"),
        ({"state": "error"}, "is error"),
        ({"state": "stale"}, "is stale"),
        ({"confidence": "none"}, "may be at work"),
        ({"confidence": "unknown"}, "may be at work"),
        ({"background": 1}, "background"),
        ({"thread": None}, "not known which conversation"),
        ({"liveness": "exited"}, "does not run"),
        ({"liveness": "unknown"}, "does not run"),
        ({"pane": "%9"}, "not known whether anybody looks"),
        ({"pid": 5}, "own program"),
    ],
)
def test_who_must_not_sleep(changes: dict[str, object], why: str) -> None:
    agent = replace(AGENT, **changes)
    assert why in unfit(agent, RESUME, (agent,), inventory())


def test_where_nobody_must_sleep() -> None:
    group = (AGENT,)
    assert "screen" in unfit(AGENT, RESUME, group, inventory("@1"))
    beside = replace(AGENT, pane="%3")
    assert "screen" in unfit(beside, RESUME, (beside,), inventory("@1")), (
        "visible, though another pane is active"
    )
    control = replace(inventory(), clients=(Client("client-7", "$1", control=True),))
    assert "may be on somebody's screen" in unfit(AGENT, RESUME, group, control)
    elsewhere = replace(inventory(), clients=(Client("client-7", "$2", control=True),))
    assert unfit(AGENT, RESUME, group, elsewhere) == ""
    assert "not known whether" in unfit(AGENT, RESUME, group, None)
    assert "not known whether" in unfit(AGENT, RESUME, group, inventory(dead=True))
    assert "several agents" in unfit(AGENT, RESUME, (AGENT, replace(AGENT, id="x")), inventory())
    assert "no known way" in unfit(AGENT, (), group, inventory())


def test_the_command() -> None:
    assert command(("claude", "--resume", "{thread}"), "0199") == ("claude", "--resume", "0199")
    for resume, thread in (((), "0199"), (RESUME, None), (RESUME, ""), (("x", "{thread}"), "--dangerously")):
        assert command(resume, thread) == ()


# --- the line that is typed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "folder", "here", "typed"),
    [
        (RESUME, "/src", "/src", "codex resume t"),
        (RESUME, "/src", "/", "cd /src && codex resume t"),
        (RESUME, "/my src", "/", "cd '/my src' && codex resume t"),
        (RESUME, "", "/", "codex resume t"),
        (("pi", "--session", "a b;$(x) `y` !z ~ * é"), "", "/", "pi --session 'a b;$(x) `y` !z ~ * é'"),
        (("pi", "it's"), "", "/", None),
        (("pi", "a\\b"), "", "/", None),
        (("pi", "a\nrm"), "", "/", None),
        (("pi", "a\x1b[2J"), "", "/", None),
        (("pi", "a\udc80"), "", "/", None),
        (RESUME, "/it's", "/", None),
        ((), "", "/", None),
    ],
)
def test_the_line(words: tuple[str, ...], folder: str, here: str, typed: str | None) -> None:
    assert line(words, folder, here) == typed


PRINTABLE = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PRINTABLE, min_size=1, max_size=3))
def test_every_shell_reads_the_line_alike(words: list[str]) -> None:
    typed = line(("printf", "%s|", *words), "", "/")
    if typed is None:
        return
    for shell in ("sh", "bash", "fish", "zsh"):
        if shutil.which(shell):
            done = subprocess.run(
                [shell, "-c", typed], capture_output=True, check=True, env={"LANG": "C.UTF-8"}
            )
            assert done.stdout.decode() == "".join(f"{word}|" for word in words), shell


# --- who waits there --------------------------------------------------------------------------------------------


def machine(*processes: tuple[int, int, str]) -> Census:
    """(pid, parent, name); all in the session of 10. A name with a `+` in front has exited."""
    return count(
        [
            Stat(pid, parent, 10, 1, name.lstrip("+"), exited=name.startswith("+"))
            for pid, parent, name in processes
        ],
        1,
    )


@pytest.mark.parametrize(
    ("processes", "chain"),
    [
        ([(10, 1, "zsh")], (10,)),
        ([(10, 1, "-bash")], (10,)),
        ([(10, 1, "sh"), (11, 10, "fish")], (10, 11)),
        ([(10, 1, "bash"), (11, 10, "+codex")], (10,)),
        ([(10, 1, "bash"), (12, 1, "+sleep")], (10,)),
        ([(10, 1, "vim")], ()),
        ([(10, 1, "bash"), (11, 10, "vim")], ()),
        ([(10, 1, "bash"), (11, 10, "sleep"), (12, 10, "bash")], ()),
        ([(10, 1, "bash"), (12, 1, "nohup-ed")], ()),
        ([(10, 1, "+bash")], ()),
        ([], ()),
        ([(10, 11, "bash"), (11, 10, "bash")], ()),
    ],
)
def test_a_prompt_is_where_nothing_but_shells_run(
    processes: list[tuple[int, int, str]], chain: tuple[int, ...]
) -> None:
    assert prompt(10, machine(*processes)) == chain


@pytest.mark.parametrize(
    ("argv", "yes"),
    [
        ("bash", True), ("-zsh", True), ("bash -l", True), ("bash --login -i", True), ("fish --private", True),
        ("sh -c x", False), ("bash -ic x", False), ("fish --command x", False), ("fish --init-command=x", False),
        ("fish -C x", False), ("bash script.sh", False), ("bash --rcfile x", False), ("bash -- x", False),
        ("bash - x", False), ("", False),
    ],
)  # fmt: skip
def test_a_shell_that_reads_its_terminal(argv: str, yes: bool) -> None:
    assert interactive(argv.split()) is yes


def test_the_shells_are_those_that_agree_on_quotes() -> None:
    assert not SHELLS & {"csh", "tcsh", "rc", "nu", "pwsh", "xonsh"}
    assert Path("/bin/sh").resolve().name in SHELLS | {"busybox"}


@pytest.mark.parametrize(
    ("pane", "between", "stays"),
    [
        ("zsh", "", True),
        ("-bash", "", True),
        ("nu", "", True),
        ("bash -l", "node /npx claude", True),
        ("sh -c claude;true", "", False),
        ("sh -c claude;true", "bash", True),
        ("sh /start", "", False),
        ("node /npx claude", "", False),
        ("vim", "", False),
    ],
)
def test_where_a_pane_stays_open_when_its_agent_ends(pane: str, between: str, stays: bool) -> None:
    """10 is the pane's own process, 12 the agent; 11 stands between them if there is one."""
    words = {10: pane.split(), 11: between.split(), 9: ["bash"], 12: ["zsh"]}
    stats = [Stat(9, 1, 9, 1, "bash"), Stat(10, 9, 10, 1, words[10][0])]
    if between:
        stats.append(Stat(11, 10, 10, 1, words[11][0]))
    stats.append(Stat(12, stats[-1].pid, 10, 1, "zsh"))
    assert outlives(10, 12, count(stats, 10), words.__getitem__) is stays


def test_the_agent_of_a_pane_that_has_lost_its_parent() -> None:
    stats = [Stat(10, 1, 10, 1, "bash"), Stat(12, 1, 10, 1, "codex")]
    assert outlives(10, 12, count(stats, 10), lambda pid: ["bash"])
    assert not outlives(10, 12, count(stats, 10), lambda pid: ["bash", "-c", "codex & wait"])
    assert not outlives(0, 12, count(stats, 10), lambda pid: ["bash"])
