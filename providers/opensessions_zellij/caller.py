"""Which zellij a command was typed in: `$ZELLIJ_SESSION_NAME` and `$ZELLIJ_PANE_ID`, and whether that pane is the inner
one where tmux runs too."""

from __future__ import annotations

import os
import subprocess
import time

import psutil

from opensessions.caller import Caller
from opensessions_zellij import binary, places
from opensessions_zellij.looking import AGAIN, HEADING, TRIES
from opensessions_zellij.processes import listener


def here(client: str = "") -> Caller | None:
    """None outside of zellij. `client` is a name as the readings have it, "SESSION/NUMBER". Who has typed last in a
    session is its client: of several the one that looks at this pane."""
    pane = os.environ.get("ZELLIJ_PANE_ID", "")
    name = os.environ.get("ZELLIJ_SESSION_NAME", "")
    if not pane or not name:
        return None
    folder = places.socket_folder()
    process, server = _ancestors()
    session = _called(folder, server) or name
    program = binary.of_process(server) or binary.find()
    return Caller(
        provider="zellij",
        mux=places.KEY,
        target=folder,
        binary=program,
        session=client.rpartition("/")[0] if client else session,
        pane=f"{session}/terminal_{pane}",
        pane_pid=process,
        server_pid=server,
        client=client or _client(program, session, f"terminal_{pane}"),
        started=_started(folder, session),
        switch="opensessions_zellij.switch",
        popup="opensessions_zellij.popup",
    )


def _started(folder: str, session: str) -> str:
    """When the session's socket was made; "" where it is gone."""
    try:
        return str(int(os.stat(places.session_socket(folder, session)).st_mtime))
    except OSError:
        return ""


def _client(program: str, session: str, pane: str) -> str:
    """The client that looks at the pane, else the session's only one; "" where that is not to be told."""
    asked = [program or "zellij", "--session", session, "action", "list-clients"]
    listed = b""
    for _ in range(TRIES):
        try:
            listed = subprocess.run(
                asked, stdin=subprocess.DEVNULL, capture_output=True, timeout=2, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if listed.startswith(HEADING.encode()):
            break
        time.sleep(AGAIN)
    rows = [line.split() for line in listed.decode("utf-8", "replace").splitlines()]
    clients = [(row[0], row[1]) for row in rows if len(row) > 1 and row[0].isdecimal()]
    looking = [number for number, shown in clients if shown == pane] or [number for number, _ in clients]
    return (
        f"{session}/{looking[0]}" if looking and (len(looking) == 1 or (looking[0], pane) in clients) else ""
    )


def _ancestors() -> tuple[int, int]:
    """The process of the pane that this one runs in, and the zellij server above it; zeros where there is none."""
    try:
        below = psutil.Process()
        for above in below.parents():
            if "--server" in above.cmdline()[1:2] and os.path.basename(above.cmdline()[0]).startswith(
                "zellij"
            ):
                return below.pid, above.pid
            below = above
    except psutil.Error:
        pass
    return 0, 0


def _called(folder: str, server: int) -> str:
    """The session of this server, whatever it was called when the pane began; "" where that is not to be seen."""
    base = f"{folder}/{places.contract(folder)}"
    try:
        names = [entry.name for entry in os.scandir(base)]
    except OSError:
        return ""
    mine = os.environ.get("ZELLIJ_SESSION_NAME", "")
    for name in sorted(names, key=lambda name: name != mine):
        if server and name not in places.OTHER and listener(f"{base}/{name}") == server:
            return name
    return ""
