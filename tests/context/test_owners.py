"""Which pane a process belongs to."""

from __future__ import annotations

from opensessions.context.owners import owners
from opensessions.model import Process


def tree(*links: tuple[int, int, int]) -> dict[int, Process]:
    """Processes from (pid, parent, session)."""
    return {pid: Process(pid, parent, 0, session=session) for pid, parent, session in links}


def test_the_nearest_pane_above_is_the_owner() -> None:
    processes = tree((10, 1, 10), (11, 10, 10), (12, 11, 12), (20, 12, 20), (21, 20, 20))
    assert owners(processes, {10, 20}) == {10: 10, 11: 10, 12: 10, 20: 20, 21: 20}


def test_an_orphan_belongs_to_the_pane_that_leads_its_session() -> None:
    links = ((10, 1, 10), (11, 1, 10), (12, 11, 12), (13, 1, 13))
    for each in (links, links[::-1]):
        assert owners(tree(*each), {10}) == {10: 10, 11: 10, 12: 10}


def test_nobody_is_lost_in_a_circle() -> None:
    assert owners(tree((10, 11, 0), (11, 10, 0), (12, 12, 5)), {5}) == {12: 5}
