"""What the social dialect's routes lean on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tintype.api.callers import Limiter
from tintype.backends.blobs import Blobs
from tintype.backends.idempotency import Idempotency
from tintype.core.access import Access, Members, Users
from tintype.core.accounts import Account, Accounts, Connecting
from tintype.core.insights import Insights
from tintype.core.publishing import Publisher


@dataclass(frozen=True, slots=True)
class Registration:
    """Who may register without an invitation."""

    is_open: bool  # everybody
    is_local: bool  # this house only serves its own machine, whose first user may always register
    admin_token: str | None = field(repr=False)  # whoever shows it


@dataclass(frozen=True, slots=True)
class SocialDesk:
    """The house, as far as the social dialect's routes need it."""

    access: Access
    users: Users
    members: Members
    accounts: Accounts
    connecting: Connecting
    connected: Callable[[Account], Awaitable[object]]  # told of every account that was just connected
    publisher: Publisher
    insights: Insights
    blobs: Blobs
    registration: Registration
    idempotency: Idempotency
    limiter: Limiter
    base: str
    version: str
    max_body_bytes: int
    upload_max_bytes: int
    wait_seconds: float  # how long a request waits for Instagram before it answers 202
    per_minute: int  # what one address may ask of /api/auth; 0: any number
    origins: tuple[str, ...] = ()  # whose pages may ask from a browser
