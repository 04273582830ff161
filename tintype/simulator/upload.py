"""rupload.facebook.com: the bytes of a clip, in one piece or resumed."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from tintype.simulator import errors, faults, fetching, tokens
from tintype.simulator.arrival import Arrival
from tintype.simulator.errors import GraphError, failed_upload
from tintype.simulator.model import Container


async def serve(arrival: Arrival) -> Response:
    """`POST /ig-api-upload/{version}/{container}` with `Authorization: OAuth`, `offset` and `file_size`, or `file_url`."""
    world = arrival.world
    token = world.tokens.get(arrival.token or "")
    arrival.entry.username = token.username if token else None
    fault = world.faults.take("graph.upload", arrival.entry.username)
    if fault:
        arrival.entry.fault = fault.kind

    async def respond() -> Response:
        return await _received(arrival)

    return await faults.play(fault, respond, lambda given: errors.answer(errors.from_fault(given, world.now())))


async def _received(arrival: Arrival) -> Response:
    world = arrival.world
    container = world.containers.get(arrival.segments[-1])
    try:
        token = tokens.living(world, arrival.token)
    except GraphError:
        return failed_upload("unauthorized user request")
    allowed = {person.username for person in tokens.readable(world, token)}
    if container is None or container.owner not in allowed:
        return failed_upload("unauthorized user request")
    if not container.resumable or arrival.method != "POST":
        return failed_upload("container does not take uploads")
    if url := arrival.request.headers.get("file_url"):
        return await _pulled(arrival, container, url)
    return await _stored(arrival, container)


async def _pulled(arrival: Arrival, container: Container, url: str) -> Response:
    found = await fetching.video(arrival.client, url, arrival.world.settings, origin=arrival.origin)
    body = found.body or b"\0"
    arrival.world.change_container(container, uploaded=body, file_size=len(body), error=found.error)
    arrival.effect(f"uploaded:{container.id}")
    return JSONResponse({"success": True, "message": "Upload successful."})


async def _stored(arrival: Arrival, container: Container) -> Response:
    headers = arrival.request.headers
    offset, size = headers.get("offset", "0"), headers.get("file_size", "")
    if not (offset.isdecimal() and size.isdecimal()):
        return failed_upload("offset and file_size must be numbers")
    if int(offset) != len(container.uploaded):
        return failed_upload(f"offset must be {len(container.uploaded)}")
    came, whole = await _bytes_of(arrival.request)
    uploaded = container.uploaded + came
    if len(uploaded) > int(size):
        return failed_upload("more bytes than file_size")
    if not whole:
        arrival.world.change_container(container, uploaded=uploaded, file_size=int(size))
        return failed_upload("the connection broke")
    done = len(uploaded) == int(size)
    error = fetching.judge_video(uploaded, arrival.world.settings).error if done else None
    arrival.world.change_container(
        container, uploaded=uploaded, file_size=int(size), error=error, width=720, height=1280
    )
    arrival.effect(f"uploaded:{container.id}")
    return JSONResponse({"success": True, "message": "Upload successful."})


async def _bytes_of(request: Request) -> tuple[bytes, bool]:
    """What arrived of a body, and whether it came to its end; a broken upload keeps what it brought."""
    parts: list[bytes] = []
    try:
        async for part in request.stream():
            parts.append(part)  # noqa: PERF401 - what came before a break has to stay
    except ClientDisconnect:
        return b"".join(parts), False
    return b"".join(parts), True
