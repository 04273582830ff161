"""Webhooks for people: who is told of what, how each delivery went, and how to send it once more."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import FastAPI, Request
from starlette.responses import Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import back, text_of
from tintype.core.access import Visit
from tintype.core.webhooks import ALL, EVENTS, PRESETS, Issued, Progress, Scope, Tested, Wish, advice
from tintype.errors import Invalid, Trouble
from tintype.instagram import utc_now

PLACE = "/console/webhooks"
A_PAGE = 50
RECOVER = timedelta(days=7)
VERBS = ("pause", "resume", "rotate", "recover", "missing", "remove")


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _listing(app, desk)
    _one(app, desk)
    _deliveries(app, desk)


def _listing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def endpoints(request: Request) -> Response:
        """Show the workspace's endpoints."""
        visit = await desk.door.visit(request)
        return await _all_shown(desk, visit, done=request.query_params.get("done", ""))

    @app.post(PLACE)
    async def create(request: Request) -> Response:
        """Register an endpoint and show its secret this once."""
        visit, form = await desk.door.form(request)
        events = [str(one) for one in form.getlist("events")] or [ALL]
        wish = Wish(
            text_of(form, "url").strip(), events, text_of(form, "description"), text_of(form, "schedule") or None
        )
        try:
            issued = await desk.webhooks.add(_scope(visit), wish)
        except Trouble as trouble:
            return await _all_shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "webhook.made", issued.endpoint.url)
        return await _shown(desk, visit, issued.endpoint.id, issued=issued)


def _one(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/{endpoint_id}")
    async def one(endpoint_id: str, request: Request, state: str = "", before: int | None = None) -> Response:
        """Show one endpoint with its deliveries."""
        visit = await desk.door.visit(request)
        return await _shown(
            desk, visit, endpoint_id, done=request.query_params.get("done", ""), state=state, before=before
        )

    @app.post(PLACE + "/{endpoint_id}/test")
    async def test(endpoint_id: str, request: Request) -> Response:
        """Send a made-up message once, and show what came back."""
        visit, form = await desk.door.form(request)
        event = text_of(form, "event")
        if event not in EVENTS:
            raise Invalid(f"event must be one of {', '.join(EVENTS)}")
        tested = await desk.webhooks.test(_scope(visit), endpoint_id, event)
        return await _shown(desk, visit, endpoint_id, tested=tested)

    @app.post(PLACE + "/{endpoint_id}")
    async def act(endpoint_id: str, request: Request) -> Response:
        """Pause an endpoint, let it go on, change its secret, send again, or remove it."""
        visit, form = await desk.door.form(request)
        scope, verb = _scope(visit), text_of(form, "verb")
        found = await desk.webhooks.get(scope, endpoint_id)
        match verb:
            case "pause":
                await desk.webhooks.pause(scope, endpoint_id)
            case "resume":
                await desk.webhooks.resume(scope, endpoint_id)
            case "recover" | "missing":
                await desk.webhooks.recover(scope, endpoint_id, utc_now() - RECOVER, missing=verb == "missing")
            case "remove":
                await desk.webhooks.remove(scope, endpoint_id)
            case "rotate":
                issued = await desk.webhooks.rotate(scope, endpoint_id)
                await desk.door.note(visit, "webhook.secret_rotated", found.url)
                return await _shown(desk, visit, endpoint_id, issued=issued)
            case _:
                raise Invalid(f"verb must be one of {', '.join(VERBS)}")
        await desk.door.note(visit, f"webhook.{verb}", found.url)
        return back(PLACE if verb == "remove" else f"{PLACE}/{endpoint_id}", verb)


def _deliveries(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/{endpoint_id}/{delivery_id}")
    async def delivery(endpoint_id: str, delivery_id: int, request: Request) -> Response:
        """Show one delivery: what was sent, what came back, and how long it took."""
        visit = await desk.door.visit(request)
        found, attempts = await desk.webhooks.delivery(_scope(visit), endpoint_id, delivery_id)
        return desk.door.page(
            visit,
            "webhook_delivery.html",
            endpoint=await desk.webhooks.get(_scope(visit), endpoint_id),
            delivery=found,
            attempts=[(one, advice(one.answer)) for one in attempts],
            done=request.query_params.get("done", ""),
        )

    @app.post(PLACE + "/{endpoint_id}/{delivery_id}")
    async def replay(endpoint_id: str, delivery_id: int, request: Request) -> Response:
        """Send one delivery again."""
        visit, _ = await desk.door.form(request)
        await desk.webhooks.replay(_scope(visit), endpoint_id, delivery_id)
        return back(f"{PLACE}/{endpoint_id}/{delivery_id}", "replayed")


def _scope(visit: Visit) -> Scope:
    return Scope(visit.caller().workspace_id)


async def _all_shown(
    desk: ConsoleDesk, visit: Visit, *, done: str = "", problem: str = "", status: int = 200
) -> Response:
    found = await desk.webhooks.all(_scope(visit))
    counts = [await desk.webhooks.counts(one) for one in found]
    return desk.door.page(
        visit,
        "webhooks.html",
        status=status,
        endpoints=list(zip(found, counts, strict=True)),
        events=EVENTS,
        presets=sorted(PRESETS),
        done=done,
        problem=problem,
    )


async def _shown(
    desk: ConsoleDesk,
    visit: Visit,
    endpoint_id: str,
    *,
    issued: Issued | None = None,
    tested: Tested | None = None,
    done: str = "",
    state: str = "",
    before: int | None = None,
) -> Response:
    scope = _scope(visit)
    wanted = next((one for one in Progress if one.value == state), None)
    log: Sequence[object] = await desk.webhooks.log(scope, endpoint_id, limit=A_PAGE, before=before, state=wanted)
    endpoint = await desk.webhooks.get(scope, endpoint_id)
    return desk.door.page(
        visit,
        "webhook.html",
        endpoint=endpoint,
        counts=await desk.webhooks.counts(endpoint),
        deliveries=log,
        is_full=len(log) == A_PAGE,
        states=[one.value for one in Progress],
        state=state,
        events=EVENTS,
        issued=issued,
        tested=tested,
        done=done,
    )
