"""What there is to say of one kind of agent."""

from __future__ import annotations

from msgspec import Struct

from opensessions.model import AgentState

BRAILLE = frozenset(map(chr, range(0x2800, 0x2900)))
"""First characters of titles whose spinner is of braille dots."""
HALF_CIRCLES = frozenset("◐◑◒◓")


class Kind(Struct, frozen=True):
    """How a kind of agent is recognised. Names are whole base names in lower case, never parts of a path."""

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
    working: frozenset[str] = frozenset()
    """First characters that its terminal's title has only while it works."""
    waiting: tuple[str, ...] = ()
    """Beginnings that its terminal's title has only while the user must act."""

    def state(self, title: str) -> AgentState | None:
        """What this title says of an agent of this kind; None where it says nothing."""
        if self.waiting and title.startswith(self.waiting):
            return "waiting"
        return "running" if title[:1] in self.working else None
