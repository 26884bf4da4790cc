"""`opensessions zellij`, and what doctor and uninstall make of it, on the real zellij."""

from __future__ import annotations

import json
import os
import subprocess
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

from opensessions import setups
from opensessions.cli import doctor as cli
from opensessions.installation import plugin_folder
from opensessions.setups import Check
from opensessions_zellij import install
from tests.support.world import World
from tests.support.zellij import SETTINGS, Zellij

DATA = Path(__file__).parent / "data"
CHECKED = "[CONFIG FILE]: Well defined"


def checked(zellij: Zellij) -> bool:
    """Does zellij itself understand its configuration?"""
    return CHECKED in zellij.run("setup", "--check").stdout


def doctor(world: World) -> dict[str, tuple[bool, str]]:
    """The doctor's checks on zellij, by name."""
    said = json.loads(world.cli("doctor", "--json", check=False).stdout)
    return {each["name"]: (each["ok"], each["found"]) for each in said["checks"] if "zellij" in each["name"]}


def test_install_and_uninstall(zworld: World, zellij: Zellij) -> None:
    for text in ((DATA / "default-0.45.1.kdl").read_text(), SETTINGS, ""):
        zellij.config.write_text(text)
        os.chmod(zellij.config, 0o640)
        said = zworld.cli("zellij", "install").stdout
        assert said.startswith(f"Installed in {zellij.config}: Ctrl o, then o, then:\n")
        assert "  1-9  the session in that row\n" in said
        assert checked(zellij)
        once = zellij.config.read_text()
        assert zworld.cli("zellij", "install").stdout.startswith("Already in ")
        assert zellij.config.read_text() == once
        assert json.loads(zworld.cli("zellij", "status", "--json").stdout) == {
            "file": str(zellij.config),
            "state": "installed",
            "key": "session:o",
        }
        assert zworld.cli("zellij", "uninstall").stdout == f"Removed from {zellij.config}.\n"
        assert zellij.config.read_text() == text
        assert zellij.config.stat().st_mode & 0o777 == 0o640
        assert "nothing of ours" in zworld.cli("zellij", "uninstall").stdout


def test_a_dry_run_shows_and_changes_nothing(zworld: World, zellij: Zellij) -> None:
    before = zellij.config.read_text()
    diff = zworld.cli("zellij", "install", "--dry-run").stdout
    assert diff.startswith(f"--- {zellij.config}\n+++ {zellij.config}\n")
    assert '+    session {\n+        bind "o" { SwitchToMode "prompt"; }\n' in diff
    assert zellij.config.read_text() == before
    zworld.cli("zellij", "install")
    done = zellij.config.read_text()
    diff = zworld.cli("zellij", "uninstall", "--dry-run").stdout
    assert '-        bind "o" { SwitchToMode "prompt"; }\n' in diff
    assert zellij.config.read_text() == done
    layout = zworld.cli("zellij", "layout", "--dry-run").stdout
    assert layout.startswith("--- /dev/null\n")
    assert not (zellij.config.parent / "layouts").exists()


def test_a_configuration_is_made_where_there_is_none(zworld: World, zellij: Zellij) -> None:
    """Then zellij's own keys hold beside ours, and its wizard for the first run does not come up over them."""
    zellij.config.unlink()
    zworld.cli("zellij", "install")
    assert checked(zellij)
    assert zworld.cli("zellij", "uninstall").stdout == f"Removed {zellij.config}.\n"
    assert not zellij.config.exists()


def test_a_link_stays_one(zworld: World, zellij: Zellij) -> None:
    real = zworld.home / "dotfiles.kdl"
    os.rename(zellij.config, real)
    zellij.config.symlink_to(real)
    before = real.read_text()
    zworld.cli("zellij", "install")
    assert zellij.config.is_symlink()
    assert "zellij.py" in real.read_text()
    zworld.cli("zellij", "uninstall")
    assert zellij.config.is_symlink()
    assert real.read_text() == before


