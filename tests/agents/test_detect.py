"""Who is an agent, whose pane it is in, and what a title says: tables and random trees."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.detect import NOTHING, detect, recognise, recognise_all, shown_panes, titles
from opensessions.agents.known import KINDS, kinds
from opensessions.config import UserAgent
from opensessions.model import Inventory, Pane, Process, Window

KNOWN = kinds()


def process(
    line: str, pid: int = 100, ppid: int = 10, exe: str = "", comm: str | None = None, **more: int
) -> Process:
    """A process as its command line makes one expect it; `|` separates arguments that hold blanks."""
    argv = tuple(line.split("|") if "|" in line else line.split())
    name = argv[0].rpartition("/")[2] if argv else ""
    return Process(
        pid, ppid, more.get("start", pid), (name if comm is None else comm)[:15], exe or name, argv, 10
    )


def kind_of(one: Process) -> str | None:
    """The kind of agent; a helper's counts as none."""
    found = recognise(one, KNOWN)
    return found.kind.name if found and not found.helper else None


# --- who is an agent --------------------------------------------------------------------------------------------

AGENTS = [
    (process("claude"), "claude-code"),
    (process("claude --resume", exe="2.1.329"), "claude-code"),
    (process("/home/me/.local/bin/claude", exe="2.1.329", comm="claude"), "claude-code"),
    (process("node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"), "claude-code"),
    (process("claude", exe="node", comm="claude"), "claude-code"),
    (process("claude|-p|fix the mcp server"), "claude-code"),
    (process("/opt/claude.exe", exe="claude.exe"), "claude-code"),
    (process("node /usr/bin/codex", comm="MainThread"), "codex"),
    (process("node /usr/lib/node_modules/@openai/codex/bin/codex.js"), "codex"),
    (process("/x/vendor/codex/codex --full-auto"), "codex"),
    (process("codex exec fix the mcp server"), "codex"),
    (process("codex resume 0199"), "codex"),
    (process("opencode"), "opencode"),
    (process("/x/bin/.opencode"), "opencode"),
    (process("node /a/node_modules/opencode-ai/bin/cli.js"), "opencode"),
    (process("opencode run fix the web page"), "opencode"),
    (process("bun run /src/opencode.ts"), "opencode"),
    (process("amp"), "amp"),
    (process("node /a/node_modules/@ampcode/cli/dist/main.js"), "amp"),
    (process("node /a/node_modules/@sourcegraph/amp/dist/main.js"), "amp"),
    (process("pi" + " " * 40, exe="node", comm="pi"), "pi"),
    (process("node /a/node_modules/@mariozechner/pi-coding-agent/dist/cli.js"), "pi"),
    (process("node --max-old-space-size=4096 /usr/local/bin/gemini"), "gemini"),
    (process("node /a/node_modules/@google/gemini-cli/dist/index.js"), "gemini"),
    (process("node /usr/local/bin/qwen"), "qwen"),
    (process("node /a/node_modules/@qwen-code/qwen-code/cli.js"), "qwen"),
    (process("copilot"), "copilot"),
    (process("node /a/node_modules/@github/copilot/index.js"), "copilot"),
    (process("cursor-agent"), "cursor"),
    (process("cursor agent"), "cursor"),
    (process("bash /usr/bin/cursor agent", comm="cursor", exe="bash"), "cursor"),
    (process("/home/me/.venv/bin/python /home/me/.venv/bin/aider", exe="python3.11", comm="aider"), "aider"),
    (process("python3 -m aider"), "aider"),
    (process("goose session"), "goose"),
    (process("crush"), "crush"),
    (process("droid"), "droid"),
    (process("node /a/node_modules/@factory/cli/bundle.js"), "droid"),
    (process("kilo"), "kilo"),
    (process("node /a/node_modules/@kilocode/cli/index.js"), "kilo"),
    (process("bash ./codex.sh", exe="bash", comm="codex.sh"), "codex"),
    (process("", exe="claude", comm="claude"), "claude-code"),
]


@pytest.mark.parametrize(
    ("one", "kind"), AGENTS, ids=lambda value: "" if isinstance(value, Process) else value
)
def test_an_agent_is_recognised(one: Process, kind: str) -> None:
    assert kind_of(one) == kind


def test_every_kind_is_in_the_table() -> None:
    assert {kind for _, kind in AGENTS} == {kind.name for kind in KINDS}


