"""Where sidebars belong in zellij and what has to be done about it. Pure.

One sidebar in every tab of every session that a client is attached to. zellij splits a pane in two and resizes by steps
of 5 % of the window, so what is opened here is a part of the outermost column, and about as wide as wished. Nothing of
anybody else's is closed or resized: a pane is ours only by the owner id in its command.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from opensessions.provider import SidebarWish
from opensessions_zellij.reading import Cell, Held, Root, is_sidebar, tab_id

ROOM = 20
"""Columns that must be left to the pane that a sidebar is opened beside."""
STEP = 0.05
"""The part of a window's columns by which one `resize` changes a pane (0.45.1)."""
RESPAWN, LONGEST = 2.0, 60.0
"""Seconds from a spawn to the next in the same tab; doubled each time."""
BAR = 2
"""Rows of a plugin's pane that is a bar; a higher one is something that the user looks at."""


class Spawn(Struct, frozen=True):
    """Open a sidebar beside the terminal pane `beside`, then make it narrower `steps` times."""

    session: str
    tab: int
    beside: int
    steps: int


class Close(Struct, frozen=True):
    """Close a sidebar. `ends`: its session, whose clients go to `refuge` first, ends with it."""

    session: str
    pane: str
    ends: bool = False
    refuge: str = ""


class OpenShell(Struct, frozen=True):
    """Open a shell beside a sidebar that is alone in its tab."""

    session: str
    pane: str


class Resize(Struct, frozen=True):
    """Make a sidebar wider (negative: narrower) by so many steps."""

    session: str
    pane: str
    steps: int


class Place(Struct, frozen=True):
    """Let a sidebar change places with the pane on its left."""

    session: str
    pane: str


Action = Spawn | Close | OpenShell | Resize | Place


class Spawned(Struct, frozen=True):
    """The last spawn in a tab, at `at` seconds; none is due in it before `pause` seconds have passed."""

    at: float
    pause: float


class Memory(Struct, frozen=True):
    """What planning must remember from one reading to the next."""

    spawned: Mapping[str, Spawned] = {}
    """By tab."""
    sized: Mapping[str, tuple[int, int]] = {}
    """By pane, the wish and the window's columns for which its width was tried: once for each, since a user who drags
    a border is not to be fought, and a layout may have fixed the width."""


class Scene(Struct, frozen=True):
    """What to plan for. `now` in seconds, on a clock that never goes back."""

    sessions: Sequence[tuple[Root, Held]]
    wish: SidebarWish
    owner: str
    now: float
    everywhere: bool = False
    """Also where nobody looks (yet)."""


class Plan(Struct, frozen=True):
    """What to do, what to remember when it is done, and when to plan again without a reading."""

    actions: tuple[Action, ...]
    memory: Memory
    again: float | None = None


def plan(scene: Scene, memory: Memory) -> Plan:
    """The acts that lead from the scene to the wish. None where all is well, so doing them twice changes nothing."""
    planner = _Planner(scene, memory)
    for root, held in scene.sessions:
        shown = {cell.tab_id for cell in held.cells if cell.name in held.lookers.values()}
        tabs = {cell.tab_id for cell in held.cells}
        for tab in sorted(tabs, key=lambda tab: (tab not in shown, tab)):
            planner.visit(
                root.name, tab, [cell for cell in held.cells if cell.tab_id == tab], held, len(tabs)
            )
    return Plan(tuple(planner.actions), Memory(planner.spawned, planner.sized), planner.again)


