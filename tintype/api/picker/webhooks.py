"""/api/webhooks: who is told of what happens, and what became of each message."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import once
from tintype.api.dialect import read_body, takes
from tintype.api.picker import webhook_wire as wire
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.entry import app_of, caller_of, shown_by
from tintype.core.access import Role
from tintype.core.webhooks import ALL, EVENTS, EVERYTHING, PRESETS, Progress, Scope, Way
from tintype.errors import Forbidden, Invalid, NotFound

ROOT = "/api/webhooks"
ONE = ROOT + "/{endpoint_id}"
LOG = ONE + "/deliveries"

_LARGEST = 2**31 - 1  # of the numbers that the database gives
_EARLIEST = 2000


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _vocabulary(app)
    _endpoints(app, desk)
    _one(app, desk)
    _standing(app, desk)
    _trying(app, desk)
    _log(app, desk)
    _repeating(app, desk)
    _listening(app, desk)


def _asking(desk: PickerDesk, role: Role) -> Callable[[Request], Awaitable[Scope]]:
    """Return what a route depends on first: whose endpoints the caller may see, or with a higher role change."""

    async def scope(request: Request) -> Scope:
        if request.headers.get("authorization", "").partition(" ")[0].lower() == "basic":
            return await _of_app(request, desk)
        caller = await caller_of(request, desk)
        caller.must(role)
        return Scope(caller.workspace_id)

    return scope


async def _of_app(request: Request, desk: PickerDesk) -> Scope:
    app, shown = await app_of(request, desk, {}), shown_by(request, {}).secret or ""
    known = await desk.apps.secrets(app)
    if True not in [hmac.compare_digest(shown.encode(), one.encode()) for one in known]:
        raise Forbidden("this is not the secret of the app with this key")
    return Scope(app.workspace_id, app.id)


def _vocabulary(app: FastAPI) -> None:
    @app.get(ROOT + "/events")
    async def events() -> Response:
        """List what can be told, and the schedules that can be chosen."""
        names = [{"name": name, "standardName": standard} for name, standard in EVENTS.items()]
        schedules = {name: [int(one.total_seconds()) for one in delays] for name, delays in PRESETS.items()}
        return JSONResponse({"events": names, "groups": [ALL, EVERYTHING], "schedules": schedules})


def _endpoints(app: FastAPI, desk: PickerDesk) -> None:
    looks, changes = _asking(desk, Role.VIEWER), _asking(desk, Role.EDITOR)

    @app.get(ROOT)
    async def endpoints(scope: Annotated[Scope, Depends(looks)]) -> Response:
        """List the endpoints, the oldest first."""
        return JSONResponse({"webhooks": [wire.endpoint(one) for one in await desk.webhooks.all(scope)]})

    @app.post(ROOT, status_code=201, openapi_extra=takes(wire.CreateRequest))
    async def create(request: Request, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Register an endpoint; the answer is the only one that has its secret."""
        await desk.limiter.check(request, "webhooks", desk.writes_per_minute)
        body = await read_body(request, wire.CreateRequest)
        if body.app_id is not None and scope.app_id not in (None, body.app_id):
            raise Forbidden("an app registers endpoints of its own alone")
        app_id = scope.app_id or body.app_id
        if app_id is not None:
            await desk.apps.get(scope.workspace_id, app_id)

        async def make() -> JSONResponse:
            way = Way.PULL if body.listen else Way.PUSH
            issued = await desk.webhooks.add(Scope(scope.workspace_id, app_id), body.wish(), way=way)
            place = {"Location": f"{ROOT}/{issued.endpoint.id}"}
            return JSONResponse({**wire.endpoint(issued.endpoint), "secret": issued.secret}, 201, place)

        return await once(request, desk.idempotency, make, caller=f"{scope.workspace_id} {app_id}")


