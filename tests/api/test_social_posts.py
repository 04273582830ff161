"""Posts after they were taken: listed, read, changed under an ETag, called back, tried again, linked by hand."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.api.marketing import Agency, Team, agency, refused
from tests.api.people import DATABASES
from tintype.core.publishing import Occurrence, State

KEYS = {
    "db_id", "account_id", "kind", "status", "post_id", "permalink", "caption", "hashtags", "text", "location_id",
    "collaborators", "cover_url", "cover_upload", "thumb_offset", "share_to_feed", "first_comment", "fit", "background",
    "scheduled_at", "timezone", "created_at", "updated_at", "published_at", "reason", "failure", "first_comment_status",
    "batch",
}  # fmt: skip


@pytest.fixture(scope="module", params=DATABASES)
async def office(request: pytest.FixtureRequest) -> AsyncGenerator[Agency]:
    async with agency(request.param, publish_wait_seconds=20) as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    return await office.team()


def tomorrow(team: Team, days: int = 1) -> str:
    at = team.stage.clock() + timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def planned(team: Team, **more: object) -> dict[str, Any]:
    """Plan a post for tomorrow and return it as it is read."""
    account = await team.connect()
    body = {
        "account_id": account.number,
        "image_url": team.url("product.jpg"),
        "caption": "soon",
        "scheduled_at": tomorrow(team),
        **more,
    }
    made = await team.post("/posts", body)
    assert made.status_code == 201, made.text
    return (await team.get(f"/posts/{made.json()['db_id']}")).json()


async def tag(team: Team, number: int) -> str:
    return (await team.get(f"/posts/{number}")).headers["etag"]


async def test_a_planned_post_is_read(team: Team) -> None:
    post = await planned(team, hashtags=["a", "#b"], alt_text="a loaf", timezone="Europe/Berlin")
    assert set(post) == KEYS | {"image_url", "alt_text"}
    assert (post["kind"], post["status"], post["post_id"]) == ("image", "scheduled", None)
    assert (post["caption"], post["hashtags"], post["alt_text"]) == ("soon", ["a", "#b"], "a loaf")
    assert post["timezone"] == "Europe/Berlin"


async def test_an_etag_saves_the_answer(team: Team) -> None:
    post = await planned(team)
    known = await tag(team, post["db_id"])
    for header in (known, f"W/{known}", f'"x", {known}', "*"):
        answer = await team.get(f"/posts/{post['db_id']}", if_none_match=header)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == known
    assert (await team.get(f"/posts/{post['db_id']}", if_none_match='"other"')).status_code == 200


async def test_a_change_is_made_from_what_was_read(team: Team) -> None:
    post = await planned(team, hashtags=["kept"])
    path = f"/posts/{post['db_id']}"
    first = await tag(team, post["db_id"])
    when = tomorrow(team, 2)
    answer = await team.ask("PATCH", path, {"caption": "sooner", "scheduled_at": when}, if_match=first)
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert (changed["caption"], changed["hashtags"], changed["image_url"]) == ("sooner", ["kept"], post["image_url"])
    assert changed["scheduled_at"] == when
    assert answer.headers["etag"] != first
    refused(await team.ask("PATCH", path, {"caption": "too late"}, if_match=first), 412)
    refused(await team.ask("DELETE", path, if_match=first), 412)
    refused(await team.ask("PATCH", path, {"caption": "weak"}, if_match=f"W/{answer.headers['etag']}"), 412)
    assert (await team.get(path)).json()["caption"] == "sooner"
    assert (await team.ask("PATCH", path, {"caption": "free"})).status_code == 200
    assert (await team.ask("PATCH", path, {"caption": "any"}, if_match="*")).status_code == 200


async def test_what_cannot_be_changed(team: Team) -> None:
    post = await planned(team)
    path = f"/posts/{post['db_id']}"
    other = await team.connect()
    for body, word in (
        ({"account_id": other.number}, "account_id"),
        ({"image_url": None}, "without a medium"),
        ({"caption": 1}, "caption must be a string"),
        ({"caption": "x" * 2201}, "caption"),
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, "passed"),
        ({"children": [{"image_url": team.url("product.jpg")}]}, "carousel"),
    ):
        assert word in refused(await team.ask("PATCH", path, body), 400)
    assert (await team.get(path)).json() == post


@pytest.mark.parametrize(
    ("body", "at", "zone"),
    [
        ({"scheduled_at": "2027-07-01T09:00"}, "2027-07-01T07:00:00Z", "Europe/Berlin"),
        ({"scheduled_at": "2027-07-01T09:00:00Z"}, "2027-07-01T09:00:00Z", "Europe/Berlin"),
        ({"timezone": "Asia/Tokyo"}, "2027-06-01T00:00:00Z", "Asia/Tokyo"),
        ({"timezone": None}, "2027-06-01T07:00:00Z", None),
        ({"scheduled_at": "2027-07-01T09:00", "timezone": "Asia/Tokyo"}, "2027-07-01T00:00:00Z", "Asia/Tokyo"),
        ({"caption": "other words"}, "2027-06-01T07:00:00Z", "Europe/Berlin"),
    ],
)
async def test_a_time_is_said_anew_by_the_clock_of_its_zone(
    team: Team, body: dict[str, Any], at: str, zone: str | None
) -> None:
    post = await planned(team, scheduled_at="2027-06-01T09:00", timezone="Europe/Berlin")
    answer = await team.ask("PATCH", f"/posts/{post['db_id']}", body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["scheduled_at"], answer.json()["timezone"]) == (at, zone)


async def test_a_clock_of_another_zone_has_to_show_the_time(team: Team) -> None:
    post = await planned(team, scheduled_at="2027-03-28T02:30", timezone="Asia/Tokyo")
    path = f"/posts/{post['db_id']}"
    for body, words in (
        ({"timezone": "Europe/Berlin"}, "skip 02:30"),
        ({"timezone": "Nowhere/Atall"}, "is not a zone"),
        ({"timezone": ""}, "is not a zone"),
        ({"scheduled_at": ""}, "scheduled_at is empty"),
        ({"scheduled_at": None, "timezone": "Nowhere/Atall"}, "is not a zone"),
        ({"scheduled_at": "2027-07-01T09:00", "timezone": None}, "has no zone"),
    ):
        assert words in refused(await team.ask("PATCH", path, body), 400)
    assert (await team.get(path)).json() == post
    zoneless = await planned(team, scheduled_at="2027-06-01T09:00:00Z")
    changed = await team.ask("PATCH", f"/posts/{zoneless['db_id']}", {"timezone": "Asia/Tokyo"})
    assert changed.json()["scheduled_at"] == "2027-06-01T00:00:00Z"


async def test_other_media_keep_what_was_said_of_them(team: Team) -> None:
    post = await planned(team, alt_text="a loaf", user_tags=[{"username": "friend", "x": 0.5, "y": 0.5}])
    path = f"/posts/{post['db_id']}"
    changed = (await team.ask("PATCH", path, {"image_url": team.url("story.jpg")})).json()
    assert (changed["image_url"], changed["alt_text"]) == (team.url("story.jpg"), "a loaf")
    assert changed["user_tags"] == [{"username": "friend", "x": 0.5, "y": 0.5}]
    changed = (await team.ask("PATCH", path, {"alt_text": "a story", "user_tags": []})).json()
    assert changed["alt_text"] == "a story"
    assert "user_tags" not in changed
    both = [{"image_url": team.url("product.jpg")}, {"image_url": team.url("story.jpg")}]
    changed = (await team.ask("PATCH", path, {"children": both})).json()
    assert (changed["kind"], len(changed["children"])) == ("carousel", 2)
    changed = (await team.ask("PATCH", path, {"image_url": team.url("product.jpg")})).json()
    assert (changed["kind"], "children" in changed) == ("image", False)


async def test_a_draft_is_sent_on_its_way(team: Team, office: Agency) -> None:
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg"), "draft": True, "caption": "rough"}
    number = (await team.post("/posts", body)).json()["db_id"]
    path = f"/posts/{number}"
    assert (await team.ask("PATCH", path, {"caption": "smooth"})).json()["status"] == "draft"
    sent = await team.ask("PATCH", path, {"draft": False})
    assert sent.status_code == 200, sent.text
    ended = await office.stage.house.publisher.wait(team.who.workspace_id, number, 20)
    assert ended.media_id is not None
    shown = (await team.get(path)).json()
    assert (shown["status"], shown["post_id"]) == ("published", ended.media_id)
    assert [one["caption"] for one in office.published(account.username or "")] == ["smooth"]
    refused(await team.ask("PATCH", path, {"caption": "rougher"}), 409)
    refused(await team.ask("DELETE", path), 409)


async def test_a_post_is_called_back(team: Team) -> None:
    post = await planned(team)
    path = f"/posts/{post['db_id']}"
    answer = await team.ask("DELETE", path, if_match=await tag(team, post["db_id"]))
    assert answer.status_code == 200, answer.text
    said = {"message": "Post cancelled successfully", "db_id": post["db_id"], "status": "cancelled"}
    assert answer.json() == said
    assert (await team.get(path)).json()["status"] == "cancelled"
    assert (await team.ask("DELETE", path)).json() == said
    refused(await team.ask("PATCH", path, {"caption": "back"}), 409)


async def test_posts_are_listed_newest_first_and_page_by_page(team: Team) -> None:
    account = await team.connect()
    other = await team.connect()
    body = {"image_url": team.url("product.jpg"), "draft": True}
    made = [
        (await team.post("/posts", {**body, "account_id": one.number})).json()["db_id"]
        for one in (account, other, account, account)
    ]
    everything = (await team.get("/posts")).json()
    assert [post["db_id"] for post in everything["posts"]] == made[::-1]
    assert everything["next_cursor"] is None
    of_account = await walked(team, f"account_id={account.number}&limit=2")
    assert of_account == [made[3], made[2], made[0]]
    assert await walked(team, "limit=1") == made[::-1]
    assert (await team.ask("DELETE", f"/posts/{made[0]}")).status_code == 200
    assert await walked(team, "status=cancelled") == [made[0]]
    assert await walked(team, "status=draft,cancelled") == made[::-1]
    assert await walked(team, "status=processing") == []


async def walked(team: Team, query: str) -> list[int]:
    """Every number of a list, following its cursors."""
    found: list[int] = []
    cursor: str | None = None
    for _ in range(20):
        answer = await team.get(f"/posts?{query}" + (f"&after={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        found += [post["db_id"] for post in answer.json()["posts"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "after=x", "after=-1", "status=lost", "account_id=x"]
)
async def test_questions_that_make_no_sense(team: Team, query: str) -> None:
    refused(await team.get(f"/posts?{query}"), 400)
    answer = await team.stage.http.get(f"/api/sns/instagram/posts?{query}")
    assert refused(answer, 401) == "Missing authorization header"


async def test_the_timeline_of_a_post(team: Team) -> None:
    account = await team.connect()
    made = await team.post("/posts", {"account_id": account.number, "image_url": team.url("product.jpg")})
    events = (await team.get(f"/posts/{made.json()['db_id']}/events")).json()["events"]
    assert len(events) >= 6
    assert all(set(one) == {"at", "name", "detail"} for one in events)
    names = [one["name"] for one in events]
    assert names.index("accepted") < names.index("publishing") < names.index("published")
    assert [one["at"] for one in events] == sorted(one["at"] for one in events)


async def test_a_failed_post_is_mended_and_tried_again(team: Team, office: Agency) -> None:
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("page.jpg")}
    number = (await team.post("/posts", body)).json()["db_id"]
    path = f"/posts/{number}"
    answer = await team.post(f"{path}/retry", {})
    assert refused(answer, 400)
    assert answer.json()["db_id"] == number
    kept = await team.ask("PATCH", path, {"image_url": team.url("product.jpg"), "draft": True})
    assert kept.json()["status"] == "draft"
    refused(await team.post(f"{path}/retry", {}), 409)
    assert (await team.ask("PATCH", path, {"draft": False})).status_code == 200
    await office.stage.house.publisher.wait(team.who.workspace_id, number, 20)
    assert len(office.published(account.username or "")) == 1


async def test_a_retry_answers_as_the_first_try_would_have(team: Team, office: Agency) -> None:
    account = await team.connect()
    office.stage.pretend.fault("graph.container", "status", username=account.username, status=400, code=36000,
                               subcode=2207004)  # fmt: skip
    failed = await team.post("/posts", {"account_id": account.number, "image_url": team.url("product.jpg")})
    refused(failed, 400)
    answer = await team.post(f"/posts/{failed.json()['db_id']}/retry", {})
    assert answer.status_code == 201, answer.text
    assert list(answer.json()) == ["message", "post_id", "db_id"]
    assert len(office.published(account.username or "")) == 1


async def unlinked(team: Team) -> tuple[int, str]:
    """A post that went out without telling us; return its number and the account's name."""
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg"), "draft": True}
    number = (await team.post("/posts", body)).json()["db_id"]
    house, now = team.stage.house, team.stage.clock()
    post = await house.publisher.get(team.who.workspace_id, number)
    changes = {"state": State.UNLINKED, "published_at": now, "reason": "its answer was lost"}
    happened = Occurrence(now, "needs_reconcile")
    assert await house.publisher.resources.records.change(post, {State.DRAFT}, now, happened, **changes)
    return number, account.username or ""


