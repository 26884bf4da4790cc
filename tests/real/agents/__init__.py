"""The agents that are driven: one driver each."""

from __future__ import annotations

from collections.abc import Mapping

from tests.real.agents.claude import Claude
from tests.real.agents.codex import Codex, CodexAlone
from tests.real.agents.driver import Driver
from tests.real.agents.gemini import Gemini, Qwen
from tests.real.agents.opencode import OpenCode
from tests.real.agents.pi import Pi

DRIVERS: Mapping[str, Driver] = {
    each.name: each for each in (Claude(), Codex(), CodexAlone(), OpenCode(), Gemini(), Qwen(), Pi())
}
