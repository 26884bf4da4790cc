"""Typed reading of fields that a stranger sent. Pure. Every text comes back harmless, every fault names its field."""

from __future__ import annotations

from collections.abc import Mapping

from opensessions.errors import OpenSessionsError

Body = Mapping[str, object]
"""A JSON object."""

LARGEST = 2**53
"""Beyond it a number in JSON is not the number that was meant."""

_BARRED: dict[int, str | None] = {
    **dict.fromkeys((*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029)),
    **dict.fromkeys((0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    **dict.fromkeys(range(0xD800, 0xE000), "?"),
}
"""Control characters and line ends go, and what turns the direction of its neighbours; a lone surrogate has no
UTF-8."""


class Invalid(OpenSessionsError):
    """A field is missing or not what it must be."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field} {fault}.")
        self.field = field


def clean(text: str, limit: int) -> str:
    """`text` without control characters and blanks around it, at most `limit` characters long."""
    text = text.translate(_BARRED).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def text(body: Body, name: str, limit: int) -> str:
    """The text of a field that must be there."""
    value = body.get(name)
    if not isinstance(value, str):
        raise Invalid(name, "must be a text" if name in body else "is missing")
    return clean(value, limit)


def number(body: Body, name: str, most: float = LARGEST) -> int | float | None:
    """The number of a field, from 0 to `most`; None where it is missing."""
    if name not in body:
        return None
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(name, "must be a number")
    if not 0 <= value <= most:  # nor is NaN
        raise Invalid(name, f"must be from 0 to {most}")
    return value


def flag(body: Body, name: str) -> bool:
    """The flag of a field; false where it is missing."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(name, "must be true or false")
    return value
