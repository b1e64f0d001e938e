"""People who share interests, introduced on every platform: both want it, a no is silent, and what ends in between."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.core.wording import unmarked
from storage.tables import MeetingRow
from tests.contract.platform import BUTTONS, Seen
from tests.story.any_town import AnyTown, living, needs
from tests.story.stages import Stage
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

INTRODUCE = {"en": "Introduce us: {}", "zh_CN": "介绍我们认识：{}"}
YES = {"en": "Yes, introduce us", "zh_CN": "好，介绍我们认识"}
NO = {"en": "No, thanks", "zh_CN": "不用了，谢谢"}


def words(told: list[Seen]) -> str:
    return unmarked("\n".join(one.text for one in told)).replace("\u200b", "")


@pytest.fixture
async def town(stage: Stage, home: Path, ending: None) -> AsyncIterator[AnyTown]:
    """Give the bot on each platform, where Anna and Ben talk of boats and each has talked to the bot alone."""
    async with living(stage, home) as opened:
        needs(opened, BUTTONS, "OpenDirect")
        await opened.talks()
        for who in (opened.on.owner, opened.on.member):
            await opened.stage.direct(who)
            await opened.answer(who, opened.on.public, "/people on")
        yield opened


async def request(town: AnyTown) -> tuple[Seen, str]:
    """Have Anna ask to meet Ben; return what he is asked, and in which language."""
    on = town.on
    told = await town.told(on.owner, town.commands(on.owner, on.public, "/people"))
    [offer] = [one for one in told if INTRODUCE["en"].format("Ben") in one.buttons]
    assert "You both write about" in words([offer])
    asked = await town.told(on.member, town.press(on.owner, offer.message, INTRODUCE["en"].format("Ben")))
    # On Telegram, Ben speaks Chinese.
    [request] = [one for one in asked if set(YES.values()) & set(one.buttons)]
    return request, "en" if YES["en"] in request.buttons else "zh_CN"


async def test_both_say_yes_and_each_is_told_of_the_other(town: AnyTown) -> None:
    on = town.on
    asked, language = await request(town)
    assert WOULD_LIKE[language] in words([asked])
    before = await town.sees(on.member)
    told = await town.told(on.owner, town.press(on.member, asked.message, YES[language]))
    assert "would like to meet you too" in words(told), words(told)
    assert "Hi Ben!" in words(told)
    mine = [one for ref, one in (await town.sees(on.member)).items() if before.get(ref) != one]
    assert {"en": "Hi Anna!", "zh_CN": "你好 Anna！"}[language] in words(mine), words(mine)
    assert "Nobody fits" in await town.answer(on.owner, on.public, "/people"), "who met needs no introduction"


async def test_a_no_is_told_to_nobody_and_stays_one(town: AnyTown) -> None:
    on = town.on
    asked, language = await request(town)
    assert await town.told(on.owner, town.press(on.member, asked.message, NO[language])) == []
    assert "Nobody fits" in await town.answer(on.owner, on.public, "/people")


# In both languages, on the playground

BAKER, FRIEND, QUIET = "mei.c", "priya", "colm"
BREAD = (
    "my sourdough starter doubles in four hours with rye flour",
    "the sourdough crumb is tight, more rye in the starter and a longer proof",
)
EXPLAINED = {"en": "a no is told to nobody", "zh_CN": "拒绝不会告诉任何人"}
WOULD_LIKE = {"en": "would like to meet you", "zh_CN": "想认识你"}
CLOSED = {"en": "This request is not open any more.", "zh_CN": "这个请求已经失效了。"}
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


async def introduced(harbour: Town, language: str, asker: str = BAKER) -> str:
    """Have two bakers opt in, and the one ask for the other; return what the other was asked."""
    for who in (asker, FRIEND):
        await harbour.speaks(who, language)
        for line in BREAD:
            await harbour.says(who, "bread-and-ferments", line)
    await harbour.indexed()
    for who in (asker, FRIEND):
        assert EXPLAINED[language] in await harbour.command(who, "general", "/people")
        await harbour.command(who, "general", "/people on")
    assert "sourdough" in await harbour.command(asker, "general", "/people")
    label = INTRODUCE[language].format((await harbour.member(FRIEND)).name)
    before = harbour._posts(FRIEND)
    await harbour.press(asker, label)
    [asked] = [post.text for post in harbour._posts(FRIEND) if post not in before]
    assert WOULD_LIKE[language] in asked
    return asked


@in_both
async def test_both_are_told_in_their_language_how_to_begin(harbour: Town, language: str) -> None:
    asked = await introduced(harbour, language)
    assert "sourdough" in asked
    before = harbour._posts(BAKER)
    told = await harbour.press(FRIEND, YES[language])
    heard = "".join(post.text for post in harbour._posts(BAKER) if post not in before)
    assert (await harbour.member(BAKER)).name in told
    assert (await harbour.member(FRIEND)).name in heard
    assert "sourdough" in told
    assert "sourdough" in heard


@in_both
async def test_who_opts_out_in_between_is_introduced_to_nobody(harbour: Town, language: str) -> None:
    await introduced(harbour, language)
    await harbour.command(BAKER, "general", "/people off")
    before = harbour._posts(BAKER)
    assert await harbour.press(FRIEND, YES[language]) == CLOSED[language]
    assert harbour._posts(BAKER) == before


async def test_privacy_off_ends_being_suggested_at_once_and_a_forget_takes_the_request(harbour: Town) -> None:
    await introduced(harbour, "en")
    post = next(one for one in harbour._posts(FRIEND) if any(button.label == YES["en"] for button in one.buttons))
    yes = harbour.pressing(FRIEND, post, YES["en"])
    await harbour.command(BAKER, "general", "/privacy off")
    assert await harbour._answer(FRIEND, yes) == CLOSED["en"]
    assert harbour.app._circles
    await harbour.command(BAKER, "general", "/privacy forget yes")
    assert not harbour.app._circles, "no portrait of them is kept either"
    assert await harbour._count(_meetings) == 0
    assert "You are introduced" not in await harbour._answer(FRIEND, yes)


async def _meetings(connection) -> int:
    return len((await connection.execute(MeetingRow.__table__.select())).all())


async def test_what_somebody_told_the_bot_leads_to_people_and_is_shown_to_none(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    for line in BREAD:
        await harbour.says(FRIEND, "bread-and-ferments", line)
    await harbour.indexed()
    for who in (newcomer, FRIEND):
        await harbour.command(who, "general", "/people on")
    assert "Nobody fits" in await harbour.command(newcomer, "general", "/people")
    await harbour.command(newcomer, "general", "/match sourdough starter, rye flour and pottery")
    name = (await harbour.member(FRIEND)).name
    mine = await harbour.command(newcomer, "general", "/people")
    assert name in mine
    assert "which you told me that you like" in mine
    theirs = await harbour.command(FRIEND, "general", "/people")
    assert "**Mo**" in theirs or "Mo" in theirs
    assert "What you both like is close." in theirs
    assert not {"sourdough", "pottery"} & set(re.findall(r"\w+", theirs)), "what they told is theirs"


async def test_the_staff_reads_why_and_only_who_asked_takes_a_request_back(harbour: Town) -> None:
    await harbour.joins(OWNER, "bread-and-ferments")
    await introduced(harbour, "en", asker=OWNER)
    why = await harbour.command(STAFF, "general", "/why")
    assert "asks to be introduced" in why
    assert "sourdough" not in why, "what one is told is told to nobody else"
    assert "nothing here that I could take back" in await harbour.command(STAFF, "general", "/undo")
    back = await harbour.command(OWNER, "general", "/undo")
    assert "Taken back:" in back
    assert "Cannot be taken back:" in back, "the other was asked"
    assert await harbour.press(FRIEND, YES["en"]) == CLOSED["en"]


async def _pair_by_pair(connection) -> None:
    """Let what was said about the starter be conversations of two: days of it are told in a moment here."""
    answered = "(SELECT id FROM message AS first WHERE first.ref = message.reply_to)"
    await connection.execute(
        text(f"UPDATE message SET conversation = coalesce({answered}, id) WHERE text LIKE '%rye%'")
    )


@pytest.mark.long
async def test_a_friend_is_a_reason_for_a_channel_and_introduced_to_nobody(harbour: Town) -> None:
    await harbour.joins(MEMBER, "general")
    for line in BREAD * 2:
        await harbour.says(QUIET, "general", line)
        asked = harbour.last(MEMBER, "general")
        await harbour.says(MEMBER, "general", f"mine too: {line}", reply_to=asked)
    for line in BREAD:
        await harbour.says(FRIEND, "bread-and-ferments", line)
    await harbour.indexed()
    await harbour.app.untangling().catch_up()
    await harbour.app.database.write(_pair_by_pair)
    for who in (QUIET, MEMBER, FRIEND):
        await harbour.command(who, "general", "/people on")
    friend, stranger = [(await harbour.member(one)).name for one in (MEMBER, FRIEND)]
    told = await harbour.command(QUIET, "general", "/people")
    assert stranger in told
    assert friend not in told, "they talk already"
    await (await harbour.app.matching()).learn(await harbour.community())
    assert "bread-and-ferments" in await harbour.command(QUIET, "general", "/match")
    why = await harbour.press(QUIET, "Why?")
    assert re.search(f"You already talk with .*{friend}.* there\\.", why), why
