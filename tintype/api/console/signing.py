"""Signing in and out, the first user's one-time link, and what people keep about themselves: password, code, browsers."""

import segno
from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import back, bare, check_own, own_path, text_of, words_of
from tintype.core.access import Offered, Role, Visit
from tintype.errors import Conflict, Forbidden, Invalid, RateLimited, Trouble, Unauthorized

SIGN_IN = "/signin"
MINE = "/console/me"
INVITED = "/welcome/to"


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _signing_in(app, desk)
    _welcome(app, desk)
    _invited(app, desk)
    _mine(app, desk)
    _second_factor(app, desk)


def _signing_in(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(SIGN_IN)
    async def ask(request: Request) -> Response:
        """Ask for address and password."""
        return bare("signin.html", to=own_path(request.query_params.get("next", "")), email="", problem="")

    @app.post(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        """Let somebody in who knows both; or ask for the code of the second factor."""
        check_own(request)
        form = await words_of(request)
        email, to = text_of(form, "email"), own_path(text_of(form, "next"))
        agent = request.headers.get("user-agent", "")
        try:
            secret, asks = await desk.browsing.sign_in(
                email, text_of(form, "password"), desk.door.address(request), agent
            )
        except (Unauthorized, RateLimited, Forbidden) as trouble:
            return bare("signin.html", status=_status(trouble), to=to, email=email, problem=trouble.message)
        return desk.door.let_in(secret, f"{SIGN_IN}/code?next={to}" if asks else to)

    @app.get(f"{SIGN_IN}/code")
    async def ask_code(request: Request) -> Response:
        """Ask for the code of the second factor."""
        return bare("code.html", to=own_path(request.query_params.get("next", "")), problem="")

    @app.post(f"{SIGN_IN}/code")
    async def take_code(request: Request) -> Response:
        """Let somebody in who shows the right code."""
        check_own(request)
        form = await words_of(request)
        to = own_path(text_of(form, "next"))
        try:
            secret = await desk.browsing.prove(
                desk.door.secret(request), text_of(form, "code"), desk.door.address(request)
            )
        except (Unauthorized, RateLimited, Forbidden) as trouble:
            return bare("code.html", status=_status(trouble), to=to, problem=trouble.message)
        return desk.door.let_in(secret, to)

    @app.post("/signout")
    async def sign_out(request: Request) -> Response:
        """End this browser's session."""
        check_own(request)
        await desk.browsing.sign_out(desk.door.secret(request))
        return desk.door.let_out(SIGN_IN)


def _welcome(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get("/welcome/{secret}")
    async def ask(secret: str) -> Response:
        """Ask the first user for an address and a password, or a known one for another password."""
        known = await desk.browsing.welcomed(secret)
        return bare("welcome.html", secret=secret, known=known, email="", workspace="", problems=())

    @app.post("/welcome/{secret}")
    async def accept(secret: str, request: Request) -> Response:
        """Let in whoever the link is for."""
        check_own(request)
        form = await words_of(request)
        email, workspace = text_of(form, "email"), text_of(form, "workspace").strip()
        agent = request.headers.get("user-agent", "")
        try:
            made = await desk.browsing.accept(
                secret, email, text_of(form, "password"), agent, workspace=workspace or None
            )
        except Invalid as trouble:
            known = await desk.browsing.welcomed(secret)
            return bare(
                "welcome.html",
                status=400,
                secret=secret,
                known=known,
                email=email,
                workspace=workspace,
                problems=trouble.problems,
            )
        return desk.door.let_in(made, "/console")


def _invited(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(INVITED + "/{secret}")
    async def ask_invited(secret: str) -> Response:
        """Ask somebody who was invited for the invited address and a password."""
        return bare("invited.html", secret=secret, email="", problems=())

    @app.post(INVITED + "/{secret}")
    async def join(secret: str, request: Request) -> Response:
        """Make a user with a place in the workspace that the invitation is for."""
        check_own(request)
        form = await words_of(request)
        email = text_of(form, "email")
        try:
            user_id = await desk.users.add(email, text_of(form, "password"), invitation=secret)
        except (Invalid, Conflict, Unauthorized) as trouble:
            problems = trouble.problems if isinstance(trouble, Invalid) else (trouble.message,)
            return bare("invited.html", status=400, secret=secret, email=email, problems=problems)
        return desk.door.let_in(await desk.browsing.admit(user_id, request.headers.get("user-agent", "")), "/console")


def _mine(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(MINE)
    async def mine(request: Request) -> Response:
        """Show what somebody keeps about themselves."""
        visit = await desk.door.visit(request)
        return await _shown(desk, visit, done=request.query_params.get("done", ""))

    @app.post(f"{MINE}/password")
    async def change_password(request: Request) -> Response:
        """Change the password; all other browsers have to sign in again."""
        visit, form = await desk.door.form(request, Role.VIEWER)
        try:
            await desk.browsing.change_password(
                visit, text_of(form, "old"), text_of(form, "new"), desk.door.address(request)
            )
        except Trouble as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "password.changed")
        return back(MINE, "password")

    @app.post(f"{MINE}/browsers/end")
    async def end_others(request: Request) -> Response:
        """End the sessions of all other browsers."""
        visit, _ = await desk.door.form(request, Role.VIEWER)
        await desk.browsing.end_others(visit)
        return back(MINE, "ended")

    @app.post("/console/workspaces")
    async def found(request: Request) -> Response:
        """Make one more workspace, and look at it from now on."""
        visit, form = await desk.door.form(request, Role.VIEWER)
        try:
            made = await desk.members.found(visit.caller(), text_of(form, "name"))
        except Invalid as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        fresh = await desk.browsing.visit(desk.door.secret(request))
        await desk.browsing.choose(fresh, made.id)
        return RedirectResponse("/console", 303)

    @app.post("/console/workspace")
    async def choose(request: Request) -> Response:
        """Look at another workspace."""
        visit, form = await desk.door.form(request, Role.VIEWER)
        await desk.browsing.choose(visit, text_of(form, "workspace"))
        return RedirectResponse("/console", 303)


def _second_factor(app: FastAPI, desk: ConsoleDesk) -> None:
    factors = desk.browsing.factors

    @app.post(f"{MINE}/code/offer")
    async def offer(request: Request) -> Response:
        """Show a second factor to be put into somebody's app."""
        visit, _ = await desk.door.form(request, Role.VIEWER)
        offered = await factors.offer(visit.person.user)
        return desk.door.page(visit, "code_offer.html", offered=offered, picture=_picture(offered), problem="")

    @app.post(f"{MINE}/code/confirm")
    async def confirm(request: Request) -> Response:
        """Switch the second factor on, and show the spare codes this once."""
        visit, form = await desk.door.form(request, Role.VIEWER)
        try:
            spares = await factors.confirm(visit.person.user.id, text_of(form, "code"))
        except Unauthorized as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "second_factor.on")
        return desk.door.page(visit, "code_spares.html", spares=spares)

    @app.post(f"{MINE}/code/drop")
    async def drop(request: Request) -> Response:
        """Switch the second factor off for whoever shows a code of it."""
        visit, form = await desk.door.form(request, Role.VIEWER)
        try:
            await factors.drop(visit.person.user.id, text_of(form, "code"), desk.door.address(request))
        except Trouble as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=400)
        await desk.door.note(visit, "second_factor.off")
        return back(MINE, "dropped")


async def _shown(desk: ConsoleDesk, visit: Visit, *, done: str = "", problem: str = "", status: int = 200) -> Response:
    return desk.door.page(
        visit,
        "me.html",
        status=status,
        browsers=await desk.browsing.of_user(visit.person.user.id),
        has_code=await desk.browsing.factors.is_on(visit.person.user.id),
        done=done,
        problem=problem,
    )


def _picture(offered: Offered) -> str:
    """Return the QR code as an address that a picture can show."""
    return segno.make(offered.address, micro=False).svg_data_uri(scale=5, border=2)


def _status(trouble: Trouble) -> int:
    match trouble:
        case RateLimited():
            return 429
        case Forbidden():
            return 403
        case _:
            return 401