async def test_a_person_says_which_medium_a_post_is(team: Team, office: Agency) -> None:
    number, username = await unlinked(team)
    refused(await team.get(f"/{number}/insights"), 409)
    medium = office.stage.pretend.post("/media", username=username, kind="IMAGE", width=120, height=160)
    answer = await team.post(f"/posts/{number}/link", {"media_id": medium["id"]})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["post_id"]) == ("published", medium["id"])
    assert (await team.get(f"/{number}/insights")).status_code == 200
    refused(await team.post(f"/posts/{number}/link", {"media_id": medium["id"]}), 409)


async def test_a_medium_that_is_not_the_accounts_is_not_taken_for_a_post(team: Team, office: Agency) -> None:
    number, username = await unlinked(team)
    stranger = (await team.connect()).username
    theirs = office.stage.pretend.post("/media", username=stranger, kind="IMAGE", width=120, height=160)
    for media_id in ("1", theirs["id"]):
        assert refused(await team.post(f"/posts/{number}/link", {"media_id": media_id}), 400).startswith("media_id: ")
    office.stage.pretend.fault("graph.media_item", "status", status=500, code=2, username=username, times=None)
    medium = office.stage.pretend.post("/media", username=username, kind="IMAGE", width=120, height=160)
    refused(await team.post(f"/posts/{number}/link", {"media_id": medium["id"]}), 502)
    office.stage.pretend.levers.delete("/_world/faults").raise_for_status()
    assert (await team.get(f"/posts/{number}")).json()["status"] == "published_unlinked"
    assert (await team.post(f"/posts/{number}/link", {"media_id": medium["id"]})).status_code == 200


