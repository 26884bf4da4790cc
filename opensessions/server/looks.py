"""Fresh readings of the multiplexers that receipts name, and of all others that are served."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence

from opensessions.errors import MuxError
from opensessions.model import Inventory
from opensessions.openers import opener
from opensessions.processes.census import Census
from opensessions.processes.plan import MuxFacts
from opensessions.processes.receipt import Place, Receipt
from opensessions.provider import Context, Provider

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds for one multiplexer's reading."""


class Looks:
    """Reads them, all at once: one that does not answer keeps nobody waiting."""

    def __init__(self, context: Context, served: Callable[[], Mapping[str, Provider]] = dict) -> None:
        """`served`: the providers of the multiplexers that the server serves, by key."""
        self._context = context
        self._served = served
        self._opened: dict[str, Provider] = {}
        """Those that only receipts name."""

    async def take(self, receipts: Iterable[Receipt], census: Census) -> dict[str, MuxFacts]:
        """What is known of each now; the census was taken before. Of one that does not answer, or not completely, there
        is no inventory."""
        places: dict[str, list[Place]] = {}
        for receipt in receipts:
            if receipt.place is not None:
                places.setdefault(receipt.place.key, []).append(receipt.place)
        providers = dict(self._served())
        for key, group in places.items():
            if key not in providers and (provider := self._open(key, group[0])):
                providers[key] = provider
        self._opened = {key: each for key, each in self._opened.items() if key in places}
        readings = await asyncio.gather(*(_reading(each) for each in providers.values()))
        inventories = dict(zip(providers, readings, strict=True))
        return {
            key: await _facts(key, inventories.get(key), places.get(key, ()), census)
            for key in sorted(providers.keys() | places.keys())
        }

    def _open(self, key: str, place: Place) -> Provider | None:
        """A provider for a multiplexer that nobody serves; nothing is started. None where its key is another one, as
        after a socket's folder was moved."""
        if key not in self._opened:
            open_provider = opener(place.kind)
            provider = open_provider(place.socket, "", self._context) if open_provider else None
            if provider is None or provider.key != key:
                return None
            self._opened[key] = provider
        return self._opened[key]


async def _facts(key: str, inventory: Inventory | None, places: Sequence[Place], census: Census) -> MuxFacts:
    if inventory is not None:
        stat = census.stats.get(inventory.server_pid)
        lived = stat is not None and not stat.exited
        return MuxFacts(key, "alive" if lived else "unknown", inventory)
    ended = bool(places) and all(census.fate(place.server) == "dead" for place in places)
    gone = ended and await asyncio.to_thread(nobody_listens, {place.socket for place in places})
    return MuxFacts(key, "dead" if gone else "unknown")


def nobody_listens(addresses: Iterable[str]) -> bool:
    """Is there certainly no server at any of these sockets? Blocks for a second where one is stopped."""
    for address in addresses:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(1.0)
            try:
                line.connect(address)
            except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
                continue
            except OSError:
                return False
        return False
    return True


async def _reading(provider: Provider) -> Inventory | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await provider.look()
    except TimeoutError:
        log.info("%s does not answer: nothing is judged of it", provider.socket)
    except MuxError as error:
        log.info("%s: nothing is judged of it: %s", provider.socket, error)
    return None