def _one(app: FastAPI, desk: PickerDesk) -> None:
    looks, changes = _asking(desk, Role.VIEWER), _asking(desk, Role.EDITOR)

    @app.get(ONE)
    async def endpoint(endpoint_id: str, scope: Annotated[Scope, Depends(looks)]) -> Response:
        """Show an endpoint, and how many deliveries to it are in which state."""
        found = await desk.webhooks.get(scope, endpoint_id)
        return JSONResponse({**wire.endpoint(found), "deliveries": dict(await desk.webhooks.counts(found))})

    @app.patch(ONE, openapi_extra=takes(wire.EndpointRequest))
    async def change(request: Request, endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Change an endpoint; what waits for it goes to its new address."""
        body = await read_body(request, wire.EndpointRequest)
        return JSONResponse(wire.endpoint(await desk.webhooks.change(scope, endpoint_id, body.wish())))

    @app.delete(ONE)
    async def remove(endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Forget an endpoint with its deliveries and their log."""
        await desk.webhooks.remove(scope, endpoint_id)
        return JSONResponse({"id": endpoint_id, "removed": True})


def _standing(app: FastAPI, desk: PickerDesk) -> None:
    changes = _asking(desk, Role.EDITOR)

    @app.post(ONE + "/pause")
    async def pause(endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Send nothing for now; what happens is kept."""
        return JSONResponse(wire.endpoint(await desk.webhooks.pause(scope, endpoint_id)))

    @app.post(ONE + "/resume", openapi_extra=takes(wire.ResumeRequest))
    async def resume(request: Request, endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Send again to an endpoint that was paused or disabled."""
        body = await read_body(request, wire.ResumeRequest)
        return JSONResponse(wire.endpoint(await desk.webhooks.resume(scope, endpoint_id, skip=body.skip)))

    @app.post(ONE + "/rotate", openapi_extra=takes(wire.RotateRequest))
    async def rotate(request: Request, endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Give an endpoint a new secret; the one before signs beside it for a day, or as many hours as are said."""
        body = await read_body(request, wire.RotateRequest)
        span = timedelta(hours=body.overlap_hours)
        issued = await desk.webhooks.rotate(scope, endpoint_id, overlap=span)
        return JSONResponse({**wire.endpoint(issued.endpoint), "secret": issued.secret})


def _trying(app: FastAPI, desk: PickerDesk) -> None:
    changes = _asking(desk, Role.EDITOR)

    @app.post(ONE + "/test", openapi_extra=takes(wire.TestRequest))
    async def test(request: Request, endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Send a made-up message once, and tell what came of it."""
        await desk.limiter.check(request, "webhook-tests", desk.writes_per_minute)
        body = await read_body(request, wire.TestRequest)
        return JSONResponse(wire.tested(await desk.webhooks.test(scope, endpoint_id, body.event)))


def _log(app: FastAPI, desk: PickerDesk) -> None:
    looks = _asking(desk, Role.VIEWER)

    @app.get(LOG)
    async def deliveries(
        endpoint_id: str,
        scope: Annotated[Scope, Depends(looks)],
        state: Progress | None = None,
        event: str | None = None,
        q: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
    ) -> Response:
        """List an endpoint's deliveries, the newest first; `q` is looked for in what was told."""
        if event is not None and event not in EVENTS:
            raise Invalid(f"event must be one of {', '.join(EVENTS)}")
        text = q.replace("\0", "") if q else None
        found = await desk.webhooks.log(
            scope, endpoint_id, limit=limit + 1, before=cursor, state=state, event=event, text=text
        )
        shown = [wire.delivery(one) for one in found[:limit]]
        return JSONResponse({"deliveries": shown, "next": found[limit - 1].id if len(found) > limit else None})

    @app.get(LOG + "/{delivery_id}")
    async def delivery(endpoint_id: str, delivery_id: int, scope: Annotated[Scope, Depends(looks)]) -> Response:
        """Show a delivery with its log: each request, each answer, the texts that were signed, and what to do."""
        endpoint = await desk.webhooks.get(scope, endpoint_id)
        found, log = await desk.webhooks.delivery(scope, endpoint_id, _number(delivery_id))
        return JSONResponse(wire.logged(found, list(log), endpoint))


def _repeating(app: FastAPI, desk: PickerDesk) -> None:
    changes = _asking(desk, Role.EDITOR)

    @app.post(LOG + "/{delivery_id}/replay")
    async def replay(
        request: Request, endpoint_id: str, delivery_id: int, scope: Annotated[Scope, Depends(changes)]
    ) -> Response:
        """Send a message again, with a schedule of its own, under the same webhook-id."""
        await desk.limiter.check(request, "webhook-replays", desk.writes_per_minute)
        return JSONResponse(wire.delivery(await desk.webhooks.replay(scope, endpoint_id, _number(delivery_id))))

    @app.post(ONE + "/recover", openapi_extra=takes(wire.RecoverRequest))
    async def recover(request: Request, endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Send all again that failed since a moment, or all that was never sent."""
        await desk.limiter.check(request, "webhook-replays", desk.writes_per_minute)
        body = await read_body(request, wire.RecoverRequest)
        if not _EARLIEST <= body.since.year < 9999:
            raise Invalid("since must be a moment of this century, like 2026-05-01T00:00:00Z")
        missing = body.which == "missing"
        return JSONResponse({"queued": await desk.webhooks.recover(scope, endpoint_id, body.since, missing=missing)})


def _listening(app: FastAPI, desk: PickerDesk) -> None:
    changes = _asking(desk, Role.EDITOR)

    @app.post(ONE + "/pull", openapi_extra=takes(wire.PullRequest))
    async def pull(request: Request, endpoint_id: str, scope: Annotated[Scope, Depends(changes)]) -> Response:
        """Fetch what is due for a listener, signed as it would be sent, waiting for it for a while."""
        body = await read_body(request, wire.PullRequest)
        found = await desk.webhooks.pull(scope, endpoint_id, wait=body.wait)
        return JSONResponse({"deliveries": [wire.pulled(one) for one in found]})

    @app.post(LOG + "/{delivery_id}/answer", openapi_extra=takes(wire.AnswerRequest))
    async def answer(
        request: Request, endpoint_id: str, delivery_id: int, scope: Annotated[Scope, Depends(changes)]
    ) -> Response:
        """Tell what a listener's receiver answered."""
        body = await read_body(request, wire.AnswerRequest)
        verdict = await desk.webhooks.answered(
            scope, endpoint_id, _number(delivery_id), body.fence, body.url.replace("\0", ""), body.answer()
        )
        return JSONResponse({"state": verdict.state.value, "reason": verdict.reason})


def _number(number: int) -> int:
    """Return the number of a delivery; raises `NotFound` for one that no delivery can have."""
    if not 0 < number <= _LARGEST:
        raise NotFound("there is no such delivery")
    return number
