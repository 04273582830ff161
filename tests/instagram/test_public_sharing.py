"""Share links lead to posts of Instagram's own, by one question, or nowhere."""

from collections.abc import AsyncIterator

import pytest

from tests.backends.remote import answer, remote
from tests.instagram.pretend import Pretend
from tintype.backends.outbound import HttpOutbound
from tintype.errors import NotFound, Trouble
from tintype.instagram.links import LinkKind, parse_link
from tintype.instagram.public import Reason, reason_of, resolve

SHARE = parse_link("https://www.instagram.com/share/reel/BAxYz")


@pytest.fixture
async def outbound(pretend: Pretend) -> AsyncIterator[HttpOutbound]:
    here = HttpOutbound(instagram_origin=pretend.origin)
    yield here
    await here.close()


async def test_a_share_link_leads_to_its_post(outbound: HttpOutbound, pretend: Pretend):
    code = str(pretend.post("/media", username="marlow.bakehouse", kind="REELS")["shortcode"])
    before = len(pretend.calls())
    found = await resolve(outbound, parse_link(f"https://www.instagram.com/share/reel/BA{code[::-1]}"))
    assert (found.kind, found.shortcode) == (LinkKind.REEL, code)
    assert len(pretend.calls()) == before + 1


async def test_a_share_link_of_nobody(outbound: HttpOutbound):
    with pytest.raises(NotFound):
        await resolve(outbound, SHARE)


async def test_other_links_cost_no_question(outbound: HttpOutbound, pretend: Pretend):
    link = parse_link("https://www.instagram.com/p/C1/")
    before = len(pretend.calls())
    assert await resolve(outbound, link) is link
    assert len(pretend.calls()) == before


@pytest.mark.parametrize(
    ("location", "status", "reason"),
    [
        ("https://www.instagram.com/accounts/login/?next=/p/C1/", "302 Found", Reason.LOGIN_REQUIRED),
        ("https://www.instagram.com/challenge/", "302 Found", Reason.CHECKPOINT_REQUIRED),
        ("https://evil.example/p/C1/", "302 Found", Reason.UNEXPECTED_REDIRECT),
        ("http://127.0.0.1/p/C1/", "302 Found", Reason.UNEXPECTED_REDIRECT),
        ("https://www.instagram.com/nasa/", "302 Found", Reason.NOT_FOUND),
        ("https://www.instagram.com/", "302 Found", Reason.NOT_FOUND),
        ("https://www.instagram.com/share/BAother", "302 Found", Reason.NOT_FOUND),
        ("https://www.instagram.com/p/../x", "302 Found", Reason.NOT_FOUND),
        ("", "200 OK", Reason.NOT_FOUND),
        ("", "429 Too Many Requests", Reason.UPSTREAM_RATE_LIMITED),
        ("", "503 Unavailable", Reason.UPSTREAM_ERROR),
    ],
)
async def test_a_share_link_that_leads_elsewhere_leads_nowhere(location: str, status: str, reason: Reason):
    headers = (f"Location: {location}",) if location else ()
    async with remote(answer(b"", *headers, status=status)) as here:
        outbound = HttpOutbound(instagram_origin=here.url("").rstrip("/"))
        with pytest.raises(Trouble) as refused:
            await resolve(outbound, SHARE)
        await outbound.close()
    assert reason_of(refused.value) is reason
    assert [asked.line for asked in here.asked] == ["HEAD /share/reel/BAxYz HTTP/1.1"]


async def test_an_instagram_that_is_away():
    async with remote(answer(b"")) as here:
        gone = here.url("").rstrip("/")
    outbound = HttpOutbound(instagram_origin=gone)
    with pytest.raises(Trouble) as refused:
        await resolve(outbound, SHARE)
    await outbound.close()
    assert reason_of(refused.value) is Reason.UPSTREAM_UNREACHABLE
