from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions_zellij.kdl import Malformed, read
from opensessions_zellij.keymap import leads_to, over
from opensessions_zellij.keys import Entry, Wishes
from opensessions_zellij.merge import BEGIN, END, MADE, NoPlace, holds, put, take
from opensessions_zellij.table import TABLE

DATA = Path(__file__).parent / "data"
WISHES = Wishes('/project/.venv/bin/py "th" on', "/project/scripts/zellij.py")
DEFAULT, UNLOCK = ((DATA / f"{name}-0.45.1.kdl").read_text() for name in ("default", "unlock-first"))

TEXTS = {
    "empty": "",
    "blank": "\n  \n",
    "no keys": 'theme "nord"\n',
    "no keys, no last line's end": 'theme "nord"',
    "a comment at the end": "// keybinds {",
    "a mark of byte order": '\ufefftheme "nord"',
    "empty keys": "keybinds {\n}\n",
    "empty keys in a line": "keybinds {}",
    "one line": 'keybinds { normal { unbind "Alt f"; }; }',
    "one line, then more": 'keybinds { normal { unbind "Alt f"; }; } // why\ntheme "nord"',
    "the brace after a node": 'keybinds {\n  normal { unbind "Alt f"; }; }\n',
    "tabs": 'keybinds {\n\tnormal {\n\t\tunbind "Alt f"\n\t}\n}\n',
    "in a deeper column": '   keybinds {\n      normal { unbind "Alt f"; }\n   }\n',
    "lines as on Windows": 'theme "nord"\r\nkeybinds {\r\n    normal {\r\n    }\r\n}\r\n',
    "two": 'keybinds {\n  normal { unbind "Alt f"; }\n}\nkeybinds {\n}\n',
    "one that does not count": '/- keybinds {\n}\nkeybinds {\n}\n',
    "a brace in a text": 'keybinds {\n  normal {\n    bind "}" { WriteChars "} // {"; }\n  }\n}\n',
    "a comment before the brace": "keybinds {\n  // }\n  /* } */ }\n",
    "zellij's own": DEFAULT,
    "zellij's other own": UNLOCK,
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_what_is_put_in_is_taken_out_to_the_byte(text: str) -> None:
    done = put(text, WISHES)
    assert holds(done)
    assert not holds(text)
    assert put(done, WISHES) == done, "twice is once"
    assert take(done) == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_our_keys_are_bound_and_no_other_is_touched(text: str) -> None:
    before, after = over({}, read(text)), over({}, read(put(text, WISHES)))
    for key, verb, _ in TABLE:
        mode_key = ("prompt", f"shift {key.lower()}" if key.isupper() else key)
        (run, leave) = after[mode_key].children or ()
        assert run.name == "Run"
        assert run.arguments[-5:] == ("-I", "-S", "/project/scripts/zellij.py", verb, "key=1")
        assert WISHES.python in run.arguments
        assert leave.arguments == ("normal",)
    assert leads_to(after["session", "o"], "prompt")
    left = {
        place: node.arguments
        for place, node in after.items()
        if place[0] != "prompt" and place != ("session", "o")
    }
    assert left == {
        place: node.arguments
        for place, node in before.items()
        if place[0] != "prompt" and place != ("session", "o")
    }


def test_every_other_key_leaves_the_table() -> None:
    after = over({}, read(put(None, WISHES)))
    table = {key: node for (mode, key), node in after.items() if mode == "prompt"}
    for key in ("b", "shift b", "0", "esc", "enter", "space", "left"):
        (leave,) = table[key].children or ()
        assert (leave.name, leave.arguments) == ("SwitchToMode", ("normal",))


def test_a_file_that_there_was_none_of_goes() -> None:
    done = put(None, WISHES)
    assert done.startswith(f"{MADE}\n")
    assert take(done) is None
    assert put(done, WISHES) == done
    assert take(f'{done}theme "nord"\n') == 'theme "nord"\n'


def test_other_wishes_replace_ours() -> None:
    for text in TEXTS.values():
        other = Wishes("/other/python", "/other/scripts/zellij.py", Entry("", "Alt s"), "locked")
        done = put(put(text, WISHES), other)
        assert done == put(text, other)
        assert "/project/" not in done
        assert take(done) == text


def test_a_key_for_every_mode() -> None:
    after = over({}, read(put(None, Wishes("p", "/s/scripts/zellij.py", Entry("", "Alt s")))))
    assert leads_to(after["normal", "alt s"], "prompt")
    assert ("locked", "alt s") not in after


def test_marks_that_were_damaged_are_no_matter() -> None:
    for mark in (BEGIN, END):
        done = put(TEXTS["tabs"], WISHES).replace(mark, "was edited")
        left = take(done) or ""
        assert "zellij.py" not in left
        assert not any(mode in ("prompt", "session") for mode, _ in over({}, read(left)))
        assert holds(done)
        assert put(done, WISHES).count("zellij.py") == len(TABLE)


def test_a_file_that_zellij_wrote_anew_is_known() -> None:
    """Its configuration screen writes the whole configuration without comments, each key on a line of its own."""
    written = (DATA / "rewritten-0.45.1.kdl").read_text()
    assert BEGIN not in written
    assert holds(written)
    left = take(written) or ""
    assert "zellij.py" not in left
    before, after = over({}, read(written)), over({}, read(left))
    assert {place for place in before if place[0] != "prompt"} - {("session", "o")} == {
        place for place in after if place[0] != "prompt"
    }
    assert put(written, WISHES).count("/project/scripts/zellij.py") == len(TABLE)


def test_bindings_of_other_programs_stay() -> None:
    text = (
        'keybinds {\n  tmux {\n    bind "g" { Run "/x/scripts/other.py"; }\n'
        '    bind "h" { SwitchToMode "prompt"; }\n  }\n}\n'
    )
    assert not holds(text)
    assert take(put(text, WISHES)) == text


def test_what_has_no_place_is_refused() -> None:
    with pytest.raises(NoPlace) as raised:
        put('theme "nord"\nkeybinds\n', WISHES)
    assert raised.value.line == 2
    with pytest.raises(Malformed):
        put("keybinds {\n", WISHES)


KEYS = st.sampled_from(["normal", "pane", "session", "tmux"])
BINDS = st.sampled_from(['bind "x" { Quit; }', 'unbind "y"', "// }", "/* { */", '/- bind "z" { NoOp; }'])
ENDS = st.sampled_from(["\n", "\r\n"])


@given(
    st.lists(st.tuples(KEYS, st.lists(BINDS, max_size=3)), max_size=3),
    ENDS,
    st.sampled_from(["", "  ", "\t"]),
    st.sampled_from(["", "// first", 'theme "x"']),
    st.booleans(),
)
def test_any_layout_of_the_text_is_given_back(
    blocks: list[tuple[str, list[str]]], end: str, indent: str, head: str, last: bool
) -> None:
    lines = [head, "keybinds {"]
    for mode, binds in blocks:
        lines += [f"{indent}{mode} {{", *(indent * 2 + bind for bind in binds), f"{indent}}}"]
    text = end.join([*lines, f"{indent}}}"]) + (end if last else "")
    assert take(put(text, WISHES)) == text
