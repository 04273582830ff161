"""/cdn and /process: processing addresses, `[KEY/]task=option:value/…/SOURCE`, and the bodies that say the same."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import once
from tintype.api.dialect import answers
from tintype.api.picker.archives import archive
from tintype.api.picker.bodies import small_json
from tintype.api.picker.converting import Asking, answered, made_of, writes
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.entry import shown_by
from tintype.api.picker.results import key_of
from tintype.api.picker.shapes import stored
from tintype.api.picker.wishes import store_of
from tintype.core.files import (
    Admitted,
    Call,
    File,
    PickerApp,
    Plan,
    Shown,
    Source,
    StoreOptions,
    Subject,
    Value,
    Wish,
    is_handle,
    is_signed,
    planned,
    read_address,
    read_body,
)
from tintype.errors import (
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Refused,
    TooLarge,
    Unreachable,
    Unsupported,
)

_FALLS_BACK = (NotFound, Gone, Invalid, TooLarge, Unsupported, Unreachable, Refused)


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""

    @app.get("/cdn/{address:path}", **answers("image/*", "application/json"))
    async def read(request: Request, address: str) -> Response:
        """Return what a processing address makes of its source: a picture, or JSON for `store, metadata, imagesize`."""
        del address  # decoded, which an address within an address does not survive
        return await _read(request, desk)

    @app.post("/cdn/{address:path}", **answers("image/*", "application/json"))
    async def write(request: Request, address: str) -> Response:
        """Do the same; the Python client posts what it wants stored."""
        del address
        return await _read(request, desk)

    @app.post("/process")
    async def process(request: Request) -> Response:
        """Do what `{apikey, sources, tasks}` says."""
        body = await small_json(request)
        return await _process(request, desk, read_body(cast("Mapping[str, Value]", body)), content=json.dumps(body))


async def _read(request: Request, desk: PickerDesk) -> Response:
    raw, query = key_of(request.scope)
    path = raw.decode("latin-1").removeprefix("/cdn/")
    wish = read_address(path, query.decode("latin-1"))
    return await _process(request, desk, wish, content=f"{path}?{query.decode('latin-1')}", path=path)


async def _process(request: Request, desk: PickerDesk, wish: Wish, *, content: str, path: str = "") -> Response:
    if wish.told == "zip":
        return await _zip(request, desk, wish)
    try:
        return await _one(request, desk, wish, content, path)
    except _FALLS_BACK:
        if wish.fallback is None:
            raise
    instead = wish.fallback
    kind = "handle" if is_handle(instead) else "url"
    from_fallback = Wish(
        (Source(kind, instead),), wish.plan, key=wish.key, policy=wish.policy, signature=wish.signature
    )
    return await _one(request, desk, from_fallback, content, path)


async def _one(request: Request, desk: PickerDesk, wish: Wish, content: str, path: str) -> Response:
    app, file = await _found(desk, wish, wish.source)
    signed = await _preset_signed(desk, app, wish, path)
    entry = await _admitted(request, desk, wish, app, file, signed=signed)
    plan = planned(app, wish, proven=entry.proven or signed)
    match wish.told:
        case "metadata":
            return await _metadata(desk, wish, entry, file)
        case "imagesize":
            return await _size(request, desk, wish, entry, plan, file)
        case "store":
            return await _store(request, desk, wish, entry, plan, file, content)
        case _:
            if file is None:
                await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
            free = wish.preset is not None
            asking = Asking(entry, plan, file, wish.source.text, _address(desk, plan, file), wish.caching, free)
            return await answered(request, desk, asking)


async def _found(desk: PickerDesk, wish: Wish, source: Source) -> tuple[PickerApp, File | None]:
    """Return whose source it is, and the file when it is one of ours.

    Raises `NotFound` for an unknown handle, `Forbidden` for an address without a key, or with another app's.
    """
    if source.kind == "alias":
        raise Unsupported("src:// names a store by an alias, and there are none here; use a file's handle")
    handle = source.text if source.kind == "handle" else desk.files.own_handle(source.text)
    if handle is None:
        if wish.key is None:
            raise Forbidden("an address on the web is only converted with the app's API key in front of the tasks")
        return await desk.apps.by_key(wish.key), None
    file = await desk.files.get(handle)
    app = await desk.apps.by_id(file.app_id)
    if wish.key is not None and wish.preset is None and (await desk.apps.by_key(wish.key)).id != app.id:
        raise Forbidden("this file belongs to another app; use that app's key")
    return app, file


async def _preset_signed(desk: PickerDesk, app: PickerApp, wish: Wish, path: str) -> bool:
    """Tell whether a preset's address is signed; raises `Forbidden` for a signature that does not fit."""
    if wish.preset is None or wish.key in (None, app.key):
        return False
    if not is_signed(await desk.apps.secrets(app), wish.key or "", path.partition("/")[2]):
        raise Forbidden("the signature in front of this preset does not fit")
    return True


