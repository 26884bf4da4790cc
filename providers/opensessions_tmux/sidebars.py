"""Sidebar actions as tmux commands. Pure.

Between a reading and an act the user goes on. So each act is one `if-shell -F` whose condition is checked by tmux in
the same moment, with ids only, and whose failure (a pane or window that is gone) ends no other act of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from opensessions.provider import SidebarWish
from opensessions_tmux.layout import restored
from opensessions_tmux.options import LAYOUT, MARK, NAMING
from opensessions_tmux.placement import Action, Close, OpenShell, Place, Resize, Spawn, Unname
from opensessions_tmux.quote import Words, command, commands

RENAME = "automatic-rename-format"
NAME_KEPT = f"#{{?#{{{MARK}}},#{{window_name}},"
"""Our `automatic-rename-format` begins so: while a sidebar is the active pane the window keeps its name."""


class Kit(Struct, frozen=True):
    """What the commands need besides the action."""

    owner: str
    argv: tuple[str, ...]
    """The sidebar's program and its arguments."""
    wish: SidebarWish
    nonce: Callable[[], str]
    """A text that no other pane's command line holds, new at each call."""


def spawn(action: Spawn, kit: Kit, format: str) -> Words:
    """Start a sidebar where there is none, and mark it: it prints the new pane's id. `format`: what `kept_name`
    answered.

    `-d`: the active pane stays active. `-Z` only in a zoomed window: it zooms one that was not (3.3a and 3.5a).
    Several arguments are run without a shell. The mark finds the pane by a word of its command line, since nothing
    names the newest pane of a window.
    """
    token = f"spawn={kit.nonce()}"
    window = action.window
    pane = f"#{{P:#{{?#{{m:*{token}*,#{{pane_start_command}}}},#{{pane_id}},}}}}"
    flags = [
        "-d",
        "-f",
        "-h",
        *(["-b"] if kit.wish.position == "left" else []),
        *(["-Z"] if action.zoomed else []),
    ]
    unmarked = f"#{{?#{{m:*{kit.owner}*,#{{P:#{{{MARK}}} }}}},0,#{{==:#{{window_zoomed_flag}},{int(action.zoomed)}}}}}"
    named = ((RENAME, format), (NAMING, "1")) if format else ()
    mark = commands(
        ("set-option", "-p", "-t", pane, MARK, kit.owner),
        # A dead pump must leave no dead pane, and what is typed into all panes at once is not meant for it.
        ("set-option", "-p", "-t", pane, "remain-on-exit", "off"),
        ("set-option", "-p", "-t", pane, "synchronize-panes", "off"),
    )
    act = commands(
        ("set-option", "-wF", "-t", window, LAYOUT, "#{window_layout}"),
        (
            "split-window", *flags, "-l", str(kit.wish.width), "-t", window, "-c", "/", "-P", "-F", "#{pane_id}",
            *kit.argv, token,
        ),
        ("run-shell", "-C", "-t", window, mark),
        *(("set-option", "-w", "-t", window, option, value) for option, value in named),
        ("set-option", "-wF", "-t", window, LAYOUT, f"#{{{LAYOUT}}} #{{window_layout}}"),
    )  # fmt: skip
    return ("if-shell", "-F", "-t", window, unmarked, act)


def unless_spawned(action: Spawn, kit: Kit) -> Words:
    """To be run after `spawn`: where tmux had no space for a sidebar (it makes every cell narrower by the same part,
    and some would get none), nothing of it is left."""
    forget = command(("set-option", "-wqu", "-t", action.window, LAYOUT))
    return ("if-shell", "-F", "-t", action.window, f"#{{m:*{kit.owner}*,#{{P:#{{{MARK}}} }}}}", "", forget)


def repair(action: Resize | Place, kit: Kit) -> Words:
    """Width and place, unless the window was zoomed meanwhile: both would end the zoom."""
    if isinstance(action, Resize):
        act = command(("resize-pane", "-t", action.pane, "-x", str(action.width)))
    else:
        before = ["-b"] if kit.wish.position == "left" else []
        kept = [] if action.active else ["-d"]
        width = str(kit.wish.width)
        act = command(
            ("move-pane", *kept, "-f", "-h", *before, "-l", width, "-s", action.pane, "-t", action.beside)
        )
    return (
        "if-shell",
        "-F",
        "-t",
        action.pane,
        f"#{{&&:{_ours(kit)},#{{!=:#{{window_zoomed_flag}},1}}}}",
        act,
    )


