"""Numbers that look like Instagram's and depend on the seed alone, so that a world can be built twice."""

import hashlib
import random

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PK_EPOCH_MS = 1_314_220_021_721  # a pk holds milliseconds since this moment in its upper bits
PK_LOW_BITS = 23


def number(digits: int, *parts: object) -> int:
    """A number of at most `digits` decimal digits decided by the parts."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]) % 10**digits


def dice(*parts: object) -> random.Random:
    """A source of choices decided by the parts, the same on every Python and machine."""
    return random.Random(":".join(str(part) for part in parts))  # noqa: S311 - scenery, not secrets


def letters(length: int, *parts: object) -> str:
    """Letters and digits decided by the parts, as in tokens and secrets."""
    rest, text = number(38, *parts), ""
    for turn in range(length):
        if rest < len(ALPHABET):
            rest = number(38, *parts, turn)
        rest, index = divmod(rest, len(ALPHABET) - 2)
        text += ALPHABET[index]
    return text


def account_id(*parts: object) -> str:
    """A professional account id: 17 digits that start with 17841."""
    return f"17841{number(12, 'account', *parts):012d}"


def object_id(*parts: object) -> str:
    """A media, comment or container id: 17 digits between 178… and 180…."""
    return str(17_800_000_000_000_000 + number(17, "object", *parts) % 300_000_000_000_000)


def pk_at(seconds: float, *parts: object) -> int:
    """The private key of something made at this Unix time: its upper bits are the time in milliseconds."""
    millis = int(seconds * 1000) - PK_EPOCH_MS
    return (max(millis, 1) << PK_LOW_BITS) | (number(7, "pk", *parts) % (1 << PK_LOW_BITS))


def shortcode_of(pk: int) -> str:
    """A pk in base 64, most significant digit first."""
    text = ""
    while pk:
        pk, digit = divmod(pk, 64)
        text = ALPHABET[digit] + text
    return text or "A"


def pk_of(shortcode: str) -> int:
    """The pk behind a shortcode; ValueError for a letter that no shortcode has."""
    pk = 0
    for letter in shortcode:
        pk = pk * 64 + ALPHABET.index(letter)
    return pk


def moment_of(pk: int) -> int:
    """The Unix second in which something with this pk was made."""
    return ((pk >> PK_LOW_BITS) + PK_EPOCH_MS) // 1000
