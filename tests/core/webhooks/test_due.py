"""What is due, on both kinds of database: what a plain look at every endpoint finds, and nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text
from sqlalchemy.dialects import postgresql, sqlite

from tests.core.webhooks.desk import HOUR, MINUTE, NOW
from tintype.backends.database import Database
from tintype.core.access.records import workspaces
from tintype.core.webhooks import DeliveryRecords, Policy, Way
from tintype.core.webhooks.due import DUE_ENDPOINTS, NEXT_DUE, UNDER_WAY
from tintype.core.webhooks.model import State, Wanting, share
from tintype.core.webhooks.tables import deliveries, endpoints, messages

LEASE = timedelta(seconds=7)
LANES = 3
POLICY = Policy(lanes=LANES, lease=LEASE)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery: when it is due, in minutes from now (None: it has ended), and whether somebody took it until then."""

    due: int | None
    taken: bool

    @property
    def due_at(self) -> datetime | None:
        return None if self.due is None else NOW + self.due * MINUTE


@dataclass(frozen=True, slots=True)
class Sent:
    """An endpoint with a workspace of its own."""

    state: State
    way: Way
    is_removed: bool
    deliveries: Sequence[Waiting]
    in_doubt: bool = False

    @property
    def is_sent_to(self) -> bool:
        return self.state is State.ACTIVE and self.way is Way.PUSH and not self.is_removed

    @property
    def under_way(self) -> int:
        held = (one for one in self.deliveries if one.taken and one.due is not None and one.due > 0)
        return sum(1 for _ in held) if self.way is Way.PUSH else 0

    def due(self) -> list[int]:
        """Return the places of those that are due, in the order in which they are sent."""
        found = [(one.due, place) for place, one in enumerate(self.deliveries) if one.due is not None and one.due <= 0]
        return [place for _, place in sorted(found)] if self.is_sent_to else []


# Most are sent to, so that most examples have something due; minutes are few, so that several are due at one moment.
SENT = st.builds(
    Sent,
    state=st.sampled_from([State.ACTIVE, State.ACTIVE, State.ACTIVE, State.PAUSED, State.DISABLED]),
    way=st.sampled_from([Way.PUSH, Way.PUSH, Way.PUSH, Way.PULL]),
    is_removed=st.sampled_from([False, False, False, True]),
    deliveries=st.lists(st.builds(Waiting, st.none() | st.integers(-3, 3), st.booleans()), max_size=6),
    in_doubt=st.booleans(),
)
NAMES = st.text("0aZ~-", min_size=1, max_size=3)
HOUSES = st.dictionaries(NAMES, SENT, max_size=8)


async def stored(database: Database, house: Mapping[str, Sent]) -> dict[int, tuple[str, int]]:
    """Store a house in place of what was there; return the endpoint and the place of each delivery, by its number."""
    told: list[dict[str, Any]] = []
    for name, sent in house.items():
        told += [delivery_to(name, one, len(told) + place) for place, one in enumerate(sent.deliveries, 1)]
    async with database.write() as connection:
        await connection.execute(delete(workspaces))
        for name, sent in house.items():
            removed_at = NOW if sent.is_removed else None
            home = {"id": name, "name": "W", "created_at": NOW, "removed_at": removed_at}
            await connection.execute(insert(workspaces).values(home))
            since = NOW - HOUR if sent.in_doubt else None
            standing = {"state": sent.state.value, "way": sent.way.value, "failing_since": since, "failed_at": since}
            await connection.execute(insert(endpoints).values(endpoint(name) | standing))
        if told:
            line = {"event": "fp.upload", "uid": "msg_1", "body": "{}", "at": NOW, "stored_at": NOW}
            said = [{"id": one["id"], "workspace_id": one["endpoint_id"], **line} for one in told]
            await connection.execute(insert(messages), said)
            await connection.execute(insert(deliveries), told)
    numbers = iter(one["id"] for one in told)
    return {next(numbers): (name, place) for name, sent in house.items() for place in range(len(sent.deliveries))}


def endpoint(name: str) -> dict[str, Any]:
    keys = {"secret": b"", "private": b"", "public_key": ""}
    wish = {"events": ["all"], "schedule": "once", "delays": [], "envelope": "filestack", "description": ""}
    standing = {"state": State.ACTIVE.value, "way": Way.PUSH.value, "created_at": NOW}
    return {"id": name, "workspace_id": name, "url": "http://127.0.0.1:9/", **keys, **wish, **standing}


def delivery_to(name: str, one: Waiting, number: int) -> dict[str, Any]:
    plain = {"state": "waiting" if one.due is not None else "delivered", "attempts": 0, "fence": 0, "is_replay": False}
    moments = {"due_at": one.due_at, "leased_until": one.due_at if one.taken else None}
    return {"id": number, "endpoint_id": name, "message_id": number, **plain, **moments}


