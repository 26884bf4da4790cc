"""Qwen Code, seen with 0.15.10 and 0.24.4: nested `node` processes.

The newer one's title is exact: `◐ Qwen - dir` while it works, `✳ Qwen - dir` while it asks for an approval (Claude
Code's ✳ means the opposite), and `Qwen - dir` at rest. The older one's is `Qwen - dir` always, so that a title without
a mark says nothing by itself. Then its screen is all there is, where two of them work in one directory and no hooks
tell whose file is whose.
"""

from __future__ import annotations

from opensessions.agents.kind import HALF_CIRCLES, WAITING, WORKING, Kind, ScreenRule, TitleRule, working
from opensessions.agents.qwen.hooks import hears
from opensessions.agents.qwen.reader import QwenReader
from opensessions.agents.signal import States, only

PROMPTS = (
    ("─\n> ", "─\n  ? for shortcuts"),
    ("─\n> ", "─\n  plan mode (shift + tab to cycle)"),
    ("─\n> ", "─\n  auto-accept edits (shift + tab to cycle)"),
    ("─\n* ", "─\n  yolo mode (shift + tab to cycle)"),
)
"""Of 0.15.10: between two rules, with a line below; not there while it asks for an approval."""
AT_ITS_PROMPT: States = frozenset({"idle", "done"})
"""A turn that was stopped or that failed shows it. If this said those two as well, a prompt that its file has and the
screen has not yet would be taken for one that was stopped."""

KIND = Kind(
    name="qwen",
    executables=frozenset({"qwen"}),
    packages=frozenset({"@qwen-code/qwen-code"}),
    excluded=frozenset({"mcp"}),
    titles=(TitleRule(WAITING, starts=("✳",)), working(HALF_CIRCLES)),
    title_rests=True,
    screens=(
        ScreenRule(WAITING, (("waiting for user confirmation...",),), lines=3),
        ScreenRule(WAITING, (("1. yes, allow once", "suggest changes (esc)"),), lines=8),
        # What is queued and what is being typed stand below it.
        ScreenRule(WORKING, (("· esc to cancel)",),), lines=12),
        ScreenRule(only("interrupted"), (("request cancelled.",), ("│ -  ",)), lines=6),
        ScreenRule(only("error"), (("✕ [api error",),), lines=8),
        ScreenRule(AT_ITS_PROMPT, PROMPTS, lines=8),
    ),
    screen_for=frozenset({"running", "tool-running", "waiting"}),
    hears=hears,
    reader=QwenReader,
    environment=frozenset({"QWEN_HOME", "QWEN_RUNTIME_DIR"}),
    trust=("registry", "hook", "api", "title", "database", "transcript", "screen"),
    resume=("qwen", "--resume", "{thread}"),
)
