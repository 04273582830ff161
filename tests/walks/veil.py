"""Ways out through which Instagram looks different: posts that cannot be seen, videos without a thumbnail, less patience.

They stand where the house meets the network, for what the pretend Instagram's own levers do not do.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from tests.walks.stage import Member
from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy, Stream
from tintype.core.feed import Feed

_UNKNOWN = {"error": {"message": "Unsupported get request.", "code": 100, "error_subcode": 33}}

Shown = Callable[[dict[str, Any]], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Veil:
    """Changes each post of a list, or takes it out; says of the `gone` ones, asked directly, that they are unknown."""

    outbound: Outbound
    shown: Shown
    gone: frozenset[str] = frozenset()
    patience: float = 60.0

    async def send(self, request: Outgoing, policy: Policy) -> Answer:
        name = request.url.rpartition("/")[2]
        if name in self.gone:
            return Answer(400, {}, json.dumps(_UNKNOWN).encode())
        answer = await self.outbound.send(
            request, replace(policy, total_seconds=min(policy.total_seconds, self.patience))
        )
        if name != "media":
            return answer
        page = json.loads(answer.body)
        page["data"] = [shown for one in page["data"] if (shown := self.shown(one)) is not None]
        return replace(answer, body=json.dumps(page).encode())

    def stream(self, request: Outgoing, policy: Policy) -> AbstractAsyncContextManager[Stream]:
        return self.outbound.stream(request, policy)

    async def close(self) -> None:
        await self.outbound.close()


def veiled(member: Member, *hidden: str, everything: bool = False, gone: bool = False) -> Feed:
    """The house's feed, which cannot see some posts in lists, nor, when `gone`, directly."""

    def shown(post: dict[str, Any]) -> dict[str, Any] | None:
        return None if everything or post["id"] in hidden else post

    return _through(member, Veil(_out(member), shown, frozenset(hidden) if gone else frozenset()))


def rearranged(member: Member, album: str, places: Sequence[int]) -> Feed:
    """The house's feed, which sees of an album the children at these places, in this order."""

    def shown(post: dict[str, Any]) -> dict[str, Any]:
        if post["id"] != album:
            return post
        children = post["children"]["data"]
        return post | {"children": {"data": [children[place] for place in places]}}

    return _through(member, Veil(_out(member), shown))


def thumbless(member: Member) -> Feed:
    """The house's feed, which sees videos without a thumbnail and copies them."""

    def shown(post: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in post.items() if key != "thumbnail_url"}

    return with_videos(_through(member, Veil(_out(member), shown)))


def with_videos(feed: Feed) -> Feed:
    """The feed as it is with FEED_COPY_VIDEOS."""
    copies, policy = replace(feed.copies, copy_videos=True), replace(feed.policy, copy_videos=True)
    return replace(feed, copies=copies, policy=policy)


def hurried(member: Member) -> Feed:
    """The house's feed, which waits for nothing longer than half a second."""
    return _through(member, Veil(_out(member), lambda post: post, patience=0.5))


def _out(member: Member) -> Outbound:
    return member.stage.house.feed.graph.outbound


def _through(member: Member, veil: Veil) -> Feed:
    feed = member.stage.house.feed
    return replace(feed, graph=replace(feed.graph, outbound=veil), copies=replace(feed.copies, outbound=veil))
