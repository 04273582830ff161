"""Messages on their way to a receiver: the whole schedule, both signatures, and what ends it."""

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest

from tests.core.webhooks.desk import HOUR, LINK, MINUTE, NOW, Desk, filestack_takes, opened, verified
from tintype.backends.database import Database
from tintype.core.webhooks import PRESETS, Envelope, Happening, Progress, State
from tintype.errors import Conflict

WAITING, DELIVERED, FAILED = Progress.WAITING, Progress.DELIVERED, Progress.FAILED


async def test_a_message_arrives_and_both_official_verifiers_take_it(desk: Desk) -> None:
    issued = await desk.add()
    await desk.tell()
    assert await desk.deliver() == [DELIVERED]
    (asked,) = desk.receiver.arrived()
    assert asked.line == "POST /hook HTTP/1.1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["webhook-timestamp"] == asked.headers["fs-timestamp"] == str(int(NOW.timestamp()))
    assert asked.headers["webhook-attempt"] == "1"
    assert asked.headers["webhook-id"].startswith("msg_")
    assert "." not in asked.headers["webhook-id"]
    told = verified(issued.secret, asked, desk.now)
    assert told == {"action": "fp.upload", "timestamp": int(NOW.timestamp()), "id": told["id"], "text": LINK}
    assert not filestack_takes("whsec_another", asked)


async def test_the_schedule_of_the_document_is_kept_to_the_second(desk: Desk) -> None:
    issued = await desk.add()
    desk.receiver.answers["/hook"] = ("500 Internal Server Error",)
    await desk.tell()
    moments = [timedelta(0)]
    assert await desk.deliver() == [WAITING]
    for delay in (5 * MINUTE, HOUR, 12 * HOUR):
        desk.clock[0] = NOW + delay - timedelta(milliseconds=1)
        assert await desk.deliver() == []
        moments.append(delay)
        desk.clock[0] = NOW + delay
        assert len(await desk.deliver()) == 1
    assert await desk.deliver(timedelta(days=20)) == []
    asked = desk.receiver.arrived()
    assert [int(one.headers["fs-timestamp"]) for one in asked] == [int((NOW + one).timestamp()) for one in moments]
    assert [one.headers["webhook-attempt"] for one in asked] == ["1", "2", "3", "4"]
    assert len({one.headers["webhook-id"] for one in asked}) == 1
    assert len({one.body for one in asked}) == 1
    for one, moment in zip(asked, moments, strict=True):
        verified(issued.secret, one, NOW + moment)
    (delivery,) = await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=5)
    assert (delivery.state, delivery.reason, delivery.attempts) == (FAILED, "http_500", 4)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "once"])
async def test_every_preset_counts_from_the_first_attempt(desk: Desk, name: str) -> None:
    await desk.add(schedule=name)
    desk.receiver.answers["/hook"] = ("503 Service Unavailable",)
    await desk.tell()
    for delay in PRESETS[name]:
        desk.clock[0] = NOW + delay
        assert len(await desk.deliver()) == 1
    stamps = [int(one.headers["fs-timestamp"]) for one in desk.receiver.arrived()]
    assert stamps == [int((NOW + delay).timestamp()) for delay in PRESETS[name]]


async def test_a_schedule_of_ones_own(desk: Desk) -> None:
    await desk.add(schedule="custom", delays=(10, 60))
    desk.receiver.answers["/hook"] = ("404 Not Found",)
    await desk.tell()
    states = [
        await desk.deliver(),
        await desk.deliver(timedelta(seconds=10)),
        await desk.deliver(timedelta(seconds=50)),
    ]
    assert states == [[WAITING], [WAITING], [FAILED]]


async def test_a_receiver_that_is_away_for_eleven_hours_gets_everything(desk: Desk) -> None:
    issued = await desk.add()
    desk.receiver.answers["/hook"] = ("502 Bad Gateway",)
    told = 11 * 4
    for number in range(told):
        await desk.tell(text={**LINK, "size": number})
        for _ in range(3):
            await desk.deliver(5 * MINUTE)
    desk.receiver.answers.clear()
    before = len(desk.receiver.arrived())
    for _ in range(12 * 4 + 1):
        await desk.deliver(15 * MINUTE)
    taken = desk.receiver.arrived()[before:]
    assert sorted(json.loads(one.body)["text"]["size"] for one in taken) == list(range(told)), "everything, each once"
    for asked in taken:
        assert filestack_takes(issued.secret, asked)
    assert await desk.webhooks.counts(issued.endpoint) == {"delivered": told}
    assert (await desk.webhooks.get(desk.scope, issued.endpoint.id)).state is State.ACTIVE


