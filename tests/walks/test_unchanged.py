"""A sync that finds nothing new costs Instagram's pages and nothing else."""

import math

from tests.walks.stage import Stage
from tintype.events import MediaSynced

POSTS = 50
PAGE = 50  # what one call of the list brings


async def test_a_sync_of_unchanged_media_writes_nothing(stage: Stage) -> None:
    one = await stage.member(POSTS)
    assert len(await one.photos()) == POSTS
    await _rendered(stage)
    answer = await one.read()
    before, asked, files = stage.kept().state(), len(one.calls()), stage.files()
    stage.announced.clear()

    report = await one.sync()

    assert (report.photos, report.stored, report.removed) == (POSTS, 0, 0)
    calls = one.calls()[asked:]
    assert len(calls) <= math.ceil(POSTS / PAGE)
    assert all(str(call["path"]).endswith("/me/media") for call in calls)
    assert stage.files() == files
    assert stage.kept().state() == before
    assert stage.announced == [MediaSynced(one.workspace_id, one.account_id, changed=False)]
    assert (await one.read()).headers["etag"] == answer.headers["etag"]


async def _rendered(stage: Stage) -> None:
    job = await stage.house.backends.engine.enqueue("feed.render", unique="feed.render")
    await stage.house.backends.engine.outcome(job, wait=60)
