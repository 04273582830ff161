"""Publishing without doubt: drafts, schedules, media made right, containers, and exactly one post for each.

`Publisher` is what dialects talk to, `Bulk` takes whole lists of posts, and `Runner` moves what is due. A post's way is drawn
in `model.py`, and the rules that keep it from being published twice stand in `walking.py`.
"""

from tintype.core.publishing.bulk import Bulk, Report, Row, Undone
from tintype.core.publishing.bulk_forms import COLUMNS, MOST_BYTES, MOST_ROWS
from tintype.core.publishing.bulk_forms import Format as ListFormat
from tintype.core.publishing.checks import problems
from tintype.core.publishing.findings import Finding, reachable_base
from tintype.core.publishing.making import warned
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
from tintype.core.publishing.preparing import Preparing, Unfetchable
from tintype.core.publishing.publisher import Publisher, check
from tintype.core.publishing.quotas import Quotas
from tintype.core.publishing.records import PostRecords
from tintype.core.publishing.reservations import Reservations
from tintype.core.publishing.resources import Resources
from tintype.core.publishing.runner import Runner
from tintype.core.publishing.schedule import moment_of, moved
from tintype.core.publishing.uploads import UPLOAD, UPLOADS
from tintype.core.publishing.work import jobs, schedules

__all__ = [
    "COLUMNS",
    "EDITABLE",
    "ENDED",
    "MOST_BYTES",
    "MOST_ROWS",
    "UNDER_WAY",
    "UPLOAD",
    "UPLOADS",
    "Bulk",
    "Candidate",
    "CommentState",
    "Draft",
    "Failure",
    "Finding",
    "Fit",
    "Item",
    "ItemKind",
    "ListFormat",
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
    "Report",
    "Reservations",
    "Resources",
    "Review",
    "Row",
    "Runner",
    "State",
    "Tag",
    "Undone",
    "Unfetchable",
    "check",
    "jobs",
    "moment_of",
    "moved",
    "problems",
    "reachable_base",
    "schedules",
    "warned",
]
