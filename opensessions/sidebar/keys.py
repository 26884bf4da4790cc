"""Bytes of a terminal -> keys, mouse events, pastes. Incremental: input may be cut anywhere.

Understood: UTF-8, control keys, CSI and SS3 keys with xterm's modifiers, SGR mouse (1006), bracketed paste.
Everything else that looks like a sequence (a terminal's reply, say) is swallowed whole.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

LONGEST_SEQUENCE = 4096
"""Bytes of an unfinished sequence; a longer one is garbage and dropped."""

LONGEST_PASTE = 65536
"""Bytes of a paste that are kept."""

PASTE_END = b"\x1b[201~"


class Key(Struct, frozen=True):
    """A key. `name`: the character itself, or a word; `shift-`, `alt-`, `ctrl-` before it, in this order.

    `text` is what it types ("" where it types nothing).
    """

    name: str
    text: str = ""


class Mouse(Struct, frozen=True):
    """A mouse event. `button`: 1 left, 2 middle, 3 right, 0 none. `x`, `y` count cells from 0."""

    kind: Literal["press", "release", "drag", "wheel-up", "wheel-down"]
    button: int
    x: int
    y: int
    modifiers: str = ""
    """Like the beginning of a key's name: `shift-`, `alt-ctrl-`."""


class Paste(Struct, frozen=True):
    """Pasted text, as one event."""

    text: str


Input = Key | Mouse | Paste

CONTROL = {
    0: "ctrl-space", 8: "backspace", 9: "tab", 13: "enter", 27: "escape", 127: "backspace",
    28: "ctrl-\\", 29: "ctrl-]", 30: "ctrl-^", 31: "ctrl-_",
}  # fmt: skip
FINALS = {
    "A": "up", "B": "down", "C": "right", "D": "left", "F": "end", "H": "home",
    "P": "f1", "Q": "f2", "R": "f3", "S": "f4", "Z": "shift-tab",
}  # fmt: skip
TILDES = {
    "1": "home", "2": "insert", "3": "delete", "4": "end", "5": "page-up", "6": "page-down",
    "7": "home", "8": "end",
    **{str(code): f"f{number}" for number, code in enumerate((11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24), 1)},
}  # fmt: skip
KEYPAD = {"M": "enter", "j": "*", "k": "+", "l": ",", "m": "-", "n": ".", "o": "/", "X": "=",
          **{chr(ord("p") + digit): str(digit) for digit in range(10)}}  # fmt: skip
STRINGS = frozenset(b"]P_")
"""After ESC: OSC, DCS, APC. Such a string ends with ESC \\ (OSC also with BEL)."""

BEGINNINGS = frozenset((b"\x1b", b"\x1b[", b"\x1bO", b"\x1b]", b"\x1bP", b"\x1b_"))
"""What may be a whole key (Escape, Alt and a key) or the first bytes of a sequence: only time tells."""


