"""`opensessions hooks`"""

from __future__ import annotations

import argparse
import json
import os
import sys

from opensessions.errors import OpenSessionsError, Refused
from opensessions.hooks import agents, change


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`install|uninstall|status [--dry-run] [--json] [AGENT…]`, in any order behind the first."""
    acts = parser.add_subparsers(dest="act", required=True)
    for act, help in (
        ("install", "put our hooks into the agents' settings"),
        ("uninstall", "take them out again"),
        ("status", "where they stand"),
    ):
        words = acts.add_parser(act, help=help, description=help[0].upper() + help[1:] + ".")
        words.add_argument("agent", nargs="*", help="default: every agent whose folder of settings exists")
        words.add_argument(
            "--json", action="store_true", help="one JSON object: what stands there afterwards"
        )
        words.add_argument(
            "--dry-run", action="store_true", help="show what would change, and change nothing"
        )


def run(arguments: argparse.Namespace) -> int:
    """1 where a named agent has no hooks, or a file could not be understood or written; the others are done."""
    chosen = [agents.ALIASES.get(agent, agent) for agent in arguments.agent]
    for agent in chosen:
        if agent not in agents.FOLDERS and agent not in agents.WITHOUT:
            raise Refused(f"No agent is called {agent!r}; those with hooks are {', '.join(agents.names())}.")
    failed = False
    if arguments.act != "status":
        named = bool(chosen)
        for agent in chosen or agents.names():
            failed |= not _act(agent, named, arguments)
        if not named and not arguments.json:
            for agent, why in sorted(agents.WITHOUT.items()):
                print(f"{agent}: skipped, {why}", file=sys.stderr)
    if arguments.act == "status" or arguments.json:
        rows = [_row(agent) for agent in chosen or sorted([*agents.names(), *agents.WITHOUT])]
        if arguments.json:
            print(json.dumps({"hooks": rows}))
        else:
            for row in rows:
                detail = f"  ({row['detail']})" if row["detail"] else ""
                print(f"{row['agent']:<12} {row['state']:<11} {row['file']}{detail}")
    return int(failed)


def _act(agent: str, named: bool, arguments: argparse.Namespace) -> bool:
    """Install or uninstall one; False where it could not be done."""
    if agent in agents.WITHOUT:
        print(f"opensessions: nothing is installed for {agent}: {agents.WITHOUT[agent]}.", file=sys.stderr)
        return False
    if not named and not os.path.isdir(agents.folder(agent)):
        if not arguments.json:
            print(f"{agent}: skipped, there is no {agents.folder(agent)}", file=sys.stderr)
        return True
    try:
        if arguments.act == "install":
            place = agents.place(agent)
            done = _carry_out(change.install(place), arguments)
            said = [f"installed in {place.file}", place.advice] if done else [f"already in {place.file}"]
        else:
            steps = [change.uninstall(place) for place in agents.places(agent)]
            files = [step.file for step in steps if _carry_out(step, arguments)]
            said = [f"removed from {file}" for file in files] or [f"nothing of ours in {steps[0].file}"]
    except OpenSessionsError as error:
        print(f"opensessions: {agent}: {error}", file=sys.stderr)
        return False
    if not arguments.json and not arguments.dry_run:
        for line in filter(None, said):
            print(f"{agent}: {line}")
    return True


def _carry_out(step: change.Change, arguments: argparse.Namespace) -> bool:
    """Do it, or show it; False where there is nothing to do."""
    if not arguments.dry_run:
        change.carry_out(step)
    elif not arguments.json:
        print(step.diff, end="")
    return step.new != step.old


def _row(agent: str) -> dict[str, str]:
    if agent in agents.WITHOUT:
        return {"agent": agent, "state": "unsupported", "file": "", "detail": agents.WITHOUT[agent]}
    place = agents.place(agent)
    try:
        found, detail = change.state(place)
    except Refused as error:
        found, detail = "missing", str(error)
    if found == "missing" and not detail and not os.path.isdir(agents.folder(agent)):
        detail = f"there is no {agents.folder(agent)}"
    if found == "installed" and not detail:
        detail = place.advice
    return {"agent": agent, "state": found, "file": place.file, "detail": detail}
