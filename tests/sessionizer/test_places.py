"""What can be chosen, in which order."""

from __future__ import annotations

from opensessions.sessionizer.names import asked
from opensessions.sessionizer.places import Found, Place, Seen, Session, gathered, typed

HOME = "/home/u"
API, WEB, NOTES, LOG = (f"{HOME}/src/api", f"{HOME}/src/web", f"{HOME}/notes", "/var/log")
FOUND = (
    Found(f"{HOME}/src"),
    Found(NOTES),
    Found(WEB, "/g/web", branch="main"),
    Found(API, "/g/api", branch="dev"),
    Found(f"{HOME}/trees/zz-fix", "/g/api", linked=True, branch="fix"),
)


def shown(places: tuple[Place, ...]) -> list[tuple[str, str]]:
    return [(place.kind, place.name) for place in places]


def test_repositories_come_first_with_their_working_trees() -> None:
    assert shown(gathered((), FOUND, (), HOME)) == [
        ("repository", "api"), ("worktree", "zz-fix"), ("repository", "web"), ("folder", "notes"), ("folder", "src"),
    ]  # fmt: skip


def test_what_is_used_much_comes_first_in_its_part() -> None:
    known = (LOG, WEB, f"{HOME}/src")
    assert shown(gathered((), (*FOUND, Found(LOG)), known, HOME)) == [
        ("repository", "web"), ("repository", "api"), ("worktree", "zz-fix"),
        ("known", "log"), ("known", "src"), ("folder", "notes"),
    ]  # fmt: skip


def test_a_sessions_folder_is_the_sessions_row() -> None:
    sessions = (Session("$1", "backend", (API, "/tmp")), Session("$2", "empty"))
    places = gathered(sessions, FOUND, (), HOME)
    assert shown(places)[:3] == [("session", "backend"), ("session", "empty"), ("worktree", "zz-fix")]
    assert (places[0].session, places[0].where, places[0].path) == ("$1", "~/src/api", API)
    assert API not in [place.path for place in places if place.kind != "session"]
    assert len({place.key for place in places}) == len(places)


def test_names_and_what_is_around_them() -> None:
    places = gathered((), (Found(API), Found("/"), Found("/srv"), Found(HOME)), (), HOME)
    assert {place.path: (place.where, place.name) for place in places} == {
        API: ("~/src", "api"), "/": ("", "/"), "/srv": ("/", "srv"), HOME: ("", "~"),
    }  # fmt: skip


def test_a_typed_path_leads_on() -> None:
    places = gathered((Session("$1", "backend", (API,)),), FOUND, (), HOME)
    at = asked("~/src/api", HOME, "/")
    assert at
    assert shown(typed(Seen(at, "folder", ("api", "api2")), places, HOME)) == [
        ("typed", "api"), ("session", "backend"), ("folder", "api2"),
    ]  # fmt: skip
    assert shown(typed(Seen(at, "other", ("api2",)), places, HOME)) == [
        ("session", "backend"),
        ("folder", "api2"),
    ]


def test_a_new_folder_is_the_last_thing_that_half_a_name_means() -> None:
    at = asked("~/ne", HOME, "/")
    assert at
    assert shown(typed(Seen(at, "nothing", ("nest", "net")), (), HOME)) == [
        ("folder", "nest"), ("folder", "net"), ("new", "ne"),
    ]  # fmt: skip
