"""What scripts say about a session: from what they send to what is kept. Pure.

Every text is harmless when it is kept: control characters are gone, and what is too long ends in `…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from opensessions import fields
from opensessions.events import InventoryRead, LogCleared, Logged, ProgressSet, StatusSet
from opensessions.fields import Body, Invalid
from opensessions.model import Entry, Metadata, Progress, Status, Tone

STATUS = 100
MESSAGE = 500
SOURCE = 50
LABEL = 100
"""Longest texts, in characters; a longer one is cut, its last character is then `…`."""
ENTRIES = 50
"""Lines kept of a session's log."""
TONES: tuple[Tone, ...] = get_args(Tone)

Said = Mapping[str, Metadata]
"""By session id."""


# --- from what was sent -----------------------------------------------------------------------------------


def status(body: Body) -> Status | None:
    """`{text, tone?}`; None where the text is null or nothing of it can be shown."""
    if "text" not in body:
        raise Invalid("text", "is missing; it is a text, or null for none")
    text = "" if body["text"] is None else fields.text(body, "text", STATUS)
    said = Status(text, _tone(body))
    return said if text else None


def progress(body: Body) -> Progress | None:
    """`{current?, total?, percent?, label?, clear?}`, at least one of them; None where it is cleared."""
    clear = fields.flag(body, "clear")
    current, total = fields.number(body, "current"), fields.number(body, "total")
    percent = fields.number(body, "percent", most=1)
    label = fields.text(body, "label", LABEL) if "label" in body else None
    if clear:
        return None
    if total is not None and current is None:
        raise Invalid("current", "is missing; a total alone says nothing")
    if current is None and percent is None and not label:
        raise Invalid("current", "is missing; send it, percent or label, or clear: true")
    return Progress(current, total, percent, label or None)


def entry(body: Body, now: float) -> Entry:
    """`{message, tone?, source?}`, said at `now` (seconds since the epoch)."""
    message = fields.text(body, "message", MESSAGE)
    if not message:
        raise Invalid("message", "holds nothing that can be shown")
    source = fields.text(body, "source", SOURCE) if "source" in body else None
    return Entry(message, _tone(body), source or None, round(now, 3))


def _tone(body: Body) -> Tone:
    tone = body.get("tone", "neutral")
    found = next((each for each in TONES if each == tone), None)
    if found is None:
        raise Invalid("tone", f"must be one of {', '.join(TONES)}")
    return found


# --- to what is kept --------------------------------------------------------------------------------------


def step(said: Said, event: object) -> Said:
    """What is known after the event; the same object where that changes nothing.

    What was said of a session that a reading does not show any more is dropped.
    """
    match event:
        case InventoryRead(inventory=inventory):
            live = {session.id for session in inventory.sessions}
            return said if said.keys() <= live else {id: said[id] for id in said if id in live}
        case StatusSet(session=session, status=status):
            old = said.get(session, NOTHING)
            return _with(said, session, Metadata(status, old.progress, old.log))
        case ProgressSet(session=session, progress=progress):
            old = said.get(session, NOTHING)
            return _with(said, session, Metadata(old.status, progress, old.log))
        case Logged(session=session, entry=entry):
            old = said.get(session, NOTHING)
            return _with(said, session, Metadata(old.status, old.progress, (*old.log, entry)[-ENTRIES:]))
        case LogCleared(session=session):
            old = said.get(session, NOTHING)
            return _with(said, session, Metadata(old.status, old.progress))
    return said


NOTHING = Metadata()


def _with(said: Said, session: str, metadata: Metadata) -> Said:
    if metadata == said.get(session, NOTHING):
        return said
    if metadata == NOTHING:
        return {id: each for id, each in said.items() if id != session}
    return {**said, session: metadata}
