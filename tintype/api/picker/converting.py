"""What both grammars share once they are read: the answer to one conversion, from a file of ours or from the web."""

from dataclasses import dataclass, replace

from fastapi import Request
from starlette.responses import Response

from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.results import FRESH_SECONDS, RECHECK_SECONDS, Lasting, answer, key_of
from tintype.api.picker.serving import serve
from tintype.core.files import CACHED, Admitted, Caching, Derived, File, Plan, renamed
from tintype.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for which conversion of what; `address` is what webhooks show, `free` counts for no quota."""

    entry: Admitted
    plan: Plan
    file: File | None = None
    url: str = ""
    address: str = ""
    caching: Caching = CACHED
    free: bool = False


def writes(request: Request, entry: Admitted) -> None:
    """Go on when a conversion may be stored; raises `Forbidden`."""
    origin = request.headers.get("origin")
    if not entry.app.takes(origin):
        raise Forbidden(f"pages of {origin!r} may not use this app; add that origin to it")
    if entry.app.secure_writes and not entry.proven:
        raise Forbidden("this app asks for a policy and its signature to store a file")


async def answered(request: Request, desk: PickerDesk, asking: Asking) -> Response:
    """Return a conversion's result, and remember it where the next one who asks may have the same."""
    file, plan = asking.file, asking.plan
    if file is not None and plan.empty:
        return await serve(request, desk.files, file, is_private=asking.entry.app.secure_reads)
    before = desk.results.changes
    result = await made_of(request, desk, asking)
    named = file.filename if file else asking.url.partition("?")[0].rpartition("/")[2]
    lasting = _lasting(desk, asking)
    response = answer(request, result, renamed(named, result.content_type), plan, lasting)
    handles = frozenset(filter(None, [file and file.handle, *plan.overlays]))
    if _may_be_kept(request, asking) and response.status_code == 200 and before == desk.results.changes:
        accept = request.headers.get("accept", "").encode("latin-1")
        left = _left(desk, asking)
        desk.results.keep(key_of(request.scope), accept, response, handles=handles, varies=plan.varies, seconds=left)
    return response


async def made_of(request: Request, desk: PickerDesk, asking: Asking) -> Derived:
    """Return a conversion's result, with the format settled by what the client takes."""
    accept = request.headers.get("accept", "")
    file = asking.file
    if file is None:
        return await desk.conversions.of_url(asking.url, asking.plan.settled("", accept))
    await desk.files.present(file)
    plan = asking.plan.settled(file.content_type, accept)
    return await desk.conversions.derived(asking.entry.app, file, plan, address=asking.address, free=asking.free)


def _may_be_kept(request: Request, asking: Asking) -> bool:
    return request.method == "GET" and not request.state.head and asking.caching.use and not asking.entry.by_secret


def _left(desk: PickerDesk, asking: Asking) -> float:
    """Return for how many seconds what the caller showed counts."""
    policy = asking.entry.policy
    return (policy.expiry - desk.apps.now()).total_seconds() if policy else RECHECK_SECONDS


def _lasting(desk: PickerDesk, asking: Asking) -> Lasting:
    asked = asking.caching
    lasting = Lasting(FRESH_SECONDS if asked.expiry is None else asked.expiry, asking.entry.app.secure_reads, asked.use)
    if asking.entry.policy is None:
        return lasting
    return replace(lasting, seconds=max(0, min(lasting.seconds, int(_left(desk, asking)))), private=True)
