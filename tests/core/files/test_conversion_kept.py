"""What was made of a file is kept once, counted, made anew when it is lost, and put away; on SQLite and on Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from typing import NamedTuple

import pytest

from tests.backends.pictures import picture, see
from tests.servers import postgres_server
from tests.walks.stage import Stage, staged
from tintype.backends.vault import new_key
from tintype.core.files import Conversions, Derived, File, PickerApp, Plan, StoreOptions, read_plan
from tintype.errors import Invalid, NotFound, TooLarge, Unsupported
from tintype.events import FileStored

PICTURE = picture(width=300, height=200)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Stage]:
    del anyio_backend
    with ExitStack() as stack:
        settings: dict[str, object] = {}
        if request.param == "postgresql":
            settings = {"database_url": stack.enter_context(postgres_server()), "encryption_key": new_key()}
        async with staged(**settings) as one:
            yield one


class Shelf(NamedTuple):
    """An app with a file in it."""

    stage: Stage
    app: PickerApp
    file: File

    @property
    def conversions(self) -> Conversions:
        return self.stage.house.picking.conversions

    async def get(self, tasks: str, *, free: bool = False) -> Derived:
        file = await self.stage.house.picking.files.get(self.file.handle)
        return await self.conversions.derived(self.app, file, read_plan(tasks), address="https://here/x", free=free)

    async def keys(self) -> list[str]:
        home = self.stage.house.backends.blobs
        return sorted([blob.key async for blob in home.list(f"{self.app.id}/derived")])


@pytest.fixture
async def shelf(stage: Stage) -> Shelf:
    workspace, _ = await stage.house.access.register("shop")
    app = (await stage.house.picking.apps.create(workspace.id, "shop", quota_derived=3)).app
    file = await stage.house.picking.files.store(app, PICTURE, StoreOptions(filename="a.jpg"))
    return Shelf(stage, app, file)


async def test_a_form_is_made_once_and_lies_under_its_app_and_handle(shelf: Shelf) -> None:
    first = await shelf.get("resize=w:30")
    assert (first.width, first.height, first.content_type) == (30, 20, "image/jpeg")
    (key,) = await shelf.keys()
    assert key.startswith(f"{shelf.app.id}/derived/{shelf.file.handle}/")
    assert key.endswith(".jpg")
    assert await shelf.get("resize=fit:clip,w:30") == first
    assert await shelf.keys() == [key]


async def test_all_who_ask_at_once_share_the_work(shelf: Shelf) -> None:
    results = await asyncio.gather(*(shelf.get("resize=w:31") for _ in range(20)))
    assert len({one.etag for one in results}) == 1
    assert len(await shelf.keys()) == 1
    assert shelf.conversions.running == {}


async def test_one_who_goes_away_does_not_take_the_work_along(shelf: Shelf) -> None:
    task = asyncio.create_task(shelf.get("resize=w:32"))
    other = asyncio.create_task(shelf.get("resize=w:32"))
    async with asyncio.timeout(60):
        while not shelf.conversions.running:  # noqa: ASYNC110 - it begins once the database has answered
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await other).width == 32


async def test_the_quota_counts_forms_and_presets_are_free(shelf: Shelf) -> None:
    for width in (41, 42, 43):
        await shelf.get(f"resize=w:{width}")
    with pytest.raises(TooLarge, match=r"^3 different conversions of this file were made"):
        await shelf.get("resize=w:44")
    assert (await shelf.get("resize=w:42")).width == 42
    assert (await shelf.get("resize=w:45", free=True)).width == 45


async def test_several_at_once_do_not_slip_past_the_quota(shelf: Shelf) -> None:
    widths = [f"resize=w:{width}" for width in range(60, 72)]
    results = await asyncio.gather(*map(shelf.get, widths), return_exceptions=True)
    assert len([one for one in results if isinstance(one, Derived)]) == 3
    assert all(isinstance(one, Derived | TooLarge) for one in results)
    assert len(await shelf.keys()) == 3


async def test_a_form_whose_bytes_are_lost_is_made_anew(shelf: Shelf) -> None:
    first = await shelf.get("resize=w:33")
    (key,) = await shelf.keys()
    await shelf.stage.house.backends.blobs.delete(key)
    again = await shelf.get("resize=w:33")
    assert (again.etag, again.data) == (first.etag, first.data)
    assert len(await shelf.keys()) == 1
    assert await shelf.conversions.records.count(shelf.file.handle) == 1


async def test_new_content_drops_what_was_made_of_the_old(shelf: Shelf) -> None:
    old = await shelf.get("resize=w:34")
    files = shelf.stage.house.picking.files
    await files.overwrite(shelf.app, shelf.file, picture(width=300, height=300), StoreOptions())
    assert await shelf.keys() == []
    new = await shelf.get("resize=w:34")
    assert (old.height, new.height) == (23, 34)
    assert old.etag != new.etag


async def test_content_that_changes_while_it_is_converted_is_converted_anew(shelf: Shelf) -> None:
    files = shelf.stage.house.picking.files
    before = await files.get(shelf.file.handle)
    await files.overwrite(shelf.app, shelf.file, picture(width=300, height=300), StoreOptions())
    made = await shelf.conversions.derived(shelf.app, before, read_plan("resize=w:36"), address="https://here/x")
    assert (made.width, made.height) == (36, 36)
    assert len(await shelf.keys()) == 1


async def test_a_file_that_is_removed_while_it_is_converted_leaves_nothing(shelf: Shelf) -> None:
    files = shelf.stage.house.picking.files
    before = await files.get(shelf.file.handle)
    await shelf.get("resize=w:37")
    await files.remove(shelf.app, shelf.file)
    with pytest.raises(NotFound):
        await shelf.conversions.derived(shelf.app, before, read_plan("resize=w:38"), address="https://here/x")
    assert await shelf.keys() == []


async def test_what_nobody_asks_for_is_put_away(shelf: Shelf) -> None:
    await shelf.get("resize=w:51")
    shelf.stage.skip(timedelta(days=20))
    await shelf.get("resize=w:52")
    await shelf.get("resize=w:51")  # which counts as used from here on
    shelf.stage.skip(timedelta(days=20))
    await shelf.get("resize=w:53")
    await shelf.get("resize=w:52")
    shelf.stage.skip(timedelta(days=15))
    await shelf.conversions.collect()
    assert await shelf.conversions.records.count(shelf.file.handle) == 2
    assert len(await shelf.keys()) == 2


async def test_what_cannot_be_made_is_not_tried_again(shelf: Shelf) -> None:
    files = shelf.stage.house.picking.files
    broken = await files.store(shelf.app, PICTURE[:500], StoreOptions(filename="b.jpg"))
    with pytest.raises((Invalid, Unsupported)) as first:
        await shelf.conversions.derived(shelf.app, broken, Plan(read_plan("blur").operations), address="")
    with pytest.raises((Invalid, Unsupported)) as again:
        await shelf.conversions.derived(shelf.app, broken, Plan(read_plan("blur").operations), address="")
    assert again.value is first.value


async def test_what_is_made_by_post_is_a_file_of_its_own(shelf: Shelf) -> None:
    made = await shelf.conversions.make(
        shelf.app, shelf.file, read_plan("resize=w:35/output=format:png"), StoreOptions(), address="https://here/x"
    )
    files = shelf.stage.house.picking.files
    opened = await files.open(made)
    seen = see(b"".join([chunk async for chunk in opened.chunks]))
    assert (seen.width, made.filename, made.content_type) == (35, "a.png", "image/png")
    assert made.handle != shelf.file.handle
    assert FileStored(shelf.app.workspace_id, shelf.app.id, made.handle) in shelf.stage.announced
    assert await shelf.keys() == []
