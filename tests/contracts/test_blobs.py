"""One suite over every blob store: the folder, memory, a bucket on an S3 server, and one of Google's."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.google_storage import GoogleStorage, google_storage
from tests.servers import S3, s3_server
from tintype.backends.blobs import Blob, Blobs, FolderBlobs, check_key, open_blobs
from tintype.backends.blobs.model import span
from tintype.errors import Invalid, Misconfigured, NotFound, TooLarge, Unavailable

BIG = bytes(range(256)) * 50_000  # 12.8 MB: more than two parts of an upload to S3


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")  # pages small enough to have several of them
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with s3_server() as server:
            yield server


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleStorage]:
    with pytest.MonkeyPatch.context() as patch, google_storage() as double:
        patch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", double.key)
        yield double


@pytest.fixture(params=["file", "memory", "s3", "gs"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    match request.param:
        case "file":
            return open_blobs((tmp_path / "a folder").as_uri())
        case "memory":
            return open_blobs("memory:")
        case "gs":
            request.getfixturevalue("google").things.clear()
            return open_blobs("gs://pictures/prefix?allow_http=true")
        case _:
            store = open_blobs(request.getfixturevalue("s3").url)
            await asyncio.gather(*(store.delete(key) for key in await keys(store)))
            return store


async def keys(blobs: Blobs, prefix: str = "") -> list[str]:
    return sorted([blob.key async for blob in blobs.list(prefix)])


async def read(blobs: Blobs, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in blobs.stream(key, start, end)])


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def pieces(body: bytes, size: int = 1_000_000, failing: Exception | None = None) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]
    if failing is not None:
        raise failing


async def put(blobs: Blobs, key: str, chunks: AsyncIterator[bytes]) -> None:
    await blobs.put(key, chunks, content_type="video/mp4")


async def test_what_is_put_is_got(blobs: Blobs) -> None:
    await blobs.put("media/ab/cd.jpg", b"picture", content_type="image/jpeg")
    assert await blobs.get("media/ab/cd.jpg") == b"picture"
    assert await read(blobs, "media/ab/cd.jpg") == b"picture"


@pytest.mark.parametrize("body", [b"", b"x", BIG])
async def test_a_stream_of_any_size_is_put_whole(blobs: Blobs, body: bytes) -> None:
    await blobs.put("video.mp4", pieces(body), content_type="video/mp4")
    assert await read(blobs, "video.mp4") == body
    head = await blobs.head("video.mp4")
    assert head is not None
    assert head.size == len(body)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (0, None, b"0123456789"),
        (3, None, b"3456789"),
        (3, 5, b"34"),
        (0, 99, b"0123456789"),
        (10, None, b""),
        (5, 5, b""),
    ],
)
async def test_a_part_is_streamed(blobs: Blobs, start: int, end: int | None, found: bytes) -> None:
    await blobs.put("ten", b"0123456789", content_type="text/plain")
    assert await read(blobs, "ten", start, end) == found


async def test_head_knows_a_blob_without_reading_it(blobs: Blobs) -> None:
    assert await blobs.head("a/b") is None
    await blobs.put("a/b", b"12345", content_type="text/plain")
    found = await blobs.head("a/b")
    assert isinstance(found, Blob)
    assert (found.key, found.size) == ("a/b", 5)
    assert abs(datetime.now(UTC) - found.modified) < timedelta(minutes=5)
    assert await blobs.head("a") is None


async def test_a_new_content_replaces_the_old_and_has_another_tag(blobs: Blobs) -> None:
    await blobs.put("k", b"old", content_type="text/plain")
    old = await blobs.head("k")
    await blobs.put("k", b"newer", content_type="text/plain")
    new = await blobs.head("k")
    assert old is not None
    assert new is not None
    assert old.etag
    assert old.etag != new.etag
    assert await blobs.get("k") == b"newer"


@pytest.mark.parametrize("length", [10, len(BIG)])
async def test_a_put_that_fails_half_way_shows_nothing(blobs: Blobs, length: int) -> None:
    with pytest.raises(TooLarge, match="cap"):
        await blobs.put("half", pieces(BIG[:length], failing=TooLarge("cap")), content_type="video/mp4")
    assert await blobs.head("half") is None
    assert await keys(blobs) == []


async def test_a_put_that_fails_leaves_what_was_there(blobs: Blobs) -> None:
    await blobs.put("k", b"old", content_type="text/plain")
    with pytest.raises(ZeroDivisionError):
        await blobs.put("k", pieces(b"new", failing=ZeroDivisionError()), content_type="text/plain")
    assert await blobs.get("k") == b"old"


async def test_a_put_that_is_cancelled_shows_nothing(blobs: Blobs) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 6_000_000
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(put(blobs, "half", endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys(blobs) == []


async def test_delete_removes_and_does_not_mind_the_second_time(blobs: Blobs) -> None:
    await blobs.put("k", b"x", content_type="text/plain")
    await blobs.delete("k")
    await blobs.delete("k")
    assert await blobs.head("k") is None


async def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        await blobs.get("nothing/here")
    with pytest.raises(NotFound):
        await read(blobs, "nothing/here")


async def test_list_goes_by_folders(blobs: Blobs) -> None:
    for key in ("media/a", "media/b/c", "mediation/d", "e"):
        await blobs.put(key, b"x", content_type="text/plain")
    assert await keys(blobs) == ["e", "media/a", "media/b/c", "mediation/d"]
    assert await keys(blobs, "media") == await keys(blobs, "media/") == ["media/a", "media/b/c"]
    assert await keys(blobs, "nowhere") == []


async def test_more_blobs_than_a_page_are_listed(blobs: Blobs) -> None:
    names = [f"n/{number:04}" for number in range(25)]
    await asyncio.gather(*(blobs.put(name, b"", content_type="text/plain") for name in names))
    assert await keys(blobs, "n") == names


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".unfinished/x", "a\0b", "a b", "ä"]
)
async def test_a_hostile_key_is_refused_everywhere(blobs: Blobs, key: str) -> None:
    with pytest.raises(Invalid):
        await blobs.put(key, b"x", content_type="text/plain")
    with pytest.raises(Invalid):
        await blobs.get(key)
    with pytest.raises(Invalid):
        await blobs.head(key)
    with pytest.raises(Invalid):
        await blobs.delete(key)
    with pytest.raises(Invalid):
        blobs.path(key)


async def test_two_writers_of_one_key_leave_one_whole_content(blobs: Blobs) -> None:
    bodies = [bytes([number]) * 200_000 for number in range(8)]
    await asyncio.gather(*(blobs.put("k", pieces(body, 10_000), content_type="x/y") for body in bodies))
    assert await blobs.get("k") in bodies


async def test_a_store_that_works_is_healthy(blobs: Blobs) -> None:
    await blobs.health()
    await blobs.put("health/x", b"x", content_type="text/plain")
    await blobs.health()
    assert await blobs.sweep(0) == 0


@given(st.text(max_size=40))
def test_no_key_leaves_its_folder(text: str) -> None:
    try:
        key = check_key(text)
    except Invalid:
        return
    root = Path("/root/of/blobs")
    assert (root / key).resolve().is_relative_to(root)
    assert not any(part.startswith(".") for part in Path(key).parts)


@given(st.integers(0, 50), st.integers(0, 60), st.none() | st.integers(0, 60))
def test_a_part_is_what_slicing_gives(size: int, start: int, end: int | None) -> None:
    first, last = span(size, start, end)
    body = bytes(range(size))
    assert body[first:last] == body[start:end]


# The folder


async def test_the_folder_hands_out_the_file_itself(tmp_path: Path) -> None:
    blobs = FolderBlobs.at(tmp_path)
    await blobs.put("media/a.jpg", b"picture", content_type="image/jpeg")
    assert blobs.path("media/a.jpg").read_bytes() == b"picture"


async def test_what_a_killed_writer_left_is_invisible_and_swept_once_it_is_old(tmp_path: Path) -> None:
    blobs = FolderBlobs.at(tmp_path)

    seen: list[Path] = []

    async def watched() -> AsyncIterator[bytes]:
        yield b"half a picture"
        seen.extend(files(tmp_path))
        yield b""

    await blobs.put("k", watched(), content_type="image/jpeg")
    for path in seen:  # as if the process had died at this point
        path.write_bytes(b"half a picture")
    assert await keys(blobs) == ["k"]
    assert await blobs.sweep(3600) == 0
    assert await blobs.sweep(-1) == len(seen) == 1
    assert files(tmp_path) == [tmp_path / "k"]


WRITER = """
import asyncio, sys
from pathlib import Path
from tintype.backends.blobs import FolderBlobs
async def run():
    blobs = FolderBlobs.at(Path(sys.argv[1]))
    for number in range(1_000_000):
        await blobs.put(f"k/{number % 50}", bytes([number % 256]) * 300_000, content_type="x/y")
        if number == 60:
            print("busy", flush=True)
