"""What a website notices when Instagram does not let us go on: a header, and nothing else."""

import httpx2
import pytest

from tests.api.projects import KINDS, Project, bare, project, pull
from tests.served import Served
from tintype.core.access import Grant
from tintype.errors import Trouble


async def read(house: Served, one: Project) -> httpx2.Response:
    answer = await house.client.get("/photos", headers=one.bearer)
    assert answer.status_code == 200
    return answer


async def fail_to_sync(house: Served, one: Project) -> None:
    with pytest.raises(Trouble):
        await house.house.feed.sync_workspace(one.id)


async def check_copies(house: Served, answer: httpx2.Response) -> None:
    for photo in answer.json()["data"]["photos"]:
        assert (await house.client.get(photo["mediaUrl"])).status_code == 200


async def test_a_feed_outlives_its_token(door: Served) -> None:
    one = await project(door, *KINDS)
    before = await read(door, one)
    await pull(door, "tokens/revoke", access_token=one.instagram_token)
    await fail_to_sync(door, one)
    after = await read(door, one)
    assert after.content == before.content
    assert after.headers["x-feed-stale"] == "reconnect"
    assert after.headers["x-feed-synced-at"] == before.headers["x-feed-synced-at"]
    await check_copies(door, after)
    key = (await door.house.access.issue(one.id, Grant.FEED)).secret
    public = await door.client.get(f"/feeds/{key}.json")
    assert (public.status_code, public.headers["x-feed-stale"]) == (200, "reconnect")
    assert (await door.client.get("/photos?limit=1", headers=one.bearer)).headers["x-feed-stale"] == "reconnect"


@pytest.mark.parametrize(("kind", "more"), [("status", {"status": 500, "code": 2}), ("html", {"status": 503})])
async def test_a_feed_outlives_instagrams_bad_hour(door: Served, kind: str, more: dict[str, object]) -> None:
    one = await project(door, "IMAGE")
    before = await read(door, one)
    await pull(door, "faults", on="graph.media", kind=kind, times=None, username=one.username, **more)
    await fail_to_sync(door, one)
    after = await read(door, one)
    assert (after.content, after.headers["x-feed-stale"]) == (before.content, "sync-failed")
    await door.simulator.delete("/_world/faults")
    await door.house.feed.sync_workspace(one.id)
    assert "x-feed-stale" not in (await read(door, one)).headers


async def test_a_project_that_was_never_connected_says_so(door: Served) -> None:
    answer = await read(door, await bare(door))
    assert answer.json()["data"] == {"photos": []}
    assert answer.headers["x-feed-stale"] == "never-synced"
    assert "x-feed-synced-at" not in answer.headers
