"""One person's login at Instagram, lent to this house by its cookies: for posts that are shown only to who is logged in.

The cookies are sealed, and nobody can read them here again. They are proven by one read before they are kept, used only for
posts that the public ways say need a login, and parked at the first sign that Instagram wants to see the person.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast
from uuid import uuid4

from tintype.backends.outbound import Outbound
from tintype.backends.vault import Vault
from tintype.core.downloads.session_records import SealedSession, SessionRecords
from tintype.errors import Invalid, NotFound, Trouble
from tintype.instagram.public import (
    Doors,
    Manners,
    PageWay,
    PublicPost,
    Reason,
    Standings,
    Way,
    reason_of,
    session_way,
    trouble,
)

PROOF_SECONDS = 30.0
# A person reads a few dozen posts an hour, and it is a person's account that suffers.
MANNERS = Manners(start=12.0, least=1.0, most=40.0)

# What a login may change. A private account's posts are not among it: those are for whom its owner lets in.
NEEDS_LOGIN = frozenset({Reason.LOGIN_REQUIRED, Reason.AGE_RESTRICTED})

# After these Instagram waits for the person: asking on would only make it worse.
PARKING = frozenset({Reason.CHECKPOINT_REQUIRED, Reason.CHALLENGE_REQUIRED, Reason.SESSION_EXPIRED})

COOKIES = ("sessionid", "csrftoken", "ds_user_id")  # what a login consists of

_NETSCAPE_FIELDS = 7
_TOKEN = re.compile(r"[!-~]{1,2000}")

Prove = Callable[[Mapping[str, str], str | None], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Session:
    """What may be known of a session: when it came, when it last worked, and why it rests."""

    id: str
    added_at: datetime
    proven_at: datetime | None
    parked_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A session's cookies, for the next few look-ups."""

    id: str
    cookies: Mapping[str, str] = field(repr=False)
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Sessions:
    """Keeps at most one session."""

    records: SessionRecords
    vault: Vault
    now: Callable[[], datetime]

    async def add(self, text: str, prove: Prove, *, user_agent: str | None = None) -> Session:
        """Keep the cookies in a text in place of earlier ones, once `prove` has read something with them.

        Raises `Invalid` when the text lacks one of them, and what proving them raises.
        """
        cookies = cookies_from(text)
        await prove(cookies, user_agent)
        session = Session(str(uuid4()), self.now(), self.now(), None, None)
        sealed = self.vault.seal(json.dumps(cookies), context=_context(session.id))
        await self.records.keep(_stored(session, sealed, user_agent))
        return session

    async def find(self) -> Session | None:
        """Return what may be known of the session, if there is one."""
        found = await self.records.find()
        return _session(found) if found else None

    async def open(self) -> Opened | None:
        """Return the session that may be used now; None: there is none, or it is parked."""
        found = await self.records.find()
        if found is None or found.parked_at is not None:
            return None
        cookies = json.loads(self.vault.open(found.cookies, context=_context(found.id)))
        return Opened(found.id, cookies, found.user_agent)

    async def park(self, session_id: str, reason: str) -> None:
        """Let a session rest until a person gives new cookies."""
        await self.records.park(session_id, self.now(), reason)

    async def rotate(self) -> int:
        """Seal the cookies anew with the vault's current key; return how many sessions needed it."""
        found = await self.records.find()
        if found is None or not self.vault.needs_rotation(found.cookies):
            return 0
        plain = self.vault.open(found.cookies, context=_context(found.id))
        await self.records.keep(replace(found, cookies=self.vault.seal(plain, context=_context(found.id))))
        return 1

    async def remove(self) -> None:
        """Forget the session and its cookies.

        Raises `NotFound` when there is none.
        """
        if not await self.records.remove():
            raise NotFound("there is no session to remove")


