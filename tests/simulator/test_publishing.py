"""Publishing: containers, their life, their refusals, the quota, uploads, and that nothing is posted twice."""

import struct
import zlib
from typing import Any

import pytest

from tests.simulator.visitor import BAKER, POTTER, WALKER, Visitor
from tintype.simulator.photographs import photograph

PICTURE, CLIP = "https://pictures.example/a.jpg", "https://pictures.example/a.mp4"
LISTED = "http://127.0.0.1:9999"
TINY_CLIP = b"\0\0\0\x18ftypisom" + bytes(64)


@pytest.fixture
async def token(visitor: Visitor) -> str:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0)
    return await visitor.token()


async def container(visitor: Visitor, token: str, **params: object) -> str:
    return (await visitor.post(token, "/v25.0/me/media", **params))["id"]


async def refusal(visitor: Visitor, token: str, path: str = "/me/media", **params: object) -> tuple[int, int | None]:
    error = await visitor.refused(token, path, method="POST", **params)
    return error["code"], error.get("error_subcode")


async def published(visitor: Visitor, token: str, made: str) -> str:
    return (await visitor.post(token, "/me/media_publish", creation_id=made))["id"]


async def test_a_picture_is_published_once(visitor: Visitor, token: str) -> None:
    made = await container(visitor, token, image_url=PICTURE, caption="Hello #world", alt_text="a loaf")
    assert await visitor.get(token, f"/{made}", fields="status_code,status") == {
        "status_code": "FINISHED",
        "status": "Finished: Media has been uploaded and it is ready to be published.",
        "id": made,
    }
    media = await published(visitor, token, made)
    shown = await visitor.get(token, f"/{media}", fields="caption,alt_text,media_type,media_product_type,permalink")
    assert shown["caption"] == "Hello #world"
    assert (shown["alt_text"], shown["media_type"], shown["media_product_type"]) == ("a loaf", "IMAGE", "FEED")
    assert (await visitor.get(token, f"/{made}", fields="status_code"))["status_code"] == "PUBLISHED"
    assert await refusal(visitor, token, "/me/media_publish", creation_id=made) == (24, 2207006)
    assert len(await visitor.world("GET", "/published")) == 1
    assert [entry["effect"] for entry in await visitor.log() if "effect" in entry] == [
        f"container:{made}", f"published:{media}",
    ]  # fmt: skip
    assert (await visitor.get(token, "/me/media", limit=1))["data"] == [{"id": media}]


@pytest.mark.parametrize(
    ("params", "polls"), [({"image_url": PICTURE}, 1), ({"media_type": "REELS", "video_url": CLIP}, 3)]
)
async def test_by_default_a_container_needs_some_polls(visitor: Visitor, params: dict[str, str], polls: int) -> None:
    token = await visitor.token()
    made = await container(visitor, token, **params)
    assert await refusal(visitor, token, "/me/media_publish", creation_id=made) == (9007, 2207027)
    codes = [(await visitor.get(token, f"/{made}", fields="status_code"))["status_code"] for _ in range(polls + 1)]
    assert codes == ["IN_PROGRESS"] * polls + ["FINISHED"]
    await published(visitor, token, made)


async def test_container_seconds_follow_the_clock(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, container_seconds=60)
    token = await visitor.token()
    made = await container(visitor, token, image_url=PICTURE)
    for _ in range(5):
        seen = await visitor.get(token, f"/{made}", fields="status_code,status")
        assert seen["status_code"] == "IN_PROGRESS"
    await visitor.world("POST", "/clock", advance_seconds=61)
    assert (await visitor.get(token, f"/{made}", fields="status_code"))["status_code"] == "FINISHED"


async def test_a_container_expires_after_24_hours(visitor: Visitor, token: str) -> None:
    made = await container(visitor, token, image_url=PICTURE)
    await visitor.world("POST", "/clock", advance_seconds=86401)
    assert (await visitor.get(token, f"/{made}", fields="status_code"))["status_code"] == "EXPIRED"
    assert await refusal(visitor, token, "/me/media_publish", creation_id=made) == (24, 2207008)


