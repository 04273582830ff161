"""Who opens a dialog: the origin of the page that frames it, as its browser says, and what the page asks for."""

from dataclasses import replace
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import QueryParams

from tintype.core.files import Admitted, Opening, PickerApp, Purpose, location_of, origin_of
from tintype.errors import Forbidden, Invalid

ID_LETTERS = 64


def opener_of(request: Request, app: PickerApp) -> str:
    """Return the origin of the page that opens a dialog.

    The browser tells it, unless the page forbade that; then the host that the page names has to be one of the app's. It
    is no harm when that is a lie: only pages of this very origin can frame the dialog or hear what it says. Raises
    `Forbidden` when it is none of the app's, or nobody knows.
    """
    origin = referring(request)
    if origin is None:
        host = request.query_params.get("referrer", "").lower()
        named = [one for one in app.origins if urlsplit(one).hostname == host]
        if len(named) != 1:
            raise Forbidden(
                "this page does not say where it is, so nothing can be sent to it; let its referrer policy tell its origin"
            )
        return named[0]
    if not app.takes(origin):
        raise Forbidden(f"{origin} is not one of the origins of this app; its owner can add it")
    return origin


def referring(request: Request) -> str | None:
    """Return the origin of the Referer header."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
        return origin_of(f"{parts.scheme}://{parts.netloc}")
    except (ValueError, Invalid):
        return None


def opening_of(purpose: Purpose, query: QueryParams) -> Opening:
    """Return what a page asks for; values arrive as pages of old wrote them, without any encoding.

    Raises `Invalid` for a storage location that is none.
    """
    return Opening(
        purpose=purpose,
        call_id=query.get("id", "")[:ID_LETTERS],
        types=_words(query.get("m")),
        endings=tuple(one.lstrip(".").lower() for one in _words(query.get("ext"))),
        many=query.get("multi") == "true",
        most=_number(query.get("maxFiles")) or Opening().most,
        storing=_storing(query),
        max_size=_number(query.get("maxSize")),
        url=query.get("url"),
        filename=query.get("defaultSaveasName"),
    )


def narrowed(opening: Opening, admitted: Admitted) -> Opening:
    """Return an opening within what the page's policy allows."""
    policy = admitted.policy
    if policy is None:
        return opening
    sizes = [size for size in (opening.max_size, policy.max_size) if size is not None]
    return replace(
        opening,
        min_size=policy.min_size,
        max_size=min(sizes) if sizes else None,
        expires_at=int(policy.expiry.timestamp()),
    )


def _storing(query: QueryParams) -> dict[str, str]:
    location = query.get("storeLocation")
    if not location:
        return {}
    location_of(location)
    given = {
        "location": location,
        "path": query.get("storePath"),
        "container": query.get("storeContainer"),
        "access": query.get("storeAccess"),
    }
    return {name: value for name, value in given.items() if value}


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(one.strip() for one in (text or "").split(",") if one.strip())


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 16 and int(text) > 0 else None
