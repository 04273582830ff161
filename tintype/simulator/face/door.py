"""Which requests are for the face, and which of its pages answers."""

from starlette.requests import Request
from starlette.responses import Response

from tintype.simulator.arrival import Client
from tintype.simulator.face import panel, paper, pictures, profiles, results
from tintype.simulator.face.guest import Guest, is_person, segments_of
from tintype.simulator.world import World

POSTS = frozenset(("p", "reel", "reels", "tv"))


def claims(request: Request, world: World) -> bool:
    """Whether a request is for the face: by a path of its own, or by a browser that opens an address of Instagram."""
    segments = segments_of(request)
    if segments[:1] == ("_face",) or segments[:2] == ("_world", "panel"):
        return True
    if not is_person(request) or "access_token" in request.query_params:
        return False
    match segments:
        case ():
            return True
        case (username,):
            return username in world.people
        case (kind, code) if kind in POSTS:
            return profiles.known(world, code) is not None
        case (_, kind, code) if kind in POSTS:
            return profiles.known(world, code) is not None
        case _:
            return False


async def serve(request: Request, world: World, client: Client, origin: str) -> Response:
    """Answer a request that `claims` takes."""
    guest = Guest(request, world, client, origin)
    if guest.segments == ("_world", "panel"):
        return await panel.serve(guest)
    if request.method not in ("GET", "HEAD"):
        return paper.page("missing.html", 405, guest=guest)
    match guest.segments:
        case ("_face", "small" | "large" | "files" as size, *key):
            return await pictures.serve(request, world, size, "/".join(key))
        case ("_face", name) if name in paper.SHEETS:
            return paper.sheet(name)
        case () | ("_face",):
            return profiles.start(guest)
        case ("_face", "published"):
            return results.published(guest)
        case ("_face", "magic"):
            return results.magic(guest)
        case ("_face", "people", username) | (username,):
            return profiles.profile(guest, username)
        case ("_face", "posts", code) | (_, code) | (_, _, code) if "_world" not in guest.segments:
            return profiles.post(guest, code)
        case _:
            return paper.page("missing.html", 404, guest=guest)
