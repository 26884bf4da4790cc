"""The HTTP API on a loopback port, for who wants it: behind a token, and deaf to browsers.

Every user of the machine and every page in a browser can reach a loopback port. So each request must bear the token
that only this user can read, must be addressed to this port by its own name (a page whose name was made to point
here is not), and must come from no page at all.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Mapping
from hmac import compare_digest

from opensessions.config import Api as Settings
from opensessions.errors import OpenSessionsError
from opensessions.private import write_private
from opensessions.server.http import Door, Fault, Http, Site

log = logging.getLogger(__name__)

CONNECTIONS = 64
"""At a time: other users of the machine may knock as well."""


class Tcp:
    """The listener, and the two files that tell where it is and what it asks for."""

    def __init__(self, settings: Settings, runtime: str, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._files = (f"{runtime}/token", f"{runtime}/api.port")
        self._http: Http | None = None

    async def open(self) -> list[asyncio.Server]:
        """Listen if the configuration says so; none where it does not, or where the port cannot be had, which the
        log tells. What a killed predecessor left is removed."""
        self._remove()
        if not self._settings.tcp:
            return []
        host = self._settings.host
        token = secrets.token_hex(32)
        hosts: set[str] = set()
        self._http = Http(self._site, door(token, hosts), CONNECTIONS)
        try:
            server = await asyncio.start_server(
                self._http.handle, host, self._settings.port, start_serving=False
            )
        except OSError as error:
            log.error("The API does not listen on TCP: %s port %s: %s", host, self._settings.port, error)
            return []
        port = server.sockets[0].getsockname()[1]
        hosts |= {f"[{host}]:{port}" if ":" in host else f"{host}:{port}", f"localhost:{port}"}
        try:
            for path, text in zip(self._files, (token, str(port)), strict=True):
                write_private(path, f"{text}\n".encode())
        except OpenSessionsError as error:
            log.error("The API does not listen on TCP: %s", error)
            server.close()
            self._remove()
            return []
        await server.start_serving()
        log.info("the API listens on %s port %s", host, port)
        return [server]

    def close(self, intact: bool) -> None:
        """End every connection; remove the files if the runtime directory is still ours."""
        if self._http:
            self._http.close()
            if intact:
                self._remove()

    def _remove(self) -> None:
        for path in self._files:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


def door(token: str, hosts: set[str]) -> Door:
    """Lets in who is addressed to one of `hosts` (`name:port`), comes from no page, and bears the token."""

    def check(headers: Mapping[str, list[str]]) -> None:
        if "".join(headers.get("host", [])).lower() not in hosts:
            raise Fault(421, "The Host header must name this port: HOST:PORT or localhost:PORT.")
        if "origin" in headers:
            raise Fault(403, "Requests from pages in a browser are refused.")
        scheme, _, given = ",".join(headers.get("authorization", [])).partition(" ")
        right = compare_digest(given.strip().encode("latin-1"), token.encode())
        if scheme.lower() != "bearer" or not right:
            raise Fault(
                401,
                "The header `Authorization: Bearer TOKEN` is needed; the token stands in the file `token`.",
            )

    return check
