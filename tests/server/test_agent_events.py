"""What an agent's plugin may say of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from opensessions.fields import Invalid
from opensessions.model import URGENCY
from opensessions.server.agent_events import WORDS, said

DOCS = Path(__file__).parents[2] / "docs/reference/interfaces.md"


def test_everything_that_may_be_said() -> None:
    told = said(
        {
            "agent": "amp", "status": "Needs_Input", "ts": 1795230503600, "threadId": "t-1",
            "threadName": "\x1b[31mFix", "lastUserPrompt": "é" * 600, "tmuxSession": "api",
        }
    )  # fmt: skip
    assert (told.agent, told.state, told.at, told.thread) == ("amp", "waiting", 1795230503.6, "t-1")
    assert (told.title, told.prompt) == ("[31mFix", "é" * 499 + "…")


def test_what_is_left_out_is_unknown() -> None:
    told = said({"agent": "amp", "status": "done", "threadName": "\x07"})
    assert (told.at, told.thread, told.title, told.prompt) == (None, None, None, None)


@pytest.mark.parametrize("word", ["", "flying", "waiting!", "run ning", "\x1b", "\u212a"])
def test_words_that_mean_no_state(word: str) -> None:
    with pytest.raises(Invalid, match="status must be one of"):
        said({"agent": "amp", "status": word})


def test_every_state_has_its_own_word_and_the_others_are_documented() -> None:
    assert {word for word, state in WORDS.items() if word == state} == set(URGENCY)
    text = DOCS.read_text()
    table = text[text.index("| state | other words |") : text.index("### On TCP")]
    documented = {
        (state, word)
        for state, words in re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", table, re.MULTILINE)
        for word in re.findall(r"`([^`]+)`", words)
    }
    assert documented == {(state, word) for word, state in WORDS.items() if word != state}
