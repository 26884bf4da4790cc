"""JSON with comments and trailing commas, read with the positions of everything, so that it can be edited in place."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

from opensessions.errors import OpenSessionsError

DEEPEST = 100
"""Containers within containers; no settings file comes near it."""

BLANK = re.compile(r"[ \t\r\n]*")
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.+-])|(?:true|false|null)\b")


class Malformed(OpenSessionsError):
    """The text is not JSON. `line` counts from 1."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


class Node(Struct, frozen=True):
    """A value: where it stands, and what it is in Python's terms."""

    start: int
    end: int
    value: Any
    members: tuple[Member, ...] = ()
    """Of an object or an array."""

    def member(self, key: str) -> Node | None:
        """The value of a key of this object; the last one where the key stands twice, as every reader takes it."""
        for each in reversed(self.members):
            if each.key == key:
                return each.node
        return None


class Member(Struct, frozen=True):
    """One entry of a container. It begins with its key, or with its value in an array."""

    start: int
    key: str | None
    node: Node
    comma: int | None
    """Where the comma behind it stands, if there is one."""

    @property
    def end(self) -> int:
        """Where its value ends."""
        return self.node.end


class Document(Struct, frozen=True):
    """A whole text. `root` is None where it holds nothing but blanks and comments."""

    text: str
    root: Node | None
    comments: frozenset[int]
    """Where `//` comments end: what follows there must begin with a newline."""


def read(text: str) -> Document:
    """Parse; Malformed where it is not JSON (with comments and trailing commas allowed)."""
    reader = _Reader(text)
    at = reader.skip(1 if text.startswith("\ufeff") else 0)
    if at == len(text):
        return Document(text, None, frozenset(reader.comments))
    root = reader.value(at, 0)
    rest = reader.skip(root.end)
    if rest != len(text):
        raise reader.wrong("something follows after the end of the value", rest)
    return Document(text, root, frozenset(reader.comments))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.comments: set[int] = set()

    def wrong(self, what: str, at: int) -> Malformed:
        return Malformed(what, self.text.count("\n", 0, at) + 1)

    def skip(self, at: int) -> int:
        """The next position that is neither blank nor comment."""
        text = self.text
        while True:
            at = BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches always
            if text.startswith("//", at):
                end = text.find("\n", at)
                at = len(text) if end < 0 else end
                self.comments.add(at - 1 if text[at - 1] == "\r" else at)
            elif text.startswith("/*", at):
                end = text.find("*/", at + 2)
                if end < 0:
                    raise self.wrong("a comment does not end", at)
                at = end + 2
            else:
                return at

    def value(self, at: int, depth: int) -> Node:
        first = self.text[at : at + 1]
        if first in ("{", "["):
            if depth == DEEPEST:
                raise self.wrong(f"it is nested more than {DEEPEST} deep", at)
            return self.container(at, depth, "}" if first == "{" else "]")
        if first == '"':
            end, text = self.string(at)
            return Node(at, end, text)
        found = SCALAR.match(self.text, at)
        if not found:
            raise self.wrong("a value is expected", at)
        return Node(at, found.end(), _scalar(found.group()))

    def string(self, at: int) -> tuple[int, str]:
        found = STRING.match(self.text, at)
        if not found:
            raise self.wrong("a string does not end, or holds a control character", at)
        try:
            return found.end(), json.loads(found.group())
        except ValueError as error:
            raise self.wrong("a string holds an escape that JSON does not know", at) from error

    def container(self, start: int, depth: int, close: str) -> Node:
        members: list[Member] = []
        at = self.skip(start + 1)
        while self.text[at : at + 1] != close:
            if members and members[-1].comma is None:
                raise self.wrong(f"a comma or {close!r} is expected", at)
            begin, key = at, None
            if close == "}":
                if self.text[at : at + 1] != '"':
                    raise self.wrong("a key in double quotes is expected", at)
                end, key = self.string(at)
                at = self.skip(end)
                if self.text[at : at + 1] != ":":
                    raise self.wrong(f"a colon is expected after the key {key!r}", at)
                at = self.skip(at + 1)
            node = self.value(at, depth + 1)
            at = self.skip(node.end)
            comma = at if self.text[at : at + 1] == "," else None
            if comma is not None:
                at = self.skip(at + 1)
            members.append(Member(begin, key, node, comma))
        value: Any = (
            {each.key: each.node.value for each in members}
            if close == "}"
            else [each.node.value for each in members]
        )
        return Node(start, at + 1, value, tuple(members))


def _scalar(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # more digits than Python turns into a number
        return text
