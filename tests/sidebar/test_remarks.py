"""The line below a row: what scripts say, in the cells that there are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import Entry, Metadata, Progress, Status, Tone
from opensessions.sidebar.frame import ASCII, UNICODE
from opensessions.sidebar.remarks import fraction, progress
from opensessions.sidebar.scene import Scene, Ui
from opensessions.sidebar.text import width
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import NUMBERS, mux, row

LOG = (Entry("first", "neutral", None, 1.0), Entry("tests passed", "success", "make", 2.0))
STATUS = Status("deploying", "info")


def line(said: Metadata, columns: int = 26, ascii: bool = False) -> str:
    """The text of the second line of a row of which this was said."""
    there = Scene(mux(row("$1", "api", 1, metadata=said)), columns, 16)
    return view(there, Ui(), ViewOptions(ascii)).text().split("\n")[3].strip()


@pytest.mark.parametrize(
    ("said", "narrow", "wide"),
    [
        (Metadata(STATUS), "deploying", "deploying"),
        (Metadata(STATUS, None, LOG), "deploying", "deploying  · ✓ make: tests passed"),
        (Metadata(None, None, LOG), "✓ make: tests pass…", "✓ make: tests passed"),
        (Metadata(STATUS, Progress(percent=0.4)), "deploying  ▰▰▱▱ 40%", "deploying  · ▰▰▰▰▱▱▱▱▱▱ 40%"),
        (Metadata(None, Progress(3, 10, None, "tests")), "▰▱▱▱ 3/10 tests", "▰▰▰▱▱▱▱▱▱▱ 3/10 tests"),
        (Metadata(None, Progress(3)), "3", "3"),
        (Metadata(None, Progress(label="images")), "images", "images"),
        (Metadata(None, Progress(12, 10)), "▰▰▰▰ 12/10", "▰▰▰▰▰▰▰▰▰▰ 12/10"),
        (Metadata(None, Progress(1, 0)), "1/0", "1/0"),
        (Metadata(Status("x" * 99)), "x" * 18 + "…", "x" * 52 + "…"),
        (
            Metadata(Status("deploying to production"), Progress(percent=1)),
            "deployin… ▰▰▰▰ 100%",
            "deploying to production  · ▰▰▰▰▰▰▰▰▰▰ 100%",
        ),
    ],
)
def test_what_is_said(said: Metadata, narrow: str, wide: str) -> None:
    assert (line(said), line(said, 60)) == (narrow, wide)


def test_a_tone_is_more_than_a_colour() -> None:
    tones: dict[Tone, str] = {"neutral": "x", "info": "x", "success": "✓ x", "warn": "! x", "error": "✗ x"}
    for tone, text in tones.items():
        assert line(Metadata(Status("x", tone))) == text
        assert line(Metadata(Status("x", tone)), ascii=True).isascii()
    there = Scene(mux(row("$1", "api", 1, metadata=Metadata(Status("x", "error")))), 26, 16)
    styles = {span.style for span in view(there, Ui(), ViewOptions()).lines[3] if "x" in span.text}
    assert all("error" in style for style in styles)


def test_what_is_said_is_inert() -> None:
    said = Metadata(
        Status("\x1b[2J\x07\u202ea\nb"), Progress(label="\x1b]8;;x\x07"), (Entry("\x9b", "info", "\r", 1.0),)
    )
    for columns in (20, 26, 100):
        assert all(char.isprintable() for char in line(said, columns))


@settings(deadline=None)
@given(st.builds(Progress, NUMBERS, NUMBERS, st.one_of(st.none(), st.floats(0, 1))), st.integers(0, 60))
def test_progress_fits_whatever_the_numbers(far: Progress, room: int) -> None:
    for look in (UNICODE, ASCII):
        spans = progress(replace(far, label="a label"), room, 4, look)
        assert sum(width(span.text) for span in spans) <= room
    share = fraction(far)
    assert share is None or 0 <= share <= 1


def test_the_bar_grows_from_nothing_to_everything() -> None:
    full = [progress(Progress(percent=part / 10), 20, 4, UNICODE)[0].text.count("▰") for part in range(11)]
    assert full == sorted(full)
    assert (full[0], full[10]) == (0, 4)
