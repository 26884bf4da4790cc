"""Our keys in zellij, and what each of them runs. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator

TABLE = (
    ("s", "sidebar", "the sidebar is shown and has the focus"),
    ("t", "toggle", "the sidebars are shown or hidden, in every tab"),
    *((str(index), str(index), f"the session in row {index}") for index in range(1, 10)),
    ("n", "next", "the next session"),
    ("p", "prev", "the previous session"),
    ("a", "attention", "the agent that needs you most"),
    ("A", "attention-back", "back to where the last jump to an agent began"),
    ("g", "popup", "the sessions in a floating pane"),
    ("c", "new", "a session in a folder that you choose"),
    ("?", "keys", "these keys"),
)
"""(key, the entrypoint's verb, what happens), in the order in which people are told."""


def told() -> Iterator[str]:
    """The keys for people, a line each."""
    for key, _, what in TABLE:
        if key == "1":
            yield "1-9  the session in that row"
        elif not key.isdigit():
            yield f"{key}    {what}"
