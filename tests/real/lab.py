"""A place to drive one kind of agent in: a world with a tmux and an opensessions server, the model, an attached client,
agents in panes of their own, and what is true of each of them, from facts outside the agent."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any

from opensessions.agents.program import executable
from tests.real import system
from tests.real.agents.driver import Driver, Site, folder
from tests.real.gate import Gate, program
from tests.real.llm.served import Heard, Model
from tests.real.recorder import Recorder
from tests.real.truth import NOBODY, Judgement, Shown, Span, State, judge
from tests.real.watcher import Watcher
from tests.support.world import Tmux, World

PERIOD = 0.05
"""Seconds between two looks at screens, processes and files."""
PASTE = 0.35
"""Seconds between a prompt's last letter and Enter: agents take keys that come faster for a paste with a line's end."""
DWELL = 1.2
"""Seconds that each state lasts after it was shown, so that what comes and goes is seen."""
PATIENCE = 60.0
"""Seconds that an agent may take for anything."""


class Untrue(AssertionError):
    """An agent did not do what the scenario needs: nothing can be said about what is shown."""


class Instance:
    """One agent in one pane."""

    def __init__(self, lab: Lab, name: str, site: Site, command: str) -> None:
        self.lab, self.name, self.site = lab, name, site
        self.tag = f"{name}1"
        self.spans: list[Span] = []
        self.screen = ""
        self.title = ""
        self._prompts = 0
        self._mark = 0
        self.gate = lab.gate(self.tag)
        words = [*lab.model.enter, "sh"]
        environment = {**lab.driver.environment(site), "COLORTERM": "truecolor", "PS1": "$ "}
        settings = [word for pair in environment.items() for word in ("-e", "=".join(pair))]
        lab.mux.new(f"agent-{name}", "-c", str(site.project), *settings, *words)
        self.pane, shell = lab.mux.ask("#{pane_id} #{pane_pid}", f"=agent-{name}:").split()
        self.shell = int(shell)
        self.processes: dict[int, system.Stat] = {}
        lab.instances.append(self)
        self.launch(command)

    # --- facts ------------------------------------------------------------------------------------------------

    def true(
        self, state: State, why: str, start: float | None = None, earliest: float | None = None,
        alike: frozenset[State] = NOBODY, optional: bool = False,
    ) -> None:  # fmt: skip
        """From now (or `start`) on this is the truth."""
        begin = start or time.time()
        span = Span(state, begin, min(earliest or begin, begin), why, alike, optional)
        self.spans.append(span)
        self.lab.note(self, span)

    @property
    def heard(self) -> list[Heard]:
        """What happened to its own requests since the last prompt."""
        return [each for each in self.lab.model.heard[self._mark :] if each.tag == self.tag and not each.side]

    def model(self, *what: str, calls: bool | None = None) -> Heard:
        """Wait for something that happens to a request of this turn."""

        def found() -> Heard | None:
            return next(
                (each for each in self.heard if each.what in what and calls in (None, bool(each.calls))), None
            )

        return self.lab.until(found, f"{self.name}: the model's {what}")

    def alive(self) -> list[system.Stat]:
        """Its processes that live: those below the pane once it was ready, helpers left out."""
        return [each for each in self.processes.values() if system.is_same(each)]

    # --- acts -------------------------------------------------------------------------------------------------

    def launch(self, command: str) -> None:
        """Type the command and wait until the agent takes a prompt: then it is idle."""
        begun = time.time()
        self.lab.mux("send-keys", "-t", self.pane, "-l", command)
        self.lab.mux("send-keys", "-t", self.pane, "Enter")
        self.lab.until(lambda: self.below(), f"{self.name}: a process")
        pattern, keys = self.lab.driver.greeting(self.site)
        if pattern:
            self.lab.until(lambda: re.search(pattern, self.screen), f"{self.name}: {pattern!r}")
            self._steady()
            self.press(*keys)
            self.lab.until(
                lambda: not re.search(pattern, self.screen), f"{self.name}: an answer to {pattern!r}"
            )
        self.lab.until(
            lambda: self.below() and self.lab.driver.is_ready(self.screen), f"{self.name}: its prompt"
        )
        taking = time.time()
        self._steady()
        alike = self.lab.resting if self.spans else NOBODY
        self.true("idle", "it takes a prompt", start=taking, earliest=begun, alike=alike)

    def below(self) -> list[system.Stat]:
        """The agent's own processes below the shell."""
        program = executable(self.lab.driver.command(self.site).split()[0])
        found = []
        for each in system.below(self.shell, system.everything()):
            words = system.argv(each.pid)
            if "app-server" not in words and program in [
                executable(word.split("/")[-1]) for word in words[:3]
            ]:
                found.append(each)
        return found

    def _steady(self) -> None:
        """Wait until the screen has not changed for a while: agents draw their prompt before they read keys."""
        last, since = self.screen, time.monotonic()

        def steady() -> bool:
            nonlocal last, since
            if self.screen != last:
                last, since = self.screen, time.monotonic()
            return time.monotonic() - since > 0.8

        self.lab.until(steady, f"{self.name}: a steady screen")
        self.processes |= {each.pid: each for each in self.below()}

    def press(self, *keys: str) -> None:
        """Press keys one by one. Two that an agent reads at once are another key: it must have taken the first."""
        for place, key in enumerate(keys):
            before = self.screen
            self.lab.mux("send-keys", "-t", self.pane, key)
            if place < len(keys) - 1:
                with suppress(Untrue):
                    self.lab.until(lambda before=before: self.screen != before, "", 3.0)
                self.lab.wait(0.2)

    def _type(self, text: str) -> None:
        """Put this into its prompt. An agent that is still starting, or busy drawing, may lose keys."""
        for patience in (PATIENCE / 6, PATIENCE / 6, PATIENCE):
            self.press("C-u")  # some put an interrupted prompt back
            self.lab.mux("send-keys", "-t", self.pane, "-l", text)
            with suppress(Untrue):
                self.lab.until(lambda: text in self.screen, f"{self.name}: {text!r} in its prompt", patience)
                return
        raise Untrue(f"{self.name} does not take {text!r}\n{self.lab.screens()}")

    def prompt(self, words: str = "hello") -> None:
        """Give it a prompt: it runs from Enter on."""
        self._prompts += 1
        self.gate.arm()
        text = f"{words} {self._prompts} id:{self.tag}"
        self._type(text)
        self.lab.wait(PASTE)
        self._mark = len(self.lab.model.heard)
        row = self.lab.until(  # it may be drawing this very moment
            lambda: [place for place, line in enumerate(self.screen.split("\n")) if text in line],
            f"{self.name}: {text!r} in its prompt",
        )[-1]
        at = time.time()
        self.press("Enter")
        self.lab.until(
            lambda: self.heard or text not in "".join(self.screen.split("\n")[row : row + 1]),
            f"{self.name}: it takes its prompt",
        )
        taken = min([time.time(), *(each.at for each in self.heard)])
        self.true("running", "it has taken a prompt", start=taken, earliest=at)
        self.model("arrived")

    def release(self) -> None:
        """End its stream."""
        self.lab.model.release(self.tag)

    def finishes(self) -> None:
        """Wait until the model's last answer of this turn has ended: done."""
        self.true("done", "the model's last answer ended", start=self.model("ended", calls=False).at)

    def asked(self, pattern: str) -> None:
        """Wait until it asks the user: it may wait since the model's answer, and does when that is on the screen."""
        answered = self.model("ended", calls=True).at
        self.lab.until(lambda: re.search(pattern, self.screen), f"{self.name}: {pattern!r}")
        self.true("waiting", "it asks", earliest=answered)

    def approves(self) -> None:
        """Grant the permission; the tool runs."""
        at = time.time()
        self.press(*self.lab.driver.approve)
        self.true("running", "granted", start=at, alike=frozenset({"tool-running"}))
        self.tool_runs(at)

    def tool_runs(self, earliest: float | None = None) -> None:
        """Wait until the tool waits at the gate."""
        self.lab.until(lambda: self.gate.entered, f"{self.name}: its tool at the gate")
        self.true("tool-running", "the tool is at the gate", start=self.gate.entered, earliest=earliest)

    def tool_ends(self) -> None:
        """Let the tool go; the model is asked again."""
        self.gate.open()
        self.true("running", "the tool has gone", start=self.gate.left)

    def stops(self, keys: tuple[str, ...], aborted: bool) -> None:
        """Interrupt or deny it."""
        at = time.time()
        self.press(*keys)
        if aborted:
            with suppress(Untrue):
                self.lab.until(lambda: any(each.what == "aborted" for each in self.heard), "", 6.0)
            if not any(each.what == "aborted" for each in self.heard):
                self.press(*keys)  # lost while it was busy
        start = self.model("aborted").at if aborted else time.time()
        self.true("interrupted", "stopped by the user", start=max(start, at), earliest=at)

    def command(self, text: str) -> float:
        """Type a command of the agent and press Enter; when that was."""
        self._type(text)
        self.lab.wait(max(PASTE, 0.8))  # lists of commands are drawn first, and take the Enter
        at = time.time()
        self.press("Enter")
        return at

    def quits(self) -> None:
        """Leave it as a user does."""
        at = self.command(self.lab.driver.quit)
        self.lab.until(lambda: not self.alive(), f"{self.name}: its end")
        self.true("gone", "quit", earliest=at)

    def cleared(self) -> None:
        """A new conversation in the same process: nothing was asked in it."""
        at = self.command(self.lab.driver.clear)
        self.true("running", "it carries out the command", start=at, optional=True)
        self._steady()
        self.true("idle", "cleared", earliest=at, alike=self.lab.resting)

    def kill(self, *pids: int) -> None:
        """SIGKILL."""
        for pid in pids:
            os.kill(pid, SIGKILL)

    # --- what is shown ----------------------------------------------------------------------------------------

    def shows(self, *, dwell: float = DWELL) -> None:
        """Give opensessions time to show what is true, and a while more to show something else."""
        span = self.spans[-1]
        fine = {span.state, *span.alike, *self.lab.instead.get(span.state, ())}
        watcher = self.lab.watcher
        if watcher:
            with suppress(AssertionError):
                self.lab.until(lambda: watcher.now(self.pane) in fine, "", self.lab.patience)
        self.lab.wait(dwell)


