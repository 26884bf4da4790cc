"""Blocking calls of a tmux server, for the command line, installing and uninstalling. Standard library only:
uninstalling must work where the virtual environment is broken.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence

from opensessions.errors import MuxError, MuxTimeout, Refused
from opensessions_tmux.quote import Words, argument, batches

TIMEOUT = 10.0
"""Seconds for one call. Longer than the server's: tmux may be busy reading its configuration."""


class Admin:
    """One tmux server, spoken to with the program `binary`. Never starts a tmux server."""

    def __init__(self, binary: str, socket: str) -> None:
        self.binary = binary
        self.socket = socket

    def call(self, *command: str) -> None:
        """Run one command. Refused with tmux's own words where it says no."""
        self._must([argument(word) for word in command])

    def ask(self, *command: str) -> str:
        """The output of one command without the last newline; "" where tmux says no."""
        return self.ask_all([command])

    def ask_all(self, commands: Sequence[Words]) -> str:
        """The outputs of several commands one after another, up to the first that tmux refuses."""
        out = b"".join(self._run(call).stdout for call in batches(commands))
        return out.decode("utf-8", "surrogateescape").removesuffix("\n")

    def batch(self, commands: Iterable[Words]) -> None:
        """Run many commands in few calls. The first that tmux refuses ends its call (Refused): for commands
        that cannot fail."""
        for call in batches(commands):
            self._must(call)

    def source(self, text: str) -> None:
        """Have tmux read `text` as a configuration file. Refused where it does not understand it."""
        self._must([b"source-file", b"-"], text.encode("utf-8", "surrogateescape"))

    def _must(self, words: list[bytes], stdin: bytes = b"") -> None:
        done = self._run(words, stdin)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise Refused(f"tmux refused {words[0].decode()}: {said or 'it gave no reason'}")

    def _run(self, words: list[bytes], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [self.binary, "-u", "-N", "-S", os.fsencode(self.socket), *words],
                input=stdin, capture_output=True, timeout=TIMEOUT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise MuxTimeout(
                f"The tmux server at {self.socket} does not answer; it may be stopped."
            ) from error
        except OSError as error:
            raise MuxError(f"tmux cannot be started as {self.binary}: {error.strerror}.") from error
