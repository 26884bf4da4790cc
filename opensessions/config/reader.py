"""Reads config.yaml, whatever it turns out to be, and says in which line each fault stands."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml
from msgspec import Struct
from msgspec.structs import replace
from yaml import MappingNode, Node, ScalarNode, SequenceNode
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from opensessions.config import SCHEMA, Config, Loaded, Problem, UserAgent, UserTheme, keys_of, rules
from opensessions.config.own_agents import own_agent
from opensessions.config.own_keys import own_keys
from opensessions.config.own_themes import meant, own_theme, unknown
from opensessions.config.rules import Key, Rule

LIMIT = 1 << 20
"""Bytes; a larger file is not read."""
DEPTH = 20
EVENTS = 50_000
"""Nesting and number of YAML events that are accepted: libyaml's composer overflows the C stack on deep nesting, and
its scanner takes minutes for a megabyte of it, so both are counted before anything is composed."""
SHOWN = 40
"""Characters of the user's own text in a message."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RESOLVER: Any = Resolver()
TAG = "tag:yaml.org,2002:"

Section = TypeVar("Section", bound=Struct)


class Unreadable(Exception):
    """The file as a whole cannot be used: why, and in which line that shows."""

    def __init__(self, line: int, sentence: str) -> None:
        self.line = line
        self.sentence = sentence


def read(path: str) -> Loaded:
    """See `opensessions.config.load`."""
    try:
        return understand(path, file_text(path))
    except FileNotFoundError:
        return Loaded()
    except Unreadable as fault:
        return unreadable(path, fault)


def understand(path: str, text: str) -> Loaded:
    """What the file at `path` means if it holds this text."""
    try:
        node = compose(text)
    except Unreadable as fault:
        return unreadable(path, fault)
    walker = _Walker(path)
    config = walker.with_known_themes(walker.section(Config, node, "", 1)) if node else Config()
    return Loaded(config, tuple(sorted(walker.problems, key=lambda problem: problem.line)))


def unreadable(path: str, fault: Unreadable) -> Loaded:
    """Nothing of it can be used."""
    return Loaded(problems=(Problem(path, fault.line, "", f"{fault.sentence}; all defaults count."),))


# --- from bytes to nodes --------------------------------------------------------------------------------------


