"""What stands in a sidebar for a while only: questions, what was done, what is being dragged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from opensessions.server.sidebar import Sidebar
from opensessions.sidebar.confirm import Question

READ = 0.35
"""Seconds for which a question must have been on the screen before a key can mean yes: who types words into a sidebar
by mistake types faster."""
LAPSE = 10.0
"""Seconds after which a question is taken back, and what is dragged and lies still let go."""
FADE = 5.0
"""Seconds for which a sidebar says what was done."""
SPEED = 20.0
"""Characters for which it says so a second longer."""

Paint = Callable[[Sidebar], None]
"""Brings a sidebar's terminal up to date."""


def shown(sidebar: Sidebar, paint: Paint) -> None:
    """A picture was painted: what is new in it begins to age."""
    if sidebar.asked != sidebar.ui.question:
        _asked(sidebar, paint)
    if sidebar.dragged != (sidebar.ui.drag or sidebar.ui.gripped):
        _dragged(sidebar, paint)


# --- what was done --------------------------------------------------------------------------------------------


def tell(sidebar: Sidebar, text: str, paint: Paint) -> None:
    """Say this in its footer, for a while."""
    hush(sidebar)
    sidebar.message = text
    pause = FADE + len(text) / SPEED
    sidebar.fade = asyncio.get_running_loop().call_later(pause, _fade, sidebar, paint)
    paint(sidebar)


def hush(sidebar: Sidebar) -> None:
    """Say it no longer; the next picture is without it."""
    if sidebar.fade:
        sidebar.fade.cancel()
    sidebar.message, sidebar.fade = "", None


def _fade(sidebar: Sidebar, paint: Paint) -> None:
    hush(sidebar)
    paint(sidebar)


# --- questions ------------------------------------------------------------------------------------------------


def ask(sidebar: Sidebar, question: Question, paint: Paint) -> bool:
    """Ask this in the sidebar. False where its user is at something else by now, or cannot read it."""
    ui = sidebar.ui
    if not sidebar.focused or ui.question or ui.picker or ui.help or ui.filtering or ui.renaming:
        return False
    unask(sidebar)
    sidebar.ui = replace(ui, question=question, follow=True)
    paint(sidebar)
    return sidebar.ui.question == question


def unask(sidebar: Sidebar) -> None:
    """Whatever question comes next is to be read anew."""
    if sidebar.lapse:
        sidebar.lapse.cancel()
    sidebar.asked = sidebar.lapse = None


def ripe(sidebar: Sidebar) -> bool:
    """Has its question been on the screen for long enough to be read?"""
    now = asyncio.get_running_loop().time()
    return sidebar.asked == sidebar.ui.question and now - sidebar.asked_at >= READ


def _asked(sidebar: Sidebar, paint: Paint) -> None:
    """Another question is on the screen, or none any more: it lapses by itself."""
    loop = asyncio.get_running_loop()
    if sidebar.lapse:
        sidebar.lapse.cancel()
    sidebar.asked, sidebar.asked_at = sidebar.ui.question, loop.time()
    sidebar.lapse = loop.call_later(LAPSE, _forget, sidebar, paint) if sidebar.asked else None


def _forget(sidebar: Sidebar, paint: Paint) -> None:
    sidebar.lapse = None
    sidebar.ui = replace(sidebar.ui, question=None)
    paint(sidebar)


# --- what is dragged ------------------------------------------------------------------------------------------


def _dragged(sidebar: Sidebar, paint: Paint) -> None:
    """Something is dragged, or to somewhere else. A button that is let go over another pane is told to that one, so
    what lies still for long was let go."""
    if sidebar.slip:
        sidebar.slip.cancel()
    sidebar.dragged, loop = sidebar.ui.drag or sidebar.ui.gripped, asyncio.get_running_loop()
    sidebar.slip = loop.call_later(LAPSE, _let_go, sidebar, paint) if sidebar.dragged else None


def _let_go(sidebar: Sidebar, paint: Paint) -> None:
    sidebar.slip = None
    sidebar.ui = replace(sidebar.ui, drag=None, gripped=0)
    paint(sidebar)
