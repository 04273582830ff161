"""Comments: what the Graph API shows of them, writing, hiding, deleting."""

from collections.abc import Mapping
from dataclasses import replace

from tintype.simulator import ids
from tintype.simulator.clock import stamp
from tintype.simulator.errors import GraphError, missing_permission
from tintype.simulator.grammar import Field
from tintype.simulator.model import Answer, Comment, Media
from tintype.simulator.posts import COMMENT_DEFAULT
from tintype.simulator.visit import Maker, Visit


def write(visit: Visit, media: Media, message: str, parent: Comment | None = None) -> Answer:
    """A new comment by the account of the token; a reply to a reply goes below the top comment."""
    visit.require("comments")
    if not message.strip():
        raise GraphError(100, "(#100) The parameter message is required")
    if parent and parent.hidden:
        raise GraphError(100, "(#100) Hidden comments cannot be replied to")
    world, author = visit.world, visit.world.people[visit.token.username]
    number = world.next_number()
    comment = Comment(
        id=ids.object_id(world.seed, "comment", number),
        media_id=media.id,
        author=author.username,
        author_id=author.scoped_id,
        text=message,
        timestamp=int(world.now()),
        sequence=number,
        parent_id=(parent.parent_id or parent.id) if parent else None,
    )
    world.add_comment(comment)
    return {"id": comment.id}


def hide(visit: Visit, comment: Comment, hidden: bool) -> Answer:
    """Hide or show a comment; the owner's own stay visible."""
    visit.require("comments")
    if comment.author != visit.world.media[comment.media_id].owner:
        visit.world.comments[comment.id] = replace(comment, hidden=hidden)
    return {"success": True}


def delete(visit: Visit, comment: Comment) -> Answer:
    """Delete a comment with its replies; only for the owner of the post."""
    visit.require("comments")
    if not visit.may_speak_for(visit.world.media[comment.media_id].owner):
        raise missing_permission()
    visit.world.drop_comment(comment)
    return {"success": True}


def replies_edge(visit: Visit, comment: Comment, field: Field) -> Answer:
    """`/replies` of a comment, newest first."""
    replies = visit.world.replies(comment.id)
    return visit.edge(comment.id, replies, field, default=COMMENT_DEFAULT, paging="after", most=50)


def _replies(visit: Visit, comment: Comment, field: Field) -> object:
    if not visit.world.replies(comment.id) and field.fields is not None:
        return None
    return replies_edge(visit, comment, field)


def _from(visit: Visit, comment: Comment, _field: Field) -> object:
    shown: Answer = {"id": comment.author_id, "username": comment.author}
    if comment.author == visit.token.username:
        shown["self_ig_scoped_id"] = comment.author_id
    return shown


def _user(visit: Visit, comment: Comment, _field: Field) -> object:
    if comment.author != visit.token.username:
        return None
    return {"id": visit.world.people[comment.author].user_id}


def _media(visit: Visit, comment: Comment, field: Field) -> object:
    return visit.show(visit.world.media[comment.media_id], field.fields)


TABLE: Mapping[str, Maker] = {
    "id": lambda _v, comment, _f: comment.id,
    "text": lambda _v, comment, _f: comment.text,
    "timestamp": lambda _v, comment, _f: stamp(comment.timestamp),
    "username": lambda _v, comment, _f: comment.author,
    "from": _from,
    "user": _user,
    "like_count": lambda _v, comment, _f: comment.like_count,
    "hidden": lambda _v, comment, _f: comment.hidden,
    "parent_id": lambda _v, comment, _f: comment.parent_id,
    "media": _media,
    "replies": _replies,
    "legacy_instagram_comment_id": lambda _v, comment, _f: comment.id,
}
