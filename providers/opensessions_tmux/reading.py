"""One batched reading: the formats that tmux fills in, and the pure way back to an Inventory.

tmux rewrites control bytes in what it prints (3.5a), and a client without UTF-8 gets `_` for other bytes: so there
are no separators. Numbers and ids stand between spaces, every text is preceded by its length in bytes, and the one
that may hold bytes which are no UTF-8, and so may be longer on the way out, comes last: the directory, which ends
with `//` (no path that the kernel gives holds that; the one that a session was created with may hold anything, but is
no shorter on the way out than its length says).

Nothing is asked that nobody uses: at 900 panes `pane_current_command` alone costs tmux 10 ms, each number 1 ms.
"""

from __future__ import annotations

import re
from typing import NoReturn

from msgspec import Struct

from opensessions.errors import MuxError
from opensessions.model import Client, Inventory, Link, Pane, Session, Window
from opensessions_tmux.options import DRAGGING, MARK, NAMING, RINGS

SESSION = (
    "S #{session_id} #{session_created} #{n:session_name} #{n:session_group} #{n:session_path}"
    ":#{session_name}#{session_group}#{session_path}//"
)
WINDOW = (
    "W #{session_id} #{window_index} #{window_active} #{window_id} #{window_width} #{window_height}"
    f" #{{window_zoomed_flag}} #{{?#{{{NAMING}}},1,0}} #{{window_layout}} #{{n:window_name}}:#{{window_name}}"
)
PANE = (
    "P #{pane_id} #{window_id} #{pane_pid} #{pane_active} #{pane_dead} #{pane_left} #{pane_width}"
    f" #{{n:{MARK}}} #{{n:pane_title}}:#{{{MARK}}}#{{pane_title}}#{{pane_current_path}}//"
)
CLIENT = (
    "C #{session_id} #{client_control_mode} #{client_width} #{client_height} #{client_activity} #{client_pid}"
    # Where tmux does not ask the terminal (3.3a and 3.5a), its last word on the focus may be an old one.
    " #{?focus-events,#{?#{m:*focused*,#{client_flags}},1,0},1}"
    " #{n:client_tty} #{n:client_name}:#{client_name}"
)
END = f"E #{{pid}} #{{start_time}} #{{{RINGS}}} #{{?#{{{DRAGGING}}},1,0}} #{{n:version}}:#{{version}}"

COMMANDS = (
    ("list-sessions", "-F", SESSION),
    ("list-windows", "-a", "-F", WINDOW),
    ("list-panes", "-a", "-F", PANE),
    ("list-clients", "-F", CLIENT),
    ("display-message", "-p", END),
)
"""What to run for a reading. tmux does nothing in between, so the reading is of one moment."""

EMPTY_COMMANDS = (("list-sessions", "-F", SESSION), ("display-message", "-p", END))
"""The same for a server without sessions (`exit-empty off`): there the other commands find no target and fail."""

_SESSION = re.compile(rb"S (\$\d+) (\d+) (\d+) (\d+) (\d+):")
_WINDOW = re.compile(rb"W (\$\d+) (\d+) ([01]) (@\d+) (\d+) (\d+) ([01]) ([01]) (\S*) (\d+):")
_PANE = re.compile(rb"P (%\d+) (@\d+) (\d+) ([01]) ([01]) (\d+) (\d+) (\d+) (\d+):")
# A control client without a size of its own has no height (3.3a and 3.5a).
_CLIENT = re.compile(rb"C (\$\d+) ([01]?) (\d*) (\d*) (\d+) (\d+) ([01]) (\d+) (\d+):")
_END = re.compile(rb"E (\d+) (\d+) (\d*) ([01]) (\d+):")


class Reading(Struct, frozen=True):
    """An inventory, and what only this package needs to know."""

    inventory: Inventory
    rings: str = ""
    """How often the hooks had rung; "" for never. A number."""
    dragging: bool = False
    """The user drags a border at this moment."""
    named: frozenset[str] = frozenset()
    """Windows whose `automatic-rename-format` is ours."""


class Incomplete(MuxError):
    """The reply ended early or has another shape: it says nothing."""


