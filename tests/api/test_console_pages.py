"""The console's pages about work: publishing, posts, recipes and numbers, as forms that anybody's browser can send."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyvips

from tests.api.projects import KINDS, Project, project
from tests.api.test_console_signing import first_user
from tests.served import Served, served
from tintype.core.publishing import State

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Office:
    """A signed-in browser before a workspace with a connected account."""

    house: Served
    room: Project
    token: str = field(repr=False)
    account_id: str

    async def send(self, path: str, **form: str) -> str:
        """Send a form and return where it leads; it must lead somewhere."""
        answer = await self.house.client.post(path, data={"form_token": self.token, **form})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def refused(self, path: str, **form: str) -> str:
        """Send a form that is not taken, and return the page that says why."""
        answer = await self.house.client.post(path, data={"form_token": self.token, **form})
        assert answer.status_code in (400, 409, 412), answer.text
        return answer.text

    async def page(self, path: str) -> str:
        answer = await self.house.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@asynccontextmanager
async def office(**settings: Any) -> AsyncGenerator[Office]:
    async with served(rate_limit_per_minute=0, publish_settle_seconds=0, **settings) as house:
        room = await project(house, *KINDS)
        token = await first_user(house)
        await house.client.post("/console/workspace", data={"form_token": token, "workspace": room.id})
        (account,) = await house.house.accounts.of_workspace(room.id)
        yield Office(house, room, token, account.id)


def picture() -> bytes:
    return pyvips.Image.black(400, 500, bands=3).copy(interpretation="srgb").jpegsave_buffer()


async def test_a_picture_is_checked_kept_and_published() -> None:
    async with office() as one:
        form = {"form_token": one.token, "account_id": one.account_id, "product": "image", "caption": "Hello #there"}
        files = {"files": ("mine.jpg", picture(), "image/jpeg")}
        checked = await one.house.client.post("/console/publish", data={**form, "verb": "check"}, files=files)
        assert "Nothing stands against it" in checked.text
        kept = re.search(r'name="piece" value="(publishing/[^"]+)"', checked.text)
        assert kept  # nothing has to be chosen a second time
        shown = await one.house.client.get(f"/console/uploads/{kept[1]}")
        assert (shown.status_code, shown.content) == (200, picture())
        pieces = {"piece": kept[1], "piece_name": "mine.jpg", "piece_alt": "A black square", "piece_place": "1"}
        to = await one.send("/console/publish", **{**form, **pieces, "verb": "take"})
        post_id = int(re.findall(r"/console/posts/(\d+)", to)[0])
        post = await one.house.house.publisher.wait(one.room.id, post_id, PATIENCE)
        assert post.state is State.PUBLISHED
        assert post.draft.items[0].alt_text == "A black square"
        page = await one.page(f"/console/posts/{post_id}")
        assert '<span class="chip good">published</span>' in page
        assert str(post.media_id) in page


async def test_what_is_wrong_is_said_and_nothing_typed_is_lost() -> None:
    async with office() as one:
        said = {
            "account_id": one.account_id,
            "product": "image",
            "caption": "Keep me",
            "urls": "https://x.example/a.jpg",
        }
        gap = await one.refused("/console/publish", **said, scheduled_at="2028-03-26T02:30", timezone="Europe/Berlin")
        assert "2028-03-26" in gap
        assert "Keep me" in gap
        assert "https://x.example/a.jpg" in gap
        long = await one.house.client.post(
            "/console/publish/problems", data={"form_token": one.token, "product": "image", "caption": "x" * 2201}
        )
        assert "2201 of 2200" in long.text
        nobody = await one.refused("/console/publish", **{**said, "account_id": "nobody"})
        assert "Choose the account" in nobody


async def test_a_scheduled_post_is_in_the_calendar_changed_and_called_back() -> None:
    async with office() as one:
        said = {"account_id": one.account_id, "product": "image", "caption": "Later", "urls": "https://x.example/a.jpg"}
        to = await one.send("/console/publish", **said, scheduled_at="2027-05-01T09:00", timezone="Europe/Berlin")
        place = to.partition("?")[0]
        assert "07:00" in await one.page("/console/posts/calendar?month=2027-05")
        form = await one.page(place.replace("/posts/", "/publish/"))
        assert 'value="2027-05-01T09:00"' in form
        tag = re.search(r'name="tag" value="([^"]*)"', form)
        assert tag
        post_id = place.rpartition("/")[2]
        changed = {**said, "caption": "Even later", "scheduled_at": "2027-05-02T09:00", "timezone": "Europe/Berlin"}
        await one.send("/console/publish", **changed, post_id=post_id, tag=tag[1].replace("&#34;", '"'))
        stale = await one.refused("/console/publish", **changed, post_id=post_id, tag=tag[1].replace("&#34;", '"'))
        assert "changed since it was read" in stale
        await one.send(place, verb="cancel")
        assert "cancelled" in await one.page(place)
        assert "cannot be called back" not in await one.page(place)


async def test_words_become_a_recipe_that_can_be_corrected_and_removed() -> None:
    async with office() as one:
        pasted = (
            "Oat bake\n\nServes 2\n\nIngredients\n- 200 g oats\n- 2 eggs\n\nMethod\n1. Mix.\n2. Bake for 20 minutes."
        )
        place = await one.send("/console/recipes", pasted=pasted)
        item_id = place.rpartition("/")[2]
        for _ in range(200):
            if (await one.house.house.kitchen.recipes.get(item_id)).status == "success":
                break
            await one.page(place)
        assert "200 g oats" in " ".join((await one.page(place)).split())
        assert 'value="oats"' in await one.page(f"{place}/edit")
        corrected = {"name": "Oat cake", "food": "oats", "amount": "250", "unit": "g", "note": "", "group": ""}
        await one.send(f"{place}/edit", **corrected, steps="Mix.\n\nBake.", servings="4")
        page = " ".join((await one.page(place)).split())
        assert "Oat cake" in page
        assert "250 g oats" in page
        wrong = await one.refused(f"{place}/edit", **{**corrected, "amount": "much"})
        assert "is no amount" in wrong
        assert (await one.send(place, verb="remove")).startswith("/console/recipes")
        assert (await one.house.client.get(place)).status_code == 404


async def test_numbers_are_shown_with_gaps_for_what_nobody_measured() -> None:
    async with office() as one:
        empty = await one.page("/console/insights")
        assert "unknown" in empty
        await one.house.house.insights.visit(one.account_id)
        await one.house.house.insights.collect_due()
        page = await one.page(f"/console/insights?account={one.account_id}&days=7&metric=reach")
        assert page.count('<svg class="chart"') >= 3
        media_id = re.findall(r"/console/insights/posts/(\d+)", page)[0]
        assert '<svg class="chart"' in await one.page(f"/console/insights/posts/{media_id}?metric=likes")
        csv = await one.house.client.get(f"/console/insights/days.csv?account={one.account_id}")
        assert csv.headers["content-type"].startswith("text/csv")
        assert (await one.house.client.get("/console/insights?account=nobody")).status_code == 404


async def test_a_link_is_downloaded_or_refused_with_its_reason() -> None:
    async with office() as one:
        wrong = await one.refused("/console/downloads", link="https://www.instagram.com/baker/")
        assert "no link to one post" in wrong
        item = (await one.house.house.feed.items(one.room.id))[0]
        place = await one.send("/console/downloads", link=item.permalink)
        found = await one.house.house.downloads.ask(place.rpartition("/")[2], wait=PATIENCE)
        assert found.post
        page = await one.page(place)
        path = re.findall(rf'src="({place}/[^"]+)"', page)[0]
        file = await one.house.client.get(path)
        assert (file.status_code, len(file.content)) == (200, found.post.files[0].bytes)
        assert found.shortcode in await one.page("/console/downloads")
        await assert_in_ranges(one.house, path, file.content)


async def assert_in_ranges(house: Served, path: str, content: bytes) -> None:
    async def asked(**headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await house.client.get(path, headers=named)
        return answer.status_code, answer.content

    for odd in ("bytes=9-3", "bytes=", "lines=1-2", "bytes=0-1,4-5", "bytes=a-b"):
        assert await asked(range=odd) == (200, content)
    assert await asked(range="bytes=3-9") == (206, content[3:10])
    outside = await house.client.get(path, headers={"range": f"bytes={len(content)}-"})
    assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{len(content)}")
    assert outside.json()["error"] == "the range lies outside of the file"
    head = await house.client.head(path)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(content)))
    etag, changed = head.headers["etag"], head.headers["last-modified"]
    for same in (etag, changed):
        assert await asked(range="bytes=0-9", if_range=same) == (206, content[:10])
    assert await asked(range="bytes=0-9", if_range='"another"') == (200, content)
    assert await asked(if_none_match=etag) == await asked(if_modified_since=changed) == (304, b"")
    assert "attachment" in (await house.client.head(f"{path}?save=1")).headers["content-disposition"]


async def test_the_connect_doctor_reads_what_instagram_said() -> None:
    async with office() as one:
        page = await one.page("/console/accounts/doctor?said=Insufficient+Developer+Role")
        assert "Instagram tester" in page
        assert "/instagram-callback" in page


async def test_where_recipes_go_can_be_tried(tmp_path: Path) -> None:
    async with served(rate_limit_per_minute=0, recipe_folder=tmp_path) as house:
        token = await first_user(house)
        answer = await house.client.post("/console/recipes/outlet", data={"form_token": token})
        assert answer.status_code == 200
        assert "can be written" in answer.text
    async with served(rate_limit_per_minute=0) as house:
        token = await first_user(house)
        answer = await house.client.post("/console/recipes/outlet", data={"form_token": token})
        assert answer.status_code == 409
        assert "no target" in answer.text.lower()
