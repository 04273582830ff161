"""Who knocks: workspaces and the credentials that open them, users and their places in workspaces.

Every dialect turns what a caller shows (a workspace token, a publishable feed key, a user's token) into a `Caller`; the
rest of core only knows callers and workspaces.
"""

from tintype.core.access.access import Access
from tintype.core.access.audit import Audit, Deed
from tintype.core.access.browsing import Browsing
from tintype.core.access.browsing_model import LONGEST, Browser, Visit
from tintype.core.access.browsing_records import BrowsingRecords
from tintype.core.access.issuers import Issuer, Issuers
from tintype.core.access.members import Members
from tintype.core.access.model import (
    Caller,
    Credential,
    Grant,
    Invitation,
    Issued,
    Locked,
    Member,
    Person,
    Role,
    Seat,
    Unfit,
    User,
    Workspace,
    fingerprint,
)
from tintype.core.access.passwords import REQUIREMENTS, Passwords
from tintype.core.access.records import AccessRecords, is_living, living_ids
from tintype.core.access.second_factor import Offered, SecondFactors
from tintype.core.access.session_records import AttemptRecords, SessionRecords
from tintype.core.access.tokens import Signer
from tintype.core.access.use_records import UseRecords
from tintype.core.access.user_records import UserRecords
from tintype.core.access.users import Opened, Users
from tintype.core.access.uses import Uses

__all__ = [
    "LONGEST",
    "REQUIREMENTS",
    "Access",
    "AccessRecords",
    "AttemptRecords",
    "Audit",
    "Browser",
    "Browsing",
    "BrowsingRecords",
    "Caller",
    "Credential",
    "Deed",
    "Grant",
    "Invitation",
    "Issued",
    "Issuer",
    "Issuers",
    "Locked",
    "Member",
    "Members",
    "Offered",
    "Opened",
    "Passwords",
    "Person",
    "Role",
    "Seat",
    "SecondFactors",
    "SessionRecords",
    "Signer",
    "Unfit",
    "UseRecords",
    "User",
    "UserRecords",
    "Users",
    "Uses",
    "Visit",
    "Workspace",
    "fingerprint",
    "is_living",
    "living_ids",
]
