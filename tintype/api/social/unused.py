"""What was sent with a post and is not used: it is never dropped silently."""

from collections.abc import Iterator, Sequence

from tintype.api.social.publication import Child, Publication
from tintype.core.publishing import Draft, ItemKind, Post, Problem, Product, problems

# Of two that were sent where one is used, the earlier one is.
_CHILD = ("upload", "image_url", "video_url")
_MEDIA = {
    Product.IMAGE: (*_CHILD, "children"),
    Product.CAROUSEL: ("children", *_CHILD, "alt_text", "user_tags"),
    Product.STORY: (*_CHILD, "children"),
    Product.REEL: ("upload", "video_url", "image_url", "children"),
}
_COVER = ("cover_upload", "cover_url", "thumbnail_url", "thumb_offset")
_PICTURES = ("fit", "background")

_IN_DRAFTS = frozenset({"alt_text_unused", "caption_on_story", "text_unused"})
_UNDRAWN = "some characters of the text"  # as preparing says it


def unused(body: Publication, draft: Draft) -> Sequence[Problem]:
    """Return what a body says that is not in its draft."""
    found = [*_behind(body, _MEDIA[draft.product]), *_behind(body, _COVER)]
    if draft.product is Product.CAROUSEL:
        for place, child in enumerate(body.children or ()):
            found.extend(_behind(child, _CHILD, f"children.{place}."))
    if all(item.kind is ItemKind.VIDEO for item in draft.items):
        found.extend(
            _problem(name, f"{name}: not used, because it is about pictures") for name in _given(body, _PICTURES)
        )
    return found


def warnings(post: Post, found: Sequence[Problem] = ()) -> Sequence[str]:
    """Return in sentences what was sent and is not used: what was found in the body, in its draft, and on the way."""
    in_draft = [each.message for each in problems(post.draft) if each.code in _IN_DRAFTS]
    undrawn = [note for part in post.parts for note in part.notes if _UNDRAWN in note]
    return tuple(dict.fromkeys([*(each.message for each in found), *in_draft, *undrawn]))


def _behind(sent: Publication | Child, names: Sequence[str], at: str = "") -> Iterator[Problem]:
    """Yield those names that were sent behind another one, which stands for them all."""
    first, *others = _given(sent, names) or ("",)
    for name in others:
        if getattr(sent, name) != getattr(sent, first):
            yield _problem(f"{at}{name}", f"{at}{name}: not used, because {at}{first} stands in its place")


def _given(sent: Publication | Child, names: Sequence[str]) -> Sequence[str]:
    return [name for name in names if getattr(sent, name, None) not in (None, "", [])]


def _problem(field: str, message: str) -> Problem:
    return Problem(field, "unused", message, blocking=False)
