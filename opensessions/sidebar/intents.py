"""What the user wants of the multiplexer, of the server or of what runs, as values. Pure."""

from __future__ import annotations

from msgspec import Struct

from opensessions.model import Mode


class Go(Struct, frozen=True):
    """Switch the looking client to a session."""

    session: str


class Close(Struct, frozen=True):
    """Hide the sidebars."""


class Leave(Struct, frozen=True):
    """Give the focus back to the pane that had it."""


class Move(Struct, frozen=True):
    """Move a row by so many places among the rows that have an index."""

    session: str
    by: int


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


class Say(Struct, frozen=True):
    """Tell the user why nothing happens."""

    text: str


Intent = (
    Go | Close | Leave | Move | Hide | Unhide | SetMode | SetTheme | Refresh | Widen
    | KillSession | KillAgent | Hibernate | Resume | Reap | Say
)  # fmt: skip
