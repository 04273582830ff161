"""Who answers a request to the public web side, by which name faults speak of it, and what a magic post does to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tintype.simulator import deliveries, faults
from tintype.simulator.arrival import Arrival
from tintype.simulator.faults import Fault
from tintype.simulator.magic import Magic
from tintype.simulator.model import Media
from tintype.simulator.web import mobile, pages, queries, refusals, sessions
from tintype.simulator.web.look import Look, look_of

Way = Literal["graphql", "page", "info", "none"]
TYPES = {"graphql": "application/json", "page": "text/html; charset=utf-8", "info": "application/json"}
SHARED = "BA"  # share tokens are this and the shortcode backwards: no codes, but not beyond a tester's reach


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the web side: its name for faults, the way to a post that it is, and the post it speaks of.

    `html` says that a person would see the answer.
    """

    name: str
    way: Way
    media: Media | None
    respond: Callable[[Look, Media | None], Response]
    html: bool = False


def claims(arrival: Arrival) -> bool:
    """Whether a call to the simulator's own address is meant for the web side and not for the Graph API."""
    segments = arrival.segments
    if arrival.version is not None:
        return False
    if not segments:
        return arrival.method in ("GET", "HEAD") and arrival.token is None and "ids" not in arrival.params
    if segments[0] in ("p", "reel", "reels", "tv", "share", "accounts", "challenge", "ajax", "graphql"):
        return True
    return segments[:2] in (("api", "v1"), ("api", "graphql")) or bool(mobile.code_in("/".join(segments)))


async def serve(arrival: Arrival) -> Response:
    """Answer a request to www.instagram.com or i.instagram.com."""
    look = look_of(arrival)
    call = call_of(look)
    username = call.media.owner if call.media else look.viewer.username if look.viewer else None
    fault = look.world.faults.take(call.name, username)
    arrival.entry.username = username
    arrival.entry.fault = fault.kind if fault else None

    async def respond() -> Response:
        answer = _magic_answer(look, call) or call.respond(look, call.media)
        return sessions.greet(look, answer)

    answer = await faults.play(fault, respond, lambda given: refusals.by_fault(look, given, call.html))
    return _delivered(fault, answer, call)


def official_oembed(arrival: Arrival) -> Response:
    """Answer `instagram_oembed` of graph.facebook.com."""
    return mobile.official_oembed(look_of(arrival))


def call_of(look: Look) -> Call:
    """What is asked for."""
    segments = look.arrival.segments
    match segments:
        case ():
            return Call("web.start", "none", None, _start, html=True)
        case ("graphql", "query") | ("api", "graphql"):
            return Call("web.graphql", "graphql", queries.asked(look), _graphql)
        case ("accounts", "login"):
            return Call("web.login", "none", None, lambda here, _: HTMLResponse(pages.login(here)), html=True)
        case ("challenge", *_):
            return Call("web.challenge", "none", None, lambda _, __: HTMLResponse(pages.challenge()), html=True)
        case ("share", *kind, token) if kind in ([], ["p"], ["reel"]):
            return Call("web.page", "none", look.find(token.removeprefix(SHARED)[::-1]), _shared, html=True)
        case ("api", "v1", *rest):
            return _api(look, tuple(rest))
        case ("ajax", "bulk-route-definitions"):
            return Call("web.ruling", "none", mobile.routed(look), mobile.routes)
        case _:
            return _page(look, segments)


def _api(look: Look, rest: tuple[str, ...]) -> Call:
    match rest:
        case ("media", pk, "info"):
            return Call("web.info", "info", look.find_pk(pk), mobile.info)
        case ("web", "get_ruling_for_content" | "get_ruling_for_media_content_logged_out"):
            return Call("web.ruling", "none", mobile.targeted(look), mobile.ruling)
        case ("oembed",):
            return Call("web.info", "none", mobile.linked(look), mobile.oembed)
        case _:
            return Call("web.info", "none", None, lambda _, __: refusals.fail(404, "Not found"))


def _page(look: Look, segments: tuple[str, ...]) -> Call:
    code = mobile.code_in("/".join(segments))
    if not code:
        return Call("web.page", "none", None, lambda _, __: HTMLResponse(pages.missing(), 404), html=True)
    show = _embed if "embed" in segments else _post
    return Call("web.page", "page", look.find(code), show, html=True)


