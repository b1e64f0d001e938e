"""Raids: seen by joins or by like words of newcomers, over by themselves after quiet, by the time of what happens."""

from datetime import UTC, datetime, timedelta

from bot.core.i18n import translator
from bot.core.things import Ref
from brains.moderation.presets import PRESETS, Limit
from brains.moderation.raids import Raid, RaidWatch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "comeandjoinourbetterserver"


def watch() -> RaidWatch:
    return RaidWatch(joins=Limit(count=5, seconds=60), alike=Limit(count=3, seconds=60), quiet=300)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def who(number: int) -> Ref:
    return Ref.parse(f"discord:10/@{number}")


def raided() -> RaidWatch:
    there = watch()
    for number in range(5):
        there.came(who(number), at(number))
    return there


def test_many_joins_at_once_are_a_raid_and_many_over_an_hour_are_none():
    there, slow = watch(), watch()
    states = [there.came(who(number), at(number)) for number in range(5)]
    drops = [slow.came(who(number), at(number * 20)) for number in range(60)]

    assert states[:4] == [None] * 4
    assert isinstance(states[4], Raid)
    assert (states[4].sign, states[4].count, states[4].until) == ("joins", 5, at(304))
    assert set(states[4].members) == {who(number) for number in range(5)}
    assert drops == [None] * 60


def test_a_raid_ends_by_itself_after_quiet_and_a_new_one_can_begin():
    there = raided()

    assert there.state(at(303)) is not None
    assert there.state(at(304)) is None
    assert there.came(who(90), at(305)) is None
    assert [there.came(who(100 + number), at(306 + number)) is not None for number in range(5)][-1]


def test_a_raid_that_goes_on_lasts_longer_and_a_single_guest_does_not_lengthen_it():
    there = raided()
    still = there.came(who(50), at(20))
    assert still is not None
    assert still.until == at(320)
    assert who(50) in still.members

    alone = there.came(who(51), at(200))
    assert alone is not None
    assert alone.until == at(320)


def test_newcomers_who_say_alike_are_a_raid_and_members_of_old_are_not():
    new, old = watch(), watch()
    states = [new.said(who(n), at(n), TEXT + "!" * n, joined_at=at(-60)) for n in range(3)]
    veterans = [old.said(who(n), at(n), TEXT, joined_at=at(-86_400)) for n in range(9)]
    one = [watch().said(who(1), at(n), TEXT, joined_at=at(-60)) for n in range(9)]

    assert [state is not None for state in states] == [False, False, True]
    assert states[2] is not None
    assert states[2].sign == "alike"
    assert veterans == [None] * 9
    assert one == [None] * 9


def test_a_raid_on_several_spaces_tells_of_each_member_everywhere_they_were_seen_and_counts_them_once():
    here, there = Ref.parse("telegram:-1"), Ref.parse("telegram:-2")
    joins, talk = watch(), watch()
    for number in range(4):
        assert joins.came(who(number), at(number), here) is None
        assert joins.came(who(number), at(number), there) is None
    joins.came(who(4), at(5), here)
    raid = joins.came(who(4), at(6), there)
    said = [
        talk.said(who(n), at(n + m), TEXT, at(-60), space) for n in (0, 1, 2) for m, space in ((0, here), (1, there))
    ]

    assert raid is not None
    assert (raid.count, dict(raid.members)) == (5, {who(number): {here, there} for number in range(5)})
    assert said[:4] == [None] * 4, "two who say it in two spaces are two"
    assert said[-1] is not None
    assert dict(said[-1].members) == {who(number): {here, there} for number in range(3)}


def test_staff_may_lift_it_and_what_was_seen_counts_no_more():
    there = raided()
    there.lift()

    assert there.state(at(6)) is None
    assert there.came(who(9), at(7)) is None


def test_a_watch_may_be_off_and_is_tuned_by_a_preset():
    off = RaidWatch(joins=None, alike=None, quiet=60)
    assert [off.came(who(n), at(n)) for n in range(100)] == [None] * 100

    off.tuned(PRESETS["strict"])
    assert [off.came(who(n), at(200 + n)) is not None for n in range(8)][-1]


def test_a_raid_says_what_was_seen():
    raid = raided().raid
    assert raid is not None
    assert raid.reason() == "5 members came in within 60 seconds"
    assert raid.reason(translator("zh_CN")) != raid.reason()
