"""Takes the page's pictures, in both themes, on a desk and on a phone: `python -m tests.web.pictures FOLDER`.

With the address of a running Kinfolk behind the folder, it takes the pictures of the docs there: of the whole bot, and
of a case, for which Hugo is warned.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.web.browser import Reader, find_browser, open_browser
from tests.web.harbour import BAIT, harbour

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
SPAM = "Earn 500 doIIars a day from home, no ski11s needed! C l a i m your spot now: http://discrod.com/gift"


async def take(folder: Path) -> None:
    """Live a short story on the page, and take it from every side."""
    async with open_browser(find_browser()) as browser, harbour() as (playground, _brain):
        for theme in THEMES:
            for size, (width, height) in SIZES.items():
                reader = await _open(browser, playground.url, theme, width, height)
                if (theme, size) == ("light", "desk"):
                    await _live(reader)
                await _take(reader, folder / f"{size}-{theme}", phone=size == "phone")
                await reader.page.context.close()


async def take_whole(folder: Path, url: str) -> None:
    """Ask a running bot where somebody belongs, and why it thinks so."""
    async with open_browser(find_browser()) as browser:
        reader = await _open(browser, url, "light", *SIZES["desk"])
        await reader.become("Colm")
        await reader.say("/match")
        answer = reader.page.locator(".message.only").last
        await expect(answer.locator(".buttons")).not_to_have_count(0, timeout=60_000)
        await reader.page.wait_for_timeout(10_000)  # what it is told while it is still speaking is not yet why
        await answer.locator(".link.why").click()
        await expect(reader.page.locator(".decision")).to_be_visible()
        await reader.page.mouse.move(0, 0)
        await reader.page.screenshot(path=folder / "playground.png")
        await _take_case(reader, folder)


async def _take_case(reader: Reader, folder: Path) -> None:
    """Have somebody write spam, and take what the staff reads of it."""
    await reader.become("Hugo")
    await reader.go_to("general")
    await reader.say(SPAM)
    await reader.become("Ana")
    await reader.go_to("staff-room")
    await expect(reader.page.get_by_role("button", name="Hacked account").last).to_be_visible(timeout=30_000)
    await reader.page.mouse.move(0, 0)
    await reader.page.screenshot(path=folder / "case.png")


async def _open(browser: Browser, url: str, theme: str, width: int, height: int) -> Reader:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB", reduced_motion="reduce"
    )
    reader = Reader(page=await context.new_page(), url=url)
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
    if len(sys.argv) not in {2, 3}:
        sys.stderr.write("Name the folder for the pictures: python -m tests.web.pictures FOLDER [URL]\n")
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_whole(folder, sys.argv[2]) if len(sys.argv) == 3 else take(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
