"""The look at an address before Instagram looks: the right reason for every broken set-up, and no false alarm."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal, cast

import pytest

from tests.backends.remote import Asked, Remote, answer, remote
from tests.core.broken import BROKEN, GOOD, JPEG, Authority, play, sent, to
from tintype.backends.outbound import HttpOutbound
from tintype.core.publishing import preflight
from tintype.core.publishing.findings import MENDED, OURS, Finding, finding, reachable_base
from tintype.core.publishing.preflight import AGENT, Fetched, look

MOST = 2 * 2**20


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(slots=True)
class Place:
    """The server with all the cases, and a way out that may call it."""

    here: Remote
    outbound: HttpOutbound

    async def look(self, path: str, want: str = "picture") -> Fetched | Finding:
        kind = cast(Literal["picture", "video"], want)
        return await look(self.outbound, self.here.url(path), BytesIO(), most_bytes=MOST, want=kind)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with remote(play) as here:
        outbound = HttpOutbound(allow=(here.place,))
        yield Place(here, outbound)
        await outbound.close()


def codes(found: Fetched | Finding) -> list[str]:
    return [found.code] if isinstance(found, Finding) else [note.code for note in found.notes]


@pytest.mark.parametrize("path", BROKEN)
async def test_each_broken_set_up_is_named(place: Place, path: str) -> None:
    case = BROKEN[path]
    found = await place.look(path, case.want)
    assert codes(found) == [case.code]
    told = found if isinstance(found, Finding) else found.notes[0]
    assert told.blocking == isinstance(found, Finding)
    assert "secret" not in told.sentence


@pytest.mark.parametrize("path", GOOD)
async def test_what_is_good_raises_no_alarm(place: Place, path: str) -> None:
    found = await place.look(path, GOOD[path].want)
    assert (isinstance(found, Fetched), codes(found)) == (True, [])


async def test_it_looks_as_metas_crawler_does_and_keeps_no_cookies(place: Place) -> None:
    into = BytesIO()
    url = place.here.url("/redirect-sets-cookie")
    found = await look(place.outbound, url, into, most_bytes=MOST, want="picture")
    assert isinstance(found, Fetched)
    assert (found.final_url, found.bytes, into.read()) == (place.here.url("/photo.jpg"), len(JPEG), JPEG)
    assert {asked.headers["user-agent"] for asked in place.here.asked} == {AGENT}
    assert all("cookie" not in asked.headers for asked in place.here.asked)


UNASKED = {
    "": "not_an_address",
    "photo.jpg": "not_an_address",
    "https://": "not_an_address",
    "https://exa mple.org/x.jpg": "not_an_address",
    "https://example.org:99999/x.jpg": "not_an_address",
    "https://example.org/\r\nX: y": "not_an_address",
    "//example.org/x.jpg": "not_an_address",
    "ftp://example.org/x.jpg": "scheme",
    "file:///etc/passwd": "scheme",
    "data:image/png;base64,AAAA": "scheme",
    "https://user:secret@example.org/x.jpg": "user_name",
    "http://localhost:8000/x.jpg": "localhost",
    "http://127.0.0.1:3000/x.jpg": "localhost",
    "http://[::1]/x.jpg": "localhost",
    "http://app.localhost/x.jpg": "localhost",
    "http://192.168.1.20/x.jpg": "private_address",
    "http://10.1.2.3:9000/x.jpg": "private_address",
    "http://[fd00::1]/x.jpg": "private_address",
    "http://169.254.169.254/x.jpg": "private_address",
    "http://127.1:18777/x.jpg": "localhost",
    "http://2130706433/x.jpg": "localhost",
    "http://2130706433:18777/x.jpg": "localhost",
    "http://0x7f.1:18777/x.jpg": "localhost",
    "http://0177.0.0.1:18777/x.jpg": "localhost",
    "http://127.0.0.1.:18777/x.jpg": "localhost",
    "http://localhost.:18777/x.jpg": "localhost",
    "http://[::ffff:127.0.0.1]:18777/x.jpg": "localhost",
    "http://[::ffff:7f00:1]:18777/x.jpg": "localhost",
    "http://0:18777/x.jpg": "localhost",
    "http://10.1:18777/x.jpg": "private_address",
    "http://0xa9fea9fe:18777/x.jpg": "private_address",
    "http://[::ffff:10.0.0.1]:18777/x.jpg": "private_address",
    "http://nas:5000/x.jpg": "private_address",
    "http://nas.lan:5000/x.jpg": "private_address",
    "http://inside.example/x.jpg": "private_address",
    "https://public.example:8443/x.jpg": "unusual_port",
    "https://nowhere.example/x.jpg": "name_unknown",
    "https://slow.example/x.jpg": "timeout",
}


async def names(host: str, port: int) -> Sequence[str]:
    match host:
        case "inside.example":
            return ["157.240.20.63", "10.0.0.1"]
        case "slow.example":
            await asyncio.Event().wait()
            return []
        case "nowhere.example":
            from tintype.backends.outbound import resolve

            return await resolve(f"{'x' * 70}.invalid", port)
        case _:
            return {"127.1": ["127.0.0.1"], "2130706433": ["127.0.0.1"]}.get(host, [host])


@pytest.mark.parametrize("url", UNASKED)
async def test_addresses_that_lead_nowhere_are_named_without_asking(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = preflight.Policy(total_seconds=0.2, first_byte_seconds=0.2, https_only=False)
    monkeypatch.setattr(preflight, "_PICTURE", quick)
    outbound = HttpOutbound(resolver=names)
    found = await look(outbound, url, BytesIO(), most_bytes=MOST, want="picture")
    await outbound.close()
    assert isinstance(found, Finding)
    assert found.code == UNASKED[url]
    assert found.ours == (found.code in OURS)
    assert "secret" not in found.sentence


REDIRECTS = {
    "/inside": "127.0.0.1 redirects to 10.0.0.7,",
    "/to-localhost": "127.0.0.1 redirects to localhost,",
    "/to-metadata": "127.0.0.1 redirects to 169.254.169.254,",
}


@pytest.mark.parametrize("path", REDIRECTS)
async def test_a_redirect_into_a_private_network_names_both_ends(place: Place, path: str) -> None:
    found = await place.look(path)
    assert isinstance(found, Finding)
    assert found.sentence.startswith(REDIRECTS[path])


async def test_too_many_redirects_are_told_of_the_host_that_was_asked() -> None:
    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def far(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await to(f"http://{len(asked.target)}.example:{there.port}{asked.target}x")(asked, writer)

    async with remote(far) as there:
        hosts = ("photos.example", *(f"{length}.example" for length in range(2, 9)))
        outbound = HttpOutbound(allow=tuple(f"{host}:{there.port}" for host in hosts), resolver=here)
        url = f"http://photos.example:{there.port}/x"
        found = await look(outbound, url, BytesIO(), most_bytes=MOST, want="picture")
        await outbound.close()
    assert isinstance(found, Finding)
    assert found.sentence.startswith("photos.example redirects more than 3 times")


async def test_a_server_that_is_not_there_is_our_finding() -> None:
    async with remote(answer(b"")) as gone:
        place = gone.place
    outbound = HttpOutbound(allow=(place,))
    found = await look(outbound, f"http://{place}/x.jpg", BytesIO(), most_bytes=MOST, want="picture")
    await outbound.close()
    assert isinstance(found, Finding)
    assert (found.code, found.ours, found.blocking) == ("connection_refused", True, False)


@pytest.mark.parametrize(
    ("code", "days", "signed", "begins", "name"),
    [
        (None, 9, True, -99, "photos.example"),
        ("tls_self_signed", 9, False, -99, "photos.example"),
        ("tls_expired", -1, True, -99, "photos.example"),
        ("tls_not_yet_valid", 9, True, 1, "photos.example"),
        ("tls_wrong_name", 9, True, -99, "other.example"),
        ("tls_incomplete", 9, True, -99, "photos.example"),
    ],
)
async def test_certificates_are_judged(
    tmp_path: Path, code: str | None, days: int, signed: bool, begins: int, name: str
) -> None:
    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    authority = Authority(tmp_path)
    trusted = Authority(tmp_path) if code == "tls_incomplete" else authority
    async with AsyncExitStack() as stack:
        tls = authority.serving(name, days=days, signed=signed, begins=begins)
        there = await stack.enter_async_context(remote(sent(JPEG), tls))
        place = f"photos.example:{there.port}"
        outbound = HttpOutbound(allow=(place,), resolver=here, ssl_context=trusted.trusting())
        found = await look(outbound, f"https://{place}/x.jpg", BytesIO(), most_bytes=MOST, want="picture")
        await outbound.close()
    assert codes(found) == ([code] if code else [])


async def test_http_on_an_https_address_is_told() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outbound = HttpOutbound(allow=(f"127.0.0.1:{port}",))
    found = await look(outbound, f"https://127.0.0.1:{port}/", BytesIO(), most_bytes=MOST, want="picture")
    await outbound.close()
    server.close()
    assert codes(found) == ["tls_failed"]


ROBOTS = {
    b"User-agent: *\nDisallow: /": True,
    b"User-agent: facebookexternalhit\nDisallow: /": True,
    b"User-agent: *\nDisallow: /\n\nUser-agent: facebookexternalhit\nAllow: /": False,
    b"User-agent: *\nDisallow: /admin": False,
    b"User-agent: Googlebot\nDisallow: /": False,
    b"<html>not found</html>": False,
    b"": False,
}


@pytest.mark.parametrize("rules", ROBOTS)
async def test_robots_are_read_as_the_standard_library_reads_them(rules: bytes) -> None:
    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await sent(rules if asked.target == "/robots.txt" else JPEG)(asked, writer)

    async with remote(script) as there:
        outbound = HttpOutbound(allow=(there.place,))
        found = await look(outbound, there.url("/photo.jpg"), BytesIO(), most_bytes=MOST, want="picture")
        await outbound.close()
    assert codes(found) == (["robots_forbids"] if ROBOTS[rules] else [])
    assert isinstance(found, Fetched)


BASES = {
    "http://localhost:8000": "localhost",
    "http://127.0.0.1:8080": "localhost",
    "http://[::1]:80": "localhost",
    "http://127.1:8080": "localhost",
    "http://[::ffff:127.0.0.1]:80": "localhost",
    "http://0.0.0.0:8000": "localhost",
    "http://192.168.0.4": "private_address",
    "https://tintype.local": "private_address",
    "http://tintype:8080": "private_address",
    "not an address": "not_an_address",
    "https://photos.example.org": None,
    "https://photos.example.org:8443": None,
    "http://157.240.20.63": None,
}


@pytest.mark.parametrize("base", BASES)
def test_our_own_address_is_judged_by_its_spelling(base: str) -> None:
    found = reachable_base(base)
    assert (found.code if found else None) == BASES[base]
    assert found is None or (found.blocking and "set PUBLIC_URL" in found.sentence)


def test_the_sentence_about_our_own_address_says_what_to_do() -> None:
    found = reachable_base("http://localhost:8000")
    assert found is not None
    assert found.sentence == (
        "PUBLIC_URL is http://localhost:8000; Instagram cannot reach it; "
        "set PUBLIC_URL to the https:// address under which the world reaches this service"
    )
    with_secret = reachable_base("http://user:secret@photos.example")
    assert with_secret is not None
    assert "secret" not in with_secret.sentence


def test_findings_are_ours_or_mended_or_block() -> None:
    words = {"scheme": "x", "port": 1, "status": 1, "most": 1, "what": "x", "advice": "x", "content_type": "x"}
    for code in (*OURS, *MENDED, "html", "scheme", "status", "too_large"):
        made = finding(code, "https://photos.example/secret", **words)
        assert "photos.example" in made.sentence or code == "non_ascii"
        assert "secret" not in made.sentence
        assert (made.ours, made.blocking) == (code in OURS, code not in (*OURS, *MENDED))


def test_there_are_forty_broken_set_ups_and_forty_good_ones() -> None:
    assert len(BROKEN) + len(UNASKED) >= 40
    assert len(GOOD) >= 40
