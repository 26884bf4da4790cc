"""What the contract promises inside tmux: options, hooks, bindings, clients, sessions."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opensessions import paths
from tests.support.world import Tmux, World

PREFIX = b"\x02o"
PUBLISHED = re.compile(
    r"@opensessions-(slot-\d|status|attention|pid|runtime|interpreter|session|window|pane)"
)
USER_CONF = """
set-hook -g client-attached 'set -g @mine 1'
set-hook -g session-created[3] "set -g @mine 'a b;c'"
set-hook -g after-kill-pane 'set -g @mine 2'
set-hook -gw pane-exited "display-message 'it #{pane_id}'"
set-hook -gw window-layout-changed[12] 'set -g @mine 4'
bind-key -r -N "my own note; it's #{x}" o select-pane -t :.+ \\; set -g @mine 'x $HOME "y"'
bind-key -T root MouseDrag1Border resize-pane -M
bind-key -T root F9 display-message mine
set -g mouse on
set -g remain-on-exit off
"""


def dump(mux: Tmux) -> dict[str, list[str]]:
    """Everything that an uninstall must give back."""
    asked = {
        "options": ("show-options", "-g"), "window options": ("show-options", "-gw"), "server": ("show-options", "-s"),
        "hooks": ("show-hooks", "-g"), "window hooks": ("show-hooks", "-gw"), "keys": ("list-keys",),
        "notes": ("list-keys", "-N", "-a"), "panes": ("list-panes", "-a", "-F", "#{pane_id} #{window_layout}"),
    }  # fmt: skip
    return {name: mux.lines(*words) for name, words in asked.items()}


def hooks(mux: Tmux) -> list[str]:
    return [*mux.lines("show-hooks", "-g"), *mux.lines("show-hooks", "-gw")]


@contextmanager
def control_client(mux: Tmux, target: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `tmux -C` client, attached when this is entered."""
    client = subprocess.Popen(
        [mux.world.binary, "-u", "-S", mux.socket, "-C", "attach-session", "-t", target],
        env=mux.world.env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        mux.world.until(
            lambda: "1" in mux.lines("list-clients", "-F", "#{client_control_mode}"), "the control client"
        )
        yield client
    finally:
        client.communicate(timeout=10)


def test_three_loads_change_nothing_more_and_uninstall_gives_everything_back(world: World) -> None:
    mux = world.mux(conf=USER_CONF)
    mux.new("api")
    client = mux.attach()
    mux("set-option", "-g", "@opensessions-python", "/nowhere")
    before = dump(mux)
    mux.load()
    once = [mux.lines("list-keys"), sorted(hooks(mux))]
    for _ in range(2):
        mux.load()
    world.until(
        lambda: [mux.lines("list-keys"), sorted(hooks(mux))] == once, "the same as after the first load"
    )
    users = [
        line for line in [*before["hooks"], *before["window hooks"]] if "@mine" in line or "it #" in line
    ]
    assert len(users) == 5
    now = hooks(mux)
    assert [line for line in now if line in users] == users
    ours = [line for line in now if line not in [*before["hooks"], *before["window hooks"]]]
    assert ours
    assert all(re.match(r"\S+\[7340\] ", line) for line in ours), ours
    client.type(PREFIX + b"t")
    world.until(lambda: mux.sidebars(), "a sidebar")
    world.cli("uninstall", env=mux.inside())
    mux("set-option", "-g", "@opensessions-python", "/nowhere")
    after = dump(mux)
    for name, lines in before.items():
        assert sorted(after[name]) == sorted(lines), name


def test_our_hook_comes_back_after_an_unindexed_set_hook(world: World, mux: Tmux) -> None:
    mux.load()
    complete = sorted(hooks(mux))
    mux("set-hook", "-g", "client-attached", "set -g @mine 1")
    mux("set-hook", "-g", "session-created", "set -g @mine 2")
    assert sorted(hooks(mux)) != complete
    mux.load()
    world.until(lambda: {line for line in complete if "[7340]" in line} <= set(hooks(mux)), "our slots")
    assert "session-created[0] set-option -g @mine 2" in hooks(mux)


def test_a_clean_stop_takes_back_what_was_published_and_up_brings_it_back(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.new("web")
    mux.load()
    world.until(lambda: mux.option("slot-3"), "three slots")
    assert [mux.option(f"slot-{n}") for n in range(1, 10)] == ["$0", "$1", "$2"] + [""] * 6
    assert mux.option("runtime") == world.runtime
    assert int(mux.option("pid")) == world.status()["pid"]
    assert os.access(mux.option("interpreter"), os.X_OK)
    mux("kill-session", "-t", "=api:")
    world.until(lambda: (mux.option("slot-2"), mux.option("slot-3")) == ("$2", ""), "the slot's end")
    assert not [line for line in mux.lines("show-options", "-g") if "slot-3" in line]
    world.cli("down", env=mux.inside())
    everywhere = [*mux.lines("show-options", "-g")]
    for target in mux.lines("list-panes", "-a", "-F", "#{pane_id}"):
        everywhere += mux.lines("show-options", "-t", target)
        everywhere += mux.lines("show-options", "-w", "-t", target)
        everywhere += mux.lines("show-options", "-p", "-t", target)
    assert not [line for line in everywhere if PUBLISHED.match(line)]
    assert not os.path.exists(paths.ordering_file(world.runtime, mux.key))
    mux.up()
    world.until(lambda: [mux.option(f"slot-{n}") for n in (1, 2, 3)] == ["$0", "$2", ""], "the slots")


def test_a_control_client_never_counts_and_is_never_switched(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.load()
    with control_client(mux, "main"):
        name = mux("list-clients", "-F", "#{client_name}")
        world.until(lambda: "main" in world.cli("list", "--json").stdout, "the list")
        assert world.status()["clients"] == 0
        assert world.status()["muxes"][0]["clients"] == 0
        for words in (("switch", "api"), ("switch", "api", "--client", name), ("sidebar", "focus")):
            done = world.cli(*words, env=mux.inside(), check=False)
            assert (done.returncode, done.stderr.count("\n")) == (1, 1), words
        assert mux("list-clients", "-F", "#{client_session}") == "main"
        client = mux.attach("api")
        for words in (("switch", "1"), ("switch", "api"), ("next",)):
            world.cli(*words, "--client", client.tty, env=mux.inside())
        assert mux.session_of(client) == "main"
        assert mux.lines("list-clients", "-F", "#{client_session}") == ["main", "main"]
        world.until(lambda: world.status()["clients"] == 1, "the one client that counts")


@pytest.mark.parametrize("words", [("switch", "2"), ("next",)])
def test_a_control_client_is_not_the_callers(world: World, mux: Tmux, words: tuple[str, ...]) -> None:
    mux.new("api")
    mux.load()
    with control_client(mux, "main"):
        done = world.cli(*words, env=mux.inside(), check=False)
        assert mux("list-clients", "-F", "#{client_session}") == "main"
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_exact_names_only(world: World, mux: Tmux) -> None:
    for name in ("api-v2", "3", "$0", "a:b", "=eq"):
        mux.new(name)
    mux("new-window", "-d", "-t", "main:", "-n", "window")
    mux.load()
    client = mux.attach()
    inside = mux.inside()

    def goes(where: str) -> str:
        mux("switch-client", "-c", client.tty, "-t", "=main:")
        done = world.cli("switch", where, "--client", client.tty, env=inside, check=False)
        assert done.stderr.count("\n") == done.returncode
        return mux.session_of(client) if done.returncode == 0 else f"{done.returncode}"

    assert goes("api") == goes("=api") == goes("window") == "1"
    assert goes("$99") == goes("²") == "1"
    assert goes("api-v2") == "api-v2"
    assert (goes("3"), goes("=3")) == (mux.rows()[2][1], "3")
    assert goes("$0") == "main"
    assert goes("=$0") == "$0"
    assert goes("a_b") == "a_b"
    assert goes("==eq") == "=eq"
    assert goes("0") == goes("9" * 5000) == "main"


def test_grouped_sessions_and_linked_windows_have_one_sidebar_each(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux("new-session", "-d", "-t", "main", "-s", "twin")
    mux("link-window", "-d", "-s", "main:0", "-t", "api:7")
    mux.load()
    world.until(lambda: len(mux.rows()) == 3, "three rows")
    assert world.status()["muxes"][0]["panes"] == 2
    first, second = mux.attach("main"), mux.attach("twin", cols=80, rows=20)
    first.type(PREFIX + b"t")
    world.until(lambda: len(mux.sidebars()) == 1, "one sidebar in the shared window")
    second.type(PREFIX + b"2")
    world.until(lambda: mux.session_of(second) == "api", "the second in api")
    assert mux.session_of(first) == "main"
    world.until(lambda: len(mux.sidebars()) == 2, "one more in the window of api")
    windows = [window for window, _ in mux.sidebars().values()]
    assert len(set(windows)) == len(windows) == 2
    second.type(PREFIX + b"3")
    world.until(lambda: mux.session_of(second) == "twin", "the second in twin")
    second.type(PREFIX + b"n")
    world.until(lambda: mux.session_of(second) == "main", "the row after twin")


def test_the_ordering_file_holds_hostile_names_and_changes_only_with_its_bytes(
    world: World, mux: Tmux
) -> None:
    names = [
        "tab\there",
        "line\nfeed",
        "é✳漢字🦀",
        "esc\x1b[31m",
        "##{pane_id}",
        "a b'c\"d",
        "\x7fdel",
        "-dash",
        "\u2028sep",
    ]
    for name in names:
        mux.new(name)
    mux.up()
    file = Path(paths.ordering_file(world.runtime, mux.key))
    world.until(lambda: len(mux.rows()) == 10, "ten rows")
    data = file.read_bytes()
    lines = data.decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert [line.split("\t")[0] for line in lines] == [f"${n}" for n in range(10)]
    for line in lines:
        target, _, name = line.partition("\t")
        assert re.fullmatch(r"\$\d+", target)
        assert name.isprintable(), name
    live = mux("list-sessions", "-F", "#{session_id}|#{session_name}").replace("\u2028", "?").split("\n")
    assert sorted(line.replace("\t", "|") for line in lines) == sorted(live)
    slots = [f"${n}" for n in range(9)]  # written after the file
    world.until(lambda: [mux.option(f"slot-{n}") for n in range(1, 10)] == slots, "the slots")
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.stat()
    mux("new-window", "-d", "-t", "main:")
    world.until(lambda: world.status()["muxes"][0]["panes"] == 11, "the new window")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    mux("rename-session", "-t", "$3", "plain")
    world.until(lambda: mux.rows()[3] == ("$3", "plain"), "the new name")
    assert file.stat().st_ino != before.st_ino
    assert sorted(os.listdir(file.parent)) == ["ordering", "registration"]


def test_two_hundred_sessions(world: World, mux: Tmux) -> None:
    mux.load()
    words: list[str] = []
    for n in range(200):
        words += ["new-session", "-d", "-s", f"n{n}", "sleep 1000", ";"]
    mux(*words[:-1])
    live = mux.lines("list-sessions", "-F", "#{session_id} #{session_name}")
    world.until(lambda: sorted(f"{i} {n}" for i, n in mux.rows()) == sorted(live), "201 rows")
    client = mux.attach()
    client.type(PREFIX + b"p")
    world.until(lambda: mux.session_of(client) == mux.rows()[200][1], "the last row")
    world.cli("switch", "150", "--client", client.tty, env=mux.inside())
    assert mux.session_of(client) == mux.rows()[149][1]
    client.type(PREFIX + b"s")
    client.see(mux.rows()[149][1])


def test_the_snapshot_has_the_keys_of_the_contract(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.load()
    client = mux.attach("api")
    world.until(lambda: [row["attached"] for row in rows(world)] == [0, 1], "the client")
    row = rows(world)[1]
    assert {name: row[name] for name in ("id", "name", "index", "hidden", "attached", "windows", "panes")} == {
        "id": "$1", "name": "api", "index": 2, "hidden": False, "attached": 1, "windows": 1, "panes": 1,
    }  # fmt: skip
    assert set(row) >= {
        "dir",
        "branch",
        "dirty",
        "worktree",
        "ports",
        "created",
        "state",
        "unseen",
        "metadata",
        "agents",
    }
    assert row["metadata"] == {"status": None, "progress": None, "log": []}
    assert row["created"] == int(mux.ask("#{session_created}", "api"))
    assert row["agents"] == []
    client.close()
    world.terminals.remove(client)
    world.until(lambda: rows(world)[1]["attached"] == 0, "the client's end")
    first = world.cli("list", "--json").stdout
    os.kill(mux.pid, signal.SIGUSR1)
    world.cli("list", "--json")
    assert world.cli("list", "--json").stdout == first


def rows(world: World) -> list[dict[str, object]]:
    snapshot = json.loads(world.cli("list", "--json").stdout)
    assert set(snapshot) == {"version", "instance", "muxes"}
    found: list[dict[str, object]] = snapshot["muxes"][0]["sessions"]
    return found


def test_help_lists_the_table(world: World, mux: Tmux) -> None:
    mux.load()
    listed = mux("list-keys", "-T", "opensessions")
    for key in ("s", "t", *"123456789", "n", "p", "o", "?"):
        assert re.search(rf"-T opensessions +\\?{re.escape(key)} ", listed), key
    client = mux.attach()
    client.type(PREFIX + b"?")
    client.see("Show the sidebar and go to it")
