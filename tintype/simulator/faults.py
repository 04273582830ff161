"""Trouble on demand: faults are queued from the control plane and played on the calls they name."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import anyio
import anyio.lowlevel
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from tintype.simulator import ids

FaultKind = Literal[
    "status", "slow", "hang", "lost", "error_after", "reset", "malformed", "html", "rate_limit", "expired_token",
    "truncate", "drip", "wrong_type", "redirect",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(FaultKind)
MEDIA_KINDS = frozenset({"truncate", "drip", "wrong_type", "redirect"})

NAMES = frozenset(
    (
        "*",
        "oauth.code",
        "oauth.exchange",
        "oauth.refresh",
        "graph.me",
        "graph.accounts",
        "graph.media",
        "graph.media_item",
        "graph.children",
        "graph.stories",
        "graph.insights",
        "graph.comments",
        "graph.container",
        "graph.container_status",
        "graph.publish",
        "graph.limit",
        "graph.upload",
        "cdn.image",
        "cdn.video",
        "web.start",
        "web.graphql",
        "web.page",
        "web.info",
        "web.ruling",
    )
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One order for trouble: skip `after` matching calls, then hit `times` of them (None: all), each by `chance`."""

    id: str
    on: str
    kind: FaultKind
    times: int | None = 1
    after: int = 0
    delay_ms: int = 0
    code: int | None = None
    subcode: int | None = None
    status: int | None = None
    username: str | None = None
    to: str | None = None
    chance: float = 1.0

    def matches(self, name: str, username: str | None) -> bool:
        """Whether this fault speaks of that call of that account."""
        return self.on in ("*", name) and (self.username is None or self.username == username)


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self, seed: int = 0) -> None:
        self._waiting: dict[str, Fault] = {}
        self._dice = ids.dice(seed, "faults")

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._waiting.values()))

    def add(self, fault: Fault) -> None:
        """Queue a fault behind those already waiting."""
        self._waiting[fault.id] = fault

    def drop(self, fault_id: str | None = None) -> bool:
        """Forget one fault, or all; False when there was no such fault."""
        if fault_id is None:
            self._waiting.clear()
            return True
        return self._waiting.pop(fault_id, None) is not None

    def take(self, name: str, username: str | None = None) -> Fault | None:
        """The fault that hits this call, used up by one; None when the call goes well."""
        for fault in self._waiting.values():
            if not fault.matches(name, username):
                continue
            if fault.after > 0:
                self._waiting[fault.id] = replace(fault, after=fault.after - 1)
                continue
            if fault.chance < 1 and self._dice.random() >= fault.chance:
                continue
            if fault.times is not None:
                self._use(fault)
            return fault
        return None

    def _use(self, fault: Fault) -> None:
        left = (fault.times or 1) - 1
        if left:
            self._waiting[fault.id] = replace(fault, times=left)
        else:
            del self._waiting[fault.id]


class ConnectionCutError(ConnectionResetError):
    """Raised where there is no connection to cut, as under an in-process client."""


class Cut(Response):
    """Ends the connection without an answer: politely (FIN) or, with `hard`, by a reset (RST).

    Works under uvicorn, whose connection is reachable from the ASGI send; elsewhere it raises ConnectionCutError.
    """

    def __init__(self, *, hard: bool = False) -> None:
        super().__init__()
        self.hard = hard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope.get("simulator.transport")
        if transport is None:
            raise ConnectionCutError("the pretend Instagram cut the connection")
        if self.hard:
            linger_zero(transport)
            transport.abort()
        else:
            transport.close()
        await silence(receive)


class Hang(Response):
    """Never answers; ends when the client goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await silence(receive)


async def silence(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        await anyio.lowlevel.checkpoint()


def linger_zero(transport: asyncio.Transport) -> None:
    """Make the coming close a reset: nothing unsent is kept (SO_LINGER with zero seconds)."""
    connection = cast("socket.socket | None", transport.get_extra_info("socket"))
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def play(
    fault: Fault | None, respond: Callable[[], Awaitable[Response]], refuse: Callable[[Fault], Response]
) -> Response:
    """Answer a call as its fault says.

    `respond` does the real thing and has its effect; `refuse` words a refusal in the dialect of the call. The kinds of
    MEDIA_KINDS are the business of `cdn.py` and are answered here as if nothing had happened.
    """
    match fault.kind if fault else None:
        case None:
            return await respond()
        case "status" | "rate_limit" | "expired_token":
            return refuse(_present(fault))
        case "html":
            return HTMLResponse(SORRY, status_code=_present(fault).status or 503)
        case "hang":
            return Hang()
        case "reset":
            return Cut(hard=True)
        case "lost":
            await respond()
            return Cut()
        case "error_after":
            await respond()
            return refuse(replace(_present(fault), kind="status", status=_present(fault).status or 500))
        case "slow":
            await anyio.sleep(_present(fault).delay_ms / 1000)
            return await respond()
        case "malformed":
            return _cut_in_half(await respond())
        case _:
            return await respond()


SORRY = """<!DOCTYPE html>
<html lang="en"><head><title>Error</title></head>
<body><h1>Sorry, something went wrong.</h1><p>We're working on it and we'll get it fixed as soon as we can.</p></body></html>
"""


def _present(fault: Fault | None) -> Fault:
    assert fault is not None
    return fault


def _cut_in_half(answer: Response) -> Response:
    body = bytes(answer.body)
    return Response(body[: max(1, len(body) // 2)], status_code=answer.status_code, media_type="application/json")
