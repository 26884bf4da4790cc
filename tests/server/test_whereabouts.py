"""Which session and pane a script means."""

from __future__ import annotations

from opensessions.model import Agent, Client, Inventory, Link, Pane, Session, Window
from opensessions.server.whereabouts import Ambiguous, Place, by_folder, by_name, by_pane, in_session
from opensessions.state import Mux, State

HOME = "/home/me"


def mux(key: str, *sessions: tuple[str, str, str], used: int | None = None) -> Mux:
    """Sessions as (id, name, folder of its pane); session `$n` holds pane `%n`."""
    return Mux(
        key, "tmux", f"/{key}",
        inventory=Inventory(
            1, 1, "3.3a",
            tuple(Session(id, name, links=(Link(f"@{id[1:]}", 0, True),)) for id, name, _ in sessions),
            {
                f"@{id[1:]}": Window(f"@{id[1:]}", panes=(Pane(f"%{id[1:]}", f"@{id[1:]}", 1, path=folder),))
                for id, _, folder in sessions
            },
            (Client("c", sessions[0][0], activity=used),) if used is not None else (),
        ),
    )  # fmt: skip


def state(*muxes: Mux) -> State:
    return State({each.key: each for each in muxes})


OLD = mux("old", ("$1", "api", "/src/api"), ("$2", "only", "/src"), used=10)
NEW = mux("new", ("$1", "web", "/src/web"), ("$7", "api", "/src/api"), used=20)
UNREAD = Mux("unread", "tmux", "/unread")
BOTH = state(OLD, NEW, UNREAD)


def test_a_name_is_looked_for_in_the_multiplexer_that_was_used_last() -> None:
    assert by_name(BOTH, "api") == Place("new", "$7")
    assert by_name(BOTH, "api", "old") == Place("old", "$1")
    assert by_name(BOTH, "only") == Place("old", "$2")
    assert by_name(BOTH, "=only") == Place("old", "$2")
    assert by_name(BOTH, "only", "new") is by_name(BOTH, "on") is by_name(BOTH, "api", "none") is None
    assert by_name(BOTH, "api", "unread") is None


def test_an_id_is_no_name() -> None:
    confused = state(mux("m", ("$1", "$2", "/"), ("$2", "=a", "/"), ("$3", "a", "/")))
    assert by_name(confused, "$2") == Place("m", "$2")
    assert by_name(confused, "=a") == Place("m", "$2")
    assert by_name(confused, "a") == Place("m", "$3")
    numbers = state(mux("m", ("$5", "1", "/"), ("$6", "5", "/")))
    assert by_name(numbers, "5") == Place("m", "$6")


def test_a_pane_decides() -> None:
    assert by_pane(BOTH, "%7") == Place("new", "$7", "%7")
    assert by_pane(BOTH, "%1") == Place("new", "$1", "%1")
    assert by_pane(BOTH, "%1", "old") == Place("old", "$1", "%1")
    assert by_pane(BOTH, "%1", name="api") == Place("old", "$1", "%1")
    assert by_pane(BOTH, "%1", name="nowhere") == Place("new", "$1", "%1")
    assert by_pane(BOTH, "%99") is by_pane(BOTH, "%7", "old") is None


def test_our_own_sidebar_is_no_pane() -> None:
    window = Window("@1", panes=(Pane("%1", "@1", 1, mark="owner"), Pane("%2", "@1", 2, path="/p")))
    inventory = Inventory(1, 1, "3.3a", (Session("$1", "a", links=(Link("@1", 0, True),)),), {"@1": window})
    own = state(Mux("m", "tmux", "/m", inventory=inventory))
    assert by_pane(own, "%1") is None
    assert by_folder(own, ("/p",), "amp") == Place("m", "$1", "%2")


def test_a_folder_means_the_nearest_pane() -> None:
    def found(folder: str) -> object:
        return by_folder(state(OLD), (folder,), "amp", home=HOME)

    assert found("/src/api") == found("/src/api/") == found("/src/api/deep/er") == Place("old", "$1", "%1")
    assert found("/src/other") == found("/src") == Place("old", "$2", "%2")
    assert found("/srcs") is found("/nowhere") is None
    assert by_folder(state(OLD), ("/link", "/src/api"), "amp") == Place("old", "$1", "%1")


def test_a_pane_below_the_folder_counts_where_none_is_in_it() -> None:
    assert by_folder(state(mux("m", ("$1", "a", "/src/api/sub"))), ("/src/api",), "amp") == Place(
        "m", "$1", "%1"
    )


def test_home_and_root_stand_for_themselves() -> None:
    home = state(mux("m", ("$1", "home", HOME), ("$2", "root", "/")))
    assert by_folder(home, (f"{HOME}/src",), "amp", home=HOME) is None
    assert by_folder(home, (HOME,), "amp", home=HOME) == Place("m", "$1", "%1")
    assert by_folder(home, ("/",), "amp", home=HOME) == Place("m", "$2", "%2")


def test_of_several_the_one_that_runs_the_agent() -> None:
    two = mux("m", ("$1", "a", "/p"), ("$2", "b", "/p"))
    agents = {"%2": (Agent("x", "amp", "%2", 1),)}
    assert by_folder(state(two), ("/p",), "amp") == Ambiguous("a, b")
    known = Mux("m", "tmux", "/m", inventory=two.inventory, agents=agents)
    assert by_folder(state(known), ("/p",), "amp") == Place("m", "$2", "%2")
    assert by_folder(state(known), ("/p",), "codex") == Ambiguous("a, b")
    assert by_folder(BOTH, ("/src/api",), "amp") == Ambiguous("api in new, api in old")


def test_two_panes_of_one_session_leave_the_pane_open() -> None:
    window = Window("@1", panes=(Pane("%1", "@1", 1, path="/p"), Pane("%2", "@1", 2, path="/p")))
    inventory = Inventory(
        1, 1, "3.3a",
        (Session("$1", "a", links=(Link("@1", 0, True),)), Session("$2", "b", links=(Link("@1", 0, True),))),
        {"@1": window},
    )  # fmt: skip
    both = Mux("m", "tmux", "/m", inventory=inventory)
    assert by_folder(state(both), ("/p",), "amp") == Place("m", "$1")
    one = Mux("m", "tmux", "/m", inventory=inventory, agents={"%2": (Agent("x", "amp", "%2", 1),)})
    assert in_session(state(one), Place("m", "$1"), "amp") == Place("m", "$1", "%2")
    assert in_session(state(one), Place("m", "$1"), "codex") == Place("m", "$1")
