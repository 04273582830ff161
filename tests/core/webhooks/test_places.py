"""Where messages are not sent, whatever somebody registered: what a name resolves to is looked at, never how it is spelled."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.backends.remote import Asked, remote
from tests.backends.test_addresses import FORBIDDEN
from tests.backends.test_outbound_guard import ATTACKS
from tests.core.broken import Authority
from tests.core.webhooks.desk import receiving
from tintype.backends.outbound import HttpOutbound
from tintype.core.webhooks import Answer, Policy, Prepared, send


@asynccontextmanager
async def way(answers: Sequence[str], *, allow: tuple[str, ...] = ()) -> AsyncGenerator[HttpOutbound]:
    """A way out whose names have these addresses."""

    async def resolver(host: str, port: int) -> Sequence[str]:
        del host, port
        return answers

    outbound = HttpOutbound(allow=allow, resolver=resolver)
    try:
        yield outbound
    finally:
        await outbound.close()


async def told(outbound: HttpOutbound, url: str) -> Answer:
    return await send(outbound, Prepared(url, {"Content-Type": "application/json"}, b"{}"), Policy(seconds=2))


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_name_with_a_hostile_address_is_not_called(address: str) -> None:
    async with way([address]) as outbound:
        answer = await told(outbound, "https://hooks.example.com/hook")
        assert (answer.status, answer.reason) == (None, "blocked")


async def test_one_bad_address_among_good_ones_spoils_all() -> None:
    async with way(["93.184.216.34", "127.0.0.1"]) as outbound:
        assert (await told(outbound, "http://hooks.example.com/hook")).reason == "blocked"


@pytest.mark.parametrize("url", ATTACKS)
async def test_no_attack_on_the_way_out_comes_through(url: str) -> None:
    outbound = HttpOutbound()
    try:
        answer = await told(outbound, url)
        assert (answer.status, answer.reason) == (None, "blocked")
    finally:
        await outbound.close()


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com:22/", "ftp://hooks.example.com/", "http://a@hooks.example.com/"]
)
async def test_other_ports_schemes_and_user_names_are_not_called(url: str) -> None:
    async with way(["93.184.216.34"]) as outbound:
        assert (await told(outbound, url)).reason == "blocked"


async def test_a_redirect_to_a_place_inside_is_not_followed() -> None:
    async with receiving() as inside, receiving() as receiver:
        receiver.answers["/hook"] = ("302 Found", f"Location: {inside.url('/secret')}")
        outbound = HttpOutbound(allow=(receiver.remote.place, inside.remote.place))
        try:
            answer = await told(outbound, receiver.url("/hook"))
        finally:
            await outbound.close()
        assert (answer.status, answer.headers["location"]) == (302, inside.url("/secret"))
        assert inside.arrived("/secret") == []


async def test_why_nothing_came_back_is_said_in_one_word(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
        del asked, writer
        await over.wait()

    async def rude(asked: Asked, writer: asyncio.StreamWriter) -> None:
        del asked
        writer.write(b"SSH-2.0-OpenSSH\r\n")

    unknown = Authority(tmp_path).serving("127.0.0.1")
    async with remote(silent) as sleeper, remote(rude) as other, remote(rude, unknown) as untrusted:
        outbound = HttpOutbound(allow=(sleeper.place, other.place, untrusted.place, "127.0.0.1:1"))
        try:
            quick = Policy(seconds=0.3)
            asking = {
                "timeout": sleeper.url("/"),
                "broken": other.url("/"),
                "connect": "http://127.0.0.1:1/",
                "tls": f"https://{untrusted.place}/",
            }
            found = {
                word: (await send(outbound, Prepared(url, {}, b"{}"), quick)).reason for word, url in asking.items()
            }
        finally:
            over.set()
            await outbound.close()
    assert found == {word: word for word in asking}


async def test_a_long_answer_is_read_as_far_as_it_is_kept() -> None:
    sent = [0]

    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        del asked
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent[0] < 10**9:
            writer.write(b"x" * 65536)
            sent[0] += 65536
            await writer.drain()

    async with remote(endless) as found:
        outbound = HttpOutbound(allow=(found.place,))
        try:
            answer = await told(outbound, found.url("/"))
        finally:
            await outbound.close()
    assert (answer.status, len(answer.body)) == (200, 4096)
    assert sent[0] < 64 * 2**20
