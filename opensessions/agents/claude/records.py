"""The records of a Claude Code transcript. Seen with 1.0.24 to 2.1.329; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

INTERRUPTED = ("[Request interrupted by user]", "[Request interrupted by user for tool use]")
COMMANDS = (
    "<command-name>", "<command-message>", "<command-args>", "<local-command-", "<bash-input>", "<bash-stdout>",
    "<bash-stderr>", "<system-reminder>", "<user-memory-input>",
)  # fmt: skip
"""What stands at the beginning of a user's record that is no prompt."""
NOTIFICATION = "<task-notification>"
"""Something in the background has ended. It starts a turn."""


class Record(Struct):
    """A line. Anything may be anything."""

    type: Any = None
    subtype: Any = None
    timestamp: Any = None
    uuid: Any = None
    parentUuid: Any = None
    isSidechain: Any = None
    isMeta: Any = None
    isCompactSummary: Any = None
    isApiErrorMessage: Any = None
    isAbortedMidStream: Any = None
    entrypoint: Any = None
    message: Any = None
    toolUseResult: Any = None
    attachment: Any = None
    pendingBackgroundAgentCount: Any = None
    customTitle: Any = None
    aiTitle: Any = None
    summary: Any = None
    lastPrompt: Any = None


_decoder = msgspec.json.Decoder(Record)


def read(line: bytes) -> Record | None:
    """The record in a line; None where there is none."""
    try:
        return _decoder.decode(line)
    except RecursionError:
        return None
    except (msgspec.DecodeError, UnicodeError):
        pass
    try:  # a text that was cut within a surrogate pair: Node writes that
        value = json.loads(line)
        return msgspec.convert(value, Record) if isinstance(value, dict) else None
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None


def blocks(content: object) -> Sequence[Mapping[str, Any]]:
    """A message's parts; a text is one part."""
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list):
        return ()
    found = [{"type": "text", "text": each} if isinstance(each, str) else each for each in content]
    return [each for each in found if isinstance(each, dict)]


def spoken(blocks: Sequence[Mapping[str, Any]]) -> str:
    """The text of a message."""
    texts = (text_of(block.get("text")) for block in blocks if block.get("type") == "text")
    return " ".join(each for each in texts if each).strip()


def text_of(value: object) -> str:
    """The text itself; "" for anything else."""
    return value if isinstance(value, str) else ""
