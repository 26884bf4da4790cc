"""Text that comes from anybody: what a real tmux, and the terminal behind it, make of it."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import URGENCY, AgentState, Entry, Group, Metadata, MuxView, Progress, Row, Status
from opensessions.sidebar.detail import Detail
from opensessions.sidebar.frame import UNICODE, Frame, Span, exactly, say
from opensessions.sidebar.paint import paint
from opensessions.sidebar.scene import Scene, Ui
from opensessions.sidebar.text import clean, doubtful, graphemes, width
from opensessions.sidebar.theme import Depth
from opensessions.sidebar.themes import DEFAULT
from opensessions.sidebar.tree import PanePart, WindowPart
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import NAMES, UIS, mux, row, scene, scenes
from tests.support.canvas import Canvas
from tests.support.world import tmux_versions

VERSIONS = tmux_versions()
DEPTHS: tuple[Depth, ...] = (16, 256, "rgb")

NASTY = (
    # emoji: families, professions, skins, flags, key caps, both presentations, newer than some tables
    "👨‍👩‍👧‍👦", "👩‍💻 pair", "👍🏽👍🏿", "🏳️‍🌈", "🇩🇪🇫🇷🇪",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "1️⃣2️⃣", "❤️", "❤", "☝🏽", "☝", "✌️", "⛹", "‼️", "☎️", "🫨", "\U0001fa75", "🚀🚀🚀", "🅰️",
    # wide, half wide, and of disputed width
    "日本語プロジェクト", "한국어", "한글", "ﾊﾝｶｸ", "㉈㉉", "☰☷", "⚊", "䷀", "ㄅ", "〰️", "…●×│",
    "\ue0b0\uf113 nerd", "𝔘𝔫𝔦", "𓀀", "⠋⠙",
    # marks: one, many, without a letter, around a letter
    "e\u0301", "x\u0301\u0302\u0303", "Z\u0351\u036b\u0343" * 12, "\u0301bare", "a\u20dd\u20e3", "ไทยกำ", "क्षि", "नि",
    "தமிழ்", "ক্ষ", "བོད་", "ഇ", "ຫຼື",
    # from right to left, and what turns the direction
    "שלום", "العربية", "لا", "abc \u202edef\u202c", "\u2066iso\u2069", "\u061cmark", "ﷺ", "שָׁלוֹם",
    # what is not there
    "zero\u200bwidth\u2060\ufeff", "soft\u00adhyphen", "\u3164\u115f\u2800", "\u034f", "\u17b4", "\u200d", "\ufe0f",
    # what a terminal obeys
    "a\rb\nc\td\be", "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31m", "\x90q\x9c", "\x1bP$q\x1b\\",
    "\x00\x07\x7f", "\x0e\x0f", "\u2028\u2029\u0085", "\udc80\udcff", "#(id)#{pane_pid}#[fg=red]",
    # too long
    "long" * 60, "長" * 60, "👩‍💻" * 40,
)  # fmt: skip
"""Names that anybody may give to anything."""

STRANGE = "".join(
    character
    for first, last in (
        (0x20, 0x7F), (0x300, 0x370), (0x590, 0x700), (0x900, 0xA00), (0xE00, 0xE80), (0x1100, 0x1200),
        (0x2000, 0x2070),
        (0x20D0, 0x20F1), (0x2190, 0x2800), (0x3000, 0x3300), (0x4DC0, 0x4E20), (0xA9E0, 0xAA80), (0xAC00, 0xAC40),
        (0xD7B0, 0xD800), (0xE0A0, 0xE0D8), (0xFB1D, 0xFE10), (0xFE20, 0xFF00), (0xFF60, 0xFFF0), (0x1D300, 0x1D378),
        (0x1F000, 0x1F700), (0x1F780, 0x1FB00),
    )
    for character in map(chr, range(first, last))
)  # fmt: skip


def random_names(count: int) -> list[str]:
    """Names out of strange characters, the same ones at every run."""
    dice = random.Random(7)
    return ["".join(dice.choices(STRANGE, k=dice.randrange(1, 9))) for _ in range(count)]


def looks_like(text: str, shown: str) -> bool:
    """May `shown` be a capture of a clean text? tmux may leave out, or part, what it draws in another width."""
    parts = itertools.groupby(graphemes(text), key=lambda part: doubtful(part[0]))
    first, *rest = "".join("\0" if doubt else "".join(one for one, _ in run) for doubt, run in parts).split(
        "\0"
    )
    if not rest:
        return shown == first
    if not shown.startswith(first) or not shown.endswith(rest[-1]):
        return False
    at, end = len(first), len(shown) - len(rest[-1])
    for part in rest[:-1]:
        at = shown.find(part, at, end) + len(part)
        if at < len(part):
            return False
    return at <= end


@pytest.fixture(params=VERSIONS)
def canvas(request: pytest.FixtureRequest, short: Path) -> Iterator[Canvas]:
    shown = Canvas(VERSIONS[request.param], short)
    try:
        yield shown
    finally:
        shown.close()


# --- a real tmux ----------------------------------------------------------------------------------------------


def test_tmux_puts_every_column_where_it_belongs(canvas: Canvas) -> None:
    """Whatever tmux thinks of a name's width: what stands after it stands in its column."""
    names = [*NASTY, *random_names(150)]
    for part in range(0, len(names), 50):
        chosen = names[part : part + 50]
        rows = [exactly([Span(say(name, UNICODE), "name")], 24) for name in chosen]
        frame = Frame(26, tuple((*line, Span("Q.", "count")) for line in rows), ("",) * len(chosen))
        lines = canvas.show(paint(None, frame, DEFAULT, 256), 26, len(chosen))
        for name, line, shown in zip(chosen, frame.lines, lines, strict=True):
            assert looks_like("".join(span.text for span in line), shown), (ascii(name), line, shown)


