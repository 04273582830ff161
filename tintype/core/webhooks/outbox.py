"""The outbox: what happened is written in the transaction in which it happens, so nothing that is true goes untold."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database
from tintype.core.webhooks.model import Happening
from tintype.core.webhooks.records import curious, hears, put, wanting

# Whether this task put something that somebody wants and did not say yet that it is stored.
_written: ContextVar[bool] = ContextVar("written", default=False)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Takes what happened; `wake` has it sent soon."""

    database: Database
    now: Callable[[], datetime]
    wake: Callable[[], None]

    async def put(self, connection: AsyncConnection, happening: Happening) -> None:
        """Write one message to every endpoint that wants it, in the caller's own transaction."""
        if await put(connection, happening, self.now()) is not None:
            _written.set(True)

    async def tell(self, happening: Happening) -> None:
        """Write one message in a transaction of its own, for what is true already."""
        if not await self.database.look(lambda connection: wanting(connection, happening)):
            return  # most of what happens is nobody's business, and must not hold up those who write
        async with self.database.write() as connection:
            written = await put(connection, happening, self.now())
        if written is not None:
            self.wake()

    async def hears(self, workspace_id: str, event: str) -> bool:
        """Tell whether anybody wants to hear of such an event, before there is anything to tell."""
        return await self.database.look(lambda connection: hears(connection, workspace_id, event))

    async def curious(self) -> Sequence[str]:
        """Return the workspaces that want to hear of more than files."""
        return await curious(self.database)

    def due(self) -> None:
        """Have what was put beside something else sent soon, if anybody wanted it; called when the transaction has ended."""
        if _written.get():
            _written.set(False)
            self.wake()
