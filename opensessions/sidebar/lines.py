"""The list as lines: each entry's one or two. Only what is on the screen is built. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from opensessions.sidebar.branches import HeadLook, PaneLook, WindowLook, headed, pane_line, window_line
from opensessions.sidebar.elsewhere import heading
from opensessions.sidebar.entries import Entry
from opensessions.sidebar.frame import Line
from opensessions.sidebar.motion import entry_at, lines_of
from opensessions.sidebar.mouse import landed
from opensessions.sidebar.moving import Landing
from opensessions.sidebar.remarks import RemarkLook, remark_line
from opensessions.sidebar.rows import ROOMY, TURNING, WIDE, Drop, RowLook, ViewOptions, row_line
from opensessions.sidebar.scene import Scene, Ui, counted


def build(
    scene: Scene, ui: Ui, options: ViewOptions, every: Sequence[Entry], room: int, frame: int
) -> tuple[list[Line], bool]:
    """The lines of the list that are on the screen; and whether one of them has a spinner."""
    starts = lines_of(every)
    place = entry_at(every, starts, ui.top)
    maker = _Maker(scene, ui, options, frame, landed(ui, scene, every), thumb(ui.top, room, starts[-1]))
    maker.at = starts[place] - ui.top
    lines: list[Line] = []
    while maker.at < room and place < len(every):
        made = maker.lines(every[place], "cursor" if place == ui.place else "")
        lines += made[max(0, -maker.at) :]
        maker.at += len(made)
        place += 1
    return lines[:room], maker.moving


def thumb(top: int, room: int, count: int) -> range:
    """The lines of the list's area that the scroll mark covers; none where all of the list is on the screen."""
    if count <= room or room < 1:
        return range(0)
    size = max(1, room * room // count)
    start = round((room - size) * top / (count - room))
    return range(start, start + size)


class _Maker:
    """What all lines of one picture have in common."""

    def __init__(
        self, scene: Scene, ui: Ui, options: ViewOptions, frame: int, mark: Landing | None, marked: range
    ) -> None:
        self._scene, self._ui, self._options, self._frame = scene, ui, options, frame
        self._mark, self._marked = mark, marked
        self._digits = max(2, len(str(counted(scene.mux))))  # the tenth session must not shift the others
        self._quiet = scene.mux.reachable is False
        self.at = 0
        """The line on the screen, counted from the list's first, that comes next; negative above the screen."""
        self.moving = False

    def lines(self, entry: Entry, ground: str) -> list[Line]:
        """The lines of one entry."""
        if ground and not self._scene.focused:
            ground = "cursor-away"
        match entry.kind:
            case "group":
                return [self._heading(entry, ground)]
            case "window":
                return [self._window(entry, ground)]
            case "pane":
                return [self._pane(entry, ground)]
            case "far":
                above = entry.height > 1 and entry.other
                name = heading(above.name, self._scene.width, self._options.ascii) if above else None
                return [*([name] if name else []), self._far(entry, ground)]
        made = [self._row(entry, ground)]
        if entry.height > 1:
            made.append(self._remark(entry, ground))
        return made

    def _drop(self, entry: Entry, last: bool) -> Drop:
        """What this line of the entry tells of where something would land."""
        if self._mark is None or self._mark.key != entry.key:
            return ""
        if self._mark.below:
            return "below" if last else ""
        return "above" if not last or entry.height == 1 else ""

    def _frame_if(self, turning: bool) -> int:
        self.moving = self.moving or turning
        return self._frame if turning else 0

    def _row(self, entry: Entry, ground: str) -> Line:
        row, scene, options = entry.row, self._scene, self._options
        assert row is not None
        wide, roomy = scene.width >= WIDE, scene.width >= ROOMY
        agents: tuple[tuple[str, str, bool], ...] = ()
        turning = row.state in TURNING
        if wide and row.agents:
            agents = tuple([(agent.agent, agent.state, agent.liveness == "exited") for agent in row.agents])
            turning = turning or not TURNING.isdisjoint([state for _, state, _ in agents])
        look = RowLook(
            row.name, row.index, row.state or "", row.unseen, len(row.agents),
            all(agent.liveness == "exited" for agent in row.agents), agents,
            row.windows if wide else 0, row.dir if roomy else "", row.branch or "", bool(row.dirty),
            row.id == scene.current, ground, self._quiet or row.hidden, self.at in self._marked,
            self._digits, scene.width, self._frame_if(turning), options.ascii, options.home,
            1 if entry.group else 0, self._drop(entry, entry.height == 1),
        )  # fmt: skip
        return row_line(look)

    def _far(self, entry: Entry, ground: str) -> Line:
        far, scene, options = entry.far, self._scene, self._options
        assert far is not None
        assert entry.other is not None
        wide = scene.width >= WIDE
        turning = far.state in TURNING or (wide and any(state in TURNING for _, state, _ in far.agents))
        look = RowLook(
            far.name, None, far.state or "", far.unseen, len(far.agents), all(gone for _, _, gone in far.agents),
            far.agents if wide else (), 0, "", "", False, False, ground, True,
            self.at + entry.height - 1 in self._marked, self._digits, scene.width,
            self._frame_if(turning and not entry.other.quiet), options.ascii, options.home, bare=True,
        )  # fmt: skip
        return row_line(look)

    def _remark(self, entry: Entry, ground: str) -> Line:
        assert entry.row is not None
        said = entry.row.metadata
        look = RemarkLook(
            said.status, said.progress, said.log[-1] if said.log else None, ground, self.at + 1 in self._marked,
            self._digits, 1 if entry.group else 0, self._scene.width, self._options.ascii, self._drop(entry, True),
        )  # fmt: skip
        return remark_line(look)

    def _heading(self, entry: Entry, ground: str) -> Line:
        group = entry.group
        assert group is not None
        members = set(group.sessions)
        rows = [row for row in self._scene.mux.sessions if row.id in members]
        look = HeadLook(
            group.name, group.collapsed, len(rows), tuple(row.state for row in rows if row.state),
            group.collapsed and any(row.unseen for row in rows),
            group.collapsed and self._scene.current in group.sessions, ground, self._quiet,
            self.at in self._marked, self._digits, self._scene.width, self._options.ascii,
            self._drop(entry, True),
        )  # fmt: skip
        return headed(look, self._frame_if(group.collapsed and look.state in TURNING))

    def _window(self, entry: Entry, ground: str) -> Line:
        window, row = entry.window, entry.row
        assert window is not None
        assert row is not None
        state = entry.pane.state if entry.pane else None
        look = WindowLook(
            window.index, window.name, window.current, entry.pane, window.current and row.id == self._scene.current,
            ground, self._quiet, self.at in self._marked, self._digits, 1 if entry.group else 0, self._scene.width,
            self._frame_if(state in TURNING), self._options.ascii, self._drop(entry, True),
        )  # fmt: skip
        return window_line(look)

    def _pane(self, entry: Entry, ground: str) -> Line:
        assert entry.pane is not None
        look = PaneLook(
            entry.pane, ground, self._quiet, self.at in self._marked, self._digits, 1 if entry.group else 0,
            self._scene.width, self._frame_if(entry.pane.state in TURNING), self._options.ascii,
            self._drop(entry, True),
        )  # fmt: skip
        return pane_line(look)
