"""/api/file/{handle}/convert: a file at another size, as bytes by GET, or stored under a handle of its own by POST."""

from collections.abc import Mapping
from typing import cast
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import once
from tintype.api.dialect import answers
from tintype.api.picker.bodies import Sent, small_form
from tintype.api.picker.converting import Asking, answered, writes
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.entry import admitted, said
from tintype.api.picker.file import found
from tintype.api.picker.shapes import stored
from tintype.api.picker.wishes import wished
from tintype.core.files import PARAMETERS, Call, Source, Value, Wish, planned, read_parameters

CONVERT = "/api/file/{name}/convert"


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""

    @app.get(CONVERT, **answers("image/*"))
    async def convert(request: Request, name: str) -> Response:
        """Return the file after `w, h, fit, align, crop, crop_first, watermark, filter, rotate, quality, format`, in one order."""
        sent = dict(request.query_params.multi_items())
        plan = read_parameters(cast("Mapping[str, Value]", sent))
        file = await found(desk, name)
        entry = await admitted(request, desk, {}, file, Call.CONVERT)
        plan = planned(entry.app, Wish((Source("handle", file.handle),), plan), proven=entry.proven)
        return await answered(request, desk, Asking(entry, plan, file=file, address=_address(desk, file.handle, sent)))

    @app.post(CONVERT)
    async def make(request: Request, name: str) -> Response:
        """Store the file after the same parameters where `storeLocation, storePath, storeContainer, storeAccess` say."""
        await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
        form = await small_form(request)
        sent = {**request.query_params, **form}
        plan = read_parameters(cast("Mapping[str, Value]", sent))
        file = await found(desk, name)
        entry = await admitted(request, desk, form, file, Call.CONVERT)
        writes(request, entry)
        plan = planned(entry.app, Wish((Source("handle", file.handle),), plan), proven=entry.proven)
        location = said(request, form, "storeLocation", "location") or "S3"
        options = wished(request, Sent(form), location=location, policy=entry.policy)
        address = _address(desk, file.handle, sent)

        async def convert_and_store() -> JSONResponse:
            made = await desk.conversions.make(entry.app, file, plan, options, address=address)
            return JSONResponse(stored(made, desk.files.telling.address(made.handle)))

        return await once(
            request,
            desk.idempotency,
            convert_and_store,
            caller=entry.app.id,
            content=repr(sorted(sent.items())).encode(),
        )


def _address(desk: PickerDesk, handle: str, sent: Mapping[str, str]) -> str:
    """Return the conversion's address as webhooks show it: what was asked, without keys and signatures."""
    query = urlencode([(name, value) for name, value in sent.items() if name in PARAMETERS], safe=",")
    return f"{desk.files.telling.address(handle)}/convert{'?' if query else ''}{query}"
