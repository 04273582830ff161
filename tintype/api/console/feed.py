"""The feed as visitors see it, and what can be chosen about it: posts that are hidden or come first, and their words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import text_of
from tintype.core.access import Visit
from tintype.core.feed import Choice, Item, first_sentence
from tintype.errors import Invalid, NotFound

PLACE = "/console/feed"
A_PAGE = 9  # with their pictures they weigh less than 100 kB
VERBS = ("hide", "show", "first", "unpin", "earlier", "later", "describe")


@dataclass(frozen=True, slots=True)
class Tile:
    """A post as the page shows it; `place` is its place among those that come first."""

    item: Item
    account_id: str
    choice: Choice
    words: str


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""

    @app.get(PLACE)
    async def feed(request: Request, page: int = 1) -> Response:
        """Show the feed, those first that come first, hidden ones among them."""
        visit = await desk.door.visit(request)
        tiles = await _tiles(desk, visit)
        pages = max(1, -(-len(tiles) // A_PAGE))
        page = min(max(page, 1), pages)
        _, synced_at, stale = await desk.feed.freshness(visit.caller().workspace_id)
        return desk.door.page(
            visit,
            "feed.html",
            tiles=tiles[(page - 1) * A_PAGE : page * A_PAGE],
            count=len(tiles),
            hidden=sum(one.choice.hidden for one in tiles),
            page=page,
            pages=pages,
            synced_at=synced_at,
            stale=stale,
            base=desk.base,
            feed_key=desk.welcome.feed_key if desk.welcome.workspace_id == visit.caller().workspace_id else None,
            done=request.query_params.get("done", ""),
        )

    @app.post(PLACE + "/{media_id}")
    async def choose(media_id: str, request: Request) -> Response:
        """Do one thing to one post."""
        visit, form = await desk.door.form(request)
        workspace_id, verb = visit.caller().workspace_id, text_of(form, "verb")
        tile = next((one for one in await _tiles(desk, visit) if one.item.id == media_id), None)
        if tile is None:
            raise NotFound("there is no such post in this workspace's feed")
        if verb in ("hide", "show"):
            await desk.feed.curation.hide(workspace_id, tile.account_id, media_id, hidden=verb == "hide")
        elif verb == "describe":
            await desk.feed.curation.describe(workspace_id, tile.account_id, media_id, text_of(form, "alt_text"))
        else:
            await desk.feed.curation.pin(workspace_id, tile.account_id, media_id, _place(verb, tile.choice.place))
        page = text_of(form, "page")
        query = urlencode({"page": page if page.isdigit() else "1", "done": verb})
        return RedirectResponse(f"{PLACE}?{query}#post-{media_id}", 303)


async def _tiles(desk: ConsoleDesk, visit: Visit) -> Sequence[Tile]:
    workspace_id = visit.caller().workspace_id
    chosen = await desk.feed.curation.of(workspace_id)
    owners: Mapping[str, str] = {
        item.id: account.id
        for account in await desk.accounts.of_workspace(workspace_id)
        for item in await desk.feed.items(workspace_id, account.id)
    }
    items = await desk.feed.items(workspace_id)
    tiles = [Tile(item, owners[item.id], chosen.of(item.id), _words(item)) for item in items if item.id in owners]
    tiles.sort(key=lambda one: (one.choice.place is None, one.choice.place or 0))
    return tiles


def _words(item: Item) -> str:
    return item.alt_text or first_sentence(item.caption) or ""


def _place(verb: str, place: int | None) -> int | None:
    match verb:
        case "first":
            return 0
        case "unpin":
            return None
        case "earlier":
            return max(0, (place or 0) - 1)
        case "later":
            return (place or 0) + 1
        case _:
            raise Invalid(f"verb must be one of {', '.join(VERBS)}")
