"""The four protocols that the agents speak: what a request asks, and an answer's bytes as server-sent events.

Shapes as of Claude Code 2.1.197 (Anthropic Messages), Codex 0.169.0 (OpenAI Responses), OpenCode 1.18.33, Qwen Code
0.15.10 and Pi 0.73.1 (OpenAI chat completions), Gemini CLI 0.61.0 (generateContent).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from tests.real.llm.behaviour import Asked, Call, Tool

Json = Mapping[str, Any]


class Dialect(Protocol):
    """One answer in one protocol. `text` may be called many times; `calls` and `end` close it."""

    name: str

    def asked(self, body: Json, path: str) -> Asked:
        """What the request asks."""
        ...

    def begin(self) -> bytes:
        """The first bytes of a stream."""
        ...

    def text(self, word: str) -> bytes:
        """Some more text."""
        ...

    def end(self, calls: Sequence[Call]) -> bytes:
        """The tool calls, if any, and the end of the stream."""
        ...

    def whole(self, text: str, calls: Sequence[Call]) -> Json:
        """The answer where no stream was asked for."""
        ...

    def refusal(self, status: int) -> Json:
        """The body of an error."""
        ...


def event(data: object, kind: str = "") -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {kind}\n" if kind else "").encode() + f"data: {text}\n\n".encode()


Said = tuple[str, str]
"""Who ("user", "model", "result") and what."""

TURN = re.compile(r"\bid:\w+")
"""What every prompt of a test ends with. Agents put reminders beside a prompt, and an unanswered prompt and the next
one into one message: what the user said last is what stands before the last of these."""


def latest(said: Sequence[Said]) -> tuple[str, int]:
    """The user's latest turn, and how many tool results came after it."""
    results = 0
    for who, text in reversed(said):
        if who == "result":
            results += 1
        elif who == "user" and (ends := [each.end() for each in TURN.finditer(text)]):
            return text[ends[-2] if len(ends) > 1 else 0 : ends[-1]], results
    return "", results


