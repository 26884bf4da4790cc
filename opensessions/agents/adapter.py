"""How a kind of agent is read: the roles between an adapter (pure, one file per agent) and what reads files
for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from opensessions.agents.signal import Signal


class Facts(Struct, frozen=True):
    """One running agent, as the operating system shows it."""

    pid: int
    """Its topmost process: with an npm launcher that is the launcher."""
    start: int
    """When `pid` started, in hundredths of a second since boot: field 22 of /proc/<pid>/stat at 100 ticks a
    second."""
    started: float
    """The same in seconds since the epoch, good to a few hundredths."""
    argv: tuple[str, ...] = ()
    cwd: str = ""
    """The working directory of the process; "" where it may not be read."""
    env: Mapping[str, str] = {}
    """Of its environment only `HOME` (always there) and the names in `Kind.environment` that are set."""
    below: tuple[int, ...] = ()
    """The pids of its descendants, the native program below an npm launcher among them, nearest first."""
    taken: frozenset[str] = frozenset()
    """Threads that other live agents of this kind hold. One thread belongs to one agent."""
    thread: str = ""
    """The thread that the agent's own hooks say it holds; "" where none has said so."""
    rivals: int = 0
    """How many other live agents of this kind work in the same directory. What only the directory would
    tell apart is then not known: say nothing rather than mix two up."""


class Entry(Struct, frozen=True):
    """A name in a folder, links followed. `modified` in seconds since the epoch."""

    name: str
    size: int
    modified: float
    folder: bool = False


class Part(Struct, frozen=True):
    """Some bytes of a file. `inode` and `size` are of the whole file when they were read."""

    data: bytes
    start: int
    size: int
    inode: int


class Files(Protocol):
    """Reading, bounded in every direction. Blocks; never raises for what is missing, unreadable, or no
    file."""

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        """What the folder holds, the newest first; () where there is none. At most the `limit` newest."""
        ...

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        """A small file as a whole. None where there is none or it is larger than `limit`."""
        ...

    def part(self, path: str, start: int, length: int) -> Part | None:
        """`length` bytes from `start` on; a negative `start` counts from the end. None where there is no
        such regular file. Fewer bytes where it ends before."""
        ...

    def open_by(self, pid: int) -> Sequence[str]:
        """The paths of the regular files that the process holds open; () where the system does not tell."""
        ...

    def stat_start(self, pid: int) -> int | None:
        """`Facts.start` of any process; None where it does not live."""
        ...

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        """Rows of a SQLite file, opened read-only (its write-ahead log is seen), at most 1,000, each value
        at most 256 KiB. None where it cannot be read now, or the query fits another schema."""
        ...


class Look(Struct, frozen=True):
    """What a look at an agent's files gave."""

    signals: tuple[Signal, ...] = ()
    """At most one per source. A source that is not among them has nothing to say (any more)."""
    watch: tuple[str, ...] = ()
    """Files and folders (existing or not) whose change calls for the next look. A folder: what is made,
    renamed or removed directly in it, and writes to files in it. At most 16; narrow ones, so that other
    agents' writing does not wake us."""
    again: float | None = None
    """Seconds after which to look again though nothing has changed; None: not at all."""


class Reader(Protocol):
    """One agent's files. Made when the agent is found, kept for its life: it remembers how far it has
    read."""

    def look(self, facts: Facts, files: Files) -> Look:
        """Read what is new. Blocks for some milliseconds; runs in a thread, one look at a time. Never
        raises for what files hold: they are untrusted, may be cut off in the middle of a line,
        half-written, huge, or of any version."""
        ...


class Heard(Struct, frozen=True):
    """What an agent's hook or plugin told. Everything in it is untrusted."""

    event: str
    """The event's name as the agent calls it."""
    payload: Mapping[str, Any]
    """Its JSON object; {} where it was none."""


Ear = Callable[[Heard], "Signal | Ignored | None"]
"""What an event says. None: nothing new, the last word of the source `hook` stands. `FORGET`: the last word
of the source `hook` no longer stands, and nothing replaces it."""


class Ignored(Struct, frozen=True):
    """See `Ear`."""


FORGET = Ignored()
