"""What the intents of a sidebar do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from opensessions.errors import Refused
from opensessions.events import ModeChosen, RowHidden, RowMoved
from opensessions.model import Client
from opensessions.provider import LeaveSidebar, SwitchClient
from opensessions.server.bus import Bus
from opensessions.server.muxes import Muxes
from opensessions.sidebar import intents

WIDTHS = range(15, 201)


class Deeds:
    """For all sidebars."""

    def __init__(self, bus: Bus, muxes: Muxes) -> None:
        self._bus = bus
        self._muxes = muxes
        self.act: Callable[[dict[str, str]], Coroutine[Any, Any, Any]] = _nothing
        """Carries out a verb, for what the user has confirmed."""

    async def do(self, mux: str, pane: str, intent: intents.Intent, looker: Client | None) -> None:
        """Carry out what was wanted in the sidebar `pane`, at which `looker` looks. OpenSessionsError where that is
        impossible."""
        provider = self._muxes.get(mux).provider
        match intent:
            case intents.Go(session=session):
                if looker is None:
                    raise Refused("No client looks at this sidebar.")
                await provider.do(SwitchClient(looker.name, session, keep_sidebar=True))
            case intents.Leave():
                await provider.do(LeaveSidebar(pane))
            case intents.Close():
                await self._muxes.wish(mux, visible=False)
            case intents.Widen(by=by):
                width = self._muxes.get(mux).wish.width + by
                await self._muxes.wish(mux, width=min(max(width, WIDTHS.start), WIDTHS.stop - 1))
            case intents.Move(session=session, by=by):
                self._bus.dispatch(RowMoved(mux, session, by))
            case intents.Hide(session=session):
                self._bus.dispatch(RowHidden(mux, session, hidden=True))
            case intents.Unhide(session=session):
                self._bus.dispatch(RowHidden(mux, session, hidden=False))
            case intents.SetMode(mode=mode):
                self._bus.dispatch(ModeChosen(mux, mode))
            case intents.Refresh():
                provider.refresh()
            case intents.Say(text=text):
                raise Refused(text)
            case intents.KillSession(session=session, created=created):
                await self._end(mux, "session-kill", target=session, created=str(created))
            case intents.KillAgent(agent=agent):
                await self._end(mux, "agent-kill", target=agent)
            case intents.Hibernate(agent=agent):
                await self.act({"verb": "agent-hibernate", "mux": mux, "target": agent})
            case intents.Resume(agent=agent):
                told = await self.act({"verb": "agent-resume", "mux": mux, "target": agent})
                if not told["typed"]:
                    raise Refused(f"{told['why']} Type it yourself: {told['command']}")
            case intents.Reap():
                # Those that the question has counted, and nobody who has lost his pane since.
                counted = (await self.act({"verb": "orphans"}))["orphans"]
                only = ",".join(each["nonce"] for each in counted)
                _reaped(await self.act({"verb": "reap", "observed": "1", "only": only}))

    async def do_in_popup(self, mux: str, intent: intents.Intent, looker: Client | None) -> bool:
        """The same for a popup; must it close now? Closing it changes no sidebar, and what is chosen in it leaves the
        focus there to the destination."""
        match intent:
            case intents.Go(session=session):
                if looker is None:
                    raise Refused("The client of this popup is gone.")
                await self._muxes.get(mux).provider.do(SwitchClient(looker.name, session))
                return True
            case intents.Leave() | intents.Close():
                return True
            case intents.Widen():
                raise Refused("A popup has a width of its own; change that of a sidebar in the sidebar.")
        await self.do(mux, "", intent, looker)
        return False

    async def _end(self, mux: str, verb: str, **which: str) -> None:
        """End what was confirmed. Refused with what is still there."""
        asked = {"verb": verb, "mux": mux, **which}
        preview = await self.act(asked)
        done = await self.act({**asked, "token": preview["token"]})
        if done["failed"]:
            raise Refused(done["failed"])


def _reaped(answer: Mapping[str, Any]) -> None:
    """Refused, with the reason, where no orphan was ended although there is one."""
    candidates = answer["candidates"]
    if any(each["outcomes"] for each in candidates):
        left = [
            one for each in candidates for one in each["outcomes"] if one["result"] in ("survived", "refused")
        ]
        if left:
            raise Refused(f"Still there: {left[0]['pid']}. {left[0]['why']}")
        return
    orphans = [each for each in candidates if each["decision"] not in ("alive", "forget", "keep")]
    if orphans:
        raise Refused(f"Nothing was reaped. {orphans[0]['why']}")


async def _nothing(arguments: dict[str, str]) -> Any:
    raise Refused("This server cannot do that.")
