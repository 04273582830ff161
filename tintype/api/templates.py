"""The templates of all pages, the headers that every page is sent with, and the page of a connection that came to nothing."""

from pathlib import Path

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
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer, with which a browser hides from us that a form of ours comes from us.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_KEPT = ("x-error-code", "retry-after")


def wants_page(request: Request) -> bool:
    """Tell whether whoever asks is a browser, with a person before it."""
    return "text/html" in request.headers.get("accept", "")


def not_connected(refusal: Response, message: str) -> HTMLResponse:
    """Return a dialect's refusal to connect an account as a page that tells a person `message`; its status stays."""
    sentence = f"{message[:1].upper()}{message[1:].rstrip('.')}."
    page = templates.get_template("not_connected.html").render(sentence=sentence, causes=diagnose(message)[:1])
    kept = {name: refusal.headers[name] for name in _KEPT if name in refusal.headers}
    return HTMLResponse(page, refusal.status_code, {**PAGE_HEADERS, **kept})
