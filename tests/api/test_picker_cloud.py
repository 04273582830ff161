"""The cloud API of filestack-js: a page connects, lists and stores by calls of its own."""

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api.test_connecting import consented
from tests.api.test_picker_dialog import ORIGIN, OWN, browser
from tests.walks.stage import Stage, staged
from tintype.core.files import CALLBACK


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged() as one:
        one.pretend.post("/reset", redirect_uris=[one.house.settings.address() + CALLBACK])
        yield one


@pytest.fixture
async def key(stage: Stage) -> str:
    workspace, _ = await stage.house.access.register("Shop")
    return (await stage.house.picking.apps.create(workspace.id, "Shop", origins=[ORIGIN])).app.key


async def call(stage: Stage, path: str, *, origin: str | None = ORIGIN, **body: Any) -> httpx2.Response:
    headers = {"origin": origin} if origin else {}
    return await stage.http.post(path, json={"flow": "web", **body}, headers=headers)


async def connected(stage: Stage, key: str, username: str) -> str:
    """Ask for a list, connect an account where that says, and return the token."""
    first: Any = (await call(stage, "/folder/list", apikey=key, clouds={"instagram": {"path": "/"}})).json()
    address: str = first["instagram"]["auth"]["redirect_url"]
    assert urlsplit(address).path.startswith("/dialog/connect/")
    async with browser() as window:
        asked = await window.get(address, headers={"sec-fetch-site": "cross-site"})
        assert "shop.example" in asked.text
        sent = await window.post(address, headers=OWN)
        back = await consented(window, sent.headers["location"], username)
        assert (await window.get(back)).status_code == 200
    return first["token"]


async def test_a_page_lists_and_stores(stage: Stage, key: str) -> None:
    person = stage.person(1)
    person.post("CAROUSEL_ALBUM", children=["IMAGE", "IMAGE"])
    token = await connected(stage, key, person.username)
    listed = (await call(stage, "/folder/list", apikey=key, token=token, clouds={"instagram": {"path": "/"}})).json()
    album, photo = listed["instagram"]["contents"]
    assert listed["token"] == token
    assert listed["instagram"]["next"] == ""
    assert (album["folder"], photo["folder"], photo["mimetype"]) == (True, False, "image/jpeg")
    assert (await stage.http.get(photo["thumbnail"])).headers["content-type"] == "image/webp"
    inside = (
        await call(stage, "/folder/list", apikey=key, token=token, clouds={"instagram": {"path": album["path"]}})
    ).json()
    assert len(inside["instagram"]["contents"]) == 2
    wanted = {"path": inside["instagram"]["contents"][1]["path"], "store": {"location": "s3", "path": "trips/"}}
    stored = (await call(stage, "/store/", apikey=key, token=token, clouds={"instagram": wanted})).json()["instagram"]
    assert stored["key"].startswith("trips/")
    assert len((await stage.http.get(f"/api/file/{stored['handle']}")).content) == stored["size"]


async def test_a_token_is_of_one_app_and_ends_with_the_log_out(stage: Stage, key: str) -> None:
    person = stage.person(1)
    token = await connected(stage, key, person.username)
    workspace, _ = await stage.house.access.register("Other")
    other = await stage.house.picking.apps.create(workspace.id, "Other")
    ask: dict[str, Any] = {"token": token, "clouds": {"instagram": {"path": "/"}}}
    assert (await call(stage, "/folder/list", apikey=other.app.key, **ask)).status_code == 403
    assert (await call(stage, "/store/", apikey=other.app.key, **ask)).status_code == 403
    assert (await call(stage, "/auth/logout", apikey=key, token=token)).status_code == 200
    after = (await call(stage, "/folder/list", apikey=key, **ask)).json()
    assert "auth" in after["instagram"]
    assert after["token"] != token


async def test_only_pages_of_the_app_ask(stage: Stage, key: str) -> None:
    for origin in ("https://evil.example", None):
        answer = await call(stage, "/folder/list", origin=origin, apikey=key, clouds={"instagram": {"path": "/"}})
        assert answer.status_code == 403, origin
        assert answer.headers["access-control-allow-origin"] == "*"
