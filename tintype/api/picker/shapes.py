"""How files are shown: the documented keys, in the documented order, ours behind them."""

from collections.abc import Mapping
from typing import Any

from tintype.core.files import File


def stored(file: File, url: str) -> Mapping[str, Any]:
    """Return what a store, a write or a conversion answers."""
    shown: dict[str, Any] = {"url": url, "size": file.size, "type": file.content_type, "filename": file.filename}
    if file.stored is not None:
        shown["key"] = file.stored.key
        if file.stored.container is not None:
            shown["container"] = file.stored.container
    return shown | {"isWriteable": True, "mimetype": file.content_type, "client": file.client, "handle": file.handle}


def uploaded(file: File, url: str) -> Mapping[str, Any]:
    """Return what the end of an upload in parts answers."""
    return {
        "handle": file.handle,
        "url": url,
        "container": file.stored.container if file.stored else None,
        "filename": file.filename,
        "key": file.stored.key if file.stored else None,
        "size": file.size,
        "mimetype": file.content_type,
        "type": file.content_type,
        "status": "Stored",
        "upload_tags": dict(file.tags) if file.tags else None,
    }
