"""`opensessions explain`"""

from __future__ import annotations

import argparse
import time
from typing import Any

from msgspec.json import decode

from opensessions import caller, start
from opensessions.cli.agent import TARGET
from opensessions.cli.talk import running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`TARGET` and `--json`."""
    parser.add_argument("target", metavar="TARGET", help=TARGET)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Each source, what it said, for how long, and what came of it."""
    who = caller.find()
    payload = start.ask(running(who), "explain", target=arguments.target, mux=who.mux if who else "")
    print(payload.decode() if arguments.json else told(decode(payload, type=dict[str, Any]), time.time()))
    return 0


def told(found: dict[str, Any], now: float) -> str:
    """The answer as text for people. `now` in seconds since the epoch."""
    state = f"{found['agent']} in {found['pane']} is {found['state']}"
    if found["waiting_for"]:
        state += f" ({found['waiting_for']})"
    lines = [f"{state} since {ago(now - found['since'])}."]
    if found["dismissed"]:
        lines.append(f"Its last turn is {found['dismissed']}; you have dismissed that.")
    if found["state"] == "hibernated":
        lines.append(f"To resume it: {found['resume']}")
        lines.append(
            f"That is what this types, if a shell waits there: opensessions agent resume {found['pane']}"
        )
        return "\n".join(lines)
    if found["liveness"] == "exited":
        lines.append("It has exited; this is what was known last.")
        return "\n".join(lines)
    sure = {
        "high": "sure",
        "best-effort": "the best that its sources tell",
        "unknown": "nothing fresh says what it does",
    }
    lines.append(
        f"Told by: {found['source']} ({sure.get(found['confidence'], 'nothing says what it does')})."
    )
    if found["background"]:
        lines.append(f"In the background: {found['background']}.")
    if found["thread"]:
        lines.append(f"Conversation: {found['thread']}.")
    width = max((len(source["source"]) for source in found["sources"]), default=0)
    for source in found["sources"]:
        since = "as found" if source["age_s"] is None else f"{ago(source['age_s'])} ago"
        says = ", ".join(source["says"])
        detail = f"  «{source['detail']}»" if source["detail"] else ""
        lines.append(f"  {source['source']:<{width}}  {source['role']:<8}  {since:<9}  {says}{detail}")
    if not found["sources"]:
        could = ", ".join(found.get("possible_sources", ())) or "none"
        lines.append(f"  No source has said anything yet. Sources that this agent has: {could}.")
    return "\n".join(lines)


def ago(seconds: float) -> str:
    """`3 s`, `5 min`, `2 h`, `4 d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"
