"""What people do on Instagram arrives: edits, new posts, other children, deleted posts and posts that come back."""

from datetime import timedelta
from itertools import pairwise

from tests.walks.stage import Stage
from tests.walks.veil import rearranged, veiled
from tintype.events import MediaSynced

HOUR = timedelta(hours=1)  # the spacing of the two looks before a post counts as deleted


async def test_a_new_post_and_an_edit_arrive(stage: Stage) -> None:
    one = await stage.member(3)
    new = one.post(caption="just baked")
    edited = (await one.ids())[0]
    one.edit(edited, caption="said better", alt_text="two loaves")
    stage.announced.clear()

    report = await one.sync()

    assert (report.photos, report.stored, report.removed) == (4, 2, 0)
    assert (await one.ids())[0] == new
    assert (await one.photo(edited))["caption"] == "said better"
    assert (await one.photo(edited))["altText"] == "two loaves"
    assert MediaSynced(one.workspace_id, one.account_id, changed=True) in stage.announced
    assert await one.assert_whole_feed() == []


async def test_an_edit_copies_no_picture_again(stage: Stage) -> None:
    one = await stage.member(2)
    files = stage.files()
    one.edit((await one.ids())[1], caption="other words")
    asked = len(one.calls())
    assert (await one.sync()).stored == 1
    assert not [call for call in one.calls()[asked:] if call["host"] != "graph.instagram.com"]
    originals = {path for path in stage.files() if "original" in path}
    assert originals == {path for path in files if "original" in path}


async def test_without_an_alt_text_the_caption_speaks(stage: Stage) -> None:
    one = await stage.member()
    media_id = one.post(caption="A red door. Behind it a cat. #door", alt_text="")
    await one.sync()
    assert (await one.photo(media_id))["altText"] == "A red door."


async def test_a_replaced_picture_is_copied_and_the_old_one_stays_for_a_while(stage: Stage) -> None:
    one = await stage.member(2)
    media_id = (await one.ids())[0]
    before = (await one.photo(media_id))["mediaUrl"]
    one.edit(media_id, picture=4711)
    await one.sync()
    after = (await one.photo(media_id))["mediaUrl"]
    assert one.is_own(after)
    assert after != before
    await stage.assert_whole(after)
    await stage.assert_whole(before)


async def test_other_children_of_a_carousel_arrive(stage: Stage) -> None:
    one = await stage.member()
    album = one.post("CAROUSEL_ALBUM", children=["IMAGE", "IMAGE"])
    await one.sync()
    before = (await one.photo(album))["children"]
    child = before[1]["id"]
    one.edit(child, picture=99)
    assert (await one.sync()).stored == 1
    after = (await one.photo(album))["children"]
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert after[0]["mediaUrl"] == before[0]["mediaUrl"]
    assert after[1]["mediaUrl"] != before[1]["mediaUrl"]
    assert await one.assert_whole_feed() == []


async def test_the_children_of_an_album_change_places_go_and_come_back(stage: Stage) -> None:
    one = await stage.member(2)
    album = one.post("CAROUSEL_ALBUM", children=["IMAGE", "VIDEO", "IMAGE"])
    await one.sync()
    children = [each["id"] for each in (await one.photo(album))["children"]]
    for places in ((2, 1, 0), (1, 2), (0, 1, 2), (), (0, 2)):
        feed = rearranged(one, album, places)
        assert (await feed.sync(one.account_id)).stored == 1
        assert [each["id"] for each in (await one.photo(album))["children"]] == [children[place] for place in places]
        assert (await feed.sync(one.account_id)).stored == 0


async def test_a_deleted_post_goes_after_two_spaced_looks(stage: Stage) -> None:
    one = await stage.member(6)
    gone = (await one.ids())[2]
    one.delete(gone)

    assert (await one.sync()).removed == 0
    assert gone in await one.ids()
    stage.skip(HOUR / 2)
    assert (await one.sync()).removed == 0
    assert gone in await one.ids()
    stage.skip(HOUR)
    assert (await one.sync()).removed == 1
    assert gone not in await one.ids()
    assert len(await one.ids()) == 5


