"""The graph hosts: one call in, its name, its fault, its answer out."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from starlette.responses import JSONResponse, Response

from tintype.simulator import comments, errors, faults, hashtags, nodes, oauth, publishing, tokens, usage
from tintype.simulator.arrival import Arrival, split_path
from tintype.simulator.errors import GraphError, ShortError
from tintype.simulator.grammar import Field, parse
from tintype.simulator.model import Answer, Comment, Container, Login, Media, Page, Person
from tintype.simulator.visit import Visit

EDGE_NAMES = {
    "media_publish": "graph.publish",
    "content_publishing_limit": "graph.limit",
    "stories": "graph.stories",
    "children": "graph.children",
    "insights": "graph.insights",
    "comments": "graph.comments",
    "replies": "graph.comments",
    "mentions": "graph.comments",
    "accounts": "graph.accounts",
    "tags": "graph.media",
    "live_media": "graph.media",
    "recent_media": "graph.media",
    "top_media": "graph.media",
}
TOKEN_CALLS: dict[tuple[str, ...], tuple[str, Callable[[Arrival], Response]]] = {
    ("access_token",): ("oauth.exchange", oauth.long_token),
    ("refresh_access_token",): ("oauth.refresh", oauth.refreshed_token),
    ("debug_token",): ("graph.me", oauth.debug_token),
}
BATCH_MOST = 50


async def serve(arrival: Arrival) -> Response:
    """Answer a call to graph.instagram.com, graph.facebook.com or the simulator's own address."""
    if arrival.method == "POST" and not arrival.segments and "batch" in arrival.params:
        return JSONResponse(await _batch(arrival))
    response = await _one(arrival)
    response.raw_headers += [(name.encode(), value.encode()) for name, value in _headers(arrival).items()]
    if response.media_type != "application/json":
        return response
    response.headers["content-type"] = "application/json; charset=UTF-8"
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:40]}"'
    response.headers["etag"] = tag
    if arrival.request.headers.get("if-none-match") == tag and response.status_code == 200:
        return Response(status_code=304, headers={"etag": tag, **_headers(arrival)})
    return response


async def _one(arrival: Arrival) -> Response:
    world = arrival.world
    token = world.tokens.get(arrival.token or arrival.params.get("fb_exchange_token", ""))
    owner = token or world.codes.get(arrival.params.get("code", ""))
    username = owner.username if owner else None
    arrival.entry.username = username or None
    name = name_of(arrival)
    fault = world.faults.take(name, username)
    if fault:
        arrival.entry.fault = fault.kind

    def refuse(given: faults.Fault) -> Response:
        return errors.answer(usage.blame(world, token, errors.from_fault(given, world.now())))

    async def respond() -> Response:
        try:
            return await _real(arrival)
        except GraphError as error:
            return errors.answer(error)
        except ShortError as error:
            return errors.short_answer(error.message)

    return await faults.play(fault, respond, refuse)


def name_of(arrival: Arrival) -> str:
    """The name by which faults speak of this call."""
    segments, world = arrival.segments, arrival.world
    if segments in TOKEN_CALLS:
        return TOKEN_CALLS[segments][0]
    if segments == ("oauth", "access_token"):
        exchange = arrival.params.get("grant_type") == "fb_exchange_token"
        return "oauth.exchange" if exchange else "oauth.code"
    if len(segments) == 2:
        if segments[1] == "media":
            return "graph.container" if arrival.method == "POST" else "graph.media"
        return EDGE_NAMES.get(segments[1], "graph.me")
    node_id = segments[0] if segments else arrival.params.get("ids", "").split(",")[0]
    if node_id in world.media:
        return "graph.media_item"
    if node_id in world.containers:
        return "graph.container_status"
    return "graph.comments" if node_id in world.comments else "graph.me"


async def _real(arrival: Arrival) -> Response:
    if arrival.segments in TOKEN_CALLS:
        if arrival.method == "POST":
            raise errors.unsupported_method("post")
        return TOKEN_CALLS[arrival.segments][1](arrival)
    if arrival.segments == ("oauth", "access_token"):
        return oauth.facebook_token(arrival)
    visit = visit_of(arrival)
    headers = usage.count(arrival.world, visit.token)
    act: Callable[[Arrival, Visit], Awaitable[object]] = {"POST": _write, "DELETE": _remove}.get(arrival.method, _read)
    return JSONResponse(await act(arrival, visit), headers=headers)


