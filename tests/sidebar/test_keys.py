from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.sidebar.keys import LONGEST_PASTE, LONGEST_SEQUENCE, Decoder, Input, Key, Mouse, Paste


def names(data: bytes) -> list[str]:
    events = Decoder().feed(data)
    assert all(isinstance(event, Key) for event in events)
    return [event.name for event in events if isinstance(event, Key)]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"j", "j"),
        (b" ", "space"),
        (b"\r", "enter"),
        (b"\n", "ctrl-j"),
        (b"\t", "tab"),
        (b"\x7f", "backspace"),
        (b"\x08", "backspace"),
        (b"\x0e", "ctrl-n"),
        (b"\x03", "ctrl-c"),
        (b"\x00", "ctrl-space"),
        (b"\x1d", "ctrl-]"),
        ("é".encode(), "é"),
        ("👍".encode(), "👍"),
        (b"\x1b[A", "up"),
        (b"\x1bOB", "down"),
        (b"\x1b[1;2B", "shift-down"),
        (b"\x1b[1;5C", "ctrl-right"),
        (b"\x1b[1;8D", "shift-alt-ctrl-left"),
        (b"\x1b[H", "home"),
        (b"\x1bOF", "end"),
        (b"\x1b[1~", "home"),
        (b"\x1b[4~", "end"),
        (b"\x1b[5~", "page-up"),
        (b"\x1b[6;2~", "shift-page-down"),
        (b"\x1b[3~", "delete"),
        (b"\x1b[Z", "shift-tab"),
        (b"\x1bj", "alt-j"),
        (b"\x1b\x0e", "alt-ctrl-n"),
        ("\x1bé".encode(), "alt-é"),
        (b"\x1bOM", "enter"),
        (b"\x1bOq", "1"),
    ],
)
def test_a_key(data: bytes, name: str) -> None:
    assert names(data) == [name]


def test_what_a_key_types() -> None:
    typed = [event.text for event in Decoder().feed("aé \r\x1b[A\x1bx".encode()) if isinstance(event, Key)]
    assert typed == ["a", "é", " ", "", "", ""]


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b"\x1b[<0;5;3M", Mouse("press", 1, 4, 2)),
        (b"\x1b[<0;5;3m", Mouse("release", 1, 4, 2)),
        (b"\x1b[<2;1;1M", Mouse("press", 3, 0, 0)),
        (b"\x1b[<32;7;8M", Mouse("drag", 1, 6, 7)),
        (b"\x1b[<64;1;2M", Mouse("wheel-up", 0, 0, 1)),
        (b"\x1b[<65;1;2M", Mouse("wheel-down", 0, 0, 1)),
        (b"\x1b[<20;300;200M", Mouse("press", 1, 299, 199, "shift-ctrl-")),
    ],
)
def test_the_mouse(data: bytes, event: Mouse) -> None:
    assert Decoder().feed(data) == [event]


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[?1;2c", b"\x1b[>41;330;0c", b"\x1b]11;rgb:1111/2222/3333\x1b\\", b"\x1b]11;rgb:1/2/3\x07",
        b"\x1bP1$r0m\x1b\\", b"\x1b_Gi=1;OK\x1b\\", b"\x1b[I", b"\x1b[O", b"\x1b[12;40R", b"\x1b[<35;5;5M",
        b"\x1b[<66;1;1M", b"\x1b[<1;2M", b"\x1b[<999999;1;1M", b"\x1b[99~", b"\x1b[A;B", b"\xff", b"\xc3(",
        b"\xed\xa0\x80", b"\xf5",
    ],
)  # fmt: skip
def test_what_is_no_key_is_swallowed_whole(data: bytes) -> None:
    """Terminal replies, focus events, motion without a button, nonsense; the key after it counts."""
    events = Decoder().feed(data + b"j")
    assert events[-1] == Key("j", "j")
    assert [
        event
        for event in events[:-1]
        if event not in (Key("(", "("), Key(";", ";"), Key("B", "B"), Key("up"))
    ] == []


