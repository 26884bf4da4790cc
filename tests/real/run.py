"""One run: a scenario with an agent. What came of it, and a recording if one is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tests.real.agents.driver import Driver
from tests.real.lab import lab
from tests.real.scenarios import Scenario
from tests.real.truth import Judgement, Shown, changes

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"


class Run(Struct, frozen=True):
    """What came of it, by instance."""

    judgements: Mapping[str, Judgement]
    shown: Mapping[str, list[Shown]]

    @property
    def clean(self) -> bool:
        """Was every state shown, and no other?"""
        return all(each.clean for each in self.judgements.values())

    def report(self) -> str:
        """For people."""
        lines = []
        for name, judgement in self.judgements.items():
            begun = judgement.verdicts[0].span.start if judgement.verdicts else 0.0
            for each in judgement.verdicts:
                late = "" if each.latency is None else f"{each.latency * 1000:5.0f} ms"
                at = f"{each.span.start - begun:7.2f}"
                lines.append(f"{name} {at} {each.span.state:13} {each.outcome:7} {late:9} {each.span.why}")
            for wrong in judgement.false:
                lines.append(f"{name} {wrong.at - begun:7.2f} FALSE {wrong.state} ({wrong.source})")
            history = " ".join(
                f"{each.at - begun:.2f}:{each.state}({each.source})" for each in changes(self.shown[name])
            )
            lines.append(f"{name} shown: {history}")
        return "\n".join(lines)


def run(
    driver: Driver,
    scenario: Scenario,
    tmux: str,
    *,
    hooks: str = "none",
    patience: float = 10.0,
    record: bool = False,
) -> Run:
    """Run it. AssertionError where the agent itself did not do what the scenario needs."""
    with lab(
        driver, tmux, scenario=scenario.name, free=scenario.free, hooks=hooks, patience=patience
    ) as place:
        scenario.run(place)
        place.finish()
        found = Run(
            {each.name: place.judge(each) for each in place.instances},
            {each.name: place.shown(each) for each in place.instances},
        )
    if record:
        path = RECORDINGS / f"{driver.name}-{driver.version}" / f"{scenario.name}.jsonl.gz"
        place.recorder.save(
            path,
            place.ended,
            driver=driver.name,
            scenario=scenario.name,
            about=scenario.about,
            hooks=hooks != "none",
        )
    return found
