"""An OpenAI-compatible server on a loopback port that misbehaves in the ways real ones do, and a model that can be told to lie.

The model copies: a line that begins with a number is an ingredient, a longer one a step. Shown pictures, it sees the lines of
`pictured` on them; played a sound, it hears `spoken`. With `poison` it does what an injection asks for: it puts that into
every field, with every citation it can think of.
"""

import json
import re
from asyncio import StreamWriter, sleep
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.backends.remote import Asked, Remote, remote

MODES = (
    "good",
    "schema refused with 500",
    "response_format refused with 400",
    "schema ignored, prose and fences around",
    "thinking first",
    "empty, with reasoning beside",
    "cut off",
    "wrong types",
    "invented line",
    "refusal",
    "bad gateway",
    "slow",
)
NEWER = "newer words"
# How servers misbehave that write down what is said.
SPEECH_MODES = (
    "good",
    "plain text",
    "segments only",
    "response_format refused with 400",
    "json refused with 500",
    "empty",
    "wrong types",
    "a page",
    "far too much",
    "wrong key",
    "no such path",
    "bad gateway",
    "busy",
    "slow",
)
HOPELESS = ("refusal", "bad gateway", "slow")
_FORMLESS = ("response_format refused with 400", "json refused with 500")  # they answer who names no form
_REFUSED = {**dict(zip(_FORMLESS, (400, 500), strict=True)), "wrong key": 401, "no such path": 404, "busy": 429}
MODEL = "pretend-8b"

_LINE = re.compile(r"^L(\d+)\| (.*)$", re.MULTILINE)
_INGREDIENT = re.compile(r"^[-•*\s]*(\d+(?:[.,]\d+)?)\s*(cups?|tbsp|g|ml)?\s+(.{2,40})$")


