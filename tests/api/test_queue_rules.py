"""The queue's rules over HTTP, where the document is silent or has two minds (recipes.md 7); the row stands in each name."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.api.cooks import CAPTION, NO_RECIPE, done, ended, enqueued, link, posted, show, until
from tests.served import Served, served

POST = "https://www.instagram.com/p/{}/"


@pytest.fixture(scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("recipes")
    async with served(
        only=("queue",), recipe_folder=folder, recipe_read_pictures=False, public_lookups_per_hour=2000
    ) as house:
        yield house


def refused(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert set(said) == {"error", "message", "details"}
    assert said["error"]
    assert said["message"]
    return said


async def failed(door: Served) -> dict[str, Any]:
    """An item in error."""
    item = await done(door, await link(door, NO_RECIPE))
    assert item["status"] == "error"
    return item


async def paused(door: Served) -> None:
    """Let Instagram's answers take a while."""
    fault = {"on": "web.graphql", "kind": "slow", "delay_ms": 1500, "times": 1}
    (await door.simulator.post("/_world/faults", json=fault)).raise_for_status()


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("x-404", "not_found", "error"),
        ("x-private", "private_or_login_required", "error"),
    ],
)
async def test_1_what_is_the_posts_own_fault_is_an_error(door: Served, kind: str, code: str, status: str) -> None:
    item = await done(door, POST.format(kind))
    assert (item["status"], item["errorCode"]) == (status, code), item
    assert item["error"]
    assert "nextRetryAt" not in item


async def test_7_8_a_retry_goes_on_where_it_stopped(door: Served) -> None:
    item = await failed(door)
    extraction = item["phases"][0]
    assert [phase["status"] for phase in item["phases"]] == ["completed", "error", "pending"]
    answer = await door.client.post(f"/api/queue/{item['id']}/retry")
    said = answer.raise_for_status().json()
    assert (said["success"], said["message"]) == (True, "Item queued for retry")
    assert {"id": item["id"], "status": "pending"}.items() <= said["item"].items()
    assert said["item"]["updatedAt"] > item["updatedAt"]
    again = await ended(door.client, item["id"])
    assert again["phases"][0] == extraction
    assert again["phases"][1]["startedAt"] > item["phases"][1]["startedAt"]


