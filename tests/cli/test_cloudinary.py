"""Cloudinary from the command line: what `doctor` says of it, and what `export` and `erase` do with the pictures there."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import run
from tests.doubles.cloudinary import SECRET, PretendCloudinary, Refusal, pretend_cloudinary
from tests.profile import environment as on_the_profile
from tests.walks.stage import Stage, staged

pytestmark = pytest.mark.timeout(300)  # program after program, each of which takes seconds on a busy machine


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio is what the product runs on."""
    return "asyncio"


@pytest.fixture
async def cloud(anyio_backend: str) -> AsyncGenerator[PretendCloudinary]:
    del anyio_backend
    async with pretend_cloudinary() as (one, _):
        yield one


def named(cloud: PretendCloudinary) -> dict[str, str]:
    """What the environment of a command has to say to use it."""
    given = {name.upper(): value for name, value in cloud.settings.items()}
    return {name: value if isinstance(value, str) else f"127.0.0.1:{cloud.port}" for name, value in given.items()}


async def told(folder: Path, *arguments: str, **environment: str) -> Any:
    """Run a command while its Cloudinary answers here, and return what it says as JSON."""
    done = await asyncio.to_thread(run, folder, *arguments, "--json", **environment)
    assert SECRET not in done.stdout + done.stderr
    return json.loads(done.stdout), done.stderr


async def finding(folder: Path, *arguments: str, **environment: str) -> tuple[str, str]:
    found, _ = await told(folder, "doctor", "--data", "data", *arguments, **environment)
    mine = next(one for one in found if one["check"] == "cloudinary")
    return mine["state"], mine["found"]


async def test_doctor_says_how_it_stands_with_cloudinary(tmp_path: Path, cloud: PretendCloudinary) -> None:
    given = named(cloud)
    half = {"CLOUDINARY_API_SECRET": SECRET}
    assert await finding(tmp_path, **half) == ("fail", "the cloud is set by half, so own copies are shown")
    assert await finding(tmp_path, **given) == ("ok", "takes our signature; nothing lies there yet")
    real = {name: value for name, value in given.items() if name != "CLOUDINARY_UPLOAD_PREFIX"}
    assert await finding(tmp_path, **real) == ("ok", "not asked; nothing lies there yet")
    cloud.secret = "another"
    state, said = await finding(tmp_path, **given)
    assert state == "fail"
    assert "does not take our signature" in said
    assert cloud.pictures == {}


def house_of(stage: Stage, cloud: PretendCloudinary) -> dict[str, str]:
    """The environment of commands beside a running house."""
    data = stage.house.settings.data
    return {"TINTYPE_DATA": str(data), **named(cloud), **on_the_profile(data)}


async def test_a_workspace_is_given_out_and_leaves_cloudinary(tmp_path: Path, cloud: PretendCloudinary) -> None:
    async with staged(**cloud.settings) as stage:
        gone, stays = await stage.member(3), await stage.member(2)
        house = house_of(stage, cloud)
        assert (len(cloud.tagged(gone.workspace_id)), len(cloud.tagged(stays.workspace_id))) == (3, 2)
        found, _ = await told(tmp_path, "doctor", **house)
        said = next(one["found"] for one in found if one["check"] == "cloudinary")
        assert said == "takes our signature; 5 pictures lie there, 0 wait, 0 are to go"

        await told(tmp_path, "export", "--workspace", gone.workspace_id, "-o", "out", **house)
        assert len(list((tmp_path / "out" / "files" / "media").rglob("original.*"))) == 3
        _, noted = await told(tmp_path, "erase", "--workspace", gone.workspace_id, "--yes", **house)
        assert "Cloudinary" not in noted
        assert cloud.tagged(gone.workspace_id) == set()
        assert set(cloud.pictures) == cloud.tagged(stays.workspace_id)
        assert await stays.assert_whole_feed() == [photo["mediaUrl"] for photo in await stays.photos()]


async def test_an_erasure_while_cloudinary_is_away_is_brought_to_its_end(
    tmp_path: Path, cloud: PretendCloudinary
) -> None:
    async with staged(**cloud.settings) as stage:
        gone = await stage.member(2)
        cloud.away = Refusal(503, "Service Unavailable")
        house = house_of(stage, cloud)
        _, noted = await told(tmp_path, "erase", "--workspace", gone.workspace_id, "--yes", **house)
        assert "2 pictures are still at Cloudinary" in noted
        assert len(cloud.pictures) == 2
        cloud.away = None
        stage.skip(timedelta(minutes=15))
        assert await stage.house.feed.hosting.tend() == 2
        assert cloud.pictures == {}


async def test_feed_collect_takes_away_there_too(tmp_path: Path, cloud: PretendCloudinary) -> None:
    async with staged(**cloud.settings) as stage:
        one = await stage.member(2)
        before = set(cloud.pictures)
        one.edit((await one.ids())[0], picture=4714)
        await one.sync()
        house = house_of(stage, cloud)
        await told(tmp_path, "feed", "collect", "--grace", "0", **house)
        assert len(before & set(cloud.pictures)) == 1
        assert set(cloud.pictures) == cloud.tagged(one.workspace_id)
        cloud.pictures.clear()
        said, noted = await told(tmp_path, "feed", "collect", **house)
        assert (said["lost"], "2 pictures are at Cloudinary no longer" in noted) == (2, True)
        assert await stage.house.feed.hosting.tend() == 2
        assert set(cloud.pictures) == cloud.tagged(one.workspace_id) != set()
