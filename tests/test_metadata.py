"""What scripts say about a session: what is taken, what is refused, what is kept."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions import metadata
from opensessions.events import (
    Event,
    InventoryRead,
    LogCleared,
    Logged,
    MuxJoined,
    ProgressSet,
    SavedArrangement,
    StatusSet,
)
from opensessions.fields import Invalid
from opensessions.model import Entry, Inventory, Metadata, Progress, Session, Status
from opensessions.reduce import reduce
from opensessions.snapshot import snapshot
from opensessions.state import State

MUX = "tmux-0"
VALUES = [
    None,
    True,
    False,
    0,
    -1,
    0.5,
    10**400,
    float("nan"),
    "",
    "info",
    "\x1b",
    "é" * 600,
    [],
    ["x"],
    {},
    {"a": 1},
]
BODY = st.dictionaries(
    st.sampled_from(["text", "tone", "message", "source", "current", "total", "percent", "label", "clear"]),
    st.sampled_from(VALUES),
)


def after(*events: Event) -> State:
    state = reduce(State(), MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
    for event in (reading("$1", "$2"), *events):
        state = reduce(state, event)
    return state


def reading(*sessions: str, pid: int = 1) -> InventoryRead:
    return InventoryRead(MUX, Inventory(pid, 1, "3.3a", tuple(Session(id, f"name{id}") for id in sessions)))


def said(state: State, session: str = "$1") -> Metadata:
    row = snapshot(state, "i").muxes[0].row(session)
    assert row is not None
    return row.metadata


def fault(call: Any, *arguments: object) -> str:
    with pytest.raises(Invalid) as caught:
        call(*arguments)
    assert str(caught.value).startswith(caught.value.field + " ")
    return caught.value.field


# --- what is taken ----------------------------------------------------------------------------------------


def test_a_status() -> None:
    assert metadata.status({"text": "building", "tone": "info"}) == Status("building", "info")
    assert metadata.status({"text": "building", "unknown": 1}) == Status("building", "neutral")
    assert metadata.status({"text": None}) is None
    assert metadata.status({"text": " \n"}) is None


def test_a_progress() -> None:
    assert metadata.progress({"current": 3, "total": 10}) == Progress(3, 10)
    assert metadata.progress({"percent": 0.25, "label": "tests"}) == Progress(percent=0.25, label="tests")
    assert metadata.progress({"label": "soon"}) == Progress(label="soon")
    assert metadata.progress({"percent": 0, "clear": False}) == Progress(percent=0)
    assert metadata.progress({"clear": True, "percent": 1}) is None


def test_an_entry() -> None:
    body = {"message": "done", "tone": "success", "source": "make"}
    assert metadata.entry(body, 12.3456) == Entry("done", "success", "make", 12.346)
    assert metadata.entry({"message": "m"}, 1.0) == Entry("m", "neutral", None, 1.0)


def test_texts_are_cut_to_their_limit_and_no_shorter_ones() -> None:
    long = "é" * 1000
    said = metadata.status({"text": long})
    assert said is not None
    assert said.text == "é" * 99 + "…"
    assert metadata.status({"text": "é" * 100}) == Status("é" * 100)
    kept = metadata.entry({"message": long, "source": long}, 0.0)
    assert (kept.message, kept.source) == ("é" * 499 + "…", "é" * 49 + "…")
    cut = metadata.progress({"label": long})
    assert cut is not None
    assert cut.label == "é" * 99 + "…"


def test_control_characters_go_before_anything_is_measured() -> None:
    assert metadata.status({"text": "\x1b[31mred\x07\x9b\x7f\r\n"}) == Status("[31mred")
    assert metadata.status({"text": "\x01" * 1_000_000 + "a" * 100}) == Status("a" * 100)
    assert metadata.status({"text": "a\u202eb\u2066c\u2028d"}) == Status("abcd")
    assert metadata.status({"text": "\udc80\ud800"}) == Status("??")


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"), ({"text": 5}, "text"), ({"text": ["a"]}, "text"), ({"text": "a", "tone": "red"}, "tone"),
        ({"text": "a", "tone": None}, "tone"), ({"text": "a", "tone": ["info"]}, "tone"),
        ({"text": None, "tone": 1}, "tone"),
    ],
)  # fmt: skip
def test_no_status(body: dict[str, object], field: str) -> None:
    assert fault(metadata.status, body) == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "current"), ({"clear": False}, "current"), ({"total": 5}, "current"), ({"label": ""}, "current"),
        ({"current": "3"}, "current"), ({"current": True}, "current"), ({"current": -1}, "current"),
        ({"current": float("nan")}, "current"), ({"current": 10**400}, "current"), ({"current": None}, "current"),
        ({"current": 1, "total": "many"}, "total"), ({"percent": 50}, "percent"), ({"percent": 1.01}, "percent"),
        ({"percent": -0.1}, "percent"), ({"percent": float("inf")}, "percent"), ({"percent": 0.5, "label": 5}, "label"),
        ({"clear": 1}, "clear"), ({"clear": "true"}, "clear"), ({"clear": True, "percent": "x"}, "percent"),
    ],
)  # fmt: skip
def test_no_progress(body: dict[str, object], field: str) -> None:
    assert fault(metadata.progress, body) == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"), ({"message": None}, "message"), ({"message": ""}, "message"), ({"message": "\x07"}, "message"),
        ({"message": "m", "source": 1}, "source"), ({"message": "m", "tone": "WARN"}, "tone"),
    ],
)  # fmt: skip
def test_no_entry(body: dict[str, object], field: str) -> None:
    assert fault(metadata.entry, body, 0.0) == field


@given(BODY)
def test_any_body_is_taken_or_refused(body: dict[str, object]) -> None:
    events: list[Event] = []
    with suppress(Invalid):
        events.append(StatusSet(MUX, "$1", metadata.status(body)))
    with suppress(Invalid):
        events.append(ProgressSet(MUX, "$1", metadata.progress(body)))
    with suppress(Invalid):
        events.append(Logged(MUX, "$1", metadata.entry(body, 1.0)))
    state = after(*events)
    kept = msgspec.json.decode(snapshot(state, "i").json())["muxes"][0]["sessions"][0]["metadata"]
    assert msgspec.convert(kept, Metadata) == said(state)


# --- what is kept -----------------------------------------------------------------------------------------


def test_each_session_keeps_its_own() -> None:
    status, progress = Status("a", "info"), Progress(1, 2)
    state = after(StatusSet(MUX, "$1", status), ProgressSet(MUX, "$2", progress))
    assert said(state, "$1") == Metadata(status)
    assert said(state, "$2") == Metadata(progress=progress)
    state = reduce(state, ProgressSet(MUX, "$1", progress))
    assert said(state, "$1") == Metadata(status, progress)
    assert said(reduce(state, StatusSet(MUX, "$1", None)), "$1") == Metadata(progress=progress)


def test_what_changes_nothing_is_the_same_state() -> None:
    state = after(StatusSet(MUX, "$1", Status("a")))
    assert reduce(state, StatusSet(MUX, "$1", Status("a"))) is state
    assert reduce(state, LogCleared(MUX, "$1")) is state
    assert reduce(state, ProgressSet(MUX, "$2", None)) is state
    assert reduce(state, StatusSet("tmux-other", "$1", Status("b"))) is state


def test_the_log_keeps_the_last_fifty() -> None:
    entries = [Entry(str(n), "neutral", None, float(n)) for n in range(60)]
    state = after(*(Logged(MUX, "$1", entry) for entry in entries))
    assert said(state).log == tuple(entries[10:])
    assert said(reduce(state, LogCleared(MUX, "$1"))) == Metadata()


def test_it_goes_with_its_session_and_with_its_multiplexer() -> None:
    state = after(StatusSet(MUX, "$1", Status("a")), StatusSet(MUX, "$2", Status("b")))
    without = reduce(state, reading("$2"))
    assert said(without, "$2") == Metadata(Status("b"))
    assert said(reduce(without, reading("$1", "$2")), "$1") == Metadata()
    assert said(reduce(state, reading("$1", "$2", pid=2)), "$1") == Metadata()


def test_the_json_has_every_key() -> None:
    events = (
        StatusSet(MUX, "$1", Status("a")), ProgressSet(MUX, "$1", Progress(1)),
        Logged(MUX, "$1", Entry("m", "warn", None, 1.5)),
    )  # fmt: skip
    assert (
        b'"metadata":{"status":{"text":"a","tone":"neutral"},'
        b'"progress":{"current":1,"total":null,"percent":null,"label":null},'
        b'"log":[{"message":"m","tone":"warn","source":null,"at":1.5}]}'
    ) in snapshot(after(*events), "i").json()