async def test_a_container_can_be_made_to_fail_and_to_finish(visitor: Visitor) -> None:
    token = await visitor.token()
    made = await container(visitor, token, media_type="REELS", video_url=CLIP)
    await visitor.world("PATCH", f"/containers/{made}", status_code="ERROR", error_code=2207085)
    seen = await visitor.get(token, f"/{made}", fields="status_code,status")
    assert seen["status"] == "Error: Media upload has failed with error code 2207085"
    assert await refusal(visitor, token, "/me/media_publish", creation_id=made) == (24, 2207008)
    await visitor.world("PATCH", f"/containers/{made}", status_code="FINISHED")
    await published(visitor, token, made)


async def test_fields_of_posts_do_not_exist_on_containers(visitor: Visitor, token: str) -> None:
    made = await container(visitor, token, image_url=PICTURE)
    assert (await visitor.refused(token, f"/{made}", fields="permalink"))["code"] == 100
    both = await visitor.get(token, "/", ids=made, fields="status_code")
    assert both[made]["status_code"] == "FINISHED"


async def test_a_carousel_of_pictures_and_clips(visitor: Visitor, token: str) -> None:
    children = [
        await container(visitor, token, image_url=PICTURE, is_carousel_item="true"),
        await container(visitor, token, media_type="VIDEO", video_url=CLIP, is_carousel_item="true"),
    ]
    for child in children:
        assert await refusal(visitor, token, "/me/media_publish", creation_id=child) == (100, 2207089)
    parent = await container(visitor, token, media_type="CAROUSEL", children=",".join(children), caption="Two")
    media = await published(visitor, token, parent)
    shown = await visitor.get(token, f"/{media}", fields="media_type,media_url,children{media_type,media_url}")
    assert shown["media_type"] == "CAROUSEL_ALBUM"
    assert [child["media_type"] for child in shown["children"]["data"]] == ["IMAGE", "VIDEO"]
    limit = await visitor.get(token, "/me/content_publishing_limit", fields="quota_usage")
    assert limit["data"] == [{"quota_usage": 1}]


async def test_what_a_carousel_refuses(visitor: Visitor, token: str) -> None:
    child = await container(visitor, token, image_url=PICTURE, is_carousel_item="true")
    alone = await container(visitor, token, image_url=PICTURE)
    for children, expected in (
        (child, (100, 2207028)),
        (",".join([child] * 11), (100, 2207028)),
        (f"{child},{alone}", (24, 2207006)),
        (f"{child},123", (24, 2207006)),
        ("[broken", (100, None)),
    ):
        assert await refusal(visitor, token, media_type="CAROUSEL", children=children) == expected
    await visitor.world("PATCH", f"/containers/{child}", status_code="IN_PROGRESS")
    assert await refusal(visitor, token, media_type="CAROUSEL", children=f'["{child}","{child}"]') == (9007, 2207027)
    error = await visitor.refused(
        token, "/me/media", method="POST", image_url=PICTURE, is_carousel_item="true", collaborators='["a"]'
    )
    assert error["message"] == "The param collaborators is not allowed for carousel child"


async def test_stories_and_reels(visitor: Visitor, token: str) -> None:
    story = await published(visitor, token, await container(visitor, token, media_type="STORIES", image_url=PICTURE))
    assert story in {one["id"] for one in (await visitor.get(token, "/me/stories"))["data"]}
    made = await container(visitor, token, media_type="REELS", video_url=CLIP, caption="moving", share_to_feed="false")
    reel = await published(visitor, token, made)
    shown = await visitor.get(token, f"/{reel}", fields="media_type,media_product_type,is_shared_to_feed,thumbnail_url")
    assert (shown["media_type"], shown["media_product_type"], shown["is_shared_to_feed"]) == ("VIDEO", "REELS", False)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, (100, None)),
        ({"media_type": "REELS"}, (100, None)),
        ({"media_type": "POEM", "image_url": PICTURE}, (100, 2207023)),
        ({"image_url": PICTURE, "caption": "x" * 2201}, (36004, 2207010)),
        ({"image_url": PICTURE, "caption": "#a " * 31}, (36004, 2207010)),
        ({"image_url": PICTURE, "caption": "@a " * 21}, (100, 2207040)),
        ({"image_url": PICTURE, "alt_text": "x" * 1001}, (100, None)),
        ({"image_url": PICTURE, "collaborators": '["@a"]'}, (110, 2207018)),
        ({"image_url": PICTURE, "collaborators": '["a","b","c","d"]'}, (100, None)),
        ({"image_url": PICTURE, "user_tags": '[{"username":"a","x":1.5,"y":0}]'}, (100, None)),
        ({"image_url": PICTURE, "location_id": "Bristol"}, (100, None)),
        ({"image_url": PICTURE, "is_carousel_item": "true", "is_ai_generated": "true"}, (100, None)),
        ({"image_url": "ftp://pictures.example/a.jpg"}, (9004, 2207052)),
        ({"image_url": PICTURE + "/fail/2207052"}, (9004, 2207052)),
        ({"image_url": PICTURE + "/fail/2207009"}, (36003, 2207009)),
    ],
)
async def test_what_a_container_refuses(
    visitor: Visitor, token: str, params: dict[str, str], expected: tuple[int, int | None]
) -> None:
    assert await refusal(visitor, token, **params) == expected