async def test_jitter_is_never_early(database: Database) -> None:
    async with opened(database, jitter=timedelta(seconds=30)) as desk:
        await desk.add()
        desk.receiver.answers["/hook"] = ("500 Oops",)
        await desk.tell()
        await desk.deliver()
        assert await desk.deliver(5 * MINUTE + timedelta(seconds=29)) == []
        assert await desk.deliver(timedelta(seconds=1)) == [WAITING]


async def test_a_redirect_is_not_followed_and_its_place_is_in_the_log(desk: Desk) -> None:
    issued = await desk.add()
    desk.receiver.answers["/hook"] = ("308 Permanent Redirect", "Location: /elsewhere")
    await desk.tell()
    assert await desk.deliver() == [WAITING]
    assert desk.receiver.arrived("/elsewhere") == []
    (delivery,) = await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=5)
    _, (attempt,) = await desk.webhooks.delivery(desk.scope, issued.endpoint.id, delivery.id)
    assert (delivery.reason, attempt.answer.headers["location"]) == ("redirect", "/elsewhere")


async def test_410_disables_and_the_others_are_told(desk: Desk) -> None:
    gone = await desk.add("/gone", events=["all+"])
    await desk.add("/other", events=["endpoint.disabled"])
    desk.receiver.answers["/gone"] = ("410 Gone",)
    await desk.tell()
    assert await desk.deliver() == [FAILED, DELIVERED]
    found = await desk.webhooks.get(desk.scope, gone.endpoint.id)
    assert (found.state, found.reason) == (State.DISABLED, "it answered 410 Gone")
    (told,) = desk.receiver.told("/other")
    assert told["action"] == "endpoint.disabled"
    assert told["text"] == {
        "endpoint": gone.endpoint.id,
        "url": gone.endpoint.url,
        "reason": "it answered 410 Gone",
        "status": 410,
    }
    await desk.tell()
    assert await desk.deliver(HOUR) == []
    desk.receiver.answers.clear()
    await desk.webhooks.resume(desk.scope, gone.endpoint.id)
    assert await desk.deliver() == [DELIVERED], "what happened meanwhile was kept"


async def test_five_dead_days_disable(desk: Desk) -> None:
    issued = await desk.add()
    await desk.add("/other", events=["endpoint.disabled"])
    desk.receiver.answers["/hook"] = ("500 Oops",)
    for _ in range(5 * 4 - 1):
        await desk.tell()
        await desk.deliver()
        desk.skip(6 * HOUR)
    assert (await desk.webhooks.get(desk.scope, issued.endpoint.id)).state is State.ACTIVE
    await desk.deliver(6 * HOUR)
    found = await desk.webhooks.get(desk.scope, issued.endpoint.id)
    assert (found.state, found.reason) == (State.DISABLED, "it took nothing for five days")
    assert [one["action"] for one in desk.receiver.told("/other")] == ["endpoint.disabled"]


async def test_one_success_in_between_keeps_an_endpoint_alive(desk: Desk) -> None:
    issued = await desk.add()
    for day in range(12):
        desk.receiver.answers["/hook"] = ("200 OK",) if day % 4 == 0 else ("500 Oops",)
        await desk.tell()
        await desk.deliver(timedelta(days=1))
    assert (await desk.webhooks.get(desk.scope, issued.endpoint.id)).state is State.ACTIVE


async def test_retry_after_is_heeded_up_to_twelve_hours(desk: Desk) -> None:
    await desk.add()
    desk.receiver.answers["/hook"] = ("429 Too Many Requests", "Retry-After: 1800")
    await desk.tell()
    await desk.deliver()
    assert await desk.deliver(29 * MINUTE) == []
    desk.receiver.answers["/hook"] = ("503 Service Unavailable", "Retry-After: 9999999")
    assert await desk.deliver(MINUTE) == [WAITING]
    assert await desk.deliver(12 * HOUR - MINUTE) == []
    assert await desk.deliver(MINUTE) == [WAITING]


