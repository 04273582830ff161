"""The tables of users, their places in workspaces and the invitations to one, and their SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, Instant, metadata
from tintype.backends.statements import Statement
from tintype.core.access.model import (
    Invitation,
    Member,
    Person,
    Role,
    Seat,
    User,
    Workspace,
    check_owner_stays,
    fingerprint,
)
from tintype.core.access.records import living_ids, workspaces
from tintype.core.access.session_records import sessions
from tintype.errors import Conflict, NotFound, Unauthorized

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(254)),
    Column("name", String(200), nullable=False),
    Column("password", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Index(None, "email", unique=True),
    sqlite_autoincrement=True,  # the id of somebody who is gone is nobody else's
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", String(300), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Index(None, "user_id"),
)

members = Table(
    "members",
    metadata,
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(10), nullable=False),
    Column("since", Instant, nullable=False),
    Index(None, "user_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("email", String(254), nullable=False),
    Column("role", String(10), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "workspace_id", "email", unique=True),
)


_ONE = select(users).where(users.c.id == bindparam("user_id"))
_SEATS = (
    select(members.c.role, workspaces)
    .join(workspaces, workspaces.c.id == members.c.workspace_id)
    .where(members.c.user_id == bindparam("user_id"), workspaces.c.removed_at.is_(None))
    .order_by(members.c.since, workspaces.c.created_at, workspaces.c.id)
)

# All that decides what the bearer of a token may do, in one statement: it is asked at every request.
_BEARER = Statement(
    select(
        *users.c["id", "email", "name", "created_at", "disabled_at"],
        members.c.role,
        *workspaces.c["id", "name", "created_at"],
    )
    .join(sessions, sessions.c.user_id == users.c.id)
    .outerjoin(
        members.join(workspaces, (workspaces.c.id == members.c.workspace_id) & workspaces.c.removed_at.is_(None)),
        members.c.user_id == users.c.id,
    )
    .where(users.c.id == bindparam("user_id"), sessions.c.id == bindparam("session_id"), sessions.c.ended_at.is_(None))
    .order_by(members.c.since, workspaces.c.created_at, workspaces.c.id)
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to be stored: with a password's hash, or with the name an external issuer knows them by."""

    email: str | None
    name: str
    workspace: Workspace  # a room of their own
    role: Role = Role.OWNER
    password: str | None = None
    identity: tuple[str, str] | None = None
    invitation: str | None = None  # the digest of one that is used up by this


