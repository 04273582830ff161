"""Conversion over HTTP: both grammars on stored and linked files, what is kept and told, and what is refused."""

import asyncio
import base64
import io
import json
import zipfile
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.websites import Website, picture, website
from tests.backends.pictures import see
from tests.walks.stage import Stage
from tintype.core.files import signature_of


@pytest.fixture(scope="module")
async def shop(stage: Stage) -> Website:
    return await website(stage)


async def stored(
    shop: Website, width: int = 240, height: int = 160, form: str = "jpeg", filename: str = "a.jpg"
) -> str:
    """Store a picture and return its handle."""
    made = await shop.store(picture(width, height, form), kind=f"image/{form}", filename=filename)
    return str(made["handle"])


async def size(shop: Website, path: str, **headers: str) -> tuple[int, int, str]:
    """Return width, height and type of the picture at a path."""
    answer = await shop.http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    seen = see(answer.content)
    return seen.width, seen.height, answer.headers["content-type"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("w=102", (102, 68, "image/jpeg")),
        ("w=40&h=40&fit=crop", (40, 40, "image/jpeg")),
        ("width=60&height=60", (60, 40, "image/jpeg")),
        ("w=9&format=png&_cacheBust=1&plugin=js_lib", (9, 6, "image/png")),
        ("rotate=90&w=120", (80, 120, "image/jpeg")),
        ("crop=0,0,50,20", (50, 20, "image/jpeg")),
    ],
)
async def test_the_first_version(shop: Website, query: str, expected: tuple[int, int, str]) -> None:
    handle = await stored(shop)
    assert await size(shop, f"/api/file/{handle}/convert?{query}") == expected


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ("resize=width:40,height:40,fit:crop/output=format:webp,quality:80", (40, 40, "image/webp")),
        ("resize=h:80/rotate=deg:90/flip/blur=amount:3", (80, 120, "image/jpeg")),
        ("circle/output=format:png", (160, 160, "image/png")),
        ('crop=dim:%5B0,0,50,20%5D/output=f:"avif"', (50, 20, "image/avif")),
        (
            "b64/" + base64.urlsafe_b64encode(b'[{"name":"resize","params":{"width":12}}]').decode(),
            (12, 8, "image/jpeg"),
        ),
    ],
)
@pytest.mark.parametrize("with_key", [False, True])
async def test_processing_addresses(shop: Website, tasks: str, expected: tuple[int, int, str], with_key: bool) -> None:
    handle = await stored(shop)
    assert await size(shop, f"/cdn/{f'{shop.key}/' if with_key else ''}{tasks}/{handle}") == expected


async def test_the_hosts_of_todays_clients_mean_the_same(shop: Website) -> None:
    handle = await stored(shop)
    for host in ("cdn.localhost", "process.localhost"):
        assert await size(shop, f"/{shop.key}/resize=w:30/{handle}", Host=host) == (30, 20, "image/jpeg")


async def test_both_grammars_share_what_was_made(shop: Website) -> None:
    handle = await stored(shop)
    first = await shop.http.get(f"/api/file/{handle}/convert?h=50&w=50&fit=crop")
    second = await shop.http.get(f"/cdn/{shop.key}/resize=fit:crop,w:50,h:50/{handle}")
    assert first.headers["etag"] == second.headers["etag"]
    assert first.content == second.content
    records = shop.stage.house.picking.conversions.records
    assert await records.count(handle) == 1


