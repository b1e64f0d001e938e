"""Skills that misbehave, and buttons in the wrong hands: explained, harmless, and told to who asked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.core.actions import Button, Delete, Invite, KeepFeedback, OpenDirect, React, Say, Timeout
from bot.core.decisions import Decision, Mode, Trace
from bot.core.errors import Gone, KinfolkError, Misconfigured, Mistake, Overloaded
from bot.core.events import ChannelChanged, MessagePosted, key
from bot.core.things import Audience, Rank, Ref
from bot.core.wording import unmarked
from brains.skills import SKILLS
from brains.skills.skill import Context, Skill
from storage import communities, erasure, members
from tests.recording import ANA, GENERAL, SPACE, STAFF, WEI, SmallBot, small_bot

MARMALADE = "my marmalade never sets"
Opened = Callable[..., AbstractAsyncContextManager[SmallBot]]


@pytest.fixture
def opened(home: Path) -> Opened:
    """Open a bot in which every skill may act."""

    @contextlib.asynccontextmanager
    async def open_it(*skills: Skill) -> AsyncIterator[SmallBot]:
        async with small_bot(home, skills=skills) as bot:
            for skill in skills:
                await bot.mode(skill.name, Mode.ACT)
            yield bot

    return open_it


def say(name: str, text: str = "hello", *, buttons: tuple[Button, ...] = ()) -> Decision:
    return Decision(skill=name, actions=(Say(to=GENERAL.ref, text=text, buttons=buttons),), reason=f"{name} wants to")


def skill(name: str, propose, **more) -> Skill:
    return Skill(name=name, purpose=name, propose=propose, **{"hears": (MessagePosted,), "commands": ("help",), **more})


async def _well(_context: Context) -> Decision:
    return say("well")


WELL = skill("well", _well, commands=())


async def raises(context: Context) -> Decision:
    raise ValueError(MARMALADE)


async def hangs(context: Context) -> Decision:
    await asyncio.Event().wait()
    raise AssertionError


async def floods(context: Context) -> Decision:
    return Decision(skill="bad", actions=(Say(to=GENERAL.ref, text="spam"),) * 100, reason="because")


async def babbles(context: Context) -> Decision:
    return "certainly!"


async def babbles_within(context: Context) -> Decision:
    return Decision(skill="bad", actions=("certainly!",), reason="because")


async def miscounts(context: Context) -> Decision:
    return Decision(skill="bad", actions=(Say(to=GENERAL.ref, text="a"),), reason="because", undoes=(1, 2, 3))


async def lists(context: Context) -> Decision:
    return Decision(skill="bad", actions=[Say(to=GENERAL.ref, text="a")], reason="because")


BAD = {
    raises: "ValueError",
    hangs: "This took longer than 0.05 s",
    floods: "100 actions at once; 20 are the most",
    babbles: "proposed str instead of a Decision",
    babbles_within: "proposed str as an action",
    miscounts: "undoes 3 acts by 1 actions",
    lists: "its actions as a list instead of a tuple",
}
bad = pytest.mark.parametrize(("propose", "line"), list(BAD.items()), ids=lambda one: getattr(one, "__name__", ""))


def lines(trace: Trace | None) -> dict[str, tuple[str, bool]]:
    assert trace is not None
    return {step.skill: (step.outcome, step.failed) for step in trace.steps}


@bad
async def test_a_bad_skill_is_one_line_in_the_trace_and_the_others_go_on(
    opened: Opened, propose, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(skill("bad", propose, patience=0.05), WELL) as bot:
        trace = await bot.happens(bot.posted(MARMALADE))
        told, failed = lines(trace)["bad"]
        assert line in told
        assert failed
        assert lines(trace)["well"] == ("well wants to", False)
        assert bot.plaza.said == ["hello"]
        assert "marmalade" not in caplog.text


@bad
async def test_who_asked_a_bad_skill_gets_an_answer_in_words_for_members(opened: Opened, propose, line: str) -> None:
    async with opened(skill("bad", propose, patience=0.05)) as bot:
        trace = await bot.happens(bot.command("help"))
        assert line in lines(trace)["bad"][0]
        [answer] = bot.plaza.done
        assert isinstance(answer, Say)
        assert answer.only == ANA.ref
        assert answer.text == (
            "This took longer than 0.05 s, so I stopped. Ask me again."
            if propose is hangs
            else "Something went wrong here; it is written down for those who run me."
        )
        await bot.happens(bot.command("help", by=WEI))
        assert bot.plaza.said[-1].endswith("。")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Mistake("There is no channel 'x'."), "There is no channel 'x'."),
        (Gone("The worker cannot be reached; its log is /var/kinfolk/worker.log."), "I cannot think at the moment"),
        (Overloaded("The encoder is busy (queue full at 10.0.0.1:80)"), "I have a lot to think about"),
        (Misconfigured("KINFOLK_ENCODER: no such file /etc/secret"), "I am not set up for this yet."),
    ],
)
async def test_a_member_hears_what_they_can_act_on_and_the_trace_the_rest(
    opened: Opened, error: KinfolkError, told: str
) -> None:
    async def fails(context: Context) -> Decision:
        raise error

    async with opened(skill("bad", fails)) as bot:
        trace = await bot.happens(bot.command("help"))
        assert bot.plaza.said[0].startswith(told)
        assert "/var" not in bot.plaza.said[0]
        assert lines(trace)["bad"] == (str(error), True)


async def test_who_did_not_ask_hears_nothing_of_a_skill_that_failed(opened: Opened) -> None:
    async with opened(skill("bad", raises)) as bot:
        trace = await bot.happens(bot.posted(MARMALADE))
        assert lines(trace)["bad"][1]
        assert bot.plaza.done == []


async def test_a_skill_that_is_off_is_not_even_asked(opened: Opened) -> None:
    async with opened(skill("bad", raises), WELL) as bot:
        await bot.mode("bad", Mode.OFF)
        assert list(lines(await bot.happens(bot.posted("hello")))) == ["well"]
        assert "bad" in lines(await bot.happens(bot.command("help"))), "a command is answered in any mode"


async def test_bots_are_heard_by_nobody(opened: Opened) -> None:
    async with opened(WELL) as bot:
        robot = ANA.__class__(ref=Ref("plaza", "robot"), name="Robot", bot=True)
        assert await bot.happens(bot.posted("beep", by=robot)) is None
        assert await bot.happens(bot.posted("hello")) is not None


async def test_without_a_worker_help_answers_and_match_says_what_is_the_matter(opened: Opened) -> None:
    async with opened(*SKILLS) as bot:
        await bot.happens(bot.command("help"))
        await bot.happens(bot.command("match", interests="rye bread"))
        helped, matched = bot.plaza.said
        assert "**/match**" in helped
        assert matched == "I cannot think at the moment, and am being helped up again. Ask me again in a minute."


@pytest.mark.parametrize(
    ("line", "rank", "given", "told"),
    [
        ("dance", Rank.OWNER, {}, "There is no /dance. /help names what there is."),
        ("undo", Rank.MEMBER, {}, "/undo is for the staff."),
        ("setup", Rank.STAFF, {}, "/setup is for the staff."),
        ("mode", Rank.STAFF, {"mode": "loud"}, "/mode: mode is one of off, watch, ask, act, not 'loud'."),
        ("help", Rank.MEMBER, {"colour": "red"}, "/help knows no 'colour'. It takes: command."),
    ],
)
async def test_a_wrong_command_is_explained_to_who_gave_it_alone(
    opened: Opened, line: str, rank: Rank, given: dict[str, str], told: str
) -> None:
    async with opened(*SKILLS) as bot:
        await bot.happens(bot.command(line, rank=rank, **given))
        [answer] = bot.plaza.done
        assert isinstance(answer, Say)
        assert (answer.text, answer.only) == (told, ANA.ref)


# Buttons


ONLY = Button(label="Yes", press="shop.yes", only=ANA.ref, choice="deal", data={"price": "7"})
OTHER = Button(label="No", press="shop.no", only=ANA.ref, choice="deal")
MORE = Button(label="Why?", press="shop.why")


async def _shop(context: Context) -> Decision:
    if context.press is None:
        return say("shop", "a deal?", buttons=(ONLY, OTHER, MORE))
    settles = context.press.what != "why"
    words = f"{context.press.what} {context.press.data.get('price', '')}".strip()
    return Decision(skill="shop", actions=(context.answer(words),), reason="pressed", settles=settles)


SHOP = skill("shop", _shop)


@contextlib.asynccontextmanager
async def shop(opened: Opened) -> AsyncIterator[tuple[SmallBot, list[str]]]:
    """Open a shop whose offer hangs out, and give the tokens of its buttons."""
    async with opened(SHOP) as bot:
        await bot.happens(bot.command("help"))
        [offer] = bot.plaza.done
        assert isinstance(offer, Say)
        bot.plaza.done.clear()
        yield bot, [button.token for button in offer.buttons]


async def test_a_button_brings_what_it_carries_to_its_skill(opened: Opened) -> None:
    async with shop(opened) as (bot, [yes, _, _]):
        await bot.happens(bot.press(yes))
        assert bot.plaza.said == ["yes 7"]


async def test_a_choice_is_made_once_whichever_of_its_buttons_is_pressed(opened: Opened) -> None:
    async with shop(opened) as (bot, [yes, no, _]):
        for token in (yes, yes, no):
            await bot.happens(bot.press(token))
        assert bot.plaza.said == ["yes 7", "This was settled already.", "This was settled already."]


async def test_a_question_may_be_asked_again_and_settles_nothing(opened: Opened) -> None:
    async with shop(opened) as (bot, [yes, _, why]):
        for token in (why, why, yes):
            await bot.happens(bot.press(token))
        assert bot.plaza.said == ["why", "why", "yes 7"]


async def test_a_button_of_another_is_explained_and_stays_theirs(opened: Opened) -> None:
    async with shop(opened) as (bot, [yes, _, _]):
        await bot.happens(bot.press(yes, by=WEI))
        await bot.happens(bot.press(yes))
        assert bot.plaza.said == ["这个按钮是给别人的。", "yes 7"]
        assert [action.only for action in bot.plaza.done] == [WEI.ref, ANA.ref]


async def test_an_old_button_is_explained(opened: Opened) -> None:
    async with shop(opened) as (bot, [yes, _, _]):
        bot.clock.pass_by(31 * 86_400)
        await bot.happens(bot.press(yes))
        assert bot.plaza.said == ["This button is too old. Ask again, and you get a new one."]


@pytest.mark.parametrize("token", ["", "forged", "' OR 1=1 --", "x" * 500])
async def test_a_forged_token_opens_nothing(opened: Opened, token: str) -> None:
    async with shop(opened) as (bot, _):
        await bot.happens(bot.press(token))
        assert bot.plaza.said == ["This button is too old. Ask again, and you get a new one."]


async def test_a_button_of_a_skill_that_is_gone_is_explained(opened: Opened) -> None:
    stray = Button(label="?", press="nobody.knows")

    async def offers(context: Context) -> Decision:
        return say("bad", buttons=(stray,))

    async with opened(skill("bad", offers)) as bot:
        await bot.happens(bot.command("help"))
        await bot.happens(bot.press(bot.plaza.done[0].buttons[0].token))
        assert bot.plaza.said[1:] == ["This button is too old. Ask again, and you get a new one."]


async def test_a_button_that_failed_may_be_pressed_again(opened: Opened) -> None:
    calls: list[str] = []

    async def wavers(context: Context) -> Decision:
        if context.press is None:
            return say("shop", buttons=(ONLY,))
        calls.append(context.press.what)
        if len(calls) == 1:
            raise Gone("away")
        return Decision(skill="shop", actions=(context.answer("sold"),), reason="pressed")

    async with opened(skill("shop", wavers)) as bot:
        await bot.happens(bot.command("help"))
        token = bot.plaza.done[0].buttons[0].token
        for _ in range(3):
            await bot.happens(bot.press(token))
        assert bot.plaza.said[2:] == ["sold", "This was settled already."]
        assert bot.plaza.said[1].startswith("I cannot think")


async def test_what_is_kept_of_a_decision_is_what_was_ruled(opened: Opened) -> None:
    """A skill may propose for others; policy and the tables see the same actions."""
    wishes = (
        React(message=Ref("plaza", "m1"), channel=GENERAL.ref, emoji="👍"),
        KeepFeedback(member=ANA.ref, channel=GENERAL.ref, opinion="joined"),
    )

    async def proposes(context: Context) -> Decision:
        return Decision(skill="bad", actions=wishes, reason="because")

    async with opened(skill("bad", proposes)) as bot:
        trace = await bot.happens(bot.posted("hello"))
        assert trace is not None
        assert [act.action for act in await bot.acts(trace)] == list(wishes)
        assert [act.state for act in await bot.acts(trace)] == ["done", "done"]


async def test_a_button_that_was_pressed_too_late_to_do_anything_may_be_pressed_again(opened: Opened) -> None:
    async with shop(opened) as (bot, [yes, _, _]):
        await bot.happens(bot.press(yes), live=False)
        await bot.happens(bot.press(yes))
        assert bot.plaza.said == ["yes 7"]


async def _withheld(bot: SmallBot) -> int:
    async with bot.database.read() as connection:
        return len(await members.withheld(connection, bot.community))


async def test_what_a_member_said_about_being_collected_is_theirs_alone_to_take_back(opened: Opened) -> None:
    async with opened(*SKILLS) as bot:
        await bot.happens(bot.command("privacy", choice="off"))
        await bot.happens(bot.command("undo", by=WEI, rank=Rank.STAFF))
        assert await _withheld(bot) == 1
        assert bot.plaza.said[-1] == "这里没有可以撤回的操作。"
        await bot.happens(bot.command("undo", rank=Rank.STAFF))
        assert await _withheld(bot) == 0


async def test_what_was_done_to_somebody_of_the_staff_another_takes_back(opened: Opened) -> None:
    async with opened(*SKILLS) as bot:
        await bot.follow(bot.posted("你好", by=WEI))
        await bot.happens(bot.command("mod", rank=Rank.OWNER, action="timeout", member="plaza:wei", minutes="5"))
        await bot.happens(bot.command("undo", by=WEI, rank=Rank.STAFF))
        assert bot.plaza.said[-1] == "这是对你的处理，要由其他管理员撤回。"
        assert Timeout(member=WEI.ref, minutes=0, by=WEI.ref, space=SPACE.ref) not in bot.plaza.done
        await bot.happens(bot.command("undo", rank=Rank.STAFF))
        assert Timeout(member=WEI.ref, minutes=0, by=ANA.ref, space=SPACE.ref) in bot.plaza.done


async def test_a_setting_that_nobody_knows_is_refused_however_it_is_called(opened: Opened) -> None:
    async with opened(*SKILLS) as bot:
        for name in ("colour", "colour_channel"):
            await bot.happens(bot.command("setup", rank=Rank.OWNER, setting=name, value="general"))
            assert unmarked(bot.plaza.said[-1]).startswith(f"There is no setting '{name}'.")
        await bot.happens(bot.command("setup", rank=Rank.OWNER, setting="welcome_channel", value="general"))
        assert bot.plaza.said[-1].startswith("Done: set welcome_channel to [#general](kinfolk:channel:plaza:general).")


async def test_why_tells_the_staff_nothing_of_what_was_said_to_one_member_directly(opened: Opened) -> None:
    async with opened(*SKILLS) as bot:
        bot.plaza.can -= {"only"}
        await bot.happens(bot.command("help"))
        [said] = bot.plaza.done
        assert isinstance(said, OpenDirect)
        await bot.happens(bot.command("why", by=WEI, rank=Rank.STAFF))
        told = bot.plaza.done[-1]
        assert isinstance(told, OpenDirect)
        assert "ana" in told.text
        assert said.text[:20] not in told.text


async def test_a_long_mistake_is_repeated_in_part_only(opened: Opened) -> None:
    async with opened(*SKILLS) as bot:
        await bot.happens(bot.command("help", command="x" * 9000))
        await bot.happens(bot.command("x" * 9000))
        assert all(text.startswith("There is no /xxx") for text in bot.plaza.said)
        assert max(map(len, bot.plaza.said)) < 1000


async def test_an_offer_of_a_channel_that_was_closed_since_lets_nobody_in(opened: Opened) -> None:
    data = {"channel": str(STAFF.ref), "score": "0", "reasons": "", "evidence": ""}

    async def offers(context: Context) -> Decision:
        return say(
            "bad", buttons=tuple(Button(label=what, press=f"match.{what}", data=data) for what in ("why", "join"))
        )

    async with opened(*SKILLS, skill("bad", offers, commands=())) as bot:
        await bot.follow(replace(bot.posted("hello", by=WEI), channel=STAFF))
        await bot.happens(bot.posted("hello"))
        why, join = (button.token for button in bot.plaza.done[0].buttons)
        closed = replace(STAFF, audience=Audience.MEMBERS)
        await bot.follow(ChannelChanged(channel=closed, at=bot.clock.now(), revision=1))
        for token in (why, join):
            await bot.happens(bot.press(token))
        assert bot.plaza.said[1:] == ["This channel is not there any more."] * 2
        await bot.follow(
            ChannelChanged(channel=replace(closed, audience=Audience.EVERYONE), at=bot.clock.now(), revision=2)
        )
        await bot.happens(bot.press(join))
        assert Invite(member=ANA.ref, channel=STAFF.ref) in bot.plaza.done


async def test_what_a_member_may_read_is_worked_out_once_for_a_button(opened: Opened) -> None:
    data = {"channel": str(STAFF.ref), "score": "0", "reasons": "", "evidence": ""}
    buttons = tuple(Button(label=what, press=f"match.{what}", data=data) for what in ("why", "join"))

    async def offers(_context: Context) -> Decision:
        return say("bad", buttons=buttons)

    async with opened(*SKILLS, skill("bad", offers, commands=())) as bot:
        await bot.tune("staff_channel", str(STAFF.ref))
        await bot.follow(replace(bot.posted("hello", by=WEI), channel=STAFF))
        await bot.happens(bot.posted("hello"))
        pressed = [bot.press(button.token) for button in bot.plaza.done[0].buttons]
        reads: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if threading.current_thread().name.startswith("database reader"):
                reads.append(statement)

        event.listen(bot.database.engine, "before_cursor_execute", note)
        for press, words in zip(pressed, ("Why", "is open to you"), strict=True):
            reads.clear()
            await bot.happens(press)
            assert words in bot.plaza.said[-1]
            whole = [one for one in reads if "FROM channel" in one and "channel.ref =" not in one]
            assert len(whole) == 1


async def test_a_button_of_another_community_opens_nothing(opened: Opened) -> None:
    async with shop(opened) as (bot, [yes, _, _]):
        here = bot.community
        bot.community = await bot.database.write(lambda c: communities.find_or_make(c, "elsewhere", bot.clock.now()))
        await bot.happens(bot.press(yes))
        assert bot.plaza.said == ["This button is too old. Ask again, and you get a new one."]
        bot.community = here
        await bot.happens(bot.press(yes))
        assert bot.plaza.said[1:] == ["yes 7"]


async def test_nothing_is_written_of_somebody_who_was_forgotten_while_a_skill_thought(opened: Opened) -> None:
    bots: list[SmallBot] = []

    async def thinks(context: Context) -> Decision:
        [bot] = bots
        if context.member and not bot.plaza.done:
            found, _ = await erasure.look(bot.database, bot.community, context.member)
            await bot.database.write(
                lambda c: erasure._erase(c, found=found, refused=bot.refusals, now=bot.clock.now())
            )
        return Decision(skill="bad", actions=(context.answer("here you are"),), reason="asked", about=(ANA.ref,))

    async with opened(skill("bad", thinks)) as bot:
        bots.append(bot)
        event = bot.command("help")
        assert await bot.happens(event) is None
        assert (await bot.trace_of(key(event)), bot.plaza.done) == (None, [])
        bot.plaza.done.append(Delete(message=ANA.ref, channel=GENERAL.ref))
        assert await bot.happens(bot.command("help")) is not None
