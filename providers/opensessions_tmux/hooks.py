"""The hooks that ring: what they run, in which slot, and which of them are missing. Pure, standard library only.

A hook counts, and rings a channel inside tmux (`wait-for -S`: no process, nothing printed, nothing waited for). The
channel wakes who waits; whether something happened while nobody waited, the count tells. The channel cannot: a second
ring with no waiter takes the first one back (3.3a and 3.5a).

Each hook stands in array slot `[7340]` and is set and unset by that slot only: without one `set-hook -g` destroys the
user's own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from opensessions_tmux.options import DRAGGING, RINGS, TITLE
from opensessions_tmux.quote import Words, command, commands, inert

CHANNEL = "opensessions"
"""One name for every server: a name per server would leave one waiter behind for each that was killed."""
RING: tuple[Words, ...] = (
    ("set-environment", "-ghF", RINGS, f"#{{e|+:#{{{RINGS}}},1}}"),
    ("wait-for", "-S", CHANNEL),
)
SLOT = 7340

SHOW: tuple[Words, ...] = (("show-hooks", "-g"), ("show-hooks", "-gw"))
"""Lists every hook that this tmux knows, set or not. Window hooks are listed by `-gw` only (3.3a)."""

RINGING = (
    "session-created", "session-closed", "session-renamed", "session-window-changed",
    "client-detached", "client-session-changed", "client-resized", "client-active",
    "client-focus-in", "client-focus-out",
    "window-linked", "window-unlinked", "window-renamed", "window-pane-changed", "window-layout-changed",
    "window-resized",
    # A process that exits, one that exits under `remain-on-exit`, and a kill each ring another one (3.3a).
    "pane-exited", "pane-died", "after-kill-pane", "after-split-window",
    # tmux 3.6 and later.
    "client-light-theme", "client-dark-theme",
)  # fmt: skip
"""Hooks that do nothing but ring."""

WORKING = (
    "#{||:#{&&:#{>=:#{pane_title},\u2800},#{<:#{pane_title},\u2900}},"
    "#{||:#{&&:#{>=:#{pane_title},\u25d0},#{<:#{pane_title},\u25d4}},#{m/r:^[✦⏲],#{pane_title}}}}"
)
"""Does the title begin with a spinner (braille, or a quartered circle) or another sign of work?"""
TITLE_CLASS = (
    f"#{{?{WORKING},w,"
    "#{?#{m/r:(Action Required|✋|confirmation needed),#{pane_title}},a,"
    "#{?#{m/r:^[✳◇],#{pane_title}},m,p}}}"
)
"""A letter for what a title says: works, wants an action, bears an agent's mark, plain."""

ON_TITLE = command(
    (
        "if-shell", "-F", f"#{{!=:#{{{TITLE}}},{TITLE_CLASS}}}",
        commands(("set-option", "-pF", TITLE, TITLE_CLASS), *RING),
    )
)  # fmt: skip
"""Ring only when the class changes: a spinner turns ten times a second, and each ring is a reading."""

ON_RESIZE = commands(
    ("if-shell", "-F", "#{hook_flag_M}", command(("set-option", "-g", DRAGGING, "1"))), *RING
)
"""A drag of a border with the mouse begins with `resize-pane -M`; its later moves run no hook of this name."""


def on_attach(argv: Iterable[str]) -> str:
    """Ring, and start what serves this tmux: `argv` runs in the background with its output thrown away.

    Through `sh -c`, so that any default shell does. Its status is always 0: tmux shows any other one over the pane.
    """
    shell = shlex.join(["/bin/sh", "-c", '"$@" >/dev/null 2>&1 || :', "sh", *argv])
    return commands(*RING, ("run-shell", "-b", inert(shell)))


def wanted(starter: Iterable[str]) -> dict[str, str]:
    """What every hook of ours runs. `starter`: the program that a client's attachment starts, with its arguments."""
    return dict.fromkeys(RINGING, commands(*RING)) | {
        "client-attached": on_attach(starter),
        "pane-title-changed": ON_TITLE,
        "after-resize-pane": ON_RESIZE,
    }


def known(listing: str) -> set[str]:
    """The hooks that this tmux knows. `listing`: what the commands of `SHOW` printed."""
    return {line.partition(" ")[0].partition("[")[0] for line in listing.splitlines()}


def ours(listing: str) -> set[str]:
    """The hooks that have something in our slot."""
    names = (line.partition(" ")[0] for line in listing.splitlines())
    return {name.partition("[")[0] for name in names if name.endswith(f"[{SLOT}]")}


def missing(listing: str, hooks: Mapping[str, str]) -> dict[str, str]:
    """Of `hooks` those that this tmux knows and whose slot is empty: never set, or wiped by an unindexed set-hook.

    What stands in the slot is not compared: another installation's would be fought over for ever.
    """
    present = ours(listing)
    return {name: text for name, text in hooks.items() if name in known(listing) - present}


def unknown(listing: str, hooks: Mapping[str, str]) -> set[str]:
    """Of `hooks` those that this tmux does not know ("invalid option"): they are left out."""
    return set(hooks) - known(listing)


def install(listing: str, hooks: Mapping[str, str]) -> list[Words]:
    """Set every hook of `hooks` that this tmux knows."""
    return [
        ("set-hook", "-g", f"{name}[{SLOT}]", text) for name, text in hooks.items() if name in known(listing)
    ]


def remove(listing: str) -> list[Words]:
    """Empty our slot wherever it is filled; nothing else is touched."""
    return [("set-hook", "-gu", f"{name}[{SLOT}]") for name in sorted(ours(listing))]
