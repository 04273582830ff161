"""Words of accounts, and the pure rules of a token's life."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tintype.instagram import App, Login

DAY = timedelta(days=1)

REFRESH_AFTER = 20 * DAY  # leaves thirty-nine daily tries before a 60-day token dies
REFRESH_APART = DAY  # over which the first tries of accounts lie that were connected at one moment
CLOCKS_APART = timedelta(minutes=1)  # Meta's and ours, at most
REFRESH_NEVER_BEFORE = DAY  # Meta refuses to refresh a younger token (graph-api.md 1.5)
TRY_EVERY = DAY
TRY_JITTER = timedelta(hours=2)
WARN_DAYS = (14, 7, 3, 1)


class State(StrEnum):
    """How an account stands with Instagram."""

    WAITING = "waiting"  # registered without a token: somebody has to connect it
    CONNECTED = "connected"
    RECONNECT = "reconnect"  # Instagram took the permission back: a person has to connect it again
    DISCONNECTED = "disconnected"  # we were told to let go of it


@dataclass(frozen=True, slots=True)
class Account:
    """One Instagram account in one workspace; its token is not here, see `Grip`."""

    id: str
    workspace_id: str
    login: Login
    instagram_id: str
    username: str | None
    name: str | None
    account_type: str | None
    state: State
    reason: str | None
    scopes: tuple[str, ...]
    token_issued_at: datetime | None
    token_expires_at: datetime | None
    token_tried_at: datetime | None
    warned_days: int | None
    created_at: datetime
    picture_url: str | None = None
    followers_count: int | None = None
    follows_count: int | None = None
    number: int = 0  # by which seed 3 knows it; 0 before it was stored
    visiting: bool = False  # a visitor of somebody's website connected it in a dialog: no part of the workspace's own
    app_scoped_id: str | None = None  # by which Meta's calls may mean it


@dataclass(frozen=True, slots=True)
class Grip:
    """An account together with its opened token and the app that the token belongs to, for the next few calls."""

    account: Account
    token: str = field(repr=False)
    app: App | None = field(repr=False)
    user_token: str | None = field(default=None, repr=False)
    sealed: bytes | None = field(default=None, repr=False)  # the token as it is stored, to tell whether it still is


@dataclass(frozen=True, slots=True)
class Signer:
    """Who may have signed a call of Meta's: the app of one workspace's login, or the operator's without a workspace."""

    workspace_id: str | None
    login: Login
    secret: str = field(repr=False)


def share(name: str) -> float:
    """Return a number from 0 to below 1 that belongs to a name, by which what has other names is done apart from it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48


def refresh_due(account: Account, now: datetime, apart: float) -> bool:
    """Tell whether a token should be refreshed now: on its 21st day, and then once a day; `apart`, a share, spreads the tries.

    A token of unknown age (handed in by /register) may be 59 days old, so it is tried at once, and daily until it works.
    """
    if account.token_tried_at and now - account.token_tried_at < TRY_EVERY + apart * TRY_JITTER:
        return False
    if account.token_issued_at is None:
        return True
    return now - account.token_issued_at >= max(REFRESH_AFTER + apart * REFRESH_APART, REFRESH_NEVER_BEFORE)


def too_fresh(account: Account, now: datetime) -> bool:
    """Tell whether a token asked to be refreshed by hand is so young that this can wait."""
    return account.token_issued_at is not None and now - account.token_issued_at < REFRESH_AFTER


def is_younger(account: Account, asked_at: datetime | None) -> bool:
    """Tell whether a person allowed an account anew after they asked for its end: for what was removed no token is given.

    Without a moment, or for a token of unknown age, nobody can tell, and what was asked is done.
    """
    if asked_at is None or account.token_issued_at is None:
        return False
    return account.token_issued_at - CLOCKS_APART > asked_at


def expired(account: Account, now: datetime) -> bool:
    """Tell whether a token's known end has passed."""
    return account.token_expires_at is not None and account.token_expires_at <= now


def warning_due(account: Account, now: datetime) -> int | None:
    """Return the days left when a warning for them is due and was not given yet, else None."""
    if account.token_expires_at is None:
        return None
    left = account.token_expires_at - now
    reached = [days for days in WARN_DAYS if left <= days * DAY]
    if not reached:
        return None
    nearest = min(reached)
    return nearest if account.warned_days is None or nearest < account.warned_days else None
