"""`/metrics` and the logs' fields: what happened can be seen from outside, by those who may, and without anybody's ids."""

import json
import logging
import re
from collections.abc import AsyncGenerator, Generator

import httpx2
import pytest

from tests.api.projects import Project, project
from tests.served import Served, served
from tintype import metrics
from tintype.logs import Lines, Redaction

TOKEN = "figures-for-prometheus"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
async def door(anyio_backend: str) -> AsyncGenerator[Served]:
    del anyio_backend
    async with served(metrics_token=TOKEN, rate_limit_per_minute=0) as house:
        yield house


@pytest.fixture(scope="module")
async def one(door: Served) -> Project:
    return await project(door, "IMAGE")


async def figures(door: Served) -> dict[str, float]:
    answer = await door.client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


async def test_only_who_shows_the_token_sees_figures(door: Served) -> None:
    for headers in ({}, {"authorization": "Bearer nobody"}, {"authorization": "Basic eDp5"}):
        answer = await door.client.get("/metrics", headers=headers)
        assert answer.status_code == 401
        assert "tintype_http" not in answer.text


async def test_requests_are_counted_by_route_and_never_by_path(door: Served, one: Project) -> None:
    before = await figures(door)
    await door.client.get("/photos", headers=one.bearer)  # from the shelf, in front of the framework
    await door.client.get("/photos?limit=1", headers=one.bearer)
    await door.client.get("/feeds/fk_secretsecretsecretsecret.json")
    await door.client.head("/healthz")
    await door.client.get("/nothing/of/this/kind")
    after = await figures(door)
    grown = {
        name
        for name, value in after.items()
        if name.startswith("tintype_http_requests_total") and value > before.get(name, 0)
    }
    wanted = (
        ("feed", "/photos", "2xx"),
        ("feed", "/feeds/{name}", "4xx"),
        ("health", "/healthz", "2xx"),
        ("feed", "none", "4xx"),
    )
    for dialect, route, status in wanted:
        assert f'tintype_http_requests_total{{dialect="{dialect}",route="{route}",status_class="{status}"}}' in grown
    assert not any("secretsecret" in name for name in after)


async def test_calls_jobs_and_states_are_told(door: Served, one: Project) -> None:
    [account] = await door.house.accounts.of_workspace(one.id)
    await door.house.backends.engine.outcome(await door.house.feed.queue(account, again=True), wait=20)
    found = await figures(door)
    assert found['tintype_jobs_total{job="feed.sync",outcome="done"}'] >= 1
    assert found["tintype_feeds"] == 1
    assert 0 <= found["tintype_feed_age_seconds"] < 120
    assert found["tintype_picture_workers"] == 1
    assert found['tintype_outbound_requests_total{outcome="2xx"}'] > 0
    calls = [name for name in found if name.startswith("tintype_instagram_calls_total")]
    assert any('outcome="ok"' in name for name in calls)
    assert not any(re.search(r"\d{5}", name) for name in calls)
    assert {one for one in metrics.STATES if one not in found} == set()


@pytest.fixture
def lines() -> Generator[list[dict[str, str]]]:
    """What is logged meanwhile, as the JSON that `serve` would write."""
    found: list[dict[str, str]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(self.format(record)))

    handler, logger = Kept(), logging.getLogger("tintype")
    handler.setFormatter(Lines("json", Redaction()))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)


async def test_lines_of_a_request_carry_its_id(door: Served, one: Project, lines: list[dict[str, str]]) -> None:
    answer = await door.client.get("/photos", params={"limit": "1"}, headers=one.bearer)
    told = next(line for line in lines if line.get("request_id") == answer.headers["x-request-id"])
    assert told["dialect"] == "feed"
    assert told["workspace"] == one.id
    assert re.fullmatch(r"GET /photos: 200 after [\d.]+ ms", told["message"])


async def test_lines_of_a_job_carry_its_name_and_id(door: Served, one: Project, lines: list[dict[str, str]]) -> None:
    await door.client.post("/_nothing")
    [account] = await door.house.accounts.of_workspace(one.id)
    job = await door.house.feed.queue(account, again=True)
    await door.house.backends.engine.outcome(job, wait=20)
    told = [line for line in lines if line.get("job_id") == job]
    assert told
    assert {line["job"] for line in told} == {"feed.sync"}


async def test_a_client_that_goes_away_is_no_answer(door: Served) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        await door.client.get("/api/queue/stream", timeout=httpx2.Timeout(30, read=0.3))
    assert (await figures(door))["tintype_streams"] >= 0
