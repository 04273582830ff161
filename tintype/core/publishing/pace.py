"""How soon Instagram finished pictures lately: the first look comes when one may be done, and the next ones close together.

Videos take too long, and each another time, for that to be worth anything.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from tintype.core.publishing.course import has_video
from tintype.core.publishing.model import Post, Product

KEPT = 8  # containers of a kind; fewer say nothing yet
SOONER = 0.8  # of the time waited, when the first look came too late to tell how long it took

_Kind = tuple[Product, bool]


@dataclass(slots=True)
class Pace:
    """What this process saw of containers, by the kind of their post, the parts of a carousel by themselves."""

    _lately: defaultdict[_Kind, deque[timedelta]] = field(
        default_factory=lambda: defaultdict(partial(deque[timedelta], maxlen=KEPT))
    )

    def usual(self, post: Post) -> timedelta:
        """Return how long the containers of such a post took at least, or nothing where that is not known."""
        lately = self._lately[_kind(post)]
        return min(lately) if len(lately) == KEPT else timedelta(0)

    def finished(self, post: Post, unfinished: timedelta, waited: timedelta) -> None:
        """Note a container that was seen finished after `waited`, and still unfinished after `unfinished`, if at all."""
        if not has_video(post.draft):
            self._lately[_kind(post)].append(unfinished or min(waited, self.usual(post)) * SOONER)


def _kind(post: Post) -> _Kind:
    return post.draft.product, post.container_id is None
