"""What a request names: its caller, an account or a post by its number, and whose an idempotency key is."""

import re
from collections.abc import Awaitable, Callable

from fastapi import Request

from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import caller_of
from tintype.core.access import Caller
from tintype.core.accounts import Account, State
from tintype.errors import Invalid, NotFound

ROOT = "/api/sns/instagram"
LARGEST_NUMBER = 2**31 - 1  # of the ids that the database counts


def asking(desk: SocialDesk) -> Callable[[Request], Awaitable[Caller]]:
    """Return what a route with a query depends on first.

    Who asks is settled before what is asked: a stranger learns nothing, not even that his question is wrong.
    """

    async def caller(request: Request) -> Caller:
        return await caller_of(request, desk)

    return caller


def number_of(text: str | None, name: str = "account_id") -> int:
    """Return a number out of a query; raises `Invalid`, as documented, when there is none."""
    if text is None or not text.strip():
        raise Invalid(f"{name} is required")
    if not re.fullmatch(r"\s*[0-9]{1,18}\s*", text):
        raise Invalid(f"{name} must be a whole number")
    return int(text)


async def account_of(
    desk: SocialDesk, caller: Caller, number: int | None, missing: str = "Instagram account not found"
) -> Account:
    """Return the caller's account of that number.

    Raises `NotFound` for one that is not there, not the caller's, or was let go.
    """
    if number is None or not 0 < number <= LARGEST_NUMBER:
        raise NotFound(missing)
    try:
        account = await desk.accounts.numbered(caller.workspace_id, number)
    except NotFound:
        raise NotFound(missing) from None
    if account.state is State.DISCONNECTED:
        raise NotFound(missing)
    return account


def post_number(number: int) -> int:
    """Return the number of a post; raises `NotFound` for one that no post can have."""
    if not 0 < number <= LARGEST_NUMBER:
        raise NotFound("Post not found")
    return number


def name_of(caller: Caller) -> str:
    """Return what stays the same of a caller when the token changes."""
    return f"{caller.workspace_id} {caller.user_id if caller.user_id is not None else caller.credential_id}"
