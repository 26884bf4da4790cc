"""`opensessions VERB …`: a table of verbs, each a module that is imported when it is called."""

from __future__ import annotations

import sys

from opensessions import __version__
from opensessions.errors import OpenSessionsError

VERBS = {
    "up": ("up", "make sure that the server runs and this multiplexer is registered"),
    "down": ("down", "stop the server cleanly"),
    "status": ("status", "what the server is and what it serves"),
    "list": ("list", "every session with its agents"),
    "watch": ("watch", "the list as JSON lines: at once, then on every change"),
    "switch": ("switch", "show a session on a client, by index, name or id"),
    "next": ("next", "show the next session"),
    "prev": ("prev", "show the previous session"),
    "attention": ("attention", "show the agent that needs you, or go back"),
    "cross": ("cross", "go to another tmux server or to zellij, on this terminal"),
    "agent": ("agent", "show an agent's pane, mark it as seen, end it, put it to sleep or wake it"),
    "pane": ("pane", "close a pane and end what runs in it"),
    "session": ("session", "create, rename, end, hide or move a session"),
    "undo": ("undo", "take back what was last hidden, moved, folded or dismissed"),
    "run": ("run", "start an agent in this pane that may be ended when its pane is gone"),
    "explain": ("explain", "why an agent has its state"),
    "ps": ("ps", "the processes of the panes with agents, and what they take"),
    "hook": ("hook", "what an agent's hook runs: pass its JSON on to the server"),
    "hooks": ("hooks", "install, uninstall or look at our hooks in the agents' settings"),
    "set-status": ("set_status", "say in one line what a session is at"),
    "set-progress": ("set_progress", "say how far a session is"),
    "log": ("log", "write a line into a session's log"),
    "clear-log": ("clear_log", "empty a session's log"),
    "notify": ("notify", "write a line into a session's log and tell it to you"),
    "sidebar": ("sidebar", "show, hide, toggle or focus the sidebar"),
    "popup": ("popup", "show the sidebar's rows in a popup"),
    "theme": ("theme", "list the themes, choose one, or say which one is worn"),
    "server": ("server", "run the server in the foreground"),
    "config": ("config", "check or show the configuration"),
    "reap": ("reap", "end agents whose pane is gone"),
    "doctor": ("doctor", "check the installation and say how to mend each fault"),
    "zellij": ("zellij", "put our keys into zellij's configuration, take them out, print a layout"),
    "plugin-path": ("plugin_path", "print the line for tmux.conf"),
    "uninstall": ("uninstall", "remove every hook, binding, option and sidebar"),
    "demo": ("demo", "a private tmux with example sessions and the sidebar"),
}
"""Verb -> (module in `opensessions.cli`, one line of help)."""


def main(argv: list[str] | None = None) -> int:
    """0 done, 1 it could not be done (one sentence on stderr), 2 usage."""
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"opensessions {__version__}")
        return 0
    if words[0] not in VERBS:
        print(f"opensessions: there is no verb {words[0]!r}; {_nearest(words[0])}", file=sys.stderr)
        return 2
    return call(words[0], words[1:])


def call(verb: str, words: list[str]) -> int:
    """Import the verb's module, parse its arguments, run it."""
    import argparse
    from importlib import import_module

    name, help = VERBS[verb]
    module = import_module(f"opensessions.cli.{name}")
    parser = argparse.ArgumentParser(
        prog=f"opensessions {verb}", description=help[0].upper() + help[1:] + "."
    )
    module.add_arguments(parser)
    arguments = parser.parse_args(words)
    try:
        return int(module.run(arguments))
    except OpenSessionsError as error:
        print(f"opensessions: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`… | head`); say nothing, and keep the interpreter's last flush quiet.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def usage() -> str:
    """The help text: every verb in one line."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {help}" for verb, (_, help) in VERBS.items()]
    return "\n".join(
        [
            "usage: opensessions VERB …    (opensessions VERB --help says more)",
            "",
            "A sidebar of your terminal sessions with the true state of every coding agent.",
            "",
            *lines,
            "",
            "  --version  print the version",
        ]
    )


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, VERBS, 1)
    return f"did you mean {near[0]!r}?" if near else "see opensessions --help"


if __name__ == "__main__":
    sys.exit(main())