class MemberWay:
    """Looks posts up as the person whose session is kept here, while there is one."""

    name = "session"

    def __init__(self, outbound: Outbound, sessions: Sessions) -> None:
        self._outbound = outbound
        self._sessions = sessions
        self._way: tuple[str, Way] | None = None

    async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
        """Return a post; raises troubles of `reasons` alone."""
        opened = await self._sessions.open()
        if opened is None:
            raise trouble(Reason.LOGIN_REQUIRED)
        try:
            post = await self._way_of(opened).look_up(shortcode, seconds=seconds)
        except Trouble as problem:
            if (reason := reason_of(problem)) in PARKING:
                await self._sessions.park(opened.id, str(reason))
            raise
        return replace(post, source=self.name)

    def close(self) -> None:
        """Let its threads end."""
        if self._way is not None:
            self._way[1].close()

    def _way_of(self, opened: Opened) -> Way:
        if self._way is None or self._way[0] != opened.id:
            self.close()
            way = session_way(self._outbound, opened.cookies, user_agent=opened.user_agent)
            self._way = opened.id, way
        return self._way[1]


@dataclass(frozen=True, slots=True)
class Member:
    """Looks up what is shown only to who is logged in, by the lent session and within a small budget of its own."""

    outbound: Outbound
    sessions: Sessions
    doors: Doors

    @classmethod
    def of(cls, outbound: Outbound, sessions: Sessions, standings: Standings) -> "Member":
        """Return the member of a house."""
        way = MemberWay(outbound, sessions)
        return cls(outbound, sessions, Doors((way,), PageWay(outbound), sessions.now, MANNERS, standings))

    async def is_open(self) -> bool:
        """Tell whether there is a session that may be used."""
        return await self.sessions.open() is not None

    async def look_up(self, shortcode: str) -> PublicPost:
        """Return a post that the session sees; raises troubles of `reasons`."""
        return await self.doors.look_up(shortcode)

    async def lend(self, text: str, shortcode: str, user_agent: str | None = None) -> Session:
        """Keep the session in a text of cookies, once a post was read with it.

        Raises `Invalid` when a cookie is missing, and what reading the post raises.
        """

        async def prove(cookies: Mapping[str, str], agent: str | None) -> None:
            way = session_way(self.outbound, cookies, user_agent=agent)
            try:
                await way.look_up(shortcode, seconds=PROOF_SECONDS)
            finally:
                way.close()

        return await self.sessions.add(text, prove, user_agent=user_agent)


def cookies_from(text: str) -> dict[str, str]:
    """Return the cookies of a login from what a browser or its extension gives: JSON, a Netscape file, or a header.

    Raises `Invalid` when one that is needed is missing.
    """
    found = _of_json(text) or _of_netscape(text) or _of_header(text)
    missing = [name for name in COOKIES if not _TOKEN.fullmatch(found.get(name, ""))]
    if missing:
        raise Invalid(f"the cookie {missing[0]!r} is missing; copy all cookies of instagram.com from your browser")
    return {name: found[name] for name in COOKIES}


def _of_json(text: str) -> dict[str, str]:
    try:
        sent: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if isinstance(sent, dict):
        return {str(name): str(value) for name, value in cast("Mapping[object, object]", sent).items()}
    rows = cast("list[object]", sent) if isinstance(sent, list) else []
    listed = [cast("Mapping[str, object]", row) for row in rows if isinstance(row, dict)]
    return {
        str(row["name"]): str(row["value"]) for row in listed if {"name", "value"} <= row.keys() and _is_theirs(row)
    }


def _is_theirs(row: Mapping[str, object]) -> bool:
    return str(row.get("domain", ".instagram.com")).lstrip(".").endswith("instagram.com")


def _of_netscape(text: str) -> dict[str, str]:
    rows = [line.removeprefix("#HttpOnly_").split("\t") for line in text.splitlines()]
    return {row[5]: row[6].strip() for row in rows if len(row) == _NETSCAPE_FIELDS and "instagram.com" in row[0]}


def _of_header(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.strip().removeprefix("Cookie:").replace("\n", ";").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}


def _context(session_id: str) -> str:
    return f"public_sessions:{session_id}:cookies"


def _stored(session: Session, sealed: bytes, user_agent: str | None) -> SealedSession:
    return SealedSession(session.id, sealed, user_agent, session.added_at, session.proven_at, None, None)


def _session(found: SealedSession) -> Session:
    return Session(found.id, found.added_at, found.proven_at, found.parked_at, found.reason)
