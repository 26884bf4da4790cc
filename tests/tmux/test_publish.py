"""What is published in tmux's options."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.errors import MuxError
from opensessions.provider import Publication
from opensessions_tmux.publish import changes, leftovers
from tests.tmux.conftest import Follower

SCOPES = st.sampled_from(["", "$1", "@2", "%3"])
VALUES = st.dictionaries(
    st.tuples(SCOPES, st.sampled_from(["opensessions-a", "opensessions-slot-1"])), st.text(max_size=3)
)


def applied(
    values: dict[tuple[str, str], str], commands: list[tuple[str, ...]]
) -> dict[tuple[str, str], str]:
    """A model of set-option."""
    flags = {"g": "", "w": "@", "p": "%"}
    result = dict(values)
    for _, flag, *rest in commands:
        scope = rest.pop(1) if rest[0] == "-t" else ""
        if scope:
            rest.pop(0)
        assert scope[:1] == flags.get(flag[1], "$")
        key = (scope, rest[0].removeprefix("@"))
        if "u" in flag:
            result.pop(key, None)
        else:
            result[key] = rest[1]
    return result


@given(VALUES, VALUES)
def test_changes_lead_from_old_to_new(
    old: dict[tuple[str, str], str], new: dict[tuple[str, str], str]
) -> None:
    then = applied({}, list(map(tuple, changes({}, old))))
    assert applied(then, list(map(tuple, changes(old, new)))) == applied(
        {}, list(map(tuple, changes({}, new)))
    )
    assert changes(new, new) == []


def test_only_what_changed_is_written() -> None:
    old = {
        ("", "opensessions-status"): "1",
        ("%3", "opensessions-pane-state"): "idle",
        ("$1", "opensessions-x"): "y",
    }
    new = {("", "opensessions-status"): "1", ("%3", "opensessions-pane-state"): "running"}
    assert changes(old, new) == [
        ("set-option", "-qu", "-t", "$1", "@opensessions-x"),
        ("set-option", "-pq", "-t", "%3", "@opensessions-pane-state", "running"),
    ]


def test_targets_and_paths_arrive_as_they_are_and_texts_inert() -> None:
    new = {
        ("", "opensessions-slot-1"): "$3",
        ("", "opensessions-runtime"): "/a #{x}",
        ("", "opensessions-status"): "#(id) #[bold]\x1b",
    }
    assert [words[-1] for words in changes({}, new)] == ["$3", "/a #{x}", "##(id) ##[bold]"]


def test_leftovers_are_only_ours() -> None:
    listing = (
        "@opensessions-slot-3 \"$7\"\n@opensessions-prefix-key o\n@opensessions-status ''\n@other x\nstatus on\n"
        "$1 opensessions-session-state\n%2 opensessions-pane-state opensessions-pane-agent\n%2x y\n"
    )
    assert set(leftovers(listing)) == {
        ("", "opensessions-slot-3"), ("", "opensessions-status"), ("$1", "opensessions-session-state"),
        ("%2", "opensessions-pane-state"), ("%2", "opensessions-pane-agent"),
    }  # fmt: skip


def ours(follower: Follower) -> list[str]:
    """Every option of ours that stands in tmux."""
    mux = follower.mux
    found = [f"g {line}" for line in mux.lines("show-options", "-g")]
    scopes = (
        ("", "list-sessions", "session"),
        ("w", "list-windows -a", "window"),
        ("p", "list-panes -a", "pane"),
    )
    for flag, listing, id in scopes:
        for target in dict.fromkeys(mux.lines(*listing.split(" "), "-F", f"#{{{id}_id}}")):
            found += [f"{target} {line}" for line in mux.lines("show-options", f"-{flag}t", target)]
    return [line for line in found if "@opensessions-" in line]


async def test_a_publication_stands_in_every_scope_and_goes(follower: Follower) -> None:
    mux = follower.mux
    session, window, pane = mux.ask("#{session_id} #{window_id} #{pane_id}", "main:").split(" ")
    await follower.provider.publish(
        Publication(
            {
                ("", "opensessions-slot-1"): session,
                ("", "opensessions-status"): "◆ 1; #(touch /x)",
                (session, "opensessions-session-state"): "waiting",
                (window, "opensessions-window-icon"): "◆",
                (pane, "opensessions-pane-agent"): "codex",
                ("%999", "opensessions-pane-state"): "gone",
                ("@999", "opensessions-window-state"): "gone",
                ("$999", "opensessions-session-icon"): "gone",
            }
        )
    )
    assert mux("show-options", "-gqv", "@opensessions-slot-1") == session
    assert mux("show-options", "-gqv", "@opensessions-status") == "◆ 1; ##(touch /x)"
    shown = mux.ask(
        "#{@opensessions-session-state} #{@opensessions-window-icon} #{@opensessions-pane-agent}", pane
    )
    assert shown == "waiting ◆ codex"
    await follower.provider.publish(Publication({("", "opensessions-slot-1"): "$77"}))
    assert ours(follower) == ['g @opensessions-slot-1 "$77"']
    await follower.provider.withdraw()
    assert ours(follower) == []


async def test_the_zero_fork_switch_finds_the_slot(follower: Follower) -> None:
    """The slot's value as a binding uses it, for a name that would be a catastrophe in a command string."""
    mux = follower.mux
    target = mux.new("it's; #{x} \\$HOME a|b")
    terminal = await follower.attach()
    await follower.provider.publish(Publication({("", "opensessions-slot-3"): target}))
    slot = "#{@opensessions-slot-3}"
    switch = f"run-shell -C \"switch-client -t '{slot}'\""
    mux("bind-key", "-n", "F5", "if-shell", "-F", slot, switch, "display-message no")
    terminal.type(b"\x1b[15~")
    await follower.until(lambda: follower.last.viewers()[0].session == target, "the switch")


