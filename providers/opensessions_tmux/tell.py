"""Tell the server one thing from a binding or a hook: `VERB key=value …`. Standard library only.

The server is started if none runs, and this tmux is registered with it on the way.
"""

from __future__ import annotations

from opensessions import paths, start
from opensessions.errors import OpenSessionsError
from opensessions_tmux.cold import registration, say


def main(argv: list[str]) -> int:
    """0: told. A failure is one line in the client's status line, if a client was named."""
    verb, given = argv[0], dict(part.partition("=")[::2] for part in argv[1:])
    try:
        line = start.ensure(paths.runtime_dir(given.get("runtime", "")), given["python"])
        start.tell(line, "register", **registration(given))
        if verb != "register":
            kept = {
                name: value
                for name, value in given.items()
                if name not in ("runtime", "python", "tmux", "socket", "mux")
            }
            start.tell(line, verb, mux=paths.tmux_key(given["socket"]), **kept)
        line.close()
    except (OpenSessionsError, OSError) as error:
        if given.get("client"):
            say(given, str(error))
        return 1
    return 0
