"""What a multiplexer must be able to do for us. The core knows no multiplexer; a provider knows only this page,
`events`, `model` and `errors`.

A provider is found by the entry-point group `opensessions.providers`: a function `open_provider(target, binary,
context)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from opensessions.events import Event
from opensessions.model import Inventory

# --- commands: values, carried out by `Provider.do` ---------------------------------------------------------


class SwitchClient(Struct, frozen=True):
    """Show a session (and a pane in it, if given) on a client.

    `keep_sidebar`: the switch came from a sidebar, so the focus goes to the destination's sidebar if it has
    one; otherwise the destination's active pane is left alone. Answers the name that the client has there, if another
    one than here.
    """

    client: str
    session: str
    pane: str = ""
    keep_sidebar: bool = False


class FocusSidebar(Struct, frozen=True):
    """Make the sidebar of the client's current window its active pane, spawning it first if it is missing."""

    client: str


class EvenHorizontal(Struct, frozen=True):
    """Make the panes of the client's current window stand side by side, equally wide; its sidebar keeps its place and
    its width. A zoom ends."""

    client: str


class LeaveSidebar(Struct, frozen=True):
    """Give the focus from a sidebar pane back to the pane that was active before it."""

    pane: str


class ShowMessage(Struct, frozen=True):
    """One line in the client's status line. `text` is plain text; the provider makes it inert."""

    client: str
    text: str


class Announce(Struct, frozen=True):
    """One line for a short while in the status line of each of these clients. `text` is plain text, as above; a client
    that has gone is no fault."""

    clients: tuple[str, ...]
    text: str


class DesktopNotice(Struct, frozen=True):
    """Answers what the sidebar in `pane` must print so that the terminal of `client`, which looks at it, shows a
    notification on its desktop; "" where that terminal cannot, or the user lets no pane speak to it."""

    client: str
    pane: str
    title: str
    detail: str


class CreateSession(Struct, frozen=True):
    """Create a detached session. Answers its id."""

    name: str
    directory: str = ""


class RenameSession(Struct, frozen=True):
    """Rename a session. Answers the name that it really got."""

    session: str
    name: str


class KillSession(Struct, frozen=True):
    """Kill a session after moving each of its clients to the session `refuge` ("": there is no other)."""

    session: str
    refuge: str = ""


class KillPane(Struct, frozen=True):
    """Close a pane; what runs in it is hung up on. Its window and session go with it where it was the last one."""

    pane: str


class TypeLine(Struct, frozen=True):
    """Type one line into a pane, in place of what stands at its prompt, and Enter. `text` arrives as it is. Refused
    where the keys would reach something else than the program in that pane, or other panes as well."""

    pane: str
    text: str


class PressKey(Struct, frozen=True):
    """Press one key in a pane: a lower-case letter or a digit, "enter" or "escape". Refused where it would reach
    something else than the program in that pane, or other panes as well."""

    pane: str
    key: str


class ReadScreen(Struct, frozen=True):
    """Answers the lines that a pane shows now, with the SGR sequences that colour them. Refused where there is no such
    pane."""

    pane: str


class ChooseFolder(Struct, frozen=True):
    """Show, over a client, the list of folders for a new session, and come back at once. What is chosen there is shown
    on that client."""

    client: str


class HandOver(Struct, frozen=True):
    """Let a client go without a word; `program`, as words, takes its place on its terminal. Refused where there is no
    such client."""

    client: str
    program: tuple[str, ...]


Command = (
    SwitchClient | FocusSidebar | EvenHorizontal | LeaveSidebar | ShowMessage | Announce | DesktopNotice
    | CreateSession | RenameSession | KillSession | KillPane | TypeLine
    | PressKey | ReadScreen | ChooseFolder | HandOver
)  # fmt: skip


# --- from one multiplexer to another -----------------------------------------------------------------------


class WayIn(Struct, frozen=True):
    """How a terminal gets into a session. Programs are words for exec, the first one a path; no shell reads them."""

    mux: str
    """The multiplexer's key."""
    name: str
    """The session, for people, as it is typed: "zellij attach work"."""
    argv: tuple[str, ...]
    """Becomes the client."""
    check: tuple[str, ...]
    """Ends with 0 if the session is there."""
    environment: dict[str, str] = {}
    """What the client needs there; "" is what must not be there."""
    said: str = ""
    """A sentence that the terminal shows first, where the multiplexer cannot show it."""
    leave: bool = False
    """A client that was started so lets go of its session on SIGTERM: it cannot be handed over, but be told."""


# --- sidebars ---------------------------------------------------------------------------------------------