def visit_of(arrival: Arrival) -> Visit:
    """The look of this call's token; GraphError 190 when the token is dead or belongs to the other host."""
    world = arrival.world
    token = tokens.living(world, arrival.token)
    expected: Login | None = {"graph": "instagram", "facebook_graph": "facebook"}.get(arrival.host)  # pyright: ignore[reportAssignmentType] - the dictionary holds logins only
    if expected and token.login != expected:
        raise errors.cannot_parse_token()
    tokens.check_proof(world, token, arrival.params.get("appsecret_proof"), arrival.params.get("appsecret_time"))
    return Visit(
        world=world,
        token=token,
        lens=token.login,
        address=arrival.address,
        media_origin=arrival.origin if arrival.own else None,
        version=arrival.served_version,
        tables=nodes.TABLES,
    )


async def _read(arrival: Arrival, visit: Visit) -> object:
    segments, params = arrival.segments, arrival.params
    fields = parse(params.get("fields", ""))
    if segments == ("ig_hashtag_search",):
        return hashtags.search(visit, params)
    if not segments and "ids" in params:
        wanted = [one for one in params["ids"].split(",") if one]
        return {one: await _shown(visit, nodes.find(visit, one), fields) for one in wanted}
    if len(segments) == 1:
        return await _node(visit, segments[0], fields)
    if len(segments) == 2:
        node = nodes.find(visit, segments[0])
        basic(visit, node)
        field = Field(segments[1], params, fields or None, params.get("fields", ""))
        return nodes.edge_of(visit, node, segments[1], field)
    raise GraphError(2500, f"Unknown path components: /{'/'.join(segments)}")


async def _node(visit: Visit, node_id: str, fields: tuple[Field, ...]) -> object:
    shown = await _shown(visit, nodes.find(visit, node_id), fields)
    wrapped = node_id == "me" and visit.login == "instagram" and visit.world.settings.me_shape == "wrapped"
    return {"data": [shown]} if wrapped else shown


async def _shown(visit: Visit, node: object, fields: tuple[Field, ...]) -> Answer:
    basic(visit, node)
    if isinstance(node, Container):
        return visit.show(publishing.polled(visit.world, node), fields)
    return visit.show(node, fields)


def basic(visit: Visit, node: object) -> None:
    """Refuse Instagram reads without the basic scope."""
    if isinstance(node, Person | Media | Comment):
        visit.require("basic")


def _target(segments: tuple[str, ...]) -> tuple[str, str]:
    """The node and the edge of a path; GraphError 2500 for a longer or an empty one."""
    if not 1 <= len(segments) <= 2:
        raise GraphError(2500, f"Unknown path components: /{'/'.join(segments)}")
    return segments[0], segments[1] if len(segments) > 1 else ""


async def _write(arrival: Arrival, visit: Visit) -> object:
    params, segments = arrival.params, arrival.segments
    node_id, edge = _target(segments)
    node = nodes.find(visit, node_id, "post")
    match node, edge:
        case Person(), "media":
            return await publishing.create(arrival, visit, node)
        case Person(), "media_publish":
            return publishing.publish(arrival, visit, node)
        case ((Person() | Page()), "subscribed_apps"):
            return _subscribe(arrival, visit, node)
        case Person(), "mentions":
            return _mention(arrival, visit)
        case Media(), "comments":
            return _commented(arrival, comments.write(visit, node, params.get("message", "")))
        case Comment(), "replies":
            media = visit.world.media[node.media_id]
            return _commented(arrival, comments.write(visit, media, params.get("message", ""), node))
        case Comment(), "" if "hide" in params:
            arrival.effect(f"hidden:{node.id}")
            return comments.hide(visit, node, params["hide"].lower() == "true")
        case Media(), "" if "comment_enabled" in params:
            visit.require("comments")
            enabled = params["comment_enabled"].lower() == "true"
            visit.world.change_media(replace(node, comment_enabled=enabled))
            return {"success": True}
        case ((Media() | Page() | Comment()), ("media" | "media_publish")):
            raise GraphError(12, "(#12) singular published story API is deprecated for versions v2.4 and higher")
        case _:
            raise errors.unsupported(visit.login, node_id, "post")


