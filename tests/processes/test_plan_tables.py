"""Who may be ended: each rule and each known trap by name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from opensessions.model import Inventory, Session, Window
from opensessions.model import Pane as PaneView
from opensessions.processes.homes import named
from opensessions.processes.identity import Liveness, ProcId
from opensessions.processes.plan import MOST, Decision, Details, MuxFacts, Rules, Sight, Verdict, to_be_judged
from tests.processes.machine import LONG_AGO, OWN, UID, Facts, Machine, Pane, Server, decisions, reaped

ANOTHER = "0f0e0d0c-0000-4000-8000-00000000000b"


class Scene(Machine):
    """A tmux with a live pane %0, and an agent with a child, whose pane %1 was closed and which has a receipt."""

    def __init__(self, **receipt: object) -> None:
        super().__init__()
        self.tmux: Server = self.mux()
        self.live: Pane = self.pane(self.tmux)
        self.closed: Pane = self.pane(self.tmux)
        self.agent = self.start(self.closed.shell.pid, "claude")
        self.child = self.start(self.agent, "node")
        self.receipt(self.agent, **receipt)  # type: ignore[arg-type]
        self.close(self.closed)

    def verdict(self) -> Verdict:
        """Of the agent, by a sweep that agrees with an earlier one."""
        return self.verdicts()[0]


def decided(facts: Facts) -> Decision:
    return facts.plan().verdicts[0].decision


# --- when everything is proven --------------------------------------------------------------------------------


def test_an_orphan_is_ended_with_all_that_it_has_started() -> None:
    scene = Scene()
    verdict = scene.verdict()
    assert verdict.decision == "reap"
    assert verdict.tree == (scene.name(scene.agent), scene.name(scene.child))
    assert verdict.why == "Its pane %1 is closed."


def test_the_root_is_named_as_well_as_its_receipt_can() -> None:
    scene = Scene()
    known = scene.receipts[0] = replace(
        scene.receipts[0], process=replace(scene.receipts[0].process, inode=7)
    )
    assert scene.verdict().tree[0] == known.process


def test_an_agent_in_its_pane_lives() -> None:
    scene = Scene()
    here = scene.start(scene.live.shell.pid, "codex")
    scene.receipt(here)
    assert scene.verdicts()[1].decision == "alive"
    assert scene.reaped() == {scene.agent, scene.child}


def test_without_a_receipt_nothing_is_judged() -> None:
    scene = Scene()
    scene.receipts.clear()
    assert scene.verdicts() == ()
    assert not scene.facts().asked_for()


def test_when_its_tmux_has_ended_it_is_an_orphan() -> None:
    scene = Scene()
    scene.crash(scene.tmux)
    assert scene.verdict().decision == "reap"
    assert scene.verdict().why == "The tmux server that had its pane %1 is gone."


def test_when_another_tmux_has_its_socket_it_is_an_orphan() -> None:
    scene = Scene()
    scene.crash(scene.tmux)
    successor = scene.mux()
    for _ in range(3):
        scene.pane(successor)
    assert scene.inventory(successor).pane("%1")  # type: ignore[union-attr]
    assert scene.verdict().decision == "reap"


# --- 1: exactly this process ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({"start": LONG_AGO * 9 + 1}, "forget"),
        ({"boot": "another-boot"}, "forget"),
        ({"pid": 4000}, "forget"),
        ({"boot": ""}, "unknown"),
        ({"namespace": 5}, "unknown"),
        ({"start": 0}, "unknown"),
    ],
    ids=lambda value: str(value),
)
def test_a_receipt_speaks_of_one_process(changes: Mapping[str, object], decision: Decision) -> None:
    scene = Scene()
    known = scene.receipts[0].process
    scene.receipts[0] = replace(scene.receipts[0], process=replace(known, **changes))
    assert scene.verdict().decision == decision


def test_who_has_ended_is_forgotten_even_as_a_zombie() -> None:
    scene = Scene()
    scene.exit(scene.agent, zombie=True)
    assert scene.verdict().decision == "forget"


def test_absence_from_an_incomplete_census_proves_nothing() -> None:
    scene = Scene()
    scene.exit(scene.agent)
    scene.complete = False
    assert scene.verdict().decision == "unknown"


def test_nobody_is_ended_while_not_everybody_can_be_seen() -> None:
    scene = Scene()
    scene.complete = False
    assert scene.verdict().decision == "unknown"


def test_a_receipt_written_while_the_census_was_taken_is_not_forgotten() -> None:
    scene = Scene()
    scene.receipts[0] = replace(
        scene.receipts[0], process=replace(scene.receipts[0].process, pid=4000, start=scene.now)
    )
    assert decided(scene.facts()) == "unknown"


def test_another_users_receipt_is_refused() -> None:
    assert Scene(uid=UID + 1).verdict().decision == "refuse"


# --- 2: its pane's generation is dead ------------------------------------------------------------------------------


def test_a_tmux_that_does_not_answer_is_unknown() -> None:
    scene = Scene()
    scene.tmux.answers = False
    assert scene.verdict().decision == "unknown"


def test_a_tmux_of_which_nothing_is_known_is_unknown() -> None:
    facts = Scene().second()
    assert reaped(facts.plan())
    assert decided(facts.but(muxes={})) == "unknown"


def test_a_dead_tmux_at_whose_socket_nobody_has_looked_is_unknown() -> None:
    scene = Scene()
    scene.crash(scene.tmux)
    assert decided(scene.second().but(muxes={})) == "unknown"


def test_a_socket_that_vanished_while_its_tmux_lives_is_unknown() -> None:
    """The answer to asking is then the same as of a dead one; only the process tells."""
    facts = Scene().second()
    assert decided(facts.with_mux("tmux-0", server="dead", inventory=None)) == "unknown"


def test_a_socket_that_another_tmux_took_while_the_first_lives_is_unknown() -> None:
    scene = Scene()
    scene.mux()
    assert scene.verdict().decision == "unknown"
    assert scene.verdict().why == "Its tmux server lives, but another one answers at its socket."


def test_a_dead_tmux_whose_successor_is_silent_is_unknown() -> None:
    scene = Scene()
    scene.crash(scene.tmux)
    scene.mux().answers = False
    assert scene.verdict().decision == "unknown"


def test_a_tmux_that_is_only_said_to_be_dead_is_not() -> None:
    scene = Scene()
    scene.tmux.answers = False
    assert decided(scene.second().with_mux("tmux-0", server="dead")) == "unknown"


def test_remain_on_exit_keeps_a_dead_pane_with_a_stale_pid() -> None:
    scene = Scene()
    scene.closed.state = "dead"
    assert scene.verdict().decision == "reap"
    assert scene.verdict().why == "The program of its pane %1 has ended."


def test_remain_on_exit_with_a_pid_that_is_an_innocents_by_now_does_not_matter() -> None:
    scene = Scene()
    scene.closed.state = "dead"
    innocent = scene.start(1, "emacs", pid=scene.closed.shell.pid, age=200)
    assert scene.reaped() == {scene.agent, scene.child}
    assert innocent not in scene.reaped()


def test_respawn_pane_makes_a_suspect_not_an_orphan() -> None:
    """What the new generation runs looks the same from outside."""
    scene = Scene()
    scene.respawn(scene.closed)
    assert scene.verdict().decision == "suspect"


def test_respawn_pane_over_a_process_that_goes_on_makes_a_suspect() -> None:
    scene = Scene()
    pane = scene.pane(scene.tmux, "claude", IGNORES_HUP="1")
    scene.receipt(pane.shell.pid)
    scene.respawn(pane)
    assert pane.shell.pid in scene.procs
    assert scene.verdicts()[1].decision == "suspect"


def test_respawn_pane_to_the_same_pid_makes_a_suspect_as_well() -> None:
    scene = Scene()
    scene.closed.state = "alive"
    # As long as anybody is left in its session the pid is given to nobody.
    scene.procs[scene.agent].session = scene.agent
    scene.procs[scene.child].session = scene.agent
    scene.start(scene.tmux.process.pid, "bash", leads="session", pid=scene.closed.shell.pid, age=200)
    assert scene.verdict().decision == "suspect"


def test_a_pane_whose_process_is_not_told_is_unknown() -> None:
    scene = Scene()
    scene.closed.state, scene.closed.shell = "alive", replace(scene.closed.shell, pid=0)
    assert scene.verdict().decision == "unknown"


def test_a_pane_whose_process_cannot_be_compared_is_unknown() -> None:
    scene = Scene()
    place = scene.receipts[0].place
    assert place
    scene.receipts[0] = replace(
        scene.receipts[0], place=replace(place, pane="%0", shell=replace(scene.live.shell, start=0))
    )
    assert scene.verdict().decision == "unknown"


def test_what_was_started_outside_of_multiplexers_is_nobodys_orphan() -> None:
    scene = Scene()
    outside = scene.start(1, "claude")
    scene.receipt(outside)
    assert scene.verdicts()[1].decision == "alive"


# --- 3: whose it is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("life", "decision"), [("alive", "unknown"), ("unknown", "unknown"), ("dead", "reap"), (None, "unknown")]
)
def test_another_servers_agent_is_ours_only_when_that_one_is_proven_dead(
    life: Liveness | None, decision: Decision
) -> None:
    scene = Scene(instance=ANOTHER)
    if life:
        scene.instances[ANOTHER] = life
    assert scene.verdict().decision == decision


def test_what_no_server_ever_looked_after_is_anybodys() -> None:
    assert Scene(instance="").verdict().decision == "reap"


def test_another_servers_agent_says_whose_it_is() -> None:
    scene = Scene(instance=ANOTHER)
    scene.instances[ANOTHER] = "alive"
    assert scene.verdict().why == "Another server of opensessions looks after it."


@pytest.mark.parametrize("other", [OWN[:-1], OWN + "0", OWN.upper(), f" {OWN}"])
def test_names_of_instances_that_begin_alike_are_different_instances(other: str) -> None:
    scene = Scene(instance=other)
    scene.instances[OWN] = "dead"
    assert scene.verdict().decision == "unknown"


# --- 4: what is protected --------------------------------------------------------------------------------------


def test_an_orphan_that_holds_a_tmux_is_refused_whole() -> None:
    scene = Scene()
    scene.start(scene.child, "tmux: server", leads="session")
    assert scene.verdict().decision == "refuse"


def test_nested_tmux_that_looks_like_an_orphan_of_pane_1_is_refused() -> None:
    """It has the outer pane's TMUX_PANE, an empty TMUX, init as its parent, and no terminal."""
    scene = Scene()
    outer = scene.pane(scene.tmux)
    shell = scene.start(outer.shell.pid, "bash")
    nested = scene.mux("tmux-nested", parent=shell)
    nested.registered = False
    inside = scene.start(scene.pane(nested).shell.pid, "claude")
    assert scene.procs[nested.process.pid].env["TMUX_PANE"] == outer.id
    scene.close(outer)
    scene.receipt(nested.process.pid, pane=outer)
    scene.receipt(inside, pane=outer)
    verdicts = scene.verdicts()
    assert verdicts[1].decision == "refuse"
    assert verdicts[2].decision in ("refuse", "unknown")
    assert scene.reaped() == {scene.agent, scene.child}


