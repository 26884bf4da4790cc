"""Every kind of agent, and the tables by which a process is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from opensessions.agents import (
    aider,
    amp,
    claude,
    codex,
    copilot,
    crush,
    cursor,
    droid,
    gemini,
    goose,
    kilo,
    opencode,
    pi,
    qwen,
)
from opensessions.agents.kind import BUSY, RESTING, WAITING, WORKING, Kind, ScreenRule, TitleRule
from opensessions.agents.program import executable, script
from opensessions.agents.signal import States
from opensessions.config import UserAgent

KINDS: tuple[Kind, ...] = tuple(
    each.KIND
    for each in (
        aider,
        amp,
        claude,
        codex,
        copilot,
        crush,
        cursor,
        droid,
        gemini,
        goose,
        kilo,
        opencode,
        pi,
        qwen,
    )
)


class Kinds(Struct, frozen=True):
    """Kinds by each name that gives them away."""

    by_executable: Mapping[str, Kind]
    by_package: Mapping[str, Kind]
    by_module: Mapping[str, Kind]
    by_name: Mapping[str, Kind]


TOLD: Mapping[str, States] = {"waiting": WAITING, "running": WORKING, "idle": RESTING}
"""What the words in config.yaml mean, in the order in which they count. What looks idle does not say how the last turn
ended."""


def kinds(own: Mapping[str, UserAgent] | None = None) -> Kinds:
    """The known kinds and the user's `own`. An own one with a known name adds to it; a name that both claim is the
    user's, and the user's rules for titles and screens come before the known ones."""
    merged = {kind.name: kind for kind in KINDS}
    for name, agent in (own or {}).items():
        kind = merged.get(name, Kind(name, frozenset()))
        # Last, so that its names win over a known kind's.
        merged.pop(name, None)
        merged[name] = _extended(kind, agent)
    return _tables(merged.values())


def _extended(kind: Kind, agent: UserAgent) -> Kind:
    names = {normal(process) for process in agent.process for normal in (str.lower, executable, script)}
    titles = [
        TitleRule(
            states,
            starts=tuple(each for each in agent.title[word] if isinstance(each, str)),
            holds=tuple(each.contains for each in agent.title[word] if not isinstance(each, str)),
        )
        for word, states in TOLD.items()
        if word in agent.title
    ]
    screens = [
        ScreenRule(states, tuple(tuple(map(str.lower, texts)) for texts in agent.screen[word]))
        for word, states in TOLD.items()
        if word in agent.screen
    ]
    return replace(
        kind,
        executables=kind.executables | names,
        titles=(*titles, *kind.titles),
        screens=(*screens, *kind.screens),
        # Nothing is known of when the user's rules are needed.
        screen_for=BUSY | RESTING if screens else kind.screen_for,
    )


def _tables(kinds: Iterable[Kind]) -> Kinds:
    found = tuple(kinds)
    return Kinds(
        by_executable={name: kind for kind in found for name in kind.executables | kind.needing},
        by_package={name: kind for kind in found for name in kind.packages},
        by_module={name: kind for kind in found for name in kind.modules},
        by_name={kind.name: kind for kind in found},
    )
