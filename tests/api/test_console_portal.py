"""The picker's portal in the console: apps with their secrets, and webhooks with what became of each delivery."""

import asyncio
import html
import re
from pathlib import Path

import pytest
import pyvips

from tests.api.test_console_pages import PATIENCE, Office, office
from tests.api.test_console_signing import first_user, form_token
from tests.api.test_console_team import member
from tests.backends.pictures import see
from tests.core.webhooks.desk import receiving
from tests.served import Served, served
from tintype.core.access import Role
from tintype.core.files import PickerApp


def secret_in(page: str) -> str:
    found = re.search(r'<code id="issued">([^<]+)</code>', page)
    assert found, page
    return found[1]


async def made(one: Office, path: str, **form: str) -> str:
    answer = await one.house.client.post(path, data={"form_token": one.token, **form})
    assert answer.status_code == 200, answer.text
    return answer.text


async def store(house: Served, key: str) -> str:
    picture = pyvips.Image.black(40, 50, bands=3).copy(interpretation="srgb").jpegsave_buffer()
    answer = await house.client.post(f"/api/store/S3?key={key}&filename=a.jpg", content=picture)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def test_an_app_is_made_used_changed_and_removed() -> None:
    async with office() as one:
        page = await made(one, "/console/picker", name="Our shop", origins="https://shop.example.com")
        secret = secret_in(page)
        key = re.findall(r"filepicker\.js\?key=([\w-]+)", page)[0]
        await store(one.house, key)
        listed = await one.page("/console/picker")
        assert "1 file," in listed
        assert secret not in listed
        place = re.findall(r'href="(/console/picker/[^"]+)"', listed)[0]
        await one.send(place, name="Our shop", origins="", secure_writes="on", quota_files="1", quota_derived="5")
        assert (await one.house.client.post(f"/api/store/S3?key={key}", content=b"x")).status_code == 403
        wrong = await one.house.client.post(place, data={"form_token": one.token, "name": "x", "quota_files": "many"})
        assert wrong.status_code == 400
        assert secret_in(await made(one, f"{place}/secret")) != secret
        assert "operator" in await made(one, f"{place}/instagram")
        assert (await one.send(f"{place}/remove")).startswith("/console/picker")
        assert (await one.house.client.get(place)).status_code == 404


async def test_a_location_is_given_a_store_and_tested(tmp_path: Path) -> None:
    stores = {"archive": f"file://{tmp_path / 'archive'}", "away": "s3://nothing/here?endpoint=http://127.0.0.1:9"}
    async with office(storages=stores) as one:
        app = (await one.house.house.picking.apps.create(one.room.id, "Our shop")).app
        place = f"/console/picker/{app.id}"
        page = await one.page(place)
        assert all(f"<code>{name}</code>" in page for name in ("S3", "azure", "dropbox"))
        kept = await made(one, f"{place}/storages", S3="archive", azure="away", test="S3")
        assert "S3 goes to archive: files can be stored, read and deleted there" in kept
        assert list((tmp_path / "archive").rglob("*.txt")) == []  # what was written there is gone again
        assert "azure goes to away" in await made(one, f"{place}/storages", S3="archive", azure="away", test="azure")
        assert (await one.house.house.picking.apps.by_key(app.key)).storages == {"S3": "archive", "azure": "away"}
        assert "our own storage: files can be" in await made(one, f"{place}/storages", S3="home", test="S3")
        await store(one.house, app.key)
        assert list((tmp_path / "archive").rglob("*.jpg")) == []
        wrong = {"form_token": one.token, "S3": "nowhere"}
        assert (await one.house.client.post(f"{place}/storages", data=wrong)).status_code == 400


async def test_presets_are_kept_used_and_removed() -> None:
    async with office() as one:
        app = (await one.house.house.picking.apps.create(one.room.id, "Our shop", presets_only=True)).app
        place, client = f"/console/picker/{app.id}", one.house.client
        handle = (await store(one.house, app.key)).rpartition("/")[2]
        await one.send(f"{place}/presets", preset="thumb", plan=" resize=w:20,h:20,fit:crop ")
        await one.send(f"{place}/presets", preset="wide", plan="resize=w:30")
        page = await one.page(place)
        assert all(f"<code>{said}</code>" in page for said in ("thumb", "wide", "resize=width:30"))
        shown = await client.get(f"/cdn/preset:thumb/{handle}.png")
        assert (shown.status_code, see(shown.content).width) == (200, 20)
        await one.send(f"{place}/presets", preset="thumb", plan="resize=w:10")
        shown = await client.get(f"/cdn/preset:thumb/{handle}.png")
        assert (shown.status_code, see(shown.content).width) == (200, 10)
        for _ in range(2):  # somebody else may have pressed it a moment ago
            await one.send(f"{place}/presets/remove", preset="wide")
        assert (await one.house.house.picking.apps.by_key(app.key)).presets == {"thumb": "resize=width:10"}
        assert (await client.get(f"/cdn/preset:wide/{handle}.png")).status_code == 404
        assert "app.changed" in await one.page("/console/team/log")


