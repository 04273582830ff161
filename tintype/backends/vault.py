"""Seals secrets for the database, so that a stolen copy of it is worth nothing without the key.

A sealed value is `version (1 byte) | key id (4) | nonce (12) | AES-256-GCM ciphertext and tag`. Everything in front of
the ciphertext and the place the value belongs to (its context) are authenticated: a value that is altered, or moved to
another row, does not open.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tintype.errors import Misconfigured, Unavailable

KEY_BYTES = 32
_VERSION = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = 12  # 96 random bits: safe for four thousand million values under one key (NIST SP 800-38D)
_HEADER_BYTES = len(_VERSION) + _ID_BYTES


@dataclass(frozen=True, slots=True)
class Key:
    """32 secret bytes and the short public id that values sealed with them carry."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise Misconfigured(f"an encryption key has {KEY_BYTES} bytes, this one has {len(self.secret)}")

    @classmethod
    def of(cls, text: str, *, setting: str = "ENCRYPTION_KEY") -> "Key":
        """Read a key from base64; raises `Misconfigured`, naming `setting`, when it is not 32 bytes of it."""
        try:
            secret = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) != KEY_BYTES:
            raise Misconfigured(f"{setting} must be 32 bytes in base64; make one with: openssl rand -base64 32")
        return cls(secret)

    @property
    def id(self) -> bytes:
        """The first four bytes of the key's SHA-256."""
        return hashlib.sha256(self.secret).digest()[:_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals with the current key and opens with every key it knows."""

    current: Key
    old: tuple[Key, ...] = ()

    @classmethod
    def of(cls, encryption_key: str, old: Iterable[str] = ()) -> "Vault":
        """Make a vault from the settings' base64 texts; raises `Misconfigured` at once for a wrong one."""
        return cls(Key.of(encryption_key), tuple(Key.of(text, setting="ENCRYPTION_KEYS_OLD") for text in old))

    def seal(self, plain: str, *, context: str) -> bytes:
        """Return `plain` sealed for one place, such as `accounts:{id}:token`; two seals of it never look alike."""
        header, nonce = _VERSION + self.current.id, secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.current.secret).encrypt(nonce, plain.encode(), header + context.encode())
        return header + nonce + sealed

    def open(self, sealed: bytes, *, context: str) -> str:
        """Return what was sealed for `context`.

        Raises `Misconfigured` when none of the keys sealed it, `Unavailable` when it was altered, cut or moved.
        """
        header, nonce = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        if len(nonce) < _NONCE_BYTES or header[:1] != _VERSION:
            raise Unavailable(f"the stored secret of {context!r} is not one that this vault has sealed")
        key = next((key for key in (self.current, *self.old) if key.id == header[1:]), None)
        if key is None:
            raise Misconfigured(
                f"the stored secret of {context!r} was sealed with key {header[1:].hex()}, which is not set; "
                "add that key to ENCRYPTION_KEYS_OLD, or connect the account again"
            )
        try:
            return (
                AESGCM(key.secret)
                .decrypt(nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], header + context.encode())
                .decode()
            )
        except InvalidTag:
            raise Unavailable(
                f"the stored secret of {context!r} was altered or belongs elsewhere; connect the account again"
            ) from None

    def stranger(self, sealed: bytes) -> str | None:
        """Return the public id of the key that sealed a value, as 8 hexadecimal digits, when that is none of these."""
        key_id = sealed[len(_VERSION) : _HEADER_BYTES]
        return None if any(key.id == key_id for key in (self.current, *self.old)) else key_id.hex()

    def needs_rotation(self, sealed: bytes) -> bool:
        """Tell whether a value should be opened and sealed anew, because it does not carry the current key's id."""
        return sealed[:_HEADER_BYTES] != _VERSION + self.current.id


def new_key() -> str:
    """Return a fresh key in base64, fit for ENCRYPTION_KEY."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")
