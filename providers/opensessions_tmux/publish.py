"""What stands in tmux's options for status lines and key bindings: the difference between then and now. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from opensessions_tmux.quote import Words, drawn, plain

Values = Mapping[tuple[str, str], str]
"""(scope, name without `@`) -> text. Scopes: "" (global), `$3`, `@1`, `%2`."""

KEPT = re.compile(r"opensessions-(slot-[1-9]|attention|pid|runtime|interpreter)")
"""Names whose values are targets, numbers and paths for commands, and must arrive as they are. All others are
texts for a status line."""

GLOBAL = re.compile(
    r"^@(opensessions-(?:slot-[1-9]|status|attention|pid|runtime|interpreter))(?: |$)", re.MULTILINE
)
SCOPED = {
    "list-sessions": ("session_id", "opensessions-session-state", "opensessions-session-icon"),
    "list-windows": ("window_id", "opensessions-window-state", "opensessions-window-icon"),
    "list-panes": ("pane_id", "opensessions-pane-state", "opensessions-pane-agent"),
}
"""The names that may be published besides the global ones, by the command that lists their scope."""


def changes(old: Values, new: Values) -> list[Words]:
    """The commands that turn `old` into `new`. None of them fails where its scope is gone (`-q`)."""
    gone = [
        ("set-option", f"-{_flag(scope)}qu", *_target(scope), f"@{name}")
        for scope, name in old
        if (scope, name) not in new
    ]
    written = [
        ("set-option", f"-{_flag(scope)}q", *_target(scope), f"@{name}", _value(name, text))
        for (scope, name), text in new.items()
        if old.get((scope, name)) != text
    ]
    return [*gone, *written]


def _flag(scope: str) -> str:
    return {"": "g", "$": "", "@": "w", "%": "p"}[scope[:1]]


def _target(scope: str) -> Words:
    return ("-t", scope) if scope else ()


def _value(name: str, text: str) -> str:
    return plain(text) if KEPT.fullmatch(name) else drawn(text)


def leftover_commands() -> list[Words]:
    """What to run to find what an earlier server published and did not take back."""
    found: list[Words] = [("show-options", "-g")]
    for command, (id, *names) in SCOPED.items():
        everywhere = () if command == "list-sessions" else ("-a",)
        # `||` takes two in 3.2 and 3.3. Lengths, since a value "0" is false.
        either = f"#{{||:#{{n:@{names[0]}}},#{{n:@{names[1]}}}}}"
        marks = "".join(f"#{{?#{{n:@{name}}}, {name},}}" for name in names)
        found.append((command, *everywhere, "-f", either, "-F", f"#{{{id}}}{marks}"))
    return found


def leftovers(listing: str) -> dict[tuple[str, str], str]:
    """What `leftover_commands` printed, as values that are unlike any that will be published."""
    return dict.fromkeys(_leftovers(listing), "\0")


def _leftovers(listing: str) -> Iterator[tuple[str, str]]:
    for name in GLOBAL.findall(listing):
        yield "", name
    for line in listing.splitlines():
        scope, *names = line.split(" ")
        if re.fullmatch(r"[$@%]\d+", scope):
            yield from ((scope, name) for name in names if re.fullmatch(r"opensessions-[a-z-]+", name))
