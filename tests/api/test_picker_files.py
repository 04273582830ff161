"""Files by their handles, over HTTP: stored as clients of old send them, read, asked about, overwritten, removed."""

import base64
import hashlib

import pytest

from tests.api.websites import Website, picture, website
from tests.backends.pictures import turned
from tests.walks.stage import Stage


@pytest.fixture(scope="module")
async def shop(stage: Stage) -> Website:
    return await website(stage)


async def test_a_stored_file_answers_the_documented_keys_and_reads_back(shop: Website) -> None:
    data = picture()
    made = await shop.store(data, filename="Cat crying.jpg")
    assert list(made)[:5] == ["url", "size", "type", "filename", "key"]
    handle = made["url"].rpartition("/")[2]
    assert len(handle) == 20
    assert made["url"] == f"{shop.stage.house.settings.address()}/api/file/{handle}"
    assert made["key"] == f"{handle}_Cat_crying.jpg"
    assert (made["size"], made["type"], made["filename"]) == (len(data), "image/jpeg", "Cat crying.jpg")
    answer = await shop.http.get(made["url"])
    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["content-type"] == "image/jpeg"


async def test_a_file_is_harmless_wherever_it_is_shown(shop: Website) -> None:
    page = await shop.store(b"<script>alert(1)</script>", kind="text/html", filename="x.html")
    answer = await shop.http.get(page["url"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["access-control-allow-origin"] == "*"
    shown = await shop.http.get((await shop.store(picture(), filename="ü.jpg"))["url"])
    assert shown.headers["content-disposition"] == "inline; filename=\"_.jpg\"; filename*=UTF-8''%C3%BC.jpg"


async def test_a_type_that_is_only_claimed_is_not_served(shop: Website) -> None:
    made = await shop.store(b"<svg onload=alert(1)>", kind="image/svg+xml", filename="x.svg")
    assert made["type"] == "application/octet-stream"
    gif = await shop.store(picture(form="gif"), kind="text/html")
    assert gif["type"] == "image/gif"


async def test_an_unchanged_file_is_not_sent_again_and_ranges_are(shop: Website) -> None:
    data = picture(200, 200, "png")
    made = await shop.store(data)
    first = await shop.http.get(made["url"])
    again = await shop.http.get(made["url"], headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content
    some = await shop.http.get(made["url"], headers={"Range": "bytes=3-9"})
    assert (some.status_code, some.content) == (206, data[3:10])
    assert some.headers["content-range"] == f"bytes 3-9/{len(data)}"
    assert (await shop.http.get(made["url"], headers={"Range": f"bytes={len(data)}-"})).status_code == 416
    head = await shop.http.head(made["url"])
    assert head.headers["content-length"] == str(len(data))
    assert head.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "items=0-1", "bytes", "bytes=a-b", "bytes=0-1,999999-", "bytes=0-1,4-5"]
)
async def test_a_range_that_says_nothing_is_passed_over(shop: Website, asked: str) -> None:
    data = picture()
    answer = await shop.http.get((await shop.store(data))["url"], headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, data)


async def test_a_file_is_not_emptied_by_a_request_without_a_body(shop: Website) -> None:
    data = picture()
    made = await shop.store(data)
    for content, kind in ((b"", "image/jpeg"), (b"url=", "application/x-www-form-urlencoded")):
        answer = await shop.http.post(
            made["url"], params={"key": shop.key}, content=content, headers={"Content-Type": kind}
        )
        assert answer.status_code == 400
        assert "send the file" in answer.json()["error"]["message"]
    assert (await shop.http.get(made["url"])).content == data


async def test_the_key_is_a_fact_as_well_as_a_credential(shop: Website) -> None:
    made = await shop.store(picture())
    place = f"{made['url']}/metadata"
    assert (await shop.http.get(place, params={"key": "true", "size": "true"})).json() == {
        "size": made["size"],
        "key": made["key"],
    }
    assert (await shop.http.get(place, params={"key": shop.key, "size": "true"})).json() == {"size": made["size"]}
    assert (await shop.http.get(place, params={"key": "another"})).status_code == 403


async def test_read_as_the_script_of_old_reads(shop: Website) -> None:
    data = picture()
    made = await shop.store(data, filename="a.jpg")
    query = {"plugin": "js_lib", "base64encode": "true", "_cacheBust": "1"}
    answer = await shop.http.get(made["url"], params=query, headers={"X-NO-STREAM": "true"})
    assert base64.b64decode(answer.text) == data
    assert answer.headers["content-type"].startswith("text/plain")
    saved = await shop.http.get(f"{made['url']}+jpg", params={"dl": "true"})
    assert saved.content == data
    assert saved.headers["content-disposition"].startswith("attachment; ")


async def test_preflights_are_answered_without_a_key(shop: Website) -> None:
    for method, path in (
        ("POST", "/api/store/S3"),
        ("GET", f"/api/file/{'a' * 20}"),
        ("POST", f"/api/file/{'a' * 20}"),
    ):
        asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": method}
        answer = await shop.http.options(path, headers={**asked, "Access-Control-Request-Headers": "x-no-stream"})
        assert answer.status_code == 204
        assert "x-no-stream" in answer.headers["access-control-allow-headers"].lower()
        assert "etag" in answer.headers["access-control-expose-headers"].lower()


async def test_a_form_with_a_file_and_one_with_an_address(shop: Website) -> None:
    data = picture()
    answer = await shop.http.post(
        "/api/store/S3", params={"key": shop.key}, files={"fileUpload": ("dog.jpg", data, "image/jpeg")}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["filename"] == "dog.jpg"
    copied = await shop.http.post("/api/store/azure", params={"key": shop.key}, data={"url": answer.json()["url"]})
    assert copied.status_code == 200, copied.text
    assert copied.json()["filename"] == "dog.jpg"
    assert copied.json()["url"] != answer.json()["url"]
    assert (await shop.http.get(copied.json()["url"])).content == data


async def test_a_file_of_another_app_is_not_copied(shop: Website) -> None:
    other = await website(shop.stage, secure_reads=True)
    secret = (await other.store(picture()))["url"]
    mine = await shop.store(picture())
    for path, query in (("/api/store/S3", {"key": shop.key}), (mine["url"], {})):
        answer = await shop.http.post(path, params=query, data={"url": secret})
        assert answer.status_code == 403, answer.text


async def test_base64_is_decoded_when_asked_for(shop: Website) -> None:
    data = picture()
    text = base64.b64encode(data).decode()
    for sent in (
        text,
        f"data:image/jpeg;base64,{text}",
        "\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    ):
        made = await shop.store(sent.encode(), base64decode="true")
        assert (await shop.http.get(made["url"])).content == data
    query = {"key": shop.key, "base64decode": "true"}
    answer = await shop.http.post("/api/store/S3", params=query, content=b"%%%", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("photos/", "photos/{handle}_a.jpg"),
        ("/photos/", "photos/{handle}_a.jpg"),
        ("photos/cat.jpg", "photos/cat.jpg"),
        ("/cat one.jpg", "cat_one.jpg"),
        ("../../etc/passwd", "_./_./etc/passwd"),
    ],
)
async def test_keys_follow_the_path(shop: Website, path: str, key: str) -> None:
    made = await shop.store(picture(), filename="a.jpg", path=path)
    handle = made["url"].rpartition("/")[2]
    assert made["key"] == key.format(handle=handle)


async def test_a_container_comes_back(shop: Website) -> None:
    made = await shop.store(picture(), container="kg_bucket")
    assert list(made)[:6] == ["url", "size", "type", "filename", "key", "container"]
    assert made["container"] == "kg_bucket"


async def test_metadata_has_the_documented_default_and_every_flag(shop: Website) -> None:
    data = picture(60, 40)
    made = await shop.store(data, filename="a.jpg", container="box")
    said = (await shop.http.get(f"{made['url']}/metadata")).json()
    names = ["size", "mimetype", "filename", "uploaded", "writeable", "location", "path", "container"]
    assert list(said) == names
    assert said["location"] == "S3"
    assert said["path"] == made["key"]
    assert abs(said["uploaded"] - shop.stage.clock().timestamp() * 1000) < 60_000
    flags: dict[str, str] = dict.fromkeys(("width", "height", "md5", "sha1", "sha512", "cloud", "source_url"), "true")
    more = (await shop.http.get(f"{made['url']}/metadata", params=flags)).json()
    assert (more["width"], more["height"]) == (60, 40)
    assert more["md5"] == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert more["sha512"] == hashlib.sha512(data).hexdigest()
    assert more["cloud"] == "Computer"
    assert "size" not in more
    text = await shop.store(b"words", kind="text/plain")
    assert (await shop.http.get(f"{text['url']}/metadata", params={"width": "true"})).json() == {"width": None}


async def test_exif_needs_a_policy_that_names_it(shop: Website) -> None:
    made = await shop.store(turned(6))
    asked = {"exif": "true"}
    assert (await shop.http.get(f"{made['url']}/metadata", params=asked)).status_code == 403
    plain = {**asked, **shop.policy()}
    assert (await shop.http.get(f"{made['url']}/metadata", params=plain)).status_code == 403
    named = {**asked, **shop.policy(call=["stat", "exif"])}
    assert (await shop.http.get(f"{made['url']}/metadata", params=named)).json()["exif"]["Orientation"] == 6
    whole = await shop.http.get(f"{made['url']}/metadata", params=asked, auth=("app", shop.secret))
    assert whole.status_code == 200


async def test_overwritten_content_is_what_everybody_reads(shop: Website) -> None:
    made = await shop.store(picture(), filename="a.jpg")
    before = (await shop.http.get(made["url"])).headers["etag"]
    new = picture(form="png")
    answer = await shop.http.post(
        made["url"], params={"nonce": "fp", "mimetype": "image/png"}, content=new, headers={"Content-Type": "image/png"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["url"] == made["url"]
    assert (answer.json()["type"], answer.json()["size"]) == ("image/png", len(new))
    read = await shop.http.get(made["url"], headers={"If-None-Match": before})
    assert (read.status_code, read.content) == (200, new)


async def test_a_removed_file_is_gone_for_everybody(shop: Website) -> None:
    made = await shop.store(picture())
    other = await website(shop.stage)
    foreign = await shop.http.post(f"{made['url']}/remove", data={"key": other.key})
    assert foreign.status_code == 403
    answer = await shop.http.post(f"{made['url']}/remove", data={"key": shop.key})
    assert (answer.status_code, answer.text) == (200, "success")
    for call in (shop.http.get(made["url"]), shop.http.get(f"{made['url']}/metadata"), shop.http.delete(made["url"])):
        assert (await call).status_code == 404
    second = await shop.store(picture())
    assert (await shop.http.delete(second["url"], params={"key": shop.key})).text == "success"


async def test_nothing_is_left_of_a_removed_file(shop: Website) -> None:
    before = shop.stage.files().keys()
    made = await shop.store(picture())
    assert len(shop.stage.files().keys() - before) == 1
    await shop.http.post(made["url"], content=picture(50, 50), headers={"Content-Type": "image/jpeg"})
    assert len(shop.stage.files().keys() - before) == 1
    await shop.http.delete(made["url"], params={"key": shop.key})
    assert shop.stage.files().keys() == before


async def test_what_cannot_be_is_refused_in_the_one_form(shop: Website) -> None:
    cases = {
        403: await shop.http.post("/api/store/S3", content=b"x"),
        404: await shop.http.get(f"/api/file/{'0' * 20}"),
        400: await shop.http.post("/api/store/nowhere", params={"key": shop.key}, content=b"x"),
    }
    for status, answer in cases.items():
        assert answer.status_code == status, answer.text
        error = answer.json()["error"]
        assert error["code"] == status
        assert list(error) == ["code", "message", "hint"]
    for path in ("/api/file/short", f"/api/file/{'é' * 20}", f"/api/file/{'a' * 21}"):
        assert (await shop.http.get(path)).status_code == 404
    empty = await shop.http.post("/api/store/S3", params={"key": shop.key}, content=b"")
    assert empty.status_code == 400
    unknown = await shop.http.post("/api/store/S3", params={"key": "Aunknown"}, content=b"x")
    assert unknown.status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/x.jpg",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "gopher://x",
        "http://user@127.0.0.1/",
    ],
)
async def test_addresses_within_are_not_fetched(shop: Website, url: str) -> None:
    answer = await shop.http.post("/api/store/S3", params={"key": shop.key}, data={"url": url})
    assert answer.status_code in (400, 403), answer.text
    made = await shop.store(picture())
    assert (await shop.http.post(made["url"], data={"url": url})).status_code in (400, 403)


async def test_the_same_idempotency_key_stores_once(shop: Website) -> None:
    headers = {"Idempotency-Key": "one", "Content-Type": "image/jpeg"}
    first = await shop.http.post("/api/store/S3", params={"key": shop.key}, content=picture(), headers=headers)
    again = await shop.http.post("/api/store/S3", params={"key": shop.key}, content=picture(), headers=headers)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
