"""Which agents may be put to sleep, when, and how they are woken. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from opensessions.model import Agent, AgentState, Inventory
from opensessions.processes.census import Census

RESTS: frozenset[AgentState] = frozenset({"done", "idle", "interrupted"})
"""The states in which an agent has nothing to do and nothing to ask."""
SHELLS = frozenset({"sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "yash", "zsh"})
"""Programs at whose prompt a command can be typed in the same words."""
OTHERS = frozenset({"csh", "elvish", "nu", "osh", "pwsh", "tcsh", "xonsh", "ysh"})
"""Shells that want other words."""
BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
UNTYPABLE = re.compile(r"['\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that not every shell reads alike between single quotes, and those that act on a terminal."""


def unfit(agent: Agent, resume: Sequence[str], group: Sequence[Agent], inventory: Inventory | None) -> str:
    """Why the agent may not be put to sleep, in a sentence; "" where it may. `group`: the agents of its pane."""
    pane = inventory.pane(agent.pane) if inventory else None
    who = f"{agent.agent} in {agent.pane}"
    if agent.liveness != "alive":
        return f"{who} does not run."
    if inventory is None or pane is None or pane.dead:
        return f"It is not known whether anybody looks at {who}."
    if agent.state not in RESTS:
        return f"{who} is {agent.state}; only an agent that rests may hibernate."
    if agent.confidence in ("none", "unknown"):
        return f"Nothing tells what {who} does, so it may be at work."
    if agent.background:
        return f"{who} has work in the background."
    if len(group) > 1:
        return f"{agent.pane} has several agents."
    if not agent.thread:
        return f"It is not known which conversation {who} holds, so it could not be resumed."
    if not resume:
        return f"There is no known way to resume {agent.agent}."
    if pane.pid == agent.pid:
        return f"{who} is its pane's own program: the pane would close."
    if pane.window in inventory.seen_windows():
        return f"{who} is on somebody's screen; only what nobody looks at may hibernate."
    controlled = {client.session for client in inventory.clients if client.control}
    if any(agent.pane in inventory.panes_of(session) for session in controlled):
        return f"{who} may be on somebody's screen: a program shows its session in a window of its own."
    return ""


def command(resume: Sequence[str], thread: str | None) -> tuple[str, ...]:
    """The words that go on with the conversation; () where there are none. A thread that would be read as an option is
    no thread."""
    if not resume or not thread or thread.startswith("-"):
        return ()
    return tuple(word.replace("{thread}", thread) for word in resume)


def line(words: Sequence[str], folder: str, here: str) -> str | None:
    """The command as it is typed at the prompt of a shell that is in `here`; None where no words are safe in every
    shell. `folder`: where it is to be called."""
    if not words or any(UNTYPABLE.search(word) for word in (*words, folder)):
        return None
    typed = " ".join(map(_quoted, words))
    if folder.startswith("/") and folder != here:
        return f"cd {_quoted(folder)} && {typed}"
    return typed


def _quoted(word: str) -> str:
    return word if BARE.fullmatch(word) else f"'{word}'"


def prompt(shell: int, census: Census) -> tuple[int, ...]:
    """The pane's own process and the shells that were started one in the other: the last one waits at its prompt, as
    far as the process table tells. () where anything else runs in the pane."""
    running = {pid: stat for pid, stat in census.stats.items() if not stat.exited}
    chain = [shell]
    while True:
        stat = running.get(chain[-1])
        if stat is None or stat.comm.lstrip("-") not in SHELLS:
            return ()
        children = [pid for pid in census.children.get(chain[-1], ()) if pid in running]
        if not children:
            break
        if len(children) > 1 or children[0] in chain:
            return ()
        chain.append(children[0])
    strangers = [pid for pid, stat in running.items() if stat.session == shell and pid not in chain]
    return () if strangers else tuple(chain)


def outlives(pane: int, agent: int, census: Census, words: Callable[[int], Sequence[str]]) -> bool:
    """Does the pane stay open when the agent ends? It does where the pane's own process, or one between it and the
    agent, is a shell at whose prompt somebody works. Doubt means no. `words`: a process's command line."""
    above = list(census.above(agent))
    between = above[: above.index(pane) + 1] if pane in above else [pane]
    return any(
        (stat := census.stats.get(pid)) is not None
        and not stat.exited
        and stat.comm.lstrip("-") in SHELLS | OTHERS
        and interactive(words(pid))
        for pid in between
    )


def interactive(argv: Sequence[str]) -> bool:
    """Does a shell that was called so read commands from its terminal, not from a file or an argument? Doubt means
    no."""
    for word in argv[1:]:
        if not word.startswith("-") or word in ("-", "--"):
            return False
        if "command" in word if word.startswith("--") else "c" in word.lower():
            return False
    return bool(argv)
