"""Which rows what is typed means, the likeliest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opensessions.sessionizer.places import Place

BREAKS = frozenset("/-_. ")
"""What a word may begin after."""


def matched(query: str, places: Iterable[Place]) -> tuple[Place, ...]:
    """The places in which every word of the query occurs, at least as letters in their order. Among equally good ones
    the order stays."""
    words = query.casefold().split()
    if not words:
        return tuple(places)
    scored = [(cost, place) for place in places if (cost := _cost(words, place)) is not None]
    return tuple(place for _, place in sorted(scored, key=lambda each: each[0]))


def _cost(words: Sequence[str], place: Place) -> int | None:
    name = place.name.casefold()
    whole = f"{place.where}/{place.name}".casefold()
    total = 0
    for word in words:
        cost = distance(word, name)
        if cost is None:
            cost = distance(word, whole)
            if cost is None:
                return None
            cost += 4
        total += cost
    return total


def distance(word: str, text: str) -> int | None:
    """How far a word is from a text: 0 the same, 1 its beginning, 2 the beginning of a part of it, 3 a part of it, 8
    its letters in this order; None where it does not occur. Both are in one case."""
    if word == text:
        return 0
    at = text.find(word)
    if at == 0:
        return 1
    if at > 0:
        while at > 0:
            if text[at - 1] in BREAKS:
                return 2
            at = text.find(word, at + 1)
        return 3
    rest = iter(text)
    return 8 if all(letter in rest for letter in word) else None
