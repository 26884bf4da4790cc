from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from opensessions import paths
from opensessions.errors import UnsafePath


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (
        "OPENSESSIONS_RUNTIME_DIR",
        "OPENSESSIONS_STATE_DIR",
        "OPENSESSIONS_CONFIG",
        "XDG_RUNTIME_DIR",
        "XDG_STATE_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_runtime_dir_prefers_the_environment_then_tmux_then_xdg_then_tmp(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paths.runtime_dir() == f"{bare}/opensessions-{os.geteuid()}"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(bare))
    assert paths.runtime_dir() == f"{bare}/opensessions"
    assert paths.runtime_dir(f"{bare}/told") == f"{bare}/told"
    monkeypatch.setenv("OPENSESSIONS_RUNTIME_DIR", f"{bare}/env")
    assert paths.runtime_dir(f"{bare}/told") == f"{bare}/env"


def test_what_tmux_told_does_not_count_once_its_parent_has_vanished(bare: Path) -> None:
    assert paths.runtime_dir(f"{bare}/gone/opensessions") == f"{bare}/opensessions-{os.geteuid()}"


def test_an_xdg_runtime_dir_of_somebody_else_does_not_count(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/1/does-not-exist")
    assert paths.runtime_dir() == f"{bare}/opensessions-{os.geteuid()}"
    if os.geteuid() != 0:
        monkeypatch.setenv("XDG_RUNTIME_DIR", "/")
        assert paths.runtime_dir() == f"{bare}/opensessions-{os.geteuid()}"


def test_ensure_private_makes_a_directory_that_only_we_may_enter(bare: Path) -> None:
    made = paths.ensure_private(f"{bare}/a/b")
    assert os.stat(made).st_mode & 0o777 == 0o700
    assert paths.ensure_private(made) == made


def test_a_link_a_file_and_an_open_directory_are_refused(bare: Path) -> None:
    (bare / "real").mkdir(mode=0o700)
    (bare / "link").symlink_to(bare / "real")
    (bare / "file").touch()
    (bare / "open").mkdir()
    (bare / "open").chmod(0o755)
    for name, word in (("link", "symbolic link"), ("file", "not a directory"), ("open", "chmod 700")):
        with pytest.raises(UnsafePath, match=word):
            paths.ensure_private(f"{bare}/{name}")
    assert os.stat(bare / "open").st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(bare: Path) -> None:
    (bare / "theirs").mkdir(mode=0o700)
    os.chown(bare / "theirs", 65534, 65534)
    with pytest.raises(UnsafePath, match="belongs to user 65534"):
        paths.ensure_private(f"{bare}/theirs")


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(bare: Path) -> None:
    long = f"{bare}/{'x' * 104}"
    with pytest.raises(UnsafePath, match="too long"):
        paths.ensure_runtime(long)
    assert not os.path.exists(long)


def test_tmux_key_is_the_digest_of_the_real_path(bare: Path) -> None:
    (bare / "real").touch()
    (bare / "link").symlink_to(bare / "real")
    expected = "tmux-" + hashlib.sha256(os.fsencode(os.path.realpath(bare / "real"))).hexdigest()[:16]
    assert paths.tmux_key(f"{bare}/link") == paths.tmux_key(f"{bare}/real") == expected
