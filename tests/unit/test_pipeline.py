"""One event in: in which mode, in which language, how late, and once only whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.actions import AskStaff, Say
from bot.core.decisions import Decision, Mode
from bot.core.events import Arrival, MemberJoined, MessagePosted, key
from bot.core.ports import Delivery
from bot.core.things import Ref
from brains.skills.skill import Context, Skill
from storage import members
from tests.recording import ANA, GENERAL, PLATFORM, SPACE, STAFF, WEI, SmallBot, small_bot

seen: list[Context] = []


async def _echo(context: Context) -> Decision:
    seen.append(context)
    name = context.member.name if context.member else "nobody"
    say = Say(to=GENERAL.ref, text=f"{context.language}: {name}")
    return Decision(skill="echo", actions=(say,), reason="an echo", confidence=0.5)


ECHO = Skill(
    name="echo", purpose="echoes", propose=_echo, hears=(MessagePosted, MemberJoined), commands=("help", "why")
)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    seen.clear()
    async with small_bot(home, skills=(ECHO,)) as opened:
        yield opened


async def test_a_new_skill_watches_and_its_trace_says_what_it_would_have_done(bot: SmallBot) -> None:
    trace = await bot.happens(bot.posted("hello"))
    assert trace is not None
    assert [(one.action.text, one.kept) for one in trace.verdict.rulings] == [("en: Ana", False)]
    assert trace.verdict.rulings[0].why.startswith("I only watch here")
    assert bot.plaza.done == []
    assert await bot.trace_of(trace.event) is not None


async def test_a_skill_thinks_with_what_there_is_and_finds_the_rest_away(home: Path) -> None:
    async def think(context: Context) -> Decision:
        found = await context.faculties.matchmaker("en")
        return Decision(skill="echo", actions=(context.answer(str(found)),), reason="thought")

    async def here(language: str) -> str:
        return f"here: {language}"

    told = []
    for given in ({}, {"matchmaker": here}):
        folder = home / str(len(given))
        folder.mkdir(parents=True)
        async with small_bot(folder, skills=(replace(ECHO, propose=think),), **given) as bot:
            await bot.happens(bot.command("help"))
            told.append(bot.plaza.said[-1])
    assert "I cannot think at the moment" in told[0]
    assert told[1] == "here: en"


async def test_a_mode_of_one_channel_wins_over_that_of_all(bot: SmallBot) -> None:
    await bot.mode("echo", Mode.ACT)
    await bot.tune("mode.echo", Mode.OFF, channel=str(GENERAL.ref))
    assert await bot.happens(bot.posted("hello")) is None
    elsewhere = replace(bot.posted("hello"), channel=STAFF)
    assert await bot.happens(elsewhere) is not None
    assert bot.plaza.said == ["en: Ana"]


async def test_in_ask_the_proposal_goes_to_the_staff_channel_that_was_set(bot: SmallBot) -> None:
    await bot.mode("echo", Mode.ASK)
    trace = await bot.happens(bot.posted("hello"))
    assert trace is not None
    assert "/setup staff_channel" in trace.verdict.rulings[0].why
    await bot.follow(replace(bot.posted("hi"), channel=STAFF))
    await bot.tune("staff_channel", str(STAFF.ref))
    await bot.happens(bot.posted("hello"))
    [asked] = bot.plaza.done
    assert isinstance(asked, AskStaff)
    assert asked.to == STAFF.ref
    await bot.tune("staff_channel", "plaza:burnt-down")
    gone = await bot.happens(bot.posted("hello"))
    assert gone is not None
    assert "/setup staff_channel" in gone.verdict.rulings[0].why


async def test_the_confidence_that_staff_want_is_asked_of_unasked_acts_alone(bot: SmallBot) -> None:
    await bot.mode("echo", Mode.ACT)
    await bot.tune("confidence", "0.6")
    trace = await bot.happens(bot.posted("hello"))
    assert trace is not None
    assert trace.verdict.rulings[0].why == "50% sure; here I act from 60% on."
    await bot.happens(bot.command("help"))
    assert bot.plaza.said == ["en: Ana"]


@pytest.mark.parametrize(("live", "late"), [(False, 0), (True, 601)])
async def test_what_comes_late_is_learned_from_and_never_answered(bot: SmallBot, live, late) -> None:
    await bot.mode("echo", Mode.ACT)
    for event in (bot.posted("hello"), bot.command("help")):
        bot.clock.pass_by(late)
        trace = await bot.happens(event, live=live)
        assert trace is not None
        assert trace.live is False
        assert trace.verdict.rulings[0].why.startswith("It came to me late.")
    assert bot.plaza.done == []
    await bot.happens(bot.command("help"))
    assert bot.plaza.said == ["en: Ana"]


async def test_an_event_that_comes_again_is_decided_once(bot: SmallBot) -> None:
    await bot.mode("echo", Mode.ACT)
    event = bot.posted("hello")
    await bot.happens(event)
    assert await bot.happens(event, attempts=1) is None
    assert (len(seen), bot.plaza.said) == (1, ["en: Ana"])


async def test_an_event_that_was_claimed_and_never_decided_is_decided_when_it_comes_again(bot: SmallBot) -> None:
    await bot.mode("echo", Mode.ACT)
    assert await bot.happens(bot.posted("hello"), attempts=1) is not None
    assert bot.plaza.said == ["en: Ana"]


async def test_a_rehearsal_says_what_would_be_and_does_nothing(bot: SmallBot) -> None:
    await bot.mode("echo", Mode.ACT)
    event = bot.posted("hello")
    await bot.follow(event)
    vector = asyncio.get_running_loop().create_future()
    arrival = Arrival(space=SPACE, event=event, live=False)
    old = Delivery(id=1, arrival=arrival, received_at=bot.clock.now() - timedelta(days=3))
    trace = await bot.pipeline.rehearse(old, bot.community, vector)
    assert [ruling.kept for ruling in trace.verdict.rulings] == [True]
    assert (bot.plaza.done, await bot.trace_of(key(event))) == ([], None)


async def test_it_speaks_as_the_platform_says_else_as_the_community_wants(bot: SmallBot) -> None:
    await bot.mode("echo", Mode.ACT)
    await bot.happens(bot.joined(WEI))
    bot.clock.pass_by(1)
    await bot.happens(bot.joined(replace(WEI, language="")))
    await bot.happens(bot.joined(ANA))
    await bot.tune("language", "zh_CN")
    await bot.happens(bot.joined(replace(ANA, ref=Ref(PLATFORM, "bo"), name="Bo")))
    await bot.happens(bot.joined(replace(ANA, ref=Ref(PLATFORM, "cy"), name="Cy", language="en-GB")))
    assert bot.plaza.said == ["zh_CN: 李伟", "zh_CN: 李伟", "en: Ana", "zh_CN: Bo", "en: Cy"]


async def test_reasons_for_staff_are_in_the_language_of_the_community(bot: SmallBot) -> None:
    await bot.tune("language", "zh_CN")
    trace = await bot.happens(bot.posted("hello"))
    assert trace is not None
    assert trace.verdict.rulings[0].why == "我在这里只是观察，这是我原本会做的。"


async def test_a_skill_sees_who_it_was_and_an_unknown_language_is_none_of_ours(bot: SmallBot) -> None:
    await bot.happens(bot.joined(replace(ANA, language="fr")))
    [context] = seen
    async with bot.database.read() as connection:
        known = await members.by_ref(connection, bot.community, ANA.ref)
    assert context.member == known
    assert (context.language, context.space, context.now) == ("en", SPACE.ref, bot.clock.now())


async def test_what_was_set_holds_for_the_very_next_event(bot: SmallBot) -> None:
    """The policy is kept in memory for a moment; what this process itself sets holds at once."""

    async def sets(context: Context) -> Decision:
        from bot.core.actions import SetPolicy

        change = SetPolicy(name="mode.echo", value="act")
        return Decision(skill="sets", actions=(change,), reason="to act")

    setter = Skill(name="sets", purpose="sets", propose=sets, commands=("setup",))
    pipeline = replace(bot.pipeline, skills=(ECHO, setter))
    bot.pipeline = pipeline
    await bot.happens(bot.posted("hello"))
    await bot.happens(replace(bot.command("setup"), rank=2))
    await bot.happens(bot.posted("hello"))
    assert bot.plaza.said == ["en: Ana"]
