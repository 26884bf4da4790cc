"""What a terminal says of dark and light, in whatever pieces it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.sidebar.keys import Decoder
from opensessions.sidebar.reports import ASK, LONGEST, Reports, only_reports

DARK, LIGHT = b"\x1b[?997;1n", b"\x1b[?997;2n"
BLACK, WHITE = b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", b"\x1b]11;rgb:ffff/ffff/ffff\x07"


@pytest.mark.parametrize(
    ("data", "scheme"),
    [
        (DARK, "dark"),
        (LIGHT, "light"),
        (BLACK, "dark"),
        (WHITE, "light"),
        (b"\x1b]11;rgb:f/f/f\x1b\\", "light"),
        (b"\x1b]11;rgb:00/2b/36\x1b\\", "dark"),
        (b"\x1b]11;rgba:ffff/ffff/ffff/8000\x1b\\", "light"),
        (DARK + LIGHT, "light"),
        (LIGHT + BLACK, "light"),
        (b"jk" + DARK + b"q", "dark"),
        (b"\x1b[?997;3n", None),
        (b"\x1b[?997n", None),
        (b"\x1b[997;1n", None),
        (b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\", None),
        (b"\x1b]11;?\x1b\\", None),
        (b"\x1b]11;rgb:fffff/0/0\x1b\\", None),
        (b"997;1n", None),
        (b"", None),
    ],
)
def test_what_is_said(data: bytes, scheme: str | None) -> None:
    assert Reports().hear(data) == scheme


def test_who_says_it_in_so_many_words_is_not_judged_by_the_background() -> None:
    reports = Reports()
    assert reports.hear(WHITE) == "light"
    assert reports.hear(DARK) == "dark"
    assert reports.hear(WHITE) is None
    assert reports.hear(LIGHT) == "light"


@pytest.mark.parametrize("report", [DARK, LIGHT, BLACK, WHITE])
def test_a_report_may_be_cut_anywhere(report: bytes) -> None:
    for at in range(1, len(report)):
        reports = Reports()
        assert reports.hear(b"x" * 500 + report[:at]) is None
        assert reports.hear(report[at:] + b"y") is not None
        assert reports.hear(b"") is None


@given(
    st.lists(
        st.one_of(st.binary(max_size=80), st.sampled_from((DARK, LIGHT, BLACK, WHITE, b"\x1b[?99"))),
        max_size=8,
    )
)
def test_nothing_that_a_terminal_sends_upsets_it(pieces: list[bytes]) -> None:
    reports = Reports()
    for piece in pieces:
        assert reports.hear(piece) in (None, "dark", "light")
        assert len(reports._rest) <= LONGEST


@pytest.mark.parametrize("report", [DARK, LIGHT, BLACK, WHITE])
def test_a_report_is_no_key(report: bytes) -> None:
    assert only_reports(report + report)
    assert not only_reports(report + b"q")
    decoder = Decoder()
    assert decoder.feed(report) == []
    assert not decoder.waiting


def test_the_question_subscribes_and_asks_in_both_ways() -> None:
    assert ASK == b"\x1b[?2031h\x1b[?996n\x1b]11;?\x1b\\"
