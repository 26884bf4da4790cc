"""What the detail is about: the session, the window or the pane under the cursor. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opensessions.model import URGENCY, Agent, Group, Inventory, Pane, Row
from opensessions.sidebar.detail import Nothing, Subject
from opensessions.sidebar.entries import entries, far_key, group_key, pane_of, session_of, window_of
from opensessions.sidebar.facts import STATES
from opensessions.sidebar.others import FarRow, Other
from opensessions.sidebar.scene import Scene, Ui

FAR = 6
"""Agents of a session elsewhere that are named."""


def subject_of(ui: Ui, scene: Scene) -> Subject | Nothing:
    """What the cursor is on. `ui` must be settled."""
    if (ui.filter or scene.mode != "all") and not entries(ui, scene):
        return Nothing(said="Nothing is listed: nothing is told here.")
    row = scene.mux.row(session_of(ui.cursor))
    inventory = scene.detail.inventory if scene.detail else None
    if row is None:
        return next((said for key, said in _elsewhere(scene) if key == ui.cursor), Nothing())
    if pane := pane_of(ui.cursor):
        return about_panes(row, [pane], "", inventory, scene.current)
    if (window := window_of(ui.cursor)) and inventory and window in inventory.windows:
        found = inventory.windows[window]
        panes = sorted((pane for pane in found.panes if not pane.mark), key=lambda pane: not pane.active)
        name = found.name if len(panes) > 1 else ""
        return about_panes(row, [pane.id for pane in panes], name, inventory, scene.current)
    return about_session(row, inventory, scene.current)


def _elsewhere(scene: Scene) -> Iterator[tuple[str, Nothing]]:
    """What is said of entries that are no sessions here, with their keys."""
    for group in scene.mux.groups or ():
        yield group_key(group.id), _heading(group)
    for other in scene.others:
        for far in other.rows:
            yield far_key(other.key, far.id), _far(other, far)


def _far(other: Other, far: FarRow) -> Nothing:
    agents = [f"{name} {'ended' if gone else STATES.get(state, state)}" for name, state, gone in far.agents]
    return Nothing(
        far.name, f"A session of {other.name}. {', '.join(agents[:FAR]) or 'No agent runs there'}."
    )


def _heading(group: Group) -> Nothing:
    count = len(group.sessions)
    return Nothing(
        group.name,
        f"{count} session{'s' if count != 1 else ''} in the working trees of {group.id}. "
        "Move the cursor to one of them: this tells of it.",
    )


def about_session(row: Row, inventory: Inventory | None, looker: str) -> Subject:
    """A session, with its agents, the most urgent first. `looker`: the session that is on the client's screen."""
    agents = tuple(sorted(row.agents, key=_urgency))
    panes = {pane.id: pane for pane in _panes(inventory, row.id)}
    shown = next((panes[agent.pane] for agent in agents if agent.pane in panes), None)
    shown = shown or _active(inventory, row.id)
    return Subject(row, agents, _worth(shown, inventory, looker), dir=row.dir)


def about_panes(row: Row, ids: Sequence[str], name: str, inventory: Inventory | None, looker: str) -> Subject:
    """Some panes of a session, the one to be shown first, and the agents in them; where `name` is "" it is named by the
    first of either. A pane that is gone is known by what is left of its agents."""
    agents = tuple(sorted((each for each in row.agents if each.pane in ids), key=_urgency))
    panes = {pane.id: pane for pane in _panes(inventory, row.id) if pane.id in ids}
    order = [*(agent.pane for agent in agents), *ids]
    shown = next((panes[id] for id in order if id in panes), None)
    if not name:
        name = agents[0].agent if agents else shown.title if shown else ""
        name = f"{name} {ids[0] if ids else ''}".strip()
    return Subject(row, agents, _worth(shown, inventory, looker), name, shown.path if shown else row.dir)


def _urgency(agent: Agent) -> int:
    return URGENCY.index(agent.state)


def _panes(inventory: Inventory | None, session: str) -> Iterator[Pane]:
    """The session's panes, without sidebars."""
    found = inventory.session(session) if inventory else None
    for link in found.links if inventory and found else ():
        window = inventory.windows.get(link.window) if inventory else None
        for pane in window.panes if window else ():
            if not pane.mark:
                yield pane


def _active(inventory: Inventory | None, session: str) -> Pane | None:
    """The pane that has the focus when one goes to the session, or the first beside a sidebar that has it."""
    found = inventory.session(session) if inventory else None
    current = found.current_window if found else ""
    panes = [pane for pane in _panes(inventory, session) if pane.window == current]
    return next((pane for pane in panes if pane.active), panes[0] if panes else None)


def _worth(pane: Pane | None, inventory: Inventory | None, looker: str) -> str:
    """The pane's id; "" for one that is on the client's screen already."""
    if pane is None or inventory is None:
        return ""
    seen = inventory.session(looker)
    window = inventory.windows.get(pane.window)
    beside = seen is not None and pane.window == seen.current_window and window and not window.zoomed
    return "" if beside else pane.id
