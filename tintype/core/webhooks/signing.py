"""One request, two dialects of signatures from one secret: Filestack's, and Standard Webhooks' with a public key beside it.

Filestack signs with the secret's whole text, Standard Webhooks with the bytes that its base64 stands for: whoever mixes
them up loses hours, so both verifiers stand in the tests.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET = "whsec_"  # noqa: S105 - how every secret begins, so that people know one when they see it
PUBLIC = "whpk_"
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """What an endpoint's requests are signed with; `earlier` is the secret before, as long as it is still accepted."""

    secret: str = field(repr=False)
    private: str = field(repr=False)
    earlier: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """The three headers and the texts that were signed, for people who look why theirs differ."""

    headers: dict[str, str]
    standard: bytes
    filestack: bytes


def new_secret() -> str:
    """Return a fresh secret."""
    return SECRET + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def new_private() -> str:
    """Return a fresh Ed25519 key, as text to be sealed."""
    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def public_of(private: str) -> str:
    """Return the public key that belongs to a private one, as receivers are given it."""
    return PUBLIC + base64.b64encode(_key(private).public_key().public_bytes_raw()).decode()


def sign(keys: Keys, uid: str, at: datetime, body: bytes, attempt: int) -> Signed:
    """Return what proves that this body comes from us, at this moment.

    While two secrets are accepted, `webhook-signature` has both. FS-Signature has room for one: the new one, and in every
    second attempt the earlier one, so that a receiver of either is reached.
    """
    moment = str(int(at.timestamp()))
    standard, filestack = standard_text(uid, moment, body), filestack_text(moment, body)
    accepted = [keys.secret, *([keys.earlier] if keys.earlier else [])]
    proofs = [f"v1,{_standard(secret, standard)}" for secret in accepted]
    proofs.append(f"v1a,{base64.b64encode(_key(keys.private).sign(standard)).decode()}")
    chosen = accepted[(attempt - 1) % len(accepted)]
    headers = {
        "webhook-id": uid,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(proofs),
        "FS-Timestamp": moment,
        "FS-Signature": hmac.digest(chosen.encode(), filestack, "sha256").hex(),
    }
    return Signed(headers, standard, filestack)


def standard_text(uid: str, moment: str, body: bytes) -> bytes:
    """Return what Standard Webhooks signs."""
    return f"{uid}.{moment}.".encode() + body


def filestack_text(moment: str, body: bytes) -> bytes:
    """Return what Filestack signs."""
    return f"{moment}.".encode() + body


def _standard(secret: str, text: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET))
    return base64.b64encode(hmac.digest(key, text, "sha256")).decode()


def _key(private: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
