"""What every dialect has in common: how it says no, how bodies are read, and how paths find their dialect.

A dialect is data (its claims, one status and code per `Kind`, one refusal shape) and a router. Every refusal, ours or the
framework's, a crash included, is spoken by that one shape.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype import logs, tracing
from tintype.api.heard import Heard
from tintype.api.letters import is_legible
from tintype.api.patience import Patient
from tintype.api.straight import Straight
from tintype.errors import Invalid, Kind, Trouble, Unsupported

log = logging.getLogger(__name__)

Model = TypeVar("Model", bound=BaseModel)

PROBLEM = "application/problem+json"


_NOTHING: Mapping[str, object] = {}


def _nothing(trouble: Trouble) -> Mapping[str, object]:
    del trouble
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Saying:
    """How a dialect names one kind of trouble: HTTP status and the dialect's own code."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """One promised way of speaking HTTP: which paths are its own and how it refuses."""

    name: str
    claims: tuple[str, ...]
    sayings: Mapping[Kind, Saying]
    crash: Saying
    refusal: Callable[[Saying, str], Mapping[str, object]]  # RFC 9457 stands beside it for those who ask for that
    details: Callable[[Trouble], Mapping[str, object]] = _nothing  # what a trouble of ours adds to either form
    narrower: Mapping[type[Trouble], Saying] = field(default_factory=dict[type[Trouble], Saying])  # than a kind
    scheme: str = "Bearer"  # of the credential that a 401 asks for; the `Front` says it

    def refuse(self, trouble: Trouble, accept: str = "") -> Response:
        """Return a trouble in this dialect's form."""
        saying = self.narrower.get(type(trouble), self.sayings[trouble.kind])
        headers: dict[str, str] = {}
        if trouble.retry_after is not None or saying.status in (429, 503):
            headers["Retry-After"] = str(max(1, round(trouble.retry_after or 1)))
        return self.say(saying, trouble.message, accept, headers, self.details(trouble))

    def refuse_status(self, error: HTTPException, accept: str = "") -> Response:
        """Return a refusal of the framework (404, 405, 413 …) in this dialect's form."""
        kind = _KINDS.get(error.status_code)
        code = self.sayings[kind].code if kind else HTTPStatus(error.status_code).name
        return self.say(Saying(error.status_code, code), error.detail, accept, error.headers)

    def refuse_crash(self, accept: str = "") -> Response:
        """Return the refusal for a fault of ours; what it was stands in the log, under the request's id."""
        return self.say(self.crash, "Internal server error", accept)

    def say(
        self,
        saying: Saying,
        message: str,
        accept: str,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] = _NOTHING,
    ) -> Response:
        """Return a refusal in this dialect's form, or as RFC 9457 for whoever asks for that."""
        headers = {**(headers or {}), "X-Error-Code": saying.code}
        if PROBLEM in accept:
            title = HTTPStatus(saying.status).phrase
            body = {"type": "about:blank", "title": title, "status": saying.status, "detail": message}
            return JSONResponse({**body, "code": saying.code, **details}, saying.status, headers, media_type=PROBLEM)
        return JSONResponse({**self.refusal(saying, message), **details}, saying.status, headers)


# The framework's own refusals, as the kinds whose codes they carry.
_KINDS = {400: Kind.INVALID, 404: Kind.NOT_FOUND, 413: Kind.TOO_LARGE, 415: Kind.UNSUPPORTED}


