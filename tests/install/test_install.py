"""Loading and uninstalling, against a real tmux; no server of ours is needed for either."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from opensessions import installation
from opensessions.errors import Refused
from opensessions_tmux import bindings, hooks, install, uninstall
from opensessions_tmux.admin import Admin
from opensessions_tmux.options import MARK, RINGS
from tests.install.looks import look
from tests.support.world import Tmux, World

OWN = r"""
set -g @opensessions-prefix-key o
set -g @opensessions-focus-key M-s
set -g @opensessions-toggle-key M-t
set -g @opensessions-index-keys 'M-1 M-2 M-; F12'
set -g @opensessions-popup-key M-p
set -g @mine 'kept; #{x}'
bind -N "my 'note' \"x\" ; #{y}" o if -F '#{a}' { display "it's \"q\" ; {x}" ; select-pane } { run-shell 'echo "a;b"' }
bind -n -N 'mine' M-t display 'mine'
bind -n 'M-;' display ';mine;'
set-hook -g client-attached 'set -g @theirs attached'
set-hook -ga client-attached 'set -g @theirs2 "a ; b"'
set-hook -g pane-exited[3] 'set -g @theirs exited'
set-hook -gw pane-title-changed 'set -g @theirs title'
set -g remain-on-exit off
set -g status-right '#{@opensessions-status}'
"""


def unrung(listings: dict[str, str]) -> dict[str, str]:
    """Without the count of rings: a new shell's title or name may ring at any moment."""
    return {
        command: "\n".join(line for line in text.splitlines() if not line.startswith(f"{RINGS}="))
        for command, text in listings.items()
    }


@pytest.mark.parametrize("conf", ["", OWN], ids=["plain", "theirs"])
def test_uninstalling_leaves_no_trace(world: World, conf: str) -> None:
    mux = world.mux(conf=conf)
    admin = Admin(world.binary, mux.socket)
    before = look(mux)
    assert install.load(admin) == []
    loaded = look(mux)
    assert loaded["list-keys"] != before["list-keys"]
    assert loaded["show-hooks -g"] != before["show-hooks -g"]
    assert install.load(admin) == []
    assert unrung(look(mux)) == unrung(loaded)
    assert uninstall.remove(admin, "") == []
    assert look(mux) == before


def test_a_users_hooks_stay_as_they_are(world: World) -> None:
    mux = world.mux(conf=OWN)
    admin = Admin(world.binary, mux.socket)
    theirs = mux("show-hooks", "-g").splitlines()
    install.load(admin)
    with_ours = [line for line in mux("show-hooks", "-g").splitlines() if f"[{hooks.SLOT}]" not in line]
    assert [line for line in theirs if " " in line] == [line for line in with_ours if " " in line]


def test_every_key_has_a_note(mux: Tmux, admin: Admin) -> None:
    install.load(admin)
    listed = mux("list-keys", "-N", "-T", "opensessions")
    for key in (*"stnpgeco?", *"123456789"):
        assert any(line.split()[0] == key and len(line.split()) > 1 for line in listed.splitlines()), key


def test_o_does_what_the_key_did_before(world: World, mux: Tmux, admin: Admin) -> None:
    admin.source("bind -N 'theirs' o set -g @did it\\; set -g @and 'that; too'")
    install.load(admin)
    install.load(admin)
    terminal = mux.attach()
    terminal.type(b"\x02oo")
    world.until(lambda: mux("show-options", "-gqv", "@and") == "that; too")
    assert mux("show-options", "-gqv", "@did") == "it"


def test_other_keys_are_swallowed(world: World, mux: Tmux, admin: Admin) -> None:
    install.load(admin)
    terminal = mux.attach()
    for key in (b"x", b"Q", b"\x1b[A", "é".encode(), b"\r"):
        terminal.type(b"\x02o")
        terminal.wait(lambda: mux.ask("#{client_key_table}") == "opensessions", "our key table")
        terminal.type(key)
        terminal.wait(lambda: mux.ask("#{client_key_table}") == "root", "the table is left")
    terminal.type(b"echo a$((1+1))c\r")
    terminal.see("a2c")
    shown = terminal.text
    assert "xQ" not in shown
    assert "é" not in shown


