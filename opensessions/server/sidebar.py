"""One connected sidebar: what the server keeps for it."""

from __future__ import annotations

import asyncio

from opensessions.model import Inventory, Pane
from opensessions.sidebar import keys
from opensessions.sidebar.confirm import Question
from opensessions.sidebar.frame import Frame, Wants
from opensessions.sidebar.others import Other
from opensessions.sidebar.reports import Reports
from opensessions.sidebar.scene import Drag, Ui
from opensessions.sidebar.theme import Depth, Theme, depth_of

CELLS = range(1, 10_001)
"""What tmux allows a window, in either direction."""


class Sidebar:
    """One connected pump."""

    def __init__(
        self, socket: str, pane: str, cols: int, rows: int, depth: Depth, transport: asyncio.Transport
    ) -> None:
        self.socket = socket
        self.mux = ""
        """The key of its multiplexer; "" until that is registered."""
        self.pane = pane
        self.pid = 0
        """The pump's process, which it tells, or the peer of its socket; 0 where that is not known."""
        self.client = ""
        """The client over which it lies, if it is a popup: then it has no pane, and who types there means it."""
        self.cols = cols
        self.rows = rows
        self.depth = depth
        self.transport = transport
        self.decoder = keys.Decoder()
        self.ui = Ui()
        self.frame: Frame | None = None
        """What its terminal shows; None where that is not known."""
        self.worn: Theme | None = None
        """The theme in which it was painted last."""
        self.others: tuple[Other, ...] = ()
        """What it shows of other multiplexers."""
        self.wants = Wants()
        """What is found out for its picture; nothing while nobody looks."""
        self.reports = Reports()
        self.looker = ""
        """The session that the client looking at it is in; "" while nobody looks."""
        self.draining = False
        """Its terminal has not taken everything yet."""
        self.own = ""
        """The session whose window holds it."""
        self.focused = False
        """Its pane is the active one of the window that is looked at."""
        self.held = b""
        """Keys that came before we knew that the pane is active; decided by a reading that was begun after them."""
        self.doubt = False
        """The next reading may have been begun before they came."""
        self.escape: asyncio.TimerHandle | None = None
        """Decides whether an Esc is a key."""
        self.asked: Question | None = None
        """The question that its terminal shows, and since when."""
        self.asked_at = 0.0
        self.lapse: asyncio.TimerHandle | None = None
        """Takes the question back."""
        self.dragged: Drag | int = 0
        """What its terminal shows as dragged: an entry, or the line to which the detail's border is; 0: nothing."""
        self.slip: asyncio.TimerHandle | None = None
        """Lets that go."""
        self.message = ""
        """What was done last, for a while or until the next key."""
        self.fade: asyncio.TimerHandle | None = None
        """Takes that away."""

    @property
    def moving(self) -> bool:
        """Does a spinner turn where somebody looks?"""
        return bool(self.looker) and self.frame is not None and self.frame.moving

    def quiet(self) -> None:
        """Set no timer any more."""
        for timer in (self.escape, self.lapse, self.slip, self.fade):
            if timer:
                timer.cancel()


def introduced(hello: dict[str, str], transport: asyncio.Transport) -> Sidebar:
    """The sidebar whose pump says hello. ValueError and KeyError where that is not understood."""
    sidebar = Sidebar(
        hello["socket"], hello["pane"], cells(hello, "cols"), cells(hello, "rows"),
        depth_of(hello.get("term", ""), hello.get("colorterm", "")), transport,
    )  # fmt: skip
    sidebar.client = hello.get("client", "")
    sidebar.pid = int(hello.get("pid") or 0)
    return sidebar


def placed(sidebar: Sidebar, inventory: Inventory | None) -> Pane | None:
    """The pane that it runs in. A pane whose id holds its session's name is called otherwise once that is renamed: then
    its process tells which it is."""
    pane = inventory.pane(sidebar.pane) if inventory else None
    if inventory is None or not sidebar.pid or sidebar.client or (pane and pane.pid == sidebar.pid):
        return pane
    panes = (each for window in inventory.windows.values() for each in window.panes)
    own = next((each for each in panes if each.pid == sidebar.pid), pane)
    if own is not None:
        sidebar.pane = own.id
    return own


def cells(told: dict[str, str], name: str) -> int:
    """A width or height in cells. ValueError where no terminal can have it: painting one would hold up everybody."""
    value = int(told[name])
    if value not in CELLS:
        raise ValueError(f"no terminal has {value} {name}")
    return value
