"""What opens a floating pane from the command line. Standard library only."""

from __future__ import annotations

from opensessions_zellij import pressed


def show(argv: list[str], program: list[str]) -> int:
    """Become the zellij that opens the sidebar's rows in a floating pane for the client that `argv` names. `program` is
    what a multiplexer with a popup of its own would run: here the pane's program is zellij's."""
    return pressed.main("popup", dict(part.partition("=")[::2] for part in argv))
