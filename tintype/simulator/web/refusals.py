"""How Instagram's web side says no: bodies with `status: fail`, pages, redirects, and everything a magic post does instead."""

from urllib.parse import quote

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tintype.simulator import faults
from tintype.simulator.faults import Cut, Fault, Hang
from tintype.simulator.model import Answer
from tintype.simulator.web import pages
from tintype.simulator.web.look import Look

WAIT = "Please wait a few minutes before you try again."
GONE = "Media not found or unavailable"
AWAY = "https://login.example/instagram/"
JSON = "application/json"
SAYINGS = {400: "invalid request", 401: "login_required", 403: "forbidden", 404: GONE, 429: WAIT}


def fail(status: int, message: str, **more: object) -> Response:
    """The refusal of an API call."""
    return JSONResponse({"message": message, **more, "status": "fail"}, status)


def wait(status: int = 429) -> Response:
    """Too much was asked for."""
    return fail(status, WAIT, require_login=True, igweb_rollout=True)


def to_login(look: Look) -> Response:
    """What may only be seen signed in leads to the login page."""
    return RedirectResponse(f"{look.site}/accounts/login/?next={quote(look.arrival.request.url.path)}", 302)


def not_signed_in(look: Look) -> Response:
    """How the mobile API refuses a call without a living session."""
    if look.arrival.host == "private":
        return fail(403, "login_required", error_title="You've Been Logged Out", logout_reason=2)
    return to_login(look)


def stale_tokens() -> Response:
    """A query with tokens that are missing or too old."""
    return fail(400, "invalid request", error=1357004, errorSummary="Please try closing and re-opening your browser.")


def by_fault(look: Look, fault: Fault, page: bool) -> Response:
    """The refusal that a fault of the control plane orders: a page where a page was asked for, else JSON."""
    if fault.kind == "expired_token":
        return to_login(look)
    if fault.kind == "rate_limit":
        return HTMLResponse(faults.SORRY, fault.status or 429) if page else wait(fault.status or 429)
    status = fault.status or 500
    if page:
        return HTMLResponse(faults.SORRY, status)
    return wait() if status == 429 else fail(status, SAYINGS.get(status, "Sorry, something went wrong"))


def by_magic(look: Look, trouble: str, page: bool) -> Response | None:
    """What a magic post answers to a look-up; None for troubles that only change a good answer."""
    if trouble in ("checkpoint", "challenge", "feedback"):
        return _requirement(look, trouble, page)
    match trouble:
        case "429":
            return HTMLResponse(faults.SORRY, 429) if page else wait()
        case "404":
            return HTMLResponse(pages.missing(), 404) if page else fail(404, GONE)
        case "403" | "500" | "503":
            return HTMLResponse(faults.SORRY, int(trouble))
        case "wait-401":
            return wait(401)
        case "wait-200":
            return wait(200)
        case "badquery":
            return fail(400, SAYINGS[400])
        case "stale":
            return stale_tokens()
        case "empty":
            return Response(b"", media_type="application/json")
        case _:
            return _redirected(look, trouble) or _interrupted(trouble)


def _redirected(look: Look, trouble: str) -> Response | None:
    match trouble:
        case "login-page":
            return HTMLResponse(pages.login(look))
        case "302-login":
            return to_login(look)
        case "302-challenge":
            return RedirectResponse(f"{look.site}/challenge/?next={quote(look.arrival.request.url.path)}", 302)
        case "302-away":
            return RedirectResponse(AWAY, 302)
        case _:
            return None


def _interrupted(trouble: str) -> Response | None:
    match trouble:
        case "gzip":
            return Response(b"\x1f\x8b\x08\x00not gzip at all", headers={"content-encoding": "gzip"}, media_type=JSON)
        case "reset" | "close":
            return Cut(hard=trouble == "reset")
        case "hang":
            return Hang()
        case _:
            return None


def _requirement(look: Look, trouble: str, page: bool) -> Response:
    """What an account must do first; a page leads to the challenge instead."""
    challenge = f"{look.site}/challenge/"
    if page and trouble != "feedback":
        return RedirectResponse(challenge, 302)
    more: dict[str, Answer] = {
        "checkpoint": {"checkpoint_url": challenge, "lock": True, "flow_render_type": 0},
        "challenge": {"challenge": {"url": challenge, "api_path": "/challenge/", "lock": True, "native_flow": True}},
        "feedback": {
            "spam": True,
            "feedback_title": "Try Again Later",
            "feedback_message": "We limit how often you can do certain things on Instagram to protect our community.",
            "feedback_url": "repute/report_problem/",
            "feedback_action": "report_problem",
        },
    }
    return fail(400, f"{trouble}_required", **more[trouble])
