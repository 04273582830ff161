"""Addresses that lead inside, and small things that grow: what a server fetches and unpacks for whoever asks."""

import asyncio
import gzip
import json
import struct
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tintype.cli.hostility.wire import FORM, JSON, Place, Said

# Where nobody outside may send a server: this machine in all its spellings, its network, and what clouds keep for themselves.
INSIDE = (
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::]",
    "0.0.0.0",  # noqa: S104 - nobody listens there
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
)  # fmt: skip
ELSEWHERE = (
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.100.100.200/",
    "http://192.168.0.1/", "http://10.0.0.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[fe80::1]/",
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "ftp://127.0.0.1/",
)  # fmt: skip
ALIVE_SECONDS = 5.0


@dataclass(slots=True)
class Canary:
    """A listener on this machine that nobody outside may make the server call."""

    port: int
    called: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def canary() -> AsyncGenerator[Canary]:
    """Listen while the block runs."""
    found = Canary(0)

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.called.append((await reader.read(200)).decode("latin-1"))
        writer.close()

    server = await asyncio.start_server(heard, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


async def inner_addresses(place: Place) -> str:
    """Links into this machine, where anybody may paste one."""
    async with canary() as bird:
        for url in _urls(bird.port):
            for path, said in (("/scrape", {"url": url}), ("/resolve", {"url": url}), ("/api/queue", {"url": url})):
                found = await place.post(path, said)
                if not found.is_refused:
                    return f"{path} took {url}: {found.status}"
            await place.post("/auth/obtain-token", {
                "instagramAppId": "1", "instagramAppSecret": "x", "code": "x", "embedUrl": url
            })  # fmt: skip
        return f"the server called {bird.called[0][:60]!r}" if bird.called else ""


async def inner_addresses_by_key(place: Place, key: str, token: str) -> str:
    """The same links where a key or a token is needed: storeUrl, conversions, pictures of posts, webhooks."""
    bearer = {"Authorization": f"Bearer {token}"}
    async with canary() as bird:
        for url in _urls(bird.port):
            asked = await place.ask(
                "POST",
                f"/api/store/S3?key={key}",
                f"url={url}".encode(),
                FORM,
            )
            cdn = await place.ask("GET", f"/cdn/{key}/resize=width:10/{url}")
            hook = await place.post("/api/webhooks", {"url": url, "events": ["all"]}, headers=bearer)
            if hook.status == 201:
                await place.post(f"/api/webhooks/{hook.json().get('id')}/test", {}, headers=bearer)
                await place.ask("DELETE", f"/api/webhooks/{hook.json().get('id')}", headers=bearer)
            if asked.status == 200 or cdn.status == 200:
                return f"fetched {url}"
        return f"the server called {bird.called[0][:60]!r}" if bird.called else ""


def _urls(port: int) -> list[str]:
    return [f"http://{host}:{port}/" for host in INSIDE] + list(ELSEWHERE)


async def deep_bodies(place: Place) -> str:
    """JSON that nests without end, numbers without end, and forms with more fields than anybody fills in."""
    deep, long = b"[" * 200_000, b'{"url": ' + b"1" * 200_000 + b"}"
    many = b"&".join(b"a%d=1" % number for number in range(50_000))
    for path in ("/register", "/api/auth/login", "/sync", "/meta/webhooks"):
        for body in (deep, long, b'{"a":' * 50_000):
            if (trouble := await _answered(place, path, body, JSON)) is not None:
                return trouble
    for path in ("/signin", "/meta/deauthorize"):
        if (trouble := await _answered(place, path, many, FORM)) is not None:
            return trouble
    return ""


async def packed_bodies(place: Place) -> str:
    """A body that is small while packed and a gigabyte after."""
    packed = gzip.compress(b"\0" * 50_000_000)
    for path in ("/register", "/api/queue", "/signin"):
        trouble = await _answered(place, path, packed, {**JSON, "Content-Encoding": "gzip"})
        if trouble is not None:
            return trouble
    return ""


async def odd_letters(place: Place) -> str:
    """Forms in letters that no browser writes, half characters in JSON, and the null character, which not every database keeps."""
    part = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\\ud800-\xff\r\n--x--\r\n'
    forms = [
        (path, part, f"multipart/form-data; boundary=x; charset={charset}")
        for path in ("/signin", "/share", "/meta/deauthorize", "/api/store/S3?key=nobody")
        for charset in ("idna", "punycode", "undefined", "unicode_escape")
    ]
    bodies = [
        (path, f'{{"apikey": "{word}", "url": "{word}", "name": "{word}"}}'.encode(), JSON["Content-Type"])
        for path in ("/multipart/start", "/metadata", "/register", "/api/queue", "/scrape")
        for word in ("\\ud800", "a\\u0000b")
    ]
    for path, body, kind in [*forms, *bodies]:
        if (await place.ask("POST", path, body, {"Content-Type": kind})).status == 500:
            return f"{path} broke over {kind}: {body[:60]!r}"
    for path in ("/api/queue/%00", "/scrape/jobs/%00", "/media/%00/a.jpg", "/feeds/%00.json", "/openapi/%00.json"):
        if (await place.ask("GET", path)).status == 500:
            return f"{path} broke over the null character"
    return ""


async def swelling_pictures(place: Place, key: str) -> str:
    """Pictures that are small as files and enormous when they are decoded, or that only look like pictures."""
    for name, body in (("wide.png", _png(40_000, 40_000)), ("broken.png", _png(100, 100)[:60]), ("a.svg", SVG)):
        stored = await place.ask(
            "POST", f"/api/store/S3?key={key}&filename={name}", body, {"Content-Type": "image/png"}, seconds=30
        )
        handle = str(stored.json().get("url", "")).rpartition("/")[2]
        if stored.status != 200 or not handle:
            continue
        made = await place.ask("GET", f"/api/file/{handle}/convert?w=100", seconds=60)
        if not made.is_refused:
            return f"{name} was made into {made.status}"
        if (await place.ask("GET", "/healthz", seconds=ALIVE_SECONDS)).status != 200:
            return f"{name} kept the server from answering"
    return ""


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/><script>alert(1)</script></svg>'


def _png(width: int, height: int) -> bytes:
    """Return a PNG of one bit a pixel, all of it black."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    line = b"\0" * (1 + (width + 7) // 8)
    packed = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    shape = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", shape) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


async def _answered(place: Place, path: str, body: bytes, headers: Mapping[str, str]) -> str | None:
    found: Said = await place.ask("POST", path, body, headers, seconds=15)
    if not found.is_refused and found.status != 303:
        return f"{path} answered {found.status} to {len(body)} bytes of {headers['Content-Type']}"
    alive = await place.ask("GET", "/healthz", seconds=ALIVE_SECONDS)
    return None if alive.status == 200 else f"{path} kept the server from answering"


async def made_app(place: Place, token: str) -> tuple[str, str]:
    """Make an app for the attack; return its id and key, or nothing where the token opens no workspace."""
    made = await place.post("/api/apps", {"name": "Hostile suite"}, headers={"Authorization": f"Bearer {token}"})
    return (str(made.json()["id"]), str(made.json()["key"])) if made.status == 201 else ("", "")


async def removed_app(place: Place, token: str, app_id: str) -> None:
    """Remove the app again, with all that it was given."""
    await place.ask("DELETE", f"/api/apps/{app_id}", headers={"Authorization": f"Bearer {token}"})


def shown_tracebacks(place: Place) -> str:
    """Return what of everything that came back shows the inside of the server."""
    for said in place.said:
        if "Traceback (most recent call last)" in said.text or 'File "/' in said.text:
            return "an answer shows a traceback"
        if said.status == 500 and "Internal server error" in said.text:
            return f"an answer is {said.status}: {json.dumps(said.text[:120])}"
    return ""
