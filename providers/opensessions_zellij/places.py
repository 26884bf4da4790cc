"""Where zellij keeps its sockets and what it writes of its sessions. Standard library only.

As zellij-utils 0.45.1 (`consts.rs`) has it: `<socket folder>/contract_version_1/<session>` is a session's socket, and
`<cache>/contract_version_1/session_info/<session>/session-metadata.kdl` is written at most once a second, when
something of the session has changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

KEY = "zellij"
"""The one key: a user has one zellij, which is all of its sessions."""
CONTRACT = "contract_version_"
SOCKET_LIMIT = 104
"""Longest path of a socket in bytes, with the closing NUL, that every system takes."""
OTHER = ("web_server_bus",)
"""What stands among the sessions' sockets and is none."""


def socket_folder(environment: Mapping[str, str] | None = None) -> str:
    """The folder that a zellij with this environment keeps its sockets in."""
    said = os.environ if environment is None else environment
    if said.get("ZELLIJ_SOCKET_DIR"):
        return said["ZELLIJ_SOCKET_DIR"]
    if sys.platform != "darwin" and said.get("XDG_RUNTIME_DIR", "").startswith("/"):
        return f"{said['XDG_RUNTIME_DIR']}/zellij"
    return f"{(said.get('TMPDIR') or '/tmp').rstrip('/')}/zellij-{os.geteuid()}"


def cache_folder(environment: Mapping[str, str] | None = None) -> str:
    """The folder of what can be made again."""
    said = os.environ if environment is None else environment
    home = said.get("HOME") or os.path.expanduser("~")
    if sys.platform == "darwin":
        return f"{home}/Library/Caches/org.Zellij-Contributors.Zellij"
    base = said.get("XDG_CACHE_HOME", "")
    return f"{base if base.startswith('/') else f'{home}/.cache'}/zellij"


def contract(folder: str) -> str:
    """The name of the subfolder for the newest protocol in use; "" where there is none."""
    try:
        found = [name for name in os.listdir(folder) if name.startswith(CONTRACT)]
    except OSError:
        return ""
    numbers = {int(name[len(CONTRACT) :]): name for name in found if name[len(CONTRACT) :].isdecimal()}
    return numbers[max(numbers)] if numbers else ""


def session_socket(folder: str, session: str) -> str:
    """The path of a session's socket."""
    return f"{folder}/{contract(folder) or CONTRACT + '1'}/{session}"


def metadata_file(cache: str, folder: str, session: str) -> str:
    """What zellij writes of a session; it may not exist (`disable_session_metadata`, or too early)."""
    return f"{cache}/{contract(folder) or CONTRACT + '1'}/session_info/{session}/session-metadata.kdl"
