"""Letters to the owners of an endpoint that is not sent to any more: it tells nobody of anything, so nobody would notice."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from tintype.backends.engine import Job, Result, Schedule
from tintype.backends.mail import Letter, Mail
from tintype.core.webhooks.model import Endpoint
from tintype.core.webhooks.records import EndpointRecords
from tintype.errors import Unreachable

log = logging.getLogger(__name__)

LATE = timedelta(days=1)  # a mail server that is away for longer has its operator's attention
WRITE = "webhooks.letters"

_TEXT = """The webhook endpoint at {host} is disabled: {reason}.

Nothing is sent to it any more. What happens is kept for it as long as messages are kept here.
Mend the receiver, then let it be sent to again: {place}
"""


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes to owners; `owners` gives the addresses of a workspace's, `base` is where the console is."""

    endpoints: EndpointRecords
    mail: Mail
    owners: Callable[[str], Awaitable[Sequence[str]]]
    base: str
    now: Callable[[], datetime]

    async def write(self) -> int:
        """Tell of every endpoint that was disabled lately, once; return of how many. What cannot go now goes later.

        A process that dies between sending and noting it leaves a letter that goes out again, under the same name.
        """
        now, written = self.now(), 0
        for endpoint in await self.endpoints.unwritten(now - LATE):
            to = await self.owners(endpoint.workspace_id)
            try:
                if to:
                    await self.mail.send(self._letter(endpoint, to, now))
                    written += 1
            except Unreachable as trouble:
                log.warning("of endpoint %s nobody is written to for now: %s", endpoint.id, trouble.message)
                continue
            await self.endpoints.change(endpoint, written_at=now)
        return written

    def _letter(self, endpoint: Endpoint, to: Sequence[str], now: datetime) -> Letter:
        # Its address may have a secret in it, so only the host is named.
        host = urlsplit(endpoint.url).hostname or "an address of yours"
        since = int(endpoint.failed_at.timestamp()) if endpoint.failed_at else 0
        text = _TEXT.format(host=host, reason=endpoint.reason, place=f"{self.base}/console/webhooks/{endpoint.id}")
        return Letter(f"{endpoint.id}.{since}", to, f"Webhook endpoint disabled: {host}", text, now)


def jobs(letters: Letters | None) -> Sequence[Job]:
    """Return the jobs of webhooks; without letters there are none."""
    if letters is None:
        return ()

    async def write() -> Result:
        return {"written": await letters.write()}

    return (Job(WRITE, write),)


def schedules(letters: Letters | None) -> Sequence[Schedule]:
    """Return when they start by themselves."""
    return (Schedule(WRITE, WRITE, "*/5 * * * *"),) if letters is not None else ()
