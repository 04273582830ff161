"""Files from here: pictures are fetched from our own address, videos are sent when nobody could fetch them, both are put away."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.backends.films import film
from tests.backends.pictures import blank, picture
from tests.walks.posting import events, live, publish
from tests.walks.stage import Member, Stage, staged
from tintype.core.publishing import Draft, Item, ItemKind, Product, State
from tintype.core.publishing.work import swept


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(publish_video_upload="always") as opened:
        yield opened


async def uploaded(one: Member, data: bytes, content_type: str) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield data

    return await one.stage.house.publisher.keep_upload(one.workspace_id, chunks(), content_type)


async def test_a_picture_of_any_kind_is_fetched_from_here_as_a_jpeg_that_fits(stage: Stage) -> None:
    one = await stage.member()
    key = await uploaded(one, picture("png", 1200, 300), "image/png")
    post = await publish(one, Draft(Product.IMAGE, (Item(ItemKind.PICTURE, blob=key),), "Very wide"))
    assert post.state is State.PUBLISHED, post.failure
    url = post.parts[0].url
    assert url is not None
    assert url.startswith(f"{stage.house.settings.address()}/api/sns/instagram/files/")
    answer = await stage.http.get(url)
    assert answer.headers["content-type"] == "image/jpeg"
    shown = await stage.house.backends.images.inspect(answer.content)
    assert 0.8 <= shown.width / shown.height <= 1.91
    assert {"converted from png", "padded"} <= set(post.parts[0].notes)


async def test_the_pictures_of_a_carousel_take_the_ratio_of_the_first(stage: Stage) -> None:
    one = await stage.member()
    shapes = ((800, 800), (900, 500), (400, 500))
    keys = [await uploaded(one, picture("jpeg", *shape), "image/jpeg") for shape in shapes]
    items = tuple(Item(ItemKind.PICTURE, blob=key) for key in keys)
    post = await publish(one, Draft(Product.CAROUSEL, items, "Three in one"))
    assert post.state is State.PUBLISHED, post.failure
    ratios = {round((part.width or 0) / (part.height or 1), 2) for part in post.parts}
    assert ratios == {1.0}


async def test_a_video_is_sent_where_nobody_can_fetch_it(stage: Stage, tmp_path: Path) -> None:
    one = await stage.member()
    key = await uploaded(one, film(tmp_path / "clip.mp4", seconds=4).read_bytes(), "video/mp4")
    post = await publish(one, Draft(Product.REEL, (Item(ItemKind.VIDEO, blob=key),), "Sent"))
    assert post.state is State.PUBLISHED, post.failure
    assert "video.sent" in await events(stage, post)
    assert [item["id"] for item in live(one)] == [post.media_id]
    made = next(call for call in one.calls() if str(call["path"]).endswith("/media") and call["method"] == "POST")
    assert not any("video_url" in str(value) for value in made.values())


async def test_what_cannot_be_published_fails_before_instagram_hears_of_it(stage: Stage) -> None:
    one = await stage.member()
    key = await uploaded(one, b"no picture at all", "image/jpeg")
    post = await publish(one, Draft(Product.IMAGE, (Item(ItemKind.PICTURE, blob=key),)))
    assert post.state is State.FAILED
    assert post.failure is not None
    assert post.failure.message.startswith("Invalid image format. Supported: JPEG, PNG")
    assert not any(str(call["path"]).endswith("/media") and call["method"] == "POST" for call in one.calls())


async def test_files_are_put_away_when_no_post_needs_them(stage: Stage) -> None:
    one = await stage.member()
    publisher, blobs = stage.house.publisher, stage.house.backends.blobs
    waiting = await uploaded(one, blank(400, 400), "image/png")
    unused = await uploaded(one, blank(400, 401), "image/png")
    draft = Draft(Product.IMAGE, (Item(ItemKind.PICTURE, blob=waiting),))
    post = await publisher.create(one.workspace_id, one.account_id, draft, hold=True)
    assert await swept(publisher.resources) == 0
    stage.skip(timedelta(days=4))
    assert await swept(publisher.resources) > 0
    assert await blobs.head(waiting) is not None
    assert await blobs.head(unused) is None
    await publisher.cancel(one.workspace_id, post.id)
    assert await swept(publisher.resources) > 0
    assert await blobs.head(waiting) is None
