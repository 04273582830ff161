"""Seed 4: from a link to a recipe, in a queue that can be watched. Errors are `{error, message, details}`."""

from tintype.api.queue.desk import QueueDesk
from tintype.api.queue.dialect import QUEUE
from tintype.api.queue.gate import Gate
from tintype.api.queue.hub import Hub
from tintype.api.queue.pushing import QueueNews
from tintype.api.queue.routes import mount
from tintype.api.queue.wire import Wire

__all__ = ["QUEUE", "Gate", "Hub", "QueueDesk", "QueueNews", "Wire", "mount"]
