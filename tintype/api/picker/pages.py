"""The pages of the dialog and the headers they go out with: scripts by nonce only, framed by one origin only."""

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse

from tintype.api.picker.assets import languages
from tintype.api.picker.scripts import address
from tintype.api.templates import templates

RIGHT_TO_LEFT = frozenset({"ar"})

_PAGE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    # Pages that isolate themselves may frame the dialog too.
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def framed(template: str, origin: str, *, status: int = 200, language: str = "en", **shown: Any) -> HTMLResponse:
    """Return a page that only pages of `origin` may frame."""
    nonce = secrets.token_urlsafe(18)
    return HTMLResponse(
        _rendered(template, nonce, language, shown),
        status,
        {**_PAGE, "Content-Security-Policy": policy(nonce, origin)},
    )


def popup(template: str, *, status: int = 200, leads_to: str = "", **shown: Any) -> HTMLResponse:
    """Return a page of the window in which an account is connected; nobody may frame it, and its address is told to nobody."""
    nonce = secrets.token_urlsafe(18)
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "unsafe-none",
        "Content-Security-Policy": policy(nonce, "'none'", leads_to),
    }
    return HTMLResponse(_rendered(template, nonce, "en", shown), status, headers)


def policy(nonce: str, ancestor: str, leads_to: str = "") -> str:
    """Return the policy of a page: what it loads comes from us and carries the nonce, thumbnails included."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            f"form-action 'self' {leads_to}".strip(),
            f"frame-ancestors {ancestor}",
        )
    )


def words_of(language: str) -> Mapping[str, str]:
    """Return the dialog's words in a language, in English where it lacks one."""
    return {**languages()["en"], **languages()[language]}


def _rendered(template: str, nonce: str, language: str, shown: Mapping[str, Any]) -> str:
    return templates.get_template(f"picker/{template}").render(
        nonce=nonce,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        words=words_of(language),
        asset=address,
        **shown,
    )
