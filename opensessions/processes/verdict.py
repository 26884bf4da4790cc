"""What the reaper's judgement is made of: what it asks for, and what it answers. Values only; `plan` says how they
follow from each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from opensessions.model import Inventory
from opensessions.processes.identity import Liveness, ProcId
from opensessions.processes.receipt import Receipt

MOST = 512
"""Processes in a tree; a larger one is refused."""
YOUNG = 100
"""Hundredths of a second. A process that began less long ago is let be: until then a pid and a start could name two,
and its environment may not be there yet."""


class MuxFacts(Struct, frozen=True):
    """What is known of one multiplexer at the time of the sweep."""

    key: str
    server: Liveness
    """Of the server processes that were at its socket, as the receipts name them: "dead" where all are proven gone."""
    inventory: Inventory | None = None
    """A complete reading that was begun after the census. None: it did not answer, or nobody asked it."""


class Details(Struct, frozen=True):
    """What is read of the few processes that matter: those in the trees of receipts whose pane may be dead."""

    uids: tuple[int, int, int] | None = None
    """Real, effective, saved; None where they could not be read."""
    exe: str = ""
    """Base name of the executable."""
    variables: Mapping[str, str] | None = None
    """Of WANTED, those that are set. None where the environment could not be read, or was empty and the process is
    younger than YOUNG: it is so for some milliseconds after a start."""
    gone: bool = False
    """It has exited since the census: nothing that remains to be ended."""


WANTED = ("TMUX", "TMUX_PANE", "ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID", "OPENSESSIONS_KEEP")
"""The variables that are read."""


class Rules(Struct, frozen=True):
    """What the user configured."""

    grace: float = 60.0
    observed: bool = False
    keep: frozenset[str] = frozenset()
    """Names of executables, agents or comms that are never reaped."""


class Sight(Struct, frozen=True):
    """When an orphan was first seen as one, in hundredths on the census's clock, and how often since."""

    first: int
    count: int = 1


Decision = Literal["reap", "wait", "report", "suspect", "keep", "alive", "unknown", "refuse", "forget"]
"""`reap`: to be ended now. `wait`: an orphan, but the sweeps do not agree for long enough yet. `report`: an orphan that
the user started and `reap.observed` is off. `suspect`: looks like one, without proof. `keep`: exempt by the user's
wish. `alive`: its pane lives. `unknown`: it cannot be told. `refuse`: an orphan that is or holds something protected.
`forget`: it has exited, its receipt goes."""
ORPHANS: tuple[Decision, ...] = ("reap", "wait", "report")
"""Those whose pane is proven dead and which nothing protects."""


class Verdict(Struct, frozen=True):
    """What is decided of one receipt, and why, in a sentence."""

    receipt: Receipt
    decision: Decision
    why: str
    tree: tuple[ProcId, ...] = ()
    """For `reap`, `wait`, `report`: the root and every verified process below it, parents first."""


class Plan(Struct, frozen=True):
    """All verdicts, in the order of the receipts, and what the next sweep needs to know."""

    verdicts: tuple[Verdict, ...] = ()
    seen: Mapping[ProcId, Sight] = {}