async def test_only_a_post_that_is_looked_for_is_linked(team: Team) -> None:
    post = await planned(team)
    path = f"/posts/{post['db_id']}/link"
    assert refused(await team.post(path, {}), 400) == "media_id is required"
    assert "number" in refused(await team.post(path, {"media_id": "one"}), 400)
    refused(await team.post(path, {"media_id": 17_900_000_000_000_001}), 409)


def paths(number: int) -> list[tuple[str, str, dict[str, Any] | None]]:
    return [
        ("GET", f"/posts/{number}", None),
        ("GET", f"/posts/{number}/events", None),
        ("GET", f"/{number}/insights", None),
        ("PATCH", f"/posts/{number}", {"caption": "mine"}),
        ("POST", f"/posts/{number}/retry", {}),
        ("POST", f"/posts/{number}/link", {"media_id": "1"}),
        ("DELETE", f"/posts/{number}", None),
    ]


async def test_nobody_sees_the_posts_of_others(office: Agency, team: Team) -> None:
    post = await planned(team)
    other = await office.team()
    for number in (post["db_id"], 999_999, 2**40):
        for method, path, body in paths(number):
            assert refused(await other.ask(method, path, body), 404) == "Post not found"
    account = (await team.get(f"/posts/{post['db_id']}")).json()["account_id"]
    refused(await other.get(f"/posts?account_id={account}"), 404)
    assert (await other.get("/posts")).json() == {"posts": [], "next_cursor": None}
    assert (await team.get(f"/posts/{post['db_id']}")).json() == post


