from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions import wire
from opensessions.errors import WireError

KINDS = st.sampled_from([b"H", b"K", b"P", b"A"])
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(KINDS, st.binary(max_size=200)), max_size=8), st.lists(st.integers(1, 50)))
def test_frames_survive_any_cutting_of_the_stream(frames: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(wire.frame(kind, payload) for kind, payload in frames)
    reader, found = wire.Frames(), []
    for size in [*cuts, len(stream) + 1]:
        found += reader.feed(stream[:size])
        stream = stream[size:]
    assert found == frames


def test_a_length_over_the_limit_is_refused() -> None:
    with pytest.raises(WireError, match="limit"):
        wire.Frames().feed(b"K\xff\xff\xff\xff")


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), TEXT, max_size=5))
def test_fields_come_back(values: dict[str, str]) -> None:
    assert wire.fields(wire.pack_fields(**values)) == values


def test_a_nul_in_a_value_cannot_forge_a_field() -> None:
    assert wire.fields(wire.pack_fields(a="x\0b=y")) == {"a": "xb=y"}


def test_a_field_without_equals_is_refused() -> None:
    with pytest.raises(WireError):
        wire.fields(b"nonsense")
