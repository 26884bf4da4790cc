"""Keys that need the server, floating panes, and switching where the ordering file cannot be trusted. Standard library
only."""

from __future__ import annotations

import os
import sys
import time

from opensessions import installation, order, paths, pump, start
from opensessions.errors import OpenSessionsError
from opensessions_zellij import floating, looking
from opensessions_zellij.places import KEY
from opensessions_zellij.switch import FLOATING, folder, program, session, switch

ASKS = {
    "sidebar": "sidebar-focus",
    "toggle": "sidebar-toggle",
    "attention": "attention",
    "attention-back": "attention-back",
}
"""Verb -> the server's."""
PATIENCE = 10.0
"""Seconds for the server's answer."""
CLOSING = 2.0
"""Seconds for a pane to close whose program has ended."""
OPENED = {"popup": "rows", "new": "folders", "keys": "told"}
"""Verb -> what runs in the floating pane that it opens."""
SIZE = {"rows": ("52", "80%"), "folders": ("78", "80%"), "told": ("62", "16")}
"""Columns and rows of those panes, with their frames."""

Given = dict[str, str]


def main(verb: str, given: Given) -> int:
    """One key."""
    try:
        match verb:
            case _ if verb in FLOATING:
                return _float(given, OPENED[verb])
            case "rows" | "folders" | "told":
                return _floating(given, verb)
            case "pane":
                return _pane(given)
            case _ if verb in ASKS:
                return _hand_over(given, ASKS[verb])
    except (OpenSessionsError, OSError) as error:
        return complain(given, str(error))
    return complain(given, f"No key does {verb!r}; run again: opensessions zellij install")


def complain(given: Given, sentence: str) -> int:
    """Say why nothing happened: in a floating pane where a key was pressed, which stays until Enter, else on stderr."""
    if given.get("key"):
        words = ["/bin/sh", "-c", 'echo " opensessions: $1"; read -r _', "sh", sentence]
        return show(given, words, "90", "5")
    print(f"opensessions: {sentence}", file=sys.stderr)
    return 1


def again(where: str, given: Given, rows: list[tuple[str, str]] | None) -> int:
    """Switch first if there are rows; then see to it that a server runs. Without rows ask the server for them, at most
    3 s each for its start and its answer."""
    if rows is not None:
        if os.fork() == 0:
            os._exit(switch(given, order.choose(rows, where, session(given))))
        status = os.waitstatus_to_exitcode(os.wait()[1])
    try:
        line = _server(given)
        if rows is not None:
            return status
        rows = order.decode(start.ask(line, "order", mux=KEY, **registration(given)))
    except (OpenSessionsError, OSError) as error:
        return complain(given, str(error))
    return switch(given, order.choose(rows, where, session(given)))


def registration(given: Given) -> dict[str, str]:
    """What the server needs to serve this zellij."""
    return {"provider": "zellij", "target": folder(given), "binary": program(given)}


def client(given: Given) -> str:
    """Who has pressed the key: the client that looks at this pane."""
    pane = os.environ.get("ZELLIJ_PANE_ID", "")
    return given.get("client") or looking.client(program(given), folder(given), session(given), pane)


def _server(given: Given) -> start.Line:
    """A connection to the server, started if none runs, with this zellij registered."""
    line = start.ensure(given.get("runtime") or paths.runtime_dir(), given.get("python") or sys.executable)
    line.settimeout(PATIENCE)
    start.tell(line, "register", **registration(given))
    return line


# --- what the server does -------------------------------------------------------------------------------------


def _hand_over(given: Given, verb: str) -> int:
    """Let the server do it as soon as the pane of this key has closed: whatever it looks at or opens meanwhile would be
    in that pane's place. The question goes on in a process of its own; a refusal comes up in a floating pane."""
    given = {**given, "tmux": program(given), "session": session(given), "client": client(given)}
    ready, told = os.pipe()
    if os.fork():
        os.close(told)
        os.read(ready, 1)  # its end: until it has a session of its own, the pane's hang-up would end it too
        return 0
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for handle in range(3):
        os.dup2(null, handle)
    os.close(told)
    _wait_for_the_pane(given)
    try:
        start.ask(_server(given), verb, mux=KEY, client=given["client"])
    except (OpenSessionsError, OSError) as error:
        complain({**given, "key": "1"}, str(error))
    os._exit(0)


def _wait_for_the_pane(given: Given) -> None:
    """Until the client that pressed the key looks at something else than the pane of this process."""
    pane = f"terminal_{os.environ.get('ZELLIJ_PANE_ID', '')}"
    end = time.monotonic() + CLOSING
    while time.monotonic() < end:
        if looking.panes(program(given), folder(given), session(given)).get(given["client"]) != pane:
            return
        time.sleep(0.01)


# --- floating panes -------------------------------------------------------------------------------------------


def _float(given: Given, what: str) -> int:
    """Open a floating pane for this client and end."""
    hide = ["hide=1"] if floating.hidden(folder(given), session(given), floating.own_pane()) else []
    script = f"{installation.plugin_folder()}/scripts/zellij.py"
    words = [sys.executable, "-I", "-S", script, what, f"client={client(given)}", *hide]
    return show(given, words, *SIZE[what])


def show(given: Given, words: list[str], width: str, height: str) -> int:
    """Open a floating pane with this program; zellij's exit status."""
    how = ("--floating", "--close-on-exit", "--name", "opensessions", "--width", width, "--height", height)
    return looking.act(program(given), folder(given), session(given), "new-pane", *how, "--", *words)


def _floating(given: Given, what: str) -> int:
    """What runs in such a pane. Where floating panes were hidden before it came up, they are hidden again."""
    status = 0
    if what == "rows":
        _server(given).close()
        status = pump.main([*_told(given), f"client={given.get('client', '')}"])
    elif what == "folders":
        words = [
            sys.executable,
            "-P",
            "-m",
            "opensessions",
            "session",
            "new",
            f"--client={given.get('client', '')}",
        ]
        status = os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(words[0], words, os.environ), 0)[1])
    else:
        _tell_keys()
    if given.get("hide"):
        looking.ask(program(given), folder(given), session(given), "hide-floating-panes")
    return status


def _pane(given: Given) -> int:
    """Be the sidebar of this pane, which a layout has opened."""
    _server(given).close()
    return pump.main(_told(given))


def _told(given: Given) -> list[str]:
    told = {
        "runtime": given.get("runtime") or paths.runtime_dir(),
        "socket": folder(given),
        "provider": "zellij",
    }
    return [f"{name}={value}" for name, value in {**told, "python": sys.executable}.items()]


def _tell_keys() -> None:
    from opensessions_zellij.table import told

    for line in told():
        print(f"  {line}")
    print("\n  Enter closes this.", end=" ", flush=True)
    sys.stdin.readline()
