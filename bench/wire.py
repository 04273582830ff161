"""A client that asks for as little of the processors as one can: one connection, one request at a time, nothing decoded."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

LARGEST = 2**20  # bytes of an answer's head


@dataclass(frozen=True, slots=True)
class Wire:
    """A kept connection to a server, with the headers that each request of it carries."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes

    @classmethod
    async def to(cls, port: int, headers: Mapping[str, str]) -> "Wire":
        """Connect to a port of this machine."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LARGEST)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return cls(reader, writer, f" HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{lines}".encode())

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Post a JSON body; returns the answer's status and bytes."""
        length = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        self.writer.write(b"POST " + path.encode() + self.head + length + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        if b"\r\ncontent-length: " not in head:
            raise RuntimeError(f"an answer to {path} without a length: {head[:300]!r}")
        size = int(head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self.reader.readexactly(size)

    def close(self) -> None:
        """Let go of the connection."""
        self.writer.close()
