"""What people choose about a feed in the console, and what visitors of a website then get."""

from collections.abc import Sequence

import httpx2

from tests.api.projects import KINDS, Project, project
from tests.api.test_console_signing import first_user
from tests.served import Served, served


async def photos(house: Served, room: Project, etag: str = "") -> tuple[Sequence[str], httpx2.Response]:
    headers = {**room.bearer, **({"If-None-Match": etag} if etag else {})}
    answer = await house.client.get("/photos", headers=headers)
    found = answer.json()["data"]["photos"] if answer.status_code == 200 else ()
    return [one["id"] for one in found], answer


async def test_choices_reach_visitors_at_once_and_outlive_a_sync() -> None:
    async with served(rate_limit_per_minute=0) as house:
        room = await project(house, *KINDS)
        token = await first_user(house)  # who also owns the workspace that was there before
        await house.client.post("/console/workspace", data={"form_token": token, "workspace": room.id})
        (newest, middle, oldest), before = await photos(house, room)

        async def choose(media_id: str, **form: str) -> None:
            answer = await house.client.post(f"/console/feed/{media_id}", data={"form_token": token, **form})
            assert answer.status_code == 303

        await choose(newest, verb="hide")
        await choose(oldest, verb="first")
        await choose(middle, verb="describe", alt_text="A loaf on a board")
        shown, after = await photos(house, room, before.headers["etag"])
        assert shown == [oldest, middle]
        assert after.json()["data"]["photos"][1]["altText"] == "A loaf on a board"

        await house.house.feed.sync_workspace(room.id)
        assert (await photos(house, room))[0] == [oldest, middle]
        await choose(newest, verb="show")
        await choose(newest, verb="first")
        await choose(newest, verb="later")
        assert (await photos(house, room))[0] == [oldest, newest, middle]
        await choose(newest, verb="unpin")
        await choose(oldest, verb="unpin")
        assert (await photos(house, room))[0] == [newest, middle, oldest]


async def test_a_post_of_another_workspace_is_not_there() -> None:
    async with served(rate_limit_per_minute=0) as house:
        token = await first_user(house)
        room = await project(house, "IMAGE")
        ((media_id,), _) = await photos(house, room)
        answer = await house.client.post(f"/console/feed/{media_id}", data={"form_token": token, "verb": "hide"})
        assert answer.status_code == 404
        assert (await photos(house, room))[0] == [media_id]
