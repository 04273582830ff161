"""The line over which libraries speak: one pool and one guard, cookies that stay, and an end that holds."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest

from tests.backends.remote import Asked, Remote, answer, remote
from tintype.backends.blocking import Bridge
from tintype.backends.outbound import HttpOutbound, Outgoing, Policy
from tintype.backends.sessions import requests_over
from tintype.errors import Forbidden, Trouble, Unreachable
from tintype.instagram.public import WAYS, Reason, reason_of, standard_ways
from tintype.instagram.public.lines import MOST_REQUESTS, Line, Lines

WWW = "https://www.instagram.com/"
COOKIES = (
    "Set-Cookie: csrftoken=abc; expires=Fri, 27 Nov 2027 10:00:00 GMT; Path=/; secure",
    "Set-Cookie: mid=def; expires=Fri, 27 Nov 2027 10:00:00 GMT; Path=/",
)


@pytest.fixture
async def here() -> AsyncIterator[Remote]:
    async with remote(answer(b'{"a": 1}', *COOKIES, "X-Of: 1")) as one:
        yield one


def over(here: Remote) -> HttpOutbound:
    return HttpOutbound(instagram_origin=here.url("").rstrip("/"))


async def test_a_thread_sends_over_the_loops_own_connections(here: Remote):
    outbound = over(here)
    bridge = Bridge(outbound, asyncio.get_running_loop())
    found = await asyncio.to_thread(bridge.send, Outgoing("GET", WWW), Policy(host_suffixes=("instagram.com",)))
    await outbound.close()
    assert (found.status, found.body, found.headers["x-of"]) == (200, b'{"a": 1}', "1")
    assert found.cookies == tuple(line.removeprefix("Set-Cookie: ") for line in COOKIES)


async def test_the_guard_holds_for_threads():
    outbound = HttpOutbound()
    bridge = Bridge(outbound, asyncio.get_running_loop())
    for url in ("http://127.0.0.1/", "https://media.example/", "https://instagram.com.evil.example/"):
        with pytest.raises(Forbidden):
            await asyncio.to_thread(bridge.send, Outgoing("GET", url), Policy(host_suffixes=("instagram.com",)))
    await outbound.close()


async def test_hanging_up_ends_what_is_under_way_and_what_would_come():
    asked = asyncio.Event()

    async def hang(_: Asked, __: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.sleep(60)

    async with remote(hang) as here:
        outbound = over(here)
        bridge = Bridge(outbound, asyncio.get_running_loop())
        call = asyncio.ensure_future(asyncio.to_thread(bridge.send, Outgoing("GET", WWW), Policy()))
        await asked.wait()
        begun = time.monotonic()
        bridge.hang_up()
        with pytest.raises(Unreachable):
            await call
        with pytest.raises(Unreachable):
            bridge.send(Outgoing("GET", WWW), Policy())
        assert time.monotonic() - begun < 30
        await outbound.close()
    assert len(here.asked) == 1


async def test_sessions_keep_their_cookies_and_send_forms(here: Remote):
    outbound = over(here)
    bridge = Bridge(outbound, asyncio.get_running_loop())
    requests = requests_over(lambda: lambda request: bridge.send(request, Policy()))

    def talk() -> tuple[object, ...]:
        session = requests.Session()
        first = session.get(WWW, headers={"x-a": "1"})
        second = session.post(WWW + "api", data={"q": "ü"})
        return first.json(), first.status_code, first.reason, second.cookies.get_dict(), session.cookies.get_dict()

    found = await asyncio.to_thread(talk)
    await outbound.close()
    both = {"csrftoken": "abc", "mid": "def"}
    assert found == ({"a": 1}, 200, "OK", both, both)
    get, post = here.asked
    assert (get.headers["host"], get.headers["x-a"], get.headers["accept-encoding"]) == (
        "www.instagram.com",
        "1",
        "gzip",
    )
    assert (post.line, post.body) == ("POST /api HTTP/1.1", b"q=%C3%BC")
    assert sorted(post.headers["cookie"].split("; ")) == ["csrftoken=abc", "mid=def"]


async def test_sessions_dial_no_other_scheme():
    requests = requests_over(lambda: lambda _: pytest.fail("nothing may be sent"))
    for url in ("http://www.instagram.com/", "ftp://www.instagram.com/", "file:///etc/passwd"):
        with pytest.raises(requests.exceptions.InvalidSchema):
            requests.Session().get(url)


async def test_after_an_order_to_stop_the_line_is_dead():
    async with remote(answer(b"", status="429 Slow")) as here:
        outbound = over(here)
        line = Line(Bridge(outbound, asyncio.get_running_loop()), seconds=5)

        def knock() -> list[Trouble]:
            return [refused(line) for _ in range(3)]

        said = await asyncio.to_thread(knock)
        await outbound.close()
    assert [reason_of(one) for one in said] == [Reason.UPSTREAM_RATE_LIMITED] * 3
    assert (len(here.asked), line.requests) == (1, 1)


async def test_after_another_trouble_the_line_goes_on():
    async with remote(answer(b"", status="500 Oops")) as here:
        outbound = over(here)
        line = Line(Bridge(outbound, asyncio.get_running_loop()), seconds=5)
        await asyncio.to_thread(lambda: [refused(line) for _ in range(3)])
        await outbound.close()
    assert len(here.asked) == 3


def refused(line: Line) -> Trouble:
    with pytest.raises(Trouble) as said:
        line.send(Outgoing("GET", WWW))
    return said.value


async def test_the_deadline_holds_over_all_requests():
    async def slow(_: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def many(line: Line) -> None:
        for _ in range(100):
            line.send(Outgoing("GET", WWW))

    async with remote(slow) as here:
        outbound = over(here)
        lines = Lines(outbound, name="test")
        with pytest.raises(Unreachable) as said:
            await lines.run(many, seconds=0.5)
        lines.close()
        await outbound.close()
    assert reason_of(said.value) is Reason.UPSTREAM_TIMEOUT
    assert len(here.asked) < 5


DEEP = b'{"data": ' + b"[" * 100_000
TOKENS = b'<html>"LSD",[],{"token":"x"} "IG_USER_EIMU":"0"<script type="application/json" data-sjs>%b</script></html>'
NONSENSE = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "deep": DEEP,
    "text": b"\xff\xfe\x00",
    "a page of none": b"<html></html>",
    "tokens and nothing": TOKENS % b"{}",
    "tokens and nonsense": TOKENS % b'{"require": [[["RelayPrefetchedStreamCache"]]]}',
    "tokens and depth": TOKENS % (b'{"xig_polaris_media": ' + b"[" * 100_000),
    "a post of none": TOKENS % b'{"xig_polaris_media": {"if_not_gated_logged_out": {"pk": "1"}}}',
    "a post of lists": TOKENS
    % b'{"xig_polaris_media": [[[]]], "xdt_api__v1__media__shortcode__web_info": {"items": [[]]}}',
    "data of lists": json.dumps({"data": {"xdt_api__v1__media__shortcode__web_info": {"items": [[]]}}}).encode(),
    "data of numbers": json.dumps({"data": {"x": 1}, "items": 7, "status": "ok"}).encode(),
    "items of null": json.dumps({"data": {"x": {"items": [None]}}, "items": [None]}).encode(),
}
HEADS = {"plain": (), "a circle": ("Location: https://www.instagram.com/somewhere/",)}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("head", HEADS)
async def test_nonsense_is_a_trouble_with_a_reason(name: str, head: str):
    """Whatever an answer holds, and wherever it leads, no other error comes out of any way."""
    status = "302 Found" if HEADS[head] else "200 OK"
    said: dict[str, Reason | None] = {}
    waiting = list(NONSENSE)

    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await answer(NONSENSE[waiting[0]], *HEADS[head], "Content-Type: text/html", status=status)(asked, writer)

    async with remote(play) as here:
        outbound = over(here)
        while waiting:
            (way,) = standard_ways(outbound, names=(name,))
            with pytest.raises(Trouble) as found:
                await way.look_up("C1a-_xYz09Q", seconds=10)
            said[waiting.pop(0)] = reason_of(found.value)
            way.close()
        await outbound.close()
    assert None not in said.values()


@pytest.mark.parametrize("name", WAYS)
async def test_who_is_led_in_a_circle_stops(name: str):
    async def turn(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.target == "/":
            await answer(TOKENS % b"{}", "Content-Type: text/html")(asked, writer)
        else:
            await answer(b"", "Location: https://www.instagram.com/p/C1a-_xYz09Q/", status="302 Found")(asked, writer)

    async with remote(turn) as here:
        outbound = over(here)
        (way,) = standard_ways(outbound, names=(name,))
        with pytest.raises(Trouble) as said:
            await way.look_up("C1a-_xYz09Q", seconds=5)
        way.close()
        await outbound.close()
    assert reason_of(said.value) in (Reason.BAD_UPSTREAM_RESPONSE, Reason.LOGIN_REQUIRED)
    assert len(here.asked) <= MOST_REQUESTS


def test_nobody_pays_for_the_libraries_before_they_are_used():
    program = (
        "import sys, tintype.instagram.public as p; print({'requests', 'instaloader', 'yt_dlp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_thread_outlives_a_loop_that_died():
    loop = asyncio.new_event_loop()  # it never runs
    bridge = Bridge(HttpOutbound(), loop, grace=0.1)
    with pytest.raises(Unreachable):
        bridge.send(Outgoing("GET", WWW), Policy(total_seconds=0.1))
    bridge.hang_up()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
