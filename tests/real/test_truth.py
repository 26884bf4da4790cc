"""The judge: no agent needed."""

from __future__ import annotations

from tests.real.truth import Shown, Span, judge, settle

TURN = [
    Span("idle", 0, 0),
    Span("running", 10, 10),
    Span("waiting", 20, 19),
    Span("running", 30, 30),
    Span("done", 40, 40),
]


def shown(*states: tuple[float, str]) -> list[Shown]:
    return [Shown(at, state) for at, state in states]


RIGHT = shown((0, "idle"), (10.1, "running"), (19.5, "waiting"), (30.2, "running"), (40.3, "done"))


def test_what_follows_the_truth_is_right_with_its_latencies() -> None:
    found = judge(TURN, RIGHT, 50)
    assert found.clean
    assert [each.outcome for each in found.verdicts] == ["right"] * 5
    assert [round(each.latency or 0, 1) for each in found.verdicts] == [0, 0.1, 0, 0.2, 0.3]


def test_a_state_that_was_never_true_is_false() -> None:
    found = judge(TURN, [*RIGHT[:2], Shown(12, "tool-running"), *RIGHT[2:]], 50)
    assert [each.state for each in found.false] == ["tool-running"]


def test_a_state_that_comes_back_is_false() -> None:
    found = judge(TURN, [*RIGHT[:3], Shown(20.1, "running"), Shown(20.2, "waiting"), *RIGHT[3:]], 50)
    assert [(each.at, each.state) for each in found.false] == [(20.1, "running"), (20.2, "waiting")]


def test_a_state_that_is_not_true_yet_is_false() -> None:
    assert [each.at for each in judge(TURN, [RIGHT[0], Shown(8, "running"), *RIGHT[2:]], 50).false] == [8]


def test_a_state_that_is_not_shown_is_wrong() -> None:
    found = judge(TURN, [*RIGHT[:2], *RIGHT[4:]], 50)
    assert [each.outcome for each in found.verdicts] == ["right", "right", "wrong", "right", "right"]
    assert not found.clean


def test_a_state_that_comes_late_is_late_and_one_that_comes_when_it_is_over_is_false() -> None:
    late = [*RIGHT[:2], Shown(23, "waiting"), *RIGHT[3:]]
    assert [each.outcome for each in judge(TURN, late, 50).verdicts][2] == "late"
    over = [*RIGHT[:2], Shown(31, "waiting"), Shown(31.1, "running"), RIGHT[4]]
    assert [each.state for each in judge(TURN, over, 50).false] == ["waiting"]


def test_what_is_not_told_may_be_shown_as_agreed_and_as_nothing_else() -> None:
    without = [*RIGHT[:2], RIGHT[4]]
    found = judge(TURN, without, 50, {"waiting": {"running"}})
    assert found.clean
    assert [each.outcome for each in found.verdicts][2] == "untold"
    assert not judge(TURN, [*RIGHT[:2], Shown(20.1, "done"), *RIGHT[3:]], 50, {"waiting": {"running"}}).clean


def test_what_is_not_told_is_shown_until_the_next_state_may_begin() -> None:
    spans = [Span("running", 0, 0), Span("done", 10, 10), Span("running", 20.3, 20)]
    found = judge(spans, shown((0, "running"), (10.1, "idle"), (20.1, "running")), 30, {"done": {"idle"}})
    assert [each.outcome for each in found.verdicts] == ["right", "untold", "right"]


def test_what_is_as_right_is_right() -> None:
    spans = [
        TURN[0],
        Span("running", 10, 10, alike=frozenset({"tool-running"})),
        Span("tool-running", 12, 10),
    ]
    assert judge(spans, shown((0, "idle"), (10.1, "tool-running")), 50).clean


def test_what_will_do_for_one_span_and_is_the_next_is_right_for_both() -> None:
    granted = Span("running", 10, 10, alike=frozenset({"tool-running"}))
    spans = [Span("waiting", 0, 0), granted, Span("tool-running", 10.9, 10)]
    found = judge(spans, shown((0, "waiting"), (10.95, "tool-running")), 20)
    assert [each.outcome for each in found.verdicts] == ["right", "right", "right"]


def test_what_lasts_too_short_need_not_be_shown() -> None:
    spans = [TURN[0], Span("running", 10, 10), Span("done", 10.5, 10.5)]
    found = judge(spans, shown((0, "idle"), (10.6, "done")), 50)
    assert found.clean
    assert [each.outcome for each in found.verdicts] == ["right", "brief", "right"]


def test_what_was_shown_before_and_after_does_not_count() -> None:
    found = judge(TURN, [Shown(-1, "done"), *RIGHT, Shown(51, "gone")], 50)
    assert found.clean


def test_two_agents_in_one_pane_are_false() -> None:
    assert judge(TURN, [*RIGHT[:1], Shown(5, "idle+idle"), *RIGHT[1:]], 50).false


def test_neighbours_of_one_state_are_joined() -> None:
    assert settle([Span("idle", 0, 0), Span("idle", 1, 1), Span("done", 2, 2)]) == (
        Span("idle", 0, 0),
        Span("done", 2, 2),
    )
