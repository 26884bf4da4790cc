"""The one place where state changes: events go in, observers are called when something differs.

Observers are plain callables, called in the order of their registration in the same turn of the loop, so that an
event becomes pixels without a task switch. They must not block and must not dispatch.
"""

from __future__ import annotations

from collections.abc import Callable

from opensessions.events import Event
from opensessions.model import MuxView, Snapshot
from opensessions.reduce import reduce
from opensessions.snapshot import view
from opensessions.state import State

Observer = Callable[[State, State], None]
"""Called with (new, old)."""


class Bus:
    """Holds the State and the views that follow from it, computed at most once per change."""

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.state = State()
        self._observers: list[Observer] = []
        self._views: dict[str, MuxView] = {}

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer` on every change from now on; the answer ends that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def dispatch(self, event: Event) -> None:
        """Reduce, then tell the observers if anything differs."""
        old, new = self.state, reduce(self.state, event)
        if new is old:
            return
        self.state = new
        for key in [key for key in self._views if new.muxes.get(key) is not old.muxes.get(key)]:
            del self._views[key]
        for observer in tuple(self._observers):
            observer(new, old)

    def view(self, key: str) -> MuxView | None:
        """One multiplexer as it is shown; None where it is not known."""
        if key not in self._views and key in self.state.muxes:
            self._views[key] = view(self.state.muxes[key])
        return self._views.get(key)

    def snapshot(self) -> Snapshot:
        """Everything that is shown."""
        views = (self.view(key) for key in sorted(self.state.muxes))
        return Snapshot(instance=self.instance, muxes=tuple(view for view in views if view))
