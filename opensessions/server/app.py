"""The composition root: puts the rooms together, runs them in one task group, and leaves in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import Coroutine
from typing import Any

from opensessions import __version__, config, installation, paths
from opensessions.agents.known import kinds
from opensessions.context.git import Git
from opensessions.context.ports import this_system as listeners
from opensessions.processes.audit import Audit
from opensessions.processes.instances import living
from opensessions.processes.source import this_system
from opensessions.provider import Context, SidebarWish
from opensessions.server.agent_events import AgentEvents
from opensessions.server.agents import AgentWatch
from opensessions.server.api import Api
from opensessions.server.appearance import Appearance
from opensessions.server.approve import Approval
from opensessions.server.attention import Attention
from opensessions.server.belongings import Belongings
from opensessions.server.bus import Bus
from opensessions.server.context import ContextWatch
from opensessions.server.cross import CrossVerb
from opensessions.server.crossing import Crossings
from opensessions.server.detail import Details
from opensessions.server.ender import Ender
from opensessions.server.endings import Endings
from opensessions.server.guard import Guard, Holder
from opensessions.server.hearing import Hearing
from opensessions.server.hibernate import Hibernation
from opensessions.server.http import Http
from opensessions.server.idle import reasons
from opensessions.server.listen import Line
from opensessions.server.log import open_log
from opensessions.server.metadata import Remarks
from opensessions.server.muxes import Muxes
from opensessions.server.notify import Notifier
from opensessions.server.orphans import Orphans, claim
from opensessions.server.parting import Parting
from opensessions.server.ports import PortWatch
from opensessions.server.previews import Previews
from opensessions.server.rounds import Rounds
from opensessions.server.schemes import Mac, Portal
from opensessions.server.screens import Screens
from opensessions.server.sessions import Sessions
from opensessions.server.sidebars import Sidebars
from opensessions.server.store import DetailWish, Store
from opensessions.server.supervise import contain, supervise
from opensessions.server.tcp import Tcp
from opensessions.server.tracking import Tracker
from opensessions.server.trees import Trees
from opensessions.server.verbs import Verbs
from opensessions.server.whereabouts import Finder
from opensessions.server.windows import Windows
from opensessions.sidebar.keymap import keymap
from opensessions.sidebar.view import ViewOptions
from opensessions.state import State

log = logging.getLogger(__name__)

HARD_STOP = 5
"""Seconds after which a stop that hangs becomes hard."""


def run(runtime: str, guard: Guard, to_terminal: bool = False) -> int:
    """Serve until there is no reason to, or a signal says so. The lock is held already."""
    state = paths.ensure_private(paths.state_dir())
    loaded = config.load(paths.config_file())
    open_log(state, loaded.config.log_level, to_terminal)
    for problem in loaded.problems:
        log.warning("%s", problem)
    _forget_last_words(runtime)
    os.chdir("/")
    os.umask(0o077)
    holder = Holder(os.getpid(), __version__, installation.root(), str(uuid.uuid4()), time.time())
    guard.announce(holder)
    log.info("server %s started in %s, instance %s", __version__, runtime, holder.instance)
    instance = claim(state, holder.instance)
    _watch_children()
    try:
        asyncio.run(Server(runtime, state, holder, guard, loaded.config).serve())
    finally:
        if instance:
            instance.release()
        guard.release()
    log.info("server ended")
    return 0


def _forget_last_words(runtime: str) -> None:
    """What a predecessor said before its log was open is of no use once we run."""
    try:
        os.truncate(f"{runtime}/server.err", 0)
    except FileNotFoundError:
        pass  # it was started in the foreground


def _watch_children() -> None:
    """Python 3.12 and later are told of a child's end by its pidfd; 3.11 has a thread wait for each child."""
    if sys.version_info < (3, 12) and hasattr(os, "pidfd_open"):
        try:
            os.close(os.pidfd_open(os.getpid()))
        except OSError:
            return  # Linux before 5.3
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())


def _limit_stop() -> None:
    """From the first call on this process has HARD_STOP seconds: then the kernel's alarm ends it."""
    if not signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(HARD_STOP)


