"""`opensessions hooks` on real files in a home of its own."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from opensessions import installation
from opensessions.agents.known import KINDS
from opensessions.cli import hooks as verb
from opensessions.errors import Refused
from opensessions.hooks import agents, files
from opensessions.hooks.command import command
from tests.hooks.server import Server
from tests.hooks.texts import written

JSON = {
    "claude-code": ".claude/settings.json",
    "codex": ".codex/hooks.json",
    "cursor": ".cursor/hooks.json",
    "droid": ".factory/settings.json",
    "gemini": ".gemini/settings.json",
    "qwen": ".qwen/settings.json",
}
OWN = {
    "amp": ".config/amp/plugins/opensessions.ts",
    "copilot": ".copilot/hooks/opensessions.json",
    "kilo": ".config/kilo/plugins/opensessions.js",
    "opencode": ".config/opencode/plugin/opensessions.js",
    "pi": ".pi/agent/extensions/opensessions.ts",
}
MINE = '{\n    "model": "x",\n    "hooks": {\n        "Stop": [{"hooks": [{"command": "mine"}]}]\n    }\n}\n'

Hooks = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "COPILOT_HOME", "PI_CODING_AGENT_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OPENSESSIONS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def hooks(*words: str) -> int:
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    return verb.run(parser.parse_args(words))


def standing(home: Path) -> dict[str, bytes | str]:
    """Every file and folder, but for our own state."""
    found: dict[str, bytes | str] = {}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        if not name.startswith("state"):
            found[name] = "link" if path.is_symlink() else "folder" if path.is_dir() else path.read_bytes()
    return found


def states(capsys: pytest.CaptureFixture[str], *named: str) -> dict[str, str]:
    capsys.readouterr()
    assert hooks("status", "--json", *named) == 0
    rows = json.loads(capsys.readouterr().out)["hooks"]
    assert all(set(row) == {"agent", "state", "file", "detail"} for row in rows)
    return {row["agent"]: row["state"] for row in rows}


def write(home: Path, name: str, text: str) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def commands(value: Any) -> list[str]:
    """Every command in a settings file."""
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in ([inner] if key in ("command", "bash") else commands(inner))]  # fmt: skip # noqa: E501
    return [each for inner in value for each in commands(inner)] if isinstance(value, list) else []


def test_every_agent_that_is_recognised_is_named() -> None:
    assert {*agents.names(), *agents.WITHOUT} == {kind.name for kind in KINDS}
    assert {*JSON, *OWN} == set(agents.names())


def test_every_file_is_documented() -> None:
    text = Path(installation.root(), "docs/how-to/hooks.md").read_text()
    assert [name for name in {**JSON, **OWN}.values() if f"`~/{name}`" not in text] == []


@pytest.mark.parametrize("agent", agents.names())
def test_install_and_uninstall_leave_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], agent: str
) -> None:
    before = standing(home)
    assert hooks("install", agent) == 0
    assert states(capsys, agent) == {agent: "installed"}
    assert (home / {**JSON, **OWN}[agent]).exists()
    once = standing(home)
    assert hooks("install", agent) == 0  # again: nothing more
    assert standing(home) == once
    assert hooks("uninstall", agent) == 0
    assert standing(home) == before
    assert states(capsys, agent) == {agent: "missing"}
    assert hooks("uninstall", agent) == 0
    assert standing(home) == before
    assert not (home / "state/hooks").exists()


@pytest.mark.parametrize("agent", JSON)
def test_the_users_file_comes_back_to_the_byte(home: Path, agent: str) -> None:
    for text in (MINE, MINE.replace("\n", "\r\n"), '{"a":1}', "", "// mine\n{\n  // here\n}\n", "\ufeff{}"):
        path = write(home, JSON[agent], text)
        assert hooks("install", agent) == 0
        assert path.read_bytes() != text.encode()
        assert hooks("uninstall", agent) == 0
        assert path.read_bytes() == text.encode()


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(pair=written())
def test_any_file_comes_back_to_the_byte(home: Path, pair: tuple[dict[str, Any], str]) -> None:
    path = write(home, ".claude/settings.json", pair[1])
    assert hooks("install", "claude") == 0
    assert hooks("uninstall", "claude") == 0
    assert path.read_bytes() == pair[1].encode()


def test_what_the_user_changed_in_between_stays(home: Path) -> None:
    path = write(home, ".claude/settings.json", MINE)
    hooks("install", "claude-code")
    path.write_text(path.read_text().replace('"x"', '"y"').replace("mine", "mine too"))
    assert hooks("uninstall", "claude-code") == 0
    assert path.read_text() == MINE.replace('"x"', '"y"').replace("mine", "mine too")


@pytest.mark.parametrize("agent", JSON)
def test_a_file_that_we_made_goes_though_it_was_laid_out_anew(home: Path, agent: str) -> None:
    hooks("install", agent)
    path = home / JSON[agent]
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert hooks("uninstall", agent) == 0
    assert not path.exists()


def test_a_file_that_we_made_stays_with_what_the_user_put_there(home: Path) -> None:
    hooks("install", "qwen")
    path = home / ".qwen/settings.json"
    path.write_text(json.dumps({"$version": 3, **json.loads(path.read_text())}))
    assert hooks("uninstall", "qwen") == 0
    assert json.loads(path.read_text()) == {"$version": 3}


def test_without_our_notes_our_entries_still_go(home: Path) -> None:
    path = write(home, ".claude/settings.json", MINE)
    hooks("install", "claude-code")
    for note in (home / "state/hooks").iterdir():
        note.write_text('{"file": 3}')
    assert hooks("uninstall", "claude-code") == 0
    assert path.read_text() == MINE


def test_entries_of_another_version_are_renewed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(home, ".claude/settings.json", MINE)
    hooks("install", "claude-code")
    now = path.read_text()
    path.write_text(now.replace("/scripts/hook.py", "/elsewhere/hook.py"))
    assert states(capsys, "claude") == {"claude-code": "outdated"}
    assert hooks("install", "claude-code") == 0
    assert path.read_text() == now
    assert hooks("uninstall", "claude-code") == 0
    assert path.read_text() == MINE
    path = write(home, OWN["opencode"], "// opensessions-hook: of another version\n")
    assert states(capsys, "opencode") == {"opencode": "outdated"}
    assert hooks("install", "opencode") == 0
    assert states(capsys, "opencode") == {"opencode": "installed"}


def test_a_missing_event_is_outdated(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hooks("install", "codex")
    path = home / ".codex/hooks.json"
    value = json.loads(path.read_text())
    del value["hooks"]["Stop"]
    path.write_text(json.dumps(value))
    assert states(capsys, "codex") == {"codex": "outdated"}


@pytest.mark.skipif(not shutil.which("patch"), reason="there is no patch here")
def test_dry_run_shows_a_patch_that_patch_applies(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(home, ".claude/settings.json", MINE.rstrip())
    before = standing(home)
    assert hooks("install", "--dry-run", "claude-code") == 0
    shown = capsys.readouterr().out
    assert standing(home) == before
    assert not (home / "state").exists()
    assert shown.startswith(f"--- {path}\n+++ {path}\n@@")
    hooks("install", "claude-code")
    after = path.read_text()
    path.write_text(MINE.rstrip())
    done = subprocess.run(["patch", str(path)], input=shown, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert path.read_text() == after
    capsys.readouterr()
    assert hooks("uninstall", "--dry-run", "claude-code") == 0
    assert path.read_text() == after
    assert "-" in capsys.readouterr().out


def test_a_link_stays_a_link_and_the_mode_stays(home: Path) -> None:
    real = write(home, "dotfiles/claude.json", MINE)
    real.chmod(0o640)
    link = home / ".claude/settings.json"
    link.parent.mkdir()
    link.symlink_to("../dotfiles/claude.json")
    assert hooks("install", "claude-code") == 0
    assert link.is_symlink()
    assert b"opensessions-hook" in real.read_bytes()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert hooks("uninstall", "claude-code") == 0
    assert link.is_symlink()
    assert real.read_text() == MINE
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', "line 3: a comma or '}' is expected"),
        ('{"hooks": []}', "line 1: 'hooks' is no object"),
        ('{"hooks":\n {"Stop": 3}}', "line 2: 'Stop' is no list"),
        ("{\n\udcff}", "line 2: this is not UTF-8"),
        ("[" * 100_000, "line 1: it is nested"),
        (" " * (files.LIMIT + 1), "larger than 4 MiB"),
    ],
)
def test_a_file_that_cannot_be_understood_is_left_alone(
    home: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = home / ".claude/settings.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    hooks("install", "codex")
    capsys.readouterr()
    assert hooks("install", "claude-code", "codex") == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"opensessions: claude-code: {path}")
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert "codex: already in" in shown.out
    assert path.read_bytes() == text.encode("utf-8", "surrogateescape")
    if "no " not in said:  # there is nothing of ours in a well-formed one, which is known
        assert hooks("uninstall", "claude-code") == 1
    assert states(capsys, "claude-code") == {"claude-code": "missing"}


def test_a_folder_in_the_files_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".claude/settings.json").mkdir(parents=True)
    assert hooks("install", "claude-code") == 1
    assert "not a regular file" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(home, ".claude/settings.json", MINE)
    path.parent.chmod(0o500)
    assert hooks("install", "claude-code") == 1
    path.parent.chmod(0o700)
    assert "cannot be written" in capsys.readouterr().err
    assert path.read_text() == MINE


def test_a_full_disk_changes_nothing(
    home: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(small_disk))
    path = small_disk / "settings.json"
    path.write_text(MINE)
    (small_disk / "much").write_bytes(b"x" * 60_000)
    assert hooks("install", "claude-code") == 1
    assert "cannot be written" in capsys.readouterr().err
    assert path.read_text() == MINE
    assert sorted(each.name for each in small_disk.iterdir()) == ["much", "settings.json"]


def test_a_file_that_changes_at_this_moment_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    with pytest.raises(Refused, match="just now"):
        files.replace(str(path), '{"other": 1}', "ours")
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]


def test_a_plugin_that_is_not_ours_is_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(home, OWN["pi"], "export default () => {}\n")
    assert hooks("install", "pi") == 1
    assert "is not ours" in capsys.readouterr().err
    assert states(capsys, "pi") == {"pi": "missing"}
    assert hooks("uninstall", "pi") == 0
    assert path.read_text() == "export default () => {}\n"


def test_without_names_it_is_for_the_agents_that_are_used(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".codex").mkdir()
    (home / ".config/opencode").mkdir(parents=True)
    assert hooks("install") == 0
    shown = capsys.readouterr()
    assert "codex: installed in" in shown.out
    assert "Codex runs them once you trust them" in shown.out
    assert f"gemini: skipped, there is no {home}/.gemini" in shown.err
    assert "aider: skipped, it has no hooks" in shown.err
    found = states(capsys)
    assert {agent for agent, state in found.items() if state == "installed"} == {"codex", "opencode"}
    assert {agent for agent, state in found.items() if state == "unsupported"} == set(agents.WITHOUT)
    assert hooks("uninstall") == 0
    assert set(states(capsys).values()) == {"missing", "unsupported"}


def test_names_that_nobody_has(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused, match="No agent is called 'frob'"):
        hooks("install", "frob")
    assert hooks("install", "aider") == 1
    assert "nothing is installed for aider: it has no hooks" in capsys.readouterr().err


def test_json_says_what_stands_there_afterwards(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hooks("install", "--json", "codex") == 0
    row = json.loads(capsys.readouterr().out)["hooks"][0]
    assert (row["state"], row["file"]) == ("installed", f"{home}/.codex/hooks.json")


def test_a_file_with_all_hooks_off_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home, ".claude/settings.json", '{"disableAllHooks": true}')
    hooks("install", "claude-code")
    capsys.readouterr()
    hooks("status", "claude-code")
    assert "disableAllHooks" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("agent", "variable", "file"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "settings.json"),
        ("codex", "CODEX_HOME", "hooks.json"),
        ("copilot", "COPILOT_HOME", "hooks/opensessions.json"),
        ("pi", "PI_CODING_AGENT_DIR", "extensions/opensessions.ts"),
        ("opencode", "XDG_CONFIG_HOME", "opencode/plugin/opensessions.js"),
    ],
)
def test_the_folder_may_be_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, agent: str, variable: str, file: str
) -> None:
    monkeypatch.setenv(variable, str(home / "else where"))
    assert hooks("install", agent) == 0
    assert (home / "else where" / file).exists()


def test_droids_own_file_of_hooks_is_used_where_it_is(home: Path) -> None:
    hooks("install", "droid")
    path = write(home, ".factory/hooks.json", "{}")
    assert hooks("install", "droid") == 0
    assert set(json.loads(path.read_text())) >= {"Stop", "Notification"}
    assert hooks("uninstall", "droid") == 0
    assert path.read_text() == "{}"
    assert not (home / ".factory/settings.json").exists()


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/dash"])
def test_the_command_does_no_harm_where_our_files_have_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: Path, shell: str
) -> None:
    if not os.path.exists(shell):
        pytest.skip(f"there is no {shell} here")
    place = tmp_path / 'it\'s "a" $HOME `folder`'
    (place / "scripts").mkdir(parents=True)
    monkeypatch.setattr(installation, "plugin_folder", lambda: str(place))
    for agent, answer in (("codex", ""), ("gemini", "{}")):
        text = command(agent, "Stop", answer)
        for _ in range(2):
            done = subprocess.run([shell, "-c", text], capture_output=True, text=True, input="", check=False)
            assert (done.returncode, done.stdout.strip(), done.stderr) == (0, answer, "")
            (place / "scripts/hook.py").write_text(
                "import sys; sys.exit('broken')"
            )  # and where they are broken
        (place / "scripts/hook.py").unlink()
    (place / "scripts/hook.py").symlink_to(f"{installation.root()}/scripts/hook.py")
    monkeypatch.setattr(installation, "interpreter", lambda: str(tmp_path / "no python"))
    done = subprocess.run(
        [shell, "-c", command("codex", "Stop")], capture_output=True, text=True, input="", check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_installed_tells_the_server(home: Path, short: Path) -> None:
    server = Server(short / "run")
    try:
        count = 0
        for agent, name in {**JSON, "copilot": OWN["copilot"]}.items():
            assert hooks("install", agent) == 0
            for each in commands(json.loads((home / name).read_text())):
                done = subprocess.run(
                    ["/bin/sh", "-c", each], input=b"{}", capture_output=True, timeout=60, check=True,
                    env={"OPENSESSIONS_RUNTIME_DIR": str(short / "run"), "PATH": "/usr/bin:/bin"},
                )  # fmt: skip
                assert done.stderr == b""
                assert done.stdout == (b"{}\n" if agent in ("gemini", "cursor") else b"")
                count += 1
                told = server.wait(count)[-1]
                assert told["agent"] == agent
                assert told["event"] == shlex.split(each)[7]
    finally:
        server.close()
