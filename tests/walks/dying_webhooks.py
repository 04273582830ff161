"""A process that sends webhooks and dies at a chosen moment: FOLDER ALLOWED MOMENT COUNT.

It dies with kill -9 at the COUNTth time that it comes to the moment: `claimed`, `sent` or `recorded`.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.profile import backends
from tintype.app import open_house
from tintype.core.webhooks import DeliveryRecords, Tries
from tintype.settings import Settings, load


def settings_of(folder: Path, allowed: str) -> Settings:
    """Settings of a house that calls a receiver on this machine."""
    return load(
        data=folder,
        feed_sync_minutes=0,
        image_workers=1,
        outbound_allow=allowed,
        webhook_jitter_seconds=0,
        webhook_seconds=5,
        **backends(folder),
    )


def _die_at(moment: str, count: int) -> None:
    left = [count]

    def passes() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    claim, settle, record = DeliveryRecords.claim, Tries.settle, DeliveryRecords.record

    async def claimed(self: DeliveryRecords, *given: Any) -> Any:
        found = await claim(self, *given)
        for _ in found if moment == "claimed" else ():
            passes()
        return found

    async def sent(self: Tries, *given: Any) -> Any:
        if moment == "sent":
            passes()
        return await settle(self, *given)

    async def recorded(self: DeliveryRecords, *given: Any) -> Any:
        done = await record(self, *given)
        if moment == "recorded":
            passes()
        return done

    DeliveryRecords.claim, Tries.settle, DeliveryRecords.record = claimed, sent, recorded  # pyright: ignore[reportAttributeAccessIssue] - this process is there to die


async def _send(folder: Path, allowed: str) -> None:
    async with open_house(settings_of(folder, allowed)):
        await asyncio.sleep(60)


def main() -> None:
    """Send until death comes."""
    folder, allowed, moment, count = sys.argv[1:]
    _die_at(moment, int(count))
    asyncio.run(_send(Path(folder), allowed))


if __name__ == "__main__":
    main()
