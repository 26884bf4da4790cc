"""Sentences on zellij that a test can hold to what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from opensessions_zellij.gaps import GAPS
from opensessions_zellij.table import TABLE

DOCS = Path(__file__).parents[2] / "docs"


def test_every_gap_is_told_in_its_words() -> None:
    text = " ".join((DOCS / "reference/zellij.md").read_text().split())
    assert [gap.name for gap in GAPS if f"- **{gap.name}**: {gap.text}" not in text] == []
    assert set(re.findall(r"- \*\*([a-z-]+)\*\*:", text)) == {gap.name for gap in GAPS}


def test_every_key_is_documented() -> None:
    table = (DOCS / "reference/zellij.md").read_text().partition("## What")[0]
    assert [key for key, _, _ in TABLE if key not in "2345678" and f"`{key}`" not in table] == []
