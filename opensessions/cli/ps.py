"""`opensessions ps`"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from msgspec.json import decode

from opensessions import caller, start, wire
from opensessions.cli.talk import running
from opensessions.errors import Refused, ServerNotRunning
from opensessions.order import UNPRINTABLE

TARGET = "a pane's id (%%7), an agent's id, or a session's id ($3), name or =NAME"
HEAD = f"{'PID':>8} {'CPU':>7} {'MEM':>9}  {'CONFIDENCE':<12} COMMAND"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to show, and how."""
    parser.add_argument("target", metavar="TARGET", nargs="?", default="", help=f"only {TARGET}")
    parser.add_argument("--all", action="store_true", help="panes without agents too")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object of every pane; with --watch one a line"
    )
    parser.add_argument("--watch", action="store_true", help="go on, with a line for each thing that changes")


def run(arguments: argparse.Namespace) -> int:
    """The processes of the panes in which agents are, or of those that were named."""
    who = caller.find()
    every = "1" if arguments.all or arguments.json else ""
    asked = {"target": arguments.target, "mux": who.mux if who else "", "all": every}
    line = running(who)
    if arguments.watch:
        return watch(line, asked, arguments.json)
    payload = start.ask(line, "ps", **asked)
    if arguments.json:
        print(payload.decode())
        return 0
    found = decode(payload, type=dict[str, Any])
    print("\n".join([*table(found), *footer(found)]) or empty(found, arguments.all))
    return 0


def watch(line: start.Line, asked: dict[str, str], json: bool) -> int:
    """Until the server ends or the reader goes."""
    line.settimeout(None)
    line.sendall(wire.frame(b"A", wire.pack_fields(verb="ps-watch", **asked)))
    for kind, payload in start.answers(line):
        if kind == b"E":
            raise Refused(payload.decode("utf-8", "replace"))
        print(payload.decode() if json else "\n".join(told(decode(payload, type=dict[str, Any]))))
        sys.stdout.flush()
    raise ServerNotRunning("The server has ended.")


# --- for people -------------------------------------------------------------------------------------------


def table(found: dict[str, Any]) -> list[str]:
    """Pane by pane, with what its agents take; nothing where there is no pane."""
    panes = [pane for mux in found["muxes"] for pane in mux["panes"]]
    return [HEAD, *(row for pane in panes for row in pane_rows(pane))] if panes else []


def footer(found: dict[str, Any]) -> list[str]:
    """What else there is to know."""
    orphans = len(found["orphans"])
    if not orphans:
        return []
    what = "1 agent has lost its pane" if orphans == 1 else f"{orphans} agents have lost their panes"
    return [f"{what}; see: opensessions reap --dry-run"]


def empty(found: dict[str, Any], every: bool) -> str:
    """What to say where there is nothing to show."""
    if not found["muxes"]:
        return "No multiplexer is registered; run `opensessions up` inside one."
    if every:
        return "No pane is known yet; try again in a moment."
    return "No agent runs in any pane; `opensessions ps --all` shows every pane."


def pane_rows(pane: dict[str, Any]) -> list[str]:
    """The pane, then the processes that are no agent's, then each agent with its own."""
    session = pane["session_name"].translate(UNPRINTABLE)
    title = f"{pane['pane']} in {session}" + ("  (as it was known last)" if pane["stale"] else "")
    rows = [row("", pane["cpu"], pane["memory"], pane["confidence"], title)]
    processes = pane["processes"]
    rows += tree([each for each in processes if each["agent"] is None], 1)
    for agent in pane["agents"]:
        own = [each for each in processes if each["agent"] == agent["id"]]
        count = "1 process" if len(own) == 1 else f"{len(own)} processes"
        rows.append(row("", total(own, "cpu"), total(own, "memory"), "", f"  {agent['agent']}, {count}"))
        rows += tree(own, 2)
    return rows


def tree(processes: Sequence[dict[str, Any]], depth: int) -> list[str]:
    """A row each, indented below its parent; parents come first."""
    depths: dict[int, int] = {}
    rows = []
    for each in processes:
        depths[each["pid"]] = depths.get(each["ppid"], depth - 1) + 1
        rows.append(
            row(
                str(each["pid"]),
                each["cpu"],
                each["memory"],
                "",
                "  " * depths[each["pid"]] + each["command"],
            )
        )
    return rows


def row(pid: str, cpu: float | None, memory: int | None, confidence: str, text: str) -> str:
    """One line under HEAD."""
    percent = "-" if cpu is None else f"{cpu:.1f}%"
    return f"{pid:>8} {percent:>7} {size(memory):>9}  {confidence:<12} {text}".rstrip()


def total(processes: Sequence[dict[str, Any]], name: str) -> Any:
    """The sum of what is known; None where nothing is."""
    known = [each[name] for each in processes if each[name] is not None]
    return sum(known) if known else None


def size(bytes: int | None) -> str:
    """`640 KiB`, `12 MiB`, `1.5 GiB`."""
    if bytes is None:
        return "-"
    if bytes < 1 << 20:
        return f"{bytes >> 10} KiB"
    return f"{bytes >> 20} MiB" if bytes < 1 << 30 else f"{bytes / (1 << 30):.1f} GiB"


def told(line: dict[str, Any]) -> list[str]:
    """One line of the stream."""
    match line["event"]:
        case "trees":
            return [*table(line), *footer(line)] or [empty(line, False)]
        case "process-added":
            process = line["process"]
            return [f"+ {line['pane']} {process['pid']} {process['command']}"]
        case "process-exited":
            return [f"- {line['pane']} {line['pid']}" + (" (it lives on elsewhere)" if line["left"] else "")]
        case "confidence-changed":
            return [f"! {line['pane']} confidence: {line['after']} (was {line['before']})"]
    return []
