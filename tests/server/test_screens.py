"""What is made of screens that were read, and of those of which nothing was said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from opensessions.server.bus import Bus
from opensessions.server.screens import Screens, _Seen


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"%1": ("$ busy",)}, [("a", ["busy"], [])]),
        ({"%1": ("$",)}, [("a", [], ["screen"])]),
        ({"%1": ()}, [("a", [], ["screen"])]),
        ({}, []),
    ],
    ids=["a signal", "no signal", "an empty screen", "nothing was said"],
)
async def test_only_a_screen_that_was_read_says_anything(
    shown: dict[str, tuple[str, ...]], told: list[object]
) -> None:
    """zellij answers nothing now and then (0.45.1): what the screen said last stands."""
    heard: list[object] = []

    async def screens(panes: list[str]) -> dict[str, tuple[str, ...]]:
        return shown

    mux = SimpleNamespace(provider=SimpleNamespace(screens=screens))
    muxes: Any = SimpleNamespace(muxes={"m": mux}, get=lambda key: mux)
    tracker: Any = SimpleNamespace(told=lambda id, signals, gone: heard.append((id, signals, gone)))
    kind = SimpleNamespace(screen=lambda lines: "busy" if "$ busy" in lines else None)
    agent: Any = SimpleNamespace(id="a", mux="m", found=SimpleNamespace(pane="%1", kind=kind))
    looker = Screens(Bus("i"), muxes, tracker)
    looker._seen["a"] = _Seen()
    await looker._look([agent])
    assert heard == told
    assert looker._seen["a"].last > float("-inf"), "it is not asked again at once"
