"""How patient publishing is: every span of it in one place, chosen at the roof."""

from dataclasses import dataclass
from datetime import timedelta

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """The spans and counts that publishing keeps to."""

    # A step renews its lease while it runs; a dead process's posts go on elsewhere after this.
    lease: timedelta = 7 * SECOND
    # After a publish whose answer was lost the call may still be on the wire: FINISHED is only believed after this.
    settle: timedelta = 30 * SECOND
    picture_budget: timedelta = 2 * MINUTE  # for Instagram to finish a container of a picture
    video_budget: timedelta = 30 * MINUTE
    rounds: int = 3  # sets of containers that are made before a post fails
    tries: int = 6  # of a step that Instagram or the way to it made fail
    search: timedelta = 10 * MINUTE  # for a published medium to appear in the account's list
    doubt: timedelta = 26 * HOUR  # a container answers for a day; past this nobody will ever know
    quota_age: timedelta = 5 * MINUTE  # how long Instagram's word on the quota is taken
    full_wait: timedelta = HOUR  # before a full quota is looked at again, when nothing says when it frees
    spam_rest: timedelta = 4 * HOUR
    at_once: int = 32  # posts that one process moves at a time
    idle: timedelta = 2 * SECOND  # the longest sleep between two looks for due posts