class Lab:
    """One run of one scenario. `patience`: seconds that opensessions may take to show a state; 0: it is not asked,
    since only a recording is wanted."""

    resting = frozenset({"idle", "done"})

    def __init__(
        self, driver: Driver, world: World, *, scenario: str, free: bool, hooks: str, patience: float
    ) -> None:
        self.driver, self.world, self.patience = driver, world, patience
        self.instead = driver.instead(scenario, hooks == "ours")
        self.project = world.home / "project"
        self.project.mkdir()
        (world.home / "gates").mkdir()
        (self.project / "README.md").write_text("A project.\n")
        subprocess.run(["git", "init", "-q", str(self.project)], env=world.env, check=True)
        self.gates: dict[str, Gate] = {}
        self.instances: list[Instance] = []
        self.model = Model(program(world.home / "bin", world.home / "gates"))
        heard = f"{sys.executable} -I -S {Path(__file__).with_name('heard.py')}"
        self.site = Site(world.home, self.project, self.model.url, free, heard if hooks == "recorded" else "")
        driver.prepare(self.site)
        node = os.path.dirname(shutil.which("node") or "")
        own, _, rest = world.env["PATH"].partition(":")
        # A new session's PATH is always that of the client that makes it.
        world.env["PATH"] = f"{own}:{folder()}/node_modules/.bin:{node}:{rest}"
        self.mux: Tmux = world.mux()
        if patience:
            self.mux.up()
        if hooks == "ours":
            world.cli("hooks", "install", driver.kind)
        self.client = self.mux.attach()
        self.watcher = Watcher(world.runtime) if patience else None
        self.recorder = Recorder(driver, world.home, self.project)
        self.ended = 0.0
        self._stop = threading.Event()
        self._sampler = threading.Thread(target=self._sample_all, daemon=True)
        self._sampler.start()

    def gate(self, tag: str) -> Gate:
        """The gate of an agent."""
        if tag not in self.gates:
            self.gates[tag] = Gate(self.world.home / "gates" / tag)
        return self.gates[tag]

    def open(self, name: str = "a", *, resume: bool = False) -> Instance:
        """Start an agent in a new pane."""
        command = self.driver.resume(self.site) if resume else self.driver.command(self.site)
        return Instance(self, name, self.site, command)

    def note(self, instance: Instance, span: Span) -> None:
        """Into the recording."""
        self.recorder.truth(instance.name, span)

    def until(self, what: Callable[[], Any], why: str, patience: float = PATIENCE) -> Any:
        """Wait for a condition."""
        try:
            return self.world.until(what, why, patience)
        except AssertionError as error:
            raise Untrue(f"waited {patience:g} s in vain for {why}\n{self.screens()}") from error

    def wait(self, seconds: float) -> None:
        """Let time pass, reading the client's terminal meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.client.pump(0.02)

    def screens(self) -> str:
        """For messages."""
        return "\n---\n".join(
            f"{each.name}: {each.title!r}\n{each.screen.rstrip()}" for each in self.instances
        )

    def _sample_all(self) -> None:
        while not self._stop.wait(PERIOD):
            for instance in list(self.instances):
                if getattr(instance, "pane", ""):
                    self._sample(instance)
            self.recorder.sample(
                {each.name: (each.pane, each.shell) for each in self.instances if getattr(each, "shell", 0)}
            )

    def _sample(self, instance: Instance) -> None:
        said = self.mux(
            "display-message", "-p", "-t", instance.pane, "#{pane_title}", ";",
            "capture-pane", "-p", "-t", instance.pane, check=False,
        )  # fmt: skip
        title, _, screen = said.partition("\n")
        instance.title, instance.screen = title, screen
        self.recorder.pane(instance.name, title, screen)

    def judge(self, instance: Instance) -> Judgement:
        """What was shown of it against what was true."""
        return judge(instance.spans, self.shown(instance), self.ended or time.time(), self.instead)

    def shown(self, instance: Instance) -> list[Shown]:
        """What was shown of it."""
        return self.watcher.shown(instance.pane) if self.watcher else []

    def finish(self) -> None:
        """What is shown from now on does not count any more."""
        self.ended = time.time()

    def close(self) -> None:
        """End the agents. What they leave behind ends with the world."""
        self._stop.set()
        self._sampler.join()
        for gate in self.gates.values():
            gate.end()
        if self.watcher:
            self.watcher.close()
        for each in self.world.processes():
            with suppress(Exception):
                if self._is_agents(each.cmdline()):
                    each.kill()
        self.model.close()

    def _is_agents(self, words: list[str]) -> bool:
        return bool(words) and (str(folder().resolve()) in " ".join(words) or words[0].rpartition("/")[2] in
                                ("claude", "codex", "opencode", "pi", "node", "cat"))  # fmt: skip


@contextmanager
def lab(
    driver: Driver,
    tmux: str,
    *,
    scenario: str = "",
    free: bool = False,
    hooks: str = "none",
    patience: float = 10.0,
) -> Iterator[Lab]:
    """A lab in a world of its own."""
    world = World(tmux)
    try:
        place = Lab(driver, world, scenario=scenario, free=free, hooks=hooks, patience=patience)
        try:
            yield place
        finally:
            place.close()
    finally:
        world.close()
