"""Words of pictures at Cloudinary and their pure rules: how they are named and tagged, and when a call is made again."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tintype.core.feed.model import Item

FOLDER = "instagram-media"  # where the media service, whose place we take, puts pictures
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that Cloudinary is to be asked about, with the calls in a row that failed."""

    digest: str
    format: str
    tries: int


@dataclass(frozen=True, slots=True)
class Hosted:
    """A picture that lies at Cloudinary: where it is served, and the mark of its tags."""

    digest: str
    url: str
    tags: str


@dataclass(frozen=True, slots=True)
class HostedStanding:
    """How many pictures lie at Cloudinary, wait to be put there, and wait to be taken away; the last trouble if any is."""

    there: int
    waiting: int
    leaving: int
    problem: str | None


@dataclass(slots=True)
class Pause:
    """Until when Cloudinary is left alone, because not one picture but all of it was in trouble."""

    until: datetime | None = None
    fails: int = 0

    def holds(self, now: datetime) -> bool:
        """Tell whether it is not over yet."""
        return self.until is not None and now < self.until

    def begin(self, now: datetime, asked: float | None) -> None:
        """Leave it alone for a while, longer each time; those that fail together count as one."""
        if not self.holds(now):
            self.until = now + rest(self.fails, asked)
            self.fails += 1

    def end(self) -> None:
        """Go on: it answered."""
        self.until, self.fails = None, 0


def rest(tries: int, asked: float | None) -> timedelta:
    """Return how long something is left alone after so many failures: a minute, two, four … six hours, or as asked."""
    ours = FIRST_REST * 2 ** min(tries, 9)
    return max(min(ours, LONGEST_REST), timedelta(seconds=min(asked or 0, LONGEST_REST.total_seconds())))


def pictures(items: Iterable[Item]) -> list[str]:
    """Return the digests of all pictures and posters of items and their children."""
    shown = (one.picture for item in items for one in (item, *item.children))
    return sorted({asset.digest for asset in shown if asset})


def public_id(digest: str) -> str:
    """Return the name of a picture at Cloudinary: its content's hash."""
    return f"{FOLDER}/{digest}"


def tag_mark(workspace_ids: Iterable[str]) -> str:
    """Return by what one set of tags is told from another, without keeping whose they are."""
    return hashlib.sha256(",".join(sorted(workspace_ids)).encode()).hexdigest()
