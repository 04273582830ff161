"""Issuers that others run: their tokens are believed for who somebody is, by a shared secret or by published keys.

Keys come through `backends.outbound` alone. Fails closed: without a key that fits, a token opens nothing.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from tintype.backends.outbound import Outbound, Outgoing, Policy
from tintype.core.access.model import EMAIL_MAX, NAME_MAX, Role, email_problem, normal_email
from tintype.errors import Trouble, Unauthorized, Unavailable

log = logging.getLogger(__name__)

KEYS_KEPT = timedelta(minutes=10)
KEYS_AGAIN = timedelta(seconds=30)  # tokens with made-up key ids must not make us ask at their rate
KEYS_AWAY = timedelta(seconds=5)  # those who wait for an issuer that is away must not wait for each other
LEEWAY = timedelta(seconds=30)  # other people's clocks
SUBJECT_MAX = 255

_SHARED = ("HS256", "HS384", "HS512")
_PUBLISHED = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_POLICY = Policy(total_seconds=5, first_byte_seconds=5, max_bytes=256 * 1024)
_REFUSED = "Invalid or expired token"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer that is trusted: by exactly one of a secret and the address of its keys."""

    name: str
    audience: str | None = None
    secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    email_claim: str = "email"
    role: Role = Role.OWNER  # in the room of their own that newcomers get


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody an issuer vouches for."""

    issuer: Issuer
    subject: str
    email: str | None
    name: str | None


@dataclass(slots=True)
class _Keys:
    found: Sequence[jwt.PyJWK] = ()
    at: datetime | None = None
    wished_at: datetime | None = None  # when they were last asked for because of a name that was not among them
    failed_at: datetime | None = None  # while there are no keys at all
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Issuers:
    """Proves the tokens of all issuers that are trusted here."""

    known: tuple[Issuer, ...]
    outbound: Outbound
    now: Callable[[], datetime]
    keys: dict[str, _Keys] = field(default_factory=dict[str, _Keys])

    def issuer_of(self, token: str) -> Issuer | None:
        """Return whose token this claims to be; None: it names nobody who is trusted here, so it may be ours."""
        if not self.known:
            return None
        try:
            said = jwt.decode(token, options={"verify_signature": False})
        except (jwt.InvalidTokenError, RecursionError):  # deep JSON that nobody signed
            return None
        return next((one for one in self.known if one.name == said.get("iss")), None)

    async def prove(self, token: str, issuer: Issuer) -> Stranger:
        """Return whom a token speaks of.

        Raises `Unauthorized` for one that this issuer did not sign for us, `Unavailable` when its keys cannot be had.
        """
        claims = await self._claims(token, issuer)
        now = self.now().timestamp()
        begins = max(_number(claims.get("nbf"), 0.0), 0.0) - LEEWAY.total_seconds()
        ends = _number(claims.get("exp"), 0.0) + LEEWAY.total_seconds()
        subject = str(claims.get("sub"))
        if not begins <= now < ends or not subject.isprintable() or not 0 < len(subject) <= SUBJECT_MAX:
            raise Unauthorized(_REFUSED)
        return Stranger(issuer, subject, _email(claims, issuer), _name(claims))

    async def _claims(self, token: str, issuer: Issuer) -> Mapping[str, Any]:
        if issuer.secret is not None:
            return _decoded(token, issuer.secret, _SHARED, issuer)
        key = await self._key(token, issuer)
        return _decoded(token, key, _PUBLISHED, issuer)

    async def _key(self, token: str, issuer: Issuer) -> jwt.PyJWK:
        name = _key_name(token)
        keys = self.keys.setdefault(issuer.name, _Keys())
        async with keys.lock:
            old = keys.at is None or self.now() >= keys.at + KEYS_KEPT
            if old:
                await self._fetch(keys, issuer)
            key = _named(keys.found, name)
            if key is None and not old and (keys.wished_at is None or self.now() >= keys.wished_at + KEYS_AGAIN):
                keys.wished_at = self.now()
                await self._fetch(keys, issuer)
                key = _named(keys.found, name)
        if key is None:
            raise Unauthorized(_REFUSED)
        return key

    async def _fetch(self, keys: _Keys, issuer: Issuer) -> None:
        assert issuer.jwks_url is not None
        away = Unavailable(f"the keys of issuer {issuer.name!r} cannot be had now; try again", retry_after=5)
        if keys.failed_at is not None and self.now() < keys.failed_at + KEYS_AWAY:
            raise away
        try:
            answer = await self.outbound.send(Outgoing("GET", issuer.jwks_url), _POLICY)
            found = jwt.PyJWKSet.from_dict(json.loads(answer.body)).keys if answer.status == 200 else []
        except (Trouble, jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            log.warning("the keys of issuer %r cannot be had: %s", issuer.name, type(error).__name__)
            found = []
        keys.failed_at = None if found or keys.found else self.now()
        if keys.failed_at is not None:
            raise away
        keys.found = found or keys.found
        keys.at = self.now()  # the old keys go on while no new ones can be had


def _decoded(token: str, key: Any, algorithms: Sequence[str], issuer: Issuer) -> Mapping[str, Any]:
    options: Any = {
        "require": ["exp", "iss", "sub"],
        "verify_exp": False,  # times are checked against the clock of the house
        "verify_iat": False,
        "verify_nbf": False,
        "verify_aud": issuer.audience is not None,
    }
    try:
        return jwt.decode(
            token, key, algorithms=list(algorithms), issuer=issuer.name, audience=issuer.audience, options=options
        )
    except jwt.PyJWTError:
        raise Unauthorized(_REFUSED) from None


def _key_name(token: str) -> str | None:
    try:
        return jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        raise Unauthorized(_REFUSED) from None


def _named(keys: Sequence[jwt.PyJWK], name: str | None) -> jwt.PyJWK | None:
    if name is None:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.key_id == name), None)


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def _email(claims: Mapping[str, Any], issuer: Issuer) -> str | None:
    found = claims.get(issuer.email_claim)
    if not isinstance(found, str) or claims.get("email_verified") is False or email_problem(normal_email(found)):
        return None
    return normal_email(found)[:EMAIL_MAX]


def _name(claims: Mapping[str, Any]) -> str | None:
    found = str(claims.get("name") or "")
    storable = found.encode(errors="ignore").decode().replace("\0", "")
    return storable.strip()[:NAME_MAX] or None
