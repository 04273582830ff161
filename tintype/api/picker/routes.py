"""The picker dialect put together: each group of its routes adds itself to the one app."""

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype.api.dialect import Mounted, Surround, build
from tintype.api.later import Later
from tintype.api.picker import apps, cloud, connecting, convert, dialog, file, process, scripts, store, upload, webhooks
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.dialect import PICKER, SENT, SHOWN
from tintype.api.picker.results import HotResults

GROUPS: tuple[Callable[[FastAPI, PickerDesk], None], ...] = (
    apps.add,
    convert.add,
    process.add,
    file.add,
    store.add,
    upload.add,
    webhooks.add,
    scripts.add,
    dialog.add,
    connecting.add,
    cloud.add,
)


def mount(desk: PickerDesk) -> Mounted:
    """Return the picker dialect, ready to be put behind a `Front`."""
    app = Later(partial(_routes, desk))
    larger: dict[str, int] = dict.fromkeys(("/api/store", "/api/file", "/multipart"), desk.upload_max_bytes)
    desk.results.extra = tuple(_headers({}))
    behind = _Shared(Surround(app, PICKER, desk.max_body_bytes, larger))
    return Mounted(PICKER, HotResults(desk.results, behind), openapi=app.openapi)


def _routes(desk: PickerDesk) -> FastAPI:
    app = build(PICKER, version=desk.version)
    for add in GROUPS:
        add(app, desk)
    return app


class _Shared:
    """Lets pages of every origin ask, without cookies: a refusal must be readable there too, or nobody learns its reason."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = {name.lower() for name, _ in message["headers"]}
                extra = [one for one in _headers(scope) if one[0] not in told]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        if scope["path"].startswith("/dialog/") and not scope["path"].startswith("/dialog/assets/"):
            await self._app(scope, receive, send)  # a page with a secret in it is nobody else's to read
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            await _preflight(scope, send)
        else:
            await self._app(scope, receive, shared)


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    del scope
    return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", SHOWN.encode())]


async def _preflight(scope: Scope, send: Send) -> None:
    headers = [
        *_headers(scope),
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        (b"access-control-allow-headers", SENT.encode()),
        (b"access-control-max-age", b"86400"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
