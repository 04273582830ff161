"""The second walk of the house: what somebody wants to publish is on Instagram once, and its real id is known here."""

import pytest

from tests.walks.posting import draft, events, live, publish
from tests.walks.stage import Stage
from tintype.core.publishing import Product, State


@pytest.mark.parametrize("product", list(Product))
async def test_a_post_is_published_once_and_linked(stage: Stage, product: Product) -> None:
    one = await stage.member()
    post = await publish(one, draft(product, f"A {product.value}"))
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    names = await events(stage, post)
    assert names[0] == "accepted"
    assert names.count("publishing") == names.count("published") == 1
