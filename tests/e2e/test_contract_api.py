"""What the contract promises on the two sockets: HTTP answers, frames, patience with bad company."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from opensessions import paths, wire
from opensessions.server.http import REQUEST_TIME
from tests.support.terminal import PATIENCE
from tests.support.world import Tmux, World, is_alive, tmux_versions

BODY_LIMIT = 1 << 20


@pytest.fixture(scope="module")
def served() -> Iterator[Tmux]:
    """A tmux with three sessions and the plugin loaded, the same for every test of this page: none changes it."""
    world = World(next(iter(tmux_versions().values())))
    try:
        mux = world.mux()
        mux.new("api")
        mux.new("web")
        mux.load()
        mux.attach()
        world.until(lambda: world.status()["clients"] == 1, "the client")
        yield mux
    finally:
        world.close()


def connection(mux: Tmux, name: str = "api.sock") -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(10)
    line.connect(f"{mux.world.runtime}/{name}")
    return line


def exchange(mux: Tmux, sent: bytes) -> bytes:
    """Everything that is answered until the server closes."""
    with connection(mux) as line:
        line.sendall(sent)
        answer = b""
        while data := line.recv(1 << 16):
            answer += data
    return answer


def call(mux: Tmux, request: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and body."""
    head = (
        f"{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answered, _, content = exchange(mux, head.encode() + body).partition(b"\r\n\r\n")
    return int(answered.split(b" ")[1]), content


def ask(mux: Tmux, data: bytes) -> tuple[bytes, str]:
    """One frame to `server.sock`; kind and text of the answer."""
    with connection(mux, "server.sock") as line:
        line.sendall(data)
        frames = wire.Frames()
        while received := line.recv(1 << 16):
            for kind, payload in frames.feed(received):
                return kind, payload.decode()
    return b"", ""


def test_what_can_be_got(served: Tmux) -> None:
    version = served.world.cli("--version").stdout
    assert call(served, "GET /") == (200, version.encode())

    def steady() -> tuple[bytes, str] | None:
        """What both say while it does not change."""
        before, listed = call(served, "GET /v1/state"), served.world.cli("list", "--json").stdout
        return (before[1], listed) if call(served, "GET /v1/state") == before == (200, before[1]) else None

    state, listed = served.world.until(steady, "a state that stays")
    assert state.decode() + "\n" == listed
    curl = [
        "curl",
        "-sS",
        "-m",
        "5",
        "--unix-socket",
        paths.api_socket(served.world.runtime),
        "http://x/v1/state",
    ]
    assert subprocess.run(curl, capture_output=True, check=True).stdout == state


@pytest.mark.parametrize(
    ("request_line", "body", "status"),
    [
        ("POST /refresh", b"", 204),
        ("POST /refresh", b"{}", 204),
        ("POST /refresh?x=%ff", b"{}", 204),
        ("POST /switch-index?index=99", b"", 204),
        ("POST /switch-index?index=0", b"", 204),
        ("POST /switch-index?index=" + "9" * 5000, b"", 204),
        ("POST /switch-index", b"", 400),
        ("POST /switch-index?index=x", b"", 400),
        ("POST /switch-index?index=-1", b"", 400),
        ("POST /switch-index?index=%C2%B2", b"", 400),
        ("POST /switch-index?index=1&index=2", b"", 400),
        ("POST /toggle", b"{bad", 400),
        ("POST /toggle", b"[]", 400),
        ("POST /toggle", b"null", 400),
        ("POST /toggle", b"\xff\xfe", 400),
        ("POST /toggle", b'{"mux": 5}', 400),
        ("POST /focus", b'{"client": null}', 400),
        ("POST /toggle", b'{"x":' + b"[" * 100_000, 400),
        ("POST /toggle", b'{"mux": "nowhere"}', 404),
        ("POST /switch-index?index=2", b'{"client": "/dev/nowhere"}', 404),
        ("GET /nowhere", b"", 404),
        ("GET /v1", b"", 404),
        ("GET //[", b"", 404),
        ("GET http://[/", b"", 404),
        ("OPTIONS *", b"", 404),
        ("POST /set-status", b"", 400),
        ("POST /set-status", b"[]", 400),
        ("POST /set-status", b'{"session": "api", "text": "\\ud800"}', 400),
        ("POST /set-progress", b'{"session": "api", "percent": 1e999}', 400),
        ("POST /set-progress", b'{"session": "api", "percent": NaN}', 400),
        ("POST /log", b'{"session": "nowhere", "message": "x"}', 404),
        ("POST /notify", b'{"session": "\\u0000", "message": "x"}', 404),
        ("POST /api/agent-event", b'{"agent": "amp", "status": "done"}', 400),
        ("POST /api/agent-event", b'{"agent": "amp", "status": "done", "projectDir": "/nowhere"}', 404),
        ("POST /api", b"{}", 404),
        ("GET /log", b"", 405),
        ("PUT /api/agent-event", b"{}", 405),
        ("POST /clear-log", b" " * (BODY_LIMIT + 1), 413),
        ("POST /", b"{}", 405),
        ("GET /toggle", b"", 405),
        ("GET /quit", b"", 405),
        ("PUT /toggle", b"", 405),
        ("HEAD /v1/state", b"", 405),
        ("DELETE /v1/events", b"", 405),
        ("POST /toggle", b" " * (BODY_LIMIT + 1), 413),
        ("POST /toggle", b" " * (8 * BODY_LIMIT), 413),
        ("POST /refresh", b" " * (BODY_LIMIT - 2) + b"{}", 204),
    ],
)  # fmt: skip
def test_the_answer_to(served: Tmux, request_line: str, body: bytes, status: int) -> None:
    before = call(served, "GET /v1/state")
    answered, content = call(served, request_line, body)
    assert answered == status, content
    if status != 204 and not request_line.startswith("HEAD"):
        assert list(json.loads(content)) == ["error"]
    served.world.until(lambda: call(served, "GET /v1/state") == before, "the state of before")
    assert not served.sidebars()
    assert "Traceback" not in served.world.log()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\xff\x00\r\n\r\n", 400),
        (b"POST /toggle HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST /toggle HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /toggle HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n", 413),
        (
            b"POST /toggle HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n"
            + b" " * 0x100001 + b"\r\n0\r\n\r\n", 413,
        ),
    ],
    ids=["no host", "no http", "two lengths", "negative", "announced", "chunked"],
)  # fmt: skip
def test_malformed_http(served: Tmux, sent: bytes, status: int) -> None:
    assert exchange(served, sent).startswith(f"HTTP/1.1 {status} ".encode())
    assert "Traceback" not in served.world.log()