def build(dialect: Dialect, *, version: str) -> FastAPI:
    """Return an app in which every refusal speaks `dialect`; its routes are added by the dialect's own module."""
    refusals: dict[int | str, dict[str, Any]] = {"default": {"description": _refusals(dialect)}}
    app = Straight(
        title=f"Tintype: {dialect.name}",
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=refusals,
    )
    app.router.redirect_slashes = False  # `Front` cuts them: a redirect behind a proxy leads to a host nobody knows

    async def refuse(request: Request, error: Exception) -> Response:
        accept = request.headers.get("accept", "")
        match error:
            case Trouble():
                return dialect.refuse(error, accept)
            case HTTPException(status_code=405):
                headers = {"Allow": ", ".join(_methods(app, request.scope))}
                if request.method == "OPTIONS":
                    return Response(status_code=204, headers=headers)
                return dialect.refuse_status(HTTPException(405, error.detail, headers), accept)
            case HTTPException():
                return dialect.refuse_status(error, accept)
            case RequestValidationError():
                return dialect.refuse(Invalid(*map(sentence, error.errors())), accept)
            case ClientDisconnect():  # gone, or sent what is no body: then it is still there to hear it
                return dialect.refuse_status(HTTPException(400, "the request body broke off"), accept)
            case _:
                return dialect.refuse_crash(accept)

    # Exception too: the framework would answer in plain text. It still lets the error through, to `Surround`'s log.
    for error in (Trouble, HTTPException, RequestValidationError, ClientDisconnect, Exception):
        app.add_exception_handler(error, refuse)
    return app


def _methods(app: FastAPI, scope: Scope) -> list[str]:
    """Return what a path answers to; the framework alone would name the methods of its first route."""
    routes = [route for route in app.routes if route.matches(scope)[0] is not Match.NONE]
    found = {method for route in routes for method in getattr(route, "methods", None) or ()}
    return sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set()))


def _refusals(dialect: Dialect) -> str:
    example = json.dumps(dialect.refusal(dialect.sayings[Kind.INVALID], "what is wrong, and what to do"))
    statuses = sorted({f"{saying.status} {saying.code}" for saying in _all(dialect)})
    said = f"A refusal: `{example}`, or RFC 9457 when Accept asks for it. {', '.join(statuses)}."
    asks = any(saying.status == HTTPStatus.UNAUTHORIZED for saying in _all(dialect))
    return f"{said} A 401 says in WWW-Authenticate what it asks for." if asks else said


def _all(dialect: Dialect) -> Iterable[Saying]:
    return (*dialect.sayings.values(), *dialect.narrower.values(), dialect.crash)


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """Return what a route says of its body in OpenAPI; `read_body` is what reads it."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(model)}}}}


def answers(*kinds: str, status: int = 200) -> dict[str, Any]:
    """Return what a route says of its answer in OpenAPI, where that is something else than JSON, or not that alone."""
    return {"response_class": Response, "responses": {status: {"content": {kind: {} for kind in kinds}}}}


@cache
def _inlined(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(value: Any) -> Any:
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).rpartition("/")[2]  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType] - JSON
            return inline(definitions[name]) if name else {key: inline(one) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType] - JSON
        return [inline(one) for one in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType] - JSON

    return inline(schema)


async def read_body(request: Request, model: type[Model], *, plain: bool = False) -> Model:
    """Return the request's JSON body as `model`; with `plain` also one that is called text/plain.

    Raises `Unsupported` for another media type and `Invalid` with one sentence per problem.
    """
    raw = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    known = ("", "application/json", "text/plain") if plain else ("", "application/json")
    if raw and media_type not in known and not media_type.endswith("+json"):
        raise Unsupported(f"Content-Type is {media_type}; send the body as application/json")
    try:
        sent = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Invalid("the request body is not valid JSON") from None
    if not isinstance(sent, dict):
        raise Invalid("the request body must be a JSON object")
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise Invalid(*map(sentence, error.errors())) from None


# What the library that reads bodies and queries says of itself (classes, dictionaries, parsing) is nothing to a caller.
_PHRASES: Mapping[str, str] = {
    "string_type": "must be a string",
    "string_unicode": "must be a string",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "must be a number"),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "must be a day like 2026-05-01",
    ),
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def sentence(problem: Mapping[str, Any]) -> str:
    """Return one validation problem as a sentence that begins with the field's name."""
    place = [str(part) for part in problem["loc"] if part not in ("body", "query", "path", "header")]
    name = ".".join(place) or "the request body"
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "missing":
        return f"{name} is required"
    if kind == "string_too_short":
        least = context["min_length"]
        return f"{name} must not be empty" if least == 1 else f"{name} must be at least {least} characters"
    if kind == "string_too_long":
        return f"{name} must be at most {context['max_length']} characters"
    if kind == "too_long":
        return f"{name} must have at most {context['max_length']} entries"
    if kind in _PHRASES:
        return f"{name} {_PHRASES[kind].format(**context)}"
    if kind in ("enum", "literal_error"):
        return f"{name} must be one of {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    message = str(problem["msg"]).removeprefix("Value error, ").replace("Input should ", "must ", 1)
    return f"{name} {message}" if message.startswith("must ") else f"{name}: {message[:1].lower()}{message[1:]}"


