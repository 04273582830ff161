"""Faults: each kind does what it says, hits the calls it names, and has its effect or has none."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import uvicorn

from tests.simulator.visitor import BAKER, CALLBACK, POTTER, WALKER, Listener, Visitor
from tintype.simulator import create
from tintype.simulator.faults import ConnectionCutError

PICTURE = "https://pictures.example/a.jpg"


async def order(visitor: Visitor, on: str, kind: str, **more: object) -> str:
    return (await visitor.world("POST", "/faults", on=on, kind=kind, **more))["id"]


@pytest.fixture
async def token(visitor: Visitor) -> str:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0)
    return await visitor.token()


async def test_a_fault_hits_once_unless_told_otherwise(visitor: Visitor, token: str) -> None:
    await order(visitor, "graph.me", "status")
    assert [(await visitor.ask(token, "/me")).status_code for _ in range(2)] == [500, 200]
    await order(visitor, "graph.me", "status", times=2, after=1, status=502)
    assert [(await visitor.ask(token, "/me")).status_code for _ in range(4)] == [200, 502, 502, 200]
    forever = await order(visitor, "graph.me", "status", times=None)
    assert {(await visitor.ask(token, "/me")).status_code for _ in range(5)} == {500}
    await visitor.world("DELETE", f"/faults/{forever}")
    assert (await visitor.ask(token, "/me")).status_code == 200


async def test_faults_can_be_listed_and_dropped_together(visitor: Visitor, token: str) -> None:
    ids = [await order(visitor, "*", "status", times=None), await order(visitor, "graph.me", "slow")]
    assert [fault["id"] for fault in await visitor.world("GET", "/faults")] == ids
    assert (await visitor.pull("DELETE", "/faults")).status_code == 204
    assert (await visitor.ask(token, "/me")).status_code == 200


async def test_a_fault_may_be_for_one_account_only(visitor: Visitor, token: str) -> None:
    await order(visitor, "*", "status", times=None, username=WALKER)
    assert (await visitor.ask(token, "/me")).status_code == 200
    assert (await visitor.ask(await visitor.token(WALKER), "/me")).status_code == 500


async def calls(visitor: Visitor) -> dict[str, Any]:
    """One call per name, made ready so that each works when there is no fault."""
    token, meta, app = await visitor.token(), await visitor.token(POTTER, "facebook"), await visitor.app()
    code = (await visitor.world("POST", "/codes", username=BAKER, app_id=app["app_id"], redirect_uri=CALLBACK))["code"]
    form = {
        "client_id": app["app_id"], "client_secret": app["app_secret"], "grant_type": "authorization_code",
        "redirect_uri": CALLBACK, "code": code,
    }  # fmt: skip
    short, old = await visitor.token(kind="short"), await visitor.token(age_seconds=90000)
    exchange = {"grant_type": "ig_exchange_token", "client_secret": app["app_secret"], "access_token": short}
    refresh = {"grant_type": "ig_refresh_token", "access_token": old}
    album = await visitor.world("POST", "/media", username=BAKER, kind="CAROUSEL_ALBUM")
    waiting = (await visitor.post(token, "/me/media", image_url=PICTURE))["id"]
    ready = (await visitor.post(token, "/me/media", image_url=PICTURE))["id"]
    upload = await visitor.post(token, "/me/media", media_type="REELS", upload_type="resumable")
    bearer = {"authorization": f"OAuth {token}", "offset": "0", "file_size": "4"}
    clip = await visitor.world("POST", "/media", username=BAKER, kind="VIDEO")
    http, ask = visitor.http, visitor.ask
    return {
        "oauth.code": lambda: http.post("/oauth/access_token", data=form),
        "oauth.exchange": lambda: http.get("/access_token", params=exchange),
        "oauth.refresh": lambda: http.get("/refresh_access_token", params=refresh),
        "graph.me": lambda: ask(token, "/me"),
        "graph.accounts": lambda: ask(meta, "/me/accounts"),
        "graph.media": lambda: ask(token, "/me/media"),
        "graph.media_item": lambda: ask(token, f"/{album['id']}"),
        "graph.children": lambda: ask(token, f"/{album['id']}/children"),
        "graph.stories": lambda: ask(token, "/me/stories"),
        "graph.insights": lambda: ask(token, f"/{album['id']}/insights", metric="reach"),
        "graph.comments": lambda: ask(token, f"/{album['id']}/comments"),
        "graph.container": lambda: ask(token, "/me/media", method="POST", image_url=PICTURE),
        "graph.container_status": lambda: ask(token, f"/{waiting}", fields="status_code"),
        "graph.publish": lambda: ask(token, "/me/media_publish", method="POST", creation_id=ready),
        "graph.limit": lambda: ask(token, "/me/content_publishing_limit"),
        "graph.upload": lambda: http.post(upload["uri"], content=b"clip", headers=bearer),
        "cdn.image": lambda: http.get(album["children"]["data"][0]["media_url"]),
        "cdn.video": lambda: http.get(clip["media_url"]),
    }


async def test_every_name_stands_for_its_call_and_for_no_other(visitor: Visitor, token: str) -> None:
    by_name = await calls(visitor)
    for name, call in by_name.items():
        await order(visitor, name, "status", status=503)
        for other in ("graph.me", "graph.media", "oauth.refresh", "cdn.image"):
            if other != name:
                assert (await by_name[other]()).status_code == 200, (name, other)
        assert (await call()).status_code == 503, name
        assert (await call()).status_code == 200, name
        assert [entry["fault"] for entry in await visitor.log() if "fault" in entry][-1] == "status"


async def test_the_names_of_the_public_side_are_known_already(visitor: Visitor) -> None:
    for name in ("web.start", "web.graphql", "web.page", "web.info", "web.ruling"):
        await order(visitor, name, "html")


async def test_status_speaks_the_dialect_of_the_call(visitor: Visitor, token: str) -> None:
    await order(visitor, "graph.media", "status", status=400, code=1, subcode=99)
    error = await visitor.refused(token, "/me/media")
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (1, 99, True)
    await order(visitor, "oauth.code", "status", status=500)
    short = await visitor.http.post("/oauth/access_token", data={})
    assert (short.status_code, set(short.json())) == (500, {"error_type", "code", "error_message"})


@pytest.mark.parametrize(
    ("code", "header"), [(None, "business"), (80002, "business"), (4, "app"), (17, "app"), (32, "app")]
)
async def test_a_rate_limit_comes_with_full_usage_headers(
    visitor: Visitor, token: str, code: int | None, header: str
) -> None:
    await order(visitor, "graph.media", "rate_limit", **({"code": code} if code else {}))
    answer = await visitor.ask(token, "/me/media")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code or 80002)
    name = {"business": "x-business-use-case-usage", "app": "x-app-usage"}[header]
    assert '"call_count":100' in answer.headers[name]
    if header == "business":
        assert '"estimated_time_to_regain_access":20' in answer.headers[name]


async def test_an_expired_token_on_order_leaves_the_token_alive(visitor: Visitor, token: str) -> None:
    await order(visitor, "*", "expired_token")
    error = await visitor.refused(token, "/me")
    assert (error["code"], error["error_subcode"]) == (190, 463)
    assert (await visitor.ask(token, "/me")).status_code == 200


async def test_malformed_is_json_cut_in_half(visitor: Visitor, token: str) -> None:
    whole = await visitor.ask(token, "/me/media")
    await order(visitor, "graph.media", "malformed")
    cut = await visitor.ask(token, "/me/media")
    assert (cut.status_code, cut.headers["content-type"]) == (200, "application/json; charset=UTF-8")
    assert cut.content
    assert len(cut.content) < len(whole.content)
    with pytest.raises(ValueError, match=r"."):
        cut.json()


async def test_html_is_a_page_with_the_given_status(visitor: Visitor, token: str) -> None:
    await order(visitor, "graph.media", "html", status=200)
    page = await visitor.ask(token, "/me/media")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.startswith("<!DOCTYPE html>")


async def ready(visitor: Visitor, token: str) -> str:
    return (await visitor.post(token, "/me/media", image_url=PICTURE))["id"]


@pytest.mark.parametrize(
    ("kind", "happened"),
    [("error_after", True), ("malformed", True), ("status", False), ("html", False), ("rate_limit", False)],
)
async def test_the_effect_of_a_publish_that_went_wrong(visitor: Visitor, token: str, kind: str, happened: bool) -> None:
    made = await ready(visitor, token)
    await order(visitor, "graph.publish", kind)
    await visitor.ask(token, "/me/media_publish", method="POST", creation_id=made)
    assert len(await visitor.world("GET", "/published")) == happened
    entry = next(entry for entry in await visitor.log() if entry.get("fault"))
    assert ("effect" in entry) is happened
    seen = await visitor.get(token, f"/{made}", fields="status_code")
    assert seen["status_code"] == ("PUBLISHED" if happened else "FINISHED")


async def test_a_refused_code_is_not_used_up_and_a_lost_one_is(visitor: Visitor, token: str) -> None:
    by_name = await calls(visitor)
    await order(visitor, "oauth.code", "status")
    await by_name["oauth.code"]()
    await order(visitor, "oauth.code", "error_after")
    assert (await by_name["oauth.code"]()).status_code == 500
    assert (await by_name["oauth.code"]()).status_code == 400


async def test_latency_is_a_setting(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, latency_ms=1)
    assert (await visitor.ask(await visitor.token(), "/me")).status_code == 200


async def test_without_a_connection_to_cut_the_cut_is_raised(visitor: Visitor, token: str) -> None:
    await order(visitor, "graph.me", "lost")
    with pytest.raises(ConnectionCutError):
        await visitor.ask(token, "/me")


@asynccontextmanager
async def served() -> AsyncGenerator[Visitor]:
    """The simulator behind a real port, for what only a real connection can show."""
    simulator = create(7)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(simulator, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx2.AsyncClient(base_url=address, timeout=30) as http:
            while not server.started:  # noqa: ASYNC110 - uvicorn tells by a flag
                await asyncio.sleep(0.01)
            yield Visitor(simulator, http, Listener())
        server.should_exit = True
        await running


@pytest.mark.parametrize(
    ("kind", "error", "happened"),
    [
        ("lost", httpx2.RemoteProtocolError, True),
        ("reset", httpx2.ReadError, False),
        ("hang", httpx2.ReadTimeout, False),
    ],
)
async def test_connections_that_end_without_an_answer(kind: str, error: type[Exception], happened: bool) -> None:
    async with served() as visitor:
        await visitor.world("POST", "/reset", seed=7, container_seconds=0)
        token = await visitor.token()
        made = await ready(visitor, token)
        await order(visitor, "graph.publish", kind)
        patience = httpx2.Timeout(30, read=0.5 if kind == "hang" else 30)
        with pytest.raises(error):
            await visitor.http.post(f"/me/media_publish?creation_id={made}&access_token={token}", timeout=patience)
        assert len(await visitor.world("GET", "/published")) == happened
        entry = next(entry for entry in await visitor.log() if entry.get("fault") == kind)
        assert entry["status"] == 0
        assert ("effect" in entry) is happened
        assert (await visitor.ask(token, "/me")).status_code == 200


async def test_slow_answers_late_and_right() -> None:
    async with served() as visitor:
        token = await visitor.token()
        await order(visitor, "graph.me", "slow", delay_ms=3000)
        with pytest.raises(httpx2.ReadTimeout):
            await visitor.http.get("/me", params={"access_token": token}, timeout=httpx2.Timeout(30, read=0.2))
        await order(visitor, "graph.me", "slow", delay_ms=1)
        assert (await visitor.ask(token, "/me")).status_code == 200


async def test_a_broken_upload_keeps_what_arrived() -> None:
    async with served() as visitor:
        token = await visitor.token()
        made = await visitor.post(token, "/me/media", media_type="REELS", upload_type="resumable")
        base = visitor.http.base_url
        reader, writer = await asyncio.open_connection(base.host, base.port)
        head = (
            f"POST /ig-api-upload/v25.0/{made['id']} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth {token}\r\n"
            "offset: 0\r\nfile_size: 100\r\nContent-Length: 100\r\n\r\n"
        )
        writer.write(head.encode() + bytes(40))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        moved = 0
        while moved == 0:
            seen = await visitor.get(token, f"/{made['id']}", fields="video_status")
            moved = seen["video_status"]["uploading_phase"]["bytes_transferred"]
        assert moved == 40
        assert reader.at_eof() or reader.exception() is None
