"""About the server itself: `/healthz` for whoever restarts processes, `/readyz` for whoever sends traffic, OpenAPI."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import cast

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype import __version__, metrics
from tintype.api.callers import bearer
from tintype.api.dialect import Dialect, Mounted, Saying, Surround, build
from tintype.errors import Kind, NotFound, Unauthorized

log = logging.getLogger(__name__)

SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the house that can be away; `check` raises when it is."""

    name: str
    check: Callable[[], Awaitable[object]]


def _no_states() -> Mapping[str, Callable[[], Awaitable[Mapping[str, float]]]]:
    return {}


@dataclass(frozen=True, slots=True)
class Figures:
    """Who may read the figures, and the states of the house that are asked for then: gauge → how it is found."""

    token: str | None = field(default=None, repr=False)
    open: bool = False  # without a token
    states: Mapping[str, Callable[[], Awaitable[Mapping[str, float]]]] = field(default_factory=_no_states)

    def admit(self, request: Request) -> None:
        """Go on when the figures may be shown.

        Raises `NotFound` where they are off, `Unauthorized` without the token.
        """
        if self.token is None and not self.open:
            raise NotFound("figures are off: set METRICS_TOKEN, or listen on this machine alone")
        if self.token is not None and not compare_digest(bearer(request).encode(), self.token.encode()):
            raise Unauthorized("send METRICS_TOKEN as Bearer token")


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    return {"error": message, "code": saying.code}


HEALTH = Dialect(
    name="health",
    claims=("/healthz", "/readyz", "/openapi", "/metrics"),
    sayings={kind: Saying(500, kind.value) for kind in Kind}
    | {Kind.NOT_FOUND: Saying(404, "not_found"), Kind.UNAUTHORIZED: Saying(401, "unauthorized")},
    crash=Saying(500, "internal"),
    refusal=_refusal,
)


NO_FIGURES = Figures()


def mount(
    parts: tuple[Part, ...],
    described: Sequence[Mounted],
    told: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    figures: Figures = NO_FIGURES,
) -> Mounted:
    """Return the routes, ready to be put behind a `Front`; `described` are the dialects that can say what they offer.

    What is `told` stands beside the parts and never makes the house unready: it is about others.
    """
    app: FastAPI = build(HEALTH, version=__version__)
    others = told or {}

    @app.get("/healthz")
    async def alive() -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok", "version": __version__})

    @app.get("/readyz")
    async def ready(request: Request) -> Response:
        """Every part answers; 503 and the names of those that do not. What `?exclude=` names is told and does not count."""
        excluded = set(request.query_params.getlist("exclude"))
        found = await asyncio.gather(*(_state(part) for part in parts))
        states = {part.name: state for part, state in zip(parts, found, strict=True)}
        well = all(state == "ok" for name, state in states.items() if name not in excluded)
        headers = {} if well else {"Retry-After": "5"}
        more = dict(zip(others, await asyncio.gather(*(_told(ask) for ask in others.values())), strict=True))
        return JSONResponse({"ready": well, "parts": states, **more}, 200 if well else 503, headers)

    @app.get("/metrics")
    async def show(request: Request) -> Response:
        """The figures of this process and the states of the house, as Prometheus reads them."""
        figures.admit(request)
        found = await asyncio.gather(*(_told(ask) for ask in figures.states.values()))
        for states in found:
            for name, value in cast("Mapping[str, float]", states or {}).items():
                metrics.STATES[name].set(value)
        kind, text = metrics.page()
        return Response(text, headers={"Cache-Control": "no-store", "Content-Type": kind})

    documents = {one.dialect.name: one.openapi for one in described if one.openapi is not None}

    @app.get("/openapi/{name}.json")
    async def openapi(name: str) -> Response:
        """What a dialect offers, as OpenAPI."""
        if name not in documents:
            raise NotFound(f"there is no dialect {name!r} here; known are: {', '.join(documents)}")
        return JSONResponse(documents[name]())

    return Mounted(HEALTH, Surround(app, HEALTH, 65_536))


async def _told(ask: Callable[[], Awaitable[object]]) -> object:
    try:
        async with asyncio.timeout(SECONDS):
            return await ask()
    except Exception as error:  # noqa: BLE001 - what cannot be told now is told as nothing
        log.warning("a part of what is told about others is missing: %s", type(error).__name__)
        return None


async def _state(part: Part) -> str:
    try:
        async with asyncio.timeout(SECONDS):
            await part.check()
    except Exception as error:  # noqa: BLE001 - whatever a part raises, it is away
        # What is wrong may hold addresses and passwords: that is for the log's redaction, never for an answer.
        log.warning("%s is not ready: %s", part.name, type(error).__name__)
        return "away"
    return "ok"
