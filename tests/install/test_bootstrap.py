"""scripts/bootstrap: what it leaves, what it says, one at a time. What is really downloaded and installed is tried in
.ci/run, in a fresh clone; here `uv` is a script that makes a bare environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from opensessions import installation

ROOT = Path(installation.root())

UV = f"""#!/bin/sh
echo "$@" >>"$HOME/uv-calls"
case $1 in
  venv) for last; do :; done; exec {sys.executable} -m venv --without-pip "$last" ;;
  pip) [ ! -e "$HOME/broken" ] || {{ echo 'no network' >&2; exit 1; }} ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what bootstrap needs."""
    folder = tmp_path / 'it\'s a "checkout" $(x)'
    (folder / "opensessions").mkdir(parents=True)
    for name in ("pyproject.toml", "opensessions/__init__.py", "plugin.tmux"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    return folder


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An empty home, and the `uv` above."""
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "uv").write_text(UV)
    (bin / "uv").chmod(0o755)
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home"), "PATH": f"{bin}:/usr/bin:/bin"}


def bootstrap(checkout: Path, env: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(checkout / "scripts" / "bootstrap"), "--no-tmux", *words],
        env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def calls(env: Mapping[str, str]) -> list[str]:
    """What uv was called with."""
    file = Path(env["HOME"]) / "uv-calls"
    return file.read_text().splitlines() if file.exists() else []


def test_a_set_up_is_made_once(checkout: Path, env: dict[str, str]) -> None:
    assert bootstrap(checkout, env, "--ready").returncode == 1
    assert not calls(env), "--ready installs nothing"
    done = bootstrap(checkout, env)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{checkout}/.venv/bin/python\n"
    assert len(calls(env)) == 2
    again = bootstrap(checkout, env)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert bootstrap(checkout, env, "--ready").stdout == done.stdout
    assert len(calls(env)) == 2


def test_another_version_is_set_up_anew(checkout: Path, env: dict[str, str]) -> None:
    bootstrap(checkout, env)
    (checkout / "opensessions" / "__init__.py").write_text('__version__ = "9.9"\n')
    assert bootstrap(checkout, env, "--ready").returncode == 1
    bootstrap(checkout, env)
    assert bootstrap(checkout, env, "--ready").returncode == 0
    assert len(calls(env)) == 3, "the environment itself is used again"


def test_a_checkout_that_was_moved_is_set_up_anew(checkout: Path, env: dict[str, str]) -> None:
    bootstrap(checkout, env)
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert bootstrap(moved, env, "--ready").returncode == 1
    assert bootstrap(moved, env).stdout == f"{moved}/.venv/bin/python\n"


def test_the_tools_for_tests_are_asked_for(checkout: Path, env: dict[str, str]) -> None:
    bootstrap(checkout, env)
    assert bootstrap(checkout, env, "--ready", "--dev").returncode == 1
    bootstrap(checkout, env, "--dev")
    assert "dev-requirements.txt" in calls(env)[-1]
    assert "pytest-xdist" in (checkout / ".venv" / "dev-requirements.txt").read_text()
    assert bootstrap(checkout, env, "--ready", "--dev").returncode == 0
    assert bootstrap(checkout, env, "--ready").returncode == 0


def test_two_at_once_make_one(checkout: Path, env: dict[str, str]) -> None:
    command = ["/bin/sh", str(checkout / "scripts" / "bootstrap"), "--no-tmux"]
    both = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(4)
    ]
    said = {process.communicate(timeout=100)[0] for process in both}
    assert said == {f"{checkout}/.venv/bin/python\n"}
    assert [process.returncode for process in both] == [0] * 4
    assert len(calls(env)) == 2


def test_a_failure_names_the_log_and_is_tried_again(checkout: Path, env: dict[str, str]) -> None:
    env["PIP_NO_INDEX"] = "1"  # the second way, without uv, finds nothing either
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        hide(env, name)
    broken = Path(env["HOME"]) / "broken"
    broken.touch()
    done = bootstrap(checkout, env)
    log = Path(env["HOME"]) / ".local/state/opensessions/bootstrap.log"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"see {log}, mend what it names, and try again.")
    assert "no network" in log.read_text()
    assert log.parent.stat().st_mode & 0o777 == 0o700
    assert not (checkout / ".venv" / "opensessions.stamp").exists()
    broken.unlink()
    assert bootstrap(checkout, env).returncode == 0


def hide(env: Mapping[str, str], name: str) -> None:
    """Put a program on PATH that fails, as a version manager's shim does for a version that is not there."""
    shim = Path(env["PATH"].partition(":")[0]) / name
    shim.write_text("#!/bin/sh\necho 'not installed' >&2\nexit 127\n")
    shim.chmod(0o755)


def test_without_any_python_it_says_so(checkout: Path, env: dict[str, str]) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        hide(env, name)
    os.unlink(Path(env["PATH"].partition(":")[0]) / "uv")
    done = bootstrap(checkout, env)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Python 3.11 or later is missing; install it")


def test_an_installed_package_sends_to_plugin_path(checkout: Path, env: dict[str, str]) -> None:
    (checkout / "pyproject.toml").unlink()
    done = bootstrap(checkout, env)
    assert done.returncode == 1
    assert "opensessions plugin-path" in done.stderr


def test_usage(checkout: Path, env: dict[str, str]) -> None:
    assert "--ready" in bootstrap(checkout, env, "--help").stdout
    assert bootstrap(checkout, env, "--nonsense").returncode == 2
