"""The tokens of users: JSON Web Tokens, HS256, for an hour of access or for thirty days of refreshing.

What a token says about the role is for whoever reads it; what its bearer may do is looked up at every request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tintype.backends.vault import Vault
from tintype.core.access.model import Role, fingerprint
from tintype.errors import Misconfigured, Unauthorized

ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=30)
SECRET_BYTES = 32  # RFC 7518 3.2: as long as the hash, at least

_PROVEN = 4096  # tokens whose signature is not computed again

_ALGORITHM = "HS256"
_REFUSED = "Invalid or expired token"
# Times are checked against the clock of the house, below.
_OPTIONS: Any = {
    "require": ["exp", "iat", "jti", "type", "user_id"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class Purpose(StrEnum):
    """What a token is for; one is never taken for the other."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a proven token says."""

    user_id: int
    session_id: str
    id: str
    workspace_id: str | None


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the first secret, and knows the tokens that any of them signed.

    `proven` holds what the latest tokens say, by their digests: a signature is as good the second time. Whether a token has
    ended is looked at each time, and whether its session has, is not for a signer to know.
    """

    secrets: tuple[bytes, ...] = field(repr=False)
    proven: dict[str, Mapping[str, Any]] = field(
        default_factory=dict[str, Mapping[str, Any]], repr=False, compare=False
    )

    @classmethod
    def of(cls, secret: str | None, vault: Vault) -> "Signer":
        """Make a signer from PLATFORM_SECRET_KEY, or from the encryption keys, which are the same on all nodes.

        Raises `Misconfigured` for a secret that is too short.
        """
        if secret is None:
            return cls(tuple(_derived(key.secret) for key in (vault.current, *vault.old)))
        if len(secret.encode()) < SECRET_BYTES:
            raise Misconfigured(
                f"PLATFORM_SECRET_KEY must be at least {SECRET_BYTES} bytes; make one with: openssl rand -base64 32"
            )
        return cls((secret.encode(),))

    def access(self, user_id: int, role: Role, workspace_id: str | None, session_id: str, now: datetime) -> str:
        """Return a token that opens the interface for an hour."""
        claims = {"user_id": user_id, "role": role.value, **_times(now, ACCESS_LIFE), "type": Purpose.ACCESS.value}
        return self._sign(claims | {"jti": uuid4().hex, "workspace_id": workspace_id, "sid": session_id})

    def refresh(self, user_id: int, workspace_id: str | None, session_id: str, token_id: str, now: datetime) -> str:
        """Return a token that is good for one refresh within thirty days."""
        claims = {"user_id": user_id, **_times(now, REFRESH_LIFE), "type": Purpose.REFRESH.value}
        return self._sign(claims | {"jti": token_id, "workspace_id": workspace_id, "sid": session_id})

    def read(self, token: str, purpose: Purpose, now: datetime) -> Claims:
        """Return what a token of ours says.

        Raises `Unauthorized` for one that is not ours, has ended, or is for something else.
        """
        claims = self._claims(token)
        if claims.get("type") != purpose.value or not now.timestamp() < _seconds(claims.get("exp")):
            raise Unauthorized(_REFUSED)
        user_id, session_id, workspace_id = claims.get("user_id"), claims.get("sid"), claims.get("workspace_id")
        if type(user_id) is not int or not isinstance(session_id, str):
            raise Unauthorized(_REFUSED)
        return Claims(user_id, session_id, str(claims["jti"]), None if workspace_id is None else str(workspace_id))

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.secrets[0], algorithm=_ALGORITHM)

    def _claims(self, token: str) -> Mapping[str, Any]:
        digest = fingerprint(token)
        known = self.proven.get(digest)
        if known is not None:
            return known
        claims = self._proved(token)
        if len(self.proven) >= _PROVEN:
            del self.proven[next(iter(self.proven))]
        self.proven[digest] = claims
        return claims

    def _proved(self, token: str) -> Mapping[str, Any]:
        for secret in self.secrets:
            try:
                return jwt.decode(token, secret, algorithms=[_ALGORITHM], options=_OPTIONS)
            except (jwt.InvalidTokenError, RecursionError):  # deep JSON in a header that nobody signed
                continue
        raise Unauthorized(_REFUSED)


def _times(now: datetime, life: timedelta) -> dict[str, int]:
    return {"exp": int((now + life).timestamp()), "iat": int(now.timestamp())}


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _derived(secret: bytes) -> bytes:
    return HKDF(SHA256(), SECRET_BYTES, salt=None, info=b"tintype users' tokens").derive(secret)
