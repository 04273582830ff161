"""The pretend Instagram fetches what is to be published over real connections, however an answer is framed."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.simulator.visitor import BAKER
from tintype.simulator import create
from tintype.simulator.photographs import photograph

PHOTO = photograph(5, 640, 800)
OK = b"HTTP/1.1 200 OK\r\n"
Wire = Callable[[str], bytes]


def chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def sized(body: bytes, more: bytes = b"") -> bytes:
    return OK + more + b"content-length: %d\r\n\r\n" % len(body) + body


@asynccontextmanager
async def a_website(wire: Wire) -> AsyncGenerator[tuple[str, list[str]]]:
    """A web server that answers with the very bytes that `wire` gives for a path and then closes; and what it was asked."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
        asked.append(head + (await reader.readexactly(length)).decode())
        writer.write(wire(asked[-1].split()[1]))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def an_app() -> AsyncGenerator[tuple[httpx2.AsyncClient, dict[str, str]]]:
    """A client of a pretend Instagram that calls out by itself, and the headers of somebody who publishes."""
    transport = httpx2.ASGITransport(app=create(7))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as http:
        token = (await http.post("/_world/tokens", json={"username": BAKER, "login": "instagram"})).json()
        yield http, {"authorization": f"Bearer {token['access_token']}"}


@pytest.mark.parametrize(
    "answer",
    [
        sized(PHOTO),
        OK + b"transfer-encoding: chunked\r\n\r\n" + chunked(PHOTO),
        OK + b"\r\n" + PHOTO,
        sized(gzip.compress(PHOTO), b"content-encoding: gzip\r\n"),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + sized(PHOTO),
    ],
    ids=["sized", "chunked", "until it closes", "gzip", "early hints"],
)
async def test_a_picture_arrives_whole(answer: bytes) -> None:
    async with a_website(lambda _: answer) as (site, asked), an_app() as (http, headers):
        made = await http.post("/me/media", data={"image_url": f"{site}/a.jpg?x=1"}, headers=headers)
        assert made.status_code == 200, made.text
        await http.patch(f"/_world/containers/{made.json()['id']}", json={"status_code": "FINISHED"})
        post = await http.post("/me/media_publish", data={"creation_id": made.json()["id"]}, headers=headers)
        shown = await http.get(f"/{post.json()['id']}", params={"fields": "media_url"}, headers=headers)
        assert (await http.get(shown.json()["media_url"])).content == PHOTO
        assert asked[0].startswith("GET /a.jpg?x=1 HTTP/1.1\r\n")


async def test_redirects_are_followed() -> None:
    def wire(path: str) -> bytes:
        return sized(PHOTO) if path == "/b.jpg" else b"HTTP/1.1 302 Found\r\nlocation: /b.jpg\r\n\r\n"

    async with a_website(wire) as (site, asked), an_app() as (http, headers):
        made = await http.post("/me/media", data={"image_url": f"{site}/a.jpg"}, headers=headers)
        assert made.status_code == 200, made.text
        assert [one.split()[1] for one in asked] == ["/a.jpg", "/b.jpg"]


@pytest.mark.parametrize(
    "answer",
    [
        sized(PHOTO)[:-10],
        OK + b"transfer-encoding: chunked\r\n\r\n" + chunked(PHOTO)[:-400],
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"",
    ],
    ids=["cut short", "half a chunk", "not found", "no HTTP", "nothing"],
)
async def test_what_does_not_arrive_is_told(answer: bytes) -> None:
    async with a_website(lambda _: answer) as (site, _), an_app() as (http, headers):
        refused = await http.post("/me/media", data={"image_url": f"{site}/a.jpg"}, headers=headers)
        assert refused.json()["error"]["error_subcode"] == 2207052


async def test_nobody_there_is_told() -> None:
    async with a_website(lambda _: b"") as (site, _):
        pass
    async with an_app() as (http, headers):
        refused = await http.post("/me/media", data={"image_url": f"{site}/a.jpg"}, headers=headers)
        assert refused.json()["error"]["error_subcode"] == 2207052


async def test_a_webhook_is_posted_with_its_body() -> None:
    async with a_website(lambda _: b"HTTP/1.1 204 No Content\r\n\r\n") as (site, asked), an_app() as (http, _):
        order = {"field": "comments", "username": BAKER, "value": {"id": "1"}, "callback": f"{site}/hook"}
        told = (await http.post("/_world/webhooks", json=order)).json()
        assert told["statuses"] == [204]
        assert asked[0].startswith("POST /hook HTTP/1.1\r\n")
        assert "x-hub-signature-256: sha256=" in asked[0]
        assert '"changes":[{"field":"comments","value":{"id":"1"}}]' in asked[0]
