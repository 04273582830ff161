"""Publishing from the command line: `publish` with its progress, and `posts` with what became of them.

A running server publishes; without one the command does it itself, and answers on the house's own port meanwhile, where
Instagram fetches what was made ready for it.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from tintype.cli.finding import find_account
from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, Exit, complain, note, rows, say_json, thing
from tintype.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.accounts import Account
    from tintype.core.publishing import Draft, Item, Moment, Post

posts = typer.Typer(help="What was published, or will be.")

_LOOK_SECONDS = 0.5
_CARE_SECONDS = 30.0  # for the permalink and the first comment, when nobody else works after this command
_SOON_SECONDS = 90.0  # a post that waits longer is not waited for
_PIECE = 2**20
_CAPTION = 50  # characters shown in a table

_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".avif": "image/avif",
          ".gif": "image/gif", ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime"}  # fmt: skip
_COLUMNS = {"id": "id", "username": "account", "type": "type", "state": "state", "when": "when", "caption": "caption"}

PostId = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, show_default=False)]


def publish(
    media: Annotated[
        list[str], typer.Argument(metavar="FILE_OR_URL …", help="Several make a carousel.", show_default=False)
    ],
    account: Annotated[
        str | None, typer.Option(help="Id or username. Default: the only one that is connected.")
    ] = None,
    caption: Annotated[str, typer.Option(help="The words under the post.")] = "",
    hashtag: Annotated[list[str] | None, typer.Option(help="Put behind the caption; may be given again.")] = None,
    reel: Annotated[bool, typer.Option("--reel", help="A reel, as which a single video is published anyhow.")] = False,
    story: Annotated[bool, typer.Option("--story", help="A story.")] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Like 2026-05-01T09:00Z, or without Z and with --timezone.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Of --at, like Europe/Berlin.")] = None,
    first_comment: Annotated[str | None, typer.Option(help="Written under it once it is live.")] = None,
    alt: Annotated[list[str] | None, typer.Option(help="Describes a picture; one for each, in their order.")] = None,
    text: Annotated[str | None, typer.Option(help="Drawn onto a story's picture.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Keep it, and publish nothing.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Publish pictures and videos, and wait until they are on Instagram; ends with 1 when they are not.

    The running server does the work, or this command when there is none. Keys of --json: id, account_id, username,
    workspace_id, type, state, media_id, permalink, caption, scheduled_at, timezone, published_at, reason, error, action.
    """
    if reel and story:
        raise typer.BadParameter("is a reel or a story, not both", param_hint="--story")
    if alt and len(alt) > len(media):
        raise typer.BadParameter("there are more descriptions than media", param_hint="--alt")

    async def act(house: "House") -> bool:
        from tintype.core.publishing import Draft

        one = await _chosen(house, account)
        moment = _moment(house, at, timezone)
        items = await _items(house, one.workspace_id, media, alt or ())
        wanted = Draft(
            product=_product(items, reel=reel, story=story),
            items=tuple(items),
            caption=caption,
            hashtags=tuple(hashtag or ()),
            text=text,
            first_comment=first_comment,
        )
        return await _published(house, one, wanted, moment, hold=draft, as_json=as_json)

    if not in_house(settings_of(data), act, work=not draft):
        raise typer.Exit(Exit.TROUBLE)


async def _published(
    house: "House", account: "Account", wanted: "Draft", moment: "Moment | None", *, hold: bool, as_json: bool
) -> bool:
    from tintype.core.publishing import problems

    async with _answering(house, hold=hold):
        taken = await house.publisher.create(account.workspace_id, account.id, wanted, moment=moment, hold=hold)
        for each in problems(wanted):  # those that do not stop it; it was taken
            note(each.message)
        return await _followed(house, taken, as_json=as_json)


