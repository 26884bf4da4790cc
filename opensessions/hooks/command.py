"""The command that stands in an agent's settings, and how one of ours is known again."""

from __future__ import annotations

import re
from shlex import quote

from opensessions import installation
from opensessions.hook import PATIENT

MARKER = "opensessions-hook"
"""In every command and plugin file of ours, of every version: by it, and by nothing else, they are recognised."""

OURS = re.compile(rf"(?<![\w./-]){MARKER}(?![\w./-])")
"""As a word of its own: a path of the user's may well contain it."""

GUARD = 's=$1 p=$2; shift 2; [ -r "$s" ] && [ -x "$p" ] && "$p" -I -S "$s" "$@" 2>/dev/null || %s'
"""A checkout or an interpreter that was deleted must not trouble the agent. A shell of our own, since the agent may
run its commands through any."""


def command(agent: str, event: str, answer: str = "", patient: bool = False) -> str:
    """What the agent runs at `event`. `answer` is what its protocol wants where our script has gone; `patient` is for
    an agent that does not wait for it.

    OpenSessionsError where this installation is incomplete.
    """
    script = f"{installation.plugin_folder()}/scripts/hook.py"
    words = (MARKER, script, installation.interpreter(), agent, event, *([PATIENT] if patient else []))
    guard = GUARD % (f'echo "{answer}"' if answer else ":")
    return f"/bin/sh -c {quote(guard)} {' '.join(map(quote, words))}"


def ours(text: object) -> bool:
    """Is this command, or file, one of ours?"""
    return isinstance(text, str) and bool(OURS.search(text))
