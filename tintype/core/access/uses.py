"""When a credential was last used, to some minutes: remembered here, and written where nobody waits for it.

Fails open: a use that cannot be written, because the database is away or only read from, is forgotten, and whoever showed the
credential gets the same answer.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime

from tintype.core.access.browsing_model import NOTED
from tintype.core.access.use_records import UseRecords
from tintype.errors import Unavailable

log = logging.getLogger(__name__)

MOST = 10_000  # credentials that a process remembers; past it all are forgotten, and written once more


@dataclass(slots=True)
class Uses:
    """Notes when credentials are shown, each at most once in `NOTED`."""

    records: UseRecords
    now: Callable[[], datetime]
    _noted: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _unwritten: set[str] = field(default_factory=set[str])
    _writing: "asyncio.Task[None] | None" = None

    def note(self, credential_id: str) -> None:
        """Take down that a credential was shown now, without waiting for anything."""
        now, noted = self.now(), self._noted.get(credential_id)
        if noted is not None and now - noted < NOTED:
            return
        if len(self._noted) >= MOST:
            self._noted.clear()
        self._noted[credential_id] = now
        self._unwritten.add(credential_id)
        if self._writing is None or self._writing.done():
            # In a context of its own: whoever showed it may be in the middle of a transaction.
            self._writing = asyncio.get_running_loop().create_task(self._write(), context=Context())

    async def close(self) -> None:
        """Wait until what was noted is written."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while self._unwritten:
            ids = list(self._unwritten)
            self._unwritten.clear()
            try:
                await self.records.store(ids, self.now())
            except Unavailable as trouble:
                log.warning("last uses of %d credentials were not written: %s", len(ids), trouble.message)
