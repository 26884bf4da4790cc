"""What opens a provider: ours are known by name, others by the entry-point group `opensessions.providers`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from opensessions.provider import Context, Provider

Opener = Callable[[str, str, Context], Provider]

OURS = {"tmux": "opensessions_tmux", "zellij": "opensessions_zellij"}
"""The packages in which they stand. `importlib.metadata` would find them too, for 3 MiB and 30 ms of the server's."""


def opener(kind: str) -> Opener | None:
    """The function `open_provider(target, binary, context)` of this kind of multiplexer; None where there is none."""
    if kind in OURS:
        found: Opener = import_module(OURS[kind]).open_provider
        return found
    from importlib.metadata import entry_points

    return next(
        (entry.load() for entry in entry_points(group="opensessions.providers") if entry.name == kind), None
    )


def kinds() -> tuple[str, ...]:
    """Those that can be opened, for messages."""
    from importlib.metadata import entry_points

    return tuple(sorted({*OURS, *(entry.name for entry in entry_points(group="opensessions.providers"))}))
