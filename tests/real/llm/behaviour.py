"""What the model does. Pure: a request's turn and tools in, a plan out.

The last keyword in the user's latest turn decides; without one the answer is a few words. `id:NAME` in the turn says
which agent asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

STREAM = "STREAM"
"""Words until the test releases the agent's stream."""
TOOL = "TOOL"
"""A shell command that ends when the test opens its gate; after its result a few words."""
FREE = "FREETOOL"
"""The same, without asking for a permission where the model has to ask for it."""
QUESTION = "QUESTION"
"""The agent's own tool for asking the user."""
FAILURE = "FAILURE"
"""HTTP 500: the agent may try again."""
REFUSAL = "REFUSAL"
"""HTTP 400: it may not."""
SILENCE = "SILENCE"
"""No answer at all, not even headers."""

HELD = "HELD"
"""Besides a keyword, or alone: the last piece of the turn's first answer comes when the test releases the agent's
stream. So what is true until then lasts as long as it must, on a slow machine too."""

KEYWORDS = (STREAM, FREE, TOOL, QUESTION, FAILURE, REFUSAL, SILENCE)
STATUS = {FAILURE: 500, REFUSAL: 400}


class Tool(Struct, frozen=True):
    """A tool that the agent offers. `schema` is the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]
    form: str = "function"


class Call(Struct, frozen=True):
    """A tool call in the model's answer."""

    id: str
    name: str
    arguments: Mapping[str, Any]


class Asked(Struct, frozen=True):
    """A request, whatever protocol it came in."""

    turn: str
    """The text of the user's latest turn."""
    results: int
    """How many tool results came after it."""
    tools: tuple[Tool, ...]
    stream: bool
    wants_json: bool = False


class Plan(Struct, frozen=True):
    """What to answer."""

    tag: str
    keyword: str
    side: bool
    """Not the conversation itself: a title, a summary. Answered at once, and nothing that the user sees is running."""
    words: tuple[str, ...] = ()
    endless: bool = False
    """Words go on until the stream is released."""
    held: bool = False
    """The end waits until the stream is released."""
    calls: tuple[Call, ...] = ()
    status: int = 200
    silent: bool = False


TITLE = '{"title":"A title","isNewTopic":false,"next_speaker":"user","reasoning":"-","model_choice":"flash"}'


def plan(asked: Asked, number: int, gate: str) -> Plan:
    """What to answer to request `number`. `gate` is the program that waits at the gate named by its argument."""
    tag = (re.findall(r"\bid:(\w+)", asked.turn) or [""])[-1]
    if not asked.tools:
        words = (TITLE,) if asked.wants_json else ("A title",)
        return Plan(tag, "", True, words)
    keyword = last_keyword(asked.turn)
    held = HELD in asked.turn and not asked.results
    few = Plan(tag, keyword, False, ("some ", "words ", "at ", "last"), held=held)
    if keyword in STATUS:
        return Plan(tag, keyword, False, status=STATUS[keyword])
    if keyword == SILENCE:
        return Plan(tag, keyword, False, silent=True)
    if asked.results:
        return few
    if keyword == STREAM:
        return Plan(tag, keyword, False, ("word ",), endless=True)
    call: Call | None = None
    if keyword in (TOOL, FREE):
        call = shell(asked.tools, f"{gate} {tag}", f"call_{number:04}", keyword == TOOL)
    elif keyword == QUESTION:
        call = question(asked.tools, f"call_{number:04}")
    return Plan(tag, keyword, False, calls=(call,), held=held) if call else few


def last_keyword(turn: str) -> str:
    """The keyword that ends last in the turn; of two that end there the longer one. "" where there is none."""
    found = [(turn.rfind(word) + len(word), len(word), word) for word in KEYWORDS if word in turn]
    return max(found)[2] if found else ""


SHELLS = ("Bash", "bash", "exec_command", "shell_command", "shell", "run_shell_command")
QUESTIONS = ("AskUserQuestion", "question", "ask_user", "ask_user_question")


def _offered(tools: Sequence[Tool], names: Sequence[str]) -> Tool | None:
    by_name = {tool.name: tool for tool in tools}
    return next((by_name[name] for name in names if name in by_name), None)


def shell(tools: Sequence[Tool], command: str, id: str, asking: bool) -> Call | None:
    """A call of the agent's shell tool. Codex leaves asking for a permission to the model (`sandbox_permissions`)."""
    tool = _offered(tools, SHELLS)
    if tool is None:
        return None
    known: Mapping[str, Any] = tool.schema.get("properties", {})
    given: dict[str, Any] = {}
    for name, about in known.items():
        if name in ("command", "cmd"):
            given[name] = ["sh", "-c", command] if about.get("type") == "array" else command
        elif name == "sandbox_permissions" and asking:
            given[name] = "require_escalated"
        elif name == "justification" and asking:
            given[name] = "May the command run?"
        elif name == "yield_time_ms":
            given[name] = 30000
        elif name == "description":
            given[name] = "waits"
        elif name in tool.schema.get("required", ()):
            given[name] = {"boolean": False, "number": 60000, "integer": 60000}.get(about.get("type"), "-")
    return Call(id, tool.name, given)


def question(tools: Sequence[Tool], id: str) -> Call | None:
    """A call of the agent's tool for questions: one question, two answers."""
    tool = _offered(tools, QUESTIONS)
    if tool is None:
        return None
    asked = {
        "question": "Which colour?", "header": "Colour", "multiSelect": False, "type": "choice",
        "options": [{"label": "Red", "description": "like fire"}, {"label": "Blue", "description": "like the sea"}],
    }  # fmt: skip
    items = tool.schema.get("properties", {}).get("questions", {}).get("items", {})
    known = items.get("properties", asked)
    return Call(
        id, tool.name, {"questions": [{name: value for name, value in asked.items() if name in known}]}
    )