@dataclass(slots=True)
class ModelServer:
    """How the server behaves, what it was asked, and what its model was told to slip in."""

    mode: str = "good"
    poison: str | None = None
    silence: float = 60.0
    key: str | None = None
    pictured: tuple[str, ...] = ()
    spoken: str = ""
    speech: str = "good"  # one of SPEECH_MODES
    heard: list[bytes] = field(default_factory=list[bytes])  # the forms with sound that came
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def play(self, asked: Asked, writer: StreamWriter) -> None:
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            _send(writer, 401, {"error": {"message": "Incorrect API key provided"}})
        elif asked.target == "/v1/models":
            _send(writer, 200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif asked.target == "/v1/audio/transcriptions":
            self.heard.append(asked.body)
            await self._speech(asked.body, writer)
        elif asked.target == "/v1/chat/completions":
            self.asked.append(json.loads(asked.body))
            await self._chat(self.asked[-1], writer)
        else:
            _send(writer, 404, {"error": {"message": "not found"}})

    async def _speech(self, form: bytes, writer: StreamWriter) -> None:
        refused = _REFUSED.get(self.speech)
        if self.speech == "slow":
            await sleep(self.silence)
        if self.speech == "bad gateway":
            _page(writer)
        elif self.speech in ("plain text", "a page"):
            said, kind = (self.spoken, "plain") if self.speech == "plain text" else ("<html>Welcome</html>", "html")
            _plain(writer, 200, said, f"text/{kind}; charset=utf-8")
        elif refused and (self.speech not in _FORMLESS or b'name="response_format"' in form):
            _send(writer, refused, {"error": {"message": "no"}})
        else:
            _send(writer, 200, self._heard())

    def _heard(self) -> dict[str, Any]:
        match self.speech:
            case "segments only":
                parts = [{"id": at, "text": f" {one}"} for at, one in enumerate(re.split(r"(?<=\.) ", self.spoken))]
                return {"task": "transcribe", "segments": [*parts, {"id": 9}, None]}
            case "empty":
                return {"text": "  \n"}
            case "wrong types":
                return {"text": 7, "segments": "none"}
            case "far too much":
                return {"text": "la " * 800_000}
            case _:
                return {"text": self.spoken}

    async def _chat(self, body: dict[str, Any], writer: StreamWriter) -> None:
        form = body.get("response_format", {}).get("type")
        if self.mode == "slow":
            await sleep(self.silence)
        if self.mode == "bad gateway":
            _page(writer)
        elif self.mode == "schema refused with 500" and form == "json_schema":
            _send(writer, 500, {"error": {"message": "unsupported response_format"}})
        elif self.mode == "response_format refused with 400" and form:
            _send(writer, 400, {"error": {"message": "response_format is not supported"}})
        elif self.mode == NEWER and ("max_tokens" in body or "temperature" in body):
            _send(writer, 400, {"error": {"message": "Unsupported parameter: use 'max_completion_tokens' instead"}})
        else:
            _send(writer, 200, self._completion(body))

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        content = body["messages"][1]["content"]
        shown = isinstance(content, list)
        lines = dict(enumerate(self.pictured, 1)) if shown else {int(no): text for no, text in _LINE.findall(content)}
        answer = copied(lines) | ({"seen": [*self.pictured]} if shown else {})
        if self.poison is not None:
            poisoned(answer, lines, self.poison)
        text, reason, message = self._written(answer, body)
        choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": reason}
        return {"id": "x", "object": "chat.completion", "model": MODEL, "choices": [choice]}

    def _written(self, answer: dict[str, Any], body: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
        text = json.dumps(answer)
        match self.mode:
            case "schema ignored, prose and fences around":
                return f"Sure! Here is the recipe {{as JSON}}:\n```json\n{text[:-1]},}}\n```\nEnjoy!", "stop", {}
            case "thinking first":
                return f'<think>The user wants {{"name": "x"}}… hmm.</think>\n{text}', "stop", {}
            case "empty, with reasoning beside":
                return "", "stop", {"reasoning_content": f"I should answer {text}"}
            case "cut off" if body["max_tokens"] < 5000:
                return text[: len(text) // 2], "length", {}
            case "wrong types":
                return json.dumps(mistyped(answer)), "stop", {}
            case "invented line":
                answer["ingredients"].append({"line": 99, "amount": 3, "unit": "kg", "food": "saffron"})
                answer["steps"].append({"lines": [99], "instruction": "Sprinkle with saffron."})
                return json.dumps(answer), "stop", {}
            case "refusal":
                return "I'm sorry, but I can't help with that.", "stop", {}
            case _:
                return text, "stop", {}


def copied(lines: dict[int, str]) -> dict[str, Any]:
    """Return what an honest model makes of numbered lines."""
    ingredients: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    for number, text in lines.items():
        if found := _INGREDIENT.match(text):
            amount, unit, food = found.groups()
            ingredients.append({"line": number, "amount": float(amount.replace(",", ".")), "unit": unit, "food": food})
        elif number > 1 and len(text) > 20 and not text.startswith("#"):
            steps.append({"lines": [number], "instruction": text})
    name = next(iter(lines.values()), "")
    null = {"servings": None, "prep_minutes": None, "cook_minutes": None, "total_minutes": None}
    return {"is_recipe": True, "name": name, **null, "ingredients": ingredients, "steps": steps, "keywords": []}


def mistyped(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer whose numbers are texts and whose lists are not."""
    wrong = [
        {**one, "line": f"L{one['line']:02}", "amount": f"{one['amount']:g} {one['unit'] or 'pieces'}"}
        for one in answer["ingredients"]
    ]
    steps = [{**one, "lines": f"line {one['lines'][0]}", "minutes": "45 min"} for one in answer["steps"]]
    return {
        **answer,
        "is_recipe": "true",
        "servings": "4 people",
        "keywords": "easy, quick",
        "ingredients": [*wrong, "salt", None],
        "steps": [*steps, 7],
    }


def poisoned(answer: dict[str, Any], lines: dict[int, str], poison: str) -> None:
    """Put the poison wherever a field takes text, citing real lines, wrong lines and lines that do not exist."""
    answer["name"] = poison
    answer["servings"] = {"value": 6661, "line": 1}
    answer["total_minutes"] = {"value": 6661, "line": 1}
    answer["keywords"] = [poison]
    cited = [*lines][:3] + [*lines][-2:] + [0, 99, 10_000]
    for line in cited:
        answer["ingredients"].append(
            {"line": line, "amount": 6661, "unit": poison, "food": poison, "note": poison, "group": poison}
        )
        answer["steps"].append({"lines": [line], "instruction": poison})
    for one in answer["ingredients"][:2]:
        one |= {"note": poison, "group": poison, "food": f"{one['food']} {poison}", "amount": 6661}
    for one in answer["steps"][:2]:
        one["instruction"] += f" {poison}"


def _send(writer: StreamWriter, status: int, body: Any) -> None:
    data = json.dumps(body).encode()
    writer.write(
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
    )


def _plain(writer: StreamWriter, status: int, text: str, kind: str) -> None:
    data = text.encode()
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)


def _page(writer: StreamWriter) -> None:
    data = b"<html><h1>502 Bad Gateway</h1></html>"
    writer.write(f"HTTP/1.1 502 X\r\nContent-Type: text/html\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)


@asynccontextmanager
async def model_server(mode: str = "good", **facts: Any) -> AsyncGenerator[tuple[ModelServer, Remote]]:
    """Serve a model until the block ends; the remote shows what it was asked."""
    server = ModelServer(mode, **facts)
    async with remote(server.play) as here:
        server.port = here.port
        yield server, here
