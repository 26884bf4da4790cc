"""Put members into a JSON text and take them out, with every other byte left where it is. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from opensessions.hooks.jsonc import Document, Node

INDENTED = re.compile(r"[\[{]\r?\n([ \t]+)\S")


class Insertion(Struct, frozen=True):
    """Text that goes in at a position of the old text."""

    at: int
    text: str


class Style(Struct, frozen=True):
    """How the text is laid out."""

    newline: str
    unit: str
    """Of indentation; empty where everything stands on one line."""


def style(text: str) -> Style:
    """As the text does it; two spaces where it tells nothing."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if not text.strip("\ufeff \t\r\n"):
        return Style(newline, "  ")
    found = INDENTED.search(text)
    if found:
        return Style(newline, found.group(1))
    return Style(newline, "  " if "\n" in text.strip() else "")


def whole(value: Any, like: Style) -> str:
    """A value as the whole content of a file."""
    return _render(value, like, "") + like.newline


def insertions(document: Document, container: Node, new: Sequence[tuple[str | None, Any]]) -> list[Insertion]:
    """What to put in so that the container ends with these members; the key is None in an array."""
    text, like = document.text, style(document.text)
    last = container.members[-1] if container.members else None
    put, after_comment = _before(document, container.end - 1)  # a comment stays with what it is about
    spread = bool(like.unit) and (
        last is None or after_comment or "\n" in text[container.start : container.members[0].start]
    )
    if spread:
        indent = _indent(text, container, like)
        first = like.newline + indent
    else:
        indent = ""
        first = like.newline if after_comment else " " if last else ""
    added = first + ("," + (first if spread else " ")).join(
        (f"{json.dumps(key, ensure_ascii=False)}: " if key is not None else "")
        + _render(value, like if spread else Style(like.newline, ""), indent)
        for key, value in new
    )
    if spread and "\n" not in text[put : container.end]:
        added += like.newline + _line_indent(text, container.start)
    if last is None or last.comma is not None:
        return [Insertion(put, added)]
    if put == last.end:
        return [Insertion(put, "," + added)]
    return [Insertion(last.end, ","), Insertion(put, added)]


def inserted(text: str, edits: Iterable[Insertion]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The new text, and where in it the inserted parts stand as (start, length), in order."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    done = size = 0
    for edit in sorted(edits, key=lambda each: each.at):
        parts += [text[done : edit.at], edit.text]
        size += edit.at - done
        spans.append((size, len(edit.text)))
        size += len(edit.text)
        done = edit.at
    return "".join(parts) + text[done:], tuple(spans)


def without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text without these parts, which are in order and do not overlap."""
    parts: list[str] = []
    done = 0
    for start, length in spans:
        parts.append(text[done:start])
        done = start + length
    return "".join(parts) + text[done:]


def deletions(document: Document, container: Node, unwanted: Sequence[int]) -> list[tuple[int, int]]:
    """The parts, as (start, length), that go with the members of these numbers. Comments stay. Parts may overlap
    where members follow one another."""
    text = document.text
    parts: list[tuple[int, int]] = []
    members = container.members
    for number in unwanted:
        member = members[number]
        start, after_comment = _before(document, member.start)
        end = member.end
        if after_comment:  # the newline that ends the comment stays; the one behind the member goes instead
            start = text.index("\n", start) + 1
            rest = text[end + 1 if member.comma == end else end :]
            blank = len(rest) - len(rest.lstrip(" \t\r"))
            if rest[blank : blank + 1] == "\n":
                end = len(text) - len(rest) + blank + 1
        parts.append((start, end - start))
        if member.comma is not None:
            parts.append((member.comma, 1))
    kept = [number for number in range(len(members)) if number not in unwanted]
    if kept and kept[-1] < len(members) - 1 and members[-1].comma is None:
        parts.append((members[kept[-1]].comma or 0, 1))
    return parts


def _before(document: Document, at: int) -> tuple[int, bool]:
    """Where what stands before this position and its blanks ends, and whether that is a `//` comment."""
    text = document.text
    end = len(text[:at].rstrip(" \t\r\n"))
    for comment in document.comments:  # one may end in blanks of its own
        if end <= comment <= at and not text[end:comment].strip(" \t"):
            return comment, True
    return end, False


def _render(value: Any, like: Style, indent: str) -> str:
    if not like.unit:
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, indent=like.unit).replace("\n", like.newline + indent)


def _indent(text: str, container: Node, like: Style) -> str:
    """Of the container's members."""
    if container.members:
        start = container.members[-1].start
        lead = text[text.rfind("\n", 0, start) + 1 : start]
        if not lead.strip(" \t"):
            return lead
    return _line_indent(text, container.start) + like.unit


def _line_indent(text: str, at: int) -> str:
    """The blanks at the beginning of the line of this position."""
    line = text.rfind("\n", 0, at) + 1
    return text[line : len(text) - len(text[line:].lstrip(" \t"))] if text[line : at + 1].strip() else ""
