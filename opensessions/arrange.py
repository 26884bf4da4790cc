"""The order of rows: custom order, hidden rows, and what a move does. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def merge(order: Sequence[str], live: Sequence[str]) -> tuple[str, ...]:
    """The ids of `live` in the order of `order`; new ones go last, in the order in which they came."""
    alive = set(live)
    kept = [id for id in order if id in alive]
    known = set(kept)
    return (*kept, *(id for id in live if id not in known))


def fill(order: Sequence[str], shown: Sequence[str]) -> tuple[str, ...]:
    """`order` with the places of the ids in `shown` taken by `shown` in its own order; the others stay put.

    [a, g1, g2, b, c] and [a, c, b] make [a, g1, g2, c, b].
    """
    visible = set(shown)
    following = iter(shown)
    return tuple(next(following) if each in visible else each for each in order)


def move(order: Sequence[str], visible: Collection[str], id: str, by: int) -> tuple[str, ...]:
    """`order` with `id` moved by `by` places among the visible ids, stopping at the ends."""
    shown = [each for each in order if each in visible]
    if id not in shown:
        return tuple(order)
    place = shown.index(id)
    shown.insert(max(0, min(len(shown) - 1, place + by)), shown.pop(place))
    return fill(order, shown)


def restore(
    rows: Sequence[tuple[str, str]], same_run: bool, live: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """Ids of `live` sessions in a saved order. `rows` and `live` are (id, name).

    In the same run of the multiplexer's server ids decide (a renamed session keeps its place), else names do,
    since tmux counts ids from $0 again.
    """
    if same_run:
        return merge([id for id, _ in rows], [id for id, _ in live])
    by_name = {name: id for id, name in live}
    return merge([by_name[name] for _, name in rows if name in by_name], [id for id, _ in live])
