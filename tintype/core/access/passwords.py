"""Passwords: what one must have, and argon2id, which makes guessing them from a stolen database dear."""

import asyncio
import string
from dataclasses import dataclass, field

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 8
MAX_LENGTH = 256
SPECIAL = string.punctuation

REQUIREMENTS: dict[str, object] = {
    "min_length": MIN_LENGTH,
    "max_length": MAX_LENGTH,
    "require_digit": True,
    "require_special": True,
    "require_uppercase": True,
    "special_chars": SPECIAL,
}

PARAMETERS = profiles.RFC_9106_LOW_MEMORY
AT_ONCE = 4  # each takes 64 MiB while it runs


def problems_of(password: str) -> list[str]:
    """Return one sentence for each thing that a new password lacks."""
    rules = (
        (len(password) >= MIN_LENGTH, f"password must be at least {MIN_LENGTH} characters"),
        (len(password) <= MAX_LENGTH, f"password must be at most {MAX_LENGTH} characters"),
        (any(one.isupper() for one in password), "password must contain an uppercase letter"),
        (any(one.isdigit() for one in password), "password must contain a digit"),
        (any(_is_special(one) for one in password), "password must contain a special character"),
    )
    return [problem for holds, problem in rules if not holds]


def _is_special(character: str) -> bool:
    return not character.isalnum() and not character.isspace()


@dataclass(frozen=True, slots=True)
class Passwords:
    """Hashes and compares in threads, a few at once; the parameters are RFC 9106's second choice."""

    hasher: PasswordHasher = field(default_factory=lambda: PasswordHasher.from_parameters(PARAMETERS))
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        async with self.slots:
            return await asyncio.to_thread(self.hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Tell whether `stored` was made of `password`; without a stored one it takes as long and is never so."""
        if len(password) > MAX_LENGTH:
            password = ""
        if stored is None:
            await self.hash(password)
            return False
        async with self.slots:
            return await asyncio.to_thread(self._matches, stored, password)

    def is_dated(self, stored: str) -> bool:
        """Tell whether `stored` was made with other parameters than today's."""
        return self.hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self.hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
