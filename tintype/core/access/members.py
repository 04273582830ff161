"""The trade of members: who has a place in a workspace, and who is invited to one. Callers are checked by the roles given."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from tintype.backends.bus import Bus
from tintype.core.access.model import (
    Caller,
    Invitation,
    Member,
    Role,
    Workspace,
    checked_name,
    email_problem,
    normal_email,
)
from tintype.core.access.user_records import UserRecords
from tintype.errors import Forbidden, Invalid
from tintype.events import WorkspaceChanged

INVITED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Members:
    """Gives places in workspaces, changes and takes them; all for owners only, but for looking and leaving."""

    records: UserRecords
    bus: Bus
    now: Callable[[], datetime]

    async def of_workspace(self, caller: Caller) -> Sequence[Member]:
        """Return the members of the caller's workspace, those who came first in front."""
        return await self.records.members(caller.workspace_id)

    async def found(self, caller: Caller, name: str) -> Workspace:
        """Make one more workspace that the caller owns.

        Raises `Forbidden` for a caller who is no person, `Invalid` for a name of the wrong length.
        """
        if caller.user_id is None:
            raise Forbidden("a workspace's own token cannot own another workspace; log in as a user")
        workspace = Workspace(str(uuid4()), checked_name(name), self.now())
        await self.records.add_workspace(workspace, caller.user_id)
        return workspace

    async def add(self, caller: Caller, email: str, role: Role) -> Member | Invitation:
        """Give the user of an e-mail address a place; somebody who is not registered gets an invitation instead.

        Raises `Forbidden` for a caller who is not an owner, `Conflict` for a member, `Invalid` for a strange address.
        """
        caller.must(Role.OWNER)
        email = normal_email(email)
        problem = email_problem(email)
        if problem:
            raise Invalid(problem)
        now = self.now()
        known = await self.records.by_email(email)
        if known is None:
            invitation = Invitation(email, role, now + INVITED_FOR, "inv_" + secrets.token_urlsafe(24))
            await self.records.invite(caller.workspace_id, invitation, now)
            return invitation
        user, _ = known
        await self.records.add_member(caller.workspace_id, user.id, role, now)
        await self.bus.publish(WorkspaceChanged(caller.workspace_id))
        return Member(user, role, now)

    async def change(self, caller: Caller, user_id: int, role: Role) -> None:
        """Give a member another role.

        Raises `Forbidden` for a caller who is not an owner, `NotFound` for no member, `Conflict` for the last owner.
        """
        caller.must(Role.OWNER)
        await self._set(caller, user_id, role)

    async def remove(self, caller: Caller, user_id: int) -> None:
        """Take a member's place; everybody may leave by themselves.

        Raises as `change` does.
        """
        if user_id != caller.user_id:
            caller.must(Role.OWNER)
        await self._set(caller, user_id, None)

    async def place(self, workspace_id: str, user_id: int, role: Role | None) -> None:
        """Give a user a role in a workspace, whether they had one or not; for the operator, whom nobody checks.

        Raises `NotFound` for taking a place that is not there, `Conflict` for the last owner's.
        """
        if role is not None and user_id not in {one.user.id for one in await self.records.members(workspace_id)}:
            await self.records.add_member(workspace_id, user_id, role, self.now())
        else:
            await self.records.set_role(workspace_id, user_id, role)
        await self.bus.publish(WorkspaceChanged(workspace_id))

    async def _set(self, caller: Caller, user_id: int, role: Role | None) -> None:
        await self.records.set_role(caller.workspace_id, user_id, role)
        await self.bus.publish(WorkspaceChanged(caller.workspace_id))
