"""The console's first page: what is well, what needs somebody, and what to do next."""

from fastapi import FastAPI, Request
from starlette.responses import Response

from tintype.api.console.desk import ConsoleDesk
from tintype.core.accounts import State
from tintype.core.publishing import State as PostState
from tintype.core.recipes import Query
from tintype.core.webhooks import Scope
from tintype.core.webhooks import State as HookState


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the route."""

    @app.get("/console")
    async def overview(request: Request) -> Response:
        """Show how everything stands."""
        visit = await desk.door.visit(request)
        workspace_id = visit.caller().workspace_id
        accounts = await desk.accounts.of_workspace(workspace_id)
        _, synced_at, stale = await desk.feed.freshness(workspace_id)
        unsure = await desk.publisher.list(workspace_id, states={PostState.UNLINKED}, limit=5)
        failed = await desk.publisher.list(workspace_id, states={PostState.FAILED}, limit=5)
        coming = await desk.publisher.list(workspace_id, states={PostState.SCHEDULED}, limit=5)
        reviews = await desk.recipes.page(Query(in_review=True, limit=1))
        silent = [one for one in await desk.webhooks.all(Scope(workspace_id)) if one.state is HookState.DISABLED]
        return desk.door.page(
            visit,
            "overview.html",
            accounts=accounts,
            waiting=[one for one in accounts if one.state is State.RECONNECT],
            unsure=unsure.posts,
            failed=failed.posts,
            coming=coming.posts,
            reviews=reviews.total,
            silent=silent,
            posts=await desk.feed.count(workspace_id),
            newest=(await desk.feed.view(workspace_id)).items[:6],
            synced_at=synced_at,
            stale=stale,
            welcome=desk.welcome if desk.welcome.workspace_id == workspace_id else None,
        )
