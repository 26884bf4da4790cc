"""Brings what hooks and the API tell to the agent that it is about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

import msgspec

from opensessions.agents.adapter import Heard
from opensessions.agents.signal import About, Signal, only
from opensessions.events import AgentEvent
from opensessions.server.bus import Bus
from opensessions.server.tracking import Tracked, Tracker, thread_in
from opensessions.server.verbs import Arguments

log = logging.getLogger(__name__)

PIDS = 16
"""Ancestors of a hook's process that are looked at."""
LATE = 600.0
"""Seconds that an API event's own time may lie in the past."""


class Hearing:
    """What is told from outside. `is_helper` says of a pid whether it is an agent's server, working for every pane."""

    def __init__(self, bus: Bus, tracker: Tracker, is_helper: Callable[[int], bool]) -> None:
        self._bus = bus
        self._tracker = tracker
        self._is_helper = is_helper

    async def hook(self, arguments: Arguments) -> object:
        """The verb `agent-hook`. One that belongs to no agent that we know is dropped: it runs outside of any pane."""
        payload = read_payload(arguments.get("payload", ""))
        event = arguments.get("event") or text(payload, "hook_event_name") or text(payload, "type")
        thread = thread_in(payload)
        tracked = self._whose(arguments, thread)
        if tracked is None:
            log.debug("a hook of %s is nobody's: %s", arguments.get("agent"), event)
            return {"agent": None}
        known = tracked.track.thread
        if thread and known and thread != known and not self._follows(tracked, thread, arguments):
            return {"agent": None}
        self._tracker.heard(tracked, Heard(event, payload), thread)
        return {"agent": tracked.id}

    def _whose(self, arguments: Arguments, thread: str | None) -> Tracked | None:
        """By the conversation, which no environment can get wrong; by the processes above the hook; by the pane that
        the hook's environment names, unless a server that works for every pane has started it; by the directory."""
        candidates = [one for one in self._tracker.living() if one.found.kind.name == arguments.get("agent")]
        if thread and (found := one_of(one for one in candidates if one.track.thread == thread)):
            return found
        pids = [
            int(pid) for pid in arguments.get("pid", "").split(",")[:PIDS] if pid.isascii() and pid.isdigit()
        ]
        pids += [int(pid) for pid in [arguments.get("agentpid", "")] if pid.isascii() and pid.isdigit()]
        shared = any(map(self._is_helper, pids))
        if not shared:
            above = set(pids)
            found = one_of(one for one in candidates if {one.found.pid, *one.found.below} & above)
            found = found or one_of(one for one in candidates if one.found.pid in above)
            if found:
                return found
            mux = self._mux(arguments)
            pane = arguments.get("pane", "")
            if found := one_of(
                one for one in candidates if one.mux == mux and one.found.pane == pane and pane
            ):
                return found
        folder = arguments.get("cwd", "")
        near = [one for one in candidates if one.facts and one.facts.cwd == folder and folder]
        fresh = [one for one in near if not one.track.thread]
        return one_of(near) or (one_of(fresh) if shared else None)

    def _mux(self, arguments: Arguments) -> str:
        """The key of the multiplexer whose socket the hook's environment names."""
        socket = arguments.get("tmux", "")
        return next((key for key, mux in self._bus.state.muxes.items() if mux.socket == socket), "")

    def _follows(self, tracked: Tracked, thread: str, arguments: Arguments) -> bool:
        """Another conversation than the one that we know of: a new one in the same agent, or a subagent's? The agent's
        files know, if it keeps any; a hook that says so itself (a conversation starts) counts at once."""
        others = {one.track.thread for one in self._tracker.living() if one is not tracked}
        if thread in others:
            return False
        starts = arguments.get("event", "") in STARTS
        sure = any(
            claim.signal.about.thread for source, claim in tracked.track.claims.items() if source != "hook"
        )
        return starts or not sure

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
            homes = mux.homes if mux else {}
            here = [one for one in here if homes.get(one.id) == event.session]
        found = one_of(here)
        if found is None:
            return False
        about = About(thread=event.thread, title=event.title, prompt=event.prompt)
        signal = Signal("api", only(event.state), about, at=event.at, event=True, detail=event.state)
        return self._tracker.told(found.id, [signal])


STARTS = frozenset({"SessionStart", "session.created", "session_start"})
"""Events that begin a conversation, or go on with one."""


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
    return value[:100] if isinstance(value, str) else ""
