"""What can be wrong with an address from which Instagram is to fetch a picture or a video, and what to do about it.

Instagram itself only answers that it could not fetch the media. Each finding has a code that never changes, and a sentence
that names the host, the reason and the way out; it never repeats the whole address, which may hold a secret.
"""

import socket
import ssl
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from tintype.backends.addresses import forbidden
from tintype.errors import Forbidden, TooLarge, Trouble

PORTS = (None, 80, 443)
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".lan", ".home", ".home.arpa", ".intranet", ".corp", ".test")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    `blocking`: nothing can be published from this address; otherwise an own copy mends it. `ours`: only this side could
    not look, so that Instagram may still be able to. `passing`: the same address may serve the file at another time.
    """

    code: str
    sentence: str
    blocking: bool = True
    ours: bool = False
    passing: bool = False


# What keeps Instagram from fetching, and what it would not take.
SENTENCES = {
    "not_an_address": "this is no web address; send one that begins with https:// and names a host",
    "scheme": "{host} is given with {scheme}://; Instagram fetches with https:// or http:// only",
    "user_name": "the address holds a user name in front of {host}; Instagram sends none, so make the file public",
    "localhost": "{host} is this very machine; Instagram cannot reach it, so upload the file or use a public address",
    "private_address": "{host} is in a private network; Instagram cannot reach it, so upload the file or use a public address",
    "redirect_to_private": "{host} redirects to {target}, in a private network or this very machine; use a public address",
    "tls_self_signed": "the certificate of {host} is self-signed; install one of a public authority such as Let's Encrypt",
    "tls_expired": "the certificate of {host} has expired; renew it",
    "tls_not_yet_valid": "the certificate of {host} is not valid yet; check the server's clock and certificate",
    "tls_wrong_name": "the certificate of {host} was issued for another name; use that name or a certificate for this one",
    "tls_incomplete": "the certificate of {host} is of an unknown authority; let the server send the whole chain",
    "tls_failed": "{host} does not speak TLS in a way that is understood; check its https set-up and port",
    "not_http": "{host} hung up or does not speak HTTP; check the address and port",
    "unauthorized": "{host} asks for a password (401); Instagram has none, so make the file public",
    "forbidden": "{host} refuses the file (403); make it public, and let Meta's crawler facebookexternalhit in",
    "not_found": "{host} has no such file (404); check the address",
    "gone": "{host} says that the file was removed (410); upload it again",
    "expired_link": "the signed address at {host} has expired; make a new one that lasts an hour at least",
    "too_many_requests": "{host} asks for fewer requests (429); try again later, or host the file elsewhere",
    "server_error": "{host} failed to send the file ({status}); try again when the server has recovered",
    "status": "{host} answered {status} and not with the file; use the address of the file itself",
    "redirect_loop": "{host} redirects in a circle; use the address at which the file really is",
    "too_many_redirects": "{host} redirects more than 3 times; use the address at which the file really is",
    "redirect_to_login": "{host} wants a log-in; Instagram has none, so make the file public",
    "needs_cookies": "{host} only answers browsers that keep cookies; Instagram keeps none, so use a plain file address",
    "html": "{host} sends a web page and not the file itself; {advice}",
    "json": "{host} sends JSON, probably an error message, and not the file; open the address in a browser to read it",
    "xml": "{host} sends XML, probably a storage's error message, and not the file; open the address in a browser to read it",
    "empty": "{host} sends an empty file; upload it again",
    "truncated": "the file at {host} ends in the middle; upload it again",
    "unpacking": "{host} packs the file in a way that cannot be unpacked; switch off compression for media",
    "too_large": "the file at {host} is larger than the {most} MB that are taken",
    "not_a_picture": "Invalid image format. Supported: JPEG, PNG",
    "not_a_video": "what {host} sends is {what}; Instagram takes MP4 and MOV videos",
}
_PASSING = frozenset({"server_error", "too_many_requests"})
# An own copy under an own address does not have these.
MENDED = {
    "non_ascii": "the address holds characters beyond ASCII, which Instagram refuses; percent-encode them",
    "wrong_content_type": "{host} calls the file {content_type}; let the server send the type that the file has",
    "robots_forbids": "robots.txt of {host} forbids Meta's crawler to fetch this file; allow facebookexternalhit",
}
# Instagram may see more than we do.
OURS = {
    "name_unknown": "the name {host} is not known here; check its spelling and its DNS entry",
    "connection_refused": "{host} does not take connections; check that its server runs and the port is open",
    "connection_failed": "the connection to {host} failed; check that it can be reached from outside",
    "timeout": "{host} did not send the file in time; Instagram does not wait long either",
    "unusual_port": "port {port} of {host} is not called from here; serve the file on port 443, or set OUTBOUND_ALLOW",
}


def finding(code: str, url: str = "", **words: object) -> Finding:
    """Return the finding with this code about an address."""
    words = {"host": host_of(url), **words}
    if code in OURS:
        return Finding(code, OURS[code].format(**words), blocking=False, ours=True)
    if code in MENDED:
        return Finding(code, MENDED[code].format(**words), blocking=False)
    return Finding(code, SENTENCES[code].format(**words), passing=code in _PASSING)


def of_address(url: str) -> Finding | None:
    """Return what is wrong with an address as it is written, before anybody is asked."""
    parts = _split(url)
    if not url or any(character.isspace() or ord(character) < 0x20 for character in url) or not parts.scheme:
        return finding("not_an_address")
    if parts.scheme not in ("http", "https"):
        return finding("scheme", url, scheme=parts.scheme)
    if not parts.hostname or _port(parts) == -1 or "\\" in url:
        return finding("not_an_address")
    if parts.username is not None or parts.password is not None:
        return finding("user_name", url)
    return None


def of_trouble(trouble: Trouble, url: str, most_bytes: int) -> Finding:
    """Return what it means that an address could not be called."""
    match trouble:
        case TooLarge():
            return finding("too_large", url, most=most_bytes // 2**20)
        case Forbidden():
            return _refused(url, trouble.message)
        case _:
            return _failed(list(_causes(trouble)), url)


def local(host: str) -> str | None:
    """Return `localhost` or `private_address` for a host that only means something in its own network; else None."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "localhost"
    address = _number(name)
    if address is None:
        return "private_address" if "." not in name or name.endswith(_LOCAL_NAMES) else None
    if address.is_loopback or address.is_unspecified:
        return "localhost"
    return "private_address" if forbidden(str(address)) else None


