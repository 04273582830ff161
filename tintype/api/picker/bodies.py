"""Bodies as clients of old send them: the file itself, a form that holds it, or a form that names an address."""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from tintype.api.letters import NO_NULL, has_null, without_null
from tintype.errors import Invalid, TooLarge

SMALL = 256 * 1024  # bytes of a body that is held in memory
PIECE = 2**18
FIELDS = 100

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

_HALF = re.compile(rb"\\ud[89a-f]", re.IGNORECASE)

NOTHING_SENT = "send the file as the body or as fileUpload, or its address as url"


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with a request: fields, and perhaps a file with the name and the type that its sender gives it."""

    fields: Mapping[str, str]
    chunks: AsyncIterator[bytes] | None = field(default=None, repr=False)
    filename: str | None = None
    content_type: str | None = None


def media_type(request: Request) -> str:
    """Return the type that a request gives its body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_empty(request: Request) -> bool:
    """Tell whether a request has no body at all."""
    length = request.headers.get("content-length")
    return length == "0" or (length is None and "transfer-encoding" not in request.headers)


@asynccontextmanager
async def sent(request: Request) -> AsyncGenerator[Sent]:
    """Read a request's body, the file in it as it comes.

    Raises `Invalid` for a form that cannot be read, `TooLarge` for fields that are no fields.
    """
    kind = media_type(request)
    if kind == FORM:
        yield Sent(await small_form(request))
    elif kind == MULTIPART:
        async with _multipart(request) as found:
            yield found
    else:
        yield Sent({}, chunks_of(request), None, request.headers.get("content-type"))


async def chunks_of(request: Request) -> AsyncIterator[bytes]:
    """Yield a body that is a file, as it arrives."""
    async for chunk in request.stream():
        if chunk:
            yield chunk


async def small_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form without files, or of a JSON object; of another body none.

    Raises `Invalid` for one that cannot be read and `TooLarge`.
    """
    kind = media_type(request)
    if kind == MULTIPART:
        async with _multipart(request) as found:
            return found.fields
    raw = await small_body(request)
    if kind == FORM:
        try:
            pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FIELDS)
            return {name: without_null(value) for name, value in pairs}
        except ValueError:
            raise Invalid("the form in the body cannot be read") from None
    if kind.endswith("json") and raw:
        return {name: value for name, value in _object(raw).items() if isinstance(value, str)}
    return {}


async def small_json(request: Request) -> Mapping[str, Any]:
    """Return the JSON object of a body, or the fields of a form; raises `Invalid` and `TooLarge`."""
    if media_type(request) in (FORM, MULTIPART):
        return await small_form(request)
    return _object(await small_body(request) or b"{}")


async def small_body(request: Request) -> bytes:
    """Return a body that is held in memory; raises `TooLarge`."""
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > SMALL:
            raise TooLarge(
                f"these fields have more than {SMALL} bytes; send a file as the body itself, or as fileUpload"
            )
    return bytes(taken)


@asynccontextmanager
async def _multipart(request: Request) -> AsyncGenerator[Sent]:
    # What is larger than a megabyte is put into a file of the system's that is gone when it is closed.
    try:
        form = await request.form(max_files=2, max_fields=FIELDS, max_part_size=SMALL)
    except MultiPartException as error:
        raise Invalid(f"the form in the body cannot be read: {error.message}") from None
    try:
        fields = {name: without_null(value) for name, value in form.multi_items() if isinstance(value, str)}
        files = {name: value for name, value in form.multi_items() if isinstance(value, UploadFile)}
        file = files.get("fileUpload") or next(iter(files.values()), None)
        if file is None:
            yield Sent(fields)
        else:
            yield Sent(fields, _pieces(file), file.filename, file.content_type)
    finally:
        await form.close()


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE):
        yield piece


def mapping(value: object) -> Mapping[str, Any]:
    """Return a part of a JSON body that should be an object; one that is none has no fields."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else {}


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw)
        if _HALF.search(raw):  # perhaps half a character, which no database and no file's name takes
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Invalid("the request body is not valid JSON") from None
    if has_null(raw):
        raise Invalid(NO_NULL)
    if not isinstance(found, dict):
        raise Invalid("the request body must be a JSON object")
    return cast(Mapping[str, Any], found)
