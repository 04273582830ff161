"""The first walk of the house: a photo, from Instagram to a website."""

import httpx2

from tests.walks.stage import Member, Stage
from tintype.core.access import Grant
from tintype.events import AccountChanged, MediaSynced


async def test_a_photo_comes_from_instagram_to_a_website(stage: Stage) -> None:
    one = await stage.member(2)
    photo = one.post(caption="The first loaf. It steams.", alt_text="a loaf")
    stage.announced.clear()

    answer = await stage.http.post("/sync", json={"secret": "sync"})
    jobs = answer.json()["data"]["summary"]["queuedTasks"]
    assert len(jobs) == answer.json()["data"]["summary"]["totalTenants"]
    for job in jobs:
        assert (await stage.house.backends.engine.outcome(job, wait=30)).error is None

    # Announced when it was true: whoever hears of it reads the new list.
    assert MediaSynced(one.workspace_id, one.account_id, changed=True) in stage.announced
    asked = len(stage.pretend.calls())
    shown = (await one.photos())[0]
    assert (shown["id"], shown["caption"], shown["altText"]) == (photo, "The first loaf. It steams.", "a loaf")
    assert await one.assert_whole_feed() == []
    await _look_as_a_website(one, photo)
    assert len(stage.pretend.calls()) == asked


async def _look_as_a_website(one: Member, photo: str) -> None:
    """Read the public feed with its key, ask again with its tag, and fetch a size of a picture."""
    key = (await one.stage.house.access.issue(one.workspace_id, Grant.FEED)).secret
    url = f"/feeds/{key}.json"
    answer = await one.stage.http.get(url, headers={"Origin": "https://bakery.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    shown = answer.json()["photos"][0]
    assert shown["id"] == photo
    again = await one.stage.http.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for sizes in shown["srcset"].values():
        size: httpx2.Response = await one.stage.http.get(str(sizes).split(" ", maxsplit=1)[0])
        assert size.status_code == 200
        assert "immutable" in size.headers["cache-control"]
        await one.stage.house.backends.images.inspect(size.content)


async def test_a_due_token_is_refreshed_on_the_way_and_announced_before_the_media(stage: Stage) -> None:
    person = stage.person(1)
    old = stage.pretend.token(person.username, age_seconds=3 * 86_400)
    one = await type(person)(stage, person.username, old).register()
    paths = [str(call["path"]).rpartition("/")[2] for call in stage.pretend.calls()]
    assert paths.index("refresh_access_token") < paths.index("media", paths.index("refresh_access_token"))
    mine = [event for event in stage.announced if getattr(event, "account_id", None) == one.account_id]
    assert mine[0] == AccountChanged(one.workspace_id, one.account_id, "connected")
    assert mine[-1] == MediaSynced(one.workspace_id, one.account_id, changed=True)
    account = await stage.house.accounts.get(one.workspace_id, one.account_id)
    assert account.token_expires_at is not None


async def test_reading_goes_on_while_instagram_is_away(stage: Stage) -> None:
    one = await stage.member(2)
    before = await one.photos()
    stage.pretend.fault("*", "reset", times=None)
    try:
        answer = await stage.http.post("/sync", json={"secret": "sync"})
        assert answer.status_code == 200
        assert await one.photos() == before
        assert await one.assert_whole_feed() == []
    finally:
        stage.calm()
