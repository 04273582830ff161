"""The key by which push services know this house (RFC 8292), and the token that it signs for each of them.

All subscriptions hang on the key: a browser gives its consent to one key, so another one would silence every browser.
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from tintype.core.notifications.encryption import CURVE, point
from tintype.errors import Unavailable

VALID = timedelta(hours=12)  # push services refuse tokens that are valid for more than a day


@dataclass(frozen=True, slots=True)
class VapidKey:
    """A P-256 key pair."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def fresh(cls) -> "VapidKey":
        """Make a new pair."""
        return cls(ec.generate_private_key(CURVE))

    @classmethod
    def of(cls, text: str) -> "VapidKey":
        """Read a pair from the text it was kept as; raises `Unavailable` when it is not one."""
        try:
            found = load_der_private_key(bytes_of(text), None)
        except (binascii.Error, ValueError):
            found = None
        if not isinstance(found, ec.EllipticCurvePrivateKey) or found.curve.name != CURVE.name:
            raise Unavailable("the stored key for push messages is not one that was made here")
        return cls(found)

    def text(self) -> str:
        """Return the pair as text, to be sealed."""
        return text_of(self.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))

    @property
    def public(self) -> str:
        """The public key as browsers take it: 87 characters."""
        return text_of(point(self.private.public_key()))

    def authorization(self, endpoint: str, contact: str, now: datetime) -> str:
        """Return the Authorization header for a push to this endpoint; a contact that is none is left out."""
        parts = urlsplit(endpoint)
        claims: dict[str, object] = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int((now + VALID).timestamp())}
        if contact.startswith(("mailto:", "https://")):
            claims["sub"] = contact
        return f"vapid t={jwt.encode(claims, self.private, algorithm='ES256')}, k={self.public}"


def text_of(raw: bytes) -> str:
    """Return bytes in base64 for addresses, without padding, as browsers write it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def bytes_of(text: str) -> bytes:
    """Return the bytes behind such a text, padded or not; raises `ValueError` for any other text."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
