"""What `agent kill`, `pane kill` and `session kill` share: show what would be ended, ask, end it, say what became of
it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from opensessions import start
from opensessions.cli.talk import ask

PATIENCE = 60.0
"""Seconds that ending something may take: each process has some of its own."""
COMMAND = 100
"""Characters of a command that are shown."""


def add_confirmation(parser: argparse.ArgumentParser) -> None:
    """`--yes` and `--dry-run`."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask; needed without a terminal")
    parser.add_argument(
        "--dry-run", "-n", action="store_true", help="show what would be ended, and end nothing"
    )


def end(line: start.Line, verb: str, arguments: argparse.Namespace, **which: str) -> int:
    """Both phases. 0 where all of it has ended or the user has thought better of it, 1 where something is still there,
    2 where nobody can be asked."""
    if not (arguments.yes or arguments.dry_run or (sys.stdin.isatty() and sys.stdout.isatty())):
        print("opensessions: without a terminal to ask on, say --yes", file=sys.stderr)
        return 2
    line.settimeout(PATIENCE)
    preview: Mapping[str, Any] = ask(line, verb, **which)
    for text in told(preview):
        print(text)
    if arguments.dry_run:
        return 0
    if not arguments.yes and not _agreed():
        print("Nothing was done.")
        return 0
    done: Mapping[str, Any] = ask(line, verb, token=preview["token"], **which)
    if done["failed"]:
        print(f"opensessions: {done['failed']}", file=sys.stderr)
        return 1
    count = len(done["outcomes"])
    print(f"Ended {preview['title']}: {count} process{'' if count == 1 else 'es'}.")
    return 0


def _agreed() -> bool:
    print("End this? [y/N] ", end="", flush=True)
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def told(preview: Mapping[str, Any]) -> list[str]:
    """The preview as lines for people."""
    processes = preview["processes"]
    lines = [f"{preview['title'][:1].upper()}{preview['title'][1:]}:"]
    if preview.get("panes"):
        lines.append(f"  panes that only it shows: {', '.join(preview['panes'])}")
    if clients := preview.get("clients"):
        where = "another session" if preview.get("refuge") else "no other session: detached"
        lines.append(f"  {clients} client{'s' if clients > 1 else ''} to {where}")
    if preview.get("closes"):
        lines.append(f"  {preview['pane']} closes with it: it is that pane's own program")
    width = max((len(str(each["pid"])) for each in processes), default=0)
    for each in processes:
        command = each["command"]
        command = command[: COMMAND - 1] + "…" if len(command) > COMMAND else command
        lines.append(f"  {each['pid']:>{width}}  {command}")
    if not processes:
        lines.append("  no process of its own")
    return lines
