"""Fetching a post's file: whole or not at all, from Instagram's hosts alone, with nothing left behind by a failure."""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.backends.pictures import picture
from tests.backends.remote import Asked, Script, answer, remote
from tests.instagram.pretend import Pretend
from tintype.backends.outbound import HttpOutbound
from tintype.errors import Busy, Forbidden, Gone, Refused, Trouble, Unavailable, Unreachable
from tintype.instagram.model import MediaKind
from tintype.instagram.public import Fetched, PageWay, PublicMedia, PublicPost, Reason, fetch, reason_of
from tintype.instagram.public.fetching import TRIES
from tintype.simulator.magic import MAGIC, Magic

STATUSES: dict[type[Trouble], int] = {Gone: 404, Forbidden: 403, Busy: 429, Refused: 502, Unreachable: 503}
FILES = [magic for magic in MAGIC.values() if magic.place == "media"]
MUCH = 64 * 2**20
JPEG = picture("jpeg", 64, 80)
CDN = "https://scontent-fra3-1.cdninstagram.com/v/t51/1_n.jpg?oh=00_x"


@pytest.fixture
async def outbound(pretend: Pretend) -> AsyncIterator[HttpOutbound]:
    here = HttpOutbound(instagram_origin=pretend.origin)
    yield here
    await here.close()


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def fetched(
    outbound: HttpOutbound, post: PublicPost, to: Path, *, max_bytes: int = MUCH, seconds: float = 20
) -> list[Fetched]:
    """Every file of a post, as the service fetches them: with a second look-up when an address is over."""

    async def again(place: int) -> str:
        return (await PageWay(outbound).look_up(post.shortcode, seconds=5)).media[place].url

    files: list[Fetched] = []
    for place, media in enumerate(post.media):

        async def refresh(place: int = place) -> str:
            return await again(place)

        name = to / f"{post.shortcode}_{place}"
        files.append(await fetch(outbound, media, name, max_bytes=max_bytes, seconds=seconds, refresh=refresh))
    return files


