"""Seed 4: from a link to a recipe, in a queue that can be watched. Errors are `{error, message, details}`.

Here stands what is told of the queue also where nobody is served; the dialect is mounted by `routes`.
"""

from tintype.api.queue.hub import Hub
from tintype.api.queue.news import QueueNews
from tintype.api.queue.wire import Wire

__all__ = ["Hub", "QueueNews", "Wire"]
