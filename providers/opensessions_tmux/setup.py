"""tmux's part of installing: see `opensessions.setups.Setup`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator

from opensessions import installation
from opensessions.errors import OpenSessionsError, Refused
from opensessions.setups import Check
from opensessions_tmux import bindings, hooks, install
from opensessions_tmux.admin import Admin
from opensessions_tmux.binary import caller_socket, of_server
from opensessions_tmux.demo import demo
from opensessions_tmux.quote import inert, word
from opensessions_tmux.uninstall import main as uninstall

__all__ = ["checks", "demo", "installed", "plugin_line", "uninstall"]


def plugin_line() -> str:
    """The line for tmux.conf. `sh` is named, so that no file needs to be executable; the Python is this one."""
    command = shlex.join(["/bin/sh", f"{installation.plugin_folder()}/plugin.tmux", sys.executable])
    return f"run-shell {word(inert(command))}"


def installed() -> bool:
    """Is there a tmux, on PATH or around us?"""
    return bool(of_server(caller_socket()[1]))


def checks() -> list[Check]:
    """The tmux that we are in; from outside of one only whether there is a tmux at all."""
    socket, pid = caller_socket()
    binary = of_server(pid)
    if not binary:
        return [Check("tmux", True, "not installed, or not on PATH")]
    if not socket:
        return [Check("tmux", True, f"{binary}; run this inside tmux to have its keys and hooks checked")]
    tmux = Admin(binary, socket)
    try:
        return list(_checks(tmux))
    except OpenSessionsError as error:
        return [Check("tmux", False, str(error), "See: opensessions status")]


def _checks(tmux: Admin) -> Iterator[Check]:
    version = tmux.ask("display-message", "-p", "#{version}")
    try:
        install.check_version(version)
    except Refused as error:
        yield Check("tmux", False, str(error), "Install a newer tmux.")
        return
    yield Check("tmux", True, f"{version}, {tmux.binary}, {tmux.socket}")
    notice = tmux.ask("show-options", "-gqv", "@opensessions-notice")
    scripts = _path(tmux, bindings.SCRIPTS)
    reload = f"Put into tmux.conf, and run once: tmux {plugin_line()}"
    if notice:
        yield Check("plugin", False, notice, reload)
    elif not scripts:
        yield Check("plugin", False, "it is not loaded in this tmux", reload)
    elif scripts != f"{installation.plugin_folder()}/scripts":
        yield Check("plugin", False, f"the keys run {scripts}, another installation", reload)
    else:
        yield Check("plugin", True, f"loaded from {os.path.dirname(scripts)}")
        yield _keys(tmux, reload)
        yield _hooks(tmux, reload)


def _keys(tmux: Admin, reload: str) -> Check:
    key = install.read_wishes(tmux).prefix
    if f"-T {bindings.TABLE}" not in tmux.ask("list-keys", "-T", "prefix", key):
        return Check("keys", False, f"prefix {key} was bound again after the plugin was loaded", reload)
    missing = [
        name for name in (bindings.INTERPRETER, bindings.PYTHON) if not os.access(_path(tmux, name), os.X_OK)
    ]
    if missing:
        return Check("keys", False, f"{_path(tmux, missing[0])} is gone", reload)
    return Check("keys", True, f"prefix {key}, then ? lists them")


def _hooks(tmux: Admin, reload: str) -> Check:
    missing = hooks.missing(tmux.ask_all(hooks.SHOW), hooks.wanted(()))
    if missing:
        return Check(
            "hooks", False, f"{', '.join(sorted(missing))} lost ours (a later set-hook without index)", reload
        )
    return Check("hooks", True, f"all in slot {hooks.SLOT}")


def _path(tmux: Admin, name: str) -> str:
    """A path that the loader put into an option, without its shell quotes."""
    return "".join(shlex.split(tmux.ask("show-options", "-gqv", name)))
