"""The keys: which key runs which tmux command. Pure, standard library only.

No path and no name is ever part of a command: our paths stand in options (`@opensessions-path-*`) whose values are
quoted for the shell (`#{q:}` knows no newline and no brace); what tmux itself knows is quoted by `#{q:…}`.
"""

from __future__ import annotations

from typing import NamedTuple

TABLE = "opensessions"

INTERPRETER = "@opensessions-path-interpreter"
"""The real Python for the standard-library scripts."""
PYTHON = "@opensessions-path-python"
"""A Python in which opensessions can be imported; starts the server."""
SCRIPTS = "@opensessions-path-scripts"
TMUX = "@opensessions-path-tmux"
KEY = "@opensessions-path-key"
"""The mux key, which is the name of this tmux's folder in the runtime directory."""

USER_OPTIONS = (
    "@opensessions-prefix-key", "@opensessions-focus-key", "@opensessions-toggle-key", "@opensessions-attention-key",
    "@opensessions-popup-key", "@opensessions-index-keys", "@opensessions-python",
)  # fmt: skip
"""Set by the user in tmux.conf; never removed."""

GONE = "opensessions: its files are gone; install it again or restart tmux"

FOCUS = "Show the sidebar and go to it"
ATTENTION = "Go to the next agent that needs you"
TOGGLE = "Show or hide the sidebar"
POPUP = "Show the sessions in a popup"
EVEN = "Make the panes beside the sidebar equally wide"
NEW = "Create a session in a folder that you choose, or go to it"

EVERYWHERE = (
    "client=#{q:client_name} socket=#{q:socket_path} session=#{q:session_id} started=#{start_time} "
    f"runtime=#{{q:@opensessions-runtime}} mux=#{{{KEY}}} python=#{{{PYTHON}}} tmux=#{{{TMUX}}}"
)

SIDEBAR_HERE = "#{P:#{?#{@opensessions-sidebar},#{pane_id},}}"
"""The id of the sidebar pane of the current window; empty where it has none."""

POPUP_WIDTH, SESSIONIZER_WIDTH = 52, 78
"""Columns of the popups, with their borders."""

Command = tuple[str, ...]


class Key(NamedTuple):
    """One binding. `command` is a tmux command in words."""

    table: str
    key: str
    note: str
    command: Command

    def bind(self) -> Command:
        """The command that makes the binding."""
        said = ("-N", self.note) if self.note else ()
        return ("bind-key", *said, "-T", self.table, self.key, *self.command)


class Wishes(NamedTuple):
    """What the user's options say about keys."""

    prefix: str = "o"
    focus: str = ""
    toggle: str = ""
    attention: str = ""
    popup: str = ""
    rows: tuple[str, ...] = ()
    """Keys that switch to row 1, 2, …; nine at most."""


def script(name: str, arguments: str) -> Command:
    """Run one of our scripts in the background. Where its file is gone (the plugin was deleted while tmux runs)
    the client is told so.

    The status is always 0: tmux would put any other one, with the whole command, over the user's pane. The text
    holds no single quote: it is put between single quotes inside of other commands.
    """
    file = f"#{{{SCRIPTS}}}/{name}.py"
    run = f"#{{{INTERPRETER}}} -I -S {file} {arguments} {EVERYWHERE} || :"
    say = f'#{{{TMUX}}} -S #{{q:socket_path}} display-message -c #{{q:client_name}} -d 5000 "{GONE}" || :'
    return ("run-shell", "-b", f"if [ -f {file} ] && [ -x #{{{INTERPRETER}}} ]; then {run}; else {say}; fi")


def popup(width: int, program: str) -> Command:
    """Run a program in a popup of this width over the client that pressed the key; a client that has not the room gets
    it over all of its width. `program` is words as tmux parses them, after formats were expanded.

    It begins in the pane's directory and is started without a shell of the user's. Where our files are gone it says so,
    until Enter. A `TMUX_PANE` in tmux's own environment is that of another tmux.
    """
    wide = f"#{{?#{{e|<:#{{client_width}},{width + 2}}},100%,{width}}}"
    guard = (
        'unset TMUX_PANE; if [ -f "$1" ] && [ -x "$2" ]; then shift; exec "$@"; fi; '
        f'echo "{GONE}"; read -r line'
    )
    words = f"-E -d '##{{pane_current_path}}' -w '{wide}' -h 80% /bin/sh -c '{guard}'"
    words += f" sh #{{{SCRIPTS}}}/popup.py {program}"
    return ("run-shell", "-C", f"display-popup {words}")


