"""The two paths that are no more: whatever is sent there, by whomever, is told where to go instead."""

from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tintype.api.queue.desk import QueueDesk

_HEADERS = {"Link": '</api/queue>; rel="successor-version"', "X-Error-Code": "gone"}
_INSTEAD = {
    "/api/extract": (
        "POST /api/queue",
        "This endpoint is gone: POST /api/queue answers at once, GET /api/queue/{id} later.",
    ),
    "/api/extract-stream": (
        "POST /api/queue + GET /api/queue/stream",
        "This endpoint is gone: POST /api/queue, then listen at GET /api/queue/stream?itemId=…",
    ),
}


def add(app: FastAPI, desk: QueueDesk) -> None:
    """Add the routes, which take every method."""
    for path, (use, message) in _INSTEAD.items():
        said = {
            "error": "Gone",
            "message": message,
            "details": {"code": "gone", "use": use, "docs": f"{desk.base}/openapi/queue.json"},
        }
        app.router.add_route(path, _Gone(JSONResponse(said, 410, _HEADERS)), include_in_schema=False)  # pyright: ignore[reportArgumentType] - an ASGI app is taken as well


class _Gone:
    """Says the same to everybody, without reading what was sent."""

    def __init__(self, answer: JSONResponse) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)
