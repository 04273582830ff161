"""The tables of accounts and their SQL. Tokens and app secrets arrive and leave sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    union,
    update,
)

from tintype.backends.database import Database, Instant, Json, metadata, upsert
from tintype.backends.statements import Record, Statement
from tintype.core.access import is_living, living_ids
from tintype.core.accounts.model import Account, State
from tintype.instagram import Login

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("login", String(16), nullable=False),
    Column("instagram_id", String(64), nullable=False),
    Column("app_scoped_id", String(64)),
    Column("username", Text),
    Column("name", Text),
    Column("account_type", Text),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("scopes", Json, nullable=False),
    Column("token", LargeBinary),
    Column("user_token", LargeBinary),
    Column("token_issued_at", Instant),
    Column("token_expires_at", Instant),
    Column("token_tried_at", Instant),
    Column("warned_days", Integer),
    Column("created_at", Instant, nullable=False),
    Column("picture_url", Text),
    Column("followers_count", BigInteger),
    Column("follows_count", BigInteger),
    Column("visiting", Boolean, nullable=False),
    Index(None, "workspace_id", "login", "instagram_id", unique=True),
    Index(None, "instagram_id"),
)

# Seed 3 promises whole numbers where we keep UUIDs; they are given out once and never again.
numbers = Table(
    "account_numbers",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Index(None, "account_id", unique=True),
    sqlite_autoincrement=True,
)

# Accounts are read by place: everything that is done for one begins with that.
_WORDS = tuple(Account.__dataclass_fields__)
_LOGIN, _STATE, _SCOPES = (_WORDS.index(name) for name in ("login", "state", "scopes"))
_columns = [numbers.c.number if name == "number" else accounts.c[name] for name in _WORDS]
_by_id = accounts.c.id == bindparam("account_id")
_numbered = select(*_columns).select_from(accounts.join(numbers))
_ONE = Statement(_numbered.where(_by_id))
_BY_NUMBER = Statement(
    _numbered.where(accounts.c.workspace_id == bindparam("workspace_id"), numbers.c.number == bindparam("number"))
)
_OF_WORKSPACE = Statement(
    _numbered.where(accounts.c.workspace_id == bindparam("workspace_id")).order_by(accounts.c.created_at, accounts.c.id)
)

apps = Table(
    "apps",
    metadata,
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("login", String(16), primary_key=True),
    Column("app_id", String(64)),
    Column("secret", LargeBinary, nullable=False),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("login", String(16), nullable=False),
    Column("dialect", String(16), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("session", String(64)),
    Column("created_at", Instant, nullable=False),
    Index(None, "created_at"),
)


_own_app = (apps.c.workspace_id == accounts.c.workspace_id) & (apps.c.login == accounts.c.login)
_HELD = Statement(
    select(*_columns, accounts.c.token, accounts.c.user_token, apps.c.app_id, apps.c.secret)
    .select_from(accounts.join(numbers).outerjoin(apps, _own_app))
    .where(_by_id, is_living(accounts.c.workspace_id))
)
_APP = Statement(
    select(apps.c.app_id, apps.c.secret).where(
        apps.c.workspace_id == bindparam("workspace_id"), apps.c.login == bindparam("login")
    )
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An account's sealed secrets, and where they were read for its use those of its workspace's own app as well."""

    token: bytes | None = field(repr=False)
    user_token: bytes | None = field(repr=False)
    app_id: str | None = None
    app_secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """A connection that was begun and not finished."""

    workspace_id: str
    login: Login
    dialect: str
    redirect_uri: str
    session: str | None
    created_at: datetime


def held(account_id: str | BindParameter[str]) -> Select[tuple[str]]:
    """Return what asks whether an account was not let go; it stays so until the asking transaction ends."""
    mine = (accounts.c.id == account_id) & (accounts.c.state != State.DISCONNECTED.value)
    return select(accounts.c.id).where(mine, is_living(accounts.c.workspace_id)).with_for_update(read=True)


