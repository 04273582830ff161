"""The trade of browsers: sign people in and out, lead the first one in, and ask for the second factor.

A session is a random secret in a cookie, of which only the SHA-256 is stored. It is a new one after each proof, so that
nobody enters with a session that they planted before.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tintype.core.access.browsing_model import LONGEST, NOTED, WELCOME, Browser, Visit
from tintype.core.access.browsing_records import BrowsingRecords
from tintype.core.access.model import Person, User, fingerprint
from tintype.core.access.second_factor import SecondFactors
from tintype.core.access.users import Users
from tintype.errors import Conflict, Gone, NotFound, Unauthorized

_OVER = "This link was used already, or is older than a day. `tintype user welcome` prints a new one."


@dataclass(frozen=True, slots=True)
class Browsing:
    """Signs people in with their browsers."""

    records: BrowsingRecords
    users: Users
    factors: SecondFactors
    now: Callable[[], datetime]
    operators: frozenset[str] = frozenset()  # e-mail addresses; empty: the first user

    async def sign_in(self, email: str, password: str, address: str, agent: str) -> tuple[str, bool]:
        """Return the secret of a new session, and whether a code is still asked for; raises as `Users.prove` does."""
        person = await self.users.prove(email, password, address)
        asks = await self.factors.is_on(person.user.id)
        return await self._begin(person, agent, proven=not asks), asks

    async def prove(self, secret: str, code: str, address: str) -> str:
        """Return the secret of the full session that a code makes of one that waits for it.

        Raises `Unauthorized` for a wrong code, `RateLimited` after several.
        """
        browser = await self._find(secret)
        person = await self.users.person(browser.user_id)
        await self.factors.check(person.user.id, code, address)
        await self.records.end(browser.digest)
        return await self._begin(person, browser.agent, proven=True)

    async def admit(self, user_id: int, agent: str) -> str:
        """Return the secret of a new session for somebody whom something else than a password let in."""
        return await self._begin(await self.users.person(user_id), agent, proven=True)

    async def visit(self, secret: str) -> Visit:
        """Return who comes with a session.

        Raises `Unauthorized` for a session that is over, or waits for its code.
        """
        browser = await self._find(secret)
        if not browser.proven:
            raise Unauthorized("the code of the second factor is still to come")
        person = await self.users.person(browser.user_id)
        now = self.now()
        if now - browser.seen_at > NOTED:
            await self.records.seen(browser.digest, now)
        seat = person.seat(browser.workspace_id) or next(iter(person.seats), None)
        return Visit(browser, person, seat, form_token(secret), await self._operates(person.user))

    async def choose(self, visit: Visit, workspace_id: str) -> None:
        """Look at another workspace from now on.

        Raises `NotFound` for one the visitor has no place in.
        """
        if visit.person.seat(workspace_id) is None:
            raise NotFound(f"there is no workspace {workspace_id!r}")
        await self.records.choose(visit.browser.digest, workspace_id)

    async def sign_out(self, secret: str) -> None:
        """End a session."""
        await self.records.end(fingerprint(secret))

    async def of_user(self, user_id: int) -> Sequence[Browser]:
        """Return a user's living sessions, the one that was used last in front."""
        return [one for one in await self.records.of_user(user_id) if one.lives(self.now())]

    async def end_others(self, visit: Visit) -> None:
        """End all sessions of the visitor but this one."""
        await self.records.end_all(visit.person.user.id, but=visit.browser.digest)

    async def change_password(self, visit: Visit, old: str, new: str, address: str) -> None:
        """Give the visitor another password; all other sessions of theirs end.

        Raises `Unauthorized` for a wrong old one, `Invalid` with everything that the new one lacks.
        """
        user = visit.person.user
        if user.email is None:
            raise Conflict("this user has no password here: another system signs them in")
        await self.users.prove(user.email, old, address)
        await self.users.set_password(user, new)
        await self.end_others(visit)

    async def welcome(self, user: User | None = None) -> str:
        """Return the secret of a one-time link, by which the first user registers or a user gets a new password."""
        secret, now = secrets.token_urlsafe(24), self.now()
        await self.records.welcome(fingerprint(secret), user.id if user else None, now + WELCOME, now)
        return secret

    async def welcomed(self, secret: str) -> Person | None:
        """Return whom a one-time link is for; None: whoever comes first.

        Raises `Gone` for a link that was used or is over.
        """
        found = await self.records.welcomed(fingerprint(secret), self.now())
        if found is None or (found[0] is None and not await self.users.is_empty()):
            raise Gone(_OVER)
        return await self.users.person(found[0]) if found[0] is not None else None

    async def accept(self, secret: str, email: str, password: str, agent: str, *, workspace: str | None = None) -> str:
        """Return the secret of a new session for whoever a one-time link lets in, and keep their password.

        The first user also owns the workspaces that were made before there was anybody to own them. Raises `Gone` as `welcomed` does, `Unfit` with everything that is wrong about the registration.
        """
        known = await self.welcomed(secret)
        if known is not None:
            await self.users.set_password(known.user, password)
            user_id = known.user.id
            await self.records.end_all(user_id)
        else:
            user_id = await self.users.add(email, password, workspace=workspace)
            await self.users.records.adopt(user_id, self.now())
        if not await self.records.use(fingerprint(secret), self.now()):
            raise Gone(_OVER)
        return await self.admit(user_id, agent)

    async def _operates(self, user: User) -> bool:
        if self.operators:
            return user.email in self.operators
        return user.id == await self.users.records.first()

    async def _find(self, secret: str) -> Browser:
        browser = await self.records.find(fingerprint(secret)) if secret else None
        if browser is None or not browser.lives(self.now()):
            raise Unauthorized("sign in to go on")
        return browser

    async def _begin(self, person: Person, agent: str, *, proven: bool) -> str:
        secret, now = secrets.token_urlsafe(32), self.now()
        seat = next(iter(person.seats), None)
        room = seat.workspace.id if seat else None
        browser = Browser(fingerprint(secret), person.user.id, room, agent[:200], proven, now, now)
        await self.records.begin(browser, forget=now - LONGEST)
        return secret


def form_token(secret: str) -> str:
    """Return what the forms of a session carry: whoever does not have its cookie cannot know it."""
    return hmac.new(secret.encode(), b"forms", hashlib.sha256).hexdigest()
