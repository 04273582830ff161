"""Every way to a public post, against the pretend Instagram: the same promises, whichever library keeps them."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import cast

import instaloader
import pytest

from tests.backends.remote import answer, remote
from tests.instagram.pretend import Json, Pretend
from tintype.backends.outbound import HttpOutbound
from tintype.errors import Invalid, Trouble
from tintype.instagram.links import shortcode_to_media_id, taken_at
from tintype.instagram.model import MediaKind
from tintype.instagram.public import (
    BROWSER,
    WAYS,
    PageWay,
    PublicPost,
    Reason,
    Way,
    reason_of,
    session_way,
    standard_ways,
)

OWNER = "marlow.bakehouse"


@pytest.fixture
async def outbound(pretend: Pretend) -> AsyncIterator[HttpOutbound]:
    here = HttpOutbound(instagram_origin=pretend.origin)
    yield here
    await here.close()


@pytest.fixture
async def ways(outbound: HttpOutbound) -> AsyncIterator[Sequence[Way]]:
    made = standard_ways(outbound)
    yield made
    for way in made:
        way.close()


@pytest.fixture(params=range(len(WAYS)), ids=WAYS)
def way(ways: Sequence[Way], request: pytest.FixtureRequest) -> Way:
    return ways[cast("int", request.param)]


def post(pretend: Pretend, kind: str, **more: object) -> str:
    return str(pretend.post("/media", username=OWNER, kind=kind, caption="Rye & salt \u2013 50 %", **more)["shortcode"])


def asked(pretend: Pretend, before: int) -> list[str]:
    return [str(call["path"]) for call in pretend.calls()[before:]]


async def refusal(way: Way, shortcode: str, seconds: float = 5) -> Reason | None:
    with pytest.raises(Trouble) as refused:
        await way.look_up(shortcode, seconds=seconds)
    return reason_of(refused.value)


async def test_all_ways_are_offered_in_their_order(ways: Sequence[Way]):
    assert tuple(way.name for way in ways) == WAYS


async def test_a_picture(way: Way, pretend: Pretend):
    code = post(pretend, "IMAGE", width=1440, height=1080)
    found = await way.look_up(code, seconds=30)
    (media,) = found.media
    assert (found.shortcode, found.kind, found.source) == (code, MediaKind.IMAGE, way.name)
    assert (found.owner, found.owner_name is not None) == (OWNER, True)
    assert found.caption == "Rye & salt \u2013 50 %"
    assert found.media_id == shortcode_to_media_id(code)
    assert found.taken_at is not None
    assert found.media_id is not None
    assert abs((found.taken_at - taken_at(found.media_id)).total_seconds()) < 120
    assert (media.kind, media.width, media.height, media.seconds, media.poster_url) == (
        MediaKind.IMAGE,
        1440,
        1080,
        None,
        None,
    )


async def test_a_reel(way: Way, pretend: Pretend):
    found = await way.look_up(post(pretend, "REELS", width=720, height=1280), seconds=5)
    (media,) = found.media
    assert found.kind is media.kind is MediaKind.VIDEO
    assert (media.width, media.height) == (720, 1280)
    assert media.seconds is not None
    assert media.poster_url is not None
    assert media.poster_url != media.url


async def test_a_carousel_in_order(way: Way, pretend: Pretend):
    code = post(pretend, "CAROUSEL_ALBUM", children=["IMAGE", "VIDEO", "IMAGE"])
    found = await way.look_up(code, seconds=30)
    assert found.kind is MediaKind.CAROUSEL_ALBUM
    assert [media.kind for media in found.media] == [MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.IMAGE]
    assert len({media.url for media in found.media}) == 3


async def test_a_code_that_begins_with_a_dash(way: Way, pretend: Pretend):
    code = post(pretend, "IMAGE", shortcode="-Cmh1cukG2")
    assert (await way.look_up(code, seconds=30)).shortcode == code


async def test_a_post_without_a_caption(way: Way, pretend: Pretend):
    made = pretend.post("/media", username=OWNER, kind="IMAGE", caption="")
    assert (await way.look_up(str(made["shortcode"]), seconds=5)).caption == ""


WARM = {
    "instaloader": ["/api/graphql"],
    "page": ["/p/{}/"],
    "yt-dlp": ["/api/v1/web/get_ruling_for_content/", "/p/{}"],
}


async def test_a_warm_look_up_asks_for_nothing_twice(way: Way, pretend: Pretend):
    first, second = post(pretend, "IMAGE"), post(pretend, "REELS")
    await way.look_up(first, seconds=5)
    before = len(pretend.calls())
    await way.look_up(second, seconds=5)
    assert asked(pretend, before) == [path.format(second) for path in WARM[way.name]]


async def test_many_at_once_ask_for_the_page_tokens_once(ways: Sequence[Way], pretend: Pretend):
    code, before = post(pretend, "REELS"), len(pretend.calls())
    found = await asyncio.gather(*(ways[0].look_up(code, seconds=10) for _ in range(12)))
    assert {one.media[0].width for one in found} == {found[0].media[0].width}
    assert sorted(asked(pretend, before)) == ["/", *["/api/graphql"] * 12]


@pytest.mark.parametrize(
    ("on", "kind", "more", "reason"),
    [
        ("*", "rate_limit", {}, Reason.UPSTREAM_RATE_LIMITED),
        ("*", "status", {"status": 500}, Reason.UPSTREAM_ERROR),
        ("*", "status", {"status": 503}, Reason.UPSTREAM_ERROR),
        ("*", "reset", {}, Reason.UPSTREAM_UNREACHABLE),
        ("*", "hang", {}, Reason.UPSTREAM_TIMEOUT),
        ("*", "expired_token", {}, Reason.LOGIN_REQUIRED),
        ("*", "redirect", {"to": "http://127.0.0.1:9/x"}, Reason.UNEXPECTED_REDIRECT),
        ("*", "redirect", {"to": "https://www.instagram.com/challenge/?next=/"}, Reason.CHECKPOINT_REQUIRED),
    ],
)
async def test_a_refusal_is_the_same_by_every_way(
    way: Way, pretend: Pretend, on: str, kind: str, more: dict[str, object], reason: Reason
):
    code = post(pretend, "IMAGE")
    pretend.fault(on, kind, **more)
    assert await refusal(way, code, seconds=1 if kind == "hang" else 30) is reason


async def test_after_a_limit_nothing_more_is_asked(way: Way, pretend: Pretend):
    code = post(pretend, "IMAGE")
    await way.look_up(code, seconds=30)
    pretend.fault("*", "rate_limit")
    before = len(pretend.calls())
    assert await refusal(way, code) is Reason.UPSTREAM_RATE_LIMITED
    assert len(asked(pretend, before)) == 1


async def test_a_silent_instagram_costs_the_deadline_and_no_more(way: Way, pretend: Pretend):
    code = post(pretend, "IMAGE")
    pretend.fault("*", "hang")
    begun = time.monotonic()
    assert await refusal(way, code, seconds=0.5) is Reason.UPSTREAM_TIMEOUT
    assert 0.4 < time.monotonic() - begun < 30  # the silence itself has no end


async def test_threads_come_free_when_nobody_waits_any_more(ways: Sequence[Way], pretend: Pretend):
    code, way = post(pretend, "IMAGE"), ways[0]
    await way.look_up(code, seconds=30)
    pretend.fault("web.graphql", "hang", times=6)
    waiting = [asyncio.ensure_future(way.look_up(code, seconds=60)) for _ in range(6)]  # more than there are threads
    await asyncio.sleep(0.3)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    pretend.post("/reset", seed=7)
    code = post(pretend, "IMAGE")
    assert (await way.look_up(code, seconds=30)).shortcode == code


async def test_tokens_that_are_too_old_are_renewed(ways: Sequence[Way], pretend: Pretend):
    code, way = post(pretend, "IMAGE"), ways[0]
    await way.look_up(code, seconds=30)
    pretend.post("/clock", advance_seconds=2 * 86_400)
    before = len(pretend.calls())
    assert (await way.look_up(code, seconds=30)).shortcode == code
    assert asked(pretend, before) == ["/api/graphql", "/", "/api/graphql"]


@pytest.mark.parametrize("name", WAYS)
async def test_the_user_agent_is_the_operators(name: str):
    async with remote(answer(b"", status="500 Oops")) as here:
        outbound = HttpOutbound(instagram_origin=here.url("").rstrip("/"))
        (way,) = standard_ways(outbound, user_agent="Mozilla/5.0 (of mine)", names=(name,))
        assert await refusal(way, "C1a-_xYz09Q") is Reason.UPSTREAM_ERROR
        way.close()
        await outbound.close()
    assert {asked.headers["user-agent"] for asked in here.asked} == {"Mozilla/5.0 (of mine)"}
    assert {asked.headers["host"] for asked in here.asked} == {"www.instagram.com"}


async def test_ways_can_be_chosen(outbound: HttpOutbound):
    (only,) = standard_ways(outbound, names=("page",))
    assert only == PageWay(outbound, BROWSER)


def signed_in(pretend: Pretend) -> dict[str, str]:
    cookies = cast("Json", pretend.post("/sessions", username=OWNER).get("cookies"))
    return {name: str(value) for name, value in cookies.items()}


async def test_a_lent_session_needs_one_request_from_the_start(outbound: HttpOutbound, pretend: Pretend):
    code, before = post(pretend, "REELS"), len(pretend.calls())
    way = session_way(outbound, signed_in(pretend))
    before = len(pretend.calls())
    found: PublicPost = await way.look_up(code, seconds=30)
    way.close()
    assert (found.shortcode, found.source) == (code, "session")
    assert asked(pretend, before) == ["/graphql/query"]


async def test_a_session_that_is_over_says_so(outbound: HttpOutbound, pretend: Pretend):
    code = post(pretend, "IMAGE")
    way = session_way(outbound, signed_in(pretend))
    pretend.levers.delete(f"/_world/sessions/{OWNER}").raise_for_status()
    assert await refusal(way, code) is Reason.SESSION_EXPIRED
    way.close()


@pytest.mark.parametrize("missing", ["sessionid", "csrftoken", "ds_user_id"])
async def test_a_session_without_a_cookie_is_refused(outbound: HttpOutbound, missing: str):
    session = {"sessionid": "a", "csrftoken": "b", "ds_user_id": "1"}
    with pytest.raises(Invalid, match=missing):
        session_way(outbound, {**session, missing: ""})


async def test_the_libraries_print_nothing(
    ways: Sequence[Way], pretend: Pretend, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    for way in ways:
        await way.look_up(post(pretend, "IMAGE"), seconds=5)
        await refusal(way, "x-429")
        await refusal(way, "z-null")
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_a_library_that_speaks_outside_of_a_look_up_is_stopped(ways: Sequence[Way]):
    context = instaloader.InstaloaderContext(sleep=False, quiet=True, max_connection_attempts=1)
    with pytest.raises(RuntimeError, match="outside of a look-up"):
        instaloader.Post.from_shortcode(context, "C1a-_xYz09Q")
