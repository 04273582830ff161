"""Forty set-ups that keep Instagram from fetching a file, and forty good ones, on a server of the test's own."""

import asyncio
import gzip
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.backends.pictures import picture
from tests.backends.remote import Asked, Script, answer

JPEG = picture("jpeg", 400, 400)
PNG = picture("png", 64, 64)
WEBP = picture("webp", 64, 64)
AVIF = picture("avif", 64, 64)
GIF = picture("gif", 64, 64)
IMAGE = "Content-Type: image/jpeg"
HTML = b"<!DOCTYPE html><html><body><form><input type=password></form></body></html>"


def box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + name + body


MP4 = box(b"ftyp", b"isom\0\0\0\0mp42") + box(b"moov", bytes(40)) + box(b"mdat", bytes(2000))


@dataclass(frozen=True, slots=True)
class Case:
    """What a path answers, and the code of what is to be found there (None: all is well)."""

    code: str | None
    script: Script
    want: str = "picture"


def sent(body: bytes, content_type: str | None = "image/jpeg", *headers: str, status: str = "200 OK") -> Script:
    lines = [f"Content-Type: {content_type}"] if content_type else []
    return answer(body, *lines, *headers, status=status)


def to(target: str, *headers: str, status: str = "302 Found") -> Script:
    return answer(b"", f"Location: {target}", *headers, status=status)