def test_an_agent_in_a_nested_tmux_of_another_name_that_was_not_read_is_unknown() -> None:
    scene = Scene()
    nested = scene.mux("tmux-nested", comm="tm")
    nested.answers = False
    inside = scene.start(scene.pane(nested).shell.pid, "claude")
    scene.receipt(inside)
    scene.receipt(inside, pane=scene.closed)
    assert decisions(scene.verdicts()) == ["reap", "unknown", "unknown"]


def test_a_hang_up_ignoring_pane_process_whose_parent_is_the_living_tmux_is_an_orphan() -> None:
    scene = Scene()
    pane = scene.pane(scene.tmux, "claude", IGNORES_HUP="1")
    scene.receipt(pane.shell.pid)
    scene.close(pane)
    assert scene.procs[pane.shell.pid].ppid == scene.tmux.process.pid
    assert scene.verdicts()[1].decision == "reap"


def test_a_run_shell_job_shares_the_group_of_tmux_which_is_no_reason_to_end_that() -> None:
    scene = Scene()
    job = scene.start(scene.tmux.process.pid, "claude", leads="")
    assert scene.procs[job].group == scene.tmux.process.pid
    scene.receipt(job, pane=scene.closed)
    assert scene.reaped() == {scene.agent, scene.child, job}


