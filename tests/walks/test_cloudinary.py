"""Pictures at Cloudinary: there before they are shown, swapped without a gap, gone when nobody shows them, whatever fails."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.cloudinary import CLOUD, KEY, SECRET, PretendCloudinary, Refusal, pretend_cloudinary
from tests.instagram.pretend import running
from tests.servers import postgres_server
from tests.walks.stage import Clock, Member, Stage, opened, staged
from tintype.backends.vault import new_key
from tintype.core.access import Grant
from tintype.core.feed import Hosting
from tintype.events import MediaSynced

DAY = timedelta(days=1)  # the grace of what nobody shows
AWAY = Refusal(503, "Service Unavailable")


@pytest.fixture(scope="module")
async def cloud(anyio_backend: str) -> AsyncGenerator[PretendCloudinary]:
    del anyio_backend
    async with pretend_cloudinary() as (one, _):
        yield one


@pytest.fixture(scope="module")
async def stage(cloud: PretendCloudinary) -> AsyncGenerator[Stage]:
    async with staged(feed_copy_videos=True, **cloud.settings) as one:
        yield one


@pytest.fixture(autouse=True)
def _calm(request: pytest.FixtureRequest) -> None:
    """Let nothing be wrong at the beginning, and nobody rest from what was."""
    if "stage" in request.fixturenames and "cloud" in request.fixturenames:
        double, one = request.getfixturevalue("cloud"), request.getfixturevalue("stage")
        double.away, double.slow, double.secret = None, 0.0, SECRET
        double.troubles.clear()
        double.done.clear()
        hosting_of(one).pause.end()


def hosting_of(stage: Stage) -> Hosting:
    return stage.house.feed.hosting


def is_there(cloud: PretendCloudinary, url: object) -> bool:
    """Tell whether an address is Cloudinary's, in the folder of the media service's."""
    return str(url).startswith(f"{cloud.url}/{CLOUD}/image/upload/v") and "/instagram-media/" in str(url)


async def collected(stage: Stage) -> None:
    """Let the nights come that mark what nobody shows, and take it away."""
    await hosting_of(stage).collect(DAY)
    stage.skip(DAY + timedelta(hours=2))
    await hosting_of(stage).collect(DAY)


async def urls_of(member: Member) -> dict[str, str]:
    return {str(photo["id"]): str(photo["mediaUrl"]) for photo in await member.photos()}


def shown_by(member: Member, photos: list[dict[str, Any]]) -> set[str]:
    """The public ids of what a feed shows at Cloudinary."""
    shown = [one for photo in photos for one in (photo, *photo.get("children", ()))]
    urls = [str(url) for one in shown for url in (one["mediaUrl"], one.get("posterUrl")) if url]
    return {f"instagram-media/{url.rpartition('/')[2].partition('.')[0]}" for url in urls if not member.is_own(url)}


async def test_a_feed_shows_its_pictures_at_cloudinary(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member()
    photo, reel = one.post(), one.post("REELS")
    album = one.post("CAROUSEL_ALBUM", children=["IMAGE", "IMAGE"])
    await one.sync()
    shown = {each["id"]: each for each in await one.photos()}
    assert is_there(cloud, shown[photo]["mediaUrl"])
    assert one.is_own(shown[reel]["mediaUrl"])  # a video: Cloudinary has the pictures
    assert is_there(cloud, shown[reel]["posterUrl"])
    assert all(is_there(cloud, child["mediaUrl"]) for child in shown[album]["children"])
    assert shown_by(one, list(shown.values())) == cloud.tagged(one.workspace_id)
    assert one.is_own(shown[photo]["srcset"]["jpeg"])  # what Cloudinary would make of it is paid for by the piece
    answer = await stage.http.get(shown[photo]["mediaUrl"])
    digest = shown[photo]["mediaUrl"].rpartition("/")[2].partition(".")[0]
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content == await stage.house.backends.blobs.get(f"media/{digest[:2]}/{digest}/original.jpeg")


async def test_pages_of_ours_ask_our_server_alone(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member(2)
    key = (await stage.house.access.issue(one.workspace_id, Grant.FEED)).secret
    public = (await stage.http.get(f"/feeds/{key}.json")).json()["photos"]
    assert [one.is_own(each["mediaUrl"]) for each in public] == [True, True]
    assert [is_there(cloud, each["cdnUrl"]) for each in public] == [True, True]
    page = (await stage.http.get(f"/feeds/{key}.html")).text
    assert page.count("<img ") == 2
    assert cloud.url not in page


async def test_pictures_that_somebody_took_out_are_put_there_again(stage: Stage, cloud: PretendCloudinary) -> None:
    one, other = await stage.member(3), await stage.member(1)
    before = await urls_of(one)
    theirs = await urls_of(other)
    lost, kept = sorted(before)[:2], sorted(before)[2]
    for each in lost:
        del cloud.pictures[f"instagram-media/{before[each].rpartition('/')[2].partition('.')[0]}"]
    cloud.away = AWAY
    assert await hosting_of(stage).find_lost() == 0  # whoever is not answered knows nothing
    assert await urls_of(one) == before
    cloud.away = None
    assert await hosting_of(stage).find_lost() == 2
    meanwhile = await urls_of(one)
    assert [one.is_own(meanwhile[each]) for each in lost] == [True, True]
    assert (meanwhile[kept], await urls_of(other)) == (before[kept], theirs)
    assert {await stage.status(url) for url in meanwhile.values()} == {200}
    assert await hosting_of(stage).tend() == 2
    after = await urls_of(one)
    assert [is_there(cloud, after[each]) for each in lost] == [True, True]
    assert {await stage.status(url) for url in after.values()} == {200}
    assert len(cloud.tagged(one.workspace_id)) == 3
    assert (await hosting_of(stage).find_lost(), await hosting_of(stage).tend()) == (0, 0)


async def test_the_night_notices_what_somebody_took_out(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member(2)
    for public_id in cloud.tagged(one.workspace_id):
        del cloud.pictures[public_id]
    engine = stage.house.backends.engine
    done = await engine.outcome(await engine.enqueue("feed.collect"), wait=60)
    assert done.result is not None
    assert done.result["lost_by_cloud"] == 2
    assert all(one.is_own(url) for url in (await urls_of(one)).values())
    assert await hosting_of(stage).tend() == 2
    assert len(cloud.tagged(one.workspace_id)) == 2


async def test_a_changed_picture_is_swapped_without_a_gap(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member(2)
    media_id = (await one.ids())[0]
    before = (await urls_of(one))[media_id]
    cloud.done.clear()
    one.edit(media_id, picture=4712)
    await one.sync()
    after = (await urls_of(one))[media_id]
    assert is_there(cloud, after)
    assert after != before
    assert [verb for verb, _ in cloud.done] == ["upload"]
    for url in (before, after):  # pages out there still show the old one
        assert await stage.status(url) == 200
    await collected(stage)
    assert await stage.status(before) == 404
    for url in (await urls_of(one)).values():
        assert await stage.status(url) == 200


async def test_an_edit_puts_no_picture_again(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member(2)
    before = await urls_of(one)
    cloud.done.clear()
    one.edit((await one.ids())[0], caption="other words")
    await one.sync()
    assert cloud.done == []
    assert await urls_of(one) == before


async def test_a_deleted_post_leaves_cloudinary(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member(3)
    gone = (await one.ids())[1]
    url = (await urls_of(one))[gone]
    one.delete(gone)
    await one.sync()
    stage.skip(timedelta(hours=2))
    assert (await one.sync()).removed == 1
    assert await stage.status(url) == 200
    await collected(stage)
    assert await stage.status(url) == 404
    assert len(cloud.tagged(one.workspace_id)) == 2


async def test_cloudinary_away_keeps_no_feed_from_being_fresh(
    stage: Stage, cloud: PretendCloudinary, caplog: pytest.LogCaptureFixture
) -> None:
    one = await stage.member()
    for _ in range(20):
        one.post()
    cloud.away = AWAY
    asked = cloud.asked
    with caplog.at_level(logging.WARNING):
        assert (await one.sync()).photos == 20
    assert cloud.asked - asked <= 8  # those under way together; then it is left alone
    assert [is_there(cloud, url) for url in (await urls_of(one)).values()] == [False] * 20
    assert await one.assert_whole_feed() == []
    assert "Cloudinary answered 503" in caplog.text
    assert await hosting_of(stage).tend() == 0
    assert cloud.asked - asked <= 8
    standing = await hosting_of(stage).standing()
    assert standing is not None
    assert (standing.waiting, standing.problem) == (20, "Cloudinary answered 503 and nothing that can be used")
    ready = (await stage.http.get("/readyz")).json()
    assert ready["ready"]
    assert ready["cloudinary"]["waiting"] == 20

    cloud.away = None
    stage.skip(timedelta(minutes=2))
    stage.announced.clear()
    assert await hosting_of(stage).tend() == 20
    assert MediaSynced(one.workspace_id, one.account_id, changed=False) in stage.announced
    assert [is_there(cloud, url) for url in (await urls_of(one)).values()] == [True] * 20
    assert await hosting_of(stage).standing() != standing


@pytest.mark.parametrize(
    ("no", "rests"),
    [
        (Refusal(401, "Invalid Signature"), timedelta(minutes=2)),
        (Refusal(420, "Rate Limit Exceeded", ("Retry-After: 1200",)), timedelta(minutes=21)),
    ],
    ids=["signature", "rate"],
)
async def test_who_is_not_taken_rests_as_long_as_is_asked(
    stage: Stage, cloud: PretendCloudinary, no: Refusal, rests: timedelta
) -> None:
    cloud.away = no
    one = await stage.member(2)
    assert await one.assert_whole_feed() == []
    asked = cloud.asked
    stage.skip(rests - timedelta(minutes=1, seconds=10))
    cloud.away = None
    assert await hosting_of(stage).tend() == 0
    assert cloud.asked == asked
    stage.skip(timedelta(minutes=2))
    assert await hosting_of(stage).tend() == 2
    assert len(cloud.tagged(one.workspace_id)) == 2


async def test_a_picture_that_is_refused_keeps_no_other_back(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member()
    for _ in range(4):
        one.post()
    cloud.troubles.append(Refusal(400, "File size too large. Got 10485761."))
    await one.sync()
    assert sorted(is_there(cloud, url) for url in (await urls_of(one)).values()) == [False, True, True, True]
    asked = cloud.asked
    await hosting_of(stage).tend()
    assert cloud.asked == asked
    stage.skip(timedelta(minutes=2))
    assert await hosting_of(stage).tend() == 1
    assert [is_there(cloud, url) for url in (await urls_of(one)).values()] == [True] * 4


async def test_two_projects_with_one_picture_have_it_once_under_both_tags(
    stage: Stage, cloud: PretendCloudinary
) -> None:
    person = stage.person(1)
    first = await person.register()
    second = await person.register()
    assert cloud.tagged(first.workspace_id) == {
        one for one in cloud.pictures if one in shown_by(first, await first.photos())
    }
    await hosting_of(stage).collect(DAY)
    assert cloud.tagged(first.workspace_id) == cloud.tagged(second.workspace_id)
    assert await urls_of(first) == await urls_of(second)
    await stage.house.feed.erase(first.workspace_id)
    await collected(stage)
    assert cloud.tagged(first.workspace_id) == set()
    assert len(cloud.tagged(second.workspace_id)) == 1
    assert [await stage.status(url) for url in (await urls_of(second)).values()] == [200]


async def test_what_cannot_be_taken_away_is_tried_until_it_is(stage: Stage, cloud: PretendCloudinary) -> None:
    one = await stage.member(2)
    urls = list((await urls_of(one)).values())
    await stage.house.feed.erase(one.workspace_id, one.account_id)
    cloud.away = AWAY
    await collected(stage)
    standing = await hosting_of(stage).standing()
    assert standing is not None
    assert standing.leaving == 2
    cloud.away = None
    stage.skip(timedelta(minutes=15))
    await hosting_of(stage).tend()
    assert [await stage.status(url) for url in urls] == [404, 404]
    assert cloud.tagged(one.workspace_id) == set()


async def test_a_picture_on_its_way_out_that_comes_back_is_put_there_again(
    stage: Stage, cloud: PretendCloudinary
) -> None:
    person = stage.person(1)
    first = await person.register()
    await stage.house.feed.erase(first.workspace_id)
    cloud.away = AWAY
    await collected(stage)
    second = await person.register()
    assert await second.assert_whole_feed() == []  # never an address that is about to die
    cloud.away = None
    stage.skip(timedelta(minutes=15))
    await hosting_of(stage).tend()  # takes the old one away
    await hosting_of(stage).tend()
    assert [is_there(cloud, url) for url in (await urls_of(second)).values()] == [True]
    assert [await stage.status(url) for url in (await urls_of(second)).values()] == [200]
    assert len(cloud.tagged(second.workspace_id)) == 1


async def test_many_syncs_and_collections_at_once_leave_every_picture_in_place(
    stage: Stage, cloud: PretendCloudinary
) -> None:
    person = stage.person(6)
    members = [await person.register() for _ in range(3)]
    for round in range(3):
        for number, media_id in enumerate(await members[0].ids()):
            person.edit(media_id, picture=9000 + 10 * round + number % 4)
        await asyncio.gather(
            *(one.sync() for one in members), *(hosting_of(stage).collect(timedelta(0)) for _ in range(3))
        )
        await hosting_of(stage).tend()
    for one in members:
        urls = (await urls_of(one)).values()
        assert [is_there(cloud, url) for url in urls] == [True] * 6
        assert {await stage.status(url) for url in urls} == {200}


async def test_no_secret_is_kept_or_said(
    stage: Stage, cloud: PretendCloudinary, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        cloud.away = Refusal(401, "Invalid Signature 5fe1c0ffee. String to sign - 'public_id=x'.")
        await stage.member(2)
        cloud.away = None
        stage.skip(timedelta(minutes=2))
        await hosting_of(stage).tend()
    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("tintype"))
    assert "does not take our signature" in said
    assert not [word for word in (SECRET, KEY, "5fe1c0ffee") if word in said]
    assert SECRET not in caplog.text  # whoever says it
    kept = stage.kept().written()
    assert b"instagram-media/" in kept
    assert SECRET.encode() not in kept
    assert KEY.encode() not in kept


async def test_it_can_be_switched_on_and_off(cloud: PretendCloudinary, tmp_path: Path) -> None:
    cloud.away, cloud.slow, cloud.secret = None, 0.0, SECRET
    clock = Clock()
    with running() as pretend:
        async with opened(pretend, clock, data=tmp_path) as without:
            one = await without.member(5)
            assert await one.assert_whole_feed() == []
            assert await hosting_of(without).tend() == 0
        async with opened(pretend, clock, data=tmp_path, **cloud.settings) as stage:
            one = replace(one, stage=stage)
            assert await hosting_of(stage).tend() == 5
            assert [is_there(cloud, url) for url in (await urls_of(one)).values()] == [True] * 5
        async with opened(pretend, clock, data=tmp_path) as without:
            assert await replace(one, stage=without).assert_whole_feed() == []


async def test_on_postgres(cloud: PretendCloudinary) -> None:
    cloud.away, cloud.slow, cloud.secret = None, 0.0, SECRET
    with postgres_server() as url:
        async with staged(database_url=url, encryption_key=new_key(), **cloud.settings) as stage:
            one = await stage.member(4)
            first = await urls_of(one)
            assert [is_there(cloud, each) for each in first.values()] == [True] * 4
            one.edit((await one.ids())[0], picture=4713)
            cloud.away = AWAY
            await one.sync()
            cloud.away = None
            stage.skip(timedelta(minutes=2))
            assert await hosting_of(stage).tend() == 1
            await collected(stage)
            assert len(cloud.tagged(one.workspace_id)) == 4
            assert {await stage.status(each) for each in (await urls_of(one)).values()} == {200}
            await stage.house.feed.leave(one.workspace_id)
            await collected(stage)
            assert cloud.tagged(one.workspace_id) == set()
            assert await hosting_of(stage).tend() == 0
