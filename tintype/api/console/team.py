"""Who has a place in a workspace, which tokens open it, and who did what."""

from fastapi import FastAPI, Request
from starlette.responses import Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import back, text_of
from tintype.core.access import Grant, Invitation, Issued, Role, Visit
from tintype.errors import Conflict, Invalid, NotFound, Trouble

PLACE = "/console/team"


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _showing(app, desk)
    _members(app, desk)
    _tokens(app, desk)


def _showing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def team(request: Request) -> Response:
        """Show members, tokens and the latest deeds."""
        visit = await desk.door.visit(request)
        return await _shown(desk, visit, done=request.query_params.get("done", ""))

    @app.get(f"{PLACE}/log")
    async def log(request: Request, before: int | None = None) -> Response:
        """Show the log of deeds, page by page."""
        visit = await desk.door.visit(request, Role.OWNER)
        deeds = await desk.audit.page(visit.caller().workspace_id, before=before)
        return desk.door.page(visit, "log.html", deeds=deeds)


def _members(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(f"{PLACE}/members")
    async def add_member(request: Request) -> Response:
        """Give somebody a place; a stranger gets an invitation to hand on."""
        visit, form = await desk.door.form(request, Role.OWNER)
        email = text_of(form, "email")
        try:
            given = await desk.members.add(visit.caller(), email, _role(text_of(form, "role")))
        except Trouble as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "member.added", email)
        if isinstance(given, Invitation):
            return await _shown(desk, visit, invitation=given)
        return back(PLACE, "member")

    @app.post(PLACE + "/members/{user_id}/role")
    async def change(user_id: int, request: Request) -> Response:
        """Give a member another role."""
        visit, form = await desk.door.form(request, Role.OWNER)
        role = _role(text_of(form, "role"))
        try:
            await desk.members.change(visit.caller(), user_id, role)
        except Conflict as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "member.changed", f"{user_id} {role}")
        return back(PLACE, "changed")

    @app.post(PLACE + "/members/{user_id}/remove")
    async def remove(user_id: int, request: Request) -> Response:
        """Take a member's place away."""
        visit, _ = await desk.door.form(request, Role.OWNER)
        try:
            await desk.members.remove(visit.caller(), user_id)
        except Conflict as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "member.removed", str(user_id))
        return back(PLACE, "removed")


def _tokens(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(f"{PLACE}/tokens")
    async def issue(request: Request) -> Response:
        """Make a token and show it this once."""
        visit, form = await desk.door.form(request, Role.OWNER)
        label, origins = text_of(form, "label").strip()[:100], tuple(text_of(form, "origins").split())
        try:
            grant = Grant(text_of(form, "grant"))
        except ValueError:
            raise Invalid(f"grant must be one of {', '.join(Grant)}") from None
        try:
            issued = await desk.access.issue(visit.caller().workspace_id, grant, label=label, origins=origins)
        except Trouble as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "token.issued", label or issued.credential.hint)
        return await _shown(desk, visit, issued=issued)

    @app.post(PLACE + "/tokens/{credential_id}/revoke")
    async def revoke(credential_id: str, request: Request) -> Response:
        """Make a token worthless."""
        visit, _ = await desk.door.form(request, Role.OWNER)
        workspace_id = visit.caller().workspace_id
        known = {one.id: one for one in await desk.access.credentials(workspace_id)}
        if credential_id not in known:
            raise NotFound("there is no such token in this workspace")
        await desk.access.revoke(workspace_id, credential_id)
        await desk.door.note(visit, "token.revoked", known[credential_id].label or known[credential_id].hint)
        return back(PLACE, "revoked")


async def _shown(
    desk: ConsoleDesk,
    visit: Visit,
    *,
    done: str = "",
    problem: str = "",
    issued: Issued | None = None,
    invitation: Invitation | None = None,
    status: int = 200,
) -> Response:
    workspace_id = visit.caller().workspace_id
    owns = visit.may(Role.OWNER)
    return desk.door.page(
        visit,
        "team.html",
        status=status,
        members=await desk.members.of_workspace(visit.caller()),
        tokens=await desk.access.credentials(workspace_id) if owns else (),
        deeds=await desk.audit.page(workspace_id, limit=8) if owns else (),
        roles=list(Role),
        owns=owns,
        done=done,
        problem=problem,
        issued=issued,
        invitation=invitation,
        base=desk.base,
    )


def _role(word: str) -> Role:
    try:
        return Role(word)
    except ValueError:
        raise Invalid(f"role must be one of {', '.join(Role)}") from None
