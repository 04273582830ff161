"""How long a request's body may take: whoever sends it a letter at a time holds a connection and a place for nothing.

Only the time that is spent waiting for the sender counts, not what we do with what came.
"""

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

BODY_SECONDS = 20.0  # for the first byte, and between any two
SLOWEST_BYTES = 1024  # a second; a phone at the edge of its network sends more


@dataclass(slots=True)
class Patient:
    """What an app receives, until the body is whole; after that it may wait for the client to go away as long as it likes."""

    receive: Receive
    taken: int = 0
    waited: float = 0.0
    is_whole: bool = False

    async def __call__(self) -> Message:
        """Return the next message; raises HTTP 408 for a body that comes too slowly."""
        if self.is_whole:
            return await self.receive()
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(BODY_SECONDS + self.taken / SLOWEST_BYTES - self.waited):
                message = await self.receive()
        except TimeoutError:
            self.is_whole = True
            raise HTTPException(
                408, "the request body came too slowly; send it again", {"Connection": "close"}
            ) from None
        self.waited += clock() - began
        self.taken += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        return message