class _Planner:
    def __init__(self, scene: Scene, memory: Memory) -> None:
        self.scene = scene
        self.wish = scene.wish
        self.memory = memory
        self.actions: list[Action] = []
        self.spawned: dict[str, Spawned] = dict(memory.spawned) if scene.wish.visible else {}
        self.sized: dict[str, tuple[int, int]] = {}
        self.again: float | None = None

    def visit(self, session: str, tab: int, cells: Sequence[Cell], held: Held, tabs: int) -> None:
        ours = [cell for cell in cells if is_sidebar(cell, self.scene.owner)]
        living = [cell for cell in ours if not (cell.exited or cell.is_held)]
        others = [cell for cell in cells if cell not in ours and _matters(cell)]
        wanted = self.wish.visible and bool(held.lookers or self.scene.everywhere)
        if not ours:
            if wanted:
                self.absent(session, tab, others)
        elif not others:
            self.alone(session, ours, tabs)
        elif not self.wish.visible or not living:
            self.actions += [Close(session, cell.name) for cell in ours]
        else:
            keep = min(living, key=lambda cell: (-cell.pane_rows, cell.id))
            self.actions += [Close(session, cell.name) for cell in ours if cell is not keep]
            self.width(session, keep, cells)

    def absent(self, session: str, tab: int, others: Sequence[Cell]) -> None:
        """There is no sidebar of ours. A tab in which something is over the others is left alone: a new pane would end
        that."""
        if any(cell.is_fullscreen or (cell.is_floating and cell.is_focused) for cell in others):
            return
        beside = self.neighbour(others)
        if beside is None:
            return
        key = tab_id(session, tab)
        last = self.spawned.get(key)
        if last and self.scene.now < (due := last.at + last.pause):
            self.again = min(due, self.again or due)
            return
        pause = RESPAWN if last is None or self.scene.now > last.at + 10 * last.pause else 2 * last.pause
        self.spawned[key] = Spawned(self.scene.now, min(LONGEST, pause))
        total = max(cell.pane_x + cell.pane_columns for cell in others)
        narrower = steps(beside.pane_columns // 2, self.wish.width, total)
        self.actions.append(Spawn(session, tab, beside.id, max(0, -narrower)))

    def neighbour(self, others: Iterable[Cell]) -> Cell | None:
        """The highest of the outermost panes that have room, the uppermost of several."""
        tiled = _tiled(others)
        left = self.wish.position == "left"
        edges = [cell.pane_x if left else -(cell.pane_x + cell.pane_columns) for cell in tiled]
        outer = [cell for cell, edge in zip(tiled, edges, strict=True) if edge == min(edges)]
        roomy = [cell for cell in outer if cell.pane_columns >= self.wish.width + ROOM]
        return min(roomy, key=lambda cell: (-cell.pane_rows, cell.pane_y), default=None)

    def alone(self, session: str, ours: Sequence[Cell], tabs: int) -> None:
        """Nothing but our sidebars is left. The last pane of the last tab ends the session: its clients go to another
        one first. Where there is none, the sidebar stays."""
        if self.wish.lone == "shell":
            self.actions.append(OpenShell(session, ours[0].name))
            return
        ends = tabs == 1
        refuge = self.refuge(session) if ends else ""
        if ends and not refuge:
            return
        self.actions += [Close(session, cell.name) for cell in ours[1:]]
        self.actions.append(Close(session, ours[0].name, ends, refuge))

    def refuge(self, leaving: str) -> str:
        """The session above the one that ends, else the one below it."""
        names = [root.name for root, _ in self.scene.sessions]
        place = names.index(leaving)
        return (names[:place][-1:] or names[place + 1 :][:1] or [""])[0]

    def width(self, session: str, cell: Cell, cells: Sequence[Cell]) -> None:
        """A sidebar of the wrong width. In a fullscreen tab widths say nothing."""
        total = max(each.pane_x + each.pane_columns for each in cells if not each.is_floating)
        key, tried = f"{session}/{cell.name}", (self.wish.width, total)
        if key not in self.memory.sized:
            self.sized[key] = tried
            if tab_id(session, cell.tab_id) in self.memory.spawned:
                self.finish(session, cell, cells, total)
            return  # else it was found after a restart: as it is, it was meant
        self.sized[key] = self.memory.sized[key]
        if self.sized[key] == tried or any(each.is_fullscreen for each in cells):
            return
        self.sized[key] = tried
        self.resize(session, cell, total)

    def finish(self, session: str, cell: Cell, cells: Sequence[Cell], total: int) -> None:
        """Place and width of one that we have just opened, as far as that was not done: zellij throws a call out now
        and then, which has done nothing, or has not said what it did (0.45.1)."""
        if any(each.is_fullscreen for each in cells):
            return
        further_out = [each for each in _tiled(cells) if each.pane_x < cell.pane_x]
        if self.wish.position == "left" and further_out:
            self.actions.append(Place(session, cell.name))
        self.resize(session, cell, total)

    def resize(self, session: str, cell: Cell, total: int) -> None:
        """To as near as it gets to the wish."""
        if by := steps(cell.pane_columns, self.wish.width, total):
            self.actions.append(Resize(session, cell.name, by))


def _tiled(cells: Iterable[Cell]) -> list[Cell]:
    """The terminal panes that share the window."""
    return [cell for cell in cells if not (cell.is_plugin or cell.is_floating or cell.is_suppressed)]


def _matters(cell: Cell) -> bool:
    """Is it something that the user works in? A plugin without a picture (suppressed) or in a bar is not."""
    return not cell.is_plugin or (cell.pane_rows > BAR and not cell.is_suppressed)


def steps(now: int, wished: int, total: int) -> int:
    """How many steps of zellij's bring a pane of `now` columns nearest to `wished`; negative: narrower."""
    return round((wished - now) / max(1.0, STEP * total))