async def test_a_carousel_is_fetched_whole(outbound: HttpOutbound, pretend: Pretend, tmp_path: Path):
    made = pretend.post("/media", username="marlow.bakehouse", kind="CAROUSEL_ALBUM", children=["IMAGE", "VIDEO"])
    post = await PageWay(outbound).look_up(str(made["shortcode"]), seconds=5)
    files = await fetched(outbound, post, tmp_path)
    assert [(one.kind, one.content_type) for one in files] == [
        (MediaKind.IMAGE, "image/jpeg"),
        (MediaKind.VIDEO, "video/mp4"),
    ]
    for one in files:
        content = one.path.read_bytes()
        assert (one.bytes, one.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (files[0].width, files[0].height) == (post.media[0].width, post.media[0].height)
    assert inside(tmp_path) == sorted(one.path.name for one in files)


@pytest.mark.parametrize("magic", FILES, ids=[magic.shortcode for magic in FILES])
async def test_a_magic_file_comes_to_what_the_table_says(outbound: HttpOutbound, tmp_path: Path, magic: Magic):
    post = await PageWay(outbound).look_up(magic.shortcode, seconds=5)
    if magic.status == 200:
        (whole,) = await fetched(outbound, post, tmp_path)
        assert (whole.kind, whole.content_type) == (MediaKind.VIDEO, "video/mp4")
        assert inside(tmp_path) == [whole.path.name]
        return
    with pytest.raises(Trouble) as refused:
        await fetched(outbound, post, tmp_path, max_bytes=2**22, seconds=2 if magic.trouble == "drip" else 20)
    kinds = [status for kind, status in STATUSES.items() if isinstance(refused.value, kind)]
    assert (kinds, reason_of(refused.value)) == ([magic.status], magic.code)
    assert inside(tmp_path) == []


async def test_a_failure_leaves_what_was_there_before(outbound: HttpOutbound, tmp_path: Path):
    post = await PageWay(outbound).look_up("m-cut", seconds=5)
    to = tmp_path / "m-cut"
    to.write_bytes(b"of yesterday")
    with pytest.raises(Unreachable):
        await fetch(outbound, post.media[0], to, max_bytes=MUCH, seconds=10)
    assert inside(tmp_path) == [to.name]
    assert to.read_bytes() == b"of yesterday"


async def from_there(
    script: Script,
    to: Path,
    *,
    url: str = CDN,
    kind: MediaKind = MediaKind.IMAGE,
    max_bytes: int = MUCH,
    seconds: float = 10,
    refresh: Callable[[], Awaitable[str]] | None = None,
) -> tuple[Fetched | Trouble, list[Asked]]:
    """What comes of fetching a file from a media host that plays a script."""
    async with remote(script) as here:
        outbound = HttpOutbound(instagram_origin=here.url("").rstrip("/"))
        try:
            media = PublicMedia(kind, url)
            now = lambda: datetime(2026, 11, 27, tzinfo=UTC)  # noqa: E731
            result: Fetched | Trouble = await fetch(
                outbound, media, to / "file", max_bytes=max_bytes, seconds=seconds, refresh=refresh, now=now
            )
        except Trouble as problem:
            result = problem
        await outbound.close()
    assert inside(to) in ([], ["file"])
    return result, here.asked


def ranged(content: bytes, *, tag: str = '"one"', cut_at: int | None = None) -> Script:
    """A host that knows ranges; each connection ends after `cut_at` bytes when it has more to send."""

    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        start = int(match[1]) if match and asked.headers.get("if-range") == tag else 0
        rest = content[start:]
        lines = [
            f"HTTP/1.1 {'206 Partial Content' if start else '200 OK'}",
            f"Content-Length: {len(rest)}",
            f"ETag: {tag}",
            *([f"Content-Range: bytes {start}-{len(content) - 1}/{len(content)}"] if start else []),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + rest[:cut_at])

    return play


async def test_a_cut_connection_is_taken_up_where_it_broke(tmp_path: Path):
    content = picture("jpeg", 400, 500)
    found, asked = await from_there(ranged(content, cut_at=len(content) // 2 + 1), tmp_path)
    assert isinstance(found, Fetched)
    assert found.path.read_bytes() == content
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert [one.headers.get("range") for one in asked] == [None, f"bytes={len(content) // 2 + 1}-"]


async def test_without_a_strong_mark_it_is_fetched_from_its_start(tmp_path: Path):
    content = picture("jpeg", 400, 500)
    refused, asked = await from_there(ranged(content, tag='W/"weak"', cut_at=len(content) // 2), tmp_path)
    assert isinstance(refused, Trouble)
    assert reason_of(refused) is Reason.MEDIA_TRUNCATED
    assert [one.headers.get("range") for one in asked] == [None] * TRIES


async def test_a_file_that_changed_meanwhile_is_not_pieced_together(tmp_path: Path):
    old, new = picture("jpeg", 400, 500), picture("jpeg", 300, 200)
    plays = iter([ranged(old, cut_at=100), ranged(new, tag='"two"')])

    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await next(plays)(asked, writer)

    found, asked = await from_there(play, tmp_path)
    assert isinstance(found, Fetched)
    assert found.path.read_bytes() == new
    assert (found.width, found.height) == (300, 200)
    assert len(asked) == 2


async def test_an_address_that_is_over_is_renewed_before_it_is_tried(tmp_path: Path):
    async def refresh() -> str:
        return f"{CDN}&fresh=1"

    found, asked = await from_there(answer(JPEG), tmp_path, url=f"{CDN}&oe=5F000000", refresh=refresh)
    assert isinstance(found, Fetched)
    assert ["fresh=1" in one.target for one in asked] == [True]


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone"])
async def test_a_refused_address_is_renewed_once(tmp_path: Path, status: str):
    asked_again = 0

    async def refresh() -> str:
        nonlocal asked_again
        asked_again += 1
        return f"{CDN}&fresh=1"

    refused, asked = await from_there(answer(b"URL signature expired", status=status), tmp_path, refresh=refresh)
    assert isinstance(refused, Refused | Gone)
    assert (len(asked), asked_again) == (2, 1)


async def test_a_trouble_of_the_second_look_up_is_what_is_raised(tmp_path: Path):
    async def refresh() -> str:
        raise Unavailable("not now")

    refused, _ = await from_there(answer(b"", status="403 Forbidden"), tmp_path, refresh=refresh)
    assert isinstance(refused, Unavailable)
    assert refused.message == "not now"


async def test_a_limit_at_the_media_host_is_not_asked_again(tmp_path: Path):
    refused, asked = await from_there(answer(b"", "Retry-After: 77", status="429 Slow"), tmp_path)
    assert isinstance(refused, Busy)
    assert (refused.retry_after, len(asked)) == (77, 1)


async def test_a_picture_is_no_video(tmp_path: Path):
    refused, asked = await from_there(answer(JPEG, "Content-Type: video/mp4"), tmp_path, kind=MediaKind.VIDEO)
    assert isinstance(refused, Refused)
    assert (reason_of(refused), len(asked)) == (Reason.MEDIA_NOT_MEDIA, 1)


async def test_a_stated_length_above_the_cap_is_not_read(tmp_path: Path):
    refused, asked = await from_there(answer(JPEG), tmp_path, max_bytes=len(JPEG) - 1)
    assert isinstance(refused, Refused)
    assert (reason_of(refused), len(asked)) == (Reason.MEDIA_TOO_LARGE, 1)
    exact, _ = await from_there(answer(JPEG), tmp_path, max_bytes=len(JPEG))
    assert isinstance(exact, Fetched)


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example/1.jpg",
        "http://127.0.0.1/1.jpg",
        "https://cdninstagram.com.evil.example/1.jpg",
        "https://fbcdn.net@evil.example/1.jpg",
        "ftp://scontent.cdninstagram.com/1.jpg",
        "https://scontent.cdninstagram.com:8443/1.jpg",
        "",
    ],
)
async def test_an_address_off_instagrams_media_hosts_is_not_called(tmp_path: Path, url: str):
    outbound = HttpOutbound()
    with pytest.raises(Refused) as refused:
        await fetch(outbound, PublicMedia(MediaKind.IMAGE, url), tmp_path / "x", max_bytes=MUCH, seconds=5)
    await outbound.close()
    assert reason_of(refused.value) is Reason.UNEXPECTED_REDIRECT
    assert inside(tmp_path) == []


async def test_a_dripping_host_costs_the_deadline_and_no_more(tmp_path: Path):
    async def drip(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for byte in bytes(2000):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    begun = time.monotonic()
    refused, _ = await from_there(drip, tmp_path, seconds=0.5)
    assert isinstance(refused, Unreachable)
    assert reason_of(refused) is Reason.UPSTREAM_TIMEOUT
    assert time.monotonic() - begun < 50  # the body takes a hundred seconds


async def test_a_cancelled_fetch_leaves_nothing(tmp_path: Path):
    waiting = asyncio.Event()

    async def hang(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + JPEG[:500])
        await writer.drain()
        waiting.set()
        await asyncio.sleep(5)

    async with remote(hang) as here:
        outbound = HttpOutbound(instagram_origin=here.url("").rstrip("/"))
        media = PublicMedia(MediaKind.IMAGE, CDN)
        task = asyncio.ensure_future(fetch(outbound, media, tmp_path / "file", max_bytes=MUCH, seconds=10))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await outbound.close()
    assert inside(tmp_path) == []


async def test_a_disk_that_takes_nothing_is_our_own_trouble(outbound: HttpOutbound, tmp_path: Path):
    to = tmp_path / "nowhere" / "file"
    with pytest.raises(Unavailable, match="disk"):
        await fetch(outbound, PublicMedia(MediaKind.IMAGE, CDN), to, max_bytes=MUCH, seconds=5)
    assert inside(tmp_path) == []
