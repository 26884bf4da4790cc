"""Real processes with every habit that makes ending them dangerous.

`animal.py` is such a process, `cage.py` starts them, `pen.py` gives a test a PID namespace of its own, `farm.py` puts
agents with receipts into the panes of real tmux servers, `rounds.py` makes random populations of them.
"""

KILLER, PINS, AUDIT = "processes/test_killer.py::", "processes/test_pins.py::", "processes/test_audit.py::"
PLAN, PROTECT = "processes/test_plan_tables.py::", "processes/test_protect.py::"
RECEIPT, RECEIPTS = "processes/test_receipt.py::", "processes/test_receipts.py::"
IDENTITY, INSTANCES = "processes/test_identity.py::", "processes/test_instances.py::"
CENSUS, DETAILS, REMAINS, SOURCE = (
    f"processes/test_{name}.py::" for name in ("census", "details", "remains", "source")
)
GUARD, REAPER = "server/test_guard.py::", "server/test_reaper.py::"
ZOO, NAMESPACE = "zoo/test_zoo.py::", "zoo/test_namespace.py::"
SPARED, ENDED = f"{ZOO}test_every_kind_of_innocent_is_left_alone", f"{ZOO}test_every_kind_of_orphan_goes"
SILENT = f"{ZOO}test_a_tmux_that_hangs_or_lost_its_socket_protects_what_was_in_it"

