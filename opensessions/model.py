"""The values that everything else passes around. Frozen; no behaviour beyond looking things up.

The first half is what a multiplexer says (an Inventory); the second half is what people and the API see
(a Snapshot, whose JSON is part of the contract).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.json import encode

# --- what a multiplexer says -----------------------------------------------------------------------------


class Pane(Struct, frozen=True):
    """One pane. Sizes in cells; `left` is the column of its first cell in the window."""

    id: str
    window: str
    pid: int
    active: bool = False
    """The active pane of its window (a window has exactly one)."""
    dead: bool = False
    """Its process has exited and the pane was kept (`remain-on-exit`); then `pid` is stale."""
    left: int = 0
    width: int = 0
    title: str = ""
    path: str = ""
    mark: str = ""
    """The owner id in `@opensessions-sidebar`: the pane is a sidebar of the installation with that id."""


class Window(Struct, frozen=True):
    """One window (zellij: tab). A window linked into several sessions is one Window."""

    id: str
    name: str = ""
    width: int = 0
    height: int = 0
    zoomed: bool = False
    layout: str = ""
    panes: tuple[Pane, ...] = ()

    @property
    def active_pane(self) -> Pane | None:
        """The active pane; None only for a window that is just being torn down."""
        return next((pane for pane in self.panes if pane.active), None)


class Link(Struct, frozen=True):
    """A window's place in a session."""

    window: str
    index: int
    current: bool = False


class Session(Struct, frozen=True):
    """One session. `id` is the target for every command, `name` is text for people."""

    id: str
    name: str
    created: int = 0
    group: str = ""
    links: tuple[Link, ...] = ()
    path: str = ""
    """The directory that it was created in, as far as it is known: new windows begin there."""

    @property
    def current_window(self) -> str:
        """The id of its current window; "" where it has none."""
        return next((link.window for link in self.links if link.current), "")


class Client(Struct, frozen=True):
    """An attached client. `name` is what commands take (`-c`); `activity` seconds since the epoch."""

    name: str
    session: str
    control: bool = False
    """A control-mode client: it has no terminal, never counts as looking and never receives a switch."""
    width: int = 0
    height: int = 0
    activity: int = 0
    pid: int = 0
    focused: bool = True
    """Its terminal has the focus; true as well where the terminal does not tell."""
    window: str = ""
    """The window that it shows, where the clients of one session may show different ones; "" is the session's current
    one."""


class Inventory(Struct, frozen=True):
    """Everything that one multiplexer's server holds, read in one go and complete."""

    server_pid: int
    server_started: int
    version: str
    sessions: tuple[Session, ...] = ()
    windows: Mapping[str, Window] = {}
    clients: tuple[Client, ...] = ()
    servers: tuple[int, ...] = ()
    """The pids of all its servers, where there is one for each session (zellij) and `server_pid` is 0."""

    def session(self, id: str) -> Session | None:
        """The session with this id."""
        return next((session for session in self.sessions if session.id == id), None)

    def viewers(self) -> tuple[Client, ...]:
        """Clients with a terminal: the only ones that look at anything."""
        return tuple(client for client in self.clients if not client.control)

    def shown(self) -> dict[str, str]:
        """The window that each viewer shows, by the viewer's name."""
        current = {session.id: session.current_window for session in self.sessions}
        return {client.name: client.window or current.get(client.session, "") for client in self.viewers()}

    def seen_windows(self) -> frozenset[str]:
        """Windows on the screen of some viewer."""
        return frozenset(self.shown().values()) - {""}

    def watched_panes(self) -> frozenset[str]:
        """Panes that somebody has before the eyes: the active one of the current window of a viewer whose terminal has
        the focus."""
        shown = self.shown()
        windows = {shown[client.name] for client in self.viewers() if client.focused}
        active = (self.windows[id].active_pane for id in windows if id in self.windows)
        return frozenset(pane.id for pane in active if pane is not None)

    def panes_of(self, session: str) -> tuple[str, ...]:
        """The ids of the panes in the session's windows."""
        found = self.session(session)
        windows = (self.windows.get(link.window) for link in found.links) if found else ()
        return tuple(pane.id for window in windows if window for pane in window.panes)

    def pane(self, id: str) -> Pane | None:
        """The pane with this id."""
        return next(
            (pane for window in self.windows.values() for pane in window.panes if pane.id == id), None
        )


class Process(Struct, frozen=True):
    """One process below some pane, as the operating system shows it."""

    pid: int
    ppid: int
    start: int
    """When it started, in hundredths of a second since some fixed moment; with the pid it names one process."""
    comm: str = ""
    """The kernel's name of it, at most 15 bytes."""
    exe: str = ""
    """Base name of the executable's file; "" where it may not be read."""
    argv: tuple[str, ...] = ()
    session: int = 0
    """Its session's leader, outlived by orphans that never made a session of their own; 0 where unknown."""


# --- what people see --------------------------------------------------------------------------------------