def _start(look: Look, _: Media | None) -> Response:
    trouble = look.world.magic_memory.start(look.world.now())
    if trouble is None or trouble == "no-tokens":
        return HTMLResponse(pages.start(look, tokens=trouble is None))
    look.arrival.entry.fault = f"magic:{trouble}"
    return refusals.by_magic(look, trouble, page=True) or HTMLResponse(pages.start(look))


def _graphql(look: Look, media: Media | None) -> Response:
    """The answer of a query: with cookies of a dead session the login page, with bad tokens or numbers 400."""
    params, segments = look.arrival.params, look.arrival.segments
    by_web_app = segments == ("api", "graphql")
    if look.expired:
        return refusals.to_login(look)
    if by_web_app and look.viewer is None and not sessions.lsd_is_good(look.world, params.get("lsd", "")):
        return refusals.stale_tokens()
    shape = queries.shape_of(params)
    if shape is None:
        return refusals.fail(400, "invalid request")
    shown = media if look.standing(media) == "seen" else None
    answer = {"data": shape(look, shown), "extensions": {"is_final": True}}
    return JSONResponse(answer if by_web_app else {**answer, "status": "ok"})


def _post(look: Look, media: Media | None) -> Response:
    standing = look.standing(media)
    if media is None or standing == "gone":
        return HTMLResponse(pages.missing(), 404)
    if standing != "seen":
        return HTMLResponse(pages.gated(look, media))
    data = queries.web_info(look, media) if look.viewer else queries.polaris(look, media, graphql=False)
    return HTMLResponse(pages.post(look, media, data))


def _embed(look: Look, media: Media | None) -> Response:
    return HTMLResponse(pages.embed(look, media if look.standing(media) == "seen" else None))


def _shared(look: Look, media: Media | None) -> Response:
    if media is None or look.standing(media) == "gone":
        return HTMLResponse(pages.missing(), 404)
    return RedirectResponse(look.permalink(media), 302)


def _magic_answer(look: Look, call: Call) -> Response | None:
    """What a magic post answers instead of the truth; None when this look-up goes well."""
    magic = look.magic(call.media)
    if magic is None or call.way == "none" or not look.world.magic_memory.lookup(magic):
        return None
    if magic.place == "start":
        return _at_the_start(look, call, magic)
    if magic.place != "lookup" or not (magic.everywhere or call.way == "graphql"):
        return None
    look.arrival.entry.fault = f"magic:{magic.trouble}"
    if magic.trouble == "cut-json":
        whole = bytes(call.respond(look, call.media).body)
        return Response(whole[: len(whole) // 2], media_type=TYPES[call.way])
    if magic.trouble in ("null", "errors") or (magic.trouble == "badquery" and call.way == "page"):
        return _nothing(look, call, magic.trouble)
    return refusals.by_magic(look, magic.trouble, call.html)


def _nothing(look: Look, call: Call, trouble: str) -> Response:
    """An answer in good form with nothing inside."""
    if call.way == "page":
        return HTMLResponse(pages.hollow())
    if call.way == "info":
        return JSONResponse({"items": [], "num_results": 0, "status": "ok"})
    error = {"message": "execution error", "severity": "CRITICAL", "code": 1675002}
    shape = queries.shape_of(look.arrival.params) or queries.web_info
    nulls = dict.fromkeys(shape(look, None))
    return JSONResponse({"data": None, "errors": [error]} if trouble == "errors" else {"data": nulls})


def _at_the_start(look: Look, call: Call, magic: Magic) -> Response | None:
    """Refuse the tokens of a look-up, so that the start page is asked for again: that is where it goes wrong."""
    if call.way != "graphql":
        return refusals.by_magic(look, magic.trouble, call.html) if magic.everywhere else None
    memory, token = look.world.magic_memory, look.arrival.params.get("lsd", "")
    if magic.trouble == "stale":
        if token and memory.stale and token not in memory.stale:
            return None
        memory.stale.add(token)
    else:
        memory.arm(magic.trouble, look.world.now())
    look.arrival.entry.fault = "magic:stale"
    return refusals.stale_tokens()


def _delivered(fault: Fault | None, answer: Response, call: Call) -> Response:
    """The faults of media, played on a page or on JSON."""
    if fault is None:
        return answer
    match fault.kind:
        case "truncate":
            return deliveries.Truncated.of(answer)
        case "drip":
            return deliveries.Dripping.of(answer)
        case "wrong_type":
            return JSONResponse({}) if call.html else HTMLResponse(faults.SORRY)
        case "redirect":
            return RedirectResponse(fault.to or "/", fault.status or 302)
        case _:
            return answer
