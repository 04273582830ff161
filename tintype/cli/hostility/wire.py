"""Raw HTTP over a socket: what is sent goes out as it is written, and what comes back is read without mercy."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

MOST = 1 << 20
NO_HEADERS: Mapping[str, str] = {}
JSON: Mapping[str, str] = {"Content-Type": "application/json"}
FORM: Mapping[str, str] = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Said:
    """What came back: nothing at all has the status 0."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    answers: int  # status lines in all that came on this connection

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def is_refused(self) -> bool:
        """Whether the server said no, or hung up."""
        return self.status == 0 or 400 <= self.status < 500 or self.status == 501

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


NOTHING = Said(0, (), b"", 0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens, and the name it is called by."""

    host: str
    port: int
    is_tls: bool
    said: list[Said] = field(default_factory=list[Said])  # everything that ever came back

    @classmethod
    def of(cls, url: str) -> "Place":
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        return cls(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls)

    @property
    def name(self) -> str:
        """What a Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context() if self.is_tls else None
        async with asyncio.timeout(10):
            return await asyncio.open_connection(self.host, self.port, ssl=context, limit=MOST)

    async def send(self, raw: bytes, *, seconds: float = 10.0, more: bytes = b"") -> Said:
        """Send bytes and return what came back; `more` follows in pieces, until the server has heard enough."""
        reader, writer = await self.connect()
        reading = asyncio.create_task(_read(reader, seconds))
        with suppress(OSError):
            writer.write(raw)
            await writer.drain()
            for start in range(0, len(more), 65_536):
                if reading.done():
                    break
                writer.write(more[start : start + 65_536])
                await writer.drain()
        found = _parsed(await reading)
        await close(writer)
        self.said.append(found)
        return found

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] = NO_HEADERS,
        *,
        seconds: float = 10.0,
    ) -> Said:
        """Ask as a plain client does; the connection ends with the answer."""
        named = dict(headers)
        host = named.pop("Host", self.name)
        if body or method in ("POST", "PUT", "PATCH"):
            named["Content-Length"] = str(len(body))
        return await self.send(head(method, path, host, named), seconds=seconds, more=body)

    async def post(self, path: str, said: object, headers: Mapping[str, str] = NO_HEADERS) -> Said:
        """Send JSON."""
        return await self.ask("POST", path, json.dumps(said).encode(), {**JSON, **headers})


def head(method: str, path: str, host: str, headers: Mapping[str, str]) -> bytes:
    """Return a request's head."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _read(reader: asyncio.StreamReader, seconds: float) -> bytes:
    found = bytearray()
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(seconds):
            while len(found) < MOST and (piece := await reader.read(65_536)):
                found += piece
    return bytes(found)


def _parsed(raw: bytes) -> Said:
    before, _, body = raw.partition(b"\r\n\r\n")
    lines = before.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2 or not words[1].isdigit():
        return NOTHING
    pairs = (line.partition(":") for line in lines[1:])
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return Said(int(words[1]), headers, body, raw.count(b"HTTP/1.1 "))


async def close(writer: asyncio.StreamWriter) -> None:
    """Let go of a connection, whatever state it is in."""
    writer.close()
    with suppress(OSError, TimeoutError, ssl.SSLError):
        async with asyncio.timeout(2):
            await writer.wait_closed()
