"""`opensessions run` outside of a multiplexer: what the program gets is what it would have got, and a receipt is kept.

In a pane: tests/e2e/test_run.py.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensessions.caller import Caller
from opensessions.cli import run as module
from opensessions.cli.run import place_of, serving
from opensessions.processes import cgroup
from opensessions.processes.identity import liveness, pinned
from opensessions.processes.receipt import Receipt
from opensessions.processes.receipts import Receipts
from opensessions.server.guard import Guard, Holder
from tests.processes.conftest import Shell, until
from tests.processes.test_identity import inside
from tests.processes.test_receipts import fill

LONE = "opensessions: no multiplexer's pane was found around this; the program runs, and is never ended as an orphan.\n"
ID = "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f3"


class Home:
    """A folder with a state directory and programs of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.env = {
            "HOME": str(folder),
            "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "OPENSESSIONS_RUNTIME_DIR": str(folder / "run"),
            "OPENSESSIONS_STATE_DIR": str(self.state),
            "OPENSESSIONS_CONFIG": str(folder / "config.yaml"),
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def program(self, name: str, text: str, mode: int = 0o755) -> Path:
        path = self.bin / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def run(self, *words: str | bytes, input: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
        """Run to the end."""
        return subprocess.run(
            command(*words), env=self.env | env, input=input, capture_output=True, cwd=self.folder, timeout=60,
            check=False,
        )  # fmt: skip

    def start(self, *words: str, **env: str) -> subprocess.Popen[bytes]:
        """Go on while it runs, which it does until the test ends."""
        self.started.append(
            subprocess.Popen(command(*words), env=self.env | env, cwd=self.folder, stderr=subprocess.DEVNULL)
        )
        return self.started[-1]

    def receipts(self) -> tuple[Receipt, ...]:
        return Receipts(str(self.state)).read()


def command(*words: str | bytes) -> list[str | bytes]:
    return [sys.executable, "-P", "-m", "opensessions", "run", *words]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    try:
        yield made
    finally:
        for process in made.started:
            process.kill()
            process.wait()


# --- what the program gets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("--", "show", "a"), ("show", "a"), ("--", "show", "--keep", "--", "-h", "--help"), ("show", "--", "x"),
        ("--keep", "--", "show", "--"), ("--keep", "show", "-x", "--keep"),
        ("--", "show", "", " ", "a b", "new\nline", "*"),
        ("--", "show", "é🦊", b"\xff\xfe"), ("show", "-"), ("--", "show", "--", "--", "--version"),
    ],
)  # fmt: skip
def test_every_argument_arrives_as_it_was(home: Home, words: tuple[str | bytes, ...]) -> None:
    home.program("show", '#!/bin/sh\nprintf "%s\\0" "$@"\n')
    given = words[[os.fsencode(word) for word in words].index(b"show") + 1 :]
    done = home.run(*words)
    assert done.stdout == b"".join(os.fsencode(word) + b"\0" for word in given)
    assert (done.returncode, done.stderr.decode()) == (0, LONE)


def test_its_status_and_its_streams_are_the_programs(home: Home) -> None:
    home.program("talk", "#!/bin/sh\ncat; echo oh >&2; exit 42\n")
    done = home.run("--", "talk", input=b"never mine\n" * 5000)
    assert done.stdout == b"never mine\n" * 5000
    assert (done.returncode, done.stderr.decode()) == (42, f"{LONE}oh\n")


@pytest.mark.parametrize(
    "locale",
    [{}, {"LANG": "C"}, {"LC_CTYPE": "C.UTF-8"}, {"LC_ALL": "C"}, {"LANG": "C", "LC_CTYPE": "C"}],
    ids=str,
)
def test_its_environment_is_ours_and_the_marker(home: Home, locale: dict[str, str]) -> None:
    given = {"EMPTY": "", "NEWLINE": "a\nb", "EQUALS": "a=b", **locale}
    done = home.run("--", "env", "-0", **given)
    found = dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0")[:-1])
    marker = found.pop("OPENSESSIONS_RUN")
    assert found == home.env | given
    assert [receipt.nonce for receipt in home.receipts()] == [marker]


