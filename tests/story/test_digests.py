"""What happened, in the sample's town: asked for, subscribed to, sent at their hour once, mended, and ended."""

from __future__ import annotations

import asyncio
import functools

import pytest
from sqlalchemy import text

from adapters.playground.asked import Remove
from adapters.playground.space import Post
from bot.core.decisions import Mode
from bot.core.events import Arrival, TimerFired
from bot.core.wording import unmarked
from bot.harbour import HARBOUR
from storage import policies, subscriptions
from storage.tables import Instant
from tests.story.conftest import Opening
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

BREAD = (
    ("priya", "my sourdough starter doubles in four hours now, the rye flour made all the difference"),
    ("marta", "with rye flour? my sourdough starter sleeps for a whole day in the cold kitchen"),
    ("priya", "keep the sourdough starter at 26 degrees and feed the rye flour twice a day"),
    ("marta", "we decided to bake forty loaves of sourdough for the harbour market in May"),
)
SECRET = (
    (OWNER, "the quartermaster reported the crane again, the crane stays closed until the inspection"),
    (STAFF, "the inspection of the crane costs four thousand, the crane waits for the council"),
)
SOON = 6.0
NOTED = {"en": "Noted: I write to you every day at 8:00", "zh_CN": "记住了：我会每天 8:00写给你"}
ENDS = {"en": "`/digest off` ends it", "zh_CN": "用 `/digest off` 结束"}
STOP = {"en": "Stop", "zh_CN": "停止"}
ENDED = {"en": "Noted: I send you no digest", "zh_CN": "记住了：我不再给你发摘要"}
COUNTED = {"en": "4 messages", "zh_CN": "4 条消息"}


async def talks(town: Town) -> list[str]:
    """Have bread be talked of by members, and the crane by the staff; return the messages of the former."""
    said = [await town.says(who, "bread-and-ferments", words) for who, words in BREAD]
    first = None
    for who, words in SECRET:
        await town.says(who, "staff-room", words, reply_to=first)
        first = town._posts(OWNER)[-1]
    await town.indexed()
    await town.app.untangling().catch_up()
    return said


async def fires(town: Town, schedule: str) -> None:
    """Let a timer come."""
    now = town.app.clock.now()
    await town.living.inbox.put(Arrival(space=HARBOUR, event=TimerFired(schedule=schedule, planned=now, at=now)))
    await town.settled()


async def overdue(town: Town) -> None:
    """Let the hour of everybody who wants something have come."""
    then = Instant().process_bind_param(town.app.clock.now(), None)
    moved = text("UPDATE subscription SET next_at = :at WHERE wanted")
    await town.app.database.write(lambda connection: connection.execute(moved, {"at": str(then)}))


def new(town: Town, who: str, before: set[str]) -> list[Post]:
    return [one for one in town._posts(who) if one.id not in before and one.text]  # without: what it would have said


def seen(town: Town, who: str) -> set[str]:
    return {one.id for one in town._posts(who)}


