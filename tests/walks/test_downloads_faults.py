"""Every way in which Instagram lets a downloader down, through HTTP: the promised status, in time, and nothing left on disk."""

import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from tests.walks.stage import Stage, staged
from tintype.simulator.magic import MAGIC, Magic

WAIT = 12.0
DEADLINE = WAIT + 30  # for a busy machine
SETTINGS: dict[str, object] = {
    "rate_limit_max_requests": 0,
    "scrape_wait_seconds": WAIT,
    "download_seconds": 9.0,
    "public_lookup_seconds": 6.0,
    "max_media_bytes": 2 * 1024 * 1024,
    "public_lookups_per_hour": 100,
}
SENTENCES = {
    403: "Access to this post is forbidden or requires login",
    404: "Post not found",
    429: "Rate limit reached when contacting Instagram",
    502: "Unexpected error while contacting Instagram",
    503: "Unable to reach Instagram",
}


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged(**SETTINGS) as one:
        yield one


async def scrape(stage: Stage, shortcode: str, **headers: str) -> httpx2.Response:
    body = {"url": f"https://www.instagram.com/reel/{shortcode}/"}
    return await stage.http.post("/scrape", json=body, headers=headers)


def on_disk(stage: Stage) -> set[str]:
    root = stage.house.settings.data / "instaloader"
    # Days pass between these tests, so the clean-up may be taking an old post away at this moment.
    return {path.name for path in root.iterdir() if not path.name.startswith(".trash")} if root.is_dir() else set()


@pytest.mark.parametrize("magic", MAGIC.values(), ids=MAGIC.keys())
async def test_a_fault_has_its_status(stage: Stage, magic: Magic) -> None:
    stage.skip(timedelta(days=3))  # whatever an earlier fault closed is open again
    begun = time.monotonic()
    answer = await scrape(stage, magic.shortcode)
    assert time.monotonic() - begun < DEADLINE
    said = answer.json()
    assert (answer.status_code, said.get("code", "")) == (magic.status, magic.code), answer.text
    assert answer.headers["x-request-id"] == said.get("request_id", answer.headers["x-request-id"])
    if magic.status == 200:
        assert_had(stage, magic.shortcode, said)
    else:
        assert said["error"] == SENTENCES[magic.status]
        assert said["detail"]
        assert said["request_id"]
        assert ("retry-after" in answer.headers) == (magic.status in (429, 503))
        assert magic.shortcode not in on_disk(stage)
    assert {name for name in on_disk(stage) if name not in MAGIC} == set()


def assert_had(stage: Stage, shortcode: str, said: dict[str, str]) -> None:
    folder = stage.house.settings.data.resolve() / "instaloader" / shortcode
    assert said["shortcode"] == shortcode
    assert said["video"] == str(folder / f"{shortcode}.mp4")
    assert Path(said["video"]).is_file()
    assert {path.name for path in folder.iterdir()} == {f"{shortcode}.mp4", f"{shortcode}.json"}


async def test_a_limit_is_answered_at_once_also_the_second_time(stage: Stage) -> None:
    stage.skip(timedelta(days=3))
    assert (await scrape(stage, "x-429")).status_code == 429
    before = len(stage.pretend.calls())
    for shortcode in ("x-429", "x-nouser", "x-reset"):  # all doors are closed now, whatever post is asked for
        answer = await scrape(stage, shortcode)
        assert answer.status_code == (200 if shortcode in on_disk(stage) else 429)
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) > 60
    assert len(stage.pretend.calls()) == before


async def test_a_limit_of_the_media_host_is_one_for_look_ups_as_well(stage: Stage) -> None:
    stage.skip(timedelta(days=3))
    assert (await scrape(stage, "m-429")).status_code == 429
    before = len(stage.pretend.calls())
    answer = await scrape(stage, "x-private")
    assert (answer.status_code, answer.json()["code"]) == (429, "upstream_rate_limited")
    assert int(answer.headers["retry-after"]) > 60
    assert len(stage.pretend.calls()) == before


async def test_what_is_not_there_is_not_asked_for_again(stage: Stage) -> None:
    stage.skip(timedelta(days=3))
    assert (await scrape(stage, "x-removed")).status_code == 404
    before = len(stage.pretend.calls())
    assert (await scrape(stage, "x-removed")).status_code == 404
    assert len(stage.pretend.calls()) == before
    stage.skip(timedelta(minutes=11))
    assert (await scrape(stage, "x-removed")).status_code == 404
    assert len(stage.pretend.calls()) > before


async def test_a_post_in_time_is_told_apart_from_one_that_goes_on(stage: Stage) -> None:
    stage.skip(timedelta(days=3))
    answer = await scrape(stage, "m-drip", prefer="respond-async, wait=1")
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    place = answer.headers["location"]
    assert (await stage.http.get(place)).json()["status"] == "running"
    again = await scrape(stage, "m-drip", prefer="respond-async, wait=60")  # waits for the same one
    assert again.status_code == 503
    said = (await stage.http.get(place)).json()
    assert said["status"] == "failed"
    assert said["error"]["code"] == "upstream_timeout"
    assert {name for name in on_disk(stage) if name.startswith(".")} == set()