async def test_a_result_has_a_strong_tag_and_is_not_sent_again(shop: Website) -> None:
    handle = await stored(shop)
    path = f"/cdn/resize=w:33/{handle}"
    first = await shop.http.get(path)
    assert first.headers["cache-control"] == "public, max-age=3600"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert first.headers["access-control-allow-origin"] == "*"
    again = await shop.http.get(path)  # from memory
    assert (again.content, dict(again.headers) | {"x-request-id": ""}) == (
        first.content,
        dict(first.headers) | {"x-request-id": ""},
    )
    for tag in (first.headers["etag"], f"W/{first.headers['etag']}", f'"x", {first.headers["etag"]}'):
        known = await shop.http.get(path, headers={"If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["etag"] == first.headers["etag"]
    assert (await shop.http.head(path)).headers["etag"] == first.headers["etag"]
    other = await shop.http.get(f"/cdn/resize=w:34/{handle}", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


async def test_auto_follows_what_the_client_shows(shop: Website) -> None:
    handle = await stored(shop)
    path = f"/cdn/auto_image/resize=w:20/{handle}"
    for _ in range(2):  # made, and then from memory
        assert (await size(shop, path, Accept="image/avif,image/webp,*/*"))[2] == "image/avif"
        assert (await size(shop, path, Accept="image/webp,*/*"))[2] == "image/webp"
        assert (await size(shop, path, Accept="image/avif;q=0, IMAGE/WEBP ; Q=0.5"))[2] == "image/webp"
        assert (await size(shop, path, Accept="image/avif;q=0.0,image/webp; q=0,image/*"))[2] == "image/jpeg"
        assert (await size(shop, path, Accept="*/*"))[2] == "image/jpeg"
    assert (await shop.http.get(path)).headers["vary"] == "Accept"


async def test_new_content_is_converted_anew_and_a_removed_file_is_gone(shop: Website) -> None:
    handle = await stored(shop, 240, 160)
    path = f"/cdn/resize=w:60/{handle}"
    assert await size(shop, path) == (60, 40, "image/jpeg")
    assert await size(shop, path) == (60, 40, "image/jpeg")
    written = await shop.http.post(
        f"/api/file/{handle}",
        params={"key": shop.key},
        content=picture(300, 300),
        headers={"Content-Type": "image/jpeg"},
    )
    assert written.status_code == 200
    assert await size(shop, path) == (60, 60, "image/jpeg")
    removed = await shop.http.delete(f"/api/file/{handle}", params={"key": shop.key})
    assert removed.status_code == 200
    assert (await shop.http.get(path)).status_code == 404
    home = shop.stage.house.picking.files.storing.stores.home
    left = [blob.key async for blob in home.list(f"{shop.app_id}/derived/{handle}")]
    assert left == []


async def test_an_original_is_served_as_it_is(shop: Website) -> None:
    data = picture(70, 50)
    handle = str((await shop.store(data, filename="a.jpg"))["handle"])
    for path in (
        f"/cdn/{handle}",
        f"/cdn/{shop.key}/{handle}",
        f"/api/file/{handle}/convert",
        f"/cdn/no_metadata/{handle}",
    ):
        answer = await shop.http.get(path)
        assert (answer.status_code, answer.content) == (200, data)


async def test_a_link_is_converted_and_says_when_it_is_gone(stage: Stage) -> None:
    shop = await website(stage)
    media = shop.member.post()
    handle = await shop.link(media)
    path = f"/api/file/{handle}/convert?w=102"
    assert await size(shop, path) == (102, 128, "image/jpeg")
    await stage.house.accounts.disconnect(shop.member.workspace_id, shop.member.account_id)
    await stage.house.backends.cache.delete(f"file:{shop.member.account_id}:{media}")
    assert (await shop.http.get(path)).status_code == 410


async def test_what_is_converted_by_post_has_a_handle_of_its_own(shop: Website) -> None:
    handle = await stored(shop, filename="holiday.png", form="png")
    form = {
        "width": "40",
        "height": "40",
        "fit": "crop",
        "format": "jpg",
        "storeLocation": "S3",
        "storeAccess": "private",
    }
    answer = await shop.http.post(f"/api/file/{handle}/convert", data=form)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert made["handle"] != handle
    assert made["key"] == f"{made['handle']}_holiday.jpg"
    assert (made["type"], made["filename"]) == ("image/jpeg", "holiday.jpg")
    assert await size(shop, f"/api/file/{made['handle']}") == (40, 40, "image/jpeg")


async def test_store_in_an_address_makes_a_file(shop: Website) -> None:
    handle = await stored(shop)
    answer = await shop.http.post(f'/cdn/{shop.key}/resize=w:30/store=filename:b.jpg,path:"out/"/{handle}')
    made = answer.json()
    assert (answer.status_code, made["filename"]) == (200, "b.jpg")
    assert made["key"].startswith("out/")
    assert await size(shop, f"/cdn/{made['handle']}") == (30, 20, "image/jpeg")


async def test_a_body_stores_what_lies_at_one_of_our_addresses(shop: Website) -> None:
    handle = await stored(shop)
    body = {
        "apikey": shop.key,
        "sources": [f"{shop.stage.house.settings.address()}/api/file/{handle}"],
        "tasks": [{"name": "resize", "params": {"width": 24}}, {"name": "store", "params": {"location": "s3"}}],
    }
    made = (await shop.http.post("/process", json=body)).json()
    assert await size(shop, f"/cdn/{made['handle']}") == (24, 16, "image/jpeg")
    again = await shop.http.post("/process", json=body, headers={"Host": "cdn.localhost"})
    assert again.json()["handle"] != made["handle"]


@pytest.mark.parametrize(
    "own",
    [
        "{base}/api/file/{h}",
        "{base}/api/file/{h}+jpg?policy=x&signature=y",
        "{base}/cdn/{h}",
        "{base}/cdn/{key}/{h}.jpg",
        "http://cdn.localhost/{h}",
        "https://process.localhost/{key}/security=p:x,s:y/{h}",
    ],
)
async def test_our_own_addresses_are_not_fetched_from_the_web(shop: Website, own: str) -> None:
    handle = await stored(shop)
    url = own.format(base=shop.stage.house.settings.address(), h=handle, key=shop.key)
    body = {"apikey": shop.key, "sources": [url], "tasks": [{"name": "resize", "params": {"width": 24}}]}
    answer = await shop.http.post("/process", json=body)
    assert answer.status_code == 200, answer.text
    assert see(answer.content).width == 24
    copied = await shop.http.post("/api/store/S3", params={"key": shop.key}, data={"url": url})
    assert copied.status_code == 200, copied.text
    assert copied.json()["filename"] == "a.jpg"


async def test_an_address_of_a_conversion_is_no_file(shop: Website) -> None:
    base, handle = shop.stage.house.settings.address(), await stored(shop)
    by_parameters = {"url": f"{base}/api/file/{handle}/convert?w=9"}
    refused = await shop.http.post("/api/store/S3", params={"key": shop.key}, data=by_parameters)
    assert refused.status_code == 400
    assert "address of a conversion" in refused.json()["error"]["message"]
    by_tasks = {"url": f"{base}/cdn/resize=w:9/{handle}"}  # made by whoever is called, which this machine is not
    refused = await shop.http.post("/api/store/S3", params={"key": shop.key}, data=by_tasks)
    assert refused.status_code == 403


async def test_conversions_are_told_of_as_documented(shop: Website) -> None:
    handle = await stored(shop, filename="1.jpeg")
    told = await happened(shop, f"/api/file/{handle}/convert?w=102&_cacheBust=7")
    assert len(told) == 1
    text = told[0]["text"]
    assert text["url"] == f"{shop.stage.house.settings.address()}/api/file/{handle}/convert?w=102"
    assert (text["link"]["handle"], text["link"]["filename"], text["link"]["mimetype"]) == (
        handle,
        "1.jpeg",
        "image/jpeg",
    )
    assert isinstance(text["link"]["size"], str)
    assert await happened(shop, f"/api/file/{handle}/convert?w=102") == []


async def happened(shop: Website, path: str) -> list[dict[str, Any]]:
    """Return the conversions that one request told of."""
    wanted = {"listen": True, "events": ["fp.converse"]}
    endpoint = await shop.http.post("/api/webhooks", json=wanted, headers=shop.owner)
    assert endpoint.status_code == 201, endpoint.text
    place = f"/api/webhooks/{endpoint.json()['id']}"
    assert (await shop.http.get(path)).status_code == 200
    pulled = (await shop.http.post(f"{place}/pull", json={}, headers=shop.owner)).json()
    await shop.http.delete(place, headers=shop.owner)
    return [json.loads(one["body"]) for one in pulled["deliveries"]]


async def test_sizes_and_facts(shop: Website) -> None:
    handle = await stored(shop)
    assert (await shop.http.get(f"/cdn/imagesize/{handle}")).json() == {"width": 240, "height": 160}
    assert (await shop.http.get(f"/cdn/resize=w:60/imagesize/{handle}")).json() == {"width": 60, "height": 40}
    facts = (await shop.http.get(f"/cdn/{handle}/metadata", params={"width": "true", "mimetype": "true"})).json()
    assert facts == {"mimetype": "image/jpeg", "width": 240}
    assert (await shop.http.get(f"/cdn/metadata/{handle}")).json()["mimetype"] == "image/jpeg"


async def test_several_files_in_a_zip(shop: Website) -> None:
    data = [picture(30, 20), picture(20, 30), b"plain words"]
    handles = [str((await shop.store(one, filename="a.jpg"))["handle"]) for one in data]
    answer = await shop.http.get(f"/cdn/{shop.key}/zip/[{','.join(handles)}]")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as whole:
        assert whole.testzip() is None
        assert [whole.read(name) for name in whole.namelist()] == data
        assert whole.namelist() == ["a.jpg", "a (2).jpg", "a (3).jpg"]


async def test_many_who_ask_at_once_have_one_made(shop: Website) -> None:
    handle = await stored(shop, 900, 700)
    paths = [f"/cdn/resize=w:77/{'cache=expiry:' + str(at)}/{handle}" for at in range(12)]
    answers = await asyncio.gather(*(shop.http.get(path) for path in paths))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert await shop.stage.house.picking.conversions.records.count(handle) == 1
    assert answers[5].headers["cache-control"] == "public, max-age=5"


async def test_a_file_has_so_many_forms_and_no_more(shop: Website) -> None:
    handle = await stored(shop)
    await shop.set(quota_derived=3)
    try:
        answers = [(await shop.http.get(f"/cdn/resize=w:{at}/{handle}")).status_code for at in range(50, 55)]
        assert answers == [200, 200, 200, 413, 413]
        assert (await shop.http.get(f"/cdn/resize=w:51/cache=expiry:9/{handle}")).status_code == 200
        refused = (await shop.http.get(f"/cdn/resize=w:54/{handle}")).json()["error"]["message"]
        assert refused.startswith("3 different conversions of this file were made")
    finally:
        await shop.set(quota_derived=40)


async def test_what_cannot_be_converted_is_said_and_not_tried_again(shop: Website) -> None:
    page = str((await shop.store(b"<html>", kind="text/html"))["handle"])
    assert (await shop.http.get(f"/cdn/resize=w:9/{page}")).status_code == 415
    broken = str((await shop.store(picture()[:400]))["handle"])
    first = await shop.http.get(f"/cdn/resize=w:9/{broken}")
    assert first.status_code in (400, 415)
    remembered = len(shop.stage.house.picking.conversions.refusals.known)
    assert (await shop.http.get(f"/cdn/resize=w:9/{broken}")).json() == first.json()
    assert len(shop.stage.house.picking.conversions.refusals.known) == remembered > 0


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/cdn/enhance/{h}", 400, "the task 'enhance' is not supported; supported are resize"),
        ("/cdn/resize=w:x/{h}", 400, "resize width must be a number"),
        ("/cdn/resize=w:9/AAAAAAAAAAAAAAAAAAAA", 404, "there is no file of this handle"),
        ("/cdn/resize=w:9/https://example.com/a.jpg", 403, "API key in front"),
        ("/cdn/Aaaaaaaaaaaaaaaaaaaaaz/resize=w:9/{h}", 403, "not known here"),
        ("/cdn/resize=w:10000/{h}", 400, "at most 4096 on a side"),
        ("/cdn/resize=w:9/src://shop/a.jpg", 415, "src://"),
        ("/api/file/{h}/convert?w=ten", 400, "resize width must be a number"),
        ("/api/file/short/convert?w=10", 404, ""),
        ("/cdn/preset:none/{h}", 404, "no preset 'none'"),
    ],
)
async def test_refusals(shop: Website, path: str, status: int, words: str) -> None:
    answer = await shop.http.get(path.format(h=await stored(shop)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/a.jpg",
        "http://[::1]/a.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/a.jpg",
        "http://0x7f000001/",
        "http://[::ffff:127.0.0.1]/",
        "ftp://example.com/x",
        "file:///etc/passwd",
    ],
)
async def test_no_address_of_the_inner_network_is_called(shop: Website, url: str) -> None:
    handle = await stored(shop)
    for path in (
        f"/cdn/{shop.key}/resize=w:9/{url}",
        f"/cdn/{shop.key}/resize=w:9/{quote(url, safe='')}",
        f'/cdn/watermark=file:"{url}"/{handle}',
        f"/api/file/{handle}/convert?watermark={quote(url, safe='')}",
    ):
        answer = await shop.http.get(path)
        assert answer.status_code in (400, 403, 404), (path, answer.text)
    body: dict[str, Any] = {"apikey": shop.key, "sources": [url], "tasks": [{"name": "store", "params": {}}]}
    assert (await shop.http.post("/process", json=body)).status_code in (400, 403, 404)


async def test_a_fallback_stands_in(shop: Website) -> None:
    instead = await stored(shop, 100, 100)
    answer = await size(shop, f"/cdn/fallback=file:{instead}/resize=w:50/AAAAAAAAAAAAAAAAAAAA")
    assert answer == (50, 50, "image/jpeg")


async def test_a_watermark_is_another_file_of_the_same_app(shop: Website) -> None:
    handle, mark = await stored(shop), await stored(shop, 40, 40, "png")
    assert await size(shop, f"/cdn/watermark=file:{mark},size:50,position:[bottom,right]/{handle}") == (
        240,
        160,
        "image/jpeg",
    )
    stranger = await website(shop.stage)
    other = await stored(stranger)
    assert (await shop.http.get(f"/cdn/watermark=file:{other}/{handle}")).status_code == 404


async def test_an_app_that_asks_for_policies_gets_them(stage: Stage) -> None:
    shop = await website(stage, secure_reads=True, secure_writes=True)
    secret = shop.policy(call=["store", "read", "convert", "stat"])
    handle = str((await shop.store(picture(90, 60), **secret))["handle"])
    path = f"/cdn/resize=w:30/{handle}"
    assert (await shop.http.get(path)).status_code == 403
    assert (await shop.http.get(f"/api/file/{handle}/convert?w=30")).status_code == 403
    assert (await shop.http.post(f"/api/file/{handle}/convert", data={"width": "30"})).status_code == 403
    signed = shop.policy(call=["convert"], handle=handle)
    for spelling in ("policy:{policy},signature:{signature}", "s:{signature},p:{policy}"):
        answer = await shop.http.get(f"/cdn/security={spelling.format(**signed)}/resize=w:30/{handle}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"].startswith("private, max-age=")
    assert (await shop.http.get(f"/api/file/{handle}/convert", params={"w": "30", **signed})).status_code == 200
    wrong = shop.policy(call=["read"])
    assert (
        await shop.http.get(f"/cdn/security=p:{wrong['policy']},s:{wrong['signature']}/resize=w:30/{handle}")
    ).status_code == 403
    short = shop.policy(seconds=60, call=["convert"])
    brief = f"/cdn/security=p:{short['policy']},s:{short['signature']}/resize=w:30/{handle}"
    kept = (await shop.http.get(brief)).headers["cache-control"].removeprefix("private, max-age=")
    assert 0 <= int(kept) <= 60  # never longer than the policy lives
    made = await shop.http.post(f"/api/file/{handle}/convert", data={"width": "30", **signed})
    assert made.status_code == 200
    basic = base64.b64encode(f"app:{shop.secret}".encode()).decode()
    assert (await shop.http.get(path, headers={"Authorization": f"Basic {basic}"})).status_code == 200
    assert (await shop.http.get(path)).status_code == 403


async def test_presets_alone_and_signed(stage: Stage) -> None:
    shop = await website(stage, presets={"thumb": "resize=w:50,h:50,fit:crop"}, presets_only=True, quota_derived=0)
    handle = str((await shop.store(picture(90, 60)))["handle"])
    assert await size(shop, f"/cdn/preset:thumb/{handle}.webp") == (50, 50, "image/webp")
    assert await size(shop, f"/cdn/{shop.key}/preset=name:thumb/{handle}") == (50, 50, "image/jpeg")
    assert (await shop.http.get(f"/cdn/resize=w:50/{handle}")).status_code == 400
    assert (await shop.http.get(f"/api/file/{handle}/convert?w=50")).status_code == 400
    await shop.set(secure_reads=True)
    path = f"preset:thumb/{handle}.png"
    assert (await shop.http.get(f"/cdn/{path}")).status_code == 403
    assert await size(shop, f"/cdn/{signature_of(shop.secret, path)}/{path}") == (50, 50, "image/png")
    assert (await shop.http.get(f"/cdn/{signature_of('other', path)}/{path}")).status_code == 403
    assert (
        await shop.http.get(f"/cdn/{signature_of(shop.secret, path)}/preset:thumb/{handle}.avif")
    ).status_code == 403


async def test_a_preset_is_read_when_it_is_set(stage: Stage) -> None:
    shop = await website(stage)
    said = await shop.set(presets={"thumb": "output=f:webp/resize=h:50,w:50,fit:crop"})
    assert said["presets"] == {"thumb": "resize=fit:crop,height:50,width:50/output=format:webp"}
    for presets in ({"thumb": "enhance"}, {"a b": "flip"}, {"x": "store"}, {"x": "flip/https://example.com/a.jpg"}):
        answer = await shop.http.patch(f"/api/apps/{shop.app_id}", json={"presets": presets}, headers=shop.owner)
        assert answer.status_code == 400, presets
