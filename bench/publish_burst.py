"""Two hundred posts due in one minute on an account that may publish fifty a day: none too many, the rest in order on later days.

    python -m bench.publish_burst [--posts 200] [--quota 50]

The clocks of the house and of a pretend Instagram skip a day whenever nothing more can be published.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta

from tests.walks.posting import draft, live
from tests.walks.stage import Member, staged
from tintype.core.publishing import ENDED, Moment, Post, Product

DAY = timedelta(days=1)


async def measured(posts: int, quota: int) -> None:
    """Let the days pass and print what was published on each."""
    async with staged(publish_settle_seconds=0.3) as stage:
        stage.pretend.post("/reset", seed=7, container_seconds=0, quota_total=quota)
        one = await stage.member()
        due = Moment(stage.clock() + timedelta(minutes=1))
        publisher = stage.house.publisher
        planned = [
            await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, f"{number:05}"), moment=due)
            for number in range(posts)
        ]
        stage.skip(timedelta(minutes=2))
        print(f"{posts} posts due in one minute, quota {quota}")
        published, day = 0, 0
        while published < posts and day <= 2 * posts // quota + 2:
            began = time.monotonic()
            waiting = await _settled(one, planned)
            words = [str(item["caption"]) for item in live(one)]
            right = sorted(words) == [f"{number:05}" for number in range(len(words))]
            told = f"{len(waiting)} wait" + (f": {waiting[0].reason}" if waiting else "")
            print(f"  day {day}: {len(words) - published} published", end="")
            print(f", {'the first of those that waited' if right else 'NOT IN ORDER'}, {told}", end="")
            print(f" ({time.monotonic() - began:.1f} s)", flush=True)
            published, day = len(words), day + 1
            stage.skip(DAY)
        _show_calls(one)


def _show_calls(one: Member) -> None:
    calls = [call for call in one.calls() if str(call["path"]).endswith("/media_publish")]
    refused = sum(call["status"] != 200 for call in calls)
    looks = sum(str(call["path"]).endswith("/content_publishing_limit") for call in one.calls())
    print(f"calls of media_publish {len(calls)}, refused {refused}; looks at the quota {looks}")


async def _settled(one: Member, posts: Sequence[Post]) -> Sequence[Post]:
    """Wait until each post has ended or waits for a later moment; return those that wait."""
    while True:
        now = one.stage.clock()
        listed: list[Post] = []
        after: int | None = None
        while True:
            page = await one.stage.house.publisher.list(one.workspace_id, after=after, limit=100)
            listed.extend(page.posts)
            if (after := page.after) is None:
                break
        open_ = sorted((post for post in listed if post.state not in ENDED), key=lambda post: post.id)
        if len(listed) == len(posts) and all(post.due_at and post.due_at > now and post.reason for post in open_):
            return open_
        await asyncio.sleep(0.2)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--posts", type=int, default=200)
    parser.add_argument("--quota", type=int, default=50)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    asyncio.run(measured(given.posts, given.quota))


if __name__ == "__main__":
    main()
