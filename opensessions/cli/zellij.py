"""`opensessions zellij`"""

from __future__ import annotations

import argparse
from importlib.metadata import entry_points
from typing import Any

from opensessions import config, paths
from opensessions.errors import OpenSessionsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What zellij's package knows of itself."""
    _verb().add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Carried out by zellij's package, which comes in as a stranger's would; it is told how sidebars are wished."""
    from opensessions.server.store import owner_id

    wish = config.load(paths.config_file()).config.sidebar
    state = paths.ensure_private(paths.state_dir())
    return int(_verb().run(arguments, owner_id(state), wish.width, wish.position))


def _verb() -> Any:
    """The package's module for this verb."""
    for entry in entry_points(group="opensessions.verbs", name="zellij"):
        return entry.load()
    raise OpenSessionsError("The package for zellij is not installed with opensessions: install it again.")
