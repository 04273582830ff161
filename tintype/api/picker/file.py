"""/api/file/{handle}: read, ask, overwrite and remove a file. Whoever knows the handle may read, unless its app says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tintype.api.callers import once
from tintype.api.dialect import answers
from tintype.api.picker.bodies import NOTHING_SENT, is_empty, sent, small_form
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.entry import FLAG, admitted, said, shown_by
from tintype.api.picker.serving import serve
from tintype.api.picker.shapes import stored
from tintype.api.picker.wishes import wished
from tintype.core.accounts import Account
from tintype.core.files import Call, File, PickerApp, is_handle
from tintype.errors import Forbidden, Invalid, NotFound

FILE = "/api/file/{name}"

_NO_FILE = "there is no file of this handle"


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _reading(app, desk)
    _asking(app, desk)
    _changing(app, desk)
    _exporting(app, desk)


@dataclass(frozen=True, slots=True)
class Named:
    """A handle as it stands in an address, with the extension that somebody may have put behind it."""

    handle: str
    extension: str | None

    @classmethod
    def of(cls, name: str) -> "Named":
        """Read `HANDLE` or `HANDLE+ext`; raises `NotFound` for what can be no handle."""
        handle, plus, extension = name.partition("+")
        if not is_handle(handle):
            raise NotFound(_NO_FILE)
        return cls(handle, extension if plus else None)


async def found(desk: PickerDesk, name: str) -> File:
    """Return the file that an address names; raises `NotFound`."""
    return await desk.files.get(Named.of(name).handle)


def _reading(app: FastAPI, desk: PickerDesk) -> None:
    @app.get(FILE, **answers("*/*"))
    async def read(request: Request, name: str) -> Response:
        """Return a file's bytes, whole, in ranges, or as base64 with `base64encode=true`; `dl=true` has it saved."""
        file = await found(desk, name)
        entry = await admitted(request, desk, {}, file, Call.READ)
        return await serve(request, desk.files, file, is_private=entry.app.secure_reads)


def _asking(app: FastAPI, desk: PickerDesk) -> None:
    @app.get(FILE + "/metadata")
    async def metadata(request: Request, name: str) -> Response:
        """Return what is known of a file: what the flags ask for (`width=true&md5=true…`), or the documented default."""
        file = await found(desk, name)
        wanted = [flag for flag, value in request.query_params.items() if value.lower() == FLAG]
        alone = wanted == ["exif"] and shown_by(request, {}).any
        entry = await admitted(request, desk, {}, file, Call.EXIF if alone else Call.STAT)
        if "exif" in wanted and not entry.may(Call.EXIF):
            raise Forbidden("exif may hold the place where a picture was taken: it needs a policy that names exif")
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return JSONResponse(await desk.metadata.of(file, wanted), headers=headers)


def _changing(app: FastAPI, desk: PickerDesk) -> None:
    @app.post(FILE)
    async def write(request: Request, name: str) -> Response:
        """Overwrite a file with the body, with `fileUpload` of a form, or with what lies at the form's `url`."""
        async with sent(request) as body:
            await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
            file = await found(desk, name)
            url = said(request, body.fields, "url")
            call = Call.WRITE_URL if url else Call.WRITE
            entry = await admitted(request, desk, body.fields, file, call)
            options = wished(request, body, policy=entry.policy)
            if url:
                written = await desk.files.overwrite_url(entry.app, file, url, options)
            elif body.chunks is not None and not is_empty(request):
                written = await desk.files.overwrite(entry.app, file, body.chunks, options)
            else:
                raise Invalid(NOTHING_SENT)
        return JSONResponse(stored(written, desk.files.telling.address(written.handle)))

    @app.post(FILE + "/remove")
    async def remove(request: Request, name: str) -> Response:
        """Remove a file with everything that was made of it, as the scripts of old ask for it."""
        return await _remove(request, desk, name, await small_form(request))

    @app.delete(FILE)
    async def delete(request: Request, name: str) -> Response:
        """Remove a file with everything that was made of it; with `skip_storage=true` its bytes stay in a store of one's own."""
        return await _remove(request, desk, name, {})


def _exporting(app: FastAPI, desk: PickerDesk) -> None:
    @app.post(FILE + "/export")
    async def export(request: Request, name: str) -> Response:
        """Publish a picture or a video on Instagram. Servers only: whoever asks shows the app's secret."""
        await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
        file = await found(desk, name)
        form = await small_form(request)
        entry = await admitted(request, desk, form, file, Call.READ)
        if not entry.by_secret:
            raise Forbidden("publishing is for servers: show the app's secret as the password of user 'app'")
        account = await _account(desk, entry.app, said(request, form, "account_id"))
        key = request.headers.get("idempotency-key")

        async def make() -> JSONResponse:
            created, published = await desk.exports.export(
                entry.app,
                file,
                account,
                caption=said(request, form, "caption") or "",
                filename=said(request, form, "filename"),
                key=sha256(f"{file.handle} {account.id} {key}".encode()).hexdigest() if key else None,
            )
            shown = stored(created, desk.files.telling.address(created.handle))
            return JSONResponse({**shown, "post_id": published.post_id, "media_id": published.media_id})

        content = f"{request.url.query} {sorted(form.items())}".encode()
        return await once(request, desk.idempotency, make, caller=entry.app.id, content=content)


async def _account(desk: PickerDesk, app: PickerApp, account_id: str | None) -> Account:
    """Return the account to publish on; without a word of it, the only one of the app's workspace."""
    if account_id is not None:
        return await desk.accounts.get(app.workspace_id, account_id)
    every = await desk.accounts.of_workspace(app.workspace_id)
    if len(every) != 1:
        raise Invalid("account_id is required: this workspace has not exactly one Instagram account")
    return every[0]


async def _remove(request: Request, desk: PickerDesk, name: str, form: Mapping[str, str]) -> Response:
    await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
    file = await found(desk, name)
    entry = await admitted(request, desk, form, file, Call.REMOVE)
    skip = said(request, form, "skip_storage") == "true"
    await desk.files.remove(entry.app, file, skip_storage=skip)
    return PlainTextResponse("success")
