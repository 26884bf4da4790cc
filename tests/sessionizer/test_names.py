"""Names of sessions, and paths that are typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.sessionizer.names import Asked, asked, session_name, short, unique


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/u/src/api", "api"),
        ("/home/u/src/api/", "api"),
        ("/home/u/v1.2:x", "v1_2_x"),
        ("/home/u/.config", "_config"),
        ("/", "root"),
        ("/home/u/a\x1bb\n", "a?b?"),
        ("/home/u/bad\udcff", "bad?"),
        ("/home/u/  ", "session"),
        ("/home/u/" + "x" * 200, "x" * 64),
        ("/home/u/日本 #{pid}", "日本 #{pid}"),
    ],
)
def test_a_session_is_called_after_its_folder(path: str, name: str) -> None:
    assert session_name(path) == name


@given(st.text(max_size=80))
def test_a_name_can_be_kept_and_typed(text: str) -> None:
    name = session_name("/" + text)
    assert name
    assert name.isprintable()
    assert not set(name) & set(".:/")


@given(st.sampled_from(["a", "b-2"]), st.sets(st.sampled_from(["a", "a-2", "a-3", "b-2", "b-2-2"])))
def test_a_name_is_unique(name: str, taken: set[str]) -> None:
    found = unique(name, taken)
    assert found not in taken
    assert found.startswith(name)
    assert (found == name) == (name not in taken)


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("api", None),
        ("", None),
        ("~user/x", None),
        (".config", None),
        ("~", Asked("/home/u", "/home/u", "")),
        ("~/", Asked("/home/u", "/home/u", "")),
        ("~/sr", Asked("/home/u/sr", "/home/u", "sr")),
        ("~/src/", Asked("/home/u/src", "/home/u/src", "")),
        ("/", Asked("/", "/", "")),
        ("/tm", Asked("/tm", "/", "tm")),
        ("//tm", Asked("/tm", "/", "tm")),
        (".", Asked("/here/now", "/here/now", "")),
        ("..", Asked("/here", "/here", "")),
        ("~/.", Asked("/home/u", "/home/u", ".")),
        ("/etc/..", Asked("/", "/etc", "..")),
        ("../x", Asked("/here/x", "/here", "x")),
        ("./a b", Asked("/here/now/a b", "/here/now", "a b")),
    ],
)
def test_what_a_typed_path_means(query: str, meant: Asked | None) -> None:
    assert asked(query, "/home/u", "/here/now") == meant


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_none(query: str) -> None:
    for text in (query, "/" + query, "~/" + query, "./" + query):
        meant = asked(text, "/home/u", "/here")
        assert meant is None or (meant.path.startswith("/") and meant.folder.startswith("/"))
        assert meant is None or "\0" not in meant.path


@pytest.mark.parametrize(
    ("path", "home", "said"),
    [
        ("/home/u", "/home/u", "~"),
        ("/home/u/x", "/home/u", "~/x"),
        ("/home/user", "/home/u", "/home/user"),
        ("/x", "/", "/x"),
        ("/x", "", "/x"),
    ],
)
def test_paths_as_people_write_them(path: str, home: str, said: str) -> None:
    assert short(path, home) == said
