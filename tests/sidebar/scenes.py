"""Rows and scenes for the sidebar's tests, hand-made and random."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import (
    URGENCY,
    Agent,
    AgentState,
    Entry,
    Group,
    Metadata,
    MuxView,
    Progress,
    Row,
    Status,
    Tone,
)
from opensessions.sidebar.others import other
from opensessions.sidebar.scene import Drag
from opensessions.sidebar.tree import PanePart, WindowPart
from opensessions.sidebar.ui import MODES, Scene, Ui
from opensessions.snapshot import urgent

Spec = tuple[str, list[tuple[str, AgentState]], str, int]

BUSY: list[Spec] = [
    ("api", [("claude-code", "running")], "/home/u/src/api", 3),
    ("web", [("claude-code", "waiting"), ("codex", "running")], "/home/u/src/web", 2),
    ("dotfiles", [], "/home/u/.dotfiles", 1),
    (
        "infra-terraform-production-eu",
        [("codex", "error")],
        "/home/u/work/terraform/environments/production",
        12,
    ),
    ("docs", [("opencode", "done")], "/home/u/src/docs", 1),
    ("notes", [("gemini", "idle")], "/home/u", 1),
    (
        "日本語プロジェクト",
        [("claude-code", "tool-running"), ("codex", "idle"), ("amp", "done")],
        "/srv/日本語",
        4,
    ),
    ("blog", [("cursor-agent", "interrupted")], "/home/u/blog", 1),
    ("scratch", [("claude-code", "stale")], "/tmp", 1),
    ("👩‍💻 pair", [("droid", "hibernated")], "/home/u/pair", 2),
    ("kernel", [], "/usr/src/linux", 2),
    ("ops", [], "/", 100),
]
"""Every state, wide and joined characters, a name that is too long."""


def row(
    id: str,
    name: str,
    index: int | None,
    agents: list[tuple[str, AgentState]] | None = None,
    dir: str = "/tmp",
    windows: int = 1,
    unseen: bool = False,
    hidden: bool = False,
    branch: str | None = None,
    dirty: bool | None = None,
    metadata: Metadata | None = None,
) -> Row:
    """A row with what the sidebar looks at."""
    found = tuple(
        Agent(id=f"{id}.{place}", agent=agent, pane=f"%{place}", pid=1, state=state)
        for place, (agent, state) in enumerate(agents or [])
    )
    return Row(
        id=id, name=name, index=index, hidden=hidden, attached=0, windows=windows, panes=windows, dir=dir,
        branch=branch, dirty=dirty, worktree=None, ports=(), created=0, state=urgent(found), unseen=unseen,
        metadata=metadata or Metadata(), agents=found,
    )  # fmt: skip


def mux(*rows: Row, reachable: bool = True) -> MuxView:
    """A multiplexer with these rows."""
    return MuxView("tmux", "tmux-0", rows) if reachable else MuxView("tmux", "tmux-0", rows, reachable=False)


def busy(reachable: bool = True, count: int = len(BUSY)) -> MuxView:
    """BUSY, over and over, as `$1`, `$2`, …; the session called docs has something unseen."""
    rows = []
    for number in range(1, count + 1):
        name, agents, dir, windows = BUSY[(number - 1) % len(BUSY)]
        name = name if number <= len(BUSY) else f"{name}-{number}"
        rows.append(row(f"${number}", name, number, agents, dir, windows, unseen=name == "docs"))
    return mux(*rows, reachable=reachable)


def plain(*names: str, width: int = 26, height: int = 20, own: str = "") -> Scene:
    """A scene of rows whose ids are their names; one that begins with `-` is hidden."""
    rows = []
    index = 0
    for name in names:
        hidden = name.startswith("-")
        index += not hidden
        rows.append(row(name.lstrip("-"), name.lstrip("-"), None if hidden else index, hidden=hidden))
    return Scene(mux(*rows), width, height, own=own, current=own, focused=True)


def scene(
    width: int, height: int, view: MuxView | None = None, focused: bool = True, message: str = ""
) -> Scene:
    """BUSY, looked at from the first session."""
    return Scene(view or busy(), width, height, own="$1", current="$1", focused=focused, message=message)


# --- groups, what scripts say, windows and panes ---------------------------------------------------------------

REPOSITORY = "/home/u/src/opensessions/.git"

SAID = Metadata(
    Status("deploying to production", "warn"),
    Progress(percent=0.4, label="images"),
    (Entry("tests passed", "success", "make", 1795230503.0),),
)


def grouped(collapsed: bool = False, height: int = 20) -> Scene:
    """Four sessions of which two are a group, with `web` in front of it, and what scripts said of three of them."""
    rows = (
        row("$1", "web", 1, [("claude-code", "waiting")], windows=2, branch="main", dirty=True, metadata=SAID),
        row("$2", "opensessions", 2, [("codex", "running")], branch="main"),
        row("$3", "fix-the-sidebar", 3, [("claude-code", "done")], unseen=True, branch="fix-12", dirty=True,
            metadata=Metadata(progress=Progress(current=3, total=10))),
        row("$4", "notes", 4, metadata=Metadata(log=(Entry("written", "neutral", None, 1.0),))),
    )  # fmt: skip
    if collapsed:
        rows = (
            rows[0],
            replace(rows[1], index=None),
            replace(rows[2], index=None),
            replace(rows[3], index=2),
        )
    groups = (Group(REPOSITORY, "opensessions", collapsed, ("$2", "$3")),)
    view = MuxView("tmux", "tmux-0", rows, groups=groups)
    return Scene(view, 26, height, own="$1", current="$2", focused=True)


WEB = (
    WindowPart("@1", 1, "editor", True, (PanePart("%1", "vim", "~/src/web/index.html - VIM", active=True),)),
    WindowPart("@2", 2, "agents", False, (
        PanePart("%0", "claude-code", "Fix the login form", "waiting", unseen=True, active=True),
        PanePart("%4", "make", "日本語のタイトル"),
    )),
    WindowPart("@3", 3, "", False, ()),
)  # fmt: skip


def unfolded(height: int = 20) -> Scene:
    """`grouped`, with the windows of `web` and of a session in the group."""
    inside = (WindowPart("@9", 0, "codex", True, (PanePart("%9", "codex", "", "running", active=True),)),)
    return replace(grouped(height=height), tree={"$1": WEB, "$2": inside})


# --- random ones -----------------------------------------------------------------------------------------------

NAMES = st.text(
    st.sampled_from([*"abz-_. #$%\\~", "é", "中", "한", "👍", "🏽", "❤", "\ufe0f", "\u200d", "👩", "💻", "\u0301",
                     "\u202e", "\x1b", "\n", "\t", "\x9b", "\udc80", "🇩", "🇪", "ث", "\u0e33", "￿", "\u2028"]),
    max_size=30,
)  # fmt: skip
"""Names with everything that is awkward on a terminal."""

AGENTS = st.sampled_from(("claude-code", "codex", "中文-agent", ""))
STATES: st.SearchStrategy[AgentState] = st.sampled_from(URGENCY)

BRANCHES = st.sampled_from(
    [(None, None), ("main", False), ("main", True), ("feature/日本\u202e\x1b語" * 5, True), ("", None)]
)
"""(branch, whether something is not committed)."""


NUMBERS = st.one_of(st.none(), st.integers(-5, 10**9), st.floats(-1, 1e12))
TONES: st.SearchStrategy[Tone] = st.sampled_from(("neutral", "info", "success", "warn", "error"))
SAYINGS = st.builds(
    Metadata,
    st.one_of(st.none(), st.builds(Status, NAMES, TONES)),
    st.one_of(
        st.none(),
        st.builds(
            Progress, NUMBERS, NUMBERS, st.one_of(st.none(), st.floats(0, 1)), st.one_of(st.none(), NAMES)
        ),
    ),
    st.lists(st.builds(Entry, NAMES, TONES, st.one_of(st.none(), NAMES), st.just(1.0)), max_size=2).map(
        tuple
    ),
)
"""What scripts may say."""


@st.composite
def views(draw: st.DrawFn, most: int = 20) -> MuxView:
    """Multiplexers with random rows, some of them hidden or filtered out by the mode, some in groups."""
    rows: list[Row] = []
    groups: list[Group] = []
    group: Group | None = None
    index = 0
    for number in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(("shown", "shown", "shown", "hidden", "left out")))
        if draw(st.integers(0, 3)) == 0:
            group = None
            if draw(st.booleans()):
                group = Group(f"/{number}/.git", draw(NAMES), draw(st.booleans()), ())
        if group and kind == "shown":
            group = replace(group, sessions=(*group.sessions, f"${number}"))
            groups = [*(each for each in groups if each.id != group.id), group]
        listed = kind == "shown" and not (group and group.collapsed)
        index += listed
        agents = draw(st.lists(st.tuples(AGENTS, STATES), max_size=4))
        rows.append(
            row(
                f"${number}", draw(NAMES), index if listed else None, agents, draw(NAMES),
                draw(st.integers(1, 2000)), draw(st.booleans()), kind == "hidden",
                *draw(BRANCHES), draw(SAYINGS) if draw(st.integers(0, 4)) == 4 else None,
            )
        )  # fmt: skip
    shown = mux(*rows, reachable=draw(st.booleans()))
    return replace(shown, groups=tuple(groups)) if groups else shown


PARTS = st.lists(
    st.builds(
        PanePart,
        st.sampled_from(("%0", "%1", "%2", "%3", "%4")), NAMES, NAMES, st.one_of(st.none(), STATES),
        st.booleans(), st.booleans(), st.booleans(),
    ),
    max_size=3, unique_by=lambda part: part.id,
).map(tuple)  # fmt: skip
TREES = st.dictionaries(
    st.sampled_from(("$0", "$1", "$7")),
    st.lists(
        st.builds(
            WindowPart,
            st.sampled_from(("@0", "@1", "@2")),
            st.integers(0, 1000),
            NAMES,
            st.booleans(),
            PARTS,
        ),
        max_size=3, unique_by=lambda part: part.id,
    ).map(tuple),
)  # fmt: skip


@st.composite
def scenes(draw: st.DrawFn, view: MuxView | None = None) -> Scene:
    """Scenes of every size, the absurd ones too."""
    shown = draw(views()) if view is None else view
    ids = [row.id for row in shown.sessions] or [""]
    home, current = draw(st.sampled_from(ids)), draw(st.sampled_from(ids))
    mode, message = draw(st.sampled_from(MODES)), draw(st.one_of(st.just(""), NAMES))
    size = draw(st.integers(1, 90)), draw(st.integers(0, 45))
    return Scene(
        shown, *size, home, current, mode, draw(st.booleans()), message,
        tree=draw(TREES), metadata=draw(st.booleans()), attention=draw(st.booleans()),
    )  # fmt: skip


KEYS = ("", "$0", "$7", "$99", "\n/3/.git", "$1\nw@1", "$0\np%2", "$99\nw@1", "$2\n!")
DRAGS = st.one_of(
    st.none(),
    st.builds(Drag, st.sampled_from(KEYS), st.integers(0, 40), st.booleans(), st.sampled_from(KEYS)),
)
UIS = st.builds(
    Ui,
    cursor=st.sampled_from(KEYS),
    place=st.integers(0, 50),
    top=st.integers(0, 50),
    anchor=st.sampled_from((*KEYS, "$1", "$9")),
    inside=st.integers(0, 2),
    follow=st.booleans(),
    filter=st.sampled_from(("", "", "a", "中", "claude", "zzz", "b a")),
    filtering=st.booleans(),
    help=st.booleans(),
    help_top=st.integers(0, 15),
    reveal=st.booleans(),
    expanded=st.frozensets(st.sampled_from(("$0", "$1", "$7", "$99"))),
    drag=DRAGS,
)
"""What a sidebar may remember from another scene."""


# --- other multiplexers ---------------------------------------------------------------------------------------

FAR = MuxView(
    "tmux", "tmux-1",
    (
        row("$1", "api", 1, [("codex", "waiting"), ("claude-code", "running")], unseen=True),
        row("$2", "docs", 2),
        row("$3", "secret", None, hidden=True),
        row("$4", "a-very-long-name-of-a-session-that-is-cut \x1b[31m", 3, [("amp", "idle")]),
    ),
)  # fmt: skip
ZELLIJ = MuxView(
    "zellij", "zellij", (row("it's\nodd", "it's?odd", 1, [("gemini", "error")]),), reachable=False
)
OTHERS = (other(FAR, "/tmp/tmux-0/work"), other(ZELLIJ, "/run/user/0/zellij"))
