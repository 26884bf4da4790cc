"""Permissions that agents ask for: found on every screen on which one is asked for, and on no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.prompts import PROMPTS, asked
from opensessions.agents.styles import styled
from tests.real.recording import FOLDER, Recording, read

REVERSE, PLAIN = "\x1b[48;2;250;178;131m\x1b[38;2;10;10;10m", "\x1b[39m\x1b[49m"
SOON = 1.0
"""Seconds after which a prompt that was answered has gone from the screen, and before which it may be there already."""


def screens(recording: Recording) -> Iterator[tuple[float, str, str]]:
    """(time, instance, screen). A recording has no colours: OpenCode's are put back."""
    shown: dict[str, dict[int, str]] = {}
    for event in recording.events:
        if event.what == "screen":
            rows = shown.setdefault(event.details["pane"], {})
            rows |= {int(place): text for place, text in event.details["rows"].items()}
            text = "\n".join(rows.get(place, "") for place in range(max(rows) + 1))
            yield event.at, event.details["pane"], text.replace("Allow once", f"{REVERSE}Allow once{PLAIN}")


def near(recording: Recording, name: str, at: float) -> set[str]:
    """The states in which the agent may be at that time."""
    spans = recording.truth(name)
    ends = [span.start for span in spans[1:]] + [recording.end]
    return {
        span.state for span, end in zip(spans, ends, strict=True) if span.earliest - SOON <= at <= end + SOON
    }


STALE = ("claude-2.1.197",)
"""Recordings in which the last lines of a picture stay below a shorter one."""
RECORDINGS = [
    path for path in sorted(FOLDER.glob("*/*.jsonl.gz")) if path.parent.name.rpartition("-")[0] != "pi"
]


@pytest.mark.parametrize(
    "path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.name.partition('.')[0]}"
)
def test_a_permission_is_found_when_one_is_asked_for_and_at_no_other_time(path: Path) -> None:
    recording = read(path)
    found = []
    for at, name, screen in screens(recording):
        prompt = asked(recording.agent, screen)
        if prompt:
            waiting = "waiting" in near(recording, name, at)
            assert waiting or path.parent.name in STALE, (at, screen)
            found += [prompt.about] if waiting else []
    if recording.scenario in ("granted", "denied"):
        assert found
        assert all("gate a1" in about for about in found)


CLAUDE = """\
● Bash(rm -rf build)
  ⎿ Waiting…

────────────────────────────────────────────────────────
 Bash command

   rm -rf build
   Remove the build folder

 Do you want to proceed?
 ❯ 1. Yes
   2. Yes, and don't ask again for rm commands in /project
   3. No, and tell Claude what to do differently (esc)

 Esc to cancel · Tab to amend
"""
CODEX = """\
  Would you like to run the following command?

  $ make clean

› 1. Yes, proceed (y)
  2. No, and tell Codex what to do differently (esc)

  Press enter to confirm or esc to cancel
"""
OPENCODE = """\
  ┃  △ Permission required
  ┃    # Shell command
  ┃
  ┃  $ make clean
  ┃
  ┃   %sAllow once%s   %sAllow always%s   %sReject%s             ctrl+f fullscreen  ⇆ select  enter confirm
  ┃
"""


def opencode(marked: int) -> str:
    """With this one of its choices marked."""
    colours = [piece for place in range(3) for piece in ((REVERSE, PLAIN) if place == marked else ("", ""))]
    return OPENCODE % tuple(colours)


def test_what_is_asked_about_is_told() -> None:
    for agent, screen, about, keys in (
        ("claude-code", CLAUDE, "Bash command rm -rf build Remove the build folder", ("1", "escape")),
        ("codex", CODEX, "$ make clean", ("y", "escape")),
        ("opencode", opencode(0), "# Shell command $ make clean", ("enter", "escape")),
    ):
        found = asked(agent, screen)
        assert found
        assert found.about == about
        assert (found.prompt.allow, found.prompt.deny) == keys