async def test_an_old_deleted_post_is_found_by_the_nightly_pass(stage: Stage) -> None:
    one = await stage.member(60)
    oldest = (await one.ids())[-1]
    one.delete(oldest)
    asked = len(one.calls())
    await one.sync()
    assert len(one.calls()) - asked == 1
    stage.skip(timedelta(hours=21))
    await one.sync()
    stage.skip(timedelta(hours=21))
    assert (await one.sync()).removed == 1
    assert oldest not in await one.ids()


async def test_a_post_that_comes_back_is_shown_again(stage: Stage) -> None:
    one = await stage.member(5)
    hidden = (await one.ids())[1]
    bad_hour = veiled(one, hidden, gone=True)
    await bad_hour.sync(one.account_id)
    stage.skip(2 * HOUR)
    assert (await bad_hour.sync(one.account_id)).removed == 1
    assert hidden not in await one.ids()
    await one.sync()
    assert (await one.ids())[1] == hidden
    assert await one.assert_whole_feed() == []


async def test_an_album_that_comes_back_has_its_children_and_is_known_again(stage: Stage) -> None:
    one = await stage.member()
    album = one.post("CAROUSEL_ALBUM", children=["IMAGE", "IMAGE"])
    one.post()
    one.post()
    await one.sync()
    before = (await one.photo(album))["children"]
    bad_hour = veiled(one, album, gone=True)
    await bad_hour.sync(one.account_id, deep=True)
    stage.skip(2 * HOUR)
    assert (await bad_hour.sync(one.account_id, deep=True)).removed == 1
    await one.sync(deep=True)
    assert (await one.photo(album))["children"] == before
    assert (await one.sync(deep=True)).stored == 0


async def test_a_post_seen_between_two_misses_is_no_suspect_any_more(stage: Stage) -> None:
    one = await stage.member(5)
    hidden = (await one.ids())[1]
    bad_hour = veiled(one, hidden, gone=True)
    for _ in range(3):
        assert (await bad_hour.sync(one.account_id)).removed == 0
        stage.skip(2 * HOUR)
        await one.sync()
        stage.skip(2 * HOUR)
    assert hidden in await one.ids()


async def test_a_post_that_can_be_read_stays_although_the_list_leaves_it_out(stage: Stage) -> None:
    one = await stage.member(5)
    archived = (await one.ids())[2]
    for _ in range(3):
        await veiled(one, archived).sync(one.account_id)
        stage.skip(2 * HOUR)
    assert archived in await one.ids()


async def test_at_most_a_fifth_goes_in_one_pass(stage: Stage) -> None:
    one = await stage.member(10)
    for media_id in (await one.ids())[1:9]:
        one.delete(media_id)
    left: list[int] = []
    for _ in range(5):
        await one.sync(deep=True)
        stage.skip(2 * HOUR)
        left.append(len(await one.ids()))
    assert left[0] == 10
    assert all(before - after <= 2 for before, after in pairwise(left))
    assert left[-1] < 10


async def test_an_empty_list_deletes_nothing(stage: Stage) -> None:
    one = await stage.member(3)
    for _ in range(3):
        assert (await veiled(one, everything=True).sync(one.account_id, deep=True)).photos == 3
        stage.skip(2 * HOUR)
    assert len(await one.ids()) == 3


async def test_who_deletes_everything_has_an_empty_feed_in_the_end(stage: Stage) -> None:
    one = await stage.member(3)
    for media_id in await one.ids():
        one.delete(media_id)
    for _ in range(8):
        await one.sync()
        stage.skip(2 * HOUR)
    assert await one.ids() == []


async def test_trouble_while_looking_for_a_missing_post_does_not_keep_back_new_ones(stage: Stage) -> None:
    one = await stage.member(4)
    missing = (await one.ids())[1]
    new = one.post()
    one.fault("graph.media_item", "status", status=500, times=None)
    try:
        await veiled(one, missing).sync(one.account_id)
    finally:
        stage.calm()
    assert (await one.ids())[0] == new
    assert missing in await one.ids()