def test_a_name_with_a_parenthesis_is_a_name() -> None:
    scene = Scene()
    odd = scene.start(scene.child, "x) (y")
    assert scene.reaped() == {scene.agent, scene.child, odd}


def test_whoever_calls_itself_tmux_is_let_live() -> None:
    scene = Scene()
    scene.procs[scene.child].comm = "tmux: server"
    assert scene.verdict().decision == "refuse"


def test_whoever_is_tmux_by_its_executable_is_let_live() -> None:
    scene = Scene()
    scene.procs[scene.child].exe = "tmux"
    assert scene.verdict().decision == "refuse"


@pytest.mark.parametrize("uids", [(0, 0, 0), (UID, 0, 0), (0, UID, UID), (UID, UID, 0)])
def test_a_tree_with_another_users_process_is_refused(uids: tuple[int, int, int]) -> None:
    scene = Scene()
    scene.procs[scene.child].uids = uids
    assert scene.verdict().decision == "refuse"


@pytest.mark.parametrize("who", ["agent", "child"])
@pytest.mark.parametrize("known", [None, Details(), Details(variables={}), Details((UID, UID, UID))])
def test_a_member_of_which_too_little_is_known_makes_it_unknown(who: str, known: Details | None) -> None:
    scene = Scene()
    facts = scene.second()
    assert reaped(facts.plan())
    assert decided(facts.with_details(getattr(scene, who), known)) == "unknown"


