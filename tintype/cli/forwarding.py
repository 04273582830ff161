"""Hands on what happens to a program on this machine: fetched from a house or a server, sent to a local port, answered for.

Only calls that go out are made, so it works behind every router, and nobody outside can reach the local port by it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from tintype.app import open_house
from tintype.backends.outbound import HttpOutbound, Outgoing
from tintype.backends.outbound import Policy as Door
from tintype.cli.finding import find_workspace
from tintype.cli.output import note
from tintype.core.webhooks import Answer, Policy, Prepared, Scope, Way, Wish, send
from tintype.errors import Invalid, NotFound, Refused, Trouble, Unauthorized, Unavailable, Unreachable
from tintype.settings import Settings

_WAIT_SECONDS = 20.0  # that a server may keep us waiting for something to happen
_AGAIN_SECONDS = 2.0  # after a server that was away

Told = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Held:
    """One message that waits for us to hand it on."""

    id: int
    event: str
    fence: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listener:
    """An opened way to messages: what is due, and how to say what became of it."""

    endpoint: str
    secret: str = field(repr=False)
    pull: Callable[[], Awaitable[Sequence[Held]]]
    answer: Callable[[Held, str, Answer], Awaitable[str]]


Source = AbstractAsyncContextManager[Listener]


async def hand_on(source: Source, forward: str, opened: Told, told: Told) -> None:
    """Hand on everything to an address until this is cancelled."""
    outbound = HttpOutbound(allow=(_place(forward),))
    try:
        async with source as listener:
            opened({"endpoint": listener.endpoint, "secret": listener.secret})
            while True:
                for held in await _fetched(listener):
                    answer = await send(outbound, Prepared(forward, held.headers, held.body), Policy())
                    state = await listener.answer(held, forward, answer)
                    line = {"status": answer.status, "reason": answer.reason, "seconds": answer.seconds, "state": state}
                    told({"id": held.id, "event": held.event, **line})
    finally:
        await outbound.close()


async def _fetched(listener: Listener) -> Sequence[Held]:
    try:
        return await listener.pull()
    except (Unreachable, Unavailable) as trouble:
        note(f"{trouble.message}; trying again")
        await asyncio.sleep(_AGAIN_SECONDS)
        return []


@asynccontextmanager
async def from_house(settings: Settings, workspace: str | None, events: Sequence[str]) -> AsyncGenerator[Listener]:
    """Listen in the house of this data folder, beside the server that runs."""
    async with open_house(settings, work=False) as house:
        rooms = await house.access.workspaces() if workspace is None else [await find_workspace(house, workspace)]
        if len(rooms) != 1:
            raise Invalid("there are several workspaces, or none; name one with --workspace")
        scope, webhooks = Scope(rooms[0].id), house.picking.hooks.webhooks
        issued = await webhooks.add(scope, Wish(events=events), way=Way.PULL)
        name = issued.endpoint.id

        async def pull() -> Sequence[Held]:
            found = await webhooks.pull(scope, name, wait=_WAIT_SECONDS)
            return [
                Held(one.delivery.id, one.delivery.event, one.fence, one.request.headers, one.request.body)
                for one in found
            ]

        async def answered(held: Held, url: str, answer: Answer) -> str:
            return (await webhooks.answered(scope, name, held.id, held.fence, url, answer)).state.value

        try:
            yield Listener(name, issued.secret, pull, answered)
        finally:
            with suppress(Trouble):
                await webhooks.remove(scope, name)


@asynccontextmanager
async def from_server(server: str, token: str, events: Sequence[str]) -> AsyncGenerator[Listener]:
    """Listen at a server elsewhere, with a token of a workspace there."""
    outbound = HttpOutbound(allow=(_place(server),))
    root = server.rstrip("/") + "/api/webhooks"

    async def ask(method: str, path: str, body: object) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        door = Door(_WAIT_SECONDS + 10, _WAIT_SECONDS + 10, https_only=False)
        answer = await outbound.send(Outgoing(method, root + path, headers=headers, json=body), door)
        if answer.status // 100 != 2:
            raise _refusal(answer.status, answer.body, server)
        return cast("dict[str, Any]", json.loads(answer.body))

    try:
        made = await ask("POST", "", {"listen": True, "events": list(events)})
        name = str(made["id"])

        async def pull() -> Sequence[Held]:
            found = (await ask("POST", f"/{name}/pull", {"wait": _WAIT_SECONDS}))["deliveries"]
            return [Held(one["id"], one["event"], one["fence"], one["headers"], one["body"].encode()) for one in found]

        async def answered(held: Held, url: str, answer: Answer) -> str:
            said = {
                "fence": held.fence,
                "url": url,
                "status": answer.status,
                "reason": answer.reason,
                "detail": answer.detail,
                "headers": dict(answer.headers),
                "body": answer.body,
                "seconds": answer.seconds,
            }
            return str((await ask("POST", f"/{name}/deliveries/{held.id}/answer", said))["state"])

        try:
            yield Listener(name, str(made["secret"]), pull, answered)
        finally:
            with suppress(Trouble):
                await ask("DELETE", f"/{name}", None)
    finally:
        await outbound.close()


def _refusal(status: int, body: bytes, server: str) -> Trouble:
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        said = f"it answered {status}"
    if status == 403:
        return Unauthorized(f"{server} does not take this token: {said}")
    if status == 404:
        return NotFound(f"{server}: {said}")
    if status >= 500 or status == 429:
        return Unavailable(f"{server} is away for now: {said}")
    return Refused(f"{server} refuses: {said}")


def _place(url: str) -> str:
    """Return host:port of an address that this person names, which may be private."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{url!r} is not an address; write it like http://127.0.0.1:3000/hook")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}"