NO_AGENTS = [
    "vim claude.md", "vim claude", "cat codex", "grep claude", "grep -r claude .", "tail -f claude.log", "man codex",
    "ssh host claude", "less /usr/bin/claude", "git|commit|-m|use claude", "watch claude", "tmux new -s claude",
    "bash -c claude", "bash|-c|vim claude", "sh|-c|exec claude", "python|-c|import claude", "python claude.md",
    "node -e claude", "python -m pip install aider", "python -m http.server claude", "node server.js claude",
    "claude-monitor", "/opt/claude/bin/helper", "/home/claude/run", "codex-tool", "my-gemini", "gemini.d/x",
    "node /a/node_modules/@openai/codex/node_modules/x/main.js", "node /a/node_modules/codex-like/index.js",
    "node /a/node_modules/@github/copilot-language-server/main.js", "python /src/claude_sdk/main.py",
    "npm exec @openai/codex", "npm|exec|@openai/codex", "npx claude", "sudo claude", "env claude", "docker run claude",
    "cursor .", "cursor --new-window agent.md", "bash -", "bash", "", "emacs -nw codex.js", "python3 run.py claude",
    "make claude", "find / -name claude", "kubectl exec -it pod -- claude", "bun add codex", "uv run aider",
]  # fmt: skip


@pytest.mark.parametrize("line", NO_AGENTS)
def test_a_name_elsewhere_in_the_command_line_is_none(line: str) -> None:
    assert recognise(process(line), KNOWN) is None


def test_a_command_line_that_was_rewritten_as_one_text_is_not_searched() -> None:
    one = Process(5, 1, 1, "npm exec @opena", "node", ("npm exec @openai/codex",))
    assert recognise(one, KNOWN) is None


@pytest.mark.parametrize(
    "line",
    [
        "codex app-server --listen unix:// --managed-daemon",
        "codex -c model=x app-server",
        "node /usr/lib/node_modules/@openai/codex/bin/codex.js app-server daemon pid-update-loop",
        "codex mcp-server", "claude mcp serve", "opencode serve --port 1", "opencode web", "goose mcp developer",
        "node /usr/local/bin/gemini mcp list",
    ],
)  # fmt: skip
def test_helpers_and_servers_of_an_agent_are_no_agents(line: str) -> None:
    found = recognise(process(line), KNOWN)
    assert found
    assert found.helper


# --- the user's own -----------------------------------------------------------------------------------------------


def test_agents_of_the_users_own() -> None:
    own = kinds(
        {"mine": UserAgent(("MyTool.sh", "mt")), "codex": UserAgent(("cdx",)), "taken": UserAgent(("amp",))}
    )

    def named(line: str) -> str | None:
        found = recognise(process(line), own)
        return found.kind.name if found else None

    assert named("bash ./MyTool.sh") == named("mytool.sh") == named("mt") == "mine"
    assert named("cdx") == named("codex") == "codex"
    assert named("amp") == "taken"
    assert recognise(process("cdx app-server"), own) == recognise(process("codex app-server"), own)
    assert recognise(process("mt"), KNOWN) is None


# --- whose pane ---------------------------------------------------------------------------------------------------


def found_in(
    processes: list[Process], panes: Mapping[str, int], elsewhere: tuple[int, ...] = ()
) -> dict[str, list[tuple[str, int]]]:
    matches = recognise_all({one.pid: one for one in processes}, KNOWN)
    seen = detect("tmux-1", panes, matches, elsewhere)
    return {pane: [(agent.kind.name, agent.pid) for agent in agents] for pane, agents in seen.items()}


SHELL = process("-bash", 10, 1)


def test_an_agent_anywhere_below_a_pane_belongs_to_it() -> None:
    deep = [SHELL, process("npm", 11, 10), process("sh -c x", 12, 11), process("node /bin/gemini", 13, 12)]
    assert found_in(deep, {"%1": 10, "%2": 20}) == {"%1": [("gemini", 13)]}


def test_the_panes_own_process_can_be_the_agent() -> None:
    assert found_in([process("codex", 10, 1)], {"%1": 10}) == {"%1": [("codex", 10)]}


def test_the_topmost_of_nested_matches_is_the_agent() -> None:
    nested = [SHELL, process("node /bin/codex", 11, 10), process("codex", 12, 11), process("claude", 13, 12)]
    assert found_in(nested, {"%1": 10}) == {"%1": [("codex", 11)]}


def test_two_that_are_not_nested_are_two() -> None:
    both = [SHELL, process("codex", 11, 10), process("sh x", 12, 10), process("claude", 13, 12)]
    assert found_in(both, {"%1": 10}) == {"%1": [("codex", 11), ("claude-code", 13)]}


def test_a_match_below_a_helper_is_the_helpers() -> None:
    below = [SHELL, process("codex app-server", 11, 10), process("claude", 12, 11)]
    assert found_in(below, {"%1": 10}) == {}


def test_what_is_below_no_pane_is_nobodys() -> None:
    assert found_in([process("codex", 50, 1), SHELL], {"%1": 11}) == {}


def test_an_agent_whose_launcher_was_killed_stays_in_its_shells_session() -> None:
    orphan = process("codex", 12, 1)
    assert orphan.session == SHELL.pid
    assert found_in([SHELL, orphan], {"%1": 10}) == {"%1": [("codex", 12)]}


