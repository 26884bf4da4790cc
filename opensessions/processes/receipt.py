"""Receipts: what we wrote down of an agent when we started it or first saw it. A receipt is what entitles us to end a
process later; without one nothing is ever signalled. Pure: text in, values out.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from opensessions.processes.identity import ProcId

Origin = Literal["managed", "observed"]
"""`managed`: started by `opensessions run`. `observed`: seen in a pane in which the user had typed it."""


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """The pane that a process was in when its receipt was written."""

    kind: str
    """The provider's: "tmux", "zellij"."""
    key: str
    """The multiplexer's key: the folder's name under `<runtime>/mux/`."""
    socket: str
    server: ProcId
    """The multiplexer's server process."""
    session: str
    """The id of a session that held the pane."""
    pane: str
    shell: ProcId
    """The pane's own process: another one in a pane with the same id is another generation of it."""


class Receipt(Struct, frozen=True, forbid_unknown_fields=True):
    """One agent's root process. Written before its program began (managed) or when it was first seen."""

    process: ProcId
    origin: Origin
    agent: str
    """The kind's name; "" where what was started is no known agent."""
    agent_id: str
    """The agent's id in the snapshot: it outlives a launcher whose program goes on. "" where it has none yet."""
    uid: int
    group: int
    session: int
    """The system's session (its leader's pid), not the multiplexer's."""
    comm: str
    exe: str
    argv_hash: str
    """SHA-256 of the command line in hexadecimal, not the words: they may hold secrets. "" where it was not known."""
    place: Place | None
    """None: started outside of every multiplexer, and never anybody's orphan."""
    instance: str
    """The server that wrote it or served that multiplexer; "" where none ran."""
    nonce: str
    """32 hexadecimal digits; names the file."""
    created: float
    """Seconds since the epoch, for people."""
    cgroup: str = ""
    """The path of the control group made for it alone; "" where there is none."""
    keep: bool = False
    """`OPENSESSIONS_KEEP=1` was set: never reaped."""
