"""Floating panes that the user has hidden. A key's own pane floats, and zellij shows all floating panes of a tab or
none: those that were hidden come up with it and would stay. Standard library only.

What was before the key is in the session's metadata file, which zellij writes at most once a second (0.45.1).
"""

from __future__ import annotations

import os

from opensessions_zellij.places import cache_folder, metadata_file

LARGEST = 8 << 20
"""Bytes of a metadata file that are looked at."""


def hidden(folder: str, session: str, pane: str) -> bool:
    """Were there hidden floating panes in the tab before the pane of this number opened? False where nothing tells."""
    try:
        with open(metadata_file(cache_folder(), folder, session), encoding="utf-8", errors="replace") as file:
            return hides(file.read(LARGEST), pane)
    except OSError:
        return False


def hides(metadata: str, pane: str) -> bool:
    """`hidden`, from the file's text. One that knows of the pane is of later and says nothing."""
    if f"\n        id {pane}\n        is_plugin false\n" in metadata:
        return False
    for tab in metadata.split("\n    tab {\n")[1:]:
        said = dict(
            line.split(None, 1) for line in tab.partition("\n    }")[0].splitlines() if " " in line.strip()
        )
        if said.get("active") == "true":
            count = said.get("selectable_floating_panes_count", "0")
            return said.get("are_floating_panes_visible") == "false" and count != "0"
    return False


def own_pane() -> str:
    """The number of the pane that this runs in."""
    return os.environ.get("ZELLIJ_PANE_ID", "")
