"""A customer's website with the picker on it, on a site of its own: cookies of the picker's frame are foreign here."""

import asyncio
import json
import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, FrameLocator, Page, expect
from starlette.types import Receive, Scope, Send

from tests.walks.stage import Person, Stage
from tests.windows import Window
from tintype.cli.listening import bind, listening, port_of

# What a careful customer's page allows: the picker's host for scripts, frames, calls and pictures, and nothing inline.
STRICT = "default-src 'none'; script-src {host} 'nonce-shop'; frame-src {host}; connect-src {host}; img-src {host} data:; style-src 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">{head}</head>
<body><h1>Shop</h1>{body}</body></html>
"""


@dataclass(slots=True)
class Shop:
    """A website of one page whose content a test chooses; it is reached as `localhost`, the picker as 127.0.0.1."""

    stage: Stage
    key: str
    secret: str = field(repr=False)
    port: int
    head: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    scripts: dict[str, bytes] = field(default_factory=dict[str, bytes])  # of its own, by path

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def host(self) -> str:
        return self.stage.house.settings.address()

    def show(self, body: str = "", *, script: str | None = None, strict: bool = False, **headers: str) -> None:
        """Choose what the page holds; `script` is the tag's address, ours with the key when nothing is said."""
        source = script or f"{self.host}/v2/filepicker.js?key={self.key}"
        self.head = f'<script src="{source}"></script>'
        self.body = body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if strict:
            self.headers["Content-Security-Policy"] = STRICT.format(host=self.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page."""
        del receive
        if scope["type"] != "http":
            return
        page = PAGE.format(head=self.head, body=self.body).encode()
        given = {"content-type": "text/html; charset=utf-8", **self.headers}
        if scope["path"] in self.scripts:
            page, given = self.scripts[scope["path"]], {"content-type": "text/javascript; charset=utf-8"}
        headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})


@asynccontextmanager
async def opened_shop(stage: Stage, **app: Any) -> AsyncGenerator[Shop]:
    """Open a shop whose app belongs to a workspace of its own."""
    workspace, _ = await stage.house.access.register("Shop")
    with bind("127.0.0.1", 0) as listener:
        port = port_of(listener)
        given: dict[str, Any] = {"origins": [f"http://localhost:{port}"], **app}
        made = await stage.house.picking.apps.create(workspace.id, "Shop", **given)
        shop = Shop(stage, made.app.key, made.secret, port)
        async with listening(shop, listener):
            yield shop


async def visit(shop: Shop, context: BrowserContext) -> Window:
    """Open the shop in a browser."""
    window = Window(await context.new_page()).watch()
    await window.page.goto(shop.origin)
    return window


async def held(page: Page, name: str) -> Any:
    """What a page keeps in a variable, once it is there; asked from outside, for the page's policy lets no text be run."""
    for _ in range(1200):
        found = await page.evaluate(f"JSON.stringify(window.{name})")
        if found is not None:
            return json.loads(found)
        await asyncio.sleep(0.05)
    raise AssertionError(f"the page has no {name}: {await page.evaluate('String(window.error)')}")


async def shot(page: Page, folder: Path, name: str) -> None:
    """Keep a picture of what is seen at once, for people who look."""
    await page.screenshot(path=Path(os.environ.get("TINTYPE_SHOTS", folder)) / f"{name}.png")


def dialog_in(page: Page) -> FrameLocator:
    """The dialog that lies over a page."""
    return page.frame_locator('iframe[name="filepicker_dialog"]')


async def connected(page: Page, person: Person, *, button: str = "Connect Instagram") -> None:
    """Connect a person's account in the dialog of a page, through the window that opens."""
    async with page.expect_popup() as popup:
        await dialog_in(page).get_by_role("button", name=button).click()
    window = await popup.value
    await consented(window, person)
    await expect(dialog_in(page).get_by_role("list").first).to_be_visible(timeout=60_000)


async def consented(window: Page, person: Person) -> None:
    """Consent on Instagram's page and see that the window says so."""
    await window.get_by_text(re.compile(rf"^{re.escape(person.username)}")).first.click()
    await window.get_by_role("button", name="Allow").click()
