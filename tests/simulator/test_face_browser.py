"""The face in a real browser: a walk without scripts, and axe over every page in the light and in the dark."""

import json
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_clients import PACKAGES
from tests.browser.test_console import MOST_BYTES, SHIFTS
from tests.instagram.pretend import Pretend, running
from tests.simulator.visitor import BAKER, CALLBACK, POTTER, Listener
from tests.trust import NOBODY
from tests.windows import LEFT, chromium
from tintype.cli.listening import bind, listening, port_of

AXE = (PACKAGES / "axe-core" / "axe.min.js").read_text("utf-8")
WEIGHT = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, one) => sum + one.transferSize, 0)"""
LAYOUTS = [(1280, "light"), (390, "dark")]


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    del anyio_backend
    async with chromium() as one:
        yield one


@pytest.fixture
async def callback() -> AsyncGenerator[str]:
    """The address at which an app waits for those who come back."""
    with bind("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{port_of(listener)}"
        async with listening(Listener(files={"/callback": b"<!doctype html><title>Back</title>"}), listener):
            yield f"{address}/callback"


def consent(pretend: Pretend, login: str, **changes: str) -> str:
    """The address to which an app sends a person."""
    scope = "instagram_business_basic,instagram_business_content_publish" if login == "instagram" else ""
    asked = {"client_id": str(pretend.app(login)["app_id"]), "redirect_uri": CALLBACK, "scope": scope} | changes
    path = "/oauth/authorize" if login == "instagram" else "/v25.0/dialog/oauth"
    return f"{pretend.origin}{path}?{urlencode(asked)}"


async def pages_of(pretend: Pretend, led: str) -> list[str]:
    """The Pages that an app is shown with the code which the browser brought to where it was led."""
    app = pretend.app("facebook")
    known = {
        "client_id": str(app["app_id"]), "client_secret": str(app["app_secret"]), "redirect_uri": led.partition("?")[0],
        "code": parse_qs(urlsplit(led).query)["code"][0],
    }  # fmt: skip
    async with httpx2.AsyncClient(base_url=pretend.origin, verify=NOBODY) as http:
        token = (await http.get("/v25.0/oauth/access_token", params=known)).json()["access_token"]
        shown = await http.get("/v25.0/me/accounts", params={"access_token": token, "fields": "name"})
    return [page["name"] for page in shown.json()["data"]]


def watched(page: Page, origin: str) -> list[str]:
    """What goes wrong on a page from now on, and what it asks of anybody else."""
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda asked: None if asked.url.startswith(f"{origin}/") else wrong.append(asked.url))
    page.on("requestfailed", lambda asked: wrong.append(asked.url) if asked.failure != LEFT else None)
    return wrong


async def shot(page: Page, folder: Path, name: str) -> None:
    """Keep a picture for people who look."""
    await page.screenshot(path=Path(os.environ.get("TINTYPE_SHOTS", folder)) / f"{name}.png", full_page=True)


async def test_a_person_walks_about_and_breaks_things_without_scripts(browser: Browser) -> None:
    with running() as pretend:
        page = await browser.new_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
        wrong = watched(page, pretend.origin)
        await page.goto(f"{pretend.origin}/")
        await page.get_by_role("link", name=BAKER).click()
        await expect(page.get_by_role("heading", name=BAKER)).to_be_visible()
        await page.get_by_role("link", name="Older posts").click()
        await expect(page.get_by_text("Page 2 of 3")).to_be_visible()
        await page.get_by_role("link", name="Reel").first.click()
        await page.get_by_label("Views").fill("123456")
        await page.get_by_role("button", name="Set the numbers").click()
        await expect(page.get_by_role("status")).to_have_text("The post was changed.")
        await expect(page.get_by_role("cell", name="123,456")).to_be_visible()
        await page.get_by_role("link", name="Panel").click()
        await page.get_by_role("button", name="Instagram is slow").click()
        await expect(page.get_by_text("latency_ms = 2500")).to_be_visible()
        await page.get_by_role("button", name="Everything calm").click()
        await expect(page.get_by_text("all switches stand as at the start")).to_be_visible()
        form = page.locator("form", has=page.get_by_role("button", name="Add the fault"))
        await form.get_by_role("combobox", name="On").select_option("graph.media")
        await form.get_by_role("combobox", name="What").select_option("rate_limit")
        await form.get_by_role("button", name="Add the fault").click()
        await page.get_by_role("button", name="Take away the fault rate_limit on graph.media").click()
        await expect(page.get_by_role("status")).to_have_text("The fault was taken away.")
        await page.get_by_role("link", name="Published", exact=True).click()
        await page.get_by_role("combobox", name="Person").select_option(POTTER)
        await page.get_by_role("button", name="Show these").click()
        await expect(page.get_by_role("combobox", name="Person")).to_have_value(POTTER)
        assert wrong == []


async def test_consent_is_given_by_keyboard_and_switched_off_scopes_are_not(browser: Browser, callback: str) -> None:
    with running() as pretend:
        page = await browser.new_page()
        await page.goto(consent(pretend, "facebook", redirect_uri=callback))
        await page.get_by_role("radio", name=POTTER).focus()
        await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("radio", name="casa.mareira")).to_be_checked()
        await expect(page.get_by_role("checkbox", name="Casa Mareira Archive")).to_be_visible()
        await expect(page.get_by_role("checkbox", name="Keramik Nordlicht Archive")).to_be_hidden()
        await page.get_by_role("checkbox", name="Casa Mareira Archive").uncheck()
        insights = page.get_by_role("switch", name="instagram_manage_insights")
        await insights.focus()
        await page.keyboard.press("Space")
        await expect(insights).not_to_be_checked()
        await page.get_by_role("button", name="Allow").press("Enter")
        await page.wait_for_url(f"{callback}?code=*")
        (code,) = [one for one in pretend.calls() if one.get("effect") == "code:casa.mareira"]
        assert code["status"] == 302
        assert await pages_of(pretend, page.url) == ["Casa Mareira"]
        await page.goto(consent(pretend, "instagram", redirect_uri=callback))
        await page.get_by_role("button", name="Not now").click()
        await page.wait_for_url(f"{callback}?error=access_denied*")


@pytest.mark.parametrize(("width", "scheme"), LAYOUTS, ids=["wide-light", "narrow-dark"])
async def test_nothing_serious_is_found_nothing_sticks_out_and_no_page_is_heavy(
    browser: Browser, width: int, scheme: Any, tmp_path: Path
) -> None:
    with running() as pretend:
        pretend.token(BAKER)
        pretend.fault("graph.publish", "lost", times=None, chance=0.5)
        album = pretend.post("/media", username=BAKER, kind="CAROUSEL_ALBUM", caption="Ten of a kind", children=10)
        pages = {
            "start": "/", "profile": f"/{BAKER}/", "private": "/tomas.private/", "post": f"/p/{album['shortcode']}/",
            "published": "/_face/published", "magic": "/_face/magic", "panel": "/_world/panel",
        }  # fmt: skip
        addresses = {name: f"{pretend.origin}{path}" for name, path in pages.items()}
        addresses |= {login: consent(pretend, login) for login in ("instagram", "facebook")}
        # What axe needs is let in by the browser's own door: the policy of the pages stays as it is.
        context = await browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        for name, address in addresses.items():
            page = await context.new_page()
            wrong = watched(page, pretend.origin)
            await page.goto(address)
            await page.wait_for_load_state("networkidle")
            assert await page.evaluate(WEIGHT) <= MOST_BYTES, name
            # Before a picture of the whole page makes the window as long.
            assert await page.evaluate(SHIFTS) < 0.005, name
            await shot(page, tmp_path, f"face-{name}-{width}")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert await findings(page) == [], name
            assert wrong == [], name
            await page.close()
        refused = await context.new_page()
        await refused.goto(consent(pretend, "instagram", redirect_uri="https://elsewhere.example/cb"))
        await expect(refused.get_by_role("heading", name="URL blocked")).to_be_visible()
        assert await findings(refused) == []


async def findings(page: Page) -> list[str]:
    """What axe finds serious or critical, each with the element it is about."""
    await page.evaluate(AXE)
    found: Any = json.loads(await page.evaluate("axe.run().then((all) => JSON.stringify(all.violations))"))
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
