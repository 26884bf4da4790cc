"""The names of tmux options that are ours.

tmux looks a name up from pane to window to session to global, so each is used in one scope only.
"""

from __future__ import annotations

MARK = "@opensessions-sidebar"
"""Pane: the owner id of the installation whose sidebar it is."""
DRAGGING = "@opensessions-dragging"
"""Global: set while the user drags a border with the mouse."""
NAMING = "@opensessions-naming"
"""Window: its `automatic-rename-format` is ours."""
LAYOUT = "@opensessions-layout"
"""Window: its layout just before its sidebar came."""
TITLE = "@opensessions-title"
"""Pane: the class of its title when we were last told of it."""

RINGS = "OPENSESSIONS_RINGS"
"""A hidden variable of tmux's global environment, which formats can read: how often hooks have rung. No option: each
change of an option makes tmux draw every client anew."""