@pytest.mark.parametrize(
    "words",
    [
        ("grep", "-E", "^(Sig(Ign|Blk)|Umask|NoNewPrivs)", "/proc/self/status"),
        ("ls", "/proc/self/fd"),
        ("pwd",),
    ],
    ids=" ".join,
)
def test_the_rest_of_what_it_inherits_is_as_without_us(
    home: Home, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Signals that are ignored or blocked, open files, the folder."""

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.umask(0o027)
        os.dup2(1, 50)

    def started(words: list[str | bytes]) -> bytes:
        done = subprocess.run(
            words, env=home.env, stdin=subprocess.DEVNULL, capture_output=True, cwd=tmp_path, check=True,
            preexec_fn=prepare, close_fds=False,
        )  # fmt: skip
        return done.stdout

    assert started(command("--", *words)) == started(list(words))


def test_a_writer_into_a_closed_pipe_ends(home: Home) -> None:
    """Python ignores that signal; a program that inherits this writes on for ever."""
    with home.start("--", "sh", "-c", "yes | true; exec sleep 600"):
        until(lambda: home.receipts())
        (receipt,) = home.receipts()
        until(lambda: Path(f"/proc/{receipt.process.pid}/comm").read_text() == "sleep\n")
        home.started[0].kill()


def test_a_text_without_a_first_line_is_given_to_sh(home: Home) -> None:
    home.program("plain", 'printf "%s|" "$0" "$@"; exit 7\n')
    done = home.run("--", "plain", "--", "a b")
    assert done.stdout.decode() == f"{home.bin}/plain|--|a b|"
    assert done.returncode == 7


# --- what cannot be started ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 2, "name a program"),
        (("--",), 2, "name a program"),
        (("--", ""), 2, "name a program"),
        (("--keep",), 2, "name a program"),
        (("--nonsense", "show"), 2, "--nonsense"),
        (("--", "nowhere"), 127, "nowhere was not found; is it on PATH?"),
        (("./nowhere",), 127, "./nowhere was not found"),
        (("--", "--keep"), 127, "--keep was not found"),
        (("locked",), 126, "locked is not executable"),
        (("./bin/locked",), 126, "./bin/locked is not executable"),
        (("/",), 126, "/ is not executable"),
    ],
    ids=str,
)
def test_what_is_no_program_leaves_no_receipt(
    home: Home, words: tuple[str, ...], status: int, said: str
) -> None:
    home.program("locked", "#!/bin/sh\n", 0o644)
    done = home.run(*words)
    assert (done.returncode, done.stdout) == (status, b"")
    assert said in done.stderr.decode()
    assert not home.state.exists()


def test_what_the_kernel_refuses_leaves_no_receipt(home: Home) -> None:
    home.program("broken", "\x7fELF\0\0\0\0")
    home.program("orphaned", "#!/nonexistent/interpreter\n")
    for name in ("broken", "orphaned"):
        done = home.run("--", name)
        assert (done.returncode, done.stdout) == (126, b"")
        assert f"opensessions: {name} cannot be started: " in done.stderr.decode()
        assert os.listdir(home.state / "receipts") == []


@pytest.mark.parametrize("fault", ["open", "file", "full"])
def test_where_no_receipt_can_be_kept_it_runs_all_the_same(
    home: Home, request: pytest.FixtureRequest, fault: str
) -> None:
    state = home.state
    if fault == "open":
        state.mkdir(0o755)
    elif fault == "file":
        state.touch()
    else:
        small_disk: Path = request.getfixturevalue("small_disk")
        state = small_disk / "state"
        (state / "receipts").mkdir(0o700, parents=True)
        state.chmod(0o700)
        fill(small_disk / "ballast")
    done = home.run("--", "echo", "hello", OPENSESSIONS_STATE_DIR=str(state))
    assert (done.returncode, done.stdout) == (0, b"hello\n")
    said = done.stderr.decode()
    assert {"open": "open to other users", "file": "not a directory", "full": "No space left"}[fault] in said
    assert said.count("The program runs without a receipt, and is never ended as an orphan.\n") == 1
    assert fault != "full" or os.listdir(state / "receipts") == []


def test_where_the_process_table_counts_otherwise_there_is_no_receipt(home: Home) -> None:
    """A PID namespace with its parent's /proc: the receipt would be of a process outside."""
    words = ["run", "--", "sh", "-c", "echo hello $$"]
    done = inside(
        f"import os, sys; os.environ |= {home.env!r}; "
        f"os.execv(sys.executable, [sys.executable, '-P', '-m', 'opensessions', *{words!r}])"
    )
    assert (done.returncode, done.stdout) == (0, "hello 1\n")
    assert "the process table does not show this process; the program runs without a receipt." in done.stderr
    assert not home.state.exists()


# --- the receipt --------------------------------------------------------------------------------------------


def test_the_receipt_is_of_the_process_that_becomes_the_program(home: Home) -> None:
    claude = home.program("claude", "#!/bin/sh\nexec sleep 600 # $1\n")
    process = home.start("--", "claude", "--continue")
    (receipt,) = until(home.receipts)
    until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n")
    assert receipt.process == pinned(process.pid)
    assert (receipt.origin, receipt.agent, receipt.comm) == ("managed", "claude-code", "claude")
    assert (receipt.uid, receipt.group, receipt.session) == (os.geteuid(), os.getpgrp(), os.getsid(0))
    assert receipt.exe == str(claude)
    assert receipt.argv_hash == hashlib.sha256(b"claude\0--continue").hexdigest()
    assert b"--continue" not in b"".join(path.read_bytes() for path in (home.state / "receipts").iterdir())
    assert (receipt.place, receipt.instance, receipt.cgroup, receipt.keep) == (None, "", "", False)


def test_the_receipt_is_there_before_the_program(home: Home) -> None:
    done = home.run("--", "sh", "-c", f'ls "{home.state}/receipts"; echo "$OPENSESSIONS_RUN.json"')
    first, second = done.stdout.split()
    assert first == second


def test_it_stays_until_somebody_has_proof(home: Home) -> None:
    home.run("--", "true")
    (receipt,) = home.receipts()
    assert liveness(receipt.process) == "dead"
    Receipts(str(home.state)).drop(receipt)
    assert home.receipts() == ()


@pytest.mark.parametrize(
    ("words", "env", "keep"),
    [
        (("--keep", "--"), {}, True),
        (("--",), {"OPENSESSIONS_KEEP": "1"}, True),
        (("--keep",), {"OPENSESSIONS_KEEP": "0"}, True),
        (("--",), {"OPENSESSIONS_KEEP": "0"}, False),
        (("--",), {"OPENSESSIONS_KEEP": ""}, False),
        (("--",), {}, False),
    ],
)
def test_what_is_to_be_kept(home: Home, words: tuple[str, ...], env: dict[str, str], keep: bool) -> None:
    done = home.run(*words, "sh", "-c", 'echo "${OPENSESSIONS_KEEP-unset}"', **env)
    assert [receipt.keep for receipt in home.receipts()] == [keep]
    assert done.stdout.decode().strip() == ("1" if keep else env.get("OPENSESSIONS_KEEP", "unset"))


@pytest.mark.parametrize(
    ("words", "agent"),
    [
        (("codex",), "codex"), (("./bin/codex", "resume"), "codex"), (("sh", "bin/codex"), "codex"),
        (("mine",), "my-agent"),
        (("sh", "-c", ":"), ""), (("linked",), "codex"), (("codex", "app-server"), "codex"),
    ],
    ids=str,
)  # fmt: skip
def test_which_agent_it_is(home: Home, words: tuple[str, ...], agent: str) -> None:
    (home.folder / "config.yaml").write_text("agents:\n  my-agent:\n    process: [mine]\n")
    for name in ("codex", "mine"):
        home.program(name, "#!/bin/sh\n")
    (home.bin / "linked").symlink_to(home.bin / "codex")
    assert home.run("--", *words).returncode == 0
    assert [receipt.agent for receipt in home.receipts()] == [agent]


def test_an_environment_that_names_a_tmux_that_is_gone(home: Home) -> None:
    done = home.run("--", "true", TMUX=f"{home.folder}/gone,4242,0", TMUX_PANE="%3")
    assert (done.returncode, done.stderr.decode()) == (0, LONE)
    assert [receipt.place for receipt in home.receipts()] == [None]


# --- which pane, which server -------------------------------------------------------------------------------


def caller(pane_pid: int, server_pid: int = 0, pane: str = "%1") -> Caller:
    server_pid = server_pid or os.getppid()
    return Caller("tmux", "tmux-00", "/tmp/../tmp/socket", "", "$1", pane, pane_pid, server_pid)


def test_a_pane_is_ours_if_we_descend_from_its_process(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for pid in (os.getpid(), os.getppid()):
        place = place_of(caller(pid))
        assert place
        assert (place.kind, place.key, place.socket) == ("tmux", "tmux-00", "/tmp/socket")
        assert (place.session, place.pane) == ("$1", "%1")
        assert (place.shell, place.server) == (pinned(pid), pinned(os.getppid()))
    assert place_of(caller(shell.pid)) is None
    monkeypatch.setattr(os, "getsid", lambda pid: shell.pid)
    assert place_of(caller(shell.pid))


@pytest.mark.parametrize("pid", [0, 1, -1, 1 << 30])
def test_no_pane_is_proven_by_an_odd_pid(pid: int) -> None:
    """Every process descends from init."""
    assert place_of(caller(pid)) is None


def test_without_all_of_it_there_is_no_pane(shell: Shell) -> None:
    assert place_of(None) is None
    assert place_of(caller(os.getppid(), pane="")) is None
    assert place_of(caller(os.getppid(), server_pid=1 << 30)) is None


def test_the_server_is_the_one_that_holds_the_lock(short: Path) -> None:
    runtime = short / "run"
    assert serving(str(runtime)) == ""
    runtime.mkdir(0o700)
    assert serving(str(runtime)) == ""
    guard = Guard.acquire(str(runtime))
    assert serving(str(runtime)) == ""
    guard.announce(Holder(os.getpid(), "1.0", "/project", ID, 5.0))
    assert serving(str(runtime)) == ID
    runtime.chmod(0o755)
    assert serving(str(runtime)) == ""
    runtime.chmod(0o700)
    guard.release()
    assert serving(str(runtime)) == ""
    assert ID in (runtime / "server.pid").read_text()


def test_a_group_is_made_only_for_what_may_be_an_orphan(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "make", lambda nonce: pytest.fail("a group was made"))
    monkeypatch.setattr(module.caller, "find", lambda: None)
    monkeypatch.setenv("OPENSESSIONS_RUNTIME_DIR", str(home.folder / "run"))
    written = module._write(Receipts(str(home.state)), "/bin/true", ["true"], "0" * 32, False)
    assert written
    assert written.cgroup == ""
