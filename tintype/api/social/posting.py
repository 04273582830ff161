"""POST /posts, /stories, /reels, /batch-post, /posts/validate, /uploads: what brings something to Instagram."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import once
from tintype.api.dialect import read_body, takes
from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import caller_of
from tintype.api.social.finding import ROOT, account_of, name_of
from tintype.api.social.outcomes import entry, failed, outcome
from tintype.api.social.publication import Batch, Publication, Rehearsal
from tintype.api.social.shapes import review
from tintype.api.social.unused import unused
from tintype.core.access import Caller, Role
from tintype.core.accounts import Account, State
from tintype.core.publishing import Draft, Moment, Post, Product
from tintype.errors import Invalid, Trouble, Unsupported

POSTS = f"{ROOT}/posts"
UPLOADS = f"{ROOT}/uploads"

_SLOW: dict[int | str, dict[str, Any]] = {
    202: {"description": "Taken, and still on its way; `db_id` says which it is."}
}
_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_RAW = {"requestBody": {"required": True, "content": {"image/*": _FILE, "video/*": _FILE}}}

_NEEDED = {
    Product.IMAGE: "account_id and image_url are required",
    Product.CAROUSEL: "account_id and children are required",
    Product.STORY: "account_id and image_url are required",
    Product.REEL: "account_id and video_url are required",
}


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    _publishing(app, desk)
    _batch(app, desk)
    _rehearsing(app, desk)
    _uploading(app, desk)


def _publishing(app: FastAPI, desk: SocialDesk) -> None:
    @app.post(POSTS, status_code=201, responses=_SLOW, openapi_extra=takes(Publication))
    async def post(request: Request) -> Response:
        """Publish a picture or a carousel, now or at `scheduled_at`; 202 when Instagram takes its time."""
        return await _publish(request, desk, Product.IMAGE)

    @app.post(f"{ROOT}/stories", status_code=201, responses=_SLOW, openapi_extra=takes(Publication))
    async def story(request: Request) -> Response:
        """Publish a story; `text` is drawn onto its picture."""
        return await _publish(request, desk, Product.STORY)

    @app.post(f"{ROOT}/reels", status_code=201, responses=_SLOW, openapi_extra=takes(Publication))
    async def reel(request: Request) -> Response:
        """Publish a reel."""
        return await _publish(request, desk, Product.REEL)


async def _publish(request: Request, desk: SocialDesk, product: Product) -> Response:
    caller = await caller_of(request, desk)
    caller.must(Role.EDITOR)
    body = await read_body(request, Publication)

    async def make() -> JSONResponse:
        draft = _draft(body, product)
        account = await account_of(desk, caller, body.account_id)
        order = Order.of(draft, body, desk.accounts.graph.now())
        post = await _taken(desk, caller, account, order, _key(request, caller))
        return outcome(post, POSTS, request.headers.get("accept", ""), unused(body, draft))

    return await once(request, desk.idempotency, make, caller=name_of(caller))


def _draft(body: Publication, product: Product) -> Draft:
    """Return what is to be published; raises `Invalid`, as documented, when the account or the medium is missing."""
    media = {
        Product.IMAGE: body.image_url or body.children,
        Product.CAROUSEL: body.children,
        Product.STORY: body.image_url or body.video_url,
        Product.REEL: body.video_url,
    }
    single = None if product is Product.CAROUSEL else body.upload
    if not body.account_id or not (media[product] or single):
        raise Invalid(_NEEDED[product])
    return body.draft_for(product)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be published, and when; `hold` keeps it as a draft, and `now` whoever asks waits for the end."""

    draft: Draft
    moment: Moment | None
    hold: bool
    now: bool

    @classmethod
    def of(cls, draft: Draft, body: Publication, now: datetime) -> "Order":
        """Return what a body orders; raises `Invalid` for a time that cannot be."""
        moment, hold = body.moment(now), bool(body.draft)
        return cls(draft, moment, hold, now=not hold and (moment is None or moment.at <= now))


