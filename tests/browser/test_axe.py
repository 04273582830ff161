"""axe-core finds nothing serious in any view of the dialog, in the light and in the dark, on a desk and on a phone."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Frame, Page, expect

from tests.browser.shop import Shop, connected, dialog_in, visit
from tests.browser.test_clients import PACKAGES
from tests.browser.test_dialog import MANY, family, loaded
from tests.walks.stage import Stage

AXE = (PACKAGES / "axe-core" / "axe.min.js").read_text("utf-8")


async def findings(where: Page | Frame) -> list[str]:
    """What is serious or critical, each with the element it is about."""
    await where.evaluate(AXE)
    found: Any = json.loads(await where.evaluate("axe.run().then((all) => JSON.stringify(all.violations))"))
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


async def findings_everywhere(page: Page, where: Page | Frame | None = None) -> list[str]:
    """`findings` on a phone and on a desk, of a page or of a frame of it."""
    found: list[str] = []
    for width, height in ((390, 844), (1280, 800)):
        await page.set_viewport_size({"width": width, "height": height})
        found += [f"{width}: {one}" for one in await findings(where or page)]
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_nothing_serious_is_found(stage: Stage, browser: Browser, shop: Shop, dark: bool) -> None:
    person = family(stage, 4)
    shop.show(MANY)
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme="dark" if dark else "light", bypass_csp=True
    )
    one = await visit(shop, context)
    dialog = dialog_in(one.page)
    await expect(dialog.get_by_role("button", name="Connect Instagram")).to_be_visible()
    frame = next(one for one in one.page.frames if "/dialog/open" in one.url)
    assert await findings_everywhere(one.page, frame) == []
    await connected(one.page, person)
    await loaded(one.page, 6)
    await dialog.get_by_role("button", name="number 1").click()
    assert await findings_everywhere(one.page, frame) == []
    await dialog.get_by_role("button", name="Album, 4 items").click()
    await loaded(one.page, 4)
    assert await findings_everywhere(one.page, frame) == []
    assert await findings_everywhere(one.page) == []


async def test_nothing_serious_is_found_in_the_window(browser: Browser, shop: Shop) -> None:
    context = await browser.new_context(bypass_csp=True)
    page = await context.new_page()
    await page.goto(f"{shop.host}/api/client/instagram/authCallback/open?state=tt_x&code=y")
    await expect(page.get_by_role("heading", name="Not connected")).to_be_visible()
    assert await findings_everywhere(page) == []
