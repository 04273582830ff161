"""Bytes on their way in: counted against the caps, hashed, decoded from base64 where asked, and looked at before anything else."""

import base64
import binascii
import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tintype.core.files.sniffing import HEAD, type_of
from tintype.errors import Invalid, TooLarge

FRONT_MAX = 200  # letters before the comma of a `data:` address

_SPACES = str.maketrans("", "", " \t\r\n")


@dataclass(slots=True)
class Intake:
    """One file's bytes; `begin` looks at the first of them, `chunks` yields them all, and then the sums are known."""

    source: AsyncIterable[bytes]
    most: int
    least: int = 0
    is_base64: bool = False
    size: int = 0
    _head: bytes = b""
    _rest: AsyncIterator[bytes] | None = None
    _md5: Any = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _sha256: Any = field(default_factory=hashlib.sha256)

    async def begin(self, claimed: str | None) -> str:
        """Return the file's type, from its first bytes and what was claimed of it."""
        self._rest = aiter(_decoded(self.source) if self.is_base64 else self.source)
        async for chunk in self._rest:
            self._head += chunk
            if len(self._head) >= HEAD:
                break
        return type_of(self._head[:HEAD], claimed)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield all bytes.

        Raises `TooLarge` as soon as there are too many, and `Invalid` at the end when there are too few.
        """
        assert self._rest is not None
        yield self._counted(self._head)
        async for chunk in self._rest:
            yield self._counted(chunk)
        if self.size < self.least:
            raise Invalid(f"the file has {self.size} bytes; at least {self.least} are asked for")

    @property
    def md5(self) -> str:
        """The MD5 of what went through, in hexadecimal."""
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        """The SHA-256 of what went through, in hexadecimal."""
        return self._sha256.hexdigest()

    def _counted(self, chunk: bytes) -> bytes:
        self.size += len(chunk)
        if self.size > self.most:
            raise TooLarge(f"the file is larger than the {self.most} bytes that are taken here")
        self._md5.update(chunk)
        self._sha256.update(chunk)
        return chunk


async def _decoded(source: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    held, begun = "", False
    async for chunk in source:
        try:
            held += chunk.decode("ascii").translate(_SPACES)
        except UnicodeDecodeError:
            raise Invalid("the body is not base64, though base64decode was asked for") from None
        if not begun:
            # Pages send what a canvas gives them: `data:image/png;base64,` and the bytes.
            if "data:".startswith(held[:5]) and "," not in held and len(held) < FRONT_MAX:
                continue
            held, begun = held.rpartition(",")[2] if held.startswith("data:") else held, True
        whole = len(held) // 4 * 4
        whole -= 4 if whole == len(held) and whole else 0  # the last four may have padding, which only the end shows
        yield _bytes(held[:whole])
        held = held[whole:]
    yield _bytes(held + "=" * (-len(held) % 4))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("the body is not base64, though base64decode was asked for") from None
