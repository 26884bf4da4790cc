"""A sweep without a server: for logout scripts, and for when the server is gone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from opensessions import config, installation, paths
from opensessions.processes.audit import Audit
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import this_system
from opensessions.provider import Context
from opensessions.server.awake import Clock
from opensessions.server.bus import Bus
from opensessions.server.looks import Looks
from opensessions.server.reaper import Answer, Reaper
from opensessions.server.sweep import Sweep


def sweep(
    runtime: str, settings: config.Reap, arguments: Mapping[str, str], apart: float, act: bool
) -> Answer:
    """One sweep by this process, see `Reaper.reap`; with `act` off what it would do. Blocks for `apart` seconds and as
    long as processes take to end. The caller has made sure that no server runs in `runtime`."""
    return asyncio.run(_sweep(runtime, settings, arguments, apart, act))


async def _sweep(
    runtime: str, settings: config.Reap, arguments: Mapping[str, str], apart: float, act: bool
) -> Answer:
    state = paths.ensure_private(paths.state_dir())
    # Multiplexers are only read: whoever owns their sidebars does not matter.
    context = Context(
        "", runtime, installation.interpreter(), sys.executable, f"{installation.plugin_folder()}/scripts"
    )
    audit = Audit(f"{state}/reap.log")
    own = Sweep(state, "", Looks(context), this_system(), audit)
    reaper = Reaper(Bus(""), own, Receipts(state), audit, state, settings, Clock(settings.grace))
    return await (reaper.reap if act else reaper.plan)(arguments, apart)
