"""The console put together: each group of its pages adds itself to the one app."""

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI

from tintype import __version__
from tintype.api.console import (
    accounts,
    apps,
    assets,
    documentation,
    downloads,
    feed,
    insights,
    overview,
    posts,
    publish,
    recipes,
    signing,
    start,
    system,
    team,
    webhooks,
)
from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.dialect import CONSOLE
from tintype.api.dialect import Mounted, Surround, build
from tintype.api.later import Later

GROUPS: tuple[Callable[[FastAPI, ConsoleDesk], None], ...] = (
    start.add,
    signing.add,
    overview.add,
    accounts.add,
    feed.add,
    publish.add,
    posts.add,
    insights.add,
    recipes.add,
    downloads.add,
    apps.add,
    webhooks.add,
    team.add,
    system.add,
    documentation.add,
)

MOST_BYTES = 1024 * 1024


def mount(desk: ConsoleDesk) -> Mounted:
    """Return the pages for people, ready to be put behind a `Front`."""
    app = Later(partial(_routes, desk))
    return Mounted(CONSOLE, Surround(app, CONSOLE, MOST_BYTES, {publish.PLACE: desk.upload_max_bytes}))


def _routes(desk: ConsoleDesk) -> FastAPI:
    app = build(CONSOLE, version=__version__)
    assets.add(app)
    for add in GROUPS:
        add(app, desk)
    return app