async def _chosen(house: "House", named: str | None) -> "Account":
    """Return the account that is meant: the named one, or the only one that is connected."""
    from tintype.core.accounts import State

    if named is not None:
        return await find_account(house, named)
    connected = [one for one in await house.accounts.all() if one.state is State.CONNECTED]
    if len(connected) == 1:
        return connected[0]
    if not connected:
        raise NotFound("there is no connected account; `tintype account connect` connects one")
    names = ", ".join(one.username or one.id for one in connected)
    raise Invalid(f"several accounts are connected; name one with --account: {names}")


def _moment(house: "House", at: str | None, timezone: str | None) -> "Moment | None":
    from tintype.core.publishing import moment_of

    if at is None:
        return None
    return moment_of(at, timezone, house.accounts.graph.now())


async def _items(house: "House", workspace_id: str, media: Sequence[str], alt: Sequence[str]) -> "Sequence[Item]":
    return [await _item(house, workspace_id, named, alt[place : place + 1]) for place, named in enumerate(media)]


async def _item(house: "House", workspace_id: str, named: str, alt: Sequence[str]) -> "Item":
    """Return an item: an address as it is, a file of this machine as the copy that is kept of it."""
    from tintype.core.publishing import Item, ItemKind

    is_url = named.startswith(("https://", "http://"))
    path = Path(named.partition("?")[0] if is_url else named)
    kind = _TYPES.get(path.suffix.lower())
    which = ItemKind.VIDEO if (kind or "").startswith("video/") else ItemKind.PICTURE
    told = alt[0] if alt else None
    if is_url:
        return Item(which, url=named, alt_text=told)
    if not await asyncio.to_thread(path.is_file):
        raise NotFound(f"there is no file {named!r}")
    if kind is None:
        raise Invalid(f"{named!r} is neither a picture nor a video that is published ({', '.join(_TYPES)})")
    return Item(which, blob=await house.publisher.keep_upload(workspace_id, _pieces(path), kind), alt_text=told)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _product(items: "Sequence[Item]", *, reel: bool, story: bool):
    from tintype.core.publishing import ItemKind, Product

    if story:
        return Product.STORY
    if reel or (len(items) == 1 and items[0].kind is ItemKind.VIDEO):
        return Product.REEL
    return Product.CAROUSEL if len(items) > 1 else Product.IMAGE


@asynccontextmanager
async def _answering(house: "House", *, hold: bool = False) -> AsyncGenerator[None]:
    """Serve the house while this command does a server's work, unless somebody has its port."""
    from tintype.cli.listening import bind, listening

    async with AsyncExitStack() as stack:
        if house.backends.works and not hold:
            with suppress(Unavailable, Invalid):
                listener = bind(house.settings.host, house.settings.port)
                await stack.enter_async_context(listening(house.front, listener))
        yield


async def _followed(house: "House", post: "Post", *, as_json: bool) -> bool:
    """Wait for a post's end and tell it, with what was done to its media; returns whether that is well."""
    from tintype.core.publishing import warned

    try:
        with _progress(hidden=as_json) as watcher:
            post = await _ended(house, post, watcher)
    except asyncio.CancelledError:
        goes_on = "when a server or another command works here" if house.backends.works else "in the server"
        note(f"Post {post.id} goes on {goes_on}; `tintype posts show {post.id}` tells how far it is.")
        raise
    for each in warned(post):
        note(each)
    row = await _row(house, post)
    thing(row, as_json=as_json, sentence=_sentence(post))
    if not _is_well(post):
        complain(_trouble(post))
        return False
    return True


async def _ended(house: "House", post: "Post", watcher: Callable[[str], None]) -> "Post":
    from tintype.core.publishing import ENDED, State

    said = ""
    while post.state not in ENDED and post.state is not State.DRAFT and not _is_later(house, post):
        words = post.state.value if post.reason is None else f"{post.state.value}: {post.reason}"
        if words != said:
            watcher(words)
            said = words
        post = await house.publisher.wait(post.workspace_id, post.id, _LOOK_SECONDS)
    if house.backends.works and post.state is State.PUBLISHED:
        post = await _cared_for(house, post)
    return post