async def test_failures_on_order_show_up_in_the_container(visitor: Visitor, token: str) -> None:
    made = await container(visitor, token, media_type="REELS", video_url=CLIP + "/fail/2207076")
    seen = await visitor.get(token, f"/{made}", fields="status_code,status")
    assert seen["status_code"] == "ERROR"
    assert seen["status"].endswith("2207076")


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress((b"\0" + bytes(3 * width)) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, (9004, 2207052)),
        (b"<html>", (9004, 2207052)),
        (png(100, 100), (36001, 2207005)),
        (photograph(1, 320, 640), (36003, 2207009)),
        (photograph(1, 640, 320), (36003, 2207009)),
        (photograph(1, 320, 320) + bytes(8 * 1024 * 1024), (36000, 2207004)),
    ],
)
async def test_pictures_on_this_machine_are_fetched_and_looked_at(
    visitor: Visitor, token: str, body: bytes | None, expected: tuple[int, int]
) -> None:
    if body is not None:
        visitor.listener.files["/p"] = body
    assert await refusal(visitor, token, image_url=f"{LISTED}/p") == expected


async def test_what_was_fetched_is_what_is_shown(visitor: Visitor, token: str) -> None:
    visitor.listener.files["/p.jpg"] = picture = photograph(5, 400, 500)
    made = await container(visitor, token, image_url=f"{LISTED}/p.jpg")
    media = await published(visitor, token, made)
    shown = await visitor.get(token, f"/{media}", fields="media_url")
    assert (await visitor.http.get(shown["media_url"])).content == picture


async def test_stories_have_no_aspect_and_png_is_a_switch(visitor: Visitor, token: str) -> None:
    visitor.listener.files |= {"/tall.jpg": photograph(5, 320, 640), "/p.png": png(100, 100)}
    await container(visitor, token, media_type="STORIES", image_url=f"{LISTED}/tall.jpg")
    await visitor.world("POST", "/reset", seed=7, png="accepted")
    await container(visitor, await visitor.token(), image_url=f"{LISTED}/p.png")


@pytest.mark.parametrize(("body", "code"), [(None, "2207077"), (b"not a clip at all", "2207026")])
async def test_bad_clips_end_in_the_container(visitor: Visitor, token: str, body: bytes | None, code: str) -> None:
    if body is not None:
        visitor.listener.files["/v.mp4"] = body
    made = await container(visitor, token, media_type="REELS", video_url=f"{LISTED}/v.mp4")
    assert (await visitor.get(token, f"/{made}", fields="status"))["status"].endswith(code)


async def test_the_quota_is_a_rolling_day(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0, quota_total=2)
    token = await visitor.token()
    for _ in range(2):
        await published(visitor, token, await container(visitor, token, image_url=PICTURE))
    limit = await visitor.get(token, "/me/content_publishing_limit", fields="quota_usage,config")
    assert limit == {"data": [{"quota_usage": 2, "config": {"quota_total": 2, "quota_duration": 86400}}]}
    third = await container(visitor, token, image_url=PICTURE)
    assert await refusal(visitor, token, "/me/media_publish", creation_id=third) == (9, 2207042)
    await visitor.world("POST", "/clock", advance_seconds=86300)
    fourth = await container(visitor, token, image_url=PICTURE)
    assert await refusal(visitor, token, "/me/media_publish", creation_id=fourth) == (9, 2207042)
    await visitor.world("POST", "/clock", advance_seconds=200)
    await published(visitor, token, fourth)
    assert (await visitor.get(token, "/me/content_publishing_limit")) == {"data": [{"quota_usage": 1}]}
    other = await visitor.token(WALKER)
    assert (await visitor.get(other, "/me/content_publishing_limit")) == {"data": [{"quota_usage": 0}]}


