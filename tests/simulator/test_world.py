"""The world and its levers: the same for the same seed, movable, and strict about what it is told."""

import re
from datetime import datetime

import httpx2
import pytest

from tests.simulator.visitor import BAKER, HARBOUR, POTTER, PRIVATE, WALKER, Visitor, visiting
from tintype.simulator import create, log
from tintype.simulator.ids import pk_of, shortcode_of

MEDIA = "id,caption,media_type,media_product_type,permalink,shortcode,timestamp,alt_text,like_count,comments_count"


async def everything(visitor: Visitor) -> object:
    token = await visitor.token(BAKER)
    people = (await visitor.world("GET"))["people"]
    media = await visitor.get(token, "/me/media", fields=MEDIA + ",children{id},comments{text}", limit=100)
    return people, media["data"]


async def test_the_same_seed_gives_the_same_world_in_another_process_and_after_a_reset() -> None:
    async with visiting(11) as one, visiting(11) as two, visiting(12) as other:
        first = await everything(one)
        assert await everything(two) == first
        await one.world("POST", "/media", username=BAKER, kind="IMAGE")
        assert await everything(one) != first
        await one.world("POST", "/reset", seed=11)
        assert await everything(one) == first
        assert await everything(other) != first


async def test_ids_of_new_things_repeat_after_a_reset(visitor: Visitor) -> None:
    made = [(await visitor.world("POST", "/media", username=BAKER, kind="REELS"))["id"], await visitor.token()]
    await visitor.world("POST", "/reset", seed=7)
    assert [(await visitor.world("POST", "/media", username=BAKER, kind="REELS"))["id"], await visitor.token()] == made


async def test_the_cast_covers_what_a_product_must_meet(visitor: Visitor) -> None:
    world = await visitor.world("GET")
    people = {one["username"]: one for one in world["people"]}
    assert people[BAKER]["media_count"] >= 60
    assert people[HARBOUR]["media_count"] == 0
    assert people[PRIVATE]["account_type"] == "PERSONAL"
    assert "page_id" in people[POTTER]
    assert all(re.fullmatch(r"17841\d{12}", one["user_id"]) for one in people.values())
    assert {app["login"] for app in world["apps"]} == {"instagram", "facebook"}
    assert all(app["app_secret"] and app["redirect_uris"] for app in world["apps"])


async def test_posts_are_of_every_kind_in_the_past_and_newest_first(visitor: Visitor) -> None:
    fields = "id,media_type,media_product_type,media_url,timestamp,shortcode,caption,alt_text,children{id,media_type}"
    posts = (await visitor.get(await visitor.token(), "/me/media", fields=fields, limit=100))["data"]
    kinds = {(post["media_type"], post["media_product_type"]) for post in posts}
    assert kinds == {("IMAGE", "FEED"), ("VIDEO", "FEED"), ("VIDEO", "REELS"), ("CAROUSEL_ALBUM", "FEED")}
    assert [post["timestamp"] for post in posts] == sorted((post["timestamp"] for post in posts), reverse=True)
    albums = [len(post["children"]["data"]) for post in posts if "children" in post]
    assert (min(albums), max(albums)) == (2, 7)
    assert any("media_url" not in post for post in posts)
    assert any("alt_text" in post for post in posts)
    assert all(re.fullmatch(r"1[78]\d{15}", post["id"]) for post in posts)
    assert len({post["id"] for post in posts}) == len(posts)


async def test_a_shortcode_tells_the_time_of_its_post(visitor: Visitor) -> None:
    posts = (await visitor.get(await visitor.token(), "/me/media", fields="shortcode,timestamp", limit=5))["data"]
    for post in posts:
        seconds = ((pk_of(post["shortcode"]) >> 23) + 1314220021721) / 1000
        assert abs(seconds - unix(post["timestamp"])) < 6
        assert len(post["shortcode"]) == 11


def test_the_recorded_shortcode_is_its_pk() -> None:
    assert shortcode_of(2421224614649404224) == "CGZ6vV1nBtA"
    assert pk_of("CGZ6vV1nBtA") == 2421224614649404224


