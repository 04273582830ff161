"""A way out whose answers are written down in the test: for what a pretend Instagram cannot say on demand."""

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from tintype.backends.outbound import Answer, Outgoing, Policy, Stream
from tintype.errors import Trouble


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"content-type": "application/json", **(headers or {})}, json.dumps(value).encode())


def refusal(code: int, subcode: int | None = None, message: str = "no", **more: object) -> Answer:
    error = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode, **more}
    return answer({"error": {key: value for key, value in error.items() if value is not None}}, 400)


@dataclass
class Script:
    """Gives its lines out in order and remembers what was asked."""

    lines: list[Answer | Trouble]
    asked: list[Outgoing] = field(default_factory=list[Outgoing])
    policies: list[Policy] = field(default_factory=list[Policy])

    async def send(self, request: Outgoing, policy: Policy) -> Answer:
        self.asked.append(request)
        self.policies.append(policy)
        line = self.lines.pop(0)
        if isinstance(line, Trouble):
            raise line
        return line

    def stream(self, request: Outgoing, policy: Policy) -> AbstractAsyncContextManager[Stream]:
        raise AssertionError("the Graph API is never streamed")

    async def close(self) -> None:
        assert not self.lines, "the test wrote answers that nobody asked for"


@dataclass
class Watch:
    """A clock that only moves when somebody rests."""

    time: float = 1000.0
    rests: list[float] = field(default_factory=list[float])

    def __call__(self) -> float:
        return self.time

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.time += seconds
