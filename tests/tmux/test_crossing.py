"""The way into a tmux from elsewhere, and the words that let a client go."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.errors import Refused
from opensessions.model import Client, Inventory, Session
from opensessions.provider import HandOver
from opensessions_tmux.crossing import hand_over, shell_word, typed, way_in

SHELLS = [shell for shell in ("/bin/sh", "bash", "zsh", "fish", "csh", "tcsh") if shutil.which(shell)]
ODD = "a b'c\"d;e#(f)$g`h`\\i!j*k?l[m]n{o}p~q&r|s<t>u^v%w=x,y:é✓"
INVENTORY = Inventory(
    1,
    1,
    "3.5a",
    (Session("$1", ODD),),
    {},
    (Client("/dev/pts/1", "$1"), Client("client-9", "$1", control=True)),
)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "word", [ODD, "-n", "~", "=ls", "%1", "@x", "it's", "^a", "a=b", "!!", "{a,b}", "#x"]
)
def test_a_word_is_the_same_to_every_shell(shell: str, word: str) -> None:
    line = "exec " + " ".join(map(shell_word, ["/usr/bin/printf", "<%s>", word]))
    done = subprocess.run([shell, "-c", line], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == f"<{word}>"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60)
def test_any_printable_word_is_one_word(word: str) -> None:
    line = "exec " + " ".join(map(shell_word, ["/usr/bin/printf", "<%s>", word]))
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, timeout=20, check=True)
    assert done.stdout.decode() == f"<{word}>"


@pytest.mark.parametrize("word", ["", "a\nb", "a\x1bb", "a\0"])
def test_what_no_shell_can_be_told_is_refused(word: str) -> None:
    with pytest.raises(Refused):
        shell_word(word)


def test_only_a_client_with_a_terminal_can_be_handed_over() -> None:
    assert hand_over(HandOver("/dev/pts/1", ("/a b", "c")), INVENTORY) == (
        "detach-client", "-t", "/dev/pts/1", "-E", "exec /a\\ b c",
    )  # fmt: skip
    with pytest.raises(Refused, match="control-mode"):
        hand_over(HandOver("client-9", ("true",)), INVENTORY)
    with pytest.raises(Refused, match="any more"):
        hand_over(HandOver("/dev/pts/2", ("true",)), INVENTORY)


def test_the_way_in_names_the_session_by_its_id_and_starts_no_server() -> None:
    way = way_in("/bin/tmux", "/tmp/s", "tmux-1", INVENTORY.sessions[0], "$1:@2.%3", "")
    assert way.argv == ("/bin/tmux", "-N", "-S", "/tmp/s", "attach-session", "-t", "$1:@2.%3")
    assert way.check == ("/bin/tmux", "-N", "-S", "/tmp/s", "has-session", "-t", "$1")
    told = way_in("/bin/tmux", "/tmp/s", "tmux-1", INVENTORY.sessions[0], "$1", "50% of #(it) is gone;")
    assert told.argv[-6:] == (";", "display-message", "-d", "5000", "--", "50%% of ##(it) is gone\\;")


@pytest.mark.parametrize(
    ("socket", "said"),
    [
        ("/tmp/tmux-1000/default", "tmux attach -t =api"),
        ("/tmp/tmux-1000/my work", "tmux -L 'my work' attach -t =api"),
        ("/home/u/sock", "tmux -S /home/u/sock attach -t =api"),
    ],
)
def test_what_one_types(socket: str, said: str) -> None:
    assert typed(socket, "api") == said