def unix(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S%z").timestamp()


async def test_a_world_set_into_the_past_has_no_posts_of_the_future(visitor: Visitor) -> None:
    world = await visitor.world("POST", "/reset", seed=7, now=1_600_000_000)
    assert abs(world["now"] - 1_600_000_000) < 60
    posts = (await visitor.get(await visitor.token(), "/me/media", fields="timestamp"))["data"]
    assert max(unix(post["timestamp"]) for post in posts) < world["now"]


async def test_the_clock_moves_both_ways(visitor: Visitor) -> None:
    now = (await visitor.world("GET"))["now"]
    assert (await visitor.world("POST", "/clock", advance_seconds=3600))["now"] == pytest.approx(now + 3600, abs=5)
    assert (await visitor.world("POST", "/clock", now=2_000_000_000))["now"] == pytest.approx(2e9, abs=5)


async def test_stories_vanish_after_24_hours(visitor: Visitor) -> None:
    token = await visitor.token()
    story = await visitor.world("POST", "/media", username=BAKER, kind="STORY")
    shown = (await visitor.get(token, "/me/stories", fields="id,media_product_type,permalink"))["data"]
    assert shown[0]["id"] == story["id"]
    assert shown[0]["media_product_type"] == "STORY"
    assert shown[0]["permalink"].startswith(f"https://instagram.com/stories/{BAKER}/")
    assert story["id"] not in {post["id"] for post in (await visitor.get(token, "/me/media"))["data"]}
    await visitor.world("POST", "/clock", advance_seconds=86400)
    assert (await visitor.get(token, "/me/stories"))["data"] == []
    assert (await visitor.refused(token, f"/{story['id']}"))["error_subcode"] == 33


async def test_people_can_be_added(visitor: Visitor) -> None:
    added = await visitor.world("POST", "/people", username="new.one", account_type="MEDIA_CREATOR", media=3, page=True)
    assert {"username", "user_id", "account_type", "media_count", "page_id"} == set(added)
    assert added["media_count"] == 3
    pages = await visitor.get(
        await visitor.token("new.one", "facebook"), "/me/accounts", fields="instagram_business_account"
    )
    assert added["user_id"] in str(pages)
    assert (await visitor.pull("POST", "/people", username="new.one")).status_code == 409


async def test_media_can_be_put_up_changed_and_removed(visitor: Visitor) -> None:
    token = await visitor.token()
    made = await visitor.world(
        "POST", "/media", username=BAKER, kind="CAROUSEL_ALBUM", caption="New!", children=["IMAGE", "VIDEO"],
        shortcode="CGZ6vV1nBtA",
    )  # fmt: skip
    assert made["shortcode"] == "CGZ6vV1nBtA"
    assert [child["media_type"] for child in made["children"]["data"]] == ["IMAGE", "VIDEO"]
    assert (await visitor.get(token, "/me/media", limit=1))["data"] == [{"id": made["id"]}]
    changed = await visitor.world("PATCH", f"/media/{made['id']}", caption="Newer", like_count=5, comments_count=9)
    assert (changed["caption"], changed["like_count"], changed["comments_count"]) == ("Newer", 5, 9)
    assert (await visitor.get(token, f"/{made['id']}", fields="caption"))["caption"] == "Newer"
    await visitor.world("DELETE", f"/media/{made['id']}")
    assert (await visitor.refused(token, f"/{made['id']}"))["code"] == 100
    assert (await visitor.pull("DELETE", f"/media/{made['id']}")).status_code == 404


async def test_a_flagged_reel_has_no_media_url_but_a_poster(visitor: Visitor) -> None:
    made = await visitor.world("POST", "/media", username=BAKER, kind="REELS", no_media_url=True)
    assert "media_url" not in made
    assert (await visitor.http.get(made["thumbnail_url"])).headers["content-type"] == "image/jpeg"


async def test_another_picture_gets_another_address_and_the_old_one_is_gone(visitor: Visitor) -> None:
    made = await visitor.world("POST", "/media", username=BAKER, kind="IMAGE", width=320, height=320)
    before = await visitor.http.get(made["media_url"])
    changed = await visitor.world("PATCH", f"/media/{made['id']}", picture=99)
    after = await visitor.http.get(changed["media_url"])
    assert before.status_code == after.status_code == 200
    assert before.content != after.content
    assert (await visitor.http.get(made["media_url"])).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/reset", {"container_second": 1}, 400),
        ("POST", "/reset", {"quota_total": "many"}, 400),
        ("POST", "/reset", {"latency_ms": -1}, 400),
        ("POST", "/clock", {"advance": 1}, 400),
        ("POST", "/clock", {"now": -1}, 400),
        ("POST", "/clock", {"advance_seconds": 1e14}, 400),
        ("POST", "/people", {"username": "many", "media": 10**9}, 400),
        ("POST", "/media", {"username": WALKER, "kind": "IMAGE", "width": 1}, 400),
        ("POST", "/media", {"username": WALKER, "kind": "IMAGE", "shortcode": "not one!"}, 400),
        ("POST", "/tokens", {"username": "nobody"}, 404),
        ("POST", "/tokens", {"username": WALKER, "login": "threads"}, 400),
        ("POST", "/media", {"username": WALKER, "kind": "POEM"}, 400),
        ("POST", "/media", {"username": WALKER, "kind": "CAROUSEL_ALBUM", "children": 1}, 400),
        ("POST", "/faults", {"on": "graph.everything", "kind": "slow"}, 400),
        ("POST", "/faults", {"on": "graph.me", "kind": "explode"}, 400),
        ("POST", "/faults", {"on": "graph.me", "kind": "slow", "times": 0}, 400),
        ("POST", "/faults", {"on": "graph.me", "kind": "status", "status": 99}, 400),
        ("POST", "/faults", {"on": "cdn.image", "kind": "redirect"}, 400),
        ("DELETE", "/faults/12345", {}, 404),
        ("PATCH", "/containers/1", {"status_code": "FINISHED"}, 404),
        ("POST", "/webhooks", {"field": "comments", "username": WALKER, "value": {}}, 409),
        ("GET", "/nothing", {}, 404),
    ],
)
async def test_a_lever_pulled_wrongly_says_so(
    visitor: Visitor, method: str, path: str, body: dict[str, object], status: int
) -> None:
    answer = await visitor.pull(method, path, **body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_a_body_that_is_not_an_object_is_refused(visitor: Visitor) -> None:
    assert (await visitor.http.post("/_world/reset", content=b"[1]")).status_code == 400
    assert (await visitor.http.post("/_world/reset", content=b"{")).status_code == 400


async def test_the_log_tells_every_call_and_no_secret(visitor: Visitor) -> None:
    app, token = await visitor.app(), await visitor.token()
    await visitor.http.get("/v25.0/me", params={"fields": "id,username", "access_token": token})
    await visitor.http.get("/access_token", params={"access_token": token, "client_secret": app["app_secret"]})
    entries = await visitor.log()
    assert [entry["n"] for entry in entries] == [1, 2]
    first = entries[0]
    assert {key: first[key] for key in ("method", "host", "path", "status", "username")} == {
        "method": "GET", "host": "127.0.0.1:8001", "path": "/v25.0/me", "status": 200, "username": BAKER,
    }  # fmt: skip
    assert "fields=id,username" in first["query"]
    assert token not in str(entries)
    assert app["app_secret"] not in str(entries)
    assert await visitor.log(1) == entries[1:]


async def test_the_log_tells_how_long_an_answer_took(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, latency_ms=30)
    token = await visitor.token()
    await visitor.get(token, "/me")
    await visitor.world("PATCH", "/settings", latency_ms=0)
    await visitor.get(token, "/me")
    slow, quick = [entry["took_ms"] for entry in await visitor.log()]
    assert slow >= 30
    assert quick > 0


async def test_the_log_keeps_the_newest_calls_and_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "KEPT", 3)
    async with visiting() as visitor:
        token = await visitor.token()
        for _ in range(5):
            await visitor.get(token, "/me")
        assert [entry["n"] for entry in await visitor.log()] == [3, 4, 5]
        assert [entry["n"] for entry in await visitor.log(4)] == [5]


