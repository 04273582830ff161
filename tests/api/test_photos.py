"""GET /photos: the document's list, its order and choices, and what HTTP saves on the way."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import brotli
import pytest

from tests.api.projects import KINDS, Project, bare, project, pull, refused
from tests.served import Served

PROMISED = ["id", "mediaUrl", "caption", "mediaType", "permalink"]
OPEN: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,  # pyright: ignore[reportUnknownMemberType] - untyped library
    "gzip": gzip.decompress,
    "": bytes,
}
EXTRA = {"timestamp", "productType", "altText", "posterUrl", "width", "height", "srcset", "placeholder", "children"}


@pytest.fixture(scope="module")
async def shown(door: Served) -> Project:
    """A project that shows a reel, a carousel and, newest, a picture."""
    return await project(door, *KINDS)


async def read(door: Served, one: Project, query: str = "") -> list[dict[str, Any]]:
    answer = await door.client.get(f"/photos{query}", headers=one.bearer)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"success", "data"}
    assert body["success"] is True
    assert set(body["data"]) == {"photos"}
    return body["data"]["photos"]


async def test_every_item_has_the_promised_keys_first(door: Served, shown: Project) -> None:
    photos = await read(door, shown)
    assert len(photos) == 3
    for one in photos:
        assert list(one)[:5] == PROMISED
        assert set(one) - set(PROMISED) <= EXTRA
        assert all(isinstance(one[key], str) for key in PROMISED)
        assert one["permalink"].startswith("https://www.instagram.com/")


async def test_all_three_types_are_there_newest_first(door: Served, shown: Project) -> None:
    photos = await read(door, shown)
    assert [one["mediaType"] for one in photos] == ["IMAGE", "CAROUSEL_ALBUM", "VIDEO"]
    moments = [one["timestamp"] for one in photos]
    assert moments == sorted(moments, reverse=True)


async def test_a_missing_caption_is_an_empty_string(door: Served) -> None:
    one = await project(door)
    await pull(door, "media", username=one.username, kind="IMAGE", caption="", width=64, height=64)
    await door.house.feed.sync_workspace(one.id)
    assert [photo["caption"] for photo in await read(door, one)] == [""]


async def test_media_are_own_copies_that_load(door: Served, shown: Project) -> None:
    image, album, video = await read(door, shown)
    for url, kind in (
        (image["mediaUrl"], "image/jpeg"),
        (album["children"][1]["mediaUrl"], "image/jpeg"),
        (video["mediaUrl"], "video/mp4"),
        (video["posterUrl"], "image/jpeg"),
        (image["srcset"]["jpeg"].split()[0], "image/jpeg"),
    ):
        assert url.startswith(f"{door.client.base_url}/m/".replace("//m/", "/m/"))
        answer = await door.client.get(url)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert len(answer.content) > 100


async def test_a_project_without_photos_has_an_empty_list(door: Served) -> None:
    answer = await door.client.get("/photos", headers=(await bare(door)).bearer)
    assert (answer.status_code, answer.json()) == (200, {"success": True, "data": {"photos": []}})


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO", "CAROUSEL_ALBUM"])
async def test_type_chooses(door: Served, shown: Project, kind: str) -> None:
    assert [one["mediaType"] for one in await read(door, shown, f"?type={kind}")] == [kind]


async def test_limit_and_after_page_through_everything(door: Served, shown: Project) -> None:
    whole = await read(door, shown)
    found: list[dict[str, Any]] = []
    query = "?limit=2"
    while part := await read(door, shown, query):
        assert len(part) <= 2
        found += part
        query = f"?limit=2&after={part[-1]['id']}"
    assert found == whole


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("type=REEL", "type must be one of IMAGE, VIDEO, CAROUSEL_ALBUM"),
        ("type=image", "type must be one of IMAGE, VIDEO, CAROUSEL_ALBUM"),
        ("limit=0", "limit must"),
        ("limit=-3", "limit must"),
        ("limit=ten", "limit must"),
        ("limit=10001", "limit must"),
        ("after=123", "after: there is no item '123' in this feed"),
        ("type=REEL&limit=0", "; limit must"),
    ],
)
async def test_bad_choices_are_sentences(door: Served, shown: Project, query: str, words: str) -> None:
    message = refused(await door.client.get(f"/photos?{query}", headers=shown.bearer), 400, "VALIDATION_FAILED")
    assert words in message
    assert not set(message) & set("{}[]")


async def test_somebody_elses_item_is_no_place_to_go_on_from(door: Served, shown: Project) -> None:
    [first, *_] = await read(door, shown)
    other = await bare(door)
    refused(await door.client.get(f"/photos?after={first['id']}", headers=other.bearer), 400, "VALIDATION_FAILED")


async def test_the_headers_say_whose_and_how_fresh(door: Served, shown: Project) -> None:
    for query in ("", "?limit=1"):
        answer = await door.client.get(f"/photos{query}", headers=shown.bearer)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["x-feed-synced-at"].endswith("Z")
        assert "x-feed-stale" not in answer.headers
        assert answer.headers["content-type"] == "application/json"
    whole = await door.client.get("/photos", headers=shown.bearer)
    assert "accept-encoding" in whole.headers["vary"].lower()
    assert whole.headers["etag"].startswith('"')


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', '"other",W/{0} , "more"', "*"])
@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
async def test_what_a_client_has_is_not_sent_again(door: Served, shown: Project, form: str, encoding: str) -> None:
    headers = {**shown.bearer, "accept-encoding": encoding}
    etag = (await door.client.get("/photos", headers=headers)).headers["etag"]
    answer = await door.client.get("/photos", headers={**headers, "if-none-match": form.format(etag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "vary" in answer.headers
    assert "x-feed-synced-at" in answer.headers


@pytest.mark.parametrize("known", ['"other"', "other", "", '""'])
async def test_another_tag_gets_the_list(door: Served, shown: Project, known: str) -> None:
    answer = await door.client.get("/photos", headers={**shown.bearer, "if-none-match": known})
    assert answer.status_code == 200
    assert answer.content


async def test_the_tag_changes_with_the_list(door: Served) -> None:
    one = await project(door, "IMAGE")
    before = (await door.client.get("/photos", headers=one.bearer)).headers["etag"]
    await pull(door, "media", username=one.username, kind="IMAGE", width=64, height=64)
    await door.house.feed.sync_workspace(one.id)
    answer = await door.client.get("/photos", headers={**one.bearer, "if-none-match": before})
    assert answer.status_code == 200
    assert len(answer.json()["data"]["photos"]) == 2


@pytest.mark.parametrize(
    ("accepts", "sent"),
    [
        ("br", "br"),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip, br;q=0", "gzip"),
        ("br; q=0.000, gzip;q=0", ""),
        ("gzip;q=0.5", "gzip"),
        ("identity", ""),
        ("deflate", ""),
    ],
)
async def test_the_list_is_prepared_in_what_a_client_reads(
    door: Served, shown: Project, accepts: str, sent: str
) -> None:
    request = door.client.build_request("GET", "/photos", headers={**shown.bearer, "accept-encoding": accepts})
    answer = await door.client.send(request, stream=True)
    raw = b"".join([part async for part in answer.aiter_raw()])
    await answer.aclose()
    assert answer.headers.get("content-encoding", "") == sent
    assert answer.headers["content-length"] == str(len(raw))
    assert json.loads(OPEN[sent](raw))["success"] is True


async def test_each_encoding_has_a_tag_of_its_own(door: Served, shown: Project) -> None:
    tags = {
        (await door.client.get("/photos", headers={**shown.bearer, "accept-encoding": each})).headers["etag"]
        for each in ("identity", "gzip", "br")
    }
    assert len(tags) == 3


async def test_a_stranger_is_told_so_before_his_question_is_judged(door: Served) -> None:
    answer = await door.client.get("/photos?type=POEM", headers={"authorization": "Bearer nobody"})
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
