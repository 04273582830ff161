"""Posts by their address through the whole house: own ones by the official way, a lent session, clean-up, dead processes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx2
import pytest

from tests.walks.stage import Stage, staged
from tintype.core.downloads import Cleaning, Download, Downloads, Flights, Lease, Policy, State
from tintype.errors import NotFound, Trouble

LEASE = Policy().lease
SHORT = timedelta(seconds=0.6)


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged(rate_limit_max_requests=0) as one:
        yield one


async def scrape(stage: Stage, shortcode: str, **headers: str) -> httpx2.Response:
    body = {"url": f"https://www.instagram.com/p/{shortcode}/"}
    return await stage.http.post("/scrape", json=body, headers=headers)


def strangers(stage: Stage) -> str:
    """A post of somebody whom the house does not know."""
    shape: dict[str, object] = {"username": "marlow.bakehouse", "kind": "IMAGE", "width": 64, "height": 80}
    return str(stage.pretend.post("/media", **shape)["shortcode"])


def web_calls(stage: Stage) -> list[str]:
    hosts = ("www.instagram.com", "i.instagram.com")
    return [str(call["path"]) for call in stage.pretend.calls() if call["host"] in hosts]


async def shortcode_of(stage: Stage, media_id: str, key: str) -> str:
    answer = await stage.http.get("/photos", headers={"Authorization": f"Bearer {key}"})
    items: list[dict[str, Any]] = answer.json()["data"]["photos"]
    permalink = next(item["permalink"] for item in items if item["id"] == media_id)
    return str(permalink).rstrip("/").rpartition("/")[2]


async def test_a_post_of_an_account_here_is_read_by_the_official_way(stage: Stage) -> None:
    person = stage.person()
    media = [person.post("IMAGE", caption="Ours"), person.post("REELS")]
    children = [{"kind": "IMAGE", "width": 64, "height": 64}, {"kind": "IMAGE", "width": 64, "height": 64}]
    media.append(person.post("CAROUSEL_ALBUM", children=children))
    member = await person.register()
    before = len(web_calls(stage))
    for media_id, kind in zip(media, ("image", "video", "carousel"), strict=True):
        said = (await scrape(stage, await shortcode_of(stage, media_id, member.key))).raise_for_status().json()
        assert (said["source"], said["kind"], said["owner"]) == ("graph", kind, member.username)
        assert said["media_id"] == media_id
        assert all(file["bytes"] for file in said["media"])
    assert len(web_calls(stage)) == before


async def test_an_own_post_without_an_address_is_looked_for_in_public(stage: Stage) -> None:
    person = stage.person()
    media_id = person.post("REELS", no_media_url=True)
    member = await person.register()
    said = (await scrape(stage, await shortcode_of(stage, media_id, member.key))).raise_for_status().json()
    assert (said["source"], said["kind"]) == ("instaloader", "video")


async def test_an_account_that_cannot_be_read_does_not_hide_its_posts(stage: Stage) -> None:
    person = stage.person()
    media_id = person.post("IMAGE")
    member = await person.register()
    code = await shortcode_of(stage, media_id, member.key)
    stage.pretend.post("/tokens/revoke", access_token=member.token)
    assert (await scrape(stage, code)).raise_for_status().json()["source"] == "instaloader"


async def test_after_a_limit_of_the_official_way_no_other_is_tried(stage: Stage) -> None:
    person = stage.person()
    media_id = person.post("IMAGE")
    member = await person.register()
    code = await shortcode_of(stage, media_id, member.key)
    before = len(web_calls(stage))
    member.fault("graph.media_item", "rate_limit", times=None)
    answer = await scrape(stage, code)
    stage.calm()
    assert (answer.status_code, answer.json()["code"]) == (429, "upstream_rate_limited")
    assert len(web_calls(stage)) == before


async def test_old_posts_are_taken_away_and_can_be_had_again(stage: Stage) -> None:
    code = strangers(stage)
    said = (await scrape(stage, code)).json()
    folder = stage.house.downloads.folders
    stage.skip(timedelta(days=6, hours=23))
    cleaning = Cleaning(stage.house.downloads)
    await cleaning.clean()
    assert code in folder.published()
    assert not cleaning.is_due()
    stage.skip(timedelta(hours=2))
    assert cleaning.is_due()
    await cleaning.clean()
    assert code not in folder.published()
    assert (await stage.http.get(said["media"][0]["url"])).status_code in (401, 404)
    assert (await scrape(stage, code)).status_code == 200
    assert code in folder.published()


async def test_a_folder_that_no_record_knows_is_used_and_taken_away_in_time(stage: Stage) -> None:
    code = strangers(stage)
    await scrape(stage, code)
    downloads = stage.house.downloads
    found = await downloads.records.current(code)
    assert found is not None
    await downloads.records.forget(found.id)  # as when the database is younger than the folder
    before = len(web_calls(stage))
    assert (await scrape(stage, code)).status_code == 200
    assert len(web_calls(stage)) == before
    again = await downloads.records.current(code)
    assert again is not None
    await downloads.records.forget(again.id)
    stage.skip(timedelta(days=8))
    await Cleaning(downloads).clean()
    assert code not in downloads.folders.published()


async def test_what_is_not_ours_in_the_folder_stays(stage: Stage, tmp_path: Path) -> None:
    root = stage.house.downloads.folders.root
    kept = [root / "somebody's notes", root / "DAnotherPost"]
    for place in kept:
        place.mkdir(parents=True)
        (place / "file").write_text("not ours")
    (root / "DLinkedPost").symlink_to(tmp_path)
    (tmp_path / "DLinkedPost.json").write_text("{}")
    stage.skip(timedelta(days=30))
    await Cleaning(stage.house.downloads).clean()
    assert all((place / "file").is_file() for place in kept)
    assert (root / "DLinkedPost").is_symlink()


def left_behind(stage: Stage, code: str) -> Download:
    """A download whose process has just died: it holds a lease that nobody renews."""
    now = stage.clock()
    return Download(str(uuid4()), code, State.RUNNING, now, Lease("a node that died", now + LEASE))


async def test_a_dead_process_download_is_taken_over_when_its_lease_lapses(stage: Stage) -> None:
    code = strangers(stage)
    dead = left_behind(stage, code)
    assert await stage.house.downloads.records.begin(dead, None)
    waiting = await scrape(stage, code, prefer="respond-async")
    assert (waiting.status_code, waiting.json()["id"]) == (202, dead.id)
    stage.skip(LEASE + timedelta(seconds=1))
    assert (await scrape(stage, code)).status_code == 200
    assert (await stage.http.get(f"/scrape/jobs/{dead.id}")).json()["status"] == "done"


async def test_a_dead_process_download_is_finished_without_anybody_asking(stage: Stage) -> None:
    downloads = stage.house.downloads
    dead = [left_behind(stage, strangers(stage)) for _ in range(3)]
    for one in dead:
        assert await downloads.records.begin(one, None)
    assert await downloads.lapsed() == []
    stage.skip(LEASE + timedelta(seconds=1))
    for one in dead:
        ended = await downloads.wait(await downloads.find(one.id), 30)
        assert ended.state is State.DONE


async def test_who_lost_its_lease_stores_nothing(stage: Stage) -> None:
    downloads = stage.house.downloads
    one = left_behind(stage, strangers(stage))
    assert await downloads.records.begin(one, None)
    assert not await downloads.records.take(one.id, Lease("another", stage.clock() + LEASE), stage.clock())
    assert not await downloads.records.finish(one, "another")
    later = stage.clock() + LEASE
    assert await downloads.records.take(one.id, Lease("another", later + LEASE), later)
    assert not await downloads.records.finish(one, "a node that died")
    assert (await downloads.find(one.id)).state is State.RUNNING


def neighbour(stage: Stage) -> Downloads:
    """What another process has of the same house, with a lease that is shorter than a slow file."""
    here = stage.house.downloads
    return replace(here, node="a neighbour", policy=replace(here.policy, lease=SHORT), flights=Flights())


async def test_a_slow_process_that_lives_keeps_its_download(stage: Stage) -> None:
    other = neighbour(stage)
    code = strangers(stage)
    stage.pretend.fault("cdn.image", "slow", delay_ms=6000 * SHORT.total_seconds(), times=1)
    begun = await other.ask(code)
    task = other.flights.tasks[begun.id]
    while not task.done():
        assert await stage.house.downloads.take_over() == 0
        assert begun.id not in stage.house.downloads.flights.tasks
        await asyncio.wait({task}, timeout=SHORT.total_seconds() / 3)
    assert (await other.find(begun.id)).state is State.DONE


async def test_who_lost_its_lease_stops(stage: Stage) -> None:
    other = neighbour(stage)
    stage.pretend.fault("cdn.image", "hang", times=1)
    begun = await other.ask(strangers(stage))
    task = other.flights.tasks[begun.id]
    taken = Lease("a thief", stage.clock() + timedelta(hours=1))
    assert await other.records.take(begun.id, taken, stage.clock() + timedelta(hours=1))
    await asyncio.wait({task}, timeout=20)
    assert task.result().lease == taken
    assert await other.records.release("a thief", stage.clock()) >= 1


async def test_readyz_tells_how_the_ways_stand(stage: Stage) -> None:
    stage.skip(timedelta(days=3))
    assert (await scrape(stage, strangers(stage))).status_code == 200
    said = (await stage.http.get("/readyz")).json()
    assert said["ready"] is True
    first = said["public_posts"][0]
    assert (first["way"], first["verdict"], first["breaker"]) == ("instaloader", "working", "closed")
    assert first["last_success"]
    assert 0 < first["lookups_left"] <= first["lookups_per_hour"]
    assert (await scrape(stage, "x-429")).status_code == 429
    said = (await stage.http.get("/readyz")).json()
    assert said["ready"] is True  # it is Instagram that refuses, and not a part of ours that is away
    assert said["public_posts"][0]["verdict"] == "limited"
    stage.skip(timedelta(days=3))


async def rested(stage: Stage) -> None:
    """Let what earlier tests did to the ways be forgotten: by time, and by a look-up that goes well."""
    stage.skip(timedelta(days=3))
    assert (await scrape(stage, strangers(stage))).status_code == 200


def signed_in(stage: Stage) -> dict[str, str]:
    """Cookies of a browser in which somebody has logged in at Instagram."""
    made = stage.pretend.post("/sessions", username="marlow.bakehouse")
    return cast("dict[str, str]", made["cookies"])


async def test_a_lent_session_reads_what_needs_a_login(stage: Stage) -> None:
    await rested(stage)
    member = stage.house.downloads.member
    code = strangers(stage)
    stage.pretend.fault("web.graphql", "status", status=401, times=1)
    assert (await scrape(stage, code)).json()["code"] == "login_required"
    session = await member.lend(json.dumps(signed_in(stage)), code)
    assert session.proven_at is not None
    stage.skip(timedelta(minutes=6))
    stage.pretend.fault("web.graphql", "status", status=401, times=1)
    assert (await scrape(stage, code)).raise_for_status().json()["source"] == "session"
    assert (await scrape(stage, strangers(stage))).json()[
        "source"
    ] == "instaloader"  # others are asked for as by anybody
    await member.sessions.remove()


async def test_private_posts_stay_private(stage: Stage) -> None:
    await rested(stage)
    member = stage.house.downloads.member
    await member.lend(json.dumps(signed_in(stage)), strangers(stage))
    before = len(web_calls(stage))
    assert (await scrape(stage, "x-private")).json()["code"] == "private_or_login_required"
    assert not [path for path in web_calls(stage)[before:] if path.startswith("/graphql/query")]
    await member.sessions.remove()


async def test_a_session_that_does_not_work_is_not_kept(stage: Stage) -> None:
    await rested(stage)
    member = stage.house.downloads.member
    dead = signed_in(stage)
    stage.pretend.levers.delete("/_world/sessions/marlow.bakehouse").raise_for_status()
    with pytest.raises(Trouble):
        await member.lend(json.dumps(dead), strangers(stage))
    assert await member.sessions.find() is None


async def test_a_session_rests_when_instagram_wants_to_see_its_person(stage: Stage) -> None:
    await rested(stage)
    member = stage.house.downloads.member
    await member.lend(json.dumps(signed_in(stage)), strangers(stage))
    stage.pretend.levers.delete("/_world/sessions/marlow.bakehouse").raise_for_status()
    code = strangers(stage)
    stage.pretend.fault("web.graphql", "status", status=401, times=1)
    answer = await scrape(stage, code)
    assert (answer.status_code, answer.json()["code"]) == (403, "session_expired")
    found = await member.sessions.find()
    assert found is not None
    assert (found.parked_at is not None, found.reason) == (True, "session_expired")
    assert await member.sessions.open() is None
    assert (await scrape(stage, code)).json()[
        "source"
    ] == "instaloader"  # nothing holds an expired session against a post
    await member.sessions.remove()
    with pytest.raises(NotFound):
        await member.sessions.remove()


async def test_nobody_can_read_the_cookies_again(stage: Stage) -> None:
    sent = signed_in(stage)
    await rested(stage)
    member = stage.house.downloads.member
    session = await member.lend("; ".join(f"{name}={value}" for name, value in sent.items()), strangers(stage))
    kept = await member.sessions.records.find()
    opened = await member.sessions.open()
    assert kept is not None
    assert opened is not None
    for shown in (repr(session), repr(kept), repr(opened), str(kept.cookies)):
        assert sent["sessionid"] not in shown
    await member.sessions.remove()


ELSEWHERE = (
    "http://127.0.0.1:{port}/clip.mp4",
    "http://localhost:{port}/clip.mp4",
    "http://[::1]:{port}/clip.mp4",
    "http://scontent.cdninstagram.com@127.0.0.1:{port}/clip.mp4",
    "https://10.0.0.1/clip.mp4",
    "http://169.254.169.254/latest/meta-data",
    "https://example.com/clip.mp4",
    "https://cdninstagram.com.example.com/clip.mp4",
    "file:///etc/passwd",
)


@pytest.mark.parametrize("place", ELSEWHERE)
async def test_the_media_host_leads_nowhere_else(stage: Stage, place: str) -> None:
    await rested(stage)
    knocked: list[object] = []

    async def knock(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocked.append(reader)
        writer.close()

    listener = await asyncio.start_server(knock, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        code = strangers(stage)
        stage.pretend.fault("cdn.image", "redirect", to=place.format(port=port), times=None)
        answer = await scrape(stage, code)
        stage.calm()
    assert (answer.status_code, answer.json()["code"]) == (502, "unexpected_redirect")
    assert knocked == []
    assert code not in stage.house.downloads.folders.published()