async def test_9_of_many_who_retry_at_once_one_does(door: Served) -> None:
    item = await done(door, POST.format("x-404"))
    await paused(door)
    url = f"/api/queue/{item['id']}/retry"
    answers = await asyncio.gather(*(door.client.post(url) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    for answer in answers:
        if answer.status_code == 409:
            assert refused(answer, 409)["details"]["status"] in ("pending", "in_progress")
    await ended(door.client, item["id"])


async def test_7_a_retry_from_a_phase_does_it_anew(door: Served) -> None:
    item = await failed(door)
    answer = await door.client.post(f"/api/queue/{item['id']}/retry", json={"from": "extraction"})
    assert answer.status_code == 200
    assert [phase["status"] for phase in answer.json()["item"]["phases"]] == ["pending"] * 3
    again = await ended(door.client, item["id"])
    assert again["phases"][0]["startedAt"] > item["phases"][0]["startedAt"]
    refused(await door.client.post(f"/api/queue/{item['id']}/retry", json={"from": "baking"}), 400)


async def test_10_only_failed_items_are_retried(door: Served) -> None:
    item = await done(door, await link(door))
    said = refused(await door.client.post(f"/api/queue/{item['id']}/retry"), 409)
    assert said["details"]["status"] == "success"
    assert "success" in said["message"]


async def test_11_a_post_on_its_way_is_not_taken_twice(door: Served) -> None:
    url = await link(door)
    await paused(door)
    item = await enqueued(door, url)
    answer = await door.client.post("/api/queue", json={"url": url.replace("/p/", "/reel/") + "?igsh=1"})
    assert (answer.status_code, answer.json()["id"], answer.json()["duplicate"]) == (200, item["id"], True)
    first = await ended(door.client, item["id"])
    again = await door.client.post("/api/queue", json={"url": url})
    assert again.status_code == 201
    assert again.json()["duplicateOf"] == item["id"]
    second = await ended(door.client, again.json()["id"])
    assert second["results"]["outlet"] == first["results"]["outlet"]
    assert "already_uploaded" in second["results"]["warnings"]
    known = await door.client.post("/api/queue", json={"url": url, "dedupe": True})
    assert (known.status_code, known.json()["duplicate"], known.json()["status"]) == (200, True, "success")
    asked = await done(door, url, again=True)
    assert asked["results"]["outlet"] != first["results"]["outlet"]


async def test_11_of_many_who_send_the_same_link_at_once_one_makes_an_item(door: Served) -> None:
    url = await link(door)
    await paused(door)
    answers = await asyncio.gather(*(door.client.post("/api/queue", json={"url": url}) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await ended(door.client, answers[0].json()["id"])


@pytest.mark.parametrize(
    "path", ["", "somebody/", "stories/somebody/3/", "explore/tags/soup/", "p/%2e%2e/", "p/", "tv"]
)
async def test_12_any_path_is_taken_and_ends_in_a_word_for_it(door: Served, path: str) -> None:
    item = await done(door, f"https://instagram.com/{path}")
    assert (item["status"], item["errorCode"]) == ("error", "unsupported_url")
    assert [phase["status"] for phase in item["phases"]] == ["error", "pending", "pending"]


ACCEPTED = [
    "https://instagram.com/p/{}",
    "https://www.instagram.com/p/{}/",
    "https://instagram.com/reel/{}?utm_source=share",
    "https://instagram.com/tv/{}#x",
    "HTTPS://WWW.Instagram.COM/p/{}/",
    "https://www.instagram.com:443/p/{}/",
    "  https://www.instagram.com/p/{}/\n",
]


@pytest.mark.parametrize("form", ACCEPTED)
async def test_13_forms_of_a_link_that_are_taken(door: Served, form: str) -> None:
    code = (await posted(door))["shortcode"]
    item = await done(door, form.format(code))
    assert item["status"] == "success"
    assert item["url"] == form.format(code).strip()
    assert item["normalizedUrl"].startswith("https://www.instagram.com/")


NOT_ACCEPTED: list[tuple[object, str]] = [
    ({}, "Missing or invalid URL parameter"),
    ({"url": ""}, "Missing or invalid URL parameter"),
    ({"url": None}, "Missing or invalid URL parameter"),
    ({"url": 7}, "Missing or invalid URL parameter"),
    ({"url": ["https://www.instagram.com/p/abc/"]}, "Missing or invalid URL parameter"),
    ({"uri": "https://www.instagram.com/p/abc/"}, "Missing or invalid URL parameter"),
    ({"url": "abc"}, "Invalid URL format"),
    ({"url": "www.instagram.com/p/abc/"}, "Invalid URL format"),
    ({"url": "https://"}, "Invalid URL format"),
    ({"url": "https:///p/abc"}, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/a b/"}, "Invalid URL format"),
    ({"url": "https://www.instagram.com\\@example.com/"}, "Invalid URL format"),
    ({"url": "https://www.instagram.com/p/\u0000/"}, "Invalid URL format"),
    ({"url": f"https://www.instagram.com/p/{'a' * 2048}"}, "Invalid URL format"),
    ({"url": "http://www.instagram.com/p/abc/"}, "URL must use HTTPS protocol"),
    ({"url": "ftp://www.instagram.com/p/abc/"}, "URL must use HTTPS protocol"),
    ({"url": "https://example.com/p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://www.instagram.com.example.com/p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://m.instagram.com/p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://www.instagram.com./p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://www.instagram.com:8443/p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://somebody@www.instagram.com/p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://instagram.com@example.com/p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://www.\u0456nstagram.com/p/abc/"}, "URL must be from instagram.com domain"),
    ({"url": "https://notinstagram.com/p/abc/"}, "URL must be from instagram.com domain"),
]


@pytest.mark.parametrize(("body", "said"), NOT_ACCEPTED)
async def test_13_14_links_that_are_not_taken(door: Served, body: object, said: str) -> None:
    before = (await door.client.get("/api/queue")).json()["total"]
    answer = refused(await door.client.post("/api/queue", json=body), 400)
    assert (answer["error"], answer["message"]) == ("Bad Request", said)
    assert (await door.client.get("/api/queue")).json()["total"] == before


@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b"\xff", b'"x"'])
async def test_14_a_body_that_is_no_object_is_a_bad_request(door: Served, raw: bytes) -> None:
    answer = await door.client.post("/api/queue", content=raw, headers={"content-type": "application/json"})
    refused(answer, 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/queue/x/y/z", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/", 404),
        ("PUT", "/api/queue", 405),
        ("POST", "/api/queue/7a0f6d3c-58e2-4c1b-9c47-0d1f6a2b3c4d", 405),
        ("GET", "/api/notifications/nothing", 404),
    ],
)
async def test_14_refusals_of_the_framework_have_the_same_shape(
    door: Served, method: str, path: str, status: int
) -> None:
    refused(await door.client.request(method, path), status)


async def test_14_a_large_body_is_refused_also_in_chunks(door: Served) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 1000

    headers = {"content-type": "application/json"}
    refused(await door.client.post("/api/queue", content=b" " * 16_385, headers=headers), 413)
    refused(await door.client.post("/api/queue", content=chunks(), headers=headers), 413)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=",
        "offset=-1",
        "offset=x",
        "offset=99999999999999",
        "status=finished",
        "status=error&status=finished",
        "sort=name",
        "order=up",
    ],
)
async def test_15_lists_out_of_range_are_bad_requests(door: Served, query: str) -> None:
    refused(await door.client.get(f"/api/queue?{query}"), 400)


