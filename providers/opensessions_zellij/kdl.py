"""A reader of KDL 1.0, the language of zellij's files, that keeps the place of every node. Pure, standard library only.

It reads what the `kdl` crate 4.5 reads, which is zellij's reader (seen in 0.44 and 0.45), and is more lenient in two
things that change no place: the last node of a block needs no `;`, and numbers are not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SPACE = " \t\ufeff\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
LINE_END = re.compile("\r\n|[\r\n\u0085\f\u2028\u2029]")
SPACES = re.compile(f"[{SPACE}]+")
WORD = re.compile(f'[^\\x00-\\x1f{SPACE}\u0085\u2028\u2029\\\\/(){{}}<>;\\[\\]=,"]+')
COMMENT = re.compile(r"/\*|\*/")
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
NUMBER = re.compile(r"[+-]?[0-9][0-9A-Za-z_.+-]*")
RAW = re.compile(r'r(#*)"')
UNICODE = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}")
KEYWORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
DEEPEST = 100
"""Blocks in blocks; more are no configuration."""

Value = str | bool | None
"""A number stands as it is written."""


class Malformed(Exception):
    """The text is no KDL. The message says what is wrong, `line` where."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


class Node(NamedTuple):
    """One node that counts: what stands behind `/-` is left out."""

    name: str
    arguments: tuple[Value, ...]
    properties: tuple[tuple[str, Value], ...]
    children: tuple[Node, ...] | None
    """None where it has no block."""
    start: int
    """Where its name begins, or its type before that."""
    end: int
    """Behind its `;` or the end of its line; where a block ends it, at the `}`."""
    inside: tuple[int, int] = (0, 0)
    """From behind its `{` to its `}`."""

    def property(self, name: str) -> Value:
        """Its last property of that name; None without one."""
        return dict(self.properties).get(name)

    def all(self, name: str) -> Iterator[Node]:
        """The children of that name."""
        return (node for node in self.children or () if node.name == name)


def read(text: str) -> tuple[Node, ...]:
    """The nodes of a document. Malformed where it is none."""
    reader = _Reader(text)
    nodes = reader.nodes(0)
    if reader.at < len(text):
        raise reader.fault("this `}` closes nothing")
    return nodes


