"""Where Claude Code keeps a conversation: `<config>/projects/<folder>/<id>.jsonl`, seen with 2.1.197 and 2.1.329."""

from __future__ import annotations

from collections.abc import Sequence

from opensessions.agents.adapter import Entry, Facts, Files
from opensessions.agents.claude.registry import is_thread

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
LONGEST = 200
"""Characters of a folder's name; a longer one is cut and ends with a hash."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
FOLDERS = 300
"""Folders that are searched for a conversation."""
EARLY = 1.0
"""Seconds by which a file may seem older than the process that wrote it: two clocks are compared."""


def config(facts: Facts) -> str:
    """Its configuration folder."""
    return facts.env.get("CLAUDE_CONFIG_DIR") or f"{facts.env.get('HOME', '')}/.claude"


def encoded(cwd: str) -> str:
    """The name of a directory's folder. Node counts in UTF-16 units, so does the hash."""
    units = cwd.encode("utf-16-le", "surrogatepass")
    codes = [units[each] | units[each + 1] << 8 for each in range(0, len(units), 2)]
    name = "".join(chr(code) if chr(code) in PLAIN else "-" for code in codes)
    if len(name) <= LONGEST:
        return name
    value = 0
    for code in codes:
        value = (value * 31 + code) & 0xFFFFFFFF
    return f"{name[:LONGEST]}-{_base36(abs(value - (1 << 32) if value >> 31 else value))}"


def folder(facts: Facts, cwd: str) -> str:
    """Where the conversations of a directory lie."""
    name = facts.env.get("CLAUDE_CODE_PROJECT_DIR_NAME") or encoded(cwd)
    return f"{config(facts)}/projects/{name}"


def search(facts: Facts, thread: str, files: Files) -> str | None:
    """The path of a conversation that does not lie where it should."""
    projects = f"{config(facts)}/projects"
    for entry in files.list(projects, FOLDERS):
        path = f"{projects}/{entry.name}/{thread}.jsonl"
        if entry.folder and files.part(path, 0, 1) is not None:
            return path
    return None


def candidates(place: str, facts: Facts, files: Files) -> Sequence[Entry]:
    """The conversations in a folder that were written since the process started, the newest first. Files of sub-agents,
    which older versions kept beside the others, are left out, and those that others hold."""
    return [
        each
        for each in files.list(place)
        if not each.folder
        and each.name.endswith(".jsonl")
        and not each.name.startswith("agent-")
        and is_thread(each.name[:-6])
        and each.name[:-6] not in facts.taken
        and each.modified >= facts.started - EARLY
    ]


def told(argv: Sequence[str]) -> str | None:
    """The conversation's id where the command line fixes it."""
    for place, each in enumerate(argv):
        value = each.partition("=")[2] if each.startswith("--session-id=") else ""
        if each == "--session-id" and place + 1 < len(argv):
            value = argv[place + 1]
        if is_thread(value):
            return value
    return None


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = DIGITS[digit] + digits
    return digits or "0"
