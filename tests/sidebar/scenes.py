"""Rows and scenes for the sidebar's tests, hand-made and random."""

from __future__ import annotations

from hypothesis import strategies as st

from opensessions.model import URGENCY, Agent, AgentState, Metadata, MuxView, Row
from opensessions.reduce import urgent
from opensessions.sidebar.ui import MODES, Scene, Ui

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
) -> Row:
    """A row with what the sidebar looks at."""
    found = tuple(
        Agent(id=f"{id}.{place}", agent=agent, pane=f"%{place}", pid=1, state=state)
        for place, (agent, state) in enumerate(agents or [])
    )
    return Row(
        id=id, name=name, index=index, hidden=hidden, attached=0, windows=windows, panes=windows, dir=dir,
        branch=branch, dirty=dirty, worktree=None, ports=(), created=0, state=urgent(found), unseen=unseen,
        metadata=Metadata(), agents=found,
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


@st.composite
def views(draw: st.DrawFn, most: int = 30) -> MuxView:
    """Multiplexers with random rows, some of them hidden or filtered out by the mode."""
    rows = []
    index = 0
    for number in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(("shown", "shown", "shown", "hidden", "left out")))
        index += kind == "shown"
        agents = draw(st.lists(st.tuples(AGENTS, STATES), max_size=4))
        rows.append(
            row(
                f"${number}", draw(NAMES), index if kind == "shown" else None, agents, draw(NAMES),
                draw(st.integers(1, 2000)), draw(st.booleans()), kind == "hidden",
                *draw(BRANCHES),
            )
        )  # fmt: skip
    return mux(*rows, reachable=draw(st.booleans()))


@st.composite
def scenes(draw: st.DrawFn, view: MuxView | None = None) -> Scene:
    """Scenes of every size, the absurd ones too."""
    shown = draw(views()) if view is None else view
    ids = [row.id for row in shown.sessions] or [""]
    home, current = draw(st.sampled_from(ids)), draw(st.sampled_from(ids))
    mode, message = draw(st.sampled_from(MODES)), draw(st.one_of(st.just(""), NAMES))
    size = draw(st.integers(1, 90)), draw(st.integers(0, 45))
    return Scene(shown, *size, home, current, mode, draw(st.booleans()), message)


UIS = st.builds(
    Ui,
    cursor=st.sampled_from(("", "$0", "$7", "$99")),
    place=st.integers(0, 50),
    top=st.integers(0, 50),
    anchor=st.sampled_from(("", "$1", "$9", "$99")),
    follow=st.booleans(),
    filter=st.sampled_from(("", "", "a", "中", "claude", "zzz", "b a")),
    filtering=st.booleans(),
    help=st.booleans(),
    help_top=st.integers(0, 15),
    reveal=st.booleans(),
)
"""What a sidebar may remember from another scene."""
