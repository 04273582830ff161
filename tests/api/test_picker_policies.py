"""Who may do what with files: keys, policies and the app's secret, as the app's owner wants it."""

import base64
from datetime import timedelta

import pytest

from tests.api.websites import Website, picture, signature_of, signed, website
from tests.walks.stage import Stage


@pytest.fixture(scope="module")
async def safe(stage: Stage) -> Website:
    """A website that asks for a policy for everything."""
    return await website(stage, secure_reads=True, secure_writes=True)


async def test_without_a_policy_nothing_is_allowed(safe: Website) -> None:
    refused = await safe.http.post("/api/store/S3", params={"key": safe.key}, content=picture())
    assert refused.status_code == 403
    made = await safe.store(picture(), **safe.policy(call=["store"]))
    for call in (
        safe.http.get(made["url"]),
        safe.http.get(f"{made['url']}/metadata"),
        safe.http.post(made["url"], content=b"x"),
        safe.http.delete(made["url"], params={"key": safe.key}),
        safe.http.post(f"{made['url']}/remove", data={"key": safe.key}),
    ):
        assert (await call).status_code == 403
    answer = await safe.http.get(made["url"], params=safe.policy(call="read"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("private")


async def test_both_spellings_of_base64_are_verified_as_they_came(safe: Website) -> None:
    made = await safe.store(picture(), **safe.policy())
    for path in ("^a?", "???>>>"):
        policy = safe.policy(call=["read"], container=path)["policy"]
        for text in (policy, policy.replace("-", "+").replace("_", "/"), policy.rstrip("=")):
            given = {"policy": text, "signature": signature_of(safe.secret, text).upper()}
            assert (await safe.http.get(made["url"], params=given)).status_code == 200
    raw = safe.policy(call=["read"])
    changed = {**raw, "policy": raw["policy"].rstrip("=") + "="}
    if changed["policy"] != raw["policy"]:
        assert (await safe.http.get(made["url"], params=changed)).status_code == 403


async def test_wrong_credentials_are_refused_even_where_none_are_needed(stage: Stage) -> None:
    shop = await website(stage)
    made = await shop.store(picture())
    assert (await shop.http.get(made["url"])).status_code == 200
    wrong = {"policy": shop.policy()["policy"], "signature": "0" * 64}
    for given in (wrong, {"policy": wrong["policy"]}, {"signature": "0" * 64}, shop.policy(seconds=-1)):
        assert (await shop.http.get(made["url"], params=given)).status_code == 403
    other = await website(stage)
    assert (await shop.http.get(made["url"], params=other.policy())).status_code == 403
    assert (await shop.http.get(made["url"], auth=("app", "wrong"))).status_code == 403
    assert (await shop.http.get(made["url"], auth=("someone", shop.secret))).status_code == 403
    assert (await shop.http.get(made["url"], headers={"Authorization": "Basic %%%"})).status_code == 403


async def test_a_policy_allows_what_it_says_and_no_more(safe: Website) -> None:
    one, two = [(await safe.store(picture(), **safe.policy()))["url"] for _ in range(2)]
    only = safe.policy(call=["read", "remove"], handle=one.rpartition("/")[2])
    assert (await safe.http.get(one, params=only)).status_code == 200
    assert (await safe.http.get(two, params=only)).status_code == 403
    assert (await safe.http.get(f"{one}/metadata", params=only)).status_code == 403
    assert (await safe.http.delete(one, params={"key": safe.key, **only})).status_code == 200
    assert (await safe.http.get(two, params=safe.policy(seconds=-5))).status_code == 403


async def test_what_a_camera_wrote_needs_a_policy_that_names_exif(stage: Stage, safe: Website) -> None:
    for shop in (safe, await website(stage)):
        place = f"{(await shop.store(picture(), **shop.policy()))['url']}/metadata"
        asked: list[tuple[list[str], tuple[str, ...], int]] = [
            ([], ("exif",), 403),
            (["stat"], ("exif",), 403),
            (["exif"], ("exif",), 200),
            (["exif"], ("exif", "size"), 403),
            (["exif", "stat"], ("exif", "size"), 200),
        ]
        for calls, flags, status in asked:
            shown = shop.policy(call=calls) if calls else shop.policy()
            answer = await shop.http.get(place, params={**dict.fromkeys(flags, "true"), **shown})
            assert answer.status_code == status, (calls, flags, answer.text)


async def test_sizes_paths_and_containers_of_a_policy_bind_what_is_stored(safe: Website) -> None:
    data = picture()
    small = safe.policy(call=["store"], maxSize=len(data) - 1)
    answer = await safe.http.post("/api/store/S3", params={"key": safe.key, **small}, content=data)
    assert answer.status_code == 413
    large = safe.policy(call=["store"], minSize=len(data) + 1)
    answer = await safe.http.post("/api/store/S3", params={"key": safe.key, **large}, content=data)
    assert answer.status_code == 400
    narrow = safe.policy(call=["store"], path="^/photos/", container="^box$")
    fine = {"key": safe.key, "path": "/photos/", "container": "box", **narrow}
    assert (await safe.http.post("/api/store/S3", params=fine, content=data)).status_code == 200
    for wrong in ({"path": "/other/"}, {"container": "boxes"}):
        assert (await safe.http.post("/api/store/S3", params={**fine, **wrong}, content=data)).status_code == 403


async def test_a_server_shows_the_secret_itself(safe: Website) -> None:
    stored = await safe.http.post(
        "/api/store/S3", params={"key": safe.key}, content=picture(), auth=("app", safe.secret)
    )
    assert stored.status_code == 200
    shown = base64.b64encode(f"app:{safe.secret}".encode()).decode()
    answer = await safe.http.get(stored.json()["url"], headers={"Authorization": f"basic {shown}"})
    assert answer.status_code == 200


async def test_the_secret_before_the_present_one_counts_for_a_day(stage: Stage) -> None:
    shop = await website(stage, secure_reads=True)
    made = await shop.store(picture())
    old = shop.policy(seconds=10 * 24 * 3600)
    answer = await shop.http.post(f"/api/apps/{shop.app_id}/secret", headers=shop.owner)
    assert answer.status_code == 201
    new = signed(answer.json()["secret"], expiry=int(stage.clock().timestamp()) + 10 * 24 * 3600)
    for given in (old, new):
        assert (await shop.http.get(made["url"], params=given)).status_code == 200
    stage.skip(timedelta(days=1, seconds=1))
    assert (await shop.http.get(made["url"], params=old)).status_code == 403
    assert (await shop.http.get(made["url"], params=new)).status_code == 200


async def test_pages_of_other_origins_may_not_write(stage: Stage) -> None:
    shop = await website(stage, origins=["https://Shop.example/", "http://localhost:3000"])
    query = {"key": shop.key}
    for origin, status in (
        ("https://shop.example", 200),
        ("http://localhost:3000", 200),
        ("https://shop.example.evil.example", 403),
        ("http://shop.example", 403),
        ("null", 403),
    ):
        answer = await shop.http.post("/api/store/S3", params=query, content=picture(), headers={"Origin": origin})
        assert answer.status_code == status, origin
        assert answer.headers["access-control-allow-origin"] == "*"
    assert (await shop.http.post("/api/store/S3", params=query, content=picture())).status_code == 200


async def test_quotas_bind_files_and_bytes(stage: Stage) -> None:
    data = picture()
    shop = await website(stage, quota_files=2, quota_bytes=3 * len(data))
    made = [await shop.store(data) for _ in range(2)]
    third = await shop.http.post("/api/store/S3", params={"key": shop.key}, content=data)
    assert third.status_code == 413
    assert "2 files" in third.json()["error"]["message"]
    await shop.set(quota_files=None, quota_bytes=2 * len(data))
    assert (await shop.http.post("/api/store/S3", params={"key": shop.key}, content=data)).status_code == 413
    over = await shop.http.post(made[0]["url"], content=data, headers={"Content-Type": "image/jpeg"})
    assert over.status_code == 200
    await shop.http.delete(made[0]["url"], params={"key": shop.key})
    assert (await shop.http.post("/api/store/S3", params={"key": shop.key}, content=data)).status_code == 200
    shown = (await shop.http.get(f"/api/apps/{shop.app_id}", headers=shop.owner)).json()
    assert (shown["files"], shown["bytes"]) == (2, 2 * len(data))
