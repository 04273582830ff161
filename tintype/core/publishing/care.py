"""What a post that has ended still gets: everybody is told, and a published one has its permalink, and its first comment,
which is never written twice. Nothing here can make a live post fail.
"""

from datetime import timedelta
from typing import Any

from tintype.core.publishing.course import CARE_GAPS, gap
from tintype.core.publishing.matching import plain
from tintype.core.publishing.model import CommentState
from tintype.core.publishing.walk import Walk
from tintype.errors import RemoteTrouble, Trouble, Unreachable
from tintype.instagram import calls, publishing

TRIES = 8
_WRITTEN = (20, 1772107)  # the comment was made, only the answer could not be given
_UNSEEN = (100, 33)  # said of media that are only a moment old, too (graph-api.md 4.5)
_OPEN = (CommentState.WANTED, CommentState.SENDING)


async def tell(walk: Walk) -> None:
    """Let a post rest that was not published, or may not have been, once everybody was told."""
    if walk.fresh:  # whoever stored its end died before he had told of it
        await walk.announce()
    await walk.move(None, due_at=None)


async def care(walk: Walk) -> None:
    """Take the next step of care; when nothing is left, or too much failed, the post rests."""
    post = walk.post
    if walk.fresh and not (post.tries or post.comment_tries or post.permalink):
        await walk.announce()  # as in `tell`: not even a first step of care was taken
    if post.comment_state in _OPEN:
        await _comment(walk)
    elif post.permalink is None and post.tries < TRIES:
        await _link(walk)
    else:
        await walk.move(None, due_at=None, tries=0)


async def _link(walk: Walk) -> None:
    """Read the permalink; right after publishing a post may not be readable yet (graph-api.md 4.5)."""
    post = walk.post
    assert post.media_id is not None
    try:
        grip = await walk.grip()
        media = await walk.resources.ask(grip, calls.media_item(grip.account.login, post.media_id))
    except Trouble:
        due = walk.now() + gap(CARE_GAPS, post.tries + 1)
        await walk.move(None, tries=post.tries + 1, due_at=due)
        return
    await walk.move(None, permalink=media.permalink, tries=0, due_at=None)  # the comment was taken care of before


async def _comment(walk: Walk) -> None:
    """Write the first comment once: after a lost answer it is looked for before it is written again."""
    post = walk.post
    assert post.draft.first_comment is not None
    try:
        if post.comment_state is CommentState.SENDING and (known := await _written(walk)):
            await _sent(walk, known, "comment.found")
            return
        if post.comment_tries >= TRIES:
            await walk.move("comment.failed", comment_state=CommentState.FAILED, due_at=walk.now())
            return
        await walk.move(None, durable=True, comment_state=CommentState.SENDING, comment_tries=post.comment_tries + 1)
        grip = await walk.grip()
        call = publishing.comment(grip.account.login, post.media_id or "", post.draft.first_comment)
        await _sent(walk, await walk.resources.ask(grip, call), "comment.sent")
    except Trouble as trouble:
        await _failed(walk, trouble)


async def _written(walk: Walk) -> str | None:
    """Return the id of our own comment with these words, if the post has it."""
    post, grip = walk.post, await walk.grip()
    assert post.draft.first_comment is not None
    call = publishing.comments(grip.account.login, post.media_id or "")
    page = await walk.resources.ask(grip, call)
    wanted, mine = plain(post.draft.first_comment), grip.account.username
    # Where a name is not known the words alone decide: better none of our own than two.
    ours = [
        one
        for one in page.items
        if plain(one.text) == wanted and (one.username is None or mine in (None, one.username))
    ]
    return ours[0].id if ours else None


async def _sent(walk: Walk, comment_id: str, name: str) -> None:
    await walk.move(
        name, {"comment_id": comment_id}, comment_state=CommentState.SENT, comment_id=comment_id, due_at=walk.now()
    )


async def _failed(walk: Walk, trouble: Trouble) -> None:
    post = walk.post
    numbers = (trouble.code, trouble.subcode) if isinstance(trouble, RemoteTrouble) else (None, None)
    passing = isinstance(trouble, Unreachable) or trouble.retry_after is not None or numbers in (_WRITTEN, _UNSEEN)
    retryable = passing or (isinstance(trouble, RemoteTrouble) and trouble.retryable)
    changes: dict[str, Any] = {} if retryable else {"comment_state": CommentState.FAILED}
    pause = max(gap(CARE_GAPS, post.comment_tries + 1), timedelta(seconds=trouble.retry_after or 0))
    told = {"message": trouble.message}
    await walk.move("comment.retry" if retryable else "comment.failed", told, due_at=walk.now() + pause, **changes)
