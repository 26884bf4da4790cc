"""The user's keys: what arrives in a terminal, who gets a key that two actions want, what stays bound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.config import Loaded, load, show
from opensessions.keytable import ALWAYS, BINDINGS, HINTS, NAMES, arriving, nearest, resolved
from opensessions.sidebar.keymap import DEFAULT, keymap
from opensessions.sidebar.keys import Decoder, Key

KEYS = [key for binding in BINDINGS for key in binding.keys]


@pytest.fixture
def reading(tmp_path: Path) -> Callable[[str], Loaded]:
    def read(text: str) -> Loaded:
        file = tmp_path / "config.yaml"
        file.write_text(text)
        return load(str(file))

    return read


# --- the table ------------------------------------------------------------------------------------------------


def test_every_action_and_every_key_stands_there_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert len(set(KEYS)) == len(KEYS)
    assert set(HINTS) == {binding.action for binding in BINDINGS if binding.hint}
    assert set(ALWAYS) <= set(NAMES)


def test_every_shipped_key_arrives() -> None:
    assert [arriving(key) for key in KEYS] == KEYS


def test_nothing_of_the_users_own_is_the_table_itself() -> None:
    assert resolved({}) == (BINDINGS, ())
    assert DEFAULT.actions["j"] == "down"
    assert DEFAULT.row("3") == 3


# --- keys by name ---------------------------------------------------------------------------------------------

SENT = {
    "a": b"a", "G": b"G", "é": "é".encode(), "?": b"?", "~": b"~", "space": b" ", "enter": b"\r", "escape": b"\x1b",
    "tab": b"\t", "shift-tab": b"\x1b[Z", "backspace": b"\x7f", "ctrl-n": b"\x0e", "ctrl-j": b"\n",
    "ctrl-space": b"\0", "ctrl-\\": b"\x1c", "ctrl-]": b"\x1d", "ctrl-^": b"\x1e", "ctrl-_": b"\x1f",
    "alt-x": b"\x1bx", "alt-X": b"\x1bX", "alt-ctrl-n": b"\x1b\x0e", "alt-enter": b"\x1b\r", "alt-space": b"\x1b ",
    "alt-tab": b"\x1b\t", "alt-backspace": b"\x1b\x7f", "alt-ctrl-space": b"\x1b\0", "up": b"\x1b[A",
    "shift-up": b"\x1b[1;2A", "ctrl-left": b"\x1b[1;5D", "shift-alt-ctrl-end": b"\x1b[1;8F",
    "delete": b"\x1b[3~", "shift-delete": b"\x1b[3;2~", "page-up": b"\x1b[5~", "insert": b"\x1b[2~",
    "home": b"\x1b[H", "f1": b"\x1bOP", "f2": b"\x1bOQ", "ctrl-f4": b"\x1b[1;5S", "f5": b"\x1b[15~",
    "f12": b"\x1b[24~", "shift-f6": b"\x1b[17;2~",
}  # fmt: skip
"""What terminals send."""


@pytest.mark.parametrize("name", SENT)
def test_a_key_that_is_accepted_is_what_the_sidebar_hears(name: str) -> None:
    assert arriving(name) == name
    decoder = Decoder()
    assert [each.name for each in decoder.feed(SENT[name]) + decoder.flush() if isinstance(each, Key)] == [
        name
    ]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("C-n", "ctrl-n"), ("c-N", "ctrl-n"), ("^n", "ctrl-n"), ("M-x", "alt-x"), ("C-M-n", "alt-ctrl-n"),
        ("S-Up", "shift-up"), ("Ctrl-Shift-Up", "shift-ctrl-up"), ("Esc", "escape"), ("Return", "enter"),
        ("DEL", "delete"),
        ("PgUp", "page-up"), ("NPage", "page-down"), ("BTab", "shift-tab"), ("BSpace", "backspace"), ("F3", "f3"),
        ("shift-a", "A"), ("shift-A", "A"), ("alt-shift-a", "alt-A"), (" ", "space"), ("Space", "space"), ("^", "^"),
        ("C-Space", "ctrl-space"),
    ],
)  # fmt: skip
def test_other_names_are_understood(written: str, name: str) -> None:
    assert arriving(written) == name


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("ctrl-i", "arrives as tab"), ("C-m", "arrives as enter"), ("ctrl-[", "arrives as escape"),
        ("ctrl-h", "arrives as backspace"), ("ctrl-1", "no terminal sends"), ("ctrl-shift-a", "no terminal sends"),
        ("ctrl-é", "no terminal sends"), ("shift-1", "the character that Shift makes"), ("shift-enter", "from enter"),
        ("ctrl-enter", "from enter"), ("ctrl-tab", "from tab"), ("alt-escape", "from escape"),
        ("shift-space", "from space"), ("super-x", "is no key"), ("cmd-q", "is no key"), ("f13", "is no key"),
        ("pageup2", "is no key"), ("dwn", "nearest is down"), ("ab", "is no key"), ("", "is no key"),
        ("\n", "is no key"), ("\x1b", "is no key"), ("shift-", "is no key"), ("C-", "is no key"),
    ],
)  # fmt: skip
def test_what_no_terminal_sends_is_refused_with_a_reason(written: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        arriving(written)


HELD = st.sampled_from(["shift-", "C-", "M-^", "ctrl-alt-"])


@given(st.text(max_size=12) | st.builds(str.__add__, HELD, st.text(max_size=3)))
def test_any_text_is_a_key_or_is_none(text: str) -> None:
    try:
        name = arriving(text)
    except ValueError:
        return
    assert arriving(name) == name
    assert name.isprintable()


# --- who gets a key -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "now", "told"),
    [
        ({"hide": ("f7",)}, {"f7": "hide"}, []),
        ({"hide": ()}, {"x": ""}, []),
        ({"kill-agent": ("d", "delete")}, {"d": "kill-agent", "delete": "kill-agent"}, []),
        # Against a default the user wins; the other one is named, and what it keeps.
        ({"hide": ("d",)}, {"d": "hide"}, [("hide", "kill-agent as well, which has no key now")]),
        ({"hide": ("k",)}, {"k": "hide", "up": "up"}, [("hide", "up as well, which keeps up, ctrl-p, ctrl-k")]),
        ({"hide": ("d",), "kill-agent": ("x",)}, {"d": "hide", "x": "kill-agent"}, []),
        ({"hide": ("d",), "kill-agent": ()}, {"d": "hide"}, []),
        # Of two of the user's the first.
        ({"hide": ("f7",), "reveal": ("f7", "f8")}, {"f7": "hide", "f8": "reveal"},
         [("reveal", "hide as well, which stands first")]),
        ({"reveal": ("f7", "f8"), "hide": ("f7",)}, {"f7": "reveal"}, [("hide", "reveal as well, which stands first")]),
        ({"hide": ("f7", "f7")}, {"f7": "hide"}, []),
        # There is always a way out.
        ({"leave": ()}, {"escape": "leave"}, [("leave", "must have a key")]),
        ({"help": ()}, {"?": "help"}, [("help", "must have a key")]),
        ({"leave": ("f10",)}, {"f10": "leave", "escape": ""}, []),
        ({"hide": ("escape",)}, {"escape": "hide", "ctrl-c": "leave"}, [("hide", "leave as well, which keeps ctrl-c")]),
        (
            {"hide": ("escape", "ctrl-c")}, {"escape": "leave", "ctrl-c": "hide"},
            [("hide", "escape is a key of leave"), ("hide", "ctrl-c is a key of leave"),
             ("hide", "leave must have a key")],
        ),
        ({"hide": ("?",)}, {"?": "help", "x": ""}, [("hide", "help as well"), ("hide", "help must have a key")]),
    ],
)  # fmt: skip
def test_one_key_one_action(
    own: dict[str, tuple[str, ...]], now: dict[str, str], told: list[tuple[str, str]]
) -> None:
    actions = keymap(own).actions
    assert {key: actions.get(key, "") for key in now} == now
    faults = resolved(own)[1]
    assert [each.action for each in faults] == [action for action, _ in told]
    for fault, (_, words) in zip(faults, told, strict=True):
        assert words in fault.message


OWN = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from([*KEYS, "f7", "f9"]), max_size=4).map(tuple)
)


@given(OWN)
def test_whatever_the_user_writes_each_key_has_one_action_and_there_is_a_way_out(
    own: dict[str, tuple[str, ...]],
) -> None:
    bindings, faults = resolved(own)
    keys = [key for binding in bindings for key in binding.keys]
    assert len(set(keys)) == len(keys)
    assert [binding.action for binding in bindings] == list(NAMES)
    assert all(binding.keys for binding in bindings if binding.action in ALWAYS)
    assert {fault.action for fault in faults} <= set(own)
    if not faults:
        assert all(
            binding.keys == tuple(dict.fromkeys(own[binding.action]))
            for binding in bindings
            if binding.action in own
        )


def test_the_nearest_action() -> None:
    assert nearest("quit") in NAMES
    assert nearest("kill_agent") == "kill-agent"
    assert nearest("Hidden") == "hide"
    assert nearest("unhide") == "hide"


# --- in config.yaml -------------------------------------------------------------------------------------------


def test_each_fault_names_its_line_and_its_key(reading: Callable[[str], Loaded]) -> None:
    loaded = reading(
        "ascii: true\nkeys:\n  hid: f7\n  hide: [f7, ctrl-i]\n  reveal:\n    - f8\n    - f7\n    - super-x\n  undo: d\n"
        "  help: []\n  close:\n"
    )
    told = [(each.line, each.key, each.message.split(";")[0]) for each in loaded.problems]
    assert told == [
        (3, "keys.hid", "is no action"),
        (4, "keys.hide", "ctrl-i arrives as tab, so write that"),
        (5, "keys.reveal", "f7 is a key of hide as well, which stands first and keeps it."),
        (8, "keys.reveal", "super-x is no key"),
        (9, "keys.undo", "d is a key of kill-agent as well, which has no key now"),
        (10, "keys.help", "help must have a key, or nobody finds the way out"),
        (
            11,
            "keys.close",
            "expected a key, or a list of keys such as [d, delete], or [] for none, not nothing",
        ),
    ]
    assert "keys.hide" in loaded.problems[0].message
    assert loaded.config.keys == {
        "hide": ("f7",), "reveal": ("f8",), "undo": ("d",), "help": ("?",), "kill-agent": (),
    }  # fmt: skip
    assert reading(show(loaded.config)) == Loaded(loaded.config)


def test_the_text_of_a_key_counts_as_it_is_written(reading: Callable[[str], Loaded]) -> None:
    loaded = reading("keys: {hide: y, approve: f7, index: [1, 2, 0], reveal: on, undo: '#'}")
    assert loaded.config.keys["hide"] == ("y",)
    assert loaded.config.keys["index"] == ("1", "2", "0")
    assert loaded.config.keys["undo"] == ("#",)
    assert [each.key for each in loaded.problems] == ["keys.reveal"]
    assert keymap(loaded.config.keys).row("0") == 3
