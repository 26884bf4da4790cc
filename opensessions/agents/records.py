"""What stands in a line of a session file: untrusted JSON, made safe to look into. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

Record = Mapping[str, Any]
NOTHING: Record = {}


def record(data: bytes | str) -> Record | None:
    """The JSON object in `data`; None where it holds anything else."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def part(value: object, name: str) -> Record:
    """The object in the field `name`; an empty one where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else NOTHING


def parts(value: object, name: str) -> Sequence[Record]:
    """The objects in the list in the field `name`."""
    found = value.get(name) if isinstance(value, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else ()


def text(value: object, name: str) -> str:
    """The text in the field `name`; "" where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def spoken(value: object, name: str) -> str:
    """A message's text: the field itself, or the `text` of its parts, a blank between them."""
    return text(value, name) or " ".join(
        each for each in (text(one, "text") for one in parts(value, name)) if each
    )


def moment(written: str) -> float | None:
    """Seconds since the epoch of `2026-11-21T03:46:12.509Z`; None for what is no such time."""
    try:
        when = datetime.fromisoformat(written)
        return when.timestamp() if when.tzinfo else None
    except (ValueError, OverflowError):
        return None
