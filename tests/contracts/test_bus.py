"""One suite over both buses, and what only a bus between nodes can get wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers import free_port, redis_server
from tintype.backends.bus import Bus, MemoryBus, RedisBus, decode, encode
from tintype.events import EVENTS, AccountExpiring, Event, MediaSynced, WorkspaceChanged

SYNCED = MediaSynced("w", "a", changed=True)
events = st.one_of(*(st.from_type(kind) for kind in EVENTS))


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "memory":
        made: Bus = MemoryBus()
    else:
        made = RedisBus(request.getfixturevalue("redis"), prefix=f"{uuid4().hex}:")
    await made.start()
    yield made
    await made.close()


async def test_listeners_have_heard_when_publishing_returns(bus: Bus) -> None:
    heard: list[Event] = []

    async def later(event: Event) -> None:
        await asyncio.sleep(0)
        heard.append(event)

    bus.subscribe(heard.append)
    bus.subscribe(later)
    await bus.publish(SYNCED)
    assert heard == [SYNCED, SYNCED]


async def test_who_unsubscribed_hears_no_more(bus: Bus) -> None:
    heard: list[Event] = []
    leave = bus.subscribe(heard.append)
    bus.subscribe(heard.append)
    leave()
    leave()
    await bus.publish(SYNCED)
    assert heard == [SYNCED]


async def test_a_listener_that_fails_is_logged_and_harms_nobody(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def fail(event: Event) -> None:
        raise ZeroDivisionError

    bus.subscribe(fail)
    bus.subscribe(heard.append)
    await bus.publish(SYNCED)
    assert heard == [SYNCED]
    assert "MediaSynced" in caplog.text


async def test_events_reach_the_other_nodes_in_order_and_nobody_twice(redis: str) -> None:
    one, two = RedisBus(redis, prefix="p:"), RedisBus(redis, prefix="p:")
    there: asyncio.Queue[Event] = asyncio.Queue()
    here: asyncio.Queue[Event] = asyncio.Queue()
    one.subscribe(here.put)
    two.subscribe(there.put)
    await one.start()
    await two.start()
    sent = [WorkspaceChanged(str(number)) for number in range(20)]
    for event in sent:
        await one.publish(event)
    assert [await there.get() for _ in sent] == sent
    await two.publish(SYNCED)  # when this one is heard, everything that came before has been
    assert [await here.get() for _ in range(21)] == [*sent, SYNCED]
    assert [there.get_nowait()] == [SYNCED]
    assert there.empty()
    assert here.empty()
    await one.close()
    await two.close()


async def test_another_prefix_is_another_house(redis: str) -> None:
    one, two, other = (RedisBus(redis, prefix=prefix) for prefix in ("a:", "a:", "b:"))
    near: asyncio.Queue[Event] = asyncio.Queue()
    far: list[Event] = []
    two.subscribe(near.put)
    other.subscribe(far.append)
    for each in (one, two, other):
        await each.start()
    await one.publish(SYNCED)
    assert await near.get() == SYNCED
    assert far == []
    for each in (one, two, other):
        await each.close()


async def test_without_redis_the_own_process_still_hears(caplog: pytest.LogCaptureFixture) -> None:
    bus = RedisBus(f"redis://:secret@127.0.0.1:{free_port()}/0")
    heard: list[Event] = []
    bus.subscribe(heard.append)
    await bus.start()
    await bus.publish(SYNCED)
    await bus.close()
    assert heard == [SYNCED]
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.WARNING]
    assert "secret" not in caplog.text


async def test_nodes_hear_each_other_again_when_redis_comes_back() -> None:
    there: asyncio.Queue[Event] = asyncio.Queue()
    with redis_server() as url:
        one, two = RedisBus(url), RedisBus(url)
        two.subscribe(there.put)
        await one.start()
        await two.start()
        await one.publish(SYNCED)
        assert await there.get() == SYNCED
    await one.publish(AccountExpiring("w", "a", 3))
    with redis_server(int(url.rpartition(":")[2].removesuffix("/0"))):
        while there.empty():
            await one.publish(WorkspaceChanged("w"))
            await asyncio.sleep(0.05)
        assert await there.get() == WorkspaceChanged("w")
        await one.close()
        await two.close()


@given(events)
def test_an_event_survives_its_json(event: Event) -> None:
    assert decode(encode(event)) == event


@given(st.binary(max_size=60) | st.sampled_from([b"null", b"[]", b'"x"', b'{"type":"Later","a":1}', b'{"type":3}']))
def test_what_is_no_known_event_is_none(text: bytes) -> None:
    assert decode(text) is None


@pytest.mark.parametrize(
    ("text", "event"),
    [
        (b'{"type":"WorkspaceChanged","workspace_id":"w","new":1}', WorkspaceChanged("w")),
        (b'{"type":"WorkspaceChanged"}', None),
        (b'{"type":"MediaSynced","workspace_id":"w","account_id":"a","changed":1}', None),
        (b'{"type":"AccountExpiring","workspace_id":"w","account_id":"a","days":true}', None),
    ],
)
def test_fields_more_are_dropped_and_wrong_ones_refused(text: bytes, event: Event | None) -> None:
    assert decode(text) == event


def test_the_written_form_is_stable_between_versions() -> None:
    assert encode(SYNCED) == b'{"type":"MediaSynced","workspace_id":"w","account_id":"a","changed":true}'
