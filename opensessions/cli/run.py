"""`opensessions run`"""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256

from msgspec.structs import replace

from opensessions import caller, paths
from opensessions.caller import Caller
from opensessions.errors import OpenSessionsError
from opensessions.processes import cgroup
from opensessions.processes.identity import ProcId, pinned
from opensessions.processes.receipt import UUID, Place, Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import this_system

KEEP = "OPENSESSIONS_KEEP"
MARKER = "OPENSESSIONS_RUN"
"""Its value names the receipt; every process that the agent starts inherits it."""
CHANGED = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores, which a program would inherit."""
COERCED = "LC_CTYPE"
"""What Python sets in its environment in the C locale."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`[--keep] [--] CMD…`; everything from CMD on is its own."""
    parser.usage = "opensessions run [-h] [--keep] -- CMD [ARGUMENT…]"
    parser.epilog = (
        "Exit status: that of CMD, which takes the place of this process; 127 where there is no such program, 126 where"
        " it cannot be started. Example: opensessions run -- claude --continue"
    )
    parser.add_argument("--keep", action="store_true", help=f"never end it for me; the same as {KEEP}=1")
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="-- CMD",
        help="the agent's program and its arguments, as a shell would find it on PATH",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write a receipt, then become the program. Returns only where that fails."""
    words: list[str] = arguments.command[arguments.command[:1] == ["--"] :]
    if not words or not words[0]:
        return _failed(2, "name a program: opensessions run -- CMD [ARGUMENT…]")
    path = shutil.which(words[0])
    if path is None:
        if shutil.which(words[0], os.F_OK) or os.path.isdir(words[0]):
            return _failed(126, f"{words[0]} is not executable.")
        return _failed(127, f"{words[0]} was not found; is it on PATH?")
    keep = arguments.keep or os.environ.get(KEEP) == "1"
    nonce = os.urandom(16).hex()
    receipts = Receipts(paths.state_dir())
    receipt = _write(receipts, path, words, nonce, keep)
    marks = {MARKER: nonce, KEEP: "1"} if keep else {MARKER: nonce}
    error = _become(path, words, _environment(**marks))
    if receipt is not None:
        cgroup.leave(receipt.cgroup)
        with suppress(OpenSessionsError):  # it goes as soon as somebody sees that this process is gone
            receipts.drop(receipt)
    return _failed(126, f"{words[0]} cannot be started: {error.strerror}.")


def _write(receipts: Receipts, path: str, words: Sequence[str], nonce: str, keep: bool) -> Receipt | None:
    """This process's receipt; None, with the reason on stderr, where it gets none: it runs all the same."""
    me = pinned(os.getpid())
    if me is None:
        _say("the process table does not show this process; the program runs without a receipt.")
        return None
    who = caller.find()
    place = place_of(who)
    if place is None:
        _say(
            "no multiplexer's pane was found around this; the program runs, and is never ended as an orphan."
        )
    receipt = receipt_of(me, place, path, words, nonce, keep)
    receipt = replace(
        receipt, instance=serving(caller.runtime(who)), cgroup=cgroup.make(nonce) if place else ""
    )
    try:
        receipts.write(receipt)
    except (OpenSessionsError, OSError) as error:
        cgroup.leave(receipt.cgroup)
        _say(f"{error} The program runs without a receipt, and is never ended as an orphan.")
        return None
    return receipt


def receipt_of(
    me: ProcId, place: Place | None, path: str, words: Sequence[str], nonce: str, keep: bool
) -> Receipt:
    """The receipt of this process, as the program `path` that it is about to become."""
    group = os.getpgrp()
    name = os.path.basename(path)
    return Receipt(
        process=me,
        origin="managed",
        agent=_agent(me, path, words),
        agent_id="",
        uid=os.geteuid(),
        group=group if group > 1 else 0,
        session=os.getsid(0),
        comm=os.fsencode(name)[:15].decode("utf-8", "replace"),
        exe=os.path.realpath(path),
        argv_hash=sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest(),
        place=place,
        instance="",
        nonce=nonce,
        created=time.time(),
        keep=keep,
    )


def place_of(who: Caller | None) -> Place | None:
    """The pane that this process is in; None where that is not proven. An environment that names a pane is no proof:
    it is inherited by windows of editors and other terminals, and across containers."""
    if who is None or not who.pane or not _descends(who.pane_pid):
        return None
    server, shell = pinned(who.server_pid), pinned(who.pane_pid)
    if server is None or shell is None:
        return None
    return Place(who.provider, who.mux, os.path.realpath(who.target), server, who.session, who.pane, shell)


def serving(runtime: str) -> str:
    """The id of the server that runs here; "" where none does, or it has not said who it is yet."""
    try:
        paths.check_private(runtime)
        handle = os.open(paths.pid_file(runtime), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, OpenSessionsError):
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return ""
    except OSError:
        said = os.pread(handle, 4096, 0).decode("utf-8", "replace")
    finally:
        os.close(handle)
    found = UUID.search(said)
    return found.group() if found else ""


def _descends(pid: int) -> bool:
    """Is this process that one, below it, or in its session?"""
    if pid <= 1:
        return False
    if os.getsid(0) == pid:
        return True
    source = this_system()
    climbed, passed = os.getpid(), set[int]()
    while climbed > 1 and climbed not in passed:
        if climbed == pid:
            return True
        passed.add(climbed)
        stat = source.stat(climbed)
        climbed = stat.ppid if stat else 0
    return False


def _agent(me: ProcId, path: str, words: Sequence[str]) -> str:
    """The kind's name; "" for what is no known agent."""
    from opensessions import config
    from opensessions.agents.detect import recognise
    from opensessions.agents.known import kinds
    from opensessions.model import Process

    file = paths.config_file()
    own = config.load(file).config.agents if os.path.exists(file) else None
    name = os.path.basename(path)
    process = Process(
        me.pid, os.getppid(), me.start, name, os.path.basename(os.path.realpath(path)), tuple(words)
    )
    found = recognise(process, kinds(own))
    return found.kind.name if found else ""


def _environment(**more: str) -> dict[str, str]:
    """What the program gets: ours as it was before Python began, and `more`."""
    try:
        with open("/proc/self/environ", "rb") as file:  # which shows it as it was
            began = file.read().split(b"\0")
    except OSError:
        return dict(os.environ) | more
    environment = {name: value for name, value in os.environ.items() if name != COERCED}
    for pair in began:
        if pair.startswith(f"{COERCED}=".encode()):
            environment[COERCED] = os.fsdecode(pair.partition(b"=")[2])
    return environment | more


def _become(path: str, words: list[str], environment: Mapping[str, str]) -> OSError:
    """Never returns, except with the reason why not. As shells do, a text without `#!` is given to sh."""
    sys.stderr.flush()
    for number in CHANGED:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(path, words, environment)
    except OSError as error:
        if error.errno != errno.ENOEXEC or not _is_text(path):
            return error
    try:
        os.execve("/bin/sh", ["sh", path, *words[1:]], environment)
    except OSError as error:
        return error


def _is_text(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"\0" not in file.read(256)
    except OSError:
        return False


def _say(text: str) -> None:
    print(f"opensessions: {text}", file=sys.stderr)


def _failed(status: int, text: str) -> int:
    _say(text)
    return status
