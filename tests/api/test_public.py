"""What websites fetch: publishable feeds as JSON and HTML, and the files of own copies."""

import hashlib
from typing import Any

import pytest

from tests.api.projects import KINDS, Project, project, pull, refused
from tests.served import Served
from tintype.core.access import Grant

SITE = "https://cafe.example"
FOR_WEBSITES = "public, max-age=60, stale-while-revalidate=86400, stale-if-error=604800"


@pytest.fixture(scope="module")
async def shown(door: Served) -> Project:
    """A project with one post of each kind, its renditions made."""
    made = await project(door, *KINDS)
    await door.house.renditions.render_all()
    return made


@pytest.fixture(scope="module")
async def key(door: Served, shown: Project) -> str:
    """A publishable key for every site."""
    return (await door.house.access.issue(shown.id, Grant.FEED)).secret


@pytest.fixture(scope="module")
async def picture(door: Served, key: str) -> str:
    """The address of a picture."""
    items: list[dict[str, Any]] = (await door.client.get(f"/feeds/{key}.json")).json()["photos"]
    return str(items[0]["mediaUrl"])


async def test_a_public_feed_is_the_same_list(door: Served, shown: Project, key: str) -> None:
    public = (await door.client.get(f"/feeds/{key}.json")).json()["photos"]
    private = (await door.client.get("/photos", headers=shown.bearer)).json()["data"]["photos"]
    assert [one["id"] for one in public] == [one["id"] for one in private]
    assert [one["mediaUrl"] for one in public] == [one["mediaUrl"] for one in private]


@pytest.mark.parametrize("form", ["json", "html"])
async def test_a_public_feed_may_be_cached_and_read_by_pages(door: Served, key: str, form: str) -> None:
    answer = await door.client.get(f"/feeds/{key}.{form}", headers={"origin": SITE})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == FOR_WEBSITES
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers


