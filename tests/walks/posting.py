"""People who publish, as the walks about publishing need them, and what really came onto Instagram."""

from collections.abc import Sequence
from typing import Any, cast

from tests.walks.stage import Member, Stage
from tintype.core.publishing import Draft, Item, ItemKind, Post, Product

PATIENCE = 30.0  # seconds for a post to end on a busy machine

PICTURE = Item(ItemKind.PICTURE, "https://pictures.invalid/one.jpg")
VIDEO = Item(ItemKind.VIDEO, "https://pictures.invalid/one.mp4")


def draft(product: Product, caption: str = "", **more: Any) -> Draft:
    """A draft of a kind, of media that the pretend Instagram takes as they are."""
    items = {
        Product.IMAGE: (PICTURE,),
        Product.CAROUSEL: (PICTURE, VIDEO, PICTURE, PICTURE, PICTURE),
        Product.REEL: (VIDEO,),
        Product.STORY: (PICTURE,),
    }
    return Draft(product, items[product], caption, **more)


async def publish(one: Member, what: Draft, **more: Any) -> Post:
    """Publish and wait for the end."""
    publisher = one.stage.house.publisher
    post = await publisher.create(one.workspace_id, one.account_id, what, **more)
    return await publisher.wait(one.workspace_id, post.id, PATIENCE)


def live(one: Member) -> Sequence[dict[str, Any]]:
    """What was really published for somebody, in order."""
    answer = one.stage.pretend.levers.get("/_world/published", params={"username": one.username})
    return cast("list[dict[str, Any]]", answer.raise_for_status().json())


async def events(stage: Stage, post: Post) -> Sequence[str]:
    """The names of a post's timeline, oldest first."""
    return [one.name for one in await stage.house.publisher.timeline(post.workspace_id, post.id)]
