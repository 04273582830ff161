"""The way out as callers meet it: what is sent, what comes back, and how trouble is told."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.remote import Asked, Remote, Script, answer, remote
from tintype.backends import outbound as seam
from tintype.backends.journeys import Journey, followed, present
from tintype.backends.outbound import (
    FOREIGN,
    INSTAGRAM_HOSTS,
    HttpOutbound,
    Outgoing,
    Policy,
    browser_url,
    trouble,
)
from tintype.errors import Forbidden, TooLarge, Trouble, Unreachable

ORIGIN = "http://127.0.0.1:8001"
HERE = Policy(total_seconds=60, first_byte_seconds=60)
hosts = st.sampled_from([*sorted(INSTAGRAM_HOSTS), "scontent-fra3-1.cdninstagram.com", "video.xx.fbcdn.net"])
targets = st.from_regex(r"\A/[A-Za-z0-9_.~/-]{0,20}(\?[A-Za-z0-9_.~=&%41-]{1,20})?\Z").filter(
    lambda text: "." not in text.partition("?")[0]  # dot segments are folded, as every client does
)


async def get(script: Script, policy: Policy = HERE, method: str = "GET") -> tuple[bytes, Remote]:
    async with remote(script) as here:
        outbound = HttpOutbound(allow=(here.place,))
        try:
            return (await outbound.send(Outgoing(method, here.url("/a?b=secret")), policy)).body, here
        finally:
            await outbound.close()


@given(hosts, targets, st.sampled_from([None, ORIGIN]))
def test_rerouting_changes_the_place_and_nothing_else(host: str, target: str, origin: str | None) -> None:
    url = f"https://{host}{target}"
    place = origin or f"https://{host}"
    assert browser_url(url, origin) == place + target


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/graph.instagram.com",
        "https://graph.instagram.com.evil.example/",
        "https://mycdninstagram.com/",
        "https://example.com/?u=https://graph.instagram.com/",
        "https://instagram.com.evil.example/#@graph.instagram.com",
    ],
)
def test_other_hosts_are_not_rerouted(url: str) -> None:
    assert browser_url(url, ORIGIN) == url


async def test_the_host_header_keeps_a_port_of_its_own() -> None:
    async with remote(answer(b"{}")) as here:
        outbound = HttpOutbound(instagram_origin=here.url())
        await outbound.send(Outgoing("GET", "https://graph.instagram.com:8443/me"), HERE)
        await outbound.close()
    assert (here.asked[0].line, here.asked[0].headers["host"]) == ("GET /me HTTP/1.1", "graph.instagram.com:8443")


def test_a_browser_keeps_query_and_fragment() -> None:
    url = "https://www.instagram.com/oauth/authorize?redirect_uri=https%3A%2F%2Fa%2Fb&state=1#_"
    assert browser_url(url, ORIGIN + "/") == ORIGIN + "/oauth/authorize?redirect_uri=https%3A%2F%2Fa%2Fb&state=1#_"


async def test_a_call_for_instagram_reaches_the_origin_with_its_host_header() -> None:
    async with remote(answer(b"{}", "Content-Type: application/json")) as here:
        outbound = HttpOutbound(instagram_origin=here.url().rstrip("/"), user_agent="Tintype/9")
        found = await outbound.send(
            Outgoing("get", "https://graph.instagram.com/v25.0/me?fields=a%2Cb", {"access_token": "t&1"}), HERE
        )
        await outbound.close()
    assert (found.status, found.body, found.headers["content-type"]) == (200, b"{}", "application/json")
    asked = here.asked[0]
    assert asked.line == "GET /v25.0/me?fields=a%2Cb&access_token=t%261 HTTP/1.1"
    assert asked.headers["host"] == "graph.instagram.com"
    assert asked.headers["user-agent"] == "Tintype/9"


async def test_the_origin_itself_may_be_called_and_nothing_beside_it() -> None:
    async with remote(answer(b"picture")) as here, remote(answer(b"private")) as beside:
        outbound = HttpOutbound(instagram_origin=here.url().rstrip("/"))
        narrow = Policy(host_suffixes=(".fbcdn.net",))
        assert (await outbound.send(Outgoing("GET", here.url("/p.jpg")), narrow)).body == b"picture"
        with pytest.raises(Forbidden):
            await outbound.send(Outgoing("GET", beside.url()), Policy(https_only=False))
        await outbound.close()
    assert beside.asked == []


async def test_bodies_are_sent_as_forms_json_bytes_and_streams() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"cd"

    async with remote(answer(b"")) as here:
        outbound = HttpOutbound(allow=(here.place,))
        for request in (
            Outgoing("POST", here.url(), form={"code": "a b"}),
            Outgoing("POST", here.url(), json={"a": [1]}),
            Outgoing("PUT", here.url(), content=b"raw", headers={"Content-Type": "image/jpeg", "X-Own": "1"}),
            Outgoing("PUT", here.url(), content=pieces()),
        ):
            await outbound.send(request, HERE)
        await outbound.close()
    assert [asked.body for asked in here.asked] == [b"code=a+b", b'{"a":[1]}', b"raw", b"abcd"]
    assert here.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert here.asked[1].headers["content-type"] == "application/json"
    assert (here.asked[2].headers["content-type"], here.asked[2].headers["x-own"]) == ("image/jpeg", "1")


async def test_a_refusal_is_an_answer_like_any_other() -> None:
    async with remote(answer(b"no", status="500 Oh")) as here:
        outbound = HttpOutbound(allow=(here.place,))
        assert (await outbound.send(Outgoing("GET", here.url()), HERE)).status == 500
        await outbound.close()


async def test_a_stream_hands_out_the_body_before_it_ends() -> None:
    first_was_seen = asyncio.Event()

    async def script(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await writer.drain()
        await first_was_seen.wait()
        writer.write(b"cd")

    async with remote(script) as here:
        outbound = HttpOutbound(allow=(here.place,))
        seen: list[bytes] = []
        async with outbound.stream(Outgoing("GET", here.url()), HERE) as found:
            async for chunk in found.chunks:
                seen.append(chunk)
                first_was_seen.set()
        await outbound.close()
    assert seen == [b"ab", b"cd"]


async def test_a_stream_may_be_left_early() -> None:
    async with remote(answer(b"x" * 1_000_000)) as here:
        outbound = HttpOutbound(allow=(here.place,))
        async with outbound.stream(Outgoing("GET", here.url()), HERE) as found:
            assert await anext(found.chunks)
        await outbound.close()


async def test_a_packed_body_is_unpacked_and_its_headers_say_so() -> None:
    packed = gzip.compress(b"hello ") + gzip.compress(b"again")
    async with remote(answer(packed, "Content-Encoding: gzip")) as here:
        outbound = HttpOutbound(allow=(here.place,))
        found = await outbound.send(Outgoing("GET", here.url()), HERE)
        await outbound.close()
    assert found.body == b"hello again"
    assert not {"content-encoding", "content-length"} & set(found.headers)
    assert here.asked[0].headers["accept-encoding"] == "gzip"


async def test_as_many_bytes_as_allowed_are_taken() -> None:
    assert (await get(answer(b"x" * 1000), Policy(max_bytes=1000)))[0] == b"x" * 1000


def bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()


async def unsaid(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await writer.drain()


async def overstated(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    await writer.drain()
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "script", [answer(b"x" * 10_001), answer(bomb(), "Content-Encoding: gzip"), unsaid, overstated]
)
async def test_too_many_bytes_are_refused_as_they_arrive(script: Script) -> None:
    with pytest.raises(TooLarge, match="10000 bytes"):
        await get(script, Policy(max_bytes=10_000))


async def test_the_length_of_a_head_answer_is_no_body() -> None:
    async def script(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: gzip\r\n\r\n")

    assert (await get(script, Policy(max_bytes=10), "HEAD"))[0] == b""


async def silent(_: Asked, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip_head(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-A: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_body(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood_head(_: Asked, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        await writer.drain()


async def flood_body(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n" * 100)
        await writer.drain()


async def cut(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")


async def hang_up(_: Asked, __: asyncio.StreamWriter) -> None:
    pass


async def nonsense(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "policy"),
    [
        (silent, Policy(total_seconds=60, first_byte_seconds=0.2)),
        (drip_head, Policy(total_seconds=0.3)),
        (drip_body, Policy(total_seconds=0.3)),
        (flood_head, Policy(total_seconds=0.3)),
        (flood_body, Policy(total_seconds=0.3, max_bytes=2**40)),
        (cut, HERE),
        (hang_up, HERE),
        (nonsense, HERE),
        (answer(b"not gzip", "Content-Encoding: gzip"), HERE),
        (answer(gzip.compress(b"x" * 100)[:-9], "Content-Encoding: gzip"), HERE),
        (answer(b"x", "Content-Encoding: br"), HERE),
    ],
)
async def test_no_usable_answer_is_unreachable_and_names_only_the_host(script: Script, policy: Policy) -> None:
    with pytest.raises(Unreachable, match=r"'127\.0\.0\.1'") as told:
        await get(script, policy)
    assert "secret" not in str(told.value)


async def test_nobody_listening_is_unreachable() -> None:
    async with remote(answer(b"")) as here:
        place = here.place
    outbound = HttpOutbound(allow=(place,))
    with pytest.raises(Unreachable, match="failed"):
        await outbound.send(Outgoing("GET", f"http://{place}/"), HERE)
    await outbound.close()


async def test_a_resolver_that_hangs_is_unreachable() -> None:
    async def names(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    outbound = HttpOutbound(resolver=names)
    with pytest.raises(Unreachable, match="in time"):
        await outbound.send(Outgoing("GET", "https://slow.example/"), Policy(total_seconds=0.1))
    await outbound.close()


async def test_an_unknown_name_is_unreachable() -> None:
    outbound = HttpOutbound()
    with pytest.raises(Unreachable, match="has no address"):
        await outbound.send(Outgoing("GET", f"https://{'x' * 70}.invalid/"), HERE)
    await outbound.close()


def moved(asked: Asked) -> str | None:
    return {"/1": "/2?x=1", "/2?x=1": "/3", "/3": "/4", "/4": None}.get(asked.target)


async def hops(asked: Asked, writer: asyncio.StreamWriter) -> None:
    to = moved(asked)
    await answer(b"end", *([f"Location: {to}"] if to else []), status="302 Found" if to else "200 OK")(asked, writer)


@pytest.mark.parametrize(
    ("method", "allowed", "asked", "status"),
    [("GET", 3, 4, 200), ("HEAD", 3, 4, 200), ("GET", 0, 1, 302), ("POST", 3, 1, 302)],
)
async def test_redirects_are_followed_only_as_far_as_allowed(
    method: str, allowed: int, asked: int, status: int
) -> None:
    async with remote(hops) as here:
        outbound = HttpOutbound(allow=(here.place,))
        found = await outbound.send(Outgoing(method, here.url("/1")), Policy(max_redirects=allowed))
        await outbound.close()
    assert (len(here.asked), found.status) == (asked, status)


async def test_one_hop_too_many_is_unreachable() -> None:
    async with remote(hops) as here:
        outbound = HttpOutbound(allow=(here.place,))
        with pytest.raises(Unreachable, match="more than 2 times"):
            await outbound.send(Outgoing("GET", here.url("/1")), Policy(max_redirects=2))
        await outbound.close()


async def test_credentials_stay_with_the_host_they_were_meant_for() -> None:
    async with remote(answer(b"")) as other, remote(answer(b"", f"Location: {other.url()}", status="307 X")) as here:
        outbound = HttpOutbound(allow=(here.place, other.place))
        headers = {"Authorization": "Bearer s", "Cookie": "a=b", "X-Plain": "1"}
        await outbound.send(Outgoing("GET", here.url(), headers=headers), Policy(max_redirects=1))
        await outbound.close()
    assert {"authorization", "cookie", "x-plain"} <= set(here.asked[0].headers)
    assert {"authorization", "cookie", "x-plain"} & set(other.asked[0].headers) == {"x-plain"}


async def test_a_redirect_on_the_same_host_keeps_its_credentials() -> None:
    async with remote(hops) as here:
        outbound = HttpOutbound(allow=(here.place,))
        headers = {"Authorization": "Bearer s"}
        await outbound.send(Outgoing("GET", here.url("/3"), headers=headers), Policy(max_redirects=1))
        await outbound.close()
    assert [asked.headers.get("authorization") for asked in here.asked] == ["Bearer s", "Bearer s"]


async def test_cookies_and_proxies_of_the_surroundings_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with remote(answer(b"", "Set-Cookie: a=b")) as here:
        outbound = HttpOutbound(allow=(here.place,))
        for _ in range(2):
            await outbound.send(Outgoing("GET", here.url()), HERE)
        await outbound.close()
    assert ["cookie" in asked.headers for asked in here.asked] == [False, False]


async def test_a_call_inside_an_open_transaction_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = True
    monkeypatch.setattr(seam, "forbid_when", lambda: inside)
    async with remote(answer(b"ok")) as here:
        outbound = HttpOutbound(allow=(here.place,))
        with pytest.raises(RuntimeError, match="transaction"):
            await outbound.send(Outgoing("GET", here.url()), HERE)
        inside = False
        assert (await outbound.send(Outgoing("GET", here.url()), HERE)).body == b"ok"
        await outbound.close()


def test_nothing_secret_is_in_a_repr() -> None:
    request = Outgoing("GET", "https://x/", {"t": "secret"}, {"a": "secret"}, {"f": "secret"}, "secret", b"secret")
    assert "secret" not in repr(request)


def test_every_error_of_the_library_has_a_meaning() -> None:
    known = [kind for kind in vars(httpcore2).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    ours = [kind for kind in known if kind is not httpcore2.ConnectionNotAvailable]  # never leaves its pool
    assert len(ours) >= 14
    for kind in ours:
        assert issubclass(kind, FOREIGN), kind
        assert isinstance(trouble(kind("https://x/?secret"), "x"), Trouble)
        assert "secret" not in str(trouble(kind("https://x/?secret"), "x"))


@pytest.mark.parametrize(("name", "trusted"), [("photos.example", True), ("other.example", False)])
async def test_tls_asks_for_the_name_though_the_literal_address_is_dialled(
    name: str, trusted: bool, tmp_path: Path
) -> None:
    serving, calling = certificate("photos.example", tmp_path)
    named: list[str | None] = []

    def note(_: ssl.SSLObject, server_name: str | None, __: ssl.SSLContext) -> None:
        named.append(server_name)

    serving.set_servername_callback(note)  # pyright: ignore[reportArgumentType] - its stub knows SSLSocket only

    async def names(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with remote(answer(b"safe"), serving) as here:
        outbound = HttpOutbound(allow=(f"{name}:{here.port}",), resolver=names, ssl_context=calling)
        request = Outgoing("GET", f"https://{name}:{here.port}/")
        if trusted:
            assert (await outbound.send(request, HERE)).body == b"safe"
        else:
            with pytest.raises(Unreachable):
                await outbound.send(request, HERE)
        await outbound.close()
    assert named == [name]


async def test_who_follows_a_request_learns_where_it_went_and_what_took_how_long(tmp_path: Path) -> None:
    serving, calling = certificate("photos.example", tmp_path)

    async def slow_names(host: str, port: int) -> Sequence[str]:
        del host, port
        await asyncio.sleep(0.05)
        return ["127.0.0.1"]

    async with remote(answer(b"safe"), serving) as here, remote(answer(b"plain", "Connection: close")) as plain:
        allow = (f"photos.example:{here.port}", f"photos.example:{plain.port}", "photos.example:1")
        outbound = HttpOutbound(allow=allow, resolver=slow_names, ssl_context=calling)
        with followed() as secured:
            await outbound.send(Outgoing("GET", f"https://photos.example:{here.port}/"), HERE)
        with followed() as bare:
            await outbound.send(Outgoing("GET", f"http://photos.example:{plain.port}/"), HERE)
        with followed() as nowhere, pytest.raises(Unreachable):
            await outbound.send(Outgoing("GET", "http://photos.example:1/"), HERE)
        await outbound.close()
    assert (secured.address, secured.tls) == ("127.0.0.1", "TLSv1.3")
    assert secured.dns is not None
    assert secured.dns >= 0.05
    assert None not in (secured.connect, secured.handshake)
    assert (bare.address, bare.tls, bare.handshake) == ("127.0.0.1", None, None)
    assert nowhere.address == "127.0.0.1"
    assert None not in (nowhere.dns, nowhere.connect)
    assert present() is None


async def test_a_kept_connection_is_told_from_a_new_one() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            if line == b"\r\n":
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        outbound = HttpOutbound(allow=(place,))
        journeys = list[Journey]()
        for _ in range(2):
            with followed() as journey:
                await outbound.send(Outgoing("GET", f"http://{place}/"), HERE)
            journeys.append(journey)
        await outbound.close()
    first, second = journeys
    assert first.connect is not None
    assert (second.address, second.dns, second.connect) == ("127.0.0.1", None, None)


def certificate(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return contexts for a server that is `name` and for a client that trusts its certificate alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain, private)
    return serving, ssl.create_default_context(cafile=chain)