def test_one_connection_carries_many_requests(served: Tmux) -> None:
    one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    bad = b"POST /toggle HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{"
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = exchange(served, one + bad + one + last)
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400", b"200", b"404"]


def test_a_request_that_never_ends_is_closed_after_5_s(served: Tmux) -> None:
    assert REQUEST_TIME == 5
    unfinished = [
        b"", b"GET / HT", b"POST /toggle HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    ]  # fmt: skip
    started = time.monotonic()
    with ExitStack() as stack:
        lines = [stack.enter_context(connection(served)) for _ in unfinished]
        for line in lines:
            line.settimeout(PATIENCE)
        for line, sent in zip(lines, unfinished, strict=True):
            line.sendall(sent)
        assert [line.recv(1) for line in lines] == [b""] * len(lines)
    assert time.monotonic() - started > 4.5


def test_frames_that_are_none(served: Tmux) -> None:
    frame, pack = wire.frame, wire.pack_fields
    for sent in (
        b"\x00\xff" * 50, frame(b"Z"), b"A\xff\xff\xff\xff", frame(b"A", b"no equals"), frame(b"A"), frame(b"K", b"j"),
        frame(b"R", pack(cols=1, rows=1)), frame(b"A", pack(verb="nothing")), frame(b"A", pack(verb="register")),
        frame(b"A", pack(verb="register", provider="x", target="y")), frame(b"A", pack(verb="switch")),
        frame(b"A", pack(verb="switch", where="²")), frame(b"A", pack(verb="order")), frame(b"H", pack(pane="%0")),
        frame(b"A", pack(verb="adopt-width")), frame(b"A", b"verb=switch\0where=\xff\xfe"),
        *(
            frame(b"H", pack(pane="%0", socket=served.socket, cols=cols, rows=rows))
            for cols, rows in (("x", 1), (0, 5), (-3, 5), (10**9, 10**9))
        ),
    ):  # fmt: skip
        kind, text = ask(served, sent)
        assert (kind, bool(text), "\n" in text) == (b"E", True, False), sent[:40]
    assert ask(served, frame(b"A", pack(verb="state")))[0] == b"J"
    assert "Traceback" not in served.world.log()
    assert served.world.status()["sidebars"] == 0


def test_a_focus_that_cannot_be_done_changes_nothing(world: World, mux: Tmux) -> None:
    mux.up()
    assert call(mux, "POST /focus", b'{"client": "-t; kill-server"}')[0] == 404
    assert world.cli("sidebar", "toggle", env=mux.inside()).stdout == "The sidebar is shown.\n"


def test_a_hundred_connections_hinder_nobody(served: Tmux) -> None:
    with ExitStack() as stack:
        for name in ("server.sock", "api.sock"):
            for _ in range(100):
                stack.enter_context(connection(served, name)).sendall(b"A")
        assert call(served, "GET /")[0] == 200
        assert served.world.status()["running"]


def test_events_and_watch_tell_every_change_and_slow_readers_hinder_nobody(world: World, mux: Tmux) -> None:
    mux.up()
    watch = watching(world)
    try:
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
        with connection(mux) as events, connection(mux, "server.sock") as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            slow.sendall(wire.frame(b"A", wire.pack_fields(verb="watch")))
            events.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
            heard = b""
            while b"data: {" not in heard:
                heard += events.recv(1 << 16)
            mux.new("fresh")
            names: list[str] = []
            while "fresh" not in names:
                after = json.loads(watch.stdout.readline())
                names = [row["name"] for row in after["muxes"][0]["sessions"]]
            while b'"fresh"' not in heard:
                heard += events.recv(1 << 16)
            assert heard.count(b"data: {") >= 2
            for n in range(40):
                mux("rename-session", "-t", "$1", f"name-{n}-" + "x" * 200)
            world.until(lambda: mux.rows()[1][1].startswith("name-39-"), "the last name")
        assert first["instance"] == after["instance"] == world.status()["instance"]
        server = world.status()["pid"]
        assert call(mux, "POST /quit")[0] == 204
        world.until(lambda: not is_alive(server), "the server's end")
        watch.communicate(timeout=PATIENCE)  # all that it said: it must not wait for us to read that
        assert watch.returncode == 1
        assert sorted(os.listdir(world.runtime)) == ["mux", "server.err", "server.pid"]
    finally:
        watch.kill()
        watch.communicate()


def watching(world: World) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "opensessions", "watch"],
        env=world.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


