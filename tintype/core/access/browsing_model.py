"""Words of signing in with a browser, and the pure rules about how long that lasts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tintype.core.access.model import Caller, Grant, Person, Role, Seat
from tintype.errors import Forbidden

IDLE = timedelta(days=14)  # a browser that nobody used for so long has to sign in again
LONGEST = timedelta(days=90)  # and so has one after so long, however often it is used
UNPROVEN = timedelta(minutes=10)  # between the password and the code of the second factor
WELCOME = timedelta(hours=24)  # a one-time link
NOTED = timedelta(minutes=5)  # how exactly the last use is kept


@dataclass(frozen=True, slots=True)
class Browser:
    """One signed-in browser; not `proven` while the second factor is still to come."""

    digest: str = field(repr=False)
    user_id: int
    workspace_id: str | None
    agent: str
    proven: bool
    created_at: datetime
    seen_at: datetime

    def lives(self, now: datetime) -> bool:
        """Tell whether the session is still good."""
        if not self.proven:
            return now < self.created_at + UNPROVEN
        return now < min(self.seen_at + IDLE, self.created_at + LONGEST)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who came with a signed-in browser, the place they look at, and the token their forms must carry."""

    browser: Browser
    person: Person
    seat: Seat | None
    form_token: str = field(repr=False)
    operates: bool = False  # whether this is one of those who run the house, which holds other people's workspaces too

    def must_operate(self) -> None:
        """Go on when the visitor is one of those who run the house; raises `Forbidden`."""
        if not self.operates:
            raise Forbidden("this shows the whole house, and is for those who run it: see the setting OPERATORS")

    def caller(self) -> Caller:
        """Return who asks, as the rest of the house knows callers; the visit must have a seat."""
        assert self.seat is not None
        workspace = self.seat.workspace
        return Caller(
            workspace.id,
            workspace.name,
            Grant.WORKSPACE,
            "browser",
            role=self.seat.role,
            user_id=self.person.user.id,
        )

    def may(self, role: Role) -> bool:
        """Tell whether the visitor may do here what `role` may."""
        ranks = (Role.VIEWER, Role.EDITOR, Role.OWNER)
        return self.seat is not None and ranks.index(self.seat.role) >= ranks.index(role)
