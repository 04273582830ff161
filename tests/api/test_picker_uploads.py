"""Files in parts, as filestack-js and filestack-python send them."""

import asyncio
import base64
import hashlib
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.api.websites import Website, picture, website
from tests.walks.stage import Stage

PART = 5 * 2**20


@pytest.fixture(scope="module")
async def shop(stage: Stage) -> Website:
    return await website(stage)


async def said(shop: Website, path: str, status: int = 200, /, **body: object) -> dict[str, Any]:
    """Ask for something of /multipart as JSON."""
    answer = await shop.http.post(f"/multipart/{path}", json={"apikey": shop.key, **body})
    assert answer.status_code == status, answer.text
    return cast("dict[str, Any]", answer.json())


async def begun(shop: Website, size: int, **more: object) -> dict[str, Any]:
    """Begin an upload and return what goes with each call after that."""
    body: dict[str, object] = {
        "filename": "film.bin",
        "mimetype": "text/plain",
        "size": size,
        "store": {"location": "s3"},
    }
    answer = await said(shop, "start", **{**body, **more})
    assert {"uri", "region", "location_url", "upload_id"} <= answer.keys()
    assert answer["location_url"] == shop.http.base_url.netloc.decode()
    return {name: answer[name] for name in ("uri", "region", "upload_id")}


async def sent(shop: Website, upload: dict[str, Any], part: int, data: bytes, **more: object) -> str:
    """Send a part where the answer says, and return its ETag."""
    md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    told = await said(shop, "upload", **{**upload, "part": part, "size": len(data), "md5": md5, **more})
    answer = await shop.http.put(told["url"], content=data, headers=told["headers"])
    assert answer.status_code == 200, answer.text
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    return answer.headers["etag"]


async def test_a_file_in_parts_as_python_sends_it(shop: Website) -> None:
    data = b"a" * PART + b"b" * 1000
    upload = await begun(shop, len(data), store={"location": "S3", "path": "films/"}, upload_tags={"who": "me"})
    tags = [await sent(shop, upload, 2, data[PART:]), await sent(shop, upload, 1, data[:PART])]
    parts = [{"part_number": 2, "etag": tags[0]}, {"part_number": 1, "etag": tags[1].strip('"')}]
    made = await said(
        shop, "complete", **upload, filename="film.bin", size=len(data), mimetype="text/plain", parts=parts
    )
    assert made["size"] == len(data)
    assert made["key"] == f"films/{made['handle']}_film.bin"
    assert (made["mimetype"], made["status"]) == ("text/plain", "Stored")
    assert (await shop.http.get(made["url"])).content == data
    again = await said(shop, "complete", **upload, parts=parts)
    assert again == made


async def test_pieces_of_parts_as_javascript_sends_them(shop: Website) -> None:
    data = picture(300, 300, "png")
    half = len(data) // 2
    first = await shop.http.post(
        "/multipart/start",
        json={
            "apikey": shop.key,
            "filename": "undefined",
            "mimetype": "image/png",
            "size": len(data),
            "fii": True,
            "store": {},
        },
    )
    assert first.json()["upload_type"] == "intelligent_ingestion"
    upload = {"upload_id": first.json()["upload_id"], "fii": True}
    await sent(shop, upload, 1, data[half:], offset=half)
    await said(shop, "commit", 400, **upload, part=1, size=len(data))
    await said(shop, "complete", 400, **upload)
    await sent(shop, upload, 1, data[:half], offset=0)
    await said(shop, "commit", **upload, part=1, size=len(data))
    made = await said(shop, "complete", **upload)
    assert made["filename"] == "untitled.png"
    assert (await shop.http.get(made["url"])).content == data


async def test_a_part_that_is_sent_twice_counts_once(shop: Website) -> None:
    before = shop.stage.files().keys()
    upload = await begun(shop, 4)
    await sent(shop, upload, 1, b"xxxx")
    tag = await sent(shop, upload, 1, b"good")
    assert len(shop.stage.files().keys() - before) == 1
    made = await said(shop, "complete", **upload, parts=[{"part_number": 1, "etag": tag}])
    assert (await shop.http.get(made["url"])).content == b"good"
    assert len(shop.stage.files().keys() - before) == 1


