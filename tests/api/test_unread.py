"""Bodies that nobody reads, because the answer stood before they came: the connection goes on, or says that it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.served import Served

BODY = 400_000  # more than fits into what the system holds between the two
PLACES = (
    "/api/sns/instagram/uploads",
    "/photos",
    "/nowhere",
    "/meta/webhooks",
    "/api/apps",
    "/api/store/S3?key=nobody",
    "/console/signin",
    "/metrics",
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(door: Served) -> AsyncGenerator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.house.settings.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def asked(streams: Streams, head: str, body: bytes = b"") -> tuple[int, dict[str, str]]:
    """Send a request whole, and return the status and the headers of its answer."""
    reader, writer = streams
    writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
    await writer.drain()
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return int(first.split(" ")[1]), headers


def request(path: str, framing: str) -> str:
    return f"POST {path} HTTP/1.1\nHost: x\nAuthorization: Bearer nope\nContent-Type: image/jpeg\n{framing}"


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("in_chunks", [False, True], ids=["with a length", "in chunks"])
async def test_a_connection_goes_on_after_a_refusal(
    door: Served, path: str, in_chunks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tintype.api.patience.DRAIN_SECONDS", 15.0)  # a busy machine is no slow sender
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (BODY, bytes(BODY)) if in_chunks else bytes(BODY)
    framing = "Transfer-Encoding: chunked" if in_chunks else f"Content-Length: {BODY}"
    async with connected(door) as streams, asyncio.timeout(20):
        status, headers = await asked(streams, request(path, framing), body)
        assert 300 <= status < 500
        assert "connection" not in headers
        assert (await asked(streams, "GET /healthz HTTP/1.1\nHost: x"))[0] == 200


async def test_who_sends_without_end_is_told_that_the_connection_ends(door: Served) -> None:
    async with connected(door) as (reader, writer), asyncio.timeout(20):
        head = request(PLACES[0], f"Content-Length: {10**9}").replace("\n", "\r\n")
        writer.write(head.encode() + b"\r\n\r\n" + bytes(BODY))
        said = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert said.startswith("http/1.1 401")
        assert "\r\nconnection: close\r\n" in said


async def test_who_waits_to_be_asked_for_a_body_is_refused_without_it(door: Served) -> None:
    async with connected(door) as streams, asyncio.timeout(20):
        status, headers = await asked(streams, request(PLACES[0], f"Content-Length: {BODY}\nExpect: 100-continue"))
        assert (status, headers["connection"]) == (401, "close")
