"""Sessions in working trees of one repository: which stand together, what a move does, what is kept."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.json import decode

from opensessions.events import (
    BelongingsSeen,
    GroupCollapsed,
    GroupMoved,
    InventoryRead,
    ModeChosen,
    MuxJoined,
    RowHidden,
    RowMoved,
    SavedArrangement,
)
from opensessions.model import Belonging, Inventory, MuxView, Session
from opensessions.reduce import reduce
from opensessions.snapshot import snapshot, view
from opensessions.state import State, saved_arrangement

SHOP = Belonging("/src/shop/.git")
LINKED = Belonging("/src/shop/.git", linked=True)
OTHER = Belonging("/src/tool.git", linked=True)


def inventory(names: str, started: int = 1) -> Inventory:
    """Sessions called by one letter each; their ids are the letters' places."""
    return Inventory(
        1, started, "3.5a", tuple(Session(f"${at}", name) for at, name in enumerate(names, started))
    )


def after(*events: object, saved: SavedArrangement | None = None, names: str = "abcdef") -> State:
    """`b`, `d` and `e` are in working trees of one repository, the last two linked."""
    state = reduce(State(), MuxJoined("m", "tmux", "/s", saved or SavedArrangement()))
    state = reduce(state, InventoryRead("m", inventory(names)))
    for event in (BelongingsSeen("m", {"$2": SHOP, "$4": LINKED, "$5": LINKED, "$1": None}), *events):
        state = reduce(state, event)  # type: ignore[arg-type]
    return state


def shown(state: State) -> str:
    """The rows with an index, in order."""
    rows = view(state.muxes["m"]).visible()
    assert [row.index for row in rows] == list(range(1, len(rows) + 1))
    return "".join(row.name for row in rows)


def groups(state: State) -> list[tuple[str, bool, str]]:
    found: MuxView = view(state.muxes["m"])
    names = {row.id: row.name for row in found.sessions}
    return [
        (group.name, group.collapsed, "".join(names[id] for id in group.sessions))
        for group in found.groups or ()
    ]


def test_a_group_stands_where_its_first_row_stands() -> None:
    assert (shown(after()), groups(after())) == ("abdecf", [("shop", False, "bde")])


def test_one_of_several_must_be_in_a_linked_working_tree() -> None:
    plain = after(BelongingsSeen("m", {"$4": SHOP, "$5": SHOP}))
    assert (shown(plain), groups(plain)) == ("abcdef", [])
    assert view(plain.muxes["m"]).groups is UNSET
    alone = after(BelongingsSeen("m", {"$2": None, "$4": None}))
    assert (shown(alone), groups(alone)) == ("abcdef", [])
    two = after(BelongingsSeen("m", {"$1": OTHER, "$6": OTHER}))
    assert (shown(two), groups(two)) == ("afbdec", [("tool", False, "af"), ("shop", False, "bde")])


def test_a_collapsed_group_has_no_index() -> None:
    folded = after(GroupCollapsed("m", "/src/shop/.git", True))
    assert (shown(folded), groups(folded)) == ("acf", [("shop", True, "bde")])
    assert [row.name for row in view(folded.muxes["m"]).sessions] == [*"abdecf"]
    opened = reduce(folded, GroupCollapsed("m", "/src/shop/.git", False))
    assert shown(opened) == "abdecf"


def test_hidden_rows_count_for_no_group_and_keep_their_place_in_it() -> None:
    hidden = after(RowHidden("m", "$4", True))
    assert (shown(hidden), groups(hidden)) == ("abecf", [("shop", False, "be")])
    assert [row.name for row in view(hidden.muxes["m"]).sessions] == [*"abdecf"]
    apart = reduce(hidden, RowHidden("m", "$5", True))
    assert (shown(apart), groups(apart)) == ("abcf", [])


def test_the_mode_changes_what_is_listed_and_no_order() -> None:
    """No session has an agent."""
    none = after(ModeChosen("m", "agents"))
    assert (shown(none), groups(none)) == ("", [])
    assert shown(reduce(none, ModeChosen("m", "all"))) == "abdecf"


def test_moves() -> None:
    for events, expected in (
        ([RowMoved("m", "$2", 1)], "adbecf"),
        ([RowMoved("m", "$2", 9)], "adebcf"),
        ([RowMoved("m", "$5", 1)], "acbdef"),
        ([RowMoved("m", "$2", -1)], "bdeacf"),
        ([RowMoved("m", "$1", 1)], "bdeacf"),
        ([RowMoved("m", "$3", -1)], "acbdef"),
        ([RowMoved("m", "$6", -2)], "afbdec"),
        ([GroupMoved("m", "/src/shop/.git", 1)], "acbdef"),
        ([GroupMoved("m", "/src/shop/.git", 9)], "acfbde"),
        ([GroupMoved("m", "/elsewhere", 1)], "abdecf"),
        ([GroupCollapsed("m", "/src/shop/.git", True), RowMoved("m", "$1", 1)], "acf"),
        ([GroupCollapsed("m", "/src/shop/.git", True), RowMoved("m", "$4", 1)], "acf"),
        ([GroupCollapsed("m", "/src/shop/.git", True), GroupMoved("m", "/src/shop/.git", 1)], "acf"),
    ):
        assert shown(after(*events)) == expected, events
    folded = after(GroupCollapsed("m", "/src/shop/.git", True), RowMoved("m", "$1", 1))
    assert shown(reduce(folded, GroupCollapsed("m", "/src/shop/.git", False))) == "bdeacf"


def test_order_groups_and_what_is_collapsed_are_kept_by_name() -> None:
    state = after(RowMoved("m", "$5", 1), GroupCollapsed("m", "/src/shop/.git", True))
    saved = saved_arrangement(state.muxes["m"])
    again = reduce(State(), MuxJoined("m", "tmux", "/s", saved))
    again = reduce(again, InventoryRead("m", inventory("fedcba", started=7)))
    assert (shown(again), groups(again)) == ("acf", [("shop", True, "bde")])
    assert shown(reduce(again, GroupCollapsed("m", "/src/shop/.git", False))) == "acbdef"


def test_a_session_that_ends_takes_what_is_known_of_it_along() -> None:
    left = reduce(after(), InventoryRead("m", inventory("abc")))
    assert (shown(left), groups(left)) == ("abc", [])
    assert left.muxes["m"].belongings == {"$2": SHOP}
    same = reduce(left, BelongingsSeen("m", {"$2": SHOP}))
    assert same is left


def test_the_snapshot_tells_of_groups_only_where_there_are_some() -> None:
    (mux,) = decode(snapshot(after(), "i").json())["muxes"]
    assert mux["groups"] == [
        {"id": "/src/shop/.git", "name": "shop", "collapsed": False, "sessions": ["$2", "$4", "$5"]}
    ]
    (mux,) = decode(snapshot(after(names="abc"), "i").json())["muxes"]
    assert "groups" not in mux


def test_a_group_is_called_as_people_call_the_repository() -> None:
    for path, name in (
        ("/src/shop/.git", "shop"), ("/src/shop.git", "shop"), ("/src/shop/.bare", "shop"), ("/.git", "/.git"),
        ("/src/app/.git/modules/lib", "lib"),
    ):  # fmt: skip
        there = Belonging(path, linked=True)
        assert groups(after(BelongingsSeen("m", {"$2": there, "$4": there, "$5": None}))) == [
            (name, False, "bd")
        ]
