"""The trade of access: register workspaces, issue and revoke credentials, recognise callers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from tintype import logs
from tintype.backends.bus import Bus
from tintype.core.access.model import (
    Caller,
    Credential,
    Grant,
    Issued,
    Workspace,
    checked_name,
    checked_origins,
    fingerprint,
    new_secret,
)
from tintype.core.access.records import AccessRecords
from tintype.core.access.uses import Uses
from tintype.errors import NotFound, Unauthorized
from tintype.events import WorkspaceChanged

HINT = 8  # characters of a secret that its owner may see again, to tell one from the other


@dataclass(frozen=True, slots=True)
class Access:
    """Registers workspaces and tells callers apart."""

    records: AccessRecords
    bus: Bus
    uses: Uses

    async def register(self, name: str, *, label: str = "registered") -> tuple[Workspace, Issued]:
        """Make a workspace with its first token.

        Raises `Invalid` for a name of the wrong length.
        """
        now = datetime.now(UTC)
        workspace = Workspace(str(uuid4()), checked_name(name), now)
        issued = _issue(workspace.id, Grant.WORKSPACE, label, (), now)
        await self.records.add_workspace(workspace, issued.credential, fingerprint(issued.secret))
        return workspace, issued

    async def who(self, secret: str, grant: Grant) -> Caller:
        """Return the caller who shows `secret`.

        Raises `Unauthorized` for an unknown or revoked one, `NotFound` when its workspace was removed.
        """
        found = await self.records.find(fingerprint(secret), grant)
        if found is None:
            raise Unauthorized("Unauthorized")
        caller, exists = found
        if not exists:
            raise NotFound("Tenant not found: this workspace was removed")
        self.uses.note(caller.credential_id)
        logs.note(workspace=caller.workspace_id)
        return caller

    async def issue(self, workspace_id: str, grant: Grant, *, label: str = "", origins: tuple[str, ...] = ()) -> Issued:
        """Make one more credential for a workspace; the earlier ones stay valid until they are revoked.

        Raises `NotFound` for an unknown workspace, `Invalid` for something that is not an origin.
        """
        await self.workspace(workspace_id)
        issued = _issue(workspace_id, grant, label, checked_origins(origins), datetime.now(UTC))
        await self.records.add_credential(issued.credential, fingerprint(issued.secret))
        return issued

    async def revoke(self, workspace_id: str, credential_id: str) -> None:
        """Make a credential worthless, everywhere and at once.

        Raises `NotFound` when the workspace has no such live credential.
        """
        if not await self.records.revoke(workspace_id, credential_id, datetime.now(UTC)):
            raise NotFound(f"workspace {workspace_id} has no live credential {credential_id!r}")
        await self.bus.publish(WorkspaceChanged(workspace_id))

    async def workspace(self, workspace_id: str) -> Workspace:
        """Return a workspace.

        Raises `NotFound` when there is none.
        """
        found = await self.records.workspace(workspace_id)
        if found is None:
            raise NotFound(f"there is no workspace {workspace_id!r}")
        return found

    async def workspaces(self) -> Sequence[Workspace]:
        """Return all workspaces, oldest first."""
        return await self.records.workspaces()

    async def credentials(self, workspace_id: str) -> Sequence[Credential]:
        """Return a workspace's credentials, newest first, revoked ones included."""
        return await self.records.credentials(workspace_id)

    async def remove(self, workspace_id: str) -> None:
        """Remove a workspace: its credentials open nothing any more.

        Raises `NotFound` when there is none.
        """
        if not await self.records.remove_workspace(workspace_id, datetime.now(UTC)):
            raise NotFound(f"there is no workspace {workspace_id!r}")
        await self.bus.publish(WorkspaceChanged(workspace_id))


def _issue(workspace_id: str, grant: Grant, label: str, origins: tuple[str, ...], now: datetime) -> Issued:
    secret = new_secret(grant)
    credential = Credential(str(uuid4()), workspace_id, grant, label, secret[:HINT], origins, now, None)
    return Issued(credential, secret)