def test_a_nested_multiplexers_panes_keep_their_agents() -> None:
    client, server = process("tmux attach", 11, 10), Process(30, 1, 1, "tmux: server", "tmux", ("tmux",), 30)
    inner, agent = (
        Process(31, 30, 1, "bash", "bash", ("bash",), 31),
        Process(32, 31, 1, "claude", "", ("claude",), 31),
    )
    everything = [SHELL, client, server, inner, agent]
    assert found_in(everything, {"%1": 10}) == {}
    assert found_in(everything, {"%1": 10, "%0": 31}) == {"%0": [("claude-code", 32)]}
    # Where a subreaper adopts the inner server it does descend from the outer pane.
    adopted = [SHELL, client, Process(30, 11, 1, "tmux: server", "tmux", ("tmux",), 30), inner, agent]
    assert found_in(adopted, {"%1": 10}, elsewhere=(31,)) == {}
    assert found_in(adopted, {"%0": 31}, elsewhere=(10,)) == {"%0": [("claude-code", 32)]}


def test_what_runs_below_an_agent_is_told_nearest_first() -> None:
    tree = [SHELL, process("node /bin/codex", 11, 10), process("sleep 1", 14, 12), process("codex", 12, 11)]
    matches = recognise_all({one.pid: one for one in [*tree, process("vim", 15, 10)]}, KNOWN)
    (agent,) = detect("m", {"%1": 10}, matches)["%1"]
    assert agent.below == (12, 14)


def test_parents_that_form_a_ring_end() -> None:
    ring = [process("codex", 11, 12), process("sh", 12, 13), process("sh", 13, 11)]
    assert found_in(ring, {"%1": 99}) == {}


def test_ids_tell_agents_apart_and_stay() -> None:
    matches = recognise_all({10: SHELL, 11: process("codex", 11, start=77)}, KNOWN)
    (agent,) = detect("tmux-1", {"%1": 10}, matches)["%1"]
    assert (agent.id, agent.kind.name, agent.pane, agent.pid) == ("tmux-1:%1:11.77", "codex", "%1", 11)
    again = recognise_all({10: SHELL, 11: process("codex", 11, start=78)}, KNOWN, matches)
    assert detect("tmux-1", {"%1": 10}, again)["%1"][0].id == "tmux-1:%1:11.78"


def test_panes_that_cannot_hold_an_agent_are_left_out() -> None:
    shown, dead = Pane("%1", "@1", 10, title="a"), Pane("%2", "@1", 11, dead=True)
    sidebar, starting = Pane("%3", "@1", 12, mark="o"), Pane("%4", "@1", 0)
    panes = (shown, dead, sidebar, starting)
    inventory = Inventory(1, 1, "3.3a", windows={"@1": Window("@1", panes=panes)})
    assert shown_panes(inventory) == {"%1": 10}
    assert titles(inventory) == {"%1": "a", "%2": "", "%3": "", "%4": ""}


# --- what is looked at again --------------------------------------------------------------------------------------


def test_the_same_processes_are_the_same_answer() -> None:
    processes = {10: SHELL, 11: process("codex", 11)}
    first = recognise_all(processes, KNOWN)
    assert recognise_all(processes, KNOWN, first) is first
    changed = recognise_all({10: SHELL, 11: process("vim", 11), 12: process("claude", 12)}, KNOWN, first)
    assert list(changed.found) == [12]
    assert recognise_all({}, KNOWN, changed).found == {}


TREES = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(
            ["-bash", "vim claude", "codex", "node /bin/codex", "claude", "codex app-server", "sh -c x"]
        ),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(TREES, TREES, st.sets(st.integers(2, 14), max_size=4))
def test_any_tree_gives_agents_that_are_in_their_panes_and_not_nested(
    before: list[tuple[int, str, int]], now: list[tuple[int, str, int]], roots: set[int]
) -> None:
    def world(rows: list[tuple[int, str, int]]) -> dict[int, Process]:
        return {2 + n: process(line, 2 + n, ppid, start=start) for n, (ppid, line, start) in enumerate(rows)}

    processes = world(now)
    panes = {f"%{pid}": pid for pid in roots}
    matches = recognise_all(processes, KNOWN, recognise_all(world(before), KNOWN))
    assert matches == recognise_all(processes, KNOWN, NOTHING), "what was seen before makes no difference"
    seen = detect("m", panes, matches)
    roots_of = {agent.pid for agents in seen.values() for agent in agents}
    assert len(roots_of) == sum(map(len, seen.values())), "no agent is in two panes"
    for pane, agents in seen.items():
        for agent in agents:
            above = agent.pid
            climbed = set()
            while above != panes[pane] and above in processes and above not in climbed:
                climbed.add(above)
                above = processes[above].ppid
                assert above not in roots_of or above == agent.pid
            assert above == panes[pane] or processes[agent.pid].session == panes[pane]
