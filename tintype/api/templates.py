"""The templates of all pages, the headers that every page is sent with, and the page of a connection that came to nothing."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tintype.core.accounts import diagnose

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "web" / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer, with which a browser hides from us that a form of ours comes from us.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_KEPT = ("x-error-code", "retry-after")


_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def page(name: str, status: int = 200, headers: Mapping[str, str] = PAGE_HEADERS, **shown: Any) -> HTMLResponse:
    """Return a page whose policy lets in the style sheets that stand in it, by their hashes, and no other style."""
    text = templates.get_template(name).render(**shown)
    hashes = " ".join(dict.fromkeys(_hash(sheet) for sheet in _STYLE.findall(text)))
    policy = (
        f"{headers['Content-Security-Policy']}; style-src {hashes}" if hashes else headers["Content-Security-Policy"]
    )
    return HTMLResponse(text, status, {**headers, "Content-Security-Policy": policy})


def _hash(sheet: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}'"


def wants_page(request: Request) -> bool:
    """Tell whether whoever asks is a browser, with a person before it."""
    return "text/html" in request.headers.get("accept", "")


def not_connected(refusal: Response, message: str) -> HTMLResponse:
    """Return a dialect's refusal to connect an account as a page that tells a person `message`; its status stays."""
    sentence = f"{message[:1].upper()}{message[1:].rstrip('.')}."
    kept = {name: refusal.headers[name] for name in _KEPT if name in refusal.headers}
    headers = {**PAGE_HEADERS, **kept}
    return page("not_connected.html", refusal.status_code, headers, sentence=sentence, causes=diagnose(message)[:1])
