"""From tmux's output to an inventory."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.model import Client, Inventory, Link, Pane, Session, Window
from opensessions_tmux.reading import COMMANDS, EMPTY_COMMANDS, Incomplete, Reading, parse
from opensessions_tmux.transport import Tmux as Transport
from tests.support.world import Tmux, World

HOSTILE = st.text(st.sampled_from(list("aPWSCE /%@$0123:;,|'\"#{}()[]\\é🙂\t-")), max_size=20)
NAMES = HOSTILE.filter(bool)
PATHS = st.lists(st.text("ab \n#;é🙂P%\\", min_size=1, max_size=6), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
ANY_PATHS = st.one_of(PATHS, HOSTILE, st.sampled_from(["/", "//", "a//\nW $0", "//\n"]))
"""What a session was created with is not looked at by tmux."""
NUMBERS = st.integers(0, 100_000)


def render(reading: Reading) -> bytes:
    """What tmux prints for a reading: the inverse of `parse`."""
    held = reading.inventory
    out = []
    for session in held.sessions:
        sizes = f"{size(session.name)} {size(session.group)} {size(session.path)}"
        texts = f"{session.name}{session.group}{session.path}//"
        out.append(f"S {session.id} {session.created} {sizes}:{texts}\n")
    for session in held.sessions:
        for link in session.links:
            window = held.windows[link.window]
            out.append(
                f"W {session.id} {link.index} {int(link.current)} {window.id} {window.width} {window.height}"
                f" {int(window.zoomed)} {int(window.id in reading.named)} {window.layout}"
                f" {size(window.name)}:{window.name}\n"
            )
    for session in held.sessions:
        for link in session.links:
            out += [render_pane(pane) for pane in held.windows[link.window].panes]
    for client in held.clients:
        out.append(
            f"C {client.session} {int(client.control)} {client.width} {client.height} {client.activity} {client.pid}"
            f" {int(client.focused)} {0 if client.control else 10} {size(client.name)}:{client.name}\n"
        )
    out.append(
        f"E {held.server_pid} {held.server_started} {reading.rings} {int(reading.dragging)}"
        f" {size(held.version)}:{held.version}\n"
    )
    return "".join(out).encode()


def render_pane(pane: Pane) -> str:
    return (
        f"P {pane.id} {pane.window} {pane.pid} {int(pane.active)} {int(pane.dead)} {pane.left} {pane.width}"
        f" {size(pane.mark)} {size(pane.title)}:{pane.mark}{pane.title}"
        f"{pane.path}//\n"
    )


def size(text: str) -> int:
    return len(text.encode())


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Sessions with windows, some of them linked into several sessions."""
    windows = {}
    for number in range(draw(st.integers(0, 4))):
        id = f"@{number}"
        panes = tuple(
            Pane(
                f"%{number * 10 + place}", id, draw(NUMBERS), place == 0, draw(st.booleans()),
                draw(NUMBERS), draw(NUMBERS), draw(HOSTILE), draw(PATHS), draw(HOSTILE),
            )
            for place in range(draw(st.integers(1, 3)))
        )  # fmt: skip
        windows[id] = Window(
            id,
            draw(NAMES),
            draw(NUMBERS),
            draw(NUMBERS),
            draw(st.booleans()),
            "b25d,80x24,0,0{1x1,0,0,2}",
            panes,
        )
    sessions = []
    for number in range(draw(st.integers(1, 3)) if windows else 0):
        chosen = draw(st.lists(st.sampled_from(sorted(windows)), min_size=1, max_size=4, unique=True))
        links = tuple(Link(window, place, place == 0) for place, window in enumerate(chosen))
        sessions.append(
            Session(f"${number}", draw(NAMES), draw(NUMBERS), draw(HOSTILE), links, draw(ANY_PATHS))
        )
    used = {link.window: windows[link.window] for session in sessions for link in session.links}
    clients = tuple(
        Client(draw(NAMES), session.id, draw(st.booleans()), draw(NUMBERS), draw(NUMBERS), draw(NUMBERS), draw(NUMBERS))
        for session in draw(st.lists(st.sampled_from(sessions), max_size=3))
    ) if sessions else ()  # fmt: skip
    held = Inventory(draw(NUMBERS), draw(NUMBERS), "next-3.8", tuple(sessions), used, clients)
    named = frozenset(id for id in used if draw(st.booleans()))
    return Reading(held, draw(st.sampled_from(["", "42"])), draw(st.booleans()), named)


@given(readings())
def test_parse_is_the_inverse_of_what_tmux_prints(reading: Reading) -> None:
    assert parse(render(reading)) == reading


@settings(max_examples=50)
@given(readings(), st.data())
def test_a_cut_reading_is_no_reading(reading: Reading, data: st.DataObject) -> None:
    whole = render(reading)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Incomplete):
        parse(whole[:cut])


@pytest.mark.parametrize(
    "garbage", [b"", b"no server running on /tmp/x\n", b"E 1 2 3 0 4:3.3a", b"P %1", b"W x\n"]
)
def test_garbage_is_no_reading(garbage: bytes) -> None:
    with pytest.raises(Incomplete):
        parse(garbage)


