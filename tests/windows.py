"""A real browser, the system's own, and what its pages complain about."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Request, async_playwright, expect

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

LEFT = "net::ERR_ABORTED"  # the person went on before it was loaded

expect.set_options(timeout=30_000)  # the library's own 5 s are short on a busy machine


@asynccontextmanager
async def chromium(*more: str) -> AsyncGenerator[Browser]:
    """Run the browser while the block lasts; what one test must not see of another is kept apart by contexts."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *more], timeout=60_000)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, slots=True)
class Window:
    """A browser's page, what it complained about, and the hosts it asked."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])
    hosts: set[str | None] = field(default_factory=set[str | None])

    def watch(self) -> "Window":
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed())
        self.page.on("request", lambda asked: self.hosts.add(urlsplit(asked.url).hostname))
        return self

    def _failed(self) -> Callable[[Request], None]:
        def note(asked: Request) -> None:
            if asked.failure != LEFT:
                self.complaints.append(f"{asked.url}: {asked.failure}")

        return note

    async def shot(self, folder: Path, name: str) -> None:
        """Keep a picture for people who look."""
        await self.page.screenshot(path=Path(os.environ.get("TINTYPE_SHOTS", folder)) / f"{name}.png", full_page=True)
