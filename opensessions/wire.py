"""Frames on the server's socket: one kind byte, a four-byte big-endian length, the payload.

Standard library only. The kinds are all here, so that both ends read the same page:

From a client
  `H` hello of a sidebar: fields (see `fields`), `pane`, `socket`, `cols`, `rows`, `term`, `colorterm`, `pid`; of one
      in a popup also `client`, over which it lies, and `pane` is empty
  `K` raw bytes that the sidebar's terminal sent
  `R` resize: fields `cols`, `rows`
  `T` tell: fields `verb` and its arguments; no answer (thin scripts)
  `A` ask: fields `verb` and its arguments; answered by `J` or `E` (command line)
From the server
  `P` paint: bytes for the sidebar's terminal
  `B` bye: the sidebar must end (payload: why, for people); without it an end of stream means "reconnect"
  `J` an answer: one JSON value; a stream of them where the verb is `watch`
  `E` an error: one sentence
"""

from __future__ import annotations

from opensessions.errors import WireError

LIMIT = 8 << 20
"""No payload is larger; a bigger length means that the peer does not speak this protocol."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame as bytes. `kind` is a single byte."""
    return kind + len(payload).to_bytes(4, "big") + payload


def pack_fields(**values: str | int) -> bytes:
    """`name=value` pairs joined by NUL; values are text without NUL (one inside is dropped)."""
    return b"\0".join(
        f"{name}={value}".replace("\0", "").encode("utf-8", "surrogateescape")
        for name, value in values.items()
    )


def fields(payload: bytes) -> dict[str, str]:
    """The pairs of `pack_fields`; WireError where a part has no `=`."""
    pairs: dict[str, str] = {}
    for part in payload.split(b"\0") if payload else ():
        name, equals, value = part.partition(b"=")
        if not equals:
            raise WireError("A frame on the server's socket holds a field without '='.")
        pairs[name.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
    return pairs


class Frames:
    """Cuts a byte stream into frames. Feed it what arrives; it keeps the unfinished rest."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The frames that `data` completes, as (kind, payload), in order. WireError on a length over LIMIT."""
        rest = self._rest
        rest += data
        done: list[tuple[bytes, bytes]] = []
        start = 0
        while len(rest) - start >= 5:
            length = int.from_bytes(rest[start + 1 : start + 5], "big")
            if length > LIMIT:
                raise WireError(
                    f"A frame on the server's socket claims {length} bytes; the limit is {LIMIT}."
                )
            end = start + 5 + length
            if len(rest) < end:
                break
            done.append((bytes(rest[start : start + 1]), bytes(rest[start + 5 : end])))
            start = end
        if start:
            del rest[:start]
        return done
