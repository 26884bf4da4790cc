"""Which sockets zellij's command line is shown, with sockets of our own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensessions_zellij import births
from opensessions_zellij.births import Births, Socket, sockets
from opensessions_zellij.processes import listener, roots
from opensessions_zellij.views import NAME, Views


@pytest.fixture
def folder(short: Path) -> Path:
    (short / "z" / "contract_version_1").mkdir(parents=True)
    (short / "run").mkdir()
    return short / "z"


class Server:
    """Somebody who listens at a session's socket."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = f"{folder}/contract_version_1/{name}"
        self.line = socket.socket(socket.AF_UNIX)
        self.line.bind(self.path)
        self.line.listen()

    @property
    def own(self) -> Socket:
        stat = os.stat(self.path)
        return Socket(stat.st_ino, stat.st_mtime_ns)

    def heard(self) -> bool:
        """Has anybody connected since the last call?"""
        self.line.setblocking(False)
        try:
            self.line.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    made = Server(folder, "it's; one")
    yield made
    made.line.close()


@pytest.fixture
def other(folder: Path) -> Iterator[Server]:
    made = Server(folder, "other")
    yield made
    made.line.close()


def reaches(path: str, server: Server) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        return server.heard()


def names(view: str) -> list[str]:
    return sorted(os.listdir(f"{view}/contract_version_1"))


def test_a_session_is_alone_in_its_view(folder: Path, short: Path, server: Server, other: Server) -> None:
    views = Views(str(short / "run"), str(folder))
    view = views.one(server.path, server.own)
    assert view.startswith(str(short / "run"))
    assert names(view) == [NAME]
    assert reaches(f"{view}/contract_version_1/{NAME}", server)
    assert not other.heard()
    assert views.one(server.path, server.own) == view


def test_a_rename_changes_nothing_for_it(folder: Path, short: Path, server: Server) -> None:
    views = Views(str(short / "run"), str(folder))
    view = views.one(server.path, server.own)
    os.rename(server.path, f"{folder}/contract_version_1/renamed")
    server.path = f"{folder}/contract_version_1/renamed"
    assert views.one(server.path, server.own) == view
    assert reaches(f"{view}/contract_version_1/{NAME}", server)


def test_all_holds_exactly_those_that_live(folder: Path, short: Path, server: Server, other: Server) -> None:
    views = Views(str(short / "run"), str(folder))
    view = views.all({server.path: server.own, other.path: other.own})
    assert names(view) == ["it's; one", "other"]
    assert names(views.all({other.path: other.own})) == ["other"]
    assert names(views.all({})) == []


def test_another_session_of_the_same_name_is_shown_instead(folder: Path, short: Path, other: Server) -> None:
    views = Views(str(short / "run"), str(folder))
    first = other.own
    old = views.one(other.path, first)
    views.all({other.path: first})
    other.line.close()
    os.rename(other.path, f"{folder}/kept")  # so that its inode is not given out again
    second = Server(folder, "other")
    try:
        view = views.all({second.path: second.own})
        assert reaches(f"{view}/contract_version_1/other", second)
        assert views.one(second.path, second.own) != old
        assert not os.path.exists(old), "what shows a session that is gone goes"
    finally:
        second.line.close()


def test_a_socket_at_which_nobody_listens_is_dead(
    folder: Path, short: Path, server: Server, other: Server
) -> None:
    views = Views(str(short / "run"), str(folder))
    living = {server.path: server.own, other.path: other.own}
    view = views.all(living)
    os.unlink(f"{view}/contract_version_1/other")  # what zellij does where it is refused
    assert views.listed(living) == {"it's; one"}
    assert views.dead(other.own)
    assert names(views.all(living)) == ["it's; one"], "it is not shown again"


def test_names_that_are_too_long_have_no_view(folder: Path, short: Path) -> None:
    (short / "run" / ("x" * 60)).mkdir()
    views = Views(str(short / "run" / ("x" * 60)), str(folder))
    server = Server(folder, "n" * 40)
    try:
        assert views.all({server.path: server.own}) == ""
    finally:
        server.line.close()


def test_nothing_is_left(folder: Path, short: Path, server: Server) -> None:
    views = Views(str(short / "run"), str(folder))
    views.one(server.path, server.own)
    views.all({server.path: server.own})
    views.close()
    assert os.listdir(short / "run") == []
    assert os.path.exists(server.path)


# --- births ---------------------------------------------------------------------------------------------------


async def test_a_new_socket_is_not_touched_until_its_session_lives(
    folder: Path, server: Server, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives: dict[Socket, int] = {other.own: 77}
    monkeypatch.setattr(
        births, "grown", lambda young: {one: lives[one] for one in young.values() if one in lives}
    )
    known = Births(str(folder))
    assert await known.living() == {other.path: other.own}
    assert known.young
    assert not server.heard()
    lives[server.own] = 78
    assert await known.over() == {other.path: other.own, server.path: server.own}
    assert not known.young
    assert (known.server(server.own), known.server(other.own)) == (78, 77)
    assert await known.grows(server.path) == server.own
    assert await known.grows(f"{folder}/contract_version_1/none") is None
    assert not server.heard()


def test_an_old_socket_lives(folder: Path, server: Server) -> None:
    own = server.own
    assert births.grown({server.path: own}) == {}
    os.utime(server.path, (0, 0))
    assert births.grown({server.path: server.own}) == {server.own: 0}


def test_only_sockets_of_sessions_count(folder: Path, server: Server) -> None:
    (folder / "contract_version_1" / "file").write_text("")
    (folder / "contract_version_1" / "web_server_bus").mkdir()
    assert dict(sockets(str(folder))) == {server.path: server.own}
    assert dict(sockets(str(folder / "none"))) == {}


def test_who_listens_is_asked_for_once(folder: Path, server: Server) -> None:
    living = {server.path: server.own}
    first = roots(living, {}, lambda own: 0)
    assert first["it's; one"].server == os.getpid()
    assert server.heard()
    assert roots(living, first, lambda own: 0) == first
    assert roots(living, {}, lambda own: 5)["it's; one"].server == 5
    assert not server.heard()
    server.line.close()
    assert listener(server.path) == 0