class Server:
    """One run."""

    def __init__(
        self, runtime: str, state: str, holder: Holder, guard: Guard, settings: config.Config
    ) -> None:
        self._runtime = runtime
        self._guard = guard
        self._settings = settings
        self._bus = Bus(holder.instance)
        store = Store(state)
        interpreter = installation.interpreter()
        scripts = f"{installation.plugin_folder()}/scripts"
        context = Context(store.owner(), runtime, interpreter, sys.executable, scripts)
        wish = SidebarWish(
            settings.sidebar.visible, settings.sidebar.width, settings.sidebar.position, settings.sidebar.lone
        )
        published = {"pid": str(holder.pid), "runtime": runtime, "interpreter": interpreter}
        self._muxes = Muxes(
            self._bus, store, runtime, context, wish, published, settings.sidebar.mode, settings.ascii
        )
        look = ViewOptions(
            settings.ascii, os.path.expanduser("~"), settings.sidebar.metadata, settings.sidebar.attention,
            settings.sidebar.others,
        )  # fmt: skip
        self._muxes.groups = settings.sidebar.groups
        self._belongings = Belongings(self._bus)
        self._appearance = Appearance(settings, state)
        self._previews = Previews(self._bus, self._muxes)
        detail = DetailWish(settings.sidebar.detail, settings.sidebar.detail_height)
        self._details = Details(self._bus, self._previews, store, detail, self._spawn)
        approval = Approval(
            self._bus, self._muxes, context.owner, settings.approve.from_sidebar, paths.config_file()
        )
        self._sidebars = Sidebars(
            self._bus,
            self._muxes,
            self._appearance,
            self._details,
            look,
            self._spawn,
            keymap(settings.keys),
            approval,
        )
        self._verbs = Verbs(holder, self._bus, self._muxes, self._sidebars, self._spawn, self.stop)
        finder = Finder(self._bus, self._muxes)
        self._notifier = Notifier(self._bus, self._muxes, self._sidebars, settings.notify, self._spawn)
        remarks = Remarks(self._bus, finder, self._notifier.tell)
        for verb in remarks.calls:
            self._verbs.add(verb, remarks.from_text)
        self._agent_events = AgentEvents(self._bus, finder)
        api = Api(self._verbs, {**remarks.paths, "/api/agent-event": self._agent_events.tell})
        self._api = Http(api)
        self._tcp = Tcp(settings.api, runtime, api)
        self._tracker = Tracker(self._bus, this_system())
        self._agents = AgentWatch(self._bus, kinds(settings.agents), this_system(), self._tracker)
        self._orphans = Orphans(
            self._bus, self._muxes, self._tracker, this_system(), context, state, holder.instance, settings.reap,
            self._spawn, self._agents.sweep,
        )  # fmt: skip
        self._agents.on_found = self._orphans.keeper.note
        self._agents.on_missing = self._read_again
        self._agents.watched = lambda: self._verbs.watchers > 0
        self._verbs.look = self._agents.ask
        self._verbs.add("reap", self._orphans.reaper.reap)
        self._verbs.add("reap-plan", self._orphans.reaper.plan)
        self._verbs.add("orphans", self._orphans.reaper.listed)
        self._verbs.pending = lambda: self._orphans.reaper.pending
        git = Git(f"{runtime}/git", os.path.expanduser("~"))
        self._context = ContextWatch(self._bus, git, lambda: self._agents.processes)
        self._sidebars.programs_from(lambda: self._agents.processes)
        self._agents.on_processes = self._stirred
        self._ports = PortWatch(self._bus, listeners(), lambda: self._agents.processes)
        self._screens = Screens(self._bus, self._muxes, self._tracker)
        hearing = Hearing(self._bus, self._tracker, self._agents.is_helper, self._agents.is_agent)
        self._verbs.add("agent-hook", hearing.hook)
        self._agent_events.on_event = hearing.event
        self._parting = Parting(self._bus)
        self._trees = Trees(self._bus, this_system(), self._tracker, state)
        self._trees.orphans = self._orphans.reaper.orphans
        self._trees.reread = self._read_again
        self._details.measured_by(self._trees)
        self._verbs.add("ps", self._trees.ps)
        self._verbs.add_stream("ps-watch", self._trees.watch)
        undo = self._sidebars.deeds.undo
        crossings = Crossings(
            self._bus, self._muxes, runtime, (interpreter, "-I", "-S", f"{scripts}/cross.py")
        )
        self._sidebars.deeds.crossings = crossings
        self._verbs.add("cross", CrossVerb(self._bus, self._muxes, self._verbs, crossings))
        attention = Attention(
            self._bus, self._muxes, self._verbs, self._tracker, undo,
            crossings if settings.sidebar.others else None,
        )  # fmt: skip
        self._ender = Ender(
            self._bus, self._muxes, this_system(), Audit(f"{state}/reap.log"), settings.reap.term_wait,
            lambda: living(state),
        )  # fmt: skip
        endings = Endings(
            self._bus, self._muxes, self._verbs, attention, self._tracker, this_system(), self._ender
        )
        self._hibernation = Hibernation(
            self._bus, self._muxes, self._verbs, attention, self._tracker, endings, this_system(),
            settings.hibernate.after, self._spawn,
        )  # fmt: skip
        Sessions(self._bus, self._muxes, self._verbs, undo)
        Windows(self._muxes, self._verbs)
        self._verbs.add("theme", self._appearance.verb)
        self._sidebars.deeds.act = self._verbs.call
        self._stopping = asyncio.Event()
        self._restart = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._leave_timer: asyncio.TimerHandle | None = None
        self._bus.observe(self._on_change)
        self._verbs.on_count = self._counted

    async def serve(self) -> None:
        """Until `stop`. Whatever hangs after it, such as a thread that `asyncio.run` waits for, is ended hard."""
        try:
            await self._serve()
        finally:
            _limit_stop()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop, f"signal {number.name}", False)
        async with asyncio.TaskGroup() as self._group:
            self._muxes.start(self._group, self._last_gone)
            listeners = [
                await self._listen(paths.server_socket(self._runtime)),
                await asyncio.start_unix_server(self._api.handle, self._own(paths.api_socket(self._runtime))),
                *await self._tcp.open(),
            ]
            rounds = Rounds(self._bus, self._muxes, self._orphans, self._settings.reap.interval)
            rounds.before, rounds.after = self._check_guard, self._reconsider
            self._spawn(supervise("the rounds", rounds.run))
            self._spawn(supervise("the agents", self._agents.run))
            self._spawn(supervise("the agents' files", self._tracker.run))
            self._spawn(supervise("the agents' screens", self._screens.run))
            self._spawn(supervise("the sessions' directories", self._context.run))
            self._spawn(supervise("the sessions' ports", self._ports.run))
            if self._settings.sidebar.groups:
                self._spawn(supervise("the sessions' repositories", self._belongings.run))
            self._spawn(supervise("what agents take", self._trees.run))
            self._spawn(supervise("the screens in details", self._previews.run))
            self._follow_system()
            self._reconsider()
            await self._stopping.wait()
            await self._leave(listeners)

    def _follow_system(self) -> None:
        """Hear whether it is dark or light, if the user wants that."""
        if self._appearance.follows:
            mac = Mac(self._appearance.told)
            self._appearance.on_arrival = lambda: mac.arrived(self._spawn)
            self._spawn(supervise("the desktop's portal", Portal(self._appearance.told).run))

    def stop(self, why: str, restart: bool) -> None:
        """Leave soon and in order; `restart`: another server follows, so sidebars stay and reconnect."""
        if not self._stopping.is_set():
            log.info("stopping: %s", why)
            self._restart = restart
            self._stopping.set()

    def _last_gone(self) -> None:
        self._spawn(self._follow_the_last())

    async def _follow_the_last(self) -> None:
        await self._ender.settled()
        await self._orphans.last_gone(lambda: self.stop("the last multiplexer is gone", False))

    async def _listen(self, path: str) -> asyncio.Server:
        return await asyncio.get_running_loop().create_unix_server(
            lambda: Line(self._sidebars, self._verbs), self._own(path), backlog=256
        )

    def _own(self, path: str) -> str:
        """Only the lock's holder may remove a socket that a killed predecessor left."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        return path

    async def _leave(self, listeners: list[asyncio.Server]) -> None:
        """Stop accepting, take back what is published, say goodbye."""
        _limit_stop()
        for listener in listeners:
            listener.close()
        if self._guard.intact():
            for path in (paths.server_socket(self._runtime), paths.api_socket(self._runtime)):
                self._own(path)
        await self._muxes.withdraw(close_sidebars=not self._restart)
        if not self._restart:
            self._sidebars.farewell("opensessions has stopped")
        self._api.close()
        self._tcp.close(self._guard.intact())
        self._notifier.close()
        for line in tuple(self._verbs.lines):
            line.close()
        if self._leave_timer:
            self._leave_timer.cancel()
        self._details.close()
        self._parting.close()
        self._hibernation.close()
        for task in tuple(self._tasks):
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._group is not None
        task = self._group.create_task(contain(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _stirred(self) -> None:
        """Processes below the panes have come or gone."""
        self._context.stirred()
        self._sidebars.stirred()

    def _read_again(self, key: str) -> None:
        if key in self._muxes.muxes:
            self._muxes.get(key).provider.refresh()

    # --- staying and leaving --------------------------------------------------------------------------------

    def _on_change(self, new: State, old: State) -> None:
        self._check_guard()
        self._reconsider()

    def _check_guard(self) -> None:
        if not self._guard.intact():
            self.stop("the runtime directory is gone or another server's", False)

    def _counted(self) -> None:
        """Who watches has come or gone."""
        if self._verbs.watchers:
            self._agents.wake()
        self._reconsider()

    def _reconsider(self) -> None:
        """Start the clock when nothing needs us any more, stop it when something does."""
        needed = reasons(
            self._bus.state, len(self._sidebars.connected), self._verbs.watchers, self._verbs.pending()
        )
        if needed or not self._settings.idle_timeout:
            if self._leave_timer:
                self._leave_timer.cancel()
                self._leave_timer = None
        elif self._leave_timer is None:
            self._leave_timer = asyncio.get_running_loop().call_later(
                self._settings.idle_timeout, self.stop, "nothing needed it", False
            )