def test_every_single_character_keeps_its_place(canvas: Canvas) -> None:
    """All that `clean` lets through, as far as tmux may have another opinion: signs, letters of all scripts, icons."""
    blocks = ((0xA1, 0x3400), (0x4DC0, 0x4E10), (0xA000, 0xAC10), (0xD7B0, 0xD800), (0xE000, 0xE010),
              (0xF900, 0x10000),
              (0x10000, 0x10200), (0x16F00, 0x17010), (0x1AFF0, 0x1B180), (0x1CC00, 0x1D380),
              (0x1F000, 0x1FC00))  # fmt: skip
    found = [clean(chr(code)) for first, last in blocks for code in range(first, last)]
    texts = [text for text in dict.fromkeys(found) if text not in ("", " ", "?")]
    for part in range(0, len(texts), 2000):
        rows = [texts[at : at + 40] for at in range(part, min(part + 2000, len(texts)), 40)]
        drawn = ["|".join(("", *one, "")) for one in rows]
        wide = max(map(width, drawn))
        lines = tuple((Span(" " * (wide - width(text)) + text, "name"),) for text in drawn)
        shown = canvas.show(paint(None, Frame(wide, lines, ("",) * len(rows)), DEFAULT, 256), wide, len(rows))
        for one, line, captured in zip(rows, lines, shown, strict=True):
            assert looks_like(line[0].text, captured), (one, captured)


def nasty_row(number: int, name: str) -> Row:
    """A session whose every text is nasty."""
    made = row(
        f"${number}", name, number, [("claude-code", URGENCY[number % 9]), (name, "idle")], f"/src/{name}"
    )
    metadata = Metadata(Status(name, "warn"), Progress(1, 3, label=name), (Entry(name, "error", name, 0.0),))
    agents = tuple(
        replace(agent, title=name, prompt=name, waiting_for=name, thread=name) for agent in made.agents
    )
    return replace(
        made, branch=name if number % 2 else None, dirty=True, metadata=metadata, agents=agents,
        ports=(3000, 65535), worktree=name, unseen=number % 3 == 0,
    )  # fmt: skip


def inside(number: int, name: str) -> tuple[WindowPart, ...]:
    """The windows of such a session: in the second one two panes."""
    panes = tuple(PanePart(f"%{number}{place}", name, name, URGENCY[place]) for place in range(2))
    return (WindowPart(f"@{number}0", 0, name, True), WindowPart(f"@{number}1", 1, name, False, panes))


def told(view_of: MuxView, height: int) -> Detail:
    """What the panel tells of them: on every agent's screen stands every nasty text."""
    panes = {agent.pane for row in view_of.sessions for agent in row.agents}
    screen = tuple(line for name in NASTY for line in (name, f"$ {name}"))
    return Detail(height, 1795230503.0, screens=dict.fromkeys(panes, screen))


def nasty(count: int) -> MuxView:
    """NASTY, over and over."""
    return mux(*(nasty_row(number, NASTY[number % len(NASTY)]) for number in range(1, count + 1)))


@pytest.mark.parametrize(
    ("columns", "lines"), [(26, 40), (20, 8), (15, 8), (26, 3), (20, 2), (15, 1), (60, 20), (100, 12)]
)
@pytest.mark.parametrize("ascii", [False, True])
def test_a_picture_in_tmux_is_the_picture(canvas: Canvas, columns: int, lines: int, ascii: bool) -> None:
    """200 sessions with every nasty name, a screenful at a time: tmux lays out what was drawn."""
    view_of = nasty(200)
    for cursor in range(1, 201, max(lines, 25)):
        ui = Ui(cursor=f"${cursor}", expanded=frozenset((f"${cursor}",)))
        row_of = view_of.sessions[cursor - 1]
        there = Scene(
            view_of, columns, lines, own="$1", current=f"${cursor}", focused=True, attention=cursor % 2 == 0,
            tree={row_of.id: inside(cursor, row_of.name)}, detail=told(view_of, 12) if columns > 20 else None,
        )  # fmt: skip
        frame = view(there, ui, ViewOptions(ascii))
        shown = canvas.show(paint(None, frame, DEFAULT, "rgb"), columns, lines)
        for wanted, captured in zip(frame.text().split("\n"), shown, strict=True):
            assert looks_like(wanted, captured), (wanted, captured)
            assert not ascii or captured.isascii()


