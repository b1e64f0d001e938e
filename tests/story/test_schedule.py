"""What the bot does of its own accord, in the staff's hands: seen, moved, put to rest, set off, and taken back."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from adapters.playground.refusals import Refused
from bot.core.i18n import translator
from tests.command import Kinfolk
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

NOTE = "moderation.weekly"


def line(listed: str, name: str) -> str:
    """Return what is said of one schedule."""
    _before, _mark, after = listed.partition(f"**{name}**")
    return after.partition("- **")[0]


async def schedule(town: Town, words: str = "", *, by: str = STAFF) -> str:
    return await town.command(by, "staff-room", f"/schedule {words}".strip())


async def came(town: Town, name: str, why: str) -> bool:
    """Wait until a schedule came, and this is said of it."""
    async with asyncio.timeout(30):
        while not ("Came" in (told := line(await schedule(town), name)) and why in told):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    return True


async def test_staff_see_move_and_rest_what_comes_and_take_it_back(harbour: Town) -> None:
    with pytest.raises(Refused, match="for staff"):
        await harbour.command(MEMBER, "introductions", "/schedule")
    told = await schedule(harbour)
    assert "Times are those of UTC" in told
    assert line(told, NOTE).startswith(": mon 09:00, next ")
    assert "daily 16:00" in line(told, "welcome.daily")
    wrong = await harbour.command(OWNER, "staff-room", "/setup time_zone Berlinn")
    assert "Did you mean Europe/Berlin" in wrong
    await harbour.command(OWNER, "staff-room", "/setup time_zone berlin")
    told = await schedule(harbour, f"set {NOTE} thu 18:30")
    assert told.startswith("Done: let moderation.weekly come thu 18:30.")
    at = datetime.fromisoformat(told.partition("Next: ")[2][:16])
    assert (at.weekday(), at.hour, at.minute) == (3, 18, 30)
    assert "(Europe/Berlin)" in told
    assert "It is so already." in await schedule(harbour, f"set {NOTE} thursdays at 6:30pm")
    assert "rests until" in await schedule(harbour, "pause moderation")
    assert "thu 18:30, paused" in line(await schedule(harbour), NOTE)
    assert "Taken back:" in await harbour.command(STAFF, "staff-room", "/undo")
    assert "thu 18:30, next" in line(await schedule(harbour), NOTE)
    await schedule(harbour, f"set {NOTE} default")
    assert "mon 09:00" in line(await schedule(harbour), NOTE)
    assert "daily 09:00" in await schedule(harbour, f"set {NOTE} one fine day")
    assert "Say which schedule: moderation.weekly, growing.weekly" in await schedule(harbour, "pause weekly")


async def test_what_is_set_off_takes_the_path_of_every_event_and_only_watches_where_it_may_do_no_more(
    harbour: Town,
) -> None:
    before = len(harbour.sees(OWNER, "staff-room"))
    assert "comes now, out of turn" in await schedule(harbour, f"run {NOTE}")
    assert await came(harbour, NOTE, "no case was settled this week")
    said = [one.text for one in harbour.sees(OWNER, "staff-room")[before:]]
    assert not any("right in the last" in one for one in said)


async def test_a_chinese_staff_reads_and_sets_it_in_their_words(harbour: Town) -> None:
    chinese = translator("zh_CN")
    await harbour.speaks(STAFF, "zh_CN")
    told = await schedule(harbour)
    head = chinese("What I do of my own accord. Times are those of {zone} (/setup time_zone).")
    assert told.startswith(head.format(zone="UTC"))
    assert chinese("tell the staff how often the detectors were right") in line(told, NOTE)
    told = await schedule(harbour, f"set {NOTE} 每周四 18点半")
    change = chinese("let {name} come {when}").format(name=NOTE, when="thu 18:30")
    assert chinese("Done: {change}. /undo takes it back.").format(change=change) in told
    assert "`daily 09:00`" in await schedule(harbour, f"set {NOTE} 改天")


async def test_the_command_line_reads_the_same(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup time_zone Asia/Shanghai")
    await schedule(harbour, f"set {NOTE} mon 21:00")
    program = Kinfolk(home=harbour.app.settings.home)
    found = {one["name"]: one for one in await asyncio.to_thread(program.json, "schedule", "--json")}
    note = found[NOTE]
    assert (note["when"], note["zone"], note["paused"], note["missed"]) == ("mon 21:00", "Asia/Shanghai", False, 0)
    assert note["set_by"] == f"playground:{STAFF}"
    at = datetime.fromisoformat(note["next"])
    assert (at.weekday(), at.hour, at.utcoffset()) == (0, 21, timedelta(hours=8))
    shown = await asyncio.to_thread(program.run, "schedule")
    assert "mon 21:00" in shown.stdout
