"""Lists of posts over HTTP: rehearsed, taken, sent twice, called back, written out and read again."""

import csv
import io
import json
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.api.marketing import ROOT, Agency, Team, agency, refused
from tests.api.people import DATABASES
from tintype.core.publishing import MOST_ROWS
from tintype.errors import Reconnect
from tintype.instagram import Connection, Login, Profile, Token

HEADER = "account,type,media,caption,scheduled_at,external_id"
WITHIN = 5.0  # seconds for a thousand rows


@pytest.fixture(scope="module", params=DATABASES)
async def office(request: pytest.FixtureRequest) -> AsyncGenerator[Agency]:
    async with agency(request.param, publish_wait_seconds=20) as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    return await office.team()


def tomorrow(team: Team, days: float = 1) -> str:
    return (team.stage.clock() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def send(team: Team, body: str | bytes, query: str = "", kind: str = "text/csv", **more: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    headers = {"authorization": f"Bearer {team.who.access}", "content-type": kind, **named}
    return await team.stage.http.post(f"{ROOT}/posts/import{query}", content=body, headers=headers)


async def taken(team: Team, body: str | bytes, query: str = "", kind: str = "text/csv", **more: str) -> dict[str, Any]:
    answer = await send(team, body, query, kind, **more)
    assert answer.status_code == 207, answer.text
    return answer.json()


async def listed(team: Team) -> Sequence[dict[str, Any]]:
    return (await team.get("/posts?limit=100")).json()["posts"]


async def exported(team: Team, query: str = "") -> str:
    answer = await team.get(f"/posts/export{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def plan(team: Team, count: int = 2) -> str:
    account = await team.connect()
    lines = [
        f"{account.number},post,https://a.test/{n}.jpg,Post {n},{tomorrow(team, 1 + n / 1440)},e{n}"
        for n in range(count)
    ]
    return "\n".join([HEADER, *lines])


async def test_a_rehearsal_reports_every_row_and_makes_nothing(team: Team) -> None:
    account = await team.connect()
    body = "\n".join(
        [
            HEADER,
            f"{account.number},post,https://a.test/1.jpg,fine,{tomorrow(team)},",
            f"nobody,post,https://a.test/1.jpg,no account,{tomorrow(team)},",
            f"{account.username},billboard,nonsense,wrong,2020-01-01T00:00:00Z,",
        ]
    )
    answer = await send(team, body, "?dry_run=true")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["valid"], said["invalid"]) == (1, 2)
    assert [row["status"] for row in said["rows"]] == ["ok", "invalid", "invalid"]
    assert said["rows"][0] == {"row": 1, "status": "ok", "problems": []}
    assert [one["field"] for one in said["rows"][1]["problems"]] == ["account"]
    assert {one["field"] for one in said["rows"][2]["problems"]} == {"type", "media", "scheduled_at"}
    assert all(one["message"] for row in said["rows"] for one in row["problems"])
    assert await listed(team) == []


async def test_the_good_rows_become_posts_of_one_batch_and_the_bad_ones_are_told(team: Team) -> None:
    body = f"{await plan(team)}\nnobody,post,https://a.test/1.jpg,x,,\n"
    said = await taken(team, body)
    assert (said["created"], said["failed"]) == (2, 1)
    posts = await listed(team)
    assert [one["caption"] for one in posts] == ["Post 1", "Post 0"]
    assert {one["batch"] for one in posts} == {said["batch"]}
    assert {one["status"] for one in posts} == {"scheduled"}
    assert [row.get("post") for row in said["rows"]] == [posts[1]["db_id"], posts[0]["db_id"], None]


async def test_the_same_list_twice_makes_nothing_twice(team: Team) -> None:
    body = await plan(team)
    first, again = await taken(team, body), await taken(team, body)
    assert (first["created"], again["created"]) == (2, 0)
    assert [row["post"] for row in again["rows"]] == [row["post"] for row in first["rows"]]
    assert {row["new"] for row in again["rows"]} == {False}
    assert first["batch"] == again["batch"]
    assert len(await listed(team)) == 2


async def test_rows_without_an_id_are_known_by_what_they_say_in_either_form(team: Team) -> None:
    account = await team.connect()
    at = tomorrow(team)
    row = {"account": account.number, "media": ["https://a.test/1.jpg"], "caption": "Same", "scheduled_at": at}
    lines = f"{json.dumps(row)}\n{json.dumps(row)}\n"  # twice on purpose: two posts
    assert (await taken(team, lines, kind="application/x-ndjson"))["created"] == 2
    cells = f"{account.username};Same;{at};https://a.test/1.jpg"
    body = f"\ufeffAccount;Caption;Scheduled at;Media\r\n{cells}\r\n{cells}\r\n{cells}\r\n"
    said = await taken(team, body)
    assert [row["new"] for row in said["rows"]] == [False, False, True]


async def test_a_mended_list_makes_only_what_was_missing(team: Team) -> None:
    body = await plan(team, 3)
    broken = body.replace("https://a.test/1.jpg", "a.test/1.jpg")
    assert (await taken(team, broken))["created"] == 2
    said = await taken(team, body)
    assert [row["new"] for row in said["rows"]] == [False, True, False]


async def test_a_key_replays_its_answer_and_another_key_is_another_list(team: Team) -> None:
    body = await plan(team)
    first = await send(team, body, idempotency_key="monday")
    again = await send(team, body, idempotency_key="monday")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    refused(await send(team, body + "\n", idempotency_key="monday"), 422)
    assert (await taken(team, body, idempotency_key="tuesday"))["created"] == 2
    assert len(await listed(team)) == 4


async def test_two_rows_with_one_id_are_one_too_many(team: Team) -> None:
    body = (await plan(team)).replace(",e1", ",e0")
    said = await taken(team, body)
    assert [row["status"] for row in said["rows"]] == ["ok", "invalid"]
    assert said["rows"][1]["problems"][0]["code"] == "repeated"


async def test_a_list_is_called_back_and_may_be_sent_again(team: Team) -> None:
    body = await plan(team)
    first = await taken(team, body)
    undone = (await team.ask("DELETE", f"/posts/import/{first['batch']}")).json()
    assert (undone["cancelled"], undone["kept"]) == (2, 0)
    assert {one["status"] for one in await listed(team)} == {"cancelled"}
    again = await taken(team, body)
    assert again["created"] == 2
    assert (await taken(team, body))["created"] == 0


async def test_what_is_published_is_not_called_back_and_says_so(team: Team) -> None:
    account = await team.connect()
    lines = [f"{account.number},post,{team.url('product.jpg')},Now,,a"]
    lines.append(f"{account.number},post,{team.url('product.jpg')},Later,{tomorrow(team)},b")
    said = await taken(team, "\n".join([HEADER, *lines]))
    now, later = (row["post"] for row in said["rows"])
    workspace_id, publisher = team.who.workspace_id, team.stage.house.publisher
    assert (await publisher.wait(workspace_id, now, 20)).state.value == "published"
    undone = (await team.ask("DELETE", f"/posts/import/{said['batch']}")).json()
    assert [(one["post"], one["status"], one["undone"]) for one in undone["posts"]] == [
        (now, "published", False),
        (later, "cancelled", True),
    ]
    assert "cannot be called back" in undone["posts"][0]["reason"]
    assert account.username is not None
    assert [one["caption"] for one in team.agency.published(account.username)] == ["Now"]
    assert (await taken(team, "\n".join([HEADER, *lines])))["created"] == 1  # not the published one


RICH = [
    {"media": ["https://a.test/1.jpg"], "caption": '=HYPERLINK("https://b.test")\nsecond, line', "alt_text": "-a, “b”; c"},
    {"media": ["https://a.test/1,2.jpg"], "caption": "'quoted'", "hashtags": ["a", "#b"], "fit": "crop", "draft": True},
    {
        "type": "carousel",
        "media": ["https://a.test/1.jpg", "video:https://a.test/watch?v=1", "https://a.test/abc.mp4"],
        "alt_text": ["first", None, "third\nline"],
        "user_tags": [{"username": "ann", "x": 0.25, "y": 1, "item": 1}, {"username": "bob", "item": 2}],
        "location_id": "123",
        "collaborators": ["cleo", "dan.d"],
    },
    {
        "type": "reel",
        "media": ["https://a.test/clip"],
        "caption": "  spaces  ",
        "cover_url": "https://a.test/cover.jpg",
        "thumb_offset": 1500,
        "share_to_feed": False,
        "first_comment": "@ann +1",
    },
    {"type": "story", "media": ["https://a.test/1.jpg"], "text": "=SUM(1)", "background": "#f0e6d2"},
    {"media": ["https://a.test/1.jpg"], "caption": "summer", "scheduled_at": "2027-06-01T09:00:00", "timezone": "Asia/Tokyo"},
    {"media": ["https://a.test/1.jpg"], "caption": "''=x", "external_id": "-1:a, b"},
]  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_what_is_exported_comes_back_identical(office: Agency, form: str) -> None:
    one, other = await office.team(), await office.team()
    account = await one.connect()
    at = tomorrow(one)
    rows = [{"account": account.number, "scheduled_at": at, **row} for row in RICH]
    said = await taken(one, "\n".join(map(json.dumps, rows)), kind="application/x-ndjson")
    assert said["failed"] == 0, said
    file = await exported(one, f"?format={form}")
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    assert (await taken(one, file, kind=kind))["created"] == 0  # every row is known again
    assert account.username is not None
    token = Token(office.stage.pretend.token(account.username))
    connection = Connection(Login.INSTAGRAM_LOGIN, token, Profile(account.instagram_id, None, account.username))
    await office.stage.house.accounts.keep(other.who.workspace_id, connection)
    assert (await taken(other, file, kind=kind))["created"] == len(RICH)
    words = {"db_id", "account_id", "created_at", "updated_at", "batch"}
    copies = [{name: value for name, value in post.items() if name not in words} for post in await listed(other)]
    kept = [{name: value for name, value in post.items() if name not in words} for post in await listed(one)]
    assert copies == kept[::-1]
    assert sorted((await exported(other, f"?format={form}")).splitlines()) == sorted(file.splitlines())


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_sent_back_publishes_nothing_twice(team: Team, form: str) -> None:
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg")}
    live = (await team.post("/posts", {**body, "caption": "live"})).json()
    planned = (await team.post("/posts", {**body, "caption": "planned", "scheduled_at": tomorrow(team)})).json()
    gone = (await team.post("/posts", {**body, "caption": "gone", "scheduled_at": tomorrow(team)})).json()
    await team.ask("DELETE", f"/posts/{gone['db_id']}")
    line = f"account,media,caption,scheduled_at\n{account.number},{team.url('product.jpg')},listed,{tomorrow(team)}\n"
    [listed_row] = (await taken(team, line))["rows"]
    await team.ask("PATCH", f"/posts/{listed_row['post']}", {"caption": "listed, and changed"})
    ids = [listed_row["post"], gone["db_id"], planned["db_id"], live["db_id"]]
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    file = await exported(team, f"?format={form}")
    said = await taken(team, file, kind=kind)
    assert [(row["post"], row["new"]) for row in said["rows"]] == [(number, False) for number in ids]
    assert said["created"] == 0
    assert len(team.agency.published(account.username or "")) == 1
    other = await team.agency.team()
    forged = file.replace(account.username or "", str((await other.connect()).number))
    assert (await taken(other, forged, kind=kind))["created"] == len(ids)


async def test_posts_that_a_list_made_and_that_were_called_back_come_again_from_an_export(team: Team) -> None:
    said = await taken(team, await plan(team))
    file = await exported(team, "?format=csv")
    await team.ask("DELETE", f"/posts/import/{said['batch']}")
    assert (await taken(team, file))["created"] == said["created"]


async def test_an_uploaded_file_is_of_its_workspace_alone(office: Agency, team: Team) -> None:
    other, account = await office.team(), await team.connect()
    own, theirs = await uploaded(team), await uploaded(other)
    gone = theirs.replace(other.who.workspace_id, team.who.workspace_id)
    at = tomorrow(team)
    media = [own, theirs, gone, f"{own} {theirs}", own]
    rows = [
        {"account": account.number, "media": one, "scheduled_at": at, "caption": str(n)} for n, one in enumerate(media)
    ]
    film = {"account": account.number, "type": "reel", "media": "https://a.test/clip", "scheduled_at": at}
    rows += [{**film, "cover_url": own}, {**film, "cover_url": theirs}]
    body = "\n".join(map(json.dumps, rows))
    said = await taken(team, body, kind="application/x-ndjson")
    assert [row["status"] == "ok" for row in said["rows"]] == [True, False, False, False, True, True, False]
    found = [row["problems"][0] for row in said["rows"] if row["problems"]]
    assert {one["code"] for one in found} == {"no_such_upload"}
    assert [one["field"] for one in found] == ["media", "media", "media", "cover_url"]
    assert len(await listed(team)) == 3
    rehearsed = (await send(team, body, "?dry_run=true", "application/x-ndjson")).json()
    assert (rehearsed["valid"], rehearsed["invalid"]) == (3, 4)
    file = await exported(team, "?format=jsonl")
    assert (await taken(team, file, kind="application/x-ndjson"))["failed"] == 0


async def uploaded(team: Team) -> str:
    headers = {"authorization": f"Bearer {team.who.access}", "content-type": "image/jpeg"}
    answer = await team.stage.http.post(f"{ROOT}/uploads", content=b"no matter what", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["upload"]


async def test_no_cell_of_an_export_is_a_formula(team: Team) -> None:
    account = await team.connect()
    row = {"account": account.number, "media": "https://a.test/1.jpg", "scheduled_at": tomorrow(team)}
    for first in "=+-@\t":
        await taken(team, json.dumps({**row, "caption": f"{first}cmd|' /C calc'!A0"}), kind="application/x-ndjson")
    cells = [cell for line in csv.reader(io.StringIO(await exported(team))) for cell in line]
    assert sum("calc" in cell for cell in cells) == 5
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


async def test_an_export_is_of_an_account_and_of_states(team: Team) -> None:
    first = await taken(team, await plan(team))
    await taken(team, await plan(team, 3))  # with the same ids, and of another account
    await team.ask("DELETE", f"/posts/{first['rows'][0]['post']}")
    number = (await team.get(f"/posts/{first['rows'][0]['post']}")).json()["account_id"]
    assert len((await exported(team, "?format=jsonl")).splitlines()) == 5
    assert len((await exported(team, "?format=jsonl&status=cancelled")).splitlines()) == 1
    assert len((await exported(team, f"?format=jsonl&status=scheduled&account_id={number}")).splitlines()) == 1
    refused(await team.get("/posts/export?status=nonsense"), 400)
    refused(await team.get("/posts/export?format=xls"), 400)


async def test_edge_times_are_told_row_by_row(team: Team) -> None:
    account = await team.connect()
    base = f"{account.number},https://a.test/1.jpg"
    lines = [
        "account,media,caption,scheduled_at,timezone",
        f"{base},gap,2027-03-28T02:30:00,Europe/Berlin",
        f"{base},fold,2027-10-31T02:30:00,Europe/Berlin",
        f"{base},nowhere,2027-05-01T09:00:00,Mars/Olympus",
        f"{base},zoneless,2027-05-01T09:00:00,",
    ]
    said = await taken(team, "\n".join(lines))
    assert [row["status"] for row in said["rows"]] == ["invalid", "ok", "invalid", "invalid"]
    assert "skip" in said["rows"][0]["problems"][0]["message"]
    assert (await listed(team))[0]["scheduled_at"] == "2027-10-31T00:30:00Z"


async def test_their_columns_are_mapped(team: Team) -> None:
    account = await team.connect()
    body = f"Konto,Text,Bild,Notiz,scheduled_at\n{account.number},Hallo,https://a.test/1.jpg,intern,{tomorrow(team)}\n"
    answer = await send(team, body)
    assert "Konto" in refused(answer, 400)
    named = json.dumps({"Konto": "account", "Text": "caption", "Bild": "media", "Notiz": ""})
    said = await taken(team, body, f"?columns={named}")
    assert said["created"] == 1, said
    assert (await listed(team))[0]["caption"] == "Hallo"
    assert "no 'captoin'" in refused(await send(team, body, '?columns={"Text":"captoin"}'), 400)


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ("", "text/csv", 400, "empty"),
        (b"account\xff\n1", "text/csv", 400, "UTF-8"),
        ('account,media\n1,"open', "text/csv", 400, "line 2"),
        ("account,account\n1,2", "text/csv", 400, "two columns"),
        ("account\n" + "1\n" * (MOST_ROWS + 1), "text/csv", 413, "5000 rows"),
        (b"a" * 5_000_001, "text/csv", 413, "5000000"),
        ("{}", "application/json", 400, "text/csv"),
    ],
    ids=["empty", "latin", "open-quote", "twice", "rows", "bytes", "json"],
)
async def test_a_file_that_cannot_be_read_is_refused(
    team: Team, body: str | bytes, kind: str, status: int, words: str
) -> None:
    answer = await send(team, body, kind=kind)
    assert answer.status_code == (415 if kind == "application/json" else status), answer.text
    assert words in answer.json()["error"]


async def test_lines_that_are_not_json_are_told_beside_the_others(team: Team) -> None:
    account = await team.connect()
    good = {"account": account.number, "media": "https://a.test/1.jpg", "scheduled_at": tomorrow(team)}
    bad = ["{", "[]", '{"captoin": "x"}', '{"account": "\\ud800"}', json.dumps({**good, "caption": "a\0b"})]
    bad.append(json.dumps({**good, "user_tags": [{"username": "ann", "x": float("nan"), "y": 0}]}))
    said = await taken(team, "\n".join([json.dumps(good), *bad]), kind="application/x-ndjson")
    assert [row["status"] for row in said["rows"]] == ["ok"] + ["invalid"] * len(bad)


async def test_a_viewer_may_export_and_not_import(team: Team) -> None:
    body = await plan(team)
    await taken(team, body)
    viewer = await team.colleague("viewer")
    refused(await send(viewer, body), 403)
    refused(await viewer.ask("DELETE", "/posts/import/any"), 403)
    assert len((await exported(viewer, "?format=jsonl")).splitlines()) == 2


async def test_strangers_reach_nothing(office: Agency, team: Team) -> None:
    batch = (await taken(team, await plan(team)))["batch"]
    stranger = await office.team()
    refused(await stranger.ask("DELETE", f"/posts/import/{batch}"), 404)
    assert await exported(stranger, "?format=jsonl") == ""
    answer = await team.stage.http.post(f"{ROOT}/posts/import?dry_run=perhaps", content="x")
    refused(answer, 401)


async def test_an_account_that_is_not_connected_takes_drafts_only(team: Team) -> None:
    body = await plan(team)
    account = (await team.stage.house.accounts.of_workspace(team.who.workspace_id))[0]
    await team.stage.house.accounts.lost(account, Reconnect("connect it again"))
    said = await taken(team, body)
    assert {one["code"] for row in said["rows"] for one in row["problems"]} == {"reconnect"}
    assert said["created"] == 0


async def test_a_thousand_rows_are_taken_soon(team: Team) -> None:
    body = await plan(team, 1000)
    began = time.perf_counter()
    said = await taken(team, body)
    seconds = time.perf_counter() - began
    assert said["created"] == 1000, said["rows"][-1]
    assert seconds < WITHIN
    assert len((await exported(team)).splitlines()) == 1001
