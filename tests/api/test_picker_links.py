"""Links to media of Instagram's: they outlive its addresses, and say why when what they name is gone."""

from datetime import timedelta

import pytest

from tests.api.test_meta_isolation import request_of
from tests.api.websites import Website, website
from tests.walks.stage import Stage
from tintype.core.files import StoreOptions
from tintype.events import FileStored
from tintype.instagram import App


@pytest.fixture(scope="module")
async def shop(stage: Stage) -> Website:
    return await website(stage, await stage.member())


def place(handle: str) -> str:
    return f"/api/file/{handle}"


async def test_a_link_shows_the_picture_and_its_facts(shop: Website) -> None:
    media = shop.member.post()
    handle = await shop.link(media)
    answer = await shop.http.get(place(handle))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    await shop.stage.assert_whole(place(handle))
    said = (await shop.http.get(f"{place(handle)}/metadata", params={"size": "true", "filename": "true"})).json()
    assert said == {"size": len(answer.content), "filename": f"{media}.jpg"}
    some = await shop.http.get(place(handle), headers={"Range": "bytes=2-5"})
    assert (some.status_code, some.content) == (206, answer.content[2:6])
    again = await shop.http.get(place(handle), headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    head = await shop.http.head(place(handle))
    assert head.headers["content-length"] == str(len(answer.content))
    assert FileStored(shop.member.workspace_id, shop.app_id, handle) in shop.stage.announced


async def test_a_link_outlives_the_address_that_it_was_made_with(shop: Website) -> None:
    handle = await shop.link(shop.member.post())
    first = await shop.http.get(place(handle))
    shop.stage.pretend.post("/clock", advance_seconds=timedelta(days=30).total_seconds())
    later = await shop.http.get(place(handle))
    assert (later.status_code, later.content) == (200, first.content)


async def test_a_picture_of_a_carousel_is_linked_by_itself(shop: Website) -> None:
    media = shop.member.post("CAROUSEL_ALBUM")
    grip = await shop.stage.house.accounts.open(shop.member.account_id)
    post = await shop.stage.house.picking.files.links.medium(grip.account.id, media)
    assert len(post.children) > 1
    bodies = set[bytes]()
    for child in post.children:
        handle = await shop.link(media, child.id)
        bodies.add((await shop.http.get(place(handle))).content)
    assert len(bodies) == len(post.children)


async def test_what_was_deleted_on_instagram_is_gone_and_says_so(shop: Website) -> None:
    media = shop.member.post()
    handle = await shop.link(media)
    shop.member.delete(media)
    await forget(shop, media)
    for _ in range(2):
        answer = await shop.http.get(place(handle))
        assert answer.status_code == 410
        assert "deleted on Instagram" in answer.json()["error"]["message"]
    assert (await shop.http.get(f"{place(handle)}/metadata")).status_code == 410


async def test_a_copy_outlives_its_medium(shop: Website) -> None:
    media = shop.member.post()
    picking = shop.stage.house.picking
    account = await picking.accounts.get(shop.member.workspace_id, shop.member.account_id)
    app = await picking.apps.by_key(shop.key)
    file = await picking.files.copy(app, account, media, None, StoreOptions(path="insta/"))
    shop.member.delete(media)
    await forget(shop, media)
    answer = await shop.http.get(place(file.handle))
    assert answer.status_code == 200
    said = (await shop.http.get(f"{place(file.handle)}/metadata", params={"cloud": "true", "path": "true"})).json()
    assert said == {"cloud": "Instagram", "path": f"insta/{file.handle}_{media}.jpg"}


async def test_a_link_without_access_is_gone_until_the_account_is_connected_again(stage: Stage) -> None:
    shop = await website(stage, await stage.member())
    media = shop.member.post()
    handle = await shop.link(media)
    await stage.house.accounts.disconnect(shop.member.workspace_id, shop.member.account_id)
    await forget(shop, media)
    answer = await shop.http.get(place(handle))
    assert answer.status_code == 410
    assert "revoked" in answer.json()["error"]["message"]
    await shop.member.reconnect()
    await forget(shop, media)
    assert (await shop.http.get(place(handle))).status_code == 200


async def test_overwriting_makes_a_copy_of_a_link(shop: Website) -> None:
    media = shop.member.post()
    handle = await shop.link(media)
    answer = await shop.http.post(place(handle), content=b"words", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["key"] == f"{handle}_{media}.jpg"
    assert (await shop.http.get(place(handle))).content == b"words"


async def test_whoever_asks_instagram_to_be_forgotten_is_forgotten_here(stage: Stage) -> None:
    shop = await website(stage, await stage.member())
    picking = stage.house.picking
    account = await picking.accounts.get(shop.member.workspace_id, shop.member.account_id)
    link = await shop.link(shop.member.post())
    app = await picking.apps.by_key(shop.key)
    copy = await picking.files.copy(app, account, shop.member.post(), None, StoreOptions())
    other = await shop.store(b"words", kind="text/plain")
    await picking.accounts.set_app(account.workspace_id, App(account.login, "4711", "an app of their own"))
    answer = await shop.http.post("/meta/data-deletion", data=request_of(account.instagram_id, "an app of their own"))
    assert answer.status_code == 200, answer.text
    for handle in (link, copy.handle):
        assert (await shop.http.get(place(handle))).status_code == 404
        assert await picking.files.records.get(handle) is None
    assert (await shop.http.get(other["url"])).status_code == 200


async def forget(shop: Website, media_id: str) -> None:
    """Let what is remembered of a medium's address be over."""
    await shop.stage.house.backends.cache.delete(f"file:{shop.member.account_id}:{media_id}")
