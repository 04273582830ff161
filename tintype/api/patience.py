"""How long a request's body may take: whoever sends it a letter at a time holds a connection and a place for nothing.

Only the time that is spent waiting for the sender counts, not what we do with what came. What nobody reads of a body is taken
and thrown away, within bounds: a connection that closes on who still sends loses the answer, and the next request on it.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

BODY_SECONDS = 20.0  # for the first byte, and between any two
SLOWEST_BYTES = 1024  # a second; a phone at the edge of its network sends more
DRAIN_BYTES = 4 * 2**20
DRAIN_SECONDS = 2.0


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

    async def drain(self) -> None:
        """Take what is left of the body, as far as it comes soon; `is_whole` tells afterwards whether that was all."""
        most = self.taken + DRAIN_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.is_whole and self.taken < most:
                    message = await self.receive()
                    self.taken += len(message.get("body", b""))
                    self.is_whole = not message.get("more_body", False)