AgentState = Literal[
    "idle", "running", "tool-running", "waiting", "done", "error", "interrupted", "stale", "hibernated"
]

URGENCY: tuple[AgentState, ...] = (
    "waiting", "error", "tool-running", "running", "interrupted", "done", "stale", "hibernated", "idle",
)  # fmt: skip
"""A session shows the first of these that one of its agents is in."""

Mode = Literal["all", "agents", "active"]
"""Which rows a multiplexer's sidebars list: every session, those with agents, those whose agents are not idle."""


class Agent(Struct, frozen=True):
    """A coding agent in a pane. Times in seconds since the epoch."""

    id: str
    agent: str
    pane: str
    pid: int
    state: AgentState = "idle"
    background: int = 0
    unseen: bool = False
    liveness: Literal["alive", "exited", "unknown"] = "alive"
    thread: str | None = None
    title: str | None = None
    prompt: str | None = None
    waiting_for: str | None = None
    since: float = 0.0
    source: str = "process"
    confidence: Literal["high", "best-effort", "none", "unknown"] = "best-effort"


Tone = Literal["neutral", "info", "success", "warn", "error"]


class Status(Struct, frozen=True):
    """What a script says that a session is at."""

    text: str
    tone: Tone = "neutral"


class Progress(Struct, frozen=True):
    """How far it is, as the script counts; what it did not say is None. `percent` goes from 0 to 1."""

    current: int | float | None = None
    total: int | float | None = None
    percent: int | float | None = None
    label: str | None = None


class Entry(Struct, frozen=True):
    """A line in a session's log. `at` in seconds since the epoch."""

    message: str
    tone: Tone
    source: str | None
    at: float


class Metadata(Struct, frozen=True):
    """What scripts said about a session through the API."""

    status: Status | None = None
    progress: Progress | None = None
    log: tuple[Entry, ...] = ()


class Context(Struct, frozen=True):
    """What is known of the directory that a session works in. None: nothing, or not yet."""

    branch: str | None = None
    """Or the beginning of the commit's name, where no branch is checked out."""
    dirty: bool | None = None
    """Something is not committed, untracked files included."""
    worktree: str | None = None
    """The name of a linked working tree."""
    group: str = ""
    """The repository, which all of its working trees share; "" outside of any."""


class Belonging(Struct, frozen=True):
    """The repository that a session was created in. `repository` is the path of what its working trees share."""

    repository: str
    linked: bool = False
    """In a linked working tree of it."""


class Group(Struct, frozen=True):
    """Sessions in the working trees of one repository, which stand together under its name."""

    id: str
    """The repository's path."""
    name: str
    collapsed: bool
    """The rows are folded away and have no index."""
    sessions: tuple[str, ...]
    """The ids of those that are listed, or would be if it were not collapsed, in their order."""


class Row(Struct, frozen=True):
    """One session as the sidebar and the API show it."""

    id: str
    name: str
    index: int | None
    hidden: bool
    attached: int
    windows: int
    panes: int
    dir: str
    branch: str | None
    dirty: bool | None
    worktree: str | None
    ports: tuple[int, ...]
    created: int
    state: AgentState | None
    unseen: bool
    metadata: Metadata
    agents: tuple[Agent, ...]


class MuxView(Struct, frozen=True):
    """One multiplexer in the snapshot. `sessions` holds every session in sidebar order, hidden ones too."""

    provider: str
    key: str
    sessions: tuple[Row, ...]
    reachable: bool | UnsetType = UNSET
    """False while the multiplexer does not answer (its rows are then the last that were known); else absent."""
    groups: tuple[Group, ...] | UnsetType = UNSET
    """In their order; absent where there is none."""

    def row(self, id: str) -> Row | None:
        """The row of the session with this id."""
        return next((row for row in self.sessions if row.id == id), None)

    def grouped(self) -> Mapping[str, Group]:
        """The group of each session that stands in one, by the session's id."""
        return {id: group for group in self.groups or () for id in group.sessions}

    def folded(self) -> frozenset[str]:
        """The sessions that have no index because their group is collapsed."""
        return frozenset(id for group in self.groups or () if group.collapsed for id in group.sessions)

    def visible(self) -> tuple[Row, ...]:
        """The rows that have an index, in order: line N of the ordering file is `visible()[N - 1]`."""
        return tuple(row for row in self.sessions if row.index is not None)


class Snapshot(Struct, frozen=True):
    """Everything that is shown, for all multiplexers. Two that differ in nothing visible encode to equal bytes."""

    instance: str
    muxes: tuple[MuxView, ...] = ()
    version: int = field(default=1)

    def mux(self, key: str) -> MuxView | None:
        """The multiplexer with this key."""
        return next((mux for mux in self.muxes if mux.key == key), None)

    def json(self) -> bytes:
        """The contract's JSON, without a newline."""
        return encode({"version": self.version, "instance": self.instance, "muxes": self.muxes})
