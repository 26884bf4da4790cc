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
from opensessions.agents.kind import Kind
from opensessions.agents.program import executable, script
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


def kinds(own: Mapping[str, UserAgent] | None = None) -> Kinds:
    """The known kinds and the user's `own`. An own one with a known name adds to it; a name that both claim is the
    user's."""
    merged = {kind.name: kind for kind in KINDS}
    for name, agent in (own or {}).items():
        names = {normal(process) for process in agent.process for normal in (str.lower, executable, script)}
        kind = merged.get(name, Kind(name, frozenset()))
        # Last, so that its names win over a known kind's.
        merged.pop(name, None)
        merged[name] = replace(kind, executables=kind.executables | names)
    return _tables(merged.values())


def _tables(kinds: Iterable[Kind]) -> Kinds:
    found = tuple(kinds)
    return Kinds(
        by_executable={name: kind for kind in found for name in kind.executables | kind.needing},
        by_package={name: kind for kind in found for name in kind.packages},
        by_module={name: kind for kind in found for name in kind.modules},
        by_name={kind.name: kind for kind in found},
    )