def prose(content: object) -> str:
    """The text in a message's content, which is a text or a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part.get("text") or "" for part in parts if isinstance(part, dict))


def wants_json(body: Json) -> bool:
    """Does it ask for an answer of a given shape?"""
    text = json.dumps(body)
    return "json_schema" in text or "application/json" in text or "JSON" in text


class Messages:
    """Anthropic."""

    name = "messages"

    def __init__(self, number: int, model: str) -> None:
        self.number, self.model = number, model
        self._opened = False

    def asked(self, body: Json, path: str) -> Asked:
        said: list[Said] = []
        for message in body.get("messages", []):
            content = message.get("content", "")
            kinds = [part.get("type") for part in content] if isinstance(content, list) else []
            said += [("result", "")] * kinds.count("tool_result")
            said.append(("user" if message["role"] == "user" else "model", prose(content)))
        tools = tuple(Tool(each["name"], each.get("input_schema") or {}) for each in body.get("tools") or [])
        return Asked(*latest(said), tools, bool(body.get("stream")), wants_json(body))

    def _message(self, content: list[Json], reason: str | None) -> Json:
        return {
            "id": f"msg_{self.number:04}", "type": "message", "role": "assistant", "model": self.model,
            "content": content, "stop_reason": reason, "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }  # fmt: skip

    def _event(self, kind: str, **data: object) -> bytes:
        return event({"type": kind, **data}, kind)

    def begin(self) -> bytes:
        return self._event("message_start", message=self._message([], None))

    def text(self, word: str) -> bytes:
        opening = b""
        if not self._opened:
            self._opened = True
            opening = self._event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        return opening + self._event(
            "content_block_delta", index=0, delta={"type": "text_delta", "text": word}
        )

    def end(self, calls: Sequence[Call]) -> bytes:
        out = self._event("content_block_stop", index=0) if self._opened else b""
        for place, call in enumerate(calls, int(self._opened)):
            block = {"type": "tool_use", "id": f"tool_{call.id}", "name": call.name, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}
            out += self._event("content_block_start", index=place, content_block=block)
            out += self._event("content_block_delta", index=place, delta=delta)
            out += self._event("content_block_stop", index=place)
        ending = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
        out += self._event("message_delta", delta=ending, usage={"output_tokens": 5})
        return out + self._event("message_stop")

    def whole(self, text: str, calls: Sequence[Call]) -> Json:
        uses = [
            {"type": "tool_use", "id": f"tool_{each.id}", "name": each.name, "input": each.arguments}
            for each in calls
        ]
        return self._message([{"type": "text", "text": text}, *uses], "tool_use" if calls else "end_turn")

    def refusal(self, status: int) -> Json:
        kind = "invalid_request_error" if status == 400 else "overloaded_error"
        return {"type": "error", "error": {"type": kind, "message": f"refused with {status}"}}


class Responses:
    """OpenAI's Responses."""

    name = "responses"

    def __init__(self, number: int, model: str) -> None:
        self.number, self.model = number, model
        self._sequence = itertools.count()
        self._text = ""
        self._opened = False

    def asked(self, body: Json, path: str) -> Asked:
        given = body.get("input", [])
        said: list[Said] = [("user", given)] if isinstance(given, str) else []
        for item in given if isinstance(given, list) else []:
            kind = item.get("type", "message")
            if kind.endswith("_output"):
                said.append(("result", ""))
            elif kind == "message":
                said.append(("user" if item.get("role") == "user" else "model", prose(item.get("content"))))
        tools = tuple(
            Tool(each.get("name") or each["type"], each.get("parameters") or {}, each["type"])
            for each in body.get("tools") or []
            if each.get("type") != "namespace"
        )
        return Asked(*latest(said), tools, bool(body.get("stream")), wants_json(body))

    def _response(self, status: str, output: list[Json]) -> Json:
        usage = {
            "input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15,
        }  # fmt: skip
        return {
            "id": f"resp_{self.number:04}", "object": "response", "created_at": 1, "status": status,
            "model": self.model, "output": output, "usage": usage if status == "completed" else None,
            "error": None, "incomplete_details": None, "parallel_tool_calls": True, "tools": [],
        }  # fmt: skip

    def _event(self, kind: str, **data: object) -> bytes:
        return event({"type": kind, "sequence_number": next(self._sequence), **data}, kind)

    def begin(self) -> bytes:
        return self._event("response.created", response=self._response("in_progress", []))

    def _message(self, status: str) -> Json:
        parts = [{"type": "output_text", "text": self._text, "annotations": []}] if self._text else []
        return {
            "type": "message", "id": f"msg_{self.number:04}", "role": "assistant", "status": status, "content": parts,
        }  # fmt: skip

    def text(self, word: str) -> bytes:
        out = b""
        place = {"item_id": f"msg_{self.number:04}", "output_index": 0, "content_index": 0}
        if not self._opened:
            self._opened = True
            empty = {"type": "output_text", "text": "", "annotations": []}
            out += self._event(
                "response.output_item.added", output_index=0, item=self._message("in_progress")
            )
            out += self._event("response.content_part.added", part=empty, **place)
        self._text += word
        return out + self._event("response.output_text.delta", delta=word, **place)

    def _call(self, call: Call) -> Json:
        return {
            "type": "function_call", "id": f"fc_{call.id}", "call_id": call.id, "name": call.name,
            "arguments": json.dumps(call.arguments), "status": "completed",
        }  # fmt: skip

    def end(self, calls: Sequence[Call]) -> bytes:
        out = b""
        output: list[Json] = []
        if self._opened:
            output.append(self._message("completed"))
            out += self._event("response.output_item.done", output_index=0, item=output[0])
        for call in calls:
            item = self._call(call)
            out += self._event("response.output_item.added", output_index=len(output), item=item)
            out += self._event("response.output_item.done", output_index=len(output), item=item)
            output.append(item)
        return out + self._event("response.completed", response=self._response("completed", output))

    def whole(self, text: str, calls: Sequence[Call]) -> Json:
        self._text = text
        return self._response("completed", [self._message("completed"), *map(self._call, calls)])

    def refusal(self, status: int) -> Json:
        kind = "invalid_request_error" if status == 400 else "server_error"
        return {"error": {"message": f"refused with {status}", "type": kind, "code": None}}


