"""A server killed while it puts pictures to Cloudinary: what is shown is there, and what nobody shows goes by itself."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from tests.doubles.cloudinary import PretendCloudinary, pretend_cloudinary
from tests.instagram.pretend import Pretend, running
from tests.walks.program import environment, serving
from tests.walks.stage import Clock, opened, settings_for
from tintype.app import open_house
from tintype.instagram import Login

POSTS = 8
PATIENCE = 60.0
DAY = timedelta(days=1)


def named(cloud: PretendCloudinary) -> dict[str, str]:
    """What the environment of a server has to say to use it."""
    given = {name.upper(): value for name, value in cloud.settings.items()}
    return {name: value if isinstance(value, str) else f"127.0.0.1:{cloud.port}" for name, value in given.items()}


def put(pretend: Pretend) -> list[str]:
    """Put somebody on Instagram; return the ids of the posts."""
    pretend.post("/people", username="often.killed", media=0)
    shape = {"username": "often.killed", "kind": "IMAGE", "width": 64, "height": 80}
    return [str(pretend.post("/media", picture=number, **shape)["id"]) for number in range(POSTS)]


async def registered(pretend: Pretend, folder: Path) -> tuple[str, str]:
    """Register the person in a new data folder without a sync; return the ids of workspace and account."""
    async with open_house(settings_for(pretend, data=folder), work=False) as house:
        workspace, _ = await house.access.register("Killed")
        token = pretend.token("often.killed")
        login = Login.INSTAGRAM_LOGIN
        account = await house.accounts.add(workspace.id, login, "me", app_secret="secret", token=token)
        return workspace.id, account.id


async def killed(pretend: Pretend, folder: Path, cloud: PretendCloudinary, uploads: int) -> None:
    """Let a server sync, and kill it as soon as so many pictures arrived."""
    with serving(folder, environment(pretend, **named(cloud))) as (process, url):
        async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as client:
            (await client.post("/sync", json={"secret": "sync"})).raise_for_status()
        async with asyncio.timeout(PATIENCE):
            await cloud.reached(uploads)
        process.kill()
        process.wait()


@pytest.mark.parametrize("uploads", [1, 3, POSTS])
async def test_a_killed_sync_leaves_nothing_there_that_nobody_shows(tmp_path: Path, uploads: int) -> None:
    with running() as pretend:
        posts = put(pretend)
        workspace, account = await registered(pretend, tmp_path)
        async with pretend_cloudinary() as (cloud, _):
            await killed(pretend, tmp_path, cloud, uploads)
            before = set(cloud.pictures)
            assert len(before) >= uploads
            for number, media_id in enumerate(posts):  # so that what was put there and not swapped in never will be
                pretend.levers.patch(f"/_world/media/{media_id}", json={"picture": 100 + number}).raise_for_status()
            async with opened(pretend, Clock(), data=tmp_path, **cloud.settings) as stage:
                feed = stage.house.feed
                shown = await feed.hosting.addresses(workspace)
                assert {await stage.status(url) for url in shown.values()} <= {200}
                await feed.sync(account, deep=True)
                for _ in range(3):  # the claims of the killed sync lapse, then the grace begins, then it is over
                    await feed.hosting.collect(DAY)
                    stage.skip(DAY + timedelta(hours=1))
                await feed.hosting.collect(DAY)
                shown = await feed.hosting.addresses(workspace)
                assert len(shown) == POSTS
                assert {f"instagram-media/{digest}" for digest in shown} == set(cloud.pictures)
                assert not before & set(cloud.pictures)
                assert {await stage.status(url) for url in shown.values()} == {200}
