"""zellij's part of installing: see `opensessions.setups.Setup`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from opensessions import paths
from opensessions.errors import OpenSessionsError, Refused
from opensessions.setups import Check
from opensessions_zellij import binary, install, layout
from opensessions_zellij.gaps import GAPS
from opensessions_zellij.places import KEY

AGAIN = "Run: opensessions zellij install"


def plugin_line() -> str:
    """None: `opensessions zellij install` puts the keys in."""
    return ""


def demo(headless: bool) -> int:
    """There is a demonstration in tmux alone."""
    raise Refused("The demonstration runs in tmux; for zellij see docs/tutorial/zellij.md.")


def installed() -> bool:
    """Is there a zellij, on PATH or in a place where it is usually put?"""
    return bool(binary.find())


def checks() -> list[Check]:
    """The installed zellij, and our keys in its configuration. Where there is none, nothing is a fault."""
    program = binary.find()
    if not program:
        return [Check("zellij", True, "not installed")]
    return list(_checks(program))


def _checks(program: str) -> Iterator[Check]:
    version = binary.version(_version(program))
    try:
        binary.check_version(version)
    except Refused as error:
        yield Check("zellij", False, str(error), "Install a newer zellij.")
        return
    yield Check("zellij", True, f"{version}, {program}")
    file = install.config_file()
    try:
        state, _ = install.state(file)
    except OpenSessionsError as error:
        yield Check("zellij keys", False, str(error), "Mend the file, then run: opensessions zellij install")
        return
    match state:
        case "missing":
            yield Check("zellij keys", True, f"none in {file}; opensessions zellij install puts them there")
        case "outdated":
            yield Check("zellij keys", False, f"those in {file} are of another version or place", AGAIN)
        case _ if gone := install.missing(file):
            yield Check("zellij keys", False, f"{gone} is gone, which the keys in {file} run", AGAIN)
        case _:
            yield Check("zellij keys", True, f"{install.pressed(file)}, then ? lists them ({file})")
    for gap in GAPS:
        yield Check(f"zellij gap, {gap.name}", True, gap.text)


def _version(program: str) -> str:
    try:
        said = subprocess.run(
            [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.decode("utf-8", "replace")


def uninstall() -> int:
    """Take our keys and our layout out of zellij's files, and see to it that no later server serves it unasked. The
    running one closes its sidebars when it stops: tmux's part sees to that. 1 where a file could not be mended."""
    status = 0
    try:
        os.unlink(f"{paths.mux_dir(paths.runtime_dir(), KEY)}/registration")
    except OSError:
        pass
    for file in install.known_files():
        try:
            change = install.uninstall(file)
            if change.new != change.old:
                change.carry_out()
                print(f"Removed from {file}.")
        except OpenSessionsError as error:
            print(f"opensessions: {error}", file=sys.stderr)
            status = 1
    for change in layout.removals():
        change.carry_out()
        print(f"Removed {change.file}.")
    return status