async def test_15_16_17_lists_are_filtered_sorted_and_paged(door: Served) -> None:
    await failed(door)
    await done(door, await link(door))
    whole = (await door.client.get("/api/queue?limit=100")).json()
    assert whole["total"] == len(whole["items"])
    assert whole["hasMore"] is False
    created = [item["createdAt"] for item in whole["items"]]
    assert created == sorted(created, reverse=True)
    pages: list[dict[str, Any]] = []
    while True:
        page = (await door.client.get(f"/api/queue?limit=3&offset={len(pages)}")).json()
        pages += page["items"]
        assert page["hasMore"] == (len(pages) < whole["total"])
        if not page["hasMore"]:
            break
    assert [item["id"] for item in pages] == [item["id"] for item in whole["items"]]
    errors = (await door.client.get("/api/queue?status=error&limit=100")).json()
    assert {item["status"] for item in errors["items"]} == {"error"}
    both = (await door.client.get("/api/queue?status=error&status=success&limit=100")).json()
    assert both["total"] == whole["total"]
    ranked = (await door.client.get("/api/queue?sort=status&order=asc&limit=100")).json()["items"]
    ranks = ["pending", "in_progress", "unhealthy", "error", "success"]
    assert [ranks.index(item["status"]) for item in ranked] == sorted(ranks.index(item["status"]) for item in ranked)
    beyond = (await door.client.get("/api/queue?offset=5000")).json()
    assert beyond == {"items": [], "total": whole["total"], "hasMore": False}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_18_ids(door: Served, method: str) -> None:
    refused(await door.client.request(method, "/api/queue/550e8400"), 400)
    refused(await door.client.request(method, "/api/queue/550e8400-e29b-11d4-a716-446655440000"), 404)
    said = refused(await door.client.get(f"/api/queue/{uuid4()}"), 404)
    assert (said["error"], said["message"]) == ("Not Found", "Queue item not found")


async def test_18_an_id_is_found_in_any_case(door: Served) -> None:
    item = await enqueued(door, await link(door))
    assert (await door.client.get(f"/api/queue/{item['id'].upper()}")).json()["id"] == item["id"]


async def test_20_the_last_change_of_an_item_is_always_later(door: Served) -> None:
    item = await enqueued(door, await link(door))
    stamps = [item["updatedAt"]]
    while (found := await show(door.client, item["id"]))["status"] in ("pending", "in_progress"):
        stamps.append(found["updatedAt"])
    assert stamps == sorted(stamps)
    assert found["updatedAt"] > item["createdAt"]


async def test_24_no_recipe_is_an_error_that_force_overrides(door: Served) -> None:
    item = await failed(door)
    assert item["errorCode"] == "not_a_recipe"
    assert item["results"]["extractedText"] == NO_RECIPE
    assert "recipe" not in item["results"]
    answer = await door.client.post(f"/api/queue/{item['id']}/retry", json={"force": True})
    assert answer.status_code == 200
    forced = await ended(door.client, item["id"])
    assert forced["status"] == "success", forced
    assert forced["results"]["recipe"]["name"]


async def test_26_pictures_are_our_own_copies(door: Served) -> None:
    item = await done(door, await link(door))
    assert "instagram" not in item["results"]["thumbnail"]
    picture = await door.client.get(item["results"]["thumbnail"])
    assert picture.status_code == 200
    tag = {"if-none-match": picture.headers["etag"]}
    assert (await door.client.get(item["results"]["thumbnail"], headers=tag)).status_code == 304


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/api/extract", "/api/extract-stream"])
async def test_27_what_is_gone_says_where_to_go(door: Served, method: str, path: str) -> None:
    answer = await door.client.request(method, path, content=b"{" * 20_000)
    assert answer.status_code == 410
    assert answer.headers["link"] == '</api/queue>; rel="successor-version"'
    said = answer.json()
    assert said["error"] == "Gone"
    assert "POST /api/queue" in said["details"]["use"]
    assert said["details"]["docs"]


