"""`opensessions config`"""

from __future__ import annotations

import argparse
import os
import sys

from opensessions import paths


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`check`, `show` or `path`."""
    parser.add_argument(
        "action",
        choices=("check", "show", "path"),
        help="check: name each fault with its line; show: print what counts, defaults included; path: where it is read",
    )


def run(arguments: argparse.Namespace) -> int:
    """1 where `check` finds a fault; a missing file is none."""
    path = paths.config_file()
    if arguments.action == "path":
        print(path)
        return 0
    from opensessions import config

    loaded = config.load(path)
    if arguments.action == "show":
        print(config.show(loaded.config), end="")
        for problem in loaded.problems:
            print(problem, file=sys.stderr)
        return 0
    for problem in loaded.problems:
        print(problem)
    if loaded.problems:
        return 1
    print(f"{path}: no problems" if os.path.lexists(path) else f"{path} does not exist: all defaults count")
    return 0
