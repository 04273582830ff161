"""One question to any server that speaks OpenAI's chat completions, and what came of it, as a value.

Two endpoints and nothing else: `GET {base}/models` and `POST {base}/chat/completions`. Servers differ most in how they
fail, so an outcome is never an exception: the ladder decides what is asked next.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy
from tintype.errors import Forbidden, Misconfigured, TooLarge, Unreachable

_MAX_BYTES = 1024 * 1024  # an answer of 6,000 tokens is a fortieth of this
_HEALTH_SECONDS = 10.0
_OLDER = (b"max_completion_tokens", b"temperature")
_AWAY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})


@dataclass(frozen=True, slots=True)
class ModelPolicy:
    """Where the model is and what one recipe may cost: seconds and calls in all, tokens of an answer."""

    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    total_seconds: float = 90.0
    calls: int = 4
    max_tokens: int = 2000
    most_tokens: int = 6000
    at_once: int = 2  # a model on a machine at home reads one text after the other anyway
    source_characters: int = 12_000  # captions end at 2,200; a transcript of ten minutes fits


class Form(StrEnum):
    """How an answer's shape is asked for, the strictest first."""

    SCHEMA = "json_schema"
    OBJECT = "json_object"
    FREE = "text"


class Failure(StrEnum):
    """Why a call brought no text."""

    FORM = "form"  # the server does not take this response_format
    WORDS = "words"  # it does not take max_tokens or temperature: OpenAI's newer models have other words
    AWAY = "away"  # overloaded, broken, or not to be reached
    NO = "no"  # it will not answer us whatever we ask: key, model or address are wrong


@dataclass(frozen=True, slots=True)
class Said:
    """What the model said; `cut` when it ran out of tokens, `thought` what it said beside its answer."""

    text: str = field(repr=False)
    cut: bool = False
    thought: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """A call without an answer, with one sentence about it."""

    failure: Failure
    sentence: str


Outcome = Said | Failed


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, with pictures as JPEG where a model is to look at some."""

    role: str
    content: str = field(repr=False)
    pictures: tuple[bytes, ...] = field(default=(), repr=False)

    def said(self) -> dict[str, Any]:
        """Return it as the server takes it."""
        if not self.pictures:
            return {"role": self.role, "content": self.content}
        shown = [{"type": "image_url", "image_url": {"url": _inline(one)}} for one in self.pictures]
        return {"role": self.role, "content": [{"type": "text", "text": self.content}, *shown]}


@dataclass(frozen=True, slots=True)
class Turn:
    """One call to make: the shape asked for, the tokens given, and in which words (`newer`: as OpenAI wants them now).

    `unreadable` is the answer that this call is to repair.
    """

    form: Form
    max_tokens: int
    newer: bool = False
    unreadable: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A server behind a policy; it is asked through the house's one way out."""

    policy: ModelPolicy
    outbound: Outbound

    async def models(self) -> tuple[str, ...]:
        """Return the names of the models it serves; raises `Unreachable` or `Misconfigured` when it does not say."""
        request = Outgoing("GET", self._url("models"), headers=self._headers())
        answer = await self.outbound.send(request, _limits(_HEALTH_SECONDS))
        if answer.status in (401, 403):
            raise Misconfigured("the model server does not take the key: check LLM_API_KEY")
        found = _object(answer).get("data")
        if answer.status != 200 or not isinstance(found, list):
            raise Unreachable(f"the model server answers its list of models with {answer.status}", retryable=True)
        entries = [cast("dict[str, Any]", entry) for entry in cast("list[object]", found) if isinstance(entry, dict)]
        return tuple(str(entry["id"]) for entry in entries if "id" in entry)

    async def chat(self, messages: Sequence[Message], turn: Turn, schema: dict[str, Any], seconds: float) -> Outcome:
        """Ask once, for at most `seconds`; whatever happens is an outcome."""
        newer = {"max_completion_tokens": turn.max_tokens}
        body = {
            "model": self.policy.model,
            "messages": [message.said() for message in messages],
            "stream": False,
            **(newer if turn.newer else {"max_tokens": turn.max_tokens, "temperature": 0}),
            **_asking(turn.form, schema),
        }
        request = Outgoing("POST", self._url("chat/completions"), headers=self._headers(), json=body)
        try:
            answer = await self.outbound.send(request, _limits(seconds))
        except (Unreachable, TooLarge) as trouble:
            return Failed(Failure.AWAY, trouble.message)
        except Forbidden as trouble:
            return Failed(Failure.NO, f"{trouble.message}; if it is yours, add its host:port to OUTBOUND_ALLOW")
        return _outcome(answer, turn)

    def _url(self, path: str) -> str:
        return f"{self.policy.base_url.rstrip('/')}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.policy.key}"} if self.policy.key else {}


def _inline(picture: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode('ascii')}"


def _limits(seconds: float) -> Policy:
    # A model that runs on the processor is silent until its last word, so silence may last as long as the call.
    return Policy(total_seconds=seconds, first_byte_seconds=seconds, max_bytes=_MAX_BYTES, https_only=False)


def _asking(form: Form, schema: dict[str, Any]) -> dict[str, Any]:
    match form:
        case Form.SCHEMA:
            named = {"name": "recipe", "strict": True, "schema": schema}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case Form.OBJECT:
            return {"response_format": {"type": "json_object"}}
        case Form.FREE:
            return {}


def _outcome(answer: Answer, turn: Turn) -> Outcome:
    if answer.status == 200:
        return _said(_object(answer))
    if answer.status in (401, 403, 404):
        return Failed(Failure.NO, f"the model server answers {answer.status}: key, model or address are wrong")
    if answer.status == 400 and not turn.newer and any(word in answer.body for word in _OLDER):
        return Failed(Failure.WORDS, "the model server wants the newer words for its limits")
    is_json = bool(_object(answer))
    # Forks of llama.cpp answer an unknown response_format with a 500 that has JSON in it; a proxy's 502 has a page.
    if turn.form is not Form.FREE and (answer.status < 500 or is_json) and answer.status not in (408, 429, 503):
        return Failed(Failure.FORM, f"the model server refuses {turn.form} with {answer.status}")
    failure = Failure.AWAY if answer.status in _AWAY else Failure.NO
    return Failed(failure, f"the model server answers {answer.status}")


def _said(body: dict[str, Any]) -> Said:
    choices = body.get("choices")
    first = cast("object", choices[0]) if isinstance(choices, list) and choices else None
    choice = cast("dict[str, Any]", first) if isinstance(first, dict) else {}
    held = choice.get("message")
    message = cast("dict[str, Any]", held) if isinstance(held, dict) else {}
    thought = message.get("reasoning_content") or message.get("reasoning")
    text = _text(message.get("content"))
    return Said(text, choice.get("finish_reason") == "length", _text(thought))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [cast("dict[str, Any]", part) for part in cast("list[object]", content) if isinstance(part, dict)]
    return "".join(str(part.get("text") or "") for part in parts)


def _object(answer: Answer) -> dict[str, Any]:
    try:
        found: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