async def test_published_lists_only_what_came_through_the_api(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0)
    token = await visitor.token()
    await visitor.world("POST", "/media", username=BAKER, kind="IMAGE")
    for caption in ("first", "second"):
        made = await visitor.post(token, "/me/media", image_url="https://pictures.example/a.jpg", caption=caption)
        await visitor.post(token, "/me/media_publish", creation_id=made["id"])
    assert [one["caption"] for one in await visitor.world("GET", "/published")] == ["first", "second"]
    of_other = await visitor.http.get("/_world/published", params={"username": WALKER})
    assert of_other.json() == []


async def test_a_busy_account_began_a_few_years_ago(visitor: Visitor) -> None:
    await visitor.world("POST", "/people", username="busy.one", media=2000)
    token = await visitor.token("busy.one")
    posts = (await visitor.get(token, "/me/media", fields="timestamp", limit=100))["data"]
    assert (await visitor.get(token, "/me", fields="media_count"))["media_count"] == 2000
    assert unix(posts[-1]["timestamp"]) > unix(posts[0]["timestamp"]) - 100 * 6 * 365 * 86400 / 2000


async def test_an_origin_given_at_the_start_is_used_under_any_own_name() -> None:
    simulator = create(origin="https://pretend.example/")
    transport = httpx2.ASGITransport(app=simulator)
    async with httpx2.AsyncClient(transport=transport, base_url="http://inside:8001") as http:
        made = await http.post("/_world/media", json={"username": BAKER, "kind": "IMAGE"})
        assert made.json()["media_url"].startswith("https://pretend.example/v/")
