"""The documented keys under which a shared cache knows feeds, projects and their tokens, and how it forgets them."""

from collections.abc import Iterable

from tintype.backends.cache import Cache


def photos_key(workspace_id: str) -> str:
    """Return where a feed's list is kept."""
    return f"instagram:{workspace_id}:photos"


def tenant_key(workspace_id: str) -> str:
    """Return where a project's name is kept."""
    return f"tenant:{workspace_id}"


def token_key(digest: str) -> str:
    """Return where it is kept whose token this is the digest of."""
    return f"auth_token:{digest}"


async def forget_feeds(cache: Cache, workspace_ids: Iterable[str]) -> None:
    """Take the lists of feeds out of a cache, which reads them anew; raises `Unavailable`."""
    for one in workspace_ids:
        await cache.delete(photos_key(one))


async def forget_workspace(cache: Cache, workspace_id: str, digests: Iterable[str]) -> None:
    """Take everything of a workspace out of a cache; raises `Unavailable`."""
    await forget_feeds(cache, [workspace_id])
    await cache.delete(tenant_key(workspace_id))
    for digest in digests:
        await cache.delete(token_key(digest))
