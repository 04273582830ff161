"""/api/apps: made, changed and removed by owners and editors of a workspace, and by nobody else."""

import asyncio

import pytest

from tests.api.websites import Website, picture, website
from tests.walks.stage import Stage
from tintype.api.picker.dialect import PICKER
from tintype.core.files import CALLBACK, Overtaken
from tintype.errors import Stale


@pytest.fixture(scope="module")
async def shop(stage: Stage) -> Website:
    return await website(stage)


async def test_a_secret_is_shown_once_and_kept_sealed(shop: Website) -> None:
    assert len(shop.key) >= 20
    assert len(shop.secret) >= 32
    shown = await shop.http.get(f"/api/apps/{shop.app_id}", headers=shop.owner)
    assert shop.secret not in shown.text
    assert shop.secret not in (await shop.http.get("/api/apps", headers=shop.owner)).text
    kept = shop.stage.kept().written()
    assert shop.key.encode() in kept
    assert shop.secret.encode() not in kept


async def test_owners_alone_see_and_change_their_apps(shop: Website) -> None:
    assert (await shop.http.get("/api/apps")).status_code == 403
    other = await website(shop.stage)
    for call in (
        shop.http.get(f"/api/apps/{shop.app_id}", headers=other.owner),
        shop.http.patch(f"/api/apps/{shop.app_id}", headers=other.owner, json={"name": "mine"}),
        shop.http.delete(f"/api/apps/{shop.app_id}", headers=other.owner),
        shop.http.post(f"/api/apps/{shop.app_id}/secret", headers=other.owner),
        shop.http.put(f"/api/apps/{shop.app_id}/instagram", headers=other.owner, json={"key": "1", "secret": "2"}),
    ):
        assert (await call).status_code == 404
    listed = (await shop.http.get("/api/apps", headers=other.owner)).json()["apps"]
    assert [one["id"] for one in listed] == [other.app_id]


async def test_an_app_is_changed_and_used_as_changed_at_once(shop: Website) -> None:
    await shop.store(picture())
    said = await shop.set(name="shop two", origins=["https://a.example:443"], secure_writes=True)
    assert (said["name"], said["origins"], said["secure_writes"]) == ("shop two", ["https://a.example"], True)
    answer = await shop.http.post("/api/store/S3", params={"key": shop.key}, content=picture())
    assert answer.status_code == 403
    assert (await shop.set(secure_writes=False, origins=[]))["origins"] == []
    await shop.store(picture())


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": None},
        {"origins": ["*"]},
        {"origins": ["https://*.example"]},
        {"origins": ["javascript:alert(1)"]},
        {"origins": ["https://a.example/path"]},
        {"storages": {"S3": "nowhere"}},
        {"storages": {"cellar": "home"}},
        {"quota_files": -1},
        {"secure_reads": None},
        {"secret": "mine"},
    ],
)
async def test_what_cannot_be_set_is_said(shop: Website, wrong: dict[str, object]) -> None:
    answer = await shop.http.patch(f"/api/apps/{shop.app_id}", json=wrong, headers=shop.owner)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


async def test_a_refusal_says_what_to_do_about_it(shop: Website) -> None:
    nobody = (await shop.http.get("/api/apps")).json()["error"]
    assert (nobody["code"], "Authorization: Bearer" in nobody["hint"]) == (403, True)
    for place in ("/api/webhooks/nothing", "/api/apps/nothing", f"/api/file/{'a' * 20}"):
        missing = (await shop.http.get(place, headers=shop.owner)).json()["error"]
        assert (missing["code"], missing["hint"]) == (404, "What the address names is unknown here, or was removed.")


async def test_the_store_of_a_location_is_tested(shop: Website) -> None:
    place = f"/api/apps/{shop.app_id}/storages/test"
    said = (await shop.http.post(place, json={"location": "s3"}, headers=shop.owner)).json()
    assert (said["store"], said["ok"]) == ("home", True)
    assert (await shop.http.post(place, json={"location": "nowhere"}, headers=shop.owner)).status_code == 400
    assert (await shop.http.post(place, json={"location": "S3"})).status_code == 403


async def test_a_removed_app_opens_nothing_and_its_files_go(stage: Stage) -> None:
    shop = await website(stage)
    made = await shop.store(picture())
    assert (await shop.http.delete(f"/api/apps/{shop.app_id}", headers=shop.owner)).status_code == 204
    assert (await shop.http.post("/api/store/S3", params={"key": shop.key}, content=b"x")).status_code == 403
    assert (await shop.http.get(made["url"])).status_code == 404
    picking = stage.house.picking
    assert await picking.files.erase_abandoned() == 1
    assert await picking.files.records.get(made["url"].rpartition("/")[2]) is None
    assert (await shop.http.get(f"/api/apps/{shop.app_id}", headers=shop.owner)).status_code == 404


async def test_an_instagram_app_of_ones_own_is_tested_and_the_wrong_setting_named(stage: Stage) -> None:
    shop = await website(stage)
    place = f"/api/apps/{shop.app_id}/instagram"
    app = stage.pretend.app("instagram")
    none = await shop.http.post(f"{place}/test", headers=shop.owner)
    assert none.json()["ok"] is False
    for key, secret, wrong in (
        ("1234", app["app_secret"], "key"),
        (app["app_id"], "wrong", "secret"),
        (app["app_id"], app["app_secret"], None),
    ):
        kept = await shop.http.put(place, json={"key": key, "secret": secret}, headers=shop.owner)
        assert kept.json() == {"key": key, "redirect_uri": stage.house.settings.address() + CALLBACK}
        said = (await shop.http.post(f"{place}/test", headers=shop.owner)).json()
        assert (said["ok"], said["wrong"]) == (wrong is None, wrong), said
        assert str(secret) not in said["message"]


