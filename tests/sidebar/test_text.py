from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.sidebar.text import clean, fit, fit_end, graphemes, pad, plain, unpainted, width, wrap
from tests.sidebar.scenes import NAMES

JOINING = (range(0x900, 0x980), range(0x1100, 0x1200), range(0x1F3FB, 0x1F400))
MARKS = st.text(
    st.sampled_from([*"a|한하👩🇩\u200d\u0d4e\u0301", *(chr(code) for codes in JOINING for code in codes)]),
    max_size=20,
)
"""Letters that become one, with a joiner or without."""
TEXTS = st.one_of(NAMES, st.text(max_size=40), MARKS)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("api", "api"),
        ("a\x1b[2Jb", "a?[2Jb"),
        ("tab\there\n", "tab?here?"),
        ("\x9b31m", "?31m"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\udc80\udcff", "??"),
        ("no\u00a0break\u3000wide", "no break wide"),
        ("line\u2028end", "line?end"),
        ("\u0301accent without a letter", "?accent without a letter"),
        ("👩‍💻", "👩"),
        ("👨‍👩‍👧‍👦 at home", "👨 at home"),
        ("👍🏽", "👍"),
        ("❤️ 1️⃣ ☎️", "❤ 1 ☎"),
        ("🇩🇪 🇫", "DE F"),
        ("🏽 skin", "? skin"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴"),
        ("क्ष क्\u200dष", "क्ष क्ष"),
        ("cafe\u0301", "café"),
        ("\u1112\u1161\u11ab", "한"),
        ("a\u20dd", "a"),
        ("\u3164\u2800", "  "),
        ("\U0001faff", "?"),
        ("a\u200d", "a"),
        ("\u200d", ""),
        ("nerd \ue0b0 font", "nerd \ue0b0 font"),
        ("\uffff", "?"),
        ("x" + "\u0301" * 50, "x" + "\u0301" * 7),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(TEXTS)
def test_cleaned_text_moves_no_cursor_and_reorders_nothing(text: str) -> None:
    cleaned = clean(text)
    kinds = {unicodedata.category(char) for char in cleaned}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp", "Me"}
    assert all(cells > 0 for _, cells in graphemes(cleaned))
    assert clean(cleaned) == cleaned


@given(TEXTS, TEXTS)
def test_clean_texts_side_by_side_are_a_clean_text(text: str, other: str) -> None:
    """Nothing at the beginning of one changes the end of the one before it: a line is put together of many."""
    text, other = clean(text), clean(other)
    assert clean(text + other) == text + other
    assert width(text + other) == width(text) + width(other)


@given(TEXTS, st.integers(-2, 30), st.sampled_from(("…", "~", "", "...")))
def test_fit_and_pad_keep_to_the_cells(text: str, cells: int, ellipsis: str) -> None:
    text = clean(text)
    for short in (fit(text, cells, ellipsis), fit_end(text, cells, ellipsis)):
        assert width(short) <= max(0, cells)
        assert (short == text) == (width(text) <= max(0, cells))
    assert width(pad(text, cells, ellipsis)) == max(0, cells)


@pytest.mark.parametrize(
    ("text", "cells", "short", "end"),
    [
        ("opensessions", 12, "opensessions", "opensessions"),
        ("opensessions", 6, "opens…", "…sions"),
        ("日本語", 5, "日本…", "…本語"),
        ("日本語", 4, "日…", "…語"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…", "…e\u0301"),
        ("🚀🚀", 3, "🚀…", "…🚀"),
        ("two words", 5, "two…", "…ords"),
        ("any", 0, "", ""),
    ],
)
def test_no_grapheme_is_split(text: str, cells: int, short: str, end: str) -> None:
    assert fit(text, cells) == short
    assert fit_end(text, cells) == end


@pytest.mark.parametrize(
    ("text", "cells"),
    [("abc", 3), ("日本", 4), ("x\u0301", 1), ("👍", 2), ("❤", 1), ("☝", 2), ("☰", 2), ("한", 2), ("", 0)],
)
def test_width(text: str, cells: int) -> None:
    assert width(text) == cells


def test_a_name_that_is_given_keeps_its_emoji() -> None:
    assert unpainted("👩‍💻 ❤️ 🇩🇪 👍🏽 é") == "👩‍💻 ❤️ 🇩🇪 👍🏽 é"
    assert unpainted("a\x1b[2J\n\u202eb\u200b\udc80\u2028") == "a[2Jb"


@pytest.mark.parametrize(
    ("text", "ascii"),
    [
        ("café", "cafe"),
        ("Ångström", "Angstrom"),
        ("日本", "??"),
        ("👩‍💻 x", "? x"),
        ("🇩🇪", "DE"),
        ("ﬁn", "fin"),
        ("é\x1b", "e?"),
    ],
)
def test_plain(text: str, ascii: str) -> None:
    assert plain(text) == ascii


@given(TEXTS)
def test_plain_is_seven_bit_and_visible(text: str) -> None:
    assert plain(text).isascii()
    assert plain(text).isprintable()


@given(TEXTS, st.integers(1, 30))
def test_wrapped_lines_fit(text: str, cells: int) -> None:
    assert all(width(line) <= cells for line in wrap(clean(text), cells))


def test_wrap_breaks_between_words() -> None:
    assert wrap("esc clears the filter", 12) == ["esc clears", "the filter"]
