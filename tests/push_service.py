"""A push service on a loopback port and the browsers behind it, which read messages by the letter of RFC 8188 and 8291."""

import asyncio
import base64
import hmac
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.backends.remote import Asked, Remote, answer, remote

CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class Handset:
    """One browser: its key pair, its secret, and the path under which the push service knows it."""

    path: str = "/push/one"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> dict[str, str]:
        return {"p256dh": text(self.public), "auth": text(self.auth)}

    def decrypt(self, body: bytes) -> bytes:
        """Return the plain text of an aes128gcm body of one record."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        keying = _hmac(_hmac(self.auth, shared), b"WebPush: info\x00" + self.public + sender + b"\x01")
        pseudo = _hmac(salt, keying)
        key = _hmac(pseudo, b"Content-Encoding: aes128gcm\x00\x01")[:16]
        nonce = _hmac(pseudo, b"Content-Encoding: nonce\x00\x01")[:12]
        plain, delimiter, padding = AESGCM(key).decrypt(nonce, record, None).rpartition(b"\x02")
        assert delimiter == b"\x02"
        assert padding.strip(b"\x00") == b""
        return plain


@dataclass(slots=True)
class PushService:
    """Where it listens, what it answers by path, and what arrived."""

    remote: Remote
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    slowness: list[float] = field(default_factory=list[float])  # seconds that the next answers take

    @property
    def place(self) -> str:
        return self.remote.place

    def endpoint(self, handset: Handset) -> str:
        return self.remote.url(handset.path)

    def subscription(self, handset: Handset) -> dict[str, Any]:
        """What a browser's `PushSubscription.toJSON()` gives."""
        return {"endpoint": self.endpoint(handset), "expirationTime": None, "keys": handset.keys}

    def arrived(self, handset: Handset) -> list[Asked]:
        return [asked for asked in self.remote.asked if asked.target == handset.path]

    def read(self, handset: Handset) -> list[dict[str, Any]]:
        """What the browser's worker would get, oldest first."""
        return [json.loads(handset.decrypt(asked.body)) for asked in self.arrived(handset)]


@asynccontextmanager
async def push_service() -> AsyncGenerator[PushService]:
    """Serve one: 201 to everything, unless `answers` has a status line and headers for a path."""
    here: list[PushService] = []

    async def play(asked: Asked, writer: Any) -> None:
        problem = _problem(asked)
        if here[0].slowness:
            await asyncio.sleep(here[0].slowness.pop(0))
        status, *headers = here[0].answers.get(asked.target, ("201 Created",))
        # One request a connection is all that this remote takes, so that nobody may wait with the next one on it.
        said = answer(problem.encode(), "Connection: close", *headers, status="400 Bad Request" if problem else status)
        await said(asked, writer)

    async with remote(play) as found:
        here.append(PushService(found))
        yield here[0]


def _problem(asked: Asked) -> str:
    """What a push service has against a request: RFC 8030 and RFC 8292."""
    headers = asked.headers
    if not headers.get("ttl", "").isdigit():
        return "no TTL"
    if headers.get("content-encoding") != "aes128gcm" or len(asked.body) > 4096:
        return "not a body of at most 4096 bytes in aes128gcm"
    if len(headers.get("topic", "")) > 32 or headers.get("urgency") not in ("very-low", "low", "normal", "high"):
        return "topic or urgency"
    return ""


def claims(asked: Asked, now: datetime) -> Mapping[str, Any]:
    """Check a request's VAPID signature against the key it names, and return what is signed."""
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    parts = {name: value for name, _, value in (part.strip().partition("=") for part in rest.split(","))}
    assert scheme == "vapid"
    raw = base64.urlsafe_b64decode(parts["k"] + "=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, raw)
    found = cast(
        "Mapping[str, Any]",
        jwt.decode(parts["t"], public, algorithms=["ES256"], options={"verify_aud": False, "verify_exp": False}),
    )
    assert timedelta(0) < datetime.fromtimestamp(found["exp"], now.tzinfo) - now <= timedelta(hours=24)
    return {**found, "key": parts["k"]}


def text(raw: bytes) -> str:
    """Bytes in base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
