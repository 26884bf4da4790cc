"""Being told at once when a process exits."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

from opensessions.processes.identity import ProcId, liveness


class Exits:
    """Watches processes through pidfds in the running event loop, at no cost until one exits.

    Where the system has none (macOS, Linux before 5.3) or no descriptor is left, it watches nothing: a scan then
    notices.
    """

    def __init__(self, on_exit: Callable[[int], None]) -> None:
        """`on_exit` is called in the loop, with the pid, once for each watched process."""
        self._on_exit = on_exit
        self._handles: dict[ProcId, int] = {}

    def watch(self, processes: Mapping[int, int]) -> None:
        """From now on watch exactly these (pid -> start). One that is gone already is told of soon."""
        wanted = {ProcId(pid, start) for pid, start in processes.items()}
        for process in self._handles.keys() - wanted:
            self._release(process)
        for process in wanted - self._handles.keys():
            self._begin(process)

    def close(self) -> None:
        """Watch nothing any more."""
        self.watch({})

    def _begin(self, process: ProcId) -> None:
        loop = asyncio.get_running_loop()
        try:
            handle = os.pidfd_open(process.pid)
        except ProcessLookupError:
            loop.call_soon(self._on_exit, process.pid)
            return
        except (AttributeError, OSError):
            return
        if liveness(process) == "dead":
            # The pid is another process's by now. Only after opening is it certain which one is held.
            os.close(handle)
            loop.call_soon(self._on_exit, process.pid)
            return
        self._handles[process] = handle
        loop.add_reader(handle, self._exited, process)

    def _exited(self, process: ProcId) -> None:
        self._release(process)
        self._on_exit(process.pid)

    def _release(self, process: ProcId) -> None:
        handle = self._handles.pop(process)
        asyncio.get_running_loop().remove_reader(handle)
        os.close(handle)
