"""What survives: the owner id, the order of rows and the sidebar's state in the state directory; in the runtime
directory, which multiplexers were registered.

Everything here is synchronous, small and bounded. Files are replaced atomically with mode 0600. A file that cannot
be understood is never overwritten: it is moved aside, and where even that fails nothing is saved in its place while
the server goes on in memory.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from opensessions import paths, wire
from opensessions.attend import Remembered
from opensessions.errors import OpenSessionsError, Refused, WireError
from opensessions.events import SavedArrangement
from opensessions.private import Corrupt, locked, read_private, set_aside, write_private
from opensessions.provider import SidebarWish

log = logging.getLogger(__name__)

OWNER = re.compile(rb"([0-9a-f]{32})\n?")
KEY = re.compile(r"[a-z]+(-[0-9a-f]{16})?")

Value = TypeVar("Value")


class Registration(Struct, frozen=True):
    """What it takes to serve a multiplexer again after a crash."""

    provider: str
    target: str
    binary: str = ""
    pid: str = ""
    """Its server's process when it last answered; "" where none was known."""


class SavedSidebars(Struct, frozen=True, forbid_unknown_fields=True):
    """What the user made of the sidebar, and what the configuration said then: whoever edits config.yaml later
    wants the new value to count."""

    visible: bool
    width: Annotated[int, Meta(ge=1, le=10_000)]
    configured_visible: bool
    configured_width: int


class DetailWish(Struct, frozen=True):
    """How a multiplexer's sidebars show the detail of the cursor's row. `height` in lines."""

    shown: bool = False
    height: int = 10


class SavedDetail(Struct, frozen=True, forbid_unknown_fields=True):
    """What the user made of it, and what the configuration said then; as `SavedSidebars`."""

    shown: bool
    height: Annotated[int, Meta(ge=1, le=10_000)]
    configured_shown: bool
    configured_height: int


class _File(Struct, Generic[Value], forbid_unknown_fields=True):
    version: Literal[1]
    value: Value


class Store:
    """The state directory, which exists and is private."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._configured: dict[str, SidebarWish] = {}

    def owner(self) -> str:
        """The owner id: see `owner_id`."""
        return owner_id(self._state)

    def arrangement(self, key: str) -> SavedArrangement:
        """What was saved of this multiplexer's rows; an empty one, and a warning in the log, where it is unusable."""
        saved = _load(self._path(key, "arrangement.json"), SavedArrangement) or SavedArrangement()
        return replace(saved, rows=_no_row_twice(saved.rows))

    def save_arrangement(self, key: str, arrangement: SavedArrangement) -> None:
        """Save it if it differs. OpenSessionsError (with a sentence) where it cannot be saved."""
        rows = tuple((_printable(id), _printable(name)) for id, name in arrangement.rows)
        arrangement = replace(
            arrangement, rows=rows, hidden=tuple(map(_printable, arrangement.hidden)),
            collapsed=tuple(map(_printable, arrangement.collapsed)),
            belongings={
                _printable(name): replace(there, repository=_printable(there.repository))
                for name, there in arrangement.belongings.items()
            },
        )  # fmt: skip
        _save(self._path(key, "arrangement.json"), SavedArrangement, arrangement)

    def agents(self, key: str) -> dict[str, Remembered]:
        """What was saved of this multiplexer's agents, by their ids; nothing where it is unusable."""
        return _load(self._path(key, "agents.json"), dict[str, Remembered]) or {}

    def save_agents(self, key: str, agents: dict[str, Remembered]) -> None:
        """Save it if it differs. OpenSessionsError where it cannot be saved."""
        _save(self._path(key, "agents.json"), dict[str, Remembered], agents)

    def sidebars(self, key: str, configured: SidebarWish) -> SidebarWish:
        """The wish for this multiplexer's sidebars: what the user last did to them, else what is `configured`."""
        self._configured[key] = configured
        saved = _load(self._path(key, "sidebars.json"), SavedSidebars)
        if saved is None:
            return configured
        same_visible = saved.configured_visible == configured.visible
        same_width = saved.configured_width == configured.width
        return replace(
            configured,
            visible=saved.visible if same_visible else configured.visible,
            width=saved.width if same_width else configured.width,
        )

    def save_sidebars(self, key: str, wish: SidebarWish) -> None:
        """Save it if it differs. OpenSessionsError where it cannot be saved."""
        configured = self._configured.get(key, SidebarWish())
        saved = SavedSidebars(wish.visible, wish.width, configured.visible, configured.width)
        _save(self._path(key, "sidebars.json"), SavedSidebars, saved)

    def detail(self, key: str, configured: DetailWish) -> DetailWish:
        """The wish for this multiplexer's details: what the user last did to them, else what is `configured`."""
        saved = _load(self._path(key, "detail.json"), SavedDetail)
        if saved is None:
            return configured
        return DetailWish(
            saved.shown if saved.configured_shown == configured.shown else configured.shown,
            saved.height if saved.configured_height == configured.height else configured.height,
        )

    def save_detail(self, key: str, wish: DetailWish, configured: DetailWish) -> None:
        """Save it if it differs. OpenSessionsError (with a sentence) where it cannot be saved."""
        saved = SavedDetail(wish.shown, wish.height, configured.shown, configured.height)
        _save(self._path(key, "detail.json"), SavedDetail, saved)

    def remember(self, runtime: str, key: str, registration: Registration) -> None:
        """So that a server that follows a crash serves it again. OpenSessionsError where it cannot be written."""
        folder = _ensure(os.path.dirname(paths.mux_dir(runtime, "")), _checked(key))
        fields = {name: getattr(registration, name) for name in registration.__struct_fields__}
        path, data = f"{folder}/registration", wire.pack_fields(version=1, **fields)
        if read_private(path) != data:
            write_private(path, data)

    def remembered(self, runtime: str) -> list[Registration]:
        """Every multiplexer that was registered in this runtime directory and not forgotten."""
        try:
            keys = sorted(filter(KEY.fullmatch, os.listdir(os.path.dirname(paths.mux_dir(runtime, "")))))
        except FileNotFoundError:
            return []
        found = (_registration(f"{paths.mux_dir(runtime, key)}/registration") for key in keys)
        return [each for each in found if each is not None]

    def forget(self, runtime: str, key: str) -> None:
        """It is gone for good."""
        with suppress(FileNotFoundError):
            os.unlink(f"{paths.mux_dir(runtime, _checked(key))}/registration")

    def _path(self, key: str, name: str) -> str:
        return f"{self._state}/mux/{_checked(key)}/{name}"


