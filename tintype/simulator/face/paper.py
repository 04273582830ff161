"""What the face's pages are printed on: templates, the style sheet, and a policy that lets in nothing from elsewhere."""

import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from tintype.simulator.face import speech

HERE = Path(__file__).parent
SHEETS = {"face.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}

OWN_ONLY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": f"{OWN_ONLY}; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer, with which a browser hides from us that a form of ours comes from us.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept, Sec-Fetch-Dest",
}
# Where an app sends people after their consent is its own business, and browsers hold form-action against each step.
CONSENT_HEADERS = {**HEADERS, "Content-Security-Policy": OWN_ONLY}

_pages = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters.update(ago=speech.ago, span=speech.span, moment=speech.moment, count=speech.count)


def page(name: str, status: int = 200, headers: dict[str, str] = HEADERS, **shown: Any) -> HTMLResponse:
    """A page of this template."""
    return HTMLResponse(_pages.get_template(name).render(style=STYLE, icon=ICON, **shown), status, headers)


def sheet(name: str) -> Response:
    """A file that pages load; they name it by what is in it, so that it may be kept."""
    return Response(
        (HERE / name).read_bytes(),
        media_type=SHEETS[name],
        headers={"Cache-Control": "max-age=86400", "X-Content-Type-Options": "nosniff"},
    )


def _address(name: str) -> str:
    return f"/_face/{name}?{hashlib.sha256((HERE / name).read_bytes()).hexdigest()[:10]}"


STYLE, ICON = _address("face.css"), _address("icon.svg")
