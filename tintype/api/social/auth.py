"""/api/auth: register, log in, refresh, log out, and who one is."""

import hmac

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import address, bearer, once
from tintype.api.dialect import read_body, takes
from tintype.api.social import people
from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import WORKSPACE, caller_of, shown
from tintype.core.access import Unfit
from tintype.errors import Forbidden, Invalid, Unauthorized

REFRESHES_PER_MINUTE = 20  # one address; as in the original

_NO_STORE = {"Cache-Control": "no-store"}


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    _registering(app, desk)
    _sessions(app, desk)
    _self(app, desk)


def _registering(app: FastAPI, desk: SocialDesk) -> None:
    @app.post("/api/auth/register", status_code=201, openapi_extra=takes(people.RegisterRequest))
    async def register(request: Request) -> Response:
        """Make a user with a workspace of their own, and log them in."""
        await desk.limiter.check(request, "user-register", desk.per_minute)
        body = await read_body(request, people.RegisterRequest)
        if not body.model_fields_set:
            missing = ("email is required", "password is required")
            raise Unfit(*missing, summary="Request body is required and must be JSON")
        if body.invitation is None:
            await _check_may_register(request, desk)

        async def make() -> JSONResponse:
            opened = await desk.users.register(
                body.email,
                body.password,
                name=body.name,
                workspace=body.workspace,
                invitation=body.invitation,
            )
            return JSONResponse(people.session(opened), 201, _NO_STORE)

        return await once(request, desk.idempotency, make)


async def _check_may_register(request: Request, desk: SocialDesk) -> None:
    who = desk.registration
    if who.is_open or (who.is_local and await desk.users.is_empty()):
        return
    if who.admin_token is None:
        raise Forbidden(
            "registration is closed here: ask a workspace's owner for an invitation (REGISTRATION=open opens it)"
        )
    if not hmac.compare_digest(bearer(request).encode(), who.admin_token.encode()):
        raise Unauthorized("Unauthorized")


def _sessions(app: FastAPI, desk: SocialDesk) -> None:
    @app.post("/api/auth/login", openapi_extra=takes(people.LoginRequest))
    async def login(request: Request) -> Response:
        """Open a session with e-mail address and password."""
        await desk.limiter.check(request, "user-login", desk.per_minute)
        body = await read_body(request, people.LoginRequest)
        if not body.email.strip() or not body.password:
            raise Invalid("Missing email or password")
        where = address(request, desk.limiter.trusted)
        return JSONResponse(people.session(await desk.users.login(body.email, body.password, where)), 200, _NO_STORE)

    @app.post("/api/auth/refresh", openapi_extra=takes(people.RefreshRequest))
    async def refresh(request: Request) -> Response:
        """Exchange a refresh token for the next pair of tokens; it is worthless after that."""
        await desk.limiter.check(request, "user-refresh", min(REFRESHES_PER_MINUTE, desk.per_minute))
        body = await read_body(request, people.RefreshRequest)
        if not body.refresh_token:
            raise Invalid("Missing refresh token")
        workspace_id = request.headers.get(WORKSPACE) or None
        return JSONResponse(people.session(await desk.users.refresh(body.refresh_token, workspace_id)), 200, _NO_STORE)

    @app.post("/api/auth/logout", openapi_extra=takes(people.LogoutRequest))
    async def logout(request: Request) -> Response:
        """End a session, with all tokens that came from it; either of its tokens will do."""
        await desk.limiter.check(request, "user-logout", desk.per_minute)
        body = await read_body(request, people.LogoutRequest)
        await desk.users.logout(body.refresh_token or shown(request))
        return JSONResponse({"message": "Logged out"})


def _self(app: FastAPI, desk: SocialDesk) -> None:
    @app.get("/api/auth/me")
    async def me(request: Request) -> Response:
        """Say who asks, and in which workspace."""
        caller = await caller_of(request, desk)
        if caller.user_id is None:
            known = {"id": None, "email": None, "name": caller.workspace_name, "role": caller.role.value}
            return JSONResponse({**known, "workspace_id": caller.workspace_id})
        person = await desk.users.person(caller.user_id)
        seats = [people.workspace(seat.workspace, seat.role) for seat in person.seats]
        return JSONResponse({**people.user(person, person.seat(caller.workspace_id)), "workspaces": seats})
