"""A browser of this machine, for the tests of the page and for its pictures."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
expect.set_options(timeout=30_000)  # milliseconds, as actions have: tests share their machine
MISSING = f"needs one of {', '.join(NAMES)} in PATH"


def find_browser() -> str:
    """Return the browser's path; skips the test without one, and fails it where KINFOLK_REQUIRE_BROWSER says so."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        (pytest.fail if os.environ.get("KINFOLK_REQUIRE_BROWSER") == "1" else pytest.skip)(MISSING)
    return found


@contextlib.asynccontextmanager
async def open_browser(path: str) -> AsyncIterator[Browser]:
    """Start the browser; without its sandbox, which root may not have, since it opens our own page alone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


@dataclass
class Reader:
    """Somebody in front of the page."""

    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)

    async def open(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        await self.page.goto(self.url)
        await self.field.wait_for()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(message.text)

    @property
    def field(self) -> Locator:
        return self.page.locator("#write")

    @property
    def messages(self) -> Locator:
        return self.page.locator(".message")

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text).last

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def use(self, message: Locator, tool: str) -> None:
        await message.hover()
        await message.locator(".tools").get_by_label(tool, exact=True).click()

    async def become(self, name: str) -> None:
        await self.page.locator("#who").click()
        await self.page.get_by_label("Search members").fill(name)
        await self.page.keyboard.press("Enter")
        await self.page.locator("#who strong").filter(has_text=name).wait_for()
        await self.field.wait_for()

    async def go_to(self, channel: str) -> None:
        await self.page.keyboard.press("Control+k")
        await self.page.get_by_label("Search channels").fill(channel)
        await self.page.keyboard.press("Enter")
        await self.page.locator("#head h2").filter(has_text=channel).wait_for()
