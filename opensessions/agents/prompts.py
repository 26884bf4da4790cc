"""With what agents ask for a permission, as it stands on their screens, and the keys that answer. Pure.

Only what a real agent showed, or what stands in its program in that version, is here: a key that is pressed at another
question does harm. A prompt is looked for at the bottom of the screen, where an agent's own one always is: what the
agent or its tools have printed, which may look like one, is further up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from opensessions.agents.styles import Cells, styled

FRAME = " \t\u00a0│┃"
"""Around an agent's own lines."""
MOST = 40
"""Lines, without empty ones, that a prompt takes at most, with what it asks about."""
LONGEST = 2000
"""Characters of what is asked about."""


class Prompt(Struct, frozen=True):
    """One way in which an agent asks. Patterns are for whole lines without frames and spaces around them."""

    asks: str
    """The question."""
    options: tuple[str, ...]
    """Lines below it, in this order: what allows it this once, what denies it, and what else is always there."""
    allow: str
    deny: str
    """Keys, see `provider.PressKey`."""
    begins: str = ""
    """The line with which what is asked about begins, above the question; "": it stands below."""
    below: int = 0
    """Lines below the last option, at most: a status line, an input box."""
    never: str = ""
    """What stands on a line of the agent's when it asks nothing: then the question is a rest of an earlier picture."""
    marked: tuple[str, ...] = ()
    """Where `allow` takes the choice that its colours mark: the choices, of which the first must be marked. They stand
    on the line of the first option."""


class Asked(Struct, frozen=True):
    """A permission that an agent asks for now."""

    prompt: Prompt
    about: str
    """For what, in one line; it may hold anything."""
    text: str
    """All of it: as long as this is the same, it is the same question."""


OPENCODE = Prompt(
    asks=r"△ Permission required",
    options=(r"Allow once +Allow always +Reject +(ctrl\+f fullscreen +)?⇆ select\b.*",),
    allow="enter",
    deny="escape",
    marked=("Allow once", "Allow always", "Reject"),
)
PROMPTS: Mapping[str, tuple[Prompt, ...]] = {
    # 2.1.197. A digit takes its option at once, wherever the mark is.
    "claude-code": (
        Prompt(
            asks=r"Do you want to (proceed|make this edit to .{1,200}|(create|overwrite) .{1,200}"
            r"|allow Claude to fetch this content)\?",
            options=(r"(❯ )?1\. Yes", r"(❯ )?\d\. No(, .*)?", r".*\bEsc to cancel\b.*"),
            allow="1",
            deny="escape",
            begins=r"[─╌▔]{8,}",
            never=r"esc to interrupt|\? for shortcuts",
        ),
    ),
    # 0.169.0
    "codex": (
        Prompt(
            asks=r"Would you like to (run the following command|make the following edits)\?",
            options=(
                r"(› )?1\. Yes, proceed \(y\)",
                r"(› )?\d\. No, and tell Codex what to do differently \(esc\)",
                r"Press enter to confirm or esc to cancel",
            ),
            allow="y",
            deny="escape",
        ),
    ),
    # 1.18.33; below 80 columns what the keys do has a line of its own.
    "opencode": (
        OPENCODE,
        replace(
            OPENCODE, options=(r"Allow once +Allow always +Reject", r"(ctrl\+f fullscreen +)?⇆ select\b.*")
        ),
    ),
    # 0.61.0
    "gemini": (
        Prompt(
            asks=r"Allow execution of .{1,200}\?|Apply this change\?",
            options=(r"(● )?1\. Allow once", r"(● )?\d\. No, suggest changes \(esc\)"),
            allow="1",
            deny="escape",
            begins=r"\? .*",
            below=8,
        ),
    ),
    # 0.15.10
    "qwen": (
        Prompt(
            asks=r"Allow execution of: .{1,200}\?|Apply this change\?",
            options=(r"(› )?1\. Yes, allow once", r"(› )?\d\. No, suggest changes \(esc\)"),
            allow="1",
            deny="escape",
            begins=r"\? .*",
            below=3,
        ),
    ),
}
"""By the agent's name. Pi never asks."""


def asked(agent: str, screen: str) -> Asked | None:
    """The permission that an agent of this name asks for on the screen, as `ReadScreen` answers it; None where that is
    none that is known for certain."""
    rows = [cells for cells in map(styled, screen.split("\n")) if _bare(cells.text)][-MOST:]
    found = (_fits(prompt, rows) for prompt in PROMPTS.get(agent, ()))
    return next((each for each in found if each), None)


def _fits(prompt: Prompt, rows: Sequence[Cells]) -> Asked | None:
    lines = [_bare(row.text) for row in rows]
    question = next(
        (at for at in range(len(lines) - 1, -1, -1) if re.fullmatch(prompt.asks, lines[at])), None
    )
    if question is None:
        return None
    places: list[int] = []
    for pattern in prompt.options:
        start = (places[-1] if places else question) + 1
        place = next((at for at in range(start, len(lines)) if re.fullmatch(pattern, lines[at])), None)
        if place is None:
            return None
        places.append(place)
    if len(lines) - 1 - places[-1] > prompt.below:
        return None
    if not prompt.begins:
        first, about = question, lines[question + 1 : places[0]]
    else:
        above = range(question - 1, -1, -1)
        first = next((at for at in above if re.fullmatch(prompt.begins, lines[at])), max(0, question - 8))
        about = [line for line in lines[first:question] if any(char.isalnum() for char in line)]
    if prompt.never and any(re.search(prompt.never, line) for line in lines[first:]):
        return None
    if prompt.marked and not _is_marked(prompt.marked, rows[places[0]]):
        return None
    whole = " ".join(" ".join(about).split())[:LONGEST]
    return Asked(prompt, whole, "\n".join(lines[first : places[-1] + 1]))


def _bare(line: str) -> str:
    return line.strip(FRAME)


def _is_marked(choices: Sequence[str], row: Cells) -> bool:
    """Does the first choice look otherwise than the others, which look alike?"""
    places = [row.text.find(choice) for choice in choices]
    if -1 in places or any(one >= other for one, other in pairwise(places)):
        return False
    first, *others = (row.styles[place] for place in places)
    return len(set(others)) == 1 and first not in others
