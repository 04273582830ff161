"""What people name on a command line: a workspace by id or name, an account by id or username."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tintype.errors import Invalid, NotFound

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.access import Workspace
    from tintype.core.accounts import Account

T = TypeVar("T")


async def find_workspace(house: "House", named: str) -> "Workspace":
    """Return the workspace of this id or name.

    Raises `NotFound`, or `Invalid` when several have the name.
    """
    found = _workspaces(await house.access.workspaces(), named)
    if not found:
        raise NotFound(f"there is no workspace {named!r}; `tintype workspace list` shows all")
    return _only(found, f"the name {named!r}", (one.id for one in found))


async def find_account(house: "House", named: str) -> "Account":
    """Return the account of this id, Instagram id or username.

    Raises `NotFound`, or `Invalid` when it is connected to several workspaces.
    """
    found = _accounts(await house.accounts.all(), named)
    if not found:
        raise NotFound(f"there is no account {named!r}; `tintype account list` shows all")
    return _only(found, named, (one.id for one in found))


async def find_accounts(house: "House", names: Sequence[str]) -> "Sequence[Account]":
    """Return the accounts that are meant: those of a named workspace, or of a name of their own; all without names.

    Raises `NotFound` for a name that means neither.
    """
    workspaces = await house.access.workspaces()
    living = {one.id for one in workspaces}
    everyone = [one for one in await house.accounts.all() if one.workspace_id in living]
    if not names:
        return everyone
    meant: dict[str, Account] = {}
    for named in names:
        rooms = {one.id for one in _workspaces(workspaces, named)}
        found = [one for one in everyone if one.workspace_id in rooms] or _accounts(everyone, named)
        if not found and not rooms:
            raise NotFound(f"there is no workspace or account {named!r}")
        meant.update((one.id, one) for one in found)
    return list(meant.values())


def _workspaces(known: "Iterable[Workspace]", named: str) -> "list[Workspace]":
    known = list(known)
    return [one for one in known if one.id == named] or [one for one in known if one.name == named]


def _accounts(known: "Iterable[Account]", named: str) -> "list[Account]":
    known = list(known)
    by_id = [one for one in known if named in (one.id, one.instagram_id)]
    return by_id or [one for one in known if one.username == named.removeprefix("@")]


def _only(found: list[T], what: str, ids: Iterable[str]) -> T:
    if len(found) > 1:
        raise Invalid(f"{what} is not unique; give an id: {', '.join(ids)}")
    return found[0]
