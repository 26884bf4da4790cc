"""Where things are: runtime directory, state directory, and the names of files in them.

Standard library only, and no import that costs a hot script time: a key press passes through here.
"""

from __future__ import annotations

import os

from opensessions.errors import UnsafePath

SOCKET_LIMIT = 104
"""Longest path of a Unix socket in bytes, the closing NUL included (macOS; Linux allows 108)."""

LONGEST_NAME = "server.sock"


def runtime_dir(told: str = "") -> str:
    """The runtime directory as a path; it may not exist yet.

    `told` is what the caller's tmux says in `@opensessions-runtime` ("" where it says nothing). It counts
    after `$OPENSESSIONS_RUNTIME_DIR` and before `$XDG_RUNTIME_DIR`, since cron, ssh and su see other XDG
    variables than the login that started tmux; not where its parent has vanished (a logout removes it).
    """
    chosen = os.environ.get("OPENSESSIONS_RUNTIME_DIR", "")
    if not chosen and told and os.path.isdir(os.path.dirname(told)):
        chosen = told
    if chosen:
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and _owned(base):
        return os.path.join(base, "opensessions")
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", f"opensessions-{os.geteuid()}")


def state_dir() -> str:
    """The directory for what survives a reboot; it may not exist yet."""
    chosen = os.environ.get("OPENSESSIONS_STATE_DIR")
    if chosen:
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "opensessions")


def config_file() -> str:
    """The path of config.yaml; the file may not exist."""
    chosen = os.environ.get("OPENSESSIONS_CONFIG")
    if chosen:
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "opensessions", "config.yaml")


def _owned(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


def check_private(path: str) -> None:
    """Raise UnsafePath unless `path` is a real directory of ours with mode 0700.

    A missing directory raises FileNotFoundError: only the caller knows whether that is a fault.
    """
    found = os.lstat(path)
    kind = found.st_mode & 0o170000
    if kind == 0o120000:
        raise UnsafePath(
            f"{path} is a symbolic link; opensessions needs a directory of its own: remove the link."
        )
    if kind != 0o040000:
        raise UnsafePath(f"{path} is not a directory; move it away so that opensessions can make one.")
    if found.st_uid != os.geteuid():
        raise UnsafePath(
            f"{path} belongs to user {found.st_uid}, not to you ({os.geteuid()});"
            " set OPENSESSIONS_RUNTIME_DIR or OPENSESSIONS_STATE_DIR to a directory of yours."
        )
    if found.st_mode & 0o077:
        raise UnsafePath(
            f"{path} is open to other users (mode {found.st_mode & 0o777:04o}); run: chmod 700 '{path}'"
        )


def ensure_private(path: str) -> str:
    """Make `path` (mode 0700, its parents as the umask says) if it is missing, then `check_private` it."""
    try:
        if not os.path.lexists(path):
            os.makedirs(path, 0o700)
    except FileExistsError as error:
        if not os.path.lexists(path):
            raise UnsafePath(f"{path} cannot be created: {error.filename} is no directory.") from error
    except OSError as error:
        raise UnsafePath(f"{path} cannot be created: {error.strerror}.") from error
    check_private(path)
    return path


def check_length(path: str) -> None:
    """Raise UnsafePath unless the sockets' names fit behind `path`."""
    longest = len(os.fsencode(os.path.join(path, LONGEST_NAME))) + 1
    if longest > SOCKET_LIMIT:
        raise UnsafePath(
            f"{path} is too long for a socket ({longest} of {SOCKET_LIMIT} bytes);"
            " set OPENSESSIONS_RUNTIME_DIR to a shorter path."
        )


def ensure_runtime(path: str) -> str:
    """`ensure_private`, and room for the sockets' names in it."""
    check_length(path)
    return ensure_private(path)


def pid_file(runtime: str) -> str:
    """The server's lock and advice (first line: its pid)."""
    return f"{runtime}/server.pid"


def server_socket(runtime: str) -> str:
    """The socket for sidebars, thin scripts and the command line."""
    return f"{runtime}/server.sock"


def api_socket(runtime: str) -> str:
    """The HTTP API's socket."""
    return f"{runtime}/api.sock"


def mux_dir(runtime: str, key: str) -> str:
    """The folder of one multiplexer, named by its key."""
    return f"{runtime}/mux/{key}"


def ordering_file(runtime: str, key: str) -> str:
    """The broadcast ordering file of one multiplexer."""
    return f"{runtime}/mux/{key}/ordering"


def tmux_key(socket: str) -> str:
    """The key of the tmux server at `socket`: `tmux-` and 16 hex digits of SHA-256 of its real path."""
    # _sha256/_sha2 are hashlib's own engines; hashlib itself loads OpenSSL, 4 ms on a key press.
    try:
        from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]  # Python 3.12 and later
    except ImportError:
        from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]
    return "tmux-" + str(sha256(os.fsencode(os.path.realpath(socket))).hexdigest())[:16]
