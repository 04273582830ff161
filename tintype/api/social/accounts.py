"""The connected accounts: who they are, what they have posted, what they may still publish, and letting go of them."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, Response

from tintype.api.social import shapes
from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import caller_of
from tintype.api.social.finding import ROOT, account_of, asking, number_of
from tintype.api.social.shapes import stamp
from tintype.core.access import Caller, Role
from tintype.core.accounts import Account, Looking, State
from tintype.errors import Invalid, Refused
from tintype.instagram import Media, MediaProduct, Profile

_BAD_PARAMETER = 100  # Instagram's number for a parameter that it cannot use, and cursors are the only doubtful one


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    _listing(app, desk)
    _looking(app, desk)
    _leaving(app, desk)


def _listing(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(f"{ROOT}/accounts")
    async def accounts(request: Request) -> Response:
        """List the connected accounts; those that have to be connected again are not active."""
        caller = await caller_of(request, desk)
        found = await desk.accounts.of_workspace(caller.workspace_id)
        return JSONResponse([account(one) for one in found if one.state is not State.DISCONNECTED])

    @app.get(f"{ROOT}/accounts/{{number:int}}/quota")
    async def quota(request: Request, number: int) -> Response:
        """Say how many posts Instagram lets an account publish, and how many are left."""
        caller = await caller_of(request, desk)
        one = await account_of(desk, caller, number)
        return JSONResponse(shapes.quota(await desk.publisher.quota(caller.workspace_id, one.id)))


def _looking(app: FastAPI, desk: SocialDesk) -> None:
    looking = Looking(desk.accounts)

    @app.get(f"{ROOT}/account/info")
    async def info(
        caller: Annotated[Caller, Depends(asking(desk))],
        account_id: Annotated[str | None, Query()] = None,
    ) -> Response:
        """Return an account's profile as Instagram shows it now."""
        one = await account_of(desk, caller, number_of(account_id))
        return JSONResponse(_profile(await looking.profile(one), one))

    @app.get(f"{ROOT}/media")
    async def media(
        caller: Annotated[Caller, Depends(asking(desk))],
        account_id: Annotated[str | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 25,
        after: Annotated[str | None, Query(max_length=1024)] = None,
    ) -> Response:
        """Return a page of an account's posts, newest first; `next_cursor` is what `after` takes, null on the last page."""
        one = await account_of(desk, caller, number_of(account_id))
        try:
            page = await looking.media(one, limit=limit, after=after or None)
        except Refused as trouble:
            if not after or trouble.code != _BAD_PARAMETER:
                raise
            raise Invalid("after: Instagram does not know this cursor; send the next_cursor of a page") from None
        return JSONResponse({"posts": [_medium(each) for each in page.items], "next_cursor": page.after})


def _leaving(app: FastAPI, desk: SocialDesk) -> None:
    @app.delete(f"{ROOT}/accounts/{{number:int}}")
    async def disconnect(request: Request, number: int) -> Response:
        """Let go of an account: its token is destroyed and what was planned is called back; its history stays."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        one = await account_of(desk, caller, number, "Account not found")
        await desk.accounts.disconnect(caller.workspace_id, one.id)
        await desk.publisher.stop(one.id)
        return JSONResponse({"message": "Account disconnected successfully"})


def account(one: Account) -> dict[str, Any]:
    """Return an account in the documented form."""
    return {
        "id": one.number,
        "platform": "instagram",
        "account_name": one.username or one.instagram_id,
        "is_active": one.state is State.CONNECTED,
        "platform_user_id": one.instagram_id,
        "profile_picture_url": one.picture_url,
        "account_type": _kind(one.account_type),
        "followers_count": one.followers_count or 0,
        "following_count": one.follows_count or 0,
        "token_expires_at": stamp(one.token_expires_at),
        "created_at": stamp(one.created_at),
    }


def _profile(profile: Profile, one: Account) -> dict[str, Any]:
    return {
        "id": profile.user_id,
        "username": profile.username,
        "name": profile.name,
        "bio": profile.biography or "",
        "followers_count": profile.followers_count or 0,
        "following_count": profile.follows_count or 0,
        "profile_picture_url": profile.picture_url,
        "website": profile.website,
        "account_type": _kind(profile.account_type or one.account_type),
    }


def _kind(instagram: str | None) -> str:
    # Instagram says BUSINESS or MEDIA_CREATOR; with Facebook Login it says nothing, and only professionals come that way.
    # One that became personal later says so.
    return {"MEDIA_CREATOR": "creator", "CREATOR": "creator", "PERSONAL": "personal"}.get(instagram or "", "business")


def _medium(one: Media) -> dict[str, Any]:
    return {
        "id": one.id,
        "caption": one.caption or "",
        "media_type": "REELS" if one.product is MediaProduct.REELS else one.kind.value,
        "media_url": one.media_url,
        "timestamp": stamp(one.timestamp),
        "likes": one.like_count or 0,
        "comments": one.comments_count or 0,
    }
