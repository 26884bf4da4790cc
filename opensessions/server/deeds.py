"""What the intents of a sidebar do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from opensessions.errors import Refused
from opensessions.events import AgentDismissed, GroupCollapsed, GroupMoved, ModeChosen, RowHidden, RowMoved
from opensessions.model import Client
from opensessions.provider import ChooseFolder, LeaveSidebar, SwitchClient
from opensessions.server.approve import Approval, Seat
from opensessions.server.bus import Bus
from opensessions.server.crossing import Crossings, Place
from opensessions.server.muxes import Muxes
from opensessions.server.undo import Undo
from opensessions.sidebar import intents
from opensessions.sidebar.confirm import Question

WIDTHS = range(15, 201)


class Done(Struct, frozen=True):
    """What came of it: what the sidebar says, what it asks next, whether it closes."""

    said: str = ""
    asks: Question | None = None
    closes: bool = False


class Deeds:
    """For all sidebars."""

    def __init__(self, bus: Bus, muxes: Muxes, approval: Approval | None = None) -> None:
        self._bus = bus
        self._muxes = muxes
        self.undo = Undo(bus)
        self.approval = approval or Approval(bus, muxes, "", False, "config.yaml")
        self.crossings = Crossings(bus, muxes, "", ())
        self.act: Callable[[dict[str, str]], Coroutine[Any, Any, Any]] = _nothing
        """Carries out a verb, for what the user has confirmed."""

    async def do(self, seat: Seat, intent: intents.Intent, looker: Client | None) -> Done:
        """Carry out what was wanted in a sidebar, at which `looker` looks. OpenSessionsError where that is
        impossible."""
        mux = seat.mux
        provider = self._muxes.get(mux).provider
        match intent:
            case intents.Go(session=session, pane=there, mux=other) if other:
                await self.crossings.go(mux, _there(looker).name, Place(other, session, there), sidebar=True)
            case intents.Go(session=session, pane=there):
                looker = _there(looker)
                await provider.do(SwitchClient(looker.name, session, there, keep_sidebar=not there))
            case intents.Leave():
                await provider.do(LeaveSidebar(seat.pane))
            case intents.Close():
                await self._muxes.wish(mux, visible=False)
            case intents.Widen(by=by):
                width = self._muxes.get(mux).wish.width + by
                await self._muxes.wish(mux, width=min(max(width, WIDTHS.start), WIDTHS.stop - 1))
            case intents.Move(session=session, by=by):
                self.undo.do(RowMoved(mux, session, by))
            case intents.MoveGroup(group=group, by=by):
                self.undo.do(GroupMoved(mux, group, by))
            case intents.Collapse(group=group, collapsed=collapsed):
                self.undo.do(GroupCollapsed(mux, group, collapsed))
            case intents.Hide(session=session):
                self.undo.do(RowHidden(mux, session, hidden=True))
            case intents.Unhide(session=session):
                self.undo.do(RowHidden(mux, session, hidden=False))
            case intents.SetMode(mode=mode):
                self._bus.dispatch(ModeChosen(mux, mode))
            case intents.Dismiss(agents=agents):
                self.undo.do(*(AgentDismissed(mux, agent) for agent in agents))
                return Done(f"{len(agents)} agents dismissed" if len(agents) > 1 else "dismissed")
            case intents.Undo():
                return Done(self.undo.undo(mux))
            case intents.Attend():
                await self.act({"verb": "attention", "mux": mux, "client": _there(looker).name})
            case intents.Back():
                await self.act({"verb": "attention-back", "mux": mux, "client": _there(looker).name})
            case intents.NewSession():
                await provider.do(ChooseFolder(_there(looker).name))
            case intents.Rename(session=session, name=name):
                view = self._bus.view(mux)
                if view is None or view.row(session) is None:
                    raise Refused("The session that was to have this name is gone.")
                told = await self.act({"verb": "session-rename", "mux": mux, "target": session, "name": name})
                return Done(f"its name is {told['name']}")
            case intents.Answer(agent=agent, allow=allow):
                return Done(asks=await self.approval.question(seat, agent, allow))
            case intents.Reply(agent=agent, allow=allow, text=text):
                return Done(await self.approval.reply(seat, agent, allow, text))
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
        return Done()

    async def do_in_popup(self, seat: Seat, intent: intents.Intent, looker: Client | None) -> Done:
        """The same for a popup. Closing it changes no sidebar, and what is chosen in it leaves the focus there to the
        destination."""
        match intent:
            case intents.Go(session=session, pane=there, mux=other) if other:
                await self.crossings.go(seat.mux, _there(looker).name, Place(other, session, there))
                return Done(closes=True)
            case intents.Go(session=session, pane=there):
                looker = _there(looker)
                await self._muxes.get(seat.mux).provider.do(SwitchClient(looker.name, session, there))
                return Done(closes=True)
            case intents.Leave() | intents.Close():
                return Done(closes=True)
            case intents.Attend() | intents.Back():
                return replace(await self.do(seat, intent, looker), closes=True)
            case intents.NewSession():
                raise Refused(
                    "A popup cannot open another one: close it, and open the list of folders by its key."
                )
            case intents.Widen():
                raise Refused("A popup has a width of its own; change that of a sidebar in the sidebar.")
        return await self.do(seat, intent, looker)

    async def _end(self, mux: str, verb: str, **which: str) -> None:
        """End what was confirmed. Refused with what is still there."""
        asked = {"verb": verb, "mux": mux, **which}
        preview = await self.act(asked)
        done = await self.act({**asked, "token": preview["token"]})
        if done["failed"]:
            raise Refused(done["failed"])


def _there(looker: Client | None) -> Client:
    if looker is None:
        raise Refused("No client looks at this sidebar any more.")
    return looker


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
