"""What an agent's hook runs: pass the hook's JSON on to the server, if there is one, and end within the budget.

Standard library only, and as little of it as can be: the agent may wait for us. Nothing here starts a server,
writes a file or says a word, except for the answer that an agent's protocol demands.
"""

from __future__ import annotations

import _socket as socket  # `socket` brings enum and selectors: 9 ms
import os
import time

from opensessions import paths, wire
from opensessions.errors import UnsafePath

READ_UNTIL = 0.03
"""Seconds after our start at which we stop waiting for more of standard input."""
ALL_UNTIL = 0.045
"""Seconds after our start at which we give up: an agent never waits longer for us."""
PATIENT = "patient"
"""Given instead of the JSON by hooks that the agent runs in the background: nobody waits, and a busy agent may write
late. PATIENCE is added to both."""
PATIENCE = 2.0
STEP = 0.002
"""Seconds between two tries to connect to a server whose queue of connections is full."""
KEPT = 64 << 10
"""Bytes that are kept of standard input; the rest is read and dropped, so that the agent's write never fails."""
SENT = 48 << 10
"""Bytes of the payload that are sent. What names the session and the event stands at its beginning."""
ANCESTORS = 6
"""Parents that are named: an agent's hook runs below a shell or two, and an agent below its launcher."""
SHELLS = (b"sh", b"bash", b"dash", b"zsh", b"fish", b"ksh", b"ash", b"busybox")
RECENT = 10.0
"""Seconds: a shell that is older did not start us, it is one that a person types into."""
TICKS = 100
"""Of /proc's clock in a second, whatever the kernel's own is."""
ANSWERS = {"gemini": b"{}\n", "cursor": b"{}\n"}
"""Agents that read an answer from us: an empty one changes nothing."""


def main(argv: list[str]) -> int:
    """`AGENT [EVENT [JSON | patient]]`; the JSON is read from standard input where it is not given. Always 0."""
    began = time.monotonic()
    agent, event, given = (*argv, "", "", "")[:3]
    if event.startswith("{"):  # a notify program that is given the JSON alone
        event, given = "", event
    if given == PATIENT:
        began, given = began + PATIENCE, ""
    try:
        if agent in ANSWERS:
            os.write(1, ANSWERS[agent])
        line = _connect(began + ALL_UNTIL)
        payload = given.encode("utf-8", "surrogateescape") if given else _read(0, began + READ_UNTIL)
        if line is not None and agent:
            line.settimeout(max(0.001, began + ALL_UNTIL - time.monotonic()))
            line.sendall(wire.frame(b"T", _fields(agent, event, payload)))
    except OSError:  # no server, a full one, or an agent that has gone: there is nobody to tell
        pass
    return 0


def runtime_dirs() -> list[str]:
    """Where a server of ours may listen, the likeliest first.

    An agent's environment can differ from that of the server (ssh, cron, su, a TMPDIR of its own). Asking tmux
    would cost a process, so the other places that the rules allow are tried as well.
    """
    found = [paths.runtime_dir()]
    if not os.environ.get("OPENSESSIONS_RUNTIME_DIR"):
        user = os.geteuid()
        for place in (f"/run/user/{user}/opensessions", f"/tmp/opensessions-{user}"):
            if place not in found:
                found.append(place)
    return found


def _connect(until: float) -> socket.socket | None:
    for runtime in runtime_dirs():
        try:
            paths.check_private(runtime)
        except (OSError, UnsafePath):
            continue
        while True:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.setblocking(False)
            try:
                line.connect(paths.server_socket(runtime))
                return line
            except BlockingIOError:  # its queue is full
                line.close()
                if time.monotonic() + STEP > until:
                    return None
                time.sleep(STEP)
            except OSError:
                line.close()
                break
    return None


def _read(handle: int, until: float) -> bytes:
    """What can be read until then: up to KEPT bytes. A terminal is not read."""
    from select import POLLIN, poll

    if os.isatty(handle):
        return b""
    waiting = poll()
    waiting.register(handle, POLLIN)
    kept = b""
    try:
        while (left := until - time.monotonic()) > 0 and waiting.poll(left * 1000):
            data = os.read(handle, KEPT)
            if not data:
                break
            kept += data[: KEPT - len(kept)]
    except OSError:  # it is closed: the event alone is worth telling
        pass
    return kept


def _fields(agent: str, event: str, payload: bytes) -> bytes:
    get = os.environ.get
    try:
        cwd = os.getcwd()
    except OSError:  # the directory was removed
        cwd = ""
    pids, at, order = _ancestors()
    told = {
        "verb": "agent-hook",
        "agent": agent,
        "event": event,
        "at": f"{at:.6f}",
        "order": str(order),
        "pane": get("TMUX_PANE", ""),
        "tmux": get("TMUX", "").rsplit(",", 2)[0],
        "pid": ",".join(pids),
        "cwd": cwd,
    }
    if get("ZELLIJ_SESSION_NAME"):
        told["zellij"] = f"{get('ZELLIJ_SESSION_NAME', '')}/{get('ZELLIJ_PANE_ID', '')}"
    if get("CLAUDE_PID"):
        told["agentpid"] = get("CLAUDE_PID", "")
    if len(payload) > SENT:
        told["cut"] = "1"
    told["payload"] = payload[:SENT].decode("utf-8", "replace")
    return wire.pack_fields(**told)


def _ancestors() -> tuple[list[str], float, int]:
    """The pids of our parent, its parent and so on; when the agent started us (seconds since the epoch); and a number
    that grows from one start on this machine to the next.

    That start is the one of the outermost of the shells directly above us: hooks that run in the background overtake
    one another between there and here. The kernel tells starts in hundredths of a second, so the number is made of
    that and the pid. Where there is no /proc: only our parent, now, and 0.
    """
    at = now = time.time()
    order = 0
    shells = True
    pid = os.getpid()
    found: list[str] = []
    while pid > 1 and len(found) <= ANCESTORS:
        try:
            stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            try:
                head, _, rest = os.read(stat, 1024).rpartition(b")")
            finally:
                os.close(stat)
            fields = rest.split()
            parent, started = int(fields[1]), int(fields[19])
        except (OSError, ValueError, IndexError):
            break
        shells = shells and (not found or head.partition(b"(")[2] in SHELLS)
        begun = _boot() + started / TICKS
        shells = shells and now - begun < RECENT
        if shells:
            at, order = begun, started * 10_000 + pid % 10_000
        found.append(str(pid))
        pid = parent
    return found[1:] or [str(os.getppid())], min(at, now), order


def _boot() -> float:
    """When the machine started (seconds since the epoch)."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
