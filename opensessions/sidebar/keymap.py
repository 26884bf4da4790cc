"""Which key does what in the sidebar: the table of `opensessions.keytable`, with the user's own keys in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from opensessions.keytable import BINDINGS, HINTS, Binding, resolved

__all__ = ["ACTIONS", "BINDINGS", "DEFAULT", "HINTS", "Binding", "Keymap", "keymap"]


class Keymap(Struct, frozen=True):
    """The map in force."""

    bindings: tuple[Binding, ...]
    """In the table's order, those without any key too."""
    actions: Mapping[str, str]
    """Key -> action."""

    def keys(self, action: str) -> tuple[str, ...]:
        """The keys of an action."""
        return next((each.keys for each in self.bindings if each.action == action), ())

    def key(self, action: str) -> str:
        """The first key of an action, for sentences; "" where it has none."""
        return next(iter(self.keys(action)), "")

    def listed(self) -> tuple[Binding, ...]:
        """What the help screen shows: actions with a key."""
        return tuple(each for each in self.bindings if each.keys)

    def row(self, key: str) -> int:
        """The row's index that a key of `index` means, counted from 1; 0 where it is none of them."""
        keys = self.keys("index")
        return keys.index(key) + 1 if key in keys else 0


def keymap(own: Mapping[str, Sequence[str]]) -> Keymap:
    """The map with `keys:` of the configuration in it."""
    bindings = resolved(own)[0]
    return Keymap(bindings, {key: each.action for each in bindings for key in each.keys})


DEFAULT = keymap({})
ACTIONS = DEFAULT.actions
"""Key -> action, as shipped."""
