"""How often a password may be wrong: five times a minute, ten times in a row. Pure rules; the counts are kept elsewhere.

Accounts are counted by the e-mail address that was typed, whether anybody has it or not: nobody learns which from a lock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tintype.core.access.model import Locked, fingerprint
from tintype.errors import RateLimited

WINDOW = timedelta(minutes=1)
MOST_IN_WINDOW = 5
MOST_IN_A_ROW = 10
LOCK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted for one account or address; `since` is when the present minute began."""

    since: datetime
    recent: int = 0
    in_a_row: int = 0
    locked_until: datetime | None = None

    def check(self, now: datetime) -> None:
        """Go on when one more attempt may be looked at.

        Raises `Locked` or `RateLimited`.
        """
        if self.locked_until is not None and now < self.locked_until:
            left = (self.locked_until - now).total_seconds()
            raise Locked("Account is locked after too many failed logins; try again later", retry_after=left)
        if self.recent >= MOST_IN_WINDOW and now < self.since + WINDOW:
            left = (self.since + WINDOW - now).total_seconds()
            raise RateLimited("Too many failed logins; wait and try again", retry_after=left)

    def failed(self, now: datetime, *, locks: bool) -> "Tally":
        """Count one more wrong password; what `locks` is locked by the tenth in a row, and begins anew after that."""
        fresh = now >= self.since + WINDOW
        since, recent = (now, 1) if fresh else (self.since, self.recent + 1)
        if locks and self.in_a_row + 1 >= MOST_IN_A_ROW:
            return Tally(since, recent, 0, now + LOCK)
        return Tally(since, recent, self.in_a_row + 1, None)

    def forgiven(self) -> "Tally":
        """Take back the last one that was counted."""
        return replace(self, recent=max(0, self.recent - 1), in_a_row=max(0, self.in_a_row - 1))


def account_digest(email: str) -> str:
    """Return the name under which an account's attempts are counted."""
    return fingerprint(f"account {email}")


def address_digest(address: str) -> str:
    """Return the name under which an address's attempts are counted."""
    return fingerprint(f"address {address}")
