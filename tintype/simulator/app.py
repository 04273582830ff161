"""The pretend Instagram as one ASGI app: which host was meant, who answers, and what goes into the log."""

import ssl
import time
from functools import cache
from typing import cast

import anyio
import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tintype.simulator import cdn, control, errors, face, faults, graph, oauth, people, upload, web
from tintype.simulator.arrival import Arrival, Client, host_of, params_of, split_path
from tintype.simulator.calling import Straight
from tintype.simulator.errors import ShortError
from tintype.simulator.log import Entry
from tintype.simulator.world import World

FILES = "/v/"  # paths of media below the own address; versions of the graph have a digit instead of the slash


class Simulator:
    """Serves every host of Instagram by Host header, and all of them together under its own address.

    Run it with one worker and lifespan off or auto. Faults that cut the connection need uvicorn.
    """

    def __init__(self, world: World, *, origin: str | None = None, transport: httpx2.AsyncBaseTransport | None = None):
        self.world = world
        self._origin = origin.rstrip("/") if origin else None
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        scope["simulator.transport"] = getattr(getattr(send, "__self__", None), "transport", None)
        began = time.perf_counter()
        try:
            response = await self._answer(Request(scope, receive), scope)
            await response(scope, receive, send)
        finally:
            if entry := cast("Entry | None", scope.get("simulator.entry")):
                entry.took_ms = round(1000 * (time.perf_counter() - began), 3)

    def client(self) -> httpx2.AsyncClient:
        """What calls out with: pictures to publish, webhooks."""
        transport = self._transport or Straight(_authorities())
        return httpx2.AsyncClient(transport=transport, verify=_authorities(), trust_env=False)

    async def prepare(self, username: str, posts: int) -> None:
        """Make the files of a person's newest posts now, one after the other, so that whoever asks first need not wait."""
        for post in self.world.posts(username)[:posts]:
            for media in (post, *(self.world.media[child] for child in post.children)):
                for rendition in people.renditions_of(media):
                    await cdn.content(rendition)

    async def _answer(self, request: Request, scope: Scope) -> Response:
        origin = self._origin or f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
        if face.claims(request, self.world):
            return await face.serve(request, self.world, self.client, origin)
        if request.url.path == "/_world" or request.url.path.startswith("/_world/"):
            return await control.serve(request, self.world, self.client, origin)
        entry = self.world.log.open(
            at=self.world.now(),
            method=request.method,
            host=request.headers.get("host", ""),
            path=request.url.path,
            query=request.url.query,
        )
        scope["simulator.entry"] = entry
        if self.world.settings.latency_ms:
            await anyio.sleep(self.world.settings.latency_ms / 1000)
        response = await _route(request, self.world, self.client, origin)
        entry.status = 0 if isinstance(response, faults.Cut | faults.Hang) else response.status_code
        return response


@cache
def _authorities() -> ssl.SSLContext:
    """Return whom we trust; reading that takes as long as ten answers, so only who calls out does, and once."""
    return httpx2.create_ssl_context(trust_env=False)


async def _route(request: Request, world: World, client: Client, origin: str) -> Response:
    host = host_of(request.headers.get("host", ""))
    path = request.url.path
    if host == "cdn" or (host == "own" and path.startswith(FILES)):
        return await cdn.serve(request, world)
    version, segments = split_path(path)
    params = await params_of(request)
    entry = request.scope["simulator.entry"]
    method = params.get("method", request.method).upper()  # Meta lets a client that only knows GET and POST say DELETE
    arrival = Arrival(world, request, host, origin, method, segments, version, params, client, entry)
    if segments[:1] == ("ig-api-upload",) and host in ("rupload", "own"):
        return await upload.serve(arrival)
    if segments == ("oauth", "authorize") and host in ("www", "api", "own"):
        return oauth.dialog(arrival, "instagram")
    if segments == ("dialog", "oauth") and host in ("facebook", "own"):
        return oauth.dialog(arrival, "facebook")
    if segments == ("oauth", "access_token") and _short_form(arrival):
        return await _short_token(arrival)
    if segments == ("instagram_oembed",) and host in ("facebook_graph", "own"):
        return web.official_oembed(arrival)
    if host in ("www", "private") or (arrival.own and web.claims(arrival)):
        return await web.serve(arrival)
    if host in ("graph", "facebook_graph", "own"):
        return await graph.serve(arrival)
    return Response("Not found", 404, media_type="text/plain")


def _short_form(arrival: Arrival) -> bool:
    """Whether a token request speaks api.instagram.com's dialect: by host, or under the own address by app."""
    if arrival.host == "api":
        return True
    app = arrival.world.apps.get(arrival.params.get("client_id", ""))
    facebook = app is not None and app.login == "facebook"
    return arrival.own and arrival.method == "POST" and arrival.version is None and not facebook


async def _short_token(arrival: Arrival) -> Response:
    world = arrival.world
    code = world.codes.get(arrival.params.get("code", ""))
    username = code.username if code else None
    fault = world.faults.take("oauth.code", username)
    if fault:
        arrival.entry.fault = fault.kind

    async def respond() -> Response:
        if arrival.method != "POST":
            return errors.short_answer("Method not allowed", 405)
        try:
            return oauth.short_token(arrival)
        except ShortError as error:
            return errors.short_answer(error.message)

    def refuse(given: faults.Fault) -> Response:
        error = errors.from_fault(given, world.now())
        return errors.short_answer(error.message, error.status)

    return await faults.play(fault, respond, refuse)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
