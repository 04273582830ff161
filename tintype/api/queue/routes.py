"""The queue dialect put together: each group of its routes adds itself to the one app."""

from functools import partial

from fastapi import FastAPI

from tintype.api.dialect import Mounted, Surround, build
from tintype.api.later import Later
from tintype.api.queue import gone, items, pushing, sharing
from tintype.api.queue.desk import QueueDesk
from tintype.api.queue.dialect import BODY_BYTES, QUEUE
from tintype.api.queue.stream import PATH, StreamRoute


def mount(desk: QueueDesk) -> Mounted:
    """Return the queue dialect, ready to be put behind a `Front`."""
    app = Later(partial(_routes, desk))
    larger = {items.BATCH: items.BATCH_BYTES, sharing.SHARE: desk.upload_bytes}
    around = Surround(app, QUEUE, BODY_BYTES, larger)
    return Mounted(QUEUE, around, {("GET", PATH): StreamRoute(desk)}, app.openapi)


def _routes(desk: QueueDesk) -> FastAPI:
    app = build(QUEUE, version=desk.version)
    for group in (gone, items, pushing, sharing):
        group.add(app, desk)
    return app
