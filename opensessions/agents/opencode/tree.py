"""OpenCode's files from before it had a database: `storage/session/PROJECT/ses_*.json`,
`storage/message/SESSION/*.json` and `storage/part/MESSAGE/*.json`, with the same fields. Seen as 1.3.17 wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import DecodeError
from msgspec.json import decode

from opensessions.agents.adapter import Facts, Files
from opensessions.agents.opencode.db import Session, seconds, text
from opensessions.agents.opencode.turn import Message, Tool

FOLDERS = 50
NEWEST = 20
"""Sessions of a folder, messages of a session, that are read at most."""
PARTS = 100
NAME = re.compile(r"[\w-]+")
"""An id is part of a path."""


class Tree:
    """One such folder."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self.path = path

    def session(self, facts: Facts) -> Session | None:
        """The one of the program's folder that was worked on last, since it started; None where there is none."""
        found = []
        for folder in self._files.list(f"{self.path}/session", FOLDERS):
            for entry in self._files.list(f"{self.path}/session/{folder.name}", NEWEST):
                told = self._read(f"session/{folder.name}/{entry.name}")
                if not NAME.fullmatch(text(told.get("id"))):
                    continue
                here = told.get("directory") in (facts.cwd, facts.env.get("PWD", facts.cwd))
                if here and not told.get("parentID") and text(told.get("id")) not in facts.taken:
                    found.append(_session(told))
        newest = max(found, key=lambda session: session.updated, default=None)
        return newest if newest and newest.updated >= facts.started else None

    def last(self, session: str) -> tuple[Message | None, Message | None]:
        """What the user said last, and the last step of the model."""
        told = [self._read(f"message/{session}/{name}") for name in self._newest(f"message/{session}")]
        messages = [_message(each) for each in told if NAME.fullmatch(text(each.get("id")))]
        return (
            next((each for each in messages if each.role == "user"), None),
            next((each for each in messages if each.role == "assistant"), None),
        )

    def tools(self, message: str) -> tuple[Tool, ...]:
        """The tools that were called in this step."""
        return tuple(_tool(part) for part in self._parts(message) if part.get("type") == "tool")

    def prompt(self, message: str) -> str | None:
        """What the user wrote in this message."""
        texts = (text(part.get("text")) for part in self._parts(message) if part.get("type") == "text")
        return next(texts, "") or None

    def watched(self, session: str, messages: Sequence[str]) -> list[str]:
        """The folders in which the next thing of this conversation will be written."""
        return [
            f"{self.path}/message/{session}",
            *(f"{self.path}/part/{message}" for message in messages),
        ]

    def _parts(self, message: str) -> list[Mapping[str, Any]]:
        return [self._read(f"part/{message}/{name}") for name in self._newest(f"part/{message}", PARTS)]

    def _newest(self, folder: str, limit: int = NEWEST) -> list[str]:
        """The names in it, of which the last is the newest, the newest first."""
        names = (entry.name for entry in self._files.list(f"{self.path}/{folder}"))
        return sorted((name for name in names if name.endswith(".json")), reverse=True)[:limit]

    def _read(self, name: str) -> Mapping[str, Any]:
        data = self._files.read(f"{self.path}/{name}")
        return _object(data) if data else {}


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        found = decode(data)
    except (DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _in(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _session(told: Mapping[str, Any]) -> Session:
    times = _in(told, "time")
    return Session(
        text(told.get("id")), text(told.get("title")), text(told.get("version")),
        seconds(times.get("created")) or 0.0, seconds(times.get("updated")) or 0.0,
    )  # fmt: skip


def _message(told: Mapping[str, Any]) -> Message:
    times, error = _in(told, "time"), told.get("error")
    return Message(
        text(told.get("id")), text(told.get("role")), seconds(times.get("created")) or 0.0,
        seconds(times.get("completed")), text(told.get("finish")) or None,
        text(_in(told, "error").get("name")) if error else None, text(told.get("parentID")),
    )  # fmt: skip


def _tool(told: Mapping[str, Any]) -> Tool:
    state = _in(told, "state")
    times = _in(state, "time")
    return Tool(
        text(told.get("tool")), text(state.get("status")), bool(state.get("metadata")),
        seconds(times.get("start")), seconds(times.get("end")), text(state.get("error")),
    )  # fmt: skip
