"""Pictures and videos that cannot be copied: nothing broken is ever shown, and what stands in for it is retried."""

from datetime import timedelta

import pytest

from tests.walks.stage import Stage
from tests.walks.veil import hurried, thumbless, with_videos
from tintype.core.feed import Feed

LIFE = timedelta(days=4)  # of a picture's address at Instagram

BROKEN = ["truncate", "wrong_type", "status", "reset", "html"]


@pytest.fixture
def copying(stage: Stage) -> Feed:
    """The feed that copies videos too."""
    return with_videos(stage.house.feed)


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_new_picture_that_cannot_be_copied_shows_instagrams_address_and_is_retried(
    stage: Stage, kind: str
) -> None:
    one = await stage.member()
    one.fault("cdn.image", kind, times=None)
    media_id = one.post()
    await one.sync()
    stage.calm()
    shown = (await one.photo(media_id))["mediaUrl"]
    assert shown.startswith(stage.pretend.origin)
    assert await stage.status(shown) == 200
    assert (await one.sync()).stored == 1
    assert one.is_own((await one.photo(media_id))["mediaUrl"])
    assert await one.assert_whole_feed() == []
    assert (await one.sync()).stored == 0


async def test_a_picture_that_drips_in_is_given_up(stage: Stage) -> None:
    one = await stage.member()
    one.fault("cdn.image", "drip")
    media_id = one.post()
    await hurried(one).sync(one.account_id)
    assert not one.is_own((await one.photo(media_id))["mediaUrl"])
    await one.sync()
    assert await one.assert_whole_feed() == []


@pytest.mark.parametrize("kind", BROKEN)
async def test_the_previous_copy_stays_while_the_new_picture_cannot_be_copied(stage: Stage, kind: str) -> None:
    one = await stage.member(2)
    media_id = (await one.ids())[0]
    before = (await one.photo(media_id))["mediaUrl"]
    one.edit(media_id, picture=31, caption="new picture")
    one.fault("cdn.image", kind, times=None)
    await one.sync()
    assert (await one.photo(media_id))["mediaUrl"] == before
    assert (await one.photo(media_id))["caption"] == "new picture"
    stage.calm()
    await one.sync()
    after = (await one.photo(media_id))["mediaUrl"]
    assert after != before
    await stage.assert_whole(after)
    assert (await one.sync()).stored == 0


async def test_an_address_that_expired_meanwhile_is_asked_for_once_more(stage: Stage) -> None:
    one = await stage.member()
    one.fault("cdn.image", "expired_token")
    media_id = one.post()
    asked = len(one.calls())
    await one.sync()
    assert one.is_own((await one.photo(media_id))["mediaUrl"])
    assert [call["path"] for call in one.calls()[asked:]].count(f"/v25.0/{media_id}") == 1


async def test_an_address_that_is_over_is_not_shown(stage: Stage) -> None:
    one = await stage.member(1)
    one.fault("cdn.image", "status", status=503, times=None)
    stage.pretend.post("/clock", advance_seconds=-LIFE.total_seconds())
    try:
        media_id = one.post()
        await one.sync()
        shown = await one.photos()
    finally:
        stage.pretend.post("/clock", advance_seconds=LIFE.total_seconds())
        stage.calm()
    assert media_id not in [photo["id"] for photo in shown]
    await one.sync()
    assert one.is_own((await one.photo(media_id))["mediaUrl"])


async def test_a_video_whose_sound_was_flagged_shows_its_poster(stage: Stage, copying: Feed) -> None:
    one = await stage.member()
    media_id = one.post("REELS", no_media_url=True)
    await copying.sync(one.account_id)
    shown = await one.photo(media_id)
    assert shown["mediaType"] == "VIDEO"
    assert shown["mediaUrl"] == shown["posterUrl"]
    assert one.is_own(shown["posterUrl"])
    await stage.assert_whole(shown["posterUrl"])
    assert (await copying.sync(one.account_id)).stored == 0


async def test_a_video_without_a_thumbnail_gets_one_of_its_frames(stage: Stage) -> None:
    one = await stage.member()
    media_id = one.post("VIDEO")
    await thumbless(one).sync(one.account_id)
    shown = await one.photo(media_id)
    assert one.is_own(shown["mediaUrl"])
    assert one.is_own(shown["posterUrl"])
    await stage.assert_whole(shown["posterUrl"])
    assert (await thumbless(one).sync(one.account_id)).stored == 0


@pytest.mark.parametrize("kind", ["truncate", "wrong_type"])
async def test_a_broken_video_is_not_shown_as_ours(stage: Stage, copying: Feed, kind: str) -> None:
    one = await stage.member()
    one.fault("cdn.video", kind, times=None)
    media_id = one.post("VIDEO")
    await copying.sync(one.account_id)
    stage.calm()
    shown = await one.photo(media_id)
    assert shown["mediaUrl"].startswith(stage.pretend.origin)
    assert one.is_own(shown["posterUrl"])
    await copying.sync(one.account_id)
    assert one.is_own((await one.photo(media_id))["mediaUrl"])
    assert await one.assert_whole_feed() == []


async def test_a_video_that_is_not_copied_on_purpose_is_not_written_again_and_again(stage: Stage) -> None:
    one = await stage.member()
    media_id = one.post("VIDEO")
    await one.sync()
    before = (await one.photo(media_id))["mediaUrl"]
    assert before.startswith(stage.pretend.origin)
    assert (await one.sync()).stored == 0
    stage.skip(timedelta(hours=11))
    assert (await one.sync()).stored == 1
    assert (await one.photo(media_id))["mediaUrl"] != before
