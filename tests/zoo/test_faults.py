"""Each fault that is known has a test with a name, and what the animals can do is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.zoo import FAULTS, animal
from tests.zoo.rounds import CASES, GUILTY, INNOCENT

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_tests(fault: str) -> None:
    assert FAULTS[fault]
    for name in FAULTS[fault]:
        path, _, rest = name.partition("::")
        function, bracket, case = rest.partition("[")
        text = (TESTS / path).read_text()
        assert re.search(rf"^(async )?def {function}\(", text, re.MULTILINE), name
        assert not bracket or case.removesuffix("]") in CASES, name


def test_each_case_of_a_round_is_for_a_fault() -> None:
    named = {
        name.partition("[")[2].removesuffix("]") for names in FAULTS.values() for name in names if "[" in name
    }
    common = {"live pane", "live pane, below a shell", "below a shell of a dead server"}
    assert {case.name for case in INNOCENT + GUILTY} - common == named


def test_each_habit_of_an_animal_is_used() -> None:
    text = "".join(path.read_text() for path in TESTS.rglob("*.py") if path.name not in ("animal.py",))
    for habit in animal.HABITS:
        assert re.search(rf'["\']{habit}["\'=]', text), habit
