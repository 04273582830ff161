"""Connecting in the browsers and on the pages where it used to fail elsewhere: the result travels over the server."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.shop import Shop, connected, consented, dialog_in, held, shot, visit
from tests.browser.test_dialog import MANY, family, loaded
from tests.walks.stage import Stage

ONE = """<script nonce="shop">
addEventListener("load", () => document.querySelector("button").addEventListener("click", () => {
  filepicker.pick({ mimetype: 'image/*', container: 'window' }, (blob) => { window.blob = blob; }, (error) => { window.error = error; });
}));
</script><button>Pick</button>"""


async def test_the_page_isolates_itself(stage: Stage, browser: Browser, shop: Shop) -> None:
    person = stage.person(2)
    shop.show(MANY, strict=True, Cross_Origin_Opener_Policy="same-origin", Cross_Origin_Embedder_Policy="require-corp")
    one = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    assert await one.page.evaluate("crossOriginIsolated")
    async with one.page.context.expect_page() as popup:
        await dialog_in(one.page).get_by_role("button", name="Connect Instagram").click()
    window = await popup.value
    assert await window.evaluate("window.opener") is None
    await consented(window, person)
    await loaded(one.page, 2)
    await dialog_in(one.page).get_by_role("button", name="Photo").first.click()
    await dialog_in(one.page).get_by_role("button", name="Choose").click()
    assert len(await held(one.page, "blobs")) == 1


async def test_a_dialog_in_a_window_of_its_own(stage: Stage, browser: Browser, shop: Shop) -> None:
    person = stage.person(2)
    shop.show(ONE, strict=True)
    one = await visit(shop, await browser.new_context())
    async with one.page.expect_popup() as opened:
        await one.page.get_by_role("button", name="Pick").click()
    dialog = await opened.value
    async with dialog.expect_popup() as popup:
        await dialog.get_by_role("button", name="Connect Instagram").click()
    await consented(await popup.value, person)
    await dialog.get_by_role("button", name="Photo").first.dblclick(timeout=60_000)
    assert (await held(one.page, "blob"))["client"] == "Instagram"
    if not dialog.is_closed():
        await dialog.wait_for_event("close")


async def test_the_window_is_lost_to_another_browser(
    stage: Stage, browser: Browser, shop: Shop, tmp_path: Path
) -> None:
    person = stage.person(2)
    shop.show(MANY, strict=True)
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    one = await visit(shop, context)
    dialog = dialog_in(one.page)
    async with one.page.expect_popup() as popup:
        await dialog.get_by_role("button", name="Connect Instagram").click()
    window = await popup.value
    # The phone's app takes the address over, and gives the answer to a browser that knows nothing of all this.
    await window.get_by_role("button", name="Allow").wait_for()
    address = window.url
    await window.close()
    phone = await (await browser.new_context(viewport={"width": 390, "height": 844})).new_page()
    await phone.goto(address)
    await consented(phone, person)
    await expect(phone.get_by_text("One more step")).to_be_visible()
    await shot(phone, tmp_path, "confirm-phone")
    code = (await dialog.locator(".code").inner_text()).strip()
    await shot(one.page, tmp_path, "waiting-wide")
    await phone.get_by_label("Code").fill(code)
    await phone.get_by_role("button", name="Connect").click()
    await expect(phone.get_by_role("heading", name="Connected")).to_be_visible()
    await loaded(one.page, 2)


async def test_a_token_that_ends_mid_work_keeps_the_selection(
    stage: Stage, browser: Browser, shop: Shop, tmp_path: Path
) -> None:
    person = family(stage, 4)
    shop.show(MANY, strict=True)
    one = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    dialog = dialog_in(one.page)
    await connected(one.page, person)
    await dialog.get_by_role("button", name="number 1").click()
    await dialog.get_by_role("button", name="number 3").click()
    person.fault("graph.media_item", "status", status=400, code=190, subcode=463, times=20)
    await dialog.get_by_role("button", name="Choose (2)").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Your selection is kept.", timeout=60_000)
    await shot(one.page, tmp_path, "reconnect-wide")
    stage.calm()
    async with one.page.expect_popup() as popup:
        await dialog.get_by_role("button", name="Connect again").click()
    await consented(await popup.value, person)
    await expect(dialog.get_by_role("button", name="number 3")).to_have_attribute(
        "aria-pressed", "true", timeout=60_000
    )
    await dialog.get_by_role("button", name="Choose (2)").click()
    assert len(await held(one.page, "blobs")) == 2


async def test_a_second_account_has_a_window_of_its_own(stage: Stage, browser: Browser, shop: Shop) -> None:
    first, second = stage.person(2), stage.person(3)
    shop.show(MANY, strict=True)
    one = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    # The first window says that all is well until it closes, and is still there when the second is asked for.
    await one.page.context.add_init_script(
        "const timer = window.setTimeout; window.setTimeout = (what, after, ...more) => timer(what, after * (after === 1500 ? 10 : 1), ...more)"
    )
    await connected(one.page, first)
    async with one.page.expect_popup() as popup:
        await dialog_in(one.page).get_by_label("Account").select_option("+")
    await consented(await popup.value, second)
    await loaded(one.page, 3)


async def test_a_personal_account_is_told_what_to_do(
    stage: Stage, browser: Browser, shop: Shop, tmp_path: Path
) -> None:
    stage.pretend.post("/people", username="private.person", media=0, account_type="PERSONAL")
    shop.show(MANY, strict=True)
    one = await visit(shop, await browser.new_context(viewport={"width": 390, "height": 844}))
    dialog = dialog_in(one.page)
    async with one.page.expect_popup() as popup:
        await dialog.get_by_role("button", name="Connect Instagram").click()
    window = await popup.value
    await window.get_by_text("private.person").first.click()
    await window.get_by_role("button", name="Allow").click()
    await expect(dialog.get_by_role("alert")).to_contain_text(
        "switch it to a business or creator account", timeout=60_000
    )
    await shot(one.page, tmp_path, "personal-phone")
    await expect(dialog.get_by_role("button", name="Connect again")).to_be_visible()


async def test_a_page_of_another_origin_learns_why_there_is_no_dialog(browser: Browser, shop: Shop) -> None:
    picking = shop.stage.house.picking
    app = await picking.apps.by_key(shop.key)
    await picking.apps.change(app.workspace_id, app.id, {"origins": ["https://elsewhere.example"]})
    shop.show(MANY, strict=True)
    one = await visit(shop, await browser.new_context())
    error = await held(one.page, "error")
    assert error["code"] == 403
    assert "is not one of the origins of this app" in error["hint"]
