"""A person shares to the page in a real browser, watches it come true, and is told when the page is closed.

What stands between a push service and a browser is theirs and not to be had on one machine: there the test carries the message,
which it reads as a browser would, from the push service to the browser's worker by the browser's own lever.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from playwright.async_api import Worker as Script

from tests.push_service import Handset, PushService, push_service
from tests.walks.stage import Stage, staged
from tests.windows import Window, chromium

RECIPE = """Lemon cake for Sunday

Ingredients:
250 g flour
3 eggs
200 g sugar
1 lemon

Steps:
1. Heat the oven to 180 °C.
2. Beat the eggs with the sugar, fold in the flour and bake for 40 minutes.
"""

# A browser's own push manager asks a service on the web; this one has its subscription at the push service of the test.
PUSH_MANAGER = """
const given = %s;
let held = null;
const subscription = (key) => ({
  endpoint: given.endpoint,
  options: { applicationServerKey: null, asked: key },
  toJSON: () => given,
  unsubscribe: async () => { held = null; return true; },
});
PushManager.prototype.getSubscription = async () => held;
PushManager.prototype.subscribe = async (options) => {
  if (!options.userVisibleOnly || options.applicationServerKey.length !== 87) {
    throw new Error("a browser would not take these options");
  }
  held = subscription(options.applicationServerKey);
  return held;
};
"""

# How often the page's worker has shown something, by its own word.
COUNTING = """() => {
  const show = registration.showNotification.bind(registration);
  self.times = 0;
  registration.showNotification = async (...notice) => {
    await show(...notice);
    self.times += 1;
  };
}"""


@pytest.fixture
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    del anyio_backend
    async with chromium() as one:
        yield one


@pytest.fixture(scope="module")
async def service(anyio_backend: str) -> AsyncGenerator[PushService]:
    del anyio_backend
    async with push_service() as one:
        yield one


@pytest.fixture(scope="module")
async def kitchen(service: PushService) -> AsyncGenerator[Stage]:
    async with staged(push_hosts=("127.0.0.1",), outbound_allow=(service.place,)) as one:
        yield one


@dataclass(frozen=True, slots=True)
class Worker:
    """The lever by which a browser's makers deliver messages to a page's worker."""

    page: Page
    lever: Any
    origin: str
    registration: str
    script: Script

    @classmethod
    async def of(cls, page: Page, origin: str) -> "Worker":
        """Find the page's worker once it is at work."""
        lever: Any = await page.context.new_cdp_session(page)  # typed by halves
        found: asyncio.Queue[str] = asyncio.Queue()

        def note(event: dict[str, Any]) -> None:
            for one in event["versions"]:
                if one["status"] == "activated":
                    found.put_nowait(one["registrationId"])

        lever.on("ServiceWorker.workerVersionUpdated", note)
        await lever.send("ServiceWorker.enable")
        registration = await asyncio.wait_for(found.get(), 20)
        known = page.context.service_workers
        script = known[0] if known else await page.context.wait_for_event("serviceworker")
        await script.evaluate(COUNTING)
        return cls(page, lever, origin, registration, script)

    async def deliver(self, message: str) -> None:
        sent = {"origin": self.origin, "registrationId": self.registration, "data": message}
        await self.lever.send("ServiceWorker.deliverPushMessage", sent)

    async def shown(self, count: int) -> list[dict[str, Any]]:
        """What the browser shows once its worker has shown something so many times.

        Nobody looks before: a browser that is asked for its notifications forgets one that is stored and not yet on the screen.
        """
        enough = "async (count) => { while (times < count) await new Promise((done) => setTimeout(done, 20)); }"
        await asyncio.wait_for(self.script.evaluate(enough, count), 20)
        listing = """async () => {
          const registration = await navigator.serviceWorker.getRegistration("/share");
          const shown = await registration.getNotifications();
          return shown.map((one) => ({ title: one.title, body: one.body, tag: one.tag, data: one.data, icon: one.icon }));
        }"""
        return await self.page.evaluate(listing)


async def context_of(browser: Browser, stage: Stage, *, width: int = 1100, dark: bool = False) -> BrowserContext:
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
    )
    await context.grant_permissions(["notifications"], origin=stage.house.settings.address())
    return context