# --- on TCP -------------------------------------------------------------------------------------------------


def over_tcp(
    port: int, request: str, *headers: str, body: bytes = b"", host: str = "127.0.0.1"
) -> tuple[int, bytes]:
    """Status and body of one request to the loopback port."""
    lines = [f"{request} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close"]
    with socket.create_connection((host, port), timeout=10) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        answer = b""
        while data := line.recv(1 << 16):
            answer += data
    answered, _, content = answer.partition(b"\r\n\r\n")
    return int(answered.split(b" ")[1]), content


def serves(port: int, *headers: str) -> bool:
    """Do we answer there? A port that is free again may have been given to any other program."""
    try:
        return over_tcp(port, "GET /", *headers)[1].startswith(b"opensessions")
    except (OSError, ValueError, IndexError):
        return False


def test_tcp_is_opt_in(served: Tmux) -> None:
    assert not {"token", "api.port"} & set(os.listdir(served.world.runtime))


def test_tcp_wants_a_token_its_own_name_and_no_page(world: World, mux: Tmux) -> None:
    world.config.write_text("api: {tcp: true}\n")
    mux.up()
    files = [Path(world.runtime, name) for name in ("token", "api.port")]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    token, port = files[0].read_text().strip(), int(files[1].read_text())
    assert len(bytes.fromhex(token)) == 32
    own, bearer = f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}"
    for host in (own, f"Host: LOCALHOST:{port}"):
        world.until(
            lambda host=host: over_tcp(port, "GET /v1/state", host, bearer) == call(mux, "GET /v1/state"),
            "the same state",
        )
    for status, headers in (
        (401, [own]), (401, [own, "Authorization: Bearer "]), (401, [own, f"Authorization: Bearer {token}x"]),
        (401, [own, f"Authorization: Bearer {token[:-1]}"]), (401, [own, f"Authorization: Basic {token}"]),
        (401, [own, "Authorization: Bearer \xe9"]), (401, [own, "Authorization: Bearer x", bearer]),
        (403, [own, bearer, "Origin: null"]), (403, [own, bearer, f"Origin: http://localhost:{port}"]),
        (421, ["Host: localhost", bearer]), (421, [f"Host: evil.example:{port}", bearer]),
        (421, [f"Host: 127.0.0.1:{port + 1}", bearer]), (421, [f"Host: 127.0.0.1.evil.example:{port}", bearer]),
        (421, ["Host: ", bearer]),
    ):  # fmt: skip
        for request, body in (("GET /v1/state", b""), ("POST /quit", b"{}"), ("GET /nowhere", b"")):
            answered, content = over_tcp(port, request, *headers, body=body)
            assert (answered, list(json.loads(content))) == (status, ["error"]), headers
    big = b" " * (BODY_LIMIT + 1)
    assert over_tcp(port, "POST /log", own, bearer, body=big)[0] == 413
    body = b'{"session": "main", "text": "by tcp"}'
    assert over_tcp(port, "POST /set-status", own, bearer, body=body)[0] == 204
    assert b'"by tcp"' in call(mux, "GET /v1/state")[1]
    assert "Traceback" not in world.log()
    assert token not in world.log()
    assert serves(port, own, bearer)
    world.cli("down")
    assert not any(file.exists() for file in files)
    assert not serves(port, own, bearer)
    mux.up()
    assert files[0].read_text().strip() != token
    assert (
        over_tcp(
            int(files[1].read_text()), "GET /", f"Host: localhost:{files[1].read_text().strip()}", bearer
        )[0]
        == 401
    )


def test_tcp_that_is_slow_is_closed(world: World, mux: Tmux) -> None:
    world.config.write_text("api: {tcp: true}\n")
    mux.up()
    port = int(Path(world.runtime, "api.port").read_text())
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert line.recv(1) == b""


def test_a_port_that_is_taken_keeps_nothing_else_from_working(world: World, mux: Tmux) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        world.config.write_text(f"api: {{tcp: true, port: {port}}}\n")
        mux.up()
        assert call(mux, "GET /")[0] == 200
        assert f"port {port}" in world.log()
        assert not {"token", "api.port"} & set(os.listdir(world.runtime))
