"""Writing to who did not ask: quiet hours by their own clock, so many a week for one human, nothing to who refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.actions import KeepNewcomer, KeepSubscription, OpenDirect, Say, SetConsent, SetWish
from bot.core.decisions import Decision, Mode, Trace
from bot.core.events import Named, TimerFired
from bot.core.outreach import Outreach, against, quiet_hours
from bot.core.policies import check
from bot.core.things import Ref
from bot.policy import Facts, judge
from brains.skills.skill import Skill
from storage import members, outreach, persons
from tests.recording import ANA, EVERYTHING, PLATFORM, WEI, Plaza, SmallBot, small_bot

TWIN = Named(ref=Ref(PLATFORM, "ana-2"), name="Ana")
LETTER = OpenDirect(member=ANA.ref, text="look at this", unasked=True)
NOTED = KeepNewcomer(member=ANA.ref, met="welcomed", before="waiting")
NIGHT = "It is one of their quiet hours (/setup quiet_hours)."
OFTEN = "This week they heard enough of me that they did not ask for (/setup most_a_week)."
REFUSED = "They want nothing of theirs used, so I write to them only where they ask me to."

STOPPED = "They want to hear nothing that they did not ask for (Stop asking)."
STOP = SetWish(member=ANA.ref, wish="reminders", on=False)


@pytest.mark.parametrize(
    ("hours", "quiet", "loud"),
    [
        ("22-8", (22, 23, 0, 7), (8, 12, 21)),
        ("0-6", (0, 5), (6, 12, 23)),
        ("13-15", (13, 14), (0, 12, 15)),
        ("23-0", (23,), (0, 22)),
    ],
)
def test_quiet_hours_go_up_to_their_end_and_over_midnight(hours: str, quiet: tuple, loud: tuple) -> None:
    found = quiet_hours(hours)
    assert found is not None
    assert str(found) == hours
    assert [found.holds(hour) for hour in quiet] == [True] * len(quiet)
    assert [found.holds(hour) for hour in loud] == [False] * len(loud)


def test_staff_set_hours_or_none_and_hear_what_is_no_hour() -> None:
    assert (check("quiet_hours", " 22-8"), check("quiet_hours", "None")) == ("22-8", "none")
    for wrong in ("22", "8-8", "8-24", "at night", "-1-8", ""):
        with pytest.raises(ValueError, match=r"hours of a day|invalid literal"):
            quiet_hours(wrong)
    assert quiet_hours("none") is None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Outreach(), ""),
        (Outreach(sent=2), ""),
        (Outreach(sent=3), "often"),
        (Outreach(night=True), "night"),
        (Outreach(night=True, sent=9), "night"),
        (Outreach(refused=True, night=True, sent=9), "refused"),
    ],
)
def test_what_speaks_against_one_more_message(known: Outreach, expected: str) -> None:
    assert against(known, most=3) == expected
    assert against(replace(known, sent=0), most=0) in {"often", "night", "refused"}


def test_who_wants_to_hear_nothing_hears_what_they_switched_on_since_and_nothing_else() -> None:
    stopped, again = Outreach(stopped=True), Outreach(stopped=True, again=True)
    for known, wanted, expected in (
        *((stopped, False, "stopped"), (stopped, True, "stopped"), (again, False, "stopped"), (again, True, "")),
        *((replace(again, night=True), True, "night"), (replace(again, refused=True), True, "refused")),
    ):
        assert against(known, most=3, wanted=wanted) == expected


def rule(*actions, known: Outreach, **more) -> list[tuple[bool, str]]:
    facts = Facts(
        live=True,
        can={PLATFORM: EVERYTHING - more.pop("lacks", set())},
        confidence=0.0,
        staff_channel=None,
        translate=str,
        outreach={ANA.ref: known, TWIN.ref: known},
        most_a_week=3,
    )
    decision = Decision(skill="suggest", actions=actions, reason="weekly", **more)
    return [(one.kept, one.why) for one in judge([decision], facts, {"suggest": Mode.ACT}).rulings]


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(
    ("known", "why"),
    [
        (Outreach(night=True), NIGHT),
        (Outreach(sent=3), OFTEN),
        (Outreach(refused=True), REFUSED),
        (Outreach(stopped=True), STOPPED),
    ],
)
def test_what_is_not_written_is_not_noted_either_and_what_was_noted_before_stays(known, why, asked) -> None:
    waits = replace(NOTED, met="waiting", before="")
    others = replace(NOTED, member=WEI.ref)
    told = rule(waits, LETTER, NOTED, others, known=known, asked=asked)
    assert told == [(True, ""), (False, why), (False, why), (True, "")]
    assert rule(waits, LETTER, NOTED, others, known=Outreach(sent=2), asked=asked) == [(True, "")] * 4
    asked_for = replace(LETTER, unasked=False)
    assert rule(asked_for, NOTED, known=known, asked=asked) == [(True, "")] * 2, "what they asked for comes at any hour"


def test_what_staff_approved_comes_at_any_hour_but_never_to_who_refused() -> None:
    stopped = Outreach(stopped=True, again=True)
    for known, kept in ((Outreach(night=True, sent=9), True), (Outreach(refused=True), False), (stopped, False)):
        assert [one for one, _why in rule(LETTER, known=known, approved=WEI.ref, asked=True)] == [kept]
    assert rule(LETTER, known=stopped, asked=True) == [(True, "")], "what they switched on since"


def test_two_accounts_of_one_human_hear_together_what_one_may() -> None:
    twice = (LETTER, replace(LETTER, member=TWIN.ref))
    assert rule(*twice, known=Outreach(person=7, sent=2)) == [(True, ""), (False, OFTEN)]
    assert rule(*twice, known=Outreach(person=7, sent=1)) == [(True, ""), (True, "")]


def test_a_hint_aside_counts_where_it_becomes_a_direct_message() -> None:
    hint = Say(to=Ref(PLATFORM, "general"), text="psst", only=ANA.ref, unasked=True)
    night = Outreach(night=True)
    assert rule(hint, known=night) == [(True, "")]
    assert [kept for kept, _why in rule(hint, known=night, lacks={"only"})] == [False]
    assert [kept for kept, _why in rule(hint, known=Outreach(), lacks={"only"})] == [False, True]


# With real acts


async def write(context) -> Decision:
    """Write to everybody whom the schedule's name names."""
    letters = [
        OpenDirect(member=Ref(PLATFORM, name), text="hello", unasked=True) for name in context.event.schedule.split()
    ]
    return Decision(skill="writes", actions=tuple(letters), reason="somebody may like it")