async def test_a_person_shares_and_watches_it_come_true(kitchen: Stage, browser: Browser, tmp_path: Path) -> None:
    context = await context_of(browser, kitchen)
    one = Window(await context.new_page()).watch()
    await one.page.goto(f"{kitchen.house.settings.address()}/share")
    await expect(one.page.get_by_text("Updated as it happens.")).to_be_visible()
    await one.page.get_by_label("Link to a post, or the text of a recipe").fill(RECIPE)
    await one.page.get_by_role("button", name="Make recipes").click()
    await expect(one.page.get_by_role("status")).to_contain_text("in the queue")
    row = one.page.locator("#queue li").filter(has_text="Lemon cake")
    await expect(row.get_by_text("Ready")).to_be_visible()
    watching = await context.new_page()
    other = Window(watching).watch()
    await watching.goto(f"{kitchen.house.settings.address()}/share")
    await expect(watching.get_by_text("Updated as it happens.")).to_be_visible()
    await kitchen.http.post("/api/queue", json={"text": "A lovely evening by the sea."})
    top = watching.locator("#queue li").first
    await expect(top.get_by_text("Not made")).to_be_visible()
    await expect(top.get_by_role("button", name="Try again")).to_be_visible()
    await other.shot(tmp_path, "share-wide")
    await row.get_by_role("link", name="Read it here").click()
    await expect(one.page.get_by_text("250 g flour")).to_be_visible()
    await one.shot(tmp_path, "share-recipe")
    for window in (one, other):
        assert window.complaints == []
        assert window.hosts == {"127.0.0.1"}


async def test_a_person_is_told_when_the_page_is_closed(
    kitchen: Stage, service: PushService, browser: Browser, tmp_path: Path
) -> None:
    origin, phone = kitchen.house.settings.address(), Handset("/push/browser")
    context = await context_of(browser, kitchen, width=390, dark=True)
    await context.add_init_script(PUSH_MANAGER % json.dumps(service.subscription(phone)))
    one = Window(await context.new_page()).watch()
    await one.page.goto(f"{origin}/share")
    worker = await Worker.of(one.page, origin)
    await one.page.get_by_role("button", name="Turn notifications on").click()
    await expect(one.page.get_by_text("This browser is told when a recipe is ready.")).to_be_visible()
    assert await kitchen.house.kitchen.notifier.records.count() == 1
    await one.shot(tmp_path, "share-narrow")

    taken = (await kitchen.http.post("/api/queue", json={"text": RECIPE})).json()
    message = await _arrived(service, phone)
    await worker.deliver(message)
    (shown,) = await worker.shown(1)
    assert shown == {
        "title": json.loads(message)["title"],
        "body": "The recipe is ready",
        "tag": taken["id"],
        "data": {"url": f"{origin}/share?item={taken['id']}#item-{taken['id']}"},
        "icon": f"{origin}/share/icon-192.png",
    }
    await worker.deliver(message)
    assert len(await worker.shown(2)) == 1  # one item, one notification
    await worker.deliver("not JSON")
    assert {one["title"] for one in await worker.shown(3)} == {shown["title"], "Recipes"}
    await worker.deliver(json.dumps({"title": "Away", "body": "", "itemId": "x", "url": "https://evil.example/"}))
    assert "evil" not in json.dumps(await worker.shown(4))

    await one.page.get_by_role("button", name="Turn notifications off").click()
    await expect(one.page.get_by_role("button", name="Turn notifications on")).to_be_visible()
    assert await kitchen.house.kitchen.notifier.records.count() == 0
    assert await one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    edges = "[document.querySelector('textarea'), document.querySelector('form.add')].map((one) => one.getBoundingClientRect().right)"
    inner, outer = await one.page.evaluate(edges)
    assert inner < outer
    assert one.complaints == []
    assert one.hosts == {"127.0.0.1"}


async def test_the_page_works_without_scripts(kitchen: Stage, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = await context.new_page()
    await page.goto(f"{kitchen.house.settings.address()}/share?url=https://www.instagram.com/accounts/none/")
    await page.get_by_role("button", name="Make recipes").click()
    await expect(page.get_by_role("status")).to_contain_text("in the queue")
    await page.get_by_role("link", name="Look again").click()
    await expect(page.locator("#queue li").first).to_contain_text("instagram.com/accounts/none")


async def test_the_browser_finds_nothing_against_installing_it(kitchen: Stage, browser: Browser) -> None:
    page = await (await context_of(browser, kitchen)).new_page()
    await page.goto(f"{kitchen.house.settings.address()}/share")
    lever: Any = await page.context.new_cdp_session(page)  # typed by halves
    manifest = await lever.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/share/manifest.webmanifest")
    problems = (await lever.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert [one["errorId"] for one in problems if one["errorId"] != "in-incognito"] == []


async def _arrived(service: PushService, phone: Handset) -> str:
    for _ in range(200):
        if service.arrived(phone):
            return phone.decrypt(service.arrived(phone)[0].body).decode()
        await asyncio.sleep(0.05)
    raise AssertionError("no push arrived")