def test_the_next_key_is_taken_where_ours_is_bound(zworld: World, zellij: Zellij) -> None:
    """zellij's preset "unlock first" binds `o` in the mode `session`, and begins in `locked`."""
    text = (DATA / "unlock-first-0.45.1.kdl").read_text()
    zellij.config.write_text(text)
    said = zworld.cli("zellij", "install").stdout
    assert "Ctrl g, then o, then g, then:" in said
    assert 'SwitchToMode "locked"; }' in zellij.config.read_text().partition(">>> opensessions")[2]
    assert checked(zellij)
    zworld.cli("zellij", "uninstall")
    assert zellij.config.read_text() == text


def test_a_key_of_ones_own(zworld: World, zellij: Zellij) -> None:
    before = zellij.config.read_text()
    for key, words in (("Alt f", "bound already (normal: ToggleFloatingPanes)"), ("session:d", "Detach")):
        refused = zworld.cli("zellij", "install", "--key", key, check=False)
        assert refused.returncode == 1
        assert words in refused.stderr
        assert zellij.config.read_text() == before
    assert "is no key" in zworld.cli("zellij", "install", "--key", "nomode:x", check=False).stderr
    assert "Alt s, then:" in zworld.cli("zellij", "install", "--key", "Alt s").stdout
    assert checked(zellij)
    assert "Ctrl b, then u, then:" in zworld.cli("zellij", "install", "--key", "tmux:u").stdout
    assert "Alt s" not in zellij.config.read_text()
    zworld.cli("zellij", "uninstall")
    assert zellij.config.read_text() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keybinds {\n  normal {\n", "line 2: this `{` has no `}`"),
        ('theme "x"\nkeybinds\n', "line 2: `keybinds` has no block"),
        ('keybinds {\n  prompt { bind "x" { Quit; }; }\n}\n', "your keys use zellij's mode 'prompt'"),
        ('keybinds {\n  nomode { bind "x" { Quit; }; }\n}\n', "zellij does not understand"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    zworld: World, zellij: Zellij, text: str, words: str
) -> None:
    zellij.config.write_text(text)
    refused = zworld.cli("zellij", "install", check=False)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert str(zellij.config) in refused.stderr
    assert zellij.config.read_text() == text


def test_the_file_that_zellij_reads_is_found(zworld: World, zellij: Zellij) -> None:
    def looked_for(**said: str) -> str:
        env = {**zworld.env, **said}
        answer = subprocess.run(
            [zellij.program, "setup", "--check"], env=env, capture_output=True, text=True, check=True
        )
        lines = answer.stdout.splitlines()
        found = next(line for line in lines if line.startswith("[LOOKING FOR CONFIG FILE FROM]"))
        assert install.config_file(env) == found.partition('"')[2].rstrip('"')
        return install.config_file(env)

    assert looked_for() == str(zellij.config)
    other = zworld.home / "other"
    (other / "zellij").mkdir(parents=True)
    for name in ("config.kdl", "x.kdl", "zellij/config.kdl"):
        (other / name).write_text(SETTINGS)
    assert looked_for(XDG_CONFIG_HOME=str(other)) == str(zellij.config)
    assert looked_for(ZELLIJ_CONFIG_DIR=str(other)) == f"{other}/config.kdl"
    assert looked_for(ZELLIJ_CONFIG_FILE=f"{other}/x.kdl") == f"{other}/x.kdl"
    zellij.config.unlink()
    zellij.config.parent.rmdir()
    assert looked_for(XDG_CONFIG_HOME=str(other)) == f"{other}/zellij/config.kdl"


def test_the_layout_is_written_and_removed(zworld: World, zellij: Zellij) -> None:
    file = zellij.config.parent / "layouts" / "opensessions.kdl"
    assert zworld.cli("zellij", "layout", "--install").stdout.startswith(f"Written to {file}.\n")
    assert file.read_text() == zworld.cli("zellij", "layout").stdout
    assert zworld.cli("zellij", "layout", "--install").stdout.startswith("Already ")
    zworld.config.write_text("sidebar: {width: 31, position: right}\n")
    zworld.cli("zellij", "layout", "--install")
    text = file.read_text()
    assert "opensessions size=31 borderless=true" in text
    assert text.index("pane focus=true") < text.index("opensessions size=31", text.index("    tab {"))
    assert f"Removed {file}." in zworld.cli("zellij", "uninstall").stdout
    assert not file.exists()


def test_a_layout_of_somebody_else_is_left_alone(zworld: World, zellij: Zellij) -> None:
    file = zellij.config.parent / "layouts" / "opensessions.kdl"
    file.parent.mkdir()
    file.write_text("layout {\n}\n")
    refused = zworld.cli("zellij", "layout", "--install", check=False)
    assert (refused.returncode, "is not ours" in refused.stderr) == (1, True)
    zworld.cli("zellij", "uninstall")
    assert file.read_text() == "layout {\n}\n"


def test_the_doctor_looks_at_zellij(zworld: World, zellij: Zellij) -> None:
    found = doctor(zworld)
    assert found["zellij"] == (True, f"0.45.1, {zworld.home}/bin/zellij")
    assert found["zellij keys"][0]
    assert "opensessions zellij install" in found["zellij keys"][1]
    assert "zellij gap, messages" in found
    zworld.cli("zellij", "install")
    assert doctor(zworld)["zellij keys"] == (True, f"Ctrl o, then o, then ? lists them ({zellij.config})")
    here = plugin_folder()
    zellij.config.write_text(zellij.config.read_text().replace(f"{here}/scripts", "/gone/scripts"))
    assert not doctor(zworld)["zellij keys"][0]
    zellij.config.write_text("keybinds {\n")
    ok, words = doctor(zworld)["zellij keys"]
    assert (ok, "line 1" in words) == (False, True)


def test_keys_that_zellij_wrote_anew_are_a_fault(zworld: World, zellij: Zellij) -> None:
    """Its configuration screen writes `hold_on_close false` for `close_on_exit true`, and does not read it (0.45.1): a
    pane of ours would stay."""
    zworld.cli("zellij", "install")
    zellij.config.write_text(zellij.config.read_text().replace("close_on_exit true", "hold_on_close false"))
    assert not doctor(zworld)["zellij keys"][0]
    zworld.cli("zellij", "install")
    assert doctor(zworld)["zellij keys"][0]


def test_the_doctor_names_a_zellij_that_is_too_old(zworld: World, zellij: Zellij) -> None:
    program = zworld.home / "bin" / "zellij"
    program.unlink()
    program.write_text("#!/bin/sh\necho zellij 0.43.1\n")
    program.chmod(0o755)
    ok, words = doctor(zworld)["zellij"]
    assert (ok, "0.44 or later" in words) == (False, True)


def test_uninstall_takes_everything_out(zworld: World, zellij: Zellij) -> None:
    before = zellij.config.read_text()
    zworld.cli("zellij", "install")
    zworld.cli("zellij", "layout", "--install")
    zworld.cli("uninstall")
    assert zellij.config.read_text() == before
    assert not (zellij.config.parent / "layouts" / "opensessions.kdl").exists()


@pytest.mark.parametrize("installed", [True, False])
def test_one_multiplexer_is_enough_and_none_is_a_fault(
    short: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], installed: bool
) -> None:
    for name in ("RUNTIME_DIR", "STATE_DIR", "CONFIG"):
        monkeypatch.setenv(f"OPENSESSIONS_{name}", str(short / name))
    absent = SimpleNamespace(installed=lambda: False, checks=lambda: [Check("one", True, "not installed")])
    other = SimpleNamespace(installed=lambda: installed, checks=list)
    monkeypatch.setattr(setups, "find", lambda: [absent, other])
    cli.run(Namespace(json=True))
    names = {each["name"] for each in json.loads(capsys.readouterr().out)["checks"]}
    assert "one" in names
    assert ("multiplexer" in names) is not installed
