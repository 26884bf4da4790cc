"""Text on its way into tmux, pure and against real servers."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions_tmux import quote
from opensessions_tmux.quote import CALL_LIMIT, argument, batches, command, drawn, inert, plain, timed, word
from tests.support.world import Tmux

HOSTILE = st.text(st.sampled_from(list("ab#$;\\'\"`{}()[]~%, \n\t|é🙂=:@-!*?&<>")), max_size=14)


def exact(mux: Tmux, *words: str) -> str:
    """One command as this package sends it; the output as it is."""
    done = mux._run([argument(part).decode() for part in words])
    return done.stdout


def test_plain_drops_control_characters_and_nothing_else() -> None:
    assert plain("a\x00\x1b]0;\x07b\x7f\x9b\u2028 é🙂 $3 #{x}") == "a]0;b é🙂 $3 #{x}"
    assert plain("\ud800x\udcff") == "?x\udcff"
    argument(plain("\ud800x\udcff"))


def test_drawn_doubles_every_hash() -> None:
    assert drawn("#[fg=red]#(id)##") == "##[fg=red]##(id)####"


def test_inert_leaves_hashes_before_a_bracket() -> None:
    assert inert("#[x ##[y #(id) ###") == "#[x ##[y ##(id) ######"
    assert timed("100% #S #[x") == "100%% ##S ##[x"


def test_a_closing_semicolon_ends_no_command() -> None:
    assert argument("a;") == b"a\\;"
    assert argument("a\\;") == b"a\\\\;"
    assert argument("a;b") == b"a;b"


@given(
    st.lists(st.lists(st.text("ab;é", max_size=30), min_size=1, max_size=5), max_size=30), st.integers(1, 200)
)
def test_batches_keep_order_and_limit(many: list[list[str]], limit: int) -> None:
    calls = list(batches(many, limit))
    back: list[list[bytes]] = []
    for call in calls:
        assert sum(map(len, call)) <= limit or call.count(b";") == 0
        group: list[bytes] = []
        for part in call:
            if part == b";":
                back.append(group)
                group = []
            else:
                group.append(part)
        back.append(group)
    assert back == [[argument(part) for part in words] for words in many]


def test_a_full_batch_fits_in_a_message_of_tmux(mux: Tmux) -> None:
    many = [("set-option", "-g", "@x", "y" * 90)] * 400
    calls = list(batches(many))
    assert len(calls) > 1
    for call in calls:
        assert sum(map(len, call)) > CALL_LIMIT * 0.8 or call is calls[-1]
        mux._run([part.decode() for part in call])


def test_values_arrive_as_they_are(mux: Tmux) -> None:
    @settings(max_examples=40, deadline=None)
    @given(HOSTILE)
    def check(text: str) -> None:
        exact(mux, "set-option", "-g", "@v", text)
        assert exact(mux, "show-options", "-gqv", "@v") == text + "\n"

    check()


def test_words_of_a_command_string_arrive_as_they_are(mux: Tmux) -> None:
    @settings(max_examples=40, deadline=None)
    @given(HOSTILE)
    def check(text: str) -> None:
        exact(mux, "if-shell", "-F", "1", command(("set-option", "-g", "@v", text)))
        assert exact(mux, "show-options", "-gqv", "@v") == text + "\n"
        nested = command(("if-shell", "-F", "1", command(("set-option", "-g", "@w", text))))
        exact(mux, "if-shell", "-F", "1", nested)
        assert exact(mux, "show-options", "-gqv", "@w") == text + "\n"

    check()


def test_formats_expand_to_the_plain_text(mux: Tmux) -> None:
    @settings(max_examples=40, deadline=None)
    @given(HOSTILE)
    def check(text: str) -> None:
        exact(mux, "set-option", "-gF", "@v", inert(text))
        assert exact(mux, "show-options", "-gqv", "@v") == plain(text) + "\n"
        # What is shown is also drawn, which takes back the second `#` before a `[`.
        printed = exact(mux, "display-message", "-p", "--", timed(f"-{text}"))
        assert re.sub(r"(#+)\1\[", r"\1[", printed) == plain(f"-{text}") + "\n"

    check()


def test_simple_words_stay_readable() -> None:
    assert command(("kill-pane", "-t", "%3")) == 'kill-pane -t "%3"'
    assert quote.commands(("a",), ("b", "c d")) == 'a ; b "c d"'
    assert word("$HOME ~ \\") == '"\\$HOME \\~ \\\\"'
