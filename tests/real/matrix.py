"""`python -m tests.real.matrix`: runs agents through scenarios and writes docs/reference/agents.md.

Without arguments: every agent, every scenario, without and with our hooks. `--agents`, `--scenarios`, `--hooks` choose;
what is not run again keeps its last result, which stands in matrix.json. `--table` runs nothing.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.real.agents import DRIVERS
from tests.real.agents.driver import Driver
from tests.real.llm.served import ROOT
from tests.real.run import Run, run
from tests.real.scenarios import SCENARIOS, Scenario
from tests.real.truth import middle

PAGE = ROOT / "docs/reference/agents.md"
RESULTS = Path(__file__).with_name("matrix.json")
BEGIN, END = "<!-- matrix: python -m tests.real.matrix -->", "<!-- end of matrix -->"
MODES = {"none": "Without hooks", "ours": "With hooks"}
Results = dict[str, dict[str, Any]]
"""`agent/scenario/mode` -> what came of it."""


def result(done: Run) -> dict[str, Any]:
    """What is kept of a run: the worst outcome, what went wrong, latencies in milliseconds."""
    verdicts = [each for judgement in done.judgements.values() for each in judgement.verdicts]
    false = dict.fromkeys(each.state for judgement in done.judgements.values() for each in judgement.false)
    wrong = [each.span.state for each in verdicts if each.outcome == "wrong"]
    outcomes = {each.outcome for each in verdicts}
    outcome = next((each for each in ("wrong", "untold", "late") if each in outcomes), "right")
    return {
        "outcome": "wrong" if false else outcome,
        "not shown": wrong,
        "false": list(false),
        "ms": [
            round(each.latency * 1000)
            for each in verdicts
            if each.latency is not None and each.span.state != "idle"
        ],
    }


def failure(error: AssertionError) -> dict[str, Any]:
    """The agent itself did not do what the scenario needs: nothing was measured."""
    return {"outcome": "not run", "why": str(error).splitlines()[0][:120], "ms": []}


def cell(found: Mapping[str, Any] | None, suits: bool) -> str:
    """One cell."""
    if not suits:
        return "–"
    if found is None or found["outcome"] == "not run":
        return "not run"
    time = middle(found["ms"])
    words = {"right": "right", "late": "right but late", "untold": "not told", "wrong": "**wrong**"}[
        found["outcome"]
    ]
    wrong = [f"no {state}" for state in dict.fromkeys(found["not shown"])]
    wrong += [f"false {state}" for state in dict.fromkeys(found["false"])]
    late = f", {time:.0f} ms" if time is not None else ""
    return words + late + (f" ({', '.join(wrong)})" if wrong else "")


def table(results: Results, mode: str) -> list[str]:
    """The table of a mode."""
    agents = list(DRIVERS.values())
    lines = [f"| scenario | {' | '.join(each.name for each in agents)} |", f"| --- {'| --- ' * len(agents)}|"]
    for scenario in SCENARIOS.values():
        cells = [
            cell(results.get(f"{each.name}/{scenario.name}/{mode}"), scenario.suits(each)) for each in agents
        ]
        lines.append(f"| {scenario.about} | {' | '.join(cells)} |")
    percentiles = [percentile(results, each, mode) for each in agents]
    return [*lines, f"| *95 of 100 states are shown within* | {' | '.join(percentiles)} |"]


def percentile(results: Results, driver: Driver, mode: str) -> str:
    """The 95th percentile of an agent's latencies."""
    times = sorted(
        time
        for key, found in results.items()
        if key.startswith(f"{driver.name}/") and key.endswith(f"/{mode}")
        for time in found["ms"]
    )
    return f"{times[min(len(times) - 1, int(len(times) * 0.95))]} ms" if times else "–"


def untold(drivers: Iterable[Driver]) -> list[str]:
    """What the agents' interfaces do not tell."""
    lines = []
    for driver in drivers:
        for each in driver.untold:
            where = f" ({', '.join(sorted(each.scenarios))})" if each.scenarios else ""
            when = "" if each.even_with_hooks else " without hooks"
            instead = ", ".join(f"`{state}`" for state in sorted(each.instead))
            states = ", ".join(f"`{state}`" for state in sorted(each.states))
            lines.append(f"- **{driver.name}**{when}: {states} is shown as {instead}{where}: {each.why}")
    return lines or ["Nothing is known to be missing."]


def write(results: Results) -> None:
    """Put the tables between the marks."""
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = [BEGIN, ""]
    for mode, title in MODES.items():
        if any(key.endswith(f"/{mode}") for key in results):
            lines += [f"### {title}", "", *table(results, mode), ""]
    lines += ["### What is not told", "", *untold(DRIVERS.values()), ""]
    PAGE.write_text(head + "\n".join(lines) + END + tail)


def measure(driver: Driver, scenario: Scenario, mode: str, patience: float, record: bool) -> dict[str, Any]:
    """Run one. A recording holds what hooks tell as well: opensessions hears nothing of that."""
    tmux = shutil.which("tmux")
    assert tmux, "tmux is not installed"
    try:
        done = run(
            driver, scenario, tmux, hooks="recorded" if record else mode, patience=patience, record=record
        )
    except AssertionError as error:
        print(f"{driver.name} {scenario.name} {mode}: {error}", file=sys.stderr, flush=True)
        return failure(error)
    found = result(done)
    print(f"{driver.name} {scenario.name} {mode}: {found['outcome']}", file=sys.stderr, flush=True)
    if found["outcome"] == "wrong":
        print(done.report(), file=sys.stderr, flush=True)
    return found


def main(argv: list[str]) -> None:
    """See above."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.matrix")
    parser.add_argument("--agents", default=",".join(DRIVERS))
    parser.add_argument("--scenarios", default=",".join(SCENARIOS))
    parser.add_argument("--hooks", default=",".join(MODES))
    parser.add_argument(
        "--patience", type=float, default=5.0, help="seconds that a state may take to be shown"
    )
    parser.add_argument(
        "--record", action="store_true", help="make the recordings anew; only with --hooks none"
    )
    parser.add_argument("--table", action="store_true", help="only write the page anew")
    chosen = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started must be ended
    if chosen.record and chosen.hooks != "none":
        parser.error("--record needs --hooks none")
    todo = [] if chosen.table else chosen.agents.split(",")
    for driver in (DRIVERS[name] for name in todo):
        for mode in chosen.hooks.split(","):
            for scenario in (SCENARIOS[name] for name in chosen.scenarios.split(",")):
                if scenario.suits(driver):
                    key = f"{driver.name}/{scenario.name}/{mode}"
                    keep(key, measure(driver, scenario, mode, chosen.patience, chosen.record))
    write(load())


def keep(key: str, found: Mapping[str, Any]) -> None:
    """Into matrix.json, which several of us may write at once."""
    with Path(__file__).open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        results = load() | {key: dict(found)}
        fresh = RESULTS.with_suffix(".new")
        fresh.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
        fresh.replace(RESULTS)


def load() -> Results:
    """What came of the runs so far."""
    found: Results = json.loads(RESULTS.read_text() or "{}") if RESULTS.exists() else {}
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
