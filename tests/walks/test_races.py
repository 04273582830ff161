"""What happens in the middle of a sync: collections, deletions, and posts that cannot be copied however often."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.walks.stage import Member, Stage
from tests.walks.veil import with_videos
from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy, Stream
from tintype.core.feed import Feed
from tintype.core.feed.renditions import Renditions
from tintype.errors import Gone, Trouble

HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Passage:
    """A way out that lets something happen before the answer with the `at`-th picture arrives, and counts videos."""

    outbound: Outbound
    meanwhile: Callable[[], Awaitable[object]] | None = None
    at: int = 0
    pictures: int = 0
    videos: list[str] = field(default_factory=list[str])

    async def send(self, request: Outgoing, policy: Policy) -> Answer:
        answer = await self.outbound.send(request, policy)
        if "/me/media" not in request.url and request.url.split("?")[0].endswith((".jpg", ".jpeg")):
            self.pictures += 1
            if self.meanwhile and self.pictures == self.at:
                await self.meanwhile()
        return answer

    def stream(self, request: Outgoing, policy: Policy) -> AbstractAsyncContextManager[Stream]:
        self.videos.append(request.url)
        return self.outbound.stream(request, policy)

    async def close(self) -> None:
        await self.outbound.close()


def _through(feed: Feed, passage: Passage) -> Feed:
    return replace(feed, copies=replace(feed.copies, outbound=passage))


async def _revision(one: Member) -> str:
    return (await one.stage.house.feed.view(one.workspace_id)).revision


@pytest.mark.parametrize("strays_too", [HOUR, timedelta(days=1)])
async def test_a_collection_in_the_middle_of_a_sync_takes_no_copy_that_is_about_to_be_shown(
    stage: Stage, strays_too: timedelta
) -> None:
    others = _originals(stage)
    one = await stage.member(3)
    feed, renditions = stage.house.feed, stage.house.renditions
    await feed.erase(one.workspace_id, one.account_id)
    for key in _originals(stage) - others:
        await stage.house.backends.blobs.delete(key)  # so that it is seen when they are copied again

    async def collected() -> None:
        while len(_originals(stage) - others) < 2:  # noqa: ASYNC110 - files announce nothing
            await asyncio.sleep(0.01)
        await _collect(renditions, strays_too)

    passage = Passage(feed.copies.outbound, collected, at=3)
    await _through(feed, passage).sync(one.account_id)

    assert passage.pictures == 3
    assert await one.assert_whole_feed() == []
    assert len(await one.ids()) == 3


async def _collect(renditions: Renditions, strays_too: timedelta) -> None:
    await renditions.collect(timedelta(0), strays_too=strays_too)


def _originals(stage: Stage) -> set[str]:
    return {key for key in stage.files() if "/original." in key}


async def test_a_copy_that_is_being_dropped_is_not_claimed_and_made_again_later(stage: Stage) -> None:
    one = await stage.member(1)
    feed = stage.house.feed
    asset = (await feed.items(one.workspace_id))[0].picture
    assert asset is not None
    await feed.erase(one.workspace_id, one.account_id)
    now = datetime.now(UTC)
    await feed.records.mark_unused(now, now)
    assert asset.digest in await feed.records.condemn(now, now, left_before=now - HOUR)
    await one.sync()
    assert len(await one.assert_whole_feed()) == 1  # Instagram's own address meanwhile
    await feed.records.forget([asset.digest])
    await one.sync()
    assert await one.assert_whole_feed() == []


async def test_a_claim_that_nobody_fulfilled_lapses(stage: Stage) -> None:
    one = await stage.member(1)
    feed = stage.house.feed
    asset = (await feed.items(one.workspace_id))[0].picture
    assert asset is not None
    await feed.records.claim([replace(asset, digest="0" * 64, rendered=False)], datetime.now(UTC))
    assert "0" * 64 not in await feed.records.unrendered(1000)
    await stage.house.renditions.collect(timedelta(0), strays_too=HOUR)
    assert await feed.records.asset("0" * 64) is not None
    await stage.house.renditions.collect(timedelta(0))
    assert await feed.records.asset("0" * 64) is None
    assert await one.assert_whole_feed() == []


async def test_more_strays_than_one_statement_takes_are_collected(stage: Stage) -> None:
    kept, many = stage.kept(), 1001
    for number in range(many):
        kept.put(f"media/ff/{number:064x}/original.jpeg", b"x")
    assert await stage.house.renditions.collect(timedelta(days=1), strays_too=timedelta(0)) == many


async def test_what_is_deleted_in_the_middle_of_a_sync_stays_deleted(stage: Stage) -> None:
    one = await stage.person(3).register()
    feed, accounts = stage.house.feed, stage.house.accounts
    await feed.erase(one.workspace_id, one.account_id)

    async def deleted() -> None:
        await accounts.disconnect(one.workspace_id, one.account_id)
        await feed.erase(one.workspace_id, one.account_id)

    with pytest.raises(Gone):
        await _through(feed, Passage(feed.copies.outbound, deleted, at=2)).sync(one.account_id)
    assert await one.photos() == []
    with pytest.raises(Trouble):
        await one.sync()
    assert (await feed.standings(one.workspace_id))[one.account_id].problem is None


async def test_no_revision_comes_again(stage: Stage) -> None:
    one = await stage.member(1)
    seen = [await _revision(one)]
    await stage.house.feed.erase(one.workspace_id, one.account_id)
    seen.append(await _revision(one))
    await one.sync()
    seen.append(await _revision(one))
    assert len(set(seen)) == 3


async def test_a_video_that_cannot_be_copied_is_downloaded_ever_more_seldom(stage: Stage) -> None:
    one = await stage.member()
    one.fault("cdn.video", "wrong_type", times=None)
    media_id = one.post("VIDEO")
    passage = Passage(stage.house.feed.copies.outbound)
    feed = _through(with_videos(stage.house.feed), passage)
    await feed.sync(one.account_id)
    revision, shown = await _revision(one), await one.photo(media_id)
    tries: list[int] = []
    for _ in range(8):
        await feed.sync(one.account_id)
        tries.append(len(passage.videos))
        stage.skip(HOUR / 2)
    assert tries == [2, 2, 3, 3, 3, 3, 4, 4]
    assert await _revision(one) == revision
    assert await one.photo(media_id) == shown
    stage.calm()
    stage.skip(4 * HOUR)
    await feed.sync(one.account_id)
    assert one.is_own((await one.photo(media_id))["mediaUrl"])
