"""Publishing without doubt: drafts, schedules, media made right, containers, and exactly one post for each.

`Publisher` is what dialects talk to; `Runner` moves what is due. A post's way is drawn in `model.py`, and the rules that keep
it from being published twice stand in `walking.py`.
"""

from tintype.core.publishing.checks import problems
from tintype.core.publishing.model import (
    EDITABLE,
    ENDED,
    UNDER_WAY,
    Candidate,
    CommentState,
    Draft,
    Failure,
    Fit,
    Item,
    ItemKind,
    Listing,
    Moment,
    Occurrence,
    Part,
    Post,
    Problem,
    Product,
    Quota,
    Review,
    State,
    Tag,
)
from tintype.core.publishing.policy import Policy
from tintype.core.publishing.preparing import Preparing
from tintype.core.publishing.publisher import UPLOADS, Publisher, check
from tintype.core.publishing.quotas import Quotas
from tintype.core.publishing.records import PostRecords
from tintype.core.publishing.reservations import Reservations
from tintype.core.publishing.resources import Resources
from tintype.core.publishing.runner import Runner
from tintype.core.publishing.schedule import moment_of

__all__ = [
    "EDITABLE",
    "ENDED",
    "UNDER_WAY",
    "UPLOADS",
    "Candidate",
    "CommentState",
    "Draft",
    "Failure",
    "Fit",
    "Item",
    "ItemKind",
    "Listing",
    "Moment",
    "Occurrence",
    "Part",
    "Policy",
    "Post",
    "PostRecords",
    "Preparing",
    "Problem",
    "Product",
    "Publisher",
    "Quota",
    "Quotas",
    "Reservations",
    "Resources",
    "Review",
    "Runner",
    "State",
    "Tag",
    "check",
    "moment_of",
    "problems",
]
