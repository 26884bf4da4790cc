"""`opensessions theme`"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from opensessions import caller, config, paths
from opensessions.cli.talk import ask, registered, running
from opensessions.errors import ServerNotRunning


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which theme."""
    parser.add_argument(
        "act",
        nargs="?",
        choices=("list", "set", "show"),
        default="show",
        help="list: every theme, the worn one marked; set: wear NAME in every sidebar, and remember it;"
        " show (default): which one is worn, and why",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="the theme to set")
    parser.add_argument(
        "--save", action="store_true", help="write it to config.yaml too, and change nothing else there"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """`set` starts the server if need be; the others tell what it would wear if it does not run."""
    if (arguments.act == "set") != bool(arguments.name) or (arguments.save and arguments.act != "set"):
        print("opensessions theme: `set` needs a NAME, and only `set` takes one or --save", file=sys.stderr)
        return 2
    answer = _answer(arguments.name)
    if arguments.json:
        print(json.dumps(answer))
    elif arguments.act == "list":
        for theme in answer["themes"]:
            ground = {True: "dark", False: "light", None: "the terminal's own"}[theme["dark"]]
            print(f"{'*' if theme['name'] == answer['theme'] else ' '} {theme['name']:<24} {ground}")
    else:
        print(answer["theme"] if arguments.act == "set" else f"{answer['theme']}  ({_why(answer)})")
    if arguments.save:
        from opensessions.config.edit import save

        save(paths.config_file(), answer["key"], answer["theme"])
    return 0


def _answer(chosen: str | None) -> dict[str, Any]:
    who = caller.find()
    if chosen:
        return ask(registered(who), "theme", act="set", name=chosen)
    try:
        return ask(running(who), "theme")
    except ServerNotRunning:
        return _at_rest()


def _at_rest() -> dict[str, Any]:
    """What the server would answer once it runs, and before it has heard whether it is dark or light."""
    from opensessions.server.appearance import Appearance

    return Appearance(config.load(paths.config_file()).config, paths.state_dir()).answer()


def _why(answer: dict[str, Any]) -> str:
    if not answer["follows"]:
        return "whether it is dark or light is not followed"
    scheme = answer["scheme"]
    return f"it is {scheme}" if scheme else "nobody has said yet whether it is dark or light"
