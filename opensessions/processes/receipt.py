"""Receipts: what we wrote down of an agent when we started it or first saw it. A receipt is what entitles us to end a
process later; without one nothing is ever signalled. Pure: text in, values out.

A receipt is one line of JSON: `{"version":1,"sum":"…","receipt":{…}}`. It is read only if it is, byte for byte, what
this module writes for what it says: no key twice or left out, no `7.0` for 7, nothing that two readers could
understand in two ways. The sum is of the bytes of the inner object: a digit that a bad disk or a hand has changed would
name another process.
"""

from __future__ import annotations

import json  # msgspec's cannot write a path whose bytes are no UTF-8
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Literal

from msgspec import Struct, ValidationError, convert, to_builtins

from opensessions.private import Corrupt
from opensessions.processes.identity import ProcId

VERSION = 1
LARGEST = 16 << 10
"""Bytes of a receipt."""
PIDS = 1 << 22
"""No pid is as large (Linux; others stay far below)."""

Origin = Literal["managed", "observed"]
"""`managed`: started by `opensessions run`. `observed`: seen in a pane in which the user had typed it."""


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """The pane that a process was in when its receipt was written."""

    kind: str
    """The provider's: "tmux", "zellij"."""
    key: str
    """The multiplexer's key: the folder's name under `<runtime>/mux/`."""
    socket: str
    server: ProcId
    """The multiplexer's server process."""
    session: str
    """The id of a session that held the pane."""
    pane: str
    shell: ProcId
    """The pane's own process: another one in a pane with the same id is another generation of it."""


class Receipt(Struct, frozen=True, forbid_unknown_fields=True):
    """One agent's root process. Written before its program began (managed) or when it was first seen."""

    process: ProcId
    origin: Origin
    agent: str
    """The kind's name; "" where what was started is no known agent."""
    agent_id: str
    """The agent's id in the snapshot: it outlives a launcher whose program goes on. "" where it has none yet."""
    uid: int
    group: int
    """0 where it was not known or is init's."""
    session: int
    """The system's session (its leader's pid), not the multiplexer's."""
    comm: str
    exe: str
    argv_hash: str
    """SHA-256 of the command line in hexadecimal, not the words: they may hold secrets. "" where it was not known."""
    place: Place | None
    """None: started outside of every multiplexer, and never anybody's orphan."""
    instance: str
    """The server that wrote it or served that multiplexer; "" where none ran."""
    nonce: str
    """32 hexadecimal digits; names the file."""
    created: float
    """Seconds since the epoch, for people."""
    cgroup: str = ""
    """The path of the control group made for it, or for the launcher that it comes from, alone; "" where there is
    none."""
    keep: bool = False
    """`OPENSESSIONS_KEEP=1` was set: never reaped."""


class AnotherVersion(Corrupt):
    """Written by a newer opensessions, which may still need it. It says nothing to this one."""


NONCE = re.compile(r"[0-9a-f]{32}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WORD = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
DIGEST = re.compile(r"(?:[0-9a-f]{64})?")
BOOT = re.compile(r"[0-9A-Za-z-]{0,64}")
CGROUP = re.compile(r"(?:/[^/\0]+)+/opensessions-[0-9a-f]{32}")
TEXTS = {"agent": 100, "agent_id": 300, "comm": 300, "exe": 4096, "cgroup": 4096}
"""The longest that these may be, in characters."""


def encode(receipt: Receipt) -> bytes:
    """The file's bytes. They can be parsed if `faults` finds none."""
    inner = json.dumps(to_builtins(receipt), separators=(",", ":")).encode("ascii")
    return b'{"version":%d,"sum":"%s","receipt":%s}\n' % (VERSION, sha256(inner).hexdigest().encode(), inner)


def parse(data: bytes) -> Receipt:
    """The receipt that these bytes are. Corrupt with what is wrong with them, AnotherVersion among it; raises nothing
    else, whatever the bytes are."""
    if len(data) > LARGEST:
        raise Corrupt("is larger than 16 KiB")
    try:
        said = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise Corrupt("is not JSON in ASCII") from error
    version = said.get("version") if isinstance(said, dict) else None
    if type(version) is int and version > VERSION:
        raise AnotherVersion(f"was written by another version of opensessions (format {version})")
    if not isinstance(said, dict) or type(version) is not int or version != VERSION:
        raise Corrupt("is no receipt")
    try:
        receipt = convert(said.get("receipt"), Receipt)
    except (ValidationError, OverflowError) as error:
        raise Corrupt(f"is no receipt ({error})") from error
    for fault in faults(receipt):
        raise Corrupt(fault)
    if encode(receipt) != data:
        raise Corrupt("has been changed since it was written")
    return receipt


def faults(receipt: Receipt) -> Iterator[str]:
    """What makes a receipt one that no reader may believe; each completes "PATH …"."""
    yield from _process("process", receipt.process)
    if not 0 <= receipt.uid < 1 << 32:
        yield "has no possible user id"
    if not (receipt.group == 0 or 1 < receipt.group < PIDS) or not 0 <= receipt.session < PIDS:
        yield "has no possible process group or session"
    for name, longest in TEXTS.items():
        if len(getattr(receipt, name)) > longest:
            yield f"has a longer `{name}` than {longest} characters"
    if not DIGEST.fullmatch(receipt.argv_hash):
        yield "has an `argv_hash` that is no SHA-256"
    if not NONCE.fullmatch(receipt.nonce):
        yield "has a `nonce` that is not 32 hexadecimal digits"
    if receipt.instance and not UUID.fullmatch(receipt.instance):
        yield "has an `instance` that is no UUID"
    if not 0 <= receipt.created < 1e11:  # neither is it for what is no number
        yield "has no possible `created`"
    if receipt.cgroup and (not CGROUP.fullmatch(receipt.cgroup) or ".." in receipt.cgroup.split("/")):
        yield "has a `cgroup` that is not one of ours"
    if receipt.place is not None:
        yield from _place(receipt.place, receipt.process)


def _process(name: str, process: ProcId) -> Iterator[str]:
    if not 1 < process.pid < PIDS:
        yield f"has a {name} with the pid {process.pid}"
    if not 0 < process.start < 1 << 53:
        yield f"has a {name} without a possible start"
    if not BOOT.fullmatch(process.boot):
        yield f"has a {name} with an impossible boot"
    if not 0 <= process.namespace < 1 << 64 or not 0 <= process.inode < 1 << 64:
        yield f"has a {name} with an impossible namespace or inode"


def _place(place: Place, process: ProcId) -> Iterator[str]:
    yield from _process("server", place.server)
    yield from _process("shell", place.shell)
    if len({(each.boot, each.namespace) for each in (process, place.server, place.shell)}) > 1:
        yield "has processes of two machines"
    if not WORD.fullmatch(place.kind) or not WORD.fullmatch(place.key):
        yield "has an impossible `kind` or `key`"
    if not 0 < len(place.pane) <= 64 or len(place.session) > 300 or len(place.socket) > 4096:
        yield "has an impossible `pane`, `session` or `socket`"
