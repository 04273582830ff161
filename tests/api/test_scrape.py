"""Seed 2's promise over HTTP: what is refused and how, what a post looks like, one look-up for many, files in ranges."""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.served import Served, served

POST = "https://www.instagram.com/p/{}/"


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Served]:
    async with served(only=("scrape",), rate_limit_max_requests=0, public_lookups_per_hour=200) as house:
        yield house


async def scrape(door: Served, shortcode: str, **headers: str) -> httpx2.Response:
    return await door.client.post("/scrape", json={"url": POST.format(shortcode)}, headers=headers)


async def posted(door: Served, kind: str = "IMAGE", **more: object) -> dict[str, Any]:
    """Put a small post on Instagram, of somebody whom the house does not know."""
    shape = {"width": 160, "height": 200} if kind == "IMAGE" else {}
    body = {"username": "marlow.bakehouse", "kind": kind, "caption": "Rye, at last.", **shape, **more}
    answer = await door.simulator.post("/_world/media", json=body)
    return answer.raise_for_status().json()


def is_file(path: str) -> bool:
    return Path(path).is_file()


def content_of(path: str) -> bytes:
    return Path(path).read_bytes()


async def asked(door: Served) -> list[dict[str, Any]]:
    return (await door.simulator.get("/_world/log")).json()


async def test_health_is_the_documents_own(door: Served) -> None:
    answer = await door.client.get("/health")
    assert (answer.status_code, answer.text) == (200, "OK")