def test_a_member_that_has_exited_since_is_left_out() -> None:
    scene = Scene()
    facts = scene.second().with_details(scene.child, Details(gone=True))
    assert reaped(facts.plan()) == {scene.agent}
    assert decided(scene.second().with_details(scene.agent, Details(gone=True))) == "unknown"


@pytest.mark.parametrize("who", ["agent", "child"])
def test_what_is_in_the_session_of_a_silent_multiplexers_pane_is_unknown(who: str) -> None:
    """Its server bears no known name, and the environment is an older pane's."""
    scene = Scene()
    silent = scene.mux("tmux-1", comm="tm")
    pane = scene.pane(silent)
    scene.receipt(pane.shell.pid)
    scene.procs[getattr(scene, who)].session = pane.shell.pid
    assert scene.verdict().decision == ("alive" if who == "agent" else "refuse")
    silent.answers = False
    assert scene.verdict().decision == "unknown"
    it = "It" if who == "agent" else f"node ({scene.child})"
    assert scene.verdict().why == f"{it} runs below a multiplexer that was not read."


def test_the_heir_of_orphans_may_have_the_pid_of_their_dead_tmux() -> None:
    scene = Scene()
    scene.crash(scene.tmux)
    heir = scene.start(1, "subreaper", pid=scene.tmux.process.pid, age=200, leads="session")
    scene.procs[scene.agent].ppid = heir
    assert scene.verdict().decision == "reap"


@pytest.mark.parametrize("who", ["agent", "child"])
def test_a_member_whose_session_is_not_known_makes_it_unknown(who: str) -> None:
    """It may be a live pane's."""
    scene = Scene()
    scene.procs[getattr(scene, who)].session = 0
    assert scene.verdict().decision == "unknown"


def test_parents_in_a_circle_end() -> None:
    scene = Scene()
    scene.procs[scene.agent].ppid = scene.child
    assert scene.reaped() == {scene.agent, scene.child}


def test_our_own_ancestors_are_refused() -> None:
    scene = Scene()
    scene.procs[scene.me].ppid = scene.child
    assert scene.verdict().decision == "refuse"


# --- 5: adopted, or to be kept ----------------------------------------------------------------------------------


def test_an_agent_below_another_live_pane_lives() -> None:
    scene = Scene()
    scene.procs[scene.agent].ppid = scene.live.shell.pid
    assert scene.verdict().decision == "alive"


def test_an_agent_in_the_session_of_a_live_pane_lives() -> None:
    scene = Scene()
    scene.procs[scene.agent].session = scene.live.shell.pid
    assert scene.verdict().decision == "alive"