def open_shell(action: OpenShell, kit: Kit) -> Words:
    """A shell in the session's directory beside a sidebar that is still alone. It gets the focus: there was nothing
    else to have it."""
    before = [] if kit.wish.position == "left" else ["-b"]
    width = str(max(1, action.width))
    act = command(("split-window", "-h", *before, "-l", width, "-t", action.pane, "-c", "#{session_path}"))
    return ("if-shell", "-F", "-t", action.pane, f"#{{&&:{_ours(kit)},#{{==:#{{window_panes}},1}}}}", act)


def close(action: Close, kit: Kit, layout: str) -> list[Words]:
    """Kill a sidebar that still bears our mark; then the layout that `restored` answered, and the zoom."""
    done: list[Words] = [
        ("if-shell", "-F", "-t", action.pane, _ours(kit), command(("kill-pane", "-t", action.pane)))
    ]
    if layout:
        done.append(_try("select-layout", "-t", action.window, layout))
    if action.zoom:
        zoom = command(("resize-pane", "-Z", "-t", action.zoom))
        done.append(("if-shell", "-F", "-t", action.zoom, "#{window_zoomed_flag}", "", zoom))
    if action.last:
        done.append(("set-option", "-wqu", "-t", action.window, LAYOUT))
    return done


def _ours(kit: Kit) -> str:
    return f"#{{==:#{{{MARK}}},{kit.owner}}}"


def _try(*words: str) -> Words:
    """A command whose failure ends nothing but itself."""
    return ("if-shell", "-F", "1", command(words))


# --- layouts ------------------------------------------------------------------------------------------------

ASK_LAYOUTS: Words = (
    "list-windows", "-a", "-f", f"#{{{LAYOUT}}}",
    "-F", f"#{{window_id}} #{{window_layout}} #{{{LAYOUT}}} #{{P:#{{pane_id}} }}",
)  # fmt: skip
"""Prints for every window with a sidebar: its id, its layout now, before and after the sidebar came, its panes."""


def layouts(listing: str, actions: Sequence[Action]) -> dict[str, str]:
    """By window, the layout to restore after the closings among `actions`. `listing`: what `ASK_LAYOUTS` printed."""
    known = {line.split(" ")[0]: line.split(" ")[1:] for line in listing.splitlines()}
    found = {}
    for action in actions:
        if isinstance(action, Close) and action.last and len(known.get(action.window, ())) > 3:
            now, before, after, *panes = known[action.window]
            order = [int(pane[1:]) for pane in panes if pane.startswith("%") and pane != action.pane]
            found[action.window] = restored(before, after, now, int(action.pane[1:]), order)
    return found


# --- window names -------------------------------------------------------------------------------------------


def ask_names(windows: Sequence[str]) -> list[Words]:
    """What to run before `kept_name` and `free_name`: prints the global format, then each window's own."""
    asked: list[Words] = [("show-options", "-gwv", RENAME)]
    for window in windows:
        asked += [
            ("display-message", "-p", f"={window}="),
            _try("show-options", "-wqv", "-t", window, RENAME),
        ]
    return asked


def names(listing: str) -> tuple[str, dict[str, str]]:
    """What `ask_names` printed: the global format, and by window its own ("" where it has none)."""
    general, *rest = listing.split("\n=@")
    own = {}
    for part in rest:
        window, _, format = part.partition("=\n")
        own[f"@{window}"] = format.removesuffix("\n")
    return general.removesuffix("\n"), own


def kept_name(general: str, own: str) -> str:
    """The format that keeps the sidebar's process out of a window's name; "" where the window's is the user's own."""
    return "" if own else f"{NAME_KEPT}{branch(general)}}}"


def free_name(window: str, own: str) -> list[Words]:
    """Take our format back from a window that still has it."""
    options = (RENAME, NAMING) if own.startswith(NAME_KEPT) else (NAMING,)
    return [("set-option", "-wqu", "-t", window, option) for option in options]


def branch(format: str) -> str:
    """A format as a branch of a condition: a `,` or `}` of its own, outside of any `#{}`, would end the branch."""
    out, depth, at = [], 0, 0
    while at < len(format):
        pair = format[at : at + 2]
        if pair == "#{":
            depth += 1
        if pair == "#{" or (pair[:1] == "#" and pair[1:] in set("#,}:")):
            out.append(pair)
            at += 2
            continue
        character = format[at]
        if character == "}" and depth:
            depth -= 1
        elif character in ",}" and not depth:
            character = f"#{character}"
        out.append(character)
        at += 1
    return "".join(out)


def nameless(actions: Sequence[Action]) -> list[str]:
    """The windows that lose their last sidebar, or have lost it."""
    over = (
        action
        for action in actions
        if isinstance(action, Unname) or (isinstance(action, Close) and action.last)
    )
    return list(dict.fromkeys(action.window for action in over))