async def _cared_for(house: "House", post: "Post") -> "Post":
    """Wait for what a published post still gets; without a server nobody would see to it for a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _CARE_SECONDS
    while post.due_at is not None and loop.time() < until:
        await asyncio.sleep(_LOOK_SECONDS / 5)
        post = await house.publisher.get(post.workspace_id, post.id)
    return post


def _is_later(house: "House", post: "Post") -> bool:
    """Tell whether a post waits for longer than somebody waits before a screen."""
    if post.due_at is None:
        return False
    return (post.due_at - house.accounts.graph.now()).total_seconds() > _SOON_SECONDS


def _is_well(post: "Post") -> bool:
    return post.state.value not in ("failed", "published_unlinked", "cancelled")


def _sentence(post: "Post") -> str:
    named = f"Post {post.id}"
    match post.state.value:
        case "published":
            return f"{named} is live: {post.permalink or post.media_id}"
        case "draft":
            return f"{named} is kept as a draft"
        case "failed" | "cancelled":
            return f"{named} was not published"
        case "published_unlinked":
            return f"{named} is live, or may be"
        case _ if post.reason is not None:
            return f"{named} waits: {post.reason}"
        case _:
            at = post.scheduled_at or post.due_at
            return f"{named} is planned for {_told_time(at, post.timezone) if at else 'later'}"


def _told_time(at: datetime, timezone: str | None) -> str:
    """Return a moment with its zone: the one that was named for the post, else this machine's."""
    if timezone is None:
        return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M} {timezone}"


