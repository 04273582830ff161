"""The scripts that customers' pages load: filepicker.js under all its names, and the picker of filestack-js."""

import json

from fastapi import FastAPI, Request
from starlette.responses import Response

from tintype.api.picker.assets import FOR_EVER, HOUR, asset
from tintype.api.picker.desk import PickerDesk
from tintype.errors import NotFound

NAMES = ("/filepicker.js", "/v1/filepicker.js", "/v2/filepicker.js", "/filestack.js")
OF_THE_DIALOG = frozenset({"comm.js", "dialog.css", "dialog.js", "icon.svg", "popup.js"})


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""

    async def script(request: Request) -> Response:
        """Return filepicker.js; the key stands in the address, and the script reads it there itself."""
        return asset("filepicker.js").answer(request, HOUR)

    for name in NAMES:
        app.add_api_route(name, script, methods=["GET"], include_in_schema=False)

    @app.get("/picker/{version}/picker.js", include_in_schema=False)
    async def module(request: Request, version: str) -> Response:
        """Return the picker that filestack-js loads, whichever version it asks for."""
        del version
        return asset("module.js", f"window.tintypeBase={json.dumps(desk.base)};").answer(request, HOUR)

    @app.get("/dialog/assets/{digest}/{name}", include_in_schema=False)
    async def of_the_dialog(request: Request, digest: str, name: str) -> Response:
        """Return a file of the dialog's page by what is in it."""
        if name not in OF_THE_DIALOG or digest != asset(name).digest[:16]:
            raise NotFound("there is no such file")
        return asset(name).answer(request, FOR_EVER)


def address(name: str) -> str:
    """Return where a file of the dialog's page lies."""
    return f"/dialog/assets/{asset(name).digest[:16]}/{name}"