WRITES = Skill(name="writes", purpose="writes", propose=write, hears=(TimerFired,))


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home, skills=[WRITES], plaza=Plaza()) as opened:
        for who in (ANA, WEI, TWIN):
            await opened.follow(opened.posted("hello", by=who))
        await opened.mode("writes", Mode.ACT)
        yield opened


async def wrote(bot: SmallBot, *names: str) -> list[str]:
    """Let a timer come; return why what was proposed was declined, empty where it was written."""
    now = bot.clock.now()
    trace = await bot.happens(TimerFired(schedule=" ".join(names), planned=now, at=now))
    bot.clock.pass_by(1)
    assert isinstance(trace, Trace)
    return [one.why for one in trace.verdict.rulings]


def at(bot: SmallBot, moment: datetime) -> None:
    bot.clock.pass_by((moment - bot.clock.now()).total_seconds())


async def test_three_a_week_reach_somebody_and_the_fourth_waits_for_the_next(bot: SmallBot) -> None:
    at(bot, datetime(2027, 3, 1, 12, tzinfo=UTC))
    for _each in range(3):
        assert await wrote(bot, "ana") == [""]
        bot.clock.pass_by(3600)
    assert await wrote(bot, "ana", "wei") == [OFTEN, ""], "each human has their own"
    await bot.tune("most_a_week", "4")
    assert await wrote(bot, "ana") == [""]
    bot.clock.pass_by(timedelta(days=7).total_seconds())
    assert await wrote(bot, "ana") == [""]


async def test_accounts_that_were_linked_are_one_human(bot: SmallBot) -> None:
    at(bot, datetime(2027, 3, 1, 12, tzinfo=UTC))
    for name in ("ana", "ana", "ana-2"):
        assert await wrote(bot, name) == [""]
    assert await wrote(bot, "ana-2") == [""], "so far they are two"

    async def link(connection) -> None:
        mine, other = [await members.by_ref(connection, bot.community, one.ref) for one in (ANA, TWIN)]
        await persons.link(connection, mine, other, bot.clock.now())

    await bot.database.write(link)
    assert await wrote(bot, "ana", "ana-2") == [OFTEN, OFTEN]