@dataclass(frozen=True, slots=True)
class UserRecords:
    """Reads and writes users and memberships, one short transaction a method."""

    database: Database

    async def add(self, newcomer: Newcomer, at: datetime) -> int:
        """Store a user with a workspace of their own, and a place where they were invited; return the user's id.

        Raises `Conflict` for an e-mail address or identity that is known, `Unauthorized` for a dead invitation.
        """
        row = {"email": newcomer.email, "name": newcomer.name, "password": newcomer.password, "created_at": at}
        try:
            async with self.database.write() as connection:
                made = await connection.execute(insert(users).values(row).returning(users.c.id))
                user_id = made.scalar_one()
                if newcomer.identity is not None:
                    issuer, subject = newcomer.identity
                    named = {"issuer": issuer, "subject": subject, "user_id": user_id}
                    await connection.execute(insert(identities).values(named))
                if newcomer.invitation is not None:
                    await _accept(connection, newcomer.invitation, newcomer.email, user_id, at)
                await _open_room(connection, newcomer.workspace, user_id, newcomer.role)
        except IntegrityError:
            raise Conflict("Email already registered") from None
        return user_id

    async def add_workspace(self, workspace: Workspace, user_id: int) -> None:
        """Store one more workspace, owned by a user."""
        async with self.database.write() as connection:
            await _open_room(connection, workspace, user_id, Role.OWNER)

    async def any(self) -> bool:
        """Tell whether there is a user at all."""
        async with self.database.read() as connection:
            return (await connection.execute(select(users.c.id).limit(1))).one_or_none() is not None

    async def first(self) -> int | None:
        """Return the id of the user who came first; None: there is nobody."""
        async with self.database.read() as connection:
            return await connection.scalar(select(users.c.id).order_by(users.c.id).limit(1))

    async def all(self) -> Sequence[User]:
        """Return all users, oldest first."""
        async with self.database.read() as connection:
            return [_user(row) for row in await connection.execute(select(users).order_by(users.c.id))]

    async def person(self, user_id: int) -> Person | None:
        """Return a user with all places in living workspaces."""

        def look(connection: Connection) -> Person | None:
            row = connection.execute(_ONE, {"user_id": user_id}).one_or_none()
            if row is None:
                return None
            seats = connection.execute(_SEATS, {"user_id": user_id})
            return Person(_user(row), tuple(Seat(_workspace(one), Role(one.role)) for one in seats))

        return await self.database.look(look)

    async def bearer(self, session_id: str, user_id: int) -> Person | None:
        """Return a user whose session goes on, as `person` does; None: it has ended, or never began."""
        this = {"session_id": session_id, "user_id": user_id}
        rows = await self.database.look(lambda connection: _BEARER.all(connection, this))
        if not rows:
            return None
        seats = (Seat(Workspace(*room), Role(role)) for _, _, _, _, _, role, *room in rows if role is not None)
        return Person(User(*rows[0][:5]), tuple(seats))

    async def by_email(self, email: str) -> tuple[User, str | None] | None:
        """Return the user of an e-mail address, with what is stored of the password."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(users).where(users.c.email == email))).one_or_none()
        return (_user(row), row.password) if row is not None else None

    async def by_identity(self, issuer: str, subject: str) -> int | None:
        """Return the id of the user whom an external issuer knows by this subject."""
        query = select(identities.c.user_id).where(identities.c.issuer == issuer, identities.c.subject == subject)
        async with self.database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def set_password(self, user_id: int, stored: str) -> None:
        """Store another password's hash."""
        async with self.database.write() as connection:
            await connection.execute(update(users).where(users.c.id == user_id).values(password=stored))

    async def set_disabled(self, user_id: int, at: datetime | None) -> None:
        """Store since when a user may not enter; None: they may."""
        async with self.database.write() as connection:
            await connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=at))

    async def members(self, workspace_id: str) -> Sequence[Member]:
        """Return a workspace's members, those who came first in front."""
        query = select(users, members.c.role, members.c.since).join(members, members.c.user_id == users.c.id)
        query = query.where(members.c.workspace_id == workspace_id).order_by(members.c.since, users.c.id)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Member(_user(row), Role(row.role), row.since) for row in rows]

    async def add_member(self, workspace_id: str, user_id: int, role: Role, at: datetime) -> None:
        """Give a user a place in a workspace.

        Raises `Conflict` for somebody who has one.
        """
        row = {"workspace_id": workspace_id, "user_id": user_id, "role": role.value, "since": at}
        try:
            async with self.database.write() as connection:
                await connection.execute(insert(members).values(row))
        except IntegrityError:
            raise Conflict("this user is a member already; change the role instead") from None

    async def adopt(self, user_id: int, at: datetime) -> None:
        """Make a user the owner of every living workspace that nobody has a place in."""
        owned = select(members.c.workspace_id)
        orphans = living_ids().where(workspaces.c.id.not_in(owned))
        async with self.database.write() as connection:
            for workspace_id in (await connection.execute(orphans)).scalars().all():
                row = {"workspace_id": workspace_id, "user_id": user_id, "role": Role.OWNER.value, "since": at}
                await connection.execute(insert(members).values(row))

    async def set_role(self, workspace_id: str, user_id: int, role: Role | None) -> None:
        """Give a member another role, or none: then the place is gone.

        Raises `NotFound` for somebody who is no member, `Conflict` when no owner would be left.
        """
        at = (members.c.workspace_id == workspace_id, members.c.user_id == user_id)
        held = select(members).where(members.c.workspace_id == workspace_id).order_by(members.c.user_id)
        async with self.database.write() as connection:
            # All places of the workspace are held: of two owners who leave at once, one stays.
            rows = (await connection.execute(held.with_for_update())).all()
            roles = {int(row.user_id): Role(row.role) for row in rows}
            if user_id not in roles:
                raise NotFound(f"user {user_id} is not a member of this workspace")
            check_owner_stays(roles, user_id, role)
            change = delete(members).where(*at) if role is None else update(members).where(*at).values(role=role.value)
            await connection.execute(change)

    async def invite(self, workspace_id: str, invitation: Invitation, at: datetime) -> None:
        """Store an invitation in the place of an earlier one to the same person.

        Raises `Conflict` when another one is stored at the same moment.
        """
        row = {
            "digest": fingerprint(invitation.secret),
            "workspace_id": workspace_id,
            "email": invitation.email,
            "role": invitation.role.value,
            "created_at": at,
            "expires_at": invitation.expires_at,
        }
        earlier = (invitations.c.workspace_id == workspace_id) & (invitations.c.email == invitation.email)
        try:
            async with self.database.write() as connection:
                await connection.execute(delete(invitations).where(earlier | (invitations.c.expires_at < at)))
                await connection.execute(insert(invitations).values(row))
        except IntegrityError:
            raise Conflict("this person is being invited right now", retry_after=1) from None


async def _open_room(connection: AsyncConnection, workspace: Workspace, user_id: int, role: Role) -> None:
    room = {"id": workspace.id, "name": workspace.name, "created_at": workspace.created_at}
    await connection.execute(insert(workspaces).values(room))
    row = {"workspace_id": workspace.id, "user_id": user_id, "role": role.value, "since": workspace.created_at}
    await connection.execute(insert(members).values(row))


async def _accept(connection: AsyncConnection, digest: str, email: str | None, user_id: int, at: datetime) -> None:
    used = delete(invitations).where(
        invitations.c.digest == digest, invitations.c.email == email, invitations.c.expires_at > at
    )
    used = used.where(invitations.c.workspace_id.in_(select(workspaces.c.id).where(workspaces.c.removed_at.is_(None))))
    row = (await connection.execute(used.returning(invitations.c.workspace_id, invitations.c.role))).one_or_none()
    if row is None:
        raise Unauthorized("this invitation was used, has ended, or is for another e-mail address")
    place = {"workspace_id": row.workspace_id, "user_id": user_id, "role": row.role, "since": at}
    await connection.execute(insert(members).values(place))


def _user(row: Row[Any]) -> User:
    return User(row.id, row.email, row.name, row.created_at, row.disabled_at)


def _workspace(row: Row[Any]) -> Workspace:
    return Workspace(row.id, row.name, row.created_at)
