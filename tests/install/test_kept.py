"""A key that we take is given back byte for byte."""

from __future__ import annotations

import pytest

from opensessions_tmux import kept
from opensessions_tmux.admin import Admin
from tests.install.looks import look
from tests.support.world import Tmux

OURS = ("switch-client", "-T", "opensessions")

THEIRS = {
    "the default": "",
    "unbound": "unbind-key o",
    "quotes and a block": """bind -N "my 'note' \\"x\\" ; #{y} \\$Z" o if -F '#{a}' \
        { display "it's \\"q\\" ; $HOME {x}" ; select-pane -t :.+ } \
        { run-shell 'echo "a;b" \\; #(x) "$HOME"' } \\; display 'a}b{'""",
    "several lines": "bind -r -N 'two  words ' o {\n display 'one\n two'\n select-pane -U ; select-pane -D\n}",
    "a block in a block": "bind o if -F 1 {\n if -F 2 {\n display a ; display 'b;c'\n } \n select-pane -L\n}",
    "escapes": "bind o display 'tab\tnew' \\; display \"a\\\\b $HOME\" \\; display '~x' \\; display '#x'",
    "a format": """bind o run-shell 'printf %s "$(date +%H)" ; echo `x`' \\; if '[ "$A" = "b c" ]' 'display "a ; b"'""",
    "not ASCII": "bind -N 'é ✳' o display 'ünï ✳ 漢'",
    "a prompt": "bind o command-prompt -I '#W' -p 'name: ' { rename-window '%%' }",
    "our own option in it": "bind o display '#{@opensessions-status}'",
}


@pytest.mark.parametrize("theirs", THEIRS.values(), ids=list(THEIRS))
def test_a_key_is_what_it_was(mux: Tmux, admin: Admin, theirs: str) -> None:
    admin.source(theirs)
    before = look(mux)
    kept.keep(admin, "prefix", "o")
    admin.call("bind-key", "-N", "ours", "-T", "prefix", "o", *OURS)
    kept.keep(admin, "prefix", "o")
    assert kept.put_back(admin, kept.option("prefix", "o")) == ""
    assert look(mux) == before


@pytest.mark.parametrize("key", [";", "C-o", "M-#", "'", '"', "\\", "~", "F5", "é", "}"])
def test_any_key(mux: Tmux, admin: Admin, key: str) -> None:
    admin.call("bind-key", "-N", f"about {key}", "-T", "root", key, "display-message", "theirs")
    before = look(mux)
    kept.keep(admin, "root", key)
    admin.call("bind-key", "-T", "root", key, *OURS)
    assert look(mux) != before
    assert kept.put_back(admin, kept.option("root", key)) == ""
    assert look(mux) == before


def test_a_key_that_its_user_bound_since_is_left_alone(mux: Tmux, admin: Admin) -> None:
    kept.keep(admin, "prefix", "o")
    admin.call("bind-key", "o", *OURS)
    admin.call("bind-key", "o", "display-message", "since")
    assert kept.put_back(admin, kept.option("prefix", "o")) == ""
    assert "since" in mux("list-keys", "-T", "prefix", "o")


def test_what_tmux_tells_ambiguously_is_said(mux: Tmux, admin: Admin) -> None:
    admin.source(r"bind o display '\;' \; display x")
    kept.keep(admin, "prefix", "o")
    admin.call("bind-key", "o", *OURS)
    said = kept.put_back(admin, kept.option("prefix", "o"))
    assert "display-message" in said


def test_where_reads_what_option_writes() -> None:
    for table, key in (("prefix", "o"), ("root", "M-é"), ("a-b", ";")):
        assert kept.where(kept.option(table, key)) == (table, key)
    assert kept.where("@opensessions-kept-prefix-xyz") == ("", "")
