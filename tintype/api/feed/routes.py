"""Seed 0's routes. Each reads the request, asks core one thing, and says the answer in the promised form."""

import asyncio
import hmac
import json
import secrets
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tintype.api.callers import bearer, once
from tintype.api.dialect import Mounted, Surround, answers, build, read_body, takes
from tintype.api.feed import hot, pages, showing
from tintype.api.feed.desk import FeedDesk
from tintype.api.feed.dialect import FEED
from tintype.api.feed.shelf import Entry
from tintype.api.feed.wire import (
    ConnectRequest,
    ProcessRequest,
    Registration,
    SyncRequest,
    TokenExchange,
    encode,
    lean,
    moment,
    moment_ms,
)
from tintype.api.later import Later
from tintype.api.templates import not_connected, wants_page
from tintype.backends.engine import JobState
from tintype.backends.idempotency import Stored
from tintype.backends.qstash import Message
from tintype.core.access import Caller, Grant
from tintype.core.accounts import Account, State
from tintype.errors import Conflict, Forbidden, Invalid, Trouble, Unauthorized, Unavailable, Unreachable
from tintype.instagram import App, Login

SYNC_SECONDS = 50.0  # below the minute after which most proxies give up on an answer
QUEUED_AT_ONCE = 16
SESSION = "tintype_connect"


def mount(desk: FeedDesk) -> Mounted:
    """Return the feed dialect, ready to be put behind a `Front`."""
    app = Later(partial(_routes, desk))
    around = Surround(app, FEED, desk.max_body_bytes)
    before = {("GET", "/health"): hot.health, ("GET", "/photos"): hot.HotPhotos(desk.shelf, around)}
    return Mounted(FEED, around, before, app.openapi)


def _routes(desk: FeedDesk) -> FastAPI:
    app = build(FEED, version=desk.version)
    for add in (_registering, _tokens, _reading, showing.add, _syncing, _connecting, _returning):
        add(app, desk)
    return app


def _registering(app: FastAPI, desk: FeedDesk) -> None:
    @app.post("/register", status_code=201, openapi_extra=takes(Registration))
    async def register(request: Request) -> Response:
        """Register a project; with a token its photos are synced at once."""
        await desk.limiter.check(request, "register", 100 * desk.exchanges_per_minute)
        _check_admin(request, desk.admin_token)
        body = await read_body(request, Registration)

        async def make() -> JSONResponse:
            workspace, issued = await desk.access.register(body.name)
            account = await desk.accounts.add(
                workspace.id,
                body.apiType.login,
                body.instagramAccountId,
                app_secret=body.instagramAccountSecret,
                token=body.instagramAccessToken or None,
            )
            sync = await _first_sync(desk, account) if body.instagramAccessToken else None
            data: dict[str, object] = {
                "authToken": issued.secret,
                "photosCount": await desk.feed.count(workspace.id),
                "tenantId": workspace.id,
            }
            return _yes(data | ({"sync": sync} if sync else {}), 201)

        return await once(request, desk.idempotency, make)

    @app.get("/health")
    async def health() -> Response:
        """Alive."""
        return _yes({"message": "ok"})


async def _first_sync(desk: FeedDesk, account: Account) -> dict[str, object]:
    outcome = await desk.feed.engine.outcome(await desk.feed.queue(account), wait=SYNC_SECONDS)
    return {"status": outcome.state.value, "error": outcome.error}


def _tokens(app: FastAPI, desk: FeedDesk) -> None:
    @app.post("/auth/obtain-token", openapi_extra=takes(TokenExchange))
    async def obtain_token(request: Request) -> Response:
        """Exchange an authorisation code for a long-lived token and prove it."""
        await desk.limiter.check(request, "obtain-token", desk.exchanges_per_minute)
        body = await read_body(request, TokenExchange)

        async def make() -> JSONResponse:
            asked = App(Login.INSTAGRAM_LOGIN, body.instagramAppId, body.instagramAppSecret)
            token, page = await desk.connecting.obtain(asked, body.code, _redirect_of(body.embedUrl) or desk.callback)
            proof = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
            return _yes({"success": True, "longLivedToken": token, "testData": proof})

        return await once(request, desk.idempotency, make)

    @app.post("/auth/refresh-token")
    async def refresh_token(request: Request) -> Response:
        """Refresh the tokens of the caller's accounts."""
        caller = await _caller(desk, request)
        accounts = [one for one in await desk.accounts.of_workspace(caller.workspace_id) if _has_token(one)]
        if not accounts:
            raise Invalid("this project has no Instagram token; connect an account first")
        refreshed = [await desk.accounts.refresh(account) for account in accounts]
        message = "Token refreshed successfully" if any(refreshed) else "Token is not expired"
        return _yes({"result": "success", "message": message})


