"""A server killed again and again over many recipes: each item comes to its end, each recipe is there once, and who listens
with the place of the last event sees every change of every item once.
"""

import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from tests.api.cooks import CAPTION, NO_RECIPE
from tests.api.listening import Said, listening_to
from tests.beside import Kept
from tests.instagram.pretend import Pretend, running
from tests.servers import free_port
from tests.trust import NOBODY
from tests.walks.program import environment, serving

ITEMS = 60
DEATHS = 5
PATIENCE = 90.0
OWNER = "often.killed"


def posted(pretend: Pretend, count: int) -> list[str]:
    pretend.post("/people", username=OWNER, media=0)
    shape: dict[str, object] = {"username": OWNER, "kind": "IMAGE", "width": 64, "height": 80}
    captions = [CAPTION.replace("Potato soup", f"Potato soup no. {number}") for number in range(count)]
    captions[::10] = [NO_RECIPE] * len(captions[::10])
    codes = [str(pretend.post("/media", **shape, caption=one)["shortcode"]) for one in captions]
    return [f"https://www.instagram.com/p/{code}/" for code in codes]


def settings(pretend: Pretend, folder: Path, **more: str) -> dict[str, str]:
    given = {"RECIPE_FOLDER": str(folder / "recipes"), "PUBLIC_LOOKUPS_PER_HOUR": "5000"}
    given |= {"RECIPE_READ_PICTURES": "false", **more}
    return dict(environment(pretend, **given))


def listed(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with httpx2.Client(base_url=url, timeout=PATIENCE, verify=NOBODY) as client:
        while True:
            query = {"limit": 100, "offset": len(found), "sort": "createdAt", "order": "asc"}
            page = client.get("/api/queue", params=query).raise_for_status().json()
            found += page["items"]
            if not page["hasMore"]:
                return found


def ended(url: str) -> list[dict[str, Any]]:
    until = time.monotonic() + PATIENCE
    while True:
        found = listed(url)
        if not any(item["status"] in ("pending", "in_progress") for item in found):
            return found
        assert time.monotonic() < until, Counter(item["status"] for item in found)
        time.sleep(0.2)


class Follower:
    """Somebody who listens through every death, coming back with the place of the last event."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.heard: list[Said] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Follower":
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *given: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def until_told_of(self, last: str) -> None:
        """Wait for the change of a moment."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if any(one.data["timestamp"] == last for one in self.heard):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"nobody told of {last}")

    async def _follow(self) -> None:
        async with httpx2.AsyncClient(base_url=self._url, timeout=PATIENCE, verify=NOBODY) as client:
            while True:
                headers = {"Last-Event-ID": self.heard[-1].id or "0"} if self.heard else {"Last-Event-ID": "0"}
                try:
                    async with listening_to(client, headers) as stream:
                        await self._take(stream)
                except (httpx2.HTTPError, AssertionError):
                    await asyncio.sleep(0.05)

    async def _take(self, stream: Any) -> None:
        taken = 0
        while not stream.ended:
            await stream.more.wait()
            stream.more.clear()
            fresh = stream.heard[taken:]
            taken = len(stream.heard)
            assert all(one.event != "reset" for one in fresh)
            self.heard += [one for one in fresh if one.event == "queue-update"]


async def test_a_killed_server_ends_what_it_accepted_and_makes_nothing_twice(tmp_path: Path) -> None:
    with running() as pretend:
        urls = await asyncio.to_thread(posted, pretend, ITEMS)
        given, port = settings(pretend, tmp_path), free_port()
        async with Follower(f"http://127.0.0.1:{port}") as follower:
            found = await asyncio.to_thread(_through_deaths, tmp_path, given, port, urls)
            last = max(item["updatedAt"] for item in found)
            await follower.until_told_of(last)
        _assert_whole(found, urls, tmp_path)
        _assert_told_once(follower.heard, found, tmp_path)


def _through_deaths(folder: Path, given: dict[str, str], port: int, urls: list[str]) -> list[dict[str, Any]]:
    """Send links to a server that is killed at random moments, and let the last one come to an end."""
    chance = random.Random(4)
    left = list(urls)
    for _ in range(DEATHS):
        with serving(folder, given, port=port) as (process, url):
            part, left = left[: ITEMS // DEATHS], left[ITEMS // DEATHS :]
            with httpx2.Client(base_url=url, timeout=PATIENCE, verify=NOBODY) as client:
                client.post("/api/queue/batch", json={"urls": part}).raise_for_status()
            time.sleep(chance.uniform(0.0, 0.8))
            process.kill()
            process.wait()
    with serving(folder, given, port=port) as (_, url):
        for item in ended(url):
            if item["status"] == "unhealthy":  # three of these processes died with it, which is suspicious
                assert item["errorCode"] == "worker_lost"
                httpx2.post(f"{url}/api/queue/{item['id']}/retry", timeout=PATIENCE).raise_for_status()
        found = ended(url)
        time.sleep(1.0)  # for those who listen
        return found


def _assert_whole(found: list[dict[str, Any]], urls: list[str], folder: Path) -> None:
    assert [item["url"] for item in found] == urls
    expected = Counter({"success": ITEMS - ITEMS // 10, "error": ITEMS // 10})
    assert Counter(item["status"] for item in found) == expected
    made = [json.loads(path.read_text())["url"] for path in (folder / "recipes").glob("*/recipe.jsonld")]
    assert Counter(made) == Counter(item["normalizedUrl"] for item in found if item["status"] == "success")
    for item in found:
        assert {phase["status"] for phase in item["phases"]} <= {"completed", "error", "pending"}


def _assert_told_once(heard: list[Said], found: list[dict[str, Any]], folder: Path) -> None:
    stored = Kept.at(folder).rows("SELECT number FROM recipe_changes ORDER BY number")
    assert [int(one.id or "") for one in heard] == [number for (number,) in stored]
    for item in found:
        mine = [one for one in heard if one.data["itemId"] == item["id"]]
        assert mine[0].data["status"] == "pending"
        assert (mine[-1].data["status"], mine[-1].data["timestamp"]) == (item["status"], item["updatedAt"])
        stamps = [one.data["timestamp"] for one in mine]
        assert stamps == sorted(set(stamps))


async def test_a_stream_of_another_process_hears_what_this_one_does(tmp_path: Path) -> None:
    with running() as pretend:
        [url, *_] = await asyncio.to_thread(posted, pretend, 2)
        given = settings(pretend, tmp_path)
        with serving(tmp_path, given) as (_, works), serving(tmp_path, given) as (_, listens):
            async with httpx2.AsyncClient(timeout=PATIENCE, verify=NOBODY) as client:
                client.base_url = httpx2.URL(listens)
                async with listening_to(client) as stream:
                    await stream.until(lambda heard: len(heard) > 0)
                    here = (await client.post(f"{works}/api/queue", json={"url": url})).raise_for_status().json()
                    there = (await client.post("/api/queue", json={"text": CAPTION})).raise_for_status().json()
                    for item in (here, there):
                        await stream.end_of(item["id"])
                        assert stream.statuses(item["id"])[0] == "pending"
