"""Notices on their way: to a push service on a loopback port, on both kinds of database."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.push_service import Handset, PushService, claims, push_service
from tests.servers import postgres_server
from tintype.backends.database import Database, open_database
from tintype.backends.engine import InlineEngine, JobState
from tintype.backends.migrations import upgrade
from tintype.backends.outbound import HttpOutbound
from tintype.backends.vault import Key, Vault, new_key
from tintype.core.notifications import DELIVER, Notice, Notifier, Outcome, Policy, PushRecords, jobs, schedules
from tintype.core.notifications.model import BACKOFF, FRESH, LOST
from tintype.errors import Conflict, Invalid
from tintype.instagram import utc_now

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ITEM = "550e8400-e29b-41d4-a716-446655440000"
DONE = Notice(
    f"{ITEM}:1:success", ITEM, "queue-item", "success", "Lemon cake", "It is in Tandoor", f"/share?item={ITEM}"
)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
async def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Database]:
    if request.param == "sqlite":
        async with _migrated(f"sqlite:///{tmp_path_factory.mktemp('push') / 'test.db'}") as opened:
            yield opened
        return
    with postgres_server() as url:
        async with _migrated(url) as opened:
            yield opened


@asynccontextmanager
async def _migrated(url: str) -> AsyncGenerator[Database]:
    opened = open_database(url)
    await upgrade(opened)
    try:
        yield opened
    finally:
        await opened.close()


@dataclass(slots=True)
class Desk:
    """A notifier before a push service, with a clock that stands until it is moved."""

    notifier: Notifier
    service: PushService
    now: list[datetime]
    vault: Vault = field(repr=False)

    async def subscribe(self, handset: Handset, client: str = "phone") -> int:
        return await self.notifier.subscribe(client, self.service.endpoint(handset), **handset.keys)

    def node(self, vault: Vault) -> Notifier:
        """Another process on the same database, which has not looked at the key yet."""
        one = self.notifier
        return Notifier(PushRecords(one.records.database), vault, one.outbound, one.engine, one.policy, one.now)

    async def deliver(self, after: timedelta = timedelta(0)) -> dict[Outcome, int]:
        self.now[0] += after
        return (await self.notifier.deliver()).counts


@pytest.fixture
async def desk(database: Database) -> AsyncGenerator[Desk]:
    async with push_service() as service:
        outbound = HttpOutbound(allow=(service.place,))
        now, vault = [NOW], Vault.of(new_key())
        policy = Policy("mailto:cook@kitchen.example", ("127.0.0.1",), (service.place,), seconds=5)
        async with database.write() as connection:
            for table in ("push_keys", "push_subscriptions", "push_notices", "push_marks"):
                await connection.exec_driver_sql(f"DELETE FROM {table}")
        engine = InlineEngine()
        notifier = Notifier(PushRecords(database), vault, outbound, engine, policy, lambda: now[0])
        await engine.start(jobs(notifier, {}))
        try:
            yield Desk(notifier, service, now, vault)
        finally:
            await engine.close()
            await outbound.close()


async def announce(desk: Desk, notice: Notice) -> bool:
    """Store a notice without beginning to send it."""
    return await desk.notifier.records.announce(notice, desk.now[0])


async def test_a_notice_arrives_and_only_that_browser_can_read_it(desk: Desk) -> None:
    phone = Handset()
    await desk.subscribe(phone)
    assert await desk.notifier.announce(DONE)
    job = await desk.notifier.engine.enqueue(DELIVER, unique=DELIVER)
    assert (await desk.notifier.engine.outcome(job, wait=10)).state is JobState.DONE
    (asked,) = desk.service.arrived(phone)
    assert desk.service.read(phone) == [
        {
            "type": "queue-item",
            "itemId": ITEM,
            "status": "success",
            "title": "Lemon cake",
            "body": "It is in Tandoor",
            "url": f"/share?item={ITEM}",
        }
    ]
    assert asked.headers["topic"] == ITEM.replace("-", "")
    assert (asked.headers["ttl"], asked.headers["urgency"]) == ("86400", "normal")
    assert b"Lemon" not in asked.body
    signed = claims(asked, NOW)
    assert signed["aud"] == f"http://{desk.service.place}"
    assert signed["sub"] == "mailto:cook@kitchen.example"
    assert signed["key"] == (await desk.notifier.key()).public


async def test_what_waits_for_a_person_is_urgent(desk: Desk) -> None:
    phone = Handset()
    await desk.subscribe(phone)
    await announce(desk, replace(DONE, is_urgent=True))
    await desk.deliver()
    assert desk.service.arrived(phone)[0].headers["urgency"] == "high"


async def test_each_browser_is_told_of_each_thing_once(desk: Desk) -> None:
    phones = [Handset(f"/push/{number}") for number in range(20)]
    for number, phone in enumerate(phones):
        assert await desk.subscribe(phone, f"phone{number}") == number + 1
    assert await announce(desk, DONE)
    assert not await announce(desk, DONE)
    both = await asyncio.gather(desk.notifier.deliver(), desk.notifier.deliver())
    assert sum(report.counts.get(Outcome.DELIVERED, 0) for report in both) == 20
    assert await desk.deliver() == {}
    assert [len(desk.service.arrived(phone)) for phone in phones] == [1] * 20


async def test_who_subscribes_later_is_not_told_of_what_was(desk: Desk) -> None:
    await announce(desk, DONE)
    await desk.subscribe(Handset())
    assert await desk.deliver() == {}


async def test_the_same_client_replaces_and_the_same_endpoint_moves(desk: Desk) -> None:
    first, second = Handset("/push/a"), Handset("/push/b")
    assert await desk.subscribe(first, "one") == 1
    assert await desk.subscribe(second, "one") == 1
    assert await desk.subscribe(second, "two") == 1
    assert await desk.subscribe(first, "three") == 2
    await announce(desk, DONE)
    assert await desk.deliver() == {Outcome.DELIVERED: 2}
    assert await desk.notifier.unsubscribe("one") == 2
    assert await desk.notifier.unsubscribe("two") == 1
    assert await desk.notifier.unsubscribe("two") == 1


async def test_the_same_browser_at_the_same_moment_is_one_subscription(desk: Desk) -> None:
    phone = Handset()
    await asyncio.gather(*(desk.subscribe(phone, f"client{number % 3}") for number in range(3)))
    assert await desk.notifier.records.count() == 1


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_a_browser_that_left_is_forgotten_at_the_first_answer(desk: Desk, status: str) -> None:
    phone = Handset()
    desk.service.answers[phone.path] = (status,)
    await desk.subscribe(phone)
    await announce(desk, DONE)
    assert await desk.deliver() == {Outcome.GONE: 1}
    assert await desk.notifier.records.count() == 0


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "413 Too Large", "301 Moved"]
)
async def test_a_refusal_is_ours_to_mend_and_costs_nobody_the_subscription(
    desk: Desk, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    phone = Handset()
    desk.service.answers[phone.path] = (status, "Location: http://127.0.0.1:1/")
    await desk.subscribe(phone)
    await announce(desk, DONE)
    assert await desk.deliver() == {Outcome.REFUSED: 1}
    assert await desk.deliver(FRESH) == {}
    assert await desk.notifier.records.count() == 1
    assert "127.0.0.1 refused a push with" in caplog.text
    assert phone.path not in caplog.text


async def test_a_service_that_is_away_is_asked_again_and_again(desk: Desk) -> None:
    phone = Handset()
    desk.service.answers[phone.path] = ("503 Service Unavailable",)
    await desk.subscribe(phone)
    await announce(desk, DONE)
    assert await desk.deliver() == {Outcome.LATER: 1}
    for wait in BACKOFF[:-1]:
        assert await desk.deliver(wait - timedelta(seconds=1)) == {}
        assert await desk.deliver(timedelta(seconds=1)) == {Outcome.LATER: 1}
    desk.service.answers.clear()
    assert await desk.deliver(BACKOFF[-1]) == {Outcome.DELIVERED: 1}
    assert int(desk.service.arrived(phone)[-1].headers["ttl"]) == (FRESH - sum(BACKOFF, timedelta(0))).total_seconds()


async def test_a_service_that_asks_for_time_gets_it(desk: Desk) -> None:
    phone = Handset()
    desk.service.answers[phone.path] = ("429 Too Many Requests", "Retry-After: 3600")
    await desk.subscribe(phone)
    await announce(desk, DONE)
    assert await desk.deliver() == {Outcome.LATER: 1}
    assert await desk.deliver(59 * MINUTE) == {}
    desk.service.answers.clear()
    assert await desk.deliver(MINUTE) == {Outcome.DELIVERED: 1}


async def test_what_is_a_day_old_is_no_news(desk: Desk) -> None:
    phone = Handset()
    await desk.subscribe(phone)
    await announce(desk, DONE)
    assert await desk.deliver(FRESH) == {Outcome.EXPIRED: 1}
    assert desk.service.arrived(phone) == []


async def test_a_browser_out_of_reach_for_a_week_is_forgotten(desk: Desk) -> None:
    phone = Handset()
    desk.service.answers[phone.path] = ("500 Internal Server Error",)
    await desk.subscribe(phone)
    await announce(desk, DONE)
    await desk.deliver()
    await desk.deliver(FRESH)
    await announce(desk, replace(DONE, key="another"))
    assert await desk.deliver(LOST - FRESH) == {Outcome.GONE: 1}
    assert await desk.notifier.records.count() == 0


async def test_a_browser_that_was_reached_again_begins_anew(desk: Desk) -> None:
    phone = Handset()
    desk.service.answers[phone.path] = ("500 Internal Server Error",)
    await desk.subscribe(phone)
    await announce(desk, DONE)
    await desk.deliver()
    desk.service.answers.clear()
    assert await desk.deliver(MINUTE) == {Outcome.DELIVERED: 1}
    desk.now[0] += LOST
    desk.service.answers[phone.path] = ("500 Internal Server Error",)
    await announce(desk, replace(DONE, key="another"))
    assert await desk.deliver() == {Outcome.LATER: 1}


async def test_what_a_killed_process_held_is_sent_when_its_lease_is_over(desk: Desk) -> None:
    phone = Handset()
    await desk.subscribe(phone)
    await announce(desk, DONE)
    assert len(await desk.notifier.records.claim(NOW, desk.notifier.policy.lease, 10)) == 1
    assert await desk.deliver() == {}
    assert await desk.deliver(desk.notifier.policy.lease) == {Outcome.DELIVERED: 1}


async def test_a_slow_process_that_lives_keeps_what_it_sends(desk: Desk) -> None:
    phone, short = Handset(), timedelta(seconds=0.3)
    await desk.subscribe(phone)
    node = replace(desk.notifier, policy=replace(desk.notifier.policy, lease=short), now=utc_now)
    await node.records.announce(DONE, utc_now())
    desk.service.slowness.append(5 * short.total_seconds())
    reports = await asyncio.gather(node.see_through(), node.see_through())
    assert sorted(report.counts.get(Outcome.DELIVERED, 0) for report in reports) == [0, 1]
    assert len(desk.service.arrived(phone)) == 1


async def test_what_a_process_died_with_is_sent_by_who_waits_for_it(desk: Desk) -> None:
    phone, short = Handset(), timedelta(seconds=0.3)
    await desk.subscribe(phone)
    node = replace(desk.notifier, policy=replace(desk.notifier.policy, lease=short), now=utc_now)
    await node.records.announce(DONE, utc_now())
    (held,) = await node.records.claim(utc_now(), short, 10)
    assert (await node.see_through()).counts == {Outcome.DELIVERED: 1}
    await node.records.postpone(held, utc_now(), utc_now())
    assert await node.records.claim(utc_now(), short, 10) == [], "who was overtaken changes nothing"


async def test_what_a_dead_process_was_sending_is_sent_at_once_and_nobody_elses(desk: Desk) -> None:
    phone = Handset()
    await desk.subscribe(phone)
    records, lease = desk.notifier.records, desk.notifier.policy.lease
    await announce(desk, DONE)
    (mine,) = await records.claim(NOW, lease, 10, "dead")
    assert await records.release("alive", NOW) == 0
    assert await records.release("dead", NOW) == 1
    (again,) = await records.claim(NOW, lease, 10, "heir")
    await records.give_up(mine, NOW)
    await records.refuse(mine)
    await records.postpone(mine, NOW, NOW)
    assert await records.claim(NOW, lease, 10) == [], "who was overtaken changes nothing"
    await records.postpone(again, NOW, NOW)
    assert await records.release("heir", NOW) == 0, "it holds nothing any more"
    assert await desk.deliver() == {Outcome.DELIVERED: 1}


async def test_nothing_is_sent_to_a_private_address(desk: Desk) -> None:
    phone = Handset()
    await desk.subscribe(phone)
    await announce(desk, DONE)
    guarded = HttpOutbound()
    try:
        report = await replace(desk.notifier, outbound=guarded).deliver()
    finally:
        await guarded.close()
    assert report.counts == {Outcome.REFUSED: 1}
    assert desk.service.remote.asked == []


async def test_the_key_is_made_once_whoever_asks_first(desk: Desk) -> None:
    nodes = [desk.node(desk.vault) for _ in range(5)]
    keys = await asyncio.gather(*(node.key() for node in nodes))
    assert len({key.public for key in keys}) == 1
    stored = await desk.notifier.records.key()
    assert stored is not None
    assert keys[0].text().encode() not in stored


async def test_secrets_are_sealed_anew_with_a_new_key(desk: Desk) -> None:
    phone = Handset()
    await desk.subscribe(phone)
    before = (await desk.notifier.key()).public
    newer = Vault(Key.of(new_key()), (desk.vault.current,))
    turned = desk.node(newer)
    assert await turned.rotate() == 2
    assert await turned.rotate() == 0
    alone = desk.node(Vault(newer.current))
    assert (await alone.key()).public == before
    await announce(desk, DONE)
    assert (await alone.deliver()).counts == {Outcome.DELIVERED: 1}


async def test_there_are_only_so_many_subscriptions(desk: Desk) -> None:
    few = replace(desk.notifier, policy=replace(desk.notifier.policy, most=2))
    for number in range(2):
        phone = Handset(f"/push/{number}")
        await few.subscribe(f"phone{number}", desk.service.endpoint(phone), **phone.keys)
    third = Handset("/push/3")
    with pytest.raises(Conflict):
        await few.subscribe("third", desk.service.endpoint(third), **third.keys)
    assert await few.subscribe("phone1", desk.service.endpoint(third), **third.keys) == 2


@pytest.mark.parametrize("client", ["", "x" * 201])
async def test_a_client_needs_a_name(desk: Desk, client: str) -> None:
    with pytest.raises(Invalid, match="clientId"):
        await desk.subscribe(Handset(), client)


@dataclass(slots=True)
class Log:
    """A source of notices."""

    lines: list[tuple[datetime, Notice]] = field(default_factory=list[tuple[datetime, Notice]])
    asked: list[int] = field(default_factory=list[int])

    async def since(self, number: int) -> tuple[int, Sequence[tuple[datetime, Notice]]]:
        self.asked.append(number)
        return len(self.lines), self.lines[number:]


async def test_a_log_is_read_from_where_it_was_left_and_old_lines_are_no_news(desk: Desk) -> None:
    phone, log = Handset(), Log()
    await desk.subscribe(phone)
    log.lines.append((NOW - FRESH, replace(DONE, key="old")))
    log.lines.append((NOW - MINUTE, DONE))
    (job,) = jobs(desk.notifier, {"recipes": log})
    assert await job.run() == {"announced": 1, "delivered": 1}
    assert await job.run() == {"announced": 0}
    log.lines.append((NOW, DONE))
    log.lines.append((NOW, replace(DONE, key="next")))
    assert await job.run() == {"announced": 1, "delivered": 1}
    assert log.asked == [0, 2, 2]
    assert len(desk.service.arrived(phone)) == 2


async def test_notices_are_forgotten_after_a_while(desk: Desk) -> None:
    await announce(desk, DONE)
    await desk.deliver(LOST + MINUTE)
    assert await desk.notifier.records.unknown([DONE.key]) == {DONE.key}


def test_the_job_starts_by_the_minute() -> None:
    assert [(one.job, one.cron) for one in schedules()] == [(DELIVER, "* * * * *")]
