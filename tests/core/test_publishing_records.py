"""Posts in the database, on SQLite and on Postgres: they come back as they were, and one mover at a time holds each."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from tests.servers import postgres_server
from tintype.backends.database import Database, open_database
from tintype.backends.migrations import upgrade
from tintype.core.access.records import workspaces
from tintype.core.accounts.records import accounts
from tintype.core.publishing import (
    Candidate,
    Draft,
    Failure,
    Item,
    ItemKind,
    Occurrence,
    Part,
    Post,
    PostRecords,
    Product,
    State,
)
from tintype.core.publishing.publisher import begun
from tintype.core.publishing.records import OvertakenError, TakenError
from tintype.errors import Kind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = 10 * SECOND
ACCEPTED = Occurrence(NOW, "accepted")
IMAGE = Draft(Product.IMAGE, (Item(ItemKind.PICTURE, "https://a.test/1.jpg"),), "Hello")

_numbers = count(1)

# Postgres keeps neither NUL nor half a character; dialects refuse both.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True, slots=True)
class Desk:
    """The records of publishing, and an account to publish for."""

    records: PostRecords
    workspace_id: str
    account_id: str

    async def add(self, draft: Draft = IMAGE, **facts: Any) -> Post:
        post, is_new = await self.records.add(replace(self.fresh(draft), **facts), None, ACCEPTED)
        assert is_new
        return post

    def fresh(self, draft: Draft = IMAGE) -> Post:
        return begun(self.workspace_id, self.account_id, draft, NOW)

    async def load(self, post: Post) -> Post:
        found = await self.records.get(self.workspace_id, post.id)
        assert found is not None
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Database]:
    del anyio_backend
    with ExitStack() as stack:
        folder: Path = tmp_path_factory.mktemp("posts")
        is_sqlite = request.param == "sqlite"
        opened = open_database(
            f"sqlite:///{folder / 'posts.db'}" if is_sqlite else stack.enter_context(postgres_server())
        )
        await upgrade(opened)
        yield opened
        await opened.close()


@pytest.fixture
async def desk(database: Database) -> Desk:
    """A desk with an account of its own."""
    number = next(_numbers)
    workspace_id, account_id = f"workspace-{number}", f"account-{number}"
    async with database.write() as connection:
        await connection.execute(insert(workspaces).values(id=workspace_id, name="W", created_at=NOW))
        values: dict[str, Any] = {
            "id": account_id,
            "workspace_id": workspace_id,
            "login": "INSTAGRAM_LOGIN",
            "instagram_id": str(number),
            "state": "connected",
            "scopes": [],
            "created_at": NOW,
        }
        await connection.execute(insert(accounts).values(values))
    records = PostRecords(database)
    await records.release()
    while claimed := await records.claim("sweep", NOW + timedelta(days=9999), LEASE, 100):  # of the tests before
        for post in claimed:
            await records.move(post, NOW, due_at=None)
    return Desk(records, workspace_id, account_id)


DRAFTS = st.builds(
    Draft,
    product=st.sampled_from(Product),
    items=st.lists(
        st.builds(Item, st.sampled_from(ItemKind), st.none() | TEXT, st.none() | TEXT, st.none() | TEXT), max_size=3
    ).map(tuple),
    caption=TEXT,
    hashtags=st.lists(TEXT, max_size=3).map(tuple),
    text=st.none() | TEXT,
    collaborators=st.lists(TEXT, max_size=3).map(tuple),
    thumb_offset=st.none() | st.integers(0, 2**31),
    share_to_feed=st.none() | st.booleans(),
    first_comment=st.none() | TEXT,
)
PARTS = st.lists(
    st.builds(
        Part,
        position=st.integers(-1, 9),
        url=st.none() | TEXT,
        width=st.none() | st.integers(1, 9999),
        seconds=st.none() | st.floats(0, 9000),
        notes=st.lists(TEXT, max_size=2).map(tuple),
        container_id=st.none() | TEXT,
        sent=st.booleans(),
        finished=st.booleans(),
    ),
    max_size=3,
).map(tuple)
FAILURES = st.builds(
    Failure,
    kind=st.sampled_from(Kind),
    message=TEXT,
    action=st.none() | TEXT,
    code=st.none() | st.integers(0, 2**31),
    subcode=st.none() | st.integers(0, 2**31),
    trace_id=st.none() | TEXT,
    retryable=st.booleans(),
    position=st.none() | st.integers(0, 9),
    retry_after=st.none() | st.floats(0, 1e6),
)
CANDIDATES = st.lists(
    st.builds(Candidate, TEXT, st.none() | TEXT, st.none() | TEXT, st.datetimes(timezones=st.just(UTC)), TEXT),
    max_size=2,
).map(tuple)


@given(DRAFTS, PARTS, st.none() | FAILURES, CANDIDATES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_stored_comes_back(
    desk: Desk, draft: Draft, parts: tuple[Part, ...], failure: Failure | None, candidates: tuple[Candidate, ...]
) -> None:
    post = await desk.add(draft)
    assert await desk.load(post) == post
    moved = await desk.records.move(post, NOW, parts=parts, failure=failure, doubt=failure, candidates=candidates)
    assert await desk.load(post) == moved
    assert (moved.draft, moved.parts, moved.failure, moved.candidates) == (draft, parts, failure, candidates)


async def test_a_workspace_sees_its_own_posts_only(desk: Desk) -> None:
    post = await desk.add()
    assert await desk.records.get("another", post.id) is None
    assert (await desk.records.listed("another", None, (), None, 10)).posts == ()
    assert await desk.records.of_batch("another", "any") == []


async def test_of_many_with_one_key_one_is_stored(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.records.add(desk.fresh(), "monday", ACCEPTED) for _ in range(8)))
    assert len({post.id for post, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1


async def test_of_lists_that_overlap_each_row_is_stored_once(desk: Desk) -> None:
    rows = [(desk.fresh(replace(IMAGE, caption=str(n))), f"row {n}") for n in range(60)]
    slices = [rows[:40], rows[20:], rows[::2], list(reversed(rows))]
    found = await asyncio.gather(*(desk.records.add_many(some, ACCEPTED) for some in slices))
    assert sum(is_new for each in found for _, is_new in each.values()) == 60
    assert len({(key, post_id) for each in found for key, (post_id, _) in each.items()}) == 60
    posts = (await desk.records.listed(desk.workspace_id, None, (), None, 100)).posts
    keys = await desk.records.keys([post.id for post in posts])
    assert {post.draft.caption: keys[post.id] for post in posts} == {str(n): f"row {n}" for n in range(60)}
    assert [one.name for one in await desk.records.timeline(posts[0].id)] == ["accepted"]


async def test_no_two_claimers_get_one_post(desk: Desk) -> None:
    made = {(await desk.add()).id for _ in range(40)}
    claims = [desk.records.claim(f"owner {n}", NOW, LEASE, 7) for n in range(10)]
    got = [[post.id for post in each] for each in await asyncio.gather(*claims)]
    assert all(len(each) <= 7 for each in got)
    taken = [post_id for each in got for post_id in each]
    assert len(taken) == len(set(taken))
    while more := await desk.records.claim("last", NOW, LEASE, 7):
        taken += [post.id for post in more]
    assert sorted(taken) == sorted(made)


async def test_what_was_due_first_is_claimed_first(desk: Desk) -> None:
    later, first = await desk.add(due_at=NOW), await desk.add(due_at=NOW - SECOND)
    await desk.add(due_at=NOW + SECOND)
    await desk.add(state=State.DRAFT, due_at=None)
    assert [post.id for post in await desk.records.claim("one", NOW, LEASE, 10)] == [first.id, later.id]


async def test_a_post_whose_mover_died_is_due_again_when_its_lease_has_run_out(desk: Desk) -> None:
    post = await desk.add()
    [held] = await desk.records.claim("dead", NOW, LEASE, 1)
    assert await desk.records.next_due(NOW + LEASE) is None
    assert await desk.records.claim("other", NOW + LEASE, LEASE, 1) == []
    after = NOW + LEASE + SECOND
    assert await desk.records.next_due(after) == NOW
    [taken] = await desk.records.claim("other", after, LEASE, 1)
    assert (taken.id, taken.fence) == (post.id, held.fence + 1)


async def test_whoever_was_overtaken_stores_nothing(desk: Desk) -> None:
    post = await desk.add()
    [old] = await desk.records.claim("old", NOW, LEASE, 1)
    [new] = await desk.records.claim("new", NOW + LEASE + SECOND, LEASE, 1)
    await desk.records.move(new, NOW, state=State.PUBLISHING)
    with pytest.raises(OvertakenError):
        await desk.records.move(old, NOW, Occurrence(NOW, "late"), state=State.FAILED)
    assert not await desk.records.renew(old, NOW + LEASE)
    assert (await desk.load(post)).state is State.PUBLISHING
    assert [one.name for one in await desk.records.timeline(post.id)] == ["accepted"]


async def test_a_dead_processs_posts_are_free_at_once_and_nobody_elses(desk: Desk) -> None:
    first, second = await desk.add(due_at=NOW), await desk.add(due_at=NOW)
    [dead] = await desk.records.claim("dead", NOW, LEASE, 1)
    [alive] = await desk.records.claim("alive", NOW, LEASE, 1)
    assert await desk.records.release("dead") == 1
    [taken] = await desk.records.claim("heir", NOW, LEASE, 2)
    assert {taken.id, alive.id} == {first.id, second.id}
    assert await desk.records.renew(dead, NOW + LEASE) is False
    with pytest.raises(OvertakenError):
        await desk.records.move(dead, NOW, state=State.CREATING)
    assert await desk.records.renew(alive, NOW + LEASE) is True


async def test_a_renewal_that_comes_late_holds_nothing(desk: Desk) -> None:
    await desk.add(due_at=NOW)
    [held] = await desk.records.claim("mover", NOW, LEASE, 1)
    await desk.records.move(held, NOW, due_at=NOW + SECOND)
    assert await desk.records.renew(held, NOW + LEASE) is False
    assert len(await desk.records.claim("next", NOW + SECOND, LEASE, 1)) == 1


async def test_its_owner_takes_a_post_from_whoever_moves_it(desk: Desk) -> None:
    await desk.add()
    [held] = await desk.records.claim("mover", NOW, LEASE, 1)
    changed = await desk.records.change(held, {State.SCHEDULED}, NOW, state=State.CANCELLED, due_at=None)
    assert changed is not None
    with pytest.raises(OvertakenError):
        await desk.records.move(held, NOW, state=State.PREPARING)
    assert await desk.records.change(held, {State.SCHEDULED}, NOW, state=State.DRAFT) is None
    assert (await desk.load(held)).state is State.CANCELLED


async def test_of_a_mover_and_an_owner_at_once_one_wins(desk: Desk) -> None:
    for _ in range(10):
        await desk.add()
        [held] = await desk.records.claim("mover", NOW, LEASE, 1)
        moving = desk.records.move(held, NOW, state=State.PUBLISHING, due_at=NOW)
        calling_back = desk.records.change(held, {State.SCHEDULED}, NOW, state=State.CANCELLED, due_at=None)
        moved, changed = await asyncio.gather(moving, calling_back, return_exceptions=True)
        state = (await desk.load(held)).state
        if isinstance(moved, OvertakenError):
            assert (state, changed is None) == (State.CANCELLED, False)
        else:
            assert (state, changed) == (State.PUBLISHING, None)
        await desk.records.move(await desk.load(held), NOW, due_at=None)


async def test_a_medium_belongs_to_one_post(desk: Desk) -> None:
    first, second = await desk.add(), await desk.add()
    await desk.records.move(first, NOW, media_id="m1")
    with pytest.raises(TakenError):
        await desk.records.move(second, NOW, media_id="m1")
    assert (await desk.load(second)).media_id is None
    assert await desk.records.bound(desk.account_id, ["m1", "m2"]) == {"m1"}


async def test_an_import_is_called_back_as_far_as_it_waits(desk: Desk) -> None:
    rows = [(replace(desk.fresh(), batch="b"), f"key {n}") for n in range(3)]
    stored = await desk.records.add_many(rows, ACCEPTED)
    [held] = await desk.records.claim("mover", NOW, LEASE, 1)
    await desk.records.move(held, NOW, state=State.PUBLISHING)
    gone = await desk.records.recall(desk.workspace_id, "b", NOW, Occurrence(NOW, "cancelled"))
    assert set(gone) == {post_id for post_id, _ in stored.values()} - {held.id}
    await desk.records.forget_keys(desk.workspace_id, "b")
    again = await desk.records.add_many(rows, ACCEPTED)
    assert sum(is_new for _, is_new in again.values()) == 2