def test_an_agent_whose_environment_names_a_live_pane_lives() -> None:
    scene = Scene()
    scene.procs[scene.agent].env["TMUX_PANE"] = "%0"
    assert scene.verdict().decision == "alive"


def test_a_tree_with_a_member_whose_environment_names_a_live_pane_is_refused() -> None:
    scene = Scene()
    scene.procs[scene.child].env["TMUX_PANE"] = "%0"
    assert scene.verdict().decision == "refuse"


def test_an_environment_that_names_a_pane_of_a_server_nobody_read_is_unknown() -> None:
    scene = Scene()
    other = scene.mux("tmux-1", comm="tm")
    other.answers = False
    scene.procs[scene.child].env["TMUX"] = f"/tmp/x,{other.process.pid},0"
    assert scene.verdict().decision == "unknown"


def test_an_environment_that_names_a_server_which_is_gone_names_nobody() -> None:
    scene = Scene()
    scene.procs[scene.child].env["TMUX"] = "/tmp/x,9999,0"
    assert scene.verdict().decision == "reap"


def test_the_pid_of_its_dead_tmux_may_be_an_innocents_by_now() -> None:
    scene = Scene()
    scene.crash(scene.tmux)
    innocent = scene.start(1, "emacs", pid=scene.tmux.process.pid, age=200)
    assert scene.reaped() == {scene.agent, scene.child}
    assert innocent not in scene.reaped()


@pytest.mark.parametrize(
    "value", ["nonsense", "/tmp/x,y,0", "/tmp/x,-5,0", "/tmp/x,٣,0", "/tmp/x,,", "/tmp/x," + "9" * 30 + ",0"]
)
def test_an_environment_that_is_not_understood_is_unknown(value: str) -> None:
    scene = Scene()
    scene.procs[scene.agent].env["TMUX"] = value
    assert scene.verdict().decision == "unknown"


def test_a_pane_of_nobody_knows_which_tmux_is_unknown() -> None:
    scene = Scene()
    scene.procs[scene.child].env["TMUX"] = ""
    assert scene.verdict().decision == "unknown"


def test_an_environment_that_names_its_own_tmux_proves_nothing_while_that_lives_unread() -> None:
    scene = Scene()
    place = scene.receipts[0].place
    assert place
    variables = {"TMUX": f"/tmp/x,{place.server.pid},0", "TMUX_PANE": "%1"}
    assert named(variables, place, {}, scene.census())[0] == "unknown"
    scene.crash(scene.tmux)
    scene.start(1, "emacs", pid=place.server.pid, age=200)
    assert named(variables, place, {}, scene.census())[0] == "none"


@pytest.mark.parametrize(
    ("zellij", "decision"), [("none", "reap"), ("silent", "unknown"), ("live", "alive"), ("closed", "reap")]
)
def test_an_environment_may_name_a_pane_of_zellij(zellij: str, decision: Decision) -> None:
    scene = Scene()
    scene.procs[scene.agent].env |= {"ZELLIJ_SESSION_NAME": "api", "ZELLIJ_PANE_ID": "3"}
    if zellij != "none":
        scene.start(1, "zellij", leads="session")
    facts = scene.facts({scene.name(scene.agent): Sight(0, 5)})
    if zellij in ("live", "closed"):
        pane = PaneView("terminal_3", "1", 0, dead=zellij == "closed")
        inventory = Inventory(0, 0, "0.44", (Session("api", "api"),), {"1": Window("1", panes=(pane,))})
        facts = facts.but(muxes={**facts.muxes, "zellij": MuxFacts("zellij", "unknown", inventory)})
    assert decided(facts) == decision


def test_an_agent_in_a_window_that_was_opened_from_its_pane_lives() -> None:
    """`kitty &` and then `opensessions run` in there: it descends from the pane and has its variables, but a terminal
    of its own, which goes on when the pane is closed."""
    scene = Scene()
    scene.procs[scene.agent].terminal = 34816
    assert scene.verdict().decision == "alive"


def test_a_terminal_that_an_orphan_has_made_for_a_child_keeps_nobody() -> None:
    scene = Scene()
    scene.procs[scene.child].terminal = 34816
    assert scene.verdict().decision == "reap"


