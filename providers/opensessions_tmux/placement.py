"""Where sidebars belong and what has to be done about it. Pure.

One sidebar in every window of every session that a viewer is attached to, a full column at its edge, of the one
width that the user chose. Nothing of anybody else's is touched: a pane is ours only by the owner id in its option.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from opensessions.model import Inventory, Pane, Session, Window
from opensessions.provider import SidebarWish

ROOM = 20
"""Columns that must be left beside a sidebar; a narrower window gets none, and its sidebar is left alone."""
STALE = 1.0
"""Seconds within which a reading may still show what was so before our last act."""
RESPAWN = 1.0
"""Seconds from a spawn to the next in the same window; doubled each time up to `LONGEST`."""
LONGEST = 60.0
CALM = 5.0
"""Seconds that a sidebar must outlive that pause to have been well: then the pause begins anew."""
TRIES = 8
"""Different layouts of a window in which a sidebar is repaired at once while its width is not reached."""
RETRY = 0.25
"""Seconds from a repair that did not help to the next in the same layout; doubled each time. Once that is more than
`LONGEST`, the width cannot be reached."""


# --- what is to be done -----------------------------------------------------------------------------------


class Spawn(Struct, frozen=True):
    """Start a sidebar. `zoomed`: the window was, and shall stay so; if that has changed nothing is done."""

    window: str
    zoomed: bool = False


class Close(Struct, frozen=True):
    """Kill a sidebar, once its clients are in the session `refuge`. `zoom`: the pane that is zoomed afterwards.
    `last`: the window has no other sidebar of ours."""

    pane: str
    window: str
    last: bool = True
    zoom: str = ""
    clients: tuple[str, ...] = ()
    refuge: str = ""


class OpenShell(Struct, frozen=True):
    """Open a shell beside a sidebar that is alone in its window; `width` in cells for the shell."""

    pane: str
    width: int


class Resize(Struct, frozen=True):
    """Give a sidebar its width."""

    pane: str
    width: int


class Place(Struct, frozen=True):
    """Make a sidebar a full column at its edge again. `beside`: any other pane of the window."""

    pane: str
    beside: str
    active: bool


class Unname(Struct, frozen=True):
    """Take back what kept the sidebar's process out of the window's name."""

    window: str


Action = Spawn | Close | OpenShell | Resize | Place | Unname


# --- what is known ----------------------------------------------------------------------------------------


class Spawned(Struct, frozen=True):
    """The last spawn in a window, at `at` seconds; none is due in it before `pause` seconds have passed."""

    at: float
    pause: float


class Tried(Struct, frozen=True):
    """What a sidebar's repair was tried in: the circumstances, and the layouts seen in them. The next try in one of
    them is due at `again` seconds, `pause` after the last.

    What did not help once may help later: the window may have been zoomed in that moment, and what was repaired may
    have been undone before it was read.
    """

    frame: tuple[int, int, SidebarWish]
    layouts: frozenset[str] = frozenset()
    again: float = 0.0
    pause: float = RETRY


class Memory(Struct, frozen=True):
    """What planning must remember from one reading to the next."""

    spawned: Mapping[str, Spawned] = {}
    """By window."""
    tried: Mapping[str, Tried] = {}
    """By pane."""
    closed: Mapping[str, float] = {}
    """By pane: when we killed it."""


class Scene(Struct, frozen=True):
    """What to plan for. `now` in seconds, on any clock that never goes back."""

    inventory: Inventory
    wish: SidebarWish
    owner: str
    now: float
    dragging: bool = False
    named: frozenset[str] = frozenset()


class Plan(Struct, frozen=True):
    """What to do at once, what to do when things have settled, and when to plan again without a reading.

    `memory` assumes that `actions` are done; `memory_after_repairs` that both are.
    """

    actions: tuple[Action, ...]
    repairs: tuple[Resize | Place, ...]
    memory: Memory
    memory_after_repairs: Memory
    again: float | None = None


def plan(scene: Scene, memory: Memory) -> Plan:
    """The acts that lead from the scene to the wish. None where all is well, so doing them twice changes nothing."""
    inventory, now = scene.inventory, scene.now
    closed = {pane: at for pane, at in memory.closed.items() if now - at < STALE}
    if any(pane.id in closed for window in inventory.windows.values() for pane in window.panes):
        kept = Memory(memory.spawned, memory.tried, closed)
        return Plan((), (), kept, kept, min(closed.values()) + STALE)
    planner = _Planner(scene, memory, closed)
    seen = inventory.seen_windows()
    for window in sorted(inventory.windows.values(), key=lambda window: window.id not in seen):
        planner.visit(window)
    return planner.plan()


class _Planner:
    """Visits the windows, those on a screen first."""

    def __init__(self, scene: Scene, memory: Memory, closed: dict[str, float]) -> None:
        self.scene = scene
        self.wish = scene.wish
        self.sessions = _sessions_by_window(scene.inventory.sessions)
        viewed = {client.session for client in scene.inventory.viewers()}
        self.viewed = {
            id for id, sessions in self.sessions.items() if any(one.id in viewed for one in sessions)
        }
        self.actions: list[Action] = []
        self.repairs: list[Resize | Place] = []
        # Sidebars that we close because none are wished any more have not failed.
        spawned = memory.spawned if scene.wish.visible else {}
        self.spawned = {id: spawn for id, spawn in spawned.items() if id in scene.inventory.windows}
        self.closed = closed
        self.tried = memory.tried
        self.trying: dict[str, Tried] = {}
        self.tried_after: dict[str, Tried] = {}
        self.again: float | None = None
        self.emptied = False

    def plan(self) -> Plan:
        return Plan(
            tuple(self.actions),
            tuple(self.repairs),
            Memory(self.spawned, self.trying, self.closed),
            Memory(self.spawned, self.tried_after, self.closed),
            self.again,
        )

    def visit(self, window: Window) -> None:
        ours = [pane for pane in window.panes if pane.mark == self.scene.owner]
        others = [pane for pane in window.panes if pane.mark != self.scene.owner]
        living = [pane for pane in ours if not pane.dead]
        wanted = self.wish.visible and window.id in self.viewed
        if not ours:
            self.absent(window, wanted)
        elif not others:
            self.alone(window, ours)
        elif not self.wish.visible or not living:
            self.close(window, ours, last=True)
        else:
            keep = min(living, key=lambda pane: (not _is_column(pane, others, self.wish), int(pane.id[1:])))
            self.close(window, [pane for pane in ours if pane is not keep], last=False)
            self.repair(window, keep, others)

    def absent(self, window: Window, wanted: bool) -> None:
        """There is no sidebar of ours."""
        if not (wanted and fits(window, self.wish)):
            if window.id in self.scene.named:
                self.actions.append(Unname(window.id))
            return
        last = self.spawned.get(window.id)
        if last and self.scene.now < last.at + last.pause:
            due = last.at + last.pause
            self.again = min(due, self.again or due)
            return
        calm = last is None or self.scene.now - last.at > last.pause + CALM
        pause = RESPAWN if last is None or calm else min(LONGEST, 2 * last.pause)
        self.spawned[window.id] = Spawned(self.scene.now, pause)
        self.actions.append(Spawn(window.id, window.zoomed))

    def alone(self, window: Window, ours: Sequence[Pane]) -> None:
        """Nothing but our sidebars is left. Killing the last pane of a session's last window ends the session:
        its viewers go to another one first. Where there is none, the sidebar stays.

        One such window at a time: what follows for the others, the next reading tells.
        """
        if self.wish.lone == "shell":
            keep = ours[0]
            self.actions.append(OpenShell(keep.id, window.width - self.wish.width - 1))
            return
        if self.emptied:
            return
        ending = [session for session in self.sessions[window.id] if len(session.links) == 1]
        clients = tuple(
            client.name
            for client in self.scene.inventory.viewers()
            if any(client.session == session.id for session in ending)
        )
        refuge = _neighbour(self.scene.inventory.sessions, ending) if ending else None
        if ending and refuge is None:
            return
        self.emptied = True
        for pane in ours:
            self.closed[pane.id] = self.scene.now
            self.actions.append(
                Close(pane.id, window.id, True, "", clients, refuge.id if refuge and clients else "")
            )

    def close(self, window: Window, panes: Iterable[Pane], last: bool) -> None:
        """Kill sidebars beside which other panes stand. A zoomed pane stays zoomed."""
        active = window.active_pane
        for pane in panes:
            zoom = active.id if window.zoomed and active and active is not pane else ""
            self.closed[pane.id] = self.scene.now
            self.actions.append(Close(pane.id, window.id, last, zoom))

    def repair(self, window: Window, pane: Pane, others: Sequence[Pane]) -> None:
        """A sidebar of the wrong width or in the wrong place. In a zoomed window sizes say nothing, and a change
        would end the zoom; while the user drags a border it would tear it away; what was in vain is tried ever more
        seldom."""
        if window.zoomed or self.scene.dragging or not fits(window, self.wish):
            if pane.id in self.tried:
                self.trying[pane.id] = self.tried_after[pane.id] = self.tried[pane.id]
            return
        act: Resize | Place
        if not _is_column(pane, others, self.wish):
            act = Place(pane.id, others[0].id, pane.active)
        elif pane.width != self.wish.width:
            act = Resize(pane.id, self.wish.width)
        else:
            return
        frame = (window.width, window.height, self.wish)
        tried = self.tried.get(pane.id)
        if tried is None or tried.frame != frame:
            tried = Tried(frame)
        self.trying[pane.id] = self.tried_after[pane.id] = tried
        fresh = window.layout not in tried.layouts and len(tried.layouts) < TRIES
        if not fresh and tried.pause > LONGEST:
            return
        if not fresh and self.scene.now < tried.again:
            self.again = min(tried.again, self.again or tried.again)
            return
        layouts = tried.layouts | {window.layout} if fresh else tried.layouts
        pause = RETRY if fresh else 2 * tried.pause
        self.tried_after[pane.id] = Tried(frame, layouts, self.scene.now + pause, pause)
        self.repairs.append(act)


def _sessions_by_window(sessions: Iterable[Session]) -> dict[str, list[Session]]:
    """A grouped or linked window belongs to several sessions."""
    found: dict[str, list[Session]] = {}
    for session in sessions:
        for link in session.links:
            found.setdefault(link.window, []).append(session)
    return found


def fits(window: Window, wish: SidebarWish) -> bool:
    """Is there room for a sidebar?"""
    return window.width >= wish.width + ROOM


def _is_column(pane: Pane, others: Iterable[Pane], wish: SidebarWish) -> bool:
    """Does every other pane stand on the sidebar's inner side?"""
    if wish.position == "left":
        return all(other.left > pane.left + pane.width for other in others)
    return all(other.left + other.width < pane.left for other in others)


def _neighbour(sessions: Sequence[Session], leaving: Sequence[Session]) -> Session | None:
    """The session above the first that leaves, else the one below the last; None where none is left."""
    gone = {session.id for session in leaving}
    places = [place for place, session in enumerate(sessions) if session.id in gone]
    above = [session for session in sessions[: places[0]] if session.id not in gone]
    below = [session for session in sessions[places[0] :] if session.id not in gone]
    return above[-1] if above else below[0] if below else None
