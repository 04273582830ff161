"""The page that phones share to, as a browser without scripts meets it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.pictures import picture
from tests.served import Served, served
from tintype.api.queue.shared import AROUND, Shared
from tintype.errors import Invalid

LINK = "https://www.instagram.com/reel/DAbCdEfGhIj/"
RECIPE = "Lemon cake\n\nIngredients:\n250 g flour\n3 eggs\n200 g sugar\n1 lemon\n\nSteps:\n1. Beat the eggs.\n2. Bake for 40 minutes.\n"


@pytest.fixture(scope="module")
async def door(anyio_backend: str) -> AsyncGenerator[Served]:
    del anyio_backend
    async with served() as house:
        yield house


class Seen(HTMLParser):
    """A page's tags in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


async def share(door: Served, *pictures: bytes, **fields: str) -> httpx2.Response:
    files = [("pictures", (f"{number}.jpg", one, "image/jpeg")) for number, one in enumerate(pictures)]
    parts: Any = [*((name, (None, value)) for name, value in fields.items()), *files]
    return await door.client.post("/share", files=parts)


async def items(door: Served) -> list[dict[str, Any]]:
    return (await door.client.get("/api/queue")).json()["items"]


async def ended(door: Served, item_id: str) -> dict[str, Any]:
    for _ in range(200):
        item = (await door.client.get(f"/api/queue/{item_id}")).json()
        if item["status"] not in ("pending", "in_progress"):
            return item
        await asyncio.sleep(0.05)
    raise AssertionError("the item did not come to an end")


async def test_the_page_asks_nobody_but_its_own_house(door: Served) -> None:
    answer = await door.client.get("/share")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    seen = Seen(answer.text)
    loaded = [*seen.all("link"), *seen.all("script"), *seen.all("img")]
    addresses = [one.get("href") or one.get("src") for one in loaded]
    assert all(address and address.startswith("/share/") for address in addresses)
    assert "style" not in {name for _, attributes in seen.tags for name in attributes}
    for address in addresses:
        assert (await door.client.get(str(address))).status_code == 200


async def test_the_manifest_makes_the_page_a_share_target(door: Served) -> None:
    answer = await door.client.get("/share/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert manifest["share_target"]["action"] == manifest["start_url"] == "/share"
    assert manifest["share_target"]["method"] == "POST"
    sizes = {icon["sizes"]: icon for icon in manifest["icons"]}
    assert {"192x192", "512x512"} <= set(sizes)
    for icon in manifest["icons"]:
        found = await door.client.get(icon["src"])
        assert (found.status_code, found.headers["content-type"]) == (200, icon["type"])
        if icon["type"] == "image/png":
            drawn = await door.house.backends.images.inspect(found.content)
            assert f"{drawn.width}x{drawn.height}" == icon["sizes"]


async def test_the_worker_may_stand_over_the_page(door: Served) -> None:
    answer = await door.client.get("/share/worker.js")
    assert answer.headers["service-worker-allowed"] == "/share"
    assert answer.headers["content-type"].startswith("text/javascript")
    again = await door.client.get("/share/worker.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await door.client.get("/share/other.js")).status_code == 404
    assert (await door.client.get("/share/..%2fstyle.html")).status_code == 404


@pytest.mark.parametrize("fields", [{"url": LINK}, {"text": LINK}, {"text": f"Look at this! {LINK}?igsh=abc"}])
async def test_a_shared_link_is_in_the_queue(door: Served, fields: dict[str, str]) -> None:
    answer = await share(door, **fields)
    assert answer.status_code == 303, answer.text
    assert re.fullmatch(r"/share\?done=(added|known)#item-[0-9a-f-]{36}", answer.headers["location"])
    newest = (await items(door))[0]
    assert newest["normalizedUrl"] == LINK
    page = await door.client.get(answer.headers["location"])
    assert f'id="item-{newest["id"]}"' in page.text
    assert "in the queue" in page.text


async def test_many_links_are_one_batch(door: Served) -> None:
    text = "\n".join(f"https://www.instagram.com/p/DAbCdEfGh{number:02}/" for number in range(5))
    answer = await share(door, text=text)
    assert answer.headers["location"] == "/share?done=many"
    newest = (await items(door))[:5]
    assert len({one["batch"] for one in newest}) == 1


async def test_a_shared_text_becomes_a_recipe_that_can_be_read_here(door: Served) -> None:
    answer = await share(door, text=RECIPE, title="From grandmother")
    item = await ended(door, answer.headers["location"].partition("#item-")[2])
    assert item["status"] == "success"
    page = await door.client.get("/share")
    assert f'href="/share/recipes/{item["id"]}"' in page.text
    recipe = await door.client.get(f"/share/recipes/{item['id']}")
    assert "250 g flour" in recipe.text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', recipe.text, re.DOTALL)
    assert found is not None
    assert json.loads(found.group(1))["@type"] == "Recipe"


async def test_shared_pictures_are_kept(door: Served) -> None:
    answer = await share(door, picture(width=40, height=30), picture(width=30, height=40), title="Slides")
    assert answer.status_code == 303, answer.text
    item_id = answer.headers["location"].partition("#item-")[2]
    await ended(door, item_id)
    row = await door.client.get(f"/share/items/{item_id}")
    assert "Slides" in row.text
    assert f'src="/api/queue/{item_id}/thumbnail"' in row.text


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({}, "neither a text nor a picture"),
        ({"text": "   "}, "neither a text nor a picture"),
        ({"url": "https://blog.example/cake"}, "a link to blog.example"),
        ({"text": "x" * 50_001}, "at most 50000"),
    ],
)
async def test_what_cannot_be_taken_is_said_on_the_page(door: Served, fields: dict[str, str], part: str) -> None:
    answer = await share(door, **(fields or {"title": ""}))
    assert answer.status_code == 400
    assert part in answer.text
    assert 'role="status"' in answer.text