def _commented(arrival: Arrival, written: Answer) -> Answer:
    arrival.effect(f"comment:{written['id']}")
    if "fields" in dict(arrival.request.query_params):
        raise GraphError(20, "(#20) This response format is not supported", 1772107)
    return written


def _mention(arrival: Arrival, visit: Visit) -> Answer:
    params = arrival.params
    media = visit.world.media.get(params.get("media_id", ""))
    if media is None:
        raise errors.unsupported(visit.login, params.get("media_id", ""), "post")
    parent = visit.world.comments.get(params.get("comment_id", ""))
    return _commented(arrival, comments.write(visit, media, params.get("message", ""), parent))


def _subscribe(arrival: Arrival, visit: Visit, node: Person | Page) -> Answer:
    fields = tuple(publishing.listed(arrival.params.get("subscribed_fields", "")))
    if not fields:
        raise GraphError(100, "(#100) The parameter subscribed_fields is required")
    node_id = _professional_id(node)
    visit.world.subscriptions[visit.token.app_id, node_id] = fields
    arrival.effect(f"subscribed:{node_id}")
    return {"success": True}


def _professional_id(node: Person | Page) -> str:
    return node.user_id if isinstance(node, Person) else node.id


async def _remove(arrival: Arrival, visit: Visit) -> object:
    node_id, edge = _target(arrival.segments)
    node = nodes.find(visit, node_id, "delete")
    match node, edge:
        case ((Person() | Page()), "subscribed_apps"):
            visit.world.subscriptions.pop((visit.token.app_id, _professional_id(node)), None)
            return {"success": True}
        case Comment(), "":
            arrival.effect(f"comment_deleted:{node.id}")
            return comments.delete(visit, node)
        case Media(), "" if visit.login == "facebook":
            return _delete_media(arrival, visit, node)
        case _:
            raise errors.unsupported(visit.login, node_id, "delete")


def _delete_media(arrival: Arrival, visit: Visit, media: Media) -> Answer:
    visit.require("delete")
    if media.parent_id:
        raise GraphError(
            -1, "Fatal", 2207073, transient=False, title="Media Type Not Supported",
            text="The media type is not supported for this endpoint",
        )  # fmt: skip
    visit.world.drop_media(media)
    arrival.effect(f"deleted:{media.id}")
    return {"success": True, "deleted_id": media.id}


async def _batch(arrival: Arrival) -> list[object]:
    try:
        calls = cast(list[dict[str, str]], json.loads(arrival.params["batch"]))[:BATCH_MOST]
        return [await _batched(arrival, call) for call in calls]
    except (ValueError, TypeError, AttributeError):
        return [{"code": 400, "body": json.dumps(errors.envelope(GraphError(100, "(#100) batch must be a JSON list")))}]


async def _batched(arrival: Arrival, call: dict[str, str]) -> object:
    parts = urlsplit("/" + call.get("relative_url", "").lstrip("/"))
    version, segments = split_path(parts.path)
    given = dict(parse_qsl(parts.query)) | dict(parse_qsl(call.get("body", "")))
    inner = replace(
        arrival,
        method=call.get("method", "GET").upper(),
        segments=segments,
        version=version or arrival.version,
        params={"access_token": arrival.token or ""} | given,
    )
    response = await _one(inner)
    shown: Answer = {"code": response.status_code, "body": bytes(response.body).decode()}
    if arrival.params.get("include_headers", "true") != "false":
        shown["headers"] = [{"name": name, "value": value} for name, value in _headers(inner).items()]
    return shown


def _headers(arrival: Arrival) -> dict[str, str]:
    return {
        "facebook-api-version": arrival.served_version,
        "x-fb-trace-id": errors.trace_id()[:11],
        "x-fb-request-id": errors.trace_id(),
        "x-fb-rev": "1031415926",
        "x-fb-debug": errors.trace_id(),
        "vary": "Accept-Encoding",
        "pragma": "no-cache",
        "cache-control": "private, no-cache, no-store, must-revalidate",
        "expires": "Sat, 01 Jan 2000 00:00:00 GMT",
        "access-control-allow-origin": "*",
        "strict-transport-security": "max-age=15552000; preload",
    }
