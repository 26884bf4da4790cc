"""Strategies for settings as people write them: any layout, comments, trailing commas, hooks of their own."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from opensessions.hooks.command import MARKER

EVENTS = ("Stop", "PreToolUse", "SessionStart")

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-99, 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
hook = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.sampled_from(["echo", "./my-" + MARKER, "ä\n"])}
)
group = (
    st.fixed_dictionaries({"hooks": st.lists(hook, max_size=2)}, optional={"matcher": st.just("*")}) | values
)
events = st.dictionaries(st.sampled_from((*EVENTS, "Other")), st.lists(group, max_size=2), max_size=3)
settings = st.dictionaries(words.filter(lambda key: key != "hooks"), values, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Settings, with or without hooks, in any order."""
    found = dict(draw(settings))
    if draw(st.booleans()):
        found["hooks"] = draw(events)
    keys = draw(st.permutations(list(found)))
    return {key: found[key] for key in keys}


@st.composite
def texts(draw: st.DrawFn, value: Any) -> str:
    """One of the ways to write it down."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    if draw(st.booleans()):
        indent = draw(st.sampled_from([None, 1, 2, 4, "\t"]))
        text = json.dumps(value, indent=indent, ensure_ascii=draw(st.booleans())).replace("\n", newline)
        return text + draw(st.sampled_from(["", newline, newline * 2]))
    gaps = st.sampled_from(
        [
            "",
            "",
            "",
            " ",
            newline,
            "\t",
            f"  {newline}    ",
            f'// note: {{ [ " {newline}',
            f"  //{newline}  ",
            "/* , } */",
        ]
    )

    def write(value: Any) -> str:
        gap = lambda: draw(gaps)  # noqa: E731
        if isinstance(value, dict):
            parts = [
                f"{gap()}{json.dumps(key)}{gap()}:{gap()}{write(each)}{gap()}" for key, each in value.items()
            ]
        elif isinstance(value, list):
            parts = [f"{gap()}{write(each)}{gap()}" for each in value]
        else:
            return json.dumps(value)
        trailing = "," if parts and draw(st.booleans()) else ""
        inner = ",".join(parts) + trailing + gap()
        return f"{{{inner}}}" if isinstance(value, dict) else f"[{inner}]"

    end = draw(st.sampled_from(["", newline, "// end", f"// end{newline}"]))
    return draw(st.sampled_from(["", "\ufeff"])) + draw(gaps) + write(value) + end


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """Settings and their text."""
    value = draw(documents())
    return value, draw(texts(value))