def test_a_paste_is_one_event() -> None:
    assert Decoder().feed(b"a\x1b[200~q\r\x1b[A rm\xc3\xa9\x1b[201~b") == [
        Key("a", "a"),
        Paste("q\r\x1b[A rmé"),
        Key("b", "b"),
    ]


def test_a_huge_paste_is_cut_and_its_end_found() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b[200~") == []
    for _ in range(40):
        assert decoder.feed(b"x" * 10_000) == []
        assert kept(decoder) <= LONGEST_PASTE + 10
    assert decoder.feed(b"\x1b[20") == []
    assert decoder.feed(b"1~j") == [Paste("x" * LONGEST_PASTE), Key("j", "j")]


def kept(decoder: Decoder) -> int:
    return len(decoder._rest) + len(decoder._paste or b"")


def test_a_lone_escape_is_a_key_once_time_has_told() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.waiting
    assert decoder.flush() == [Key("escape")]
    assert not decoder.waiting
    assert decoder.flush() == []
    assert decoder.feed(b"[A") == [Key("[", "["), Key("A", "A")]


def test_two_escapes_are_two_keys() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b\x1b") == [Key("escape")]
    assert decoder.flush() == [Key("escape")]


def test_an_escape_before_a_sequence_is_a_key_of_its_own() -> None:
    assert Decoder().feed(b"\x1b\x1b[A") == [Key("escape"), Key("up")]


@pytest.mark.parametrize("char", "[O]P_")
def test_alt_and_the_beginning_of_a_sequence(char: str) -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b" + char.encode()) == []
    assert decoder.waiting
    assert decoder.flush() == [Key("alt-" + char)]
    assert decoder.feed(b"j") == [Key("j", "j")]


def test_time_does_not_tear_a_sequence_that_has_begun() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b[1") == []
    assert not decoder.waiting
    assert decoder.flush() == []
    assert decoder.feed(b";2A") == [Key("shift-up")]
    assert decoder.feed(b"\xc3") == []
    assert not decoder.waiting
    assert decoder.flush() == []
    assert decoder.feed(b"\xa9") == [Key("é", "é")]


def test_escape_frees_the_keyboard_from_a_reply_that_never_ends() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b]11;rgb:aa") == []
    assert decoder.feed(b"\x1bj") == [Key("alt-j")]
    assert decoder.feed(b"k") == [Key("k", "k")]


PIECES = st.sampled_from(
    [b"j", b"\x1b", b"\x1b[A", b"\x1bOA", b"\x1b[1;5B", b"\x1b[<0;1;1M", b"\x1b[200~", b"\x1b[201~", b"\xc3\xa9",
     b"\xe4\xb8", b"\x1b]0;t\x07", b"\x1bP", b"\x1b\\", b"\x1b[<0;", b"\xff", b"\x00", b"~", b"M", b";", b"\x18"]
)  # fmt: skip
STREAMS = st.one_of(st.lists(PIECES, max_size=30).map(b"".join), st.binary(max_size=200))


@given(STREAMS, st.lists(st.integers(1, 7), max_size=60))
def test_cuts_change_nothing(data: bytes, sizes: list[int]) -> None:
    whole = Decoder()
    expected = whole.feed(data)
    decoder = Decoder()
    events: list[Input] = []
    at = 0
    for size in [*sizes, len(data)]:
        events += decoder.feed(data[at : at + size])
        at += size
    assert events == expected
    assert decoder.waiting == whole.waiting
    assert decoder.flush() == whole.flush()


@given(
    st.lists(
        st.one_of(STREAMS, st.sampled_from((b"\x1b]" + b"x" * 5000, b"\x1b[" + b"1" * 5000))), max_size=8
    )
)
def test_garbage_raises_nothing_and_memory_is_bounded(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        decoder.feed(chunk)
        assert kept(decoder) <= LONGEST_SEQUENCE + LONGEST_PASTE
        decoder.flush()
