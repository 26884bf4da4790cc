"""What survives, and what happens to files that are not what was written."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensessions import paths
from opensessions.errors import Refused, UnsafePath
from opensessions.events import SavedArrangement
from opensessions.private import ASIDE
from opensessions.provider import SidebarWish
from opensessions.server.store import Registration, Store, owner_id

KEY = "tmux-0123456789abcdef"
SAVED = SavedArrangement("12.345", (("$3", "api"), ("$1", "it's; #{x} 🦊\n")), ("web",), "agents")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    return folder


def arrangement_file(state: Path, content: bytes | None = None) -> Path:
    folder = state / "mux" / KEY
    for each in (folder.parent, folder):
        each.mkdir(mode=0o700, exist_ok=True)
    path = folder / "arrangement.json"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    return path


# --- the owner id ---------------------------------------------------------------------------------------------


def test_the_owner_id_is_made_once_and_stays(state: Path) -> None:
    first = owner_id(str(state))
    assert len(first) == 32
    assert int(first, 16)
    assert owner_id(str(state)) == Store(str(state)).owner() == first
    assert (state / "owner").read_text() == first + "\n"
    assert (state / "owner").stat().st_mode & 0o777 == 0o600


def test_two_installations_have_two_owner_ids(state: Path, runtime: Path) -> None:
    assert owner_id(str(state)) != owner_id(str(runtime))


@pytest.mark.parametrize("before", [None, b"garbage"])
def test_processes_that_start_at_once_get_the_same_owner_id(state: Path, before: bytes | None) -> None:
    if before is not None:
        (state / "owner").write_bytes(before)
    code = (
        "import sys; from opensessions import private; from opensessions.server.store import owner_id;"
        "private.PATIENCE = 60.0;"
        "print('ready', flush=True); sys.stdin.readline(); print(owner_id(sys.argv[1]))"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = {racer.communicate(timeout=30)[0] for racer in racers}
    assert said == {(state / "owner").read_text()}
    assert {path.name for path in state.iterdir()} == {"owner", "owner.lock"} | (
        {"owner.corrupt-1"} if before else set()
    )


@pytest.mark.parametrize(
    "content", [b"", b"x" * 32, b"0" * 31, b"0" * 33, b"A" * 32, b"0" * 32 + b"\n\n", b"0" * (1 << 21)]
)
def test_a_corrupt_owner_id_is_moved_aside_and_followed_by_a_new_one(
    state: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (state / "owner").write_bytes(content)
    made = owner_id(str(state))
    assert owner_id(str(state)) == made
    assert (state / "owner.corrupt-1").read_bytes() == content
    assert len(caplog.records) == 1
    assert str(state / "owner.corrupt-1") in caplog.text


# --- arrangements ---------------------------------------------------------------------------------------------


def test_an_arrangement_survives(state: Path) -> None:
    Store(str(state)).save_arrangement(KEY, SAVED)
    assert Store(str(state)).arrangement(KEY) == SAVED
    assert Store(str(state)).arrangement("zellij") == SavedArrangement()
    assert arrangement_file(state).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in arrangement_file(state).parent.iterdir()] == ["arrangement.json"]


def test_the_same_arrangement_is_not_written_again(state: Path) -> None:
    store = Store(str(state))
    store.save_arrangement(KEY, SAVED)
    before = arrangement_file(state).stat().st_ino
    store.save_arrangement(KEY, SAVED)
    assert arrangement_file(state).stat().st_ino == before
    store.save_arrangement(KEY, SavedArrangement())
    assert arrangement_file(state).stat().st_ino != before


def test_names_that_are_no_utf_8_are_saved_as_far_as_they_are(state: Path) -> None:
    store = Store(str(state))
    odd = SavedArrangement("1.2", (("$1", "a\udcff"), ("$2", "a\udcfe"), ("$3", "b")), ("a\udcff",))
    for _ in range(3):
        store.save_arrangement(KEY, odd)
    assert Store(str(state)).arrangement(KEY).rows == (("$1", "a?"), ("$3", "b"))
    assert [path.name for path in arrangement_file(state).parent.iterdir()] == ["arrangement.json"]


def test_a_session_that_a_hand_wrote_twice_counts_once(state: Path) -> None:
    rows = '[["$1","a"],["$2","b"],["$1","c"],["$3","b"],["$2","b"]]'
    value = f'{{"generation":"","rows":{rows},"hidden":[],"mode":"all"}}'
    arrangement_file(state, f'{{"version":1,"value":{value}}}'.encode())
    assert Store(str(state)).arrangement(KEY).rows == (("$1", "a"), ("$2", "b"))


CORRUPT = [
    b"",
    b"\0\0\0\0",
    b"not json",
    b'{"version":1,"value":{"rows":[["$1","a"]]',
    b'{"version":2,"value":{}}',
    b'{"version":"1","value":{}}',
    b'{"value":{}}',
    b'{"version":1,"value":{"mode":"sideways"}}',
    b'{"version":1,"value":{"rows":[["$1"]]}}',
    b'{"version":1,"value":{"rows":[[1,"a"]]}}',
    b'{"version":1,"value":{},"more":1}',
    b'{"version":1,"value":' + b"[" * 100_000,
    b'{"version":1,"value":{"generation":"' + b"x" * (1 << 20) + b'"}}',
]


@pytest.mark.parametrize("content", CORRUPT, ids=range(len(CORRUPT)))
@pytest.mark.parametrize("first", ["load", "save"])
def test_a_corrupt_file_is_moved_aside_with_one_warning(
    state: Path, content: bytes, first: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = arrangement_file(state, content)
    store = Store(str(state))
    if first == "load":
        assert store.arrangement(KEY) == SavedArrangement()
    store.save_arrangement(KEY, SAVED)
    assert Path(f"{path}.corrupt-1").read_bytes() == content
    assert len(caplog.records) == 1
    assert f"{path}.corrupt-1" in caplog.text
    assert Store(str(state)).arrangement(KEY) == SAVED


def test_a_stopped_maker_of_the_owner_id_is_not_waited_for_long(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opensessions.private.PATIENCE", 0.05)
    with (state / "owner.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Refused, match=r"owner\.lock cannot be locked"):
            owner_id(str(state))


def test_corrupt_files_are_kept_up_to_a_number_and_then_nothing_is_saved(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(str(state))
    for number in range(ASIDE + 2):
        path = arrangement_file(state, f"bad {number}".encode())
        assert store.arrangement(KEY) == SavedArrangement()
    assert path.read_text() == f"bad {ASIDE + 1}"
    assert "until you remove" in caplog.records[-1].getMessage()
    with pytest.raises(Refused, match="until you remove"):
        store.save_arrangement(KEY, SAVED)
    assert {Path(f"{path}.corrupt-{n}").read_text() for n in range(1, ASIDE + 1)} == {
        f"bad {n}" for n in range(ASIDE)
    }


def test_a_full_disk_refuses_and_keeps_what_was_there(small_disk: Path) -> None:
    store = Store(str(small_disk))
    store.save_arrangement(KEY, SAVED)
    before = sorted(small_disk.rglob("*"))
    large = SavedArrangement(rows=tuple((f"${n}", "n" * 90 + str(n)) for n in range(1000)))
    with pytest.raises(Refused, match=r"arrangement\.json cannot be saved \(No space left on device\)"):
        store.save_arrangement(KEY, large)
    assert sorted(small_disk.rglob("*")) == before, "no temporary file is left"
    assert Store(str(small_disk)).arrangement(KEY) == SAVED


def test_a_read_only_disk_refuses_while_the_value_is_still_read(small_disk: Path) -> None:
    store = Store(str(small_disk))
    store.save_arrangement(KEY, SAVED)
    corrupt = small_disk / "owner"
    corrupt.write_text("garbage")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert store.arrangement(KEY) == SAVED
    with pytest.raises(Refused, match="cannot be saved"):
        store.save_arrangement(KEY, SavedArrangement())
    with pytest.raises(Refused, match="Read-only"):
        store.owner()
    assert corrupt.read_text() == "garbage"


def test_a_corrupt_file_that_cannot_be_moved_is_kept(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = arrangement_file(small_disk, b"bad")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    store = Store(str(small_disk))
    assert store.arrangement(KEY) == SavedArrangement()
    assert "it is kept and nothing is saved there" in caplog.text
    with pytest.raises(Refused, match="it is kept"):
        store.save_arrangement(KEY, SAVED)
    assert path.read_bytes() == b"bad"


# --- files that are not ours ------------------------------------------------------------------------------------


def make_unsafe(path: Path, how: str) -> None:
    target = path.parent / "elsewhere"
    target.write_bytes(b"precious")
    path.unlink(missing_ok=True)
    if how == "link":
        path.symlink_to(target)
    elif how == "dangling link":
        path.symlink_to(path.parent / "nowhere")
    elif how == "folder":
        path.mkdir()
    elif how == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(b"precious")
        if how == "writable":
            path.chmod(0o622)
        else:
            if os.geteuid() != 0:
                pytest.skip("only root can give files away")
            os.chown(path, 12345, -1)


UNSAFE = ["link", "dangling link", "folder", "fifo", "writable", "foreign"]


@pytest.mark.parametrize("how", UNSAFE)
def test_an_owner_file_that_is_not_ours_is_refused_and_left_alone(state: Path, how: str) -> None:
    make_unsafe(state / "owner", how)
    before = os.lstat(state / "owner")
    with pytest.raises(UnsafePath, match="owner"):
        owner_id(str(state))
    assert os.lstat(state / "owner") == before
    assert not (state / "nowhere").exists()
    assert (state / "elsewhere").read_bytes() == b"precious"


@pytest.mark.parametrize("how", UNSAFE)
def test_an_arrangement_that_is_not_ours_is_refused_and_left_alone(
    state: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = arrangement_file(state)
    make_unsafe(path, how)
    before = os.lstat(path)
    store = Store(str(state))
    assert store.arrangement(KEY) == SavedArrangement()
    assert str(path) in caplog.text
    with pytest.raises(UnsafePath):
        store.save_arrangement(KEY, SAVED)
    assert os.lstat(path) == before
    assert (path.parent / "elsewhere").read_bytes() == b"precious"


def test_a_folder_that_is_a_link_is_refused(state: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    (state / "mux").symlink_to(tmp_path / "other")
    with pytest.raises(UnsafePath):
        Store(str(state)).save_arrangement(KEY, SAVED)
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize(
    "key", ["", "..", "tmux-../x", "a/b", "tmux-0123456789abcdeG", "tmux-0123456789abcdef\n"]
)
def test_a_key_is_never_a_path(state: Path, runtime: Path, key: str) -> None:
    store = Store(str(state))
    for act in (
        lambda: store.arrangement(key),
        lambda: store.save_arrangement(key, SAVED),
        lambda: store.remember(str(runtime), key, Registration("tmux", "/s")),
        lambda: store.forget(str(runtime), key),
    ):
        with pytest.raises(Refused):
            act()


# --- sidebars -------------------------------------------------------------------------------------------------


def test_what_the_user_did_to_the_sidebar_survives(state: Path) -> None:
    configured = SidebarWish(visible=False, width=26, position="right", lone="shell")
    store = Store(str(state))
    assert store.sidebars(KEY, configured) == configured
    store.save_sidebars(KEY, SidebarWish(visible=True, width=31, position="right", lone="shell"))
    assert Store(str(state)).sidebars(KEY, configured) == SidebarWish(True, 31, "right", "shell")
    assert Store(str(state)).sidebars("zellij", configured) == configured


def test_editing_the_configuration_afterwards_counts(state: Path) -> None:
    store = Store(str(state))
    store.sidebars(KEY, SidebarWish(visible=False, width=26))
    store.save_sidebars(KEY, SidebarWish(visible=True, width=31))
    assert Store(str(state)).sidebars(KEY, SidebarWish(visible=False, width=40)) == SidebarWish(True, 40)
    assert Store(str(state)).sidebars(KEY, SidebarWish(visible=True, width=26)) == SidebarWish(True, 31)


@pytest.mark.parametrize(
    "value", [b"{}", b'{"visible":true,"width":-1,"configured_visible":true,"configured_width":1}']
)
def test_corrupt_sidebar_settings_are_moved_aside(state: Path, value: bytes) -> None:
    path = arrangement_file(state).parent / "sidebars.json"
    path.write_bytes(b'{"version":1,"value":' + value + b"}")
    assert Store(str(state)).sidebars(KEY, SidebarWish(width=33)) == SidebarWish(width=33)
    assert Path(f"{path}.corrupt-1").exists()


# --- registrations --------------------------------------------------------------------------------------------


def test_registrations_are_remembered_until_forgotten(state: Path, runtime: Path) -> None:
    store = Store(str(state))
    assert store.remembered(str(runtime)) == []
    odd = Registration("tmux", "/tmp/a b=c\n\udcff#{x}/sock", "/opt/t m/tmux")
    other = Registration("zellij", "main")
    store.remember(str(runtime), KEY, odd)
    store.remember(str(runtime), KEY, odd)
    store.remember(str(runtime), "zellij", other)
    assert Store(str(state)).remembered(str(runtime)) == [odd, other]
    assert Path(paths.mux_dir(str(runtime), KEY), "registration").stat().st_mode & 0o777 == 0o600
    store.forget(str(runtime), KEY)
    store.forget(str(runtime), KEY)
    assert store.remembered(str(runtime)) == [other]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"version=1\0provider=tmux",
        b"version=2\0provider=tmux\0target=/x",
        b"version=1\0target=/x",
    ],
)
def test_a_registration_that_cannot_be_understood_is_ignored(
    state: Path, runtime: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(str(state))
    store.remember(str(runtime), "zellij", Registration("zellij", "main"))
    store.remember(str(runtime), KEY, Registration("tmux", "/x"))
    Path(paths.mux_dir(str(runtime), KEY), "registration").write_bytes(content)
    assert store.remembered(str(runtime)) == [Registration("zellij", "main")]
    assert len(caplog.records) == 1
    store.remember(str(runtime), KEY, Registration("tmux", "/y"))
    assert Registration("tmux", "/y") in store.remembered(str(runtime))


# --- anything -------------------------------------------------------------------------------------------------


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.binary(max_size=100) | st.from_regex(rb'\{"version":1,"value":.{0,40}\}', fullmatch=True))
def test_no_content_whatever_raises_or_is_lost(state: Path, content: bytes) -> None:
    path = arrangement_file(state)
    for old in path.parent.iterdir():
        old.unlink()
    arrangement_file(state, content)
    store = Store(str(state))
    store.arrangement(KEY)
    store.save_arrangement(KEY, SAVED)
    assert Store(str(state)).arrangement(KEY) == SAVED


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.builds(
        SavedArrangement,
        st.text(max_size=9),
        st.lists(
            st.tuples(st.text(max_size=9), st.text(max_size=9)),
            unique_by=(lambda row: row[0], lambda row: row[1]),
        ).map(tuple),
        st.lists(st.text(max_size=9)).map(tuple),
        st.sampled_from(["all", "agents", "active"]),
    )
)
def test_every_arrangement_reads_back(state: Path, saved: SavedArrangement) -> None:
    Store(str(state)).save_arrangement(KEY, saved)
    assert Store(str(state)).arrangement(KEY) == saved
