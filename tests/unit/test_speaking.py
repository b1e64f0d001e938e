"""When the bot speaks, to whom and at whose word: levels of channels, mentions, roles, shut direct messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.actions import Ban, OpenDirect, Say
from bot.core.decisions import Decision, Mode, Receipt, Trace
from bot.core.errors import Gone
from bot.core.events import (
    BotAdded,
    ButtonPressed,
    ChannelChanged,
    CommandGiven,
    MemberChanged,
    MemberJoined,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Named,
    ReactionAdded,
    TimerFired,
)
from bot.core.things import Audience, Rank, Ref
from bot.policy import occasion
from brains.skills.skill import Context, Skill
from tests.recording import ANA, GENERAL, PLATFORM, SPACE, STAFF, WEI, SmallBot, small_bot
from tests.words import MONDAY

Opened = Callable[..., AbstractAsyncContextManager[SmallBot]]
ROBOT = Named(ref=Ref(PLATFORM, "robot"), name="Robot", bot=True)
DIRECT = Named(ref=Ref(PLATFORM, "d1"), name="Ana", audience=Audience.DIRECT)
REASON = "Here I speak only when mentioned (/setup speak)."


async def _answer(context: Context) -> Decision:
    rank = context.rank.name.lower()
    return Decision(skill="parrot", actions=(context.answer(f"hello {rank}"),), reason="was spoken to")


async def _hear(context: Context) -> Decision:
    return Decision(skill="gossip", actions=(Say(to=GENERAL.ref, text="did you hear?"),), reason="has news")


PARROT = Skill(
    name="parrot", purpose="answers", propose=_answer, spoken_to=(MessagePosted,), commands=("help", "why", "mode")
)
GOSSIP = Skill(name="gossip", purpose="talks", propose=_hear, hears=(MessagePosted, MemberJoined))


@pytest.fixture
def opened(home: Path) -> Opened:
    """Open a bot in which every skill may act, at the level at which communities begin."""

    @asynccontextmanager
    async def open_it(*skills: Skill) -> AsyncIterator[SmallBot]:
        async with small_bot(home, skills=skills) as bot:
            await bot.tune("speak", "")
            for skill in skills:
                await bot.mode(skill.name, Mode.ACT)
            yield bot

    return open_it


def outcomes(trace: Trace | None) -> dict[str, str]:
    assert trace is not None
    return {step.skill: step.outcome for step in trace.steps}


HERE = {"channel": GENERAL, "at": MONDAY}
ASKED = {"member": ANA, "rank": Rank.MEMBER, "invocation": Ref(PLATFORM, "i"), **HERE}
POSTED = MessagePosted(message=Ref(PLATFORM, "m"), author=ANA, text="hello", source=PLATFORM, **HERE)
LEAST = [
    (POSTED, "helpful"),
    (replace(POSTED, mentioned=True), "mentioned"),
    (MessageEdited(message=POSTED.message, author=ANA, text="hi", revision=1, **HERE), "helpful"),
    (MessageDeleted(message=POSTED.message, **HERE), "helpful"),
    (ReactionAdded(message=POSTED.message, member=ANA, emoji="👍", sequence=1, **HERE), "helpful"),
    (CommandGiven(command="help", **ASKED), "commands"),
    (ButtonPressed(button="t", message=POSTED.message, **ASKED), "commands"),
    (MemberJoined(member=ANA, at=MONDAY), "mentioned"),
    (MemberChanged(member=ANA, at=MONDAY, revision=1), "mentioned"),
    (ChannelChanged(revision=1, **HERE), "mentioned"),
    (BotAdded(by=ANA, at=MONDAY), "mentioned"),
    (TimerFired(schedule="weekly", planned=MONDAY, at=MONDAY), "mentioned"),
]


@pytest.mark.parametrize(("event", "least"), LEAST, ids=lambda one: one if isinstance(one, str) else type(one).__name__)
def test_what_a_channel_must_want_to_hear_for_an_answer(event, least: str) -> None:
    assert occasion(event) == least


async def test_a_community_hears_what_it_asks_for_and_of_newcomers_until_it_wants_more(opened: Opened) -> None:
    async with opened(PARROT, GOSSIP) as bot:
        chat = await bot.happens(bot.posted("hello"))
        assert chat is not None
        assert [(one.kept, one.why) for one in chat.verdict.rulings] == [(False, REASON)]
        await bot.happens(bot.joined())
        assert bot.plaza.said == ["did you hear?"]
        await bot.tune("speak", "helpful", channel=str(GENERAL.ref))
        await bot.happens(bot.posted("hello again"))
        assert bot.plaza.said == ["did you hear?"] * 2


async def test_a_mention_is_answered_in_its_thread_and_binds_for_that_question_alone(opened: Opened) -> None:
    async with opened(PARROT) as bot:
        thread = Named(ref=Ref(PLATFORM, "t1"), name="boats")
        asked = bot.posted("@Kinfolk hello", mentioned=True, thread=thread)
        await bot.happens(asked)
        [said] = bot.plaza.done
        assert said == Say(to=GENERAL.ref, text="hello member", thread=thread.ref, reply_to=asked.message)
        assert await bot.happens(bot.posted("and what of hats?", thread=thread)) is None
        assert len(bot.plaza.done) == 1


async def test_with_the_bot_alone_one_is_answered_plainly_at_any_level_and_nothing_is_kept(opened: Opened) -> None:
    async with opened(PARROT) as bot:
        await bot.tune("speak", "silent")
        await bot.happens(replace(bot.posted("hello", mentioned=True), channel=DIRECT))
        await bot.happens(replace(bot.command("help"), channel=DIRECT))
        first, second = bot.plaza.done
        assert first == Say(to=DIRECT.ref, text="hello member")
        assert second == replace(first, invocation=second.invocation)
        await bot.happens(bot.posted("hello", mentioned=True))
        assert len(bot.plaza.done) == 2, "in the channel there is silence"


async def test_whoever_is_mentioned_and_silent_leaves_a_trace_that_says_why(opened: Opened) -> None:
    async with opened(PARROT, GOSSIP) as bot:
        await bot.tune("speak", "commands")
        hushed = await bot.happens(bot.posted("@Kinfolk hello", mentioned=True))
        assert hushed is not None
        assert {one.why for one in hushed.verdict.rulings} == {"Here I answer commands alone (/setup speak)."}
        robot = await bot.happens(bot.posted("@Kinfolk beep", by=ROBOT, mentioned=True))
        assert outcomes(robot) == {"kinfolk": "I never answer a bot."}
        assert robot is not None
        assert await bot.trace_of(robot.event) is not None
        assert await bot.happens(bot.posted("beep", by=ROBOT)) is None
        assert bot.plaza.done == []


async def test_a_skill_may_say_why_it_has_no_answer(opened: Opened) -> None:
    async def shrugs(_context: Context) -> Decision:
        return Decision(skill="parrot", actions=(), reason="there are no words")

    async with opened(replace(PARROT, propose=shrugs)) as bot:
        trace = await bot.happens(bot.posted("@Kinfolk", mentioned=True))
        assert outcomes(trace) == {"parrot": "there are no words"}
        assert trace is not None
        assert trace.verdict.rulings == ()
        assert await bot.happens(bot.posted("hello")) is None


async def test_where_no_skill_answers_a_mention_that_is_said(opened: Opened) -> None:
    async with opened(replace(PARROT, spoken_to=())) as bot:
        trace = await bot.happens(bot.posted("@Kinfolk hello", mentioned=True))
        assert outcomes(trace) == {"kinfolk": "No skill of mine answers this."}
        assert await bot.happens(bot.posted("hello")) is None


async def test_who_was_forgotten_and_mentions_the_bot_leaves_nothing(opened: Opened) -> None:
    async with opened(PARROT) as bot:
        await bot.database.write(lambda c: bot.refusals.refuse(c, bot.community, ANA.ref))
        event = bot.posted("@Kinfolk hello", mentioned=True)
        assert await bot.happens(event) is None
        assert await bot.happens(bot.posted("@Kinfolk hello", by=WEI, mentioned=True)) is not None
        assert len(bot.plaza.said) == 1


async def test_a_mention_asks_who_says_so_and_leaves_the_others_to_their_mode(opened: Opened) -> None:
    async with opened(PARROT, GOSSIP) as bot:
        for name in ("parrot", "gossip"):
            await bot.mode(name, Mode.WATCH)
        trace = await bot.happens(bot.posted("@Kinfolk hello", mentioned=True))
        assert trace is not None
        assert [(one.skill, one.asked) for one in trace.verdict.decisions] == [("parrot", True), ("gossip", False)]
        assert [one.kept for one in trace.verdict.rulings] == [True, False]
        assert trace.verdict.rulings[1].why.startswith("I only watch here")


async def test_who_mentions_the_bot_hears_of_what_went_wrong_and_who_does_not_hears_nothing(opened: Opened) -> None:
    async def fails(_context: Context) -> Decision:
        raise Gone("the worker's log is /var/worker.log")

    async with opened(replace(PARROT, propose=fails), replace(GOSSIP, propose=fails)) as bot:
        await bot.happens(bot.posted("hello"))
        assert bot.plaza.done == []
        asked = bot.posted("@Kinfolk hello", mentioned=True)
        await bot.happens(asked)
        [told] = bot.plaza.done
        assert told.text.startswith("I cannot think at the moment")
        assert (told.only, told.reply_to) == (None, asked.message)


async def test_a_command_in_silence_is_answered_aside_and_what_it_would_post_is_not(opened: Opened) -> None:
    async def notice(context: Context) -> Decision:
        aloud = Say(to=GENERAL.ref, text="Dear all")
        return Decision(skill="parrot", actions=(aloud, context.answer("It hangs out.")), reason="a notice")

    async with opened(replace(PARROT, propose=notice)) as bot:
        await bot.tune("speak", "silent", channel=str(GENERAL.ref))
        await bot.happens(bot.command("help"))
        assert [(one.text, one.only) for one in bot.plaza.done] == [
            ("Here I say nothing aloud (/setup speak).", ANA.ref)
        ]
        await bot.tune("speak", "commands", channel=str(GENERAL.ref))
        await bot.happens(bot.command("help"))
        assert bot.plaza.said[1:] == ["Dear all", "It hangs out."]


# Where nothing is read


async def test_where_the_bot_does_not_read_only_those_who_turn_to_it_are_heard(opened: Opened) -> None:
    async with opened(PARROT, GOSSIP) as bot:
        await bot.tune("speak", "helpful")
        await bot.tune("read", "no", channel=str(GENERAL.ref))
        assert await bot.happens(bot.posted("hello", by=WEI)) is None
        await bot.happens(bot.posted("@Kinfolk hello", mentioned=True))
        await bot.happens(bot.command("help"))
        assert bot.plaza.said == ["hello member", "did you hear?", "hello member"]
        await bot.happens(replace(bot.posted("hello", by=WEI), channel=STAFF))
        assert bot.plaza.said[3:] == ["did you hear?"]


# Who may


async def test_the_owner_names_roles_whose_members_are_staff(opened: Opened) -> None:
    async with opened(PARROT) as bot:
        roles = [Ref(PLATFORM, "s/&5"), Ref(PLATFORM, "s/&6")]
        await bot.tune("staff_roles", ", ".join(map(str, roles)))
        warden = replace(WEI, roles=frozenset({roles[1], Ref(PLATFORM, "s/&9")}))
        await bot.happens(bot.command("why", by=replace(WEI, roles=frozenset({Ref(PLATFORM, "s/&9")}))))
        await bot.happens(bot.command("why", by=warden))
        await bot.happens(bot.command("why", by=warden, rank=Rank.OWNER))
        assert bot.plaza.said[0].startswith("/why")
        assert bot.plaza.said[1:] == ["hello staff", "hello owner"]


async def test_a_sanction_names_who_asked_for_it(opened: Opened) -> None:
    async def bans(_context: Context) -> Decision:
        return Decision(skill="parrot", actions=(Ban(member=WEI.ref),), reason="asked to")

    async with opened(replace(PARROT, propose=bans)) as bot:
        await bot.happens(bot.command("why", rank=Rank.STAFF))
        assert bot.plaza.done == [Ban(member=WEI.ref, by=ANA.ref, space=SPACE.ref)]


# Where a platform cannot speak aside


def shut() -> Receipt:
    return Receipt(state="failed", error="Cannot send messages to this user")


def by_mention(bot: SmallBot) -> CommandGiven:
    return replace(bot.command("help"), aside=False)


async def test_a_command_in_words_is_answered_directly_where_only_a_used_one_can_be_aside(opened: Opened) -> None:
    async with opened(PARROT) as bot:
        bot.plaza.can = bot.plaza.can - {"only"} | {"only-asked"}
        await bot.happens(by_mention(bot))
        await bot.happens(bot.command("help"))
        direct, aside = bot.plaza.done
        assert direct == OpenDirect(member=ANA.ref, text="hello member", space=SPACE.ref)
        assert (aside.only, bool(aside.invocation)) == (ANA.ref, True)


async def test_who_takes_no_direct_messages_is_told_aloud_how_to_open_them_and_nothing_else(opened: Opened) -> None:
    async with opened(PARROT) as bot:
        bot.plaza.can = bot.plaza.can - {"only"} | {"only-asked"}
        bot.plaza.script.append(shut())
        asked = by_mention(bot)
        await bot.happens(asked)
        [told] = bot.plaza.done
        assert told.text == (
            "I cannot write to you directly. Allow direct messages from members of this server, or use /help here."
        )
        assert (told.to, told.only, told.reply_to) == (GENERAL.ref, None, asked.invocation)
        await bot.tune("speak", "silent")
        bot.plaza.script.append(shut())
        await bot.happens(by_mention(bot))
        assert [one for one in bot.plaza.said if one != told.text] == []
        assert bot.plaza.said == [told.text], "in silence not even that is said aloud"


async def test_a_command_in_words_has_its_arguments_read_when_it_is_asked(opened: Opened) -> None:
    heard: list[dict[str, str]] = []

    async def listens(context: Context) -> Decision:
        heard.append(context.command.arguments)
        return await _answer(context)

    async with opened(replace(PARROT, propose=listens)) as bot:
        await bot.happens(replace(by_mention(bot), line="match"))
        assert heard == [{"command": "match"}]
        steering = replace(by_mention(bot), command="mode", rank=Rank.STAFF)
        for line in ("parrot loud", "parrot off"):
            await bot.happens(replace(steering, line=line, invocation=Ref(PLATFORM, line)))
        assert heard[1:] == [{"skill": "parrot", "mode": "off"}]
        assert "'loud'" in bot.plaza.said[1]
