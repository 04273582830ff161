"""The pretend Instagram's media hosts, fetched as a client fetches them: by the addresses that the API gives out."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import anyio
import httpx2
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from pyvips import Image

from tintype.simulator import cdn, create
from tintype.simulator.shelf import Shelf

DAY = 86_400
ORIGIN = "http://simulator.test"
START = 1_790_000_000


@pytest.fixture
async def client() -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of a fresh simulator without a socket in between."""
    transport = httpx2.ASGITransport(create(origin=ORIGIN))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as opened:
        yield opened


@asynccontextmanager
async def served() -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of a fresh simulator behind a real connection, which can be cut."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create(), lifespan="off", log_level="critical", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as opened:
                yield opened
            server.should_exit = True


async def posts(client: httpx2.AsyncClient, **wanted: str) -> list[dict[str, str]]:
    """The posts of the first person who has some, with the fields of files."""
    world = (await client.get("/_world")).json()
    person = next(person for person in world["people"] if person["media_count"])
    order = {"username": person["username"], "login": "instagram"}
    token = (await client.post("/_world/tokens", json=order)).json()["access_token"]
    query = {"fields": "id,media_type,media_url,thumbnail_url", "limit": "100", "access_token": token}
    answer = await client.get("/me/media", params=query)
    assert answer.status_code == 200, answer.text
    found = [post for post in answer.json()["data"] if "media_url" in post]
    return [post for post in found if all(post[name] == value for name, value in wanted.items())]


async def picture(client: httpx2.AsyncClient) -> str:
    """The address of a picture under the simulator's own origin."""
    return (await posts(client, media_type="IMAGE"))[0]["media_url"]


async def fault(client: httpx2.AsyncClient, kind: str, on: str = "cdn.image", **more: object) -> None:
    answer = await client.post("/_world/faults", json={"on": on, "kind": kind, **more})
    assert answer.is_success, answer.text


def changed(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | parameters)))


async def test_every_address_of_the_feed_loads_as_what_it_says(client: httpx2.AsyncClient) -> None:
    for post in (await posts(client))[:6]:
        image = await client.get(post.get("thumbnail_url", post["media_url"]))
        assert (image.status_code, image.headers["content-type"]) == (200, "image/jpeg")
        assert Image.new_from_buffer(image.content, "", fail_on="warning").deviate() > 5


