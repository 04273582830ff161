"""How somebody wants a file stored, as query and form say it, and as an upload's `store` object does."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from tintype.api.picker.bodies import Sent, mapping
from tintype.api.picker.entry import said
from tintype.core.files import Policy, StoreOptions
from tintype.errors import Invalid

TAGS_MAX = 4096

_ACCESS = ("private", "public")


def wished(
    request: Request, body: Sent, *, location: str = "S3", client: str | None = None, policy: Policy | None = None
) -> StoreOptions:
    """Return how a file is to be stored; raises `Invalid` for an access that is none."""
    fields = body.fields
    return StoreOptions(
        location=location,
        path=said(request, fields, "path", "storePath"),
        container=said(request, fields, "container", "storeContainer"),
        filename=said(request, fields, "filename") or body.filename,
        content_type=said(request, fields, "mimetype") or body.content_type,
        access=_access(said(request, fields, "access", "storeAccess")),
        base64=(said(request, fields, "base64decode") or "").lower() == "true",
        min_size=policy.min_size if policy else None,
        max_size=policy.max_size if policy else None,
        client=client,
    )


def store_of(body: Mapping[str, Any], policy: Policy | None) -> StoreOptions:
    """Return how an upload in parts is to be stored: its `store` object, or fields like `store_location` of a form."""
    store = mapping(body.get("store"))

    def one(name: str) -> str | None:
        found = store.get(name) or body.get(f"store_{name}") or body.get(f"store[{name}]")
        if found is not None and not isinstance(found, str):
            raise Invalid(f"store.{name} must be a string")
        return found or None

    return StoreOptions(
        location=one("location") or "filestack",
        path=one("path"),
        container=one("container"),
        access=_access(one("access")),
        tags=_tags(body.get("upload_tags")),
        min_size=policy.min_size if policy else None,
        max_size=policy.max_size if policy else None,
    )


def _tags(given: object) -> Mapping[str, Any] | None:
    """Return the tags of an upload, as long as every database can keep them."""
    tags = mapping(given)
    try:
        text = json.dumps(tags, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        raise Invalid("upload_tags has numbers or letters that cannot be kept") from None
    if len(text) > TAGS_MAX or "\\u0000" in text:
        raise Invalid(f"upload_tags must be an object of at most {TAGS_MAX} letters that can be shown")
    return tags or None


def _access(given: str | None) -> str:
    if given is not None and given not in _ACCESS:
        raise Invalid("access must be private or public")
    return given or "private"
