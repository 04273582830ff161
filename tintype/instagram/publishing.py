"""The calls that put something on Instagram, as values: containers, their state, publishing, comments.

None of those that change something may be sent twice on a guess: `Graph.ask` repeats reads only, and a caller in doubt reads the
container first (graph-api.md 4.5). Parameters are those of graph-api.md 4.2; they travel in the body, never in the address.
"""

from collections.abc import Mapping
from functools import partial

from tintype.instagram import model
from tintype.instagram.calls import GRAPH_HOSTS, Call, checked_id
from tintype.instagram.limits import LIMITS
from tintype.instagram.model import Login

COMMENT_FIELDS = "id,text,timestamp,username"


def container(login: Login, user_id: str, params: Mapping[str, str]) -> Call[model.Container]:
    """Makes a container, which nobody sees and which lives a day; Instagram fetches the medium for it."""
    return Call(
        name="prepare the post",
        method="POST",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(user_id)}/media",
        form=dict(params),
        parse=model.container_from,
    )


def container_state(login: Login, container_id: str) -> Call[model.Container]:
    """How far a container is; a dead one answers like a living one, with its `failure`."""
    return Call(
        name="read how far the post is",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=checked_id(container_id),
        params={"fields": "id,status_code,status"},
        parse=model.container_from,
    )


def publish(login: Login, user_id: str, container_id: str) -> Call[str]:
    """Makes a container's medium public and gives its id; a refusal may come from a post that is live (`doubtful`)."""
    return Call(
        name="publish the post",
        method="POST",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(user_id)}/media_publish",
        form={"creation_id": checked_id(container_id)},
        parse=model.made_from,
    )


def transferred(login: Login, container_id: str) -> Call[int]:
    """How many bytes of a resumable upload Instagram has, which is where to go on."""
    return Call(
        name="read how much of the upload has arrived",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=checked_id(container_id),
        params={"fields": "video_status"},
        parse=model.transferred_from,
    )


def comments(login: Login, media_id: str, *, after: str | None = None) -> Call[model.Page[model.Comment]]:
    """One page of a medium's comments, newest first, without the replies to them."""
    call = Call(
        name=f"read the comments of medium {media_id}",
        method="GET",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(media_id)}/comments",
        params={"fields": COMMENT_FIELDS, "limit": str(LIMITS.comments_page_items.whole)},
        parse=partial(model.page_from, read=model.comment_from),
    )
    return call.at(after) if after else call


def comment(login: Login, media_id: str, message: str) -> Call[str]:
    """Comments on an own medium and gives the comment's id; `fields` here would hide that it worked (code 20/1772107)."""
    return Call(
        name=f"comment on medium {media_id}",
        method="POST",
        host=GRAPH_HOSTS[login],
        path=f"{checked_id(media_id)}/comments",
        form={"message": message},
        parse=model.made_from,
    )
