"""What webhooks say of files: the seed's own texts, letter by letter, in the transaction of what they tell of."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from tests.api.websites import Website, picture, website
from tests.core.webhooks.desk import Receiver, receiving
from tests.walks.stage import Stage, staged
from tintype.core.webhooks import Policy


@dataclass(frozen=True, slots=True)
class Listener:
    """A website, and what its own server was told."""

    shop: Website
    receiver: Receiver

    async def heard(self, action: str, url: str, name: str = "url") -> dict[str, Any]:
        """Wait for a message of a kind about a file, and return it."""
        async with asyncio.timeout(60):
            while True:
                for told in self.receiver.told():
                    if told["action"] == action and told["text"][name] == url:
                        return told
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def listener(anyio_backend: str) -> AsyncIterator[Listener]:
    del anyio_backend
    with pytest.MonkeyPatch.context() as numbers:
        # Nobody looks for what is due by himself, so whatever arrives was announced when it was stored.
        numbers.setattr("tintype.telling.Policy", partial(Policy, idle=timedelta(hours=1)))
        async with _listening() as found:
            yield found


@asynccontextmanager
async def _listening() -> AsyncGenerator[Listener]:
    async with receiving() as receiver, staged(outbound_allow=receiver.remote.place) as stage:
        shop = await website(stage)
        answer = await stage.http.post("/api/webhooks", json={"url": receiver.url("/hook")}, headers=shop.owner)
        assert answer.status_code == 201, answer.text
        yield Listener(shop, receiver)


def stage_of(listener: Listener) -> Stage:
    return listener.shop.stage


async def test_a_link_is_told_as_the_seed_shows_it(listener: Listener) -> None:
    shop = listener.shop
    media = shop.member.post()
    handle = await shop.link(media)
    url = f"{stage_of(listener).house.settings.address()}/api/file/{handle}"
    told = await listener.heard("fp.upload", url)
    assert list(told) == ["action", "timestamp", "id", "text"]
    assert isinstance(told["id"], int)
    read = await shop.http.get(f"/api/file/{handle}")
    assert list(told["text"].items()) == [
        ("url", url),
        ("client", "Instagram"),
        ("type", "image/jpeg"),
        ("filename", f"{media}.jpg"),
        ("size", len(read.content)),
    ]


async def test_a_copy_is_told_as_the_seed_shows_it(listener: Listener) -> None:
    made = await listener.shop.store(picture(), filename="Cat_crying_Lolcat.jpg", container="kg_bucket")
    told = await listener.heard("fp.upload", made["url"])
    assert list(told["text"].items()) == [
        ("container", "kg_bucket"),
        ("url", made["url"]),
        ("filename", "Cat_crying_Lolcat.jpg"),
        ("client", "Computer"),
        ("key", made["key"]),
        ("type", "image/jpeg"),
        ("size", made["size"]),
    ]


async def test_overwriting_and_removing_are_told(listener: Listener) -> None:
    shop = listener.shop
    made = await shop.store(picture())
    new = picture(form="png")
    await shop.http.post(made["url"], content=new, headers={"Content-Type": "image/png"})
    await shop.http.delete(made["url"], params={"key": shop.key})
    over = (await listener.heard("fp.overwrite", made["url"]))["text"]
    assert (over["type"], over["size"]) == ("image/png", len(new))
    gone = (await listener.heard("fp.delete", made["url"]))["text"]
    assert gone["filename"] == made["filename"]


async def test_what_was_refused_is_not_told(listener: Listener) -> None:
    shop = listener.shop
    await shop.set(quota_files=0)
    query = {"key": shop.key, "filename": "never.jpg"}
    refused = await shop.http.post("/api/store/S3", params=query, content=picture())
    assert refused.status_code == 413
    await shop.set(quota_files=None)
    made = await shop.store(picture(), filename="after.jpg")
    await listener.heard("fp.upload", made["url"])
    assert "never.jpg" not in {one["text"]["filename"] for one in listener.receiver.told()}


async def test_an_export_publishes_and_is_told_as_the_seed_shows_it(listener: Listener) -> None:
    shop, stage = listener.shop, stage_of(listener)
    made = await shop.store(picture(400, 400), filename="newFiletest.jpg")
    body = {"account_id": shop.member.account_id, "caption": "Hello", "filename": "newFiletest.jpg"}
    by_page = await shop.http.post(f"{made['url']}/export", data={**body, "key": shop.key})
    assert by_page.status_code == 403
    headers = {"Idempotency-Key": "once"}
    answer = await shop.http.post(f"{made['url']}/export", data=body, auth=("app", shop.secret), headers=headers)
    assert answer.status_code == 200, answer.text
    again = await shop.http.post(f"{made['url']}/export", data=body, auth=("app", shop.secret), headers=headers)
    assert again.json() == answer.json()
    created = answer.json()["url"]
    told = await listener.heard("fp.export", created, "created")
    assert list(told["text"].items()) == [
        ("source", made["url"]),
        ("client", "Instagram"),
        ("filename", "newFiletest.jpg"),
        ("created", created),
    ]
    shown = await shop.http.get(created)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    picking = stage.house.picking
    account = await picking.accounts.get(shop.member.workspace_id, shop.member.account_id)
    file = await picking.files.get(made["url"].rpartition("/")[2])
    key = sha256(f"{file.handle} {account.id} once".encode()).hexdigest()
    await picking.exports.export(await picking.apps.by_key(shop.key), file, account, caption="Hello", key=key)
    made_after = await shop.store(picture(), filename="after-export.jpg")
    await listener.heard("fp.upload", made_after["url"])
    sources = [one["text"].get("source") for one in listener.receiver.told() if one["action"] == "fp.export"]
    assert sources.count(made["url"]) == 1, "a post that is asked for again is told of once"
    medium = (await stage.house.picking.files.get(created.rpartition("/")[2])).medium
    assert medium is not None
    assert medium.media_id == answer.json()["media_id"]


async def test_an_export_that_failed_is_said_and_never_told_and_goes_out_when_it_is_asked_for_again(
    listener: Listener,
) -> None:
    shop, stage = listener.shop, stage_of(listener)
    made = await shop.store(picture(400, 400), filename="refused.jpg")
    account = await stage.house.accounts.get(shop.member.workspace_id, shop.member.account_id)
    fault = {"username": account.username, "code": 36003, "subcode": 2207009, "status": 400, "times": 1}
    stage.pretend.fault("graph.container", "status", **fault)
    asked = partial(
        shop.http.post,
        f"{made['url']}/export",
        data={"account_id": account.id},
        auth=("app", shop.secret),
        headers={"Idempotency-Key": "refused once"},
    )
    refused = await asked()
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]["message"]
    after = await shop.store(picture(), filename="after.jpg")
    await listener.heard("fp.upload", after["url"])
    assert made["url"] not in {one["text"].get("source") for one in listener.receiver.told()}
    again = await asked()
    assert again.status_code == 200, again.text
    told = await listener.heard("fp.export", again.json()["url"], "created")
    assert told["text"]["source"] == made["url"]
