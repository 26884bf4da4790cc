"""`opensessions zellij`: our keys in zellij's configuration, and a layout with the sidebar."""

from __future__ import annotations

import argparse
import json
import sys

from opensessions.errors import OpenSessionsError
from opensessions_zellij import install, layout
from opensessions_zellij.table import told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A verb of its own for each act."""
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    _act(acts, "install", "put our keys into zellij's config.kdl").add_argument(
        "--key",
        metavar="[MODE:]KEY",
        help="the key that leads to ours: in a mode of zellij's, or in every mode but `locked` (default: session:o, "
        "that is Ctrl o, then o; or the next one that is free)",
    )
    _act(acts, "uninstall", "take keys and layout out again; what else the files hold stays to the byte")
    _act(acts, "layout", "print a layout with the sidebar in every tab").add_argument(
        "--install",
        action="store_true",
        help="write it to layouts/opensessions.kdl beside config.kdl instead",
    )
    status = acts.add_parser("status", help="where our keys stand", description="Where our keys stand.")
    status.add_argument("--json", action="store_true", help="one JSON object")
    status.add_argument(
        "--config", metavar="FILE", default="", help="the configuration (default: zellij's own)"
    )


def _act(
    acts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help: str
) -> argparse.ArgumentParser:
    words = acts.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    words.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    words.add_argument(
        "--config", metavar="FILE", default="", help="the configuration (default: zellij's own)"
    )
    return words


def run(arguments: argparse.Namespace, owner: str, width: int, position: str) -> int:
    """1 where a file could not be understood or written; it is as it was then. `owner` and the others: of the sidebars
    in the layout."""
    match arguments.act:
        case "install":
            return _install(arguments)
        case "uninstall":
            return _uninstall(arguments)
        case "layout":
            return _layout(arguments, layout.Look(owner, width, position))
    return _status(arguments)


def _install(arguments: argparse.Namespace) -> int:
    file = arguments.config or install.config_file()
    change = install.install(file, install.entry(arguments.key) if arguments.key else None)
    if arguments.dry_run:
        print(change.diff, end="")
        return 0
    change.carry_out()
    print(
        f"{'Installed' if change.new != change.old else 'Already'} in {file}: {install.pressed(file)}, then:"
    )
    for line in told():
        print(f"  {line}")
    return 0


def _uninstall(arguments: argparse.Namespace) -> int:
    status, done = 0, False
    for file in [arguments.config] if arguments.config else install.known_files():
        try:
            change = install.uninstall(file)
            done |= _carried_out(change, arguments.dry_run)
        except OpenSessionsError as error:
            print(f"opensessions: {error}", file=sys.stderr)
            status = 1
    for change in layout.removals(arguments.config):
        done |= _carried_out(change, arguments.dry_run)
    if not (done or status):
        print("There is nothing of ours in zellij's configuration.")
    return status


def _layout(arguments: argparse.Namespace, look: layout.Look) -> int:
    if not (arguments.install or arguments.dry_run):
        print(layout.text(look), end="")
        return 0
    change = layout.install(look, arguments.config)
    if arguments.dry_run:
        print(change.diff, end="")
        return 0
    change.carry_out()
    print(f"{'Written' if change.new != change.old else 'Already'} to {change.file}.")
    print(
        'Use it: zellij --layout opensessions; for every session: default_layout "opensessions" in config.kdl'
    )
    return 0


def _carried_out(change: install.Change, dry: bool) -> bool:
    """Do it, or show it; False where there is nothing to do."""
    if change.new == change.old:
        return False
    if dry:
        print(change.diff, end="")
    else:
        change.carry_out()
        print(f"Removed from {change.file}." if change.new is not None else f"Removed {change.file}.")
    return True


def _status(arguments: argparse.Namespace) -> int:
    file = arguments.config or install.config_file()
    state, entry = install.state(file)
    if arguments.json:
        print(json.dumps({"file": file, "state": state, "key": str(entry) if entry else None}))
    else:
        print(f"{state}  {file}" + (f"  ({install.pressed(file)})" if entry else ""))
    return 0