async def _admitted(
    request: Request, desk: PickerDesk, wish: Wish, app: PickerApp, file: File | None, *, signed: bool
) -> Admitted:
    shown = shown_by(request, {})
    shown = Shown(wish.policy or shown.policy, wish.signature or shown.signature, shown.secret, shown.origin)
    if signed and not shown.any:
        return Admitted(app)
    store = wish.store or {}
    path, container = store.get("path"), store.get("container")
    subject = Subject(
        handle=file.handle if file else None,
        url=None if file else wish.source.text,
        path=path if isinstance(path, str) else None,
        container=container if isinstance(container, str) else None,
    )
    entry = await desk.policies.admit(app, _call(wish), shown, subject)
    if wish.told == "store":
        writes(request, entry)
    if "exif" in wish.wanted and not entry.may(Call.EXIF):
        raise Forbidden("exif may hold the place where a picture was taken: it needs a policy that names exif")
    return entry


def _call(wish: Wish) -> Call:
    match wish.told:
        case "store":
            return Call.STORE
        case "metadata":
            return Call.STAT
        case "imagesize" if wish.plan.empty and wish.preset is None:
            return Call.STAT
        case _:
            return Call.READ if wish.plan.empty and wish.preset is None else Call.CONVERT


async def _metadata(desk: PickerDesk, wish: Wish, entry: Admitted, file: File | None) -> Response:
    del entry
    if file is None:
        raise Invalid("metadata is told of files with a handle; store the address first")
    return JSONResponse(await desk.metadata.of(file, wish.wanted), headers={"Cache-Control": "no-store"})


async def _size(
    request: Request, desk: PickerDesk, wish: Wish, entry: Admitted, plan: Plan, file: File | None
) -> Response:
    """Return the size of the source, or of what the tasks beside it make of it."""
    if not plan.empty:
        made = await made_of(request, desk, Asking(entry, plan, file, wish.source.text, _address(desk, plan, file)))
        width, height = made.width, made.height
    elif file is None:
        width, height = await desk.conversions.making.size_of_url(wish.source.text)
    else:
        known = await desk.metadata.of(file, ("width", "height"))
        width, height = known["width"], known["height"]
        if width is None:
            width, height = await desk.conversions.making.size_of(file)
    return JSONResponse({"width": width, "height": height})


def _address(desk: PickerDesk, plan: Plan, file: File | None) -> str:
    """Return the address of a conversion as webhooks show it; what lies on the web is told of to nobody."""
    return f"{desk.base}/cdn/{quote(plan.text, safe='/=:,[]')}/{file.handle}" if file else ""


async def _store(
    request: Request, desk: PickerDesk, wish: Wish, entry: Admitted, plan: Plan, file: File | None, content: str
) -> Response:
    await desk.limiter.check(request, "picker-writes", desk.writes_per_minute)
    options = _options(wish, entry)

    async def make() -> JSONResponse:
        made = await _made(request, desk, wish, entry.app, plan, file, options)
        return JSONResponse(stored(made, desk.files.telling.address(made.handle)))

    return await once(request, desk.idempotency, make, caller=entry.app.id, content=content.encode())


async def _made(
    request: Request, desk: PickerDesk, wish: Wish, app: PickerApp, plan: Plan, file: File | None, options: StoreOptions
) -> File:
    settled = plan.settled(file.content_type if file else "", request.headers.get("accept", ""))
    if file is None:
        return await desk.conversions.make_of_url(app, wish.source.text, settled, options)
    if settled.empty:
        return await desk.files.store_url(app, desk.files.telling.address(file.handle), options)
    return await desk.conversions.make(app, file, settled, options, address=_address(desk, plan, file))


def _options(wish: Wish, entry: Admitted) -> StoreOptions:
    told: dict[str, Any] = {name: value for name, value in (wish.store or {}).items() if isinstance(value, str)}
    options = store_of({"store": told, "upload_tags": dict(wish.tags)}, entry.policy)
    name = told.get("filename") or told.get("name")
    return replace(options, filename=name) if name else options


async def _zip(request: Request, desk: PickerDesk, wish: Wish) -> Response:
    if not wish.plan.empty or wish.store is not None:
        raise Invalid("a zip holds the files as they are; leave out the other tasks")
    files: list[File] = []
    for source in wish.sources:
        app, file = await _found(desk, wish, source)
        if file is None:
            raise Invalid("a zip is made of files with handles; store the addresses first")
        alone = Wish((source,), key=wish.key, policy=wish.policy, signature=wish.signature)
        await _admitted(request, desk, alone, app, file, signed=False)
        await desk.files.present(file)
        files.append(file)
    return archive(desk.files, files)
