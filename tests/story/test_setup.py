"""The first hour of an owner: the guide, what is missing first, presets, settings, and the notice to members."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.playground.asked import Fetch
from adapters.playground.space import HARBOUR, Post
from bot.core.events import Arrival, BotAdded
from bot.core.things import Audience
from bot.core.wording import unmarked
from storage import members, traces
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


def direct(town: Town, who: str) -> list[Post]:
    """Return what somebody reads in their direct conversation with the bot."""
    rooms = {room.id for room in town.page._space.rooms.values() if room.named.audience is Audience.DIRECT}
    return [post for post in town._posts(who) if post.room in rooms]


async def modes(town: Town) -> str:
    return await town.command(STAFF, "staff-room", "/mode")


# The guide


@in_both
async def test_whoever_adds_the_bot_is_guided_in_their_language_and_begins_there(harbour: Town, language: str) -> None:
    await harbour.speaks(OWNER, language)
    await harbour.does(Fetch(deed="fetch", by=OWNER))
    [guide] = direct(harbour, OWNER)
    hello, quiet = {"en": ("Hello!", "Quiet: only watch"), "zh_CN": ("你好！", "安静：只旁观")}[language]
    assert guide.text.startswith(hello)
    assert all(f"**/{one}" in guide.text for one in ("setup", "mode", "privacy"))
    assert "**welcome**: act" in await modes(harbour)
    await harbour.does(harbour.pressing(OWNER, guide, quiet))
    assert "mode.welcome" in direct(harbour, OWNER)[-1].text
    assert "**welcome**: watch" in await modes(harbour)
    assert not any(post.id == guide.id for post in harbour._posts(MEMBER))


async def test_the_guide_does_not_let_staff_decide_what_owners_do(harbour: Town) -> None:
    await harbour.does(Fetch(deed="fetch", by=OWNER))
    [guide] = direct(harbour, OWNER)
    owner = harbour.page._space.account(OWNER)
    harbour.page._space.keep_account(replace(owner, rank=harbour.page._space.account(STAFF).rank))
    await harbour.does(harbour.pressing(OWNER, guide, "Quiet: only watch"))
    assert direct(harbour, OWNER)[-1].text == "Only the owner sets me up."
    harbour.page._space.keep_account(owner)
    await harbour.does(harbour.pressing(OWNER, guide, "Quiet: only watch"))
    assert "**welcome**: watch" in await modes(harbour)


async def test_where_nobody_is_said_to_have_added_it_nothing_is_said_aloud_and_the_trace_tells(harbour: Town) -> None:
    before = harbour._posts(OWNER)
    event = BotAdded(at=harbour.app.clock.now())
    await harbour.page._put(Arrival(space=HARBOUR, event=event))
    await harbour.settled()
    assert harbour._posts(OWNER) == before
    async with harbour.app.database.read() as connection:
        [trace, *_] = await traces.latest(connection, await harbour.community())
    assert trace.kind == "BotAdded"
    assert "who added me" in trace.steps[0].outcome


# How things stand


async def test_what_is_missing_comes_first_until_everything_is_set(harbour: Town) -> None:
    async def first() -> str:
        return (await harbour.command(OWNER, "staff-room", "/setup")).splitlines()[0]

    await harbour.command(OWNER, "staff-room", "/setup staff_channel default")
    assert "/setup staff_channel #channel" in await first()
    await harbour.command(OWNER, "staff-room", "/setup staff_channel staff-room")
    assert "/setup welcome_channel #channel" in await first()
    await harbour.command(OWNER, "staff-room", "/setup welcome_channel channel:introductions")
    assert (await first()).startswith("Everything is set.")


async def test_a_preset_sets_all_modes_and_one_undo_takes_it_back(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup")
    told = await harbour.press(OWNER, "Careful: ask the staff")
    assert told.startswith("Done: set mode.people to ask; set mode.digest to ask; ")
    assert "**preset** = careful" in await harbour.command(OWNER, "staff-room", "/setup")
    assert "Careful: ask the staff" not in harbour.labels(OWNER, "staff-room"), "what holds is not offered"
    await harbour.command(OWNER, "staff-room", "/undo")
    assert "**welcome**: act" in await modes(harbour)
    assert (await harbour.command(OWNER, "staff-room", "/setup preset loud")).startswith("preset may be quiet, helpful")
    assert "whole community" in await harbour.command(OWNER, "staff-room", "/setup preset quiet channel:general")
    assert "mode.welcome" in await harbour.command(OWNER, "staff-room", "/setup preset quiet")
    assert await harbour.command(OWNER, "staff-room", "/setup preset quiet") == "It is so already."


async def test_a_channel_may_have_its_own_and_only_what_a_channel_can_have(harbour: Town) -> None:
    done = await harbour.command(OWNER, "staff-room", "/setup speak silent channel:garden")
    assert done.startswith("Done: set speak to silent")
    shown = await harbour.command(OWNER, "staff-room", "/setup")
    assert "**speak** = mentioned" in shown
    assert "garden" in shown.partition("**speak**")[2].splitlines()[1]
    await harbour.command(OWNER, "staff-room", "/undo")
    assert "silent" not in (await harbour.command(OWNER, "staff-room", "/setup")).replace("Say nothing", "")
    refused = await harbour.command(OWNER, "staff-room", "/setup trace_days 7 channel:garden")
    assert unmarked(refused).startswith("trace_days holds for the whole community.")


async def test_roles_are_named_as_references(harbour: Town) -> None:
    done = await harbour.command(OWNER, "staff-room", "/setup staff_roles discord:10/&5 discord:10/&6")
    shown = await harbour.command(OWNER, "staff-room", "/setup")
    for told in (done, shown):
        assert "kinfolk:role:discord:10/&5" in told
        assert "kinfolk:role:discord:10/&6" in told, "each platform calls them by their names"
    refused = await harbour.command(OWNER, "staff-room", "/setup staff_roles Moderators")
    assert unmarked(refused).startswith("staff_roles may be discord:10/&5")
    assert await harbour.command(OWNER, "staff-room", "/setup") == shown


async def test_a_staff_channel_that_everybody_reads_is_pointed_out(harbour: Town) -> None:
    assert "Everybody may read" in await harbour.command(OWNER, "staff-room", "/setup staff_channel general")
    assert "Everybody" not in await harbour.command(OWNER, "staff-room", "/setup staff_channel staff-room")


async def test_an_owner_chooses_whose_words_are_used(harbour: Town) -> None:
    async def withheld() -> set[int]:
        async with harbour.app.database.read() as connection:
            return set(await members.withheld(connection, await harbour.community()))

    marta = (await harbour.member(MEMBER)).id
    assert marta not in await withheld()
    await harbour.command(OWNER, "staff-room", "/setup")
    assert "left out from now on" in await harbour.press(OWNER, "Use words of those who agree only")
    assert marta in await withheld()
    assert "who does not say yes" in await harbour.command(MEMBER, "general", "/privacy")
    await harbour.command(MEMBER, "general", "/privacy on")
    assert marta not in await withheld()
    await harbour.command(OWNER, "staff-room", "/undo")
    assert "who does not say no" in await harbour.command(MEMBER, "general", "/privacy")


@in_both
async def test_a_setting_is_set_shown_and_taken_back(harbour: Town, language: str) -> None:
    await harbour.speaks(OWNER, language)
    done = {"en": "Done: set confidence to 0.7.", "zh_CN": "已完成：把 confidence 设为 0.7。"}[language]
    assert (await harbour.command(OWNER, "staff-room", "/setup confidence 0.7")).startswith(done)
    assert "**confidence** = 0.7" in await harbour.command(OWNER, "staff-room", "/setup")
    assert "/setup" in await harbour.command(STAFF, "staff-room", "/undo")
    assert "**confidence** = 0.7" in await harbour.command(OWNER, "staff-room", "/setup"), "only the owner sets me up"
    await harbour.command(OWNER, "staff-room", "/undo")
    shown = await harbour.command(OWNER, "staff-room", "/setup")
    assert "**confidence** = 0.0" in shown
    assert "**staff_channel** = [#staff-room]" in shown


@pytest.mark.parametrize(
    ("line", "english", "chinese"),
    [
        ("confidence 2", "confidence may be 0 … 1, not '2'.", "confidence 可以是 0 … 1，不能是 '2'。"),
        ("confidence much", "confidence may be 0 … 1, not 'much'.", "confidence 可以是 0 … 1，不能是 'much'。"),
        ("language fr", "language may be en, zh_CN, not 'fr'.", "language 可以是 en, zh_CN，不能是 'fr'。"),
        ("trace_days 0", "trace_days may be 1 … 365, not '0'.", "trace_days 可以是 1 … 365，不能是 '0'。"),
        ("colour red", "There is no setting 'colour'.", "没有 'colour' 这项设置。"),
        ("confidence", "Say the new value of confidence", "请给出 confidence 的新值"),
        (
            "staff_channel staf-room",
            "There is no channel 'staf-room' in Harbour Makers. Did you mean staff-room?",
            "Harbour Makers 里没有频道 'staf-room'。你是想说 staff-room 吗？",
        ),
    ],
)
async def test_a_wrong_value_is_told_what_it_may_be_and_changes_nothing(
    harbour: Town, line: str, english: str, chinese: str
) -> None:
    before = await harbour.command(OWNER, "staff-room", "/setup")
    assert unmarked(await harbour.command(OWNER, "staff-room", f"/setup {line}")).startswith(english)
    assert await harbour.command(OWNER, "staff-room", "/setup") == before
    await harbour.speaks(OWNER, "zh_CN")
    assert unmarked(await harbour.command(OWNER, "staff-room", f"/setup {line}")).startswith(chinese)


async def test_the_default_is_a_value_too(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup trace_days 7")
    await harbour.command(OWNER, "staff-room", "/setup trace_days default")
    assert "**trace_days** = 30" in await harbour.command(OWNER, "staff-room", "/setup")


# The notice


@in_both
async def test_the_notice_tells_everybody_in_the_language_of_the_community(harbour: Town, language: str) -> None:
    await harbour.command(OWNER, "staff-room", f"/setup language {language}")
    await harbour.command(OWNER, "staff-room", "/setup retention_days 90")
    await harbour.command(OWNER, "staff-room", "/setup read no channel:garden")
    await harbour.command(OWNER, "staff-room", "/setup contact the loft crew")
    asked = await harbour.command(MEMBER, "general", "/privacy notice")
    refused = {"en": "Only the staff posts the privacy notice.", "zh_CN": "只有管理员可以发布隐私说明。"}
    assert asked.startswith(refused[language])
    assert "/privacy export" not in harbour.last("colm", "general").text, "a refusal posts nothing"
    await harbour.command(STAFF, "general", "/privacy notice")
    notice = harbour.last("colm", "general").text
    words = {"en": ("What Kinfolk reads here", "after 90 days"), "zh_CN": ("在这里读什么", "90 天后删除")}[language]
    for part in (*words, "garden", "the loft crew", "**/privacy off**", "**/privacy export**", "**/privacy forget**"):
        assert part in notice


async def test_where_nothing_is_said_aloud_the_notice_is_not_posted_and_who_asked_hears_why(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup speak silent channel:general")
    before = [post.text for post in harbour.sees(MEMBER, "general")]
    assert "/setup speak" in await harbour.command(STAFF, "general", "/privacy notice")
    assert [post.text for post in harbour.sees(MEMBER, "general") if post.text] == before
    await harbour.command(STAFF, "garden", "/privacy notice")
    assert "What Kinfolk reads here" in harbour.last(MEMBER, "garden").text
