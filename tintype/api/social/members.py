"""/api/auth/workspaces: the rooms one has a place in, and who else has one there."""

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import once
from tintype.api.dialect import read_body, takes
from tintype.api.social import people
from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import caller_of
from tintype.api.social.finding import name_of
from tintype.core.access import Invitation, Role

ROOM = "/api/auth/workspaces/{workspace_id}/members"


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    _workspaces(app, desk)
    _looking(app, desk)
    _changing(app, desk)


def _workspaces(app: FastAPI, desk: SocialDesk) -> None:
    @app.get("/api/auth/workspaces")
    async def workspaces(request: Request) -> Response:
        """List the caller's workspaces; a workspace's own token has its one."""
        caller = await caller_of(request, desk)
        if caller.user_id is None:
            only = await desk.access.workspace(caller.workspace_id)
            return JSONResponse([people.workspace(only, caller.role)])
        person = await desk.users.person(caller.user_id)
        return JSONResponse([people.workspace(seat.workspace, seat.role) for seat in person.seats])

    @app.post("/api/auth/workspaces", status_code=201, openapi_extra=takes(people.WorkspaceRequest))
    async def found(request: Request) -> Response:
        """Make one more workspace, owned by the caller."""
        await desk.limiter.check(request, "user-workspaces", desk.per_minute)
        caller = await caller_of(request, desk)
        body = await read_body(request, people.WorkspaceRequest)

        async def make() -> JSONResponse:
            return JSONResponse(people.workspace(await desk.members.found(caller, body.name), Role.OWNER), 201)

        return await once(request, desk.idempotency, make, caller=name_of(caller))


def _looking(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(ROOM)
    async def members(request: Request, workspace_id: str) -> Response:
        """List who has a place in a workspace of the caller's."""
        caller = await caller_of(request, desk, workspace_id=workspace_id)
        return JSONResponse([people.member(one) for one in await desk.members.of_workspace(caller)])


def _changing(app: FastAPI, desk: SocialDesk) -> None:
    @app.post(ROOM, status_code=201, openapi_extra=takes(people.MemberRequest))
    async def invite(request: Request, workspace_id: str) -> Response:
        """Give a user a place, or invite somebody who is not registered yet."""
        await desk.limiter.check(request, "user-members", desk.per_minute)
        caller = await caller_of(request, desk, workspace_id=workspace_id)
        caller.must(Role.OWNER)
        body = await read_body(request, people.MemberRequest)

        async def make() -> JSONResponse:
            made = await desk.members.add(caller, body.email, body.role)
            shown = people.invitation(made) if isinstance(made, Invitation) else people.member(made)
            return JSONResponse(shown, 201)

        return await once(request, desk.idempotency, make, caller=name_of(caller))

    @app.patch(ROOM + "/{user_id}", openapi_extra=takes(people.RoleRequest))
    async def change(request: Request, workspace_id: str, user_id: int) -> Response:
        """Give a member another role."""
        caller = await caller_of(request, desk, workspace_id=workspace_id)
        caller.must(Role.OWNER)
        body = await read_body(request, people.RoleRequest)
        await desk.members.change(caller, user_id, body.role)
        return JSONResponse({"id": user_id, "role": body.role.value})

    @app.delete(ROOM + "/{user_id}")
    async def remove(request: Request, workspace_id: str, user_id: int) -> Response:
        """Take a member's place; everybody may leave."""
        caller = await caller_of(request, desk, workspace_id=workspace_id)
        await desk.members.remove(caller, user_id)
        return JSONResponse({"message": "Member removed"})