class Chat:
    """OpenAI's chat completions."""

    name = "chat"

    def __init__(self, number: int, model: str) -> None:
        self.number, self.model = number, model

    def asked(self, body: Json, path: str) -> Asked:
        who = {"user": "user", "tool": "result"}
        said = [
            (who.get(message.get("role", ""), "model"), prose(message.get("content")))
            for message in body.get("messages", [])
        ]
        functions = [each.get("function", {}) for each in body.get("tools") or []]
        tools = tuple(Tool(each.get("name", ""), each.get("parameters") or {}) for each in functions)
        return Asked(*latest(said), tools, bool(body.get("stream")), wants_json(body))

    USAGE: ClassVar[Json] = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}

    def _chunk(self, choices: list[Json], **more: object) -> bytes:
        head = {
            "id": f"chat_{self.number:04}",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": self.model,
        }
        return event({**head, "choices": choices, **more})

    def _delta(self, delta: Json, reason: str | None = None) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": reason}])

    def begin(self) -> bytes:
        return self._delta({"role": "assistant", "content": ""})

    def text(self, word: str) -> bytes:
        return self._delta({"content": word})

    def _call(self, call: Call) -> dict[str, Any]:
        function = {"name": call.name, "arguments": json.dumps(call.arguments)}
        return {"id": call.id, "type": "function", "function": function}

    def end(self, calls: Sequence[Call]) -> bytes:
        out = b"".join(
            self._delta({"tool_calls": [{"index": place, **self._call(call)}]})
            for place, call in enumerate(calls)
        )
        out += self._delta({}, "tool_calls" if calls else "stop")
        return out + self._chunk([], usage=self.USAGE) + event("[DONE]")

    def whole(self, text: str, calls: Sequence[Call]) -> Json:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = [self._call(call) for call in calls]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
        return {
            "id": f"chat_{self.number:04}", "object": "chat.completion", "created": 1, "model": self.model,
            "choices": [choice], "usage": self.USAGE,
        }  # fmt: skip

    def refusal(self, status: int) -> Json:
        kind = "invalid_request_error" if status == 400 else "server_error"
        return {"error": {"message": f"refused with {status}", "type": kind, "code": None}}


class Gemini:
    """generateContent."""

    name = "gemini"

    def __init__(self, number: int, model: str) -> None:
        self.number, self.model = number, model

    def asked(self, body: Json, path: str) -> Asked:
        return Asked(
            *latest(list(self._said(body))),
            tuple(self._tools(body)),
            "streamGenerateContent" in path,
            wants_json(body),
        )

    def _said(self, body: Json) -> Iterator[Said]:
        for content in body.get("contents", []):
            for part in content.get("parts", []):
                if "functionResponse" in part:
                    yield "result", ""
                else:
                    yield ("user" if content.get("role") == "user" else "model"), part.get("text", "")

    def _tools(self, body: Json) -> Iterator[Tool]:
        for each in body.get("tools") or []:
            for declared in each.get("functionDeclarations", []):
                schema = declared.get("parametersJsonSchema") or declared.get("parameters") or {}
                yield Tool(declared["name"], schema)

    def _answer(self, parts: list[Json], reason: str | None = None) -> Json:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if reason:
            candidate["finishReason"] = reason
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": self.model}

    def begin(self) -> bytes:
        return b""

    def text(self, word: str) -> bytes:
        return event(self._answer([{"text": word}]))

    def _calls(self, calls: Sequence[Call]) -> list[Json]:
        return [
            {"functionCall": {"name": each.name, "args": each.arguments, "id": each.id}} for each in calls
        ]

    def end(self, calls: Sequence[Call]) -> bytes:
        return event(self._answer(self._calls(calls) or [{"text": "."}], "STOP"))

    def whole(self, text: str, calls: Sequence[Call]) -> Json:
        return self._answer(self._calls(calls) or [{"text": text}], "STOP")

    def refusal(self, status: int) -> Json:
        kind = {400: "INVALID_ARGUMENT"}.get(status, "INTERNAL")
        return {"error": {"code": status, "message": f"refused with {status}", "status": kind}}


def dialect(path: str, number: int, model: str) -> Dialect | None:
    """The dialect of a POST to this path; None where it asks for no answer of a model."""
    plain = path.partition("?")[0].rstrip("/")
    if plain.endswith("/messages"):
        return Messages(number, model)
    if plain.endswith("/responses"):
        return Responses(number, model)
    if plain.endswith("/chat/completions"):
        return Chat(number, model)
    if plain.endswith(("generateContent", "streamGenerateContent")):
        return Gemini(number, model)
    return None
