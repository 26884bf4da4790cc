"""`opensessions server run`"""

from __future__ import annotations

import argparse
import os
import sys

from opensessions import paths
from opensessions.errors import AlreadyRunning


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`run`."""
    parser.add_argument(
        "act", choices=("run",), help="serve until nothing needs it; what the other verbs start"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 at a clean end, also where another server runs already."""
    from opensessions.server.guard import Guard

    runtime = paths.ensure_runtime(paths.runtime_dir())
    try:
        guard = Guard.acquire(runtime)
    except AlreadyRunning as error:
        if os.isatty(2):
            print(f"opensessions: {error}", file=sys.stderr)
        return 0
    # asyncio does without TLS, which nothing here speaks, and which takes 2 MiB.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    # Only now what is dear: of many starts at once all but one end here.
    from opensessions.server import app

    return app.run(runtime, guard, to_terminal=os.isatty(2))