async def test_a_file_that_is_no_picture_is_said_on_the_page(door: Served) -> None:
    answer = await share(door, b"<svg onload=alert(1)>")
    assert answer.status_code in (400, 415)
    assert "<svg" not in answer.text


async def test_too_many_pictures_are_said_on_the_page(door: Served) -> None:
    small = picture(width=8, height=8)
    answer = await share(door, *[small] * 11)
    assert answer.status_code == 400
    assert 'role="status"' in answer.text


async def test_too_large_pictures_are_said_on_the_page(door: Served) -> None:
    answer = await share(door, b"x" * (33 * 1024 * 1024))
    assert answer.status_code == 413
    assert 'role="status"' in answer.text


async def test_a_notification_leads_to_its_item_however_old_it_is(door: Served) -> None:
    old = await _ready(door)
    for number in range(31):
        await share(door, text=f"https://www.instagram.com/p/DAbCdEfGi{number:02}/")
    assert old["id"] not in (await door.client.get("/share")).text
    assert f'id="item-{old["id"]}"' in (await door.client.get("/share", params={"item": old["id"]})).text
    for nobody in ("nonsense", "550e8400-e29b-41d4-a716-446655440000"):
        assert (await door.client.get("/share", params={"item": nobody})).status_code == 200


async def test_what_a_link_brings_only_fills_in_the_form(door: Served) -> None:
    before = len(await items(door))
    answer = await door.client.get("/share", params={"url": LINK, "text": "</textarea><script>alert(1)</script>"})
    assert LINK in answer.text
    assert "<script>alert" not in answer.text
    assert len(await items(door)) == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "path", ["/share", "/share/key", "/share/items/550e8400-e29b-41d4-a716-446655440000/retry", "/share/items/x/remove"]
)
async def test_another_sites_page_cannot_share(door: Served, site: str, path: str) -> None:
    answer = await door.client.post(path, data={"text": LINK}, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403


async def test_a_failed_item_is_tried_again_by_a_button(door: Served) -> None:
    answer = await share(door, text="What a lovely evening by the sea.")
    item_id = answer.headers["location"].partition("#item-")[2]
    assert (await ended(door, item_id))["status"] == "error"
    row = await door.client.get(f"/share/items/{item_id}")
    assert f'action="/share/items/{item_id}/retry"' in row.text
    again = await door.client.post(f"/share/items/{item_id}/retry")
    assert again.headers["location"] == f"/share?done=again#item-{item_id}"
    assert (await ended(door, item_id))["attempt"] == 2
    late = await door.client.post(f"/share/items/{(await _ready(door))['id']}/retry")
    assert late.headers["location"].startswith("/share?done=late#")


async def test_a_person_may_know_better_than_the_parser(door: Served) -> None:
    answer = await share(door, text="What a lovely evening by the sea.")
    item_id = answer.headers["location"].partition("#item-")[2]
    assert (await ended(door, item_id))["errorCode"] == "not_a_recipe"
    assert 'name="force"' in (await door.client.get(f"/share/items/{item_id}")).text
    await door.client.post(f"/share/items/{item_id}/retry", data={"force": "true"})
    assert (await ended(door, item_id)).get("errorCode") != "not_a_recipe"


async def test_an_item_is_removed_by_a_button(door: Served) -> None:
    item = await _ready(door)
    answer = await door.client.post(f"/share/items/{item['id']}/remove")
    assert answer.headers["location"] == "/share?done=removed"
    assert (await door.client.get(f"/share/items/{item['id']}")).status_code == 404
    assert (await door.client.post(f"/share/items/{item['id']}/remove")).status_code == 404


async def _ready(door: Served) -> dict[str, Any]:
    answer = await share(door, text=RECIPE)
    return await ended(door, answer.headers["location"].partition("#item-")[2])


@pytest.mark.parametrize("path", ["/share/items", "/share/recipes"])
async def test_things_that_are_not_there_are_refused_like_everywhere(door: Served, path: str) -> None:
    assert (await door.client.get(f"{path}/550e8400-e29b-41d4-a716-446655440000")).status_code == 404
    assert (await door.client.get(f"{path}/nonsense")).status_code == 400


async def test_a_recipes_words_cannot_leave_the_script_they_stand_in(door: Served) -> None:
    hostile = RECIPE.replace("Lemon cake", "Lemon cake</script><script>alert(1)</script>")
    answer = await share(door, text=hostile)
    item = await ended(door, answer.headers["location"].partition("#item-")[2])
    page = await door.client.get(f"/share/recipes/{item['id']}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text


async def test_a_closed_queue_asks_for_its_key_and_remembers_it() -> None:
    async with served(queue_api_key="open sésame") as house:
        closed = await house.client.get("/share", params={"url": LINK})
        assert closed.status_code == 401
        assert 'name="key"' in closed.text
        assert LINK in closed.text
        assert (await share(house, text=LINK)).status_code == 401
        for path in ("/share/items/550e8400-e29b-41d4-a716-446655440000", "/share/recipes/nonsense"):
            assert (await house.client.get(path)).status_code == 401
        for verb in ("retry", "remove"):
            closed = await house.client.post(f"/share/items/550e8400-e29b-41d4-a716-446655440000/{verb}")
            assert closed.status_code == 401
        assert "x" * 1001 not in (await share(house, text="x" * 40_000)).text
        wrong = await house.client.post("/share/key", data={"key": "sesame"})
        assert wrong.status_code == 401
        assert "This is not the key" in wrong.text
        right = await house.client.post("/share/key", data={"key": "open sésame", "text": LINK})
        assert right.status_code == 303
        assert "httponly" in right.headers["set-cookie"].lower()
        page = await house.client.get(right.headers["location"])
        assert page.status_code == 200
        assert LINK in page.text
        assert (await share(house, text=LINK)).status_code == 303


def test_links_are_found_in_what_apps_share() -> None:
    assert Shared(f"Check out this reel {LINK}?igsh=x").links() == [f"{LINK}?igsh=x"]
    assert Shared("http://INSTAGRAM.com/p/abc.").links() == ["https://instagram.com/p/abc"]
    assert Shared("instagram.com/p/abc, (www.instagram.com/p/def)").links() == [
        "https://instagram.com/p/abc",
        "https://www.instagram.com/p/def",
    ]
    assert Shared(f"{LINK}\n{LINK}").links() == [LINK]


def test_a_text_that_mentions_a_link_stays_a_text() -> None:
    assert Shared(f"{'A long recipe. ' * 30}{LINK}").links() == []
    assert Shared("x" * AROUND + f" {LINK}").links() == [LINK]


def test_a_link_to_somewhere_else_alone_is_refused() -> None:
    with pytest.raises(Invalid, match=r"blog\.example"):
        Shared("https://blog.example/cake").links()
    assert Shared("See https://blog.example/cake for more, 2 eggs").links() == []


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    try:
        found = Shared(text).links()
    except Invalid:
        return
    assert all(one.startswith("https://") for one in found)