def host_of(url: str) -> str:
    """Return the host that an address names, as far as it names one."""
    return _split(url).hostname or "the address"


def reachable_base(base_url: str) -> Finding | None:
    """Return why Instagram cannot fetch from our own public address; None: nothing in its spelling speaks against it."""
    wrong = of_address(base_url)
    host = _split(base_url).hostname or ""
    code = wrong.code if wrong else local(host)
    if code is None:
        return None
    reason = "that is no web address" if wrong else "Instagram cannot reach it"
    wanted = "set PUBLIC_URL to the https:// address under which the world reaches this service"
    return Finding(code, f"PUBLIC_URL is {_shown(base_url)}; {reason}; {wanted}")


def _number(name: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a name spells; resolvers also take 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 for one."""
    try:
        address = ip_address(name)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(name))
        except (OSError, ValueError):  # no number; or no ASCII
            return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _refused(url: str, words: str) -> Finding:
    parts = _split(url)
    if code := local(parts.hostname or ""):
        return finding(code, url)
    port = _port(parts)
    if port not in PORTS:
        return finding("unusual_port", url, port=port)
    if "no address" in words:
        return finding("name_unknown", url)
    return finding("private_address", url)  # by its name it is public: its addresses are not


def _failed(causes: list[BaseException], url: str) -> Finding:
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return finding(_CERTIFICATE.get(cause.verify_code, "tls_failed"), url)
            case ssl.SSLError():
                return finding("tls_failed", url)
            case socket.gaierror():
                return finding(local(_split(url).hostname or "") or "name_unknown", url)
            case zlib.error():
                return finding("unpacking", url)
            case ConnectionRefusedError():
                return finding("connection_refused", url)
            case TimeoutError():
                return finding("timeout", url)
            case _:
                pass
    words = str(causes[0])
    if "has no address" in words:
        return finding(local(_split(url).hostname or "") or "name_unknown", url)
    if "in time" in words:
        return finding("timeout", url)
    if "did not speak HTTP" in words:
        return finding("not_http", url)
    return finding("unpacking" if "packed" in words else "connection_failed", url)


# The numbers are OpenSSL's (X509_V_ERR_…).
_CERTIFICATE = {
    9: "tls_not_yet_valid",
    10: "tls_expired",
    18: "tls_self_signed",
    19: "tls_self_signed",
    20: "tls_incomplete",
    21: "tls_incomplete",
    62: "tls_wrong_name",
    64: "tls_wrong_name",
}


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return -1


def _shown(url: str) -> str:
    parts = _split(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}" if parts.scheme and place else repr(url[:80])
