r"""The bindings that ours stand in for: kept once in tmux options, and put back byte for byte.

tmux tells a binding only as text (`list-keys`), in a form that cannot always be read back: the commands of a list
are joined by `\;`, and by `\;\;` where the user wrote them on several lines. So the text is turned into a block
`{ … }` first. Standard library only.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from opensessions.errors import Refused
from opensessions_tmux import quote
from opensessions_tmux.admin import Admin

OPTION = "@opensessions-kept-"
"""With the key table and the key in hex: `@opensessions-kept-prefix-6f`. Value: the note, a newline, the text of
`list-keys`; empty after the newline where the key was not bound. plugin.tmux writes it too."""

OURS = ("@opensessions-path-", "@opensessions-notice", "switch-client -T opensessions")
"""A binding outside of our key table with one of these in it is ours: never kept as the user's."""

PRINTED = re.compile(r"bind-key\s+(?P<flags>(?:-r\s+)?)-T\s+\S+\s+(?P<key>\S+)\s(?P<commands>.*)", re.DOTALL)


class Binding(NamedTuple):
    """What a key did: `text` as `list-keys` prints it, "" where it was not bound."""

    text: str
    note: str


def read(tmux: Admin, table: str, key: str) -> Binding:
    """The binding of a key as it is now. An unknown key reads as one that is not bound."""
    text = tmux.ask("list-keys", "-T", table, key)
    noted = tmux.ask("list-keys", "-N", "-P", "", "-T", table, key) if text else ""
    return Binding(text, noted.partition(" ")[2])


def ours(text: str) -> bool:
    """Is this binding one that we made?"""
    return any(mark in text for mark in OURS)


def option(table: str, key: str) -> str:
    """The option that keeps a key's binding."""
    return f"{OPTION}{table}-{key.encode('utf-8', 'surrogateescape').hex()}"


def keep(tmux: Admin, table: str, key: str) -> Binding:
    """Keep what a key does now, unless that is ours already; answers what is kept."""
    now = read(tmux, table, key)
    if ours(now.text):
        return kept(tmux, option(table, key))
    tmux.call("set-option", "-g", option(table, key), f"{now.note}\n{now.text}")
    return now


def kept(tmux: Admin, name: str) -> Binding:
    """What is kept in an option; an empty binding where nothing is."""
    note, _, text = tmux.ask("show-options", "-gqv", name).rpartition("\n")
    return Binding(text, note)


def where(name: str) -> tuple[str, str]:
    """Key table and key of an option's name; ("", "") where it is none of ours."""
    table, _, code = name.removeprefix(OPTION).rpartition("-")
    try:
        return table, bytes.fromhex(code).decode("utf-8", "surrogateescape")
    except ValueError:
        return "", ""


def put_back(tmux: Admin, name: str) -> str:
    """Make a key what it was, unless somebody bound it anew since, and forget what was kept.

    "" where it is as before, else a sentence: tmux could not be told to do again what it had told.
    """
    table, key = where(name)
    before = kept(tmux, name)
    tmux.call("set-option", "-gu", name)
    if not key or not ours(read(tmux, table, key).text):
        return ""
    tmux.call("unbind-key", "-T", table, key)
    if not before.text:
        return ""
    try:
        tmux.source(rebind(before, table))
    except Refused as error:
        return f"The key {key} could not be given back ({error}); it was: {before.text}"
    if _squeezed(read(tmux, table, key).text) != _squeezed(before.text):
        return f"The key {key} is not quite what it was: {before.text}"
    return ""


def rebind(binding: Binding, table: str, key: str = "", note: str | None = None) -> str:
    """A line for tmux that binds again what `binding` says, in `table`, on its own key or on `key`. Refused
    where the text is none that `list-keys` prints."""
    match = PRINTED.fullmatch(binding.text)
    if match is None:
        raise Refused(f"this is no binding: {binding.text!r}")
    text = binding.note if note is None else note
    said = f"-N {quote.word(text)} " if text else ""
    commands = readable(match["commands"])
    return f"bind-key {match['flags']}{said}-T {table} {key or match['key']} {{\n{commands}\n}}\n"


def readable(printed: str) -> str:
    r"""The commands of `list-keys` as tmux reads them: `\;` and `\;\;` between commands become `;` and newlines.

    Inside of `{ }` the separators are printed bare (`;` and `;;`), and `\;` is a word there.
    """
    words = []
    depth = 0
    for word in _words(printed.strip()):
        depth += (word == "{") - (word == "}")
        if depth == 0:
            word = {"\\;": ";", "\\;\\;": "\n"}.get(word, word)
        elif word == ";;":
            word = "\n"
        words.append(word)
    return " ".join(words)


def _words(printed: str) -> list[str]:
    """Cut at spaces that are neither quoted nor escaped; the quotes stay."""
    words = [""]
    quoted = ""
    position = 0
    while position < len(printed):
        letter = printed[position]
        if letter == "\\" and quoted != "'":
            words[-1] += printed[position : position + 2]
            position += 2
            continue
        if letter == quoted:
            quoted = ""
        elif letter in "\"'" and not quoted:
            quoted = letter
        if letter == " " and not quoted:
            words.append("")
        else:
            words[-1] += letter
        position += 1
    return words


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)
