"""Bodies of /api/auth: what is read from requests, and how users, members and workspaces are shown."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from tintype.core.access import Invitation, Member, Opened, Person, Role, Seat, User, Workspace


def _whole(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("has half a character in it") from None
    return value


Text = Annotated[str, AfterValidator(_whole)]  # JSON can write half of a pair of surrogates, which nothing can store


class RegisterRequest(BaseModel):
    """POST /api/auth/register."""

    email: Text = ""
    password: Text = Field("", repr=False)
    name: Text | None = None
    workspace: Text | None = None
    invitation: Text | None = Field(None, repr=False)


class LoginRequest(BaseModel):
    """POST /api/auth/login."""

    email: Text = ""
    password: Text = Field("", repr=False)


class RefreshRequest(BaseModel):
    """POST /api/auth/refresh."""

    refresh_token: Text = Field("", repr=False)


class LogoutRequest(BaseModel):
    """POST /api/auth/logout."""

    refresh_token: Text | None = Field(None, repr=False)


class WorkspaceRequest(BaseModel):
    """POST /api/auth/workspaces."""

    name: Text


class MemberRequest(BaseModel):
    """POST /api/auth/workspaces/{id}/members."""

    email: Text
    role: Role


class RoleRequest(BaseModel):
    """PATCH /api/auth/workspaces/{id}/members/{user_id}."""

    role: Role


def session(opened: Opened) -> dict[str, object]:
    """Return what a session begins or goes on with."""
    return {
        "access_token": opened.access,
        "refresh_token": opened.refresh,
        "user": user(opened.person, opened.seat),
    }


def user(person: Person, seat: Seat | None) -> dict[str, object]:
    """Return a user as they see themselves, in one of their workspaces."""
    return {
        **_who(person.user),
        "role": seat.role.value if seat else None,
        "workspace_id": seat.workspace.id if seat else None,
        "is_active": person.user.disabled_at is None,
        "created_at": moment(person.user.created_at),
    }


def workspace(found: Workspace, role: Role) -> dict[str, object]:
    """Return a workspace as one of its members sees it."""
    return {"id": found.id, "name": found.name, "role": role.value, "created_at": moment(found.created_at)}


def member(found: Member) -> dict[str, object]:
    """Return a member as the others see them."""
    return {**_who(found.user), "role": found.role.value, "since": moment(found.since)}


def invitation(found: Invitation) -> dict[str, object]:
    """Return an invitation, at the one moment its secret is known."""
    return {
        "email": found.email,
        "role": found.role.value,
        "invitation": found.secret,
        "expires_at": moment(found.expires_at),
    }


def moment(at: datetime) -> str:
    """Return a moment as RFC 3339 in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _who(found: User) -> dict[str, Any]:
    return {"id": found.id, "email": found.email, "name": found.name}