async def test_what_a_killed_server_left_is_taken_back(follower: Follower) -> None:
    mux = follower.mux
    pane = mux.ask("#{pane_id}", "main:")
    for words in (
        ("-g", "@opensessions-slot-9", "$99"),
        ("-g", "@opensessions-attention", "%5"),
        ("-g", "@opensessions-prefix-key", "j"),
        ("-p", "-t", pane, "@opensessions-pane-state", "waiting"),
        ("-w", "-t", pane, "@opensessions-window-state", "waiting"),
        ("-t", "main", "@opensessions-session-icon", "0"),
    ):
        mux("set-option", *words)
    await follower.provider.publish(Publication({("", "opensessions-slot-1"): "$0"}))
    assert ours(follower) == ["g @opensessions-prefix-key j", 'g @opensessions-slot-1 "$0"']


async def test_a_failed_publication_is_written_anew(follower: Follower) -> None:
    first = Publication({("", "opensessions-slot-1"): "$0", ("", "opensessions-slot-2"): "$1"})
    await follower.provider.publish(first)
    os.kill(follower.mux.pid, signal.SIGSTOP)
    try:
        with pytest.raises(MuxError):
            await follower.provider.publish(Publication({("", "opensessions-slot-1"): "$5"}))
    finally:
        os.kill(follower.mux.pid, signal.SIGCONT)
    follower.mux("set-option", "-gu", "@opensessions-slot-1")
    await follower.provider.publish(first)
    assert ours(follower) == ['g @opensessions-slot-1 "$0"', 'g @opensessions-slot-2 "$1"']


async def test_many_values_are_written_in_few_calls(follower: Follower) -> None:
    mux = follower.mux
    panes = [
        mux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "main:", "sleep 1000") for _ in range(12)
    ]
    values = {(pane, f"opensessions-{n}"): "x" * 50 for pane in panes for n in range(40)}
    await follower.provider.publish(Publication(values))
    assert len([line for line in ours(follower) if "x" * 50 in line]) == len(values)
