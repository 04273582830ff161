"""Files on Postgres, and in stores of the operator's own: nothing is different, and nothing is lost when many come at once."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.api.websites import Website, picture, website
from tests.servers import postgres_server
from tests.walks.stage import staged
from tintype.backends.vault import new_key
from tintype.core.files import Place
from tintype.errors import Conflict, Invalid, Unavailable


@pytest.fixture
async def shared(anyio_backend: str) -> AsyncGenerator[Website]:
    """A website of a house whose database is Postgres."""
    del anyio_backend
    with postgres_server() as url:
        async with staged(database_url=url, encryption_key=new_key(), picker_writes_per_minute=0) as stage:
            yield await website(stage, quota_files=10)


@pytest.fixture
async def stored(anyio_backend: str, tmp_path: Path) -> AsyncGenerator[tuple[Website, Path]]:
    """A website whose S3 is a store of the operator's: here a folder."""
    del anyio_backend
    async with staged(storages={"S3": f"file://{tmp_path}/s3", "cellar": f"file://{tmp_path}/cellar"}) as stage:
        yield await website(stage), tmp_path


def lying(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_files_on_postgres(shared: Website) -> None:
    data = picture()
    made = await shared.store(data, filename="a.jpg")
    new = picture(form="png")
    written = await asyncio.gather(
        *(shared.http.post(made["url"], content=new, headers={"Content-Type": "image/png"}) for _ in range(4))
    )
    assert {one.status_code for one in written} <= {200, 400}
    assert 200 in {one.status_code for one in written}
    assert (await shared.http.get(made["url"])).content == new
    media = shared.member.post()
    handle = await shared.link(media)
    assert (await shared.http.get(f"/api/file/{handle}")).status_code == 200
    assert await shared.stage.house.picking.files.erase(shared.member.account_id) == 1
    assert (await shared.http.delete(made["url"], params={"key": shared.key})).status_code == 200
    await shared.stage.house.picking.files.tidy(timedelta(0))
    assert not [path for path in shared.stage.files() if path.startswith("files/")]


async def test_a_quota_holds_when_many_come_at_once_on_postgres(shared: Website) -> None:
    answers = await asyncio.gather(
        *(shared.http.post("/api/store/S3", params={"key": shared.key}, content=picture()) for _ in range(20))
    )
    assert sorted(one.status_code for one in answers) == [200] * 10 + [413] * 10
    assert len([path for path in shared.stage.files() if path.startswith("files/")]) == 10


async def test_who_comes_while_another_ends_storing_there_is_refused_on_postgres(shared: Website) -> None:
    handle = (await shared.store(picture()))["url"].rpartition("/")[2]
    records, place = shared.stage.house.picking.files.records, Place("cellar", "same.jpg")
    await records.debts.owe(place, datetime.now(UTC))
    async with records.database.write() as connection:
        assert await records.debts.settle(connection, place)
        lies = "UPDATE files SET store = 'cellar', place = 'same.jpg' WHERE handle = :handle"
        await connection.execute(text(lies), {"handle": handle})
        other = asyncio.create_task(records.debts.owe(place, datetime.now(UTC)))
        await until_somebody_waits(shared)
    with pytest.raises(Conflict, match="another file lies at"):
        await other


async def until_somebody_waits(shared: Website) -> None:
    """Return when a transaction waits for another one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(60):
        while True:
            if shared.stage.kept().rows(waiting) != [(0,)]:
                return
            await asyncio.sleep(0.02)


async def test_a_location_goes_to_the_store_of_its_name(stored: tuple[Website, Path]) -> None:
    shop, folder = stored
    data = picture()
    made = await shop.store(data, filename="cat one.jpg", path="photos/", container="box")
    handle = made["url"].rpartition("/")[2]
    assert made["key"] == f"photos/{handle}_cat_one.jpg"
    assert lying(folder / "s3") == {f"box/{made['key']}"}
    assert (folder / "s3" / "box" / made["key"]).read_bytes() == data
    elsewhere = await shop.store(data, location="azure", path="mine.jpg")
    assert elsewhere["key"] == "mine.jpg"
    assert lying(folder / "s3") == {f"box/{made['key']}"}
    await shop.set(storages={"azure": "cellar"})
    await shop.store(data, location="azure", path="mine.jpg")
    assert lying(folder / "cellar") == {"mine.jpg"}


async def test_no_file_of_an_operators_store_is_written_over_by_another(stored: tuple[Website, Path]) -> None:
    shop, folder = stored
    first = await shop.store(picture(), path="same.jpg")
    query = {"key": shop.key, "path": "same.jpg"}
    second = await shop.http.post("/api/store/S3", params=query, content=picture(50, 50))
    assert second.status_code == 400
    assert "same.jpg" in second.json()["error"]["message"]
    assert (await shop.http.get(first["url"])).content == picture()
    many = await asyncio.gather(
        *(shop.http.post("/api/store/S3", params={**query, "path": "race.jpg"}, content=picture()) for _ in range(5))
    )
    assert sorted(one.status_code for one in many) == [200] + [400] * 4
    assert lying(folder / "s3") == {"same.jpg", "race.jpg"}


async def test_an_overwritten_file_lies_where_its_key_says(stored: tuple[Website, Path]) -> None:
    shop, folder = stored
    made = await shop.store(picture(), path="a/b.jpg")
    new = picture(form="png")
    over = await shop.http.post(made["url"], content=new, headers={"Content-Type": "image/png"})
    assert over.json()["key"] == "a/b~2.jpg"
    assert lying(folder / "s3") == {"a/b~2.jpg"}
    again = await shop.http.post(made["url"], content=picture(), headers={"Content-Type": "image/jpeg"})
    assert again.json()["key"] == "a/b~3.jpg"
    assert (await shop.http.get(made["url"])).content == picture()


async def test_bytes_stay_in_an_operators_store_where_that_is_asked_for(stored: tuple[Website, Path]) -> None:
    shop, folder = stored
    kept, gone = [await shop.store(picture(), path=f"{name}.jpg") for name in ("kept", "gone")]
    query = {"key": shop.key, "skip_storage": "true"}
    assert (await shop.http.delete(kept["url"], params=query)).status_code == 200
    assert (await shop.http.delete(gone["url"], params={"key": shop.key})).status_code == 200
    await shop.stage.house.picking.files.tidy(timedelta(0))
    assert lying(folder / "s3") == {"kept.jpg"}
    assert (await shop.http.get(kept["url"])).status_code == 404


async def test_a_store_can_be_tested_before_anything_lies_there(stored: tuple[Website, Path]) -> None:
    shop, folder = stored
    stores = shop.stage.house.picking.files.storing.stores
    for name in ("S3", "cellar", "home"):
        await stores.check(name)
    assert lying(folder) == set()
    with pytest.raises(Invalid):
        await stores.check("nowhere")
    (folder / "cellar" / ".unfinished").rmdir()
    (folder / "cellar").rmdir()
    with pytest.raises(Unavailable):
        await stores.check("cellar")


async def test_odd_letters_are_refused_or_kept_but_never_break_postgres(shared: Website) -> None:
    await shared.set(quota_files=None)
    for odd in ("\0", "a\0b", "\ud800", "\x1b[31m", "é" * 250, "\u202e"):
        await send_odd(shared, odd)


async def send_odd(shared: Website, odd: str) -> None:
    """Put odd letters wherever somebody may put letters."""
    parts = {"filename": odd, "mimetype": odd, "size": 1}
    bodies: list[tuple[str, dict[str, object]]] = [
        ("/multipart/start", {**parts, "store": {}}),
        ("/multipart/start", {**parts, "store": {"path": odd}}),
        ("/multipart/start", {**parts, "store": {"container": odd}}),
        ("/multipart/start", {**parts, "store": {}, "upload_tags": {odd: odd}}),
        ("/api/apps", {"name": odd}),
        (f"/api/apps/{shared.app_id}/instagram", {"key": odd, "secret": odd}),
    ]
    for path, body in bodies:
        method = "PUT" if path.endswith("instagram") else "POST"
        sent = json.dumps({"apikey": shared.key, **body} if "multipart" in path else body)
        headers = {**shared.owner, "Content-Type": "application/json"}
        answer = await shared.http.request(method, path, content=sent, headers=headers)
        assert answer.status_code in (200, 201, 400), (path, body, answer.text)
        if path == "/multipart/start" and answer.status_code == 200:
            upload = answer.json()["upload_id"]
            told = {"apikey": shared.key, "upload_id": upload, "part": 1}
            place = (await shared.http.post("/multipart/upload", json=told)).json()["url"]
            assert (await shared.http.put(place, content=b"x")).status_code == 200
            done = await shared.http.post("/multipart/complete", json={"apikey": shared.key, "upload_id": upload})
            assert done.status_code == 200, done.text
    query = {"key": shared.key, "filename": odd, "path": odd, "mimetype": odd}
    if "\ud800" not in odd:
        answer = await shared.http.post("/api/store/S3", params=query, content=b"x")
        assert answer.status_code in (200, 400), answer.text