async def test_an_app_says_when_its_key_was_last_used(stage: Stage) -> None:
    shop = await website(stage)

    async def used_at() -> str | None:
        await stage.house.picking.apps.uses.close()
        shown = await shop.http.get(f"/api/apps/{shop.app_id}", headers=shop.owner)
        return shown.json()["used_at"]

    assert await used_at() is None
    refused = await shop.http.post("/api/store/S3", params={"key": shop.key + "x"}, content=picture())
    assert refused.status_code == 403
    assert await used_at() is None
    await shop.store(picture())
    assert (await used_at() or "").startswith(f"{stage.house.access.uses.now():%Y-%m-%d}")


async def test_of_two_editors_the_second_learns_of_the_first(shop: Website) -> None:
    place = f"/api/apps/{shop.app_id}"
    await shop.set(presets={"thumb": "resize=w:50"})
    read = await shop.http.get(place, headers=shop.owner)
    tag = read.headers["etag"]
    assert tag.startswith('"')
    assert (await shop.http.get(place, headers=shop.owner)).headers["etag"] == tag
    first = {**read.json()["presets"], "wide": "resize=w:900"}
    kept = await shop.http.patch(place, json={"presets": first}, headers={**shop.owner, "If-Match": tag})
    assert (kept.status_code, set(kept.json()["presets"])) == (200, {"thumb", "wide"})
    assert kept.headers["etag"] not in (tag, "")
    second = {**read.json()["presets"], "small": "resize=w:9"}
    refused = await shop.http.patch(place, json={"presets": second}, headers={**shop.owner, "If-Match": tag})
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, 412)
    assert "changed since you read it" in refused.json()["error"]["message"]
    assert refused.headers["x-error-code"] == "stale"
    now = await shop.http.get(place, headers=shop.owner)
    assert (set(now.json()["presets"]), now.headers["etag"]) == ({"thumb", "wide"}, kept.headers["etag"])


@pytest.mark.parametrize("given", ["*", '"elsewhere", {}', "{}"])
async def test_a_change_from_what_there_is_is_taken(shop: Website, given: str) -> None:
    place = f"/api/apps/{shop.app_id}"
    tag = (await shop.http.get(place, headers=shop.owner)).headers["etag"]
    headers = {**shop.owner, "If-Match": given.format(tag)}
    assert (await shop.http.patch(place, json={"secure_reads": False}, headers=headers)).status_code == 200


async def test_a_weak_tag_is_no_match(shop: Website) -> None:
    place = f"/api/apps/{shop.app_id}"
    tag = (await shop.http.get(place, headers=shop.owner)).headers["etag"]
    headers = {**shop.owner, "If-Match": f"W/{tag}"}
    assert (await shop.http.patch(place, json={"secure_reads": False}, headers=headers)).status_code == 412


async def test_of_many_who_change_the_same_state_one_wins(shop: Website) -> None:
    place = f"/api/apps/{shop.app_id}"
    tag = (await shop.http.get(place, headers=shop.owner)).headers["etag"]
    headers = {**shop.owner, "If-Match": tag}
    sent = [{"presets": {f"mine-{number}": f"resize=w:{number + 1}"}} for number in range(8)]
    answers = await asyncio.gather(*(shop.http.patch(place, json=one, headers=headers) for one in sent))
    won = [one for one in answers if one.status_code == 200]
    assert sorted(one.status_code for one in answers) == [200, *[412] * 7]
    assert (await shop.http.get(place, headers=shop.owner)).json()["presets"] == won[0].json()["presets"]


async def test_who_says_nothing_of_a_version_is_taken_as_before(shop: Website) -> None:
    await shop.set(presets={"one": "resize=w:1"})
    await shop.set(presets={"two": "resize=w:2"})
    assert set((await shop.set(name="shop"))["presets"]) == {"two"}


async def test_what_is_used_of_an_app_is_no_change_of_it(shop: Website) -> None:
    place = f"/api/apps/{shop.app_id}"
    tag = (await shop.http.get(place, headers=shop.owner)).headers["etag"]
    await shop.store(picture())
    await shop.http.post(f"{place}/secret", headers=shop.owner)
    assert (await shop.http.get(place, headers=shop.owner)).headers["etag"] == tag


async def test_of_two_who_ask_for_a_secret_at_once_none_gets_a_worthless_one(shop: Website) -> None:
    other = await website(shop.stage, shop.member)
    place = f"/api/apps/{other.app_id}/secret"
    answers = await asyncio.gather(*(shop.http.post(place, headers=shop.owner) for _ in range(2)))
    assert {one.status_code for one in answers} <= {201, 400}
    given = [one.json()["secret"] for one in answers if one.status_code == 201]
    apps = shop.stage.house.picking.apps
    known = await apps.secrets(await apps.by_key(other.key))
    assert len(known) == 2, "the one before counts for a day"
    assert set(given) <= set(known) <= {*given, other.secret}


async def test_clients_of_old_are_told_in_a_status_that_they_know_that_a_file_was_overwritten_meanwhile(
    shop: Website,
) -> None:
    made = await shop.store(picture())
    query = {"key": shop.key}
    asked = (shop.http.post(made["url"], params=query, content=picture(40 + number, 30)) for number in range(6))
    statuses = {answer.status_code for answer in await asyncio.gather(*asked)}
    assert 200 in statuses
    assert statuses <= {200, 400}
    assert PICKER.refuse(Overtaken("somebody was faster")).status_code == 400
    assert PICKER.refuse(Stale("it changed since you read it")).status_code == 412
