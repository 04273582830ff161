"""Fetching what somebody's address names, as far as the guard of the way out lets anybody."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from tintype.backends.outbound import Outbound, Outgoing, Policy
from tintype.core.files.keys import filename_in
from tintype.errors import Invalid, Unreachable

PUBLIC = Policy(total_seconds=60, first_byte_seconds=10, max_redirects=3, https_only=False)
URL_MAX = 4096

_NAMED = re.compile(r'filename="?([^";]{1,255})"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at an address, still to be read."""

    filename: str | None
    content_type: str | None
    size: int | None
    chunks: AsyncIterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fetching:
    """Opens public addresses of the web."""

    outbound: Outbound

    @asynccontextmanager
    async def open(self, url: str, max_bytes: int) -> AsyncGenerator[Found]:
        """Open an address of at most so many bytes.

        Raises `Invalid` for text that is no address, `Forbidden` for one that is not called, `TooLarge`, `Unreachable`.
        """
        if len(url) > URL_MAX or not re.match(r"https?://", url, re.IGNORECASE):
            raise Invalid("url must be an http:// or https:// address")
        async with self.outbound.stream(Outgoing("GET", url), replace(PUBLIC, max_bytes=max_bytes)) as answer:
            if answer.status != 200:
                raise Unreachable(
                    f"the address answered {answer.status}; only what it gives to everybody can be stored"
                )
            named = _NAMED.search(answer.headers.get("content-disposition", ""))
            filename = named[1] if named else filename_in(url)
            length = answer.headers.get("content-length", "")
            size = int(length) if length.isdecimal() else None
            yield Found(filename, answer.headers.get("content-type"), size, answer.chunks)
