"""What there is to say of one kind of agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from opensessions.agents.adapter import Ear, Reader
from opensessions.agents.signal import BUSY, RESTING, WORKING, Signal, Source, States, only

BRAILLE = frozenset(map(chr, range(0x2801, 0x2900)))
"""First characters of titles whose spinner is of braille dots."""
HALF_CIRCLES = frozenset("◐◑◒◓")


class TitleRule(Struct, frozen=True):
    """A title that begins with one of `starts`, or holds one of `holds`, says `states`."""

    states: States
    starts: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()

    def fits(self, title: str) -> bool:
        """Does it say so?"""
        return (bool(self.starts) and title.startswith(self.starts)) or any(
            part in title for part in self.holds
        )


class ScreenRule(Struct, frozen=True):
    """A screen whose last non-empty lines hold every text of one of the `holds` says `states`. Texts in
    lower case."""

    states: States
    holds: tuple[tuple[str, ...], ...]
    lines: int = 12
    """How many of the last non-empty lines are looked at: no more than the agent's own prompt takes, so
    that what somebody typed or an agent printed further up is not taken for a prompt."""

    def fits(self, lines: Sequence[str]) -> bool:
        """Does it say so? `lines` without empty ones, in lower case."""
        text = "\n".join(lines[-self.lines :])
        return any(all(part in text for part in parts) for parts in self.holds)


class Kind(Struct, frozen=True):
    """How a kind of agent is recognised and read. Names are whole base names in lower case, never parts of
    a path."""

    name: str
    executables: frozenset[str]
    """Of the program itself, or of the script that an interpreter runs, without `.js`, `.py` and the like."""
    packages: frozenset[str] = frozenset()
    """As npm installs them, scope included: the script lies in such a package."""
    modules: frozenset[str] = frozenset()
    """As `python -m` takes them."""
    excluded: frozenset[str] = frozenset()
    """A process with one of these arguments is a helper or a server of the agent, not the agent."""
    subcommands: frozenset[str] = frozenset()
    """If there are any, `needing` executables are this agent only with one of them as the first argument."""
    needing: frozenset[str] = frozenset()

    titles: tuple[TitleRule, ...] = ()
    """The first that fits counts. Only what was seen to be exact on the real agent; a title that fits none
    says nothing."""
    title_lag: float = 0.3
    """Seconds that the title may be behind the truth."""
    title_rests: bool = False
    """Once its title has shown it at work, one that fits no rule says that it rests."""
    title_flash: float = 0.0
    """Seconds for which its title may show work although there is none: it counts when it has stood that long."""
    screens: tuple[ScreenRule, ...] = ()
    """The first that fits counts; a screen that fits none says nothing."""
    screen_for: States = frozenset()
    """While one of these is possible the screen is looked at: what the other sources leave open. None:
    never."""
    hears: Ear | None = None
    """What its hooks or its plugin say."""
    reader: Callable[[], Reader] | None = None
    """Makes what reads its files."""
    environment: frozenset[str] = frozenset()
    """The names of variables in its environment that tell where its files are. Nothing else of it is ever
    read."""
    trust: tuple[Source, ...] = ("registry", "hook", "api", "title", "database", "transcript", "screen")
    """The sources, the most trustworthy first: who is right where two levels contradict each other for
    longer than either may be late."""
    exact: frozenset[Source] = frozenset()
    """Where one of these speaks, neither the title nor the screen is asked."""
    thread_of: Callable[[Mapping[str, Any]], str | None] | None = None
    """The conversation of which a hook's payload tells; None: it is about none that anybody sees, and is dropped. Where
    there is no such function the usual names are looked for."""
    resume: tuple[str, ...] = ()
    """The command that goes on with a thread; `{thread}` stands for its id. () where there is none."""

    def title(self, title: str, worked: bool = False) -> Signal | None:
        """What this title says of an agent of this kind; None where it says nothing. `worked`: this agent's title has
        shown it at work before."""
        for rule in self.titles:
            if rule.fits(title):
                return Signal("title", rule.states, lag=self.title_lag, detail=title[:80])
        if worked and self.title_rests:
            return Signal("title", RESTING, lag=self.title_lag, detail=title[:80])
        return None

    def screen(self, lines: Sequence[str]) -> Signal | None:
        """What this screen says, at the moment at which it was read; `lines` from top to bottom. None where it says
        nothing."""
        shown = [line.lower() for line in lines if line.strip()]
        for rule in self.screens:
            if rule.fits(shown):
                return Signal("screen", rule.states, event=True, detail=_match(rule, shown))
        return None


def _match(rule: ScreenRule, lines: Sequence[str]) -> str:
    text = "\n".join(lines[-rule.lines :])
    return next(" + ".join(parts) for parts in rule.holds if all(part in text for part in parts))


def working(*first: frozenset[str]) -> TitleRule:
    """A title with such a first character: the agent works."""
    return TitleRule(WORKING, starts=tuple(sorted(frozenset().union(*first))))


WAITING = only("waiting")
__all__ = [
    "BRAILLE",
    "BUSY",
    "HALF_CIRCLES",
    "RESTING",
    "WAITING",
    "WORKING",
    "Kind",
    "ScreenRule",
    "TitleRule",
    "working",
]
