"""`opensessions reap`"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from opensessions import caller, config, paths, start
from opensessions.cli.talk import ask

LONGEST = 3600.0
"""Seconds that a server may take to end everything, one after the other."""

PROMPT = 10.0
"""Seconds in which a server that is not stopped answers what it knows already."""

Candidate = dict[str, Any]
Asker = Callable[..., list[Candidate]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to end, and whether to ask."""
    parser.add_argument("--dry-run", "-n", action="store_true", help="show the plan and do nothing")
    parser.add_argument("--observed", action="store_true", help="agents that you started by hand as well")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON object; does not ask")
    parser.add_argument(
        "--cleanup",
        action="store_true",
        help="for scripts: do not ask; without a server two looks agree `reap.grace` apart instead of a second",
    )
    parser.add_argument("--now", action="store_true", help="with --cleanup: a second apart all the same")


def run(arguments: argparse.Namespace) -> int:
    """1 where something that should have ended is still there."""
    candidates = asker(arguments)
    more = {"observed": "1"} if arguments.observed else {}
    asks = sys.stdin.isatty() and not (arguments.yes or arguments.json or arguments.cleanup)
    if arguments.dry_run or asks:
        found = candidates("reap-plan", **more)
        if arguments.json:
            print(json.dumps({"candidates": found}))
            return 0
        print("\n".join(plan_lines(found, arguments.observed)))
        chosen = [each["nonce"] for each in found if each["decision"] == "reap"]
        if arguments.dry_run or not chosen:
            return 0
        if not agreed(len(chosen)):
            print("Nothing was ended.")
            return 0
        found = candidates("reap", only=",".join(chosen), **more)
        print("\n".join(outcome_lines(found)))
    else:
        found = candidates("reap", **more)
        if arguments.json:
            print(json.dumps({"candidates": found}))
        else:
            print("\n".join([*plan_lines(found, arguments.observed), *outcome_lines(found)]))
    return 1 if any(left(each) for each in found) else 0


def asker(arguments: argparse.Namespace) -> Asker:
    """Who sweeps: the server if one runs, else this process."""
    runtime = caller.runtime(caller.find())
    line = start.connect(runtime, timeout=PROMPT)
    if line is not None:
        ask(line, "orphans")  # one that is stopped is found out by this, not after LONGEST
        line.settimeout(LONGEST)
        if arguments.cleanup and not arguments.json:
            print("A server runs: it does this.")

        def by_server(verb: str, **more: str) -> list[Candidate]:
            answer: Any = ask(line, verb, **more)
            return list(answer["candidates"])

        return by_server
    settings = config.load(paths.config_file()).config.reap
    slow = arguments.cleanup and not arguments.now

    def by_ourselves(verb: str, **more: str) -> list[Candidate]:
        from opensessions.server.cleanup import sweep  # all of a server's rooms: only who needs them pays

        apart = settings.grace if slow else 1.0
        return list(sweep(runtime, settings, more, apart, act=verb == "reap")["candidates"])

    return by_ourselves


def agreed(count: int) -> bool:
    """Does the user say yes?"""
    question = f"End {'this agent' if count == 1 else f'these {count} agents'}? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def plan_lines(found: Sequence[Candidate], observed: bool) -> Iterator[str]:
    """Each candidate with its verdict and why; what is not one is only counted."""
    shown = [each for each in found if each["decision"] not in ("alive", "forget")]
    for each in shown:
        yield f"{each['decision']:<8}{named(each)}: {each['why']}"
        if len(each["tree"]) > 1:
            yield f"        with {len(each['tree']) - 1} processes below it"
    if not shown:
        alive = sum(each["decision"] == "alive" for each in found)
        yield "No orphan was found" + (f"; {alive} agents live in their panes." if alive else ".")
    elif not observed and any(each["decision"] == "report" for each in shown):
        yield "Those that you started by hand are ended by: opensessions reap --observed"


def outcome_lines(found: Sequence[Candidate]) -> Iterator[str]:
    """What became of each that was to be ended."""
    for each in found:
        if each["decision"] != "reap":
            continue
        rest = left(each)
        if rest:
            yield f"LEFT    {named(each)}: {rest[0]['why']}"
        elif each["outcomes"]:
            killed = sum(one["result"] == "killed" for one in each["outcomes"])
            yield f"ended   {named(each)}" + (f"; {killed} processes had to be killed" if killed else "")


def left(candidate: Candidate) -> list[dict[str, Any]]:
    """What of it should have ended and has not."""
    return [each for each in candidate["outcomes"] if each["result"] in ("survived", "refused")]


def named(candidate: Candidate) -> str:
    """For people: nothing in it acts on a terminal."""
    words = f"{candidate['agent'] or candidate['comm']} (pid {candidate['pid']}, {candidate['origin']})"
    if candidate["pane"]:
        words += f" of {candidate['pane']}"
    return "".join(char if char.isprintable() else "?" for char in words)