asyncio.run(run())
"""


def test_a_writer_that_is_killed_leaves_whole_contents_only(tmp_path: Path) -> None:
    blobs = FolderBlobs.at(tmp_path)

    async def contents() -> list[bytes]:
        return [await blobs.get(key) for key in await keys(blobs)]

    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"busy\n"
            writer.kill()
        bodies = asyncio.run(contents())
        assert [(len(body), len(set(body))) for body in bodies] == [(300_000, 1)] * 50
    asyncio.run(blobs.sweep(-1))
    assert len(files(tmp_path)) == 50


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    blobs = FolderBlobs.at(tmp_path / "x")
    (tmp_path / "x" / ".unfinished").rmdir()
    with pytest.raises(Unavailable):
        await blobs.health()
    with pytest.raises(Unavailable):
        await blobs.put("k", b"x", content_type="text/plain")


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="BLOBS_URL"):
        open_blobs((tmp_path / "file" / "folder").as_uri())


# The bucket


async def test_an_upload_that_fails_leaves_no_parts_behind(s3: S3) -> None:
    blobs = open_blobs(s3.url)
    with pytest.raises(TooLarge):
        await blobs.put("parts", pieces(BIG, failing=TooLarge("cap")), content_type="video/mp4")
    assert (await asyncio.to_thread(s3.ask, "list_multipart_uploads")).get("Uploads", []) == []


async def test_an_upload_that_is_cancelled_leaves_no_parts_behind(s3: S3) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield BIG
        yield BIG
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(put(open_blobs(s3.url), "parts", endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await asyncio.to_thread(s3.ask, "list_multipart_uploads")).get("Uploads", []) == []


async def test_the_bucket_keeps_the_content_type_below_its_prefix(s3: S3) -> None:
    await open_blobs(s3.url).put("typed.webp", b"x", content_type="image/webp")
    kept = await asyncio.to_thread(s3.ask, "head_object", Key="prefix/typed.webp")
    assert kept["ContentType"] == "image/webp"


async def test_google_is_left_no_parts_either(google: GoogleStorage) -> None:
    blobs = open_blobs("gs://pictures/parts?allow_http=true")
    with pytest.raises(TooLarge):
        await blobs.put("parts", pieces(BIG, failing=TooLarge("cap")), content_type="video/mp4")
    assert google.uploads == {}
    await blobs.put("parts", pieces(BIG), content_type="video/mp4")
    assert (google.uploads, google.things["parts/parts"].type) == ({}, "video/mp4")


async def test_a_bucket_of_googles_that_is_not_there_says_so(google: GoogleStorage) -> None:
    assert google.origin
    with pytest.raises(Unavailable, match="not found"):
        await open_blobs("gs://nobodys/prefix?allow_http=true").health()


async def test_a_bucket_that_is_not_there_is_unavailable_and_says_so(s3: S3) -> None:
    blobs = open_blobs(s3.url.replace(s3.bucket, "nobodys"))
    with pytest.raises(Unavailable, match="not found"):
        await blobs.health()


async def test_a_dead_endpoint_is_unavailable_without_its_address_in_the_message() -> None:
    blobs = open_blobs("s3://b?endpoint=http://127.0.0.1:9&allow_http=true&skip_signature=true&region=x")
    with pytest.raises(Unavailable) as told:
        await blobs.health()
    assert "127.0.0.1" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://x/y", "file://host/dir", "file:", "s3://", "s3://b?colour=red", "/a/plain/path"),
        *("s3://b?endpoint=s3.example", "s3://b?endpoint=ftp://s3.example", "s3://b?endpoint=https://s3.example:port"),
    ],
)
def test_an_address_of_no_store_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(Misconfigured, match="BLOBS_URL"):
        open_blobs(url)


@pytest.mark.parametrize("url", ["gs://bucket/prefix", "az://container/prefix"])
def test_the_other_clouds_open_by_their_addresses(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    assert open_blobs(url).path("a") is None
