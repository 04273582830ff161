"""/api/store/{location}: a file that a page or a server sends, or names by its address. And leaving, as old pages ask for it."""

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import once
from tintype.api.picker.bodies import NOTHING_SENT, Sent, is_empty, sent, small_json
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.entry import app_of, said, shown_by
from tintype.api.picker.shapes import stored
from tintype.api.picker.wishes import wished
from tintype.core.files import COMPUTER, Call, PickerApp, Subject, location_of
from tintype.errors import Invalid


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _storing(app, desk)
    _looking(app, desk)


def _storing(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/api/store/{location}")
    async def store(request: Request, location: str) -> Response:
        """Store the body, `fileUpload` of a form, or what lies at the form's `url`; answers the file's address and key."""
        async with sent(request) as body:
            await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
            location_of(location)
            owner = await app_of(request, desk, body.fields)

            async def make() -> JSONResponse:
                return await _stored(request, desk, owner, body, location)

            # The file is too large to be held for a comparison; a key that comes again is believed to come with it.
            content = f"{request.url.query} {request.headers.get('content-length', '')}".encode()
            return await once(request, desk.idempotency, make, caller=owner.id, content=content)


async def _stored(request: Request, desk: PickerDesk, owner: PickerApp, body: Sent, location: str) -> JSONResponse:
    url = said(request, body.fields, "url")
    subject = Subject(
        url=url,
        path=said(request, body.fields, "path", "storePath"),
        container=said(request, body.fields, "container", "storeContainer"),
    )
    entry = await desk.policies.admit(owner, Call.STORE, shown_by(request, body.fields), subject)
    client = None if url else COMPUTER
    options = wished(request, body, location=location, client=client, policy=entry.policy)
    if url:
        file = await desk.files.store_url(owner, url, options)
    elif body.chunks is not None and not is_empty(request):
        file = await desk.files.store(owner, body.chunks, options)
    else:
        raise Invalid(NOTHING_SENT)
    return JSONResponse(stored(file, desk.files.telling.address(file.handle)))


def _looking(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/metadata")
    async def metadata(request: Request) -> Response:
        """Return what a public address says of the file that lies there."""
        await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
        body = {name: value for name, value in (await small_json(request)).items() if isinstance(value, str)}
        owner = await app_of(request, desk, body)
        url = body.get("url")
        if not url:
            raise Invalid("url is required")
        await desk.policies.admit(owner, Call.STAT, shown_by(request, body), Subject(url=url))
        async with desk.files.fetching.open(url, desk.upload_max_bytes) as found:
            size = found.size
            shown = {"url": url, "filename": found.filename, "mimetype": found.content_type, "size": size}
        return JSONResponse(shown, headers={"Cache-Control": "no-store"})

    @app.post("/prefetch")
    async def prefetch(request: Request) -> Response:
        """Return what clients of today ask before they open a picker or upload."""
        body = await small_json(request)
        key = body.get("apikey")
        owner = await desk.apps.by_key(key if isinstance(key, str) else "")
        blocked = not owner.takes(request.headers.get("origin"))
        return JSONResponse(
            {
                "blocked": blocked,
                "settings": {"inapp_browser": False, "customsource": False},
                "permissions": {"blocked": blocked, "intelligent_ingestion": True, "whitelabel": True},
            },
            headers={"Cache-Control": "no-store"},
        )
