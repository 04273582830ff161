"""Words of access: workspaces, credentials and callers, and the pure rules about them."""

import hashlib
import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from tintype.errors import Conflict, Forbidden, Invalid

NAME_MIN = 3  # promised by seed 0
NAME_MAX = 200
EMAIL_MAX = 254  # RFC 5321

_BASE62 = string.ascii_letters + string.digits


class Grant(StrEnum):
    """What a credential allows."""

    WORKSPACE = "workspace"  # everything in one workspace
    FEED = "feed"  # reading one workspace's feed, from a website


class Role(StrEnum):
    """What a member may do in a workspace; a workspace's own token speaks for its owner."""

    OWNER = "owner"  # everything, and who else is a member
    EDITOR = "editor"  # connect, publish, change
    VIEWER = "viewer"  # look


_RANKS = (Role.VIEWER, Role.EDITOR, Role.OWNER)


@dataclass(frozen=True, slots=True)
class Workspace:
    """One customer's room: accounts, media and credentials belong to exactly one."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as its owner sees it later: never the secret, only how it begins."""

    id: str
    workspace_id: str
    grant: Grant
    label: str
    hint: str
    origins: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None = None  # to some minutes; None: not since it is kept


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential at the one moment its secret is known."""

    credential: Credential
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who showed a valid credential."""

    workspace_id: str
    workspace_name: str
    grant: Grant
    credential_id: str
    origins: tuple[str, ...] = ()
    role: Role = Role.OWNER
    user_id: int | None = None  # None for a token that belongs to no person

    def must(self, role: Role) -> None:
        """Go on when the caller may do what `role` may; raises `Forbidden`."""
        if _RANKS.index(self.role) < _RANKS.index(role):
            raise Forbidden(f"this needs the role {role.value}; yours in this workspace is {self.role.value}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in; `email` is None for people of an external issuer that vouched for none."""

    id: int
    email: str | None
    name: str
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a workspace, and what its holder may do there."""

    workspace: Workspace
    role: Role


@dataclass(frozen=True, slots=True)
class Person:
    """A user with all places in living workspaces, the oldest first."""

    user: User
    seats: tuple[Seat, ...]

    def seat(self, workspace_id: str | None) -> Seat | None:
        """Return the place in this workspace; None: there is none."""
        return next((one for one in self.seats if one.workspace.id == workspace_id), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A user as the other members of a workspace see them."""

    user: User
    role: Role
    since: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """A place that waits for somebody who is not registered yet; `secret` is only known when it is made."""

    email: str
    role: Role
    expires_at: datetime
    secret: str = field(repr=False)


class Locked(Forbidden):
    """The account takes no password for a while, not even the right one."""


class Unfit(Invalid):
    """A registration that cannot be taken as it is; whoever shows it also shows what a password must have."""

    def __init__(self, *problems: str, summary: str | None = None) -> None:
        super().__init__(*problems)
        self.message = summary or self.message


def fingerprint(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256, enough because secrets are long and random."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret(grant: Grant) -> str:
    """Return a fresh secret: a UUIDv4 for a workspace (seed 0 shows one), `fk_` and 27 base62 characters for a feed."""
    if grant is Grant.WORKSPACE:
        return str(uuid4())
    return "fk_" + "".join(secrets.choice(_BASE62) for _ in range(27))


def checked_name(name: str) -> str:
    """Return a workspace's name, trimmed.

    Raises `Invalid` when it is too short or too long, or cannot be stored.
    """
    name = name.strip()
    if "\0" in name:
        raise Invalid("name must not contain a null character")
    if not NAME_MIN <= len(name) <= NAME_MAX:
        raise Invalid(f"name must be at least {NAME_MIN} characters and at most {NAME_MAX}")
    return name


def checked_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Return web origins (`https://example.com`), lower-case and without a trailing slash.

    Raises `Invalid` for anything that is not an origin.
    """
    found = tuple(origin.strip().rstrip("/").lower() for origin in origins)
    for origin in found:
        scheme, separator, host = origin.partition("://")
        if scheme not in ("http", "https") or not separator or not host or set(host) & set("/?#@ *"):
            raise Invalid(f"{origin!r} is not an origin; write it like https://example.com")
    return found


_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f\ud800-\udfff]+@[^@\s\x00-\x1f\x7f\ud800-\udfff]+")


def normal_email(email: str) -> str:
    """Return an e-mail address as it is compared: trimmed and in lower case."""
    return email.strip().lower()


def email_problem(email: str) -> str | None:
    """Return what is wrong with an e-mail address; None: nothing that could be seen without writing to it."""
    if len(email) > EMAIL_MAX or not _EMAIL.fullmatch(email):
        return "email must be an e-mail address, like name@example.com"
    return None


def check_owner_stays(roles: dict[int, Role], user_id: int, role: Role | None) -> None:
    """Go on when a workspace keeps an owner after one member gets `role`, or leaves (None).

    Raises `Conflict`.
    """
    after = {**roles, user_id: role}
    if roles.get(user_id) is Role.OWNER and Role.OWNER not in after.values():
        raise Conflict("a workspace needs an owner: make somebody else the owner first")