async def test_containers_have_a_limit_of_their_own(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, quota_containers=2)
    token = await visitor.token()
    for _ in range(2):
        await container(visitor, token, image_url=PICTURE)
    assert await refusal(visitor, token, image_url=PICTURE) == (9, 2207042)
    await container(visitor, await visitor.token(WALKER), image_url=PICTURE)


async def test_the_spam_shield_refuses_although_the_post_is_live(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0, spam_shield=True)
    token = await visitor.token()
    made = await container(visitor, token, image_url=PICTURE)
    assert await refusal(visitor, token, "/me/media_publish", creation_id=made) == (4, 2207051)
    assert len(await visitor.world("GET", "/published")) == 1
    assert (await visitor.get(token, f"/{made}", fields="status_code"))["status_code"] == "PUBLISHED"


async def test_a_fresh_post_may_be_unreadable_for_a_while(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0, unreadable_after_publish=2)
    token = await visitor.token()
    media = await published(visitor, token, await container(visitor, token, image_url=PICTURE))
    for _ in range(2):
        assert (await visitor.refused(token, f"/{media}", fields="permalink"))["error_subcode"] == 33
    await visitor.get(token, f"/{media}", fields="permalink")


async def test_containers_belong_to_their_account(visitor: Visitor, token: str) -> None:
    made, other = await container(visitor, token, image_url=PICTURE), await visitor.token(WALKER)
    assert (await visitor.refused(other, f"/{made}"))["error_subcode"] == 33
    assert await refusal(visitor, other, "/me/media_publish", creation_id=made) == (24, 2207006)
    assert await refusal(visitor, token, "/me/media_publish") == (100, None)
    post = (await visitor.get(token, "/me/media", limit=1))["data"][0]["id"]
    assert await refusal(visitor, token, f"/{post}/media", image_url=PICTURE) == (12, None)


