"""Where this installation's own files are: a checkout, or a package with `opensessions_plugin` beside it.

Standard library only.
"""

from __future__ import annotations

import os
import sys

from opensessions.errors import OpenSessionsError


def root() -> str:
    """The folder that holds the package `opensessions`: the checkout, or site-packages."""
    return os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def plugin_folder() -> str:
    """The folder with plugin.tmux and scripts/. OpenSessionsError where the installation is incomplete."""
    for folder in (root(), f"{root()}/opensessions_plugin"):
        if os.path.isfile(f"{folder}/plugin.tmux") and os.path.isfile(f"{folder}/scripts/switch.py"):
            return folder
    raise OpenSessionsError(f"{root()} holds no plugin.tmux and scripts/: install opensessions again.")


def interpreter() -> str:
    """The real Python behind a virtual environment and a version manager's shim: what starts fastest.

    It sees no third-party package of ours; it is for the standard-library scripts.
    """
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)