def _has_token(account: Account) -> bool:
    return account.state in (State.CONNECTED, State.RECONNECT)


def _reading(app: FastAPI, desk: FeedDesk) -> None:
    async def caller_of(request: Request) -> Caller:
        return await _caller(desk, request)

    @app.get("/photos")
    async def photos(
        request: Request,
        # Who asks is settled before what is asked: a stranger learns nothing, not even that his question is wrong.
        caller: Annotated[Caller, Depends(caller_of)],
        kind: Annotated[Literal["IMAGE", "VIDEO", "CAROUSEL_ALBUM"] | None, Query(alias="type")] = None,
        limit: Annotated[int | None, Query(ge=1, le=10_000)] = None,
        after: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response:
        """Return the caller's feed; everything without parameters, as documented."""
        entry = await desk.shelf.entry(caller.workspace_id)
        if kind is None and limit is None and after is None:
            return entry.form(request.headers.get("accept-encoding", "").encode("latin-1")).answer(request)
        chosen = _choose(entry.items, kind, limit, after)
        headers = {"Cache-Control": "private, no-cache", **_about(entry)}
        return Response(
            encode({"success": True, "data": {"photos": list(map(lean, chosen))}}),
            media_type="application/json",
            headers=headers,
        )


def _choose(
    items: list[dict[str, Any]], kind: str | None, limit: int | None, after: str | None
) -> list[dict[str, Any]]:
    if after is not None:
        place = next((at for at, item in enumerate(items) if item["id"] == after), None)
        if place is None:
            raise Invalid(f"after: there is no item {after!r} in this feed")
        items = items[place + 1 :]
    chosen = [item for item in items if kind is None or item["mediaType"] == kind]
    return chosen[:limit]


def _syncing(app: FastAPI, desk: FeedDesk) -> None:
    @app.post("/sync", openapi_extra=takes(SyncRequest))
    async def sync(request: Request) -> Response:
        """Queue a sync of every project."""
        body = await read_body(request, SyncRequest)
        given = body.secret or request.headers.get("x-sync-secret") or ""
        if desk.sync_secret is None or not _same(given, desk.sync_secret):
            raise Unauthorized("Unauthorized")

        async def make() -> JSONResponse:
            workspaces = await desk.access.workspaces()
            slots = asyncio.Semaphore(QUEUED_AT_ONCE)
            found = await asyncio.gather(*(_queued(desk, workspace.id, slots) for workspace in workspaces))
            summary = {
                "totalTenants": len(workspaces),
                "queuedTasks": [one for one in found if isinstance(one, str)],
                "errors": [one for one in found if not isinstance(one, str)],
            }
            return _yes({"summary": summary})

        return await once(request, desk.idempotency, make)

    @app.post("/sync/process/{tenant_id}", openapi_extra=takes(ProcessRequest))
    async def process(request: Request, tenant_id: str) -> Response:
        """Sync one project; called by QStash, with its signature."""
        message = await _proven(desk, request, tenant_id)
        try:
            await desk.access.workspace(tenant_id)
            async with desk.idempotency.held("qstash", message.id):
                result = await _synced(desk, tenant_id)
        except BaseException:
            # Not done: the same message, sent again by QStash's own retry, must find the door open.
            await desk.idempotency.abandon("qstash", message.id)
            raise
        await desk.idempotency.finish("qstash", message.id, Stored(200, ""))
        return _yes({"result": result, "refreshTokenResult": "success"})


async def _synced(desk: FeedDesk, workspace_id: str) -> dict[str, object]:
    """Have a project synced by the engine, which does not sync one account twice at a time, and return how it went."""
    job = await desk.feed.queue_workspace(workspace_id)
    outcome = await desk.feed.engine.outcome(job, wait=SYNC_SECONDS)
    if outcome.error:
        raise Unreachable(outcome.error)
    if outcome.state is not JobState.DONE:
        raise Unavailable("the sync takes longer than this call may; it goes on, ask again", retry_after=30)
    at = datetime.fromisoformat(str(outcome.result["synced_at"]))
    return {"tenantId": workspace_id, "photosCount": outcome.result["photos"], "lastSync": moment_ms(at)}


async def _proven(desk: FeedDesk, request: Request, tenant_id: str) -> Message:
    """Return the QStash message of a call: signed over these bytes, for this address and tenant, and never seen before."""
    if desk.signatures is None:
        raise Unauthorized("Missing or invalid QStash signature")
    url = f"{desk.base}/sync/process/{tenant_id}"
    message = desk.signatures.verify(request.headers.get("upstash-signature"), await request.body(), url)
    body = await read_body(request, ProcessRequest)
    if body.tenantId not in (None, tenant_id):
        raise Unauthorized("Invalid QStash signature: the body names another tenant")
    try:
        seen = await desk.idempotency.begin("qstash", message.id, b"")
    except Conflict:
        seen = message
    if seen is not None:
        raise Unauthorized("Invalid QStash signature: this message was received before")
    return message


async def _queued(desk: FeedDesk, workspace_id: str, slots: asyncio.Semaphore) -> str | dict[str, str]:
    """Queue a project's sync; return the task's id, or what the summary says of the failure."""
    async with slots:
        try:
            if desk.qstash is None:
                return await desk.feed.queue_workspace(workspace_id)
            url = f"{desk.base}/sync/process/{workspace_id}"
            return await desk.qstash.publish(url, {"tenantId": workspace_id})
        except Trouble as trouble:
            return {"tenantId": workspace_id, "error": trouble.message}


def _connecting(app: FastAPI, desk: FeedDesk) -> None:
    @app.post("/auth/connect", status_code=201, openapi_extra=takes(ConnectRequest))
    async def begin(request: Request) -> Response:
        """Begin to connect an account: returns the address to open in the browser of whoever owns it."""
        caller = await _caller(desk, request)
        body = await read_body(request, ConnectRequest)

        async def make() -> JSONResponse:
            begun = await desk.connecting.begin(
                caller.workspace_id, body.apiType.login, dialect="feed", redirect_uri=desk.callback
            )
            return _yes({"url": f"{desk.base}/connect/{begun.state}", "expiresAt": moment(begun.expires_at)}, 201)

        return await once(request, desk.idempotency, make)

    @app.get("/connect/{state}")
    async def send(request: Request, state: str) -> Response:
        """Bind a connection to this browser and send it to Instagram's consent page."""
        session = request.cookies.get(SESSION) or secrets.token_urlsafe(32)
        answer = RedirectResponse(await desk.connecting.send(state, session), 302, {"Cache-Control": "no-store"})
        answer.set_cookie(
            SESSION, session, max_age=900, httponly=True, samesite="lax", secure=desk.base.startswith("https:")
        )
        return answer


def _returning(app: FastAPI, desk: FeedDesk) -> None:
    @app.get("/instagram-callback", **answers("application/json", "text/html"))
    async def callback(
        request: Request,
        code: str | None = None,
        state: str | None = None,
        error: str | None = None,
        error_description: str | None = None,
    ) -> Response:
        """Show the code Instagram sent, or finish the connection that `state` names."""
        refusal = error_description or error
        if state is None or not desk.connecting.owns(state):
            return _shown_code(code, refusal)
        try:
            session = request.cookies.get(SESSION)
            accounts = await desk.connecting.finish(
                state, session, code=code, refusal=refusal, dialects=("feed", "console")
            )
        except Trouble as trouble:
            # As without a state, where a refusal is a missing code.
            said = Invalid(trouble.message) if isinstance(trouble, Forbidden) else trouble
            if not wants_page(request):
                raise said from None
            return not_connected(FEED.refuse(said), trouble.message)
        jobs = [await desk.feed.queue(account, again=True) for account in accounts]
        if wants_page(request):
            return pages.connected(accounts)
        return _yes({"accounts": [_account(one) for one in accounts], "queuedTasks": jobs})


def _shown_code(code: str | None, refusal: str | None) -> Response:
    if not code:
        raise Invalid(f"Missing code parameter{f': Instagram said {refusal!r}' if refusal else ''}")
    return _yes({"code": code.removesuffix("#_")})


def _account(account: Account) -> dict[str, object]:
    return {"id": account.id, "username": account.username, "instagramAccountId": account.instagram_id}


async def _caller(desk: FeedDesk, request: Request) -> Caller:
    return await desk.shelf.caller(bearer(request), Grant.WORKSPACE)


def _check_admin(request: Request, admin_token: str | None) -> None:
    if admin_token is not None and not _same(bearer(request), admin_token):
        raise Unauthorized("Unauthorized")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _redirect_of(embed_url: str | None) -> str | None:
    """Return the redirect address inside the authorisation address that a code came from."""
    _, _, query = (embed_url or "").partition("?")
    found = parse_qs(query.partition("#")[0]).get("redirect_uri", [])
    return found[0] if found else None


def _yes(data: object, status: int = 200) -> JSONResponse:
    return JSONResponse({"success": True, "data": data}, status)


def _about(entry: Entry) -> dict[str, str]:
    found = {"X-Feed-Synced-At": moment(entry.synced_at)} if entry.synced_at else {}
    return found | ({"X-Feed-Stale": entry.stale} if entry.stale else {})
