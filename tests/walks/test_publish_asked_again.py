"""A client whose server was killed asks again with the same key: it gets the one post, at once."""

import asyncio
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.instagram.pretend import Pretend, running
from tests.profile import IS_FULL
from tests.walks.program import environment, serving
from tests.walks.stage import settings_for
from tintype.app import open_house
from tintype.instagram import Connection, Login, Profile, Token
from tintype.settings import Settings

PATIENCE = 60.0


def test_the_same_key_after_a_kill_gets_the_one_post(tmp_path: Path) -> None:
    with running() as pretend:
        pretend.post("/people", username="impatient", media=0)
        token = asyncio.run(_connected(settings_for(pretend, data=tmp_path), pretend))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "one and only"}
        pretend.fault("graph.publish", "slow", delay_ms=2500)
        with serving(tmp_path, environment(pretend)) as (process, url):
            asking = threading.Thread(target=_ask, args=(url, headers), daemon=True)
            asking.start()
            _until(
                lambda: any(call.get("effect") or "media_publish" in str(call["path"]) for call in _publishes(pretend))
            )
            process.kill()
            asking.join(PATIENCE)
        with serving(tmp_path, environment(pretend, PUBLISH_SETTLE_SECONDS="1")) as (_, url):
            begun = time.monotonic()
            answer = _ask(url, headers)
            while IS_FULL and answer is not None and answer.status_code == 409:  # another node might be at it
                time.sleep(float(answer.headers["retry-after"]))
                answer = _ask(url, headers)
            assert answer is not None
            assert answer.status_code == 201, answer.text
            assert time.monotonic() - begun < PATIENCE / 2
            again = _ask(url, headers)
            assert again is not None
            assert again.json() == answer.json()
        published = pretend.levers.get("/_world/published", params={"username": "impatient"}).json()
    assert [item["id"] for item in published] == [answer.json()["post_id"]]


def test_whoever_waits_when_the_server_is_ended_hears_how_far_the_post_is(tmp_path: Path) -> None:
    with running() as pretend:
        pretend.post("/people", username="impatient", media=0)
        token = asyncio.run(_connected(settings_for(pretend, data=tmp_path), pretend))
        headers = {"Authorization": f"Bearer {token}"}
        pretend.levers.patch("/_world/settings", json={"container_seconds": 6}).raise_for_status()
        heard: list[httpx2.Response | None] = []
        with serving(tmp_path, environment(pretend)) as (process, url):
            asking = threading.Thread(target=lambda: heard.append(_ask(url, headers)), daemon=True)
            asking.start()
            _until(lambda: _publishes(pretend))
            process.terminate()
            asking.join(PATIENCE)
            assert process.wait(PATIENCE) == 0
        [answer] = heard
        assert answer is not None
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")
        with serving(tmp_path, environment(pretend)) as (_, url):
            place = f"{url}{answer.headers['location']}"
            _until(lambda: httpx2.get(place, headers=headers, timeout=PATIENCE).json()["status"] == "published")
        published = pretend.levers.get("/_world/published", params={"username": "impatient"}).json()
    assert len(published) == 1


def _ask(url: str, headers: Mapping[str, str]) -> httpx2.Response | None:
    body: dict[str, Any] = {"account_id": 1, "image_url": "https://pictures.invalid/one.jpg", "caption": "Asked again"}
    try:
        return httpx2.post(f"{url}/api/sns/instagram/posts", json=body, headers=headers, timeout=PATIENCE)
    except httpx2.HTTPError:
        return None


def _publishes(pretend: Pretend) -> list[dict[str, object]]:
    return [call for call in pretend.calls() if str(call["path"]).endswith("/media") and call["method"] == "POST"]


def _until(so: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < until
        time.sleep(0.05)


async def _connected(settings: Settings, pretend: Pretend) -> str:
    made = pretend.post("/tokens", username="impatient", login="instagram")
    async with open_house(settings, work=False) as house:
        workspace, issued = await house.access.register("Impatient")
        connection = Connection(
            Login.INSTAGRAM_LOGIN, Token(str(made["access_token"])), Profile(str(made["user_id"]), None, "impatient")
        )
        await house.accounts.keep(workspace.id, connection)
    return issued.secret