FAULTS: dict[str, tuple[str, ...]] = {
    # --- what a signal may reach
    "a pid is given out again before a sweep": (
        f"{NAMESPACE}test_a_pid_that_another_process_has_at_the_sweep_is_left_alone",
        f"{PLAN}test_another_process_with_its_pid_begins_anew",
        f"{SPARED}[reused pid]",
    ),
    "a pid is given out again between the comparison and the signal": (
        f"{NAMESPACE}test_a_pid_that_another_process_gets_after_pinning_is_not_signalled",
        f"{PINS}test_a_pid_that_is_given_out_again_after_pinning_is_never_signalled",
    ),
    "a pid is given out again between two rounds of signals": (
        f"{NAMESPACE}test_a_pid_that_another_process_gets_while_its_tree_is_ended_is_not_signalled",
        f"{KILLER}test_another_process_with_a_members_pid_is_no_member",
    ),
    "two processes have one pid and one start": (
        f"{NAMESPACE}test_two_processes_with_one_pid_and_one_start_are_told_apart",
        f"{PINS}test_the_inode_tells_two_processes_of_one_tick_apart",
        f"{PLAN}test_who_has_only_just_begun_is_let_be",
    ),
    "the pids start over": (f"{NAMESPACE}test_a_tree_whose_pids_start_over_is_ended",),
    "pidfds share one inode (Linux before 6.9)": (
        f"{IDENTITY}test_where_all_handles_have_one_inode_it_is_not_told",
    ),
    "a zombie takes signal 0": (
        f"{PINS}test_what_has_exited_is_not_pinned_even_before_its_parent_asks",
        f"{KILLER}test_a_zombie_in_the_tree_hinders_nobody",
        f"{IDENTITY}test_what_exited_is_dead_even_before_its_parent_asks",
    ),
    "there are no pidfds (macOS, old kernels)": (
        f"{ZOO}test_rounds_without_pidfds_harm_nobody_either",
        f"{PINS}test_a_pinned_process_is_signalled_and_its_exit_is_seen",
        f"{KILLER}test_a_whole_tree_goes_the_root_first",
    ),
    "descriptors run short (EMFILE)": (
        f"{PINS}test_where_descriptors_run_short_few_are_held_and_all_can_be_signalled",
        f"{PINS}test_without_any_descriptor_nothing_is_pinned",
    ),
    "a number that is no pid: -1, 0, 1, a thread's": (
        f"{PINS}test_no_pid_of_one_process_is_refused",
        f"{PINS}test_a_thread_is_refused",
        f"{RECEIPT}test_a_dangerous_pid_is_refused",
    ),
    "ourselves, init, the kernel": (
        f"{PINS}test_ourselves_and_the_first_process_are_refused",
        f"{PINS}test_a_thread_of_the_kernel_is_refused",
        f"{PROTECT}test_init_and_the_kernel_are",
        f"{PROTECT}test_we_what_we_descend_from_and_what_we_have_started_are",
    ),
    "another user's process, which root may signal": (
        f"{PINS}test_another_users_process_is_refused",
        f"{KILLER}test_a_tree_that_holds_what_is_never_ended_is_refused_whole",
        f"{SPARED}[another user]",
    ),
    "the system forbids the signal (EPERM)": (f"{PINS}test_a_signal_that_the_system_forbids_is_refused",),
    "processes are hidden (hidepid): no entry is no proof": (
        f"{PINS}test_one_that_is_hidden_is_refused",
        f"{CENSUS}test_without_the_first_process_others_are_hidden_as_well",
        f"{PLAN}test_absence_from_an_incomplete_census_proves_nothing",
    ),
    "a receipt of another PID namespace or boot": (
        f"{NAMESPACE}test_a_receipt_of_another_namespace_signals_nobody",
        f"{IDENTITY}test_identities_of_two_namespaces_prove_nothing",
        f"{IDENTITY}test_another_boot_is_proof",
    ),
    "a process group or session outlives its leader": (
        f"{REMAINS}test_a_child_that_init_took_over_is_found_by_its_group_while_a_member_is_in_it",
        f"{REMAINS}test_a_group_that_no_member_is_in_any_more_may_be_anothers",
    ),
    # --- tmux
    "a hang-up-ignoring job's parent is the living tmux, or init": (
        f"{ENDED}[closed pane]",
        f"{ENDED}[below a shell]",
        f"{PLAN}test_a_hang_up_ignoring_pane_process_whose_parent_is_the_living_tmux_is_an_orphan",
    ),
    "nohup in the pane's session": (f"{ENDED}[nohup]",),
    "setsid out of the pane's session": (f"{ENDED}[setsid]", f"{SPARED}[live pane, setsid]"),
    "a nested tmux looks like an orphan of the outer pane": (
        f"{ENDED}[nested tmux]",
        f"{PLAN}test_nested_tmux_that_looks_like_an_orphan_of_pane_1_is_refused",
    ),
    "a run-shell job is in tmux's own process group": (
        f"{SPARED}[run-shell job]",
        f"{PLAN}test_a_run_shell_job_shares_the_group_of_tmux_which_is_no_reason_to_end_that",
    ),
    "respawn-pane: the pane's id is another generation's": (
        f"{SPARED}[respawned pane]",
        f"{PLAN}test_respawn_pane_makes_a_suspect_not_an_orphan",
    ),
    "remain-on-exit: a dead pane with a stale pid": (
        f"{ENDED}[dead pane that is kept]",
        f"{PLAN}test_remain_on_exit_keeps_a_dead_pane_with_a_stale_pid",
    ),
    "pane ids begin again with another server at the socket": (
        f"{ENDED}[server with a successor]",
        f"{PLAN}test_when_another_tmux_has_its_socket_it_is_an_orphan",
    ),
    "the socket was removed while tmux lives": (f"{SILENT}[lost socket]",),
    "tmux is stopped and does not answer": (
        f"{SILENT}[hung tmux]",
        f"{REAPER}test_one_that_hangs_is_unknown_and_delays_nobody",
    ),
    "tmux has ended": (f"{ENDED}[dead server]",),
    # --- what a process shows of itself
    "the environment is empty for a moment after a start": (
        f"{DETAILS}test_what_becomes_another_program_has_an_unknown_environment",
        f"{DETAILS}test_what_is_young_and_shows_none_has_an_unknown_environment",
        f"{PLAN}test_a_member_of_which_too_little_is_known_makes_it_unknown",
    ),
    "the environment was wiped (setproctitle)": (f"{ENDED}[wiped environment]",),
    "started with env -i": (f"{ENDED}[empty environment]",),
    "not dumpable: its files under /proc are root's": (
        f"{ZOO}test_random_rounds_harm_nobody_and_end_every_orphan",
    ),
    "the first thread ended and others live: it looks like a zombie": (
        f"{SPARED}[first thread ended]",
        f"{PINS}test_a_process_whose_first_thread_has_ended_is_alive",
        f"{KILLER}test_one_whose_first_thread_has_ended_is_killed",
        f"{SOURCE}test_a_process_whose_first_thread_ended_has_not_exited",
    ),
    "a name with blanks and parentheses": (
        f"{SOURCE}test_a_name_may_hold_parentheses_and_blanks",
        f"{PLAN}test_a_name_with_a_parenthesis_is_a_name",
    ),
    "a name that is tmux's": (
        f"{SPARED}[names tmux]",
        f"{SPARED}[holds what names tmux]",
        f"{PLAN}test_whoever_calls_itself_tmux_is_let_live",
    ),
    "the environment names another pane, which lives": (f"{SPARED}[names a live pane]",),
    "parents in a circle": (f"{PLAN}test_parents_in_a_circle_end", f"{CENSUS}test_parents_in_a_circle_end"),
    "one reading does not list all children": (
        f"{NAMESPACE}test_children_that_one_reading_does_not_list_are_ended",
    ),
    # --- how it ends
    "SIGTERM is ignored": (f"{KILLER}test_one_that_ignores_sigterm_is_killed_after_the_wait",),
    "SIGTERM takes its time": (f"{KILLER}test_a_slow_one_gets_its_time",),
    "a stopped process hears nothing but SIGCONT": (f"{KILLER}test_a_stopped_one_is_woken_to_hear_it",),
    "a process in an uninterruptible wait": (f"{KILLER}test_the_kernel_that_does_not_let_go_is_told_of",),
    "a frozen control group": (f"{KILLER}test_one_in_a_frozen_control_group_is_killed",),
    "members are born while the tree is ended": (
        f"{KILLER}test_late_arrivals_are_ended_as_well",
        f"{KILLER}test_what_is_born_between_the_rounds_is_stopped_before_the_last_one",
        f"{NAMESPACE}test_an_orphan_whose_children_stay_goes_with_all_of_them",
    ),
    "a storm of forks": (f"{NAMESPACE}test_an_orphan_that_forks_without_end_goes_with_all_of_it",),
    "a hopper has a new pid at every look": (
        f"{NAMESPACE}test_what_hops_from_pid_to_pid_is_never_mistaken_for_another",
    ),
    "600 children": (f"{NAMESPACE}test_a_large_family_is_ended_on_request_only",),
    "forked twice into a session of its own": (
        f"{REMAINS}test_who_has_ended_or_lost_its_pid_to_another_is_no_member_and_neither_are_that_ones_children",
        f"{KILLER}test_a_daemon_that_left_its_tree_is_left_alone",
    ),
    "something changes between the judgement and the signals": (
        f"{KILLER}test_a_reason_before_the_first_signal_stops_it",
        f"{KILLER}test_a_member_that_may_not_be_ended_any_more_stops_all_of_it",
        f"{REAPER}test_a_pane_that_turns_up_before_the_signals_stops_them",
    ),
    "the server is killed between two steps of an ending": (
        f"{KILLER}test_killed_between_any_two_steps_another_run_finishes_it",
        f"{NAMESPACE}test_a_reaper_that_is_killed_at_any_step_has_a_successor_that_finishes",
        f"{REAPER}test_what_a_killed_server_had_begun_is_finished",
    ),
    "an ending is cancelled while its tree is stopped": (
        f"{KILLER}test_cancelled_between_any_two_steps_nothing_stays_stopped",
    ),
    "the disk is full, the log cannot be written": (
        f"{KILLER}test_without_a_log_nothing_is_signalled",
        f"{AUDIT}test_a_full_disk_is_refused_and_leaves_no_half_line",
    ),
    # --- servers and receipts
    "a server that only looks dead: stopped, or its lock file lost": (
        f"{INSTANCES}test_a_stopped_one_lives",
        f"{INSTANCES}test_where_its_file_was_lost_nothing_is_known",
        f"{SPARED}[unknown instance]",
    ),
    "another server's agents": (f"{SPARED}[live instance]", f"{ENDED}[dead instance]"),
    "instances whose names begin alike": (
        f"{INSTANCES}test_ids_that_begin_alike_are_two",
        f"{PLAN}test_names_of_instances_that_begin_alike_are_different_instances",
    ),
    "two servers at once": (
        f"{REAPER}test_only_one_server_sweeps_at_a_time",
        f"{GUARD}test_the_second_one_is_told_so_and_the_file_stays",
        f"{AUDIT}test_several_servers_write_into_one_log",
    ),
    "a lock whose holder was killed, or forked": (
        f"{GUARD}test_a_killed_holder_leaves_the_lock_free",
        f"{INSTANCES}test_one_whose_forked_child_lives_on_is_not_dead",
    ),
    "a dangerous or corrupt receipt": (
        f"{RECEIPT}test_a_dangerous_pid_is_refused",
        f"{RECEIPT}test_no_changed_digit_makes_another_process",
        f"{RECEIPTS}test_a_corrupt_one_is_set_aside",
        f"{RECEIPTS}test_a_symbolic_link_is_set_aside",
        f"{RECEIPTS}test_a_second_name_is_set_aside",
    ),
    "an agent without a receipt": (f"{SPARED}[no receipt]", f"{SPARED}[live pane, no receipt]"),
    "an agent that the user started, or wants to keep": (
        f"{SPARED}[observed]",
        f"{SPARED}[keep in the environment]",
        f"{SPARED}[keep in the receipt]",
        f"{SPARED}[outside of a pane]",
    ),
    "the machine slept": (f"{REAPER}test_after_a_sleep_the_grace_begins_anew",),
}
"""What may go wrong, and the tests that show that it does not: paths below tests/, in brackets the case of a round."""
