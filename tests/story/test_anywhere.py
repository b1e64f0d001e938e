"""Every story on every platform: a message comes in, and what do members see? A table at the end says what holds where.

What a platform has not got is left out with its reason; what it has instead is told in the story itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.core.ports import Scope
from bot.core.things import Ref
from bot.core.wording import unmarked
from tests.contract.platform import AWAY, BUTTONS, CLOSED, DELETING, EDITING, Refused, Seen
from tests.story.any_town import AnyTown, in_mode, living, needs, wants
from tests.story.discord_town import WICK
from tests.story.stages import Stage

pytestmark = pytest.mark.slow

SECRET = "the quartermaster hid saffron and cardamom under the floor"
LARCH = "who else has larch for a keel and pintles for the rudder of a dinghy?"


def offers(town: AnyTown, told: list[Seen]) -> bool:
    """Say whether the lanterns are offered, and the closed channel is not."""
    words = "\n".join(one.text for one in told)
    assert CLOSED in town.on.lacks or "office" not in words
    return town.stage.marks in words


def bots(town: AnyTown, seen: Mapping[Ref, Seen]) -> set[Ref]:
    """Return the references of what the bot said."""
    return {message for message, one in seen.items() if one.author == town.on.bot}


# Members


async def test_match_is_answered_for_who_asks_alone(town: AnyTown) -> None:
    await town.talks()
    on = town.on
    before = await town.sees(on.member)
    told = await town.told(on.owner, town.commands(on.owner, on.public, f"/match {WICK}"))
    assert offers(town, told)
    theirs = {one.message for one in told}
    after = await town.sees(on.member)
    assert not theirs & (set(after) - set(before)), "nobody else is shown it"


async def test_a_question_in_words_is_answered_aloud_and_binds_for_itself_alone(town: AnyTown) -> None:
    await town.talks()
    on = town.on
    told = await town.told(on.owner, town.asks(on.member, on.public, f"who else has {WICK}?"))
    assert offers(town, told)
    [answer] = told
    assert not answer.only_me
    again = await town.told(on.owner, town.says(on.member, on.public, "and wax for the wick of the other lantern?"))
    assert again == []


async def test_alone_with_the_bot_a_question_is_answered_and_not_kept(town: AnyTown) -> None:
    await town.talks()
    on = town.on
    direct = await town.stage.direct(on.owner)
    told = await town.told(on.owner, town.says(on.owner, direct, f"I want {WICK}"))
    assert offers(town, told)
    assert f"I want {WICK}" not in (await town.stored()).values()


async def test_why_under_an_offer_quotes_what_was_said_there(town: AnyTown) -> None:
    needs(town, BUTTONS)
    await town.talks()
    on = town.on
    told = await town.told(on.owner, town.commands(on.owner, on.public, f"/match {WICK}"))
    offer = next(one for one in told if one.buttons)
    why = await town.told(on.owner, town.press(on.owner, offer.message, "Why?"))
    assert any("bamboo" in unmarked(one.text) for one in why)


async def test_a_newcomer_is_welcomed_and_led_to_a_channel(town: AnyTown) -> None:
    needs(town, BUTTONS)
    await town.talks()
    on = town.on
    await wants(town, welcome_channel=str(on.public))
    await in_mode(town, "welcome", "act")
    before = await town.sees(on.owner)
    newcomer = await on.arrive("Ida", "en")
    await town.settled()
    [hello] = [one for ref, one in (await town.sees(on.owner)).items() if ref not in before and one.author == on.bot]
    assert "Ida" in hello.text
    assert offers(town, [hello])
    stolen = await town.told(on.member, town.press(on.member, hello.message, "Join #lanterns"))
    assert not any("You are in" in one.text for one in stolen)
    joined = await town.told(newcomer, town.press(newcomer, hello.message, "Join #lanterns"))
    assert any(town.stage.marks in one.text for one in joined if one.message != hello.message), joined


async def test_in_a_silent_channel_nothing_is_said_and_why_says_why(town: AnyTown) -> None:
    await town.talks()
    on = town.on
    told = await town.answer(on.owner, on.private, f"/setup speak silent channel:{on.public}")
    assert "Done:" in told, told
    assert await town.told(on.owner, town.asks(on.member, on.public, f"who else has {WICK}?")) == []
    assert "Here I say nothing aloud" in await town.answer(on.owner, on.public, "/why")
    ida = await town.comes_in("Ida")
    assert await town.told(ida, town.asks(ida, town.stage.lanterns, LARCH))


# Staff


async def test_staff_learn_why_and_take_back_and_members_do_neither(town: AnyTown) -> None:
    if not town.on.adapter.can & {"Delete", "Delete-own"}:
        pytest.skip("what the bot said stays there")
    await town.talks()
    on = town.on
    [answer] = await town.told(on.owner, town.asks(on.member, on.public, f"who else has {WICK}?"))
    for command in ("/why", "/undo"):
        try:
            refused = await town.answer(on.member, on.public, command)
        except Refused as by_the_platform:
            refused = str(by_the_platform)
        assert "staff" in refused or "管理员" in refused, refused
    assert answer.message in await town.sees(on.owner)
    assert "posted" in unmarked(await town.answer(on.owner, on.public, f"/why {answer.message}"))
    assert "Taken back:" in await town.answer(on.owner, on.public, f"/undo {answer.message}")
    assert answer.message not in await town.sees(on.owner)


async def test_a_member_is_timed_out_by_staff_and_it_is_undone(town: AnyTown) -> None:
    needs(town, "Timeout")
    on = town.on
    await town.says(on.member, on.public, "and louder")
    told = await town.told(on.owner, town.asks(on.owner, on.public, "mod timeout Ben 5 too loud"))
    assert any("for 5 minutes" in one.text for one in told), [one.text for one in told]
    with pytest.raises(Refused):
        await on.post(on.member, on.public, "but")
    await town.answer(on.owner, on.public, "/undo")
    thanks = await town.says(on.member, on.public, "thank you")
    assert thanks in await town.sees(on.owner)


async def test_what_a_platform_cannot_is_said_and_nothing_is_done(town: AnyTown) -> None:
    on = town.on
    if {"Timeout", "Kick", "Ban"} <= on.adapter.can:
        pytest.skip("it can all of it")
    act = next(one for one in ("Timeout", "Ban", "Kick") if one not in on.adapter.can)
    told = await town.told(on.owner, town.asks(on.owner, on.public, f"mod {act.lower()} Ben too loud"))
    assert told
    assert not any(one.text.startswith("Done:") for one in told)
    assert (await on.who_is(on.member)).here


async def test_a_report_reaches_the_staff_who_settle_it(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff")
    on = town.on
    await wants(town, staff_channel=str(on.private), language="en")
    ida = await on.arrive("Ida", "en")
    rude = await town.says(ida, on.public, "you are *all* idiots @everyone")
    before = await town.sees(on.owner)
    thanks = await town.answer(on.member, on.public, f"/report {rude} unkind")
    assert "Thank you." in thanks or "谢谢" in thanks, thanks
    [report] = [one for ref, one in (await town.sees(on.owner)).items() if ref not in before and one.author == on.bot]
    for part in ("idiots", "unkind"):
        assert part in unmarked(report.text)
    assert report.buttons == ["Spam", "Hacked account", "Off-topic", "Rude", "Fine"]
    told = await town.told(on.owner, town.press(on.owner, report.message, "Rude"))
    if "Delete" in on.adapter.can:
        assert rude not in await town.sees(on.owner)
    else:
        assert rude in await town.sees(on.owner)
        assert any("delete" in one.text for one in told), [one.text for one in told]
    [settled] = [one for one in told if one.message == report.message]
    assert (settled.buttons, "Rude, decided by" in unmarked(settled.text)) == ([], True)


# Privacy


async def points(town: AnyTown) -> int:
    """Count the vectors of all messages, once those that wait are written."""
    await town.indexed()
    return await (await town.app.vectors()).count(Scope(community=(await town.community()).id))


async def test_an_edit_follows_through_to_the_tables_and_the_vectors(town: AnyTown) -> None:
    needs(town, EDITING)
    on = town.on
    made = await town.says(on.member, on.public, "oakum and saffron")
    count = await points(town)
    await on.edit(on.member, made, "tar and pitch")
    await town.settled()
    assert (await town.stored())[str(made)] == "tar and pitch"
    assert await points(town) == count


async def test_a_deletion_follows_through_to_the_tables_and_the_vectors(town: AnyTown) -> None:
    needs(town, DELETING)
    on = town.on
    made = await town.says(on.member, on.public, "oakum and saffron")
    count = await points(town)
    await on.delete(on.member, made)
    await town.settled()
    assert str(made) not in await town.stored()
    assert await points(town) == count - 1


async def test_a_member_sees_what_is_held_and_is_forgotten_for_good(town: AnyTown) -> None:
    on = town.on
    await town.says(on.member, on.public, "I like saffron")
    await town.indexed()
    exported = await town.told(on.member, town.commands(on.member, on.public, "/privacy export"))
    held = [data.decode() for one in exported for data in one.files.values()] + [one.text for one in exported]
    if "files" in on.adapter.can:
        assert any("I like saffron" in one for one in held)
    done = await town.answer(on.member, on.public, "/privacy forget sure:yes")
    assert "0 left" in done or "剩余 0" in done or "0 条" in done, done
    await town.says(on.member, on.public, "and cardamom")
    await town.says(on.owner, on.public, "I like oakum")
    texts = set((await town.stored()).values())
    assert "I like oakum" in texts
    assert not {"I like saffron", "and cardamom", "Hello."} & texts


async def test_who_wants_not_to_be_collected_is_not_and_may_come_back(town: AnyTown) -> None:
    on = town.on
    await town.commands(on.member, on.public, "/privacy off")
    await town.says(on.member, on.public, "unheard")
    await town.commands(on.member, on.public, "/privacy on")
    await town.says(on.member, on.public, "heard")
    texts = (await town.stored()).values()
    assert "heard" in texts
    assert "unheard" not in texts


async def test_a_closed_channel_shows_to_nobody_who_may_not_read_it(town: AnyTown) -> None:
    needs(town, CLOSED)
    await town.talks()
    on = town.on
    await town.says(on.owner, on.private, SECRET)
    await town.indexed()
    told = await town.told(on.member, town.commands(on.member, on.public, f"/match {SECRET}"))
    assert told
    for part in ("saffron and", "office", on.private.id):
        assert part not in "\n".join(one.text for one in told)
    assert str(on.private) not in await town.reads(on.member)
    assert str(on.private) in await town.reads(on.owner)


# Trouble


async def test_many_messages_over_all_channels_are_stored_once_and_in_order(town: AnyTown) -> None:
    on = town.on
    posted = {}
    people = (await town.comes_in("Olu"), await town.comes_in("Zoe"))
    for number in range(60):
        channel = (on.public, town.stage.lanterns)[number % 2]
        made = await on.post(people[number // 2 % 2], channel, f"number {number}")
        posted[str(made)] = f"number {number}"
        await asyncio.sleep(0)
    await town.settled()
    stored = {ref: words for ref, words in (await town.stored()).items() if words.startswith("number")}
    assert stored == posted


async def test_being_told_to_wait_is_waited_out_and_the_answer_arrives_once(town: AnyTown) -> None:
    if "limit" not in town.stage.troubles:
        pytest.skip("nobody is told to wait there")
    await town.talks()
    on = town.on
    await town.stage.troubles["limit"](on.public)
    told = await town.told(on.owner, town.asks(on.member, on.public, f"who else has {WICK}?"))
    assert len(told) == 1
    assert offers(town, told)


async def test_what_members_write_neither_pings_nor_formats(town: AnyTown) -> None:
    on = town.on
    await town.talks()
    ida = await town.comes_in("Ida")
    for words in (f"@everyone {WICK} *x* `y` <b>z</b> <!channel>", f"@here {WICK} [link](https://example.org) _u_"):
        await town.says(ida, town.stage.lanterns, words)
    await town.indexed()
    [answer] = await town.told(on.owner, town.asks(on.member, on.public, f"who else has {WICK}?"))
    assert offers(town, [answer])
    assert not re.search(town.stage.alive, answer.text), answer.text


async def test_after_downtime_what_was_said_is_learned_and_none_of_it_answered(
    stage: Stage, home: Path, ending: None
) -> None:
    stage.turn_back(3600)
    async with living(stage, home) as town:
        needs(town, AWAY)
        await town.talks()
        on = town.on
        said = bots(town, await town.sees(on.owner))
    stage.turn_back(1800)
    for number in range(10):
        await on.post(on.member, on.public, on.to_bot(f"number {number}"))
    late = await on.post(on.member, on.public, "oakum")
    stage.turn_back(0)
    async with living(stage, home) as town:
        texts = await town.stored()
        assert texts[str(late)] == "oakum"
        assert sum("number" in words for words in texts.values()) == 10
        assert bots(town, await town.sees(town.on.owner)) == said
        asked = town.asks(town.on.member, town.on.public, f"who else has {WICK}?")
        assert offers(town, await town.told(on.owner, asked))
