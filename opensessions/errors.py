"""The exceptions of this program: each message is one sentence that its reader can act on."""

from __future__ import annotations


class OpenSessionsError(Exception):
    """Something the user can mend. `str(error)` is shown as it is: what happened, why, what to do."""


class UnsafePath(OpenSessionsError):
    """A directory or file of ours has another owner, a wider mode, or is a link. Nothing was changed."""


class ConfigError(OpenSessionsError):
    """The configuration file as a whole cannot be read (single bad keys are reported, not raised)."""


class ServerNotRunning(OpenSessionsError):
    """No server holds the lock of this runtime directory, or it did not answer in time."""


class AlreadyRunning(OpenSessionsError):
    """Another server holds the lock."""


class WireError(OpenSessionsError):
    """The peer on the socket sent bytes that are no frame of ours."""


class MuxError(OpenSessionsError):
    """Talking to a multiplexer failed: it does not answer, or its answer was incomplete."""


class MuxTimeout(MuxError):
    """The multiplexer did not answer in time. It may be stopped or very busy: nothing is known of it."""


class MuxGone(MuxError):
    """The multiplexer's server process is proven dead."""


class Refused(OpenSessionsError):
    """A command was understood and not carried out; the message says why."""