def test_another_prefix_key_gives_the_first_one_back(mux: Tmux, admin: Admin) -> None:
    before = mux("list-keys", "-T", "prefix", "o")
    install.load(admin)
    mux("set-option", "-g", "@opensessions-prefix-key", "C-a")
    install.load(admin)
    assert mux("list-keys", "-T", "prefix", "o") == before
    assert "-T opensessions" in mux("list-keys", "-T", "prefix", "C-a")


def test_a_binding_made_after_the_first_load_counts(mux: Tmux, admin: Admin) -> None:
    install.load(admin)
    mux("bind-key", "o", "display-message", "newer")
    install.load(admin)
    assert "newer" in mux("list-keys", "-T", "opensessions", "o")
    uninstall.remove(admin, "")
    assert "newer" in mux("list-keys", "-T", "prefix", "o")


def test_a_key_that_tmux_does_not_know_is_named_and_the_rest_is_bound(mux: Tmux, admin: Admin) -> None:
    mux("set-option", "-g", "@opensessions-focus-key", "Nonsense")
    mux("set-option", "-g", "@opensessions-toggle-key", "M-t")
    problems = install.load(admin)
    assert len(problems) == 1
    assert "Nonsense" in problems[0]
    assert mux("list-keys", "-T", "root", "M-t")
    assert mux("list-keys", "-T", "opensessions", "s")


def test_the_users_end_of_a_drag_stays(mux: Tmux, admin: Admin) -> None:
    mux("bind-key", "-n", "MouseDragEnd1Border", "display-message", "mine")
    before = look(mux)
    install.load(admin)
    assert "mine" in mux("list-keys", "-T", "root", "MouseDragEnd1Border")
    uninstall.remove(admin, "")
    assert look(mux) == before


def test_published_slots_switch_the_client_that_pressed(world: World, mux: Tmux, admin: Admin) -> None:
    there = mux.new("it's; #{x} $HOME a|b")
    other = mux.new("other")
    install.load(admin)
    mux("set-option", "-g", "@opensessions-slot-2", there)
    presser = mux.attach("main")
    watcher = mux.attach("other")
    watcher.type(b"x")
    presser.type(b"\x02o2")
    presser.wait(lambda: mux("list-clients", "-t", there, "-F", "#{client_tty}") == presser.tty)
    assert mux("list-clients", "-t", other, "-F", "#{client_tty}") == watcher.tty


