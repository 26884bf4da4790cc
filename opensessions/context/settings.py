"""Of git's configuration, the few settings that decide whether a file counts as changed. Pure.

Everything else stays out: a setting that names a program would make git run it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

SWITCH = frozenset(("true", "false"))
KNOWN: Mapping[str, frozenset[str]] = {
    "core.autocrlf": SWITCH | {"input"},
    "core.checkstat": frozenset(("default", "minimal")),
    "core.eol": frozenset(("lf", "crlf", "native")),
    "core.filemode": SWITCH,
    "core.ignorecase": SWITCH,
    "core.precomposeunicode": SWITCH,
    "core.symlinks": SWITCH,
    "core.trustctime": SWITCH,
    "status.showuntrackedfiles": frozenset(("no", "normal", "all", "true", "false")),
}
"""Setting -> the values that are taken over."""
OWN = ("core.excludesfile", "core.attributesfile")
"""Paths that are taken over from the user's own configuration only."""
HARMLESS = frozenset(("noop", "partialclone", "preciousobjects", "relativeworktrees", "worktreeconfig"))
"""Extensions of a repository that change nothing in how its working tree is compared."""
FORMATS: Mapping[str, frozenset[str]] = {
    "objectformat": frozenset(("sha1", "sha256")),
    "refstorage": frozenset(("files", "reftable")),
}
"""Extensions that do, and what they may say."""


def read(listing: bytes) -> dict[str, str]:
    """The settings in what `git config --list -z` printed, by name; of several values the last one."""
    found = {}
    for entry in listing.split(b"\0"):
        name, equals, value = entry.partition(b"\n")
        if name:
            found[os.fsdecode(name)] = os.fsdecode(value) if equals else "true"
    return found


def stand_in(user: Mapping[str, str], own: Mapping[str, str], home: str) -> str | None:
    """A configuration that judges files as the user's and the repository's `own` do, and runs nothing. None where the
    repository cannot be understood."""
    kept = [f"core.{name} = {value}" for name, value in (("bare", "false"), ("fsmonitor", "false"))]
    for name, values in KNOWN.items():
        for source in (own, user):
            value = _switch(source.get(name, ""))
            if value in values:
                kept.append(f"{name} = {value}")
                break
    for name in OWN:
        path = user.get(name, "")
        path = home + path[1:] if path.startswith("~/") else path
        if path.startswith("/") and path.isprintable():
            kept.append(f"{name} = {_quoted(path)}")
    for name, value in own.items():
        extension = name.removeprefix("extensions.")
        if extension == name or extension in HARMLESS:
            continue
        if value.lower() not in FORMATS.get(extension, ()):
            return None
        kept.append(f"{name} = {value.lower()}")
    version = int(any(line.startswith("extensions.") for line in kept))
    return "".join(map(_section, [f"core.repositoryformatversion = {version}", *kept]))


def _switch(value: str) -> str:
    value = value.lower()
    return {"yes": "true", "on": "true", "1": "true", "off": "false", "0": "false"}.get(value, value)


def _section(line: str) -> str:
    section, _, rest = line.partition(".")
    return f"[{section}]\n\t{rest}\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