@pytest.mark.parametrize(
    ("zone", "moment", "why"),
    [
        ("UTC", "2027-03-27T21:59", ""),
        ("UTC", "2027-03-27T22:00", NIGHT),
        ("Europe/Berlin", "2027-03-27T20:59", ""),
        ("Europe/Berlin", "2027-03-27T21:00", NIGHT),
        ("Europe/Berlin", "2027-03-28T06:00", ""),  # summer time since an hour
        ("Europe/Berlin", "2027-03-27T06:30", NIGHT),
        ("Asia/Shanghai", "2027-03-27T13:59", ""),
        ("Asia/Shanghai", "2027-03-27T23:59", NIGHT),
        ("Australia/Lord_Howe", "2027-03-27T20:59", NIGHT),
        ("Australia/Lord_Howe", "2027-03-27T21:00", ""),  # eleven hours ahead until April
    ],
)
async def test_the_night_is_the_communitys_by_the_clock_on_its_wall(bot: SmallBot, zone, moment, why) -> None:
    await bot.tune("time_zone", zone)
    at(bot, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert await wrote(bot, "ana") == [why]


async def test_who_named_a_zone_has_their_own_night_by_any_account(bot: SmallBot) -> None:
    at(bot, datetime(2027, 3, 1, 23, tzinfo=UTC))
    here = KeepSubscription(member=ANA.ref, about="suggestions", when="weekly mon 9 Asia/Shanghai")
    await bot.performer.keeper.act(bot.community, here)
    assert await wrote(bot, "ana", "wei") == [NIGHT, NIGHT], "seven in the morning, and eleven at night"
    bot.clock.pass_by(3600)
    assert await wrote(bot, "ana", "wei") == ["", NIGHT]
    await bot.tune("quiet_hours", "none")
    assert await wrote(bot, "ana", "wei") == ["", ""]


async def test_a_no_names_no_zone(bot: SmallBot) -> None:
    await bot.tune("time_zone", "Asia/Shanghai")
    at(bot, datetime(2027, 3, 1, 15, tzinfo=UTC))
    await bot.performer.keeper.act(bot.community, KeepSubscription(member=ANA.ref, about="suggestions", when="off"))
    assert await wrote(bot, "ana") == [NIGHT], "eleven at night where the community is"
    bot.clock.pass_by(10 * 3600)
    assert await wrote(bot, "ana") == [""]


async def test_who_wants_nothing_used_is_not_written_to_until_they_take_it_back(bot: SmallBot) -> None:
    at(bot, datetime(2027, 3, 1, 12, tzinfo=UTC))
    off = SetConsent(member=ANA.ref, collected=False)
    await bot.performer.keeper.act(bot.community, off)
    assert await wrote(bot, "ana", "wei") == [REFUSED, ""]
    await bot.performer.keeper.act(bot.community, replace(off, collected=True, before=False))
    assert await wrote(bot, "ana") == [""]


@pytest.mark.parametrize(
    "on",
    [
        SetWish(member=TWIN.ref, wish="people", on=True),
        KeepSubscription(member=TWIN.ref, about="suggestions", when="weekly mon 9 UTC"),
    ],
)
async def test_who_wants_to_hear_nothing_is_written_to_by_no_account_but_what_they_switch_on(bot: SmallBot, on) -> None:
    at(bot, datetime(2027, 3, 1, 12, tzinfo=UTC))

    async def open_to(*, wanted: bool) -> list[str]:
        async with bot.database.read() as connection:
            those = [await members.by_ref(connection, bot.community, one.ref) for one in (ANA, WEI)]
            found = await outreach.open_to(connection, bot.community, those, bot.clock.now(), wanted=wanted)
            return [one.name for one in found]

    async def link(connection) -> None:
        mine, other = [await members.by_ref(connection, bot.community, one.ref) for one in (ANA, TWIN)]
        await persons.link(connection, mine, other, bot.clock.now())

    await bot.database.write(link)
    await bot.performer.keeper.act(bot.community, on)
    bot.clock.pass_by(60)
    await bot.performer.keeper.act(bot.community, STOP)
    assert await wrote(bot, "ana", "ana-2", "wei") == [STOPPED, STOPPED, ""]
    assert (await open_to(wanted=False), await open_to(wanted=True)) == ([WEI.name], [WEI.name])
    bot.clock.pass_by(60)
    await bot.performer.keeper.act(bot.community, on)
    assert (await open_to(wanted=False), await open_to(wanted=True)) == ([WEI.name], [ANA.name, WEI.name])
    assert await wrote(bot, "ana") == [STOPPED], "they switched on nothing of this"
    await bot.performer.keeper.act(bot.community, replace(STOP, on=None))
    assert await wrote(bot, "ana") == [""]


async def test_whom_something_may_be_written_now_is_told_before_it_is_proposed(bot: SmallBot) -> None:
    at(bot, datetime(2027, 3, 1, 12, tzinfo=UTC))
    for _each in range(3):
        await wrote(bot, "ana")

    async def open_to(*, often: bool) -> list[str]:
        async with bot.database.read() as connection:
            those = [await members.by_ref(connection, bot.community, one.ref) for one in (ANA, WEI)]
            found = await outreach.open_to(connection, bot.community, those, bot.clock.now(), often=often)
            return [one.name for one in found]

    assert (await open_to(often=False), await open_to(often=True)) == ([WEI.name], [ANA.name, WEI.name])
    bot.clock.pass_by(timedelta(hours=11).total_seconds())
    assert await open_to(often=True) == []
