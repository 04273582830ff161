"""From a medium's address to a post's id: prepare, wait, publish once, and find out what happened when no answer came.

This serves the library face, whose callers keep nothing. Whoever has a database keeps the steps there and goes on after a crash.
"""

import unicodedata
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tintype.errors import Refused, RemoteTrouble, Trouble, Unreachable
from tintype.instagram import calls, publishing
from tintype.instagram.errors import doubtful
from tintype.instagram.graph import Graph
from tintype.instagram.meanings import meaning_of_container
from tintype.instagram.model import Container, ContainerState, Login, Media, MediaProduct

GAPS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds between two looks at a container; the last one stays
IMAGE_SECONDS = 120.0  # how long a picture may take to become ready
VIDEO_SECONDS = 1800.0
SETTLING = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds before each look at what an unanswered publish has done
SKEW = timedelta(minutes=5)  # how far Instagram's clock may be behind ours
ROUNDING = timedelta(seconds=2)  # Instagram's times are whole seconds
NOT_READY = (9007, 2207027)
PREMATURE = 3  # times that Instagram may call a finished container unfinished


class Unconfirmed(Unreachable):
    """The post may be live: Instagram's answer was lost and nothing told what it did. Repeating it could post twice."""


@dataclass(frozen=True, slots=True)
class Writer:
    """An account that publishes, with its token."""

    graph: Graph
    login: Login
    user_id: str
    token: str

    async def post(self, params: Mapping[str, str]) -> str:
        """Publishes one medium and gives its id; raises Unconfirmed when the post may be live and other Troubles when not."""
        made = await self.graph.ask(publishing.container(self.login, self.user_id, params), self.token)
        seconds = VIDEO_SECONDS if "video_url" in params else IMAGE_SECONDS
        for attempt in range(1, PREMATURE + 1):
            await self._ready(made.id, seconds)
            started = self.graph.now()
            try:
                return await self.graph.ask(publishing.publish(self.login, self.user_id, made.id), self.token)
            except RemoteTrouble as trouble:
                if (trouble.code, trouble.subcode) == NOT_READY and attempt < PREMATURE:
                    await self.graph.rest(GAPS[attempt])
                elif doubtful(trouble):
                    return await self._settled(made.id, trouble, _Post.of(params, started))
                else:
                    raise
        raise AssertionError("the last attempt has returned or raised")

    async def _ready(self, container_id: str, seconds: float) -> None:
        """Waits until a container can be published; raises Refused when it died, Unreachable when it takes too long."""
        deadline = self.graph.clock() + seconds
        for gap in _gaps():
            try:
                container = await self._container(container_id)
            except Unreachable:
                container = None
            if container and container.state in (ContainerState.FINISHED, ContainerState.PUBLISHED):
                return
            if container and container.state in (ContainerState.ERROR, ContainerState.EXPIRED):
                raise _died(container)
            if self.graph.clock() + gap > deadline:
                break
            await self.graph.rest(gap)
        raise Unreachable(
            f"Could not publish the post: Instagram was not done with the medium after {seconds:g} seconds; "
            "nothing was published; try again later.",
            action="try again later",
            retryable=True,
        )

    async def _settled(self, container_id: str, trouble: RemoteTrouble, post: "_Post") -> str:
        """The id of a post whose publishing was not confirmed; the refusal itself when it turns out to be true."""
        state: ContainerState | None = None
        candidates: list[Media] = []
        async for _ in self._looks():
            state = await self._state(container_id)
            if state is ContainerState.PUBLISHED:
                break
        if state is ContainerState.PUBLISHED:
            async for _ in self._looks():
                candidates = await self._candidates(post)
                if candidates and candidates[0].timestamp >= post.started - ROUNDING:
                    return candidates[0].id
            if len(candidates) == 1:
                return candidates[0].id
        elif state is ContainerState.FINISHED and trouble.code is not None and trouble.kind is not Unreachable.kind:
            raise trouble
        raise Unconfirmed(
            "The post may be live: Instagram's answer was lost. Do not repeat it; look at the account first.",
            action="look at the account before posting again",
        ) from trouble

    async def _looks(self) -> AsyncIterator[None]:
        for gap in SETTLING:
            await self.graph.rest(gap)
            yield

    async def _state(self, container_id: str) -> ContainerState | None:
        try:
            return (await self._container(container_id)).state
        except Trouble:
            return None  # what is not known stays in doubt

    async def _container(self, container_id: str) -> Container:
        return await self.graph.ask(publishing.container_state(self.login, container_id), self.token)

    async def _candidates(self, post: "_Post") -> list[Media]:
        """The account's latest media that could be this post, newest first."""
        listed = calls.stories if post.product is MediaProduct.STORY else calls.media_page
        try:
            page = await self.graph.ask(listed(self.login, self.user_id), self.token)
        except Trouble:
            return []
        return sorted(filter(post.is_in, page.items), key=lambda medium: medium.timestamp, reverse=True)


@dataclass(frozen=True, slots=True)
class _Post:
    """What is known of a post whose id is not."""

    product: MediaProduct
    caption: str
    started: datetime

    @classmethod
    def of(cls, params: Mapping[str, str], started: datetime) -> "_Post":
        products = {"REELS": MediaProduct.REELS, "STORIES": MediaProduct.STORY}
        product = products.get(params.get("media_type", ""), MediaProduct.FEED)
        return cls(product, _plain(params.get("caption", "")), started)

    def is_in(self, medium: Media) -> bool:
        """Whether a medium could be this post; stories carry no caption, so only their time tells."""
        if medium.timestamp < self.started - SKEW or medium.product not in (self.product, None):
            return False
        return self.product is MediaProduct.STORY or _plain(medium.caption or "") == self.caption


def _plain(caption: str) -> str:
    return " ".join(unicodedata.normalize("NFC", caption).split())


def _gaps() -> Iterator[float]:
    yield from GAPS
    while True:
        yield GAPS[-1]


def _died(container: Container) -> Refused:
    meaning = meaning_of_container(container)
    code, subcode = container.failure or (None, None)
    numbers = "/".join(str(number) for number in (code, subcode) if number is not None)
    return Refused(
        f"Could not publish the post: {meaning.sentence}" + (f" (Instagram code {numbers})" if numbers else ""),
        code=code,
        subcode=subcode,
        action=meaning.action,
        retryable=meaning.retryable,
    )
