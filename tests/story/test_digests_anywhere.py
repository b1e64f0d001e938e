"""What happened, on every platform: posted with a picture, mended when a message goes, sent to a member, and ended."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from bot.core.events import Arrival, TimerFired
from bot.core.things import Ref
from bot.core.wording import unmarked
from storage import spaces
from storage.tables import Instant
from tests.contract.platform import BUTTONS, COMMANDS, DELETING, Seen
from tests.story.any_town import AnyTown, in_mode, needs, wants
from tests.story.discord_town import TALK

pytestmark = pytest.mark.slow

SOON = 8.0
HEAD = {"en": "messages by", "zh_CN": "条消息"}
NOTED = {"en": "Noted: I write to you every Friday at 8:00", "zh_CN": "记住了：我会每周五 8:00写给你"}
STOP = {"en": "Stop", "zh_CN": "停止"}
ENDED = {"en": "Noted: I send you no digest", "zh_CN": "记住了：我不再给你发摘要"}
ENGLISH_FIRST = {"discord", "slack"}
"""Each platform tells one of the two stories in English and the other in Chinese: both, four times, would take long."""


def spoken(town: AnyTown, *, first: bool) -> str:
    """Return the language in which the first or the second story is told on a platform."""
    return "en" if (town.on.space.platform in ENGLISH_FIRST) == first else "zh_CN"


async def fires(town: AnyTown, schedule: str) -> None:
    """Let a timer come."""
    async with town.app.database.read() as connection:
        [space] = await spaces.of(connection, await town.community())
    now = town.app.clock.now()
    await town.living.inbox.put(Arrival(space=space, event=TimerFired(schedule=schedule, planned=now, at=now)))
    await town.settled()


async def overdue(town: AnyTown) -> None:
    """Let the hour of everybody who wants something have come."""
    then = Instant().process_bind_param(town.app.clock.now(), None)
    moved = text("UPDATE subscription SET next_at = :at WHERE wanted")
    await town.app.database.write(lambda connection: connection.execute(moved, {"at": str(then)}))


async def talks(town: AnyTown) -> list[tuple[Ref, Ref]]:
    """Have two members talk of boats, and return who said which message."""
    people = (town.on.owner, town.on.member)
    said = [
        (people[at % 2], await town.on.post(people[at % 2], town.on.public, line))
        for at, line in enumerate(TALK["pier"])
    ]
    await town.indexed()
    return said


async def reads(town: AnyTown, who: Ref, message: Ref, gone: str) -> str:
    """Wait until a message of the bot does not say something any more, and return what it says."""
    async with asyncio.timeout(SOON):
        while gone in (now := unmarked((await town.sees(who))[message].text)):
            await asyncio.sleep(0.1)
            await town.on.settle()
    return now


def words(told: list[Seen]) -> str:
    return unmarked("\n".join(one.text for one in told)).replace("\u200b", "")


async def test_a_digest_is_posted_with_its_picture_and_follows_what_it_rests_on(town: AnyTown) -> None:
    language = spoken(town, first=True)
    on = town.on
    said = await talks(town)
    await wants(town, digest_channel=str(on.public), digest="daily")
    assert await town.told(on.member, fires(town, "digest.daily")) == [], "a new skill only watches"
    await in_mode(town, "digest", "act")
    await wants(town, language=language)
    assert await town.told(on.member, fires(town, "digest.weekly")) == [], "daily is not weekly"
    told = await town.told(on.member, fires(town, "digest.daily"))
    assert HEAD[language] in words(told)
    assert "rudder" in words(told)
    if "files" in on.adapter.can:
        [picture] = [data for one in told for data in one.files.values()]
        assert picture.startswith(b"\x89PNG")
    if DELETING in on.lacks or "Edit" not in on.adapter.can:
        return
    for who, message in said:
        await on.delete(who, message)
    await town.settled()
    first = next(one for one in told if "rudder" in unmarked(one.text))
    assert HEAD[language] not in await reads(town, on.member, first.message, "rudder"), "nothing of it is left"


async def test_a_member_is_written_to_at_their_hour_once_and_ends_it(town: AnyTown) -> None:
    language = spoken(town, first=False)
    on = town.on
    needs(town, "OpenDirect")
    await talks(town)
    await wants(town, time_zone="Asia/Shanghai", language=language)
    newcomer = await on.arrive("Ida", language)
    await town.settled()
    direct = await town.stage.direct(newcomer)
    await town.says(newcomer, direct, "hello!")
    where = direct if COMMANDS in on.lacks else on.public
    noted = await town.told(newcomer, town.commands(newcomer, where, "/digest weekly fri"))
    assert NOTED[language] in words(noted), words(noted)
    assert await town.told(newcomer, fires(town, "digest.personal")) == []
    await overdue(town)
    told = await town.told(newcomer, fires(town, "digest.personal"))
    assert HEAD[language] in words(told)
    assert "rudder" in words(told)
    assert await town.told(newcomer, fires(town, "digest.personal")) == [], "nobody is written to twice"
    if BUTTONS in on.lacks or "buttons" not in on.adapter.can:
        ended = await town.told(newcomer, town.commands(newcomer, where, "/digest off"))
    else:
        letter = next(one for one in told if STOP[language] in one.buttons)
        ended = await town.told(newcomer, town.press(newcomer, letter.message, STOP[language]))
    assert ENDED[language] in words(ended), words(ended)
    await overdue(town)
    assert await town.told(newcomer, fires(town, "digest.personal")) == []
