"""Kill a real server in the middle of its first sync, and look at what it left and at what the next one makes of it."""

import asyncio
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2

from tests import profile
from tests.beside import Kept
from tests.instagram.pretend import Pretend
from tests.walks.program import environment, serving
from tests.walks.stage import settings_for
from tintype.app import open_house
from tintype.backends.images import Images
from tintype.instagram import Login
from tintype.settings import Settings

PATIENCE = 60.0  # seconds for anything on a busy machine


@dataclass(frozen=True, slots=True)
class Scene:
    """A data folder with one account that was never synced, and a token to read its feed."""

    pretend: Pretend
    folder: Path
    token: str
    posts: int

    def environment(self) -> Mapping[str, str]:
        """What a server of this scene is started with."""
        return environment(self.pretend)

    def kept(self) -> Kept:
        """What was stored, looked at without a server."""
        return Kept.at(self.folder)


def prepare(pretend: Pretend, folder: Path, posts: int) -> Scene:
    """Put somebody on Instagram, and their account, not synced yet, into a new data folder."""
    username = "often.killed"
    pretend.post("/people", username=username, media=0)
    now = int(float(str(pretend.get("")["now"])))
    for number in range(posts):
        pretend.post(
            "/media", username=username, kind="IMAGE", width=160, height=200, timestamp=now - 60 * (posts - number)
        )
    token = asyncio.run(_register(_settings(pretend, folder), pretend.token(username)))
    return Scene(pretend, folder, token, posts)


async def _register(settings: Settings, token: str) -> str:
    async with open_house(settings, work=False) as house:
        workspace, issued = await house.access.register("Killed")
        await house.accounts.add(workspace.id, Login.INSTAGRAM_LOGIN, "me", app_secret="secret", token=token)
    return issued.secret


def copied(scene: Scene, folder: Path) -> Scene:
    """The same scene in a folder of its own."""
    profile.copied(scene.folder, folder)
    return Scene(scene.pretend, folder, scene.token, scene.posts)


@contextmanager
def server(scene: Scene) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """Run a server of this scene; yield it and its address."""
    with serving(scene.folder, scene.environment()) as found:
        yield found


def sync(url: str) -> None:
    """Ask for a sync; it is accepted when this returns."""
    httpx2.post(f"{url}/sync", json={"secret": "sync"}, timeout=PATIENCE).raise_for_status()


def photos(scene: Scene, url: str) -> list[dict[str, object]]:
    """The feed as a website reads it."""
    answer = httpx2.get(f"{url}/photos", headers={"Authorization": f"Bearer {scene.token}"}, timeout=PATIENCE)
    return answer.raise_for_status().json()["data"]["photos"]


def wait_for(scene: Scene, url: str) -> None:
    """Wait until the feed is complete and all of its sizes are made, without asking for anything."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if len(photos(scene, url)) == scene.posts and _unrendered(scene) == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"{len(photos(scene, url))} of {scene.posts} posts, {_unrendered(scene)} without their sizes")


def kill_after(scene: Scene, seconds: float) -> None:
    """Start a server, ask for the first sync, and kill it so much later."""
    with server(scene) as (process, url):
        sync(url)
        time.sleep(seconds)
        process.kill()


def whole_time(scene: Scene) -> float:
    """Seconds from asking for the first sync to the end of all of its work."""
    with server(scene) as (_, url):
        sync(url)
        begun = time.monotonic()
        wait_for(scene, url)
        return time.monotonic() - begun


def assert_nothing_broken_is_referenced(scene: Scene) -> None:
    """Check, without any server, that each copy on record lies whole in the folder."""
    kept = scene.kept()
    rows = kept.rows("SELECT digest, format FROM assets WHERE claimed_at IS NULL")
    shown = kept.rows("SELECT picture FROM media WHERE picture IS NOT NULL")
    assert {digest for (digest,) in shown} <= {digest for digest, _ in rows}
    asyncio.run(_assert_whole(kept, [f"media/{digest[:2]}/{digest}/original.{kind}" for digest, kind in rows]))


def assert_repaired(scene: Scene) -> None:
    """Check that the next start brings the sync to its end by itself, and shows whole pictures of its own only."""
    with server(scene) as (_, url):
        wait_for(scene, url)
        for photo in photos(scene, url):
            assert str(photo["mediaUrl"]).startswith(f"{url}/m/")
            httpx2.get(str(photo["mediaUrl"]), timeout=PATIENCE).raise_for_status()


def assert_no_orphans(scene: Scene) -> None:
    """Check that after a collection every file is whole and one of a copy that a post shows."""
    asyncio.run(_collect(_settings(scene.pretend, scene.folder)))
    kept = scene.kept()
    shown = {digest for (digest,) in kept.rows("SELECT picture FROM media WHERE picture IS NOT NULL")}
    files = list(kept.files())
    assert {key.split("/")[-2] for key in files} == shown
    asyncio.run(_assert_whole(kept, files))


async def _collect(settings: Settings) -> None:
    async with open_house(settings, work=False) as house:
        await house.renditions.collect(timedelta(0))


async def _assert_whole(kept: Kept, files: list[str]) -> None:
    images = Images(1)
    try:
        for key in files:
            await images.inspect(kept.content(key))
    finally:
        await images.close()


def _unrendered(scene: Scene) -> int:
    ((count,),) = scene.kept().rows("SELECT count(*) FROM assets WHERE NOT rendered")
    return int(count)


def _settings(pretend: Pretend, folder: Path) -> Settings:
    return settings_for(pretend, data=folder)