async def test_parameters_may_be_a_json_body(visitor: Visitor, token: str) -> None:
    headers = {"authorization": f"Bearer {token}"}
    made = [
        (
            await visitor.http.post("/me/media", json={"image_url": PICTURE, "is_carousel_item": True}, headers=headers)
        ).json()
        for _ in range(2)
    ]
    body = {"media_type": "CAROUSEL", "children": [one["id"] for one in made], "caption": "as JSON"}
    answer = await visitor.http.post("/me/media", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_parameters_may_be_a_form(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0)
    token, caption = await visitor.token(), "Brot & Butter; größer = besser, 100 %\n+ Tee 🍵"
    headers = {"authorization": f"Bearer {token}"}
    form = {"image_url": PICTURE, "is_carousel_item": "true", "alt_text": ""}
    made = [(await visitor.http.post("/me/media", data=form, headers=headers)).json()["id"] for _ in range(2)]
    album = {"media_type": "CAROUSEL", "children": made, "caption": caption}
    whole = (await visitor.http.post("/me/media", data=album, headers=headers)).json()["id"]
    media = await published(visitor, token, whole)
    shown = await visitor.get(token, f"/{media}", fields="caption,children")
    assert (shown["caption"], len(shown["children"]["data"])) == (caption, 2)


async def test_the_facebook_login_publishes_and_deletes(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, container_seconds=0)
    page, own = await visitor.token(POTTER, "facebook", page=True), await visitor.user_id(POTTER)
    made = (await visitor.post(page, f"/{own}/media", image_url=PICTURE))["id"]
    media = (await visitor.post(page, f"/{own}/media_publish", creation_id=made))["id"]
    assert [one["id"] for one in await visitor.world("GET", "/published")] == [media]
    deleted = await visitor.ask(page, f"/{media}", method="DELETE")
    assert deleted.json() == {"success": True, "deleted_id": media}
    assert (await visitor.refused(page, f"/{media}"))["error_subcode"] == 33
    assert await visitor.world("GET", "/published") == []
    instagram = await visitor.token(POTTER)
    post = (await visitor.get(instagram, "/me/media", limit=1))["data"][0]["id"]
    assert (await visitor.refused(instagram, f"/{post}", method="DELETE"))["error_subcode"] == 33


async def upload(visitor: Visitor, token: str, uri: str, body: bytes, **headers: object) -> Any:
    sent = {"authorization": f"OAuth {token}"} | {name: str(value) for name, value in headers.items()}
    return (await visitor.http.post(uri, content=body, headers=sent)).json()


async def test_a_clip_is_uploaded_in_two_parts(visitor: Visitor, token: str) -> None:
    made = await visitor.post(token, "/v25.0/me/media", media_type="REELS", upload_type="resumable")
    assert made["uri"].endswith(f"/ig-api-upload/v25.0/{made['id']}")
    fields = "status_code,video_status"
    assert (await visitor.get(token, f"/{made['id']}", fields=fields))["status_code"] == "IN_PROGRESS"
    half, size = TINY_CLIP[:30], len(TINY_CLIP)
    said = await upload(visitor, token, made["uri"], half, offset=0, file_size=size)
    assert said == {"success": True, "message": "Upload successful."}
    phase = (await visitor.get(token, f"/{made['id']}", fields=fields))["video_status"]["uploading_phase"]
    assert (phase["status"], phase["bytes_transferred"], phase["source_file_size"]) == ("in_progress", 30, size)
    wrong = await upload(visitor, token, made["uri"], TINY_CLIP, offset=0, file_size=size)
    assert wrong["debug_info"]["type"] == "ProcessingFailedError"
    await upload(visitor, token, made["uri"], TINY_CLIP[30:], offset=30, file_size=size)
    assert (await visitor.get(token, f"/{made['id']}", fields=fields))["status_code"] == "FINISHED"
    media = await published(visitor, token, made["id"])
    shown = await visitor.get(token, f"/{media}", fields="media_url")
    assert (await visitor.http.get(shown["media_url"])).content == TINY_CLIP


async def test_uploads_need_the_right_token_and_a_container_that_waits(visitor: Visitor, token: str) -> None:
    made = await visitor.post(
        token, "/me/media", media_type="REELS", upload_type="resumable", host="graph.instagram.com"
    )
    assert made["uri"] == f"https://rupload.facebook.com/ig-api-upload/v21.0/{made['id']}"
    path = made["uri"].removeprefix("https://rupload.facebook.com")
    headers = {"offset": 0, "file_size": len(TINY_CLIP), "host": "rupload.facebook.com"}
    for other in ("nonsense", await visitor.token(WALKER)):
        refused = await upload(visitor, other, path, TINY_CLIP, **headers)
        assert "unauthorized user request" in refused["debug_info"]["message"]
    assert (await upload(visitor, token, path, TINY_CLIP, **headers))["success"] is True
    plain = await container(visitor, token, image_url=PICTURE)
    assert "debug_info" in await upload(
        visitor, token, f"/ig-api-upload/v25.0/{plain}", TINY_CLIP, offset=0, file_size=76
    )


async def test_a_clip_may_be_pulled_from_its_address(visitor: Visitor, token: str) -> None:
    visitor.listener.files["/v.mp4"] = TINY_CLIP
    made = await visitor.post(token, "/me/media", media_type="REELS", upload_type="resumable")
    await upload(visitor, token, made["uri"], b"", file_url=f"{LISTED}/v.mp4")
    await published(visitor, token, made["id"])


async def test_resumable_uploads_on_the_instagram_login_are_a_switch(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, resumable_for_instagram_login=False)
    asked = {"media_type": "REELS", "upload_type": "resumable"}
    assert (await refusal(visitor, await visitor.token(BAKER), **asked))[0] == 100
    meta = await visitor.token(POTTER, "facebook")
    assert "uri" in await visitor.post(meta, f"/{await visitor.user_id(POTTER)}/media", **asked)