async def test_32_an_item_is_removed(door: Served) -> None:
    item = await done(door, await link(door))
    answer = await door.client.delete(f"/api/queue/{item['id']}")
    assert answer.status_code == 200
    refused(await door.client.get(f"/api/queue/{item['id']}"), 404)
    refused(await door.client.delete(f"/api/queue/{item['id']}"), 404)


async def test_32_an_item_at_work_is_only_cancelled_on_purpose(door: Served) -> None:
    url = await link(door)
    await paused(door)
    item = await enqueued(door, url)
    await until(door.client, item["id"], lambda one: one["status"] == "in_progress")
    assert refused(await door.client.delete(f"/api/queue/{item['id']}"), 409)["details"]["status"] == "in_progress"
    assert (await door.client.delete(f"/api/queue/{item['id']}?cancel=true")).status_code == 200
    refused(await door.client.get(f"/api/queue/{item['id']}"), 404)
    again = await done(door, url)
    assert again["status"] == "success"


async def test_a_text_needs_no_extraction(door: Served) -> None:
    answer = await door.client.post("/api/queue", json={"text": CAPTION, "title": "Soup"})
    assert answer.status_code == 201
    item = await ended(door.client, answer.json()["id"])
    assert (item["status"], item["url"]) == ("success", "")
    assert item["results"]["recipe"]["ingredients"]
    assert "thumbnail" not in item["results"]
    refused(await door.client.post("/api/queue", json={"text": "  "}), 400)


async def test_a_recipe_is_handed_out_as_json_ld_and_markdown(door: Served) -> None:
    item = await done(door, await link(door))
    structured = await door.client.get(f"/api/queue/{item['id']}/recipe.jsonld")
    assert structured.headers["content-type"] == "application/ld+json"
    said = structured.json()
    assert (said["@type"], said["url"]) == ("Recipe", item["normalizedUrl"])
    assert len(said["recipeIngredient"]) == 5
    assert said["image"] == item["results"]["thumbnail"]
    page = await door.client.get(f"/api/queue/{item['id']}/recipe.md")
    assert page.headers["content-type"].startswith("text/markdown")
    assert page.text.startswith(f"# {item['results']['recipe']['name']}")
    refused(await door.client.get(f"/api/queue/{(await failed(door))['id']}/recipe.md"), 404)


async def test_many_links_at_once_are_taken_in_their_order(door: Served) -> None:
    code = (await posted(door))["shortcode"]
    urls = [POST.format(code), "https://example.com/", POST.format("x-404"), POST.format(code) + "?again"]
    answer = await door.client.post("/api/queue/batch", json={"urls": urls})
    assert answer.status_code == 201
    said = answer.json()
    assert {name: said[name] for name in ("queued", "duplicates", "invalid")} == {
        "queued": 2,
        "duplicates": 1,
        "invalid": 1,
    }
    assert [row["status"] for row in said["items"]] == ["queued", "invalid", "queued", "duplicate"]
    assert said["items"][3]["id"] == said["items"][0]["id"]
    assert said["items"][1]["message"] == "URL must be from instagram.com domain"
    first = await ended(door.client, said["items"][0]["id"])
    second = await ended(door.client, said["items"][2]["id"])
    assert (first["status"], second["status"], first["batch"]) == ("success", "error", said["batch"])
    pasted = await door.client.post("/api/queue/batch", json={"text": f"look: {urls[0]} and\n{urls[2]} too"})
    assert [row["url"] for row in pasted.json()["items"]] == [urls[0], urls[2]]
    refused(await door.client.post("/api/queue/batch", json={"urls": []}), 400)
    refused(await door.client.post("/api/queue/batch", json={"urls": [urls[0]] * 501}), 400)


async def test_the_same_request_with_a_key_makes_one_item(door: Served) -> None:
    url, headers = await link(door), {"idempotency-key": str(uuid4())}
    first = await door.client.post("/api/queue", json={"url": url}, headers=headers)
    again = await door.client.post("/api/queue", json={"url": url}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    other = await door.client.post("/api/queue", json={"url": POST.format("x-404")}, headers=headers)
    refused(other, 422)


async def test_problems_are_told_as_rfc_9457_to_who_asks_for_that(door: Served) -> None:
    answer = await door.client.post("/api/queue", json={}, headers={"accept": "application/problem+json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.content)["status"] == 400
