"""Numbers in the words of the social seed: of a post, of an account day by day, the best posts and hours, and as files."""

import csv
import io
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from tests.api.marketing import Agency, Team, agency, refused

PROMISED = ["likes", "comments", "shares", "reach", "impressions", "saved", "engagement_rate"]


@pytest.fixture(scope="module")
async def office() -> AsyncGenerator[Agency]:
    async with agency(publish_wait_seconds=20) as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    return await office.team()


async def published(team: Team, caption: str = "") -> tuple[int, int]:
    """Publish a post; return the numbers of its account and of itself."""
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg"), "caption": caption}
    made = await team.post("/posts", body)
    assert made.status_code == 201, made.text
    return account.number, made.json()["db_id"]


async def test_the_numbers_of_a_post(team: Team) -> None:
    _, number = await published(team)
    answer = await team.get(f"/{number}/insights")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert list(said)[:7] == PROMISED
    assert set(said) - set(PROMISED) == {
        "impressions_source", "engagement_rate_basis", "engagement_rate_status", "captured_at", "metrics",
    }  # fmt: skip
    assert all(type(said[name]) is int for name in PROMISED[:6])
    assert isinstance(said["engagement_rate"], int | float)
    assert said["impressions_source"] in ("views", None)
    if said["reach"]:
        acts = sum(said[name] for name in ("likes", "comments", "shares", "saved"))
        assert said["engagement_rate"] == round(acts / said["reach"] * 100, 2)


async def test_a_post_that_is_not_there(team: Team) -> None:
    assert refused(await team.get("/99999/insights"), 404) == "Post not found"


async def test_a_post_without_numbers_yet(team: Team) -> None:
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg"), "draft": True}
    number = (await team.post("/posts", body)).json()["db_id"]
    assert "draft" in refused(await team.get(f"/{number}/insights"), 409)


async def test_an_account_day_by_day(team: Team, office: Agency) -> None:
    account = await team.connect()
    await office.stage.house.insights.capture_account(account)
    answer = await team.get(f"/accounts/{account.number}/insights")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["account_id"] == account.number
    today = office.stage.clock().date()
    assert (said["since"], said["until"]) == (str(today - timedelta(days=29)), str(today))
    for name in ("followers", "followers_net", "reach", "views"):
        assert len(said[name]) == 30
        assert all(set(point) == {"day", "value", "source", "captured_at"} for point in said[name])
    assert type(said["followers"][-1]["value"]) in (int, float)
    assert said["followers"][0]["value"] is None
    day = str(today)
    short = (await team.get(f"/accounts/{account.number}/insights?since={day}&until={day}")).json()
    assert short["followers"] == said["followers"][-1:]


