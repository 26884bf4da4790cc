"""Every recording of a real agent, played to the tracker: what was true is shown, and nothing else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.real.recording import read, recordings
from tests.real.replay import replay, verdicts
from tests.real.truth import changes

PLAYED = [
    (path, hooks) for path in recordings() for hooks in ((False, True) if read(path).hooks else (False,))
]


def name(value: object) -> str:
    if isinstance(value, Path):
        return f"{value.parent.name}/{value.name.partition('.')[0]}"
    return "hooks" if value else "no-hooks"


@pytest.mark.parametrize(("path", "hooks"), PLAYED, ids=name)
def test_what_is_shown_is_true(path: Path, hooks: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        found = verdicts(read(path), hooks)
    assert not caplog.records
    told = [
        f"{instance} {each.span.start:.2f} {each.span.state} was not shown ({each.span.why})"
        for instance, judgement in found.items()
        for each in judgement.verdicts
        if each.outcome == "wrong"
    ]
    told += [
        f"{instance} {each.at:.2f} {each.state} was shown ({each.source})"
        for instance, judgement in found.items()
        for each in judgement.false
    ]
    assert not told, "\n".join(told)


def test_a_replay_gives_the_same_every_time() -> None:
    recording = read(recordings()[0])
    assert replay(recording, True) == replay(recording, True)


def test_every_recording_shows_a_change() -> None:
    for path in recordings():
        recording = read(path)
        for instance, shown in replay(recording, recording.hooks).items():
            assert len(changes(shown)) > 1, (path, instance)