def cut(body: bytes, stated: int) -> Script:
    """Promise more bytes than are sent."""

    async def play(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{IMAGE}\r\nContent-Length: {stated}\r\n\r\n".encode() + body)

    return play


def chunked(*pieces: bytes, end: bool = True) -> Script:
    async def play(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{IMAGE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for piece in pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        writer.write(b"0\r\n\r\n" if end else b"")

    return play


async def silence(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Take the request and hang up."""


async def gibberish(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 smtp.example ESMTP ready\r\n")


async def wants_cookie(asked: Asked, writer: asyncio.StreamWriter) -> None:
    script = sent(JPEG) if "cookie" in asked.headers else to(asked.target, "Set-Cookie: seen=1")
    await script(asked, writer)


S3_DENIED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'
LARGE = JPEG + bytes(3 * 2**20)

BROKEN: Mapping[str, Case] = {
    "/html": Case("html", sent(HTML, "text/html")),
    "/html-called-jpeg": Case("html", sent(b"\n<html><head></head></html>")),
    "/html-plain": Case("html", sent(b"Please wait", "text/html; charset=utf-8")),
    "/login": Case("redirect_to_login", to("/accounts/login?next=%2Fphoto")),
    "/sso": Case("redirect_to_login", to("/start", status="303 See Other")),
    "/to-401": Case("redirect_to_login", to("/oauth/authorize")),
    "/401": Case("unauthorized", sent(b"", status="401 Unauthorized")),
    "/403": Case("forbidden", sent(b"no", status="403 Forbidden")),
    "/404": Case("not_found", sent(HTML, "text/html", status="404 Not Found")),
    "/410": Case("gone", sent(b"", status="410 Gone")),
    "/429": Case("too_many_requests", sent(b"", None, "Retry-After: 9", status="429 Too Many Requests")),
    "/500": Case("server_error", sent(b"", status="500 Oops")),
    "/503": Case("server_error", sent(b"", status="503 Away")),
    "/418": Case("status", sent(b"", status="418 Teapot")),
    "/expired": Case("expired_link", sent(S3_DENIED, "application/xml", status="403 Forbidden")),
    "/loop": Case("redirect_loop", to("/loop")),
    "/loop-of-two": Case("redirect_loop", to("/loop-back")),
    "/cookie": Case("needs_cookies", wants_cookie),
    "/far": Case("too_many_redirects", to("/far1")),
    "/to-nowhere": Case("not_an_address", to("http://[")),
    "/inside": Case("redirect_to_private", to("http://10.0.0.7/photo.jpg")),
    "/to-localhost": Case("redirect_to_private", to("http://localhost/photo.jpg")),
    "/to-metadata": Case("redirect_to_private", to("http://169.254.169.254/latest", status="307 Go")),
    "/to-file": Case("scheme", to("file:///etc/passwd")),
    "/json": Case("json", sent(json.dumps({"error": "no"}).encode(), "application/json")),
    "/json-called-jpeg": Case("json", sent(b'{"message": "Not authorised"}')),
    "/xml": Case("xml", sent(b'<?xml version="1.0"?><Error/>')),
    "/text": Case("not_a_picture", sent(b"hello")),
    "/pdf": Case("not_a_picture", sent(b"%PDF-1.7 " + bytes(100))),
    "/svg": Case("not_a_picture", sent(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")),
    "/video-for-picture": Case("not_a_picture", sent(MP4, "video/mp4")),
    "/picture-for-video": Case("not_a_video", sent(JPEG), "video"),
    "/typed-text": Case("wrong_content_type", sent(JPEG, "text/plain")),
    "/typed-html": Case("wrong_content_type", sent(PNG, "text/html")),
    "/empty": Case("empty", sent(b"")),
    "/204": Case("empty", sent(b"", None, status="204 No Content")),
    "/cut": Case("truncated", cut(JPEG[:5000], len(JPEG))),
    "/cut-clean": Case("truncated", sent(JPEG[:-1000])),
    "/cut-chunked": Case("truncated", chunked(JPEG[:3000], end=False)),
    "/cut-png": Case("truncated", sent(PNG[:-30], "image/png")),
    "/cut-webp": Case("truncated", sent(WEBP[:-30], "image/webp")),
    "/cut-avif": Case("truncated", sent(AVIF[:-30], "image/avif")),
    "/cut-video": Case("truncated", sent(MP4[:-100], "video/mp4"), "video"),
    "/video-without-index": Case("truncated", sent(MP4[:20] + box(b"mdat", bytes(99)), "video/mp4"), "video"),
    "/large": Case("too_large", sent(LARGE)),
    "/large-chunked": Case("too_large", chunked(LARGE)),
    "/forbidden/photo.jpg": Case("robots_forbids", sent(JPEG)),
    "/hangs-up": Case("not_http", silence),
    "/gibberish": Case("not_http", gibberish),
    "/gzip-broken": Case("unpacking", sent(b"\x1f\x8bnonsense" * 9, "image/jpeg", "Content-Encoding: gzip")),
    "/brotli": Case("unpacking", sent(JPEG, "image/jpeg", "Content-Encoding: br")),
    "/bücher.jpg": Case("non_ascii", sent(JPEG)),
}
LATER: Mapping[str, Script] = {
    "/accounts/login?next=%2Fphoto": sent(HTML, "text/html"),
    "/start": to("/sso/saml2"),
    "/sso/saml2": sent(HTML, "text/html"),
    "/oauth/authorize": sent(b"", status="401 Unauthorized"),
    "/loop-back": to("/loop-of-two"),
    "/far1": to("/far2"),
    "/far2": to("/far3"),
    "/far3": to("/far4"),
    "/b%C3%BCcher.jpg": sent(JPEG),
    "/signin/photo.jpg": sent(JPEG),
    "/photo.jpg": sent(JPEG),
    "/3": to("/2"),
    "/2": to("/1"),
    "/1": to("/photo.jpg"),
    "/robots.txt": sent(
        b"User-agent: *\nDisallow: /private/\n\nUser-agent: facebookexternalhit\nDisallow: /forbidden/", "text/plain"
    ),
}


def _good() -> dict[str, Case]:
    types = ("image/jpeg", "image/jpg", "image/png", "application/octet-stream", "binary/octet-stream", None)
    found = {f"/typed-{place}": Case(None, sent(JPEG, kind)) for place, kind in enumerate(types)}
    formats = {"png": PNG, "webp": WEBP, "avif": AVIF, "gif": GIF, "jpeg": JPEG}
    found |= {f"/format-{name}": Case(None, sent(body, f"image/{name}")) for name, body in formats.items()}
    found |= {f"/named-nothing-{name}": Case(None, sent(body, None)) for name, body in formats.items()}
    found |= {
        f"/status-{code}": Case(None, to("/photo.jpg", status=f"{code} Go")) for code in (301, 302, 303, 307, 308)
    }
    found |= {
        "/redirected": Case(None, to("/1")),
        "/redirected-twice": Case(None, to("/1")),
        "/sets-cookie": Case(None, sent(JPEG, "image/jpeg", "Set-Cookie: a=b")),
        "/redirect-sets-cookie": Case(None, to("/photo.jpg", "Set-Cookie: a=b")),
        "/signed-in": Case(None, to("/signin/photo.jpg")),
        "/login.jpg": Case(None, sent(JPEG)),
        "/robots-of-others": Case(None, sent(JPEG)),
        "/private/photo.jpg": Case(None, sent(JPEG)),
        "/chunked": Case(None, chunked(JPEG[:100], JPEG[100:])),
        "/gzipped": Case(None, sent(gzip.compress(JPEG), "image/jpeg", "Content-Encoding: gzip")),
        "/query?X-Amz-Signature=abc%2Fdef&x=1": Case(None, sent(JPEG)),
        "/percent%20encoded%C3%BC.jpg": Case(None, sent(JPEG)),
        "/trailing-bytes": Case(None, sent(JPEG + b"\0" * 30)),
        "/trailing-after-png": Case(None, sent(PNG + b"\n\n", "image/png")),
        "/no-extension": Case(None, sent(JPEG)),
        "/photo.php?id=1": Case(None, sent(JPEG)),
        "/progressive": Case(None, sent(picture("jpeg", 300, 200, interlace=True))),
        "/cmyk-called-jpeg": Case(None, sent(JPEG, "IMAGE/JPEG; charset=binary")),
        "/clip.mp4": Case(None, sent(MP4, "video/mp4"), "video"),
        "/clip.mov": Case(None, sent(MP4, "video/quicktime"), "video"),
        "/clip-as-bytes": Case(None, sent(MP4, "application/octet-stream"), "video"),
        "/clip.webm": Case(None, sent(b"\x1a\x45\xdf\xa3" + bytes(90), "video/webm"), "video"),
    }
    return found


GOOD = _good()


async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer a path as its case says."""
    case = BROKEN.get(asked.target) or GOOD.get(asked.target)
    script = case.script if case else LATER.get(asked.target, sent(b"", None, status="404 Not Found"))
    await script(asked, writer)


@dataclass(slots=True)
class Authority:
    """A certificate authority of the test's own, and the context that trusts it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def trusting(self) -> ssl.SSLContext:
        body = self._certificate("authority", self.key, days=9)
        return ssl.create_default_context(cadata=body.public_bytes(serialization.Encoding.PEM).decode())

    def serving(self, name: str, *, days: int = 9, signed: bool = True, begins: int = -99) -> ssl.SSLContext:
        """Return the context of a server with a certificate for `name`, which ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(name, key, days=days, signed=signed, begins=begins)
        file = self.folder / f"{name}{days}{signed}{begins}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _certificate(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, days: int, signed: bool = True, begins: int = -99
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = "authority" if signed else name
        built = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=days))
        )
        if name == "authority":
            built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        else:
            built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        keys = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key((self.key if signed else key).public_key())
        built = built.add_extension(keys, critical=False).add_extension(authority, critical=False)
        usage = x509.KeyUsage(True, False, False, False, False, name == "authority", name == "authority", False, False)
        built = built.add_extension(usage, critical=True)
        return built.sign(self.key if signed else key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