def quoted(text: str) -> str:
    """The text as a value, in one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped) + '"'


class _Reader:
    """A place in the text, and what can be read there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fault(self, sentence: str, at: int | None = None) -> Malformed:
        before = self.text[: self.at if at is None else at]
        return Malformed(1 + len(LINE_END.findall(before)), sentence)

    def here(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    # --- between nodes ----------------------------------------------------------------------------------------

    def nodes(self, depth: int) -> tuple[Node, ...]:
        """All nodes up to the end of the text or a `}`, which is left where it is."""
        found: list[Node] = []
        while True:
            self._between(depth)
            if self.at >= len(self.text) or self.here("}"):
                return tuple(found)
            found.append(self._node(depth))

    def _between(self, depth: int) -> None:
        """Skip what is no node, and nodes that do not count."""
        if depth > DEEPEST:
            raise self.fault("too many blocks in blocks")
        while True:
            while self._skip(LINE_END) or self._skip(SPACES) or self._line_comment() or self._block_comment():
                pass
            if not self.here("/-"):
                return
            self.at += 2
            self._between(depth + 1)
            self._node(depth)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _line_comment(self) -> bool:
        if not self.here("//"):
            return False
        end = LINE_END.search(self.text, self.at)
        self.at = end.end() if end else len(self.text)
        return True

    def _block_comment(self) -> bool:
        if not self.here("/*"):
            return False
        start, depth = self.at, 0
        while found := COMMENT.search(self.text, self.at):
            self.at = found.end()
            depth += 1 if found[0] == "/*" else -1
            if not depth:
                return True
        raise self.fault("this comment has no `*/`", start)

    # --- a node -----------------------------------------------------------------------------------------------

    def _node(self, depth: int) -> Node:
        start = self.at
        self._type()
        name = self._string() if self.here('"') or RAW.match(self.text, self.at) else self._word()
        arguments: list[Value] = []
        properties: list[tuple[str, Value]] = []
        children, inside = None, (0, 0)
        while True:
            self._in_node(depth)
            if self.here("{"):
                if children is not None:
                    raise self.fault(f"`{name}` has two blocks")
                children, inside = self._block(depth)
            elif self._ended():
                return Node(name, tuple(arguments), tuple(properties), children, start, self.at, inside)
            elif children is not None:
                raise self.fault(f"nothing may stand behind the block of `{name}` in its line but a `;`")
            else:
                self._entry(arguments, properties)

    def _ended(self) -> bool:
        if self.here(";"):
            self.at += 1
            return True
        return self.at >= len(self.text) or self.here("}") or self._line_comment() or self._skip(LINE_END)

    def _in_node(self, depth: int) -> None:
        """Skip what may stand between the parts of a node."""
        while self._skip(SPACES) or self._block_comment() or self.here("\\") or self.here("/-"):
            if self.here("\\"):
                self.at += 1
                while self._skip(SPACES) or self._block_comment():
                    pass
                if not (self._line_comment() or self._skip(LINE_END)):
                    raise self.fault("a `\\` stands at the end of a line only")
            elif self.here("/-"):
                self.at += 2
                while self._skip(SPACES) or self._block_comment():
                    pass
                if self.here("{"):
                    self._block(depth)
                else:
                    self._entry([], [])

    def _block(self, depth: int) -> tuple[tuple[Node, ...], tuple[int, int]]:
        opened = self.at
        self.at += 1
        children = self.nodes(depth + 1)
        if self.at >= len(self.text):
            raise self.fault("this `{` has no `}`", opened)
        self.at += 1
        return children, (opened + 1, self.at - 1)

    def _entry(self, arguments: list[Value], properties: list[tuple[str, Value]]) -> None:
        """One argument or property."""
        start = self.at
        typed = self._type()
        plain = not (self.here('"') or RAW.match(self.text, self.at) or NUMBER.match(self.text, self.at))
        value = self._value(plain)
        if self.here("=") and not typed and isinstance(value, str):
            self.at += 1
            self._type()
            properties.append((value, self._value(False)))
        elif plain and isinstance(value, str):
            raise self.fault(f"`{value}` needs quotation marks", start)
        else:
            arguments.append(value)

    def _type(self) -> bool:
        if not self.here("("):
            return False
        self.at += 1
        if self.here('"'):
            self._string()
        else:
            self._word()
        if not self.here(")"):
            raise self.fault("this type has no `)`")
        self.at += 1
        return True

    # --- values -----------------------------------------------------------------------------------------------

    def _value(self, word: bool) -> Value:
        """A string, a number, a keyword; with `word` also the name of a property."""
        if self.here('"') or RAW.match(self.text, self.at):
            return self._string()
        if number := NUMBER.match(self.text, self.at):
            self.at = number.end()
            return number.group()
        start, name = self.at, self._word()
        if name in KEYWORDS and not self.here("="):
            return KEYWORDS[name]
        if not word:
            raise self.fault(f"`{name}` needs quotation marks", start)
        return name

    def _word(self) -> str:
        word = WORD.match(self.text, self.at)
        if word is None:
            found = self.text[self.at : self.at + 1]
            raise self.fault(f"{found!r} is not expected here" if found else "the file ends too early")
        self.at = word.end()
        return word[0]

    def _string(self) -> str:
        start = self.at
        if raw := RAW.match(self.text, start):
            end = self.text.find(f'"{raw[1]}', raw.end())
            if end < 0:
                raise self.fault("this text has no end", start)
            self.at = end + 1 + len(raw[1])
            return self.text[raw.end() : end]
        self.at += 1
        parts: list[str] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            self.at += 1
            if character == '"':
                return "".join(parts)
            parts.append(self._escape() if character == "\\" else character)
        raise self.fault("this text has no end", start)

    def _escape(self) -> str:
        if code := UNICODE.match(self.text, self.at):
            number = int(code[1], 16)
            if number < 0x110000 and not 0xD800 <= number < 0xE000:
                self.at = code.end()
                return chr(number)
        simple = ESCAPES.get(self.text[self.at : self.at + 1])
        if simple is None:
            raise self.fault("this `\\` in a text escapes nothing that is known", self.at - 1)
        self.at += 1
        return simple
