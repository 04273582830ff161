"""Encrypts a push message for the one browser that subscribed (RFC 8291 over RFC 8188), so that its push service reads nothing.

The library that does the same brings two HTTP stacks with it, neither of which goes out by the house's one door.
"""

import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tintype.errors import TooLarge

RECORD_BYTES = 4096  # what every push service takes as a body (RFC 8030, 7.2)
POINT_BYTES = 65
SECRET_BYTES = 16
_SALT_BYTES = 16
_LAST = b"\x02"  # the delimiter of the last record, and there is only one
_HEADER_BYTES = _SALT_BYTES + 4 + 1 + POINT_BYTES
PLAIN_BYTES = RECORD_BYTES - _HEADER_BYTES - len(_LAST) - 16  # 3,993; a byte more is answered with 413

CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class Once:
    """What is used for one message only; given from outside by those who compare with the examples of the RFC."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    salt: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> "Once":
        """Return a new key pair and a new salt."""
        return cls(ec.generate_private_key(CURVE), os.urandom(_SALT_BYTES))


def encrypt(plain: bytes, receiver: bytes, secret: bytes, once: Once | None = None) -> bytes:
    """Return the body of a push: `plain` for the browser with this public point and authentication secret.

    Raises `TooLarge` when it is more than a push service takes.
    """
    if len(plain) > PLAIN_BYTES:
        raise TooLarge(f"a push message has at most {PLAIN_BYTES} bytes, this one has {len(plain)}")
    once = once or Once.fresh()
    sender = point(once.key.public_key())
    shared = once.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, receiver))
    # Bound to the browser's secret first, then to this message's salt: two steps of the same derivation.
    keying = _derive(shared, secret, b"WebPush: info\0" + receiver + sender, 32)
    key = _derive(keying, once.salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(keying, once.salt, b"Content-Encoding: nonce\0", 12)
    header = once.salt + RECORD_BYTES.to_bytes(4, "big") + bytes([POINT_BYTES]) + sender
    return header + AESGCM(key).encrypt(nonce, plain + _LAST, None)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as the 65 bytes of an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def is_point(raw: bytes) -> bool:
    """Tell whether these bytes are an uncompressed point that lies on the curve."""
    if len(raw) != POINT_BYTES or raw[:1] != b"\x04":
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, raw)
    except ValueError:
        return False
    return True


def _derive(keying: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(keying)