@pytest.mark.parametrize(("value", "decision"), [("1", "keep"), ("yes", "keep"), ("0", "reap"), ("", "reap")])
@pytest.mark.parametrize("who", ["agent", "child"])
def test_the_variable_keeps_a_tree(value: str, decision: Decision, who: str) -> None:
    scene = Scene()
    scene.procs[getattr(scene, who)].env["OPENSESSIONS_KEEP"] = value
    assert scene.verdict().decision == decision


def test_what_was_started_to_be_kept_is_kept_whatever_its_environment_shows_now() -> None:
    assert Scene(keep=True).verdict().decision == "keep"


@pytest.mark.parametrize("name", ["claude-code", "claude", "old-name", "/opt/odd/agent", "agent", "node"])
def test_the_configuration_keeps_agents_comms_and_executables(name: str) -> None:
    scene = Scene(comm="old-name", exe="/opt/odd/agent")
    scene.rules = Rules(keep=frozenset({name}))
    assert scene.verdict().decision == "keep"


def test_an_empty_name_keeps_nobody_whose_name_is_not_known_and_hides_no_other() -> None:
    scene = Scene(agent="", comm="", exe="odd/")
    scene.procs[scene.child].comm = scene.procs[scene.child].exe = ""
    scene.rules = Rules(keep=frozenset({""}))
    assert scene.verdict().decision == "reap"
    scene.rules = Rules(keep=frozenset({"", "claude"}))
    assert scene.verdict().decision == "keep"


def test_a_name_to_be_kept_may_be_longer_than_the_kernel_shows() -> None:
    scene = Scene()
    scene.procs[scene.child].comm = "a-very-long-nam"
    scene.rules = Rules(keep=frozenset({"a-very-long-name-of-a-program"}))
    assert scene.verdict().decision == "keep"


@pytest.mark.parametrize("who", ["agent", "child"])
def test_the_configuration_keeps_a_tree_by_the_executable_of_a_member(who: str) -> None:
    scene = Scene()
    scene.procs[getattr(scene, who)].exe = "vite"
    scene.rules = Rules(keep=frozenset({"vite"}))
    assert scene.verdict().decision == "keep"


@pytest.mark.parametrize("name", ["", "clau", "claude-code-2", "NODE"])
def test_a_name_keeps_nothing_that_is_called_otherwise(name: str) -> None:
    scene = Scene()
    scene.rules = Rules(keep=frozenset({name}))
    assert scene.verdict().decision == "reap"


def test_a_tree_that_holds_the_agent_of_a_receipt_to_be_kept_is_kept() -> None:
    scene = Scene()
    inner = scene.start(scene.child, "codex")
    scene.receipt(inner, keep=True)
    assert decisions(scene.verdicts()) == ["keep", "keep"]


def test_a_tree_that_holds_anothers_agent_is_unknown() -> None:
    scene = Scene()
    inner = scene.start(scene.child, "codex")
    scene.receipt(inner, instance=ANOTHER)
    scene.instances[ANOTHER] = "alive"
    assert decisions(scene.verdicts()) == ["unknown", "unknown"]


def test_a_tree_above_one_that_is_refused_is_refused_too() -> None:
    """The inner one leads a session in which something protected is, that the outer one's parents do not lead to."""
    scene = Scene()
    inner = scene.start(scene.child, "codex", leads="session")
    scene.start(inner, "tmux: client", leads="")
    client = scene.start(inner, "tmux: client", leads="")
    scene.procs[client].ppid = 1
    scene.exit(client - 1)
    scene.receipt(inner)
    assert decisions(scene.verdicts()) == ["refuse", "refuse"]


def test_two_receipts_of_one_process_must_agree() -> None:
    scene = Scene()
    scene.receipt(scene.agent, pane=scene.live)
    assert decisions(scene.verdicts()) == ["refuse", "alive"]


def test_below_a_managed_agent_everything_is_managed() -> None:
    scene = Scene()
    scene.receipt(scene.child, origin="observed")
    assert decisions(scene.verdicts()) == ["reap", "report"]


# --- 6: time ---------------------------------------------------------------------------------------------------


