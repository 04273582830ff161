"""The addresses of own copies: which names they have, and which file stands behind each."""

import re
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from tintype.api.files import send, unchanged
from tintype.core.feed import Renditions
from tintype.errors import NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"(original|320|640|1080)\.(jpeg|png|webp|avif|gif|mp4)")
_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "gif": "image/gif",
    "mp4": "video/mp4",
}
_MISSING = "there is no such picture"


@dataclass(frozen=True, slots=True)
class Files:
    """Answers requests for the files of own copies, whole or in ranges."""

    renditions: Renditions

    async def answer(self, request: Request, digest: str, name: str) -> Response:
        """Return one file.

        Raises `NotFound` when there is no such copy or it has no such file.
        """
        if not _DIGEST.fullmatch(digest) or not _NAME.fullmatch(name):
            raise NotFound(_MISSING)
        etag = f'"{digest[:32]}-{name}"'
        if same := unchanged(request, etag):
            return same
        key = await self.renditions.file(digest, name)
        if same := unchanged(request, etag, there=True):
            return same
        kind = _TYPES[name.rpartition(".")[2]]
        return await send(request, self.renditions.blobs, key, etag=etag, kind=kind, missing=_MISSING)
