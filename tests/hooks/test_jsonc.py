"""JSON with comments, read with positions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.hooks import jsonc
from opensessions.hooks.jsonc import Malformed, Node
from tests.hooks.texts import values, written


@given(written())
def test_reads_any_layout(pair: tuple[dict[str, Any], str]) -> None:
    value, text = pair
    root = jsonc.read(text).root
    assert root is not None
    assert root.value == value


@given(written())
def test_every_position_is_where_the_value_stands(pair: tuple[dict[str, Any], str]) -> None:
    text = pair[1]

    def check(node: Node) -> None:
        found = jsonc.read(text[node.start : node.end]).root
        assert found is not None
        assert found.value == node.value
        for member in node.members:
            assert member.comma is None or text[member.comma] == ","
            if member.key is not None:
                assert json.JSONDecoder().raw_decode(text, member.start)[0] == member.key
            check(member.node)

    root = jsonc.read(text).root
    assert root is not None
    check(root)


@given(st.text(max_size=60) | st.text('{}[]",:/*\\ \n1aetrufn-.', max_size=60) | st.tuples(values, st.integers(0, 40)).map(lambda pair: json.dumps(pair[0])[: pair[1]]))  # fmt: skip # noqa: E501
def test_takes_what_json_takes_and_refuses_the_rest(text: str) -> None:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        value = ...
    try:
        root = jsonc.read(text).root
    except Malformed as error:
        assert value is ...
        line = error.line
    else:
        assert value is ... or (root is not None and root.value == value)
        line = 1
    assert 1 <= line <= text.count("\n") + 1


def _refuse(name: str) -> None:
    raise ValueError(name)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', 3, "a comma or '}' is expected"),
        ('{"a": 1', 1, "a comma or '}' is expected"),
        ('{\n"a" 1}', 2, "a colon is expected after the key 'a'"),
        ("{\n\n'a': 1}", 3, "a key in double quotes is expected"),
        ('{"a": nul}', 1, "a value is expected"),
        ('{"a": 01}', 1, "a value is expected"),
        ('["a\n"]', 1, "a string does not end, or holds a control character"),
        ('["\\x"]', 1, "a string holds an escape that JSON does not know"),
        ("{} {}", 1, "something follows after the end of the value"),
        ("{\n/* }", 2, "a comment does not end"),
        ("[" * 200, 1, "it is nested more than 100 deep"),
        ("<<<<<<< HEAD", 1, "a value is expected"),
    ],
)
def test_says_what_is_wrong_and_where(text: str, line: int, what: str) -> None:
    with pytest.raises(Malformed) as caught:
        jsonc.read(text)
    assert (caught.value.line, str(caught.value)) == (line, what)


@pytest.mark.parametrize("text", ["", "  \n", "\ufeff", "// only\n/* comments */"])
def test_a_text_without_a_value(text: str) -> None:
    assert jsonc.read(text).root is None


def test_the_last_of_two_equal_keys_counts() -> None:
    root = jsonc.read('{"a": 1, "a": 2}').root
    assert root is not None
    assert root.member("a") is root.members[1].node
    assert root.member("b") is None


def test_a_number_with_more_digits_than_python_takes() -> None:
    root = jsonc.read("[" + "9" * 5000 + "]").root
    assert root is not None
    assert len(root.members) == 1
