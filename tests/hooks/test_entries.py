"""Our entries among the user's: every layout, and nothing else changed."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.hooks import edit, entries, jsonc
from opensessions.hooks.command import command, ours
from opensessions.hooks.entries import Layout
from opensessions.hooks.jsonc import Malformed
from tests.hooks.texts import EVENTS, documents, texts, written

OURS = {event: {"hooks": [{"type": "command", "command": command("codex", event)}]} for event in EVENTS}
BARE = {event: {"command": command("cursor", event)} for event in EVENTS}
HOOKS = Layout()
CURSOR = Layout(beside=(("version", 1),))
FLAT = Layout(under="")
layouts = st.sampled_from([HOOKS, CURSOR])
sorts = st.sampled_from([OURS, BARE])


def value(text: str) -> Any:
    root = jsonc.read(text).root
    return None if root is None else root.value


def expected(before: dict[str, Any], new: dict[str, Any], layout: Layout) -> dict[str, Any]:
    after = copy.deepcopy(before)
    for key, extra in layout.beside:
        after.setdefault(key, extra)
    events = after.setdefault(layout.under, {}) if layout.under else after
    for event, entry in new.items():
        events.setdefault(event, []).append(entry)
    return after


@given(written(), sorts, layouts)
def test_what_is_put_in_stands_there_and_nothing_else_changed(
    pair: tuple[dict[str, Any], str], new: dict[str, Any], layout: Layout
) -> None:
    before, text = pair
    done = entries.put(text, new, layout)
    assert value(done.text) == expected(before, new, layout)
    assert edit.without(done.text, done.spans) == text
    assert sorted(entries.found(jsonc.read(done.text), layout), key=str) == sorted(new.items(), key=str)


@given(written(), sorts, layouts)
def test_what_is_taken_out_leaves_what_was(
    pair: tuple[dict[str, Any], str], new: dict[str, Any], layout: Layout
) -> None:
    before, text = pair
    left = entries.take(entries.put(text, new, layout).text, layout, entries.empty(text, layout))
    assert {
        key: each for key, each in value(left).items() if (key, each) not in layout.beside or key in before
    } == before
    for comment in re.findall(r"// (?:note|end)", text):
        assert left.count(comment) == text.count(comment)


@given(written(), written())
def test_what_the_user_adds_in_between_stays(
    pair: tuple[dict[str, Any], str], other: tuple[dict[str, Any], str]
) -> None:
    before, text = pair
    added = {event: {"hooks": [{"command": "mine"}, {"command": "too"}]} for event in (*EVENTS[:2], "New")}
    first = entries.put(text, OURS, HOOKS).text
    both = entries.put(first, added, HOOKS).text
    left = entries.take(both, HOOKS, entries.empty(text, HOOKS))
    after = value(left)
    assert not list(entries.found(jsonc.read(left), HOOKS))
    for event, entry in added.items():
        assert after["hooks"][event] == [*before.get("hooks", {}).get(event, []), entry]
    assert {key: each for key, each in after.items() if key != "hooks"} == {
        key: each for key, each in before.items() if key != "hooks"
    }


@given(documents().flatmap(lambda each: st.tuples(st.just(each), texts(each))), st.integers(0, 2))
def test_a_hook_of_ours_in_a_group_of_the_users_goes_alone(
    pair: tuple[dict[str, Any], str], place: int
) -> None:
    before = pair[0]
    mine = [{"command": "a"}, {"command": "b"}]
    mine.insert(place, OURS["Stop"]["hooks"][0])
    before["hooks"] = {"Stop": [{"matcher": "*", "hooks": mine}]}
    for text in (jsonc.json.dumps(before), jsonc.json.dumps(before, indent=2)):
        after = value(entries.take(text, HOOKS))
        assert after["hooks"] == {"Stop": [{"matcher": "*", "hooks": [{"command": "a"}, {"command": "b"}]}]}


@given(written())
def test_a_file_without_ours_is_not_touched(pair: tuple[dict[str, Any], str]) -> None:
    assert entries.take(pair[1], HOOKS) == pair[1]


@pytest.mark.parametrize("text", ["", "\n", "  \n\n", "// nothing yet", "/* nothing */\n", "\ufeff"])
@pytest.mark.parametrize("layout", [HOOKS, CURSOR, FLAT])
def test_an_empty_file(text: str, layout: Layout) -> None:
    done = entries.put(text, OURS, layout)
    assert value(done.text) == expected({}, OURS, layout)
    assert edit.without(done.text, done.spans) == text


def test_events_at_the_top_of_the_file() -> None:
    text = '{"Stop": [{"hooks": [{"command": "mine"}]}]}'
    done = entries.put(text, OURS, FLAT)
    assert value(done.text) == expected(value(text), OURS, FLAT)
    assert entries.take(done.text, FLAT) == text


def test_the_layout_is_the_users() -> None:
    text = '{\n\t"model": "x", // mine\n\t"hooks": {\n\t\t"Stop": [\n\t\t\t{"hooks": []}, // one\n\t\t],\n\t},\n}\n'
    new = {"Stop": {"command": "opensessions-hook"}, "Other": {"command": "opensessions-hook"}}
    assert entries.put(text, new, HOOKS).text == (
        '{\n\t"model": "x", // mine\n\t"hooks": {\n\t\t"Stop": [\n\t\t\t{"hooks": []}, // one\n'
        '\t\t\t{\n\t\t\t\t"command": "opensessions-hook"\n\t\t\t}\n\t\t],\n'
        '\t\t"Other": [\n\t\t\t{\n\t\t\t\t"command": "opensessions-hook"\n\t\t\t}\n\t\t]\n\t},\n}\n'
    )
    assert entries.put('{"a":1}', {"Stop": {"command": "opensessions-hook"}}, HOOKS).text == (
        '{"a":1, "hooks": {"Stop": [{"command": "opensessions-hook"}]}}'
    )


def test_empty_lists_of_the_users_stay_where_they_are_known() -> None:
    text = '{"hooks": {"Stop": [], "Other": []}}'
    done = entries.put(text, OURS, HOOKS).text
    assert entries.empty(text, HOOKS) == {"Stop", "Other"}
    assert value(entries.take(done, HOOKS, entries.empty(text, HOOKS))) == value(text)
    assert value(entries.take(done, HOOKS)) == {"hooks": {"Other": []}}
    assert value(entries.take(entries.put('{"hooks": {}}', OURS, HOOKS).text, HOOKS, frozenset({""}))) == {
        "hooks": {}
    }


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("[]", 1, "the file is no object"),
        ('{\n"hooks": []}', 2, "'hooks' is no object"),
        ('{\n"hooks": {\n"Stop": {}}}', 3, "'Stop' is no list"),
    ],
)
def test_a_file_with_no_place_for_ours(text: str, line: int, what: str) -> None:
    with pytest.raises(Malformed) as caught:
        entries.put(text, OURS, HOOKS)
    assert (caught.value.line, str(caught.value)) == (line, what)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (command("codex", "Stop"), True),
        ("/old/version opensessions-hook codex", True),
        ("// opensessions-hook: tells", True),
        ("python ~/my-opensessions-hook.py", False),
        ("~/src/opensessions-hook/run", False),
        ("opensessions-hooks", False),
        (None, False),
        (["opensessions-hook"], False),
    ],
)
def test_ours_are_told_by_the_marker(text: object, known: bool) -> None:
    assert ours(text) is known
