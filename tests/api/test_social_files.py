"""Pictures made ready for Instagram: served to whoever knows their digest, whole or in parts, and nothing else is."""

import hashlib
from collections.abc import AsyncGenerator

import pytest

from tests.api.marketing import ROOT, Agency, Team, agency, picture, refused


@pytest.fixture(scope="module")
async def office() -> AsyncGenerator[Agency]:
    async with agency(publish_wait_seconds=20) as one:
        yield one


@pytest.fixture(scope="module")
async def name(office: Agency) -> str:
    """The name of a file that is stored."""
    body = picture(5)
    found = f"{hashlib.sha256(body).hexdigest()}.jpg"
    await office.stage.house.backends.blobs.put(f"publishing/{found}", body, content_type="image/jpeg")
    return found


async def test_a_file_is_served_for_ever(office: Agency, name: str) -> None:
    answer = await office.stage.http.get(f"{ROOT}/files/{name}")
    assert answer.status_code == 200
    assert answer.content == picture(5)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["accept-ranges"] == "bytes"
    same = await office.stage.http.get(f"{ROOT}/files/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    head = await office.stage.http.head(f"{ROOT}/files/{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(picture(5)))


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-7", -7, None)]
)
async def test_a_part_of_a_file(office: Agency, name: str, asked: str, start: int, end: int | None) -> None:
    answer = await office.stage.http.get(f"{ROOT}/files/{name}", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == picture(5)[start:end]
    assert answer.headers["content-range"].endswith(f"/{len(picture(5))}")


async def test_a_part_that_is_not_there(office: Agency, name: str) -> None:
    answer = await office.stage.http.get(f"{ROOT}/files/{name}", headers={"range": "bytes=99999999-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(picture(5))}"


async def test_what_instagram_fetches_when_a_picture_is_published(office: Agency) -> None:
    team: Team = await office.team()
    account = await team.connect()
    made = await team.post("/posts", {"account_id": account.number, "image_url": team.url("story.jpg")})
    assert made.status_code == 201, made.text
    post = await office.stage.house.publisher.get(team.who.workspace_id, made.json()["db_id"])
    [part] = post.parts
    assert part.url is not None
    answer = await office.stage.http.get(part.url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    seen = await office.stage.house.backends.images.inspect(answer.content)
    assert 0.79 < seen.width / seen.height < 1.92


async def test_nothing_else_is_served(office: Agency, name: str) -> None:
    team = await office.team()
    kept = await team.stage.http.post(
        f"{ROOT}/uploads",
        content=picture(),
        headers={"authorization": f"Bearer {team.who.access}", "content-type": "image/jpeg"},
    )
    upload = kept.json()["upload"].rpartition("/")[2]
    digest = name.partition(".")[0]
    for one in (
        f"{digest}.png",
        f"{digest}.mp4",
        digest,
        f"{digest[:-1]}0.jpg",
        f"{digest.upper()}.jpg",
        "..%2Fencryption.key",
        "uploads",
        f"uploads%2F{upload}",
        f"uploads/{upload}",
        upload,
    ):
        refused(await office.stage.http.get(f"{ROOT}/files/{one}"), 404)
