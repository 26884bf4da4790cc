"""Which tmux a command was typed in: `$TMUX` and `$TMUX_PANE`, and what that server says about them."""

from __future__ import annotations

import os

from opensessions import paths
from opensessions.caller import Caller
from opensessions.errors import MuxError
from opensessions_tmux.admin import Admin
from opensessions_tmux.binary import caller_socket, of_server

FIELDS = "#{session_id}\n#{pane_pid} #{pid}\n#{start_time}\n#{@opensessions-runtime}"
CLIENT = "#{client_control_mode} #{client_activity} #{session_id} #{client_name}"


def here(client: str = "") -> Caller | None:
    """None outside of tmux. Where the tmux of `$TMUX` does not answer, only what the environment says is known."""
    socket, pid = caller_socket()
    if not socket:
        return None
    binary = of_server(pid)
    pane = os.environ.get("TMUX_PANE", "")
    target = ("-t", pane) if pane else ()
    ask = [("display-message", "-p", *target, FIELDS), ("list-clients", "-F", CLIENT)]
    try:
        session, pids, started, runtime, *listed = Admin(binary or "tmux", socket).ask_all(ask).split("\n")
        pane_pid, server_pid = (int(each or 0) for each in pids.split(" "))
    except (MuxError, ValueError):
        session, pane_pid, server_pid, started, runtime, listed = "", 0, 0, "", "", []
    clients = [line.split(" ", 3) for line in listed if line.count(" ") >= 3]
    if client:
        session = next((held for _, _, held, name in clients if name == client), "")
    else:
        # A control-mode client has no screen, so it is nobody's; of the others the one used last is the caller's.
        own = [
            (int(activity), name) for mode, activity, held, name in clients if mode != "1" and held == session
        ]
        client = max(own, default=(0, ""))[1]
    return Caller(
        provider="tmux",
        mux=paths.tmux_key(socket),
        target=socket,
        binary=binary,
        session=session,
        pane=pane,
        pane_pid=pane_pid if pane else 0,
        server_pid=server_pid,
        client=client,
        started=started,
        runtime=runtime,
        switch="opensessions_tmux.switch",
        popup="opensessions_tmux.popup",
    )
