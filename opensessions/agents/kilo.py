"""Kilo, a fork of OpenCode (public: 7.7.9): its database, screens and plugin events are OpenCode's, under other
names.

Whether its shell tells when it begins is not known, so a shell that has not begun is no hint that it waits.
"""

from __future__ import annotations

from opensessions.agents.kind import WAITING, Kind
from opensessions.agents.opencode import SCREENS, TRUST
from opensessions.agents.opencode.events import hear
from opensessions.agents.opencode.reader import Places, Reader

PLACES = Places("kilo", database="KILO_DB")

KIND = Kind(
    name="kilo",
    executables=frozenset({"kilo", ".kilo", "kilocode"}),
    packages=frozenset({"@kilocode/cli"}),
    excluded=frozenset({"serve", "web"}),
    screens=SCREENS,
    screen_for=WAITING,
    hears=hear,
    reader=lambda: Reader(PLACES),
    environment=frozenset({"KILO_DB", "XDG_DATA_HOME", "PWD"}),
    trust=TRUST,
)
