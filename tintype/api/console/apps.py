"""The picker's apps for people: keys and secrets, whose pages may use them, limits, presets, and the Instagram app people are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import FastAPI, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import back, text_of
from tintype.core.access import Role, Visit
from tintype.core.files import CALLBACK, HOME, LOCATIONS, AppCheck, IssuedApp, PickerApp
from tintype.errors import Invalid, Stale, Trouble, Unavailable

PLACE = "/console/picker"
MEGABYTE = 1024 * 1024
OVERTAKEN = "Somebody else changed this app meanwhile, and nothing of yours was kept. What it is like now is shown here"
AGAIN = f"{OVERTAKEN}; what you typed still stands in the fields. Send it once more to have it your way"
PLACES = tuple(dict.fromkeys(LOCATIONS.values()))


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of writing to the store that takes a location."""

    place: str
    store: str
    message: str
    fine: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """A preset that was not taken, as it was typed, and why."""

    name: str
    plan: str
    problem: str
    is_wrong: bool = True


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _listing(app, desk)
    _one(app, desk)
    _presets(app, desk)
    _storages(app, desk)
    _instagram(app, desk)


def _listing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def apps(request: Request) -> Response:
        """Show the workspace's apps."""
        visit = await desk.door.visit(request, Role.EDITOR)
        return await _all_shown(desk, visit, done=request.query_params.get("done", ""))

    @app.post(PLACE)
    async def create(request: Request) -> Response:
        """Make an app and show its secret this once."""
        visit, form = await desk.door.form(request)
        try:
            issued = await desk.apps.create(
                visit.caller().workspace_id, text_of(form, "name"), origins=tuple(text_of(form, "origins").split())
            )
        except Trouble as trouble:
            return await _all_shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "app.made", issued.app.name)
        return await _shown(desk, visit, issued.app, issued=issued)


