"""The headers that every page of the console is sent with."""

from collections.abc import Mapping, Sequence

from tintype.api.templates import PAGE_HEADERS

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)

HEADERS: Mapping[str, str] = {**PAGE_HEADERS, "Content-Security-Policy": _POLICY}


def leading_to(origins: Sequence[str]) -> Mapping[str, str]:
    """Return the headers of a page with a form that leads on to other origins: browsers check that step too."""
    return {**HEADERS, "Content-Security-Policy": " ".join((_POLICY, *origins))}
