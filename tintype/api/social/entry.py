"""Who asks, in the social dialect: a user's token, an external issuer's, or a workspace's own; all as Bearer."""

from fastapi import Request

from tintype.api.callers import bearer
from tintype.api.social.desk import SocialDesk
from tintype.core.access import Caller, Grant
from tintype.errors import NotFound, Unauthorized

WORKSPACE = "x-workspace"


def shown(request: Request) -> str:
    """Return the token of the Authorization header.

    Raises `Unauthorized`, in the documented words.
    """
    try:
        return bearer(request)
    except Unauthorized:
        raise Unauthorized("Missing authorization header") from None


async def caller_of(request: Request, desk: SocialDesk, *, workspace_id: str | None = None) -> Caller:
    """Return who asks, in the workspace of the path, else of the header X-Workspace, else of the token.

    Raises `Unauthorized` for a token nobody knows, `NotFound` for a workspace that is not the caller's.
    """
    token = shown(request)
    asked = workspace_id or request.headers.get(WORKSPACE) or None
    if token.count(".") == 2:  # a JSON Web Token; a workspace's own has no dots
        return await desk.users.who(token, asked)
    try:
        caller = await desk.access.who(token, Grant.WORKSPACE)
    except Unauthorized:
        raise Unauthorized("Invalid or expired token") from None
    if asked not in (None, caller.workspace_id):
        raise NotFound(f"there is no workspace {asked!r}")
    return caller
