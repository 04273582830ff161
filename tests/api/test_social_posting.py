"""Publishing in the words of the social seed: each of its examples, and each way in which one can go wrong."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.api.marketing import Agency, Team, agency, picture, refused
from tests.backends.pictures import blank


@pytest.fixture(scope="module")
async def office() -> AsyncGenerator[Agency]:
    async with agency(publish_wait_seconds=20, upload_max_bytes=200_000) as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    return await office.team()


async def wide(team: Team) -> tuple[int, str]:
    """Connect an account; return its number and its name."""
    account = await team.connect()
    return account.number, account.username or ""


async def test_a_simple_post(team: Team) -> None:
    number, name = await wide(team)
    body = {
        "account_id": number,
        "image_url": team.url("product.jpg"),
        "caption": "Check out this amazing product! 🚀",
        "hashtags": ["marketing", "instagood", "socialmedia"],
    }
    answer = await team.post("/posts", body)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert list(said) == ["message", "post_id", "db_id"]
    assert said["message"] == "Post created successfully"
    [live] = team.agency.published(name)
    assert said["post_id"] == live["id"]
    assert live["caption"] == "Check out this amazing product! 🚀 #marketing #instagood #socialmedia"
    assert answer.headers["location"] == f"/api/sns/instagram/posts/{said['db_id']}"
    assert type(said["db_id"]) is int


async def test_a_post_without_hashtags_by_a_number_in_quotes(team: Team) -> None:
    number, name = await wide(team)
    body = {"account_id": str(number), "image_url": team.url("product.jpg"), "caption": "Beautiful sunset at the beach"}
    answer = await team.post("/posts", {**body, "nobody_knows": 1})
    assert answer.status_code == 201, answer.text
    assert [one["caption"] for one in team.agency.published(name)] == ["Beautiful sunset at the beach"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/posts", {"account_id": 1, "caption": "No image provided"}, "account_id and image_url are required"),
        ("/posts", {"image_url": "https://example.com/a.jpg"}, "account_id and image_url are required"),
        ("/posts", {}, "account_id and image_url are required"),
        ("/posts", {"account_id": 1, "image_url": ""}, "account_id and image_url are required"),
        ("/posts", {"account_id": None, "image_url": None}, "account_id and image_url are required"),
        ("/stories", {"account_id": 1}, "account_id and image_url are required"),
        (
            "/reels",
            {"account_id": 1, "image_url": "https://example.com/a.jpg"},
            "account_id and video_url are required",
        ),
        ("/reels", {"account_id": 1}, "account_id and video_url are required"),
    ],
)
async def test_what_is_required(team: Team, path: str, body: dict[str, Any], message: str) -> None:
    assert refused(await team.post(path, body), 400) == message


@pytest.mark.parametrize("path", ["/posts", "/stories", "/reels"])
async def test_an_account_that_is_not_there_or_not_ours(office: Agency, team: Team, path: str) -> None:
    other, _ = await wide(await office.team())
    for number in (other, 99_999, 2**40):
        body = {"account_id": number, "image_url": team.url("product.jpg"), "video_url": team.url("tutorial.mp4")}
        assert refused(await team.post(path, body), 404) == "Instagram account not found"


async def test_a_story_with_text_and_one_without(team: Team) -> None:
    number, name = await wide(team)
    for text in ({"text": "Back in 5 minutes!"}, {}):
        answer = await team.post("/stories", {"account_id": number, "image_url": team.url("story.jpg"), **text})
        assert answer.status_code == 201, answer.text
        said = answer.json()
        assert list(said) == ["message", "story_id"]
        assert said["message"] == "Story created successfully"
        assert answer.headers["location"].startswith("/api/sns/instagram/posts/")
        assert team.agency.published(name)[-1]["id"] == said["story_id"]
    assert refused(
        await team.post("/stories", {"account_id": number, "image_url": team.url("story.jpg"), "text": "x" * 101}), 400
    )


async def test_a_reel_with_a_thumbnail_and_one_without(team: Team) -> None:
    number, name = await wide(team)
    body = {
        "account_id": number,
        "video_url": team.url("tutorial.mp4"),
        "caption": "Quick tutorial! Check it out 👇 #tutorial #reels",
    }
    for more in ({"thumbnail_url": team.url("thumbnail.jpg")}, {}):
        answer = await team.post("/reels", {**body, **more})
        assert answer.status_code == 201, answer.text
        said = answer.json()
        assert list(said) == ["message", "reel_id", "db_id"]
        assert said["message"] == "Reel created successfully"
        assert team.agency.published(name)[-1]["id"] == said["reel_id"]


async def test_a_carousel(team: Team) -> None:
    number, name = await wide(team)
    children = [
        {"image_url": team.url("product.jpg"), "alt_text": "a loaf"},
        {"video_url": team.url("tutorial.mp4")},
        {"image_url": team.url("story.jpg")},
    ]
    answer = await team.post("/posts", {"account_id": number, "children": children, "caption": "Three of them"})
    assert answer.status_code == 201, answer.text
    assert list(answer.json()) == ["message", "post_id", "db_id"]
    [live] = team.agency.published(name)
    assert live["media_type"] == "CAROUSEL_ALBUM"
    alone = await team.post("/posts", {"account_id": number, "children": children[:1]})
    assert "carousel" in refused(alone, 400)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"account_id": "one"}, "account_id must be a whole number"),
    ({"account_id": True}, "account_id must be a whole number"),
    ({"account_id": 1.5}, "account_id must be a whole number"),
    ({"caption": 7}, "caption must be a string"),
    ({"caption": "\0"}, "caption must not contain the character NUL"),
    ({"hashtags": "marketing"}, "hashtags must be a list"),
    ({"hashtags": [1]}, "hashtags.0 must be a string"),
    ({"share_to_feed": "yes"}, "share_to_feed must be true or false"),
    ({"thumb_offset": -1}, "thumb_offset must be at least 0"),
    ({"children": ["a"]}, "children.0 must be an object"),
    ({"children": [{}] * 101}, "children must have at most 100 entries"),
    ({"user_tags": [{"username": "ann", "x": "left"}]}, "user_tags.0.x must be a number"),
    ({"user_tags": [{"username": "ann", "x": True, "y": 0}]}, "user_tags.0.x must be a number"),
    ({"hashtags": ["a b"]}, "hashtags: 'a b' has white space in it"),
    ({"hashtags": ["#"]}, "hashtags: '#' has no word"),
    ({"fit": "stretch"}, "fit must be one of"),
    ({"upload": "media/ab/secret.jpg"}, "upload must be what POST /uploads answered"),
    ({"upload": "publishing/uploads/../x.jpg"}, "upload must be what POST /uploads answered"),
    ({"children": [{"image_url": 1}]}, "children.0.image_url must be a string"),
    ({"children": [{}]}, "children: each needs an image_url, a video_url or an upload"),
    ({"caption": "x" * 2201}, "caption"),
    ({"hashtags": [f"tag{one}" for one in range(31)]}, "hashtags"),
    ({"scheduled_at": "tomorrow"}, "scheduled_at"),
    ({"scheduled_at": ""}, "scheduled_at is empty"),
    ({"timezone": ""}, "timezone: '' is not a zone"),
    ({"timezone": "Nowhere/Atall"}, "timezone: 'Nowhere/Atall' is not a zone"),
    ({"scheduled_at": "2020-01-01T00:00:00Z"}, "has passed"),
    ({"scheduled_at": "2027-03-28T02:30:00", "timezone": "Europe/Berlin"}, "skip 02:30"),
    ({"scheduled_at": "2027-03-28T02:30:00", "timezone": "Nowhere/Atall"}, "timezone"),
]


@pytest.mark.parametrize(("more", "word"), WRONG)
async def test_what_cannot_be_taken(team: Team, more: dict[str, Any], word: str) -> None:
    number, name = await wide(team)
    body = {"account_id": number, "image_url": team.url("product.jpg"), **more}
    assert word in refused(await team.post("/posts", body), 400)
    assert team.agency.published(name) == []


async def test_bodies_that_are_not_json_objects(team: Team) -> None:
    headers = {"authorization": f"Bearer {team.who.access}", "content-type": "application/json"}
    for raw in (b"[1]", b"{", b'"x"'):
        answer = await team.stage.http.post("/api/sns/instagram/posts", content=raw, headers=headers)
        refused(answer, 400)


async def test_a_planned_post_and_a_draft_publish_nothing(team: Team) -> None:
    number, name = await wide(team)
    when = (team.stage.clock() + timedelta(days=2)).replace(microsecond=0)
    body = {"account_id": number, "image_url": team.url("product.jpg")}
    planned = await team.post("/posts", {**body, "scheduled_at": when.isoformat()})
    assert planned.status_code == 201, planned.text
    said = planned.json()
    assert list(said) == ["message", "db_id", "status", "scheduled_at"]
    assert said["message"] == "Post scheduled successfully"
    assert (said["status"], said["scheduled_at"]) == ("scheduled", when.strftime("%Y-%m-%dT%H:%M:%SZ"))
    kept = await team.post("/reels", {"account_id": number, "video_url": team.url("tutorial.mp4"), "draft": True})
    assert kept.status_code == 201, kept.text
    assert list(kept.json()) == ["message", "db_id", "status"]
    assert kept.json()["status"] == "draft"
    for answer in (planned, kept):
        assert answer.headers["location"] == f"/api/sns/instagram/posts/{answer.json()['db_id']}"
    assert team.agency.published(name) == []


async def test_an_upload_in_place_of_an_address(office: Agency, team: Team) -> None:
    number, name = await wide(team)
    sent = await upload(team, picture(), "image/jpeg")
    assert sent.status_code == 201, sent.text
    said = sent.json()
    assert said == {"upload": said["upload"], "bytes": len(picture()), "content_type": "image/jpeg"}
    answer = await team.post("/posts", {"account_id": number, "upload": said["upload"]})
    assert answer.status_code == 201, answer.text
    assert [one["id"] for one in office.published(name)] == [answer.json()["post_id"]]


async def upload(team: Team, content: bytes, kind: str, **headers: str) -> httpx2.Response:
    given = {"authorization": f"Bearer {team.who.access}", "content-type": kind, **headers}
    return await team.stage.http.post("/api/sns/instagram/uploads", content=content, headers=given)


async def test_an_upload_is_of_its_workspace_alone(office: Agency, team: Team) -> None:
    other = await office.team()
    theirs = (await upload(other, picture(), "image/jpeg")).json()["upload"]
    gone = theirs.replace(other.who.workspace_id, team.who.workspace_id)
    number, name = await wide(team)
    film = {"account_id": number, "video_url": team.url("tutorial.mp4")}
    for key in (theirs, gone):
        post = {"account_id": number, "upload": key}
        children = {"account_id": number, "children": [{"upload": key}, {"image_url": team.url("product.jpg")}]}
        for path, body in (
            ("/posts", post),
            ("/posts", {**post, "draft": True}),
            ("/posts", children),
            ("/stories", post),
            ("/reels", {**film, "cover_upload": key}),
        ):
            assert refused(await team.post(path, body), 400) == "upload: there is no such upload in this workspace"
        said = (await team.post("/posts/validate", children)).json()
        assert [(one["field"], one["code"]) for one in said["problems"]] == [("children.0.upload", "no_such_upload")]
        said = (await team.post("/posts/validate", {**film, "kind": "reel", "cover_upload": key})).json()
        found = [(one["field"], one["code"]) for one in said["problems"] if one["blocking"]]
        assert found == [("cover_upload", "no_such_upload")]
        [entry] = (await team.post("/batch-post", {"upload": key})).json()
        assert (entry["status"], entry["error"]) == ("failed", "upload: there is no such upload in this workspace")
    draft = await team.post("/posts", {"account_id": number, "image_url": team.url("product.jpg"), "draft": True})
    changed = await team.ask("PATCH", f"/posts/{draft.json()['db_id']}", {"upload": theirs})
    assert refused(changed, 400) == "upload: there is no such upload in this workspace"
    assert office.published(name) == []
    answer = await other.post("/posts", {"account_id": (await other.connect()).number, "upload": theirs})
    assert answer.status_code == 201, answer.text


async def test_uploads_that_are_not_taken(team: Team) -> None:
    assert "image/" in refused(await upload(team, b"{}", "application/json"), 415)
    refused(await upload(team, b"x", "image/x-unheard-of"), 415)
    assert "empty" in refused(await upload(team, b"", "image/jpeg"), 400)
    assert "200000 bytes" in refused(await upload(team, bytes(200_001), "image/jpeg"), 413)
    given = {"authorization": f"Bearer {team.who.access}", "content-type": "application/json"}
    large = await team.stage.http.post("/api/sns/instagram/posts", content=b" " * 1_100_000, headers=given)
    refused(large, 413)
    mine, kept = f"publishing/uploads/{team.who.workspace_id}/", team.stage.kept()
    assert all(kept.content(key) for key in kept.files() if key.startswith(mine))


async def test_only_some_may_publish(team: Team) -> None:
    number, name = await wide(team)
    viewer, editor = await team.colleague("viewer"), await team.colleague("editor")
    body = {"account_id": number, "image_url": team.url("product.jpg"), "video_url": team.url("tutorial.mp4")}
    for path in ("/posts", "/stories", "/reels", "/batch-post"):
        refused(await viewer.post(path, body), 403)
    refused(await upload(viewer, picture(), "image/jpeg"), 403)
    assert team.agency.published(name) == []
    assert (await editor.post("/posts", body)).status_code == 201


@pytest.mark.parametrize("path", ["/posts", "/stories", "/reels", "/batch-post", "/posts/validate", "/uploads"])
async def test_strangers_publish_nothing(team: Team, path: str) -> None:
    for headers, message in (
        ({}, "Missing authorization header"),
        ({"authorization": "Bearer a.b.c"}, "Invalid or expired token"),
        ({"authorization": "Bearer nonsense"}, "Invalid or expired token"),
    ):
        answer = await team.stage.http.post(f"/api/sns/instagram{path}", json={}, headers=headers)
        assert refused(answer, 401) == message


async def test_the_same_key_publishes_once(team: Team) -> None:
    number, name = await wide(team)
    body = {"account_id": number, "image_url": team.url("product.jpg"), "caption": "once"}
    first = await team.post("/posts", body, idempotency_key="one")
    again = await team.post("/posts", body, idempotency_key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    refused(await team.post("/posts", {**body, "caption": "twice"}, idempotency_key="one"), 422)
    assert len(team.agency.published(name)) == 1
    renewed = (await team.who.renew()).json()
    fresh = {"authorization": f"Bearer {renewed['access_token']}", "idempotency-key": "one"}
    replayed = await team.stage.http.post("/api/sns/instagram/posts", json=body, headers=fresh)
    assert replayed.json() == first.json()
    story = await team.post(
        "/stories", {"account_id": number, "image_url": team.url("story.jpg")}, idempotency_key="one"
    )
    assert story.status_code == 201, story.text
    assert len(team.agency.published(name)) == 2


async def test_fifty_equal_requests_at_once_make_one_post(team: Team) -> None:
    number, name = await wide(team)
    body = {"account_id": number, "image_url": team.url("product.jpg"), "caption": "one of fifty"}
    answers = await asyncio.gather(*(team.post("/posts", body, idempotency_key="fifty") for _ in range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 409)
    made = [answer.json()["db_id"] for answer in answers if answer.status_code == 201]
    assert len(set(made)) == 1
    assert len(team.agency.published(name)) == 1
    last = await team.post("/posts", body, idempotency_key="fifty")
    assert last.json()["db_id"] == made[0]


@pytest.mark.parametrize(("code", "subcode"), [(36000, 2207004), (36004, 2207010), (110, 2207018)])
async def test_a_failed_post_is_said_with_its_number(team: Team, code: int, subcode: int) -> None:
    number, name = await wide(team)
    body = {"account_id": number, "image_url": team.url("product.jpg")}
    team.stage.pretend.fault("graph.container", "status", username=name, status=400, code=code, subcode=subcode)
    answer = await team.post("/posts", body)
    message = refused(answer, 400)
    said = answer.json()
    assert message
    assert said["instagram"]["subcode"] == subcode
    shown = (await team.get(f"/posts/{said['db_id']}")).json()
    assert shown["status"] == "failed"
    assert shown["failure"]["message"] == message
    assert team.agency.published(name) == []


async def test_a_lost_permission_says_where_to_connect_again(team: Team) -> None:
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg")}
    grip = await team.stage.house.accounts.open(account.id)
    team.stage.pretend.post("/tokens/revoke", access_token=grip.token)
    for _ in range(2):
        answer = await team.post("/posts", body)
        assert refused(answer, 401)
        assert answer.json()["action"] == "redirect"
        assert answer.json()["auth_url"] == "/api/sns/instagram/oauth/authorize"


async def test_an_address_that_shows_a_page_is_named(team: Team) -> None:
    number, name = await wide(team)
    answer = await team.post("/posts", {"account_id": number, "image_url": team.url("page.jpg")})
    assert refused(answer, 400)
    assert type(answer.json()["db_id"]) is int
    assert team.agency.published(name) == []


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a picture that is none", "Invalid image format. Supported: JPEG, PNG"),
        (HEIC, "Invalid image format. Supported: JPEG, PNG. HEIC: convert to JPEG first"),
        (blank(17_000, 10), "the picture has 17000 × 10 pixels"),
    ],
    ids=["nonsense", "heic", "vast"],
)
async def test_a_picture_that_is_of_no_use_is_a_mistake_in_the_request(
    team: Team, content: bytes, sentence: str
) -> None:
    number, name = await wide(team)
    sent = await upload(team, content, "image/jpeg")
    answer = await team.post("/posts", {"account_id": number, "upload": sent.json()["upload"]})
    assert refused(answer, 400).startswith(sentence)
    assert (await team.get(f"/posts/{answer.json()['db_id']}")).json()["status"] == "failed"
    assert team.agency.published(name) == []


UNUSED: list[tuple[str, dict[str, Any], set[str]]] = [
    ("/posts", {"image_url": "product.jpg", "video_url": "tutorial.mp4"}, {"video_url"}),
    ("/posts", {"image_url": "product.jpg", "text": "hello"}, {"text"}),
    (
        "/posts",
        {"image_url": "product.jpg", "alt_text": "a", "children": [{"image_url": "product.jpg"}, {"image_url": "story.jpg"}]},
        {"image_url", "alt_text"},
    ),
    (
        "/posts",
        {"children": [{"image_url": "product.jpg"}, {"image_url": "story.jpg", "video_url": "tutorial.mp4"}]},
        {"children.1.video_url"},
    ),
    ("/stories", {"image_url": "story.jpg", "video_url": "tutorial.mp4", "caption": "hi"}, {"video_url", "caption"}),
    ("/stories", {"image_url": "story.jpg", "alt_text": "a story"}, {"alt_text"}),
    (
        "/reels",
        {"video_url": "tutorial.mp4", "image_url": "product.jpg", "cover_url": "thumbnail.jpg", "thumb_offset": 5, "fit": "crop"},
        {"image_url", "thumb_offset", "fit"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "fields"), UNUSED)
async def test_what_is_not_used_is_said(team: Team, path: str, body: dict[str, Any], fields: set[str]) -> None:
    number, name = await wide(team)
    body = {"account_id": number, **_addressed(team, body)}
    kind = {"/posts": {"kind": "image"}, "/stories": {"kind": "story"}, "/reels": {"kind": "reel"}}[path]
    review = (await team.post("/posts/validate", {**body, **kind})).json()
    assert review["valid"] is True
    unused = {
        one["field"]: one["message"]
        for one in review["problems"]
        if "unused" in one["code"] or "on_story" in one["code"]
    }
    assert set(unused) == fields
    answer = await team.post(path, body)
    assert answer.status_code == 201, answer.text
    assert list(answer.json())[-1] == "warnings"
    assert set(answer.json()["warnings"]) == set(unused.values())
    assert len(team.agency.published(name)) == 1
    draft = await team.post(path, {**body, "draft": True})
    assert draft.json()["warnings"] == answer.json()["warnings"]
    if path == "/posts":
        [entry] = (await team.post("/batch-post", body)).json()
        assert (entry["status"], entry["warnings"]) == ("success", answer.json()["warnings"])


def _addressed(team: Team, body: dict[str, Any]) -> dict[str, Any]:
    found = {name: team.url(value) if name.endswith("_url") else value for name, value in body.items()}
    if "children" in body:
        found["children"] = [_addressed(team, child) for child in body["children"]]
    return found


async def test_characters_of_a_storys_text_that_nobody_draws_are_said(team: Team) -> None:
    number, _ = await wide(team)
    body = {"account_id": number, "image_url": team.url("story.jpg")}
    answer = await team.post("/stories", {**body, "text": "Open \U0010fffd today"})
    assert answer.status_code == 201, answer.text
    assert list(answer.json()) == ["message", "story_id", "warnings"]
    [warning] = answer.json()["warnings"]
    assert "some characters of the text" in warning
    nothing = await team.post("/stories", {**body, "text": "\U0010fffd"})
    assert refused(nothing, 400)


async def test_the_item_of_a_carousel_that_cannot_be_published_is_named(team: Team) -> None:
    number, name = await wide(team)
    names = ("product.jpg", "story.jpg", "page.jpg")
    for order in (names, names[::-1]):
        place = order.index("page.jpg")
        children = [{"image_url": team.url(one)} for one in order]
        answer = await team.post("/posts", {"account_id": number, "children": children})
        assert refused(answer, 400).startswith(f"Item {place + 1}: ")
        failure = (await team.get(f"/posts/{answer.json()['db_id']}")).json()["failure"]
        assert failure["item"] == place
        said = (await team.post("/posts/validate", {"account_id": number, "children": children})).json()
        assert [one["field"] for one in said["problems"] if one["blocking"]] == [f"children.{place}.image_url"]
    assert team.agency.published(name) == []


async def test_a_cover_is_taken_from_within_the_video(team: Team) -> None:
    number, name = await wide(team)
    body = {"account_id": number, "kind": "reel", "video_url": team.url("tutorial.mp4")}
    for offset in (4_000, 999_999):
        said = (await team.post("/posts/validate", {**body, "thumb_offset": offset})).json()
        found = [(one["field"], one["code"]) for one in said["problems"] if one["blocking"]]
        assert found == [("thumb_offset", "beyond_end")]
    answer = await team.post("/reels", {**body, "thumb_offset": 999_999})
    assert refused(answer, 400).startswith("thumb_offset is 999999, and the video ends after 4")
    assert team.agency.published(name) == []
    assert (await team.post("/posts/validate", {**body, "thumb_offset": 3_900})).json()["valid"] is True
    assert (await team.post("/reels", {**body, "thumb_offset": 3_900})).status_code == 201


async def test_a_rehearsal_publishes_nothing(team: Team) -> None:
    number, name = await wide(team)
    good = await team.post("/posts/validate", {"account_id": number, "image_url": team.url("product.jpg")})
    assert good.status_code == 200, good.text
    assert set(good.json()) == {"valid", "problems", "conversions", "quota"}
    assert good.json()["valid"] is True
    assert good.json()["quota"]["remaining"] == 100
    body = {"account_id": number, "image_url": team.url("product.jpg"), "caption": "x" * 2201}
    bad = (await team.post("/posts/validate", body)).json()
    assert bad["valid"] is False
    [problem] = [one for one in bad["problems"] if one["blocking"]]
    assert set(problem) == {"field", "code", "message", "blocking"}
    assert problem["field"] == "caption"
    for kind in ("reel", "story"):
        asked = {"kind": kind, "account_id": number, "video_url": team.url("tutorial.mp4")}
        assert (await team.post("/posts/validate", asked)).json()["valid"] is True
    refused(await team.post("/posts/validate", {**body, "kind": "novel"}), 400)
    viewer = await team.colleague("viewer")
    assert (await viewer.post("/posts/validate", body)).status_code == 200
    assert team.agency.published(name) == []