def _one(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/{app_id}")
    async def one(app_id: str, request: Request) -> Response:
        """Show one app."""
        visit = await desk.door.visit(request, Role.EDITOR)
        found = await desk.apps.get(visit.caller().workspace_id, app_id)
        return await _shown(desk, visit, found, done=request.query_params.get("done", ""))

    @app.post(PLACE + "/{app_id}")
    async def change(app_id: str, request: Request) -> Response:
        """Change what may be set."""
        visit, form = await desk.door.form(request)
        workspace_id = visit.caller().workspace_id
        found = await desk.apps.get(workspace_id, app_id)
        try:
            await desk.apps.change(workspace_id, app_id, _values(form, found), tag=_tag(form, found))
        except Stale:
            return await _overtaken(desk, visit, app_id, typed_settings=_values(form, found))
        except Trouble as trouble:
            return await _shown(desk, visit, found, problem=trouble.message, status=400)
        await desk.door.note(visit, "app.changed", found.name)
        return back(f"{PLACE}/{app_id}", "changed")

    @app.post(PLACE + "/{app_id}/secret")
    async def rotate(app_id: str, request: Request) -> Response:
        """Give the app another secret; the one before counts for a day."""
        visit, _ = await desk.door.form(request)
        issued = await desk.apps.rotate_secret(visit.caller().workspace_id, app_id)
        await desk.door.note(visit, "app.secret_rotated", issued.app.name)
        return await _shown(desk, visit, issued.app, issued=issued)

    @app.post(PLACE + "/{app_id}/remove")
    async def remove(app_id: str, request: Request) -> Response:
        """Remove the app with its files."""
        visit, _ = await desk.door.form(request, Role.OWNER)
        found = await desk.apps.get(visit.caller().workspace_id, app_id)
        await desk.apps.remove(visit.caller().workspace_id, app_id)
        await desk.door.note(visit, "app.removed", found.name)
        return back(PLACE, "removed")


def _presets(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(PLACE + "/{app_id}/presets")
    async def keep(app_id: str, request: Request) -> Response:
        """Keep a preset, or another plan under the name of one."""
        visit, form = await desk.door.form(request)
        workspace_id = visit.caller().workspace_id
        found = await desk.apps.get(workspace_id, app_id)
        name, plan = text_of(form, "preset").strip(), text_of(form, "plan").strip()
        try:
            await desk.apps.change(
                workspace_id, app_id, {"presets": {**found.presets, name: plan}}, tag=_tag(form, found)
            )
        except Stale:
            return await _overtaken(desk, visit, app_id, typed=Typed(name, plan, AGAIN, is_wrong=False))
        except Invalid as wrong:
            return await _shown(desk, visit, found, typed=Typed(name, plan, wrong.message), status=400)
        await desk.door.note(visit, "app.changed", found.name)
        return back(f"{PLACE}/{app_id}", "changed")

    @app.post(PLACE + "/{app_id}/presets/remove")
    async def remove(app_id: str, request: Request) -> Response:
        """Let the app have a preset no longer."""
        visit, form = await desk.door.form(request)
        workspace_id = visit.caller().workspace_id
        found = await desk.apps.get(workspace_id, app_id)
        left = {name: plan for name, plan in found.presets.items() if name != text_of(form, "preset")}
        if len(left) < len(found.presets):
            try:
                await desk.apps.change(workspace_id, app_id, {"presets": left}, tag=_tag(form, found))
            except Stale:
                return await _overtaken(desk, visit, app_id)
            await desk.door.note(visit, "app.changed", found.name)
        return back(f"{PLACE}/{app_id}", "changed")


def _tag(form: FormData, found: PickerApp) -> str:
    """Return the tag of the app as its editor saw it; forms that say nothing mean what there is now."""
    return text_of(form, "tag") or found.tag


async def _overtaken(
    desk: ConsoleDesk,
    visit: Visit,
    app_id: str,
    *,
    typed: Typed | None = None,
    typed_settings: Mapping[str, Any] | None = None,
) -> Response:
    """Show the app as somebody else left it, with what this visitor typed and sent a moment too late."""
    now = await desk.apps.get(visit.caller().workspace_id, app_id)
    filled = replace(now, **typed_settings) if typed_settings else None
    problem = "" if typed else f"{AGAIN if filled else OVERTAKEN}."
    return await _shown(desk, visit, now, typed=typed, filled=filled, problem=problem, status=412)


def _storages(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(PLACE + "/{app_id}/storages")
    async def storages(app_id: str, request: Request) -> Response:
        """Keep which store takes which location, and try the store of one: write there, read back and delete."""
        visit, form = await desk.door.form(request)
        workspace_id = visit.caller().workspace_id
        found = await desk.apps.get(workspace_id, app_id)
        chosen = {place: store for place in PLACES if (store := text_of(form, place)) and store != _usual(desk, place)}
        try:
            if chosen != found.storages:
                found = await desk.apps.change(workspace_id, app_id, {"storages": chosen})
                await desk.door.note(visit, "app.changed", found.name)
            tested = text_of(form, "test")
            tried = await _tried(desk, found, tested) if tested else None
        except Trouble as trouble:
            return await _shown(desk, visit, found, problem=trouble.message, status=400)
        return await _shown(desk, visit, found, tried=tried) if tried else back(f"{PLACE}/{app_id}", "changed")


def _usual(desk: ConsoleDesk, place: str) -> str:
    """Return the store that takes a location for apps that say nothing."""
    return place if place in desk.stores.named else HOME


async def _tried(desk: ConsoleDesk, app: PickerApp, place: str) -> Tried:
    store = desk.stores.name_of(app, place)
    try:
        await desk.stores.check(store)
    except Unavailable as trouble:
        return Tried(place, store, trouble.message, fine=False)
    return Tried(place, store, "files can be stored, read and deleted there", fine=True)


def _instagram(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(PLACE + "/{app_id}/instagram")
    async def own(app_id: str, request: Request) -> Response:
        """Keep the Instagram app that people are shown, and ask Instagram whether it is right."""
        visit, form = await desk.door.form(request)
        found = await desk.apps.get(visit.caller().workspace_id, app_id)
        if text_of(form, "key") or text_of(form, "secret"):
            try:
                await desk.apps.set_instagram_app(found, text_of(form, "key"), text_of(form, "secret"))
            except Trouble as trouble:
                return await _shown(desk, visit, found, problem=trouble.message, status=400)
            await desk.door.note(visit, "app.instagram_app_set", found.name)
        return await _shown(desk, visit, found, check=await desk.apps.test_instagram_app(found, desk.base))


def _values(form: FormData, found: PickerApp) -> Mapping[str, Any]:
    megabytes, files = _number(form, "quota_megabytes"), _number(form, "quota_files")
    derived = _number(form, "quota_derived")
    return {
        "name": text_of(form, "name"),
        "origins": text_of(form, "origins").split(),
        "secure_reads": "secure_reads" in form,
        "secure_writes": "secure_writes" in form,
        "presets_only": "presets_only" in form,
        "quota_bytes": megabytes * MEGABYTE if megabytes is not None else None,
        "quota_files": files,
        "quota_derived": found.quota_derived if derived is None else derived,
    }


def _number(form: FormData, name: str) -> int | None:
    said = text_of(form, name).strip()
    if said and not (said.isascii() and said.isdigit() and len(said) < 12):
        raise Invalid(f"{name.replace('_', ' ')} must be a whole number, or nothing")
    return int(said) if said else None


async def _all_shown(
    desk: ConsoleDesk, visit: Visit, *, done: str = "", problem: str = "", status: int = 200
) -> Response:
    found: Sequence[PickerApp] = await desk.apps.of_workspace(visit.caller().workspace_id)
    usage = [await desk.apps.usage(one) for one in found]
    return desk.door.page(
        visit, "picker.html", status=status, apps=list(zip(found, usage, strict=True)), done=done, problem=problem
    )


async def _shown(
    desk: ConsoleDesk,
    visit: Visit,
    app: PickerApp,
    *,
    issued: IssuedApp | None = None,
    check: AppCheck | None = None,
    tried: Tried | None = None,
    typed: Typed | None = None,
    filled: PickerApp | None = None,
    done: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    own = await desk.apps.instagram_app(app)
    return desk.door.page(
        visit,
        "picker_app.html",
        status=status,
        app=app,
        issued=issued,
        check=check,
        own=own.id if own else None,
        usage=await desk.apps.usage(app),
        tried=tried,
        typed=typed,
        filled=filled or app,
        places=[(place, desk.stores.name_of(app, place)) for place in PLACES],
        stores=[HOME, *sorted(desk.stores.named)],
        callback=desk.base + CALLBACK,
        base=desk.base,
        megabyte=MEGABYTE,
        done=done,
        problem=problem,
    )