def _checked(key: str) -> str:
    if not KEY.fullmatch(key):
        raise Refused(f"{key!r} is no multiplexer's key.")
    return key


# --- the owner id -----------------------------------------------------------------------------------------------


def owner_id(state: str) -> str:
    """The 32 hexadecimal digits that mark this installation's sidebars; made at the first call.

    Any number of processes may call it at once: all get the same. UnsafePath where the file is not ours alone,
    Refused where it can be neither understood nor replaced.
    """
    path = f"{state}/owner"
    with suppress(Corrupt):
        if found := _owner(path):
            return found
    with locked(f"{path}.lock"):
        try:
            found = _owner(path)
        except Corrupt as error:
            log.warning("%s", set_aside(path, str(error)))
            found = None
        if found is None:
            found = os.urandom(16).hex()
            write_private(path, found.encode() + b"\n")
        return found


def _owner(path: str) -> str | None:
    data = read_private(path)
    if data is None:
        return None
    found = OWNER.fullmatch(data)
    if found is None:
        raise Corrupt("does not hold 32 hexadecimal digits")
    return found[1].decode()


# --- JSON files with a version ----------------------------------------------------------------------------------


def _load(path: str, type: type[Value]) -> Value | None:
    """The file's value; None where there is none that can be used, and then the log says why."""
    try:
        return _decode(read_private(path), type)
    except Corrupt as error:
        try:
            log.warning("%s", set_aside(path, str(error)))
        except Refused as refusal:
            log.warning("%s", refusal)
    except OpenSessionsError as error:
        log.warning("%s", error)
    return None


def _save(path: str, type: type[Value], value: Value) -> None:
    _ensure(
        os.path.dirname(os.path.dirname(os.path.dirname(path))),
        "mux",
        os.path.basename(os.path.dirname(path)),
    )
    data = msgspec.json.encode(_File(version=1, value=value)) + b"\n"
    try:
        old = read_private(path)
        if old == data:
            return
        _decode(old, type)
    except Corrupt as error:
        log.warning("%s", set_aside(path, str(error)))
    write_private(path, data)


def _decode(data: bytes | None, type: type[Value]) -> Value | None:
    if data is None:
        return None
    form: Any = _File[type]  # type: ignore[valid-type]
    try:
        value: Value = msgspec.json.decode(data, type=form).value
    except (msgspec.DecodeError, RecursionError) as error:
        raise Corrupt(f"cannot be understood ({error})") from error
    return value


def _no_row_twice(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Who edits the file by hand must not get a session into the sidebar twice."""
    by_id = {id: (id, name) for id, name in reversed(rows)}
    by_name = {name: (id, name) for id, name in reversed(rows)}
    return tuple(row for row in dict.fromkeys(rows) if by_id[row[0]] == row == by_name[row[1]])


def _printable(text: str) -> str:
    """JSON is UTF-8: a name whose bytes are not is saved with `?` in their place."""
    return text.encode("utf-8", "replace").decode()


def _registration(path: str) -> Registration | None:
    try:
        data = read_private(path)
        if data is None:
            return None
        fields = wire.fields(data)
        if fields.pop("version", "") != "1" or not fields.get("target"):
            raise Corrupt("was written by another version")
        return msgspec.convert(fields, Registration)
    except (OpenSessionsError, WireError, msgspec.ValidationError) as error:
        log.warning("%s is ignored: %s", path, error)
        return None


def _ensure(base: str, *names: str) -> str:
    folder = paths.ensure_private(base)
    for name in names:
        folder = paths.ensure_private(f"{folder}/{name}")
    return folder
