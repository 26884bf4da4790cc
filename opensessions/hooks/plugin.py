"""The plugin files, each from two parts in `plugins/`: how to tell the server, and what that agent tells."""

from __future__ import annotations

import json
import os

from opensessions.hooks.command import MARKER

HERE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "plugins")


def plugin(which: str, agent: str = "") -> str:
    """The text of the plugin for `agent`, which speaks the plugin interface of `which`."""
    head = f"// {MARKER}: tells opensessions what this agent does. `opensessions hooks uninstall` removes this file.\n"
    return head + _part("tell").replace("AGENT", json.dumps(agent or which)) + "\n" + _part(which)


def _part(name: str) -> str:
    with open(f"{HERE}/{name}.js", encoding="utf-8") as file:
        return file.read()