class SidebarWish(Struct, frozen=True):
    """How sidebars should be in every window that a viewer can see. `width` in cells."""

    visible: bool = False
    width: int = 26
    position: Literal["left", "right"] = "left"
    lone: Literal["close", "shell"] = "close"
    """What happens to a sidebar whose window lost its last other pane: it goes with the window after its
    clients were moved away, or a shell is opened beside it."""


# --- what we publish inside the multiplexer ------------------------------------------------------------------


class Publication(Struct, frozen=True):
    """Names and values to publish, by scope; what is not named here any more is removed.

    Scopes: "" (the whole server), and a session, window or pane id. Names come without their leading `@`.
    """

    values: Mapping[tuple[str, str], str] = {}
    """(scope, name) -> text; plain text that the provider makes inert where the multiplexer would expand it."""


# --- the provider ------------------------------------------------------------------------------------------


class Context(Struct, frozen=True):
    """What the server hands to a provider when it opens it."""

    owner: str
    """The owner id of this installation: the only proof that a pane is our sidebar."""
    runtime: str
    interpreter: str
    """The real Python for standard-library-only scripts."""
    python: str
    """The Python in which `opensessions` can be imported: what starts a server."""
    scripts: str
    """The folder with switch.py, sidebar.py and the others."""


GapName = Literal[
    "messages", "desktop-notices", "even-horizontal", "publication", "sidebar-width", "sidebar-height", "clients",
    "events", "processes", "crossing",
]  # fmt: skip


class Gap(Struct, frozen=True):
    """Something of this page that a multiplexer cannot do, or only partly; `text` says it to users, in a sentence. What
    is in no gap is done."""

    name: GapName
    text: str


class Provider(Protocol):
    """One multiplexer server, for as long as it lives. All methods are called from the event loop."""

    kind: str
    """"tmux" or "zellij"."""
    key: str
    """The folder name under `<runtime>/mux/`."""
    socket: str
    """What identifies it to people: the socket's path."""
    gaps: tuple[Gap, ...]
    """What it cannot do. A command that lies in a gap wholly is Refused with the gap's words."""

    def events(self) -> AsyncIterator[Event]:
        """Readings as they come; the first as soon as possible. Ends after MuxLeft. Never raises for a server
        that does not answer: that is an Unreachable event, and it keeps trying at the sweep's rhythm."""
        ...

    def refresh(self) -> None:
        """Ask for a new reading soon. Many calls make one reading."""
        ...

    async def look(self) -> Inventory:
        """A complete reading that is begun now, besides what `events` tells. MuxError after 2 s where the multiplexer
        does not answer, and where the answer is not complete: then nothing is known."""
        ...

    async def probe(self, timeout: float) -> bool:
        """Does it answer within `timeout` seconds?"""
        ...

    async def do(self, command: Command) -> str:
        """Carry out a command. Refused with the multiplexer's own words where it says no, MuxError where it
        does not answer. The text is the command's answer ("" for most)."""
        ...

    async def way_in(self, session: str, pane: str = "", *, sidebar: bool = False, said: str = "") -> WayIn:
        """How another terminal gets into a session, to a pane in it if given; `sidebar`: to the sidebar there, if there
        is one. `said` is shown on arrival. Refused where session or pane are gone, MuxError where it does not
        answer."""
        ...

    async def client_of(self, process: int) -> str:
        """The name of the client that this process is; "" where it is none, or that is not known for certain."""
        ...

    async def screens(self, panes: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """The lines that each of these panes shows now, from top to bottom. Left out: panes that are gone, and those
        of which nothing was said. One call for all. MuxError where the multiplexer does not answer."""
        ...

    async def publish(self, publication: Publication) -> None:
        """Make the published values so, in one batch with only what changed. MuxError where it fails; the
        next call then writes everything again."""
        ...

    async def sidebars(self, wish: SidebarWish) -> None:
        """From now on keep sidebars so: spawn, close and repair widths after every reading."""
        ...

    async def adopt_width(self, pane: str) -> int | None:
        """The width in cells that the user just dragged this sidebar pane to; None where it is no sidebar."""
        ...

    async def sweep(self) -> None:
        """Once a minute: put our hooks back if somebody wiped them, and ask for a new reading."""
        ...

    async def withdraw(self, close_sidebars: bool = True) -> None:
        """A clean stop: remove what was published and, unless another server follows at once, close our
        sidebars. Hooks and bindings stay, so that the next key or client finds its way to a new server."""
        ...


class OpenProvider(Protocol):
    """The entry point of a provider package."""

    def __call__(self, target: str, binary: str, context: Context) -> Provider:
        """Open the multiplexer server at `target` (tmux: the socket's path), to be spoken to with the program
        `binary` ("" = the one on PATH). Must not block."""
        ...