def test_one_sweep_alone_ends_nothing() -> None:
    scene = Scene()
    plan = scene.facts().plan()
    assert decisions(plan.verdicts) == ["wait"]
    assert plan.seen == {scene.name(scene.agent): Sight(scene.now, 1)}
    assert plan.verdicts[0].tree


def test_two_sweeps_must_be_the_grace_apart() -> None:
    scene = Scene()
    seen = scene.facts().plan().seen
    scene.now += 5999
    early = scene.facts(seen).plan()
    assert decisions(early.verdicts) == ["wait"]
    scene.now += 1
    assert decisions(scene.facts(early.seen).plan().verdicts) == ["reap"]


def test_a_grace_of_none_still_takes_two_sweeps() -> None:
    scene = Scene()
    scene.rules = Rules(grace=0)
    first = scene.facts().plan()
    assert decisions(first.verdicts) == ["wait"]
    assert decisions(scene.facts(first.seen).plan().verdicts) == ["reap"]


def test_what_was_seen_before_a_start_or_a_sleep_does_not_count() -> None:
    scene = Scene()
    facts = scene.second()
    plan = facts.but(ready=False).plan()
    assert decisions(plan.verdicts) == ["wait"]
    assert plan.seen == {}


def test_a_sweep_that_cannot_tell_does_not_count_and_breaks_nothing() -> None:
    scene = Scene()
    first = scene.facts().plan()
    scene.now += 6000
    scene.tmux.answers = False
    second = scene.facts(first.seen).plan()
    assert decisions(second.verdicts) == ["unknown"]
    assert second.seen == first.seen
    scene.now += 6000
    scene.tmux.answers = True
    assert decisions(scene.facts(second.seen).plan().verdicts) == ["reap"]


def test_a_pane_that_was_there_again_begins_anew() -> None:
    scene = Scene()
    first = scene.facts().plan()
    scene.now += 6000
    scene.procs[scene.agent].ppid = scene.live.shell.pid
    second = scene.facts(first.seen).plan()
    assert decisions(second.verdicts) == ["alive"]
    assert second.seen == {}


def test_another_process_with_its_pid_begins_anew() -> None:
    scene = Scene()
    other = replace(scene.name(scene.agent), start=1)
    assert decided(scene.facts({other: Sight(0, 9)})) == "wait"


def test_a_clock_that_went_back_begins_anew() -> None:
    scene = Scene()
    later = {scene.name(scene.agent): Sight(scene.now + 1, 9)}
    plan = scene.facts(later).plan()
    assert decisions(plan.verdicts) == ["wait"]
    assert plan.seen == {scene.name(scene.agent): Sight(scene.now, 1)}


def test_observed_orphans_are_reported_and_not_ended() -> None:
    scene = Scene(origin="observed")
    verdict = scene.verdict()
    assert verdict.decision == "report"
    assert verdict.tree == (scene.name(scene.agent), scene.name(scene.child))


def test_observed_orphans_are_ended_where_the_user_says_so() -> None:
    scene = Scene(origin="observed")
    scene.rules = Rules(observed=True)
    assert scene.verdict().decision == "reap"


def test_the_time_for_which_an_observed_orphan_was_reported_counts() -> None:
    scene = Scene(origin="observed")
    first = scene.facts().plan()
    assert decisions(first.verdicts) == ["report"]
    scene.now += 6000
    scene.rules = Rules(observed=True)
    assert decided(scene.facts(first.seen)) == "reap"


# --- 7: size and age -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "decision"), [(MOST - 2, "reap"), (MOST - 1, "refuse")])
def test_a_tree_may_have_512_processes(more: int, decision: Decision) -> None:
    scene = Scene()
    for _ in range(more):
        scene.start(scene.agent, "node")
    assert scene.verdict().decision == decision


def test_details_are_asked_for_of_those_only_whose_pane_may_be_dead() -> None:
    scene = Scene()
    scene.receipt(scene.start(scene.live.shell.pid, "codex"))
    scene.receipt(scene.start(1, "claude"))
    assert scene.facts().asked_for() == {scene.agent, scene.child}


def test_details_of_a_tree_that_is_too_large_are_not_asked_for() -> None:
    scene = Scene()
    for _ in range(MOST):
        scene.start(scene.agent, "node")
    assert not scene.facts().asked_for()