async def test_an_account_as_a_file(team: Team, office: Agency) -> None:
    account = await team.connect()
    await office.stage.house.insights.capture_account(account)
    today = str(office.stage.clock().date())
    path = f"/accounts/{account.number}/insights"
    named = await team.get(f"{path}.csv?since={today}")
    wanted = await team.get(f"{path}?since={today}", accept="text/csv")
    for answer in (named, wanted):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["day"] for row in rows] == [today]
        assert float(rows[0]["followers"]) >= 0


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("Text/CSV; header=present, */*;q=0.1", "text/csv; charset=utf-8"),
        ("application/json;q=0.5, text/csv;q=0.9", "text/csv; charset=utf-8"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/csv;q=high", "application/json"),
    ],
)
async def test_the_form_of_an_account_is_the_one_that_is_preferred(team: Team, accept: str, kind: str) -> None:
    account = await team.connect()
    answer = await team.get(f"/accounts/{account.number}/insights", accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize("query", ["since=x", "until=2026-13-01", "since=2026-02-01&until=2026-01-01",
                                   "since=2020-01-01&until=2026-01-01"])  # fmt: skip
async def test_days_that_make_no_sense(team: Team, query: str) -> None:
    account = await team.connect()
    for form in ("insights", "insights.csv"):
        refused(await team.get(f"/accounts/{account.number}/{form}?{query}"), 400)


EDGES = ("0001-01-01", "1969-12-31", "2101-01-01", "9999-12-31", "9999-12-32", "99999-01-01", "20000000000", "now", "")


@pytest.mark.parametrize("day", EDGES)
async def test_days_at_the_ends_of_the_calendar_are_refused_in_one_sentence(team: Team, day: str) -> None:
    account = await team.connect()
    for path in (f"/accounts/{account.number}/insights", f"/accounts/{account.number}/insights.csv", "/posts/top",
                 "/insights.csv"):  # fmt: skip
        for name in ("since", "until"):
            message = refused(await team.get(f"{path}?{name}={day}"), 400)
            assert message == f"{name} must be a day from 1970-01-01 to 2100-12-31, like 2026-05-01"


@pytest.mark.parametrize("day", ["1970-01-01", "2100-12-31"])
async def test_the_first_day_and_the_last_are_days(team: Team, day: str) -> None:
    account = await team.connect()
    for path in (f"/accounts/{account.number}/insights", f"/accounts/{account.number}/insights.csv", "/posts/top",
                 "/insights.csv"):  # fmt: skip
        answer = await team.get(f"{path}?since={day}&until={day}")
        assert answer.status_code == 200, answer.text
    assert (await team.get(f"/accounts/{account.number}/insights?until={day}")).status_code == 200


async def test_whole_numbers_stay_whole(team: Team, office: Agency) -> None:
    number, post = await published(team)
    said = (await team.get(f"/{post}/insights")).json()
    known = [value for value in said["metrics"].values() if value is not None]
    assert known
    assert all(type(value) is int for value in known)
    account = await office.stage.house.accounts.numbered(team.who.workspace_id, number)
    await office.stage.house.insights.capture_account(account)
    days = (await team.get(f"/accounts/{number}/insights")).json()
    told = [point["value"] for name in ("followers", "reach", "views") for point in days[name]]
    assert {type(value) for value in told} == {int, type(None)}


async def test_the_best_posts(team: Team) -> None:
    account, number = await published(team, "=HYPERLINK(1)")
    assert (await team.get(f"/{number}/insights")).status_code == 200
    answer = await team.get(f"/posts/top?account_id={account}&metric=likes&limit=5")
    assert answer.status_code == 200, answer.text
    [best] = answer.json()["posts"]
    assert best["account_id"] == account
    assert best["caption"] == "=HYPERLINK(1)"
    assert set(PROMISED) < set(best)
    rows = (await team.get("/insights.csv")).text.splitlines()
    assert len(rows) == 2
    assert "'=HYPERLINK(1)" in rows[1]
    assert (await team.get(f"/insights.csv?account_id={account}&until=2020-01-01")).text.count("\n") == 1
    for query in ("metric=charm", "limit=0", "limit=101", "order=up", "account_id=x"):
        refused(await team.get(f"/posts/top?{query}"), 400)


async def test_the_best_hours(team: Team) -> None:
    account = await team.connect()
    answer = await team.get(f"/accounts/{account.number}/best-times?timezone=Europe/Berlin")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert set(said) == {"timezone", "metric", "posts", "mean", "best", "hours"}
    assert (said["timezone"], said["posts"], said["best"]) == ("Europe/Berlin", 0, [])
    assert len(said["hours"]) == 168
    assert set(said["hours"][0]) == {"weekday", "hour", "posts", "mean", "value", "sure"}
    assert said["mean"] is None
    assert all(cell["mean"] is None and cell["value"] is None for cell in said["hours"])
    for query in ("timezone=Nowhere/Atall", "timezone=localtime", "metric=charm"):
        refused(await team.get(f"/accounts/{account.number}/best-times?{query}"), 400)


async def test_nobody_sees_the_numbers_of_others(office: Agency, team: Team) -> None:
    account, number = await published(team)
    other = await office.team()
    assert refused(await other.get(f"/{number}/insights"), 404) == "Post not found"
    refused(await other.get(f"/posts/top?account_id={account}"), 404)
    refused(await other.get(f"/insights.csv?account_id={account}"), 404)
    assert (await other.get("/posts/top")).json()["posts"] == []
    for path in (f"/{number}/insights", "/posts/top", "/insights.csv", f"/accounts/{account}/insights"):
        answer = await team.stage.http.get(f"/api/sns/instagram{path}")
        assert refused(answer, 401) == "Missing authorization header"
    viewer = await team.colleague("viewer")
    assert (await viewer.get(f"/{number}/insights")).status_code == 200