def test_a_key_whose_files_are_gone_says_so(
    world: World, mux: Tmux, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.home / "it's a $(plugin) #{pid} {a,b} ünï"
    shutil.copytree(Path(installation.plugin_folder()) / "scripts", folder / "scripts")
    monkeypatch.setattr(installation, "plugin_folder", lambda: str(folder))
    install.load(admin)
    (folder / "scripts" / "switch.py").write_text(
        "import sys; open(sys.argv[0] + '.ran', 'w').write(sys.argv[1])"
    )
    terminal = mux.attach()
    terminal.type(b"\x02o4")
    ran = folder / "scripts" / "switch.py.ran"
    world.until(lambda: ran.exists() and ran.read_text() == "4")
    shutil.rmtree(folder)
    terminal.type(b"\x02o4")
    terminal.see(bindings.GONE)
    terminal.type(b"echo a$((1+1))c\r")
    terminal.see("a2c")


def test_a_popup_runs_what_it_should_where_it_should(
    world: World, mux: Tmux, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the names of folders hold: that of our script's, and that of the pane's directory."""
    folder = world.home / "it's a $(plugin) #{pid} {a,b} ünï"
    (folder / "scripts").mkdir(parents=True)
    monkeypatch.setattr(installation, "plugin_folder", lambda: str(folder))
    (folder / "scripts" / "popup.py").write_text(
        "import os, sys\nopen('ran.part', 'w').write('\\n'.join([os.environ.get('TMUX_PANE', ''), *sys.argv]))\n"
        "os.rename('ran.part', 'ran')\n"
    )
    mux("set-environment", "-g", "TMUX_PANE", "%99")
    install.load(admin)
    mux.new("there", "-c", "/")
    inert = str(folder).replace("#", "##")
    pane = mux("split-window", "-P", "-F", "#{pane_id}", "-t", "=there:", "-c", inert)
    terminal = mux.attach("there")
    world.until(lambda: mux.ask("#{pane_current_path}", pane) == str(folder), "the directory")
    terminal.type(b"\x02og")
    world.until((folder / "ran").exists, "the script")
    inherited, script, *given = (folder / "ran").read_text().split("\n")
    assert inherited == ""
    assert script == f"{folder}/scripts/popup.py"
    assert f"client={terminal.tty}" in given
    assert f"socket={mux.socket}" in given
    terminal.wait(lambda: "┌" not in terminal.text, "the popup's end")


@pytest.mark.parametrize("key", [b"g", b"c"])
def test_a_popup_whose_files_are_gone_says_so(
    world: World, mux: Tmux, admin: Admin, monkeypatch: pytest.MonkeyPatch, key: bytes
) -> None:
    monkeypatch.setattr(installation, "plugin_folder", lambda: str(world.home / "gone"))
    install.load(admin)
    terminal = mux.attach()
    terminal.type(b"\x02o" + key)
    terminal.see("its files are gone")
    terminal.type(b"\r")
    terminal.wait(lambda: "┌" not in terminal.text, "the popup's end")


def test_a_script_that_fails_shows_nothing(
    world: World, mux: Tmux, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.home / "plugin"
    (folder / "scripts").mkdir(parents=True)
    done = folder / "done"
    (folder / "scripts" / "notify.py").write_text(f"import sys; open({str(done)!r}, 'w'); sys.exit('broken')")
    monkeypatch.setattr(installation, "plugin_folder", lambda: str(folder))
    install.load(admin)
    terminal = mux.attach()
    terminal.type(b"\x02os")
    world.until(done.exists)
    terminal.type(b"echo a$((1+1))c\r")
    terminal.see("a2c")
    assert "returned" not in terminal.text
    assert mux.ask("#{pane_in_mode}") == "0"


def test_help_lists_the_keys(mux: Tmux, admin: Admin) -> None:
    install.load(admin)
    terminal = mux.attach()
    terminal.type(b"\x02o?")
    terminal.see(bindings.FOCUS)


def test_an_old_tmux_is_refused() -> None:
    with pytest.raises(Refused, match=r"3\.1c is too old"):
        install.check_version("3.1c")
    for version in ("3.2", "3.5a", "next-3.8", "master", "openbsd-7.8"):
        install.check_version(version)


def test_only_sidebars_of_this_owner_are_closed(world: World, mux: Tmux, admin: Admin) -> None:
    ours = mux("split-window", "-dfh", "-P", "-F", "#{pane_id}", "cat")
    others = mux("split-window", "-dfh", "-P", "-F", "#{pane_id}", "cat")
    mux("set-option", "-p", "-t", ours, MARK, "a" * 32)
    mux("set-option", "-p", "-t", others, MARK, "b" * 32)
    mux("set-option", "-p", "-t", others, "@opensessions-pane-state", "running")
    uninstall.remove(admin, "a" * 32)
    panes = mux.lines("list-panes", "-F", "#{pane_id}")
    assert ours not in panes
    assert others in panes


def test_a_sidebar_alone_in_its_window_becomes_a_shell(world: World, mux: Tmux, admin: Admin) -> None:
    session = mux.new("alone", "cat")
    pane = mux("list-panes", "-t", session, "-F", "#{pane_id}")
    mux("set-option", "-p", "-t", pane, MARK, "a" * 32)
    terminal = mux.attach("alone")
    uninstall.remove(admin, "a" * 32)
    terminal.type(b"echo a$((1+1))c\r")
    terminal.see("a2c")
    assert mux("show-options", "-p", "-t", pane) == ""


def test_a_zoomed_window_stays_zoomed(mux: Tmux, admin: Admin) -> None:
    sidebar = mux("split-window", "-dfhb", "-P", "-F", "#{pane_id}", "cat")
    mux("split-window", "-dh", "cat")
    mux("set-option", "-p", "-t", sidebar, MARK, "a" * 32)
    mux("resize-pane", "-Z")
    active = mux.ask("#{pane_id}")
    uninstall.remove(admin, "a" * 32)
    assert mux.ask("#{window_panes} #{window_zoomed_flag} #{pane_id}") == f"2 1 {active}"