@pytest.mark.parametrize(("age", "decision"), [(99, "wait"), (100, "reap"), (-1, "unknown")])
def test_who_has_only_just_begun_is_let_be(age: int, decision: Decision) -> None:
    scene = Scene()
    scene.procs[scene.agent].start = scene.now - age
    scene.receipts[0] = replace(scene.receipts[0], process=scene.name(scene.agent))
    before: Mapping[ProcId, Sight] = {scene.name(scene.agent): Sight(0, 5)}
    verdict = scene.facts(before).plan().verdicts[0]
    assert verdict.decision == decision
    assert bool(verdict.tree) == (decision == "reap")
    assert decision != "wait" or verdict.why == "It has only just begun."


# --- the tree ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leads", ["session", "group"])
def test_what_it_started_and_init_took_over_is_known_by_its_session_or_group(leads: str) -> None:
    scene = Scene()
    pane = scene.pane(scene.tmux)
    leader = scene.start(pane.shell.pid, "claude", leads=leads)
    shell = scene.start(leader, "bash", leads="")
    left = scene.start(shell, "node", leads="group" if leads == "session" else "")
    below = scene.start(left, "sleep")
    scene.exit(shell)
    scene.receipt(leader)
    scene.close(pane)
    assert scene.procs[left].ppid == 1
    assert scene.verdicts()[1].tree == tuple(map(scene.name, (leader, left, below)))
    assert scene.verdicts()[1].decision == "reap"


def test_a_session_that_it_does_not_lead_is_not_its_own() -> None:
    scene = Scene()
    beside = scene.start(scene.agent, "vim", leads="")
    scene.procs[beside].ppid = 1
    scene.procs[beside].group = 4321
    assert scene.procs[beside].session == scene.procs[scene.agent].session == scene.closed.shell.pid
    assert scene.reaped() == {scene.agent, scene.child}


def test_what_is_older_than_the_leader_is_not_its_own() -> None:
    scene = Scene()
    older = scene.start(1, "vim", leads="", age=LONG_AGO + 1)
    scene.procs[older].group = scene.agent
    assert scene.reaped() == {scene.agent, scene.child}


def test_zombies_are_not_in_the_tree() -> None:
    scene = Scene()
    scene.exit(scene.child, zombie=True)
    assert scene.reaped() == {scene.agent}


# --- whether to look at all -----------------------------------------------------------------------------------


def last(scene: Machine) -> Mapping[str, MuxFacts]:
    return scene.facts().muxes


def test_there_is_nothing_to_judge_while_every_pane_lives() -> None:
    scene = Scene()
    scene.receipts.clear()
    assert not to_be_judged([], last(scene))
    scene.receipt(scene.start(scene.live.shell.pid, "claude"))
    scene.receipt(scene.start(1, "claude"))
    assert not to_be_judged(scene.receipts, last(scene))


def test_a_pane_that_is_not_there_is_to_be_judged() -> None:
    scene = Scene()
    assert to_be_judged(scene.receipts, last(scene))


@pytest.mark.parametrize(
    "what", ["dead pane", "respawned", "silent", "said dead", "unregistered", "another server"]
)
def test_a_pane_that_may_not_be_the_same_is_to_be_judged(what: str) -> None:
    scene = Scene()
    scene.receipts.clear()
    agent = scene.start(scene.live.shell.pid, "claude")
    scene.receipt(agent)
    assert not to_be_judged(scene.receipts, last(scene))
    muxes = dict(last(scene))
    if what == "dead pane":
        scene.live.state = "dead"
        muxes = dict(last(scene))
    elif what == "respawned":
        scene.respawn(scene.live)
        muxes = dict(last(scene))
    elif what == "silent":
        muxes["tmux-0"] = MuxFacts("tmux-0", "alive")
    elif what == "said dead":
        muxes["tmux-0"] = replace(muxes["tmux-0"], server="unknown")
    elif what == "unregistered":
        muxes = {}
    else:
        inventory = muxes["tmux-0"].inventory
        assert inventory
        muxes["tmux-0"] = replace(muxes["tmux-0"], inventory=replace(inventory, server_pid=77))
    assert to_be_judged(scene.receipts, muxes)
