"""QStash, both ways: publish a message, and prove that a call comes from it and is meant for this very address.

The signature is a JWT (HS256) whose claims name the destination and the hash of the raw body; the published service that
we replace checked neither the destination nor replays (originals.md 1.9).
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt

from tintype.backends.outbound import Outbound, Outgoing, Policy
from tintype.errors import Unauthorized, Unreachable

ISSUER = "Upstash"
LIFE_SECONDS = 300
RETRIES = 3
TWIN_SECONDS = 60  # the same message to the same address within a minute is sent once; QStash remembers ids for ten


@dataclass(frozen=True, slots=True)
class Message:
    """A proven message: its id, and until when (Unix seconds) it could be replayed."""

    id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Signatures:
    """Signs and verifies with a current key and the one that follows it."""

    current: str = field(repr=False)
    following: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def sign(self, body: bytes, url: str) -> str:
        """Return a signature as QStash makes it, for a call of ours to ourselves."""
        now = int(self.clock())
        claims = {
            "iss": ISSUER,
            "sub": url,
            "exp": now + LIFE_SECONDS,
            "nbf": now,
            "iat": now,
            "jti": f"jwt_{uuid4().hex}",
            "body": body_hash(body),
        }
        return jwt.encode(claims, self.current, algorithm="HS256")

    def verify(self, signature: str | None, body: bytes, url: str) -> Message:
        """Return the message that `signature` proves for these raw bytes sent to `url`.

        Raises `Unauthorized`. The id still has to be remembered: a message counts once.
        """
        if not signature:
            raise Unauthorized("Missing or invalid QStash signature")
        for key in (self.current, self.following):
            claims = self._claims(signature, key)
            if claims is None:
                continue
            if claims["sub"] == url and str(claims["body"]).rstrip("=") == body_hash(body).rstrip("="):
                # Upstash's own receiver does not ask for an id; the signature itself is as good a name for a message.
                return Message(claims.get("jti") or body_hash(signature.encode()), int(claims["exp"]))
        raise Unauthorized("Invalid QStash signature")

    def _claims(self, signature: str, key: str) -> dict[str, Any] | None:
        required = ["iss", "sub", "exp", "nbf", "body"]
        try:
            return jwt.decode(signature, key, algorithms=["HS256"], issuer=ISSUER, options={"require": required})
        except jwt.InvalidTokenError:
            return None


def body_hash(body: bytes) -> str:
    """Return the hash of a body as the signature carries it."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()


@dataclass(frozen=True, slots=True)
class QStash:
    """Publishes messages that QStash delivers to us later, with retries of its own."""

    outbound: Outbound
    url: str
    token: str = field(repr=False)
    clock: Callable[[], float] = time.time

    async def publish(self, destination: str, body: object) -> str:
        """Hand a JSON message over and return its id; whoever asks again within the minute is given the id of the first.

        Raises `Unreachable` when QStash does not take it.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        twin = hashlib.sha256(destination.encode() + b"\0" + content).hexdigest()[:32]
        answer = await self.outbound.send(
            Outgoing(
                "POST",
                f"{self.url}/v2/publish/{destination}",
                headers={
                    "authorization": f"Bearer {self.token}",
                    "content-type": "application/json",
                    "upstash-method": "POST",
                    "upstash-retries": str(RETRIES),
                    "upstash-deduplication-id": f"{twin}-{int(self.clock() // TWIN_SECONDS)}",
                },
                content=content,
            ),
            Policy(total_seconds=10, https_only=False),
        )
        try:
            return str(json.loads(answer.body)["messageId"])
        except (ValueError, KeyError, TypeError):
            raise Unreachable(f"QStash answered {answer.status} and gave no message id") from None