def first_due(house: Mapping[str, Sent], taken: Mapping[str, Sequence[int]]) -> datetime | None:
    """Return what is due next once these places were taken, by looking at everything."""
    found: list[datetime] = []
    for name, sent in house.items():
        for place, one in enumerate(sent.deliveries):
            due = NOW + LEASE if place in taken.get(name, ()) else one.due_at
            if sent.is_sent_to and due is not None:
                found.append(due)
    return min(found, default=None)


@given(HOUSES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_found_is_what_a_look_at_everything_finds(database: Database, house: Mapping[str, Sent]) -> None:
    records, known = DeliveryRecords(database), await stored(database, house)
    assert await records.next_due() == first_due(house, {})

    under_way = sum(sent.under_way for sent in house.values())
    wanting = [Wanting(name, sent.under_way, sent.in_doubt) for name, sent in house.items() if sent.due()]
    doubted = sum(sent.under_way for sent in house.values() if sent.in_doubt)
    shares = share(wanting, under_way, doubted, POLICY)
    expected = {name: house[name].due()[:count] for name, count in shares.items()}

    claims = await records.claim("me", NOW, POLICY)
    taken: dict[str, list[int]] = {}
    for claim in claims:
        name, place = known[claim.delivery.id]
        taken.setdefault(name, []).append(place)
        assert (claim.endpoint.id, claim.until, claim.fence, claim.first_at) == (name, NOW + LEASE, 1, NOW)
    assert {name: sorted(places) for name, places in taken.items()} == {
        name: sorted(places) for name, places in expected.items()
    }
    assert await records.next_due() == first_due(house, taken)


@given(HOUSES, st.integers(0, 8), st.integers(0, 3), st.integers(0, 6))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_who_has_the_fewest_gets_what_room_there_is(
    database: Database, house: Mapping[str, Sent], at_once: int, spare: int, doubtful: int
) -> None:
    known = await stored(database, house)
    under_way = sum(sent.under_way for sent in house.values())
    policy = replace(POLICY, at_once=at_once, spare=spare, doubtful=doubtful)
    claims = await DeliveryRecords(database).claim("me", NOW, policy)
    got = Counter(known[claim.delivery.id][0] for claim in claims)
    assert all(sorted(house[name].due()[:count]) == took(name, known, claims) for name, count in got.items())
    assert under_way + len(claims) <= max(under_way, at_once + spare)
    first = sum(1 for name in got if house[name].under_way == 0)
    assert under_way + len(claims) - first <= max(under_way, at_once), "beyond what is shared out only firsts are"
    idle = {name for name, sent in house.items() if sent.due() and sent.under_way == 0}
    well = {name for name in idle if not house[name].in_doubt}
    assert well <= got.keys() or under_way + len(claims) >= at_once + spare, "none that is well goes without"
    assert all(got[name] <= 1 and not house[name].under_way for name in got if house[name].in_doubt)
    doubted = sum(sent.under_way + got[name] for name, sent in house.items() if sent.in_doubt)
    assert doubted <= max(doubtful, sum(sent.under_way for sent in house.values() if sent.in_doubt))


def took(name: str, known: Mapping[int, tuple[str, int]], claims: Sequence[Any]) -> list[int]:
    return sorted(known[one.delivery.id][1] for one in claims if known[one.delivery.id][0] == name)


async def test_a_look_passes_by_those_that_have_nothing_waiting(database: Database) -> None:
    silent = {f"endpoint-{number}": Sent(State.ACTIVE, Way.PUSH, False, ()) for number in range(1_000)}
    backlog = [Waiting(-1, taken=False)] * 50
    paused = Sent(State.PAUSED, Way.PUSH, False, backlog)
    await stored(database, {**silent, "paused": paused, "busy": Sent(State.ACTIVE, Way.PUSH, False, backlog[:1])})
    # The few that are due are then taken from the table of endpoints, which Postgres reads whole while it is this short.
    for query in (NEXT_DUE, DUE_ENDPOINTS, UNDER_WAY) if database.is_sqlite else (NEXT_DUE,):
        plan = await plan_of(database, query)
        assert "ix_webhook_deliveries_" in plan
        for table in ("webhook_endpoints", "workspaces", "webhook_deliveries"):
            assert f"SCAN {table}" not in plan, plan
            assert f"Seq Scan on {table}" not in plan, plan
    assert await DeliveryRecords(database).next_due() == NOW - MINUTE
    assert len(await DeliveryRecords(database).claim("me", NOW, POLICY)) == 1


async def plan_of(database: Database, query: Any) -> str:
    dialect, word = (sqlite, "EXPLAIN QUERY PLAN") if database.is_sqlite else (postgresql, "EXPLAIN")
    given = query.params(now=NOW + HOUR) if "now" in query.compile().params else query
    said = given.compile(dialect=dialect.dialect(), compile_kwargs={"literal_binds": True})
    async with database.read() as connection:
        if not database.is_sqlite:
            await connection.execute(text("ANALYZE"))  # as the server does by itself after a while
        rows = await connection.execute(text(f"{word} {str(said).replace(':', chr(92) + ':')}"))
        return "\n".join(str(row[-1]) for row in rows)
