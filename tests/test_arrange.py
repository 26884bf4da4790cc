from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.arrange import blocks, fill, merge, move, places, restore, together

IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(IDS, IDS)
def test_merge_keeps_the_order_and_adds_new_ones_last(order: list[str], live: list[str]) -> None:
    merged = merge(order, live)
    assert sorted(merged) == sorted(live)
    kept = [id for id in order if id in live]
    assert list(merged[: len(kept)]) == kept
    assert [id for id in merged if id not in order] == [id for id in live if id not in order]


def test_the_examples_of_moving_while_filtered() -> None:
    assert fill(["a", "b", "c"], ["c", "a"]) == ("c", "b", "a")
    assert fill(["a", "g1", "g2", "b", "c"], ["a", "c", "b"]) == ("a", "g1", "g2", "c", "b")


@given(IDS, st.sets(st.sampled_from("abcdefgh")), st.sampled_from("abcdefgh"), st.integers(-9, 9))
def test_a_move_changes_only_the_relative_order_of_visible_rows(
    order: list[str], visible: set[str], id: str, by: int
) -> None:
    moved = move(order, visible, id, by)
    assert sorted(moved) == sorted(order)
    assert [(n, each) for n, each in enumerate(moved) if each not in visible] == [
        (n, each) for n, each in enumerate(order) if each not in visible
    ]
    shown = [each for each in order if each in visible]
    after = [each for each in moved if each in visible]
    assert [each for each in shown if each != id] == [each for each in after if each != id]
    if id in shown:
        assert after.index(id) == max(0, min(len(shown) - 1, shown.index(id) + by))


def test_ids_decide_in_the_same_run_and_names_in_another() -> None:
    rows = [("$2", "web"), ("$1", "api")]
    assert restore(rows, True, [("$1", "renamed"), ("$2", "web"), ("$3", "new")]) == ("$2", "$1", "$3")
    assert restore(rows, False, [("$0", "api"), ("$1", "web"), ("$2", "new")]) == ("$1", "$0", "$2")


GROUPS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("XY"))


@settings(deadline=None)
@given(
    IDS, st.sets(st.sampled_from("abcdefgh")), st.sampled_from("abcdefghXY"), st.integers(-9, 9), GROUPS,
    st.sets(st.sampled_from("XY")),
)  # fmt: skip
def test_a_move_among_groups_keeps_them_whole_and_moves_one_thing(
    order: list[str], visible: set[str], what: str, by: int, groups: dict[str, str], collapsed: set[str]
) -> None:
    moved = move(order, visible, what, by, groups, collapsed)
    assert sorted(moved) == sorted(order)
    assert together(moved, groups) == moved
    before, after = (places(blocks(each, groups), visible, groups, collapsed) for each in (order, moved))
    keys = [groups.get(place, place) for place in before]
    mine = groups.get(what, what)
    others = [place for place in before if groups.get(place, place) != mine]
    assert others == [place for place in after if groups.get(place, place) != mine]
    if what in groups and what in before:
        rest = [place for place in before if place != what and groups.get(place) == mine]
        assert rest == [place for place in after if place != what and groups.get(place) == mine]
        if before.index(what) + by in [at for at, key in enumerate(keys) if key == mine]:
            assert after.index(what) == before.index(what) + by
    if not by or mine not in keys:
        assert moved == together(order, groups)


def test_moving_among_groups() -> None:
    groups = {"b": "X", "c": "X", "e": "Y", "f": "Y"}
    for what, by, collapsed, expected in (
        ("b", 1, "", "acbdef"),
        ("b", 4, "", "acbdef"),
        ("c", 1, "", "adbcef"),
        ("c", 2, "", "adefbc"),
        ("b", -1, "", "bcadef"),
        ("a", 1, "", "bcadef"),
        ("d", 1, "", "abcefd"),
        ("f", 1, "", "abcdef"),
        ("X", 1, "", "adbcef"),
        ("X", -5, "", "bcadef"),
        ("Y", -1, "", "abcefd"),
        ("Y", -1, "XY", "abcefd"),
        ("Y", -2, "XY", "aefbcd"),
        ("b", 1, "X", "abcdef"),
        ("a", 2, "X", "bcdaef"),
    ):
        found = "".join(move("abcdef", "abcdef", what, by, groups, collapsed))
        assert found == expected, (what, by, collapsed)
