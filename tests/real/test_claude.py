"""The real program, led through every scenario."""

from __future__ import annotations

import pytest

from tests.real.check import HOOKS, TIMEOUT, check, scenarios

pytestmark = [pytest.mark.real, pytest.mark.timeout(TIMEOUT)]


@pytest.mark.parametrize("hooks", HOOKS)
@pytest.mark.parametrize("scenario", scenarios("claude"))
def test_what_is_shown_is_true(scenario: str, hooks: str) -> None:
    check("claude", scenario, hooks)