@pytest.mark.parametrize(
    ("name", "plan", "said"),
    [
        ("thumb", "resize=w:much", "The preset &#39;thumb&#39;: "),
        ("thumb", "polish", "The preset &#39;thumb&#39;: "),
        ("a/b", "resize=w:10", "may have letters, digits"),
        ("", "resize=w:10", "may have letters, digits"),
    ],
)
async def test_a_preset_that_cannot_be_is_shown_as_it_was_typed(name: str, plan: str, said: str) -> None:
    async with office() as one:
        app = (await one.house.house.picking.apps.create(one.room.id, "Our shop", presets={"kept": "resize=w:9"})).app
        page = await one.refused(f"/console/picker/{app.id}/presets", preset=name, plan=plan)
        assert said in page
        assert f'name="preset" value="{name}"' in page
        assert f'name="plan" value="{plan}"' in page
        assert set((await one.house.house.picking.apps.by_key(app.key)).presets) == {"kept"}


def tag_in(page: str) -> str:
    found = set(re.findall(r'name="tag" value="([^"]*)"', page))
    assert len(found) == 1, page
    return html.unescape(found.pop())


async def test_the_second_editor_of_presets_is_told_and_loses_nothing() -> None:
    async with office() as one:
        apps = one.house.house.picking.apps
        app = (await apps.create(one.room.id, "Our shop", presets={"kept": "resize=w:9"})).app
        place = f"/console/picker/{app.id}"
        tag = tag_in(await one.page(place))
        await one.send(f"{place}/presets", preset="thumb", plan="resize=w:20", tag=tag)
        page = await one.refused(f"{place}/presets", preset="thumb", plan="resize=w:33", tag=tag)
        assert "Somebody else changed this app meanwhile" in page
        assert 'name="preset" value="thumb"' in page
        assert 'name="plan" value="resize=w:33"' in page
        assert "aria-invalid" not in page
        assert "<code>resize=width:20</code>" in page, "what the other one kept is shown"
        assert (await apps.by_key(app.key)).presets["thumb"] == "resize=width:20"
        await one.send(f"{place}/presets", preset="thumb", plan="resize=w:33", tag=tag_in(page))
        assert (await apps.by_key(app.key)).presets == {"kept": "resize=width:9", "thumb": "resize=width:33"}


async def test_a_preset_that_changed_meanwhile_is_not_removed_unseen() -> None:
    async with office() as one:
        apps = one.house.house.picking.apps
        app = (await apps.create(one.room.id, "Our shop", presets={"kept": "resize=w:9"})).app
        place = f"/console/picker/{app.id}"
        tag = tag_in(await one.page(place))
        await one.send(f"{place}/presets", preset="kept", plan="resize=w:20", tag=tag)
        page = await one.refused(f"{place}/presets/remove", preset="kept", tag=tag)
        assert "Somebody else changed this app meanwhile" in page
        await one.send(f"{place}/presets/remove", preset="kept", tag=tag_in(page))
        assert (await apps.by_key(app.key)).presets == {}
        await one.send(f"{place}/presets/remove", preset="kept", tag=tag)  # gone, as was wished


async def test_the_second_editor_of_settings_is_told_and_loses_nothing() -> None:
    async with office() as one:
        apps = one.house.house.picking.apps
        app = (await apps.create(one.room.id, "Our shop")).app
        place = f"/console/picker/{app.id}"
        tag = tag_in(await one.page(place))
        await one.send(place, name="Theirs", origins="https://theirs.example", tag=tag)
        mine = {"name": "Mine", "origins": "https://mine.example", "quota_files": "7", "secure_writes": "on"}
        page = await one.refused(place, **mine, tag=tag)
        assert "Somebody else changed this app meanwhile" in page
        for typed in ('name="name" value="Mine"', 'value="https://mine.example"', 'value="7"'):
            assert typed in page
        assert 'name="secure_writes" checked' in page
        assert (await apps.by_key(app.key)).name == "Theirs"
        await one.send(place, **mine, tag=tag_in(page))
        assert (await apps.by_key(app.key)).name == "Mine"