# --- what reaches the terminal ----------------------------------------------------------------------------------

OURS = re.compile(
    r"\x1b\[(?:\d+(?:;\d+)*)?m|\x1b\[\d+[HG]|\x1b\[2J"
    r"|\x1b\]8;;(?:http://localhost:\d{1,5})?\x1b\\"
)
"""Every sequence that a picture may hold: colours, places, a cleared page, links to ports of this machine."""


@st.composite
def nasty_scenes(draw: st.DrawFn) -> Scene:
    """Scenes in which every text is anybody's."""
    names = st.one_of(st.sampled_from(NASTY), NAMES)
    rows = mux(*(nasty_row(number, draw(names)) for number in range(1, draw(st.integers(1, 12)))))
    there = draw(scenes(rows))
    tree = {"$0": inside(0, draw(names)), "$1": inside(1, draw(names))}
    detail = told(rows, draw(st.integers(4, 30))) if draw(st.booleans()) else None
    return replace(there, message=draw(names), resumes={"$1.0": draw(names)}, tree=tree, detail=detail)


@settings(max_examples=150, deadline=None)
@given(nasty_scenes(), UIS, st.booleans(), st.sampled_from(DEPTHS))
def test_no_control_character_reaches_the_terminal_but_ours(
    there: Scene, ui: Ui, ascii: bool, depth: Depth
) -> None:
    assume(there.height)
    frame = view(replace(there, ascii=ascii), ui, ViewOptions(ascii, "/src"))
    data = paint(None, frame, DEFAULT, depth).decode()
    rest = OURS.sub("", data)
    assert not {unicodedata.category(char) for char in rest} & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp", "Me"}
    assert not ascii or data.isascii()
    for line in frame.lines:
        assert sum(width(span.text) for span in line) == there.width


# --- without colours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [15, 20, 26, 40, 60])
@pytest.mark.parametrize("ascii", [False, True])
def test_any_two_states_look_different_without_colours(columns: int, ascii: bool) -> None:
    """A session's row, seen and not, with an agent that lives or has ended: at every moment of a spinner."""
    for unseen, ended in itertools.product((False, True), repeat=2):
        drawn: dict[str, set[str]] = {}
        for state in URGENCY:
            one = row("$1", "a", 1, [("codex", state)], unseen=unseen)
            agents = tuple(replace(agent, liveness="exited" if ended else "alive") for agent in one.agents)
            there = scene(columns, 8, mux(replace(one, agents=agents)))
            drawn[state] = {view(there, Ui(), ViewOptions(ascii), tick).text() for tick in range(4)}
        for first, second in itertools.combinations(URGENCY, 2):
            assert not drawn[first] & drawn[second], (first, second)


def row_in(state: AgentState) -> Row:
    return row("$1", "a", 1, [("codex", state)])


PLACES: dict[str, Callable[[AgentState, Scene], tuple[Scene, Ui]]] = {
    "a pane below its session": lambda state, there: (
        replace(there, mux=mux(row("$1", "a", 1)), tree={"$1": (
            WindowPart("@1", 0, "w", True, (PanePart("%1", "codex", state=state), PanePart("%2", "sh"))),
        )}),
        Ui(expanded=frozenset(("$1",))),
    ),
    "a window below its session": lambda state, there: (
        replace(there, mux=mux(row("$1", "a", 1)), tree={"$1": (
            WindowPart("@1", 0, "w", True, (PanePart("%1", "codex", state=state),)),
        )}),
        Ui(expanded=frozenset(("$1",))),
    ),
    "the heading of a collapsed group": lambda state, there: (
        replace(there, mux=replace(
            mux(replace(row_in(state), index=None), row("$2", "b", None)),
            groups=(Group("/a/.git", "a", True, ("$1", "$2")),),
        )),
        Ui(),
    ),
    "the detail": lambda state, there: (replace(there, mux=mux(row_in(state)), detail=Detail(12)), Ui(cursor="$1")),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("ascii", [False, True])
def test_any_two_states_look_different_wherever_they_are_told(place: str, ascii: bool) -> None:
    drawn = {}
    for state in URGENCY:
        there, ui = PLACES[place](state, Scene(mux(), 26, 24, own="$1", current="$1", ascii=ascii))
        lines = view(there, ui, ViewOptions(ascii)).text().split("\n")
        drawn[state] = "\n".join(lines[8:] if place == "the detail" else lines)  # there without its row
    assert len(set(drawn.values())) == len(URGENCY)
