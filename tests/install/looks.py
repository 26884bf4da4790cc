"""What a tmux server looks like to its user: everything that uninstalling must leave as it was."""

from __future__ import annotations

from tests.support.world import Tmux

SHOWN = (
    ("show-options", "-g"), ("show-options", "-gw"), ("show-options", "-s"),
    ("show-hooks", "-g"), ("show-hooks", "-gw"),
    ("show-environment", "-g"), ("show-environment", "-gh"),
    ("list-keys",), ("list-keys", "-N"), ("list-keys", "-N", "-T", "root"),
    ("list-panes", "-a", "-F", "#{session_id} #{window_id} #{pane_id} #{pane_pid} #{window_layout} #{pane_active}"),
)  # fmt: skip


def look(mux: Tmux) -> dict[str, str]:
    """Every listing, by the command that makes it."""
    return {" ".join(command): mux(*command) for command in SHOWN}
