"""`opensessions doctor`"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator

from msgspec import to_builtins

from opensessions import __version__, caller, config, installation, paths, setups, start
from opensessions.caller import Caller
from opensessions.cli import process_checks
from opensessions.cli.talk import ask
from opensessions.errors import OpenSessionsError, UnsafePath
from opensessions.setups import Check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Changes nothing. 1 where there is a fault; each comes with what to do about it."""
    found = setups.find()
    checks = [*own_checks(caller.find()), *(check for setup in found for check in setup.checks())]
    if not any(setup.installed() for setup in found):
        checks.append(
            Check("multiplexer", False, "none was found", "Install tmux or zellij, or put it on PATH.")
        )
    sound = all(check.ok for check in checks)
    if arguments.json:
        print(json.dumps({"ok": sound, "checks": to_builtins(checks)}))
    else:
        for check in checks:
            print("\n".join(described(check)))
    return 0 if sound else 1


def described(check: Check) -> Iterator[str]:
    """One check in lines for people."""
    yield f"{'ok   ' if check.ok else 'FAULT'}  {check.name}: {check.found}"
    if not check.ok and check.mend:
        yield f"       {check.mend}"


def own_checks(who: Caller | None) -> Iterator[Check]:
    """What needs no multiplexer."""
    yield Check("version", True, f"{__version__} in {installation.root()}, Python {sys.version.split()[0]}")
    yield guarded("files", lambda: installation.plugin_folder())
    runtime = caller.runtime(who)
    yield guarded("runtime directory", lambda: private(runtime, socket=True))
    yield guarded("state directory", lambda: private(paths.state_dir()))
    yield configuration()
    yield server(runtime)
    yield from process_checks.checks(runtime)


def guarded(name: str, look: Callable[[], str]) -> Check:
    """A check whose fault is an exception, which says itself what to do."""
    try:
        return Check(name, True, look())
    except OpenSessionsError as error:
        return Check(name, False, str(error))


def private(path: str, socket: bool = False) -> str:
    """The path, if it is safe or does not exist yet. UnsafePath where it is not."""
    if socket:
        paths.check_length(path)
    try:
        paths.check_private(path)
    except FileNotFoundError:
        return f"{path} (not made yet)"
    except OSError as error:
        raise UnsafePath(f"{path} cannot be used ({error.strerror}).") from error
    if not os.access(path, os.W_OK):
        raise UnsafePath(f"{path} cannot be written; its disk may be read-only.")
    return path


def configuration() -> Check:
    """config.yaml."""
    path = paths.config_file()
    problems = config.load(path).problems
    if problems:
        return Check(
            "configuration",
            False,
            str(problems[0]),
            f"{len(problems)} in all: opensessions config check",
        )
    return Check("configuration", True, path if os.path.exists(path) else f"{path} (not there: all defaults)")


def server(runtime: str) -> Check:
    """A server is not needed for health: it starts on demand. One of another version or place is a fault."""
    log = f"{paths.state_dir()}/server.log"
    try:
        line = start.connect(runtime)
        if line is None:
            return Check("server", True, f"none runs; it starts when it is needed (log: {log})")
        status = ask(line, "status")
    except OpenSessionsError as error:
        return Check("server", False, str(error), f"See {log}; then: opensessions down; opensessions up")
    if (status["version"], status["root"]) != (__version__, installation.root()):
        found = f"pid {status['pid']} is version {status['version']} in {status['root']}"
        return Check("server", False, found, "Replace it with this one: opensessions up")
    return Check("server", True, f"pid {status['pid']} (log: {log})")
