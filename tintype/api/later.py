"""Routes that are made when the first of them is asked for.

A dialect's routes take the framework some fifty milliseconds, and most houses are never spoken to in all dialects: a start,
and what starts again after a crash, waits for none of them.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send


class Later:
    """An app that `make` makes at the first request."""

    def __init__(self, make: Callable[[], FastAPI]) -> None:
        self._make = make

    @cached_property
    def _app(self) -> FastAPI:
        return self._make()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes of the app."""
        return self._app.routes

    def openapi(self) -> dict[str, Any]:
        """Return what the app offers."""
        return self._app.openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, send)