async def follows(town: Town, post: Post) -> str:
    """Wait until a message of the bot says something else, and return that."""
    async with asyncio.timeout(SOON):
        while post.text == town.page._space.posts[post.id].text:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.05)
    return town.page._space.posts[post.id].text


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.long
async def test_a_member_asks_subscribes_is_written_to_once_and_ends_it(harbour: Town, language: str) -> None:
    said = await talks(harbour)
    newcomer = await harbour.arrives("Mo", language)
    answer = await harbour.command(newcomer, "general", "/digest days:1")
    assert COUNTED[language] in answer, answer
    assert "sourdough" in answer
    assert "bread-and-ferments" in answer
    assert "crane" not in answer
    assert "crane" in await harbour.command(OWNER, "general", "/digest days:1")
    alone = await harbour.command(newcomer, "general", "/digest channel:general")
    assert "sourdough" not in alone

    assert "Europe/Dublin" in await harbour.command(newcomer, "general", "/digest daily 8 Europe/Berlim")
    assert NOTED[language] in await harbour.command(newcomer, "general", "/digest daily 8 Europe/Berlin")
    before = seen(harbour, newcomer)
    await fires(harbour, "digest.personal")
    assert new(harbour, newcomer, before) == [], "their hour has not come"
    await overdue(harbour)
    await fires(harbour, "digest.personal")
    [letter] = new(harbour, newcomer, before)
    assert ENDS[language] in letter.text
    assert "sourdough" in letter.text
    await fires(harbour, "digest.personal")
    assert len(new(harbour, newcomer, before)) == 1, "nobody is written to twice"

    quoted = next(one for one in said if f"kinfolk:message:playground:{one}" in letter.text)
    await harbour.page._do(Remove(deed="remove", by=next(who for who, _ in BREAD), message=said[0]))
    for one in said[1:]:
        author = harbour.page._space.posts[one].author
        await harbour.page._do(Remove(deed="remove", by=author, message=one))
    assert "sourdough" not in unmarked(await follows(harbour, letter)), quoted

    before = seen(harbour, newcomer)
    assert ENDED[language] in await harbour.command(newcomer, "general", "/digest off")
    await overdue(harbour)
    await fires(harbour, "digest.personal")
    assert len(new(harbour, newcomer, before)) == 1, "only the answer to the command"


@pytest.mark.long
async def test_a_digest_is_posted_where_staff_want_it_with_its_picture_and_loses_what_is_deleted(
    opening: Opening,
) -> None:
    async with opening() as town:
        said = await talks(town)
        for words in ("which caulk holds at the transom of a larch dinghy?", "the larch dinghy leaks at the transom"):
            await town.says(OWNER, "general", words)
        await town.indexed()
        await fires(town, "digest.weekly")
        before = seen(town, MEMBER)
        await town.command(OWNER, "staff-room", "/setup digest_channel #general")
        await set_to(town, "mode.digest", Mode.WATCH)
        assert "/mode digest act" in await town.command(OWNER, "staff-room", "/setup digest daily")
        await town.command(OWNER, "staff-room", "/setup digest default")
        await fires(town, "digest.weekly")
        assert new(town, MEMBER, before) == [], "nobody said where, then it only watched"
        await set_to(town, "mode.digest", Mode.ACT)
        await fires(town, "digest.daily")
        assert new(town, MEMBER, before) == [], "weekly is not daily"
        await fires(town, "digest.weekly")
        [post] = new(town, MEMBER, before)
        assert "sourdough" in post.text
        assert "crane" not in post.text
        [picture] = post.files
        assert picture.data.startswith(b"\x89PNG")
        for one in said:
            await town.page._do(Remove(deed="remove", by=town.page._space.posts[one].author, message=one))
        left = await follows(town, post)
        assert "sourdough" not in left
        assert "transom" in left, "what others said stays"


async def set_to(town: Town, name: str, value: str) -> None:
    put = functools.partial(policies.put, community=await town.community(), name=name, value=value)
    await town.app.database.write(put)
    await asyncio.sleep(1.1)  # what staff set is read again after a second


async def wants(town: Town, who: str) -> str:
    member = await town.member(who)
    async with town.app.database.read() as connection:
        held = await subscriptions.of(connection, "digest", member.id)
    return held.when if held else ""


@pytest.mark.long
async def test_the_button_under_a_digest_ends_it_and_undo_is_theirs(harbour: Town) -> None:
    await talks(harbour)
    await harbour.command(MEMBER, "general", "/digest weekly fri 18 Asia/Shanghai")
    assert await wants(harbour, MEMBER) == "weekly fri 18 Asia/Shanghai"
    await overdue(harbour)
    await fires(harbour, "digest.personal")
    assert ENDED["en"] in await harbour.press(MEMBER, STOP["en"])
    assert await wants(harbour, MEMBER) == "off"