def file_text(path: str) -> str:
    """The file's text. FileNotFoundError where there is none, Unreadable where it is no text of a sane size."""
    try:
        # O_NONBLOCK: a FIFO in its place must not hang the server.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Unreadable(1, "this is not a regular file")
            with open(handle, "rb", closefd=False) as file:
                data = file.read(LIMIT + 1)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(1, f"the file cannot be read ({error.strerror})") from error
    if len(data) > LIMIT:
        raise Unreadable(1, "the file is larger than 1 MiB")
    if b"\0" in data:
        raise Unreadable(
            data[: data.index(0)].count(b"\n") + 1, "the file holds a NUL byte, so it is no text"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(data[: error.start].count(b"\n") + 1, "the file is not UTF-8") from error


def compose(text: str, loader: Any = LOADER) -> Node | None:
    """The root of the text as YAML; None where it holds nothing. Unreadable where it is none."""
    try:
        _check_size(text)
        return yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        about = ", ".join(part for part in (error.context, error.problem) if part)
        raise Unreadable(mark.line + 1 if mark else 1, f"this is not YAML ({about})") from error
    except yaml.YAMLError as error:
        line = text[: getattr(error, "position", 0) or 0].count("\n") + 1
        raise Unreadable(line, f"this is not YAML ({getattr(error, 'reason', error)})") from error


def _check_size(text: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > DEPTH:
            raise Unreadable(line, f"the file is nested deeper than {DEPTH} levels")
        if count > EVENTS:
            raise Unreadable(line, f"the file holds over {EVENTS} items")


def _plain(node: Node) -> Any:
    """The text, number, flag or null of a scalar, or a list of them. ValueError for anything else, so that aliases
    of aliases are never expanded."""
    if isinstance(node, SequenceNode):
        return [_scalar(item) for item in node.value]
    return _scalar(node)


def _scalar(node: Node) -> Any:
    if not isinstance(node, ScalarNode):
        raise ValueError
    if node.tag == f"{TAG}str":
        return node.value
    # A tag that the user wrote may not fit the text; PyYAML's constructors then fail in many ways.
    if node.tag != RESOLVER.resolve(ScalarNode, node.value, (True, False)):
        raise ValueError
    return SafeConstructor().construct_object(node)


# --- from nodes to values -------------------------------------------------------------------------------------


class _Walker:
    """Goes through the file once and collects what is wrong."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.problems: list[Problem] = []
        self._lines: dict[str, int] = {}
        """Full name of a key that has a value -> its line."""

    def section(self, type: type[Section], node: Node, name: str, line: int) -> Section:
        """The section with what is usable in `node`; `name` is its full name, "" for the whole file."""
        chosen: dict[str, Any] = {}
        keys = keys_of(type)
        for each, value, at in self.entries(node, name, line, f"keys such as `{next(iter(keys))}: …`"):
            full = f"{name}.{each}" if name else each
            key = keys.get(each)
            if key is None:
                self._unknown(full, at, keys)
            elif isinstance(key, Key):
                self._key(chosen, each, key.rule, full, value, at)
            else:
                chosen[each] = self.section(key, value, full, at)
        return type(**chosen)

    def with_known_themes(self, config: Config) -> Config:
        """The configuration with names of themes that there are; what `themes` adds is known only at the end."""
        known: dict[str, str | None] = {}
        for key in ("theme", "theme_dark", "theme_light"):
            name = getattr(config, key)
            if name is None or name in config.themes:
                continue
            known[key] = meant(name) or getattr(Config(), key)
            if not meant(name):
                message = unknown(name, config.themes)
                self.report(self._lines[key], key, f"{message}{_instead(key)}.")
        return replace(config, **known)

    def _key(self, chosen: dict[str, Any], name: str, rule: Rule, full: str, node: Node, line: int) -> None:
        self._lines[full] = line
        if rule is rules.AGENTS:
            chosen[name] = dict(self._agents(node, full, line))
        elif rule is rules.THEMES:
            chosen[name] = dict(self._themes(node, full, line))
        elif rule is rules.KEYS:
            chosen[name] = own_keys(self, full, node, line, rule.expected, _shown)
        else:
            self._value(chosen, name, rule, full, node, line)

    def _value(self, chosen: dict[str, Any], name: str, rule: Rule, full: str, node: Node, line: int) -> None:
        """Set `chosen[name]`, or say why not and leave it out."""
        try:
            chosen[name] = rule.read(_plain(node))
        except ValueError as error:
            chosen.pop(name, None)
            hint = f" ({error})" if str(error) and len(str(error)) < 2 * SHOWN else ""
            self.report(line, full, f"expected {rule.expected}, not {_shown(node)}{hint}{_instead(full)}.")

    def _agents(self, node: Node, name: str, line: int) -> Iterator[tuple[str, UserAgent]]:
        for agent, entry, at in self.entries(node, name, line, rules.AGENTS.expected):
            found = own_agent(self, agent, f"{name}.{agent}", entry, at, _shown)
            if found:
                yield agent, found

    def _themes(self, node: Node, name: str, line: int) -> Iterator[tuple[str, UserTheme]]:
        for theme, entry, at in self.entries(node, name, line, rules.THEMES.expected):
            found = own_theme(self, theme, f"{name}.{theme}", entry, at, _shown)
            if found:
                yield theme, found

    def entries(self, node: Node, name: str, line: int, expected: str) -> Iterator[tuple[str, Node, int]]:
        """(key, value, line) of a mapping; keys that stand twice are reported, and the last one counts."""
        if isinstance(node, ScalarNode) and node.tag == f"{TAG}null":
            return
        if not isinstance(node, MappingNode):
            self.report(line, name, f"expected {expected}, not {_shown(node)}; the defaults count.")
            return
        last: dict[str, tuple[Node, int]] = {}
        for key, value in node.value:
            at = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or not key.value.isprintable():
                self.report(at, name, f"{_shown(key)} is no name for a key; it is ignored.")
                continue
            if key.value in last:
                full = f"{name}.{key.value}" if name else key.value
                self.report(at, full, f"stands twice, first in line {last[key.value][1]}; this one counts.")
            last[key.value] = (value, at)
        yield from ((key, value, at) for key, (value, at) in last.items())

    def _unknown(self, full: str, line: int, siblings: Mapping[str, object]) -> None:
        self.report(
            line, full, f"is no known key; the nearest is {_nearest(full, list(siblings))}. It is ignored."
        )

    def report(self, line: int, key: str, message: str) -> None:
        """A fault in this line, in the key with this full name."""
        self.problems.append(Problem(self._path, line, key, message))


def _nearest(full: str, siblings: list[str]) -> str:
    """The full name of the known key that was most likely meant: the same word elsewhere, a like one here, or any."""
    section, _, word = full.rpartition(".")
    elsewhere = {known.name.rpartition(".")[2]: known.name for known in SCHEMA}
    if word in elsewhere:
        return elsewhere[word]
    if near := get_close_matches(word, siblings, 1):
        return f"{section}.{near[0]}" if section else near[0]
    return elsewhere[get_close_matches(word, elsewhere, 1, 0)[0]]


def _instead(full: str) -> str:
    return next(
        (f"; the default {_yaml(known.default)} counts" for known in SCHEMA if known.name == full), ""
    )


def _shown(node: Node) -> str:
    """What stands there, for people."""
    if isinstance(node, ScalarNode):
        text = node.value if len(node.value) <= SHOWN else node.value[:SHOWN] + "…"
        return repr(text) if node.style else (text if text.isprintable() and text else "nothing")
    return "a list" if isinstance(node, SequenceNode) else "keys"


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
