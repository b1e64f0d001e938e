"""The hands: stored before it is tried, tried once or again as its kind allows, and told whatever comes of it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import streaming
from bot.budget import Urgency
from bot.core.actions import (
    Action,
    Anew,
    AskStaff,
    Attachment,
    Ban,
    Button,
    Delete,
    Edit,
    Invite,
    OpenDirect,
    React,
    Say,
    SetConsent,
    SetPolicy,
    SettleCase,
    Timeout,
    Unban,
    inverse,
)
from bot.core.decisions import Decision, Receipt, Ruling, Trace, Verdict
from bot.core.errors import Gone, Overloaded
from bot.core.things import Ref
from bot.perform import Case
from bot.perform import _urgency as urgency_of
from bot.policy import Facts
from bot.sending import TRIES
from brains.skills.skill import Context, Skill
from storage import policies
from storage.acts import Act
from storage.acts import button as button_of
from tests.clocks import PatientClock
from tests.recording import ANA, EVERYTHING, GENERAL, PLATFORM, Plaza, SmallBot, small_bot
from tests.words import MONDAY

HERE = GENERAL.ref
M1 = Ref(PLATFORM, "m1")
SAY = Say(to=HERE, text="hello")
DELETE = Delete(message=M1, channel=HERE)
TIMEOUT = Timeout(member=ANA.ref, minutes=5)
SORRY = Say(to=HERE, text="That did not work: {error}", only=ANA.ref)
FACTS = Facts(
    live=True,
    can={PLATFORM: EVERYTHING},
    confidence=0,
    staff_channel=None,
    translate=str,
    answer=replace(SORRY, text=""),
)
BUSY, AWAY = Overloaded("slow down", after=7), Gone("it hung up")
NO = Receipt(state="failed", error="the platform says no")


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        yield opened


def trace_of(
    *decisions: tuple[Action, ...], number: str = "t1", asked: bool = False, undoes: int | None = None
) -> Trace:
    rulings = tuple(
        Ruling(decision=place, action=action, kept=True, undoes=undoes)
        for place, actions in enumerate(decisions)
        for action in actions
    )
    told = tuple(Decision(skill="test", actions=actions, reason="a test", asked=asked) for actions in decisions)
    verdict = Verdict(decisions=told, rulings=rulings)
    return Trace(id=number, event=f"event {number}", kind="BotAdded", at=MONDAY, verdict=verdict)


async def perform(bot: SmallBot, *actions: Action, **more) -> list[Act]:
    """Carry out one decision and return its acts as they are kept."""
    return await perform_all(bot, actions, **more)


async def perform_all(bot: SmallBot, *decisions: tuple[Action, ...], asked: bool = True, **more) -> list[Act]:
    trace = trace_of(*decisions, asked=asked, **more)
    await bot.performer.carry_out(Case(community=bot.community, trace=trace, facts=FACTS))
    return await bot.acts(trace)


def states(acts: list[Act]) -> list[str]:
    return [act.state for act in acts]


async def test_of_several_answers_that_nobody_asked_for_each_is_given_though_another_fails(bot: SmallBot) -> None:
    one, two = replace(SAY, answer="a1"), replace(SAY, text="later", answer="a2")
    bot.plaza.script.append(NO)
    assert states(await perform(bot, one, two, asked=False)) == ["failed", "done"]
    bot.plaza.script.append(NO)
    assert states(await perform(bot, one, two, number="t2")) == ["failed", "failed", "done"], "and sorry for it"


async def test_everything_intended_is_on_disk_before_the_first_act_is_tried(bot: SmallBot) -> None:
    seen: list[list[str]] = []

    async def look(_action: Action) -> None:
        seen.append(states(await bot.acts("t1")))

    bot.plaza.watch = look
    acts = await perform(bot, SAY, DELETE)
    assert seen == [["intended", "intended"], ["done", "intended"]]
    assert states(acts) == ["done", "done"]
    assert await bot.trace_of("event t1") is not None


async def test_a_receipt_says_what_was_made_and_the_story_tells_it_from_the_act(bot: SmallBot) -> None:
    done = await bot.performer.carry_out(Case(community=bot.community, trace=trace_of((SAY, DELETE))))
    assert done.receipts == (Receipt(state="done", made=Ref(PLATFORM, "b1")), Receipt(state="done"))
    assert (await bot.trace_of("event t1")).receipts == ()
    assert (await bot.story_of("event t1")).receipts == done.receipts
    assert [act.receipt.made for act in await bot.acts("t1")] == [Ref(PLATFORM, "b1"), None]


async def test_after_a_refusal_the_rest_of_the_decision_is_left_out_and_the_asker_is_told(bot: SmallBot) -> None:
    bot.plaza.script.append(NO)
    acts = await perform_all(bot, (DELETE, SAY), (Say(to=HERE, text="another decision"),))
    assert states(acts) == ["failed", "failed", "done", "done"]
    assert [one.state for one in (await bot.story_of("event t1")).receipts] == ["failed", "failed", "done"]
    assert acts[0].receipt.error == "the platform says no"
    assert "not tried" in acts[1].receipt.error
    assert bot.plaza.said == ["another decision", "That did not work: the platform says no"]
    assert acts[3].action == replace(SORRY, text="That did not work: the platform says no")


async def test_what_keeps_the_place_safe_is_tried_whatever_became_of_the_rest_and_staff_hear_of_what_failed(
    bot: SmallBot,
) -> None:
    bot.plaza.script.append(NO)
    trace, staff = trace_of((DELETE, TIMEOUT, SAY)), Ref(PLATFORM, "staff")
    await bot.performer.carry_out(Case(community=bot.community, trace=trace, facts=replace(FACTS, staff_channel=staff)))
    assert states(await bot.acts(trace)) == ["failed", "done", "failed", "done"]
    [told] = bot.plaza.said
    assert told.startswith("This did not work, so it is yours to do: ")
    assert told.endswith("(the platform says no)")


@pytest.mark.parametrize(("came", "where"), [((None, NO), "s2"), ((NO, None), "Plaza")])
async def test_what_fails_in_one_group_and_works_in_another_stops_nothing_and_it_is_told_where(
    bot: SmallBot, came: tuple[Receipt | None, ...], where: str
) -> None:
    bans = [Ban(member=ANA.ref, space=Ref(PLATFORM, one)) for one in ("s", "s2")]
    bot.plaza.script += came
    acts = await perform(bot, *bans, SETTING, SAY)
    assert states(acts) == ["failed" if one else "done" for one in came] + ["done"] * 3
    assert bot.plaza.said == ["hello", f"In {where} that did not work: the platform says no"]
    bot.plaza.script += [NO, NO]
    assert states(await perform(bot, *bans, SETTING, SAY, number="t2")) == ["failed"] * 4 + ["done"]
    assert bot.plaza.said[2:] == ["That did not work: the platform says no"]


async def test_what_failed_in_one_group_alone_stops_nothing_after_a_crash_either(bot: SmallBot) -> None:
    bans = [Ban(member=ANA.ref, space=Ref(PLATFORM, one)) for one in ("s", "s2")]
    trace = trace_of((*bans, SETTING))
    case = Case(community=bot.community, trace=trace)
    await bot.database.write(functools.partial(bot.performer._intend, case=case, kept=trace.verdict.rulings))
    bot.plaza.script += [None, NO]
    await bot.performer.resume(bot.community, trace)
    assert states(await bot.acts(trace)) == ["done", "failed", "done"]


async def test_of_a_letter_and_a_ban_that_both_fail_it_is_the_ban_that_staff_hear_of(bot: SmallBot) -> None:
    letter, ban = OpenDirect(member=ANA.ref, text="you are out"), Ban(member=ANA.ref)
    bot.plaza.script += [Receipt(state="failed", error="they never wrote to me"), NO]
    trace = trace_of((letter, ban))
    facts = replace(FACTS, staff_channel=Ref(PLATFORM, "staff"))
    await bot.performer.carry_out(Case(community=bot.community, trace=trace, facts=facts))
    [told] = bot.plaza.said
    assert told.startswith("This did not work, so it is yours to do: ban ")
    bot.plaza.script += [Receipt(state="failed", error="they never wrote to me"), NO]
    await perform(bot, letter, ban, number="t2")
    assert bot.plaza.said[1:] == ["That did not work: the platform says no"]


async def test_nobody_is_told_where_nobody_asked(bot: SmallBot) -> None:
    bot.plaza.script.append(NO)
    assert states(await perform(bot, DELETE, asked=False)) == ["failed"]
    assert bot.plaza.done == []


async def test_a_refusal_without_a_word_is_told_too(bot: SmallBot) -> None:
    bot.plaza.script.append(Receipt(state="failed"))
    await perform(bot, DELETE)
    assert bot.plaza.said == ["That did not work: "]


async def test_a_platform_that_says_to_wait_is_waited_for(bot: SmallBot) -> None:
    bot.plaza.script += [BUSY, BUSY]
    [act] = await perform(bot, SAY)
    assert bot.clock.slept == [7, 7]
    assert bot.plaza.done == [SAY]
    assert (act.state, act.receipt.waited, act.receipt.waited_for) == ("done", 14, "paused")
    assert (await bot.story_of("event t1")).receipts == (act.receipt,)


async def test_a_platform_that_always_says_to_wait_is_given_up_and_the_asker_told(bot: SmallBot) -> None:
    bot.plaza.script += [BUSY] * TRIES
    acts = await perform(bot, SAY)
    assert states(acts) == ["failed", "done"]
    assert bot.plaza.said == [f"That did not work: given up after {TRIES} tries: slow down"]
    assert (acts[0].receipt.waited, acts[0].receipt.waited_for) == (7 * (TRIES - 1), "paused")


async def test_speech_into_a_dead_line_is_unknown_and_never_repeated(bot: SmallBot) -> None:
    bot.plaza.script.append(AWAY)
    acts = await perform(bot, SAY, asked=False)
    assert [(act.state, act.receipt.error) for act in acts] == [("unknown", "it hung up")]
    assert bot.plaza.done == []


async def test_what_may_be_repeated_is_repeated_into_a_dead_line(bot: SmallBot) -> None:
    bot.plaza.script += [AWAY, AWAY]
    assert states(await perform(bot, TIMEOUT)) == ["done"]
    assert bot.plaza.done == [TIMEOUT]
    bot.plaza.script += [AWAY] * TRIES
    assert states(await perform(bot, DELETE, number="t2", asked=False)) == ["failed"]


async def test_a_bug_of_an_adapter_ends_one_act_and_its_words_stay_out_of_the_log(
    bot: SmallBot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.plaza.script.append(KeyError("my marmalade never sets"))
    acts = await perform_all(bot, (SAY,), (DELETE,))
    assert states(acts) == ["unknown", "done"]
    assert acts[0].receipt.error == "a bug came in between: KeyError"
    assert "KeyError" in caplog.text
    assert "recording.py" in caplog.text
    assert "marmalade" not in caplog.text


async def test_an_act_on_a_platform_that_is_not_connected_fails_and_says_so(bot: SmallBot) -> None:
    acts = await perform(bot, Say(to=Ref("nowhere", "c"), text="hi"), asked=False)
    assert [(act.state, act.receipt.error) for act in acts] == [("failed", "nowhere is not connected")]


async def test_an_act_of_our_own_that_cannot_be_done_now_fails_and_the_asker_is_told(bot: SmallBot) -> None:
    unknown = SetConsent(member=Ref(PLATFORM, "nobody"), collected=False)
    assert states(await perform(bot, unknown)) == ["failed", "done"]
    assert bot.plaza.said == ["That did not work: plaza:nobody is not known here"]


async def test_buttons_travel_with_a_token_that_nobody_can_guess(bot: SmallBot) -> None:
    buttons = (Button(label="Yes", press="test.yes", only=ANA.ref), Button(label="No", press="test.no"))
    await perform(
        bot, replace(SAY, buttons=buttons), AskStaff(to=HERE, text="?", skill="test", proposed=(), buttons=buttons)
    )
    tokens = [button.token for action in bot.plaza.done for button in action.buttons]
    assert len(set(tokens)) == 4
    assert min(map(len, tokens)) >= 16


async def pieces(*some: str, then: Exception | None = None) -> AsyncIterator[str]:
    for one in some:
        yield one
    if then:
        raise then


def streamed(bot: SmallBot, words: AsyncIterator[str], *, trace: str = "t1") -> Say:
    return replace(SAY, text="what is said when nothing comes", stream=bot.performer.stream(trace, words))


async def test_a_streamed_answer_is_one_message_that_grows_to_its_last_word(bot: SmallBot) -> None:
    acts = await perform(bot, streamed(bot, pieces("", " ", "You ", "may ", "belong ", "here.")))
    first, *edits = bot.plaza.done
    assert isinstance(first, Say)
    assert first.text == " You "
    assert all(isinstance(edit, Edit) and edit.message == Ref(PLATFORM, "b1") for edit in edits)
    assert [edit.text for edit in edits] == [" You may ", " You may belong ", " You may belong here."]
    assert [(act.state, act.action.text, act.receipt.made) for act in acts] == [
        ("done", " You may belong here.", Ref(PLATFORM, "b1"))
    ]
    assert bot.performer.streams == {"t1": {}}


async def test_a_piece_that_begins_anew_takes_the_place_of_what_was_said(bot: SmallBot) -> None:
    [act] = await perform(bot, streamed(bot, pieces("A plain ", "answer.", Anew("A better one."), " And more.")))
    assert [getattr(action, "text", "") for action in bot.plaza.done] == [
        "A plain ",
        "A plain answer.",
        "A better one.",
        "A better one. And more.",
    ]
    assert act.action.text == "A better one. And more."


async def test_without_edits_a_streamed_answer_is_said_once_and_whole(home: Path) -> None:
    async with small_bot(home, plaza=Plaza(can=EVERYTHING - {"Edit"})) as bot:
        [act] = await perform(bot, streamed(bot, pieces("A plain answer.", Anew("A better "), "one.")))
        await perform(bot, streamed(bot, pieces(" "), trace="t2"), number="t2")
        bot.plaza.script.append(NO)
        [refused] = await perform(bot, streamed(bot, pieces("a", "b"), trace="t3"), asked=False, number="t3")
    assert bot.plaza.said == ["A better one.", "what is said when nothing comes"]
    assert len(bot.plaza.done) == 2
    assert act.action.text == "A better one."
    assert (act.state, refused.state) == ("done", "failed")


async def test_what_grows_is_said_whole_in_a_conversation_that_is_still_to_be_opened(bot: SmallBot) -> None:
    said = streamed(bot, pieces("All of it is erased. ", "I looked again: ", "0 left."))
    [act] = await perform(bot, OpenDirect(member=ANA.ref, text=said.text, stream=said.stream))
    assert [(type(one), one.text) for one in bot.plaza.done] == [
        (OpenDirect, "All of it is erased. I looked again: 0 left.")
    ]
    assert act.action.text == "All of it is erased. I looked again: 0 left."


async def test_where_what_one_alone_is_shown_stays_as_it_was_it_is_said_once_and_aloud_it_grows(home: Path) -> None:
    async with small_bot(home, plaza=Plaza(can=EVERYTHING | {"only-plain"})) as bot:
        aloud = streamed(bot, pieces("A plain ", "answer."))
        alone = replace(streamed(bot, pieces("A plain ", "answer."), trace="t2"), only=ANA.ref)
        await perform(bot, alone, number="t2")
        assert bot.plaza.said == ["A plain answer."]
        await perform(bot, aloud)
    assert [type(one) for one in bot.plaza.done] == [Say, Say, Edit]


async def test_edits_in_between_use_the_spare_budget_alone_and_the_last_word_always_comes(home: Path) -> None:
    plaza = Plaza()
    plaza.limits = replace(plaza.limits, chat=((4, 60.0),))
    async with small_bot(home, plaza=plaza) as bot:
        await perform(bot, streamed(bot, pieces(*"abcdefgh")))
        [act] = await bot.acts("t1")
    assert [getattr(action, "text", "") for action in plaza.done] == ["a", "ab", "abcdefgh"]
    assert (act.action.text, act.receipt.dropped) == ("abcdefgh", 5)


async def test_a_stream_that_fails_midway_leaves_what_was_said(bot: SmallBot, caplog: pytest.LogCaptureFixture) -> None:
    acts = await perform(bot, streamed(bot, pieces("Half ", "a sentence", then=ValueError("my marmalade"))))
    assert (acts[0].state, acts[0].action.text) == ("done", "Half a sentence")
    assert "ValueError" in caplog.text
    assert "marmalade" not in caplog.text


@pytest.mark.parametrize("words", [(), ("", "  ")])
@pytest.mark.parametrize("error", [None, ValueError("no")])
async def test_a_stream_that_gives_nothing_says_the_text_at_hand(bot: SmallBot, words, error) -> None:
    acts = await perform(bot, streamed(bot, pieces(*words, then=error)))
    assert bot.plaza.said == ["what is said when nothing comes"]
    assert states(acts) == ["done"]


async def test_a_stream_minds_a_platform_that_says_to_wait(bot: SmallBot) -> None:
    bot.plaza.script += [None, BUSY]
    await perform(bot, streamed(bot, pieces("a", "b", "c", "d")))
    assert [action.text for action in bot.plaza.done] == ["a", "abcd"], "nothing is sent inside of the window"
    assert bot.clock.slept == [7]


async def test_a_stream_that_loses_its_platform_keeps_what_was_seen(bot: SmallBot) -> None:
    bot.plaza.script += [None, None, AWAY, AWAY]
    [act] = await perform(bot, streamed(bot, pieces("a", "b", "c")))
    assert (act.state, act.action.text) == ("done", "ab")
    story = await bot.story_of("event t1")
    assert [ruling.action for ruling in story.verdict.rulings] == [act.action]


async def test_a_streamed_answer_that_is_refused_is_not_said_again(bot: SmallBot) -> None:
    bot.plaza.script.append(NO)
    acts = await perform(bot, streamed(bot, pieces("a", "b")), asked=False)
    assert states(acts) == ["failed"]
    assert bot.plaza.done == []


async def test_streams_of_what_is_never_said_are_dropped_whatever_came_of_it(home: Path) -> None:
    async def propose(context: Context) -> Decision:
        say = Say(to=HERE, text="?", stream=context.stream(pieces("a")))
        match context.event.arguments["interests"]:
            case "fail":
                raise ValueError("too late")
            case "change its mind":
                return None
            case "declined":
                lacking = Say(to=Ref("nowhere", "c"), text="?", stream=say.stream)
                return Decision(skill="talker", actions=(lacking,), reason="a test")
        return Decision(skill="talker", actions=(say,), reason="a test")

    talker = Skill(name="talker", purpose="Talks", propose=propose, commands=("match",))
    async with small_bot(home, skills=[talker]) as bot:
        for then in ("fail", "change its mind", "declined", "say"):
            await bot.happens(bot.command("match", interests=then))
            assert bot.performer.streams == {}
    assert bot.plaza.said[-1] == "a"


async def test_a_stream_that_nobody_hears_to_the_end_is_closed(bot: SmallBot) -> None:
    closed: list[bool] = []

    async def words() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(True)

    bot.plaza.script.append(NO)
    await perform(bot, streamed(bot, words()), asked=False)
    assert closed == [True]


async def test_waiting_for_its_turn_costs_a_stream_none_of_its_time(
    bot: SmallBot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(streaming, "LONGEST", 0.05)

    async def dawdle(_action: Action) -> None:
        await asyncio.sleep(0.1)

    async def slow_words() -> AsyncIterator[str]:
        yield "a"
        await dawdle(SAY)
        yield "b"

    bot.plaza.watch = dawdle
    [patient] = await perform(bot, streamed(bot, pieces("a", "b")))
    assert (patient.action.text, caplog.text) == ("ab", "")
    [slow] = await perform(bot, streamed(bot, slow_words(), trace="t2"), number="t2")
    assert (slow.state, slow.action.text) == ("done", "a")
    assert "a streamed reply broke off: TimeoutError" in caplog.text


async def test_a_bug_in_an_edit_on_the_way_costs_that_edit_alone(bot: SmallBot) -> None:
    bot.plaza.script += [None, KeyError("my marmalade")]
    [act] = await perform(bot, streamed(bot, pieces("a", "b", "c")))
    assert [action.text for action in bot.plaza.done] == ["a", "abc"]
    assert (act.state, act.action.text, act.receipt.dropped) == ("done", "abc", 1)


async def test_a_message_that_a_member_gets_alone_has_its_buttons_and_its_files_are_not_kept(bot: SmallBot) -> None:
    button = Button(label="Yes", press="test.yes", only=ANA.ref)
    file = Attachment(name="all.json", data=b"{}")
    direct = OpenDirect(member=ANA.ref, text="psst", buttons=(button,), attachments=(file,))
    [act] = await perform(bot, direct)
    [sent] = bot.plaza.done
    assert sent.attachments == (file,)
    assert act.action.attachments == ()
    async with bot.database.read() as connection:
        kept = await button_of(connection, bot.community, sent.buttons[0].token)
    assert kept is not None
    assert (kept.press, kept.act) == ("test.yes", act.id)


async def test_a_platform_that_paces_one_kind_of_act_is_obeyed(home: Path) -> None:
    plaza = Plaza()
    plaza.limits = replace(plaza.limits, routes={"Delete": ((1, 30.0),)})
    async with small_bot(home, plaza=plaza) as bot:
        acts = await perform(bot, DELETE, SAY, DELETE)
        assert bot.clock.slept == [30]
    assert [(act.receipt.waited, act.receipt.waited_for) for act in acts] == [(0, ""), (0, ""), (30, "route")]


@pytest.mark.parametrize(("apart", "slept"), [(True, []), (False, [60])])
async def test_answers_to_one_member_alone_count_with_them_where_a_platform_says_so(
    home: Path, *, apart: bool, slept: list[float]
) -> None:
    plaza = Plaza()
    plaza.limits = replace(plaza.limits, chat=((1, 60.0),), answers_apart=apart)
    answers = [Say(to=HERE, text="for you", only=who, invocation=M1) for who in (ANA.ref, Ref(PLATFORM, "bo"))]
    async with small_bot(home, plaza=plaza) as bot:
        assert states(await perform(bot, *answers)) == ["done", "done"]
        assert bot.clock.slept == slept


async def test_what_a_platform_said_of_one_route_holds_for_that_alone(bot: SmallBot) -> None:
    bot.plaza.script.append(Overloaded("slow down", after=7, scope="route"))
    tried = asyncio.Event()

    async def note(_action: Action) -> None:
        tried.set()

    bot.plaza.watch = note
    bot.clock.sleep = PatientClock(bot.clock.now()).sleep
    slow = asyncio.create_task(perform(bot, DELETE))
    async with asyncio.timeout(30):
        await tried.wait()
        assert states(await perform(bot, SAY, number="t2")) == ["done"]
    assert bot.plaza.done == [SAY]
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


@pytest.mark.parametrize(
    ("kind", "urgency"), [("CommandGiven", Urgency.REPLY), ("TimerFired", Urgency.DIGEST), ("gone", Urgency.REPLY)]
)
def test_who_goes_first(kind: str, urgency: Urgency) -> None:
    trace = replace(trace_of((SAY,)), kind=kind)
    assert urgency_of(SAY, trace) == urgency
    assert urgency_of(DELETE, trace) == urgency_of(Ban(member=ANA.ref), trace) == Urgency.MODERATION


async def test_what_was_taken_back_names_the_act_that_did_it(bot: SmallBot) -> None:
    [say] = await perform(bot, SAY)
    back = inverse(say.action, say.receipt)
    [undo] = await perform(bot, back, number="t2", undoes=say.id)
    [say] = await bot.acts("t1")
    assert say.undone_by == undo.id
    assert bot.plaza.done[-1] == Delete(message=Ref(PLATFORM, "b1"), channel=HERE)


async def test_what_could_not_be_taken_back_is_not_called_so(bot: SmallBot) -> None:
    [say] = await perform(bot, SAY)
    bot.plaza.script.append(NO)
    await perform(bot, DELETE, number="t2", undoes=say.id, asked=False)
    assert (await bot.acts("t1"))[0].undone_by is None


SETTING = SetPolicy(name="confidence", value="0.5")
SPEECH = [SAY, Edit(message=M1, channel=HERE, text="x"), OpenDirect(member=ANA.ref, text="x")]
REPEATED = [
    DELETE,
    TIMEOUT,
    Ban(member=ANA.ref),
    Unban(member=ANA.ref),
    Invite(member=ANA.ref, channel=HERE),
    React(message=M1, channel=HERE, emoji="👍"),
]


class Crash(BaseException):
    """The process dies."""


async def crash_before(bot: SmallBot, *actions: Action, undoes: int | None = None) -> Trace:
    """Die after the intents were stored, before the first act is done."""

    async def die(_action: Action) -> None:
        raise Crash

    bot.plaza.watch = die
    trace = trace_of((SAY, *actions), number="t2" if undoes else "t1", undoes=undoes)
    with pytest.raises(Crash):
        await bot.performer.carry_out(Case(community=bot.community, trace=trace))
    bot.plaza.watch = None
    return trace


async def test_after_a_crash_speech_is_unknown_and_the_rest_is_repeated(bot: SmallBot) -> None:
    trace = await crash_before(bot, *SPEECH[1:], *REPEATED, SETTING)
    assert set(states(await bot.acts(trace))) == {"intended"}
    assert (await bot.story_of(trace.event)).receipts == ()
    await bot.performer.resume(bot.community, trace)
    assert states(await bot.acts(trace)) == ["unknown"] * 3 + ["done"] * 7
    assert [one.state for one in (await bot.story_of(trace.event)).receipts] == ["unknown"] * 3 + ["done"] * 7
    assert bot.plaza.done == REPEATED
    async with bot.database.read() as connection:
        policy = (await policies.load(connection, bot.community)).policy
    assert policy.confidence == 0.5


async def test_what_ended_before_the_crash_is_left_alone(bot: SmallBot) -> None:
    await perform(bot, SAY, DELETE)
    before = list(bot.plaza.done)
    await bot.performer.resume(bot.community, trace_of((SAY, DELETE)))
    assert bot.plaza.done == before


async def test_what_a_crash_left_for_a_platform_that_is_away_fails_in_peace(bot: SmallBot) -> None:
    trace = await crash_before(bot, Delete(message=Ref("nowhere", "m"), channel=Ref("nowhere", "c")))
    await bot.performer.resume(bot.community, trace)
    assert states(await bot.acts(trace)) == ["unknown", "failed"]


async def test_what_a_crash_kept_from_being_taken_back_is_marked_once_it_is(bot: SmallBot) -> None:
    [invite] = await perform(bot, Invite(member=ANA.ref, channel=HERE))
    back = inverse(invite.action, invite.receipt)
    trace = await crash_before(bot, back, undoes=invite.id)
    await bot.performer.resume(bot.community, trace)
    assert bot.plaza.done[-1] == back
    [invite] = await bot.acts("t1")
    assert invite.undone_by == (await bot.acts(trace))[1].id


async def test_what_rests_on_an_act_that_failed_is_not_done_after_a_crash_either(bot: SmallBot) -> None:
    trace = await crash_before(bot, Invite(member=ANA.ref, channel=HERE), SETTING, DELETE)
    bot.plaza.script.append(Receipt(state="failed", error="it is full"))
    await bot.performer.resume(bot.community, trace)
    assert states(await bot.acts(trace)) == ["unknown", "failed", "failed", "done"]


async def test_what_a_refused_verdict_would_have_done_is_not_done_after_a_crash_either(bot: SmallBot) -> None:
    verdict = SettleCase(case="NOSUCH", verdict="spam", by=ANA.ref)
    trace = trace_of((verdict, TIMEOUT, DELETE))
    case = Case(community=bot.community, trace=trace)
    await bot.database.write(functools.partial(bot.performer._intend, case=case, kept=trace.verdict.rulings))
    await bot.performer.resume(bot.community, trace)
    assert states(await bot.acts(trace)) == ["failed"] * 3
    assert bot.plaza.done == []
