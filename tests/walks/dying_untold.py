"""A process that publishes one post and dies when its end is stored and nobody was told, and the one that goes on after it.

ORIGIN FOLDER USERNAME END PRODUCT: END is how it ends, `kill -9` or the orderly end of a process that is told to stop.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from tests.walks.dying import PATIENCE, Stand, forked, prepared
from tests.walks.posting import draft
from tintype.app import House, open_house
from tintype.core.publishing import Product, State
from tintype.core.webhooks import Scope, Wish
from tintype.events import Event, PostFailed, PostPublished
from tintype.instagram import utc_now
from tintype.settings import Settings

KEY = "the client's own key"
NOBODY = "http://127.0.0.1:9/hook"
OFF = timedelta(days=3)  # longer than anybody looks back


def _settings(stand: Stand) -> Settings:
    return stand.settings().model_copy(update={"outbound_allow": ("127.0.0.1:9",)})


async def _publish(stand: Stand, product: Product, untold: Callable[[], object]) -> dict[str, object]:
    async with open_house(_settings(stand)) as house:
        workspace = (await house.access.workspaces())[0]
        account = (await house.accounts.of_workspace(workspace.id))[0]
        await house.picking.hooks.webhooks.add(
            Scope(workspace.id), Wish(url=NOBODY, events=["post.published", "post.failed"])
        )
        told = house.backends.bus.publish

        async def publish(event: Event) -> None:
            if isinstance(event, PostPublished | PostFailed):
                untold()
                raise asyncio.CancelledError
            await told(event)

        house.backends.bus.publish = publish  # pyright: ignore[reportAttributeAccessIssue] - this process is there to die
        post = await house.publisher.create(workspace.id, account.id, draft(product, "Told once"), key=KEY)
        post = await house.publisher.wait(workspace.id, post.id, PATIENCE)
        assert post.state is State.PUBLISHED
        return {"state": post.state.value}


async def _go_on(stand: Stand) -> dict[str, object]:
    async with open_house(_settings(stand), now=lambda: utc_now() + OFF) as house:
        workspace = (await house.access.workspaces())[0]
        until = asyncio.get_running_loop().time() + PATIENCE
        while (post := (await house.publisher.list(workspace.id)).posts[0]).due_at is not None:
            assert asyncio.get_running_loop().time() < until, "the post never comes to rest"
            await asyncio.sleep(0.02)
        return {
            "state": post.state.value,
            "media_id": post.media_id,
            "permalink": post.permalink,
            "timeline": [one.name for one in await house.publisher.timeline(workspace.id, post.id)],
            "measured": sorted(await house.insights.records.known(post.account_id)),
            "told": await _told(house, workspace.id),
        }


async def _told(house: House, workspace_id: str) -> list[object]:
    """What stands in the log of the one who listens."""
    webhooks, scope = house.picking.hooks.webhooks, Scope(workspace_id)
    endpoint = (await webhooks.all(scope))[0]
    return [one.event for one in await webhooks.log(scope, endpoint.id, limit=9)]


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def main() -> None:
    """Publish and end, go on twice, and print how it stood each time."""
    origin, folder, username, end, kind = sys.argv[1:]
    stand = prepared(Path(folder), origin, username)
    untold: dict[str, Callable[[], Any]] = {"killed": _die, "stopped": lambda: None}
    left = forked(lambda: _publish(stand, Product(kind), untold[end]))
    stood = [forked(lambda: _go_on(stand)) for _ in range(2)]
    sys.stdout.write(json.dumps({"died": left is None, "stood": stood}) + "\n")


if __name__ == "__main__":
    main()