async def test_a_video_loads_as_an_mp4(client: httpx2.AsyncClient) -> None:
    answer = await client.get((await posts(client, media_type="VIDEO"))[0]["media_url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.content[4:8] == b"ftyp"


async def test_a_carousel_shows_the_picture_of_its_first_child(client: httpx2.AsyncClient) -> None:
    album = (await posts(client, media_type="CAROUSEL_ALBUM"))[0]
    assert (await client.get(album["media_url"])).status_code == 200


async def test_an_address_looks_like_instagrams(client: httpx2.AsyncClient) -> None:
    url = urlsplit(await picture(client))
    assert url.path.startswith("/v/t51.29350-15/")
    assert url.path.endswith("_n.jpg")
    query = dict(parse_qsl(url.query))
    assert list(query)[-2:] == ["oh", "oe"]
    assert {"stp", "_nc_cat", "_nc_ht"} < set(query)
    assert int(query["oe"], 16) > 0


async def test_instagrams_own_media_hosts_answer_by_their_host_header(client: httpx2.AsyncClient) -> None:
    url = urlsplit(await picture(client))
    for host in ("scontent-fra3-1.cdninstagram.com", "scontent.xx.fbcdn.net"):
        answer = await client.get(f"{url.path}?{url.query}", headers={"Host": host})
        assert answer.status_code == 200


async def test_headers_are_those_of_a_media_host(client: httpx2.AsyncClient) -> None:
    answer = await client.get(await picture(client))
    assert answer.headers["cache-control"] == "max-age=1209600, no-transform"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["accept-ranges"] == "bytes"
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_after_its_expiry_an_address_is_refused_by_the_worlds_clock(client: httpx2.AsyncClient) -> None:
    await client.post("/_world/clock", json={"now": START})
    url = await picture(client)
    await client.post("/_world/clock", json={"now": START + 3 * DAY})
    assert (await client.get(url)).status_code == 200
    await client.post("/_world/clock", json={"now": START + 5 * DAY})
    answer = await client.get(url)
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == "URL signature expired"


async def test_a_changed_address_is_refused(client: httpx2.AsyncClient) -> None:
    url = await picture(client)
    for bad in (
        changed(url, oe="7FFFFFFF"), changed(url, stp="dst-jpg_e35_p1080x1080"), changed(url, extra="1"),
        changed(url, oh="00_" + "0" * 40), changed(url, oh="é"), url.replace("_n.jpg", "0_n.jpg"), url.partition("?")[0],
    ):  # fmt: skip
        answer = await client.get(bad)
        assert (answer.status_code, answer.text) == (403, "URL signature mismatch"), bad


async def test_the_order_of_parameters_does_not_matter(client: httpx2.AsyncClient) -> None:
    parts = urlsplit(await picture(client))
    turned = urlunsplit(parts._replace(query=urlencode(list(reversed(parse_qsl(parts.query))))))
    assert (await client.get(turned)).status_code == 200


async def test_a_deleted_post_is_not_found(client: httpx2.AsyncClient) -> None:
    post = (await posts(client, media_type="IMAGE"))[0]
    assert (await client.get(post["media_url"])).status_code == 200
    assert (await client.delete(f"/_world/media/{post['id']}")).is_success
    answer = await client.get(post["media_url"])
    assert (answer.status_code, answer.text) == (404, "Not Found")


async def test_a_known_copy_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    url = await picture(client)
    first = await client.get(url)
    for headers in (
        {"If-None-Match": first.headers["etag"]},
        {"If-None-Match": f'"other", W/{first.headers["etag"]}'},
        {"If-Modified-Since": first.headers["last-modified"]},
    ):
        again = await client.get(url, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    for headers in (
        {"If-None-Match": '"other"', "If-Modified-Since": first.headers["last-modified"]},
        {"If-Modified-Since": "Wed, 01 Jan 2014 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert (await client.get(url, headers=headers)).status_code == 200


async def test_head_says_what_get_would_send(client: httpx2.AsyncClient) -> None:
    url = await picture(client)
    head, get = await client.head(url), await client.get(url)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)
    assert (await client.post(url)).status_code == 405


async def test_ranges(client: httpx2.AsyncClient) -> None:
    url = await picture(client)
    whole = await client.get(url)
    body, size = whole.content, len(whole.content)
    for asked, start, end in (
        ("bytes=0-99", 0, 100), ("bytes=100-", 100, size), ("bytes=-10", size - 10, size), ("bytes=0-", 0, size),
        (f"bytes=5-{size * 2}", 5, size), (f"bytes=-{size * 2}", 0, size),
    ):  # fmt: skip
        part = await client.get(url, headers={"Range": asked})
        assert part.status_code == 206, asked
        assert part.content == body[start:end]
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert part.headers["content-length"] == str(end - start)
    for asked in (f"bytes={size}-", "bytes=-0"):
        missed = await client.get(url, headers={"Range": asked})
        assert (missed.status_code, missed.headers["content-range"]) == (416, f"bytes */{size}")
    for ignored in ("bytes=9-3", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=x-2", "bytes=0-" + "9" * 5000):
        assert (await client.get(url, headers={"Range": ignored})).status_code == 200
    stale = await client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"older"'})
    assert (stale.status_code, stale.content) == (200, body)
    fresh = await client.get(url, headers={"Range": "bytes=0-9", "If-Range": whole.headers["etag"]})
    assert fresh.status_code == 206


@given(size=st.integers(1, 500), first=st.integers(0, 600), last=st.integers(0, 600))
def test_a_range_never_leaves_the_file(size: int, first: int, last: int) -> None:
    window = cdn.cut(f"bytes={first}-{last}", size)
    if last < first:
        assert window is None
    else:
        assert window is not None
        assert len(bytes(size)[slice(*window)]) == len(range(size)[first : last + 1])


@given(
    media=st.from_regex(r"[0-9]{17}", fullmatch=True),
    rev=st.integers(0, 50),
    kind=st.sampled_from(["image", "poster", "profile", "video"]),
    now=st.floats(1e9, 2e9),
    lifetime=st.floats(2, 1e6),
)
def test_an_address_leads_back_to_its_file_until_it_expires(
    media: str, rev: int, kind: str, now: float, lifetime: float
) -> None:
    key = f"{media}/{rev}/{kind}_1080x1350.{'mp4' if kind == 'video' else 'jpg'}"
    url = urlsplit(cdn.url("http://127.0.0.1:8001", key, now=now, lifetime=lifetime, secret=b"s"))
    query = dict(parse_qsl(url.query))
    assert cdn.key_of(url.path) == key
    assert cdn.verify(url.path, query, now=now, secret=b"s") is None
    assert cdn.verify(url.path, query, now=now + lifetime, secret=b"s") == "URL signature expired"
    assert cdn.verify(url.path, query, now=now, secret=b"t") == "URL signature mismatch"


async def test_faults_that_answer(client: httpx2.AsyncClient) -> None:
    url = await picture(client)
    good = await client.get(url)

    await fault(client, "status", status=500)
    assert (await client.get(url)).status_code == 500
    await fault(client, "rate_limit")
    assert (await client.get(url)).status_code == 429
    await fault(client, "html", status=200)
    page = await client.get(url)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    await fault(client, "wrong_type")
    lie = await client.get(url)
    assert (lie.status_code, lie.headers["content-type"]) == (200, "image/jpeg")
    assert lie.text.startswith("<!DOCTYPE html>")
    await fault(client, "redirect", to="http://169.254.169.254/latest/")
    away = await client.get(url)
    assert (away.status_code, away.headers["location"]) == (302, "http://169.254.169.254/latest/")
    await fault(client, "slow", delay_ms=1)
    assert (await client.get(url)).content == good.content

    log = (await client.get("/_world/log", params={"since": 0})).json()
    seen = [entry["fault"] for entry in log if entry["path"].startswith("/v/") and "fault" in entry]
    assert seen == ["status", "rate_limit", "html", "wrong_type", "redirect", "slow"]
    assert log[-1]["username"]


async def test_a_fault_of_videos_leaves_pictures_alone(client: httpx2.AsyncClient) -> None:
    await fault(client, "status", on="cdn.video", status=500, times=None)
    assert (await client.get(await picture(client))).status_code == 200
    assert (await client.get((await posts(client, media_type="VIDEO"))[0]["media_url"])).status_code == 500


async def collect(client: httpx2.AsyncClient, url: str, size: int, received: bytearray) -> None:
    """Adds what arrives of a file that announces `size` bytes."""
    async with client.stream("GET", url) as answer:
        assert int(answer.headers["content-length"]) == size
        async for chunk in answer.aiter_raw():
            received += chunk


async def test_a_truncated_file_announces_more_than_it_sends() -> None:
    async with served() as client:
        url = await picture(client)
        whole = (await client.get(url)).content
        await fault(client, "truncate")
        received = bytearray()
        with pytest.raises(httpx2.RemoteProtocolError):
            await collect(client, url, len(whole), received)
        assert bytes(received) == whole[: len(whole) // 2]
        assert (await client.get(url)).content == whole


async def test_a_dripping_file_comes_byte_by_byte_until_the_client_leaves() -> None:
    async with served() as client:
        url = await picture(client)
        whole = (await client.get(url)).content
        await fault(client, "drip")
        async with client.stream("GET", url) as answer:
            assert int(answer.headers["content-length"]) == len(whole)
            chunks = answer.aiter_raw()
            assert [await anext(chunks), await anext(chunks)] == [whole[:1], whole[1:2]]
        assert (await client.get(url)).content == whole


async def test_a_reset_connection_gives_no_answer() -> None:
    async with served() as client:
        url = await picture(client)
        await fault(client, "reset")
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            await client.get(url)
        assert (await client.get(url)).status_code == 200


async def test_a_file_is_made_once_for_all_who_wait_and_the_oldest_leaves_first() -> None:
    shelf = Shelf(room=25, hands=2)
    made: list[str] = []

    def make(name: str) -> bytes:
        made.append(name)
        return name.encode() * 10

    async def ask(name: str) -> None:
        assert await shelf.get(name, lambda: make(name)) == name.encode() * 10

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask, "a")
    assert made == ["a"]
    for name in ("b", "a", "c", "a", "b"):
        await ask(name)
    assert made == ["a", "b", "c", "b"]
    assert shelf.used <= 25


async def test_a_file_that_could_not_be_made_is_tried_again() -> None:
    shelf = Shelf(room=100, hands=1)

    def fail() -> bytes:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        await shelf.get("a", fail)
    assert await shelf.get("a", lambda: b"made") == b"made"
