"""Many projects with feeds, made in a data folder or a database before a server is started on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Insert, Table, insert, select, update

from tintype.app import House
from tintype.core.accounts import Account
from tintype.core.accounts.records import accounts
from tintype.core.feed import Asset, Item
from tintype.core.feed.model import Departures, Standing
from tintype.core.feed.reading import item_of
from tintype.core.feed.tables import media, syncs
from tintype.events import MediaSynced
from tintype.instagram import Connection, Login, Profile, Token, calls

PICTURE = Asset(f"{7:064x}", "jpeg", 200_000, 1080, 1350, "#a08060", "1QcSHQRnh493V4dIh4eXh1h4kJUI")


@dataclass(frozen=True, slots=True)
class Project:
    """One project: the token that its website reads with."""

    workspace_id: str
    token: str = field(repr=False)


def loaf(number: int, picture: Asset, now: datetime) -> Item:
    """Return a post about a loaf of bread, so many hours old."""
    return Item(
        id=f"1790000000000{number:04d}",
        kind="IMAGE",
        product="FEED",
        caption=f"Loaf number {number}: rye, honey and a long night in the basket. Open until six. #bread #bakery #rye",
        permalink=f"https://www.instagram.com/p/Dd6eqCbyi{number:02d}/",
        posted_at=now - timedelta(hours=number),
        picture=picture,
    )


async def fill(house: House, projects: int, posts: int) -> Sequence[Project]:
    """Make projects with one account and so many posts each; all of them show the same posts and the same picture."""
    now = datetime.now(UTC)
    await house.feed.records.claim([PICTURE], now)
    found: list[Project] = []
    for number in range(projects):
        workspace, issued = await house.access.register(f"Bakery no. {number}")
        account = await house.accounts.add(
            workspace.id, Login.INSTAGRAM_LOGIN, f"178414{number:011d}", app_secret="none", token=None
        )
        if number == 0:
            await _keep(house, account, [loaf(at, PICTURE, now) for at in range(posts)], now)
        found.append(Project(workspace.id, issued.secret))
    async with house.backends.database.write() as connection:
        for table in (media, syncs):
            await connection.execute(_copied(table, found[0].workspace_id))
    return found


def _copied(table: Table, model: str) -> Insert:
    """Return what gives all accounts the same rows as those of the first workspace."""
    own = {"account_id": accounts.c.id, "workspace_id": accounts.c.workspace_id}
    pairs = table.join(accounts, (table.c.workspace_id == model) & (accounts.c.workspace_id != model))
    rows = select(*(own.get(column.name, column) for column in table.c)).select_from(pairs)
    return insert(table).from_select([column.name for column in table.c], rows)


async def follow(house: House, username: str, token: str, user_id: str) -> Project:
    """Make a project that has synced an account of the pretend Instagram already; its pictures are all the same one."""
    now = datetime.now(UTC)
    await house.feed.records.claim([PICTURE], now)
    workspace, issued = await house.access.register(username)
    profile = Profile(user_id, None, username, account_type="BUSINESS")
    later = now + timedelta(days=60)
    connection = Connection(Login.INSTAGRAM_LOGIN, Token(token, expires_at=later), profile)
    account = await house.accounts.keep(workspace.id, connection)
    items: list[Item] = []
    async for page in house.feed.graph.pages(calls.media_page(Login.INSTAGRAM_LOGIN, "me"), token):
        items += [_pictured(item_of(one)) for one in page.items]
    await _keep(house, account, items, now)
    return Project(workspace.id, issued.secret)


async def age(house: House, by: timedelta) -> None:
    """Let the last sync of every account have been so long ago."""
    then = datetime.now(UTC) - by
    async with house.backends.database.write() as connection:
        await connection.execute(update(syncs).values(synced_at=then, deep_at=then))


async def touch(house: House, project: Project) -> None:
    """Let a project's feed have changed, and tell everybody, as a sync does."""
    async with house.backends.database.write() as connection:
        mine = syncs.c.workspace_id == project.workspace_id
        await connection.execute(update(syncs).where(mine).values(revision=syncs.c.revision + 1))
    await house.backends.bus.publish(MediaSynced(project.workspace_id, "", changed=True))


def _pictured(item: Item) -> Item:
    video = PICTURE if item.video_name else None
    return replace(item, picture=PICTURE, video=video, children=tuple(map(_pictured, item.children)))


async def _keep(house: House, account: Account, items: Sequence[Item], now: datetime) -> None:
    standing = Standing(account.id, synced_at=now, deep_at=now)
    await house.feed.records.store(
        account, items, kept=(), departures=Departures(), standing=standing, max_items=len(items) + 1
    )
