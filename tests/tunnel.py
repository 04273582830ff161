"""A way for unmodified programs to the pretend Instagram: an HTTPS proxy that ends TLS itself and leads nowhere else.

Programs that speak https to Instagram's hosts are sent here by their environment alone (`HTTPS_PROXY` and the certificate
variables). Whatever else they ask for is refused with 403, so nothing leaves the machine.
"""

import asyncio
import ssl
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.authority import certify

NAMES = ("www.instagram.com", "i.instagram.com", "*.cdninstagram.com", "*.fbcdn.net")
TAKEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CHUNK = 64 * 1024


@dataclass(slots=True)
class Tunnel:
    """An open proxy: its address, the authority that vouches for it, and who was asked for."""

    url: str
    authority: Path
    taken: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])

    @property
    def environment(self) -> dict[str, str]:
        """What sends a program here: Python's libraries and curl's each read another name."""
        certificates = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
        proxies = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
        return dict.fromkeys(proxies, self.url) | dict.fromkeys(certificates, str(self.authority)) | {"NO_PROXY": ""}


@contextmanager
def tunnel(port: int, folder: Path) -> Generator[Tunnel]:
    """Lead Instagram's hosts to this port of 127.0.0.1 until the block ends; certificates go into the folder."""
    context, authority = certify(folder, *NAMES)
    opened, over = threading.Event(), asyncio.Event()
    made = Tunnel("", authority)
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(
            lambda reader, writer: _lead(made, context, port, reader, writer), "127.0.0.1"
        )
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        opened.set()
        async with server:
            await over.wait()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    thread = threading.Thread(target=_run, args=(loop, serve()), daemon=True)
    thread.start()
    try:
        assert opened.wait(10)
        yield made
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work)


async def _lead(
    made: Tunnel, context: ssl.SSLContext, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection: CONNECT, TLS, then bytes both ways until either side has had enough."""
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        request = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = request.split(b" ", 2)
        host, _, asked = target.decode().rpartition(":")
        if method != b"CONNECT" or asked != "443" or not _known(host):
            made.refused.append(target.decode())
            writer.write(REFUSED)
            await writer.drain()
        else:
            made.taken.append(host)
            writer.write(TAKEN)
            await writer.start_tls(context)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            await _both_ways(reader, writer, far_reader, far_writer)
            far_writer.close()
    writer.close()


def _known(host: str) -> bool:
    return any(host == name or (name.startswith("*") and host.endswith(name[1:])) for name in NAMES)


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    flows = [asyncio.ensure_future(_flow(reader, far_writer)), asyncio.ensure_future(_flow(far_reader, writer))]
    await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
    for flow in flows:
        flow.cancel()
    await asyncio.gather(*flows, return_exceptions=True)


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
