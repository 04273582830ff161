"""Connected accounts in the words of the social seed: listed, looked at on Instagram, measured against quota, let go."""

import re
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from tests.api.marketing import Agency, Team, agency, refused

LISTED = [
    "id", "platform", "account_name", "is_active", "platform_user_id", "profile_picture_url", "account_type",
    "followers_count", "following_count", "token_expires_at", "created_at",
]  # fmt: skip
PROFILE = [
    "id", "username", "name", "bio", "followers_count", "following_count", "profile_picture_url", "website",
    "account_type",
]  # fmt: skip
MEDIUM = ["id", "caption", "media_type", "media_url", "timestamp", "likes", "comments"]
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(scope="module")
async def office() -> AsyncGenerator[Agency]:
    async with agency(publish_wait_seconds=20) as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    return await office.team()


async def test_the_list_of_accounts(team: Team) -> None:
    assert (await team.get("/accounts")).json() == []
    account = await team.connect()
    await team.connect()
    answer = await team.get("/accounts")
    assert answer.status_code == 200
    first, second = answer.json()
    assert list(first) == LISTED
    assert list(second) == LISTED
    assert first["id"] == account.number
    assert type(first["id"]) is int
    assert (first["platform"], first["account_name"], first["is_active"]) == ("instagram", account.username, True)
    assert first["platform_user_id"] == account.instagram_id
    assert first["account_type"] == "business"
    assert re.fullmatch(MOMENT, first["created_at"])


async def test_the_profile_is_that_of_instagram_now(team: Team) -> None:
    account = await team.connect()
    answer = await team.get(f"/account/info?account_id={account.number}")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert list(said) == PROFILE
    assert said["id"] == account.instagram_id
    assert said["username"] == account.username
    assert isinstance(said["bio"], str)
    assert type(said["followers_count"]) is int
    assert said["account_type"] == "business"
    listed = (await team.get("/accounts")).json()[0]
    assert listed["followers_count"] == said["followers_count"]
    assert listed["profile_picture_url"] == said["profile_picture_url"]


async def test_media_page_by_page_to_an_end(team: Team, office: Agency) -> None:
    account = await team.connect()
    kinds = ["IMAGE", "REELS", "VIDEO", "CAROUSEL_ALBUM", "IMAGE"]
    for place, kind in enumerate(kinds):
        moment = int((office.stage.clock() - timedelta(days=5, minutes=-place)).timestamp())
        more = {"children": 2} if kind == "CAROUSEL_ALBUM" else {}
        office.stage.pretend.post(
            "/media", username=account.username, kind=kind, timestamp=moment, width=120, height=160, **more
        )
    whole = (await team.get(f"/media?account_id={account.number}&limit=25")).json()
    assert list(whole) == ["posts", "next_cursor"]
    assert whole["next_cursor"] is None
    assert [one["media_type"] for one in whole["posts"]] == kinds[::-1]
    assert all(list(one) == MEDIUM for one in whole["posts"])
    assert all(re.fullmatch(MOMENT, one["timestamp"]) for one in whole["posts"])
    assert all(type(one["likes"]) is int and type(one["comments"]) is int for one in whole["posts"])
    found: list[str] = []
    cursor, pages = "", 0
    while cursor is not None:
        page = (await team.get(f"/media?account_id={account.number}&limit=2&after={cursor}")).json()
        found += [one["id"] for one in page["posts"]]
        cursor, pages = page["next_cursor"], pages + 1
        assert pages < 9
    assert found == [one["id"] for one in whole["posts"]]
    assert pages == 3


async def test_a_cursor_that_instagram_does_not_know_is_their_mistake(team: Team, office: Agency) -> None:
    account = await team.connect()
    answer = await team.get(f"/media?account_id={account.number}&after=bogus")
    assert refused(answer, 400).startswith("after: ")
    office.stage.pretend.fault("graph.media", "status", username=account.username, status=400, code=100, times=9)
    refused(await team.get(f"/media?account_id={account.number}"), 502)


async def test_nothing_posted_is_an_empty_page(team: Team) -> None:
    account = await team.connect()
    assert (await team.get(f"/media?account_id={account.number}")).json() == {"posts": [], "next_cursor": None}


