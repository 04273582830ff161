"""The doors to public posts: what each magic post of the pretend Instagram comes to, and when nobody knocks any more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.instagram.pretend import Pretend
from tintype.backends.outbound import HttpOutbound
from tintype.errors import Busy, Forbidden, NotFound, Refused, Trouble, Unreachable
from tintype.instagram.model import MediaKind
from tintype.instagram.public import (
    Doors,
    Manners,
    MemoryStandings,
    PageWay,
    PublicMedia,
    PublicPost,
    Reason,
    Verdict,
    Way,
    reason_of,
    standard_ways,
    trouble,
)
from tintype.simulator.magic import MAGIC, Magic

STATUSES: dict[type[Trouble], int] = {NotFound: 404, Forbidden: 403, Busy: 429, Refused: 502, Unreachable: 503}
LOOK_UPS = [magic for magic in MAGIC.values() if magic.place != "media"]


@pytest.fixture
async def outbound(pretend: Pretend) -> AsyncIterator[HttpOutbound]:
    here = HttpOutbound(instagram_origin=pretend.origin)
    yield here
    await here.close()


@pytest.fixture
async def house(outbound: HttpOutbound) -> AsyncIterator[Doors]:
    doors = Doors(standard_ways(outbound), PageWay(outbound), lambda: datetime.now(UTC), seconds=2)
    yield doors
    doors.close()


@pytest.mark.parametrize("magic", LOOK_UPS, ids=[magic.shortcode for magic in LOOK_UPS])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_a_magic_post_comes_to_what_the_table_says(house: Doors, pretend: Pretend, magic: Magic, warm: bool):
    if warm:
        await house.look_up(str(pretend.post("/media", username="marlow.bakehouse", kind="IMAGE")["shortcode"]))
    if magic.status == 200:
        assert (await house.look_up(magic.shortcode)).shortcode == magic.shortcode
        return
    with pytest.raises(Trouble) as refused:
        await house.look_up(magic.shortcode)
    kinds = [status for kind, status in STATUSES.items() if isinstance(refused.value, kind)]
    assert (kinds, reason_of(refused.value)) == ([magic.status], magic.code)
    assert (refused.value.retry_after is not None) == (magic.status in (429, 503))


async def test_a_limit_is_the_end_of_asking(house: Doors, pretend: Pretend):
    code = str(pretend.post("/media", username="marlow.bakehouse", kind="IMAGE")["shortcode"])
    with pytest.raises(Busy) as first:
        await house.look_up("x-429")
    before = len(pretend.calls())
    with pytest.raises(Busy) as second:
        await house.look_up(code)
    assert len(pretend.calls()) == before
    assert first.value.retry_after == 900
    assert second.value.retry_after is not None
    assert 890 < second.value.retry_after <= 900
    assert all(one.next_at > datetime.now(UTC) for one in await house.health())


POST = PublicPost("C", "1", MediaKind.IMAGE, None, "", None, None, None, (PublicMedia(MediaKind.IMAGE, "u"),), "x")


@dataclass(eq=False)
class Scripted:
    """A way that does what the test says, and counts how often it was asked."""

    name: str
    says: Callable[[str], Reason | None] = lambda _: None
    retry_after: float | None = None
    asked: list[str] = field(default_factory=list[str])

    async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
        self.asked.append(shortcode)
        reason = self.says(shortcode)
        if reason is not None:
            raise trouble(reason, retry_after=self.retry_after)
        return POST

    def close(self) -> None: ...


@dataclass(eq=False)
class Knows:
    """Whom the doors ask why a post is missing."""

    reason: Reason = Reason.PRIVATE
    asked: int = 0

    async def why_missing(self, shortcode: str, *, seconds: float) -> Reason:
        self.asked += 1
        return self.reason


@dataclass
class Day:
    """A clock that the test moves."""

    now: datetime = datetime(2026, 11, 27, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def doors(*ways: Way, day: Day, asks: Knows | None = None, manners: Manners | None = None) -> Doors:
    return Doors(ways, asks or Knows(), day, manners or Manners(), MemoryStandings(), seconds=5)


async def refusal(house: Doors, shortcode: str) -> Trouble:
    with pytest.raises(Trouble) as refused:
        await house.look_up(shortcode)
    return refused.value


def always(reason: Reason) -> Callable[[str], Reason]:
    return lambda _: reason


@pytest.mark.parametrize("reason", list(Reason))
async def test_another_door_is_tried_only_after_an_answer_of_no_use(reason: Reason):
    first, second = Scripted("first", always(reason)), Scripted("second")
    house = doors(first, second, day=Day())
    if reason is Reason.BAD_UPSTREAM_RESPONSE:
        assert await house.look_up("C1") == POST
        assert second.asked == ["C1"]
        return
    refused = await refusal(house, "C1")
    assert reason_of(refused) is (Reason.PRIVATE if reason is Reason.POST_MISSING else reason)
    assert len(first.asked) == (2 if isinstance(refused, Unreachable) else 1)
    assert second.asked == []


@pytest.mark.parametrize("reason", [Reason.UPSTREAM_ERROR, Reason.UPSTREAM_BLOCKED])
async def test_a_way_that_reaches_nobody_for_three_posts_is_broken_and_the_next_one_serves(reason: Reason):
    day = Day()
    first, second = Scripted("first", always(reason)), Scripted("second")
    house = doors(first, second, day=day)
    for number in range(2):
        assert reason_of(await refusal(house, f"C{number}")) is reason
    assert await house.look_up("C3") == POST
    day.pass_(120)
    before = len(first.asked)
    assert await house.look_up("C4") == POST  # the trial is nobody's loss
    assert len(first.asked) == before + 1


async def test_a_missing_post_is_asked_about_once():
    asks = Knows(Reason.AGE_RESTRICTED)
    house = doors(Scripted("only", always(Reason.POST_MISSING)), day=Day(), asks=asks)
    assert reason_of(await refusal(house, "C1")) is Reason.AGE_RESTRICTED
    assert asks.asked == 1
    assert (await house.health())[0].verdict is Verdict.WORKING


async def test_a_limit_met_while_asking_why_stops_all():
    house = doors(
        Scripted("first", always(Reason.POST_MISSING)),
        Scripted("second"),
        day=Day(),
        asks=Knows(Reason.CHECKPOINT_REQUIRED),
    )
    assert reason_of(await refusal(house, "C1")) is Reason.CHECKPOINT_REQUIRED
    assert reason_of(await refusal(house, "C2")) is Reason.UPSTREAM_RATE_LIMITED


async def test_a_way_has_a_second_try_when_only_the_connection_failed():
    tries = iter([Reason.UPSTREAM_UNREACHABLE, None])
    way = Scripted("only", lambda _: next(tries))
    assert await doors(way, day=Day()).look_up("C1") == POST
    broken = Scripted("only", always(Reason.BAD_UPSTREAM_RESPONSE))
    await refusal(doors(broken, day=Day()), "C1")
    assert len(broken.asked) == 1


@pytest.mark.parametrize(
    ("named", "pauses"), [(None, [900, 1800, 3600]), (60.0, [60, 120, 240]), (7200.0, [7200, 14400])]
)
async def test_each_limit_doubles_the_pause_and_its_end_is_kept(named: float | None, pauses: list[int]):
    day, way, other = Day(), Scripted("way", always(Reason.UPSTREAM_RATE_LIMITED), named), Scripted("other")
    house = doors(way, other, day=day)
    for number, pause in enumerate(pauses, 1):
        assert (await refusal(house, f"C{number}")).retry_after == pause
        day.pass_(pause - 1)
        waiting = await refusal(house, "early")
        assert (waiting.retry_after, reason_of(waiting)) == (1, Reason.UPSTREAM_RATE_LIMITED)
        day.pass_(1)
        assert len(way.asked) == number
    assert other.asked == []


async def test_the_pause_is_the_operators_where_instagram_names_none():
    house = doors(Scripted("way", always(Reason.UPSTREAM_RATE_LIMITED)), day=Day(), manners=Manners(first_pause=60))
    assert (await refusal(house, "C1")).retry_after == 60


async def test_after_the_pause_one_look_up_tries_and_success_opens_the_door():
    day = Day()
    limited = iter([Reason.UPSTREAM_RATE_LIMITED])
    way = Scripted("way", lambda _: next(limited, None))
    house = doors(way, day=day)
    await refusal(house, "C1")
    day.pass_(900)
    assert await house.look_up("C2") == POST
    assert await house.look_up("C3") == POST
    (health,) = await house.health()
    assert (health.verdict, health.reason, health.last_success) == (Verdict.WORKING, None, day.now)


async def test_a_way_that_fails_for_three_posts_is_left_alone_and_the_next_one_serves():
    day = Day()
    first, second = Scripted("first", always(Reason.BAD_UPSTREAM_RESPONSE)), Scripted("second")
    house = doors(first, second, day=day)
    for number in range(6):
        assert await house.look_up(f"C{number}") == POST
    assert (len(first.asked), len(second.asked)) == (3, 6)
    health = await house.health()
    assert [one.verdict for one in health] == [Verdict.BROKEN, Verdict.WORKING]
    day.pass_(120)
    await house.look_up("C9")
    await house.look_up("C10")
    assert len(first.asked) == 4


async def test_one_post_that_fails_again_and_again_breaks_nothing():
    first = Scripted("first", always(Reason.BAD_UPSTREAM_RESPONSE))
    house = doors(first, Scripted("second"), day=Day())
    for _ in range(5):
        await house.look_up("C1")
    assert len(first.asked) == 5


async def test_all_ways_broken_is_said_with_the_time_of_the_next_trial():
    day = Day()
    house = doors(
        Scripted("a", always(Reason.BAD_UPSTREAM_RESPONSE)), Scripted("b", always(Reason.UPSTREAM_ERROR)), day=day
    )
    for number in range(3):
        await refusal(house, f"C{number}")
    refused = await refusal(house, "C4")
    assert (reason_of(refused), refused.retry_after) == (Reason.UPSTREAM_ERROR, 30)


async def test_a_login_wanted_for_every_post_is_a_limit_of_ours():
    day, way = Day(), Scripted("way", always(Reason.LOGIN_REQUIRED))
    house = doors(way, Scripted("other"), day=day)
    for number in range(3):
        assert isinstance(await refusal(house, f"C{number}"), Forbidden)
    refused = await refusal(house, "C4")
    assert (reason_of(refused), refused.retry_after) == (Reason.UPSTREAM_RATE_LIMITED, 120)
    assert (await house.health())[0].verdict is Verdict.LIMITED


async def test_a_wait_that_never_ends_is_most_likely_everybodys():
    day, way = Day(), Scripted("way", always(Reason.UPSTREAM_RATE_LIMITED))
    house, verdicts = doors(way, day=day), list[Verdict]()
    for number in range(6):
        refused = await refusal(house, f"C{number}")
        verdicts.append((await house.health())[0].verdict)
        day.pass_(refused.retry_after or 0)
    assert verdicts == [Verdict.LIMITED] * 4 + [Verdict.BROKEN] * 2


async def test_a_used_up_budget_is_said_exactly_and_is_no_reason_to_knock_elsewhere():
    day, way, other = Day(), Scripted("way"), Scripted("other")
    house = doors(way, other, day=day, manners=Manners(start=4, growth=0))
    for number in range(4):
        await house.look_up(f"C{number}")
    refused = await refusal(house, "C5")
    assert (reason_of(refused), refused.retry_after) == (Reason.BUDGET_EXHAUSTED, 900)
    (health, _) = await house.health()
    assert (health.budget, health.left, health.next_at) == (4, 0, day.now + timedelta(seconds=900))
    day.pass_(900)
    assert await house.look_up("C6") == POST
    assert other.asked == []


async def test_one_look_up_is_under_way_at_a_time():
    running, most = 0, 0

    @dataclass(eq=False)
    class Slow(Scripted):
        async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return POST

    house = doors(Slow("slow"), day=Day())
    await asyncio.gather(*(house.look_up(f"C{number}") for number in range(5)))
    assert most == 1


async def test_whoever_waits_in_the_queue_past_the_deadline_is_told():
    @dataclass(eq=False)
    class Endless(Scripted):
        async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
            await asyncio.sleep(seconds)
            raise trouble(Reason.UPSTREAM_TIMEOUT)

    house = Doors((Endless("endless"),), Knows(), Day(), seconds=0.05)
    refused: Sequence[object] = await asyncio.gather(house.look_up("C1"), house.look_up("C2"), return_exceptions=True)
    assert [reason_of(one) for one in refused if isinstance(one, Trouble)] == [Reason.UPSTREAM_TIMEOUT] * 2
