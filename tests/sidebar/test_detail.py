"""The detail as a picture, and what keys and the mouse do with it. The golden ones are text under golden_detail/;
OPENSESSIONS_UPDATE_GOLDEN=1 writes them anew: look at the diff."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import (
    URGENCY,
    Agent,
    Entry,
    Group,
    Inventory,
    Link,
    Metadata,
    Pane,
    Progress,
    Session,
    Status,
    Window,
)
from opensessions.sidebar.detail import (
    LEAST,
    LEAST_SCREEN,
    MOST,
    ROWS,
    Detail,
    Nothing,
    Subject,
    panel,
)
from opensessions.sidebar.entries import far_key, group_key, pane_key, window_key
from opensessions.sidebar.facts import NO_AGENT, TONES, Takes, ago, memory
from opensessions.sidebar.flow import flow
from opensessions.sidebar.frame import ASCII, UNICODE, Line, Wants
from opensessions.sidebar.intents import Go, Say, ShowDetail, SizeDetail
from opensessions.sidebar.keys import Key, Mouse
from opensessions.sidebar.others import FarRow, Other
from opensessions.sidebar.scene import Scene, Ui, shape
from opensessions.sidebar.subject import about_panes, about_session, subject_of
from opensessions.sidebar.text import clean, width
from opensessions.sidebar.theme import ROLES
from opensessions.sidebar.ui import press, settle
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import NAMES, UIS, busy, mux, plain, row, scene, scenes

GOLDEN = Path(__file__).parent / "golden_detail"
HOME = "/home/u"
NOW = 1_800_000_000.0

CLAUDE = Agent(
    "a", "claude-code", "%7", 42, "waiting", since=NOW - 500, title="Fix the login form", background=2,
    prompt="Please look at the login form and say why the second field loses the focus when it is clicked twice",
    waiting_for="permission prompt",
)  # fmt: skip
CODEX = Agent("b", "codex", "%8", 43, "hibernated", liveness="exited", since=NOW - 7300)
SAID = Metadata(
    Status("deploying to staging", "warn"),
    Progress(4, 10, None, "tests"),
    tuple(Entry(f"step {number} is done", "success", "ci", NOW) for number in range(5)),
)
API = replace(
    row("$1", "api", 1, dir="/home/u/src/api", branch="feature/login-form", dirty=True),
    worktree="fix-42", ports=(3000, 8080, 9229), agents=(CODEX, CLAUDE), metadata=SAID, state="waiting",
)  # fmt: skip
SCREEN = tuple(f"line {number} of what stands on the screen" for number in range(20))
KNOWN = Detail(10, NOW, None, {"a": Takes(3, 310)}, {"%7": SCREEN, "%8": ()})
RESUMES = {"b": "codex resume 0199b3f0-77aa"}

PICTURES: dict[str, tuple[Subject | Nothing, Detail, int, int]] = {
    "session": (Subject(API, (CLAUDE, CODEX), "%7", dir=API.dir), KNOWN, 0, 10),
    "high": (Subject(API, (CLAUDE, CODEX), "%7", dir=API.dir), KNOWN, 0, 32),
    "scrolled": (Subject(API, (CLAUDE, CODEX), "%7", dir=API.dir), KNOWN, 6, 10),
    "agent": (Subject(API, (CLAUDE,), "%7", "claude-code %7", API.dir), KNOWN, 0, 14),
    "not-known-yet": (Subject(API, (CLAUDE,), "%7", "claude-code %7", API.dir), Detail(18, NOW), 0, 18),
    "no-agent": (Subject(row("$2", "docs", 2), (), "%8", dir="/srv/docs"), KNOWN, 0, 10),
    "ended": (
        Subject(API, (replace(CLAUDE, liveness="exited", state="interrupted", waiting_for=None),), dir="/"),
        KNOWN, 0, 14,
    ),
    "nothing": (Nothing(), KNOWN, 0, 6),
    "heading": (Nothing("shop", "3 sessions in the working trees of /srv/shop. Move to one."), KNOWN, 0, 8),
    "small": (Subject(API, (CLAUDE, CODEX), "%7", dir=API.dir), KNOWN, 0, 4),
}  # fmt: skip


def text(lines: tuple[Line, ...]) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


@pytest.mark.parametrize("look", ["unicode", "ascii"])
@pytest.mark.parametrize("name", PICTURES)
def test_golden(name: str, look: str) -> None:
    subject, known, top, rows = PICTURES[name]
    glyphs = ASCII if look == "ascii" else UNICODE
    pictures = []
    for columns in (20, 26, 60):
        drawn = panel(subject, known, top, columns, rows, glyphs, HOME, RESUMES)
        pictures.append("\n".join([f"{columns} columns", *(f"|{line}|" for line in text(drawn.lines))]))
    made = "\n\n".join(pictures) + "\n"
    file = GOLDEN / f"{name}.{look}.txt"
    if os.environ.get("OPENSESSIONS_UPDATE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text()


def test_no_golden_picture_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{name}.{look}.txt" for name in PICTURES for look in ("unicode", "ascii")
    }


# --- any text, any size -----------------------------------------------------------------------------------------

MAYBE = st.one_of(st.none(), NAMES)
LONG = st.one_of(NAMES, st.builds(lambda text, times: text * times, NAMES, st.integers(1, 40)))
AGENTS = st.builds(
    Agent,
    id=st.sampled_from("abc"),
    agent=NAMES,
    pane=st.sampled_from(["%1", "%2"]),
    pid=st.just(1),
    state=st.sampled_from(URGENCY),
    liveness=st.sampled_from(["alive", "exited", "unknown"]),
    background=st.integers(0, 3),
    title=MAYBE,
    prompt=st.one_of(st.none(), LONG),
    waiting_for=MAYBE,
    since=st.sampled_from([0.0, NOW, NOW - 59, NOW - 86_400 * 9, NOW + 500]),
)
NUMBERS = st.one_of(st.none(), st.integers(0, 10**12), st.floats(0, 1e9))
SAYINGS = st.builds(
    Metadata,
    st.one_of(st.none(), st.builds(Status, NAMES, st.sampled_from(sorted(TONES)))),
    st.one_of(st.none(), st.builds(Progress, NUMBERS, NUMBERS, st.floats(0, 1), MAYBE)),
    st.lists(st.builds(Entry, LONG, st.sampled_from(sorted(TONES)), MAYBE, st.just(1.0)), max_size=5).map(
        tuple
    ),
)
SUBJECTS = st.builds(
    Subject,
    row=st.builds(
        lambda name, branch, tree, ports, said: replace(
            row("$1", name, 1), branch=branch, worktree=tree, ports=tuple(ports), metadata=said
        ),
        NAMES, MAYBE, MAYBE, st.lists(st.integers(1, 65535), max_size=30), SAYINGS,
    ),
    agents=st.lists(AGENTS, max_size=4).map(tuple),
    pane=st.sampled_from(["", "%1", "%2"]),
    part=NAMES,
    dir=LONG,
)  # fmt: skip
KNOWNS = st.builds(
    Detail,
    st.integers(0, 70),
    st.just(NOW),
    st.none(),
    st.dictionaries(
        st.sampled_from("abc"), st.builds(Takes, st.none() | st.integers(0, 900), st.none() | st.integers(0))
    ),
    st.dictionaries(st.sampled_from(["%1", "%2"]), st.lists(LONG, max_size=30).map(tuple)),
)


def to_measure(lines: tuple[Line, ...], cells: int, ascii: bool) -> None:
    for line in lines:
        assert sum(width(span.text) for span in line) == cells
        for span in line:
            assert span.text
            assert all(char.isprintable() or char == "\u200d" for char in span.text)
            assert not ascii or span.text.isascii()
            assert set(span.style.split()) <= set(ROLES)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.builds(Nothing, NAMES, LONG), SUBJECTS),
    KNOWNS, st.integers(0, 40), st.integers(1, 90), st.integers(1, 70),
    st.booleans(), st.dictionaries(st.sampled_from("abc"), LONG),
)  # fmt: skip
def test_every_panel_is_to_measure(
    subject: Subject | Nothing,
    known: Detail,
    top: int,
    cells: int,
    rows: int,
    ascii: bool,
    resumes: dict[str, str],
) -> None:
    drawn = panel(subject, known, top, cells, rows, ASCII if ascii else UNICODE, HOME, resumes)
    assert len(drawn.lines) == len(drawn.panes) == rows
    to_measure(drawn.lines, cells, ascii)
    links = {span.port for line in drawn.lines for span in line if span.port}
    assert links <= set(subject.row.ports if isinstance(subject, Subject) else ())
    assert drawn.most == 0 or drawn.most < 400


@settings(max_examples=100, deadline=None)
@given(scenes(), UIS, KNOWNS, st.booleans())
def test_a_sidebar_with_a_detail_is_to_measure(there: Scene, ui: Ui, known: Detail, ascii: bool) -> None:
    there = replace(there, detail=known)
    frame = view(there, ui, ViewOptions(ascii, HOME))
    assert len(frame.lines) == len(frame.hits) == there.height
    to_measure(frame.lines, there.width, ascii)
    form = shape(settle(ui, there), there)
    if form.detail:
        assert form.rows >= ROWS
        assert LEAST <= form.detail <= max(LEAST, known.height)
        assert there.height >= LEAST_SCREEN
        below = there.height - form.footer - form.detail
        assert not any(frame.hits[below:])
    else:
        assert frame.wants == Wants()


@settings(max_examples=150, deadline=None)
@given(LONG, st.integers(1, 60), st.integers(1, 5))
def test_flowing_text_loses_nothing_but_what_an_ellipsis_stands_for(said: str, cells: int, most: int) -> None:
    lines = [line[0].text for line in flow(said, cells, most, "name", UNICODE)]
    assert len(lines) <= most
    assert all(0 < width(line) <= cells for line in lines)
    whole = "".join(clean(said[:401]).split())
    if cells > 2 and lines and not lines[-1].endswith("…"):
        assert "".join("".join(lines).split()) == whole


# --- what it tells ----------------------------------------------------------------------------------------------


def told(subject: Subject, known: Detail = KNOWN, columns: int = 60, rows: int = 40) -> str:
    return "\n".join(text(panel(subject, known, 0, columns, rows, UNICODE, HOME, RESUMES).lines))


def test_its_height_depends_on_nothing_that_it_tells() -> None:
    for rows in (4, 10, 30):
        drawn = [
            panel(subject, known, 0, 26, rows, UNICODE, HOME, {})
            for subject in (
                Nothing(),
                Subject(API, ()),
                Subject(API, (CLAUDE,), "%7"),
                Subject(API, (CLAUDE,), "%9"),
            )
            for known in (KNOWN, Detail(10))
        ]
        assert {len(each.lines) for each in drawn} == {rows}


def test_what_comes_late_moves_nothing() -> None:
    subject = Subject(API, (CLAUDE, CODEX), "%7", dir=API.dir)
    early = text(panel(subject, Detail(20, NOW), 0, 60, 20, UNICODE, HOME, RESUMES).lines)
    late = text(panel(subject, KNOWN, 0, 60, 20, UNICODE, HOME, RESUMES).lines)
    rule = next(place for place, line in enumerate(early) if "╌" in line)
    assert late[rule] == early[rule]
    different = [place for place in range(rule) if early[place] != late[place]]
    assert [early[place].split()[0] for place in different] == ["mem"]


def test_each_port_is_a_link_to_itself_and_nothing_else_is() -> None:
    subject = Subject(replace(API, name="http://evil", ports=(80, 65535)), (CLAUDE,), dir="/http://evil")
    lines = panel(subject, KNOWN, 0, 60, 20, UNICODE, HOME, {}).lines
    assert [(span.text, span.port) for line in lines for span in line if span.port] == [
        (":80", 80),
        (":65535", 65535),
    ]


def test_of_many_ports_some_are_counted() -> None:
    subject = Subject(replace(API, ports=tuple(range(10_000, 10_030))), ())
    lines = text(panel(subject, KNOWN, 0, 20, 30, UNICODE, HOME, {}).lines)
    ports = [line for line in lines if ":1" in line]
    assert len(ports) == 2
    shown = sum(line.count(":") for line in ports)
    assert ports[1].rstrip().rstrip("▐ ").endswith(f"+{30 - shown}")


def test_a_detail_without_an_agent_says_what_to_do() -> None:
    said = told(Subject(API, ()), columns=80)
    assert "No agent runs here. Start one in a pane: it shows up by itself." in said
    assert NO_AGENT.split()[-2:] == [
        word for word in told(Subject(API, ()), columns=15).split() if word in ("by", "itself.")
    ]
    assert "No session is chosen." in "\n".join(
        text(panel(Nothing(), KNOWN, 0, 60, 5, UNICODE, HOME, {}).lines)
    )


def test_an_agent_tells_everything_that_is_known_of_it() -> None:
    said = told(Subject(API, (CLAUDE, CODEX)))
    for words in (
        "! claude-code waits", " 8m", "permission prompt", "Fix the login form", "> Please look at the login form",
        "2 in background", "mem 310M, cpu 3%", "z codex hibernates", " 2h", "codex resume 0199b3f0-77aa",
    ):  # fmt: skip
        assert words in said, words


def test_what_scripts_said_belongs_to_the_session_alone() -> None:
    assert "deploying to staging" in told(Subject(API, (CLAUDE,)))
    assert "✓ ci: step 4 is done" in told(Subject(API, (CLAUDE,)))
    assert "4/10 tests" in told(Subject(API, (CLAUDE,)))
    assert "deploying" not in told(Subject(API, (CLAUDE,), part="claude-code %7"))


def test_every_state_and_every_tone_is_told_without_colour() -> None:
    shown = {told(Subject(row("$1", "a", 1), (replace(CODEX, state=state, liveness="alive", since=0.0),)))
             for state in URGENCY}  # fmt: skip
    assert len(shown) == len(URGENCY)
    loud = {
        told(Subject(replace(API, metadata=Metadata(Status("x", tone))), ()))
        for tone in ("warn", "error", "success")
    }
    assert len(loud) == 3


def test_ages_and_sizes() -> None:
    assert [ago(each) for each in (-5, 59, 60, 3599, 3600, 47 * 3600, 48 * 3600, 9e6)] == [
        "now", "now", "1m", "59m", "1h", "47h", "2d", "104d"]  # fmt: skip
    assert [memory(each) for each in (0, 310, 999, 1000, 4096)] == ["<1M", "310M", "999M", "1.0G", "4.0G"]


def test_it_wants_what_it_has_room_for() -> None:
    subject = Subject(API, (CLAUDE, CODEX), "%7")
    assert panel(subject, KNOWN, 0, 26, 10, UNICODE, HOME, {}).wants == Wants("%7", ("a",), True)
    assert panel(subject, KNOWN, 0, 26, 4, UNICODE, HOME, {}).wants.pane == ""
    quiet = Subject(API, (replace(CODEX, since=0.0),))
    assert panel(quiet, KNOWN, 0, 26, 10, UNICODE, HOME, {}).wants == Wants()


# --- what it is about -------------------------------------------------------------------------------------------


def pane(id: str, window: str, active: bool = False, mark: str = "") -> Pane:
    return Pane(id, window, 1, active, title=f"title of {id}", path=f"/at/{id}", mark=mark)


INVENTORY = Inventory(
    1, 1, "",
    (
        Session("$1", "api", links=(Link("@1", 0, True), Link("@2", 1))),
        Session("$2", "web", links=(Link("@3", 0, True),)),
    ),
    {
        "@1": Window("@1", panes=(pane("%1", "@1", True, "o" * 32), pane("%2", "@1"), pane("%3", "@1"))),
        "@2": Window("@2", panes=(pane("%7", "@2", True),)),
        "@3": Window("@3", panes=(pane("%8", "@3", True),)),
    },
)  # fmt: skip


def test_the_most_urgent_agents_screen_is_the_sessions() -> None:
    found = about_session(API, INVENTORY, "$2")
    assert [agent.id for agent in found.agents] == ["a", "b"]
    assert (found.pane, found.part, found.dir) == ("%7", "", API.dir)


def test_without_agents_it_is_the_one_that_has_the_focus_but_never_a_sidebar() -> None:
    assert about_session(replace(API, agents=()), INVENTORY, "$2").pane == "%2"
    assert about_session(replace(API, agents=()), None, "$2").pane == ""
    assert about_session(row("$9", "gone", 3), INVENTORY, "$2").pane == ""


def test_a_pane_that_is_on_the_screen_is_not_shown_twice() -> None:
    bare = replace(API, agents=())
    assert about_session(bare, INVENTORY, "$1").pane == ""
    assert about_session(API, INVENTORY, "$1").pane == "%7"  # in another window of the same session
    zoomed = replace(
        INVENTORY, windows={**INVENTORY.windows, "@1": replace(INVENTORY.windows["@1"], zoomed=True)}
    )
    assert about_session(bare, zoomed, "$1").pane == "%2"


def test_panes_have_the_agents_in_them() -> None:
    found = about_panes(API, ["%7"], "", INVENTORY, "$2")
    assert (found.agents, found.pane, found.part, found.dir) == ((CLAUDE,), "%7", "claude-code %7", "/at/%7")
    assert about_panes(API, ["%3"], "", INVENTORY, "$2").part == "title of %3 %3"
    both = about_panes(API, ["%3", "%7"], "editor", INVENTORY, "$2")
    assert (both.agents, both.pane, both.part) == ((CLAUDE,), "%7", "editor")
    gone = about_panes(API, ["%99"], "", INVENTORY, "$2")
    assert (gone.agents, gone.pane, gone.part, gone.dir) == ((), "", "%99", API.dir)


def test_the_cursor_on_a_window_or_a_pane() -> None:
    where = replace(scene(26, 30, mux(API)), detail=replace(KNOWN, inventory=INVENTORY), current="$2")

    def about(key: str) -> tuple[str, str]:
        found = subject_of(Ui(cursor=key), where)
        assert isinstance(found, Subject)
        return found.part, found.pane

    assert about("$1") == ("", "%7")
    assert about(pane_key("$1", "%3")) == ("title of %3 %3", "%3")
    assert about(window_key("$1", "@2")) == ("claude-code %7", "%7")
    named = replace(
        INVENTORY, windows={**INVENTORY.windows, "@1": replace(INVENTORY.windows["@1"], name="edit")}
    )
    where = replace(where, detail=replace(KNOWN, inventory=named))
    assert about(window_key("$1", "@1")) == ("edit", "%2")
    assert subject_of(Ui(cursor=group_key("/repo")), where) == Nothing()
    headed = replace(where, mux=replace(where.mux, groups=(Group("/repo", "shop", False, ("$1", "$2")),)))
    heading = subject_of(Ui(cursor=group_key("/repo")), headed)
    assert isinstance(heading, Nothing)
    assert heading.title == "shop"
    assert heading.said.startswith("2 sessions in the working trees of /repo.")


def test_where_nothing_is_listed_nothing_is_told() -> None:
    where = replace(scene(26, 30, mux(API)), detail=replace(KNOWN, inventory=INVENTORY), current="$2")
    assert isinstance(subject_of(Ui(cursor="$1", filter=API.name), where), Subject)
    unmatched = subject_of(Ui(cursor="$1", filter="qqq"), where)
    assert isinstance(unmatched, Nothing)
    assert unmatched.said == "Nothing is listed: nothing is told here."


def test_the_cursor_on_a_session_elsewhere() -> None:
    far = FarRow("$1", "there", "waiting", False, (("codex", "waiting", False), ("amp", "done", True)))
    where = replace(
        there(), others=(Other("zellij", "zellij", False, (far, FarRow("b", "bare", None, False, ()))),)
    )
    found, bare = (subject_of(Ui(cursor=far_key("zellij", id)), where) for id in ("$1", "b"))
    assert found == Nothing("there", "A session of zellij. codex waits, amp ended.")
    assert bare == Nothing("bare", "A session of zellij. No agent runs there.")


# --- keys and the mouse -----------------------------------------------------------------------------------------


def there(height: int = 30, wished: int = 10, shown: bool = True) -> Scene:
    known = Detail(wished, NOW, None, {}, {})
    return replace(scene(26, height, mux(API, row("$2", "web", 2))), detail=known if shown else None)


def after(key: str, where: Scene, ui: Ui | None = None) -> tuple[Ui, tuple[object, ...]]:
    return press(ui or Ui(), Key(key, key), where)


def test_i_opens_and_closes_it() -> None:
    assert after("i", there(shown=False))[1] == (ShowDetail(True),)
    assert after("i", there())[1] == (ShowDetail(False),)


def test_where_there_is_no_room_it_says_so() -> None:
    for height in (2, 8, LEAST_SCREEN - 1):
        (said,) = after("i", there(height, shown=False))[1]
        assert isinstance(said, Say)
        assert "12 lines" in said.text
    assert after("i", there(LEAST_SCREEN, shown=False))[1] == (ShowDetail(True),)


def test_it_leaves_three_rows_and_has_four_lines_or_none() -> None:
    for height in range(60):
        for wished in (4, 10, 60):
            form = shape(Ui(), there(height, wished))
            assert form.detail == 0 or (form.detail >= LEAST and form.rows >= ROWS)
            assert (form.detail > 0) == (height >= LEAST_SCREEN)
            assert form.first + form.rows + form.detail + form.footer == max(height, form.first + form.footer)


def test_help_and_themes_have_all_the_room() -> None:
    assert shape(Ui(help=True), there()).detail == 0
    opened, _ = press(Ui(), Key("T", "T"), replace(there(), themes=("nord", "ansi"), theme="nord"))
    assert opened.picker
    assert shape(opened, there()).detail == 0


def test_plus_and_minus_size_it_within_bounds() -> None:
    assert after("+", there())[1] == (SizeDetail(11),)
    assert after("-", there())[1] == (SizeDetail(9),)
    assert after("-", there(wished=LEAST))[1] == (SizeDetail(LEAST),)
    full = shape(Ui(), there(30, MOST)).detail
    assert after("+", there(30, MOST))[1] == (SizeDetail(full),)
    assert after("+", there(shown=False)) == (settle(Ui(), there(shown=False)), ())


def border(where: Scene) -> int:
    form = shape(Ui(), where)
    return where.height - form.footer - form.detail


def test_its_border_follows_the_mouse_and_is_kept_when_that_lets_go() -> None:
    where = there()
    y = border(where)
    ui, wanted = press(Ui(), Mouse("press", 1, 3, y), where)
    assert (ui.gripped, wanted) == (y + 1, ())
    ui, wanted = press(ui, Mouse("drag", 1, 3, y - 4), where)
    assert wanted == (SizeDetail(14, keep=False),)
    where = there(wished=14)
    assert press(ui, Mouse("drag", 1, 3, y - 4), where)[1] == ()
    assert press(ui, Mouse("drag", 1, 3, 0), where)[1] == (SizeDetail(24, keep=False),)
    assert press(ui, Mouse("drag", 1, 3, 29), where)[1] == (SizeDetail(LEAST, keep=False),)
    ui, wanted = press(ui, Mouse("release", 1, 3, y - 5), where)
    assert (ui.gripped, wanted) == (0, (SizeDetail(15, keep=True),))
    assert press(ui, Mouse("drag", 1, 3, y - 9), where)[1] == ()


@pytest.mark.parametrize("y", [0, 2, 10, 21, 29])
def test_a_lost_release_does_not_keep_the_border_gripped(y: int) -> None:
    where = there()
    gripped, _ = press(Ui(), Mouse("press", 1, 3, border(where)), where)
    ui, _ = press(gripped, Mouse("press", 1, 25, y), where)
    assert not ui.gripped
    assert press(ui, Mouse("drag", 1, 25, 5), where)[1] == ()
    assert not any(isinstance(each, SizeDetail) for each in press(ui, Mouse("release", 1, 25, y), where)[1])
    ui, _ = press(gripped, Key("j", "j"), where)
    assert press(ui, Mouse("release", 1, 25, y), where)[1] == ()


def test_the_cross_closes_it() -> None:
    where = there()
    (line,) = text((view(where, Ui(), ViewOptions()).lines[border(where)],))
    cross = line.index(UNICODE.times)
    assert press(Ui(), Mouse("press", 1, cross, border(where)), where)[1] == (ShowDetail(False),)


def test_a_click_on_an_agent_or_on_its_screen_goes_there() -> None:
    known = Detail(20, NOW, INVENTORY, {}, {"%7": SCREEN})
    where = replace(scene(26, 40, mux(API)), detail=known, current="$2")
    lines = view(where, Ui(), ViewOptions()).text().split("\n")

    def click(what: str, modifiers: str = "", button: int = 1) -> tuple[object, ...]:
        y = next(y for y, line in enumerate(lines) if what in line and y >= border(where))
        return press(Ui(), Mouse("press", button, 3, y, modifiers), where)[1]

    for what in ("claude-code", "permission prompt", "line 19"):
        assert click(what) == (Go("$1", "%7"),)
        assert click(what, "ctrl-") == ()
        assert click(what, button=2) == ()
    assert click("codex hib") == (Go("$1", "%8"),)
    for what in ("/home/u/src/api", ":3000", " feature/"):
        assert click(what) == ()


def test_a_click_on_what_has_ended_goes_nowhere() -> None:
    ended = replace(API, agents=(replace(CLAUDE, liveness="exited", state="done", waiting_for=None),))
    where = replace(scene(26, 40, mux(ended)), detail=Detail(20, NOW))
    for y in range(border(where), where.height - 1):
        assert press(Ui(), Mouse("press", 1, 3, y), where)[1] == ()


def test_a_row_that_is_dragged_may_come_by() -> None:
    where = there()
    ui, _ = press(Ui(), Mouse("press", 1, 3, 3), where)
    ui, wanted = press(ui, Mouse("drag", 1, 3, border(where)), where)
    ui, more = press(ui, Mouse("release", 1, 3, border(where)), where)
    assert (wanted, more, ui.gripped, ui.drag) == ((), (), 0, None)


def test_it_scrolls_by_key_and_wheel_and_from_the_top_for_another_row() -> None:
    where = there(wished=8)
    first = view(where, Ui(), ViewOptions())
    ui, _ = after("]", where)
    assert view(where, ui, ViewOptions()).text() != first.text()
    assert view(where, after("[", where, ui)[0], ViewOptions()).text() == first.text()
    assert after("[", where)[0].detail_top == 0
    wheel, _ = press(Ui(), Mouse("wheel-down", 0, 3, border(where) + 1), where)
    assert wheel.detail_top == 2
    for _ in range(50):
        wheel, _ = press(wheel, Mouse("wheel-down", 0, 3, border(where) + 1), where)
    assert "step 4 is done" in view(where, wheel, ViewOptions()).text()
    assert wheel.detail_top < 40
    other, _ = press(wheel, Key("j", "j"), where)
    assert "No agent runs" in view(where, other, ViewOptions()).text()
    back, _ = press(other, Key("k", "k"), where)
    assert back.top == wheel.top


def test_what_became_shorter_is_scrolled_to_its_end() -> None:
    subject = Subject(API, (CLAUDE, CODEX))
    far, end = (
        panel(subject, KNOWN, top, 26, 10, UNICODE, HOME, RESUMES)
        for top in (1000, panel(subject, KNOWN, 0, 26, 10, UNICODE, HOME, RESUMES).most)
    )
    assert far == end
    assert "step 4 is done" in text(far.lines)[-1]


def test_the_wheel_over_the_rows_is_theirs() -> None:
    rows = replace(scene(26, 20, busy(count=60)), detail=Detail(6, NOW))
    ui, _ = press(settle(Ui(cursor="$1"), rows), Mouse("wheel-down", 0, 3, 4), rows)
    assert (ui.top > 0, ui.detail_top) == (True, 0)


def test_the_cursor_stays_in_sight_when_it_opens() -> None:
    closed = replace(scene(26, 30, busy(count=60)), detail=None)
    ui = settle(Ui(cursor="$24"), closed)
    opened = replace(closed, detail=Detail(20, NOW))
    frame = view(opened, ui, ViewOptions())
    assert "$24" in frame.hits


def test_without_rows_it_tells_how_to_get_one() -> None:
    empty = replace(plain(height=20), detail=Detail(6, NOW))
    assert "No session is chosen." in view(empty, Ui(), ViewOptions()).text()
    assert press(Ui(), Key("]", "]"), empty)[0].detail_top == 0


def test_rows_of_every_kind_have_one() -> None:
    for each in busy().sessions:
        where = replace(scene(40, 40), detail=Detail(20, NOW))
        assert clean(each.name)[:20] in view(where, Ui(cursor=each.id), ViewOptions()).text()
