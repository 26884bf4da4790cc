"""Questions before anything is ended: which key asks them, and what the next key answers. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from opensessions.model import Row
from opensessions.sidebar.confirm import Act, Question, about_agent, about_session, chosen, clicked
from opensessions.sidebar.intents import Answer, Hibernate, KillAgent, KillSession, Reap, Reply, Resume, Say
from opensessions.sidebar.keys import Input, Key, Mouse
from opensessions.sidebar.motion import settle
from opensessions.sidebar.scene import Outcome, Scene, Ui
from opensessions.sidebar.text import clean

YES = frozenset(("y", "Y", "enter"))


def questioned(ui: Ui, action: str, row: Row, scene: Scene) -> Outcome:
    """Ask what the key `action` does to a row, or say why there is nothing to ask. It may have the agents of one window
    or pane alone."""
    if action == "kill-session":
        return ask(ui, about_session(row), scene)
    act: Act = "kill-agent" if action == "kill-agent" else "hibernate"
    question = about_agent(act, row)
    if question is None and act == "hibernate":
        question = about_agent("resume", row)
    whole = scene.mux.row(row.id)
    part = whole is not None and len(whole.agents) > len(row.agents)
    if question is None:
        return ui, (Say("No agent runs there." if part else f"No agent runs in {clean(row.name)}."),)
    return ask(ui, replace(question, several=True) if part else question, scene)


def ask(ui: Ui, question: Question, scene: Scene) -> Outcome:
    """Ask, if whoever answers can see it."""
    asking = settle(replace(ui, question=question, follow=True), scene)
    if asking.question is None:
        return ui, (Say("There is no room here to ask you first; make the sidebar larger."),)
    return asking, ()


def answered(ui: Ui, question: Question, event: Input, scene: Scene) -> Outcome:
    """Only a yes that comes after the question could be read does anything; all else is a no."""
    if isinstance(event, Mouse) and event.kind in ("release", "drag"):
        return ui, ()
    rest = replace(ui, question=None)
    if (
        isinstance(event, Mouse)
        and event.kind == "press"
        and event.button == 1
        and event.y == scene.height - 1
    ):
        answer = clicked(question, scene.mux, scene.width, event.x)
        event = Key(answer) if answer else event
    if not isinstance(event, Key):
        return rest, ()
    if question.choice:
        digit = int(event.name) if event.name in tuple("123456789") else 0
        one = chosen(question, digit, scene.mux, scene.width)
        if one and one.act in ("approve", "deny"):
            return rest, (
                Answer(one.agents[0], one.act == "approve"),
            )  # what it asks for is to be read first
        return replace(ui, question=one), ()
    if event.name not in YES or not scene.ripe:
        return rest, ()
    match question.act:
        case "kill-session":
            return rest, (KillSession(question.session, question.created),)
        case "kill-agent":
            return rest, (KillAgent(question.agents[0]),)
        case "hibernate":
            return rest, (Hibernate(question.agents[0]),)
        case "resume":
            return rest, (Resume(question.agents[0]),)
        case "approve" | "deny":
            return rest, (Reply(question.agents[0], question.act == "approve", question.text),)
        case "reap":
            return rest, (Reap(),)
