"""Measures each timing promise on a real tmux and prints it as a ratio to its bound: 1.00 and less is kept.

python -m benchmarks              everything, about three minutes
python -m benchmarks --quick      shorter samples, for CI
python -m benchmarks switch idle  only the measurements whose name begins so

OPENSESSIONS_IDLE_SECONDS=600 makes each sample of `idle` ten minutes long.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator

from benchmarks import agents, context, idle, pixels, processes, sidebars, start, states, sweep, switch
from benchmarks.result import Result
from tests.support.world import tmux_versions

MEASUREMENTS: dict[str, Callable[[str, bool], Iterator[Result]]] = {
    "switch": switch.measure,
    "start": start.measure,
    "pixels": pixels.measure,
    "sidebars": sidebars.measure,
    "agents": agents.measure,
    "states": states.measure,
    "processes": processes.measure,
    "sweep": sweep.measure,
    "idle": idle.measure,
    "context": context.measure,
}


def main() -> int:
    """1 where a promise is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MEASUREMENTS)}")
    parser.add_argument("--quick", action="store_true", help="shorter samples")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    tmux = next(iter(tmux_versions().values()))
    broken = 0
    for name, measure in MEASUREMENTS.items():
        if arguments.names and not any(name.startswith(each) for each in arguments.names):
            continue
        for result in measure(tmux, arguments.quick):
            print(json.dumps(result.asdict()) if arguments.json else result.line(), flush=True)
            broken += not result.kept
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
