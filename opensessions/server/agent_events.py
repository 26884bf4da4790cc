"""`POST /api/agent-event`: what an agent's plugin says of it, checked, and brought to the session that it means."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from opensessions import fields
from opensessions.events import AgentEvent
from opensessions.fields import Body, Invalid
from opensessions.model import URGENCY, AgentState
from opensessions.server.bus import Bus
from opensessions.server.metadata import exact
from opensessions.server.whereabouts import Finder, Place, by_folder, in_session

log = logging.getLogger(__name__)

DISK = 1.0
"""Seconds for a question to the disk: a network may be behind it."""

NAME = 100
THREAD = 200
TITLE = 200
PROMPT = 500
FOLDER = 4096
"""Longest texts, in characters."""

WORDS: dict[str, AgentState] = {
    **{state: state for state in URGENCY},
    "ready": "idle",
    "started": "running", "working": "running", "busy": "running", "thinking": "running", "in-progress": "running",
    "tool": "tool-running", "executing": "tool-running",
    "blocked": "waiting", "permission": "waiting", "question": "waiting", "needs-input": "waiting",
    "waiting-for-input": "waiting",
    "complete": "done", "completed": "done", "finished": "done", "success": "done",
    "failed": "error", "failure": "error",
    "aborted": "interrupted", "cancelled": "interrupted", "canceled": "interrupted",
}  # fmt: skip
"""The words that other tools use for a state. Case does not count, `_` and blanks are `-`."""


class AgentEvents:
    """Takes the call, and hands the value to `on_event`, which answers whether it was of use."""

    def __init__(self, bus: Bus, finder: Finder) -> None:
        self._bus = bus
        self._finder = finder
        self._home = os.path.expanduser("~")
        self.on_event: Callable[[AgentEvent], bool] = lambda event: False

    async def tell(self, body: Body) -> None:
        """Invalid where a field is wrong, Refused where no session is meant."""
        told = said(body)
        place = await self._place(body, told.agent)
        event = AgentEvent(
            place.mux, place.pane, place.session,
            told.agent, told.state, told.at, told.thread, told.title, told.prompt,
        )  # fmt: skip
        if not self.on_event(event):
            log.info("an event of %s in %s was of no use: %s", event.agent, place.session, event.state)

    async def _place(self, body: Body, agent: str) -> Place:
        """By the pane where it is given, else by the session, else by the folder."""
        key = exact(body, "mux") if "mux" in body else ""
        session = exact(body, "tmuxSession") if "tmuxSession" in body else ""
        pane = exact(body, "paneId") if "paneId" in body else ""
        folder = exact(body, "projectDir", FOLDER) if "projectDir" in body else ""
        if folder and not folder.startswith("/"):
            raise Invalid("projectDir", "must be a full path")
        if pane:
            return await self._finder.pane(pane, key, session)
        if session:
            return in_session(self._bus.state, await self._finder.session(session, key), agent)
        if not folder:
            raise Invalid("tmuxSession", "is missing; send it, projectDir or paneId")
        names = (folder, await _real(folder))
        return await self._finder.find(
            lambda state: by_folder(state, names, agent, key, self._home),
            f"session that works in {folder!r}",
            key,
        )


async def _real(folder: str) -> str:
    """The folder's real path, which is what panes tell; as it was given where the disk does not answer soon."""
    try:
        async with asyncio.timeout(DISK):
            return await asyncio.to_thread(os.path.realpath, folder)
    except TimeoutError:
        return folder
    except ValueError:
        raise Invalid("projectDir", "is no path") from None


def said(body: Body) -> AgentEvent:
    """What is said, of a place that is not known yet."""
    agent = fields.text(body, "agent", NAME)
    if not agent:
        raise Invalid("agent", "holds nothing that can be shown")
    status = fields.text(body, "status", NAME)
    state = WORDS.get(status.lower().replace("_", "-").replace(" ", "-"))
    if state is None:
        raise Invalid("status", f"must be one of {', '.join(WORDS)}")
    milliseconds = fields.number(body, "ts")
    return AgentEvent(
        "", "", "", agent, state,
        None if milliseconds is None else milliseconds / 1000,
        _maybe(body, "threadId", THREAD), _maybe(body, "threadName", TITLE), _maybe(body, "lastUserPrompt", PROMPT),
    )  # fmt: skip


def _maybe(body: Body, name: str, limit: int) -> str | None:
    return fields.text(body, name, limit) or None if name in body else None
