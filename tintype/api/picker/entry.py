"""Who asks, in the picker dialect: pages by their app's key, with a policy where one is needed; owners by their token."""

import base64
import binascii
from collections.abc import Mapping

from fastapi import Request

from tintype.api.callers import bearer
from tintype.api.picker.desk import PickerDesk
from tintype.core.access import Caller, Grant
from tintype.core.files import Admitted, Call, File, PickerApp, Shown, Subject
from tintype.errors import Forbidden, NotFound

WORKSPACE = "x-workspace"
BASIC_USER = "app"
FLAG = "true"  # `key=true` shows no key: it asks what a file's is


async def caller_of(request: Request, desk: PickerDesk) -> Caller:
    """Return whose token the request shows: a workspace's own or a user's, in the workspace of the header X-Workspace.

    Raises `Unauthorized` for a token nobody knows, `NotFound` for a workspace that is not the caller's.
    """
    token = bearer(request)
    asked = request.headers.get(WORKSPACE) or None
    if token.count(".") == 2:  # a JSON Web Token; a workspace's own has no dots
        return await desk.users.who(token, asked)
    caller = await desk.access.who(token, Grant.WORKSPACE)
    if asked not in (None, caller.workspace_id):
        raise NotFound(f"there is no workspace {asked!r}")
    return caller


def said(request: Request, form: Mapping[str, str], *names: str) -> str | None:
    """Return what a request says under one of several names, in its form or its query; an empty text is nothing."""
    found = (form.get(name) or request.query_params.get(name) for name in names)
    return next((one for one in found if one), None)


def shown_by(request: Request, form: Mapping[str, str]) -> Shown:
    """Return the credentials of a request: policy and signature, or the app's secret as the password of user `app`."""
    policy, signature = said(request, form, "policy"), said(request, form, "signature")
    return Shown(policy, signature, _password(request), request.headers.get("origin"))


async def app_of(request: Request, desk: PickerDesk, form: Mapping[str, str]) -> PickerApp:
    """Return the app whose key a request shows; raises `Forbidden` for one that is missing or not known."""
    key = said(request, form, "key", "apikey")
    if key is None:
        raise Forbidden("this needs the app's API key, as `key`")
    return await desk.apps.by_key(key)


async def owner_of(request: Request, desk: PickerDesk, form: Mapping[str, str], file: File) -> PickerApp:
    """Return the app of a file; raises `Forbidden` when the request shows another one's key."""
    app = await desk.apps.by_id(file.app_id)
    key = said(request, form, "key", "apikey")
    if key not in (None, FLAG, app.key):
        raise Forbidden("this file belongs to another app; use that app's key")
    return app


async def admitted(request: Request, desk: PickerDesk, form: Mapping[str, str], file: File, call: Call) -> Admitted:
    """Return what a call about a file may do; raises `Forbidden`."""
    app = await owner_of(request, desk, form, file)
    return await desk.policies.admit(app, call, shown_by(request, form), Subject(handle=file.handle))


def _password(request: Request) -> str | None:
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(sent.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Forbidden("the Authorization header cannot be read") from None
    if user != BASIC_USER or not colon:
        raise Forbidden(f"Basic authorization is for the user {BASIC_USER!r} with the app's secret as password")
    return password