def test_a_path_that_is_no_utf8() -> None:
    pane = render_pane(Pane("%0", "@0", 1, True, title="t", path="/p")).encode()
    pane = pane.replace(b"/p//", b"/a\xff\n/b//")
    head = b"S $0 1 1 0 0:s//\nW $0 0 1 @0 80 24 0 0 - 1:w\n"
    found = parse(head + pane + b"E 1 2  0 1:3\n").inventory.windows["@0"].panes[0]
    assert found.path == "/a\ufffd\n/b"


# --- against real servers ---------------------------------------------------------------------------------


async def read(mux: Tmux) -> Reading:
    reply = await Transport(mux.world.binary, mux.socket).run(COMMANDS)
    assert reply.ok, reply.err
    return parse(reply.out)


async def test_hostile_names_titles_and_directories(world: World, mux: Tmux) -> None:
    """Nothing of them runs, and all of them arrive."""
    evil = world.home / "evil"
    name = 'it\'s; #{pid} $HOME a|b \\ é🙂 "q"'
    folder = world.home / "d\n#(touch x); [#{pid}] é//".rstrip("/")
    folder.mkdir()
    session = mux("new-session", "-d", "-P", "-F", "#{session_id}", "-s", name.replace("#", "##"))
    title = f"P %1 @1 //\\ #(touch {evil}) 🙂".replace("#", "##")
    window = mux(
        "new-window", "-P", "-F", "#{window_id}", "-t", f"{session}:", "-n", name.replace("#", "##"), "-c",
        str(folder).replace("#", "##"), "exec sleep 1000",
    )  # fmt: skip
    mux("select-pane", "-t", window, "-T", title)
    mux("set-option", "-p", "-t", window, "@opensessions-sidebar", "ab 3:é")
    world.until(lambda: mux.ask("#{pane_current_command}", window) == "sleep", "the command")
    held = (await read(mux)).inventory
    found = held.session(session)
    assert found is not None
    # The form in which a backslash or a `$` is stored depends on tmux's version.
    assert found.name == mux.ask("#{session_name}", f"{session}:")
    assert found.name.startswith("it's; #{pid} ")
    assert held.windows[window].name.endswith('é🙂 "q"')
    pane = held.windows[window].panes[0]
    assert held.windows[window].name == mux.ask("#{window_name}", window)
    assert pane.title == title.replace("##", "#")
    assert pane.path == str(folder)
    assert pane.mark == "ab 3:é"
    assert not evil.exists()


async def test_groups_and_linked_windows_are_read_once(mux: Tmux) -> None:
    mux("split-window", "-d", "-t", "main:")
    mux("new-session", "-d", "-s", "twin", "-t", "main")
    other = mux.new("other")
    mux("link-window", "-d", "-s", "main:0", "-t", f"{other}:7")
    held = (await read(mux)).inventory
    shared = held.sessions[0].links[0].window
    assert len(held.windows) == 2
    assert len(held.windows[shared].panes) == 2
    places = {one.name: [link.index for link in one.links if link.window == shared] for one in held.sessions}
    assert places == {"main": [0], "twin": [0], "other": [7]}
    assert {session.name: session.group for session in held.sessions} == {
        "main": "main",
        "twin": "main",
        "other": "",
    }
    assert held.session(other).current_window != shared  # type: ignore[union-attr]


async def test_a_control_client_looks_at_nothing(world: World, mux: Tmux) -> None:
    control = await asyncio.create_subprocess_exec(
        world.binary, "-S", mux.socket, "-C", "attach-session", "-t", "main",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=world.env,
    )  # fmt: skip
    try:
        world.until(lambda: mux.lines("list-clients"), "the control client")
        terminal = mux.attach()
        held = (await read(mux)).inventory
        assert sorted(client.control for client in held.clients) == [False, True]
        assert [client.name for client in held.viewers()] == [terminal.tty]
        assert held.viewers()[0].pid == terminal.pid
        assert held.seen_windows() == {held.sessions[0].links[0].window}
    finally:
        await control.communicate(b"detach\n")


async def test_dead_panes_zoom_and_sizes(world: World, mux: Tmux) -> None:
    mux("set-option", "-g", "remain-on-exit", "on")
    window = mux("new-window", "-P", "-F", "#{window_id}", "-t", "main:", "true")
    mux("split-window", "-h", "-t", window, "-l", "30", "sleep 1000")
    world.until(lambda: "1" in mux.lines("list-panes", "-t", window, "-F", "#{pane_dead}"), "a dead pane")
    mux("resize-pane", "-Z", "-t", window)
    held = (await read(mux)).inventory.windows[window]
    assert held.zoomed
    assert [pane.dead for pane in held.panes] == [True, False]
    assert held.active_pane is held.panes[1]
    mux("resize-pane", "-Z", "-t", window)
    held = (await read(mux)).inventory.windows[window]
    assert [(pane.left, pane.width) for pane in held.panes] == [(0, 69), (70, 30)]
    assert held.layout == mux.ask("#{window_layout}", window)


async def test_a_server_without_sessions(mux: Tmux) -> None:
    mux("set-option", "-g", "exit-empty", "off")
    mux("kill-session", "-t", "main")
    transport = Transport(mux.world.binary, mux.socket)
    assert not (await transport.run(COMMANDS)).ok
    reply = await transport.run(EMPTY_COMMANDS)
    assert reply.ok
    assert parse(reply.out).inventory.sessions == ()
    assert parse(reply.out).inventory.server_pid == mux.pid
