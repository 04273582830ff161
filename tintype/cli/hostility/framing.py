"""Requests that two servers in a row would read differently, or that never end."""

import asyncio
import time

from tintype.cli.hostility.wire import Place, close, head

SLOW_CONNECTIONS = 40
SLOW_SECONDS = 45.0  # within which a server has to let go of those who only hold a connection


async def two_lengths(place: Place) -> str:
    """Two different Content-Length headers."""
    raw = f"POST /sync HTTP/1.1\r\nHost: {place.name}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{{}}    "
    return _refused((await place.send(raw.encode(), seconds=3)).is_refused, "took one of two lengths")


async def length_and_chunks(place: Place) -> str:
    """Content-Length beside Transfer-Encoding, with a second request inside."""
    inner = f"GET /healthz HTTP/1.1\r\nHost: {place.name}\r\n\r\n"
    raw = (
        f"POST /sync HTTP/1.1\r\nHost: {place.name}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {5 + len(inner)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
    )
    found = await place.send(raw.encode(), seconds=3)
    return _refused(found.answers <= 1, "answered a request that was hidden in another one's body")


async def odd_encodings(place: Place) -> str:
    """Transfer encodings that nobody reads alike."""
    for value in ("xchunked", "chunked, identity", "identity, chunked, identity", "\x0bchunked"):
        raw = f"POST /sync HTTP/1.1\r\nHost: {place.name}\r\nTransfer-Encoding: {value}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        if not (await place.send(raw.encode("latin-1"), seconds=3)).is_refused:
            return f"took Transfer-Encoding: {value!r}"
    return ""


async def odd_chunks(place: Place) -> str:
    """Chunk sizes that are no numbers, or too large for any."""
    for size in ("zz", "-1", "0x2", "ffffffffffffffffff"):
        raw = (
            head("POST", "/sync", place.name, {"Transfer-Encoding": "chunked"})
            + f"{size}\r\n{{}}\r\n0\r\n\r\n".encode()
        )
        if not (await place.send(raw, seconds=3)).is_refused:
            return f"took a chunk of the size {size!r}"
    return ""


async def odd_headers(place: Place) -> str:
    """Header lines with a space before the colon, folded, without a name, or with a null byte."""
    for line in ("Content-Length : 2", "X-A: b\r\n folded", ": nameless", "X-A: \x00", "no colon at all"):
        raw = f"GET /healthz HTTP/1.1\r\nHost: {place.name}\r\n{line}\r\n\r\n"
        if not (await place.send(raw.encode(), seconds=3)).is_refused:
            return f"took the header line {line!r}"
    return ""


async def odd_hosts(place: Place) -> str:
    """No Host, or two of them, which a proxy and a server may read differently."""
    for lines in ("X-A: b\r\n", f"Host: {place.name}\r\nHost: elsewhere.invalid\r\n"):
        raw = f"GET /healthz HTTP/1.1\r\n{lines}\r\n"
        if not (await place.send(raw.encode(), seconds=3)).is_refused:
            return f"took a request with {lines.count('Host:')} Host headers"
    return ""


async def large_headers(place: Place) -> str:
    """A header of a megabyte, and ten thousand of them."""
    for headers in ({"X-A": "a" * 1_000_000}, {f"X-{number}": "a" for number in range(10_000)}):
        if not (await place.send(head("GET", "/healthz", place.name, headers))).is_refused:
            return "took headers without end"
    return ""


async def large_bodies(place: Place) -> str:
    """A body of eight megabytes where a few hundred bytes are meant, with its length and in chunks."""
    body = b"a" * 8_000_000
    for path in ("/scrape", "/register", "/signin", "/api/queue"):
        kind = {"Content-Type": "application/json"}
        plain = await place.send(head("POST", path, place.name, {**kind, "Content-Length": str(len(body))}), more=body)
        chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
        chunked = await place.send(
            head("POST", path, place.name, {**kind, "Transfer-Encoding": "chunked"}), more=chunk * 120 + b"0\r\n\r\n"
        )
        if not plain.is_refused or not chunked.is_refused:
            return f"{path} took eight megabytes"
    return ""


async def slow_senders(place: Place) -> str:
    """Forty connections that send a letter a second, half of them in the headers and half in the body."""
    started = [await place.connect() for _ in range(SLOW_CONNECTIONS)]
    for number, (_, writer) in enumerate(started):
        whole = head("POST", "/scrape", place.name, {"Content-Type": "application/json", "Content-Length": "4000"})
        writer.write(whole[:-4] if number % 2 else whole)
    left, began, slowest = list(started), time.monotonic(), 0.0
    while left and time.monotonic() - began < SLOW_SECONDS:
        asked = time.monotonic()
        if (await place.ask("GET", "/healthz")).status != 200:
            return "others were not answered meanwhile"
        slowest = max(slowest, time.monotonic() - asked)
        await asyncio.sleep(1)
        left = [one for one in left if await _goes_on(*one)]
    for _, writer in started:
        await close(writer)
    if left:
        return f"{len(left)} of {SLOW_CONNECTIONS} were still held after {SLOW_SECONDS:.0f} s"
    return _refused(slowest < 5, f"others waited {slowest:.1f} s meanwhile")


async def _goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    try:
        writer.write(b"a")
        await writer.drain()
        async with asyncio.timeout(0.001):
            while await reader.read(4096):
                pass
    except TimeoutError:
        return True
    except OSError:
        return False
    return False


def _refused(holds: bool, otherwise: str) -> str:
    return "" if holds else otherwise
