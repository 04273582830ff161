"""Who knocks: workspaces, and the credentials that open them.

Every dialect turns what a caller shows (a workspace token, a publishable feed key) into a `Caller`; the rest of core
only knows callers and workspaces.
"""

from tintype.core.access.access import Access
from tintype.core.access.model import Caller, Credential, Grant, Issued, Role, Workspace, fingerprint
from tintype.core.access.records import AccessRecords, living_ids

__all__ = [
    "Access",
    "AccessRecords",
    "Caller",
    "Credential",
    "Grant",
    "Issued",
    "Role",
    "Workspace",
    "fingerprint",
    "living_ids",
]
