"""Pictures and videos made ready for Instagram, which fetches them here and tells us nothing about itself."""

import re

from fastapi import FastAPI, Request
from starlette.responses import Response

from tintype.api.dialect import answers
from tintype.api.files import send, unchanged
from tintype.api.social.desk import SocialDesk
from tintype.api.social.finding import ROOT
from tintype.errors import NotFound

_NAME = re.compile(r"([0-9a-f]{64})\.(jpg|mp4)")
_TYPES = {"jpg": "image/jpeg", "mp4": "video/mp4"}
_MISSING = "there is no such file"


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""

    @app.get(ROOT + "/files/{name}", **answers("image/*", "video/*"))
    async def file(request: Request, name: str) -> Response:
        """Return a file by the digest of its content, whole or in ranges; whoever knows that may have it."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise NotFound(_MISSING)
        etag, kind = f'"{found[1]}"', _TYPES[found[2]]
        if same := unchanged(request, etag):
            return same
        return await send(request, desk.blobs, f"publishing/{name}", etag=etag, kind=kind, missing=_MISSING)
