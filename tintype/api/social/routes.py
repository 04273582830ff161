"""The social dialect put together: each group of its routes adds itself to the one app."""

from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from tintype.api.dialect import Mounted, Surround, build
from tintype.api.later import Later
from tintype.api.social import accounts, auth, bulk, connecting, files, insights, members, posting, posts
from tintype.api.social.desk import SocialDesk
from tintype.api.social.dialect import SOCIAL
from tintype.core.publishing import MOST_BYTES

# What pages of other origins may do when CORS_ORIGINS names them.
METHODS = ("GET", "POST", "PATCH", "DELETE")
SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Requested-With",
    "X-Workspace",
)
SHOWN = (
    "ETag",
    "Location",
    "Idempotent-Replayed",
    "Retry-After",
    "WWW-Authenticate",
    "X-Error-Code",
    "X-Request-Id",
)


def mount(desk: SocialDesk) -> Mounted:
    """Return the social dialect, ready to be put behind a `Front`."""
    app = Later(partial(_routes, desk))
    larger = {posting.UPLOADS: desk.upload_max_bytes, bulk.IMPORT: MOST_BYTES}
    around: ASGIApp = Surround(app, SOCIAL, desk.max_body_bytes, larger)
    if desk.origins:
        around = CORSMiddleware(around, desk.origins, METHODS, SENT, True, expose_headers=SHOWN, max_age=600)
    return Mounted(SOCIAL, around, openapi=app.openapi)


def _routes(desk: SocialDesk) -> FastAPI:
    app = build(SOCIAL, version=desk.version)
    for group in (auth, members, connecting, accounts, posting, insights, posts, bulk, files):
        group.add(app, desk)
    return app
