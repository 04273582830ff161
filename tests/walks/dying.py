"""A process that publishes one post and dies at a chosen moment, and the one that goes on after it.

The moments are the seams at which the process waits: before and after each request that leaves it and each transaction that
it commits. Processes are forked, so that hundreds of deaths need not import the house hundreds of times.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx2
from sqlalchemy import Connection as Transaction

from tests.beside import Kept
from tests.profile import backends, copied
from tests.trust import NOBODY
from tests.walks.posting import draft
from tintype.app import House, open_house
from tintype.backends.database import Database
from tintype.backends.outbound import HttpOutbound
from tintype.core.publishing import ENDED, Product, State
from tintype.instagram import Connection, Login, Profile, Token
from tintype.settings import Settings, load

KEY = "the client's own key"
PATIENCE = 60.0
CAPTION = "Written once"


@dataclass(frozen=True, slots=True)
class Stand:
    """A data folder with one connected account at a pretend Instagram."""

    folder: Path
    origin: str
    username: str

    def settings(self) -> Settings:
        """Settings of a house on this stand."""
        return load(
            data=self.folder,
            instagram_origin=self.origin,
            instagram_app_id="1",
            instagram_app_secret="secret",
            feed_sync_minutes=0,
            image_workers=1,
            publish_settle_seconds=0.2,
            **backends(self.folder),
        )

    def copied(self, folder: Path) -> "Stand":
        """The same in a folder of its own."""
        copied(self.folder, folder)
        return replace(self, folder=folder)


@dataclass(frozen=True, slots=True)
class End:
    """How a post ended, and what is really on Instagram."""

    state: str
    media_id: str | None
    live: tuple[str, ...]


def prepared(folder: Path, origin: str, username: str) -> Stand:
    """Put somebody on Instagram, and their connected account into a new data folder."""
    stand = Stand(folder, origin, username)
    with httpx2.Client(base_url=origin, timeout=PATIENCE, verify=NOBODY) as levers:
        levers.post("/_world/people", json={"username": username, "media": 0}).raise_for_status()
        made = (
            levers.post("/_world/tokens", json={"username": username, "login": "instagram"}).raise_for_status().json()
        )
    asyncio.run(_connect(stand, str(made["access_token"]), str(made["user_id"])))
    return stand


async def _connect(stand: Stand, token: str, user_id: str) -> None:
    async with open_house(stand.settings(), work=False) as house:
        workspace, _ = await house.access.register(stand.username)
        profile = Profile(user_id, None, stand.username)
        await house.accounts.keep(workspace.id, Connection(Login.INSTAGRAM_LOGIN, Token(token), profile))


def points(stand: Stand, product: Product) -> int:
    """At how many moments a process that publishes such a post could die."""
    answer = forked(lambda: _publish(stand, product, None))
    assert answer is not None, "a process that nobody killed has died"
    return int(answer["points"])


def die(stand: Stand, product: Product, point: int) -> bool:
    """Publish, and die at this moment; tells whether the process died, as it does unless it came to its end before."""
    return forked(lambda: _publish(stand, product, point)) is None


def go_on(stand: Stand, product: Product) -> End:
    """Start again, ask for the same post with the same key as a client would, and wait for the end."""
    told = forked(lambda: _publish(stand, product, None))
    assert told is not None, "the second process has died"
    with httpx2.Client(base_url=stand.origin, timeout=PATIENCE, verify=NOBODY) as levers:
        found = levers.get("/_world/published", params={"username": stand.username}).raise_for_status().json()
    live = tuple(str(item["id"]) for item in cast("list[dict[str, Any]]", found))
    return End(str(told["state"]), told["media_id"], live)


def stored(stand: Stand) -> Sequence[tuple[str, str | None]]:
    """What the dead process left: state and media id of each post."""
    return [
        (str(state), media_id) for state, media_id in Kept.at(stand.folder).rows("SELECT state, media_id FROM posts")
    ]


async def _publish(stand: Stand, product: Product, point: int | None) -> dict[str, object]:
    async with open_house(stand.settings()) as house:
        workspace = (await house.access.workspaces())[0]
        account = (await house.accounts.of_workspace(workspace.id))[0]
        with _counting(point) as count:
            post = await house.publisher.create(workspace.id, account.id, draft(product, CAPTION), key=KEY)
            post = await house.publisher.wait(workspace.id, post.id, PATIENCE)
            await _cared(house, workspace.id, post.id)
            assert post.state in ENDED or post.state is State.PUBLISHED
            return {"state": post.state.value, "media_id": post.media_id, "points": count()}


async def _cared(house: House, workspace_id: str, post_id: int) -> None:
    """Wait until nothing happens by itself any more."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while (await house.publisher.get(workspace_id, post_id)).due_at is not None:
        assert asyncio.get_running_loop().time() < until, "the post never comes to rest"
        await asyncio.sleep(0.02)


class _counting:  # noqa: N801 - used as a block
    """Counts the moments at which this process waits, and kills it at one of them."""

    def __init__(self, point: int | None) -> None:
        self._point, self._passed = point, 0
        self._send, self._write, self._store = HttpOutbound.send, Database.write, Database.store

    def __enter__(self) -> Callable[[], int]:
        counting, send, write, store = self, self._send, self._write, self._store

        async def dying_send(outbound: HttpOutbound, *given: Any) -> Any:
            counting._pass()
            answer = await send(outbound, *given)
            counting._pass()
            return answer

        @asynccontextmanager
        async def dying_write(database: Database, **given: Any) -> AsyncGenerator[Any]:
            async with write(database, **given) as connection:
                counting._pass()
                yield connection
            counting._pass()

        async def dying_store(database: Database, work: Callable[[Transaction], Any], **given: Any) -> Any:
            def dying_work(connection: Transaction) -> Any:
                found = work(connection)
                counting._pass()  # done, and not stored yet
                return found

            stored = await store(database, dying_work, **given)
            counting._pass()
            return stored

        # This process is there to die.
        HttpOutbound.send, Database.write, Database.store = dying_send, dying_write, dying_store  # pyright: ignore[reportAttributeAccessIssue]
        return lambda: self._passed

    def __exit__(self, *given: object) -> None:
        HttpOutbound.send, Database.write, Database.store = self._send, self._write, self._store

    def _pass(self) -> None:
        self._passed += 1
        if self._passed == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(act: Callable[[], Awaitable[dict[str, object]]]) -> dict[str, Any] | None:
    """Do something in a child process and return what it says; None when it died on the way."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(act, writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None


def _be_child(act: Callable[[], Awaitable[dict[str, object]]], writing: int) -> None:
    code = 1
    try:
        told = asyncio.run(cast("Any", act()))
        os.write(writing, json.dumps(told).encode())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    """Die at each named moment, go on, and print how each post ended: ORIGIN FOLDER USERNAME PRODUCT POINT…"""
    origin, folder, username, kind, *moments = sys.argv[1:]
    product = Product(kind)
    for moment in moments:
        stand = prepared(Path(folder) / f"{kind}-{moment}", origin, f"{username}.{moment}")
        died = die(stand, product, int(moment))
        sys.stdout.write(json.dumps({"died": died, **asdict(go_on(stand, product))}) + "\n")


if __name__ == "__main__":
    main()
