"""One living agent, as the tracker keeps it."""

from __future__ import annotations

import asyncio

from opensessions.agents.adapter import Facts, Look, Reader
from opensessions.agents.detect import Found
from opensessions.agents.track import Track
from opensessions.model import Agent


class Tracked:
    """One living agent."""

    def __init__(self, mux: str, found: Found) -> None:
        self.mux = mux
        self.found = found
        self.id = found.id
        """Its first one: it stays when the launcher dies and the program below goes on."""
        self.started = found.start / 100
        """See `Titles`."""
        self.reader: Reader | None = found.kind.reader() if found.kind.reader else None
        self.reading: float | None = None
        """Since when its reader looks, on the loop's clock; None while it does not."""
        self.cwd = ""
        self.facts: Facts | None = None
        self.track = Track()
        self.look = Look()
        self.order = 0
        """Of its newest hook."""
        self.looked = False
        """Its files were read once, or need not be, or take too long: it is shown."""
        self.read = False
        """Its files were read once."""
        self.alone = True
        """Its pane has no other agent, so the title and the screen are its own."""
        self.calm = 0
        """Looks in a row that gave the same."""
        self.wants: str | None = None
        """A conversation that its files seem to be, and that another agent holds."""
        self.worked = False
        """Its title has shown it at work."""
        self.flashes: float | None = None
        """Since when its title shows it at work, while that may be for a moment only; on the loop's clock."""
        self.judging: asyncio.TimerHandle | None = None
        self.reread: asyncio.TimerHandle | None = None

    @property
    def told_thread(self) -> str:
        """The conversation that its own hooks named; "" where none has."""
        claim = self.track.claims.get("hook")
        return (claim.signal.about.thread or "") if claim else ""

    @property
    def thread(self) -> str | None:
        """The conversation that any of its sources names."""
        claims = self.track.claims.values()
        return next((claim.signal.about.thread for claim in claims if claim.signal.about.thread), None)

    def quiet(self) -> None:
        """Set no timer any more."""
        for timer in (self.judging, self.reread):
            if timer:
                timer.cancel()
        self.judging = self.reread = None

    def agent(self) -> Agent:
        """As everybody else knows it."""
        verdict, about = self.track.verdict, self.track.verdict.about
        return Agent(
            id=self.id,
            agent=self.found.kind.name,
            pane=self.found.pane,
            pid=self.found.pid,
            state=verdict.state,
            background=about.background or 0,
            thread=about.thread,
            title=about.title,
            prompt=about.prompt,
            waiting_for=about.waiting_for,
            since=self.track.since,
            source=verdict.source,
            confidence=verdict.confidence,
        )
