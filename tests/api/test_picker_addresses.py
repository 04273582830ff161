"""Files that are named by their address: public ones are fetched within the caps, and nothing else is."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.api.websites import Website, picture, website
from tests.backends.remote import Asked, Remote, answer, remote
from tests.backends.test_addresses import FORBIDDEN
from tests.walks.stage import staged

PICTURE = picture()
CAP = 100_000


async def elsewhere(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A public server of somebody's, who may be anybody."""
    place = asked.target.partition("?")[0]
    scripts = {
        "/cat.jpg": answer(PICTURE, "Content-Type: image/jpeg"),
        "/named": answer(PICTURE, 'Content-Disposition: attachment; filename="../../dog one.jpg"'),
        "/missing.jpg": answer(b"no", status="404 Not Found"),
        "/within": answer(b"", "Location: http://127.0.0.1:1/", status="302 Found"),
        "/metal": answer(b"", "Location: http://169.254.169.254/latest/", status="307 Temporary Redirect"),
        "/file": answer(b"", "Location: file:///etc/passwd", status="302 Found"),
        "/again": answer(b"", "Location: /cat.jpg", status="302 Found"),
        "/round": answer(b"", "Location: /round", status="302 Found"),
        "/slow": _slow,
        "/large": answer(b"x" * (CAP + 1), "Content-Type: text/plain"),
        "/liar": _endless,
        "/packed": _packed,
        "/page.jpg": answer(b"<script>alert(1)</script>", "Content-Type: image/jpeg"),
    }
    await scripts[place](asked, writer)


async def _endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
    del asked
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + b"x" * (2 * CAP))


async def _slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(2)
    await answer(PICTURE, "Content-Type: image/jpeg")(asked, writer)


async def _packed(asked: Asked, writer: asyncio.StreamWriter) -> None:
    bomb = gzip.compress(b"\0" * (50 * CAP))
    await answer(bomb, "Content-Encoding: gzip")(asked, writer)


@pytest.fixture(scope="module")
async def world(anyio_backend: str) -> AsyncIterator[tuple[Website, Remote]]:
    del anyio_backend
    async with remote(elsewhere) as other, staged(outbound_allow=other.place, files_max_bytes=CAP) as stage:
        yield await website(stage), other


async def status(shop: Website, url: str) -> int:
    answer = await shop.http.post("/api/store/S3", params={"key": shop.key}, data={"url": url})
    return answer.status_code


async def test_a_key_that_is_under_way_waits_and_one_that_came_with_something_else_is_refused(
    world: tuple[Website, Remote],
) -> None:
    shop, other = world

    async def stored(path: str) -> httpx2.Response:
        given: dict[str, Any] = {"params": {"key": shop.key}, "headers": {"Idempotency-Key": "slowly"}}
        return await shop.http.post("/api/store/S3", data={"url": other.url(path)}, **given)

    first = asyncio.create_task(stored("/slow"))
    while not other.asked or other.asked[-1].target != "/slow":  # noqa: ASYNC110 - another server tells nobody
        await asyncio.sleep(0.01)
    early = await stored("/slow")
    assert (early.status_code, early.json()["error"]["code"], early.headers["retry-after"]) == (409, 409, "2")
    assert (await first).status_code == 200
    assert (await stored("/slow")).json() == (await first).json()
    wrong = await stored("/cat.jpg")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, 422)


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_an_address_that_is_not_public_is_not_called(world: tuple[Website, Remote], address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert await status(world[0], f"http://{host}/x.jpg") in (400, 403)


async def test_a_public_file_is_stored_under_its_own_name(world: tuple[Website, Remote]) -> None:
    shop, other = world
    for path, name in (("/cat.jpg?x=1", "cat.jpg"), ("/named", "dog one.jpg"), ("/again", "untitled.jpg")):
        made = await shop.http.post("/api/store/S3", params={"key": shop.key}, data={"url": other.url(path)})
        assert made.status_code == 200, made.text
        assert (made.json()["filename"], made.json()["type"]) == (name, "image/jpeg")
        assert (await shop.http.get(made.json()["url"])).content == PICTURE
    said = (await shop.http.get(f"{made.json()['url']}/metadata", params={"source_url": "true"})).json()
    assert said == {"source_url": other.url("/again")}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/missing.jpg", 502),
        ("/within", 403),
        ("/metal", 403),
        ("/file", 403),
        ("/round", 502),
        ("/large", 413),
        ("/liar", 413),
        ("/packed", 413),
    ],
)
async def test_what_leads_astray_or_is_too_much_is_refused(world: tuple[Website, Remote], path: str, code: int) -> None:
    shop, other = world
    before = shop.stage.files().keys()
    assert await status(shop, other.url(path)) == code
    made = await shop.store(PICTURE)
    assert (await shop.http.post(made["url"], data={"url": other.url(path)})).status_code == code
    assert (await shop.http.get(made["url"])).content == PICTURE
    assert len(shop.stage.files().keys() - before) == 1


async def test_a_page_that_claims_to_be_a_picture_is_none(world: tuple[Website, Remote]) -> None:
    shop, other = world
    made = await shop.http.post("/api/store/S3", params={"key": shop.key}, data={"url": other.url("/page.jpg")})
    assert made.json()["type"] == "application/octet-stream"


async def test_too_large_a_body_is_refused_however_it_comes(world: tuple[Website, Remote]) -> None:
    shop, _ = world
    before = shop.stage.files().keys()
    for sent in (b"x" * (CAP + 1), b"x" * (4 * 2**20)):
        answer = await shop.http.post("/api/store/S3", params={"key": shop.key}, content=sent)
        assert answer.status_code == 413, answer.text
    form = await shop.http.post(
        "/api/store/S3", params={"key": shop.key}, files={"fileUpload": ("a", b"x" * (CAP + 1), "text/plain")}
    )
    assert form.status_code == 413
    nobody = await shop.http.post("/api/store/S3", params={"key": "Aunknown"}, content=b"x" * 2**20)
    assert nobody.status_code == 403
    assert shop.stage.files().keys() == before


async def test_what_a_public_address_says_of_its_file(world: tuple[Website, Remote]) -> None:
    shop, other = world
    answer = await shop.http.post("/metadata", json={"apikey": shop.key, "url": other.url("/cat.jpg")})
    assert answer.json() == {
        "url": other.url("/cat.jpg"),
        "filename": "cat.jpg",
        "mimetype": "image/jpeg",
        "size": len(PICTURE),
    }
    within = await shop.http.post("/metadata", json={"apikey": shop.key, "url": "http://127.0.0.1:1/"})
    assert within.status_code == 403
