"""Our lines in zellij's configuration: put in, found, and taken out to the byte. Pure: text to text.

They stand between two marks, at the end of the first `keybinds` (zellij reads no other). Where they can have lines of
their own the marks are lines; else they are comments within a line, so that nothing around them is touched. zellij
itself writes the file anew where its configuration screen saves, without any comment: then our bindings are known by
the script that they run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from opensessions_zellij import kdl
from opensessions_zellij.kdl import Node
from opensessions_zellij.keymap import first, leads_to
from opensessions_zellij.keys import MODE, SCRIPT, Wishes, lines

BEGIN = (
    ">>> opensessions: written by `opensessions zellij install`; `opensessions zellij uninstall` takes it out"
)
END = "<<< opensessions"
MADE = "// Made by `opensessions zellij install`; what is not said here is as zellij has it."
"""The first line of a file that there was none of."""

LINES = re.compile(
    rf"^[ \t]*// {re.escape(BEGIN)}\r?\n(?:.*\n)*?[ \t]*// {re.escape(END)}\r?\n", re.MULTILINE
)
ALONE = re.compile(rf"^[ \t]*// (?:{re.escape(BEGIN)}|{re.escape(END)})\r?\n", re.MULTILINE)
"""A mark whose other one is gone."""
WITHIN = re.compile(rf"/\* {re.escape(BEGIN)} \*/.*?/\* {re.escape(END)} \*/", re.DOTALL)


class NoPlace(Exception):
    """The configuration has no place for keys. The message completes "PATH, line N: "."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


def put(text: str | None, wishes: Wishes) -> str:
    """The text with our lines, once and as they are wished. Malformed or NoPlace where that cannot be."""
    if text is None:
        return "\n".join([MADE, *_own(wishes, ""), ""])
    bare = take(text)
    if bare is None:
        return put(None, wishes)
    document = kdl.read(bare)
    end = "\r\n" if "\r\n" in bare else "\n"
    found = first(document)
    if found is None:
        chunk = "".join(f"{line}{end}" for line in _own(wishes, ""))
        if not bare or bare.endswith("\n"):
            return bare + chunk
        return chunk + bare
    if found.children is None:
        raise NoPlace(
            1 + bare.count("\n", 0, found.start), "`keybinds` has no block, which zellij does not read either"
        )
    closing = found.inside[1]
    start = bare.rfind("\n", 0, closing) + 1
    indent = bare[start:closing]
    if start >= found.inside[0] and not indent.strip(" \t"):
        inner = _indent(bare, found) or f"{indent}    "
        chunk = "".join(f"{inner}{line}{end}" for line in _marked(lines(wishes)))
        return bare[:start] + chunk + bare[start:]
    chunk = end.join([f"/* {BEGIN} */", *lines(wishes), f"/* {END} */"])
    return bare[:closing] + chunk + bare[closing:]


def take(text: str) -> str | None:
    """The text without us; None where the file was ours alone. Malformed where marks are missing and it cannot be
    understood."""
    left = WITHIN.sub("", LINES.sub("", text))
    if left == text:
        left = ALONE.sub("", text)
        for start, stop in sorted(_ours(kdl.read(left)), reverse=True):
            left = left[:start] + left[stop:]
    if left != text and left.startswith(MADE):
        return left[len(MADE) + 1 :] or None
    return left


def holds(text: str) -> bool:
    """Is anything of ours there?"""
    return take(text) != text


def _own(wishes: Wishes, indent: str) -> Iterator[str]:
    """A `keybinds` that is all ours."""
    yield from _marked(["keybinds {", *(f"    {line}" for line in lines(wishes)), "}"])


def _marked(inner: Iterator[str] | list[str]) -> Iterator[str]:
    yield f"// {BEGIN}"
    yield from inner
    yield f"// {END}"


def _indent(text: str, block: Node) -> str:
    """How the last child that begins a line is indented."""
    for child in reversed(block.children or ()):
        before = text[text.rfind("\n", 0, child.start) + 1 : child.start]
        if not before.strip(" \t"):
            return before
    return ""


def _ours(document: tuple[Node, ...]) -> Iterator[tuple[int, int]]:
    """Where our bindings stand without marks: those that run our script, and those that lead to the mode in which they
    are."""
    keybinds = first(document)
    blocks = (keybinds.children or ()) if keybinds else ()
    binds = [(block, node) for block in blocks for node in block.all("bind")]
    running = [(block, node) for block, node in binds if _runs(node)]
    if not running:
        return
    homes = {(block.start, block.end) for block, _ in running}
    rest = [(block, node) for block, node in binds if leads_to(node, MODE)]
    for block in blocks:
        ours = [node for home, node in running + rest if home is block]
        # The keys that leave the table stand in its block and mean nothing without it.
        bare = (block.start, block.end) in homes and all(
            node in ours or not _acts(node) for node in block.children or ()
        )
        if bare:
            yield block.start, block.end
        else:
            yield from ((node.start, node.end) for node in ours)


def _runs(node: Node) -> bool:
    words = (word for run in node.all("Run") for word in run.arguments)
    return any(isinstance(word, str) and word.endswith(f"/scripts/{SCRIPT}") for word in words)


def _acts(node: Node) -> bool:
    """Does it anything but change the mode?"""
    return any(action.name != "SwitchToMode" for action in node.children or ())
