"""What the user wants of the multiplexer, of the server or of what runs, as values. Pure."""

from __future__ import annotations

from msgspec import Struct

from opensessions.model import Mode


class Go(Struct, frozen=True):
    """Switch the looking client to a session, or to one of its panes; bring it there where that is in another
    multiplexer."""

    session: str
    pane: str = ""
    mux: str = ""
    """The other multiplexer's key; "" for the sidebar's own."""


class Close(Struct, frozen=True):
    """Hide the sidebars."""


class Leave(Struct, frozen=True):
    """Give the focus back to the pane that had it."""


class Move(Struct, frozen=True):
    """Move a row by so many places among the rows that have an index and the collapsed groups."""

    session: str
    by: int


class MoveGroup(Struct, frozen=True):
    """Move a group by so many places, as a row."""

    group: str
    by: int


class Collapse(Struct, frozen=True):
    """Fold a group's rows away, or open it again; in every sidebar of the multiplexer."""

    group: str
    collapsed: bool


class Hide(Struct, frozen=True):
    """Take a session out of the list."""

    session: str


class Unhide(Struct, frozen=True):
    """Bring a hidden session back."""

    session: str


class SetMode(Struct, frozen=True):
    """Choose which rows are listed, in every sidebar of the multiplexer."""

    mode: Mode


class Refresh(Struct, frozen=True):
    """Read everything again."""


class Widen(Struct, frozen=True):
    """Make the sidebars wider by so many cells (negative: narrower)."""

    by: int


class ShowDetail(Struct, frozen=True):
    """Show the detail of the cursor's row in every sidebar of the multiplexer, or not."""

    shown: bool


class SizeDetail(Struct, frozen=True):
    """Give it so many lines, its border included. `keep`: it is to stay so, as far as is known."""

    height: int
    keep: bool = True


class SetTheme(Struct, frozen=True):
    """Wear a theme in every sidebar."""

    theme: str


class KillSession(Struct, frozen=True):
    """End a session and what runs in it; the user has confirmed it for the one that was `created` then."""

    session: str
    created: int


class KillAgent(Struct, frozen=True):
    """End an agent; confirmed."""

    agent: str


class Hibernate(Struct, frozen=True):
    """End an agent in order to resume it later; confirmed."""

    agent: str


class Resume(Struct, frozen=True):
    """Go on with a hibernated agent; confirmed."""

    agent: str


class Reap(Struct, frozen=True):
    """End the agents that have lost their pane; confirmed."""


class Attend(Struct, frozen=True):
    """Go to the agent that needs the user most; there already, to the next one."""


class Back(Struct, frozen=True):
    """Go where the last such jump began."""


class Dismiss(Struct, frozen=True):
    """Take note of these agents: what is over shows no more."""

    agents: tuple[str, ...]


class Undo(Struct, frozen=True):
    """Take back what was done last to the rows."""


class NewSession(Struct, frozen=True):
    """Choose a folder for a new session."""


class Rename(Struct, frozen=True):
    """Give a session another name."""

    session: str
    name: str


class Answer(Struct, frozen=True):
    """Ask whether an agent that waits for a permission is to get it, or to be denied it."""

    agent: str
    allow: bool


class Reply(Struct, frozen=True):
    """Answer the agent; the user has confirmed it for the prompt `text`."""

    agent: str
    allow: bool
    text: str


class Say(Struct, frozen=True):
    """Tell the user why nothing happens."""

    text: str


Intent = (
    Go | Close | Leave | Move | MoveGroup | Collapse | Hide | Unhide | SetMode | SetTheme | Refresh | Widen
    | ShowDetail | SizeDetail
    | Attend | Back | Dismiss | Undo | NewSession | Rename | Answer | Reply
    | KillSession | KillAgent | Hibernate | Resume | Reap | Say
)  # fmt: skip