def sidebar_popup() -> Command:
    """The sidebar's rows in a popup."""
    program = f"#{{{INTERPRETER}}} -I -S #{{{SCRIPTS}}}/popup.py {EVERYWHERE}"
    return popup(POPUP_WIDTH, program)


def sessionizer_popup() -> Command:
    """The folders for a new session in a popup."""
    program = f"#{{{PYTHON}}} -P -m opensessions session new --client=#{{q:client_name}}"
    return popup(SESSIONIZER_WIDTH, program)


def row(index: int) -> Command:
    """Switch to a row: tmux itself where the server has published the slot, else the thin script.

    The id stands in single quotes, or tmux would take `$3` for a variable.
    """
    slot = f"@opensessions-slot-{index}"
    switch = f"run-shell -C \"switch-client -t '#{{{slot}}}'\""
    return ("if-shell", "-F", f"#{{{slot}}}", switch, nested(script("switch", str(index))))


def nested(command: Command) -> str:
    """A command of `script` as the text that `if-shell` takes."""
    *words, last = command
    return f"{' '.join(words)} '{last}'"


def table_keys() -> list[Key]:
    """Our key table, without `o`. An empty `if-shell` does nothing at all: `Any` takes every other key, which
    would go to the pane otherwise."""
    help = ("list-keys", "-N", "-P", f"{TABLE} ", "-T", TABLE)
    return [
        Key(TABLE, "s", FOCUS, script("notify", "sidebar-focus")),
        Key(TABLE, "t", TOGGLE, script("notify", "sidebar-toggle")),
        *(
            Key(TABLE, str(index), f"Switch to session {index} of the sidebar", row(index))
            for index in range(1, 10)
        ),
        Key(TABLE, "a", ATTENTION, script("notify", "attention")),
        Key(
            TABLE, "A", "Go back to where the last jump to an agent began", script("notify", "attention-back")
        ),
        Key(TABLE, "g", POPUP, sidebar_popup()),
        Key(TABLE, "e", EVEN, script("notify", "even-horizontal")),
        Key(TABLE, "c", NEW, sessionizer_popup()),
        Key(TABLE, "n", "Switch to the next session", script("switch", "next")),
        Key(TABLE, "p", "Switch to the previous session", script("switch", "prev")),
        Key(TABLE, "?", "List these keys", help),
        Key(TABLE, "Any", "", ("if-shell", "-F", "", "")),
    ]


def user_keys(wishes: Wishes) -> list[Key]:
    """The keys outside of our table, which the user chose."""
    keys = [
        Key(
            "prefix", wishes.prefix, "Sidebar and sessions (? lists the keys)", ("switch-client", "-T", TABLE)
        )
    ]
    if wishes.focus:
        keys.append(Key("root", wishes.focus, FOCUS, script("notify", "sidebar-focus")))
    if wishes.toggle:
        keys.append(Key("root", wishes.toggle, TOGGLE, script("notify", "sidebar-toggle")))
    if wishes.attention:
        keys.append(Key("root", wishes.attention, ATTENTION, script("notify", "attention")))
    if wishes.popup:
        keys.append(Key("root", wishes.popup, POPUP, sidebar_popup()))
    for index, key in enumerate(wishes.rows[:9], 1):
        keys.append(Key("root", key, f"Switch to session {index} of the sidebar", row(index)))
    return keys


def drag_key() -> Key:
    """The end of a drag of a border, unbound in tmux: if the window has a sidebar, its width is the user's wish."""
    adopt = nested(script("notify", f"adopt-width pane={SIDEBAR_HERE}"))
    return Key("root", "MouseDragEnd1Border", "", ("if-shell", "-F", SIDEBAR_HERE, adopt))
