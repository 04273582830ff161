"""What people do while Instagram thinks stays done: a refresh or a sync under way never undoes it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.walks.stage import Member, Stage, staged
from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy, Stream
from tintype.core.accounts import Account, State
from tintype.core.feed import Feed
from tintype.errors import Invalid, NotFound, Reconnect
from tintype.instagram import Connection, Login, Profile, Token

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged() as one:
        yield one


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """The way out, where something happens here once Instagram has answered a call of one path."""

    outbound: Outbound
    path: str
    happens: Callable[[], Awaitable[object]]

    async def send(self, request: Outgoing, policy: Policy) -> Answer:
        answer = await self.outbound.send(request, policy)
        if self.path in request.url:
            await self.happens()
        return answer

    def stream(self, request: Outgoing, policy: Policy) -> AbstractAsyncContextManager[Stream]:
        return self.outbound.stream(request, policy)

    async def close(self) -> None:
        await self.outbound.close()


def interrupted(stage: Stage, path: str, happens: Callable[[], Awaitable[object]]) -> Feed:
    """The stage's feed and accounts, with something that happens during Instagram's answers."""
    feed = stage.house.feed
    graph = replace(feed.graph, outbound=Meanwhile(feed.graph.outbound, path, happens))
    return replace(feed, graph=graph, accounts=replace(feed.accounts, graph=graph))


async def _account(one: Member) -> Account:
    return await one.stage.house.accounts.get(one.workspace_id, one.account_id)


async def _holds_token(one: Member) -> bool:
    return (await one.stage.house.accounts.records.sealed(one.account_id)).token is not None


async def test_a_refresh_under_way_gives_no_token_back_to_an_account_that_was_let_go(stage: Stage) -> None:
    one = await stage.member()
    stage.skip(21 * DAY)
    account = await _account(one)

    async def let_go() -> None:
        await stage.house.accounts.disconnect(one.workspace_id, one.account_id)

    with pytest.raises(Reconnect):
        await interrupted(stage, "refresh_access_token", let_go).accounts.refresh(account)
    assert (await _account(one)).state is State.DISCONNECTED
    assert not await _holds_token(one)


async def test_a_refresh_under_way_leaves_a_new_connection_alone(stage: Stage) -> None:
    one = await stage.member()
    stage.skip(21 * DAY)
    account = await _account(one)
    kept: list[object] = []

    async def reconnect() -> None:
        await one.reconnect()
        kept.append(await stage.house.accounts.records.sealed(one.account_id))

    assert await interrupted(stage, "refresh_access_token", reconnect).accounts.refresh(account)
    assert kept == [await stage.house.accounts.records.sealed(one.account_id)]


async def test_a_refused_refresh_leaves_a_new_connection_alone(stage: Stage) -> None:
    one = await stage.member()
    stage.skip(21 * DAY)
    account = await _account(one)
    stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=458)
    with pytest.raises(Reconnect):
        await interrupted(stage, "refresh_access_token", one.reconnect).accounts.refresh(account)
    assert (await _account(one)).state is State.CONNECTED


async def test_a_sync_with_the_old_token_leaves_a_new_connection_alone(stage: Stage) -> None:
    one = await stage.member(1)
    stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=458)
    with pytest.raises(Reconnect):
        await interrupted(stage, "media", one.reconnect).sync(one.account_id)
    assert (await _account(one)).state is State.CONNECTED
    assert (await one.sync()).photos == 1


async def test_a_sync_that_loses_the_present_token_says_so(stage: Stage) -> None:
    one = await stage.member(1)
    stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=458)
    with pytest.raises(Reconnect):
        await one.sync()
    assert (await _account(one)).state is State.RECONNECT


async def test_a_removed_workspace_is_not_visited_any_more(stage: Stage) -> None:
    one, other = await stage.member(1), await stage.member(1)
    await stage.house.access.remove(one.workspace_id)
    visited = {account.id for account in await stage.house.accounts.all()}
    assert other.account_id in visited
    assert one.account_id not in visited
    with pytest.raises(NotFound):
        await one.sync()


async def test_nothing_is_connected_to_a_removed_workspace(stage: Stage) -> None:
    one = await stage.member()
    await stage.house.access.remove(one.workspace_id)
    connection = Connection(Login.INSTAGRAM_LOGIN, Token("IGAAnew"), Profile("4711", None, "late"))
    with pytest.raises(NotFound):
        await stage.house.accounts.keep(one.workspace_id, connection)
    with pytest.raises(NotFound):
        await one.reconnect()
    found = await stage.house.accounts.of_workspace(one.workspace_id)
    assert [account.id for account in found] == [one.account_id]


async def test_what_a_removed_workspace_left_behind_is_found_until_it_is_forgotten(stage: Stage) -> None:
    accounts = stage.house.accounts
    one, other = await stage.member(1), await stage.member(1)
    assert one.workspace_id not in await accounts.left_behind()
    await stage.house.access.remove(one.workspace_id)
    assert one.workspace_id in await accounts.left_behind()
    await stage.house.feed.leave(one.workspace_id)
    await accounts.forget(one.workspace_id)
    await accounts.forget(other.workspace_id)
    assert one.workspace_id not in await accounts.left_behind()
    assert one.workspace_id not in {signer.workspace_id for signer in await accounts.signers()}
    assert await accounts.of_workspace(one.workspace_id) == []
    assert [account.id for account in await accounts.of_workspace(other.workspace_id)] == [other.account_id]
    assert other.workspace_id in {signer.workspace_id for signer in await accounts.signers()}


async def test_a_connection_ends_only_where_its_dialect_listens(stage: Stage) -> None:
    one, connecting = await stage.member(), stage.house.connecting
    begun = await connecting.begin(one.workspace_id, Login.INSTAGRAM_LOGIN, dialect="picker", redirect_uri="http://x/")
    await connecting.send(begun.state, "browser")
    with pytest.raises(Invalid, match="begun elsewhere"):
        await connecting.finish(begun.state, "browser", code="AQB", refusal=None)
