"""Takes the page's pictures, in both themes, on a desk and on a phone: `python -m tests.web.pictures FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser, expect

from adapters.playground import Playground
from tests.web.browser import Reader, find_browser, open_browser
from tests.web.harbour import BAIT, harbour

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")


async def take(folder: Path) -> None:
    """Live a short story on the page, and take it from every side."""
    async with open_browser(find_browser()) as browser, harbour() as (playground, _brain):
        for theme in THEMES:
            for size, (width, height) in SIZES.items():
                reader = await _open(browser, playground, theme, width, height)
                if (theme, size) == ("light", "desk"):
                    await _live(reader)
                await _take(reader, folder / f"{size}-{theme}", phone=size == "phone")
                await reader.page.context.close()


async def _open(browser: Browser, playground: Playground, theme: str, width: int, height: int) -> Reader:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB", reduced_motion="reduce"
    )
    reader = Reader(page=await context.new_page(), playground=playground)
    await reader.open()
    return reader


async def _live(reader: Reader) -> None:
    await reader.become("Dmitri")
    await reader.say("Kinfolk, which glue holds a printed bracket?")
    await expect(reader.page.locator(".message.bot").last).to_contain_text("hot glue.")
    await reader.say(f"Get {BAIT} here, only today")
    await reader.become("Ana")
    await expect(reader.page.locator(".ghost")).to_be_visible()
    await reader.say("/match rye bread")
    await expect(reader.page.locator(".message.only")).to_be_visible()


async def _take(reader: Reader, name: Path, *, phone: bool) -> None:
    page = reader.page
    await page.screenshot(path=f"{name}.png")
    await page.locator(".link.why").last.click()
    await expect(page.locator(".decision")).to_be_visible()
    await page.wait_for_timeout(250)
    await page.screenshot(path=f"{name}-why.png")
    if phone:
        await page.keyboard.press("Escape")
        await page.locator("#top").get_by_label("Channels").click()
        await page.wait_for_timeout(250)
        await page.screenshot(path=f"{name}-channels.png")
        await page.keyboard.press("Escape")
    await reader.field.fill("")
    await reader.field.press_sequentially("/")
    await page.screenshot(path=f"{name}-command.png")


def main() -> int:
    """Take the pictures into the folder that is named."""
    if len(sys.argv) != 2:
        sys.stderr.write("Name the folder for the pictures: python -m tests.web.pictures FOLDER\n")
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
