"""What an agent is led through. Each scenario is a function on a lab; a step says what is true and lets it be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from tests.real.agents.driver import Driver
from tests.real.lab import Instance, Lab
from tests.real.llm.behaviour import FREE, HELD, QUESTION, REFUSAL, SILENCE, STREAM, TOOL

Need = Literal["", "approval", "question", "launcher"]


class Scenario(Struct, frozen=True):
    """`free`: tools run without asking."""

    name: str
    about: str
    run: Callable[[Lab], None]
    needs: Need = ""
    free: bool = False

    def suits(self, driver: Driver) -> bool:
        """Has the agent what it takes?"""
        return not self.needs or bool(getattr(driver, self.needs))


def _started(lab: Lab, name: str = "a") -> Instance:
    agent = lab.open(name)
    agent.shows()
    return agent


def _held(agent: Instance, words: str) -> None:
    """It runs until that is shown: how long it would take besides depends on this machine's load."""
    agent.prompt(f"{words} {HELD}")
    agent.model("first")
    agent.shows(dwell=0.0)
    agent.release()


def _turn(agent: Instance) -> None:
    _held(agent, "hello")
    agent.finishes()
    agent.shows()


def _streaming(agent: Instance) -> None:
    agent.prompt(STREAM)
    agent.model("first")
    agent.shows()


def _asking(agent: Instance, lab: Lab) -> None:
    _held(agent, TOOL)
    agent.asked(lab.driver.approval)
    agent.shows()


def _in_tool(agent: Instance, lab: Lab) -> None:
    _asking(agent, lab)
    agent.approves()
    agent.shows()


def start(lab: Lab) -> None:
    agent = _started(lab)
    agent.shows(dwell=3.0)


def answer(lab: Lab) -> None:
    agent = _started(lab)
    _turn(agent)
    _turn(agent)


def slow(lab: Lab) -> None:
    agent = _started(lab)
    _streaming(agent)
    agent.release()
    agent.finishes()
    agent.shows()


def free_tool(lab: Lab) -> None:
    agent = _started(lab)
    agent.prompt(FREE)
    answered = agent.model("ended", calls=True).at
    agent.tool_runs(answered)
    agent.shows()
    agent.tool_ends()
    agent.finishes()
    agent.shows()


def granted(lab: Lab) -> None:
    agent = _started(lab)
    _in_tool(agent, lab)
    agent.tool_ends()
    agent.finishes()
    agent.shows()


def denied(lab: Lab) -> None:
    agent = _started(lab)
    _asking(agent, lab)
    agent.stops(lab.driver.deny, aborted=False)
    agent.shows()
    _turn(agent)


def stopped_stream(lab: Lab) -> None:
    agent = _started(lab)
    _streaming(agent)
    agent.stops(lab.driver.interrupt, aborted=True)
    agent.shows()


def stopped_tool(lab: Lab) -> None:
    agent = _started(lab)
    agent.prompt(FREE)
    agent.tool_runs(agent.model("ended", calls=True).at)
    agent.shows()
    agent.stops(lab.driver.interrupt, aborted=False)
    agent.shows()


def stopped_silence(lab: Lab) -> None:
    agent = _started(lab)
    agent.prompt(SILENCE)
    agent.shows()
    agent.stops(lab.driver.interrupt, aborted=True)
    agent.shows()
    _turn(agent)


def refused(lab: Lab) -> None:
    agent = _started(lab)
    agent.prompt(REFUSAL)
    agent.true("error", "HTTP 400", start=agent.model("refused").at)
    agent.shows()
    _turn(agent)


def question(lab: Lab) -> None:
    agent = _started(lab)
    agent.prompt(QUESTION)
    agent.asked(lab.driver.question)
    agent.shows()
    agent.press(*lab.driver.answer)
    agent.true("running", "answered")
    agent.finishes()
    agent.shows()


def pair(lab: Lab) -> None:
    """The second works while the first is idle; the first quits while the second waits."""
    first, second = _started(lab, "a"), _started(lab, "b")
    _streaming(second)
    first.shows()
    second.release()
    second.finishes()
    second.shows()
    second.prompt(TOOL if lab.driver.approval else FREE)
    if lab.driver.approval:
        second.asked(lab.driver.approval)
    else:
        second.tool_runs(second.model("ended", calls=True).at)
    second.shows()
    first.quits()
    first.shows()
    second.shows()
    if lab.driver.approval:
        second.approves()
        second.shows()
    second.tool_ends()
    second.finishes()
    second.shows()


def pair_of_turns(lab: Lab) -> None:
    """Both have worked; the first works again, then it waits while the second finishes another turn."""
    first, second = _started(lab, "a"), _started(lab, "b")
    _turn(first)
    _turn(second)
    _streaming(first)
    _streaming(second)
    first.release()
    first.finishes()
    first.shows()
    second.stops(lab.driver.interrupt, aborted=True)
    second.shows()
    first.shows()


def killed(lab: Lab) -> None:
    agent = _started(lab)
    _streaming(agent)
    agent.kill(*[each.pid for each in agent.alive()])
    agent.true("gone", "killed")
    agent.shows()


def orphaned(lab: Lab) -> None:
    """The npm launcher dies; the agent itself goes on and finishes its turn."""
    agent = _started(lab)
    _streaming(agent)
    launcher, *others = sorted(agent.alive(), key=lambda each: each.start)
    assert others, "there is no launcher"
    agent.kill(launcher.pid)
    agent.shows(dwell=2.0)
    agent.release()
    agent.finishes()
    agent.shows()
    agent.kill(*[each.pid for each in agent.alive()])
    agent.true("gone", "killed")
    agent.shows()


def quit(lab: Lab) -> None:
    agent = _started(lab)
    _turn(agent)
    agent.quits()
    agent.shows()


def resumed(lab: Lab) -> None:
    agent = _started(lab)
    _turn(agent)
    agent.quits()
    agent.shows()
    agent.launch(lab.driver.resume(lab.site))
    agent.shows()
    _streaming(agent)
    agent.release()
    agent.finishes()
    agent.shows()


def cleared(lab: Lab) -> None:
    agent = _started(lab)
    _turn(agent)
    agent.cleared()
    agent.shows()
    _streaming(agent)
    agent.release()
    agent.finishes()
    agent.shows()


SCENARIOS: Mapping[str, Scenario] = {
    each.name: each
    for each in (
        Scenario("start", "started, nothing asked", start),
        Scenario("answer", "prompt, short answer; twice", answer),
        Scenario("slow", "prompt, slow answer", slow),
        Scenario("free-tool", "tool without permission", free_tool, free=True),
        Scenario("granted", "permission asked, granted, tool runs", granted, "approval"),
        Scenario("denied", "permission asked, denied; then a turn", denied, "approval"),
        Scenario("stopped-stream", "interrupted while it streams", stopped_stream),
        Scenario("stopped-tool", "interrupted while a tool runs", stopped_tool, free=True),
        Scenario("stopped-silence", "interrupted before the first token; then a turn", stopped_silence),
        Scenario("refused", "API error; then a turn", refused),
        Scenario("question", "the agent asks a question", question, "question"),
        Scenario("pair", "two in one directory; the second works, the first quits", pair),
        Scenario("pair-of-turns", "two in one directory, both work", pair_of_turns),
        Scenario("killed", "killed while it streams", killed),
        Scenario("orphaned", "its npm launcher killed while it streams", orphaned, "launcher"),
        Scenario("quit", "a turn, then quit", quit),
        Scenario("resumed", "quit and resumed", resumed),
        Scenario("cleared", "a turn, a new conversation in the same process, a turn", cleared),
    )
}