async def test_what_is_missing_or_another_is_said(shop: Website) -> None:
    upload = await begun(shop, 8)
    second = await sent(shop, upload, 2, b"5678")
    answer = await said(shop, "complete", 400, **upload, parts=[{"part_number": 2, "etag": second}])
    assert "part 1 is missing" in answer["error"]["message"]
    first = await sent(shop, upload, 1, b"123")
    tags = [{"part_number": 1, "etag": first}, {"part_number": 2, "etag": second}]
    answer = await said(shop, "complete", 400, **upload, parts=tags)
    assert "7 bytes" in answer["error"]["message"]
    await sent(shop, upload, 1, b"1234")
    answer = await said(shop, "complete", 400, **upload, parts=tags)
    assert "ETag of part 1" in answer["error"]["message"]


async def test_bytes_that_were_not_announced_are_refused(shop: Website) -> None:
    upload = await begun(shop, 4)
    told = await said(shop, "upload", **upload, part=1, size=4, md5=base64.b64encode(b"0" * 16).decode())
    assert (await shop.http.put(told["url"], content=b"good")).status_code == 400
    told = await said(shop, "upload", **upload, part=1, size=4)
    before = shop.stage.files().keys()
    assert (await shop.http.put(told["url"], content=b"longer")).status_code == 413
    assert shop.stage.files().keys() == before
    for part, offset in ((0, 0), (10_001, 0), (1, 2**40)):
        place = f"/multipart/part/{upload['upload_id']}/{part}/{offset}"
        assert (await shop.http.put(place, content=b"x")).status_code == 400
    assert (await shop.http.put("/multipart/part/unknown/1/0", content=b"x")).status_code == 404


async def test_an_upload_belongs_to_its_app_and_asks_for_its_policy(stage: Stage, shop: Website) -> None:
    other = await website(stage, secure_writes=True)
    upload = await begun(shop, 4)
    await said(other, "upload", 403, **upload, part=1)
    await said(other, "complete", 403, **upload)
    body = {"filename": "a", "mimetype": "text/plain", "size": 4, "store": {"path": "/in/"}}
    await said(other, "start", 403, **body)
    await said(other, "start", 403, **body, **other.policy(call=["store"], path="^/out/"))
    allowed = await said(other, "start", **body, **other.policy(call=["store"], path="^/in/"))
    tag = await sent(other, {"upload_id": allowed["upload_id"]}, 1, b"good")
    await said(other, "complete", upload_id=allowed["upload_id"], parts=[{"part_number": 1, "etag": tag}])


async def test_too_large_is_said_before_a_byte_is_sent(shop: Website) -> None:
    most = shop.stage.house.settings.files_max_bytes
    await said(shop, "start", 413, filename="a", mimetype="text/plain", size=most + 1, store={})
    await said(shop, "start", 400, filename="a", mimetype="text/plain", store={})
    await said(shop, "start", 400, filename="a", size=1, store={"location": "nowhere"})


async def test_many_who_complete_at_once_get_one_file(shop: Website) -> None:
    upload = await begun(shop, 4)
    tag = await sent(shop, upload, 1, b"good")
    parts = [{"part_number": 1, "etag": tag}]
    made = await asyncio.gather(*(said(shop, "complete", **upload, parts=parts) for _ in range(5)))
    assert len({one["handle"] for one in made}) == 1


async def test_an_upload_that_nobody_goes_on_with_leaves_nothing(stage: Stage) -> None:
    shop = await website(stage)
    before = stage.files().keys()
    upload = await begun(shop, 8)
    await sent(shop, upload, 1, b"1234")
    left = stage.files().keys() - before
    assert len(left) == 1
    stage.skip(timedelta(days=1, minutes=1))
    picking = stage.house.picking
    assert await picking.uploads.collect() >= 1
    await picking.files.storing.stores.pay()
    assert not left & stage.files().keys()
    await said(shop, "complete", 404, **upload)


async def test_prefetch_says_what_pickers_ask_first(shop: Website) -> None:
    answer = await shop.http.post("/prefetch", json={"apikey": shop.key, "permissions": ["intelligent_ingestion"]})
    assert answer.json()["blocked"] is False
    assert answer.json()["permissions"]["intelligent_ingestion"] is True
    assert answer.json()["settings"]["inapp_browser"] is False
    assert (await shop.http.post("/prefetch", json={"apikey": "Aunknown"})).status_code == 403
