"""What is typed, and which rows that means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.sessionizer.places import Place, of_folder
from opensessions.sessionizer.rank import distance, matched

HOME = "/home/u"
PLACES = tuple(
    of_folder("folder", f"{HOME}/{path}", HOME)
    for path in (
        "src/api-server",
        "src/server",
        "src/my-api",
        "src/rapid",
        "code/api",
        "old/a-p-i",
        "api/notes",
    )
)


def names(query: str) -> list[str]:
    return [place.name for place in matched(query, PLACES)]


def test_nothing_typed_leaves_all_as_it_is() -> None:
    assert matched("", PLACES) == matched("  ", PLACES) == PLACES


def test_the_likeliest_comes_first() -> None:
    assert names("api") == ["api", "api-server", "my-api", "rapid", "notes", "a-p-i"]


def test_every_word_must_occur_and_case_does_not_matter() -> None:
    assert names("API Serv") == ["api-server"]
    assert names("code api") == ["api"]
    assert names("xyz") == []
    assert names("notes api") == ["notes"]


@pytest.mark.parametrize(
    ("word", "text", "far"),
    [
        ("api", "api", 0), ("api", "apis", 1), ("api", "my-api", 2), ("api", "rapid-api", 2), ("api", "rapid", 3),
        ("api", "a-p-i", 8), ("api", "pia", None), ("", "x", 1),
    ],
)  # fmt: skip
def test_distances(word: str, text: str, far: int | None) -> None:
    assert distance(word, text) == far


TEXTS = st.text("ab-/ .é", max_size=8)


@given(st.lists(TEXTS, max_size=8), TEXTS, st.sampled_from("ab-é"))
def test_more_letters_never_bring_rows_back(paths: list[str], query: str, more: str) -> None:
    places = tuple(Place("folder", f"/{n}/{path}", path, "/x") for n, path in enumerate(paths))
    found = matched(query, places)
    assert set(found) <= set(places)
    assert len(set(found)) == len(found)
    assert set(matched(query + more, places)) <= set(found)
