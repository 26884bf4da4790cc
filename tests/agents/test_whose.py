"""Whose session file it is, among several agents in one directory: nothing changes hands without proof."""

from __future__ import annotations

from opensessions.agents.adapter import Facts
from opensessions.agents.whose import BIRTH, Candidate, Whose

STARTED = 1000.0


def facts(rivals: int = 0, *taken: str, thread: str = "", started: float = STARTED) -> Facts:
    return Facts(1, 1, started, taken=frozenset(taken), rivals=rivals, thread=thread)


def file(name: str, began: float, modified: float) -> Candidate:
    """Both in seconds after the start."""
    return Candidate(f"/s/{name}", name, STARTED + modified, STARTED + began)


def chosen(whose: Whose, facts: Facts, *files: Candidate) -> str | None:
    found = whose.choose(files, facts)
    return found.thread if found else None


def test_what_it_wrote_while_it_was_alone_it_keeps_whatever_a_rival_writes() -> None:
    whose = Whose()
    assert chosen(whose, facts(), file("a", 100, 110)) == "a"
    assert chosen(whose, facts(1), file("a", 100, 110)) == "a"
    assert chosen(whose, facts(1), file("a", 100, 110), file("b", 5, 120)) == "a"
    assert chosen(whose, facts(1, "b"), file("a", 100, 110), file("b", 5, 130)) == "a"


def test_the_only_file_among_two_may_be_anybodys() -> None:
    assert chosen(Whose(), facts(1), file("a", 2, 10)) is None


def test_the_one_that_began_with_it_is_its_own_once_each_has_one() -> None:
    whose = Whose()
    assert chosen(whose, facts(1), file("a", -20, 10)) is None
    assert chosen(whose, facts(1), file("a", -20, 10), file("b", 2, 12)) == "b"
    assert chosen(whose, facts(1), file("a", -20, 20), file("b", 2, 12)) == "b"
    assert chosen(Whose(), facts(2), file("a", -20, 10), file("b", 2, 12)) is None
    assert chosen(Whose(), facts(1, "elsewhere"), file("b", 2, 12)) == "b"


def test_of_two_that_began_with_it_neither_is_proven() -> None:
    assert chosen(Whose(), facts(1), file("a", 2, 10), file("b", BIRTH, 12)) is None


def test_what_another_one_proves_to_be_its_own_is_let_go_for_good() -> None:
    whose = Whose()
    files = [file("a", 2, 10), file("b", 200, 9)]
    assert chosen(whose, facts(), *files) == "a"
    assert chosen(whose, facts(1, "a"), *files) is None
    assert chosen(whose, facts(1), *files) is None
    assert chosen(whose, facts(), *files) is None


def test_what_a_rival_wrote_is_not_taken_over_when_it_is_gone_until_it_is_written_again() -> None:
    whose = Whose()
    assert chosen(whose, facts(), file("a", 2, 10)) == "a"
    assert chosen(whose, facts(1, "b"), file("a", 2, 10), file("b", 200, 220)) == "a"
    last = file("b", 200, 230)  # its last words are seen after its end
    assert chosen(whose, facts(), file("a", 2, 10), last) == "a"
    assert chosen(whose, facts(), file("a", 2, 10), last) == "a"
    assert chosen(whose, facts(), file("a", 2, 10), file("b", 200, 300)) == "b"


def test_what_its_hooks_said_stays_when_they_say_no_more() -> None:
    whose = Whose()
    files = [file("a", 2, 10), file("b", 200, 220)]
    assert chosen(whose, facts(1), *files) is None
    assert chosen(whose, facts(1, thread="b"), *files) == "b"
    assert chosen(whose, facts(1), *files) == "b"
    assert chosen(whose, facts(), *files) == "b"


def test_alone_the_newest_counts() -> None:
    whose = Whose()
    assert chosen(whose, facts(), file("a", 2, 10)) == "a"
    assert chosen(whose, facts(), file("a", 2, 10), file("b", 200, 200)) == "b"
    assert chosen(whose, facts(), file("a", 2, 300), file("b", 200, 200)) == "a"
    assert chosen(whose, facts(0, "a"), file("a", 2, 300), file("b", 200, 200)) == "b"
    assert chosen(Whose(), facts(), file("a", -200, -100)) is None
