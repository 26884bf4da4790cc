"""One look at all trees: reads the process table and what else is evidence, and lets the pure part judge."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping

from msgspec import Struct

from opensessions.errors import OpenSessionsError
from opensessions.processes.belonging import pids_of, servers, strays
from opensessions.processes.census import Census, take
from opensessions.processes.contained import contained
from opensessions.processes.details import examine
from opensessions.processes.receipt import Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import ProcessSource
from opensessions.processes.trackers import Tree, trackers
from opensessions.server.tree_choice import Started
from opensessions.state import State

log = logging.getLogger(__name__)

Doubt = tuple[str, str, int]
"""(multiplexer, pane, pid of its process as the last reading told it)."""


class View(Struct, frozen=True):
    """All trees of one moment."""

    state: State
    trees: Mapping[str, Mapping[str, Tree]]
    """By multiplexer and pane."""
    managed: frozenset[Started]
    """Those that `opensessions run` has started."""
    doubts: frozenset[Doubt]
    """Panes whose process was not to be seen, though their multiplexer answers."""
    census: Census


def read_trees(
    source: ProcessSource, kept: Receipts, state: State, before: Mapping[str, Mapping[str, Tree]]
) -> View:
    """Blocks for 11 µs for each process of the machine, and for 30 µs more for each whose environment alone may lead to
    it. `before`: the trees of the last look."""
    receipts = _receipts(kept)
    table, groups = contained(receipts, take(source), source)
    serves = servers(table)
    inventories = {key: mux.inventory for key, mux in state.muxes.items() if mux.reachable and mux.inventory}
    trees = {}
    for key in state.muxes:
        inventory = inventories.get(key)
        elsewhere = {pid for other, each in inventories.items() if other != key for pid in pids_of(each)}
        trees[key] = trackers(
            key, inventory, table, before.get(key, {}),
            elsewhere=elsewhere, serves=serves, groups=groups,
            variables=_environments(strays(inventory, table) if inventory else (), table, source),
        )  # fmt: skip
    doubts = frozenset(
        (key, pane, tree.generation.pid)
        for key, group in trees.items()
        for pane, tree in group.items()
        if key in inventories and tree.confidence == "unknown"
    )
    managed = frozenset(
        (receipt.process.pid, receipt.process.start) for receipt in receipts if receipt.origin == "managed"
    )
    return View(state, trees, managed, doubts, table)


def _receipts(kept: Receipts) -> tuple[Receipt, ...]:
    try:
        return kept.read()
    except OpenSessionsError as error:  # it stands in the log: the reaper reads them all the time
        log.debug("%s", error)
        return ()


def _environments(
    pids: Collection[int], table: Census, source: ProcessSource
) -> dict[int, Mapping[str, str]]:
    """Of this user's processes only."""
    own = (os.getuid(),) * 3
    return {
        pid: details.variables
        for pid, details in examine(source, pids, table).items()
        if details.uids == own and details.variables is not None
    }