async def test_viewers_look_and_change_nothing(team: Team) -> None:
    post = await planned(team)
    viewer = await team.colleague("viewer")
    for method, path, body in paths(post["db_id"]):
        answer = await viewer.ask(method, path, body)
        expected = 403 if method != "GET" else 409 if path.endswith("insights") else 200
        assert answer.status_code == expected, (method, path, answer.text)
    assert (await team.get(f"/posts/{post['db_id']}")).json() == post


@pytest.mark.parametrize("path", ["/posts/one", "/posts/one/events", "/one/insights", "/posts/1.5", "/posts/-1"])
async def test_numbers_that_are_none(team: Team, path: str) -> None:
    answer: httpx2.Response = await team.get(path)
    refused(answer, 404)


async def test_a_refusal_comes_again_with_all_that_it_said(team: Team) -> None:
    body = {"account_id": (await team.connect()).number, "image_url": team.url("page.jpg")}
    first = await team.post("/posts", body, idempotency_key="refused")
    again = await team.post("/posts", body, idempotency_key="refused")
    assert refused(again, 400) == refused(first, 400)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-error-code"] == first.headers["x-error-code"] == "invalid"
    asked = {"accept": "application/problem+json"}
    problem = await team.post("/posts", body, idempotency_key="problem", **asked)
    told = await team.post("/posts", body, idempotency_key="problem", **asked)
    assert told.headers["content-type"] == problem.headers["content-type"] == "application/problem+json"
    assert told.json() == problem.json()


@pytest.mark.parametrize("address", ["product.jpg", "javascript:alert(1)", "ftp://a.test/product.jpg", "http://[::1"])
async def test_what_can_never_be_fetched_is_refused_when_it_is_planned(team: Team, address: str) -> None:
    number, later = (await team.connect()).number, {"scheduled_at": tomorrow(team)}
    body = {"account_id": number, "image_url": address, **later}
    assert refused(await team.post("/posts", body), 400).startswith("image_url: ")
    reel = {"account_id": number, "video_url": team.url("tutorial.mp4"), "cover_url": address, **later}
    assert refused(await team.post("/reels", reel), 400).startswith("cover_url: ")
    assert (await team.get(f"/posts?account_id={number}")).json()["posts"] == []
    review = (await team.post("/posts/validate", {**body, "kind": "image"})).json()
    assert [(one["field"], one["blocking"]) for one in review["problems"]] == [("image_url", True)]
    kept = await team.post("/posts", {"account_id": number, "image_url": address, "draft": True})
    assert kept.status_code == 201
    sent = await team.ask("PATCH", f"/posts/{kept.json()['db_id']}", {"draft": False})
    assert refused(sent, 400).startswith("image_url: ")
