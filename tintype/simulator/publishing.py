"""Publishing: containers are made and checked, become ready, and turn into posts once."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, cast

from tintype.simulator import accounts, containers, fetching, ids
from tintype.simulator.arrival import Arrival
from tintype.simulator.containers import refusal, status_code, status_text
from tintype.simulator.errors import GraphError, nonexisting_field, unsupported_method
from tintype.simulator.fetching import Fetched
from tintype.simulator.grammar import Field
from tintype.simulator.model import DAY, Answer, Container, Kind, Media, Person
from tintype.simulator.visit import Maker, Visit
from tintype.simulator.world import World

CAPTION_MOST, TAGS_MOST, MENTIONS_MOST, ALT_MOST, COLLABORATORS_MOST = 2200, 30, 20, 1000, 3
QUOTA_SECONDS = DAY
TYPES: dict[str, Literal["IMAGE", "VIDEO", "REELS", "STORIES", "CAROUSEL"]] = {
    "": "IMAGE", "IMAGE": "IMAGE", "VIDEO": "VIDEO", "REELS": "REELS", "STORIES": "STORIES", "CAROUSEL": "CAROUSEL",
    "CAROUSEL_ALBUM": "CAROUSEL",
}  # fmt: skip


async def create(arrival: Arrival, visit: Visit, person: Person) -> Answer:
    """`POST /{ig-user}/media`: a container, or the first reason against it."""
    visit.require("publish")
    accounts.professional(person)
    params, world = arrival.params, visit.world
    kind = TYPES.get(params.get("media_type", "").upper())
    if kind is None:
        raise refusal(2207023)
    _check_room(world, person)
    child = params.get("is_carousel_item", "").lower() == "true"
    _check_words(params, child)
    resumable = params.get("upload_type", "").lower() == "resumable"
    if resumable and visit.login == "instagram" and not world.settings.resumable_for_instagram_login:
        raise unsupported_method("post")
    children = _children(world, person, params) if kind == "CAROUSEL" else ()
    fetched = Fetched() if resumable or kind == "CAROUSEL" else await _fetched(arrival, kind)
    container = Container(
        id=ids.object_id(world.seed, "container", world.next_number()),
        owner=person.username,
        app_id=visit.token.app_id,
        kind=kind,
        created_at=world.now(),
        params={name: value for name, value in params.items() if name != "access_token"},
        children=children,
        is_child=child,
        resumable=resumable,
        error=fetched.error,
        body=fetched.body,
        width=fetched.width,
        height=fetched.height,
    )
    world.add_container(container)
    arrival.effect(f"container:{container.id}")
    if not resumable:
        return {"id": container.id}
    base = arrival.origin if arrival.own else "https://rupload.facebook.com"
    return {"id": container.id, "uri": f"{base}/ig-api-upload/{visit.version}/{container.id}"}


def _check_room(world: World, person: Person) -> None:
    if world.made_since(person.username, world.now() - DAY) >= world.settings.quota_containers:
        raise refusal(2207042, "The account made too many containers today.")


def _check_words(params: Mapping[str, str], child: bool) -> None:
    caption = params.get("caption", "")
    if len(caption) > CAPTION_MOST or len(re.findall(r"(?<!\w)#\w+", caption)) > TAGS_MOST:
        raise refusal(2207010)
    if len(re.findall(r"(?<!\w)@[\w.]+", caption)) > MENTIONS_MOST:
        raise refusal(2207040)
    if len(params.get("alt_text", "")) > ALT_MOST:
        raise GraphError(100, "(#100) Param alt_text must be no longer than 1000 characters")
    if "collaborators" in params:
        _check_collaborators(listed(params["collaborators"]), child)
    if child and params.get("is_ai_generated", "").lower() == "true":
        raise GraphError(100, "(#100) The param is_ai_generated is not allowed for carousel child")
    if "location_id" in params and not params["location_id"].isdecimal():
        raise GraphError(100, "INSTAGRAM_PLATFORM_API__INVALID_LOCATION_ID")
    if "user_tags" in params:
        _check_tags(params["user_tags"], picture="image_url" in params and params.get("media_type") != "STORIES")


def _check_collaborators(names: list[str], child: bool) -> None:
    if child:
        raise GraphError(100, "The param collaborators is not allowed for carousel child")
    if any(not re.fullmatch(r"[\w.]{1,30}", name) for name in names):
        raise refusal(2207018)
    if len(names) > COLLABORATORS_MOST:
        raise GraphError(100, "(#100) Param collaborators must have at most 3 elements")


def _check_tags(text: str, *, picture: bool) -> None:
    try:
        tags = cast(list[dict[str, object]], json.loads(text))
        for tag in tags:
            assert isinstance(tag["username"], str)
            if picture:
                assert 0 <= float(cast(float, tag["x"])) <= 1
                assert 0 <= float(cast(float, tag["y"])) <= 1
    except (ValueError, TypeError, KeyError, AssertionError):
        raise GraphError(
            100, "(#100) Param user_tags must be a list of {username, x, y} with x and y from 0 to 1"
        ) from None


def listed(text: str) -> list[str]:
    """A JSON list or a comma list as names."""
    if text.lstrip().startswith("["):
        try:
            return [str(one) for one in cast(list[object], json.loads(text))]
        except ValueError:
            raise GraphError(100, "(#100) Param must be an array") from None
    return [part.strip() for part in text.split(",") if part.strip()]


def _children(world: World, person: Person, params: Mapping[str, str]) -> tuple[str, ...]:
    wanted = listed(params.get("children", ""))
    if not 2 <= len(wanted) <= 10:
        raise refusal(2207028)
    for child_id in wanted:
        child = world.containers.get(child_id)
        if child is None or child.owner != person.username or not child.is_child:
            raise refusal(2207006)
        if child.kind == "REELS":
            raise refusal(2207028, "Reels cannot be part of a carousel.")
        if status_code(child, world.now(), world.settings) != "FINISHED":
            raise refusal(2207027)
    return tuple(wanted)


async def _fetched(arrival: Arrival, kind: str) -> Fetched:
    params, settings = arrival.params, arrival.world.settings
    wants_video = kind in ("VIDEO", "REELS") or (kind == "STORIES" and "image_url" not in params)
    name = "video_url" if wants_video else "image_url"
    if not params.get(name):
        raise GraphError(100, f"(#100) The parameter {name} is required")
    if wants_video:
        if cover := params.get("cover_url"):
            await fetching.image(arrival.client, cover, settings, origin=arrival.origin, story=True)
        return await fetching.video(arrival.client, params[name], settings, origin=arrival.origin)
    return await fetching.image(arrival.client, params[name], settings, origin=arrival.origin, story=kind == "STORIES")


def polled(world: World, container: Container) -> Container:
    """The container after one more look at it."""
    return world.change_container(container, polls=container.polls + 1)


def used_quota(world: World, username: str) -> int:
    """Posts that were published for an account in the last 24 hours."""
    return world.published_since(username, world.now() - QUOTA_SECONDS)


def publish(arrival: Arrival, visit: Visit, person: Person) -> Answer:
    """`POST /{ig-user}/media_publish`: the post, once per container."""
    visit.require("publish")
    world = visit.world
    container = world.containers.get(arrival.params.get("creation_id", ""))
    if not arrival.params.get("creation_id"):
        raise GraphError(100, "(#100) The parameter creation_id is required")
    if container is None or container.owner != person.username:
        raise refusal(2207006)
    code = status_code(container, world.now(), world.settings)
    if container.is_child or container.kind == "VIDEO":
        raise refusal(2207089)
    if code == "IN_PROGRESS":
        raise refusal(2207027)
    if code == "PUBLISHED":
        raise refusal(2207006)
    if code != "FINISHED":
        raise refusal(2207008)
    if used_quota(world, person.username) >= world.settings.quota_total:
        raise refusal(2207042)
    media = _post(world, person, container)
    arrival.effect(f"published:{media.id}")
    if world.settings.spam_shield:
        raise refusal(2207051)
    return {"id": media.id}


def _post(world: World, person: Person, container: Container) -> Media:
    """Put the post up and remember that it came through the API."""
    media = _media(world, person, container, None)
    children = [_media(world, person, world.containers[child], media.id) for child in container.children]
    for child in children:
        world.add_media(child)
    if children:
        media = replace(
            media, children=tuple(child.id for child in children), picture_seed=children[0].picture_seed,
            body=children[0].body if children[0].media_type == "IMAGE" else None,
            width=children[0].width, height=children[0].height,
        )  # fmt: skip
    world.add_media(media)
    world.note_published(container, media)
    if world.settings.unreadable_after_publish:
        world.fresh_reads[media.id] = world.settings.unreadable_after_publish
    return media


def _media(world: World, person: Person, container: Container, parent_id: str | None) -> Media:
    number, params = world.next_number(), container.params
    pk = ids.pk_at(world.now(), world.seed, "published", number)
    kinds: dict[str, Kind] = {"STORIES": "STORY", "CAROUSEL": "CAROUSEL_ALBUM", "REELS": "REELS", "VIDEO": "VIDEO"}
    video = containers.is_video(container)
    wordless = parent_id is not None or container.kind == "STORIES"
    return Media(
        id=ids.object_id(world.seed, "published", number),
        pk=pk,
        shortcode=ids.shortcode_of(pk),
        owner=person.username,
        kind=kinds.get(container.kind, "IMAGE"),
        timestamp=int(world.now()),
        sequence=number,
        picture_seed=ids.number(9, world.seed, "published picture", number),
        width=container.width,
        height=container.height,
        caption="" if wordless else params.get("caption", ""),
        media_type="VIDEO" if video else "CAROUSEL_ALBUM" if container.kind == "CAROUSEL" else "IMAGE",
        parent_id=parent_id,
        alt_text=params.get("alt_text", ""),
        seconds=6.0 if video else 0.0,
        shared_to_feed=params.get("share_to_feed", "true").lower() != "false",
        is_ai_generated=params.get("is_ai_generated", "").lower() == "true",
        collaborators=tuple(listed(params.get("collaborators", ""))),
        body=container.uploaded or container.body,
    )


def limit(visit: Visit, person: Person, field: Field) -> Answer:
    """`/content_publishing_limit`: how many posts of the rolling 24 hours are used; `config` when asked."""
    visit.require("publish")
    used = used_quota(visit.world, person.username)
    known: Answer = {
        "quota_usage": used,
        "config": {"quota_total": visit.world.settings.quota_total, "quota_duration": QUOTA_SECONDS},
    }
    asked = [one.name for one in field.fields or ()] or ["quota_usage"]
    for name in asked:
        if name not in known:
            raise nonexisting_field(name)
    return {"data": [{name: known[name] for name in asked}]}


def _code(visit: Visit, container: Container) -> str:
    return status_code(container, visit.world.now(), visit.world.settings)


def _video_status(visit: Visit, container: Container, _field: Field) -> object:
    if not container.resumable:
        return None
    done = containers.complete(container)
    code = _code(visit, container)
    processing = {"FINISHED": "complete", "PUBLISHED": "complete", "ERROR": "error"}.get(code)
    return {
        "uploading_phase": {
            "status": "complete" if done else "in_progress" if container.uploaded else "not_started",
            "bytes_transferred": len(container.uploaded),
            "source_file_size": container.file_size,
            "errors": [],
        },
        "processing_phase": {"status": processing or ("in_progress" if done else "not_started"), "errors": []},
    }


TABLE: Mapping[str, Maker] = {
    "id": lambda _v, container, _f: container.id,
    "status_code": lambda visit, container, _f: _code(visit, container),
    "status": lambda visit, container, _f: status_text(container, _code(visit, container)),
    "copyright_check_status": lambda _v, container, _f: (
        {"status": "completed", "matches_found": False} if containers.is_video(container) else None
    ),
    "video_status": _video_status,
}
