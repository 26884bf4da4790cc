"""Qwen Code, seen with 0.15.10 and 0.24.4: nested `node` processes.

The newer one's title is exact: `◐ Qwen - dir` while it works, `✳ Qwen - dir` while it asks for an approval (Claude
Code's ✳ means the opposite), and `Qwen - dir` at rest. The older one's is `Qwen - dir` always, so that a title without
a mark says nothing by itself.
"""

from __future__ import annotations

from opensessions.agents.kind import HALF_CIRCLES, WAITING, WORKING, Kind, ScreenRule, TitleRule, working
from opensessions.agents.qwen.hooks import hears
from opensessions.agents.qwen.reader import QwenReader
from opensessions.agents.signal import only

KIND = Kind(
    name="qwen",
    executables=frozenset({"qwen"}),
    packages=frozenset({"@qwen-code/qwen-code"}),
    excluded=frozenset({"mcp"}),
    titles=(TitleRule(WAITING, starts=("✳",)), working(HALF_CIRCLES)),
    title_rests=True,
    screens=(
        ScreenRule(WAITING, (("waiting for user confirmation...",),), lines=3),
        ScreenRule(WORKING, (("esc to cancel)",),), lines=7),
        ScreenRule(only("interrupted"), (("request cancelled.",),), lines=6),
        ScreenRule(only("error"), (("✕ [api error",),), lines=8),
    ),
    screen_for=frozenset({"running", "tool-running", "waiting"}),
    hears=hears,
    reader=QwenReader,
    environment=frozenset({"QWEN_HOME", "QWEN_RUNTIME_DIR"}),
    trust=("registry", "hook", "api", "title", "database", "screen", "transcript"),
    resume=("qwen", "--resume", "{thread}"),
)