def connected_ids() -> Select[tuple[str]]:
    """Return what asks for the ids of all accounts that can be read now."""
    return select(accounts.c.id).where(
        accounts.c.state == State.CONNECTED.value, accounts.c.workspace_id.in_(living_ids())
    )


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """Reads and writes accounts, one short transaction a method."""

    database: Database

    async def save(self, account: Account, sealed: Sealed, app_scoped_id: str | None = None) -> int | None:
        """Store an account with its secrets and return its number; None, and nothing stored, without its workspace."""
        row = {name: getattr(account, name) for name in Account.__dataclass_fields__ if name != "number"}
        row |= {"login": account.login.value, "state": account.state.value, "scopes": list(account.scopes)}
        row |= {"token": sealed.token, "user_token": sealed.user_token, "app_scoped_id": app_scoped_id}
        async with self.database.write() as connection:
            # Shared, so that on PostgreSQL nobody removes the workspace before this is stored.
            living = living_ids()
            mine = living.where(living.selected_columns.id == account.workspace_id).with_for_update(read=True)
            if await connection.scalar(mine) is None:
                return None
            await upsert(connection, accounts, [row], keep=frozenset({"created_at"}))
            given = select(numbers.c.number).where(numbers.c.account_id == account.id)
            number = await connection.scalar(given)
            if number is None:
                made = insert(numbers).values(account_id=account.id).returning(numbers.c.number)
                number = await connection.scalar(made)
            return number

    async def change(self, account_id: str, **values: Any) -> None:
        """Set some columns of an account."""
        async with self.database.write() as connection:
            await connection.execute(update(accounts).where(accounts.c.id == account_id).values(**values))

    async def change_holding(self, account_id: str, name: str, held: bytes, **values: Any) -> bool:
        """Set some columns of an account whose `token` or `user_token` is still this sealed one; tell whether it was."""
        query = update(accounts).where(accounts.c.id == account_id, accounts.c[name] == held).values(**values)
        async with self.database.write() as connection:
            return (await connection.execute(query)).rowcount > 0

    async def lose(self, account_id: str, name: str, held: bytes, reason: str) -> bool:
        """Note that an account has to be connected anew if it still holds this sealed token; tell whether that is news."""
        mine = (accounts.c.id == account_id) & (accounts.c[name] == held) & (accounts.c.state != State.RECONNECT.value)
        query = update(accounts).where(mine).values(state=State.RECONNECT.value, reason=reason)
        async with self.database.write() as connection:
            return (await connection.execute(query)).rowcount > 0

    async def get(self, account_id: str) -> Account | None:
        """Return an account."""
        row = await self._row(_ONE, account_id=account_id)
        return _account(row) if row else None

    async def find(self, workspace_id: str, login: Login, instagram_id: str) -> Account | None:
        """Return a workspace's account by Instagram's id."""
        mine = (accounts.c.workspace_id == workspace_id) & (accounts.c.login == login.value)
        found = await self._accounts(mine & (accounts.c.instagram_id == instagram_id))
        return found[0] if found else None

    async def numbered(self, workspace_id: str, number: int) -> Account | None:
        """Return a workspace's account by its number."""
        row = await self._row(_BY_NUMBER, workspace_id=workspace_id, number=number)
        return _account(row) if row else None

    async def of_workspace(self, workspace_id: str) -> Sequence[Account]:
        """Return a workspace's accounts, oldest first."""
        wanted = {"workspace_id": workspace_id}
        rows = await self.database.look(lambda connection: _OF_WORKSPACE.all(connection, wanted))
        return [_account(row) for row in rows]

    async def of_instagram(self, instagram_id: str) -> Sequence[Account]:
        """Return all accounts that Meta's calls may mean by an id: the account's, or the app-scoped one."""
        return await self._accounts(
            (accounts.c.instagram_id == instagram_id) | (accounts.c.app_scoped_id == instagram_id)
        )

    async def named(self, username: str) -> Sequence[Account]:
        """Return all accounts of a user name, those of removed workspaces included."""
        return await self._accounts(accounts.c.username == username)

    async def all(self) -> Sequence[Account]:
        """Return every account of every living workspace, for the jobs that visit them all."""
        return await self._accounts(accounts.c.workspace_id.in_(living_ids()))

    async def with_removed(self) -> Sequence[Account]:
        """Return every account, those of removed workspaces included."""
        return await self._accounts(accounts.c.id.is_not(None))

    async def left_behind(self) -> Sequence[str]:
        """Return the removed workspaces of which accounts or app secrets are still stored."""
        gone = [
            select(table.c.workspace_id).where(table.c.workspace_id.not_in(living_ids())) for table in (accounts, apps)
        ]
        async with self.database.read() as connection:
            return list(await connection.scalars(union(*gone)))

    async def forget(self, workspace_id: str) -> None:
        """Delete a removed workspace's accounts, app secrets and begun connections; a living one keeps them."""
        async with self.database.write() as connection:
            for table in (oauth_states, apps, accounts):
                mine = (table.c.workspace_id == workspace_id) & table.c.workspace_id.not_in(living_ids())
                await connection.execute(delete(table).where(mine))

    async def held(self, account_id: str) -> tuple[Account, Sealed] | None:
        """Return an account of a living workspace together with its sealed secrets, as they were at one moment."""
        row = await self._row(_HELD, account_id=account_id)
        return (_account(row), Sealed(*row[len(_WORDS) :])) if row else None

    async def sealed(self, account_id: str) -> Sealed:
        """Return an account's sealed secrets."""
        query = select(accounts.c.token, accounts.c.user_token).where(accounts.c.id == account_id)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Sealed(row.token, row.user_token) if row else Sealed(None, None)

    async def save_app(self, workspace_id: str, login: Login, app_id: str | None, secret: bytes) -> None:
        """Store a workspace's own app for one login."""
        row = {"workspace_id": workspace_id, "login": login.value, "app_id": app_id, "secret": secret}
        async with self.database.write() as connection:
            await upsert(connection, apps, [row])

    async def app(self, workspace_id: str, login: Login) -> tuple[str | None, bytes] | None:
        """Return a workspace's own app id and sealed secret."""
        row = await self._row(_APP, workspace_id=workspace_id, login=login.value)
        return (row[0], row[1]) if row else None

    async def app_secrets(self) -> Sequence[tuple[str, Login, bytes]]:
        """Return every workspace's sealed app secret: Meta's own calls do not say which app they come from."""
        async with self.database.read() as connection:
            rows = await connection.execute(select(apps.c.workspace_id, apps.c.login, apps.c.secret))
            return [(row.workspace_id, Login(row.login), row.secret) for row in rows]

    async def reseal_app(self, workspace_id: str, login: Login, old: bytes, new: bytes) -> bool:
        """Put a newly sealed app secret in place of the old one, unless that was replaced meanwhile."""
        mine = (apps.c.workspace_id == workspace_id) & (apps.c.login == login.value) & (apps.c.secret == old)
        async with self.database.write() as connection:
            return (await connection.execute(update(apps).where(mine).values(secret=new))).rowcount > 0

    async def begin(self, digest: str, pending: Pending, *, forget_before: datetime) -> None:
        """Store a connection that begins now, and forget those that nobody finished."""
        async with self.database.write() as connection:
            await connection.execute(delete(oauth_states).where(oauth_states.c.created_at < forget_before))
            await connection.execute(
                oauth_states.insert().values(
                    digest=digest,
                    workspace_id=pending.workspace_id,
                    login=pending.login.value,
                    dialect=pending.dialect,
                    redirect_uri=pending.redirect_uri,
                    session=pending.session,
                    created_at=pending.created_at,
                )
            )

    async def pending(self, digest: str) -> Pending | None:
        """Return a connection that was begun, without using it up."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(oauth_states).where(oauth_states.c.digest == digest))).one_or_none()
        return _pending(row) if row else None

    async def take(self, digest: str) -> Pending | None:
        """Return a connection that was begun and remove it: of two callers only one gets it."""
        query = delete(oauth_states).where(oauth_states.c.digest == digest).returning(oauth_states)
        async with self.database.write() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _pending(row) if row else None

    async def bind(self, digest: str, session: str) -> bool:
        """Bind a connection to the browser that opened it first; tell whether it is this one."""
        query = update(oauth_states).where(oauth_states.c.digest == digest, oauth_states.c.session.is_(None))
        async with self.database.write() as connection:
            return (await connection.execute(query.values(session=session))).rowcount > 0

    async def _row(self, statement: Statement, **values: object) -> Record | None:
        return await self.database.look(lambda connection: statement.one(connection, values))

    async def _accounts(self, condition: Any) -> Sequence[Account]:
        query = _numbered.where(condition).order_by(accounts.c.created_at, accounts.c.id)
        async with self.database.read() as connection:
            return [_account(row) for row in await connection.execute(query)]


def _account(row: Record) -> Account:
    said = list(row[: len(_WORDS)])
    said[_LOGIN], said[_STATE], said[_SCOPES] = Login(said[_LOGIN]), State(said[_STATE]), tuple(said[_SCOPES])
    return Account(*said)


def _pending(row: Row[Any]) -> Pending:
    return Pending(row.workspace_id, Login(row.login), row.dialect, row.redirect_uri, row.session, row.created_at)
