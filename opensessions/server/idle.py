"""When the server may leave. Pure: the facts go in, the verdict comes out."""

from __future__ import annotations

from opensessions.state import State


def reasons(state: State, pumps: int, api_clients: int, pending: int = 0) -> tuple[str, ...]:
    """Why the server stays, as words for the log and `doctor`; empty: nothing needs it. `pending`: orphans that
    the next sweeps will end."""
    found = []
    if pumps:
        found.append(f"{pumps} sidebar(s) connected")
    if api_clients:
        found.append(f"{api_clients} API client(s) connected")
    if pending:
        found.append(f"{pending} orphan(s) to be ended")
    for mux in state.muxes.values():
        if mux.inventory and mux.inventory.clients:
            found.append(f"{len(mux.inventory.clients)} client(s) attached to {mux.socket}")
        if any(agent.liveness == "alive" for group in mux.agents.values() for agent in group):
            found.append(f"agents live in {mux.socket}")
    return tuple(found)


def looked_at(state: State) -> bool:
    """Does any client with a terminal look at any multiplexer?"""
    return any(mux.reachable and mux.inventory and mux.inventory.viewers() for mux in state.muxes.values())