@pytest.mark.parametrize("path", ["/account/info", "/media"])
async def test_an_account_has_to_be_named(office: Agency, team: Team, path: str) -> None:
    for query in ("", "?account_id=", "?account_id=%20"):
        assert refused(await team.get(path + query), 400) == "account_id is required"
    for query in ("?account_id=one", "?account_id=1.5", "?account_id=-1"):
        assert refused(await team.get(path + query), 400) == "account_id must be a whole number"
    other = await (await office.team()).connect()
    for number in (other.number, 99_999, 2**40, 0):
        assert refused(await team.get(f"{path}?account_id={number}"), 404) == "Instagram account not found"
    answer = await team.stage.http.get(f"/api/sns/instagram{path}")
    assert refused(answer, 401) == "Missing authorization header"


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", ""])
async def test_a_page_has_1_to_100_items(team: Team, limit: str) -> None:
    account = await team.connect()
    refused(await team.get(f"/media?account_id={account.number}&limit={limit}"), 400)


async def test_a_dead_token_says_where_to_connect_again(team: Team, office: Agency) -> None:
    account = await team.connect()
    grip = await office.stage.house.accounts.open(account.id)
    office.stage.pretend.post("/tokens/revoke", access_token=grip.token)
    post = {"account_id": account.number, "image_url": team.url("product.jpg")}
    for answer in (
        await team.get(f"/account/info?account_id={account.number}"),
        await team.get(f"/media?account_id={account.number}"),  # from here on nobody asks Instagram any more
        await team.post("/posts", post),
    ):
        assert refused(answer, 401) == "Access token expired. Please re-authenticate."
        assert answer.json()["detail"]
        assert answer.json()["action"] == "redirect"
        assert answer.json()["auth_url"] == "/api/sns/instagram/oauth/authorize"
    assert [one["is_active"] for one in (await team.get("/accounts")).json()] == [False]


async def test_trouble_of_instagrams_is_said_as_such(team: Team, office: Agency) -> None:
    account = await team.connect()
    office.stage.pretend.fault("graph.media", "rate_limit", username=account.username, times=5)
    answer = await team.get(f"/media?account_id={account.number}")
    assert refused(answer, 429)
    assert int(answer.headers["retry-after"]) > 0
    other = await team.connect()
    office.stage.pretend.fault("graph.media", "html", username=other.username, status=502, times=9)
    refused(await team.get(f"/media?account_id={other.number}"), 502)


async def test_the_quota_of_an_account(team: Team) -> None:
    account = await team.connect()
    before = (await team.get(f"/accounts/{account.number}/quota")).json()
    assert set(before) == {"used", "total", "reserved", "remaining", "window_seconds", "read_at"}
    assert (before["used"], before["total"], before["remaining"]) == (0, 100, 100)
    await team.post("/posts", {"account_id": account.number, "image_url": team.url("product.jpg")})
    assert (await team.get(f"/accounts/{account.number}/quota")).json()["remaining"] == 99


async def test_letting_go_of_an_account(team: Team, office: Agency) -> None:
    account = await team.connect()
    kept = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg")}
    published = (await team.post("/posts", body)).json()["db_id"]
    when = (office.stage.clock() + timedelta(days=1)).isoformat()
    planned = (await team.post("/posts", {**body, "scheduled_at": when})).json()["db_id"]
    viewer = await team.colleague("viewer")
    refused(await viewer.ask("DELETE", f"/accounts/{account.number}"), 403)
    answer = await team.ask("DELETE", f"/accounts/{account.number}")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"message": "Account disconnected successfully"}
    assert [one["id"] for one in (await team.get("/accounts")).json()] == [kept.number]
    assert (await team.get(f"/posts/{published}")).json()["status"] == "published"
    assert (await team.get(f"/posts/{planned}")).json()["status"] == "cancelled"
    assert refused(await team.ask("DELETE", f"/accounts/{account.number}"), 404) == "Account not found"
    assert refused(await team.post("/posts", body), 404) == "Instagram account not found"
    assert len(office.published(account.username or "")) == 1


async def test_nobody_touches_the_accounts_of_others(office: Agency, team: Team) -> None:
    account = await team.connect()
    other = await office.team()
    for number in (account.number, 99_999, 2**40):
        assert refused(await other.ask("DELETE", f"/accounts/{number}"), 404) == "Account not found"
        for path in ("quota", "insights", "insights.csv", "best-times"):
            refused(await other.get(f"/accounts/{number}/{path}"), 404)
    assert (await other.get("/accounts")).json() == []
    assert [one["id"] for one in (await team.get("/accounts")).json()] == [account.number]
    refused(await team.ask("DELETE", "/accounts/one"), 404)