def test_in_a_narrow_pane_opencode_says_what_keys_do_on_a_line_of_their_own() -> None:
    wide = " " * 13 + "ctrl+f fullscreen  ⇆ select  enter confirm"
    for marked in range(3):
        narrow = opencode(marked).replace(wide, "\n  ┃\n  ┃  ctrl+f fullscreen  ⇆ select  enter confir")
        assert (asked("opencode", narrow) is not None) == (marked == 0)
        assert asked("opencode", narrow + "  ┃  something else\n") is None


def test_an_edit_is_asked_about_too() -> None:
    screen = (
        CLAUDE.replace("Do you want to proceed?", "Do you want to make this edit to a.py?")
        .replace("Bash command", "Edit file")
        .replace("and don't ask again for rm commands in /project", "allow all edits during this session")
    )
    found = asked("claude-code", screen)
    assert found
    assert found.about.startswith("Edit file")


@pytest.mark.parametrize(
    ("agent", "screen"),
    [
        ("claude-code", CLAUDE + "\n❯ something below\n"),
        ("claude-code", CLAUDE.replace("1. Yes", "1. Yes, and auto-accept edits")),
        ("claude-code", CLAUDE.replace("1. Yes\n", "1. Blue\n")),
        ("claude-code", CLAUDE.replace("Do you want to proceed?", "Which colour?")),
        ("claude-code", CLAUDE.replace(" Esc to cancel · Tab to amend\n", "")),
        ("claude-code", CLAUDE.replace("   Remove", "  ? for shortcuts\n   Remove")),
        ("claude-code", CLAUDE.replace("Do you want to proceed?", "Do you want to use this API key?")),
        ("claude-code", CODEX),
        ("codex", CLAUDE),
        ("codex", CODEX.replace("(y)", "(a)")),
        ("codex", CODEX + "› Ask Codex to do anything\n"),
        ("opencode", opencode(1)),
        ("opencode", opencode(2)),
        ("opencode", opencode(9)),
        ("opencode", opencode(0).replace("Allow always", "Allow   never ")),
        ("pi", CLAUDE),
        ("aider", CLAUDE),
        ("codex", ""),
    ],
)
def test_in_doubt_there_is_none(agent: str, screen: str) -> None:
    assert asked(agent, screen) is None


def test_another_question_is_another_text() -> None:
    first, second = asked("codex", CODEX), asked("codex", CODEX.replace("make clean", "make all"))
    assert first
    assert second
    assert first.text != second.text
    moved = asked("codex", "line\nline\n" + CODEX)
    assert moved
    assert moved.text == first.text


@given(st.sampled_from(sorted(PROMPTS)), st.text(max_size=400))
def test_no_screen_is_too_odd(agent: str, screen: str) -> None:
    assert asked(agent, screen) is None


# --- colours --------------------------------------------------------------------------------------------------


def test_a_line_is_read_with_its_styles() -> None:
    cells = styled(
        "a\x1b[1;31mb\x1b[22mc\x1b[0md\x1b[38;5;9;48;2;1;2;3me\x1b[49mf\x1b[39mg\x1b[4:3mh\x1b[24mi\x1b(0j\x0f"
    )
    assert cells.text == "abcdefghij"
    assert [dict(style) for style in cells.styles] == [
        {}, {"1": "1", "fg": "31"}, {"fg": "31"}, {}, {"fg": "38:5:9", "bg": "48:2:1:2:3"}, {"fg": "38:5:9"}, {},
        {"4": "4:3"}, {}, {},
    ]  # fmt: skip


@given(st.text(st.sampled_from([*"ab\x1b[]0123456789;:mM\\\x07(\x0e"]), max_size=60))
def test_any_sequence_leaves_a_style_for_each_character(line: str) -> None:
    cells = styled(line)
    assert len(cells.text) == len(cells.styles)
