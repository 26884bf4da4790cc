"""Who looks at a pane: zellij's clients as it tells them; and what scripts let zellij do. Blocks for one process;
standard library only."""

from __future__ import annotations

import os
import select
import time

from opensessions_zellij.newborn import wait_for_births

PATIENCE = 3.0
"""Seconds for zellij's answer."""
TRIES = 3
"""Times that it is asked for its clients: under load it denies a session that lives, or answers nothing (0.45.1)."""
DENIALS = (b"There is no active session", b"not found. The following sessions")
AGAIN = 0.05
"""Seconds after which it is asked again."""
HEADING = "CLIENT_ID"
"""How its answer begins, whether or not there are clients."""


def client(zellij: str, folder: str, session: str, pane: str) -> str:
    """The client of a session that has its focus in a pane, else the one that came last, by the name that readings give
    it; "" where nobody is attached or zellij does not answer. `pane`: its number."""
    found = panes(zellij, folder, session)
    here = [client for client, shown in found.items() if shown == f"terminal_{pane}"]
    return (here or list(found) or [""])[-1]


def panes(zellij: str, folder: str, session: str) -> dict[str, str]:
    """The clients of a session in the order in which they came, and the pane that each has its focus in."""
    said = ""
    for _ in range(TRIES):
        said = ask(zellij, folder, session, "list-clients")
        if said.startswith(HEADING):
            break
        time.sleep(AGAIN)
    lines = [line.split() for line in said.splitlines()[1:]]
    rows = [(int(words[0]), words[1]) for words in lines if len(words) > 1 and words[0].isdecimal()]
    return {f"{session}/{number}": pane for number, pane in sorted(rows)}


def ask(zellij: str, folder: str, session: str, *words: str) -> str:
    """What one action prints; "" where zellij does not answer."""
    wait_for_births(folder)
    ours, its = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, its, 1), (os.POSIX_SPAWN_CLOSE, ours)]
    try:
        pid = os.posix_spawn(
            zellij,
            [zellij, "--session", session, "action", *words],
            {**os.environ, "ZELLIJ_SOCKET_DIR": folder},
            file_actions=actions,
        )
    except OSError:
        os.close(ours)
        return ""
    finally:
        os.close(its)
    said, end = b"", time.monotonic() + PATIENCE
    while select.select([ours], [], [], max(0.0, end - time.monotonic()))[0]:
        piece = os.read(ours, 1 << 16)
        said += piece
        if not piece:
            break
    else:
        os.kill(pid, 9)
        said = b""
    os.close(ours)
    os.waitpid(pid, 0)
    return said.decode("utf-8", "replace")


def act(zellij: str, folder: str, session: str, *words: str) -> int:
    """Let zellij do one action; its exit status. A session that it denies is asked for again: nothing was done."""
    for _ in range(TRIES):
        wait_for_births(folder)
        ours, its = os.pipe()
        try:
            pid = os.posix_spawn(
                zellij,
                [zellij, "--session", session, "action", *words],
                {**os.environ, "ZELLIJ_SOCKET_DIR": folder},
                file_actions=[(os.POSIX_SPAWN_DUP2, its, 2), (os.POSIX_SPAWN_CLOSE, ours)],
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(its)
        said = b""
        while piece := os.read(ours, 4096):
            said += piece
        os.close(ours)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if not any(denial in said for denial in DENIALS):
            break
        time.sleep(AGAIN)
    os.write(2, said)
    return status
