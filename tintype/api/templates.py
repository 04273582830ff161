"""The templates of all pages, and the headers that every page is sent with."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

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
