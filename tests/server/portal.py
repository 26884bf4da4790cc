"""A desktop's portal on a real session bus: `python portal.py NUMBER` owns its name, answers what its color-scheme is,
and says each number that it reads on standard input as a change. Just enough of the D-Bus protocol for that."""

from __future__ import annotations

import os
import select
import socket
import struct
import sys

CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_TO, DESTINATION, SENDER, SIGNATURE = 1, 2, 3, 4, 5, 6, 7, 8
OBJECT, SETTINGS = "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings"
BUS = {PATH: "/org/freedesktop/DBus", INTERFACE: "org.freedesktop.DBus", DESTINATION: "org.freedesktop.DBus"}


def pad(data: bytes, to: int) -> bytes:
    return data + b"\0" * (-len(data) % to)


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode() + b"\0"


def signature(value: str) -> bytes:
    return bytes([len(value)]) + value.encode() + b"\0"


def message(kind: int, serial: int, fields: dict[int, str | int], body: bytes = b"") -> bytes:
    header = b""
    for code, value in fields.items():
        form = {PATH: "o", REPLY_TO: "u", SIGNATURE: "g"}.get(code, "s")
        header = pad(header, 8) + bytes([code]) + signature(form)
        if form == "u":
            header = pad(header, 4) + struct.pack("<I", int(value))
        else:
            header = header + signature(str(value)) if form == "g" else pad(header, 4) + text(str(value))
    start = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), serial, len(header))
    return pad(start + header, 8) + body


def variant(number: int, at: int) -> bytes:
    """A variant that holds the number, at this place of a body."""
    start = signature("u")
    return start + b"\0" * (-(at + len(start)) % 4) + struct.pack("<I", number)


class Portal:
    def __init__(self, address: str, number: int) -> None:
        self.number = number
        self.serial = 0
        self.data = b""
        self.line = socket.socket(socket.AF_UNIX)
        told = dict(part.partition("=")[::2] for part in address.split(":", 1)[1].split(","))
        self.line.connect(told["path"] if "path" in told else "\0" + told["abstract"])
        self.line.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert self.line.recv(4096).startswith(b"OK")
        self.line.sendall(b"BEGIN\r\n")
        self.send(CALL, {**BUS, MEMBER: "Hello"})
        name = text("org.freedesktop.portal.Desktop")
        self.send(CALL, {**BUS, MEMBER: "RequestName", SIGNATURE: "su"}, pad(name, 4) + struct.pack("<I", 0))

    def send(self, kind: int, fields: dict[int, str | int], body: bytes = b"") -> None:
        self.serial += 1
        self.line.sendall(message(kind, self.serial, fields, body))

    def serve(self) -> None:
        while True:
            ready, _, _ = select.select([self.line, sys.stdin], [], [])
            if self.line in ready:
                self.data += self.line.recv(65536)
                while self.take():
                    pass
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line:
                    return
                self.number = int(line)
                self.tell()

    def take(self) -> bool:
        """One message of the bus, if all of it is there."""
        if len(self.data) < 16:
            return False
        kind, body, serial, size = struct.unpack("<xBxxIII", self.data[:16])
        whole = 16 + size + (-size % 8) + body
        if len(self.data) < whole:
            return False
        fields = self.fields(self.data[16 : 16 + size])
        self.data = self.data[whole:]
        if kind == CALL and fields.get(MEMBER) == "Read":
            # Read answers a variant within a variant.
            inner = signature("v")
            back = {REPLY_TO: serial, DESTINATION: str(fields[SENDER]), SIGNATURE: "v"}
            self.send(REPLY, back, inner + variant(self.number, len(inner)))
        elif kind == CALL:  # gdbus asks first what there is to call
            unknown = "org.freedesktop.DBus.Error.UnknownMethod"
            self.send(ERROR, {REPLY_TO: serial, DESTINATION: str(fields[SENDER]), ERROR_NAME: unknown})
        elif kind == REPLY and fields.get(REPLY_TO) == 2:
            print("ready", flush=True)
        return True

    def fields(self, data: bytes) -> dict[int, str | int]:
        found: dict[int, str | int] = {}
        at = 0
        while at < len(data):
            at += -at % 8
            code, form = data[at], chr(data[at + 2])
            at += 4
            if form == "g":
                found[code] = data[at + 1 : at + 1 + data[at]].decode()
                at += data[at] + 2
                continue
            at += -at % 4
            (number,) = struct.unpack("<I", data[at : at + 4])
            at += 4
            if form == "u":
                found[code] = number
            else:
                found[code] = data[at : at + number].decode()
                at += number + 1
        return found

    def tell(self) -> None:
        body = pad(text("org.freedesktop.appearance"), 4) + text("color-scheme")
        fields: dict[int, str | int] = {
            PATH: OBJECT, INTERFACE: SETTINGS, MEMBER: "SettingChanged", SIGNATURE: "ssv",
        }  # fmt: skip
        self.send(SIGNAL, fields, body + variant(self.number, len(body)))


if __name__ == "__main__":
    Portal(os.environ["DBUS_SESSION_BUS_ADDRESS"], int(sys.argv[1])).serve()
