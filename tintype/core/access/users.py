"""The trade of users: register them, log them in and out, and tell who shows a token."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4
from weakref import WeakValueDictionary

from tintype import logs
from tintype.core.access.attempts import account_digest, address_digest
from tintype.core.access.issuers import Issuers, Stranger
from tintype.core.access.model import (
    NAME_MAX,
    Caller,
    Grant,
    Person,
    Role,
    Seat,
    Unfit,
    User,
    Workspace,
    checked_name,
    email_problem,
    fingerprint,
    normal_email,
)
from tintype.core.access.passwords import Passwords, problems_of
from tintype.core.access.session_records import AttemptRecords, SessionRecords
from tintype.core.access.tokens import REFRESH_LIFE, Purpose, Signer
from tintype.core.access.user_records import Newcomer, UserRecords
from tintype.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized

_REFUSED = "Invalid or expired token"
_WRONG = "Invalid email or password"
_GONE = "User not found or inactive"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Opened:
    """A session at the moment its tokens are known; `seat` is the place that the access token names."""

    person: Person
    seat: Seat | None
    access: str = field(repr=False)
    refresh: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Users:
    """Registers users, opens their sessions, and tells them apart."""

    records: UserRecords
    sessions: SessionRecords
    attempts: AttemptRecords
    passwords: Passwords
    signer: Signer
    issuers: Issuers
    now: Callable[[], datetime]
    locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary[str, asyncio.Lock])

    async def is_empty(self) -> bool:
        """Tell whether nobody has registered yet."""
        return not await self.records.any()

    async def register(
        self,
        email: str,
        password: str,
        *,
        name: str | None = None,
        workspace: str | None = None,
        invitation: str | None = None,
    ) -> Opened:
        """Make a user with a workspace of their own and open a session; an invitation gives one more place.

        Raises `Unfit` with everything that is wrong at once, `Conflict` for an e-mail address that is taken,
        `Unauthorized` for an invitation that is not, or no longer, for this address.
        """
        user_id = await self.add(email, password, name=name, workspace=workspace, invitation=invitation)
        person = await self.person(user_id)
        return await self._open(person, person.seats[0])  # where one was invited is joined before one's own

    async def add(
        self,
        email: str,
        password: str,
        *,
        name: str | None = None,
        workspace: str | None = None,
        invitation: str | None = None,
    ) -> int:
        """Make a user with a workspace of their own and return the id; raises as `register` does."""
        email = normal_email(email)
        called = (name or "").strip() or email.partition("@")[0][:NAME_MAX]
        problems = [problem for problem in (email_problem(email), _name_problem(called)) if problem]
        problems += problems_of(password) + _room_problems(workspace)
        if problems:
            raise Unfit(*problems)
        now = self.now()
        room = Workspace(str(uuid4()), checked_name(workspace or _room_of(called)), now)
        newcomer = Newcomer(
            email,
            called,
            room,
            password=await self.passwords.hash(password),
            invitation=fingerprint(invitation) if invitation else None,
        )
        return await self.records.add(newcomer, now)

    async def login(self, email: str, password: str, address: str) -> Opened:
        """Open a session for somebody who knows the password; raises as `prove` does."""
        person = await self.prove(email, password, address)
        return await self._open(person, next(iter(person.seats), None))

    async def prove(self, email: str, password: str, address: str) -> Person:
        """Return the user who knows the password.

        Raises `Unauthorized` for a wrong one, `RateLimited` after several in a minute and `Locked` after many in a row.
        """
        email = normal_email(email)
        account, place = account_digest(email), address_digest(address)
        # One after the other, so that several right ones at once are not taken for several wrong ones.
        async with self._lock(account), self._lock(place):
            await self.attempts.claim(account, place, self.now())
            user = await self._proven(email, password)
            await self.attempts.clear(account, place, self.now())
        return await self.person(user.id)

    async def refresh(self, token: str, workspace_id: str | None = None) -> Opened:
        """Return the next pair of tokens of a session. A refresh token that comes twice ends the session: one was stolen.

        Raises `Unauthorized`, and `NotFound` for a workspace that the user has no place in.
        """
        now = self.now()
        claims = self.signer.read(token, Purpose.REFRESH, now)
        person = await self.person(claims.user_id)
        seat = (None if workspace_id else person.seat(claims.workspace_id)) or _chosen(person, workspace_id)
        following = uuid4().hex
        if not await self.sessions.turn(
            claims.session_id, fingerprint(claims.id), fingerprint(following), now + REFRESH_LIFE
        ):
            await self.sessions.end(claims.session_id, now)
            raise Unauthorized(_REFUSED)
        return self._opened(person, seat, claims.session_id, following, now)

    async def logout(self, token: str) -> None:
        """End the session of an access or refresh token of ours.

        Raises `Unauthorized` for any other token.
        """
        now = self.now()
        try:
            claims = self.signer.read(token, Purpose.REFRESH, now)
        except Unauthorized:
            claims = self.signer.read(token, Purpose.ACCESS, now)
        await self.sessions.end(claims.session_id, now)

    async def who(self, token: str, workspace_id: str | None = None) -> Caller:
        """Return the caller who shows an access token, in the workspace that is asked for or that the token names.

        Raises `Unauthorized`, `NotFound` for a workspace the user has no place in, and `Forbidden` when the token's own
        workspace has none for them any more.
        """
        issuer = self.issuers.issuer_of(token)
        if issuer is not None:
            stranger = await self.issuers.prove(token, issuer)
            person = await self.person(await self._known(stranger))
            return _caller(person, _chosen(person, workspace_id), f"{issuer.name} {stranger.subject}")
        claims = self.signer.read(token, Purpose.ACCESS, self.now())
        person = await self.records.bearer(claims.session_id, claims.user_id)
        if person is None:
            raise Unauthorized(_REFUSED)
        if person.user.disabled_at is not None:
            raise Unauthorized(_GONE)
        if workspace_id is not None or claims.workspace_id is None:
            return _caller(person, _chosen(person, workspace_id), claims.session_id)
        return _caller(person, person.seat(claims.workspace_id), claims.session_id)

    async def person(self, user_id: int) -> Person:
        """Return a user with all places.

        Raises `Unauthorized` for one who is gone or may not enter any more.
        """
        found = await self.records.person(user_id)
        if found is None or found.user.disabled_at is not None:
            raise Unauthorized(_GONE)
        return found

    async def find(self, email: str) -> User:
        """Return the user of an e-mail address.

        Raises `NotFound`.
        """
        found = await self.records.by_email(normal_email(email))
        if found is None:
            raise NotFound(f"there is no user with the e-mail address {email!r}")
        return found[0]

    async def set_password(self, user: User, password: str) -> None:
        """Give a user another password and end all their sessions.

        Raises `Invalid` with everything that the password lacks.
        """
        problems = problems_of(password)
        if problems:
            raise Invalid(*problems)
        await self.records.set_password(user.id, await self.passwords.hash(password))
        await self.sessions.end_all(user.id, self.now())

    async def set_enabled(self, user: User, *, enabled: bool) -> None:
        """Let a user in again, or out: then all their tokens are worthless at once."""
        await self.records.set_disabled(user.id, None if enabled else self.now())
        if not enabled:
            await self.sessions.end_all(user.id, self.now())

    async def all(self) -> Sequence[Person]:
        """Return all users, oldest first."""
        found = [await self.records.person(user.id) for user in await self.records.all()]
        return [person for person in found if person is not None]

    def _lock(self, digest: str) -> asyncio.Lock:
        return self.locks.setdefault(digest, asyncio.Lock())

    async def _proven(self, email: str, password: str) -> User:
        """Return the user who has this password; it takes as long when nobody does."""
        known = None if email_problem(email) else await self.records.by_email(email)
        user, stored = known or (None, None)
        if not await self.passwords.matches(stored, password) or user is None:
            raise Unauthorized(_WRONG)
        if stored is not None and self.passwords.is_dated(stored):
            await self.records.set_password(user.id, await self.passwords.hash(password))
        return user

    async def _known(self, stranger: Stranger) -> int:
        """Return the user behind somebody whom an issuer vouches for; at first sight one is made."""
        name = stranger.issuer.name, stranger.subject
        known = await self.records.by_identity(*name)
        if known is not None:
            return known
        called = stranger.name or (stranger.email or "").partition("@")[0] or stranger.subject
        room = Workspace(str(uuid4()), checked_name(_room_of(called)), self.now())
        # An address that is taken here stays with whoever has it: nobody enters another's account by a claim.
        for email in (stranger.email, None):
            newcomer = Newcomer(email, called, room, stranger.issuer.role, identity=name)
            try:
                return await self.records.add(newcomer, self.now())
            except Conflict:
                known = await self.records.by_identity(*name)
                if known is not None:
                    return known
        raise Conflict("this user is being made right now; try again", retry_after=1)

    async def _open(self, person: Person, seat: Seat | None) -> Opened:
        now, session_id, token_id = self.now(), str(uuid4()), uuid4().hex
        await self.sessions.begin(session_id, person.user.id, fingerprint(token_id), now, now + REFRESH_LIFE)
        return self._opened(person, seat, session_id, token_id, now)

    def _opened(self, person: Person, seat: Seat | None, session_id: str, token_id: str, now: datetime) -> Opened:
        role, workspace_id = (seat.role, seat.workspace.id) if seat else (Role.VIEWER, None)
        access = self.signer.access(person.user.id, role, workspace_id, session_id, now)
        refresh = self.signer.refresh(person.user.id, workspace_id, session_id, token_id, now)
        return Opened(person, seat, access, refresh)


def _chosen(person: Person, workspace_id: str | None) -> Seat | None:
    """Return the place in the workspace that is asked for, else the first one."""
    if workspace_id is None:
        return next(iter(person.seats), None)
    seat = person.seat(workspace_id)
    if seat is None:
        raise NotFound(f"there is no workspace {workspace_id!r}")
    return seat


def _caller(person: Person, seat: Seat | None, credential_id: str) -> Caller:
    if seat is None:
        raise Forbidden(
            "you are not a member of this token's workspace any more; refresh it, or name another workspace"
        )
    workspace = seat.workspace
    logs.note(workspace=workspace.id)
    return Caller(workspace.id, workspace.name, Grant.WORKSPACE, credential_id, role=seat.role, user_id=person.user.id)


def _room_of(name: str) -> str:
    return f"{name[: NAME_MAX - 20]}'s workspace"


def _name_problem(name: str) -> str | None:
    if len(name) > NAME_MAX or _CONTROL.search(name):
        return f"name must be at most {NAME_MAX} characters, none of them a control character"
    return None


def _room_problems(name: str | None) -> list[str]:
    try:
        checked_name(name or _room_of(""))
    except Invalid as trouble:
        return [f"workspace {problem}" for problem in trouble.problems]
    return []
