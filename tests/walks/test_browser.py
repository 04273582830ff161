"""What a person sees in a browser: connect an account from the start page, and look at the feed."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.walks.stage import Stage, staged
from tests.windows import Window, chromium
from tintype.core.access import Grant


@pytest.fixture
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    del anyio_backend
    async with chromium() as one:
        yield one


async def opened(browser: Browser, *, width: int = 1200, dark: bool = False) -> Window:
    scheme = "dark" if dark else "light"
    return Window(await browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)).watch()


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    """A house set up as for a demonstration: its start page offers to connect accounts."""
    del anyio_backend
    async with staged() as one:
        one.pretend.post("/reset", redirect_uris=[one.house.settings.callback()])
        workspace, _ = await one.house.access.register("Demo")
        key = await one.house.access.issue(workspace.id, Grant.FEED)
        one.house.welcome.workspace_id = workspace.id
        one.house.welcome.feed_key = key.secret
        one.house.welcome.simulator = one.pretend.origin
        yield one


async def test_a_person_connects_an_account_and_sees_its_pictures(
    stage: Stage, browser: Browser, tmp_path: Path
) -> None:
    person = stage.person(4)
    person.post("CAROUSEL_ALBUM", children=["IMAGE", "IMAGE"])
    person.post("REELS")
    start = stage.house.settings.address()
    one = await opened(browser)
    await one.page.goto(start)
    await one.page.get_by_role("button", name="Connect another account").click()
    await one.page.get_by_text(person.username, exact=False).first.click()
    await one.shot(tmp_path, "consent")
    await one.page.get_by_role("button", name="Allow").click()
    await expect(one.page.get_by_role("heading", name="Connected")).to_be_visible()
    await expect(one.page.get_by_text(person.username)).to_be_visible()
    await one.shot(tmp_path, "connected")
    await _until_synced(stage)
    for width, dark, name in ((1200, False, "wide"), (390, True, "narrow")):
        await _look(await opened(browser, width=width, dark=dark), start, tmp_path, name)
    assert one.complaints == []
    assert one.hosts == {"127.0.0.1"}


async def _look(one: Window, start: str, folder: Path, name: str) -> None:
    await one.page.goto(start)
    await one.shot(folder, f"start-{name}")
    await one.page.get_by_role("link", name="Show the feed (6 posts)").click()
    await _assert_loaded(one.page, 6)
    assert await one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await one.shot(folder, f"feed-{name}")
    assert one.complaints == []
    assert one.hosts == {"127.0.0.1"}


async def _until_synced(stage: Stage) -> None:
    account = (await stage.house.accounts.all())[0]
    job = await stage.house.feed.queue(account)
    await stage.house.backends.engine.outcome(job, wait=60)


async def _assert_loaded(page: Page, pictures: int) -> None:
    """Check that every picture of the page was decoded, those below the fold too."""
    await expect(page.locator("img")).to_have_count(pictures)
    for picture in await page.locator("img").all():
        await picture.scroll_into_view_if_needed()
        await page.wait_for_function("one => one.complete", arg=await picture.element_handle())
        assert await picture.evaluate("one => one.naturalWidth") > 0
        assert await picture.get_attribute("alt") is not None
    await page.evaluate("scrollTo(0, 0)")