async def test_a_receiver_can_ask_not_to_be_told_again(desk: Desk) -> None:
    issued = await desk.add()
    desk.receiver.answers["/hook"] = ("400 Bad Request", "webhook-delivery: abort-message")
    await desk.tell()
    assert await desk.deliver() == [FAILED]
    (delivery,) = await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=5)
    assert delivery.reason == "aborted"
    assert (await desk.webhooks.get(desk.scope, issued.endpoint.id)).state is State.ACTIVE


async def test_pausing_keeps_what_happens(desk: Desk) -> None:
    issued = await desk.add()
    await desk.webhooks.pause(desk.scope, issued.endpoint.id)
    for _ in range(3):
        await desk.tell()
    assert await desk.deliver(HOUR) == []
    await desk.webhooks.resume(desk.scope, issued.endpoint.id)
    assert await desk.deliver() == [DELIVERED] * 3


async def test_what_was_skipped_can_be_asked_for_later(desk: Desk) -> None:
    issued = await desk.add()
    await desk.webhooks.pause(desk.scope, issued.endpoint.id)
    for _ in range(3):
        await desk.tell()
    await desk.webhooks.resume(desk.scope, issued.endpoint.id, skip=True)
    assert await desk.deliver() == []
    assert await desk.webhooks.recover(desk.scope, issued.endpoint.id, NOW, missing=True) == 3
    assert await desk.deliver() == [DELIVERED] * 3


async def test_a_new_endpoint_can_ask_for_what_was_told_before(desk: Desk) -> None:
    await desk.add("/old")
    await desk.tell()
    await desk.deliver()
    await desk.tell("fp.delete")
    await desk.deliver()
    fresh = await desk.add("/new", events=["fp.upload"])
    assert await desk.webhooks.recover(desk.scope, fresh.endpoint.id, NOW, missing=True) == 1
    assert await desk.deliver() == [DELIVERED]
    assert desk.receiver.told("/new") == desk.receiver.told("/old")[:1]


async def test_replaying_keeps_the_name_and_begins_anew(desk: Desk) -> None:
    issued = await desk.add()
    desk.receiver.answers["/hook"] = ("400 Bad Request", "webhook-delivery: abort-message")
    await desk.tell()
    await desk.deliver()
    (delivery,) = await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=5)
    desk.receiver.answers["/hook"] = ("500 Oops",)
    again = await desk.webhooks.replay(desk.scope, issued.endpoint.id, delivery.id)
    assert (again.state, again.attempts, again.is_replay) == (WAITING, 0, True)
    states = [
        await desk.deliver(),
        await desk.deliver(5 * MINUTE),
        await desk.deliver(HOUR),
        await desk.deliver(12 * HOUR),
    ]
    assert states == [[WAITING], [WAITING], [WAITING], [FAILED]]
    asked = desk.receiver.arrived()
    assert len({one.headers["webhook-id"] for one in asked}) == len({one.body for one in asked}) == 1
    assert [one.headers.get("webhook-replay") for one in asked] == [None, "1", "1", "1", "1"]
    _, log = await desk.webhooks.delivery(desk.scope, issued.endpoint.id, delivery.id)
    assert [one.number for one in log] == [1, 1, 2, 3, 4]


async def test_all_that_failed_since_is_sent_again(desk: Desk) -> None:
    issued = await desk.add(schedule="once")
    desk.receiver.answers["/hook"] = ("500 Oops",)
    for _ in range(3):
        await desk.tell()
        await desk.deliver(HOUR)
    desk.receiver.answers.clear()
    since = NOW + HOUR - timedelta(seconds=1)
    assert await desk.webhooks.recover(desk.scope, issued.endpoint.id, since) == 2
    assert await desk.deliver() == [DELIVERED] * 2


