"""Acts that ask no question of their own: going on, going where somebody waits, taking note, undoing, beginning a
session, giving it a name, answering an agent. Pure.
"""

from __future__ import annotations

from msgspec.structs import replace

from opensessions.attend import ENDED
from opensessions.model import Agent, Row
from opensessions.sidebar.asking import ask
from opensessions.sidebar.confirm import about_agent
from opensessions.sidebar.entries import Entry, part_of
from opensessions.sidebar.intents import Answer, Attend, Back, Dismiss, Go, NewSession, Say, Undo
from opensessions.sidebar.motion import unfiltered
from opensessions.sidebar.renaming import Renaming
from opensessions.sidebar.scene import Outcome, Scene, Ui
from opensessions.sidebar.text import clean, unpainted

ACTS = frozenset(
    ("next", "previous", "attention", "back", "dismiss", "undo", "approve", "deny", "new-session", "rename")
)


def acted(ui: Ui, action: str, here: Entry | None, scene: Scene) -> Outcome:
    """What one of ACTS does, with the cursor on `here`."""
    row = part_of(here)
    match action:
        case "next" | "previous":
            session = beside(scene, 1 if action == "next" else -1)
            return (unfiltered(ui, scene), (Go(session),)) if session else (ui, ())
        case "attention":
            return unfiltered(ui, scene), (Attend(),)
        case "back":
            return unfiltered(ui, scene), (Back(),)
        case "undo":
            return ui, (Undo(),)
        case "new-session":
            return unfiltered(ui, scene), (NewSession(),)
        case "rename" if here and here.row:
            return replace(ui, renaming=Renaming(here.row.id, unpainted(here.row.name)), follow=True), ()
        case "dismiss" if row:
            agents = noted(row)
            if not agents:
                return ui, (Say(f"There is nothing to dismiss in {clean(row.name)}."),)
            return ui, (Dismiss(tuple(agent.id for agent in agents)),)
        case "approve" | "deny" if row:
            question = about_agent("approve" if action == "approve" else "deny", row)
            if question is None:
                return ui, (Say(f"No agent in {clean(row.name)} waits for you."),)
            if question.choice:
                return ask(ui, question, scene)
            return ui, (Answer(question.agents[0], action == "approve"),)
    return ui, ()


def beside(scene: Scene, step: int) -> str:
    """The session one row further than the one that is looked at, going round at the ends; "" where there is none."""
    ids = [row.id for row in scene.mux.visible()]
    if not ids:
        return ""
    current = scene.current or scene.own
    if current not in ids:
        return ids[0 if step > 0 else -1]
    return ids[(ids.index(current) + step) % len(ids)]


def noted(row: Row) -> tuple[Agent, ...]:
    """The agents of a row of which the user can take note. One that hibernates counts only where there is no other:
    its row holds how to resume it."""
    ended = [agent for agent in row.agents if agent.state != "hibernated" and _is_over(agent)]
    return tuple(ended or (agent for agent in row.agents if agent.state == "hibernated"))


def _is_over(agent: Agent) -> bool:
    return agent.liveness == "exited" or agent.unseen or agent.state in ENDED