def parse(data: bytes) -> Reading:
    """The reading that `data` is. Incomplete unless it is all there; then nothing of it may be used.

    A window of a group, or linked, is listed once per session: windows and panes are kept once, by id.
    """
    names: dict[str, tuple[str, int, str]] = {}
    begun: dict[str, str] = {}
    links: dict[str, list[Link]] = {}
    at = 0
    while data.startswith(b"S ", at):
        found = _SESSION.match(data, at) or _broken(data, at)
        id, created, long, group_long, path_long = found.groups()
        name, at = _text(data, found.end(), int(long))
        group, at = _text(data, at, int(group_long))
        begun[id.decode()], at = _path(data, at, int(path_long))
        names[id.decode()] = (name, int(created), group)
        links[id.decode()] = []

    windows: dict[str, tuple[str, int, int, bool, str]] = {}
    named = set()
    while data.startswith(b"W ", at):
        found = _WINDOW.match(data, at) or _broken(data, at)
        session, index, current, id, width, height, zoomed, naming, layout, long = found.groups()
        name, at = _text(data, found.end(), int(long))
        at = _newline(data, at)
        key = id.decode()
        links[session.decode()].append(Link(key, int(index), current == b"1"))
        if key not in windows:
            windows[key] = (name, int(width), int(height), zoomed == b"1", layout.decode())
            if naming == b"1":
                named.add(key)

    panes: dict[str, list[Pane]] = {id: [] for id in windows}
    seen: set[bytes] = set()
    while data.startswith(b"P ", at):
        found = _PANE.match(data, at) or _broken(data, at)
        id, window, pid, active, dead, left, width, mark_long, long = found.groups()
        mark, at = _text(data, found.end(), int(mark_long))
        title, at = _text(data, at, int(long))
        path, at = _path(data, at)
        if id in seen:
            continue
        seen.add(id)
        key = window.decode()
        pane = Pane(
            id.decode(), key, int(pid), active == b"1", dead == b"1", int(left), int(width),
            title, path, mark,
        )  # fmt: skip
        panes[key].append(pane)

    clients = []
    while data.startswith(b"C ", at):
        found = _CLIENT.match(data, at) or _broken(data, at)
        session, control, width, height, activity, pid, focused, tty, long = found.groups()
        name, at = _text(data, found.end(), int(long))
        at = _newline(data, at)
        is_control = control == b"1" or tty == b"0"
        clients.append(
            Client(
                name,
                session.decode(),
                is_control,
                int(width or 0),
                int(height or 0),
                int(activity),
                int(pid),
                focused == b"1",
            )
        )

    found = _END.match(data, at) or _broken(data, at)
    pid, started, rings, dragging, long = found.groups()
    version, at = _text(data, found.end(), int(long))
    if _newline(data, at) != len(data):
        _broken(data, at)
    inventory = Inventory(
        int(pid), int(started), version,
        tuple(Session(id, *names[id], tuple(links[id]), begun[id]) for id in sorted(names, key=_age)),
        {id: Window(id, *facts, tuple(panes[id])) for id, facts in windows.items()},
        tuple(clients),
    )  # fmt: skip
    return Reading(inventory, rings.decode(), dragging == b"1", frozenset(named))


def _age(session: str) -> int:
    """tmux lists sessions by name and counts their ids up: this gives the order in which they were made."""
    return int(session[1:])


def _text(data: bytes, at: int, length: int) -> tuple[str, int]:
    """The text of `length` bytes at `at`, and where it ends. Bytes that are no UTF-8 become U+FFFD."""
    end = at + length
    if end > len(data):
        _broken(data, at)
    return data[at:end].decode("utf-8", "replace"), end


def _path(data: bytes, at: int, length: int = 0) -> tuple[str, int]:
    """The directory of at least `length` bytes at `at`, which ends its line, and where the next line begins."""
    end = data.find(b"//\n", at + length)
    if end < 0:
        _broken(data, at)
    return data[at:end].decode("utf-8", "replace"), end + 3


def _newline(data: bytes, at: int) -> int:
    if data[at : at + 1] != b"\n":
        _broken(data, at)
    return at + 1


def _broken(data: bytes, at: int) -> NoReturn:
    raise Incomplete(f"tmux's answer is incomplete: byte {at} of {len(data)} begins {data[at : at + 40]!r}.")