async def _taken(desk: SocialDesk, caller: Caller, account: Account, order: Order, key: str | None) -> Post:
    """Have a post published, and wait for that as long as a request may."""
    taken = await desk.publisher.create(
        caller.workspace_id,
        account,
        order.draft,
        user_id=caller.user_id,
        moment=order.moment,
        hold=order.hold,
        key=key,
    )
    if not order.now:
        return taken
    return await desk.publisher.wait(caller.workspace_id, taken.id, desk.wait_seconds)


def _batch(app: FastAPI, desk: SocialDesk) -> None:
    @app.post(f"{ROOT}/batch-post", status_code=207, openapi_extra=takes(Batch))
    async def batch(request: Request) -> Response:
        """Publish one post on every active account, or on those in `account_ids`; each has an entry of its own."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        body = await read_body(request, Batch)

        async def publish(account: Account | int, order: Order) -> dict[str, object]:
            if isinstance(account, int):
                return failed(str(account), "Instagram account not found")
            name = account.username or account.instagram_id
            try:
                post = await _taken(desk, caller, account, order, _key(request, caller, account.id))
                return entry(post, name, unused(body, order.draft))
            except Trouble as trouble:  # it touches no other account
                return failed(name, trouble.message)

        async def make() -> JSONResponse:
            if not (body.image_url or body.upload or body.children):
                raise Invalid("image_url is required")
            order = Order.of(body.draft_for(Product.IMAGE), body, desk.accounts.graph.now())
            chosen = await _chosen(desk, caller, body.account_ids)
            return JSONResponse(await asyncio.gather(*(publish(account, order) for account in chosen)), 207)

        return await once(request, desk.idempotency, make, caller=name_of(caller))


async def _chosen(desk: SocialDesk, caller: Caller, numbers: Sequence[int] | None) -> Sequence[Account | int]:
    """Return the accounts that a batch is for, and the numbers that name none."""
    accounts = await desk.accounts.of_workspace(caller.workspace_id)
    held = [account for account in accounts if account.state in (State.CONNECTED, State.RECONNECT)]
    if numbers is None:
        return held
    known = {account.number: account for account in held}
    return [known.get(number, number) for number in dict.fromkeys(numbers)]


def _rehearsing(app: FastAPI, desk: SocialDesk) -> None:
    @app.post(f"{POSTS}/validate", openapi_extra=takes(Rehearsal))
    async def validate(request: Request) -> Response:
        """Say what would come of a post without publishing anything: problems, conversions and the quota left."""
        caller = await caller_of(request, desk)
        body = await read_body(request, Rehearsal)
        draft = _draft(body, body.product)
        account = await account_of(desk, caller, body.account_id)
        body.moment(desk.accounts.graph.now())  # a time that cannot be is refused here as it would be there
        found = await desk.publisher.review(caller.workspace_id, account.id, draft)
        return JSONResponse(dict(review(replace(found, problems=(*found.problems, *unused(body, draft))))))


def _uploading(app: FastAPI, desk: SocialDesk) -> None:
    @app.post(UPLOADS, status_code=201, openapi_extra=_RAW)
    async def upload(request: Request) -> Response:
        """Take a picture or a video as the raw body; what is answered stands for its address in a publication."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind.startswith(("image/", "video/")):
            raise Unsupported("send the file itself as the body, with its Content-Type: image/… or video/…")

        async def make() -> JSONResponse:
            body = _Counted(request)
            key = await desk.publisher.keep_upload(caller.workspace_id, body.stream(), kind)
            return JSONResponse({"upload": key, "bytes": body.size, "content_type": kind}, 201)

        # The file is too large to be held for a comparison; a key that comes again is believed to come with it.
        content = f"{kind} {request.headers.get('content-length', '')}".encode()
        return await once(request, desk.idempotency, make, caller=name_of(caller), content=content)


class _Counted:
    """A request's body on its way through, and how long it was."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.size = 0

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; raises `Invalid` at its end when nothing came."""
        async for piece in self.request.stream():
            self.size += len(piece)
            if piece:
                yield piece
        if not self.size:
            raise Invalid("the request body is empty; send the file itself")


def _key(request: Request, caller: Caller, account_id: str = "") -> str | None:
    """Return the key under which core knows a request again; the same header on another route is another one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    return hashlib.sha256("\0".join((request.url.path, name_of(caller), account_id, key)).encode()).hexdigest()
