"""One animal: a small process with the habits that its arguments name. `python -I -S animal.py REPORT HABIT…`

It appends `root PID` to the file REPORT when it is ready, and each process that it starts `child PID`. No animal lives
longer than LIFETIME. Standard library only, so that it starts in 10 ms.
"""

import os
import signal
import sys
import time

LIFETIME = 600
"""Seconds: longer than any test may take. What began with the test must be there at its end."""
LIVELY = 4.0
"""Seconds for which storms and hoppers start processes."""
CROWD = 60
"""Processes of a storm that live at the same time."""
NAME, DUMPABLE = 15, 4
"""prctl's numbers."""


def main() -> None:
    report = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    signal.alarm(LIFETIME)
    habits = [habit.partition("=") for habit in sys.argv[2:]]
    for name, _, value in habits:
        HABITS[name](report, value)
    ready(report, b"root")
    for name, _, value in habits:
        LIVES.get(name, lambda report, value: None)(report, value)
    pause()


def ready(report: int, role: bytes = b"child") -> None:
    os.write(report, b"%s %d\n" % (role, os.getpid()))


def pause() -> None:
    while True:
        signal.pause()


def nothing(report: int, value: str) -> None:
    """Nothing before it is ready."""


def ignore(report: int, value: str) -> None:
    """`ignore=TERM,HUP`."""
    for name in value.split(","):
        signal.signal(signal.Signals[f"SIG{name}"], signal.SIG_IGN)


def slow(report: int, value: str) -> None:
    """`slow=0.3`: SIGTERM ends it that many seconds later."""

    def leave(number: int, frame: object) -> None:
        time.sleep(float(value))
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)


def canary(report: int, value: str) -> None:
    """`canary=FILE`: writes down every signal that it gets, and lives on."""
    diary = os.open(value, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    own = (signal.SIGALRM, signal.SIGCHLD, signal.SIGWINCH, signal.SIGPIPE, signal.SIGKILL, signal.SIGSTOP)
    for number in signal.valid_signals() - set(own):
        signal.signal(number, lambda number, frame: tell(diary, number))


def tell(diary: int, number: int) -> None:
    os.write(diary, b"%d %d\n" % (os.getpid(), number))


def named(report: int, value: str) -> None:
    """`named=tmux: server`: its comm."""
    prctl(NAME, value.encode())


def wiped(report: int, value: str) -> None:
    """Its command line and environment are overwritten in its memory, as setproctitle does."""
    import ctypes

    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    # arg_start … env_end are fields 48 to 51; the state is field 3.
    first, last = int(fields[45]), int(fields[48])
    ctypes.memset(first, 0, last - first)
    ctypes.memmove(first, b"a title", 7)


def user(report: int, value: str) -> None:
    """`user=65534`: another user's from now on."""
    os.setgroups([])
    os.setresgid(int(value), int(value), int(value))
    os.setresuid(int(value), int(value), int(value))


def undumpable(report: int, value: str) -> None:
    prctl(DUMPABLE, 0)


def prctl(option: int, argument: object) -> None:
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def children(report: int, value: str) -> None:
    """`children=3`: that many, with the habits so far."""
    for _ in range(int(value)):
        if os.fork() == 0:
            signal.alarm(LIFETIME)
            ready(report)
            pause()


def child(report: int, value: str) -> None:
    """`child=tmux: client`: one with that comm."""
    if os.fork() == 0:
        signal.alarm(LIFETIME)
        named(report, value)
        ready(report)
        pause()


def chain(report: int, value: str) -> None:
    """`chain=3`: a child, its child, and so on."""
    for depth in range(int(value)):
        if os.fork():
            if depth:
                ready(report)
                pause()
            return
        signal.alarm(LIFETIME)
    ready(report)
    pause()


def stray(report: int, value: str) -> None:
    """A child in a session of its own, whose parent is not this one any more (forked twice)."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.alarm(LIFETIME)
    ready(report)
    pause()


def apart(report: int, value: str) -> None:
    """A child in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        signal.alarm(LIFETIME)
        ready(report)
        pause()


def ill(report: int, value: str) -> None:
    """A child that has exited and is never asked for."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)


def stopped(report: int, value: str) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def headless(report: int, value: str) -> None:
    """Its first thread ends and another one lives on: the system shows it as a zombie."""
    import ctypes
    import threading

    threading.Thread(target=time.sleep, args=(LIFETIME,)).start()
    exit_thread = {"x86_64": 60, "aarch64": 93}[os.uname().machine]
    ctypes.CDLL(None).syscall(exit_thread, 0)


def storm(report: int, value: str) -> None:
    """Starts processes as fast as it can, each of which lives for a moment."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    until, alive = time.monotonic() + LIVELY, 0
    while time.monotonic() < until:
        while alive >= CROWD or (alive and os.waitpid(-1, os.WNOHANG)[0]):
            if alive >= CROWD:
                os.waitpid(-1, 0)
            alive -= 1
        if os.fork() == 0:
            signal.alarm(LIFETIME)
            time.sleep(0.05)
            os._exit(0)
        alive += 1


def brood(report: int, value: str) -> None:
    """Starts processes that stay, a few each moment."""
    until = time.monotonic() + LIVELY
    for _ in range(CROWD):
        if time.monotonic() < until and os.fork() == 0:
            signal.alarm(LIFETIME)
            pause()
        time.sleep(0.01)


def hop(report: int, value: str) -> None:
    """A child that forks and exits again and again: it has a new pid every half a millisecond. `hop=apart`: and a new
    session."""
    if os.fork():
        return
    until = time.monotonic() + LIVELY
    while time.monotonic() < until:
        if os.fork():
            os._exit(0)
        if value:
            os.setsid()
        time.sleep(0.0005)
    os._exit(0)


HABITS = {
    "plain": nothing, "ignore": ignore, "slow": slow, "canary": canary, "named": named, "wiped": wiped,
    "undumpable": undumpable, "user": user, "child": child, "children": children, "chain": chain, "stray": stray,
    "apart": apart, "ill": ill,
    "stopped": nothing, "headless": nothing, "storm": nothing, "brood": nothing, "hop": nothing,
}  # fmt: skip
"""What each does before it is ready; they are taken in the order of the arguments."""
LIVES = {"stopped": stopped, "headless": headless, "storm": storm, "brood": brood, "hop": hop}
"""And after."""

if __name__ == "__main__":
    main()