@dataclass(slots=True)
class Surround:
    """Stands around a dialect's app: request id, body limit on the bytes that arrive, HEAD as GET, and the last catch.

    Headers that a route puts into the state as `headers` go out with every answer to that request, refusals included.
    `larger` names the paths that take whole files, each with a limit of its own, also of what lies below it; no route there
    holds a body in memory.
    """

    app: ASGIApp
    dialect: Dialect
    max_body_bytes: int
    larger: Mapping[str, int] = field(default_factory=dict[str, int])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = _Passage(self, scope, receive, send)
        await passage.run()


@dataclass(slots=True)
class _Passage:
    """One request on its way through `Surround`."""

    around: Surround
    scope: Scope
    receive: Receive
    send: Send
    request_id: str = field(default_factory=lambda: uuid4().hex)
    headers: dict[str, str] = field(default_factory=dict[str, str])
    started: bool = False
    status: int = 0  # nothing was said
    taken: int = 0

    async def run(self) -> None:
        name, began = self.around.dialect.name, time.perf_counter()
        with (
            logs.about(request_id=self.request_id, dialect=name),
            tracing.span(f"{self.scope['method']} {name}", "server", {"tintype.request_id": self.request_id}) as span,
        ):
            await self._run()
            route, seconds = self._route(), time.perf_counter() - began
            if span is not None:
                span.update_name(f"{self.scope['method']} {route}")
                span.set_attribute("http.response.status_code", self.status)
            log.debug("%s %s: %d after %.1f ms", self.scope["method"], route, self.status, seconds * 1000)

    def _route(self) -> str:
        """Return the template of the route that answered: a path itself is anybody's word, and may hold a secret."""
        return str(getattr(self.scope.get("route"), "path", ROUTELESS))

    async def _run(self) -> None:
        is_head = self.scope["method"] == "HEAD"
        scope: Scope = {**self.scope, "method": "GET"} if is_head else self.scope
        out = self._without_body if is_head else self._out
        scope["state"] = {
            **scope.get("state", {}),
            "request_id": self.request_id,
            "headers": self.headers,
            "head": is_head,
        }
        try:
            await self.around.app(scope, self._in, out)
            self.scope["route"] = scope.get("route")
        except ClientDisconnect:
            log.info("the client of request %s went away", self.request_id)
        except Exception:
            log.exception("request %s failed", self.request_id)
            if not self.started:
                accept = Headers(scope=scope).get("accept", "")
                await self.around.dialect.refuse_crash(accept)(scope, self.receive, out)

    async def _in(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            if not self.taken and not is_legible(Headers(scope=self.scope).get("content-type", "")):
                raise HTTPException(415, "write forms in UTF-8: their charset is none that browsers send")
            self.taken += len(message.get("body", b""))
            if self.taken > self._most:
                raise HTTPException(413, f"the request body is larger than {self._most} bytes")
        return message

    @property
    def _most(self) -> int:
        path = self.scope["path"]
        below = (most for place, most in self.around.larger.items() if path == place or path.startswith(f"{place}/"))
        return next(below, self.around.max_body_bytes)

    async def _out(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            noted = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
            headers = [*message.get("headers", ()), *noted, (b"x-request-id", self.request_id.encode())]
            message = {**message, "headers": headers}
        await self.send(message)

    async def _without_body(self, message: Message) -> None:
        if message["type"] == "http.response.pathsend":
            message = {"type": "http.response.body", "body": b""}
        elif message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._out(message)


ROUTELESS = "none"  # stands for the route of what no route answered


@dataclass(frozen=True, slots=True)
class Mounted:
    """A dialect together with the app that speaks it, and the hot routes that stand in front of that app."""

    dialect: Dialect
    app: ASGIApp
    hot: Mapping[tuple[str, str], ASGIApp] = field(default_factory=dict[tuple[str, str], ASGIApp])
    openapi: Callable[[], dict[str, Any]] | None = None


@dataclass(slots=True)
class Front:
    """Sends each path to the dialect that claims it; hot routes first, by method and exact path.

    A path that nobody claims is refused by `fallback`: the one dialect of a port of its own. A host of `hosts` means the
    place that stands beside it: there every path that nobody claims lies below that place.
    """

    mounted: Sequence[Mounted]
    fallback: Dialect
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    _hot: dict[tuple[str, str], ASGIApp] = field(init=False)
    _claims: dict[str, ASGIApp] = field(init=False)
    _nowhere: ASGIApp = field(init=False)
    _dialects: dict[int, Dialect] = field(init=False)  # by the app that answers

    def __post_init__(self) -> None:
        self._hot = {}
        self._claims = {}
        for one in self.mounted:
            for claim in one.dialect.claims:
                if claim in self._claims:
                    raise RuntimeError(f"two dialects claim {claim}")
                self._claims[claim] = one.app
            self._hot.update(one.hot)
        self._dialects = {id(app): one.dialect for one in self.mounted for app in (one.app, *one.hot.values())}
        self._nowhere = Surround(build(self.fallback, version=""), self.fallback, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            body = Patient(receive)
            await self._serve(scope, body, Heard(send, scope, body))
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Heard) -> None:
        hot = self._hot.get((scope["method"], scope["path"]))
        place = scope["path"] if hot is not None else ROUTELESS
        if hot is None:
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
            hot, scope = self._find(scope)
        dialect = self._dialects.get(id(hot), self.fallback)
        send.scheme = dialect.scheme
        try:
            if scope["http_version"] == "1.1" and not _names_one_host(scope):
                raise HTTPException(400, "send one Host header: HTTP/1.1 asks for it")
            await hot(scope, receive, send)
        except HTTPException as error:  # of what stands in front of the dialects, where nobody answers for it
            await self.fallback.refuse_status(error)(scope, receive, send)
        finally:
            route = str(getattr(scope.get("route"), "path", place))
            send.count(dialect.name, route)

    def _find(self, scope: Scope) -> tuple[ASGIApp, Scope]:
        place = self.hosts.get(_host(scope)) if self.hosts else None
        app = self._claimant(scope["path"], whole=place is not None)
        if place is None or app is not None:
            return app or self._nowhere, scope
        path, raw = place + scope["path"], place.encode() + scope["raw_path"]
        return self._claimant(path) or self._nowhere, {**scope, "path": path, "raw_path": raw}

    def _claimant(self, path: str, *, whole: bool = False) -> ASGIApp | None:
        """Return the app that claims a path; of several claims the longest, or with `whole` only one of all of it."""
        parts = path.split("/", 3)
        claims = (path, "/".join(parts[:2]) if parts[1] else path, "/".join(parts[:3]))
        return next((self._claims[claim] for claim in claims[: 1 if whole else 3] if claim in self._claims), None)


def _names_one_host(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and hosts[0] != b""  # the server puts an empty one where there was none


def _host(scope: Scope) -> str:
    """Return the name in the Host header, without its port."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return host.decode("latin-1").partition(":")[0].lower()


async def _lifespan(receive: Receive, send: Send) -> None:
    # The house is built and closed by its caller, who may run several servers in one process; nothing to do here.
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
