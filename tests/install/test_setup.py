"""`opensessions plugin-path`, `doctor` and `demo`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensessions import installation
from opensessions.errors import Refused
from opensessions_tmux import binary, setup
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World


def test_the_line_for_tmux_conf_loads_the_plugin(world: World) -> None:
    line = world.cli("plugin-path").stdout
    assert line.count("\n") == 1
    mux = world.mux(conf=line)
    world.until(lambda: mux("show-options", "-gqv", "@opensessions-pid"))
    assert "-T opensessions" in mux("list-keys", "-T", "prefix", "o")
    doctor = world.cli("doctor", env=mux.inside())
    assert "FAULT" not in doctor.stdout


def test_the_line_is_right_for_any_path(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world.home / "it's \"a\" $HOME #{pid} #(x) ~;\\ é {a,b} 'dir"
    folder.mkdir()
    (folder / "plugin.tmux").write_text('printf "%s\\n" "$1" >"${0%/*}/ran"\n')
    monkeypatch.setattr(installation, "plugin_folder", lambda: str(folder))
    world.mux(conf=setup.plugin_line())
    ran = folder / "ran"
    world.until(ran.exists)
    world.until(lambda: ran.read_text() == f"{sys.executable}\n")


def test_doctor_outside_of_tmux(world: World) -> None:
    said = json.loads(world.cli("doctor", "--json").stdout)
    assert said["ok"]
    assert {
        "version",
        "files",
        "runtime directory",
        "state directory",
        "configuration",
        "server",
        "tmux",
    } <= {check["name"] for check in said["checks"]}


def test_doctor_names_what_is_wrong(world: World, mux: Tmux) -> None:
    done = world.cli("doctor", env=mux.inside(), check=False)
    assert done.returncode == 1
    assert "FAULT  plugin: it is not loaded in this tmux" in done.stdout
    world.cli("up", env=mux.inside())
    subprocess.run(
        [sys.executable, "-m", "opensessions_tmux.install"],
        env=world.env | mux.inside(),
        check=True,
        capture_output=True,
    )
    assert world.cli("doctor", env=mux.inside()).returncode == 0
    mux("set-hook", "-g", "session-created", "display-message theirs")
    mux("set-hook", "-gu", "window-linked")
    assert "window-linked" in world.cli("doctor", env=mux.inside(), check=False).stdout
    mux("bind-key", "o", "display-message", "theirs")
    assert "prefix o was bound again" in world.cli("doctor", env=mux.inside(), check=False).stdout
    world.config.write_text("sidebar: {widht: 3}\n")
    os.chmod(world.state, 0o755)
    said = json.loads(world.cli("doctor", "--json", env=mux.inside(), check=False).stdout)
    faults = {check["name"]: check for check in said["checks"] if not check["ok"]}
    assert "widht" in faults["configuration"]["found"]
    assert "chmod 700" in faults["state directory"]["found"]
    os.chmod(world.state, 0o700)


# --- the demo -----------------------------------------------------------------------------------------------


@pytest.fixture
def demo(world: World) -> Iterator[dict[str, str]]:
    """The environment for a demo; afterwards nothing of it may be left."""
    env = {name: value for name, value in world.env.items() if not name.startswith("OPENSESSIONS_")}
    env["DEMO_OF"] = str(world.home)
    yield env
    world.until(lambda: not alive(env["DEMO_OF"]), "the end of every process of the demo")
    left = [path for path in world.home.rglob("*") if path.name not in ("bin", "tmux")]
    assert not left


def alive(mark: str) -> list[str]:
    """The processes that have `mark` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"DEMO_OF={mark}".encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def press(world: World, demo: dict[str, str], terminal: Terminal, key: bytes, *tables: str) -> None:
    """Keys, the last one after those that lead to these key tables. Each is typed when tmux has read the one before:
    what it reads at once is a paste to a tmux with its own `assume-paste-time`."""
    found = re.search(r"-S (/tmp/opensessions-demo-\w+/tmux)", "\n".join(alive(demo["DEMO_OF"])))
    assert found
    asked = [world.binary, "-S", found[1], "list-clients", "-F", "#{client_key_table}"]
    for step, table in zip((b"\x02", b"o"), tables, strict=False):
        terminal.type(step)
        terminal.wait(
            lambda table=table: (
                subprocess.run(asked, capture_output=True, text=True, check=True).stdout == f"{table}\n"
            ),
            f"the key table {table}",
        )
    terminal.type(key)


def test_demo_without_a_terminal_prints_the_sidebar(world: World, demo: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opensessions", "demo", "--headless"],
        env=demo, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for word in ("api", "web", "docs", "infra", "scratch"):
        assert word in done.stdout
    assert "\x1b" not in done.stdout


def test_demo_in_a_terminal(world: World, demo: dict[str, str]) -> None:
    terminal = Terminal([sys.executable, "-m", "opensessions", "demo"], demo)
    try:
        terminal.see("sessions 5")
        terminal.see("This is no agent")
        press(world, demo, terminal, b"3", "prefix", "opensessions")
        terminal.wait(lambda: "[docs]" in terminal.text)
        press(world, demo, terminal, b"d", "prefix")
        terminal.wait(lambda: terminal.ended)
    finally:
        terminal.close()


def test_demo_whose_terminal_goes_away(world: World, demo: dict[str, str]) -> None:
    terminal = Terminal([sys.executable, "-m", "opensessions", "demo"], demo)
    terminal.see("sessions 5")
    terminal.close()


def test_demo_that_is_ended(world: World, demo: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "opensessions", "demo", "--headless"],
        env=demo,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    world.until(lambda: any("server run" in line for line in alive(demo["DEMO_OF"])), "its server")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (143, 0)


def test_demo_without_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "WELL_KNOWN", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match="tmux is missing"):
        setup.demo(True)