async def test_a_public_feed_is_not_sent_twice(door: Served, key: str) -> None:
    first = await door.client.get(f"/feeds/{key}.json")
    again = await door.client.get(
        f"/feeds/{key}.json", headers={"origin": SITE, "if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == FOR_WEBSITES
    assert again.headers["access-control-allow-origin"] == "*"


async def test_only_listed_sites_may_read_a_feed_with_a_list(door: Served, shown: Project) -> None:
    key = (await door.house.access.issue(shown.id, Grant.FEED, origins=(SITE, "https://www.cafe.example"))).secret
    for origin, allowed in (
        (SITE, SITE),
        ("https://www.cafe.example", "https://www.cafe.example"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("https://localhost.evil.example", None),
        ("https://evil.example", None),
        ("http://cafe.example", None),
        ("https://cafe.example.evil.example", None),
        ("http://[broken", None),
        ("null", None),
        (None, None),
    ):
        headers = {"origin": origin} if origin else {}
        answer = await door.client.get(f"/feeds/{key}.json", headers=headers)
        assert answer.status_code == 200
        assert answer.headers.get("access-control-allow-origin") == allowed, origin
        assert "origin" in answer.headers["vary"].lower()


async def test_a_page_may_ask_first(door: Served, shown: Project) -> None:
    key = (await door.house.access.issue(shown.id, Grant.FEED, origins=(SITE,))).secret
    asks = {"access-control-request-method": "GET", "access-control-request-headers": "if-none-match"}
    answer = await door.client.options(f"/feeds/{key}.json", headers={**asks, "origin": SITE})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SITE
    assert "if-none-match" in answer.headers["access-control-allow-headers"].lower()
    assert "GET" in answer.headers["access-control-allow-methods"]
    other = await door.client.options(f"/feeds/{key}.json", headers={**asks, "origin": "https://evil.example"})
    assert not [name for name in other.headers if name.startswith("access-control-allow")]


@pytest.mark.parametrize("name", ["fk_unknown.json", "fk_unknown.html", ".json", "nothing"])
async def test_an_unknown_key_is_unauthorized(door: Served, name: str) -> None:
    refused(await door.client.get(f"/feeds/{name}"), 401, "UNAUTHORIZED")


async def test_a_feed_has_two_forms(door: Served, key: str) -> None:
    refused(await door.client.get(f"/feeds/{key}.xml"), 400, "VALIDATION_FAILED")


async def test_a_revoked_key_is_unauthorized(door: Served, shown: Project) -> None:
    issued = await door.house.access.issue(shown.id, Grant.FEED)
    assert (await door.client.get(f"/feeds/{issued.secret}.json")).status_code == 200
    await door.house.access.revoke(shown.id, issued.credential.id)
    refused(await door.client.get(f"/feeds/{issued.secret}.json"), 401, "UNAUTHORIZED")


async def test_the_page_shows_every_post_and_runs_nothing(door: Served, key: str) -> None:
    piece = await door.client.get(f"/feeds/{key}.html")
    whole = await door.client.get(f"/feeds/{key}.html", headers={"sec-fetch-dest": "document"})
    for answer in (piece, whole):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.text.count("https://www.instagram.com/") >= 3
        assert "<script" not in answer.text
    assert "<html" in whole.text
    assert "<html" not in piece.text


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
async def test_the_page_is_packed_and_not_sent_twice(door: Served, key: str, encoding: str) -> None:
    place, asked = f"/feeds/{key}.html", {"accept-encoding": encoding, "sec-fetch-dest": "document"}
    answer = await door.client.get(place, headers=asked)
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.headers["vary"] == "Accept-Encoding, Sec-Fetch-Dest"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.endswith("</html>")
    again = await door.client.get(place, headers={**asked, "if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]
    framed = {**asked, "sec-fetch-dest": "iframe", "if-none-match": answer.headers["etag"]}
    assert (await door.client.get(place, headers=framed)).status_code == 200


async def test_a_caption_is_text_in_the_page(door: Served) -> None:
    one = await project(door)
    evil = '<script>alert(1)</script> & "quotes" <img src=x onerror=alert(2)>'
    await pull(door, "media", username=one.username, kind="IMAGE", caption=evil, alt_text=evil, width=64, height=64)
    await door.house.feed.sync_workspace(one.id)
    key = (await door.house.access.issue(one.id, Grant.FEED)).secret
    page = (await door.client.get(f"/feeds/{key}.html")).text
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;" in page


async def test_a_copy_is_kept_for_ever(door: Served, picture: str) -> None:
    answer = await door.client.get(picture)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["accept-ranges"] == "bytes"
    assert hashlib.sha256(answer.content).hexdigest() in picture


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"a", {0}', "*"])
async def test_a_known_copy_is_not_sent_again(door: Served, picture: str, form: str) -> None:
    etag = (await door.client.get(picture)).headers["etag"]
    answer = await door.client.get(picture, headers={"if-none-match": form.format(etag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


async def test_a_part_of_a_copy(door: Served, picture: str) -> None:
    whole = (await door.client.get(picture)).content
    size = len(whole)
    for asked, start, end in (
        ("0-9", 0, 10),
        ("10-", 10, size),
        ("-7", size - 7, size),
        (f"5-{size * 2}", 5, size),
        (f"-{size * 2}", 0, size),
        ("0-0", 0, 1),
    ):
        answer = await door.client.get(picture, headers={"range": f"bytes={asked}"})
        assert answer.status_code == 206, asked
        assert answer.content == whole[start:end]
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=a-b", "bytes=9-3", "lines=0-9", "bytes=0-1,4-5", "bytes", "bytes=-0x"]
)
async def test_a_range_of_no_sense_gets_the_whole(door: Served, picture: str, asked: str) -> None:
    whole = await door.client.get(picture)
    answer = await door.client.get(picture, headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, whole.content)


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-99999999999", "bytes=-0"])
async def test_a_range_outside_is_refused(door: Served, picture: str, asked: str) -> None:
    answer = await door.client.get(picture, headers={"range": asked})
    size = len((await door.client.get(picture)).content)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert answer.json()["success"] is False


async def test_a_range_of_another_copy_gets_the_whole(door: Served, picture: str) -> None:
    etag = (await door.client.get(picture)).headers["etag"]
    same = await door.client.get(picture, headers={"range": "bytes=0-9", "if-range": etag})
    other = await door.client.get(picture, headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


async def test_head_of_a_copy(door: Served, picture: str) -> None:
    got, head = await door.client.get(picture), await door.client.head(picture)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize(
    "path",
    [
        "/m/abc/original.jpeg",
        f"/m/{'0' * 64}/original.jpeg",
        f"/m/{'A' * 64}/original.jpeg",
        f"/m/{'0' * 64}/..%2f..%2fetc%2fpasswd",
        f"/m/{'0' * 64}/320.exe",
        f"/m/{'0' * 64}/",
        "/m/../../encryption.key",
    ],
)
async def test_a_wrong_name_finds_nothing(door: Served, path: str) -> None:
    refused(await door.client.get(path), 404, "NOT_FOUND")


async def test_a_size_that_a_picture_does_not_have(door: Served, picture: str) -> None:
    refused(await door.client.get(picture.replace("original.jpeg", "original.mp4")), 404, "NOT_FOUND")


async def test_head_means_the_whole_file_whatever_range_is_asked(door: Served, picture: str) -> None:
    head = await door.client.head(picture, headers={"range": "bytes=0-9"})
    assert head.status_code == 200
    assert int(head.headers["content-length"]) > 10


async def test_a_page_and_its_piece_are_kept_apart_also_for_keys_with_origins(door: Served, shown: Project) -> None:
    issued = await door.house.access.issue(shown.id, Grant.FEED, origins=(SITE,))
    for dest in ("document", "empty"):
        answer = await door.client.get(f"/feeds/{issued.secret}.html", headers={"sec-fetch-dest": dest, "origin": SITE})
        assert {"Sec-Fetch-Dest", "Origin"} <= set(answer.headers["vary"].split(", "))
