"""/multipart: files in parts, as clients of today send them: begun, each part to an address of its own, put together at the end."""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype.api.picker.bodies import chunks_of, mapping, small_json
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.entry import shown_by
from tintype.api.picker.shapes import uploaded
from tintype.api.picker.wishes import store_of
from tintype.core.files import Admitted, Call, Subject, Upload
from tintype.errors import Invalid

REGION = "here"
INGESTION = "intelligent_ingestion"

_TAG = re.compile(r'"?([0-9a-fA-F]{32})"?')


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _beginning(app, desk)
    _parts(app, desk)
    _ending(app, desk)


def _beginning(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/multipart/start")
    async def start(request: Request) -> Response:
        """Begin an upload; the answer says where its parts are announced."""
        await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
        body = await small_json(request)
        entry = await _admitted(request, desk, body)
        size = _number(body, "size")
        if size is None:
            raise Invalid("size is required")
        upload = await desk.uploads.start(
            entry.app,
            filename=_text(body, "filename"),
            content_type=_text(body, "mimetype"),
            size=size,
            options=store_of(body, entry.policy),
        )
        shown = {
            "uri": f"/uploads/{upload.id}",
            "region": REGION,
            "location_url": _place(request),
            "upload_id": upload.id,
        }
        wants_pieces = str(body.get("fii", "")).lower() == "true"
        return JSONResponse(shown | ({"upload_type": INGESTION} if wants_pieces else {}))

    @app.post("/multipart/upload")
    async def announce(request: Request) -> Response:
        """Return where the bytes of a part, or of a piece of one, are sent."""
        body = await small_json(request)
        upload = await _upload(desk, body)
        part, offset = _number(body, "part") or 0, _number(body, "offset") or 0
        size, md5 = _number(body, "size"), _text(body, "md5")
        query = "".join(f"&{name}={value}" for name, value in (("size", size), ("md5", _hex(md5))) if value is not None)
        url = f"{_origin(request, desk)}/multipart/part/{upload.id}/{part}/{offset}{query.replace('&', '?', 1)}"
        return JSONResponse({"url": url, "headers": {}, "location_url": _place(request)})


def _parts(app: FastAPI, desk: PickerDesk) -> None:
    @app.put("/multipart/part/{upload_id}/{part}/{offset}")
    async def keep(request: Request, upload_id: str, part: int, offset: int) -> Response:
        """Take the bytes of a part; their ETag is asked for at the end."""
        size = request.query_params.get("size")
        tag = await desk.uploads.keep(
            await desk.uploads.get(upload_id),
            part,
            offset,
            chunks_of(request),
            size=int(size) if size and size.isdecimal() else None,
            md5=request.query_params.get("md5"),
        )
        return Response(headers={"ETag": f'"{tag}"'})

    @app.post("/multipart/commit")
    async def commit(request: Request) -> Response:
        """Confirm that all pieces of a part are here."""
        body = await small_json(request)
        upload = await _upload(desk, body)
        await desk.uploads.commit(upload, _number(body, "part") or 0, None)
        return JSONResponse({})


def _ending(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/multipart/complete")
    async def complete(request: Request) -> Response:
        """Put the parts together; whoever asks again gets the same file."""
        body = await small_json(request)
        upload = await _upload(desk, body)
        owner = await desk.apps.by_id(upload.app_id)
        file = await desk.uploads.complete(owner, upload, _tags(body))
        return JSONResponse(uploaded(file, desk.files.telling.address(file.handle)))


async def _admitted(request: Request, desk: PickerDesk, body: Mapping[str, Any]) -> Admitted:
    fields = {name: value for name, value in body.items() if isinstance(value, str)}
    owner = await desk.apps.by_key(fields.get("apikey", ""))
    store = store_of(body, None)
    subject = Subject(path=store.path, container=store.container)
    return await desk.policies.admit(owner, Call.STORE, shown_by(request, fields), subject)


async def _upload(desk: PickerDesk, body: Mapping[str, Any]) -> Upload:
    """Return the upload that a body names; its id is enough, as clients send no policy any more."""
    owner = await desk.apps.by_key(_text(body, "apikey") or "")
    return await desk.uploads.of_app(owner, _text(body, "upload_id") or "")


def _place(request: Request) -> str:
    """Return host and port as the client reached us: the next calls go to https of it, or to what a proxy makes of it."""
    return request.headers.get("host", "")


def _origin(request: Request, desk: PickerDesk) -> str:
    """Return where bytes are sent: to the host that the client talks to, in the scheme of our own address."""
    return f"{urlsplit(desk.base).scheme}://{_place(request)}"


def _tags(body: Mapping[str, Any]) -> Mapping[int, str] | None:
    given = body.get("parts")
    if isinstance(given, str):  # Java's form: 1:etag;2:etag
        pairs = (one.partition(":") for one in given.split(";") if one)
        return {int(number): tag for number, _, tag in pairs if number.isdecimal()}
    if not isinstance(given, list):
        return None
    found: dict[int, str] = {}
    for one in cast(list[object], given):
        part = mapping(one)
        number, tag = part.get("part_number"), part.get("etag")
        if not isinstance(number, int) or not isinstance(tag, str):
            raise Invalid("parts must be a list of {part_number, etag}")
        found[number] = tag
    return found


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(f"{name} must be a string")
    return value or None


def _number(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if value is not None and (type(value) is not int or value < 0):
        raise Invalid(f"{name} must be a whole number")
    return value


def _hex(md5: str | None) -> str | None:
    """Return an MD5 in hexadecimal as it is, or from base64; what is neither is not compared."""
    if md5 is None or _TAG.fullmatch(md5):
        return md5 and md5.strip('"').lower()
    try:
        raw = b64decode(md5, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 16 else None
