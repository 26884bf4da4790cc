from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opensessions_zellij import kdl
from opensessions_zellij.kdl import Malformed, Node, quoted, read

DATA = Path(__file__).parent / "data"


def one(text: str) -> Node:
    (node,) = read(text)
    return node


def test_a_node_has_arguments_properties_and_children() -> None:
    node = one('pane "a" 1.5 true size=2 name="x y" { inner; other null }\n')
    assert node.arguments == ("a", "1.5", True)
    assert node.properties == (("size", "2"), ("name", "x y"))
    assert node.property("name") == "x y"
    assert node.property("absent") is None
    assert [child.name for child in node.children or ()] == ["inner", "other"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("a\nb;c // d\n/* e */ f /* g /* nested */ */ 1\r\nh", ["a", "b", "c", "f", "h"]),
        ("/- gone { deep; }\nstays", ["stays"]),
        ("a /- 1 /-{ b; } 2\nc", ["a", "c"]),
        ("a \\ // on the next line\n  1\nb", ["a", "b"]),
        ("(type)a (u8)1 b=(f)2\n", ["a"]),
        ('"quoted name" 1\nr#"raw "name""#\n', ["quoted name", 'raw "name"']),
        ("\ufeffa\u2028b\u0085c\fd", ["a", "b", "c", "d"]),
        ("a{b;}\nc", ["a", "c"]),
    ],
)  # fmt: skip
def test_what_stands_between_nodes(text: str, names: list[str]) -> None:
    assert [node.name for node in read(text)] == names


def test_texts_are_read_with_their_escapes() -> None:
    assert one(r'a "q\" b\\ s\/ n\n t\t u\u{41}"').arguments == ('q" b\\ s/ n\n t\t uA',)
    assert one('a r"no \\n escape" r#"with " mark"#').arguments == ("no \\n escape", 'with " mark')
    assert one('a "two\nlines"').arguments == ("two\nlines",)


def test_places_are_those_in_the_text() -> None:
    text = 'first 1\n  second "é" {\n    inner;\n  } // end\nthird'
    _, second, third = read(text)
    assert text[second.start : second.end] == 'second "é" {\n    inner;\n  } // end\n'
    assert text[second.inside[0] - 1 : second.inside[1] + 1] == "{\n    inner;\n  }"
    inner = (second.children or ())[0]
    assert text[inner.start : inner.end] == "inner;"
    assert text[third.start : third.end] == "third"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a\nb {\n  c;\n", 2, "no `}`"),
        ("a\n}\n", 2, "closes nothing"),
        ('a\r\nb "x\n', 2, "no end"),
        ('a r#"x"\n', 1, "no end"),
        ("a\n\n/* b", 3, "no `*/`"),
        ("a b\n", 1, "`b` needs quotation marks"),
        ("a b=c\n", 1, "`c` needs quotation marks"),
        ("a { b; } 1\n", 1, "behind the block"),
        ("a { b; } { c; }\n", 1, "two blocks"),
        ("a \\ b\n", 1, "end of a line only"),
        ("a (t 1\n", 1, "no `)`"),
        (r'a "\x"', 1, "escapes nothing"),
        (r'a "\u{110000}"', 1, "escapes nothing"),
        ("=", 1, "not expected"),
        ("/-", 1, "too early"),
        ("x{" * 200, 1, "too many"),
        ("/-" * 2000, 1, "too many"),
    ],
)  # fmt: skip
def test_what_is_no_kdl_is_said_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(Malformed) as raised:
        read(text)
    assert raised.value.line == line
    assert words in str(raised.value)


@pytest.mark.parametrize("name", ["default-0.45.1.kdl", "unlock-first-0.45.1.kdl"])
def test_zellijs_own_files_are_read(name: str) -> None:
    keybinds = read((DATA / name).read_text())[0]
    assert keybinds.name == "keybinds"
    assert {"session", "pane"} <= {block.name for block in keybinds.children or ()}


@given(st.text())
@example('"\\\n\x00\u2028é')
def test_a_quoted_text_is_read_back(text: str) -> None:
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        return
    line = f"a {quoted(text)}"
    assert "\n" not in line
    assert one(line).arguments == (text,)


@given(st.text(alphabet="a1 \n\"\\{}()/-*;=r#'\ufeff", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        nodes = read(text)
    except Malformed:
        return
    assert all(0 <= node.start < node.end <= len(text) for node in nodes)


def test_deep_blocks_do_not_end_the_reader() -> None:
    depth = kdl.DEEPEST - 1
    assert read("a{" * depth + "b;" + "}" * depth)
