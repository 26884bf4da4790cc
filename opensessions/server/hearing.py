"""Brings what hooks and the API tell to the agent that it is about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

import msgspec

from opensessions.agents.adapter import Heard
from opensessions.agents.signal import About, Signal, only
from opensessions.events import AgentEvent
from opensessions.server.bus import Bus
from opensessions.server.tracked import Tracked
from opensessions.server.tracking import Tracker, thread_in
from opensessions.server.verbs import Arguments

log = logging.getLogger(__name__)

PIDS = 16
"""Ancestors of a hook's process that are looked at."""
TEXT = 100
"""Characters of an event's name."""
DIGITS = 18


class Hearing:
    """What is told from outside. `is_helper` says of a pid whether it is an agent's server, working for every pane;
    `is_agent` whether it is an agent, in whatever place."""

    def __init__(
        self,
        bus: Bus,
        tracker: Tracker,
        is_helper: Callable[[int], bool],
        is_agent: Callable[[int], bool] = lambda pid: False,
    ) -> None:
        self._bus = bus
        self._tracker = tracker
        self._is_helper = is_helper
        self._is_agent = is_agent

    async def hook(self, arguments: Arguments) -> object:
        """The verb `agent-hook`. One that belongs to no agent that we know is dropped: it runs outside of any pane."""
        payload = read_payload(arguments.get("payload", ""))
        event = arguments.get("event") or text(payload, "hook_event_name") or text(payload, "type")
        thread = self._thread(arguments.get("agent", ""), payload)
        tracked = None if thread is None else self._whose(arguments, thread)
        if tracked is None:
            log.debug("a hook of %s is nobody's: %s", arguments.get("agent"), event)
            return {"agent": None}
        if not self._follows(tracked, thread, arguments.get("event", "") in STARTS):
            return {"agent": None}
        if self._tracker.in_order(tracked, number(arguments.get("order", ""))):
            self._tracker.heard(tracked, Heard(event[:TEXT], payload), thread)
        return {"agent": tracked.id}

    def _thread(self, agent: str, payload: Mapping[str, object]) -> str | None:
        """The conversation that is told of; "" where none is named, None where it is one that nobody sees."""
        kind = next((one.found.kind for one in self._tracker.living() if one.found.kind.name == agent), None)
        if kind is not None and kind.thread_of is not None and payload:
            return kind.thread_of(payload)
        return thread_in(payload) or ""

    def _whose(self, arguments: Arguments, thread: str) -> Tracked | None:
        """By the conversation, which no environment can get wrong; by the processes above the hook; by the pane that
        the hook's environment names, unless another agent stands above the hook: a terminal that was started from a
        pane names it too. A server that works for every pane has the environment of the one that started it: its hooks
        go by the directory."""
        candidates = [one for one in self._tracker.living() if one.found.kind.name == arguments.get("agent")]
        if thread and (found := one_of(one for one in candidates if one.track.thread == thread)):
            return found
        told = [*arguments.get("pid", "").split(",", PIDS)[:PIDS], arguments.get("agentpid", "")]
        pids = {pid for pid in map(number, told) if pid}
        if any(map(self._is_helper, pids)):
            folder = arguments.get("cwd", "")
            near = [one for one in candidates if one.facts and one.facts.cwd == folder and folder]
            return one_of(near) or one_of(one for one in near if not one.track.thread)
        found = one_of(one for one in candidates if not pids.isdisjoint((one.found.pid, *one.found.below)))
        if found or any(map(self._is_agent, pids)):
            return found
        mux, pane = self._mux(arguments), arguments.get("pane", "") or _session_pane(arguments)
        return one_of(one for one in candidates if one.mux == mux and one.found.pane == pane)

    def _mux(self, arguments: Arguments) -> str:
        """The key of the multiplexer whose socket the hook's environment names, else of the zellij that it names."""
        socket = arguments.get("tmux", "")
        kind = "zellij" if arguments.get("zellij") and not socket else ""
        muxes = self._bus.state.muxes.items()
        return next((key for key, mux in muxes if mux.socket == socket or mux.provider == kind), "")

    def _follows(self, tracked: Tracked, thread: str | None, starts: bool) -> bool:
        """Is the hook about the conversation that we know of, or may it have become another one? A subagent's and a
        nested agent's hooks come from below this agent as well. The agent's files know, if it keeps any; a plugin,
        which runs in the agent itself, that says that one starts counts at once."""
        if not thread or tracked.track.thread in (None, thread):
            return True
        if any(one.track.thread == thread for one in self._tracker.living()):
            return False
        claims = tracked.track.claims.items()
        return starts or not any(claim.signal.about.thread for source, claim in claims if source != "hook")

    def event(self, event: AgentEvent) -> bool:
        """`POST /api/agent-event`. False where there is no such agent in that place."""
        here = [
            one
            for one in self._tracker.living()
            if one.mux == event.mux and one.found.kind.name == event.agent
        ]
        if event.thread:
            same = [one for one in here if one.track.thread == event.thread]
            here = same or here
        if event.pane:
            here = [one for one in here if one.found.pane == event.pane]
        else:
            mux = self._bus.state.muxes.get(event.mux)
            panes = mux.inventory.panes_of(event.session) if mux and mux.inventory else ()
            here = [one for one in here if one.found.pane in panes]
        found = one_of(here)
        if found is None:
            return False
        about = About(thread=event.thread, title=event.title, prompt=event.prompt)
        signal = Signal("api", only(event.state), about, at=event.at, event=True, detail=event.state)
        return self._tracker.told(found.id, [signal])


STARTS = frozenset({"SessionStart", "session.created", "session_start"})
"""Events of plugins that begin a conversation, or go on with one."""


def one_of(candidates: Iterable[Tracked]) -> Tracked | None:
    """The only one; None where there are none, or several and nobody knows which."""
    found = list(candidates)
    return found[0] if len(found) == 1 else None


def read_payload(data: str) -> Mapping[str, object]:
    """The JSON object; {} where it is none."""
    try:
        return msgspec.json.decode(data.encode("utf-8", "replace"), type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {}


def text(payload: Mapping[str, object], name: str) -> str:
    """A short text in the payload; "" where there is none."""
    value = payload.get(name)
    return value[:TEXT] if isinstance(value, str) else ""


def number(text: str) -> int:
    """The natural number; 0 where it is none, or larger than anything that is counted."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else 0


def _session_pane(arguments: Arguments) -> str:
    """The pane that a zellij's variables name: "work/3" is `work/terminal_3`, unless the session was renamed since."""
    session, _, number = arguments.get("zellij", "").rpartition("/")
    return f"{session}/terminal_{number}" if session and number else ""
