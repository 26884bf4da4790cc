"""Questions before something is ended: whatever happens, a yes does what stands on the screen, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from opensessions.model import AgentState, Row
from opensessions.sidebar.confirm import (
    Question,
    about_agent,
    about_orphans,
    about_session,
    choices,
    chosen,
    stands,
    words,
)
from opensessions.sidebar.intents import (
    Go,
    Hibernate,
    Intent,
    KillAgent,
    KillSession,
    Reap,
    Resume,
    Say,
)
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.text import clean, width
from opensessions.sidebar.ui import Scene, Ui, arrive, press, settle
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import busy, mux, row, scenes, views

DEADLY = KillSession | KillAgent | Hibernate | Resume | Reap
API = row("$1", "api", 1, [("codex", "idle")])
WEB = row("$2", "web", 2, [("claude-code", "waiting"), ("claude-code", "idle"), ("amp", "done")])
NONE = row("$3", "docs", 3)
SLEEPS = row("$4", "nap", 4, [("codex", "hibernated")])
SLEEPS = replace(SLEEPS, agents=tuple(replace(each, liveness="exited") for each in SLEEPS.agents))


def scene(*rows: Row, at: str = "$1", **more: object) -> Scene:
    made = {"width": 26, "height": 12, "focused": True, "ripe": True, **more}
    return Scene(mux(*(rows or (API, WEB, NONE, SLEEPS))), own=at, current=at, **made)  # type: ignore[arg-type]


def typed(there: Scene, keys: str, ui: Ui | None = None) -> tuple[Ui, list[Intent]]:
    ui, intents = ui or Ui(), []
    for name in keys.split():
        ui, more = press(ui, Key(name, name if len(name) == 1 else ""), there)
        intents += more
    return ui, intents


def footer(ui: Ui, there: Scene) -> str:
    return view(there, ui, ViewOptions()).text().split("\n")[-1]


@pytest.mark.parametrize(
    ("at", "keys", "asked", "done"),
    [
        ("$1", "D", " kill api? y/n", KillSession("$1", 0)),
        ("$1", "d", " kill codex in api? y/n", KillAgent("$1.0")),
        ("$1", "z", " hibernate codex? y/n", Hibernate("$1.0")),
        ("$4", "z", " resume codex in nap? y/n", Resume("$4.0")),
        ("$2", "d 2", " kill claude %1? y/n", KillAgent("$2.1")),
        ("$2", "z 1", " hibernate claude %0? y/n", Hibernate("$2.0")),
        ("$3", "D", " kill session docs? y/n", KillSession("$3", 0)),
        ("$1", "R", " reap 2 orphans? y/n", Reap()),
    ],
)
def test_what_is_asked_is_what_is_done(at: str, keys: str, asked: str, done: Intent) -> None:
    there = scene(at=at, orphans=2)
    ui, intents = typed(there, keys)
    assert intents == []
    assert footer(ui, there).rstrip() == asked
    for yes in ("y", "enter", "Y"):
        assert typed(there, yes, ui) == (replace(settle(ui, there), question=None), [done])
    for no in ("n", "q", "j", "D", "d", "escape", "space", "1", "x"):
        answered, intents = typed(there, no, ui)
        assert (answered.question, intents) == (None, []), no


@pytest.mark.parametrize("event", [Paste("y\r"), Mouse("press", 1, 3, 3), Mouse("wheel-down", 0, 3, 3)])
def test_whatever_else_happens_is_a_no(event: Input) -> None:
    there = scene()
    ui, _ = typed(there, "D")
    answered, intents = press(ui, event, there)
    assert (answered.question, intents) == (None, ())
    assert answered.cursor == "$1"


@pytest.mark.parametrize("kind", ["release", "drag"])
def test_a_finger_that_is_lifted_answers_nothing(kind: str) -> None:
    ui, _ = typed(scene(), "D")
    assert press(ui, Mouse(kind, 1, 3, 3), scene()) == (settle(ui, scene()), ())  # type: ignore[arg-type]


def test_a_yes_that_nobody_can_have_meant_is_a_no() -> None:
    ui, _ = typed(scene(ripe=False), "D")
    assert typed(scene(ripe=False), "y", ui) == (replace(settle(ui, scene()), question=None), [])


def test_words_typed_by_mistake_end_nothing() -> None:
    """Between two keys of a word no question is on the screen for long enough."""
    there = scene(ripe=False, orphans=1)
    for word in ("ready", "dynamite", "Dyson", "zygote", "Ry", "dddyyy", "zzyyDDyy"):
        ui, intents = Ui(), []
        for letter in (*word, "enter", "enter"):
            ui, more = press(ui, Key(letter, letter if len(letter) == 1 else ""), there)
            intents += more
        assert not any(isinstance(intent, DEADLY) for intent in intents), word


def test_which_of_several_agents() -> None:
    there = scene(at="$2")
    ui, intents = typed(there, "d")
    assert intents == []
    assert footer(ui, there).rstrip() == " 1 claude %0 2 claude %1"
    assert typed(there, "3", ui)[0].question is None, "the third has no room on the line"
    wide = scene(at="$2", width=60)
    assert footer(ui, wide).rstrip() == " 1 claude %0 2 claude %1 3 amp %2"
    asking, intents = typed(wide, "3", ui)
    assert (footer(asking, wide).rstrip(), intents) == (" kill amp %2 in web? y/n", [])
    for no in ("y", "enter", "0", "4", "9", "j"):
        answered, intents = typed(wide, no, ui)
        assert (answered.question, intents) == (None, [])


@pytest.mark.parametrize(
    ("at", "key", "said"),
    [
        ("$3", "d", "No agent runs in docs."),
        ("$3", "z", "No agent runs in docs."),
        ("$4", "d", "No agent runs"),
    ],
)
def test_where_there_is_nothing_to_end_it_is_said(at: str, key: str, said: str) -> None:
    ui, (intent,) = typed(scene(at=at), key)
    assert isinstance(intent, Say)
    assert intent.text.startswith(said)
    assert ui.question is None
    assert typed(scene(orphans=0), "R")[1] == []


@pytest.mark.parametrize("key", ["D", "d", "z", "R"])
@pytest.mark.parametrize("size", [{"width": 9}, {"height": 1}, {"height": 0}, {"focused": False}])
def test_what_cannot_be_read_is_not_asked(key: str, size: dict[str, int]) -> None:
    there = scene(orphans=1, **size)
    ui, intents = typed(there, key)
    assert ui.question is None
    assert all(isinstance(intent, Say) for intent in intents)


def test_a_lone_footer_line_is_made_for_the_question() -> None:
    there = scene(height=2)
    assert "web" in footer(Ui(), there)
    ui, _ = typed(there, "D")
    assert footer(ui, there).rstrip() == " kill api? y/n"


# --- what lapses ------------------------------------------------------------------------------------------------

CHANGES: dict[str, tuple[str, Row]] = {
    "renamed": ("D d z", replace(API, name="other")),
    "another session with its id": ("D d z", replace(API, created=5)),
    "one agent more": ("D", row("$1", "api", 1, [("codex", "idle"), ("amp", "idle")])),
    "another agent": ("D d z", replace(API, agents=row("$1", "api", 1, [("codex", "idle")] * 2).agents[1:])),
    "the agent has exited": ("d z", replace(API, agents=(replace(API.agents[0], liveness="exited"),))),
    "no agent": ("D d z", replace(API, agents=())),
    "one pane more": ("D", replace(API, panes=2)),
    "gone": ("D d z", replace(API, id="$9")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_question_about_what_has_changed_lapses(name: str) -> None:
    keys, changed = CHANGES[name]
    for key in keys.split():
        ui, _ = typed(scene(), key)
        assert ui.question
        there = scene(changed, WEB, NONE)
        assert settle(ui, there).question is None, key
        for yes in ("y", "enter"):
            assert typed(there, yes, ui)[1] == [], "nor does the key mean something else"


def test_what_does_not_matter_changes_no_question() -> None:
    ui, _ = typed(scene(), "d")
    works = replace(API, agents=(replace(API.agents[0], state="running", title="x"),), index=7, attached=3)
    assert settle(ui, scene(WEB, works)).question == ui.question


def test_a_question_lapses_without_the_focus_and_when_somebody_arrives() -> None:
    ui, _ = typed(scene(), "D")
    assert settle(ui, replace(scene(), focused=False)).question is None
    assert arrive(ui, "$2").question is None
    unreachable = replace(scene(), mux=replace(scene().mux, reachable=False))
    assert settle(ui, unreachable).question is None
    ui, _ = typed(scene(orphans=2), "R")
    assert settle(ui, scene(orphans=3)).question is None


# --- whatever happens -------------------------------------------------------------------------------------------

STATES: st.SearchStrategy[AgentState] = st.sampled_from(["idle", "running", "hibernated", "done"])
NAMES = st.sampled_from(["api", "web", "日本語プロジェクト", "a" * 40, "\x1b[2J", ""])


@st.composite
def rows(draw: st.DrawFn) -> tuple[Row, ...]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        made = row(
            f"${number}",
            draw(NAMES),
            number + 1,
            draw(st.lists(st.tuples(st.sampled_from(["codex", "amp"]), STATES), max_size=3)),
        )
        agents = tuple(
            replace(
                each,
                liveness="exited" if each.state == "hibernated" else "alive",
                id=f"{each.id}.{draw(st.integers(0, 1))}",
            )
            for each in made.agents
        )
        found.append(replace(made, agents=agents, created=draw(st.integers(0, 1))))
    return tuple(found)


@st.composite
def moments(draw: st.DrawFn) -> Scene:
    return scene(
        *draw(rows()), width=draw(st.sampled_from([8, 15, 20, 26, 60])), height=draw(st.sampled_from([1, 2, 5, 12])),
        focused=draw(st.sampled_from([True, True, True, False])), ripe=draw(st.booleans()),
        orphans=draw(st.integers(0, 2)),
    )  # fmt: skip


EVENTS = st.one_of(
    st.sampled_from([Key(key, key) for key in "DdzRy123n"] + [Key("enter"), Key("down"), Key("escape")]),
    st.sampled_from([Paste("y"), Mouse("press", 1, 2, 2), Mouse("release", 1, 2, 2)]),
)


class Target(Struct, frozen=True):
    """What a line on the screen names."""

    session: str
    created: int
    agents: tuple[str, ...]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(moments(), EVENTS, st.booleans()), max_size=14))
def test_a_yes_does_what_stands_on_the_screen_or_nothing(steps: Sequence[tuple[Scene, Input, bool]]) -> None:
    ui, there = Ui(), scene()
    for moment, event, moved in steps:
        there = moment if moved else there
        there = replace(there, ripe=moment.ripe)
        line = footer(ui, there) if there.height else ""
        asked = settle(ui, there).question
        ui, intents = press(ui, event, there)
        for intent in intents:
            if not isinstance(intent, DEADLY):
                continue
            assert there.focused
            assert there.ripe
            assert asked is not None
            assert not asked.choice
            assert isinstance(event, Key)
            assert event.name in ("y", "enter")
            assert line.rstrip().endswith("? y/n")
            if isinstance(intent, Reap):
                assert f"reap {there.orphans} orphan" in line
                continue
            if isinstance(intent, KillSession):
                found = there.mux.row(intent.session)
                assert found is not None
                assert found.created == intent.created
                subject, verb = clean(found.name), "kill"
            else:
                found, agent = next(
                    (each, agent)
                    for each in there.mux.sessions
                    for agent in each.agents
                    if agent.id == intent.agent
                )
                subject = agent.agent
                verb = {KillAgent: "kill", Hibernate: "hibernate", Resume: "resume"}[type(intent)]
                assert (agent.state == "hibernated") is isinstance(intent, Resume)
            assert f" {verb} " in line
            assert subject[:2] in line


@settings(max_examples=60, deadline=None)
@given(views(), st.integers(1, 80))
def test_every_question_fits_its_line_or_is_none(shown: object, cells: int) -> None:
    view = shown
    for each in view.sessions:  # type: ignore[attr-defined]
        for question in (
            about_session(each), about_agent("kill-agent", each), about_agent("hibernate", each),
            about_agent("resume", each), about_orphans(3),
        ):  # fmt: skip
            if question is None:
                continue
            if question.choice:
                shown_agents = choices(question, view, cells)  # type: ignore[arg-type]
                assert chosen(question, len(shown_agents) + 1, view, cells) is None  # type: ignore[arg-type]
                for number in range(1, len(shown_agents) + 1):
                    one = chosen(question, number, view, cells)  # type: ignore[arg-type]
                    assert one is not None
                    assert one.agents == (shown_agents[number - 1].id,)
                continue
            said = words(question, view, cells)  # type: ignore[arg-type]
            if said is None:
                assert not stands(question, view, 3, cells)  # type: ignore[arg-type]
            else:
                assert width(said[0]) + width(said[2]) < cells or not said[1]


@settings(max_examples=50, deadline=None)
@given(scenes(), st.sampled_from("DdzR"))
def test_asking_is_never_an_act(there: Scene, key: str) -> None:
    _, intents = press(Ui(), Key(key, key), there)
    assert all(isinstance(intent, Say) for intent in intents)


def test_enter_goes_there_as_ever_without_a_question() -> None:
    assert typed(scene(), "enter")[1] == [Go("$1")]
    assert isinstance(about_session(busy().sessions[0]), Question)