async def test_a_delivery_under_way_is_not_replayed(desk: Desk) -> None:
    issued = await desk.add()
    await desk.tell()
    await desk.webhooks.tries.claim()
    (delivery,) = await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=5)
    with pytest.raises(Conflict, match="under way"):
        await desk.webhooks.replay(desk.scope, issued.endpoint.id, delivery.id)


async def test_the_same_thing_is_told_once(desk: Desk) -> None:
    await desk.add()
    for _ in range(2):
        await desk.tell(key="post.published:7")
    assert await desk.deliver() == [DELIVERED]


async def test_nothing_is_told_of_what_did_not_happen(desk: Desk) -> None:
    await desk.add()
    happening = Happening(desk.scope.workspace_id, None, "fp.upload", LINK, NOW)

    async def undone() -> None:
        async with desk.webhooks.outbox.database.write() as connection:
            await desk.webhooks.outbox.put(connection, happening)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await desk.deliver() == []


async def test_an_app_hears_of_itself_alone(desk: Desk) -> None:
    mine = type(desk.scope)(desk.scope.workspace_id, "app-1")
    desk.scope, everybody = mine, desk.scope
    await desk.add("/mine", events=["all+"])
    desk.scope = everybody
    await desk.add("/all", events=["all+"])
    for app_id in ("app-1", "app-2", None):
        happening = Happening(desk.scope.workspace_id, app_id, "fp.upload", LINK, NOW)
        await desk.webhooks.outbox.tell(happening)
    await desk.deliver()
    assert (len(desk.receiver.arrived("/mine")), len(desk.receiver.arrived("/all"))) == (1, 3)


async def test_house_events_are_off_until_asked_for(desk: Desk) -> None:
    await desk.add("/files")
    await desk.add("/posts", events=["post.published"])
    await desk.tell("post.published", {"postId": 1})
    await desk.deliver()
    assert (len(desk.receiver.arrived("/files")), len(desk.receiver.arrived("/posts"))) == (0, 1)


async def test_the_envelope_of_standard_webhooks(desk: Desk) -> None:
    issued = await desk.add(envelope=Envelope.STANDARD)
    await desk.tell()
    await desk.deliver()
    told = verified(issued.secret, desk.receiver.arrived()[0], desk.now)
    assert told == {"type": "file.uploaded", "timestamp": "2026-11-27T12:00:00Z", "data": LINK}


async def test_what_is_old_is_put_away(desk: Desk) -> None:
    issued = await desk.add()
    await desk.tell()
    await desk.deliver()
    desk.skip(timedelta(days=29))
    await desk.tell()
    await desk.deliver()
    assert await desk.webhooks.tries.tidy() == 0
    desk.skip(timedelta(days=2))
    assert await desk.webhooks.tries.tidy() == 1
    assert await desk.webhooks.counts(issued.endpoint) == {"delivered": 1}


async def test_the_log_tells_everything_of_an_attempt(desk: Desk) -> None:
    issued = await desk.add()
    desk.receiver.answers["/hook"] = ("500 Oops", "X-Trace: 7")
    desk.receiver.bodies["/hook"] = b"\0" + b"x" * 9000
    await desk.tell()
    await desk.deliver()
    (delivery,) = await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=5)
    _, (attempt,) = await desk.webhooks.delivery(desk.scope, issued.endpoint.id, delivery.id)
    (asked,) = desk.receiver.arrived()
    assert {name.lower(): value for name, value in attempt.sent.items()}.items() <= asked.headers.items()
    assert delivery.body.encode() == asked.body
    assert attempt.answer.status == 500
    assert attempt.answer.headers["x-trace"] == "7"
    assert len(attempt.answer.body) == 4096
    assert attempt.answer.first_byte is not None
    assert 0 < attempt.answer.first_byte <= attempt.answer.seconds


async def test_deliveries_are_found_by_state_event_and_words(desk: Desk) -> None:
    issued = await desk.add()
    await desk.tell()
    await desk.tell("fp.delete", {"filename": "Zürich 100%.jpg"})
    await desk.deliver()
    desk.receiver.answers["/hook"] = ("500 Oops",)
    await desk.tell()
    await desk.deliver()

    async def found(**filters: object) -> list[str]:
        return [one.event for one in await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=9, **filters)]  # pyright: ignore[reportArgumentType] - of a test

    assert await found() == ["fp.upload", "fp.delete", "fp.upload"]
    assert await found(state=WAITING) == ["fp.upload"]
    assert await found(event="fp.delete") == await found(text="zürich 100%") == ["fp.delete"]
    assert await found(text="waundttqqfcnwwuuyf6n") == ["fp.upload", "fp.upload"]
    assert await found(text="z_rich") == []


