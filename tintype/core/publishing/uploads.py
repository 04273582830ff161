"""What was uploaded here to be published, and whose it is: a file's key names the workspace that sent it."""

import asyncio
import re
from collections.abc import Collection
from uuid import uuid4

from tintype.backends.blobs import Blobs
from tintype.core.publishing.model import Draft

UPLOADS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/avif": "avif", "image/gif": "gif",
           "video/mp4": "mp4", "video/quicktime": "mov"}  # fmt: skip

UPLOAD = re.compile(r"publishing/uploads/([A-Za-z0-9_-]{1,64})/[0-9a-f]{32}\.([a-z0-9]{2,5})")
NOT_THERE = "there is no such upload in this workspace"

_AT_ONCE = 16  # questions to a store that may be far away


def key_for(workspace_id: str, media_type: str) -> str:
    """Return a new key for a workspace's file of a kind that is taken."""
    return f"publishing/uploads/{workspace_id}/{uuid4().hex}.{UPLOADS[media_type]}"


def media_type_of(key: str) -> str:
    """Return the media type of an upload, by the ending of its key."""
    ending = key.rpartition(".")[2]
    return next((media_type for media_type, known in UPLOADS.items() if known == ending), "application/octet-stream")


def uploads_of(draft: Draft) -> frozenset[str]:
    """Return the keys of all uploads that a draft is made of."""
    return frozenset(key for key in (*(item.blob for item in draft.items), draft.cover_blob) if key)


async def not_there(blobs: Blobs, workspace_id: str, keys: Collection[str]) -> frozenset[str]:
    """Return those keys that are no upload of this workspace, or whose file is put away."""
    asking = asyncio.Semaphore(_AT_ONCE)

    async def is_there(key: str) -> bool:
        found = UPLOAD.fullmatch(key)
        if found is None or found[1] != workspace_id:
            return False
        async with asking:
            return await blobs.head(key) is not None

    held = await asyncio.gather(*map(is_there, keys))
    return frozenset(key for key, is_held in zip(keys, held, strict=True) if not is_held)