async def test_of_many_presets_kept_at_once_none_is_lost_unsaid() -> None:
    async with office() as one:
        apps = one.house.house.picking.apps
        app = (await apps.create(one.room.id, "Our shop")).app
        form = {"form_token": one.token, "plan": "resize=w:9"}
        names = [f"p{number}" for number in range(6)]
        place = f"/console/picker/{app.id}/presets"
        sent = [one.house.client.post(place, data={**form, "preset": name}) for name in names]
        answers = await asyncio.gather(*sent)
        kept = {name for name, answer in zip(names, answers, strict=True) if answer.status_code == 303}
        assert kept
        assert {answer.status_code for answer in answers} <= {303, 412}
        assert set((await apps.by_key(app.key)).presets) == kept


async def kept_preset(house: Served) -> PickerApp:
    """An app of the first user's with a preset."""
    first = await house.house.users.person((await house.house.users.find("first@example.com")).id)
    issued = await house.house.picking.apps.create(
        first.seats[0].workspace.id, "Our shop", presets={"kept": "resize=w:9"}
    )
    return issued.app


async def test_presets_are_changed_by_our_own_forms_alone() -> None:
    async with served() as house:
        token = await first_user(house)
        app = await kept_preset(house)
        foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
        for verb in ("", "/remove"):
            place, form = f"/console/picker/{app.id}/presets{verb}", {"preset": "kept", "plan": "resize=w:1"}
            without = await house.client.post(place, data={**form, "form_token": "x" * len(token)})
            strange = await house.client.post(place, data={**form, "form_token": token}, headers=foreign)
            assert (without.status_code, strange.status_code) == (403, 403)
        assert (await house.house.picking.apps.by_key(app.key)).presets == app.presets


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (None, 404)], ids=["viewer", "stranger"])
async def test_presets_are_changed_by_editors_alone(role: Role | None, status: int) -> None:
    async with served() as house:
        await first_user(house)
        app = await kept_preset(house)
        async with member(house, role) as client:
            form = {"preset": "kept", "plan": "resize=w:1", "form_token": await form_token(client)}
            for verb in ("", "/remove"):
                assert (await client.post(f"/console/picker/{app.id}/presets{verb}", data=form)).status_code == status
        assert (await house.house.picking.apps.by_key(app.key)).presets == app.presets


async def test_an_app_without_room_for_other_sizes() -> None:
    async with office() as one:
        app = (await one.house.house.picking.apps.create(one.room.id, "Our shop")).app
        await store(one.house, app.key)
        assert "1 file," in await one.page("/console/picker")
        await one.send(f"/console/picker/{app.id}", name="Our shop", quota_derived="0")
        assert (await one.house.house.picking.apps.by_key(app.key)).quota_derived == 0


async def test_an_endpoint_is_tested_and_its_deliveries_can_be_read_and_repeated() -> None:
    async with office() as one:
        page = await made(
            one, "/console/webhooks", url="https://hooks.invalid/here", description="Shop", events="fp.upload"
        )
        assert secret_in(page).startswith("whsec_")
        place = re.findall(r'action="(/console/webhooks/[^"/]+)"', page)[0]
        tested = await made(one, f"{place}/test", event="fp.upload")
        assert "The test got" in tested
        app = await one.house.house.picking.apps.create(one.room.id, "Our shop")
        await store(one.house, app.app.key)
        shown = await one.page(place)
        delivery = re.findall(rf'href="({place}/\d+)"', shown)[0]
        assert "fp.upload" in await one.page(delivery)
        await one.send(place, verb="pause")
        assert "Go on" in await one.page(place)
        await one.send(place, verb="resume")
        await one.send(place, verb="recover")
        refused = await one.house.client.post(
            "/console/webhooks", data={"form_token": one.token, "url": "http://127.0.0.1/"}
        )
        assert refused.status_code == 400
        await one.send(place, verb="remove")
        assert (await one.house.client.get(place)).status_code == 404


async def test_a_delivery_shows_where_it_went_and_what_took_how_long() -> None:
    async with receiving() as receiver, office(outbound_allow=(receiver.remote.place,)) as one:
        await made(one, "/console/webhooks", url=receiver.url("/hook"), description="Shop", events="fp.upload")
        place = re.findall(r'href="(/console/webhooks/[0-9a-f-]{36})"', await one.page("/console/webhooks"))[0]
        app = await one.house.house.picking.apps.create(one.room.id, "Our shop")
        await store(one.house, app.app.key)
        async with asyncio.timeout(PATIENCE):
            while not (found := re.findall(rf'href="({place}/\d+)".*delivered', await one.page(place))):  # noqa: ASYNC110 - a browser looks
                await asyncio.sleep(0.1)
        shown = await one.page(found[0])
        assert re.search(r"To <code>127\.0\.0\.1</code>: name [\d.]+ ms, connection [\d.]+ ms\.", shown)