REFUSALS: list[tuple[object, int, str]] = [
    ({}, 400, "Missing 'url'"),
    ({"url": ""}, 400, "Missing 'url'"),
    ({"url": None}, 400, "Missing 'url'"),
    ({"uri": "https://www.instagram.com/p/abc/"}, 400, "Missing 'url'"),
    ({"url": 7}, 400, "Invalid URL format"),
    ({"url": ["https://www.instagram.com/p/abc/"]}, 400, "Invalid URL format"),
    ({"url": {"a": "b"}}, 400, "Invalid URL format"),
    ([], 400, "Invalid JSON body"),
    (None, 400, "Invalid JSON body"),
    ("https://www.instagram.com/p/abc/", 400, "Invalid JSON body"),
    ({"url": "http://www.instagram.com/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://example.com/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com.example.com/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://instagram.com@example.com/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://somebody@www.instagram.com/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com:8443/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://m.instagram.com/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://instagr.am/p/abc/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/../"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/%2e%2e/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/a b/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/" + "a" * 65}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/stories/somebody/3/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/share/p/BAabc"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/somebody/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/"}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/abc/?x=" + "a" * 512}, 400, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/abc/", "more": "a" * 4096}, 413, "Request body too large"),
]


@pytest.mark.parametrize(("body", "status", "said"), REFUSALS)
@pytest.mark.parametrize("path", ["/scrape", "/scrape/"])
async def test_what_is_refused(door: Served, path: str, body: object, status: int, said: str) -> None:
    before = len(await asked(door))
    answer = await door.client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, said)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.json()["code"]
    assert len(await asked(door)) == before


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 4000, b'{"url": NaN'])
async def test_what_is_no_json(door: Served, raw: bytes) -> None:
    answer = await door.client.post("/scrape", content=raw, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid JSON body")


async def test_another_type_of_body_is_refused_in_json(door: Served) -> None:
    answer = await door.client.post("/scrape", data={"url": POST.format("abc")})
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/json"


async def test_a_body_in_chunks_does_not_pass_the_limit(door: Served) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 1000

    answer = await door.client.post("/scrape", content=chunks(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (413, "Request body too large")


@pytest.mark.parametrize("body", [{"url": "https://example.com/"}, {}])
async def test_problems_are_told_as_rfc_9457_to_who_asks_for_that(door: Served, body: object) -> None:
    answer = await door.client.post("/scrape", json=body, headers={"accept": "application/problem+json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code == 400


@pytest.mark.parametrize("path", ["/", "/scrape", "/nobody", "/scrape/jobs/none", "/media/abc/abc.mp4"])
async def test_no_page_of_a_framework_is_ever_shown(door: Served, path: str) -> None:
    answer = await door.client.get(path)
    assert answer.status_code in (404, 405)
    assert set(answer.json()) >= {"error", "code"}


async def test_a_refusal_names_its_request(door: Served) -> None:
    for method, body in (("POST", {}), ("POST", {"url": "https://example.com/"})):
        answer = await door.client.request(method, "/scrape", json=body)
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_words_for_programs_are_small(door: Served) -> None:
    assert (await door.client.get("/scrape")).json() == {"error": "Method Not Allowed", "code": "method_not_allowed"}


async def test_a_photo(door: Served) -> None:
    made = await posted(door)
    code = made["shortcode"]
    said = (await scrape(door, code)).raise_for_status().json()
    folder = door.house.settings.data.resolve() / "instaloader" / code
    content = (folder / f"{code}.jpg").read_bytes()
    assert list(said)[:4] == ["shortcode", "video", "description", "cdn_url"]
    assert said["video"] == str(folder / f"{code}.jpg")
    assert (said["shortcode"], said["description"], said["kind"]) == (code, "Rye, at last.", "image")
    assert (said["owner"], said["source"]) == ("marlow.bakehouse", "instaloader")
    assert said["taken_at"].endswith("Z")
    [file] = said["media"]
    assert file["path"] == said["video"]
    assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert (file["width"], file["height"]) == (160, 200)
    assert file["cdn_url"] == said["cdn_url"]
    assert json.loads((folder / f"{code}.json").read_text())["shortcode"] == code
    assert {path.name for path in folder.iterdir()} == {f"{code}.jpg", f"{code}.json"}


async def test_a_carousel_is_shown_by_its_first_video(door: Served) -> None:
    children = [{"kind": "IMAGE", "width": 160, "height": 200}, {"kind": "VIDEO"}, {"kind": "IMAGE"}]
    made = await posted(door, "CAROUSEL_ALBUM", children=children)
    code = made["shortcode"]
    said = (await scrape(door, code)).raise_for_status().json()
    kinds = [file["kind"] for file in said["media"]]
    assert said["kind"] == "carousel"
    assert kinds.count("video") == 1
    names = [Path(file["path"]).name for file in said["media"]]
    assert names == [f"{code}_{at}.{'mp4' if kind == 'video' else 'jpg'}" for at, kind in enumerate(kinds, 1)]
    assert all(is_file(file["path"]) for file in said["media"])
    assert said["video"] == said["media"][kinds.index("video")]["path"]


@pytest.mark.parametrize(
    "form", ["p/{}/", "reel/{}", "reels/{}/?igsh=abc", "tv/{}#x", "somebody/p/{}/", "somebody/reel/{}/"]
)
async def test_the_forms_of_an_address(door: Served, form: str) -> None:
    answer = await door.client.post("/scrape", json={"url": f"https://instagram.com/{form.format('x-other')}"})
    assert (answer.status_code, answer.json()["shortcode"]) == (200, "x-other")


async def test_many_who_ask_at_once_cost_one_look_up(door: Served) -> None:
    code = (await posted(door))["shortcode"]
    before = len(await asked(door))
    answers = await asyncio.gather(*(scrape(door, code) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["media"][0]["sha256"] for answer in answers}) == 1
    calls = (await asked(door))[before:]
    assert len([call for call in calls if "graphql" in call["path"]]) == 1
    assert len([call for call in calls if call["path"].startswith("/v/")]) == 1
    assert (await scrape(door, code)).status_code == 200
    assert len(await asked(door)) == before + len(calls)


async def test_a_post_whose_file_was_lost_is_fetched_again(door: Served) -> None:
    code = (await posted(door))["shortcode"]
    place = (await scrape(door, code)).json()["video"]
    os.unlink(place)  # noqa: PTH108 - a path's own method is not liked in a coroutine
    assert not is_file(place)
    assert is_file((await scrape(door, code)).json()["video"])


async def test_who_goes_away_does_not_stop_the_download(door: Served) -> None:
    code = (await posted(door))["shortcode"]
    await door.simulator.post(
        "/_world/faults", json={"on": "web.graphql", "kind": "slow", "delay_ms": 3000, "times": 1}
    )
    with pytest.raises(httpx2.TimeoutException):
        await door.client.post("/scrape", json={"url": POST.format(code)}, timeout=httpx2.Timeout(30, read=0.3))
    before = len([call for call in await asked(door) if "graphql" in call["path"]])
    assert (await scrape(door, code)).status_code == 200
    assert len([call for call in await asked(door) if "graphql" in call["path"]]) <= before + 1


async def test_a_download_as_a_job(door: Served) -> None:
    code = (await posted(door))["shortcode"]
    begun = await scrape(door, code, prefer="respond-async")
    assert begun.status_code == 202
    assert begun.headers["location"] == f"/scrape/jobs/{begun.json()['id']}"
    assert (await scrape(door, code)).status_code == 200
    job = (await door.client.get(begun.headers["location"])).json()
    assert (job["status"], job["error"]) == ("done", None)
    assert is_file(job["result"]["video"])
    assert (await scrape(door, code, prefer="respond-async")).status_code == 200


async def test_an_idempotency_key_keeps_a_post_and_no_failure(door: Served) -> None:
    code = (await posted(door))["shortcode"]
    headers = {"idempotency-key": f"key-{code}"}
    first = await scrape(door, code, **headers)
    again = await scrape(door, code, **headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert (await scrape(door, "x-404", **headers)).status_code == 422
    for _ in range(2):
        answer = await scrape(door, "x-404", **{"idempotency-key": "another"})
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (404, False)


async def test_a_file_in_ranges(door: Served) -> None:
    code = (await posted(door))["shortcode"]
    said = (await scrape(door, code)).json()
    content, [file] = content_of(said["video"]), said["media"]
    url = file["url"]
    whole = await door.client.get(url)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["etag"] == f'"{file["sha256"]}"'
    assert whole.headers["last-modified"]
    assert whole.headers["content-type"] == "image/jpeg"
    for asked_for, part in (("bytes=0-9", content[:10]), ("bytes=10-", content[10:]), ("bytes=-7", content[-7:])):
        answer = await door.client.get(url, headers={"range": asked_for})
        assert (answer.status_code, answer.content) == (206, part)
        assert answer.headers["content-range"].endswith(f"/{len(content)}")
    for asked_for in ("bytes=9-3", "bytes=", "lines=1-2", "bytes=0-1,4-5"):
        answer = await door.client.get(url, headers={"range": asked_for})
        assert (answer.status_code, answer.content) == (200, content)
    answer = await door.client.get(url, headers={"range": f"bytes={len(content)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(content)}")
    assert answer.json()["error"]
    same = {"range": "bytes=0-9", "if-range": whole.headers["last-modified"]}
    assert (await door.client.get(url, headers=same)).content == content[:10]
    stale = {"range": "bytes=0-9", "if-range": '"another"'}
    assert (await door.client.get(url, headers=stale)).status_code == 200
    for known in ({"if-none-match": whole.headers["etag"]}, {"if-modified-since": whole.headers["last-modified"]}):
        answer = await door.client.get(url, headers=known)
        assert (answer.status_code, answer.content) == (304, b"")
    head = await door.client.head(url)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(content)), b"")
    assert "attachment" in (await door.client.get(f"{url}&download=1")).headers["content-disposition"]


@pytest.mark.parametrize(
    "path",
    [
        "/media/{code}/{code}.json",
        "/media/{code}/nothing.jpg",
        "/media/{code}/..%2f{code}%2f{code}.jpg",
        "/media/..%2f{code}/{code}.jpg",
        "/media/%2e%2e/tintype.db",
        "/media/{code}/%00.jpg",
    ],
)
async def test_no_other_file_is_handed_out(door: Served, path: str) -> None:
    code = "x-other"
    assert (await scrape(door, code)).status_code == 200
    assert (await door.client.get(path.format(code=code))).status_code == 404


async def test_a_link_is_explained_without_asking_instagram(door: Served) -> None:
    before = len(await asked(door))
    answer = await door.client.post(
        "/resolve", json={"url": "https://www.instagram.com/Somebody/reel/DAbCdEfGhIj/?x=1"}
    )
    said = answer.raise_for_status().json()
    assert said == {
        "kind": "reel",
        "accepted": True,
        "why_not": None,
        "url": "https://www.instagram.com/reel/DAbCdEfGhIj/",
        "shortcode": "DAbCdEfGhIj",
        "media_id": "3466375131966345763",
        "username": "somebody",
        "taken_at": "2024-09-27T13:35:38Z",
        "needs_a_look": False,
    }
    other = (await door.client.post("/resolve", json={"url": "https://instagr.am/p/DAbCdEfGhIj"})).json()
    assert (other["accepted"], other["url"]) == (False, "https://www.instagram.com/p/DAbCdEfGhIj/")
    assert "www.instagram.com" in other["why_not"]
    assert (await door.client.post("/resolve", json={"url": "https://example.com/"})).status_code == 400
    assert len(await asked(door)) == before


async def test_health_is_quick_while_fifty_downloads_run(door: Served) -> None:
    codes = [(await posted(door))["shortcode"] for _ in range(50)]
    downloads = asyncio.gather(*(scrape(door, code) for code in codes))
    took: list[float] = []
    while not downloads.done():
        begun = time.perf_counter()
        assert (await door.client.get("/health")).text == "OK"
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(0.005)
    assert {answer.status_code for answer in await downloads} == {200}
    # The client's own work for fifty answers is in these figures: bench/scrape.py measures from outside.
    assert sorted(took)[len(took) // 2] < 0.25
