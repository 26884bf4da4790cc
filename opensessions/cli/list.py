"""`opensessions list`"""

from __future__ import annotations

import argparse

from msgspec.json import decode

from opensessions import caller, start
from opensessions.cli.talk import running
from opensessions.model import MuxView, Row
from opensessions.order import UNPRINTABLE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="the whole snapshot as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """The snapshot, as JSON or as a table."""
    payload = start.ask(running(caller.find()), "state")
    if arguments.json:
        print(payload.decode())
        return 0
    muxes = decode(payload, type=dict[str, object])["muxes"]
    views = [decode_view(mux) for mux in muxes] if isinstance(muxes, list) else []
    if not any(view.sessions for view in views):
        print("No session is known; run `opensessions up` inside tmux.")
    for view in views:
        if len(views) > 1:
            print(f"{view.provider} {view.key}")
        for row in view.sessions:
            print(table_row(row))
    return 0


def decode_view(mux: object) -> MuxView:
    """One multiplexer of the snapshot."""
    from msgspec import convert

    return convert(mux, MuxView)


def table_row(row: Row) -> str:
    """One session in one line."""
    index = "-" if row.index is None else str(row.index)
    agents = ", ".join(f"{agent.agent} {agent.state}" for agent in row.agents)
    mark = "*" if row.attached else " "
    hidden = " (hidden)" if row.hidden else ""
    return f"{index:>3} {mark} {row.name.translate(UNPRINTABLE)}{hidden}" + (
        f"  [{agents}]" if agents else ""
    )
