"""/api/apps: a workspace's apps of the picker, for its owner and editors. A secret is shown once, when it is made."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from tintype.api.callers import guarded, once
from tintype.api.dialect import read_body, takes
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.entry import caller_of
from tintype.core.access import Caller, Role
from tintype.core.files import CALLBACK, PickerApp, Usage
from tintype.errors import Invalid, Trouble

APPS = "/api/apps"
APP = APPS + "/{app_id}"


class Settings(BaseModel):
    """What may be set of an app; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    origins: list[str] | None = Field(None, max_length=100)
    secure_reads: bool | None = None
    secure_writes: bool | None = None
    presets_only: bool | None = None
    presets: dict[str, str] | None = None
    storages: dict[str, str] | None = None
    quota_bytes: int | None = Field(None, ge=0, le=2**53)
    quota_files: int | None = Field(None, ge=0, le=2**31 - 1)
    quota_derived: int | None = Field(None, ge=0, le=2**31 - 1)

    def given(self) -> Mapping[str, Any]:
        """Return what was sent; a quota may be sent as null, which lifts it."""
        sent = self.model_dump(exclude_unset=True)
        liftable = ("quota_bytes", "quota_files")
        wrong = [name for name, value in sent.items() if value is None and name not in liftable]
        if wrong:
            raise Invalid(*(f"{name} must not be null" for name in wrong))
        return sent


class InstagramApp(BaseModel):
    """The app that people see when they connect their Instagram account."""

    key: str = Field(min_length=1, max_length=64)
    secret: str = Field(min_length=1, max_length=256, repr=False)


class StorageTest(BaseModel):
    """Which location is to be tested."""

    location: str = Field("S3", max_length=40)


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _keeping(app, desk)
    _changing(app, desk)
    _storages(app, desk)
    _instagram(app, desk)


def _keeping(app: FastAPI, desk: PickerDesk) -> None:
    @app.post(APPS, status_code=201, openapi_extra=takes(Settings))
    async def create(request: Request) -> Response:
        """Make an app; its key is for pages, its secret for servers alone, and shown this once."""
        caller = await _editor(request, desk)
        given = dict((await read_body(request, Settings)).given())
        name = given.pop("name", None)
        if not name:
            raise Invalid("name is required")

        async def make() -> JSONResponse:
            issued = await desk.apps.create(caller.workspace_id, name, **given)
            shown = {**_shown(issued.app, desk), "secret": issued.secret}
            return JSONResponse(shown, 201, {"Location": f"{APPS}/{issued.app.id}"})

        return await once(request, desk.idempotency, make, caller=f"{caller.workspace_id} {caller.user_id}")

    @app.get(APPS)
    async def listed(request: Request) -> Response:
        """Return the workspace's apps, oldest first."""
        caller = await caller_of(request, desk)
        return JSONResponse({"apps": [_shown(one, desk) for one in await desk.apps.of_workspace(caller.workspace_id)]})

    @app.get(APP)
    async def shown(request: Request, app_id: str) -> Response:
        """Return an app, with what it uses of its quotas; its ETag is that of what may be changed."""
        caller = await caller_of(request, desk)
        found = await desk.apps.get(caller.workspace_id, app_id)
        return JSONResponse(_shown(found, desk, await desk.apps.usage(found)), headers={"ETag": found.tag})


def _changing(app: FastAPI, desk: PickerDesk) -> None:
    @app.patch(APP, openapi_extra=takes(Settings))
    async def change(request: Request, app_id: str) -> Response:
        """Change what is sent of an app. If-Match guards against overwriting."""
        caller = await _editor(request, desk)
        given = (await read_body(request, Settings)).given()
        found = await desk.apps.get(caller.workspace_id, app_id)
        tag = guarded(request, found.tag, "the app")
        changed = await desk.apps.change(caller.workspace_id, app_id, given, tag=tag)
        return JSONResponse(_shown(changed, desk), headers={"ETag": changed.tag})

    @app.post(APP + "/secret", status_code=201)
    async def rotate(request: Request, app_id: str) -> Response:
        """Give an app a new secret; the one before it counts for another day."""
        caller = await _editor(request, desk)
        issued = await desk.apps.rotate_secret(caller.workspace_id, app_id)
        return JSONResponse({**_shown(issued.app, desk), "secret": issued.secret}, 201)

    @app.delete(APP, status_code=204)
    async def remove(request: Request, app_id: str) -> Response:
        """Remove an app with all its files."""
        caller = await _editor(request, desk)
        await desk.apps.remove(caller.workspace_id, app_id)
        return Response(status_code=204)


def _storages(app: FastAPI, desk: PickerDesk) -> None:
    @app.post(APP + "/storages/test", openapi_extra=takes(StorageTest))
    async def test(request: Request, app_id: str) -> Response:
        """Write something to the store that takes a location, read it back, and delete it."""
        caller = await _editor(request, desk)
        found = await desk.apps.get(caller.workspace_id, app_id)
        body = await read_body(request, StorageTest)
        stores = desk.files.storing.stores
        name = stores.name_of(found, body.location)
        try:
            await stores.check(name)
        except Trouble as trouble:
            return JSONResponse({"store": name, "ok": False, "message": trouble.message})
        return JSONResponse({"store": name, "ok": True, "message": "files can be stored, read and deleted there"})


def _instagram(app: FastAPI, desk: PickerDesk) -> None:
    @app.put(APP + "/instagram", openapi_extra=takes(InstagramApp))
    async def keep(request: Request, app_id: str) -> Response:
        """Keep the workspace's own Instagram app; its secret is sealed and never shown again."""
        caller = await _editor(request, desk)
        found = await desk.apps.get(caller.workspace_id, app_id)
        body = await read_body(request, InstagramApp)
        await desk.apps.set_instagram_app(found, body.key, body.secret)
        return JSONResponse({"key": body.key, "redirect_uri": desk.base + CALLBACK})

    @app.post(APP + "/instagram/test")
    async def test(request: Request, app_id: str) -> Response:
        """Ask Instagram about the workspace's own app, and name the setting that is wrong."""
        caller = await _editor(request, desk)
        found = await desk.apps.get(caller.workspace_id, app_id)
        check = await desk.apps.test_instagram_app(found, desk.base)
        return JSONResponse({"ok": check.fine, "wrong": check.wrong, "message": check.message})


async def _editor(request: Request, desk: PickerDesk) -> Caller:
    caller = await caller_of(request, desk)
    caller.must(Role.EDITOR)
    return caller


def _shown(app: PickerApp, desk: PickerDesk, usage: Usage | None = None) -> Mapping[str, Any]:
    shown = {
        "id": app.id,
        "app_id": app.number,
        "name": app.name,
        "key": app.key,
        "origins": list(app.origins),
        "secure_reads": app.secure_reads,
        "secure_writes": app.secure_writes,
        "presets_only": app.presets_only,
        "presets": dict(app.presets),
        "storages": dict(app.storages),
        "quota_bytes": app.quota_bytes,
        "quota_files": app.quota_files,
        "quota_derived": app.quota_derived,
        "script": f"{desk.base}/v2/filepicker.js?key={app.key}",
        "created_at": app.created_at.isoformat().replace("+00:00", "Z"),
        "used_at": app.used_at.isoformat().replace("+00:00", "Z") if app.used_at else None,
    }
    return shown if usage is None else {**shown, "files": usage.files, "bytes": usage.bytes}
