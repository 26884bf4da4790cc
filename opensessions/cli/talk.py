"""What the verbs share: reaching the server, and saying so when there is none."""

from __future__ import annotations

import sys

from msgspec.json import decode

from opensessions import caller, start
from opensessions.caller import Caller
from opensessions.errors import Refused, ServerNotRunning

NONE_RUNS = "No server is running; start one with: opensessions up"


def running(who: Caller | None) -> start.Line:
    """A connection to the running server. ServerNotRunning where there is none; it is not started."""
    line = start.connect(caller.runtime(who), timeout=10.0)
    if line is None:
        raise ServerNotRunning(NONE_RUNS)
    return line


def registered(who: Caller | None, timeout: float = 10.0) -> start.Line:
    """A connection to the server, started if need be, with the caller's multiplexer registered. Refused where the
    environment names one that does not answer, as in a shell that has outlived its tmux."""
    if who is not None and not who.started:
        raise Refused(f"{who.provider} at {who.target} does not answer; it may have ended or be stopped.")
    line = start.ensure(caller.runtime(who), sys.executable, timeout)
    line.settimeout(timeout)
    if who is not None:
        start.ask(line, "register", provider=who.provider, target=who.target, binary=who.binary)
    return line


def inside(client: str = "") -> Caller:
    """The caller's multiplexer, with the session of `client` if one is named. Refused outside of one."""
    who = caller.find(client)
    if who is None:
        raise Refused(
            "This works inside a tmux session only; start one, or name the session to the server's API."
        )
    return who


def ask(line: start.Line, verb: str, **arguments: str) -> dict[str, object]:
    """The server's JSON answer to one question."""
    answer: dict[str, object] = decode(start.ask(line, verb, **arguments), type=dict[str, object])
    return answer