class Decoder:
    """Feed it what arrives; it keeps an unfinished rest, at most LONGEST_PASTE bytes. Never raises."""

    __slots__ = ("_paste", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._paste: bytearray | None = None

    @property
    def waiting(self) -> bool:
        """An ESC may be a key or the beginning of a sequence: call `flush` if nothing follows in 50 ms."""
        return self._paste is None and self._rest in BEGINNINGS

    def feed(self, data: bytes) -> list[Input]:
        """The events that `data` completes, in order."""
        events: list[Input] = []
        data = self._rest + data
        self._rest = b""
        at = 0
        while at < len(data):
            if self._paste is not None:
                at = self._pasted(data, at, events)
                continue
            event, taken = _next(data, at)
            if not taken:
                break
            at += taken
            if event is PASTE:
                self._paste = bytearray()
            elif event is not None:
                events.append(event)
        self._rest += data[at:]
        return events

    def flush(self) -> list[Input]:
        """What `waiting` is about, taken for keys: ESC alone, or Alt and a key."""
        if not self.waiting:
            return []
        rest, self._rest = self._rest, b""
        if len(rest) == 1:
            return [Key("escape")]
        return [Key("alt-" + chr(rest[1]))]

    def _pasted(self, data: bytes, at: int, events: list[Input]) -> int:
        """Collect pasted bytes from `at`; the place after them. What may be half of the end mark is kept."""
        assert self._paste is not None
        end = data.find(PASTE_END, at)
        stop = end if end >= 0 else len(data) - _overlap(data[at:])
        self._paste += data[at : min(stop, at + LONGEST_PASTE - len(self._paste))]
        if end < 0:
            self._rest = data[stop:]
            return len(data)
        events.append(Paste(self._paste.decode("utf-8", "replace")))
        self._paste = None
        return end + len(PASTE_END)


PASTE = Paste("")
"""Stands for the beginning of a paste while decoding."""


def _overlap(data: bytes) -> int:
    """Length of the longest end of `data` that begins PASTE_END."""
    return next((size for size in range(len(PASTE_END) - 1, 0, -1) if data.endswith(PASTE_END[:size])), 0)


def _next(data: bytes, at: int) -> tuple[Input | None, int]:
    """The event at `at` and its bytes; (None, n) swallows n bytes; (None, 0) means that more must come."""
    byte = data[at]
    if byte == 0x1B:
        return _escape(data, at)
    if byte < 0x20 or byte == 0x7F:
        return Key(_control(byte)), 1
    if byte < 0x80:
        char = chr(byte)
        return Key("space" if char == " " else char, char), 1
    return _utf8(data, at)


def _control(byte: int) -> str:
    return CONTROL.get(byte) or "ctrl-" + chr(byte + 0x60)


def _utf8(data: bytes, at: int) -> tuple[Input | None, int]:
    size = 2 if 0xC2 <= data[at] < 0xE0 else 3 if data[at] < 0xF0 else 4 if data[at] < 0xF5 else 1
    if data[at] < 0xC2:
        return None, 1
    piece = data[at : at + size]
    wrong = next((place for place, byte in enumerate(piece[1:], 1) if not 0x80 <= byte < 0xC0), 0)
    if wrong:
        return None, wrong
    if len(piece) < size:
        return None, 0
    try:
        char = piece.decode()
    except UnicodeDecodeError:
        return None, size
    return Key(char, char), size


def _escape(data: bytes, at: int) -> tuple[Input | None, int]:
    if at + 1 == len(data):
        return None, 0
    follows = data[at + 1]
    if follows == 0x1B:
        return Key("escape"), 1
    if follows == 0x5B:
        return _csi(data, at)
    if follows == 0x4F:
        return _ss3(data, at)
    if follows in STRINGS:
        return _string(data, at)
    event, taken = _next(data, at + 1)
    if isinstance(event, Key):
        return Key("alt-" + event.name), taken + 1
    return event, taken + 1 if taken else 0


def _string(data: bytes, at: int) -> tuple[Input | None, int]:
    """A terminal's reply, swallowed. Like a terminal: ESC, CAN and SUB end it wherever they come."""
    if at + 2 == len(data):
        return None, 0
    for place in range(at + 2, min(len(data), at + LONGEST_SEQUENCE)):
        byte = data[place]
        if byte in (0x07, 0x18, 0x1A):
            return None, place + 1 - at
        if byte == 0x1B:
            if place + 1 == len(data):
                return None, 0
            return None, place + (2 if data[place + 1] == 0x5C else 0) - at
    return None, LONGEST_SEQUENCE if len(data) - at >= LONGEST_SEQUENCE else 0


def _ss3(data: bytes, at: int) -> tuple[Input | None, int]:
    if at + 2 == len(data):
        return None, 0
    final = chr(data[at + 2])
    if final in FINALS:
        return Key(FINALS[final]), 3
    if final in KEYPAD:
        return Key(KEYPAD[final], KEYPAD[final] if final != "M" else ""), 3
    return None, 3 if 0x40 <= data[at + 2] < 0x7F else 2


def _csi(data: bytes, at: int) -> tuple[Input | None, int]:
    for place in range(at + 2, min(len(data), at + LONGEST_SEQUENCE)):
        byte = data[place]
        if 0x40 <= byte < 0x7F:
            body = data[at + 2 : place].decode("ascii")
            return _sequence(body, chr(byte)), place + 1 - at
        if not 0x20 <= byte < 0x40:
            return None, place - at
    return None, LONGEST_SEQUENCE if len(data) - at >= LONGEST_SEQUENCE else 0


def _sequence(body: str, final: str) -> Input | None:
    """The event of `CSI body final`; None where it is none of ours."""
    if body.startswith("<") and final in "Mm":
        return _mouse(body[1:], released=final == "m")
    first, _, modifier = body.partition(";")
    if final == "~":
        if first == "200":
            return PASTE
        name = TILDES.get(first)
    else:
        name = FINALS.get(final) if first in ("", "1") else None
    if name is None or not (modifier == "" or modifier.isdecimal()):
        return None
    bits = int(modifier[:4]) - 1 if modifier else 0
    return Key(_modifiers(bits & 1, bits & 2, bits & 4) + name)


def _modifiers(shift: int, alt: int, ctrl: int) -> str:
    return ("shift-" if shift else "") + ("alt-" if alt else "") + ("ctrl-" if ctrl else "")


def _mouse(body: str, released: bool) -> Input | None:
    numbers = body.split(";")
    if len(numbers) != 3 or not all(number.isdecimal() and len(number) < 6 for number in numbers):
        return None
    code, x, y = map(int, numbers)
    modifiers = _modifiers(code & 4, code & 8, code & 16)
    x, y = max(0, x - 1), max(0, y - 1)
    if code & 64:
        match code & 3:
            case 0:
                return Mouse("wheel-up", 0, x, y, modifiers)
            case 1:
                return Mouse("wheel-down", 0, x, y, modifiers)
        return None
    button = (code & 3) + 1 if code & 3 != 3 else 0
    if released:
        return Mouse("release", button, x, y, modifiers)
    if code & 32:
        return Mouse("drag", button, x, y, modifiers) if button else None
    return Mouse("press", button, x, y, modifiers) if code < 128 else None
