"""Telling the user through a real tmux."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.provider import Announce, DesktopNotice
from opensessions_tmux.notices import escape_sequence
from tests.tmux.conftest import Follower


@pytest.fixture(autouse=True)
def shown_until_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is gone when the terminal is read was never on its screen."""
    monkeypatch.setattr("opensessions_tmux.notices.SHOWN", 100_000)


HOSTILE = "#(touch {}) #{{E:#(touch {})}} #{{pid}} %H #[fg=red] $(touch {}) `touch {}`;"


async def test_every_client_that_is_named_is_told_and_no_other(follower: Follower) -> None:
    mux = follower.mux
    mux.new("web")
    first, second, third = await follower.attach(), await follower.attach("web"), await follower.attach()
    await follower.provider.do(Announce((first.tty, "/dev/gone", second.tty), "hello; there"))
    first.see("hello; there")
    second.see("hello; there")
    third.type(b"echo still here\r")
    third.see("still here")
    assert "hello" not in third.text


async def test_no_text_is_run(follower: Follower) -> None:
    mark = follower.mux.world.home / "evil"
    text = HOSTILE.replace("{{", "{").replace("}}", "}").replace("{}", str(mark))
    terminal = await follower.attach(cols=300)
    await follower.provider.do(Announce((terminal.tty,), text))
    terminal.see(text.removesuffix(";"))
    assert not mark.exists()


async def test_a_key_still_does_what_it_does(follower: Follower) -> None:
    terminal = await follower.attach()
    terminal.type(b"\x02:")
    terminal.wait(lambda: terminal.screen.display[-1].startswith(": "), "the prompt")
    terminal.type(b"rename-session hello")
    terminal.see(":rename-session hello")
    await follower.provider.do(Announce((terminal.tty,), "a message over the prompt"))
    terminal.see("a message over the prompt")
    terminal.type(b"there\r")
    terminal.wait(lambda: follower.mux.session_of(terminal) == "hellothere")


async def test_a_terminal_is_known_only_where_panes_may_speak_to_it(follower: Follower) -> None:
    mux = follower.mux
    mux.world.env["TERM"] = "rxvt-unicode"
    terminal = await follower.attach()
    wish = DesktopNotice(terminal.tty, mux.ask("#{pane_id}"), "title", "detail")
    assert await follower.provider.do(wish) == ""
    mux("set-option", "-g", "allow-passthrough", "on")
    assert await follower.provider.do(wish) == ("\x1bPtmux;\x1b\x1b]777;notify;title;detail\x1b\x1b\\\x1b\\")
    mux("set-option", "-g", "allow-passthrough", "off")
    assert await follower.provider.do(wish) == ""


@pytest.mark.parametrize(
    ("terminal", "start"),
    [
        ("xterm-256color kitty(0.35.2)", "]99;;"), ("xterm-kitty ", "]99;;"), ("xterm-256color WezTerm 2024", "]9;"),
        ("xterm-ghostty ghostty 1.1", "]9;"), ("xterm-256color iTerm2 3.5.0", "]9;"), ("foot foot(1.17.2)", "]777;"),
        ("rxvt-unicode-256color ", "]777;"), ("xterm-256color XTerm(390)", ""), ("xterm-256color ", ""), ("", ""),
    ],
)  # fmt: skip
def test_each_terminal_gets_the_sequence_that_it_knows(terminal: str, start: str) -> None:
    found = escape_sequence(DesktopNotice("c", "%1", "title", "detail"), terminal)
    assert (start in found) if start else (found == "")


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["kitty", "foot", "iTerm2"]))
def test_no_text_ends_the_sequence(title: str, detail: str, terminal: str) -> None:
    found = escape_sequence(DesktopNotice("c", "%1", title, detail), terminal)
    assert found.startswith("\x1bPtmux;\x1b\x1b]")
    assert found.endswith("\x1b\\")
    inner = found.removeprefix("\x1bPtmux;").removesuffix("\x1b\\").replace("\x1b\x1b", "\x1b")
    body = inner.removeprefix("\x1b").removesuffix("\x07").removesuffix("\x1b\\")
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in body)


def test_a_text_that_looks_like_a_command_is_none() -> None:
    assert "]9; 4;1;50" in escape_sequence(DesktopNotice("c", "%1", "4;1;50", ""), "iTerm2")
