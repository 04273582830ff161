"""Waiting for a container, publishing once, and finding a post whose answer was lost: the steps, on a clock of our own."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.instagram.script import Script, Watch, answer, refusal
from tintype.backends.outbound import Answer
from tintype.errors import Busy, Reconnect, Refused, Trouble, Unreachable
from tintype.instagram import Graph, Login
from tintype.instagram.posting import GAPS, IMAGE_SECONDS, SETTLING, VIDEO_SECONDS, Unconfirmed, Writer

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
PICTURE = {"image_url": "https://example.com/a.jpg", "caption": "Hello #world"}
MADE, DONE = answer({"id": "17"}), answer({"id": "99"})
GONE = Unreachable("the connection to 'graph.instagram.com' failed")
LOST = answer({"id": ""})


def state(code: str, status: str = "") -> Answer:
    return answer({"id": "17", "status_code": code, "status": status})


def medium(number: int, seconds: float, caption: str = "Hello #world", product: str = "FEED") -> dict[str, object]:
    """A medium put up so many seconds after the publish call."""
    when = (NOW + timedelta(seconds=seconds)).isoformat()
    kinds = {"id": str(number), "media_type": "IMAGE", "media_product_type": product}
    return {**kinds, "timestamp": when, "caption": caption}


def listed(*media: dict[str, object]) -> Answer:
    return answer({"data": list(media)})


class Desk:
    """A writer whose Instagram says its lines, on a clock that only moves when somebody rests."""

    def __init__(self, *lines: Answer | Trouble) -> None:
        self.watch = Watch()
        self.outbound = Script(list(lines))
        graph = Graph(self.outbound, "v25.0", 10, clock=self.watch, rest=self.watch.rest, now=lambda: NOW)
        self.writer = Writer(graph, Login.INSTAGRAM_LOGIN, "1", "IGAAtoken")

    async def post(self, **params: str) -> str:
        posted = await self.writer.post({**PICTURE, **params})
        await self.outbound.close()
        return posted

    def published(self) -> int:
        return sum(request.url.endswith("/media_publish") for request in self.outbound.asked)


async def test_the_steps_of_a_post():
    desk = Desk(MADE, state("FINISHED"), DONE)
    assert await desk.post() == "99"
    create, look, publish = desk.outbound.asked
    assert (create.method, create.url, create.form) == ("POST", "https://graph.instagram.com/v25.0/1/media", PICTURE)
    assert (look.method, look.query) == ("GET", {"fields": "id,status_code,status"})
    assert (publish.method, publish.form) == ("POST", {"creation_id": "17"})
    assert desk.watch.rests == []
    assert "IGAAtoken" not in repr(desk.outbound.asked)


async def test_the_looks_come_further_and_further_apart():
    desk = Desk(MADE, *[state("IN_PROGRESS")] * 9, state("FINISHED"), DONE)
    assert await desk.post(video_url="https://example.com/a.mp4") == "99"
    assert desk.watch.rests == [*GAPS, GAPS[-1], GAPS[-1]]


@pytest.mark.parametrize(("more", "seconds"), [({}, IMAGE_SECONDS), ({"video_url": "x"}, VIDEO_SECONDS)])
async def test_a_container_that_never_becomes_ready(more: dict[str, str], seconds: float):
    desk = Desk(MADE, *[state("IN_PROGRESS")] * 60)
    with pytest.raises(Unreachable, match="nothing was published; try again later") as late:
        await desk.post(**more)
    assert late.value.retryable
    assert desk.published() == 0
    assert seconds - GAPS[-1] <= sum(desk.watch.rests) <= seconds


async def test_a_look_without_an_answer_is_taken_again():
    desk = Desk(MADE, *[GONE] * 3, state("FINISHED"), DONE)
    assert await desk.post() == "99"


async def test_a_dead_token_ends_the_waiting():
    desk = Desk(MADE, refusal(190, 463))
    with pytest.raises(Reconnect):
        await desk.post()


@pytest.mark.parametrize(
    ("dead", "words", "numbers"),
    [
        (state("ERROR", "Error: with error code 2207082"), "the upload of the medium failed", (None, 2207082)),
        (state("ERROR", "-2/2207003"), "(Instagram code -2/2207003)", (-2, 2207003)),
        (state("ERROR", "Error: whatever"), "Instagram refused it", (None, None)),
        (state("EXPIRED"), "the upload has expired", (None, None)),
    ],
)
async def test_a_dead_container_is_refused_with_its_cause(
    dead: Answer, words: str, numbers: tuple[int | None, int | None]
):
    desk = Desk(MADE, dead)
    with pytest.raises(Refused) as died:
        await desk.post()
    assert words in died.value.message
    assert died.value.message.startswith("Could not publish the post: ")
    assert (died.value.code, died.value.subcode) == numbers
    assert died.value.action


async def test_a_plain_refusal_is_what_it_is():
    desk = Desk(MADE, state("FINISHED"), refusal(100, 2207089))
    with pytest.raises(Refused, match="publish it as a reel"):
        await desk.post()
    assert desk.published() == 1


async def test_a_finished_container_that_is_not_ready_yet_is_tried_again():
    early = refusal(9007, 2207027)
    desk = Desk(MADE, state("FINISHED"), early, state("FINISHED"), early, state("FINISHED"), DONE)
    assert await desk.post() == "99"
    desk = Desk(MADE, *[state("FINISHED"), early] * 3)
    with pytest.raises(Busy):
        await desk.post()
    assert desk.published() == 3


@pytest.mark.parametrize("doubt", [GONE, LOST, refusal(2), refusal(4, 2207051), refusal(9, 2207042)])
async def test_a_post_in_doubt_that_is_live_is_found(doubt: Answer | Trouble):
    desk = Desk(MADE, state("FINISHED"), doubt, state("PUBLISHED"), listed(medium(5, 0), medium(4, -200)))
    assert await desk.post() == "5"
    assert desk.published() == 1


async def test_the_container_may_take_a_moment_to_tell():
    looks = [state("FINISHED"), state("IN_PROGRESS"), state("PUBLISHED")]
    desk = Desk(MADE, state("FINISHED"), GONE, *looks, listed(), listed(medium(5, 1)))
    assert await desk.post() == "5"


async def test_a_post_in_doubt_that_is_nowhere_must_not_be_repeated():
    for looks in ([state("FINISHED")] * 5, [refusal(100, 33)] * 5):
        desk = Desk(MADE, state("FINISHED"), GONE, *looks)
        with pytest.raises(Unconfirmed, match="may be live"):
            await desk.post()
        assert desk.published() == 1
        assert sum(desk.watch.rests) == sum(SETTLING)


@pytest.mark.parametrize("said", [refusal(4, 2207051), refusal(9, 2207042)])
async def test_a_refusal_that_was_true_is_told(said: Answer):
    desk = Desk(MADE, state("FINISHED"), said, *[state("FINISHED")] * 5)
    with pytest.raises(Busy):
        await desk.post()


@pytest.mark.parametrize(
    ("media", "found"),
    [
        ([medium(5, 0)], "5"),
        ([medium(5, 0), medium(6, 1)], "6"),  # published twice by somebody: the newest is ours
        ([medium(5, 0, "Hello  #world\n")], "5"),  # Instagram trims
        ([medium(5, -100)], "5"),  # Instagram's clock is behind
        ([medium(5, -100), medium(6, -90)], None),  # which of them is ours?
        ([medium(5, -400)], None),
        ([medium(5, 0, "Bye")], None),
        ([medium(5, 0, product="REELS")], None),
        ([], None),
    ],
)
async def test_only_a_medium_that_could_be_ours_is_taken(media: Sequence[dict[str, object]], found: str | None):
    desk = Desk(MADE, state("FINISHED"), GONE, state("PUBLISHED"), *[listed(*media)] * 5)
    try:
        posted = await desk.writer.post(PICTURE)
    except Unconfirmed:
        posted = None
    assert posted == found


async def test_a_story_is_looked_for_among_the_stories():
    desk = Desk(MADE, state("FINISHED"), GONE, state("PUBLISHED"), listed(medium(5, 3, "", "STORY")))
    assert await desk.post(media_type="STORIES") == "5"
    assert desk.outbound.asked[-1].url.endswith("/1/stories")


@given(
    doubts=st.lists(st.sampled_from([GONE, LOST, refusal(2), refusal(1), refusal(9, 2207042)]), min_size=1, max_size=1),
    looks=st.lists(
        st.sampled_from(["FINISHED", "PUBLISHED", "IN_PROGRESS", "ERROR", "EXPIRED"]), min_size=5, max_size=5
    ),
)
def test_whatever_follows_a_doubt_nothing_is_published_twice(doubts: list[Answer | Trouble], looks: list[str]):
    desk = Desk(MADE, state("FINISHED"), *doubts, *[state(code) for code in looks], *[listed()] * 5)

    async def run() -> None:
        with pytest.raises((Unconfirmed, Busy)):
            await desk.writer.post(PICTURE)

    asyncio.run(run())
    assert desk.published() == 1
