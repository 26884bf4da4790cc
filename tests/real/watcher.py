"""What opensessions shows, as it shows it: the stream of snapshots with times."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from opensessions import start, wire
from tests.real.truth import Shown


class Watcher:
    """Reads snapshots from the server's socket in a thread, as `opensessions watch` does."""

    def __init__(self, runtime: str) -> None:
        line = start.connect(runtime, 5.0)
        assert line is not None, "no server listens"
        self._line = line
        self._line.settimeout(None)
        self._line.sendall(wire.frame(b"A", wire.pack_fields(verb="watch")))
        self._shown: dict[str, list[Shown]] = {}
        self.latest: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for kind, payload in start.answers(self._line):
                assert kind == b"J", payload
                self._take(time.time(), json.loads(payload))
        except OSError:
            return  # closed

    def _take(self, at: float, snapshot: dict[str, Any]) -> None:
        alive: dict[str, list[dict[str, Any]]] = {}
        for mux in snapshot["muxes"]:
            for row in mux["sessions"]:
                for agent in row["agents"]:
                    if agent["liveness"] != "exited":
                        alive.setdefault(agent["pane"], []).append(agent)
        for pane in alive.keys() | self._shown.keys():
            agents = alive.get(pane, [])
            state = "+".join(sorted(each["state"] for each in agents)) or "gone"
            history = self._shown.setdefault(pane, [])
            if not history or history[-1].state != state:
                history.append(Shown(at, state, "+".join(each["source"] for each in agents)))
        self.latest = snapshot

    def shown(self, pane: str) -> list[Shown]:
        """What was shown of the agent in this pane. Two agents in it are shown as "a+b", which is never right."""
        return list(self._shown.get(pane, ()))

    def now(self, pane: str) -> str:
        """What is shown now; "gone" where there is no live agent."""
        history = self._shown.get(pane)
        return history[-1].state if history else "gone"

    def close(self) -> None:
        """Hang up."""
        self._line.shutdown(2)
        self._thread.join(5)
        self._line.close()
