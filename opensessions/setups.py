"""What each multiplexer's package knows about installing itself, through the entry-point group
`opensessions.setups`: a module with the functions of `Setup`.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol

from msgspec import Struct


class Check(Struct, frozen=True):
    """One thing that the doctor looked at. `mend` says what to do about a fault."""

    name: str
    ok: bool
    found: str
    mend: str = ""


class Setup(Protocol):
    """The module. All of it blocks."""

    def plugin_line(self) -> str:
        """The line for the multiplexer's configuration file that loads this installation; "" where a verb of its own
        installs it."""
        ...

    def installed(self) -> bool:
        """Is the multiplexer's program here?"""
        ...

    def checks(self) -> list[Check]:
        """How the installation looks from the multiplexer that we are in, or from outside of any. A program that is not
        here is no fault: there may be another multiplexer's."""
        ...

    def uninstall(self) -> int:
        """Take everything out of every running multiplexer of ours; stop the server. An exit status."""
        ...

    def demo(self, headless: bool) -> int:
        """A private multiplexer with example sessions and the sidebar, gone without a trace afterwards."""
        ...


def find() -> list[Setup]:
    """The setups of all installed packages."""
    return [entry.load() for entry in entry_points(group="opensessions.setups")]
