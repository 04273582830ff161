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
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = _certificates(folder)
    context.load_cert_chain(folder / "host.pem", folder / "host.key")
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


def _certificates(folder: Path) -> Path:
    """Make an authority and a certificate for Instagram's names; the path of the authority's."""
    root, host = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tintype's tests")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = _unsigned(issuer, issuer, root).add_extension(x509.BasicConstraints(True, 0), True)
    signed = authority.add_extension(usage, True).sign(root, hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES])
    leaf = _unsigned(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])]), issuer, host)
    leaf = leaf.add_extension(names, False).add_extension(x509.BasicConstraints(False, None), True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    leaf = leaf.add_extension(identifier, False).sign(root, hashes.SHA256())
    (folder / "authority.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "host.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key = host.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "host.key").write_bytes(key)
    return folder / "authority.pem"


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=2))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
