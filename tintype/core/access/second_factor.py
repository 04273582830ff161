"""The trade of second factors: codes that change every thirty seconds (RFC 6238), and spare ones on paper."""

import hmac
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pyotp import random_base32
from pyotp.totp import TOTP

from tintype.backends.vault import Vault
from tintype.core.access.attempts import account_digest, address_digest
from tintype.core.access.browsing_records import BrowsingRecords
from tintype.core.access.model import User, fingerprint
from tintype.core.access.session_records import AttemptRecords
from tintype.errors import Conflict, Unauthorized

STEP = 30  # seconds
SPARES = 8
_CONTEXT = "second factor"
_WRONG = "this code is wrong, or was used already"


@dataclass(frozen=True, slots=True)
class Offered:
    """A second factor before its user has shown that their app knows it: the secret, and the address a QR code holds."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """Keeps second factors, sealed."""

    records: BrowsingRecords
    attempts: AttemptRecords
    vault: Vault
    now: Callable[[], datetime]

    async def is_on(self, user_id: int) -> bool:
        """Tell whether a user signs in with a code as well."""
        factor = await self.records.factor(user_id)
        return factor is not None and factor.confirmed_at is not None

    async def offer(self, user: User) -> Offered:
        """Make a second factor, which counts once `confirm` has seen a code of it.

        Raises `Conflict` for a user who has one.
        """
        if await self.is_on(user.id):
            raise Conflict("there is a second factor already; remove it first")
        secret = random_base32()
        await self.records.keep_factor(user.id, self.vault.seal(secret, context=_CONTEXT))
        return Offered(secret, TOTP(secret).provisioning_uri(name=user.email or user.name, issuer_name="Tintype"))

    async def confirm(self, user_id: int, code: str) -> Sequence[str]:
        """Switch a second factor on and return the spare codes, which are shown this once.

        Raises `Unauthorized` for a wrong code, `Conflict` when none waits to be confirmed.
        """
        factor = await self.records.factor(user_id)
        step = _step_of(self.vault.open(factor.sealed, context=_CONTEXT), code, self.now()) if factor else None
        if step is None:
            raise Unauthorized(_WRONG)
        spares = [f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}" for _ in range(SPARES)]
        if not await self.records.confirm_factor(user_id, step, [fingerprint(one) for one in spares], self.now()):
            raise Conflict("there is a second factor already; remove it first")
        return spares

    async def check(self, user_id: int, code: str, address: str) -> None:
        """Go on when a code is right, which uses it up.

        Raises `Unauthorized` for a wrong one, `RateLimited` after several in a minute and `Locked` after many in a row.
        """
        account, place = account_digest(f"second factor of {user_id}"), address_digest(address)
        await self.attempts.claim(account, place, self.now())
        if not await self._take(user_id, code):
            raise Unauthorized(_WRONG)
        await self.attempts.clear(account, place, self.now())

    async def drop(self, user_id: int, code: str, address: str) -> None:
        """Switch a second factor off for somebody who can show a code of it; raises as `check` does."""
        await self.check(user_id, code, address)
        await self.records.drop_factor(user_id)

    async def _take(self, user_id: int, code: str) -> bool:
        factor = await self.records.factor(user_id)
        if factor is None or factor.confirmed_at is None:
            return False
        step = _step_of(self.vault.open(factor.sealed, context=_CONTEXT), code, self.now())
        if step is not None:
            return await self.records.take_step(user_id, step)
        return await self.records.take_spare(user_id, fingerprint(code.strip().lower()))


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the step that a code belongs to: this one, or one beside it, for clocks that differ a little."""
    given = "".join(code.split())
    if not given.isdecimal():
        return None
    digits = "".join(str(unicodedata.decimal(letter)) for letter in given)  # of any keyboard
    present, totp = int(now.timestamp()) // STEP, TOTP(secret)
    fitting = (
        step for step in (present, present - 1, present + 1) if hmac.compare_digest(totp.generate_otp(step), digits)
    )
    return next(fitting, None)