async def test_what_a_dead_process_held_is_sent_when_its_lease_is_over(desk: Desk) -> None:
    issued = await desk.add()
    await desk.tell()
    tries = desk.webhooks.tries
    (lost,) = await tries.claim()
    assert await desk.deliver(tries.policy.lease - timedelta(seconds=1)) == []
    desk.receiver.answers["/hook"] = ("500 Oops",)
    assert await desk.deliver(timedelta(seconds=1)) == [WAITING]
    first = 5 * MINUTE - tries.policy.lease
    assert await desk.deliver(first) == [WAITING], "counted from the attempt that was begun first"
    verdict = await tries.attempt(lost)
    assert verdict.state is WAITING
    (delivery,) = await desk.webhooks.log(desk.scope, issued.endpoint.id, limit=5)
    assert delivery.attempts == 2, "who comes too late stores nothing"


async def test_a_slow_attempt_stays_with_whoever_makes_it(desk: Desk) -> None:
    await desk.add()
    await desk.tell()
    tries = desk.webhooks.tries
    (mine,) = await tries.claim()
    for _ in range(3):
        assert await desk.deliver(tries.policy.lease - timedelta(seconds=1)) == []
        await tries.hold([mine])
    assert await desk.deliver(tries.policy.lease) == [DELIVERED], "of a process that died after all"
    await tries.hold([mine])
    assert await desk.deliver(tries.policy.lease) == [], "what was sent is not held any more"


async def test_a_process_that_is_alone_begins_with_what_was_held(desk: Desk) -> None:
    await desk.add()
    await desk.tell()
    await desk.webhooks.tries.claim()
    await desk.webhooks.deliveries.release()
    assert await desk.deliver() == [DELIVERED]


async def test_an_endpoint_has_four_lanes_and_a_slow_one_keeps_nobody_else_waiting(database: Database) -> None:
    async with opened(database, at_once=10) as desk:
        await desk.add("/slow")
        await desk.add("/quick", events=["fp.delete"])
        for _ in range(20):
            await desk.tell()
        for _ in range(3):
            await desk.tell("fp.delete")
        tries = desk.webhooks.tries
        first = await tries.claim()
        assert sorted(Counter(one.endpoint.url[-5:] for one in first).items()) == [("/slow", 4), ("quick", 3)]
        assert await tries.claim() == [], "the lanes are full"
        for claim in first:
            if claim.endpoint.url.endswith("/quick"):
                await tries.attempt(claim)
        await desk.tell("fp.delete")
        assert {one.endpoint.url[-6:] for one in await tries.claim()} == {"/quick"}


async def test_two_nodes_share_the_work_and_nothing_is_sent_twice(desk: Desk) -> None:
    await desk.add()
    for number in range(40):
        await desk.tell(text={**LINK, "size": number})
    await asyncio.gather(*(desk.deliver() for _ in range(4)))
    assert await desk.deliver() == []
    assert sorted(one["text"]["size"] for one in desk.receiver.told()) == list(range(40))


async def test_a_removed_workspace_is_told_of_nothing(desk: Desk) -> None:
    await desk.add()
    await desk.tell()
    await desk.remove_workspace()
    await desk.tell()
    assert await desk.deliver(HOUR) == []


async def test_there_is_an_end_of_endpoints(database: Database) -> None:
    async with opened(database, most=2) as desk:
        await desk.add()
        await desk.add()
        with pytest.raises(Conflict, match="as many as"):
            await desk.add()


async def test_an_endpoint_that_goes_away_at_this_moment_takes_no_change_with_it(desk: Desk) -> None:
    issued = await desk.add()

    async def happens() -> None:
        for _ in range(30):
            await desk.tell()

    await asyncio.gather(happens(), desk.webhooks.remove(desk.scope, issued.endpoint.id), happens())
    assert await desk.deliver() == []
