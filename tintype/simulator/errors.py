"""How the pretend Instagram says no: recorded bodies where there are recordings, own wording elsewhere."""

import base64
import json
import secrets
import time

from starlette.responses import JSONResponse, Response

from tintype.simulator.faults import Fault
from tintype.simulator.model import Answer, Login

READ_MORE = " Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
LIMITS = "https://developers.facebook.com/docs/graph-api/overview/rate-limiting"


class GraphError(Exception):
    """A refusal of a graph host; becomes the `{"error": {…}}` envelope."""

    def __init__(
        self,
        code: int,
        message: str,
        subcode: int | None = None,
        *,
        kind: str = "OAuthException",
        status: int = 400,
        title: str | None = None,
        text: str | None = None,
        transient: bool | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode, self.kind, self.status = code, message, subcode, kind, status
        self.title, self.text, self.transient, self.headers = title, text, transient, headers


class ShortError(Exception):
    """A refusal of api.instagram.com or of the authorise page; becomes the short error form, status 400."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def envelope(error: GraphError) -> Answer:
    """The body of a graph refusal, keys in Meta's order, only those that apply."""
    body: Answer = {"message": error.message, "type": error.kind, "code": error.code}
    if error.subcode is not None:
        body["error_subcode"] = error.subcode
    if error.transient is not None or error.title:
        body["is_transient"] = bool(error.transient)
    if error.title:
        body |= {"error_user_title": error.title, "error_user_msg": error.text or ""}
    return {"error": body | {"fbtrace_id": trace_id()}}


def answer(error: GraphError) -> Response:
    """The whole graph refusal."""
    return JSONResponse(envelope(error), error.status, error.headers)


def short_answer(message: str, status: int = 400) -> Response:
    """The whole short refusal."""
    return JSONResponse({"error_type": "OAuthException", "code": status, "error_message": message}, status)


def trace_id() -> str:
    """A `fbtrace_id`: random, starting with A."""
    return "A" + base64.urlsafe_b64encode(secrets.token_bytes(17)).decode().rstrip("=")


def unsupported(login: Login, object_id: str, method: str = "get") -> GraphError:
    """100/33: the object does not exist or is somebody else's; the type differs per host."""
    text = (
        f"Unsupported {method} request. Object with ID '{object_id}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation"
    )
    if login == "instagram":
        return GraphError(100, text, 33, kind="IGApiException")
    return GraphError(100, f"{text}.{READ_MORE}", 33, kind="GraphMethodException")


def unsupported_method(method: str) -> GraphError:
    """A token or method that this call has no use for."""
    return GraphError(100, f"Unsupported request - method type: {method.lower()}", kind="IGApiException")


def nonexisting_field(name: str) -> GraphError:
    """An asked field that the node does not have."""
    return GraphError(100, f"(#100) Tried accessing nonexisting field ({name})")


def missing_permission(code: int = 10) -> GraphError:
    """A scope is missing: 10 or 200, by setting."""
    if code == 200:
        return GraphError(200, "(#200) Permissions error")
    return GraphError(10, "(#10) Application does not have permission for this action")


def cannot_parse_token() -> GraphError:
    """A token that was never issued, or for another host."""
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token")


def no_token() -> GraphError:
    """A call without any token."""
    return GraphError(
        2500, "An active access token must be used to query information about the current user.",
    )  # fmt: skip


def session_expired(expired_at: float, now: float, subcode: int | None) -> GraphError:
    """190 for a token past its time."""
    return GraphError(
        190,
        f"Error validating access token: Session has expired on {_pacific(expired_at)}. "
        f"The current time is {_pacific(now)}.",
        subcode,
    )


DEAD = {
    458: "The user has not authorized application.",
    459: "The session has been invalidated because the user is enrolled in a checkpoint.",
    460: "The session has been invalidated because the user changed their password or Facebook has changed the session "
    "for security reasons.",
    464: "Sessions for the user are not allowed because the user is not a confirmed user.",
    467: "The session is invalid because the user logged out.",
    492: "Session does not match current stored session: the user no longer has a role on the Page.",
}


def session_dead(subcode: int) -> GraphError:
    """190 for a token that was revoked; the subcode says how."""
    return GraphError(190, f"Error validating access token: {DEAD.get(subcode, DEAD[460])}", subcode)


def throttled(code: int) -> GraphError:
    """Too many calls: 4, 17, 32, 613 (platform) or 80002 (Instagram business use case)."""
    texts = {
        4: "(#4) Application request limit reached",
        17: "(#17) User request limit reached",
        32: "(#32) Page request limit reached",
        613: "(#613) Calls to this api have exceeded the rate limit.",
    }
    long = (
        f"(#{code}) There have been too many calls to this Instagram account. Wait a bit and try again. "
        f"For more info, please refer to {LIMITS}."
    )
    return GraphError(code, texts.get(code, long))


def from_fault(fault: Fault, now: float) -> GraphError:
    """What a queued fault says on a graph host."""
    if fault.kind == "rate_limit":
        error = throttled(fault.code or 80002)
        error.subcode, error.status = fault.subcode, fault.status or 400
        return error
    if fault.kind == "expired_token":
        error = session_expired(now - 3600, now, fault.subcode if fault.subcode is not None else 463)
        error.status = fault.status or 400
        return error
    status = fault.status or 500
    code = fault.code if fault.code is not None else (2 if status >= 500 else 100)
    texts = {
        1: "An unknown error has occurred.",
        2: "An unexpected error has occurred. Please retry your request later.",
        368: "The action attempted has been deemed abusive or is otherwise disallowed",
    }
    return GraphError(
        code, texts.get(code, f"(#{code}) Request failed"), fault.subcode, status=status, transient=code in (1, 2)
    )


def _pacific(seconds: float) -> str:
    return time.strftime("%A, %d-%b-%y %H:%M:%S PST", time.gmtime(seconds - 8 * 3600))


def failed_upload(message: str) -> Response:
    """The refusal of rupload.facebook.com: JSON text inside JSON."""
    inner = json.dumps({"success": False, "error": {"message": message}}, separators=(",", ":"))
    return JSONResponse(
        {"debug_info": {"retriable": False, "type": "ProcessingFailedError", "message": inner}}, status_code=400
    )
