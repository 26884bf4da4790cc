"""What is typed and clicked in sidebars: whether it counts, what it means, and that it is done.

Keys count only while the sidebar's pane is the active one of a viewer's current window: `send-keys` and
`synchronize-panes` must not act here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from opensessions import wire
from opensessions.errors import MuxError, OpenSessionsError, Refused
from opensessions.provider import ShowMessage
from opensessions.server import moments
from opensessions.server.appearance import Appearance
from opensessions.server.approve import Seat
from opensessions.server.deeds import Deeds
from opensessions.server.detail import Details
from opensessions.server.muxes import Muxes
from opensessions.server.painting import Painter
from opensessions.server.sidebar import Sidebar
from opensessions.sidebar import intents, keys, ui
from opensessions.sidebar.reports import only_reports

log = logging.getLogger(__name__)

ESCAPE_PAUSE = 0.05
"""Seconds after which an Esc that nothing followed is the key Esc."""
ROWS = (
    intents.Hide, intents.Unhide, intents.Move, intents.MoveGroup, intents.Collapse, intents.SetMode, intents.Dismiss,
    intents.Undo,
)  # fmt: skip
"""What changes the rows at once."""
HELD = 4096
"""Bytes of keys that are kept until it is known whether they count; of more the last ones."""


class Keystrokes:
    """For all sidebars."""

    def __init__(
        self, muxes: Muxes, appearance: Appearance, details: Details, painter: Painter, deeds: Deeds,
        spawn: Callable[[Coroutine[Any, Any, None]], Any],
    ) -> None:  # fmt: skip
        self._muxes = muxes
        self._appearance = appearance
        self._details = details
        self._painter = painter
        self._deeds = deeds
        self._spawn = spawn

    # --- whether they count ---------------------------------------------------------------------------------

    def typed(self, sidebar: Sidebar, data: bytes) -> None:
        """Bytes from its terminal."""
        if sidebar.mux not in self._muxes.muxes:
            return
        if self._appearance.follows:
            if scheme := sidebar.reports.hear(data):
                self._appearance.told(scheme)
            if only_reports(data):
                return
        if sidebar.held or not sidebar.focused:
            if not sidebar.held:
                sidebar.doubt = True
                self._muxes.get(sidebar.mux).provider.refresh()
            sidebar.held = (sidebar.held + data)[-HELD:]
            return
        self._decode(sidebar, data)

    def release(self, sidebar: Sidebar) -> None:
        """After a reading: act on the held keys if the pane is the active one, else drop them, at the second one: the
        first may have been under way when they came. The mouse may click and turn the wheel in a pane that is only
        visible."""
        held, sidebar.held = sidebar.held, b""
        if not held:
            return
        if sidebar.focused:
            self._decode(sidebar, held)
            return
        events = keys.Decoder().feed(held)
        clicks: list[keys.Input] = [event for event in events if isinstance(event, keys.Mouse)]
        if sidebar.doubt and (len(clicks) < len(events) or not sidebar.looker):
            sidebar.held, sidebar.doubt = held, False
            self._muxes.get(sidebar.mux).provider.refresh()
        elif sidebar.looker:
            self._act_on(sidebar, clicks)

    # --- what they mean -------------------------------------------------------------------------------------

    def _decode(self, sidebar: Sidebar, data: bytes) -> None:
        if sidebar.escape:
            sidebar.escape.cancel()
            sidebar.escape = None
        self._act_on(sidebar, sidebar.decoder.feed(data))
        if sidebar.decoder.waiting:
            sidebar.escape = asyncio.get_running_loop().call_later(ESCAPE_PAUSE, self._flush, sidebar)

    def _flush(self, sidebar: Sidebar) -> None:
        sidebar.escape = None
        self._act_on(sidebar, sidebar.decoder.flush())

    def _act_on(self, sidebar: Sidebar, events: list[keys.Input]) -> None:
        for place, event in enumerate(events, 1):
            scene = self._painter.scene(sidebar)
            if scene is None:
                return
            asked = sidebar.ui.question
            if not isinstance(event, keys.Mouse) or event.kind == "press":
                moments.hush(sidebar)
            sidebar.ui, wanted = ui.press(sidebar.ui, event, scene)
            if sidebar.ui.question is not asked:
                moments.unask(sidebar)  # the same question asked again is to be read again
            left = [intent for intent in (self._at_once(sidebar.mux, each) for each in wanted) if intent]
            if left:
                rest = events[place:] if any(isinstance(each, ROWS) for each in left) else []
                self._spawn(self._carry_out_all(sidebar, left, rest))
                if rest:
                    break
        self._painter.paint(sidebar)

    async def _carry_out_all(
        self, sidebar: Sidebar, wanted: list[intents.Intent], rest: list[keys.Input]
    ) -> None:
        """What is wanted; then what was typed in one go with it, and is about the rows as they are now."""
        for intent in wanted:
            await self._carry_out(sidebar, intent)
        if rest and sidebar in self._painter.connected:
            self._act_on(sidebar, rest)

    # --- that it is done ------------------------------------------------------------------------------------

    def _at_once(self, mux: str, intent: intents.Intent) -> intents.Intent | None:
        """What must be so in the next picture: one in the old theme in between would flash. What is left to do."""
        match intent:
            case intents.SetTheme(theme=theme):
                try:
                    self._appearance.choose(theme)
                except OpenSessionsError as error:
                    return intents.Say(str(error))
            case intents.ShowDetail(shown=shown):
                self._details.show(mux, shown)
            case intents.SizeDetail(height=height, keep=keep):
                self._details.size(mux, height, keep)
            case _:
                return intent
        return None

    async def _carry_out(self, sidebar: Sidebar, intent: intents.Intent) -> None:
        looker = self._painter.viewer(sidebar)
        try:
            seat = Seat(sidebar.mux, sidebar.pane, sidebar.pid)
            act = self._deeds.do_in_popup if sidebar.client else self._deeds.do
            done = await act(seat, intent, looker)
            if sidebar not in self._painter.connected:
                return  # it went meanwhile
            if done.closes:
                sidebar.transport.write(wire.frame(b"B"))
                sidebar.transport.close()
            if done.said:
                moments.tell(sidebar, done.said, self._painter.paint)
            if done.asks and not moments.ask(sidebar, done.asks, self._painter.paint):
                raise Refused("There is no room here to ask you first, or you are at something else.")
        except OpenSessionsError as error:
            log.info("sidebar %s: %s", sidebar.pane, error)
            if looker and not isinstance(error, MuxError):
                await self._say(sidebar, looker.name, str(error))

    async def _say(self, sidebar: Sidebar, client: str, text: str) -> None:
        """Where the multiplexer shows no messages, the sidebar does."""
        try:
            await self._muxes.get(sidebar.mux).provider.do(ShowMessage(client, text))
        except OpenSessionsError as error:
            log.info("sidebar %s: %s", sidebar.pane, error)
            moments.tell(sidebar, text, self._painter.paint)
