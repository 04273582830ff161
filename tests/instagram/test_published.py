"""Publishing, commenting and uploading through the library, against the pretend Instagram, for both logins."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest

from tests.instagram.pretend import Json, Pretend
from tests.instagram.script import Script, Watch, answer
from tintype.backends.outbound import Outgoing, Policy
from tintype.errors import Busy, Forbidden, Invalid, Reconnect, Refused, Unreachable
from tintype.instagram import Comment, ContainerState, Graph, Login, calls, doubtful, publishing

IGL, FBL = Login.INSTAGRAM_LOGIN, Login.FACEBOOK_LOGIN
LOGINS = pytest.mark.parametrize("login", [IGL, FBL])
PICTURE, CLIP = "https://pictures.example/a.jpg", "https://pictures.example/a.mp4"
VIDEO = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 400


@dataclass(frozen=True)
class Desk:
    """An account that may publish, with its token."""

    pretend: Pretend
    graph: Graph
    login: Login
    token: str
    user_id: str

    async def container(self, **params: str) -> str:
        return (await self.graph.ask(publishing.container(self.login, self.user_id, params), self.token)).id

    async def state(self, container_id: str) -> ContainerState | None:
        return (await self.graph.ask(publishing.container_state(self.login, container_id), self.token)).state

    async def publish(self, container_id: str) -> str:
        return await self.graph.ask(publishing.publish(self.login, self.user_id, container_id), self.token)

    def published(self) -> list[Json]:
        return cast("list[Json]", self.pretend.levers.get("/_world/published").json())


def desk(pretend: Pretend, graph: Graph, login: Login, **switches: object) -> Desk:
    pretend.post("/reset", seed=7, container_seconds=0, **switches)
    person = pretend.post("/people", username="lena", page=True, media=0)
    token = pretend.token("lena", login.value)
    return Desk(pretend, replace(graph, rest=Watch().rest), login, token, str(person["user_id"]))


@LOGINS
async def test_a_picture_goes_up_once_and_gets_a_comment(pretend: Pretend, graph: Graph, login: Login):
    at = desk(pretend, graph, login)
    made = await at.container(image_url=PICTURE, caption="Hello #world & all", alt_text="a loaf")
    assert await at.state(made) is ContainerState.FINISHED
    media_id = await at.publish(made)
    assert await at.state(made) is ContainerState.PUBLISHED
    medium = await graph.ask(calls.media_item(login, media_id), at.token)
    assert (medium.caption, medium.alt_text) == ("Hello #world & all", "a loaf")

    comment_id = await graph.ask(publishing.comment(login, media_id, "#first & best"), at.token)
    page = await graph.ask(publishing.comments(login, media_id), at.token)
    assert [(one.id, one.text, one.username) for one in page.items] == [(comment_id, "#first & best", "lena")]
    assert page.items[0].timestamp is not None
    assert [one["id"] for one in at.published()] == [media_id]
    assert not any("fields" in str(call) for call in pretend.calls() if call["method"] == "POST")


async def test_comments_come_in_pages_newest_first(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    media_id = await at.publish(await at.container(image_url=PICTURE))
    for number in range(60):
        pretend.post("/comments", media_id=media_id, text=f"nr {number}")
    pages = [page async for page in graph.pages(publishing.comments(IGL, media_id), at.token)]
    texts = [one.text for page in pages for one in page.items]
    assert [len(page.items) for page in pages] == [50, 10]
    assert sorted(texts) == sorted(f"nr {number}" for number in range(60))
    behind = await graph.ask(publishing.comments(IGL, media_id, after=pages[0].after), at.token)
    assert behind.items == pages[1].items
    assert all(isinstance(one, Comment) for one in behind.items)


async def test_a_container_that_is_not_ready_says_to_wait(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    pretend.post("/reset", seed=7)
    pretend.post("/people", username="lena", page=True, media=0)
    at = replace(at, token=pretend.token("lena"), user_id="me")
    made = await at.container(media_type="REELS", video_url=CLIP)
    with pytest.raises(Busy) as early:
        await at.publish(made)
    assert (early.value.code, early.value.subcode, early.value.retryable) == (9007, 2207027, True)
    assert not doubtful(early.value)


@pytest.mark.parametrize("subcode", [2207076, 2207077, 2207082, 2207085])
async def test_a_video_that_dies_on_its_way_says_of_what(pretend: Pretend, graph: Graph, subcode: int):
    at = desk(pretend, graph, IGL)
    made = await at.container(media_type="REELS", video_url=f"https://pictures.example/fail/{subcode}")
    container = await graph.ask(publishing.container_state(IGL, made), at.token)
    assert (container.state, container.failure) == (ContainerState.ERROR, (None, subcode))


@pytest.mark.parametrize("kind", ["lost", "error_after", "malformed", "reset", "html"])
async def test_a_write_is_never_repeated_by_the_sender(pretend: Pretend, graph: Graph, kind: str):
    at = desk(pretend, graph, IGL)
    made = await at.container(image_url=PICTURE)
    pretend.fault("graph.publish", kind)
    with pytest.raises(Unreachable) as lost:
        await at.publish(made)
    assert doubtful(lost.value)
    sent = [call for call in pretend.calls() if str(call["path"]).endswith("/media_publish")]
    assert len(sent) == 1
    assert (await at.state(made) is ContainerState.PUBLISHED) == (kind in ("lost", "error_after", "malformed"))


@pytest.mark.parametrize("bad", ["", "a/b", "1?x=y", "1" * 65, "é"])
def test_an_id_that_could_not_be_one_is_refused_here(bad: str):
    makers: tuple[Callable[[], object], ...] = (
        lambda: publishing.container(IGL, bad, {}),
        lambda: publishing.container_state(IGL, bad),
        lambda: publishing.publish(IGL, "1", bad),
        lambda: publishing.publish(IGL, bad, "1"),
        lambda: publishing.transferred(IGL, bad),
        lambda: publishing.comments(IGL, bad),
        lambda: publishing.comment(IGL, bad, "hi"),
    )
    for make in makers:
        with pytest.raises(Invalid):
            make()


def source(sent: list[int]) -> Callable[[int], AsyncIterator[bytes]]:
    """The video from an offset on, in uneven pieces; what was given out is noted."""

    async def read_from(offset: int) -> AsyncIterator[bytes]:
        for start in range(offset, len(VIDEO), 7001):
            part = VIDEO[start : start + 7001]
            sent.append(len(part))
            yield part

    return read_from


@LOGINS
async def test_a_video_is_uploaded_and_published(pretend: Pretend, graph: Graph, login: Login):
    at = desk(pretend, graph, login)
    made = await at.container(media_type="REELS", upload_type="resumable")
    sent: list[int] = []
    await at.graph.upload(login, made, at.token, source(sent), size=len(VIDEO))
    assert sum(sent) == len(VIDEO)
    assert await graph.ask(publishing.transferred(login, made), at.token) == len(VIDEO)
    assert await at.state(made) is ContainerState.FINISHED
    await at.publish(made)
    assert len(at.published()) == 1


async def test_a_broken_upload_goes_on_where_it_broke(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    made = await at.container(media_type="REELS", upload_type="resumable")
    half = len(VIDEO) // 2
    first = Outgoing(
        "POST",
        f"https://rupload.facebook.com/ig-api-upload/v25.0/{made}",
        headers={"authorization": f"OAuth {at.token}", "offset": "0", "file_size": str(len(VIDEO))},
        content=VIDEO[:half],
    )
    assert (await graph.outbound.send(first, Policy())).status == 200
    pretend.fault("graph.upload", "status", status=503)
    sent: list[int] = []
    await at.graph.upload(IGL, made, at.token, source(sent), size=len(VIDEO))
    assert await at.state(made) is ContainerState.FINISHED
    uploads = [call for call in pretend.calls() if "ig-api-upload" in str(call["path"])]
    assert len(uploads) == 3
    assert sum(sent) < 2 * len(VIDEO)


async def test_an_upload_whose_answer_is_lost_is_not_sent_again(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    made = await at.container(media_type="REELS", upload_type="resumable")
    pretend.fault("graph.upload", "lost")
    sent: list[int] = []
    await at.graph.upload(IGL, made, at.token, source(sent), size=len(VIDEO))
    assert sum(sent) == len(VIDEO)
    assert await at.state(made) is ContainerState.FINISHED


async def test_an_upload_outlasts_a_while_without_instagram(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    made = await at.container(media_type="REELS", upload_type="resumable")
    pretend.fault("*", "reset", times=5)
    await at.graph.upload(IGL, made, at.token, source([]), size=len(VIDEO))
    assert await at.state(made) is ContainerState.FINISHED


async def test_an_upload_stops_at_its_time(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    made = await at.container(media_type="REELS", upload_type="resumable")
    watch = Watch()
    pressed = replace(at.graph, clock=watch, rest=watch.rest)
    pretend.fault("graph.upload", "reset", times=None)
    with pytest.raises(Unreachable, match="Could not upload the video"):
        await pressed.upload(IGL, made, at.token, source([]), size=len(VIDEO), timeout_seconds=3)
    assert watch.rests == [1.0]


async def test_an_upload_gives_up_after_three_more_tries(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    made = await at.container(media_type="REELS", upload_type="resumable")
    pretend.fault("graph.upload", "reset", times=4)
    with pytest.raises(Unreachable, match="Could not upload the video"):
        await at.graph.upload(IGL, made, at.token, source([]), size=len(VIDEO))
    assert pretend.levers.get("/_world/faults").json() == []


async def test_an_upload_that_instagram_does_not_want_is_refused_at_once(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    made = await at.container(media_type="REELS", upload_type="resumable")
    pretend.post("/people", username="mia", page=True, media=0)
    with pytest.raises(Refused, match="unauthorized user request") as refused:
        await at.graph.upload(IGL, made, pretend.token("mia"), source([]), size=len(VIDEO))
    assert at.token not in str(refused.value)
    with pytest.raises(Reconnect):
        await at.graph.upload(IGL, made, "no token\r\nx: y", source([]), size=len(VIDEO))


async def test_an_upload_carries_its_headers_and_no_secret_in_the_address():
    outbound = Script([answer({"success": True})])
    await Graph(outbound, "v25.0", 10).upload(IGL, "17", "IGAAsecret", source([]), size=9)
    (request,) = outbound.asked
    assert request.url == "https://rupload.facebook.com/ig-api-upload/v25.0/17"
    assert request.headers == {
        "authorization": "OAuth IGAAsecret",
        "offset": "0",
        "file_size": "9",
        "content-length": "9",
    }
    assert outbound.policies[0].total_seconds > 600


async def test_without_the_permission_nothing_is_made(pretend: Pretend, graph: Graph):
    at = desk(pretend, graph, IGL)
    poor = replace(at, token=pretend.token("lena", scopes="instagram_business_basic"))
    with pytest.raises(Forbidden, match="connect it again") as denied:
        await poor.container(image_url=PICTURE)
    assert not doubtful(denied.value)
