"""Branches in the rows: what is shown where there is little room."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from opensessions.sidebar.text import width
from opensessions.sidebar.ui import Ui
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar import scenes


def shown(
    name: str,
    branch: str | None,
    dirty: bool | None = False,
    cells: int = 26,
    ascii: bool = False,
    agents: int = 0,
    **more: bool,
) -> str:
    """The row's text between its icon and the scroll mark."""
    held = [("codex", "idle")] * agents
    row = scenes.row("$1", name, 1, held, branch=branch, dirty=dirty, **more)  # type: ignore[arg-type]
    scene = replace(scenes.plain("x", width=cells), mux=scenes.mux(row))
    frame = view(scene, Ui(), ViewOptions(ascii=ascii))
    line = frame.text().splitlines()[frame.hits.index("$1")]
    assert width(line) == cells
    return line[6:-1]


@pytest.mark.parametrize(
    ("name", "branch", "dirty", "text"),
    [
        ("api", "main", False, "api            main"),
        ("api", "main", None, "api            main"),
        ("api", "main", True, "api           main*"),
        ("api", None, True, "api                "),
        ("web-frontend", "main", True, "web-frontend  main*"),
        ("web-frontend-2", "main", False, "web-frontend-2 main"),
        ("web-frontend-2", "main", True, "web-frontend-2    *"),
        ("web-frontend-23", "main", False, "web-frontend-23    "),
        ("web-frontend-of-all", "main", False, "web-frontend-of-all"),
        ("web-frontend-of-all", "main", True, "web-frontend-of-… *"),
        ("api", "feature/log-in-with-a-key", True, "api feature/log-i…*"),
        ("api", "x", False, "api               x"),
        ("日本語", "main", True, "日本語        main*"),
        ("api", "日本\x1b[2J語", False, "api      日本?[2J語"),
    ],
)
def test_a_branch_takes_what_the_name_leaves(
    name: str, branch: str | None, dirty: bool | None, text: str
) -> None:
    assert shown(name, branch, dirty) == text


def test_other_marks_stay_where_they_are() -> None:
    assert shown("api", "main", True, unseen=True) == "api •         main*"
    assert shown("api", "main", True, agents=2) == "api        main* ×2"
    assert shown("api", "main", True, agents=2, ascii=True) == "api        main* x2"
    assert shown("api", "größe", True, ascii=True) == "api          gro?e*"


def test_a_wide_row_has_it_in_the_column_of_the_name() -> None:
    assert shown("api", "main", True, 44, agents=1).split() == ["api", "main*", "codex", "1w"]


@pytest.mark.parametrize("cells", range(8, 13))
def test_where_there_is_no_room_there_is_no_branch(cells: int) -> None:
    assert "main" not in shown("api", "main", True, cells)
