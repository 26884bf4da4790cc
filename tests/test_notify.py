"""What is worth telling, in which words, to whom and how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions import notify
from opensessions.model import (
    Agent,
    AgentState,
    Client,
    Entry,
    Inventory,
    Link,
    Metadata,
    Pane,
    Row,
    Session,
    Window,
)
from opensessions.notify import MOST, WINDOW, Notice, Pace

MUX = "tmux-0"
AGENT = Agent("a", "codex", "%1", 7, "running", since=100.0)
BEGUN = 50.0


def row(*agents: Agent, name: str = "api", id: str = "$1") -> Row:
    return Row(
        id, name, 1, False, 0, 1, 1, "/project", None, None, None, (), 0, None, False, Metadata(), agents
    )


def heard(old: Agent | None, new: Agent, begun: float = BEGUN) -> bool:
    before = {old.id: old} if old else {}
    return bool(notify.news(before, notify.known([row(new)]), begun))


def waiting(**changes: object) -> Agent:
    return replace(AGENT, **{"state": "waiting", "unseen": True, "since": 200.0, **changes})


# --- what -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["waiting", "error", "done"])
def test_what_begins_unseen_is_news(state: AgentState) -> None:
    assert heard(AGENT, waiting(state=state))


@pytest.mark.parametrize("state", ["idle", "running", "tool-running", "interrupted", "stale", "hibernated"])
def test_other_states_are_none(state: AgentState) -> None:
    assert not heard(AGENT, waiting(state=state))


def test_what_was_seen_or_told_is_none() -> None:
    assert not heard(AGENT, waiting(unseen=False))
    assert not heard(waiting(), waiting())
    assert not heard(waiting(), waiting(title="another title", background=2))


def test_another_state_or_another_time_is_news_again() -> None:
    assert heard(waiting(), waiting(state="done"))
    assert heard(waiting(), waiting(since=201.0))


def test_a_dismissal_that_is_taken_back_is_none() -> None:
    assert not heard(waiting(unseen=False), waiting())
    assert not heard(waiting(state="idle", unseen=False), waiting(state="done"))
    assert heard(waiting(state="idle", unseen=False), waiting(state="done", since=201.0))
    assert heard(waiting(state="running", unseen=False), waiting(state="done"))


def test_what_was_so_when_the_server_began_is_none() -> None:
    assert not heard(None, waiting())
    assert not heard(AGENT, waiting(since=49.0))
    assert heard(AGENT, waiting(since=0.0))


def test_an_agent_in_a_window_that_is_linked_twice_is_one() -> None:
    agents = notify.known([row(waiting(), name="first"), row(waiting(), name="second", id="$2")])
    [(found, _)] = notify.news({"a": AGENT}, agents, BEGUN)
    assert found.name == "first"


# --- in which words ---------------------------------------------------------------------------------------


def test_the_words() -> None:
    def text(**changes: object) -> str:
        return notify.of_agent(MUX, row(), waiting(**changes)).text

    assert text() == "codex in api waits for you"
    assert text(waiting_for="permission: rm", title="t") == "codex in api waits for you: permission: rm"
    assert text(state="done", waiting_for="x", title="Fix it") == "codex in api has finished: Fix it"
    assert text(state="error", prompt="please") == "codex in api has failed: please"
    assert text(title="\x1b]0;x\x07" + "y" * 300) == "codex in api waits for you: ]0;x" + "y" * 95 + "…"


def test_the_words_of_a_script() -> None:
    entry = Entry("tests failed", "error", "make", 1.0)
    assert notify.of_message(MUX, row(), "", entry).text == "make in api: tests failed"
    assert notify.of_message(MUX, row(), "", replace(entry, source=None)).text == "api: tests failed"


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_no_fact_holds_a_control_character(title: str, prompt: str, name: str) -> None:
    agent = waiting(title=title, prompt=prompt, waiting_for=title)
    notice = notify.of_agent(MUX, row(name=name), agent, directory=title)
    for text in (notice.text, *notify.environment(notice).values()):
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)
        text.encode()


def test_a_summary_counts() -> None:
    notices = [
        *(notify.of_agent(MUX, row(), waiting(id=str(n))) for n in range(3)),
        notify.of_agent(MUX, row(), waiting(state="done")),
        notify.of_message(MUX, row(), "", Entry("m", "info", None, 1.0)),
    ]
    assert notify.summary(notices).text == "5 more: 3 wait for you, 1 has finished, 1 message"


# --- to whom ----------------------------------------------------------------------------------------------


def seen(zoomed: bool = False) -> Inventory:
    """Client 1 has pane 1 and pane 2 beside it on its screen, client 2 pane 3; pane 1 and pane 3 are active."""
    return Inventory(
        1, 1, "3.3a",
        (
            Session("$1", "a", links=(Link("@1", 0, True), Link("@3", 1))),
            Session("$2", "b", links=(Link("@2", 0, True),)),
        ),
        {
            "@1": Window("@1", zoomed=zoomed, panes=(Pane("%1", "@1", 1, active=True), Pane("%2", "@1", 2))),
            "@2": Window("@2", panes=(Pane("%3", "@2", 3, active=True),)),
            "@3": Window("@3", panes=(Pane("%4", "@3", 4, active=True),)),
        },
        (Client("c1", "$1"), Client("c2", "$2", focused=False), Client("c3", "$1", control=True)),
    )  # fmt: skip


def test_who_has_a_pane_on_the_screen() -> None:
    assert notify.in_view(seen(), "%1") == notify.in_view(seen(), "%2") == {"c1"}
    assert notify.in_view(seen(), "%3") == {"c2"}
    assert notify.in_view(seen(), "%4") == notify.in_view(seen(), "%99") == set()
    assert notify.in_view(seen(zoomed=True), "%1") == {"c1"}
    assert notify.in_view(seen(zoomed=True), "%2") == set()


def test_a_terminal_without_the_focus_shows_it_to_nobody() -> None:
    assert notify.watched(seen(), "%2")
    assert not notify.watched(seen(), "%3")
    assert not notify.watched(seen(), "%4")


# --- how often --------------------------------------------------------------------------------------------


def notices(count: int) -> list[Notice]:
    return [notify.of_agent(MUX, row(), waiting(id=f"a{n}")) for n in range(count)]


def test_the_same_is_not_told_twice_within_the_window() -> None:
    [notice] = notices(1)
    pace, told = notify.admit(Pace(), notice, 0.0)
    assert told
    assert notify.admit(pace, notice, WINDOW - 0.1) == (pace, False)
    assert notify.admit(pace, notice, WINDOW + 0.1)[1]


def test_another_state_of_the_same_agent_is_told() -> None:
    pace, _ = notify.admit(Pace(), notify.of_agent(MUX, row(), waiting()), 0.0)
    assert notify.admit(pace, notify.of_agent(MUX, row(), waiting(state="done")), 1.0)[1]


def test_what_is_too_much_comes_in_one_summary() -> None:
    pace, told = Pace(), []
    for n, notice in enumerate(notices(9)):
        pace, now = notify.admit(pace, notice, n / 10)
        told.append(now)
    assert told == [True] * MOST + [False] * 4
    assert pace.due() == WINDOW
    agents = {MUX: notify.known([row(*(waiting(id=f"a{n}") for n in range(9)))])}
    after, summary = notify.release(pace, WINDOW, agents)
    assert summary is not None
    assert summary.text == "4 more: 4 wait for you"
    assert after.held == ()
    assert not notify.admit(after, notices(9)[8], WINDOW + 1)[1]


def test_a_summary_leaves_out_what_is_not_so_any_more() -> None:
    pace = Pace()
    for notice in notices(8):
        pace, _ = notify.admit(pace, notice, 0.0)
    one = {
        MUX: notify.known(
            [row(waiting(id="a5", state="done"), waiting(id="a6"), waiting(id="a7", unseen=False))]
        )
    }
    assert notify.release(pace, WINDOW, one)[1] == notices(7)[6]
    assert notify.release(pace, WINDOW, {})[1] is None


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 9)), max_size=60))
def test_never_more_than_the_most_in_any_window(offers: list[tuple[float, int]]) -> None:
    pace, told = Pace(), []
    every = notices(10)
    for now, n in sorted(offers):
        if pace.held and now >= pace.due():
            at = pace.due()
            pace, summary = notify.release(
                pace, at, {MUX: notify.known([row(*(waiting(id=f"a{k}") for k in range(10)))])}
            )
            assert summary is not None
            told.append(at)
        pace, at_once = notify.admit(pace, every[n], now)
        if at_once:
            told.append(now)
    for start in told:
        assert sum(start <= at < start + WINDOW for at in told) <= MOST


# --- what programs are told -------------------------------------------------------------------------------


def test_texts_are_arguments_and_never_scripts() -> None:
    notice = notify.of_agent(MUX, row(name='"; rm -rf ~'), waiting(title="<b>$(id)</b>"))
    apple = notify.desktop("osascript", "/usr/bin/osascript", notice)
    assert apple[-3:] == ["--", notice.title, "<b>$(id)</b>"]
    assert all("rm -rf" not in word for word in apple[:-2])
    linux = notify.desktop("notify-send", "/usr/bin/notify-send", notice)
    assert linux[2:] == ["--", notice.title, "&lt;b&gt;$(id)&lt;/b&gt;"]


def test_only_a_whole_argument_is_replaced() -> None:
    notice = notify.of_agent(MUX, row(), waiting())
    assert notify.command(("sh", "-c", "say {text}", "{text}"), notice) == [
        "sh", "-c", "say {text}", "codex in api waits for you",
    ]  # fmt: skip
    entry = Entry("m", "info", "--help", 1.0)
    assert notify.command(("x", "{text}"), notify.of_message(MUX, row(), "", entry))[1].startswith(" --help")
