"""Instagram calling us: the webhook's verification and events, deauthorisation, data deletion. Nothing without a proof."""

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tintype import __version__
from tintype.api.cached import forget_feeds
from tintype.api.callers import once
from tintype.api.dialect import Dialect, Mounted, Saying, Surround, answers, build
from tintype.api.templates import page, wants_page
from tintype.backends.cache import Cache
from tintype.backends.idempotency import Idempotency
from tintype.core.accounts import Accounts, Signer
from tintype.core.feed import Feed
from tintype.core.files import Files
from tintype.core.insights import Insights
from tintype.errors import Forbidden, Invalid, Kind, NotFound, Unauthorized, Unavailable
from tintype.instagram import parse_signed_request, parse_webhook, verify_webhook_signature

log = logging.getLogger(__name__)


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    return {"error": {"code": saying.code, "message": message}}


_STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHORIZED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.GONE: 410,
    Kind.CONFLICT: 409,
    Kind.MISMATCH: 422,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}

META = Dialect(
    name="meta",
    claims=("/meta",),
    sayings={kind: Saying(_STATUSES.get(kind, 500), kind.value) for kind in Kind},
    crash=Saying(500, "internal"),
    refusal=_refusal,
    scheme="Signature",
)


@dataclass(frozen=True, slots=True)
class MetaDesk:
    """What Meta's routes lean on."""

    accounts: Accounts
    feed: Feed
    insights: Insights
    files: Files
    idempotency: Idempotency
    cache: Cache
    base: str
    verify_token: str | None = field(repr=False)
    max_body_bytes: int


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a signed request means, who may have signed it, when the person asked, and the request's own name."""

    id: str
    signers: Sequence[Signer]
    asked_at: datetime | None
    request: str


def mount(desk: MetaDesk) -> Mounted:
    """Return the routes, ready to be put behind a `Front`."""
    app = build(META, version=__version__)
    _webhooks(app, desk)
    _people(app, desk)
    return Mounted(META, Surround(app, META, desk.max_body_bytes), openapi=app.openapi)


def _webhooks(app: FastAPI, desk: MetaDesk) -> None:
    @app.get("/meta/webhooks", **answers("text/plain"))
    async def verify(request: Request) -> Response:
        """Repeat the challenge to whoever knows the verify token (graph-api.md 7.1)."""
        given = request.query_params
        token = desk.verify_token
        if given.get("hub.mode") != "subscribe" or token is None:
            raise Forbidden("the webhook is not verified: set INSTAGRAM_WEBHOOK_VERIFY_TOKEN on both sides")
        if not hmac.compare_digest(given.get("hub.verify_token", "").encode(), token.encode()):
            raise Forbidden("the verify token is another one than INSTAGRAM_WEBHOOK_VERIFY_TOKEN")
        return PlainTextResponse(given.get("hub.challenge", ""), headers={"X-Content-Type-Options": "nosniff"})

    @app.post("/meta/webhooks")
    async def receive(request: Request) -> Response:
        """Take Meta's events: whatever happened to an account, its feed is compared again soon."""
        raw = await request.body()
        headers = request.headers
        proof = (headers.get("x-hub-signature-256"), headers.get("x-hub-signature"))
        signers = [one for one in await desk.accounts.signers() if verify_webhook_signature(raw, *proof, (one.secret,))]
        if not signers:
            raise Unauthorized("the signature does not match any app secret that is set here")
        changes = parse_webhook(raw)
        for change in changes:
            await desk.insights.heard(change, signers)
        meant = {change.account_id for change in changes if change.account_id}
        for instagram_id in meant:
            for account in await desk.accounts.known_as(instagram_id, signers):
                await desk.feed.queue(account, again=True)
        return JSONResponse({"success": True})


def _people(app: FastAPI, desk: MetaDesk) -> None:
    @app.post("/meta/deauthorize")
    async def deauthorize(request: Request) -> Response:
        """A person removed the app: let go of the tokens at once (graph-api.md 1.11)."""

        async def let_go(person: Person) -> Mapping[str, object]:
            found = await desk.accounts.deauthorized(person.id, person.signers, person.asked_at)
            return {"success": True, "accounts": len(found)}

        return await _once(desk, request, let_go)

    @app.post("/meta/data-deletion")
    async def delete(request: Request) -> Response:
        """A person asks for deletion: tokens, stored media and picked files go, and Meta gets a page and a code to follow it by."""

        async def erase(person: Person) -> Mapping[str, object]:
            let_go = await desk.accounts.deauthorized(person.id, person.signers, person.asked_at)
            for account in let_go:
                await desk.feed.erase(account.workspace_id, account.id)
                await desk.insights.erase(account.workspace_id, account.id)
                await desk.files.erase(account.id)
                await desk.accounts.anonymise(account)
            with suppress(Unavailable):  # Meta asks once; a cache that is away forgets by itself within its time
                await forget_feeds(desk.cache, {account.workspace_id for account in let_go})
            code = desk.accounts.receipt(person.request)
            return {"url": f"{desk.base}/meta/data-deletion/{code}", "confirmation_code": code}

        return await _once(desk, request, erase)

    @app.get("/meta/data-deletion/{code}", **answers("application/json", "text/html"))
    async def deletion(request: Request, code: str) -> Response:
        """Say that a deletion is done: it is when its code was given out."""
        if not desk.accounts.gave(code):
            raise NotFound("no deletion was confirmed with this code")
        if wants_page(request):
            return page("deleted.html", code=code)
        return JSONResponse({"confirmation_code": code, "status": "completed"})


async def _once(desk: MetaDesk, request: Request, act: Callable[[Person], Awaitable[Mapping[str, object]]]) -> Response:
    """Do what a signed request asks; the same one that comes again within a day is answered as before, and nothing is done.

    After that it is done again, which takes nothing of what the person connected since. A request without a moment cannot
    be told from its replay: it is done each time.
    """
    person = await _person(desk, request)

    async def make() -> JSONResponse:
        return JSONResponse(await act(person))

    if person.asked_at is None:
        return await make()
    return await once(request, desk.idempotency, make, caller="meta", content=b"", key=person.request)


async def _person(desk: MetaDesk, request: Request) -> Person:
    """Return whom a signed request means, and everybody who may have signed it: each speaks for its own accounts."""
    async with request.form() as form:
        signed = form.get("signed_request")
    if not isinstance(signed, str):
        raise Invalid("signed_request is required, as a form field")
    signers = await desk.accounts.signers()
    said = parse_signed_request(signed, [one.secret for one in signers])
    if not said.get("user_id"):
        raise Invalid("signed_request names no user_id")
    # What was signed and the signature: a stranger who says the same with a secret of his own says something else.
    name = hashlib.sha256(signed.encode()).hexdigest()
    meant = [one for one in signers if _signed_by(signed, one)]
    return Person(str(said["user_id"]), meant, _moment(said.get("issued_at")), name)


def _moment(said: object) -> datetime | None:
    """Return when something was issued, in Meta's seconds; nothing for what is no moment."""
    if isinstance(said, bool) or not isinstance(said, int | float) or said <= 0:
        return None
    try:
        return datetime.fromtimestamp(said, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _signed_by(signed: str, signer: Signer) -> bool:
    try:
        parse_signed_request(signed, (signer.secret,))
    except Unauthorized:
        return False
    return True