def _times_told(row: dict[str, object]) -> dict[str, object]:
    """Return a post's row for people."""
    zone = row["timezone"]
    return {
        name: _told_time(value, zone if isinstance(zone, str) else None) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _trouble(post: "Post") -> str:
    """Return why a post is not well, and what to do."""
    if post.failure is None:
        return post.reason or "the post was called back"
    message, action = post.failure.message.rstrip("."), post.failure.action
    return message if action is None or action in message else f"{message}; {action}"


def _progress(*, hidden: bool) -> "_Line | nullcontext[Callable[[str], None]]":
    if hidden:
        return nullcontext(lambda words: None)
    return _Line() if sys.stderr.isatty() else nullcontext(note)


class _Line:
    """One line on stderr that is written over, with a sign that something goes on."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.status import Status

        self._status = Status("", console=Console(stderr=True, markup=False))

    def __enter__(self) -> Callable[[str], None]:
        self._status.start()
        return self._say

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def _say(self, words: str) -> None:
        from rich.text import Text

        self._status.update(Text(words))


async def _row(house: "House", post: "Post") -> dict[str, object]:
    account = await house.accounts.find(post.account_id)
    failure = post.failure
    return {
        "id": post.id,
        "account_id": post.account_id,
        "username": account.username or account.instagram_id if account else None,
        "workspace_id": post.workspace_id,
        "type": post.draft.product.value,
        "state": post.state.value,
        "media_id": post.media_id,
        "permalink": post.permalink,
        "caption": post.draft.words,
        "scheduled_at": post.scheduled_at,
        "timezone": post.timezone,
        "published_at": post.published_at,
        "reason": post.reason,
        "error": failure.message if failure else None,
        "action": failure.action if failure else None,
    }


async def _find(house: "House", post_id: int) -> "Post":
    """Return a post of whatever workspace; raises `NotFound`."""
    found = await house.publisher.resources.records.load(post_id)
    if found is None:
        raise NotFound(f"there is no post {post_id}; `tintype posts list` shows all")
    return found


@posts.callback(invoke_without_command=True)
def _posts(context: typer.Context, data: Folder = None, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_posts(data=data, as_json=as_json)
        return
    # `posts --json list` asks for the same as `posts list --json`.
    given = {name: value for name, value in (("data", data), ("as_json", as_json)) if value}
    context.default_map = {one.name or "": given for one in posts.registered_commands}


@posts.command("list")
def list_posts(
    account: Annotated[str | None, typer.Option(help="Only of this one; id or username.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only of this state; may be given again.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Only the newest.")] = 25,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List posts, newest first. Keys of --json, for each: as of `publish`."""

    async def look(house: "House") -> list[dict[str, object]]:
        from tintype.core.publishing import State

        try:
            states = {State(one) for one in state or ()}
        except ValueError:
            raise Invalid(f"--state is one of {', '.join(State)}") from None
        chosen = await find_account(house, account) if account else None
        rooms = [chosen.workspace_id] if chosen else [one.id for one in await house.access.workspaces()]
        found: list[Post] = []
        for room in rooms:
            page = await house.publisher.list(room, account_id=chosen and chosen.id, states=states, limit=limit)
            found.extend(page.posts)
        return [await _row(house, one) for one in sorted(found, key=lambda one: one.id, reverse=True)[:limit]]

    found = in_house(settings_of(data), look)
    if as_json:
        say_json(found)
        return
    told = map(_times_told, found)
    shown = [{**one, "caption": _short(one), "when": one["published_at"] or one["scheduled_at"]} for one in told]
    rows(shown, as_json=False, empty="Nothing was published, and nothing is planned.", columns=_COLUMNS)


@posts.command("show")
def show(post_id: PostId, data: Folder = None, as_json: AsJson = False) -> None:
    """Show one post. Keys of --json: as of `publish`."""

    async def look(house: "House") -> dict[str, object]:
        return await _row(house, await _find(house, post_id))

    found = in_house(settings_of(data), look)
    lines = [
        {"name": name.replace("_", " "), "value": value}
        for name, value in _times_told(found).items()
        if value not in (None, "")
    ]
    if as_json:
        say_json(found)
    else:
        rows(lines, as_json=False, empty="", columns={"name": "", "value": f"post {post_id}"})


@posts.command("events")
def events(post_id: PostId, data: Folder = None, as_json: AsJson = False) -> None:
    """Show what happened to a post, oldest first. Keys of --json, for each: at, name, detail."""

    async def look(house: "House") -> list[dict[str, object]]:
        post = await _find(house, post_id)
        found = await house.publisher.timeline(post.workspace_id, post.id)
        return [{"at": one.at, "name": one.name, "detail": dict(one.detail)} for one in found]

    found = in_house(settings_of(data), look)
    if as_json:
        say_json(found)
        return
    shown = [{**one, "at": f"{one['at']:%Y-%m-%d %H:%M:%S}", "detail": _told(one["detail"])} for one in found]
    rows(shown, as_json=False, empty="Nothing happened to this post.")


@posts.command("cancel")
def cancel(post_id: PostId, data: Folder = None, as_json: AsJson = False) -> None:
    """Call a post back, as long as it is certainly not published. Keys of --json: as of `publish`."""

    async def act(house: "House") -> dict[str, object]:
        post = await _find(house, post_id)
        return await _row(house, await house.publisher.cancel(post.workspace_id, post.id))

    thing(in_house(settings_of(data), act), as_json=as_json, sentence=f"Post {post_id} is called back")


@posts.command("retry")
def retry(post_id: PostId, data: Folder = None, as_json: AsJson = False) -> None:
    """Try a failed post again and wait for its end. Keys of --json: as of `publish`."""

    async def act(house: "House") -> bool:
        post = await _find(house, post_id)
        async with _answering(house):
            again = await house.publisher.retry(post.workspace_id, post.id)
            return await _followed(house, again, as_json=as_json)

    if not in_house(settings_of(data), act, work=True):
        raise typer.Exit(Exit.TROUBLE)


def _short(row: dict[str, object]) -> str:
    line = " ".join(str(row["caption"]).split())
    return line if len(line) <= _CAPTION else f"{line[: _CAPTION - 1]}…"


def _told(detail: object) -> str:
    from typing import cast

    return ", ".join(
        f"{name}: {value}" for name, value in cast("dict[str, object]", detail).items() if value is not None
    )
